"""The page on values: what requests and replies are made of, in JSON and in Python."""

import dataclasses
import inspect
import json
from collections.abc import Iterator
from typing import Any

import windrow
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
        paragraph(
            "What methods return can be imported from `windrow` (`from windrow import Report`), as can its parts. Each "
            "of these values has a short repr, tables in a notebook, and two methods: `to_dict()` returns the members "
            "of the JSON; `to_frame()` a table of pandas or, where that is not installed, of polars, with a row for "
            "each entry of a list, label of a report or classifier of a comparison. A listing (`Listing`, `JobList`, "
            "`AliasList`, `AliasHistory`, `BaseModelList`, `Suggestions`) has a length, can be iterated, and gives an "
            "entry by its place. The answers to a column of texts are `windrow.Predictions`, a list of `Prediction` "
            "with `to_frame()` and `to_dicts()`."
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
    where = "In JSON only." if kind.__module__.startswith(_JSON_ONLY) else f"`{_python_name(kind)}`"
    parts = [f"## {kind.__name__}", *paragraphs(text_of(kind)), where]
    parts.append(fields_table(kind, list(dataclasses.fields(kind)), page=""))
    if shown := list(_members(kind)):
        parts += ["In Python also:", table(["Name", "Meaning"], shown)]
    if kind in {each.reply for each in ENDPOINTS} | {each for forms in FORMS.values() for each in forms}:
        parts.append(block("json", json_text(json.loads(to_json(example_of(kind))))))
    return "\n\n".join(parts)


def _python_name(kind: Any) -> str:
    """Return what a class is imported as: from the package, where it has a name there."""
    return f"{'windrow' if kind.__name__ in windrow.__all__ else kind.__module__}.{kind.__name__}"


def _members(kind: Any) -> Iterator[list[str]]:
    """Yield the properties of a value, which are no fields."""
    for name, member in inspect.getmembers(kind, lambda member: isinstance(member, property)):
        yield [f"`{name}`", inline(" ".join(text_of(member).split()))]
