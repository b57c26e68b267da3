"""The JSON shapes of what a training reports: warnings, how the head was chosen, how the adapter was trained.

Owns their fields; knows nothing of the classifier that they belong to.
"""

from dataclasses import asdict
from typing import Literal, Self

from pydantic import Field

from windrow.domain.classifier import AdapterReport, Candidate, Estimate, HeadReport, Record, ScoreReport, Threshold
from windrow.domain.dataset import DataReport, DataWarning
from windrow.domain.interval import Interval
from windrow.wire.shapes import EXAMPLE_DIGEST, EXAMPLE_TIME, Wire, from_utc, utc


class WarningEntry(Wire):
    """Something that a person should know; what was asked for was done all the same."""

    code: str = Field(description="Stable, for programs.", examples=["small_classes"])
    message: str = Field(description="One sentence for a person.", examples=["1 label(s) have fewer than 4 rows."])
    rows: list[int] = Field(
        description="The rows concerned, counted from 0: up to five, or all where they should be left out.",
        examples=[[0, 3]],
    )

    @classmethod
    def of(cls, warning: DataWarning) -> Self:
        """Show a warning."""
        return cls(code=warning.code, message=warning.message, rows=list(warning.rows))

    def to_domain(self) -> DataWarning:
        """Return the warning that was shown."""
        return DataWarning(self.code, self.message, tuple(self.rows))


class HeadEntry(Wire):
    """How the head was chosen."""

    strength: float = Field(description="The inverse regularisation that won the cross-validation.", examples=[4.0])
    cv_accuracy: float | None = Field(
        description="Its cross-validated accuracy, from 0 to 1; null where no label has two rows.", examples=[0.8333]
    )
    cv_folds: int = Field(description="Folds of that cross-validation; 0 where there was none.", examples=[2])

    @classmethod
    def of(cls, report: HeadReport) -> Self:
        """Show a report."""
        return cls(**asdict(report))

    def to_domain(self) -> HeadReport:
        """Return the report that was shown."""
        return HeadReport(self.strength, self.cv_accuracy, self.cv_folds)


class CandidateEntry(Wire):
    """A strength that was weighed."""

    strength: float = Field(description="From 0 (the encoder as it is) to 1 (the whole change).", examples=[0.0])
    estimated_accuracy: float | None = Field(
        description="Share of rows that it places right, from 0 to 1, each judged without itself; null where no "
        "estimate is free of leaks.",
        examples=[0.6667],
    )


class AdapterEntry(Wire):
    """How the encoder was changed for this classifier (docs/training.md)."""

    strength: float = Field(description="Share of the change that is used: 0 (none) to 1 (all).", examples=[1.0])
    reason: str = Field(
        description="Why that share, in one sentence.",
        examples=["The whole change is used: the encoder as it is misplaces 2 of 6 rows, each judged without itself."],
    )
    candidates: list[CandidateEntry] = Field(description="What was weighed.")
    layers: int = Field(description="Layers that were trained, counted from the last one.", examples=[6])
    rank: int = Field(description="Rank that each matrix's change was cut to.", examples=[8])
    passes: int = Field(description="Passes over the texts that num_iterations asks for.", examples=[3])
    planned_steps: int = Field(description="Steps that this takes, within the step budget.", examples=[3])
    steps: int = Field(description="Steps that were done.", examples=[3])
    ended_by: str = Field(
        description="What ended the training: plan, step_budget or max_seconds.",
        examples=["plan"],
        json_schema_extra={"enum": ["plan", "step_budget", "max_seconds"]},
    )
    texts: int = Field(description="Distinct rows that took part.", examples=[6])
    used_label_names: bool = Field(description="Whether the labels' names took part as texts.", examples=[True])
    first_loss: float | None = Field(description="Loss of the first step; null without a step.", examples=[1.721])
    last_loss: float | None = Field(description="Loss of the last step; null without a step.", examples=[1.302])

    @classmethod
    def of(cls, report: AdapterReport) -> Self:
        """Show a report."""
        return cls.model_validate(asdict(report) | {"candidates": [asdict(each) for each in report.candidates]})

    def to_domain(self) -> AdapterReport:
        """Return the report that was shown."""
        candidates = tuple(Candidate(each.strength, each.estimated_accuracy) for each in self.candidates)
        return AdapterReport(**self.model_dump(exclude={"candidates"}), candidates=candidates)


class IntervalEntry(Wire):
    """Where a figure lies with 95 % confidence."""

    low: float = Field(description="Lower end.", examples=[0.79])
    high: float = Field(description="Upper end.", examples=[0.96])

    @classmethod
    def of(cls, interval: Interval) -> Self:
        """Show an interval."""
        return cls(low=interval.low, high=interval.high)

    def to_domain(self) -> Interval:
        """Return the interval that was shown."""
        return Interval(self.low, self.high)


class EstimateEntry(Wire):
    """What cross-validation says: each row judged by a training like this one that did not see it."""

    accuracy: float = Field(description="Share of the rows that were placed right, from 0 to 1.", examples=[0.8333])
    interval: IntervalEntry = Field(description="Where the accuracy on new rows like these should lie.")
    correct: int = Field(description="Rows that were placed right.", examples=[5])
    total: int = Field(description="Rows that were judged.", examples=[6])
    folds: int = Field(description="Trainings that judged them.", examples=[3])

    @classmethod
    def of(cls, estimate: Estimate) -> Self:
        """Show an estimate."""
        return cls(
            accuracy=estimate.accuracy,
            interval=IntervalEntry.of(estimate.interval),
            correct=estimate.correct,
            total=estimate.total,
            folds=estimate.folds,
        )

    def to_domain(self) -> Estimate:
        """Return the estimate that was shown."""
        return Estimate(self.correct, self.total, self.folds, self.interval.to_domain())


class ScoresEntry(Wire):
    """How scores came to mean what they say."""

    temperature: float = Field(
        description="What the head's logits were divided by; above 1 makes scores humbler.", examples=[1.16]
    )
    source: Literal["out_of_fold", "prior"] = Field(
        description="Whether rows that taught nothing decided it (out_of_fold), or there were none and it is what is "
        "usual (prior).",
        examples=["out_of_fold"],
    )
    likeness: float | None = Field(
        description="How like the training data held-out rows were: mean cosine to the nearest label's centre. Null "
        "where no row could be held out; then in_scope is null too.",
        examples=[0.62],
    )
    likeness_deviation: float | None = Field(description="Its standard deviation.", examples=[0.11])

    @classmethod
    def of(cls, report: ScoreReport) -> Self:
        """Show a report."""
        return cls(**asdict(report))

    def to_domain(self) -> ScoreReport:
        """Return the report that was shown."""
        return ScoreReport(self.temperature, self.source, self.likeness, self.likeness_deviation)


class FitReport(Wire):
    """What was counted in the training rows, and how a training on them should do."""

    duplicate_rows: int = Field(description="Rows that repeat an earlier row with the same label.", examples=[0])
    contradicting_rows: int = Field(description="Rows whose text also stands under another label.", examples=[0])
    truncated_rows: int = Field(description="Rows that are longer than the encoder reads.", examples=[0])
    small_classes: list[str] = Field(
        description="Labels with fewer than 4 rows: too few to learn from, or to judge.", examples=[["account"]]
    )
    majority_accuracy: float = Field(
        description="What one would get right on rows like these by always giving the most frequent label.",
        examples=[0.3333],
    )
    estimate: EstimateEntry | None = Field(
        description="What cross-validation says; null where no row could be held out, or it was not wanted."
    )

    @classmethod
    def of(cls, record: Record) -> Self:
        """Show what a record says of its rows."""
        data, estimate = record.data, record.summary.estimate
        return cls(
            duplicate_rows=data.duplicate_rows,
            contradicting_rows=data.contradicting_rows,
            truncated_rows=data.truncated_rows,
            small_classes=list(data.small_classes),
            majority_accuracy=max(record.rows_per_label.values()) / max(1, record.num_examples),
            estimate=None if estimate is None else EstimateEntry.of(estimate),
        )

    def to_data(self) -> DataReport:
        """Return the counts that were shown."""
        return DataReport(self.duplicate_rows, self.contradicting_rows, self.truncated_rows, tuple(self.small_classes))

    def to_estimate(self) -> Estimate | None:
        """Return the estimate that was shown."""
        return None if self.estimate is None else self.estimate.to_domain()


class ThresholdEntry(Wire):
    """The score below which a classifier gives no label, and what it was chosen by."""

    abstain_below: float = Field(description="The lowest best score that is answered with a label.", examples=[0.64])
    target_precision: float = Field(description="Share of right answers that was asked for.", examples=[0.95])
    precision: float = Field(description="That share on the test rows that are answered.", examples=[0.9571])
    coverage: float = Field(description="Share of the test rows that are answered.", examples=[0.7])
    correct: int = Field(description="Test rows that are answered, and rightly.", examples=[67])
    answered: int = Field(description="Test rows that are answered.", examples=[70])
    total: int = Field(description="Test rows in all.", examples=[100])
    test_data_sha256: str = Field(description="SHA-256 of the test rows.", examples=[EXAMPLE_DIGEST])
    measured_at: str = Field(description="When it was chosen, UTC.", examples=[EXAMPLE_TIME])

    @classmethod
    def of(cls, threshold: Threshold) -> Self:
        """Show a threshold."""
        return cls(
            abstain_below=threshold.abstain_below,
            target_precision=threshold.target_precision,
            precision=threshold.correct / threshold.answered,
            coverage=threshold.answered / threshold.total,
            correct=threshold.correct,
            answered=threshold.answered,
            total=threshold.total,
            test_data_sha256=threshold.data_sha256,
            measured_at=utc(threshold.measured_at),
        )

    def to_domain(self) -> Threshold:
        """Return the threshold that was shown."""
        return Threshold(
            abstain_below=self.abstain_below,
            target_precision=self.target_precision,
            correct=self.correct,
            answered=self.answered,
            total=self.total,
            data_sha256=self.test_data_sha256,
            measured_at=from_utc(self.measured_at),
        )
