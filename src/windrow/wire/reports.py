"""The JSON shapes of what a training reports: warnings, how the head was chosen, how the adapter was trained.

Owns their fields; knows nothing of the classifier that they belong to.
"""

from dataclasses import asdict
from typing import Self

from pydantic import Field

from windrow.domain.classifier import AdapterReport, Candidate, HeadReport
from windrow.domain.dataset import DataWarning
from windrow.wire.shapes import Wire


class WarningEntry(Wire):
    """Something that a person should know; what was asked for was done all the same."""

    code: str = Field(description="Stable, for programs.", examples=["small_classes"])
    message: str = Field(description="One sentence for a person.", examples=["1 label(s) have fewer than 4 rows."])
    rows: list[int] = Field(description="Up to five of the rows concerned, counted from 0.", examples=[[0, 3]])

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
