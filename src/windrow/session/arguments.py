"""Turns plain arguments into requests of the domain, by the annotations of the request's fields."""

import difflib
import operator
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final, TypeVar

from windrow.codec.types import Type, types_of
from windrow.domain.dataset import Row
from windrow.domain.errors import InvalidName, InvalidParameter
from windrow.domain.names import ImmutableReference, ModelReference, Name
from windrow.session.columns import read_rows, read_texts, read_values

Q = TypeVar("Q")

_AS_PYTHON: Final = "() got an unexpected keyword argument"


def request_of(kind: Callable[..., Q], arguments: Mapping[str, Any], **more: object) -> Q:
    """Return a request made of some of its fields, each in any form that people have in Python.

    Args:
        kind: The request's class.
        arguments: Values of its fields; the others have their defaults.
        **more: Values of further fields, which are as they should be.

    Raises:
        InvalidInput: A value is of the wrong type.
    """
    types = types_of(kind)
    return kind(**{name: _read(types[name], name, value) for name, value in arguments.items()}, **more)


def check_known(owner: str, names: Collection[str], known: Collection[str], phrase: str = _AS_PYTHON) -> None:
    """Refuse a name that is not known, as Python refuses an unknown argument.

    Args:
        owner: What takes the arguments.
        names: What was given.
        known: What it takes.
        phrase: What stands between the owner and the name.

    Raises:
        TypeError: One is unknown; the nearest one is suggested, unless it was given as well.
    """
    for name in names:
        if name not in known:
            near = [each for each in difflib.get_close_matches(name, known, 1) if each not in names]
            hint = f"Did you mean {near[0]!r}?" if near else f"It takes: {', '.join(known)}."
            raise TypeError(f"{owner}{phrase} {name!r}. {hint}")


def read_int(name: str, value: object) -> int:
    """Return a whole number, also one of NumPy's, as Python's own.

    Raises:
        InvalidParameter: It is none.
    """
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise _wrong(name, value, "a whole number")
    return operator.index(value)


def _read_number(name: str, value: Any) -> float:
    # Also one of NumPy's; a string has no such method.
    if isinstance(value, bool) or not hasattr(value, "__float__"):
        raise _wrong(name, value, "a number")
    return float(value)


def _read_switch(name: str, value: object) -> bool:
    if not isinstance(value, bool) and type(value).__name__ not in ("bool", "bool_"):  # NumPy has its own
        raise _wrong(name, value, "True or False")
    return bool(value)


def _read_string(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise _wrong(name, value, "a string")
    return str(value)


def _read_name(_: str, value: object) -> str:
    if not isinstance(value, str):
        raise InvalidName(
            "A name must be a string, not {given_type}. {Send} the name itself.", {"given_type": type(value).__name__}
        )
    return str(value)


_READERS: Mapping[Any, Callable[[str, Any], object]] = {
    int: read_int,
    float: _read_number,
    bool: _read_switch,
    str: _read_string,
    Name: _read_name,
    ModelReference: _read_name,
    ImmutableReference: _read_name,
}


def _read(declared: Type, name: str, value: Any) -> Any:
    if declared.optional and value is None:
        return None
    if declared.choices:  # the verb says which there are
        return _read_string(name, value)
    if declared.each is None:
        reader = _READERS.get(declared.hint) or _READERS.get(declared.kind)
        return _read_members(declared.kind, name, value) if reader is None else reader(name, value)
    if declared.kind is tuple:
        return _read_many(declared.each, name, value)
    if not isinstance(value, Mapping):
        raise _wrong(name, value, "a mapping")
    return {key: _read(declared.each, f"{name}[{key!r}]", each) for key, each in value.items()}


def _read_many(item: Type, name: str, value: Any) -> tuple[Any, ...]:
    if item.kind is Row:
        return read_rows(name, value)
    if name == "texts":
        return tuple(read_texts(value))
    return tuple(_read(item, f"{name}[{number}]", each) for number, each in enumerate(read_values(name, value)))


def _read_members(kind: Any, name: str, value: Any) -> Any:
    types = types_of(kind)
    members = {each: getattr(value, each) for each in types} if isinstance(value, kind) else value
    if not isinstance(members, Mapping):
        raise _wrong(name, value, "a mapping")
    check_known(name, members, types, " has no")
    return kind(**{member: _read(types[member], f"{name}.{member}", each) for member, each in members.items()})


def _wrong(name: str, value: object, wanted: str) -> InvalidParameter:
    return InvalidParameter(
        "{arg:{parameter}} is {value}; it must be {wanted}. {Send} one.",
        {"parameter": name, "value": repr(value)[:200], "wanted": wanted},
    )
