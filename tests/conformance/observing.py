"""What a case saw, in plain values; and whether two sides saw the same, but for times, sizes and ids."""

import dataclasses
import math
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from windrow.api.http_words import HTTP
from windrow.domain.errors import WindrowError
from windrow.domain.job import Job
from windrow.operations import Operations

# What two machines never agree on, though they do the same: how long something took, whether a cancelled job had its
# turn already, how many threads torch has before an adapter is trained, and how many bytes a record takes that says so.
UNLIKE = frozenset(
    (
        "size_bytes",
        "freed_bytes",
        "free_bytes",
        "other_bytes",
        "training_time_seconds",
        "seconds",
        "wait_seconds",
        "seconds_left",
        "memory_bytes",
        "ahead",
        "started_at",
        "progress",
        "cpu",
    )
)
# Of one and the same text, a score differs that much with what else is in its batch (windrow.domain.reproduction).
TOLERANCE = 1e-4


@dataclasses.dataclass(frozen=True)
class Refusal:
    """An error, in plain values.

    Args:
        kind: The name of its class.
        code: Its code.
        detail: Its words in Python.
        in_http: Its words in HTTP.
        facts: Its values.
    """

    kind: str
    code: str
    detail: str
    in_http: str
    facts: Mapping[str, object]


def refused(verb: Callable[..., object], *arguments: object) -> Refusal:
    """Return how a call is refused.

    Raises:
        AssertionError: It is not.
    """
    try:
        done = verb(*arguments)
        if isinstance(done, Iterator):
            done = list(done)
    except WindrowError as error:
        return Refusal(type(error).__name__, error.code, error.detail, error.told(HTTP), error.facts)
    raise AssertionError(f"nothing was refused; it returned {done!r}")


def observe(case: Callable[[Operations], object], operations: Operations) -> object:
    """Return what a case saw, in plain values, with ``<id>`` for the id of each job."""
    seen = case(operations)
    ids = set(_job_ids(seen))
    return _plain(seen, ids)


def differences(left: object, right: object, place: str = "") -> Iterator[str]:
    """Yield where two plain values differ."""
    if isinstance(left, dict) and isinstance(right, dict):
        for key in sorted({*left, *right}, key=str):
            if key in left and key in right:
                yield from differences(left[key], right[key], f"{place}.{key}")
            else:
                yield f"{place}.{key} is only {'left' if key in left else 'right'}"
    elif isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        for number, (one, other) in enumerate(zip(left, right, strict=True)):
            yield from differences(one, other, f"{place}[{number}]")
    elif isinstance(left, float) and isinstance(right, float | int):
        if not math.isclose(left, right, abs_tol=TOLERANCE, rel_tol=TOLERANCE):
            yield f"{place}: {left!r} != {right!r}"
    elif left != right or type(left) is not type(right):
        yield f"{place}: {left!r} != {right!r}"


def _job_ids(value: object) -> Iterator[str]:
    if isinstance(value, Job):
        yield value.id
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _job_ids(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _job_ids(each)


def _plain(value: Any, ids: set[str]) -> object:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        shown = {name: _plain(each, ids) for name, each in fields.items() if name not in UNLIKE}
        return {"": type(value).__name__, **shown}
    if isinstance(value, Mapping):
        return {str(key): _plain(each, ids) for key, each in value.items() if key not in UNLIKE}
    if isinstance(value, list | tuple):
        return [_plain(each, ids) for each in value]
    if isinstance(value, datetime):
        return "<time>" if value.microsecond == 0 and value.tzinfo is not None else repr(value)
    if isinstance(value, str):
        for job_id in ids:
            value = value.replace(job_id, "<id>")
    return value
