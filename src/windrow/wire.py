"""The API's JSON shapes, to and from the domain. Shared by the server and by clients.

Owns field names, types and examples; knows nothing of HTTP, statuses or how a verb is done.
"""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from windrow.domain.classifier import FitRequest, Record
from windrow.domain.dataset import DataLimits, DataWarning, Row, check_row_count
from windrow.domain.names import NAME_GRAMMAR
from windrow.domain.prediction import Prediction
from windrow.domain.recipe import (
    BATCH_SIZE_RANGE,
    DEFAULT_BASE_MODEL,
    DEFAULT_BATCH_SIZE,
    DEFAULT_NUM_ITERATIONS,
    NUM_ITERATIONS_RANGE,
    Recipe,
)

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


def _range(limits: tuple[int, int]) -> dict[str, Any]:
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


class TrainingRow(Wire):
    """One labelled example."""

    text: str = Field(description="The text, at most 20,000 characters.", examples=[EXAMPLE_ROWS[0][0]])
    label: str = Field(description="Its label, at most 256 characters.", examples=[EXAMPLE_ROWS[0][1]])


class FitBody(Wire):
    """A training to do."""

    model_name: Name
    training_data: list[TrainingRow] = Field(
        description="Labelled examples with at least 2 labels; about 8 rows a label work well.",
        examples=[[{"text": text, "label": label} for text, label in EXAMPLE_ROWS]],
    )
    base_model: BaseModelId = DEFAULT_BASE_MODEL
    num_iterations: int = Field(
        default=DEFAULT_NUM_ITERATIONS,
        description="Contrastive passes over the training texts; 0 trains the head alone.",
        examples=[DEFAULT_NUM_ITERATIONS],
        json_schema_extra=_range(NUM_ITERATIONS_RANGE),
    )
    batch_size: int = Field(
        default=DEFAULT_BATCH_SIZE,
        description="Texts in one contrastive step.",
        examples=[DEFAULT_BATCH_SIZE],
        json_schema_extra=_range(BATCH_SIZE_RANGE),
    )

    @classmethod
    def read(cls, document: object, limits: DataLimits) -> Self:
        """Read a parsed JSON document.

        Rows are counted first: a body of millions of wrong rows must not become millions of error messages.

        Raises:
            LimitExceeded: There are too many rows.
            pydantic.ValidationError: The document has another shape.
        """
        if isinstance(document, dict) and isinstance(rows := document.get("training_data"), list):
            check_row_count(len(rows), limits)
        return cls.model_validate(document)

    def to_domain(self) -> FitRequest:
        """Return the request; its values are not checked yet."""
        rows = tuple(Row(row.text, row.label) for row in self.training_data)
        return FitRequest(self.model_name, rows, self.base_model, Recipe(self.num_iterations, self.batch_size))


class WarningEntry(Wire):
    """Something in the data that a person should know; training went on all the same."""

    code: str = Field(description="Stable, for programs.", examples=["small_classes"])
    message: str = Field(description="One sentence for a person.", examples=["1 label(s) have fewer than 4 rows."])
    rows: list[int] = Field(description="Up to five of the rows concerned, counted from 0.", examples=[[0, 3]])

    @classmethod
    def of(cls, warning: DataWarning) -> Self:
        """Show a warning."""
        return cls(code=warning.code, message=warning.message, rows=list(warning.rows))


class FitReply(Wire):
    """A classifier that is saved and answers."""

    model_name: Name
    status: Literal["trained"] = Field(
        default="trained", description="It is on disk and answers.", examples=["trained"]
    )
    labels: Labels
    num_examples: NumExamples
    base_model: BaseModelId
    training_time_seconds: float = Field(description="Wall time of the training, in seconds.", examples=[0.412])
    revision: int = Field(description="Counts the trainings of this name, from 1.", examples=[1])
    adapter: None = Field(
        default=None, description="Always null: the base model itself is not changed yet.", examples=[None]
    )
    warnings: list[WarningEntry] = Field(description="What was odd about the request or its rows.", examples=[[]])

    @classmethod
    def of(cls, record: Record) -> Self:
        """Show the record of a finished training."""
        return cls(
            model_name=record.name,
            labels=list(record.labels),
            num_examples=record.num_examples,
            base_model=record.base_model.id,
            training_time_seconds=round(record.training_time_s, 3),
            revision=record.revision,
            warnings=[WarningEntry.of(warning) for warning in record.warnings],
        )


class PredictBody(Wire):
    """A text to classify."""

    model_name: Name
    text: str = Field(description="The text, at most 20,000 characters.", examples=[EXAMPLE_TEXT])


class PredictReply(Wire):
    """The answer for one text."""

    label: str = Field(description="The label with the highest score.", examples=["billing"])
    scores: dict[str, float] = Field(
        description="Each label's score, from 0 to 1; they sum to 1.",
        examples=[{"account": 0.08, "billing": 0.87, "technical": 0.05}],
    )
    model_name: Name
    truncated: bool = Field(
        description="Whether the text was longer than the encoder reads, so that its end was left out.",
        examples=[False],
    )

    @classmethod
    def of(cls, prediction: Prediction) -> Self:
        """Show a prediction."""
        return cls(
            label=prediction.label,
            scores=dict(prediction.scores),
            model_name=prediction.model_name,
            truncated=prediction.truncated,
        )

    def to_domain(self) -> Prediction:
        """Return the prediction that was shown."""
        return Prediction(self.label, self.scores, self.model_name, self.truncated)


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
    def of(cls, records: tuple[Record, ...]) -> Self:
        """Show records."""
        return cls(models=[ModelEntry.of(record) for record in records])


class Deleted(Wire):
    """A classifier is gone."""

    status: Literal["deleted"] = Field(default="deleted", description="It answers no more.", examples=["deleted"])
    model_name: Name


class Health(Wire):
    """The server answers."""

    status: Literal["ok"] = Field(default="ok", description="The server answers.", examples=["ok"])
    version: str = Field(description="Windrow's version.", examples=["0.1.0"])


class Problem(Wire):
    """Why a request was refused (RFC 9457); more members may follow, such as ``row``, ``limit`` or ``near_names``."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(description="A URI for the code.", examples=["urn:windrow:problem:classifier_not_found"])
    title: str = Field(description="The code in words.", examples=["Classifier not found"])
    status: int = Field(description="The HTTP status.", examples=[404])
    code: str = Field(description="Stable, for programs.", examples=["classifier_not_found"])
    detail: str = Field(
        description="What went wrong and what to do next.",
        examples=["No classifier is named 'ticket_classifer_v1'. Did you mean 'ticket_classifier_v1'?"],
    )
    request_id: str = Field(description="Find this request in the server's log by it.", examples=["5f2b9c0de1a34b77"])


def _utc(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
