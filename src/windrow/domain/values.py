"""How a value is declared: what a field's annotation may say, fields that follow from others, and values from values.

Every dataclass of the domain is the declaration of a JSON object, of a file's content, and of arguments in Python and
on the command line; what they need besides types and docstrings is here.
"""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from functools import cache
from typing import Any, TypeVar

V = TypeVar("V")
_OF = "of"


@dataclass(frozen=True, slots=True, eq=False)
class Schema:
    """What an annotation adds to a field's JSON Schema: ``Annotated[float, Schema(minimum=0, maximum=1)]``.

    It only describes. The rule itself, with its words, is a ``check_…`` function of the domain.
    """

    members: Mapping[str, object]

    def __init__(self, **members: object) -> None:
        object.__setattr__(self, "members", members)


def computed(of: Callable[[Any], Any], default: object) -> Any:
    """Declare a field that follows from the others, and is never passed; its class inherits from :class:`Value`.

    Args:
        of: Returns it for a value whose other fields are set.
        default: Anything of its type; no value keeps it.
    """
    return field(init=False, default=default, compare=False, metadata={_OF: of})


class Value:
    """A dataclass some of whose fields are :func:`computed`."""

    __slots__ = ()

    def __post_init__(self) -> None:
        kind: Any = type(self)
        for name, of in _computed(kind):
            object.__setattr__(self, name, of(self))


def recast(kind: Callable[..., V], /, *sources: object, **more: object) -> V:
    """Return a value of a class that takes each field from ``more`` or, by its name, from other values.

    Args:
        kind: A dataclass; what neither ``sources`` nor ``more`` have keeps its default.
        sources: Values of any dataclasses, such as a base class of ``kind``; the first that has a field gives it, and
            fields that ``kind`` lacks are left out.
        more: Fields of ``kind``.
    """
    for name in _passed(kind):
        for source in sources:
            if name not in more and hasattr(source, name):
                more[name] = getattr(source, name)
    return kind(**more)


def has_default(of: Any) -> bool:
    """Whether a field (of ``dataclasses.fields``) may be left out."""
    return of.default is not MISSING or of.default_factory is not MISSING


@cache
def _computed(kind: Any) -> tuple[tuple[str, Callable[[Any], Any]], ...]:
    return tuple((each.name, each.metadata[_OF]) for each in fields(kind) if _OF in each.metadata)


@cache
def _passed(kind: Any) -> tuple[str, ...]:
    return tuple(each.name for each in fields(kind) if each.init)
