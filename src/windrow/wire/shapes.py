"""What every JSON shape of the API keeps to, the fields that many of them share, and the examples that all show.

Owns the rules of reading; knows nothing of single verbs.
"""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from windrow.domain.names import NAME_GRAMMAR
from windrow.domain.recipe import DEFAULT_BASE_MODEL

EXAMPLE_NAME = "ticket_classifier_v1"
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
