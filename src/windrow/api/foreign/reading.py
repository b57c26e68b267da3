"""Read what foreign formats send: JSON values with their place, so that each refusal says where and what to do."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from windrow.codec.strict import kind_of, short_key
from windrow.domain.errors import InvalidRequest

Place = tuple[str | int, ...]
# From it on, a status says that the server is at fault.
SERVER_STATUS: Final = 500


def refused(place: Place, problem: str) -> InvalidRequest:
    """Return the error for a value that breaks a rule of the format.

    Args:
        place: Where it stands in the body: keys and indices; its fact ``loc``.
        problem: What is wrong and what to do, as one or more sentences. It never holds a text that was sent.
    """
    shown = written(place) or "The body"
    facts = {"problems": [f"{shown}: {problem}"], "num_problems": 1, "loc": list(map(_short, place))}
    return InvalidRequest("{problem}", {**facts, "problem": f"{shown}: {problem}"})


def written(place: Place) -> str:
    """Return a place as it is written in programs, such as ``questions[0].name``."""
    shown = "".join(f"[{each}]" if isinstance(each, int) else f".{_short(each)}" for each in place)
    return shown.removeprefix(".")


def parameter_of(problem: Mapping[str, Any]) -> object:
    """Return what an error is about: the place in the body, or else Windrow's own name of the parameter.

    Args:
        problem: The members of ``application/problem+json``.
    """
    place = problem.get("loc")
    return written(tuple(place)) if place else problem.get("parameter")


def _short(part: str | int) -> str | int:
    return part if isinstance(part, int) else short_key(part)


def an_object(value: object, place: Place) -> Mapping[str, Any]:
    """Return a value that must be an object.

    Raises:
        InvalidRequest: It is none.
    """
    if not isinstance(value, dict):
        raise refused(place, f"an object is expected, not {kind_of(value)}.")
    return value


def a_list(value: object, place: Place) -> Sequence[Any]:
    """Return a value that must be a list.

    Raises:
        InvalidRequest: It is none.
    """
    if not isinstance(value, list):
        raise refused(place, f"a list is expected, not {kind_of(value)}.")
    return value


def a_string(value: object, place: Place) -> str:
    """Return a value that must be a string.

    Raises:
        InvalidRequest: It is none.
    """
    if not isinstance(value, str):
        raise refused(place, f"a string is expected, not {kind_of(value)}.")
    return value


def needed(values: Mapping[str, Any], name: str, place: Place) -> Any:
    """Return a member that must be there.

    Args:
        values: The object.
        name: The member's name.
        place: The object's place.

    Raises:
        InvalidRequest: It is missing.
    """
    if name not in values:
        raise refused((*place, name), "it is missing. Send it.")
    return values[name]
