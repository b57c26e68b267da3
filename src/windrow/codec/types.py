"""What the type hints of a dataclass's fields say, taken apart once for all who read or describe its values."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from windrow.domain.values import Schema


@dataclass(frozen=True, slots=True)
class Type:
    """A type hint, taken apart."""

    kind: Any
    """The class; ``tuple`` or ``Mapping`` alone, whatever they hold, but a ``Literal`` as a whole; the first of several
    dataclasses.
    """
    hint: Any
    """The hint itself, without ``None``: where it has a name, such as ``ModelReference``, that is how to know it."""
    optional: bool = False
    """Whether it may be ``None``."""
    each: "Type | None" = None
    """What a tuple's elements, or a mapping's values, are."""
    choices: tuple[Any, ...] = ()
    """The values of a ``Literal``."""
    members: Mapping[str, Any] = field(default_factory=dict)
    """What ``Schema`` adds in its annotations."""
    forms: tuple[Any, ...] = ()
    """The dataclasses of a union, of which a value is one; empty where there is one class."""

    @property
    def item(self) -> Any:
        """The class of a tuple's elements; ``None`` where it is no tuple."""
        return self.each.kind if self.kind is tuple and self.each is not None else None


@cache
def types_of(kind: Any) -> Mapping[str, Type]:
    """Return the type of each field of a dataclass, in their order."""
    hints = get_type_hints(kind, include_extras=True)
    return {each.name: type_of(hints[each.name]) for each in fields(kind)}


@cache
def type_of(hint: Any) -> Type:
    """Return what a type hint says.

    Of a union, it is what is not ``None``: dataclasses as its forms, and the class alone of several forms of one.
    """
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Annotated:
        schemas = (each for each in inner[1:] if isinstance(each, Schema))
        members = {name: value for each in schemas for name, value in each.members.items()}
        return replace(type_of(inner[0]), hint=hint, members=members)
    if origin in (Union, UnionType):
        others = [each for each in inner if each is not NoneType]
        if len(others) > 1 and all(is_dataclass(each) for each in others):
            return Type(others[0], hint, optional=len(others) < len(inner), forms=tuple(others))
        [other] = others if len(others) == 1 else {get_origin(each) or each for each in others}
        return replace(type_of(other), optional=len(others) < len(inner))
    if origin is Literal:
        return Type(hint, hint, choices=inner)
    if origin in (tuple, Mapping):
        return Type(origin, hint, each=type_of(inner[0 if origin is tuple else 1]))
    return Type(origin or hint, hint)
