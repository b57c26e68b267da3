"""The page on values: what requests and replies are made of, in JSON and in Python."""

import dataclasses
import inspect
import json
from collections.abc import Iterator
from typing import Any

from docs.generator.docstrings import text_of
from docs.generator.kinds import fields_table, values
from docs.generator.markdown import block, inline, json_text, page, paragraph, paragraphs, table
from windrow.api.endpoints import ENDPOINTS
from windrow.api.examples import example_of
from windrow.api.flat import FORMS
from windrow.codec.values import to_json

_JSON_ONLY = "windrow.api"


def text() -> str:
    """Return the page."""
    return page(
        "Values",
        paragraph(
            "What requests and replies are made of. A value has the same members in JSON and in Python, where it is a "
            "frozen dataclass of `windrow.domain`."
        ),
        table(
            ["Here", "In JSON", "In Python"],
            [
                ["text", "string", "`str`"],
                ["whole number, number", "number", "`int`, `float`"],
                ["`true` or `false`, `null`", "the same", "`True` or `False`, `None`"],
                ["time", "string, ISO 8601 in UTC", "`datetime` with the time zone UTC"],
                ["list", "array", "`tuple`"],
                ["object: … by key", "object", "`Mapping` with `str` as key"],
            ],
        ),
        "Examples are JSON.",
        *map(_value, values()),
    )


def _value(kind: Any) -> str:
    where = "In JSON only." if kind.__module__.startswith(_JSON_ONLY) else f"`{kind.__module__}.{kind.__name__}`"
    parts = [f"## {kind.__name__}", *paragraphs(text_of(kind)), where]
    parts.append(fields_table(kind, list(dataclasses.fields(kind)), page=""))
    if shown := list(_members(kind)):
        parts += ["In Python also:", table(["Name", "Meaning"], shown)]
    if kind in {each.reply for each in ENDPOINTS} | {each for forms in FORMS.values() for each in forms}:
        parts.append(block("json", json_text(json.loads(to_json(example_of(kind))))))
    return "\n\n".join(parts)


def _members(kind: Any) -> Iterator[list[str]]:
    """Yield the properties of a value, which are no fields."""
    for name, member in inspect.getmembers(kind, lambda member: isinstance(member, property)):
        yield [f"`{name}`", inline(" ".join(text_of(member).split()))]
