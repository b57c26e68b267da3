"""How a value is written for people, in a line, and for programs, as what JSON has.

Owns both forms; knows nothing of HTML or of libraries of tables.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from datetime import UTC, datetime
from typing import Any

_MAX_REPR_CHARS = 240
_MAX_PART_CHARS = 60
_MAX_ITEMS = 4
_LEFT_OUT = "…"


def to_plain(value: Any) -> Any:
    """Return a value as what JSON has: dicts, lists, strings, numbers, booleans and ``None``; computed fields too."""
    if is_dataclass(value):
        return {each.name: to_plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, Mapping):
        return {key: to_plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(each) for each in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return value


def short_repr(value: Any, summary: Sequence[str]) -> str:
    """Return a dataclass in a line: what it says, without what has its default, and without long parts.

    Args:
        value: The dataclass.
        summary: Its fields that are shown; none for as many as there is room for.
    """
    shown, room = [], _MAX_REPR_CHARS - len(type(value).__name__)
    for name, part in _parts(value, summary):
        room -= len(name) + len(part) + 3
        if room < 0:
            shown.append(_LEFT_OUT)
            break
        shown.append(f"{name}={part}")
    return f"{type(value).__name__}({', '.join(shown)})"


def _parts(value: Any, summary: Sequence[str]) -> Iterator[tuple[str, str]]:
    by_name = {each.name: each for each in fields(value)}
    for name in summary or by_name:
        part, field = getattr(value, name), by_name[name]
        # A computed field's default means nothing.
        has_default = field.init and field.default is not MISSING and part == field.default
        says_nothing = part is None and not summary
        if not has_default and not says_nothing and part not in ((), {}, ""):
            yield name, _part(part)


def _part(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, str):
        return repr(value) if len(value) <= _MAX_PART_CHARS else repr(value[: _MAX_PART_CHARS - 1] + _LEFT_OUT)
    if isinstance(value, datetime):
        return f"'{to_plain(value)}'"
    if isinstance(value, Mapping):
        pairs = [f"{_part(key)}: {_part(each)}" for key, each in value.items()]
        return _joined(pairs, "{}", f"<{len(value)} entries>")
    if isinstance(value, list | tuple):
        return _joined([_item(each) for each in value], "[]", f"<{len(value)} {_kind_of(value)}>")
    return _or(repr(value), f"<{type(value).__name__}>") if is_dataclass(value) else repr(value)


def _item(value: Any) -> str:
    """Return an entry of a list: what names it, where its class says so."""
    name = getattr(type(value), "_named_by", None)
    return _part(value if name is None else getattr(value, name))


def _kind_of(values: Sequence[Any]) -> str:
    return type(values[0]).__name__ if is_dataclass(values[0]) else "entries"


def _joined(parts: Sequence[str], around: str, otherwise: str) -> str:
    few = [*parts[:_MAX_ITEMS], *([f"{_LEFT_OUT} {len(parts)} in all"] if len(parts) > _MAX_ITEMS else [])]
    return _or(f"{around[0]}{', '.join(few)}{around[1]}", otherwise)


def _or(text: str, otherwise: str) -> str:
    return text if len(text) <= 2 * _MAX_PART_CHARS else otherwise
