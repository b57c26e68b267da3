"""What every JSON shape of the API keeps to, the fields that many of them share, and the examples that all show.

Owns the rules of reading, and how a time is written; knows nothing of single verbs.
"""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from windrow.domain.names import NAME_GRAMMAR
from windrow.domain.recipe import DEFAULT_BASE_MODEL

EXAMPLE_NAME = "ticket_classifier_v1"
EXAMPLE_ALIAS = "ticket_classifier"
EXAMPLE_TIME = "2025-09-15T10:30:00Z"
EXAMPLE_DIGEST = "a80b6970930a2cb13eb5515b76093be50c776d2057b17fefc2affa99c01145ef"
EXAMPLE_ROWS = (
    ("I was charged twice this month", "billing"),
    ("Please refund my last invoice", "billing"),
    ("The app crashes when I log in", "technical"),
    ("I get error 500 on the upload page", "technical"),
    ("How do I change my email address", "account"),
    ("Please delete my profile", "account"),
)
EXAMPLE_TEXT = "My card was billed two times"


class Wire(BaseModel):
    """What every shape keeps to: no unknown fields, no guessing of types, no values in error messages."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, hide_input_in_errors=True, protected_namespaces=()
    )


def utc(moment: datetime) -> str:
    """Return a time, UTC and whole seconds, as the API writes it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def from_utc(text: str) -> datetime:
    """Return the time that :func:`utc` wrote."""
    return datetime.fromisoformat(text)


def utc_or_none(moment: datetime | None) -> str | None:
    """Return a time as the API writes it, if there is one."""
    return None if moment is None else utc(moment)


class NoBody(Wire):
    """A body without fields, for requests that need none."""


def shown_range(limits: tuple[int, int]) -> dict[str, Any]:
    """Show a range in the schema only: the domain checks it, so that the rule stands in one place."""
    return {"minimum": limits[0], "maximum": limits[1]}


Name = Annotated[
    str,
    Field(
        description="The classifier's name. It is refused, never changed, if it breaks the grammar.",
        examples=[EXAMPLE_NAME],
        json_schema_extra={"pattern": f"^{NAME_GRAMMAR}$"},
    ),
]
BaseModelId = Annotated[str, Field(description="Id of the base model.", examples=[DEFAULT_BASE_MODEL])]
Labels = Annotated[
    list[str], Field(description="The labels, sorted.", examples=[sorted({label for _, label in EXAMPLE_ROWS})])
]
NumExamples = Annotated[int, Field(description="Number of training rows.", examples=[len(EXAMPLE_ROWS)])]
RowsPerLabel = Annotated[
    dict[str, int],
    Field(description="Training rows of each label.", examples=[{"account": 2, "billing": 2, "technical": 2}]),
]
Revision = Annotated[
    int,
    Field(description="The number of its training in the name's log, from 1; it may skip.", examples=[1]),
]
CreatedAt = Annotated[str, Field(description="When its training ended, UTC.", examples=[EXAMPLE_TIME])]
Description = Annotated[
    str,
    Field(description="What a person says about it, at most 2,000 characters.", examples=["Tickets of the web shop."]),
]
Tags = Annotated[
    list[str],
    Field(description="Sorted, at most 20, each of 1 to 64 characters.", examples=[["shop", "tickets"]]),
]
SizeBytes = Annotated[int, Field(description="Bytes on the disk.", examples=[688_128])]
