"""The JSON shapes of the list of classifiers, and the parameters that ask for a part of it, to and from the domain.

Owns the forms of a list and what a cursor looks like; knows nothing of HTTP or of where classifiers are kept.
"""

import base64
from typing import Self

from pydantic import Field

from windrow.domain.errors import InvalidName, InvalidParameter
from windrow.domain.listing import DEFAULT_PAGE_SIZE, DESCENDING, PAGE_SIZE_RANGE, SORTS, Listing, Page, Selection
from windrow.domain.names import check_name
from windrow.wire.classifier import ModelEntry, ModelRecord
from windrow.wire.queries import Parameter, Query, flag, read_filled, read_flag, read_whole_number, text
from windrow.wire.shapes import Wire, shown_range

SELECTION = (
    text("task", "Only versions of this task: ticket_classifier means ticket_classifier_v1, _v2 and so on."),
    text("prefix", "Only names that start with it."),
    text("tag", "Only classifiers that carry this tag."),
    text("base_model", "Only classifiers on the base model of this id."),
)
LIST = (
    *SELECTION,
    Parameter(
        "sort",
        f"The order, with '{DESCENDING}' before it for the reverse. Left out: by name; with task, by version.",
        {"type": "string", "enum": [sign + sort for sort in SORTS for sign in ("", DESCENDING)]},
    ),
    Parameter(
        "limit",
        f"The most classifiers on a page; {DEFAULT_PAGE_SIZE} with cursor alone. Without both: all.",
        {"type": "integer", **shown_range(PAGE_SIZE_RANGE)},
    ),
    text("cursor", "The next_cursor of the page before, with the same other parameters."),
    flag("deleted", "Whether to list the deleted classifiers that can be restored, instead of those that answer."),
    flag("full", "Whether each entry is the whole record, which takes many times the bytes."),
)


class ModelList(Wire):
    """Every classifier."""

    models: list[ModelEntry] = Field(description="Of each classifier, the revision that answers.")

    @classmethod
    def of(cls, listing: Listing) -> Self:
        """Show the whole list."""
        return cls.model_construct(models=[ModelEntry.of(classifier) for classifier in listing.classifiers])


class ModelPage(ModelList):
    """A page of the list of classifiers."""

    next_cursor: str | None = Field(
        description="Send it as cursor to get the next page; null on the last one.", examples=["dGlja2V0cw"]
    )

    @classmethod
    def of(cls, listing: Listing) -> Self:
        """Show a page of the list."""
        entries = [ModelEntry.of(classifier) for classifier in listing.classifiers]
        return cls.model_construct(models=entries, next_cursor=_next_cursor(listing))


class RecordPage(Wire):
    """A list of whole records, or a page of it."""

    models: list[ModelRecord] = Field(description="Of each classifier, the revision that answers.")
    next_cursor: str | None = Field(
        description="Send it as cursor to get the next page; null where the list ends.", examples=["dGlja2V0cw"]
    )

    @classmethod
    def of(cls, listing: Listing) -> Self:
        """Show a list or a page of it."""
        records = [ModelRecord.of(classifier) for classifier in listing.classifiers]
        return cls.model_construct(models=records, next_cursor=_next_cursor(listing))

    def to_domain(self) -> Listing:
        """Return the list that was shown."""
        next_after = None if self.next_cursor is None else from_cursor(self.next_cursor)
        return Listing(tuple(record.to_domain() for record in self.models), next_after)


def read_page(query: Query) -> Page:
    """Return the page that a query asks for; the limit's range and the order are not checked yet.

    Args:
        query: The parameters of :data:`LIST`.

    Raises:
        InvalidParameter: One of them cannot be read.
    """
    cursor = query.get("cursor")
    return Page(
        limit=read_whole_number(query, "limit", PAGE_SIZE_RANGE),
        after=None if cursor is None else from_cursor(cursor),
        selection=read_selection(query),
        sort=read_filled(query, "sort"),
        deleted=read_flag(query, "deleted"),
    )


def read_selection(query: Query) -> Selection:
    """Return the classifiers that a query asks for.

    Args:
        query: The parameters of :data:`SELECTION`.

    Raises:
        InvalidParameter: One of them is empty.
    """
    return Selection(*(read_filled(query, parameter.name) for parameter in SELECTION))


def show_listing(listing: Listing, page: Page, full: bool) -> ModelList | RecordPage:
    """Return a list in the form that was asked for.

    Args:
        listing: The classifiers.
        page: What was asked for; without a limit and a cursor there is no next page to tell of.
        full: Whether whole records are wanted.
    """
    if full:
        return RecordPage.of(listing)
    return ModelList.of(listing) if page.is_whole_list else ModelPage.of(listing)


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
            "cursor is none that this server gave. Send the next_cursor of another page, or leave it out.",
            {"parameter": "cursor"},
        ) from error


def _next_cursor(listing: Listing) -> str | None:
    return None if listing.next_after is None else to_cursor(listing.next_after)
