"""The JSON shapes of a training, to and from the domain.

Owns the fields of a fit; knows nothing of HTTP, statuses or how a classifier is trained.
"""

import itertools
from typing import Literal, Self

from pydantic import Field

from windrow.domain.classifier import FitRequest, FitResult, NotesChange
from windrow.domain.dataset import DataLimits, Row, check_row_count
from windrow.domain.recipe import (
    BATCH_SIZE_RANGE,
    DEFAULT_BASE_MODEL,
    DEFAULT_BATCH_SIZE,
    DEFAULT_NUM_ITERATIONS,
    DEFAULT_SEED,
    MAX_SECONDS_LIMIT,
    NUM_ITERATIONS_RANGE,
    SEED_RANGE,
    Recipe,
)
from windrow.wire.reports import AdapterEntry, WarningEntry
from windrow.wire.shapes import (
    EXAMPLE_ROWS,
    BaseModelId,
    CreatedAt,
    Description,
    Labels,
    Name,
    NumExamples,
    Revision,
    Tags,
    Wire,
    shown_range,
    utc,
)

_SHOWN_WRONG_ROWS = 10
_SHOWN_FIELDS = 12


class TrainingRow(Wire):
    """One labelled example."""

    text: str = Field(description="The text, at most 20,000 characters.", examples=[EXAMPLE_ROWS[0][0]])
    label: str = Field(description="Its label, at most 256 characters.", examples=[EXAMPLE_ROWS[0][1]])


def _is_plain_row(row: object) -> bool:
    return isinstance(row, dict) and row.keys() == {"text", "label"} and all(type(row[key]) is str for key in row)


def _shortened(row: object) -> object:
    return dict(itertools.islice(row.items(), _SHOWN_FIELDS)) if isinstance(row, dict) else row


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
        description="How long the encoder learns from the training texts: every 5 make one pass in which each text "
        "meets the others (every 4, above 256 texts); 0 trains the head alone.",
        examples=[DEFAULT_NUM_ITERATIONS],
        json_schema_extra=shown_range(NUM_ITERATIONS_RANGE),
    )
    batch_size: int = Field(
        default=DEFAULT_BATCH_SIZE,
        description="Texts that meet in one contrastive step, at least; up to 256, a step takes 256 all the same.",
        examples=[DEFAULT_BATCH_SIZE],
        json_schema_extra=shown_range(BATCH_SIZE_RANGE),
    )
    seed: int = Field(
        default=DEFAULT_SEED,
        description="Starts every random choice; the same request with the same seed gives the same classifier.",
        examples=[DEFAULT_SEED],
        json_schema_extra=shown_range(SEED_RANGE),
    )
    max_seconds: float | None = Field(
        default=None,
        description="Ends the training after about so many seconds, with what was learned by then; null sets no limit.",
        examples=[None, 60.0],
        json_schema_extra={"exclusiveMinimum": 0, "maximum": MAX_SECONDS_LIMIT},
    )
    description: str | None = Field(
        default=None,
        description="What to say about it, at most 2,000 characters. Left out, an existing name keeps its own.",
        examples=["Tickets of the web shop."],
    )
    tags: list[str] | None = Field(
        default=None,
        description="At most 20, each of 1 to 64 characters. Left out, an existing name keeps its own.",
        examples=[["shop", "tickets"]],
        fail_fast=True,
    )
    overwrite: bool = Field(
        default=True,
        description="Whether an existing name gets a new revision; false refuses it.",
        examples=[True],
    )

    @classmethod
    def read(cls, document: object, limits: DataLimits) -> Self:
        """Read a parsed JSON document.

        Rows are counted first, and little is kept behind the first wrong one: pydantic describes every problem that it
        finds, and a body of a hundred thousand wrong rows would cost gigabytes.

        Raises:
            LimitExceeded: There are too many rows.
            pydantic.ValidationError: The document has another shape.
        """
        if isinstance(document, dict) and isinstance(rows := document.get("training_data"), list):
            check_row_count(len(rows), limits)
            wrong = next((number for number, row in enumerate(rows) if not _is_plain_row(row)), len(rows))
            kept = [*rows[:wrong], *map(_shortened, rows[wrong : wrong + _SHOWN_WRONG_ROWS])]
            document = {**document, "training_data": kept}
        return cls.model_validate(document)

    def to_domain(self) -> FitRequest:
        """Return the request; its values are not checked yet."""
        rows = tuple(Row(row.text, row.label) for row in self.training_data)
        recipe = Recipe(self.num_iterations, self.batch_size, self.seed, self.max_seconds)
        notes = NotesChange(self.description, None if self.tags is None else tuple(self.tags))
        return FitRequest(self.model_name, rows, self.base_model, recipe, notes, self.overwrite)


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
    revision: Revision
    next_name: str | None = Field(
        description="A free name for the task's next version; null where it would be too long.",
        examples=["ticket_classifier_v2"],
    )
    created_at: CreatedAt
    description: Description
    tags: Tags
    adapter: AdapterEntry | None = Field(
        description="How the encoder was changed for this classifier; null with num_iterations 0."
    )
    warnings: list[WarningEntry] = Field(description="What was odd about the request or its rows.", examples=[[]])

    @classmethod
    def of(cls, result: FitResult) -> Self:
        """Show a finished training."""
        record, notes = result.classifier.record, result.classifier.notes
        report = record.summary.adapter
        return cls(
            model_name=record.name,
            labels=list(record.labels),
            num_examples=record.num_examples,
            base_model=record.base_model.id,
            training_time_seconds=round(record.training_time_s, 3),
            revision=record.revision,
            next_name=result.next_name,
            created_at=utc(record.created_at),
            description=notes.description,
            tags=list(notes.tags),
            adapter=None if report is None else AdapterEntry.of(report),
            warnings=[WarningEntry.of(warning) for warning in record.warnings],
        )
