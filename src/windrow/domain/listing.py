"""Selections of classifiers, their order, and pages of the list."""

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Annotated, Any

from windrow.domain.classifier import Classifier, Record
from windrow.domain.errors import InvalidName, InvalidParameter
from windrow.domain.names import check_name, names_with_prefix
from windrow.domain.recipe import check_range
from windrow.domain.values import ListValue, Schema
from windrow.domain.versions import Version, read_version

PAGE_SIZE_RANGE = (1, 1_000)
DEFAULT_PAGE_SIZE = 100
# Beyond, it is not known when a classifier was used.
UNUSED_DAYS_RANGE = (1, 90)
BY_NAME = "name"
DESCENDING = "-"
_UNMEASURED = -1.0
# An empty text comes of a variable that is unset, and would select everything.
_Given = Annotated[str, Schema(minLength=1)]
_SORT_KEYS: Mapping[str, Callable[[Classifier], Any]] = {
    BY_NAME: lambda classifier: classifier.name,
    "version": lambda classifier: read_version(classifier.name) or Version(classifier.name, -1),
    "created_at": lambda classifier: classifier.created_at,
    "num_examples": lambda classifier: classifier.num_examples,
    "size_bytes": lambda classifier: classifier.size_bytes,
    "test_accuracy": lambda classifier: _UNMEASURED if classifier.test is None else classifier.test.accuracy,
}
SORTS = tuple(_SORT_KEYS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which classifiers are meant: those to which everything applies that is not ``None``."""

    task: _Given | None = None
    """Only versions of this task: ``ticket_classifier`` means ``ticket_classifier_v1``, ``_v2`` and so on."""
    prefix: _Given | None = None
    """Only names that start with it."""
    tag: _Given | None = None
    """Only classifiers that carry this tag."""
    base_model: _Given | None = None
    """Only classifiers on the base model of this id."""

    @property
    def is_everything(self) -> bool:
        """Whether it leaves nothing out."""
        return self.task is None and not self.prefix and self.tag is None and self.base_model is None

    def names_among(self, names: Sequence[str]) -> list[str]:
        """Return those of some sorted names that may be meant."""
        chosen = names_with_prefix(names, self.prefix or "")
        if self.task is not None:
            chosen = names_with_prefix(chosen, f"{self.task}_v")
        return [name for name in chosen if self._may_have_name(name)]

    def has(self, record: Record) -> bool:
        """Whether a classifier is meant."""
        return (
            self._may_have_name(record.name)
            and (self.tag is None or self.tag in record.tags)
            and self.base_model in (None, record.base_model)
        )

    def _may_have_name(self, name: str) -> bool:
        if self.prefix is not None and not name.startswith(self.prefix):
            return False
        return self.task is None or ((version := read_version(name)) is not None and version.task == self.task)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRequest(Selection):
    """A part of the list of classifiers. Without ``limit`` and ``cursor`` it is the whole list."""

    sort: Annotated[str | None, Schema(enum=[f"{sign}{each}" for each in _SORT_KEYS for sign in ("", DESCENDING)])] = (
        None
    )
    """The order, with ``-`` before it for the reverse. Left out: by name; with ``task``, by version."""
    limit: Annotated[int | None, Schema(minimum=PAGE_SIZE_RANGE[0], maximum=PAGE_SIZE_RANGE[1])] = None
    """The most classifiers on a page; 100 with ``cursor`` alone. Without both: all."""
    cursor: Annotated[str | None, Schema(pattern="^[A-Za-z0-9_-]+$")] = None
    """The ``next_cursor`` of the page before, with the same other parameters."""
    deleted: bool = False
    """Whether to list the deleted classifiers that can be restored, instead of those that answer."""
    unused_days: Annotated[int | None, Schema(minimum=UNUSED_DAYS_RANGE[0], maximum=UNUSED_DAYS_RANGE[1])] = None
    """Only classifiers that are so many days old and gave no prediction in that time; evaluations are none."""
    full: bool = False
    """Whether each entry is the whole record, which takes many times the bytes; in Python it always is."""

    @property
    def is_whole_list(self) -> bool:
        """Whether it is no page."""
        return self.limit is None and self.cursor is None

    @property
    def size(self) -> int | None:
        """The most classifiers that it has; ``None`` for all."""
        return DEFAULT_PAGE_SIZE if self.limit is None and self.cursor is not None else self.limit

    @property
    def after(self) -> str | None:
        """The name that it starts after; ``None`` for the beginning. Sorted by name, none such need exist.

        Raises:
            InvalidParameter: The cursor is none.
        """
        return None if self.cursor is None else from_cursor(self.cursor)

    @property
    def order(self) -> str:
        """How it is sorted, where ``sort`` says nothing too."""
        return self.sort or (BY_NAME if self.task is None else "version")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteAllRequest(Selection):
    """A selection of classifiers to delete; not everything."""

    purge: bool = False
    """Whether the files are removed for good; otherwise restore brings them back for a while."""
    force: bool = False
    """Whether also what an alias points to is deleted; the alias answers no more then."""
    dry_run: bool = False
    """Whether to say only which they are."""


@dataclass(frozen=True, slots=True)
class Listing(ListValue[Classifier]):
    """Classifiers, or a page of them."""

    _items = "models"

    models: tuple[Classifier, ...]
    """Of each classifier, the revision that answers."""
    next_cursor: str | None = None
    """Send it as ``cursor`` to get the next page; ``None`` where the list ends."""


def check_selection(selection: Selection) -> None:
    """Refuse what says nothing: a script's variable may be unset, and must not select everything.

    Raises:
        InvalidParameter: A text is empty.
    """
    for each in fields(selection):
        if each.name != "cursor" and getattr(selection, each.name) == "":  # an empty cursor has its own error
            raise InvalidParameter(
                "{arg:{parameter}} is empty. Give it a value, or leave it out.", {"parameter": each.name}
            )


def check_list_request(request: ListRequest) -> None:
    """Refuse a part of the list that cannot be.

    Raises:
        InvalidParameter: A text is empty, a number lies outside its range, the order is unknown, or the cursor none.
    """
    check_selection(request)
    if request.limit is not None:
        check_range("limit", request.limit, PAGE_SIZE_RANGE)
    if request.unused_days is not None:
        check_range("unused_days", request.unused_days, UNUSED_DAYS_RANGE)
    _ = request.after
    if request.order.removeprefix(DESCENDING) not in _SORT_KEYS:
        raise InvalidParameter(
            "{arg:sort} is {value!r}, which is no order. {Send} one of {allowed:joined}, with '-' before it for the "
            "reverse.",
            {"parameter": "sort", "value": request.order[:200], "allowed": list(SORTS)},
        )


def to_cursor(name: str) -> str:
    """Return the cursor of the page that starts after a name. What is in it may change."""
    return base64.urlsafe_b64encode(name.encode()).decode().rstrip("=")


def from_cursor(cursor: str) -> str:
    """Return the name that a cursor was made of.

    Raises:
        InvalidParameter: It is no cursor.
    """
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        return check_name(base64.b64decode(padded, altchars=b"-_", validate=True).decode())
    except (ValueError, InvalidName) as error:
        raise InvalidParameter(
            "{arg:cursor} is none that this server gave. {Send} the next_cursor of another page, or leave it out.",
            {"parameter": "cursor"},
        ) from error


def in_order(classifiers: list[Classifier], order: str) -> list[Classifier]:
    """Return classifiers in an order of :data:`SORTS`, with ``-`` before it for the reverse; equals by name."""
    key = _SORT_KEYS[order.removeprefix(DESCENDING)]
    by_name = sorted(classifiers, key=_SORT_KEYS[BY_NAME])
    return sorted(by_name, key=key, reverse=order.startswith(DESCENDING))
