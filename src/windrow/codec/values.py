"""Values of the domain to and from JSON, as their dataclasses declare them.

The dataclasses are the only declaration: pydantic reads their annotations, once for each class, when it first comes.
"""

import dataclasses
import json
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Literal, TypeVar

from pydantic import TypeAdapter, ValidationError

__all__ = ["Extra", "ValidationError", "adapter_of", "from_json", "to_document", "to_json", "to_members", "to_plain"]

V = TypeVar("V")
Extra = Literal["forbid", "ignore"]


def adapter_of(kind: Any) -> TypeAdapter[Any]:
    """Return the pydantic ``TypeAdapter`` of a type, built on first use."""
    return _adapter_of(kind)


def from_json(kind: type[V], data: bytes | str, *, extra: Extra = "forbid") -> V:
    """Read a value from JSON, strictly: no type is guessed, no field invented.

    Args:
        kind: A dataclass of the domain, or a tuple of such.
        data: The document. Of a key that an object has twice, the last one counts: who must refuse that calls
            :func:`windrow.codec.strict.parse_json` before.
        extra: What becomes of fields that the class does not have, or computes: ``ignore`` is for documents that a
            newer version may have written.

    Raises:
        pydantic.ValidationError: The document has another shape, or is no JSON.
    """
    value: V = adapter_of(kind).validate_json(data, strict=True, extra=extra)
    return value


def to_json(value: object, kind: Any = None) -> bytes:
    """Return a value as compact JSON, computed fields too.

    Args:
        value: A value of the domain.
        kind: Its type, where it is no dataclass.
    """
    return adapter_of(kind or type(value)).dump_json(value)


def to_plain(value: object, kind: Any = None) -> Any:
    """Return a value as what JSON has: dicts, lists, strings, numbers, booleans and ``None``; computed fields too."""
    return adapter_of(kind or type(value)).dump_python(value, mode="json")


def to_members(value: object) -> dict[str, Any]:
    """Return what :func:`to_plain` does, without computed fields, so that it reads back.

    Args:
        value: A dataclass.

    Raises:
        ValueError: A time in it is none in UTC and whole seconds.
    """
    members: dict[str, Any] = _without_computed(value, to_plain(value))
    return members


def to_document(value: object, **before: object) -> bytes:
    """Return a value as a file for people and programs: indented JSON without computed fields, which reads back.

    Args:
        value: A dataclass.
        before: Members to stand before its own.

    Raises:
        ValueError: A number in it is no number of JSON, or a time in it is none in UTC and whole seconds.
    """
    plain = {**before, **to_members(value)}
    return json.dumps(plain, ensure_ascii=False, indent=2, allow_nan=False).encode() + b"\n"


@cache
def _adapter_of(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _without_computed(value: object, plain: Any) -> Any:
    if value is None or isinstance(value, str | int | float):
        return plain
    if dataclasses.is_dataclass(value):
        kind: Any = type(value)
        return {name: _without_computed(getattr(value, name), plain[name]) for name in _passed(kind)}
    if isinstance(value, dict):
        # In their order, since a key that is a number is a text in the plain value.
        pairs = zip(plain.items(), value.values(), strict=True)
        return {key: _without_computed(own, each) for (key, each), own in pairs}
    if isinstance(value, list | tuple):
        return [_without_computed(one, each) for one, each in zip(value, plain, strict=True)]
    if isinstance(value, datetime) and (value.utcoffset() != timedelta() or value.microsecond):
        raise ValueError(f"the time {plain} is none in UTC and whole seconds")
    return plain


@cache
def _passed(kind: Any) -> tuple[str, ...]:
    """Return the fields of a dataclass that are not computed."""
    return tuple(each.name for each in dataclasses.fields(kind) if each.init)
