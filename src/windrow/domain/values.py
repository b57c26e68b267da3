"""How a value is declared: what a field's annotation may say, fields that follow from others, and values from values.

Every dataclass of the domain is the declaration of a JSON object, of a file's content, and of arguments in Python and
on the command line; what they need besides types and docstrings is here.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, dataclass, field, fields
from functools import cache
from typing import Any, ClassVar, Generic, Protocol, TypeVar, overload

from windrow.domain.shown import short_repr, to_plain

T = TypeVar("T")
V = TypeVar("V")
A = TypeVar("A", bound="Value")
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


class Presenter(Protocol):
    """What shows values in ways that need more than the standard library, or know how a page looks."""

    def html(self, value: Any) -> str:
        """Return a value as HTML."""
        ...

    def frame(self, value: Any, *, all_fields: bool) -> Any:
        """Return a value as a table of pandas or polars."""
        ...


class Presented:
    """What a notebook shows as HTML, and what is a table of pandas or polars: values, and lists of them."""

    __slots__ = ()

    # Set from above, since nothing here may know of HTML and frames (docs/adr/0025).
    _presenter: ClassVar[Presenter | None] = None

    def _repr_html_(self) -> str | None:
        """Return what a notebook shows; ``None`` leaves it at the repr."""
        return None if self._presenter is None else self._presenter.html(self)

    def to_frame(self, *, all_fields: bool = False) -> Any:
        """Return it as a table of pandas or, where that is not installed, of polars: a row for each of its entries.

        Args:
            all_fields: Also those fields of classifiers that say how each came about; a list has the main ones.

        Raises:
            ImportError: Neither is installed.
        """
        assert self._presenter is not None, "whatever hands out values imports windrow.session"
        return self._presenter.frame(self, all_fields=all_fields)


class Value(Presented):
    """A dataclass that verbs return, or a part of one. Some of its fields may be :func:`computed`."""

    __slots__ = ()

    # The fields that its repr shows, apart by blanks; empty for as many as there is room for.
    _summary: ClassVar[str] = ""
    # The field that stands for it in the repr of what holds it.
    _named_by: ClassVar[str | None] = None

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        # A dataclass makes a repr of its own unless the class itself has one.
        cls.__repr__ = Value.__repr__  # type: ignore[method-assign]

    def __repr__(self) -> str:
        return short_repr(self, self._summary.split())

    def to_dict(self) -> dict[str, Any]:
        """Return its members as JSON has them: dicts, lists, strings, numbers, booleans and ``None``."""
        members: dict[str, Any] = to_plain(self)
        return members

    def __post_init__(self) -> None:
        kind: Any = type(self)
        for name, of in _computed(kind):
            object.__setattr__(self, name, of(self))


class ListValue(Value, Generic[T]):
    """A value that holds entries of one kind, and is as long as they are many."""

    __slots__ = ()

    # The field that holds them.
    _items: ClassVar[str]

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[T]:
        return iter(self._entries)

    @overload
    def __getitem__(self, place: int) -> T: ...

    @overload
    def __getitem__(self, place: slice) -> tuple[T, ...]: ...

    def __getitem__(self, place: int | slice) -> T | tuple[T, ...]:
        return self._entries[place]

    def __bool__(self) -> bool:
        # Whether there was an answer is never a question of how many entries it has.
        return True

    @property
    def _entries(self) -> tuple[T, ...]:
        entries: tuple[T, ...] = getattr(self, self._items)
        return entries


class PresentedList(Presented, list[A]):
    """Values in an order of their own: a list that shows itself in a few words."""

    __slots__ = ()

    def __repr__(self) -> str:
        first, more = map(repr, self[:1]), [f"… {len(self)} in all"] if len(self) > 1 else []
        return f"{type(self).__name__}([{', '.join((*first, *more))}])"

    def to_dicts(self) -> list[dict[str, Any]]:
        """Return each value's members as JSON has them."""
        return [each.to_dict() for each in self]


def summary_of(value: Value) -> list[str]:
    """Return the fields that say most of a value, or all where its class names none."""
    kind: Any = type(value)
    return value._summary.split() or [each.name for each in fields(kind)]  # noqa: SLF001 - its own module


def present_with(presenter: Presenter) -> None:
    """Let every value show itself by a presenter, as HTML and as a frame."""
    Presented._presenter = presenter  # noqa: SLF001 - its own module


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
