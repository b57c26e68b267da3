"""The JSON shapes of a training, to and from the domain.

Owns the fields of a fit; knows nothing of HTTP, statuses or how a classifier is trained.
"""

from dataclasses import asdict
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field

from windrow.domain.classifier import FitRequest, FitResult, NotesChange
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
from windrow.wire.reports import AdapterEntry, FitReport, WarningEntry
from windrow.wire.rows import EXAMPLE_DATA, LabelledRow, RowsBody, of_rows, to_rows
from windrow.wire.shapes import (
    BaseModelId,
    CreatedAt,
    Description,
    Labels,
    Name,
    NumExamples,
    Revision,
    RowsPerLabel,
    Tags,
    Wire,
    shown_range,
    utc,
)

TrainingData = Annotated[
    list[LabelledRow],
    Field(
        description="Labelled examples with at least 2 labels; about 8 rows a label work well.",
        examples=[EXAMPLE_DATA],
    ),
]
NumIterations = Annotated[
    int,
    Field(
        description="How long the encoder learns from the training texts: every 7 make one pass in which each text "
        "meets the others (every 4, above 256 texts); 0 trains the head alone.",
        examples=[DEFAULT_NUM_ITERATIONS],
        json_schema_extra=shown_range(NUM_ITERATIONS_RANGE),
    ),
]
BatchSize = Annotated[
    int,
    Field(
        description="Texts that meet in one contrastive step, at least; up to 256, a step takes 256 all the same.",
        examples=[DEFAULT_BATCH_SIZE],
        json_schema_extra=shown_range(BATCH_SIZE_RANGE),
    ),
]
Seed = Annotated[
    int,
    Field(
        description="Starts every random choice; the same request with the same seed gives the same result.",
        examples=[DEFAULT_SEED],
        json_schema_extra=shown_range(SEED_RANGE),
    ),
]


class FitBody(RowsBody):
    """A training to do."""

    row_field: ClassVar[str] = "training_data"

    model_name: Name
    training_data: TrainingData
    base_model: BaseModelId = DEFAULT_BASE_MODEL
    num_iterations: NumIterations = DEFAULT_NUM_ITERATIONS
    batch_size: BatchSize = DEFAULT_BATCH_SIZE
    seed: Seed = DEFAULT_SEED
    max_seconds: float | None = Field(
        default=None,
        description="Ends the training after about so many seconds, with what was learned by then; null sets no limit.",
        examples=[None, 60.0],
        json_schema_extra={"exclusiveMinimum": 0, "maximum": MAX_SECONDS_LIMIT},
    )
    cross_validate: bool = Field(
        default=True,
        description="Whether the encoder is also trained on parts of the rows, to judge it by the others: takes three "
        "times as long, estimates the accuracy and calibrates scores. With num_iterations 0 that costs nothing and is "
        "always done.",
        examples=[True],
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
    def of(cls, request: FitRequest) -> Self:
        """Send a request."""
        tags = request.notes.tags
        return cls.model_construct(
            model_name=request.model_name,
            training_data=of_rows(request.rows),
            base_model=request.base_model,
            **asdict(request.recipe),
            description=request.notes.description,
            tags=None if tags is None else list(tags),
            overwrite=request.overwrite,
        )

    def to_domain(self) -> FitRequest:
        """Return the request; its values are not checked yet."""
        recipe = Recipe(self.num_iterations, self.batch_size, self.seed, self.max_seconds, self.cross_validate)
        notes = NotesChange(self.description, None if self.tags is None else tuple(self.tags))
        return FitRequest(self.model_name, to_rows(self.training_data), self.base_model, recipe, notes, self.overwrite)


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
    rows_per_label: RowsPerLabel
    report: FitReport = Field(description="What was counted in the rows, and how the classifier should do on new ones.")
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
            rows_per_label=dict(record.rows_per_label),
            report=FitReport.of(record),
            adapter=None if report is None else AdapterEntry.of(report),
            warnings=[WarningEntry.of(warning) for warning in record.warnings],
        )
