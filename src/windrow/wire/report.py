"""The JSON shapes of judging a classifier by labelled rows, to and from the domain.

Owns the fields of a report, and of an outcome wherever one is shown; knows nothing of HTTP or of how a figure is
computed.
"""

from dataclasses import asdict
from typing import Annotated, Any, Self

from pydantic import Field

from windrow.domain.names import REFERENCE_GRAMMAR
from windrow.domain.report import (
    MIN_TARGET_PRECISION,
    Calibration,
    EvaluateRequest,
    LabelReport,
    Majority,
    Misread,
    Outcome,
    ReliabilityBin,
    Report,
)
from windrow.wire.prediction import Answerer, AnswererRevision, AskedAlias
from windrow.wire.reports import IntervalEntry, ThresholdEntry, WarningEntry
from windrow.wire.rows import EXAMPLE_DATA, LabelledRow, RowsBody, of_rows, to_rows
from windrow.wire.shapes import EXAMPLE_DIGEST, EXAMPLE_NAME, EXAMPLE_TIME, Wire, from_utc, utc

TestData = Annotated[
    list[LabelledRow],
    Field(
        description="Labelled rows that the classifier was not trained on; at least one. A label that it does not know "
        "counts as placed wrong.",
        examples=[EXAMPLE_DATA],
    ),
]
TestDataSha256 = Annotated[
    str,
    Field(description="SHA-256 of the test rows, made like that of training rows.", examples=[EXAMPLE_DIGEST]),
]
ReportWarnings = Annotated[
    list[WarningEntry],
    Field(description="What makes the figures worth less, or was odd about the rows.", examples=[[]]),
]
RowNumber = Annotated[int, Field(description="Its number in test_data, from 0.", examples=[3])]
RowText = Annotated[str, Field(description="Its text.", examples=[EXAMPLE_DATA[3]["text"]])]
RowLabel = Annotated[str, Field(description="Its label.", examples=[EXAMPLE_DATA[3]["label"]])]


class EvaluateBody(RowsBody):
    """Rows to judge a classifier by."""

    model_name: str = Field(
        description="The classifier: its name, an alias, a revision (name@3) or task@latest, its highest version.",
        examples=[EXAMPLE_NAME],
        json_schema_extra={"pattern": f"^{REFERENCE_GRAMMAR}$"},
    )
    test_data: TestData
    save: bool = Field(
        default=True,
        description="Whether the score is kept with the classifier, and with target_precision the threshold too.",
        examples=[True],
    )
    target_precision: float | None = Field(
        default=None,
        description="Share of right answers, from 0.5 to 1, for which the lowest score is wanted that can be trusted; "
        "null asks for none.",
        examples=[None, 0.95],
        json_schema_extra={"minimum": MIN_TARGET_PRECISION, "maximum": 1},
    )

    @classmethod
    def of(cls, request: EvaluateRequest) -> Self:
        """Send a request."""
        return cls.model_construct(
            model_name=request.model_name,
            test_data=of_rows(request.rows),
            save=request.is_saved,
            target_precision=request.target_precision,
        )

    def to_domain(self) -> EvaluateRequest:
        """Return the request; its values are not checked yet."""
        return EvaluateRequest(self.model_name, to_rows(self.test_data), self.save, self.target_precision)


class LabelEntry(Wire):
    """How a classifier did on one label."""

    label: str = Field(description="The label.", examples=["technical"])
    correct: int = Field(description="Rows of this label that were placed right.", examples=[1])
    total: int = Field(description="Rows of this label.", examples=[2])
    predicted: int = Field(description="Rows that were given this label, rightly or not.", examples=[1])
    precision: float | None = Field(
        description="correct / predicted; null where nothing was given this label.", examples=[1.0]
    )
    recall: float | None = Field(description="correct / total; null where no row has this label.", examples=[0.5])
    f1: float | None = Field(
        description="Their harmonic mean; 0 where nothing is right, null where no row has or was given this label.",
        examples=[0.6667],
    )
    shown: str = Field(
        description="Recall, and the rows that it rests on, for people: - in its place where no row has this label.",
        examples=["0.50 (1/2)"],
    )

    @classmethod
    def of(cls, report: LabelReport) -> Self:
        """Show a label's report."""
        return cls(**asdict(report), shown=report.shown)

    def to_domain(self) -> LabelReport:
        """Return the report that was shown."""
        return LabelReport(self.label, self.correct, self.total, self.predicted, self.precision, self.recall, self.f1)


class ConfusionMatrix(Wire):
    """Which labels were taken for which."""

    labels: list[str] = Field(
        description="What rows and columns stand for: the classifier's labels, then those of the rows that it does not "
        "know.",
        examples=[["account", "billing", "technical"]],
    )
    counts: list[list[int]] = Field(
        description="A list for each label of a row; in it, how many of these rows were given each label.",
        examples=[[[2, 0, 0], [0, 2, 0], [1, 0, 1]]],
    )


class BinEntry(Wire):
    """Rows whose best score lies in one range."""

    low: float = Field(description="Lower end of the range, not in it except for 0.", examples=[0.8])
    high: float = Field(description="Upper end, in it.", examples=[0.8667])
    rows: int = Field(description="How many rows, at least 1.", examples=[4])
    mean_score: float = Field(description="The mean of their best scores.", examples=[0.84])
    accuracy: float = Field(description="The share of them that were placed right, from 0 to 1.", examples=[1.0])


class CalibrationEntry(Wire):
    """Whether scores mean what they say: of the answers with a score of 0.8, 80 % should be right."""

    ece: float = Field(
        description="Expected calibration error, from 0 to 1: the mean distance of score and accuracy over the bins, "
        "by rows.",
        examples=[0.16],
    )
    bins: list[BinEntry] = Field(description="Of 15 ranges of equal width those with rows, ascending.")

    @classmethod
    def of(cls, calibration: Calibration) -> Self:
        """Show a calibration."""
        return cls(ece=calibration.ece, bins=[BinEntry(**asdict(each)) for each in calibration.bins])

    def to_domain(self) -> Calibration:
        """Return the calibration that was shown."""
        bins = (ReliabilityBin(each.low, each.high, each.rows, each.mean_score, each.accuracy) for each in self.bins)
        return Calibration(self.ece, tuple(bins))


class OutcomeFields(Wire):
    """What one classifier made of labelled rows."""

    accuracy: float = Field(description="Share of the rows that were placed right, from 0 to 1.", examples=[0.8333])
    accuracy_interval: IntervalEntry = Field(description="Where the accuracy on all rows like these lies (Wilson).")
    correct: int = Field(description="Rows that were placed right.", examples=[5])
    total: int = Field(description="Rows in all.", examples=[6])
    macro_f1: float = Field(
        description="Mean F1 of the labels that rows have or were given, from 0 to 1: each label counts alike.",
        examples=[0.8222],
    )
    labels: list[LabelEntry] = Field(
        description="The classifier's labels in their order, then those of the rows that it does not know, sorted."
    )
    confusion_matrix: ConfusionMatrix = Field(description="Which labels were taken for which.")
    calibration: CalibrationEntry = Field(description="Whether its scores mean what they say.")

    def to_outcome(self) -> Outcome:
        """Return the outcome that was shown."""
        return Outcome(
            self.correct,
            self.total,
            self.accuracy_interval.to_domain(),
            self.macro_f1,
            tuple(each.to_domain() for each in self.labels),
            tuple(map(tuple, self.confusion_matrix.counts)),
            self.calibration.to_domain(),
        )


class MajorityEntry(Wire):
    """What one would get right by always giving the most frequent label."""

    label: str = Field(description="That label.", examples=["account"])
    accuracy: float = Field(description="Its share of the rows, from 0 to 1.", examples=[0.3333])

    @classmethod
    def of(cls, majority: Majority) -> Self:
        """Show a baseline."""
        return cls(label=majority.label, accuracy=majority.accuracy)

    def to_domain(self) -> Majority:
        """Return the baseline that was shown."""
        return Majority(self.label, self.accuracy)


class MisreadEntry(Wire):
    """A row that was placed wrong."""

    row: RowNumber
    text: RowText
    label: RowLabel
    predicted: str = Field(description="The label that it was given.", examples=["account"])
    score: float = Field(description="That label's score, from 0 to 1.", examples=[0.51])

    @classmethod
    def of(cls, misread: Misread) -> Self:
        """Show a row."""
        return cls(**asdict(misread))

    def to_domain(self) -> Misread:
        """Return the row that was shown."""
        return Misread(self.row, self.text, self.label, self.predicted, self.score)


class EvaluateReply(OutcomeFields):
    """How a classifier did on labelled rows."""

    model_name: Answerer
    revision: AnswererRevision
    alias: AskedAlias
    majority_baseline: MajorityEntry = Field(description="What always giving the most frequent label would get right.")
    misread: list[MisreadEntry] = Field(description="The rows that were placed wrong, the highest score first.")
    warnings: ReportWarnings
    test_data_sha256: TestDataSha256
    measured_at: str = Field(description="When it was measured, UTC.", examples=[EXAMPLE_TIME])
    saved: bool = Field(description="Whether the score was kept with the classifier.", examples=[True])
    threshold: ThresholdEntry | None = Field(
        description="The lowest score that is to be trusted; null where no target_precision was sent, or no score "
        "reaches it, which warnings says.",
        examples=[None],
    )

    @classmethod
    def of(cls, report: Report) -> Self:
        """Show a report."""
        return cls(
            model_name=report.model_name,
            revision=report.revision,
            alias=report.alias,
            **outcome_fields(report.outcome),
            majority_baseline=MajorityEntry.of(report.majority),
            misread=[MisreadEntry.of(each) for each in report.misread],
            warnings=[WarningEntry.of(warning) for warning in report.warnings],
            test_data_sha256=report.data_sha256,
            measured_at=utc(report.measured_at),
            saved=report.is_saved,
            threshold=None if report.threshold is None else ThresholdEntry.of(report.threshold),
        )

    def to_domain(self) -> Report:
        """Return the report that was shown."""
        return Report(
            self.model_name,
            self.revision,
            self.alias,
            self.to_outcome(),
            self.majority_baseline.to_domain(),
            tuple(each.to_domain() for each in self.misread),
            tuple(warning.to_domain() for warning in self.warnings),
            self.test_data_sha256,
            from_utc(self.measured_at),
            self.saved,
            None if self.threshold is None else self.threshold.to_domain(),
        )


def outcome_fields(outcome: Outcome) -> dict[str, Any]:
    """Return the values of :class:`OutcomeFields`, to construct a shape that has them."""
    return {
        "accuracy": outcome.accuracy,
        "accuracy_interval": IntervalEntry.of(outcome.accuracy_interval),
        "correct": outcome.correct,
        "total": outcome.total,
        "macro_f1": outcome.macro_f1,
        "labels": [LabelEntry.of(report) for report in outcome.labels],
        "confusion_matrix": ConfusionMatrix(
            labels=[report.label for report in outcome.labels], counts=[list(row) for row in outcome.confusion]
        ),
        "calibration": CalibrationEntry.of(outcome.calibration),
    }
