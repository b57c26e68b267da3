"""The JSON shapes of a cross-validation, to and from the domain.

Owns their fields; knows nothing of HTTP or of how a figure is computed.
"""

from dataclasses import asdict
from typing import ClassVar, Self

from pydantic import Field

from windrow.domain.cross_validation import (
    DEFAULT_FOLDS,
    FOLDS_RANGE,
    CrossValidateRequest,
    CrossValidation,
    CurvePoint,
    LabelAdvice,
)
from windrow.domain.recipe import (
    DEFAULT_BASE_MODEL,
    DEFAULT_BATCH_SIZE,
    DEFAULT_NUM_ITERATIONS,
    DEFAULT_SEED,
    Recipe,
)
from windrow.wire.report import (
    MajorityEntry,
    MisreadEntry,
    OutcomeFields,
    ReportWarnings,
    outcome_fields,
)
from windrow.wire.reports import IntervalEntry, WarningEntry
from windrow.wire.rows import RowsBody, of_rows, to_rows
from windrow.wire.shapes import BaseModelId, Wire, shown_range
from windrow.wire.training import BatchSize, NumIterations, Seed, TrainingData


class CrossValidateBody(RowsBody):
    """Rows to judge a training by."""

    row_field: ClassVar[str] = "training_data"

    training_data: TrainingData
    folds: int = Field(
        default=DEFAULT_FOLDS,
        description="Parts that the rows are dealt to; each is judged by a training on the others. Fewer are made "
        "where labels have too few rows.",
        examples=[DEFAULT_FOLDS],
        json_schema_extra=shown_range(FOLDS_RANGE),
    )
    base_model: BaseModelId = DEFAULT_BASE_MODEL
    num_iterations: NumIterations = DEFAULT_NUM_ITERATIONS
    batch_size: BatchSize = DEFAULT_BATCH_SIZE
    seed: Seed = DEFAULT_SEED

    @classmethod
    def of(cls, request: CrossValidateRequest) -> Self:
        """Send a request; of its recipe, what has to do with a cross-validation."""
        return cls.model_construct(
            training_data=of_rows(request.rows),
            folds=request.folds,
            base_model=request.base_model,
            num_iterations=request.recipe.num_iterations,
            batch_size=request.recipe.batch_size,
            seed=request.recipe.seed,
        )

    def to_domain(self) -> CrossValidateRequest:
        """Return the request; its values are not checked yet."""
        recipe = Recipe(self.num_iterations, self.batch_size, self.seed)
        return CrossValidateRequest(to_rows(self.training_data), self.folds, self.base_model, recipe)


class LabelErrorEntry(MisreadEntry):
    """A row whose label the other rows contradict with confidence."""

    row: int = Field(description="Its number in training_data, from 0.", examples=[3])


class CurvePointEntry(Wire):
    """Trainings on a share of the rows, judged by the same held-out rows."""

    share: float = Field(description="Of each label's training rows, more than 0 and at most 1.", examples=[0.5])
    rows: float = Field(description="Training rows, on average over the folds.", examples=[2.4])
    accuracy: float = Field(description="Share of the held-out rows that were placed right.", examples=[0.6667])
    recall: dict[str, float] = Field(
        description="The same for each label.", examples=[{"account": 1.0, "billing": 0.5, "technical": 0.5}]
    )

    @classmethod
    def of(cls, point: CurvePoint) -> Self:
        """Show a point."""
        return cls(share=point.share, rows=point.rows, accuracy=point.accuracy, recall=dict(point.recall))

    def to_domain(self) -> CurvePoint:
        """Return the point that was shown."""
        return CurvePoint(self.share, self.rows, self.accuracy, self.recall)


class AdviceEntry(Wire):
    """Whether more rows of a label would help."""

    label: str = Field(description="The label.", examples=["technical"])
    gain: float = Field(
        description="By how much its recall rose from half of the rows to all of them; negative where it fell.",
        examples=[0.25],
    )
    helps: bool = Field(description="Whether that is more than chance makes.", examples=[True])

    @classmethod
    def of(cls, advice: LabelAdvice) -> Self:
        """Show advice."""
        return cls(**asdict(advice))

    def to_domain(self) -> LabelAdvice:
        """Return the advice that was shown."""
        return LabelAdvice(self.label, self.gain, self.helps)


class CrossValidateReply(OutcomeFields):
    """How trainings like the one that was asked for do: the outcome is that of all held-out rows together."""

    folds: int = Field(description="Parts that the rows were dealt to.", examples=[2])
    mean_accuracy: float = Field(description="The mean of the folds' accuracies.", examples=[0.8333])
    accuracy_spread: float = Field(
        description="The standard deviation of the folds' accuracies: how much one split more or less decides.",
        examples=[0.2357],
    )
    fold_accuracies: list[float] = Field(description="Of each fold, from 0 to 1.", examples=[[0.6667, 1.0]])
    majority_baseline: MajorityEntry = Field(description="What always giving the most frequent label would get right.")
    probable_label_errors: list[LabelErrorEntry] = Field(
        description="Rows whose label the others contradict with confidence: perhaps a wrong label; the most confident "
        "first."
    )
    learning_curve: list[CurvePointEntry] = Field(
        description="What fewer rows would have reached, the smallest share first."
    )
    advice: list[AdviceEntry] = Field(description="For each label, that which gains most from more rows first.")
    advice_text: str = Field(description="The same in words.", examples=["More rows of technical would help most."])
    head_only_accuracy: float = Field(
        description="What num_iterations 0 reaches on the same folds, from 0 to 1.", examples=[0.6667]
    )
    head_only_interval: IntervalEntry = Field(
        description="Where the difference lies, the training that was asked for less the head alone."
    )
    recommended_num_iterations: int = Field(
        description="What was asked for, or 0 where training the encoder did not show a gain.", examples=[0]
    )
    recommendation: str = Field(
        description="Why, in a sentence.", examples=["Training the encoder did not show a gain on these rows."]
    )
    warnings: ReportWarnings

    @classmethod
    def of(cls, found: CrossValidation) -> Self:
        """Show what a cross-validation found."""
        return cls(
            **outcome_fields(found.outcome),
            folds=found.folds,
            mean_accuracy=found.mean_accuracy,
            accuracy_spread=found.accuracy_spread,
            fold_accuracies=list(found.fold_accuracies),
            majority_baseline=MajorityEntry.of(found.majority),
            probable_label_errors=[LabelErrorEntry.of(each) for each in found.contradicted],
            learning_curve=[CurvePointEntry.of(point) for point in found.curve],
            advice=[AdviceEntry.of(advice) for advice in found.advice],
            advice_text=found.advice_text,
            head_only_accuracy=found.head_only_accuracy,
            head_only_interval=IntervalEntry.of(found.head_only_interval),
            recommended_num_iterations=found.recommended_num_iterations,
            recommendation=found.recommendation,
            warnings=[WarningEntry.of(warning) for warning in found.warnings],
        )

    def to_domain(self) -> CrossValidation:
        """Return what was shown."""
        return CrossValidation(
            folds=self.folds,
            outcome=self.to_outcome(),
            fold_accuracies=tuple(self.fold_accuracies),
            majority=self.majority_baseline.to_domain(),
            contradicted=tuple(each.to_domain() for each in self.probable_label_errors),
            curve=tuple(point.to_domain() for point in self.learning_curve),
            advice=tuple(each.to_domain() for each in self.advice),
            advice_text=self.advice_text,
            head_only_accuracy=self.head_only_accuracy,
            head_only_interval=self.head_only_interval.to_domain(),
            recommended_num_iterations=self.recommended_num_iterations,
            recommendation=self.recommendation,
            warnings=tuple(warning.to_domain() for warning in self.warnings),
        )
