"""The JSON shapes of a classifier, short and whole, and of a change of what is said about it.

Owns the fields, flat; knows nothing of HTTP or of where classifiers are kept.
"""

from dataclasses import asdict
from typing import Any, Literal, Self

from pydantic import Field

from windrow.domain.classifier import (
    Classifier,
    ClassifierDetails,
    Notes,
    NotesChange,
    Origin,
    Record,
    TestScore,
    TrainingSummary,
)
from windrow.domain.recipe import (
    DEFAULT_BATCH_SIZE,
    DEFAULT_NUM_ITERATIONS,
    DEFAULT_SEED,
    BaseModel,
    Recipe,
)
from windrow.wire.reports import AdapterEntry, FitReport, HeadEntry, ScoresEntry, ThresholdEntry, WarningEntry
from windrow.wire.shapes import (
    EXAMPLE_ALIAS,
    EXAMPLE_DIGEST,
    EXAMPLE_NAME,
    EXAMPLE_TIME,
    BaseModelId,
    CreatedAt,
    Description,
    Labels,
    Name,
    NumExamples,
    Revision,
    RowsPerLabel,
    SizeBytes,
    Tags,
    Wire,
    from_utc,
    utc,
    utc_or_none,
)


class EntryFields(Wire):
    """The contract's five fields of a classifier, and what a list is sorted and chosen by."""

    name: Name
    labels: Labels
    base_model: BaseModelId
    num_examples: NumExamples
    created_at: CreatedAt
    revision: Revision
    description: Description
    tags: Tags
    test_accuracy: float | None = Field(
        description="Share of the test rows that it placed right, from 0 to 1; null until it was measured.",
        examples=[None, 0.91],
    )
    size_bytes: SizeBytes
    deleted_at: str | None = Field(
        description="When it was deleted, UTC; null for one that answers.", examples=[None, EXAMPLE_TIME]
    )


class OriginEntry(Wire):
    """Where an imported classifier was trained."""

    name: Name = Field(description="Its name there.", examples=[EXAMPLE_NAME])
    revision: int = Field(description="Its revision there.", examples=[1])
    imported_at: str = Field(description="When it was imported, UTC.", examples=[EXAMPLE_TIME])

    @classmethod
    def of(cls, origin: Origin) -> Self:
        """Show an origin."""
        return cls(name=origin.name, revision=origin.revision, imported_at=utc(origin.imported_at))

    def to_domain(self) -> Origin:
        """Return the origin that was shown."""
        return Origin(self.name, self.revision, from_utc(self.imported_at))


class RecordFields(EntryFields):
    """Everything that is known about one revision of a classifier."""

    rows_per_label: RowsPerLabel
    report: FitReport = Field(description="What was counted in the training rows, and how it should do.")
    base_model_digest: str = Field(
        description="SHA-256 over everything in the base model's folder that decides its output.",
        examples=[EXAMPLE_DIGEST],
    )
    base_model_revision: str | None = Field(
        description="The hub's commit of the base model; null where it came from no hub.", examples=[None]
    )
    num_iterations: int = Field(description="As the fit asked.", examples=[DEFAULT_NUM_ITERATIONS])
    cross_validate: bool = Field(description="As the fit asked.", examples=[True])
    batch_size: int = Field(description="As the fit asked.", examples=[DEFAULT_BATCH_SIZE])
    seed: int = Field(description="As the fit asked.", examples=[DEFAULT_SEED])
    max_seconds: float | None = Field(description="As the fit asked; null for no limit.", examples=[None])
    training_data_sha256: str = Field(
        description="SHA-256 of the training rows; docs/format.md says how anyone can compute it.",
        examples=[EXAMPLE_DIGEST],
    )
    training_time_seconds: float = Field(description="Wall time of the training, in seconds.", examples=[0.412])
    test_correct: int | None = Field(description="Test rows that it placed right; null until measured.", examples=[91])
    test_total: int | None = Field(description="Test rows in all; null until measured.", examples=[100])
    test_data_sha256: str | None = Field(
        description="SHA-256 of the test rows, made like that of the training rows; null until measured.",
        examples=[None],
    )
    tested_at: str | None = Field(description="When it was measured, UTC; null until then.", examples=[None])
    test_macro_f1: float | None = Field(
        description="Mean F1 of the labels on the test rows; null until measured.", examples=[None, 0.9]
    )
    test_ece: float | None = Field(
        description="Expected calibration error on the test rows; null until measured.", examples=[None, 0.04]
    )
    test_correct_per_label: dict[str, int] | None = Field(
        description="Test rows of each label that it placed right; null until measured.", examples=[None]
    )
    test_rows_per_label: dict[str, int] | None = Field(
        description="Test rows of each label; null until measured.", examples=[None]
    )
    threshold: ThresholdEntry | None = Field(
        description="The score below which it gives no label; null where it always gives one.", examples=[None]
    )
    scores: ScoresEntry = Field(description="How scores came to mean what they say.")
    versions: dict[str, str] = Field(
        description="What it was trained with: libraries and whatever else decides how a training rounds.",
        examples=[{"numpy": "2.1.0", "torch": "2.13.0"}],
    )
    keeps_training_rows: bool = Field(description="Whether its training rows are kept.", examples=[True])
    warnings: list[WarningEntry] = Field(description="What was odd about the training or its rows.", examples=[[]])
    head: HeadEntry = Field(description="How the head was chosen.")
    adapter: AdapterEntry | None = Field(
        description="How the encoder was changed for this classifier; null with num_iterations 0."
    )
    origin: OriginEntry | None = Field(
        description="Where an imported classifier was trained; null for one that was trained here.", examples=[None]
    )

    def to_classifier(self) -> Classifier:
        """Return the classifier that was shown."""
        record = Record(
            name=self.name,
            revision=self.revision,
            labels=tuple(self.labels),
            rows_per_label=self.rows_per_label,
            base_model=BaseModel(self.base_model, self.base_model_digest, self.base_model_revision),
            recipe=Recipe(self.num_iterations, self.batch_size, self.seed, self.max_seconds, self.cross_validate),
            data_sha256=self.training_data_sha256,
            created_at=from_utc(self.created_at),
            training_time_s=self.training_time_seconds,
            summary=TrainingSummary(
                head=self.head.to_domain(),
                adapter=None if self.adapter is None else self.adapter.to_domain(),
                estimate=self.report.to_estimate(),
                scores=self.scores.to_domain(),
                versions=self.versions,
            ),
            data=self.report.to_data(),
            warnings=tuple(warning.to_domain() for warning in self.warnings),
        )
        return Classifier(
            record=record,
            notes=Notes(self.description, tuple(self.tags)),
            test=self._test(),
            threshold=None if self.threshold is None else self.threshold.to_domain(),
            origin=None if self.origin is None else self.origin.to_domain(),
            size_bytes=self.size_bytes,
            keeps_rows=self.keeps_training_rows,
            deleted_at=None if self.deleted_at is None else from_utc(self.deleted_at),
        )

    def _test(self) -> TestScore | None:
        if self.tested_at is None:
            return None
        return TestScore(
            correct=self.test_correct or 0,
            total=self.test_total or 0,
            data_sha256=self.test_data_sha256 or "",
            measured_at=from_utc(self.tested_at),
            macro_f1=self.test_macro_f1 or 0.0,
            ece=self.test_ece or 0.0,
            correct_per_label=self.test_correct_per_label or {},
            rows_per_label=self.test_rows_per_label or {},
        )


class ModelEntry(EntryFields):
    """A classifier in short."""

    @classmethod
    def of(cls, classifier: Classifier) -> Self:
        """Show a classifier in short."""
        # Our own values need no validation, here and below.
        return cls.model_construct(**_entry_fields(classifier))


class ModelRecord(RecordFields):
    """A classifier, with everything that is known about this revision of it."""

    @classmethod
    def of(cls, classifier: Classifier) -> Self:
        """Show a classifier."""
        return cls.model_construct(**record_fields(classifier))

    def to_domain(self) -> Classifier:
        """Return the classifier that was shown."""
        return self.to_classifier()


class RestoreReply(ModelRecord):
    """A classifier, or a revision of it, that answers again."""

    status: Literal["restored"] = Field(default="restored", description="It answers again.", examples=["restored"])


class ModelDetails(RecordFields):
    """Everything that is known about a classifier: what a person must note to train it again, and more."""

    answers: bool = Field(description="Whether this revision is the one that the bare name means.", examples=[True])
    revisions: list[int] = Field(description="Every revision that name@revision reaches, ascending.", examples=[[1]])
    aliases: list[str] = Field(
        description="The aliases that point to the name or to this revision, sorted.", examples=[[EXAMPLE_ALIAS]]
    )

    @classmethod
    def of(cls, details: ClassifierDetails) -> Self:
        """Show a classifier and what there is beside this revision."""
        return cls.model_construct(
            **record_fields(details.classifier),
            answers=details.answers,
            revisions=list(details.revisions),
            aliases=list(details.aliases),
        )

    def to_domain(self) -> ClassifierDetails:
        """Return the details that were shown."""
        return ClassifierDetails(self.to_classifier(), self.answers, tuple(self.revisions), tuple(self.aliases))


class DescribeBody(Wire):
    """What is to be said about a classifier; what is left out stays as it is."""

    description: str | None = Field(
        default=None, description="At most 2,000 characters.", examples=["Tickets of the web shop, since May."]
    )
    tags: list[str] | None = Field(
        default=None,
        description="All its tags from now on: at most 20, each of 1 to 64 characters.",
        examples=[["shop", "tickets"]],
        fail_fast=True,
    )

    @classmethod
    def of(cls, change: NotesChange) -> Self:
        """Send a change."""
        return cls.model_construct(
            description=change.description, tags=None if change.tags is None else list(change.tags)
        )

    def to_domain(self) -> NotesChange:
        """Return the change; its values are not checked yet."""
        return NotesChange(self.description, None if self.tags is None else tuple(self.tags))


def record_fields(classifier: Classifier) -> dict[str, Any]:
    """Return the values of :class:`RecordFields`, to construct a shape that has them."""
    record, origin = classifier.record, classifier.origin
    adapter = record.summary.adapter
    return {
        **_entry_fields(classifier),
        "rows_per_label": dict(record.rows_per_label),
        "report": FitReport.of(record),
        "base_model_digest": record.base_model.digest,
        "base_model_revision": record.base_model.revision,
        **asdict(record.recipe),
        "training_data_sha256": record.data_sha256,
        "training_time_seconds": record.training_time_s,
        **_test_fields(classifier.test),
        "threshold": None if classifier.threshold is None else ThresholdEntry.of(classifier.threshold),
        "scores": ScoresEntry.of(record.summary.scores),
        "versions": dict(record.summary.versions),
        "keeps_training_rows": classifier.keeps_rows,
        "warnings": [WarningEntry.of(warning) for warning in record.warnings],
        "head": HeadEntry.of(record.summary.head),
        "adapter": None if adapter is None else AdapterEntry.of(adapter),
        "origin": None if origin is None else OriginEntry.of(origin),
    }


def _entry_fields(classifier: Classifier) -> dict[str, Any]:
    record, test = classifier.record, classifier.test
    return {
        "name": record.name,
        "labels": list(record.labels),
        "base_model": record.base_model.id,
        "num_examples": record.num_examples,
        "created_at": utc(record.created_at),
        "revision": record.revision,
        "description": classifier.notes.description,
        "tags": list(classifier.notes.tags),
        "test_accuracy": None if test is None else test.accuracy,
        "size_bytes": classifier.size_bytes,
        "deleted_at": utc_or_none(classifier.deleted_at),
    }


def _test_fields(test: TestScore | None) -> dict[str, Any]:
    return {
        "test_correct": None if test is None else test.correct,
        "test_total": None if test is None else test.total,
        "test_data_sha256": None if test is None else test.data_sha256,
        "tested_at": None if test is None else utc(test.measured_at),
        "test_macro_f1": None if test is None else test.macro_f1,
        "test_ece": None if test is None else test.ece,
        "test_correct_per_label": None if test is None else dict(test.correct_per_label),
        "test_rows_per_label": None if test is None else dict(test.rows_per_label),
    }
