"""Which part of the list of classifiers is asked for, and that part.

Owns the range of a page's size; knows nothing of where the list comes from.
"""

from dataclasses import dataclass

from windrow.domain.classifier import Record
from windrow.domain.names import check_name
from windrow.domain.recipe import check_range

PAGE_SIZE_RANGE = (1, 1_000)
DEFAULT_PAGE_SIZE = 100


@dataclass(frozen=True, slots=True)
class Page:
    """A part of the list, which is sorted by name. Without limit and start it is the whole list.

    Args:
        limit: The most classifiers on it, 1 to 1,000; ``None`` for 100.
        after: The name that it starts after, whether a classifier of that name exists or not; ``None`` for the start.
    """

    limit: int | None = None
    after: str | None = None

    @property
    def is_whole_list(self) -> bool:
        """Whether every classifier is asked for."""
        return self.limit is None and self.after is None


@dataclass(frozen=True, slots=True)
class Listing:
    """A part of the list of classifiers.

    Args:
        records: The newest record of each, sorted by name.
        next_after: What the next page starts after; ``None`` where the list ends.
    """

    records: tuple[Record, ...]
    next_after: str | None = None


def check_page(page: Page) -> Page:
    """Return ``page`` unchanged if it follows the rules.

    Raises:
        InvalidParameter: The limit lies outside its range.
        InvalidName: What it starts after breaks the grammar of names.
    """
    if page.limit is not None:
        check_range("limit", page.limit, PAGE_SIZE_RANGE)
    if page.after is not None:
        check_name(page.after)
    return page
