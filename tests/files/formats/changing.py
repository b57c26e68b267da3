"""Files with a mistake in one place: a value that is missing, or that does not belong there."""

import json
from collections.abc import Iterator
from typing import Any

# What stands in place of a value where a program made a mistake.
WRONG: tuple[Any, ...] = (None, True, -1, 0.5, " ", "\ud800", [], [None], {}, {"": [{}]})
MOST_CHANGED = 20


def changed(content: bytes) -> Iterator[bytes]:
    """Yield JSON or JSONL with one of its values, at some places, missing or replaced by what does not belong there."""
    try:
        lines = [json.loads(line) for line in content.splitlines() if line.strip()]
    except ValueError:  # no JSONL; JSON over several lines is one value
        try:
            lines = [json.loads(content)]
        except ValueError:
            return
    places = list(places_in(lines))
    for place in places[:: max(1, len(places) // MOST_CHANGED)]:
        for wrong in WRONG:
            yield written(replaced(lines, place, [wrong]))
        yield written(replaced(lines, place, []))


def places_in(value: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path to each value inside another one."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inside:
        yield (*before, key)
        yield from places_in(each, (*before, key))


def replaced(value: Any, place: tuple[Any, ...], others: list[Any]) -> Any:
    """Return a value in which at a place another one stands, or none."""
    key, *rest = place
    new = [replaced(value[key], tuple(rest), others)] if rest else others
    if isinstance(value, dict):
        return {name: (new[0] if name == key else each) for name, each in value.items() if name != key or new}
    return [*value[:key], *new, *value[key + 1 :]]


def written(lines: list[Any]) -> bytes:
    """Return values as JSONL."""
    return "".join(f"{json.dumps(line)}\n" for line in lines).encode()
