"""Cross-validation: how trainings on a part of some rows do on the rest of them."""

import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from windrow.domain.dataset import DataWarning
from windrow.domain.interval import Interval
from windrow.domain.label_descriptions import LabelDescriptions
from windrow.domain.labelled_rows import TrainingRows
from windrow.domain.recipe import TrainingParameters
from windrow.domain.report import ClassificationMetrics, MajorityBaseline, Misclassified
from windrow.domain.values import Schema, Value, computed

DEFAULT_FOLDS = 5
FOLDS_RANGE = (2, 20)


@dataclass(frozen=True, slots=True)
class CrossValidateRequest(TrainingParameters):
    """Rows for a cross-validation, and the training to validate."""

    training_data: TrainingRows
    """Labelled examples with at least 2 labels; about 8 rows a label work well."""
    folds: Annotated[int, Schema(minimum=FOLDS_RANGE[0], maximum=FOLDS_RANGE[1])] = DEFAULT_FOLDS
    """Folds that the rows are divided into, 2 to 20; each is evaluated by a training on the others. Fewer are made
    where labels have too few rows.
    """
    label_descriptions: LabelDescriptions | None = None
    """What labels mean, by label, as a fit takes it: each training on a part of the rows begins with that."""


@dataclass(frozen=True, slots=True)
class CurvePoint(Value):
    """A point of the learning curve: trainings on a share of the rows, evaluated on the same held-out rows."""

    share: float
    """Of each label's training rows, in (0, 1]."""
    rows: float
    """Training rows, on average over the folds."""
    accuracy: float
    """Share of the held-out rows that were classified correctly."""
    recall: Mapping[str, float]
    """The same for each label."""


@dataclass(frozen=True, slots=True)
class LabelAdvice(Value):
    """Whether more rows of a label would help, as far as the learning curve shows."""

    label: str
    """The label."""
    gain: float
    """By how much its recall rose from half of the rows to all of them."""
    helps: bool
    """Whether that is more than chance makes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossValidation(ClassificationMetrics):
    """The result of cross-validating a training with the requested recipe.

    The outcome is that of all held-out rows together, where equal rows count once.
    """

    _summary = "folds correct total accuracy accuracy_interval recommended_num_iterations warnings"

    folds: int
    """The number of folds; fewer than requested if a label has too few rows."""
    fold_accuracies: tuple[float, ...]
    """Of each fold, from 0 to 1; at least one."""
    mean_accuracy: float = computed(lambda self: statistics.fmean(self.fold_accuracies), 0.0)
    """The mean of the folds' accuracies, each fold counting alike."""
    accuracy_std: float = computed(
        lambda self: statistics.stdev(self.fold_accuracies) if len(self.fold_accuracies) > 1 else 0.0, 0.0
    )
    """The standard deviation of the folds' accuracies, 0 for a single one: how much one split more or less decides."""
    majority_baseline: MajorityBaseline
    """What always giving the most frequent label would get right."""
    probable_label_errors: tuple[Misclassified, ...]
    """Rows whose label the others contradict with confidence: perhaps a wrong label; the most confident first."""
    learning_curve: tuple[CurvePoint, ...]
    """What the head alone would have reached with fewer rows, the smallest share first."""
    advice: tuple[LabelAdvice, ...]
    """For each label, that which gains most from more rows first; none where rows are too few to tell."""
    advice_text: str
    """The same in words."""
    head_only_accuracy: float
    """What the head alone (0 iterations) reaches on the same folds, from 0 to 1."""
    head_only_interval: Interval
    """Confidence interval of the accuracy of the requested training minus that of the head alone."""
    recommended_num_iterations: int
    """The requested number, or 0 if training the encoder did not show a gain."""
    recommendation: str
    """Why, in a sentence."""
    warnings: tuple[DataWarning, ...]
    """What makes the figures worth less, or was odd about the rows."""
