"""The parameters of a URL's query: how each is described, and how its text is read.

Owns the forms that several verbs share; knows nothing of HTTP, nor of which verb takes which parameter.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from windrow.domain.errors import InvalidParameter

Query = Mapping[str, str]
_FLAGS = {"true": True, "1": True, "false": False, "0": False}
_MAX_DIGITS = 9


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter that a query may have.

    Args:
        name: What it is called.
        description: What it does, in a sentence.
        schema: Its JSON Schema.
        example: What the documentation fills in; ``None`` leaves it out.
    """

    name: str
    description: str
    schema: Mapping[str, Any]
    example: object = None


def text(name: str, description: str, example: str | None = None) -> Parameter:
    """Describe a parameter that may be any text."""
    return Parameter(name, description, {"type": "string"}, example)


def flag(name: str, description: str, example: bool | None = None, *, default: bool = False) -> Parameter:
    """Describe a parameter that is true or false; left out, it says ``default``."""
    return Parameter(name, description, {"type": "boolean", "default": default}, example)


def read_flag(query: Query, name: str, *, default: bool = False) -> bool:
    """Return whether a parameter says yes; one that is not there says ``default``.

    Raises:
        InvalidParameter: It says something else.
    """
    said = query.get(name)
    if said is None:
        return default
    if said not in _FLAGS:
        raise InvalidParameter(
            f"{name} is neither true nor false. Send {name}={str(not default).lower()}, or leave it out.",
            {"parameter": name, "allowed": list(_FLAGS)},
        )
    return _FLAGS[said]


def read_filled(query: Query, name: str) -> str | None:
    """Return what a parameter says, or ``None`` where it is not there.

    Raises:
        InvalidParameter: It says nothing: a script's variable may be unset, and must not select everything.
    """
    said = query.get(name)
    if said == "":
        raise InvalidParameter(f"{name} is empty. Give it a value, or leave it out.", {"parameter": name})
    return said


def read_whole_number(query: Query, name: str, shown_range: tuple[int, int]) -> int | None:
    """Return the number that a parameter says, or ``None`` where it is not there; its range is not checked.

    Raises:
        InvalidParameter: It is no whole number in digits.
    """
    said = query.get(name)
    if said is None:
        return None
    if said.isascii() and said.removeprefix("-").isdecimal() and len(said) <= _MAX_DIGITS:
        return int(said)
    low, high = shown_range
    raise InvalidParameter(
        f"{name} is no whole number between {low} and {high}. Send one, or leave it out.",
        {"parameter": name, "minimum": low, "maximum": high},
    )
