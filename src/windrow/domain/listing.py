"""Which classifiers are asked for, in which order, and which part of that list.

Owns the rules for choosing, sorting and paging; knows nothing of where the classifiers come from.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from windrow.domain.classifier import Classifier, Notes, Record
from windrow.domain.errors import InvalidParameter
from windrow.domain.names import check_name, names_with_prefix
from windrow.domain.recipe import check_range
from windrow.domain.versions import Version, read_version

PAGE_SIZE_RANGE = (1, 1_000)
DEFAULT_PAGE_SIZE = 100
BY_NAME = "name"
DESCENDING = "-"
_UNMEASURED = -1.0
_SORT_KEYS: Mapping[str, Callable[[Classifier], Any]] = {
    BY_NAME: lambda classifier: classifier.record.name,
    "version": lambda classifier: read_version(classifier.record.name) or Version(classifier.record.name, -1),
    "created_at": lambda classifier: classifier.record.created_at,
    "num_examples": lambda classifier: classifier.record.num_examples,
    "size": lambda classifier: classifier.size_bytes,
    "test_accuracy": lambda classifier: _UNMEASURED if classifier.test is None else classifier.test.accuracy,
}
SORTS = tuple(_SORT_KEYS)


class Selectable(Protocol):
    """What a selection looks at; a :class:`Classifier` has it."""

    @property
    def record(self) -> Record:
        """What is remembered about its training."""
        ...

    @property
    def notes(self) -> Notes:
        """What a person says about it."""
        ...


@dataclass(frozen=True, slots=True)
class Selection:
    """Which classifiers are meant: those to which everything applies that is not ``None``.

    Args:
        task: Versions of this task (``ticket_classifier`` means ``ticket_classifier_v1``, ``_v2`` …).
        prefix: Names that start with it.
        tag: Classifiers that carry this tag.
        base_model: Classifiers on the base model of this id.
    """

    task: str | None = None
    prefix: str | None = None
    tag: str | None = None
    base_model: str | None = None

    @property
    def is_everything(self) -> bool:
        """Whether it leaves nothing out."""
        return self in (Selection(), Selection(prefix=""))

    def names_among(self, names: Sequence[str]) -> list[str]:
        """Return those of some sorted names that may be meant."""
        chosen = names_with_prefix(names, self.prefix or "")
        if self.task is not None:
            chosen = names_with_prefix(chosen, f"{self.task}_v")
        return [name for name in chosen if self._may_have_name(name)]

    def has(self, classifier: Selectable) -> bool:
        """Whether a classifier is meant."""
        return (
            self._may_have_name(classifier.record.name)
            and (self.tag is None or self.tag in classifier.notes.tags)
            and self.base_model in (None, classifier.record.base_model.id)
        )

    def _may_have_name(self, name: str) -> bool:
        if self.prefix is not None and not name.startswith(self.prefix):
            return False
        return self.task is None or ((version := read_version(name)) is not None and version.task == self.task)


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list. Without limit and start it is the whole list.

    Args:
        limit: The most classifiers on it, 1 to 1,000; ``None`` for 100.
        after: The name that it starts after. Sorted by name, no such classifier need exist.
        selection: Which classifiers the list has.
        sort: One of :data:`SORTS`, with ``-`` before it for the reverse; ``None`` sorts the versions of a task by
            version, and all else by name.
        deleted: Whether the list has the deleted classifiers that can be restored, instead of those that answer.
    """

    limit: int | None = None
    after: str | None = None
    selection: Selection = Selection()
    sort: str | None = None
    deleted: bool = False

    @property
    def is_whole_list(self) -> bool:
        """Whether every classifier of the list is asked for."""
        return self.limit is None and self.after is None

    @property
    def order(self) -> str:
        """The order, spelt out."""
        return self.sort or ("version" if self.selection.task is not None else BY_NAME)


@dataclass(frozen=True, slots=True)
class Listing:
    """A part of the list of classifiers.

    Args:
        classifiers: The newest revision of each.
        next_after: What the next page starts after; ``None`` where the list ends.
    """

    classifiers: tuple[Classifier, ...]
    next_after: str | None = None


def check_page(page: Page) -> Page:
    """Return ``page`` unchanged if it follows the rules.

    Raises:
        InvalidParameter: The limit lies outside its range, or the order is unknown.
        InvalidName: What it starts after breaks the grammar of names.
    """
    if page.limit is not None:
        check_range("limit", page.limit, PAGE_SIZE_RANGE)
    if page.after is not None:
        check_name(page.after)
    if page.order.removeprefix(DESCENDING) not in _SORT_KEYS:
        raise InvalidParameter(
            f"sort is unknown. Send one of {', '.join(SORTS)}, with '{DESCENDING}' before it for the reverse.",
            {"parameter": "sort", "allowed": list(SORTS)},
        )
    return page


def in_order(classifiers: list[Classifier], order: str) -> list[Classifier]:
    """Return classifiers in an order of :data:`SORTS`, with ``-`` before it for the reverse; equals by name."""
    key = _SORT_KEYS[order.removeprefix(DESCENDING)]
    by_name = sorted(classifiers, key=_SORT_KEYS[BY_NAME])
    return sorted(by_name, key=key, reverse=order.startswith(DESCENDING))
