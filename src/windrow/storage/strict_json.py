"""Dataclasses as plain JSON values and back, strictly: no field is missing, unknown or of another type.

Owns the mapping of every type that a saved value is made of; knows nothing of classifiers or files.
"""

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from functools import cache, lru_cache
from types import NoneType
from typing import Any, Literal, TypeVar, cast, get_args, get_origin, get_type_hints

_T = TypeVar("_T")
_Read = Callable[[Any], Any]
_TIMESTAMP = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
# Names, versions and digests are short; texts are not, and remembering them would only take memory.
_MOST_SHARED_CHARS = 128
# Beyond it, not every program reads the same number (RFC 8259, section 6).
_MOST_WHOLE = 2**53 - 1


class Mismatch(ValueError):  # noqa: N818 - its name says what it is
    """A JSON value is not of the type that it should be.

    Args:
        problem: What is wrong with it, as the end of a sentence.
        where: The fields that lead to it, outermost first.
    """

    def __init__(self, problem: str, where: tuple[str, ...] = ()) -> None:
        super().__init__(f"{'.'.join(where) or 'it'} {problem}")
        self.problem = problem
        self.where = where

    def inside(self, field: str) -> "Mismatch":
        """Return the same problem as seen from the value that holds ``field``."""
        return Mismatch(self.problem, (field, *self.where))


def parse(text: bytes) -> Any:
    """Return the plain value of a UTF-8 JSON text.

    Raises:
        Mismatch: It is no JSON. NaN, infinities and objects that name a field twice are none either.
    """
    try:
        return _DECODER.decode(text.decode())
    except (ValueError, RecursionError) as error:
        raise Mismatch(f"is no JSON text ({error})") from error


def to_plain(value: object) -> Any:
    """Return the JSON value of a dataclass, mapping, tuple, time, string, number or ``None``."""
    if is_dataclass(value):
        return {field.name: to_plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {key: to_plain(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [to_plain(item) for item in value]
    if isinstance(value, datetime):
        # Not strftime, which writes the year 999 with three digits.
        return f"{value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='seconds')}Z"
    return value


def from_plain(kind: type[_T], plain: object) -> _T:
    """Return the dataclass that :func:`to_plain` made ``plain`` from.

    Args:
        kind: A dataclass whose fields are strings, numbers, truths, times, dataclasses, tuples and mappings of these,
            choices of strings, or one of them or ``None``. A field's default is of no use here: every field must be
            present.
        plain: What :func:`parse` returned, or a part of it.

    Raises:
        Mismatch: ``plain`` is not such a value.
    """
    reader: Callable[[object], _T] = _reader(cast(Any, kind))
    return reader(plain)


@cache
def _reader(kind: Any) -> _Read:
    """Build the function that reads one type, once: reading 10,000 records should not look at types again."""
    if is_dataclass(kind):
        return _object_reader(kind)
    arguments = get_args(kind)
    if get_origin(kind) is Literal:
        return _choice_reader(arguments)
    if get_origin(kind) is tuple:
        return _tuple_reader(_reader(arguments[0]))
    if get_origin(kind) is Mapping:
        return _words_reader if arguments[1] is str else _mapping_reader(_reader(arguments[1]))
    if NoneType in arguments:
        (inner,) = (argument for argument in arguments if argument is not NoneType)
        return _optional_reader(_reader(inner))
    return _SIMPLE[kind]


def _object_reader(kind: Any) -> _Read:
    hints = get_type_hints(kind)
    readers = {field.name: _reader(hints[field.name]) for field in fields(kind)}

    def read(plain: Any) -> Any:
        if type(plain) is not dict:
            raise Mismatch("is no object")
        if plain.keys() != readers.keys():
            _refuse_fields(plain, readers)
        values = []
        for name, read_field in readers.items():
            try:
                values.append(read_field(plain[name]))
            except Mismatch as mismatch:
                raise mismatch.inside(name) from mismatch
        return kind(*values)

    return read


def _tuple_reader(read_item: _Read) -> _Read:
    def read(plain: Any) -> Any:
        if type(plain) is not list:
            raise Mismatch("is no array")
        return tuple([read_item(item) for item in plain])

    return read


def _mapping_reader(read_item: _Read) -> _Read:
    def read(plain: Any) -> Any:
        if type(plain) is not dict:
            raise Mismatch("is no object")
        return {_read_string(key): read_item(item) for key, item in plain.items()}

    return read


def _words_reader(plain: Any) -> Mapping[str, str]:
    if type(plain) is not dict:
        raise Mismatch("is no object")
    return _shared_words(*((_read_string(key), _read_string(word)) for key, word in plain.items()))


@lru_cache(maxsize=64)
def _shared_words(*items: tuple[str, str]) -> Mapping[str, str]:
    """Return the first of equal mappings: all records of one installation name the same versions."""
    return dict(items)


def _choice_reader(choices: tuple[str, ...]) -> _Read:
    known = {choice: choice for choice in choices}

    def read(plain: Any) -> str:
        if type(plain) is not str or plain not in known:
            raise Mismatch(f"is not one of {', '.join(choices)}")
        return known[plain]

    return read


def _optional_reader(read_some: _Read) -> _Read:
    return lambda plain: None if plain is None else read_some(plain)


def _read_string(plain: Any) -> str:
    if type(plain) is not str:
        raise Mismatch("is no string")
    if not plain.isascii():
        try:
            plain.encode()
        except UnicodeEncodeError as error:
            raise Mismatch("is no valid Unicode") from error
    return _shared(plain) if len(plain) <= _MOST_SHARED_CHARS else plain


@lru_cache(maxsize=4_096)
def _shared(text: str) -> str:
    """Return the first of equal strings: what thousands of records repeat, such as versions, is in memory once."""
    return text


def _read_whole_number(plain: Any) -> int:
    if type(plain) is not int or abs(plain) > _MOST_WHOLE:
        raise Mismatch("is no whole number")
    return plain


def _read_number(plain: Any) -> float:
    # 1e999 is JSON too, and reads as infinity.
    if type(plain) is float and math.isfinite(plain):
        return plain
    if type(plain) is int and abs(plain) <= _MOST_WHOLE:
        return float(plain)
    raise Mismatch("is no number")


def _read_truth(plain: Any) -> bool:
    if type(plain) is not bool:
        raise Mismatch("is neither true nor false")
    return plain


def _read_time(plain: Any) -> datetime:
    if type(plain) is str and _TIMESTAMP.fullmatch(plain):
        try:
            return datetime.fromisoformat(plain)
        except ValueError as error:
            raise Mismatch(f"is no time ({error})") from error
    raise Mismatch("is no time like 2025-09-15T10:30:00Z")


_SIMPLE: Mapping[Any, _Read] = {
    str: _read_string,
    int: _read_whole_number,
    float: _read_number,
    bool: _read_truth,
    datetime: _read_time,
    object: lambda plain: plain,  # whatever stood in the text
}


def _refuse_fields(plain: Mapping[str, object], readers: Mapping[str, _Read]) -> None:
    for name in readers:
        if name not in plain:
            raise Mismatch("is missing", (name,))
    for name in plain:
        if name not in readers:
            raise Mismatch("is an unknown field", (name,))


def _refuse_constant(text: str) -> float:
    raise ValueError(f"{text} is not allowed")


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    plain = dict(pairs)
    if len(plain) < len(pairs):
        raise ValueError("a field is named twice")
    return plain


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_refuse_constant)
