"""Types in words, with links to the values that they name."""

import dataclasses
import json
import types
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from docs.generator.markdown import as_json, inline, table
from windrow.api.endpoints import ENDPOINTS
from windrow.api.flat import DESCRIBED_LIKE, FORMS, Health
from windrow.codec.docs import field_docs
from windrow.domain.errors import WindrowError
from windrow.domain.values import Schema

VALUES_PAGE = "values.md"
ERRORS_PAGE = "errors.md"
_PLAIN = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "`true` or `false`",
    datetime: "time",
    types.NoneType: "`null`",
}


def values() -> list[Any]:
    """Return the classes of all values in requests and replies, by name."""
    found: dict[str, Any] = {Health.__name__: Health}
    for endpoint in ENDPOINTS:
        reply = [] if endpoint.reply_form == "file" else [endpoint.reply]
        kinds: list[Any] = [endpoint.request, *reply, *FORMS.get(endpoint.verb, ())]
        found |= {each.__name__: each for kind in kinds for each in inside(kind) if dataclasses.fields(each)}
    return [found[name] for name in sorted(found)]


def inside(hint: Any) -> Iterator[Any]:
    """Yield the dataclasses that a type names, and those of their fields."""
    if dataclasses.is_dataclass(hint):
        yield hint
        kind: Any = hint
        for each in get_type_hints(kind).values():
            yield from inside(each)
    for each in get_args(hint):
        yield from inside(each)


def in_words(hint: Any, page: str = VALUES_PAGE) -> str:
    """Return a type in words, with a link to each value that it names.

    Args:
        hint: The type.
        page: The page that describes the values, empty on that page itself.
    """
    origin, inner = get_origin(hint), get_args(hint)
    if dataclasses.is_dataclass(hint):
        name = getattr(hint, "__name__", "")
        return f"[{name}]({page}#{name.lower()})"
    if origin is Annotated:
        return _annotated(*inner, page=page)
    if origin in (Union, types.UnionType):
        return " or ".join(in_words(each, page) for each in inner)
    if origin is Literal:
        return " or ".join(f"`{each}`" for each in inner)
    if origin is not None:
        held = in_words(inner[-1 if origin is Mapping else 0], page)
        return f"object: {held} by key" if origin is Mapping else f"list of {held}"
    return _PLAIN.get(hint, "any value")


def error_link(error: type[WindrowError], shown: str) -> str:
    """Return a link to an error or a family of errors."""
    return f"[{shown}]({ERRORS_PAGE}#{error.code or error.__name__.lower()})"


def fields_table(kind: Any, fields: list[Any], page: str = VALUES_PAGE) -> str:
    """Return a table of some fields of a dataclass: name, type, default and meaning."""
    hints = get_type_hints(kind, include_extras=True)
    docs = {**field_docs(DESCRIBED_LIKE.get(kind, kind)), **field_docs(kind)}
    rows = [
        [f"`{each.name}`", in_words(hints[each.name], page), _default(each), as_json(inline(docs.get(each.name, "")))]
        for each in fields
    ]
    return table(["Name", "Type", "Default", "Meaning"], rows)


def _default(each: Any) -> str:
    if not each.init:
        return ""
    if each.default is None or isinstance(each.default, str | int | float):
        return f"`{json.dumps(each.default)}`"
    return "" if each.default is dataclasses.MISSING and each.default_factory is dataclasses.MISSING else "empty"


def _annotated(hint: Any, *notes: Any, page: str) -> str:
    """Return a type in words; of one with few values, the values."""
    allowed: Any = next(
        (note.members["enum"] for note in notes if isinstance(note, Schema) and "enum" in note.members), None
    )
    if allowed is None:
        return in_words(hint, page)
    shown = [f"`{each}`" for each in allowed]
    return " or ".join([*shown, "`null`"] if types.NoneType in get_args(hint) else shown)
