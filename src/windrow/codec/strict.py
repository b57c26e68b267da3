"""Strict JSON (RFC 8259): no NaN, no key twice in one object, no byte order mark, no half bytes.

A document is parsed in C. A long one is parsed in Python, several elements of a list or members of an object at a time,
and so neither holds up other threads for more than some milliseconds.
"""

import codecs
import json
import math
import re
from collections.abc import Callable, Container
from json.decoder import JSONArray, JSONObject  # type: ignore[attr-defined]  # they have no stub
from json.scanner import py_make_scanner  # type: ignore[attr-defined]  # it has no stub
from typing import Any, Final, NoReturn

from windrow.codec.patterns import FLAT, SPACE, STRING, spaced
from windrow.codec.shape import MAX_DEPTH, find_excess, is_too_deep
from windrow.domain.errors import InvalidJson, LimitExceeded

MAX_KEY_CHARS = 40
_KINDS: Final[dict[type, str]] = {
    bool: "true or false",
    dict: "an object",
    float: "a number",
    int: "a number",
    list: "a list",
    str: "a string",
    type(None): "null",
}
# In C, a document of this size takes about a millisecond, for which no other thread runs.
_LONG_CHARS = 100_000
_MEMBERS_AT_ONCE = 10_000

_ScanOnce = Callable[[str, int], tuple[object, int]]


class _RefusedError(ValueError):
    """Why a document is no strict JSON, for a person."""


def parse_json(
    data: bytes, subject: str = "The body", *, most_values: int = 1_000_000, most_chars: int = 1_000_000
) -> object:
    """Parse strict JSON.

    Args:
        data: The document, in UTF-8.
        subject: What the document is called in an error.
        most_values: How many values it may have, about; so many empty lists take a hundred megabytes.
        most_chars: How long a string may be as it is written, about; half a million is always possible.

    Raises:
        LimitExceeded: It has more values, or a longer string; whether it is JSON is not known.
        InvalidJson: It is something else; ``facts["why"]`` says where and why.
    """
    try:
        text = data.decode()
        if len(text) >= _LONG_CHARS:
            _check_shape(text, subject, most_values, most_chars)
        _check_depth(text)
        return (_DECODER if len(text) < _LONG_CHARS else _CHUNKED_DECODER).decode(text)
    except ValueError as error:
        raise InvalidJson(
            subject + " cannot be read as JSON: {why}. Correct it and {send} it again.", {"why": _why(error, data)}
        ) from error


def too_many_values(limit: int, subject: str = "The body") -> LimitExceeded:
    """Return the error for a document that has more values than it may."""
    return LimitExceeded(
        subject + " has more than {limit} values, more than any request needs. {Send} fewer in one request.",
        {"limit": limit},
    )


def _check_shape(text: str, subject: str, most_values: int, most_chars: int) -> None:
    excess = find_excess(text, most_values, most_chars)
    if excess == "values":
        raise too_many_values(most_values, subject)
    if excess == "string":
        raise LimitExceeded(
            subject + " has a string of more than {limit} characters, more than any request needs. {Send} less.",
            {"limit": most_chars},
        )
    if excess == "blanks":
        raise _RefusedError("it has too many blanks, digits or other characters one after another")


def _check_depth(text: str, start: int = 0) -> None:
    if is_too_deep(text, start):
        raise _RefusedError(f"it is nested more than {MAX_DEPTH} levels deep")


def parse_value(text: str, start: int = 0) -> tuple[Any, int]:
    """Parse one value of a strict JSON document whose end is not known yet.

    Args:
        text: A part of the document.
        start: Where the value begins.

    Returns:
        The value, and where it ends.

    Raises:
        ValueError: As ``json.JSONDecodeError``, where the text breaks off or is no JSON; else the value is refused by
            strict JSON, is nested too deeply, or holds a number that no JSON could be written with again.
            :func:`why_refused` says why.
    """
    _check_depth(text, start)
    return _FINITE_DECODER.raw_decode(text, start)


def why_refused(error: ValueError) -> str:
    """Return why a value was refused, for a person, without its place."""
    if isinstance(error, json.JSONDecodeError):
        message = _message(error)
        return message[:1].lower() + message[1:]
    # Else it is Python's limit, against numbers that take minutes to read.
    return str(error) if isinstance(error, _RefusedError) else "a number has too many digits"


def _message(error: json.JSONDecodeError) -> str:
    """Return what Python says of an error, without the word behind which it says where."""
    return error.msg.removesuffix(" at").removesuffix(" starting")


def short_key(part: int | str) -> str:
    """Return a key short enough that it cannot be a text that was sent in the wrong place."""
    key = str(part)
    return key if len(key) <= MAX_KEY_CHARS else f"{key[:MAX_KEY_CHARS]}…"


def kind_of(value: object) -> str:
    """Return what kind of value one of JSON is, in words, without its content."""
    return _KINDS.get(type(value), type(value).__name__)


def _why(error: ValueError, data: bytes) -> str:
    if isinstance(error, json.JSONDecodeError):
        if not data.strip():
            return "it is empty"
        if data.startswith(codecs.BOM_UTF8):
            return "it starts with a byte order mark; save it as UTF-8 without one"
        return f"{_message(error)} at line {error.lineno}, column {error.colno}"
    if isinstance(error, UnicodeDecodeError):
        return f"byte {error.start} is no UTF-8"
    return why_refused(error)


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        _refuse_repeated(pairs, {})
    return members


def _refuse_repeated(pairs: list[tuple[str, Any]], earlier: Container[str]) -> NoReturn:
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen or key in earlier:
            break
        seen.add(key)
    raise _RefusedError(f"the key {short_key(key)!r} stands twice in one object")


def _refuse_constant(name: str) -> NoReturn:
    raise _RefusedError(f"{name} is no JSON number")


def _finite(digits: str) -> float:
    """Return a number; one beyond what a float can hold would be written as ``Infinity``."""
    number = float(digits)
    if math.isinf(number):
        raise _RefusedError("a number is too large")
    return number


_DECODER = json.JSONDecoder(object_pairs_hook=_unique_keys, parse_constant=_refuse_constant)
_FINITE_DECODER = json.JSONDecoder(object_pairs_hook=_unique_keys, parse_constant=_refuse_constant, parse_float=_finite)
# Some elements of a list, and some members of an object, with a comma behind each.
_ELEMENTS = re.compile(f"(?:{spaced(FLAT, ',', '')}){{1,200}}+")
_MEMBERS = re.compile(f"{SPACE}(?:{spaced(STRING, ':', FLAT, ',', '')}){{1,200}}+")


def _parse_array(start: tuple[str, int], scan_once: _ScanOnce) -> tuple[list[object], int]:
    """Parse a list, of whose elements several at a time are parsed in C."""
    text, end = start
    items: list[object] = []
    while (run := _ELEMENTS.match(text, end, end + _LONG_CHARS)) is not None:
        try:
            items += _DECODER.decode(f"[{run[0].rstrip()[:-1]}]")
        except json.JSONDecodeError:  # where it is, the other way finds out
            break
        end = run.end()
    more, end = JSONArray((text, end), scan_once)
    if items and not more:
        raise json.JSONDecodeError("Expecting value", text, end - 1)
    return items + more, end


def _parse_object(
    start: tuple[str, int], strict: bool, scan_once: _ScanOnce, *_: object
) -> tuple[dict[str, object], int]:
    """Parse an object, of whose members several at a time are parsed in C."""
    text, end = start
    members_by_key: dict[str, object] = {}
    while (run := _MEMBERS.match(text, end, end + _LONG_CHARS)) is not None:
        try:
            members = _DECODER.decode(f"{{{run[0].rstrip()[:-1]}}}")
        except json.JSONDecodeError:  # where it is, the other way finds out
            break
        _add_members(members_by_key, members)
        end = run.end()
    more, end = JSONObject((text, end), strict, scan_once, None, list)
    if members_by_key and not more:
        raise json.JSONDecodeError("Expecting property name enclosed in double quotes", text, end - 1)
    for first in range(0, len(more), _MEMBERS_AT_ONCE):
        _add_members(members_by_key, _unique_keys(more[first : first + _MEMBERS_AT_ONCE]))
    return members_by_key, end


def _add_members(members: dict[str, object], more: dict[str, object]) -> None:
    if not members.keys().isdisjoint(more):
        _refuse_repeated(list(more.items()), members)
    members.update(more)


_CHUNKED_DECODER = json.JSONDecoder(object_pairs_hook=_unique_keys, parse_constant=_refuse_constant)
_CHUNKED_DECODER.parse_array = _parse_array  # type: ignore[attr-defined]
_CHUNKED_DECODER.parse_object = _parse_object  # type: ignore[attr-defined]
_CHUNKED_DECODER.scan_once = py_make_scanner(_CHUNKED_DECODER)  # type: ignore[attr-defined]
