"""The JSON shapes of the list of classifiers and of a deletion, to and from the domain.

Owns the fields of an entry and what a cursor looks like; knows nothing of HTTP or of where classifiers are kept.
"""

import base64
from datetime import datetime
from typing import Literal, Self

from pydantic import Field

from windrow.domain.classifier import Record
from windrow.domain.errors import InvalidName, InvalidParameter
from windrow.domain.listing import PAGE_SIZE_RANGE, Listing, Page
from windrow.domain.names import check_name
from windrow.wire.shapes import BaseModelId, Labels, Name, NumExamples, Wire

_MAX_LIMIT_CHARS = 9


class ModelEntry(Wire):
    """One classifier of the list."""

    name: Name
    labels: Labels
    base_model: BaseModelId
    num_examples: NumExamples
    created_at: str = Field(description="When its training ended, UTC.", examples=["2025-09-15T10:30:00Z"])

    @classmethod
    def of(cls, record: Record) -> Self:
        """Show a record in the list."""
        return cls(
            name=record.name,
            labels=list(record.labels),
            base_model=record.base_model.id,
            num_examples=record.num_examples,
            created_at=_utc(record.created_at),
        )


class ModelList(Wire):
    """Every classifier, sorted by name."""

    models: list[ModelEntry] = Field(description="The newest revision of each classifier.")

    @classmethod
    def of(cls, listing: Listing) -> Self:
        """Show the whole list."""
        return cls(models=[ModelEntry.of(record) for record in listing.records])


class ModelPage(Wire):
    """A page of the list of classifiers, which is sorted by name."""

    models: list[ModelEntry] = Field(description="The newest revision of each classifier.")
    next_cursor: str | None = Field(
        description="Send it as cursor to get the next page; null on the last one.", examples=["dGlja2V0cw"]
    )

    @classmethod
    def of(cls, listing: Listing) -> Self:
        """Show a page of the list."""
        cursor = None if listing.next_after is None else to_cursor(listing.next_after)
        return cls(models=[ModelEntry.of(record) for record in listing.records], next_cursor=cursor)


class Deleted(Wire):
    """A classifier is gone."""

    status: Literal["deleted"] = Field(default="deleted", description="It answers no more.", examples=["deleted"])
    model_name: Name


def read_page(limit: str | None, cursor: str | None) -> Page:
    """Return the page that the parameters of a URL ask for; the limit's range is not checked yet.

    Args:
        limit: A whole number in digits.
        cursor: What :func:`to_cursor` made.

    Raises:
        InvalidParameter: One of them is something else.
    """
    return Page(None if limit is None else _read_limit(limit), None if cursor is None else from_cursor(cursor))


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


def _read_limit(text: str) -> int:
    if text.isascii() and text.removeprefix("-").isdecimal() and len(text) <= _MAX_LIMIT_CHARS:
        return int(text)
    low, high = PAGE_SIZE_RANGE
    raise InvalidParameter(
        f"limit is no whole number between {low} and {high}. Send one, or leave it out.",
        {"parameter": "limit", "minimum": low, "maximum": high},
    )


def _utc(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
