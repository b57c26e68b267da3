"""Write the generated part of docs/api.md: each endpoint, each value in a request or reply, and each code of a problem.

All of it stands in the source: in the table of endpoints, in the docstrings of verbs, fields and errors. What people
wrote stands around the two marks. Run by `make reference`; a test fails where the page is not what this writes.
"""

import dataclasses
import inspect
import json
import re
import types
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from windrow.api.endpoints import ENDPOINTS, TAGS, Endpoint
from windrow.api.examples import REQUESTS, example_of
from windrow.api.flat import DESCRIBED_LIKE, FORMS
from windrow.codec.docs import field_docs, summary_of
from windrow.codec.values import to_json
from windrow.domain import errors
from windrow.domain.errors import WindrowError
from windrow.domain.values import Schema
from windrow.http.problems import STATUSES
from windrow.operations import Operations

PAGE = Path(__file__).parent / "api.md"
BEGIN, END = "<!-- Written by `make reference` from here … -->", "<!-- … to here. -->"
_PLAIN = {str: "text", int: "whole number", float: "number", bool: "`true` or `false`", datetime: "time, UTC"}
# When a reply has a form that is not the value of the verb, or not always.
_FORM_WORDS = {
    "TextsReply": "for many texts {}",
    "ClassifiersReply": "and for many classifiers {}",
    "ModelPage": "with `limit` or `cursor` {}",
    "Listing": "and with `full=true` {}",
}
_REPLY_FORMS = {
    "json": "The reply is",
    "events": "The reply is a stream of server-sent events, whose data are",
    "file": "The reply is the file",
}


def main() -> None:
    """Write the page."""
    PAGE.write_text(written(PAGE.read_text()))


def written(page: str) -> str:
    """Return the page with what is generated between the marks."""
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n\n{generated()}\n\n{END}{after}"


def generated() -> str:
    """Return what stands between the marks."""
    parts = []
    for tag in TAGS:
        of_tag = [each for each in ENDPOINTS if each.tag == tag]
        parts += [f"## {tag.name.capitalize()}", tag.description, *map(_endpoint, of_tag)] if of_tag else []
    parts += ["## Values", "What requests and replies are made of.", *map(_value, _values())]
    return "\n\n".join([*parts, "## Codes", _codes_table()])


def _endpoint(endpoint: Endpoint[Any, Any]) -> str:
    verb = inspect.getdoc(getattr(Operations, endpoint.verb)) or ""
    chosen = "".join(f"?{name}={value}" for name, value in endpoint.chosen_by.items())
    parts = [f"### {endpoint.method} {endpoint.path}{chosen}", *_prose(verb), *_request(endpoint)]
    reply: Any = endpoint.reply
    link = "" if endpoint.reply_form == "file" else f" {_type(reply)}"
    if forms := FORMS.get(endpoint.verb):
        usual = next(each for each in forms if each.__name__ not in _FORM_WORDS)
        others = {each.__name__: _type(each) for each in forms}
        told = [words.format(others[name]) for name, words in _FORM_WORDS.items() if name in others]
        link = ", ".join([f" {_type(usual)}", *told])
    parts.append(f"{_REPLY_FORMS[endpoint.reply_form]}{link}, with status {endpoint.status}.")
    if refusals := _refusals(verb):
        parts.append(f"Refused with {refusals}.")
    return "\n\n".join(parts)


def _request(endpoint: Endpoint[Any, Any]) -> Iterator[str]:
    """Yield what a request may say, and where."""
    kind: Any = endpoint.request
    in_path = [each for each in dataclasses.fields(kind) if f"{{{each.name}}}" in endpoint.path]
    others = [each for each in dataclasses.fields(kind) if each not in in_path]
    if in_path:
        yield f"In the path:\n\n{_table(kind, in_path)}"
    if others and endpoint.body in ("none", "file"):
        yield f"In the query:\n\n{_table(kind, others)}"
    if endpoint.body == "file":
        yield "The body is the file."
    elif others and endpoint.body != "none":
        may = ", which may be left out" if endpoint.body == "optional" else ""
        rest = f", without `{in_path[0].name}`" if in_path else ""
        yield f"The body is {_type(kind)}{rest}{may}."
    for example in REQUESTS.get(endpoint.verb, {}).values():
        if example:
            yield f"```json\n{_json(example)}\n```"


def _prose(docstring: str) -> Iterator[str]:
    """Yield the paragraphs of a docstring that stand before its sections."""
    for paragraph in re.split(r"\n(?:Args|Returns|Raises|Yields):\n", docstring)[0].strip().split("\n\n"):
        yield _markdown(" ".join(paragraph.split()))


def _refusals(docstring: str) -> str:
    """Return the codes of the errors that a docstring lists; of a whole family, its name."""
    section = docstring.partition("Raises:\n")[2]
    names = re.findall(r"^ {4}(\w+):", section, re.MULTILINE)
    found = (getattr(errors, name, None) for name in names)
    return ", ".join(f"`{each.code}`" if each.code else _family(each) for each in found if each is not None)


def _family(error: type[WindrowError]) -> str:
    return {"InvalidInput": "what [breaks a rule](#codes)", "NotFound": "what [is not found](#codes)"}[error.__name__]


def _value(kind: Any) -> str:
    parts = [f"### {kind.__name__}", _markdown(summary_of(kind)), _table(kind, list(dataclasses.fields(kind)))]
    if kind in {each.reply for each in ENDPOINTS}:
        parts.append(f"```json\n{_json(json.loads(to_json(example_of(kind))))}\n```")
    return "\n\n".join(parts)


def _table(kind: Any, fields: list[Any]) -> str:
    hints = get_type_hints(kind, include_extras=True)
    docs = {**field_docs(DESCRIBED_LIKE.get(kind, kind)), **field_docs(kind)}
    rows = [
        f"| `{each.name}` | {_type(hints[each.name])}{_default(each)} | {_markdown(docs.get(each.name, ''))} |"
        for each in fields
    ]
    return "\n".join(["| field | type | meaning |", "|---|---|---|", *rows])


def _default(each: Any) -> str:
    if not each.init or not isinstance(each.default, str | int | float):
        return ""
    return f", by default `{json.dumps(each.default)}`"


def _type(hint: Any) -> str:
    """Return a type in words, with a link where the page describes it."""
    origin, inner = get_origin(hint), get_args(hint)
    if dataclasses.is_dataclass(hint):
        name = getattr(hint, "__name__", "")
        return f"[{name}](#{name.lower()})"
    if origin is Annotated:
        return _annotated(*inner)
    if origin in (Union, types.UnionType):
        return " or ".join("`null`" if each is types.NoneType else _type(each) for each in inner)
    if origin is Literal:
        return " or ".join(f"`{each}`" for each in inner)
    if origin is not None:
        return f"list of {_type(inner[0])}" if origin is tuple else f"object: {_type(inner[1])} by key"
    return _PLAIN.get(hint, "any value")


def _annotated(hint: Any, *notes: Any) -> str:
    """Return a type in words; of one with few values, the values."""
    values: Any = next(
        (note.members["enum"] for note in notes if isinstance(note, Schema) and "enum" in note.members), None
    )
    if values is None:
        return _type(hint)
    shown = [f"`{each}`" for each in values]
    return " or ".join([*shown, "`null`"] if types.NoneType in get_args(hint) else shown)


def _values() -> list[Any]:
    """Return the classes of all values in bodies and replies, by name."""
    found: dict[str, Any] = {}
    for endpoint in ENDPOINTS:
        kinds: list[Any] = [endpoint.request] if endpoint.body in ("required", "optional") else []
        kinds += [endpoint.reply] if endpoint.reply_form != "file" else []
        kinds += FORMS.get(endpoint.verb, ())
        found |= {each.__name__: each for kind in kinds for each in _inside(kind)}
    return [found[name] for name in sorted(found) if dataclasses.fields(found[name])]


def _inside(hint: Any) -> Iterator[Any]:
    if dataclasses.is_dataclass(hint):
        yield hint
        kind: Any = hint
        for each in get_type_hints(kind).values():
            yield from _inside(each)
    for each in get_args(hint):
        yield from _inside(each)


def _codes_table() -> str:
    rows = [f"| `{error.code}` | {status} | {_meaning(error)} |" for error, status in STATUSES.items()]
    return "\n".join(["| code | status | meaning |", "|---|---|---|", *rows])


def _meaning(error: type[WindrowError]) -> str:
    first = (inspect.getdoc(error) or "").split(";")[0].split("\n")[0].rstrip(".")
    return _markdown(f"{first}.")


def _json(value: Any, indent: str = "", before: int = 0) -> str:
    """Return JSON of which what fits a line, behind what stands there before, stands on one."""
    line = json.dumps(value, ensure_ascii=False)
    if before + len(indent) + len(line) <= 110 or not value or not isinstance(value, dict | list):
        return line
    inner = f"{indent}  "
    if isinstance(value, dict):
        lines = [f"{inner}{json.dumps(key)}: {_json(each, inner, len(key) + 4)}" for key, each in value.items()]
        return "\n".join(["{", ",\n".join(lines), f"{indent}}}"])
    return "\n".join(["[", ",\n".join(f"{inner}{_json(each, inner)}" for each in value), f"{indent}]"])


def _markdown(text: str) -> str:
    """Return a docstring's text as Markdown, in the words of JSON."""
    plain = re.sub(r":\w+:`~?([\w.]+)`", lambda found: f"`{found[1].rpartition('.')[2]}`", text)
    return plain.replace("``None``", "`null`").replace("``", "`").replace("|", "\\|")


if __name__ == "__main__":
    main()
