"""Cross-validation of a multi-label training: how trainings on a part of some rows do on the rest of them."""

import statistics
from dataclasses import dataclass

from windrow.domain.cross_validation import CurvePoint, LabelAdvice
from windrow.domain.dataset import DataWarning
from windrow.domain.interval import Interval
from windrow.domain.multi_label_report import MultiLabelBaseline, MultiLabelMetrics
from windrow.domain.values import Value, computed


@dataclass(frozen=True, slots=True)
class DoubtedLabel(Value):
    """A label that a row perhaps has by mistake, or perhaps lacks by mistake."""

    row: int
    """The row's number in the training data, from 0."""
    text: str
    """Its text."""
    labels: tuple[str, ...]
    """Its labels, sorted."""
    label: str
    """The label in doubt: one of its labels, which the others say it should not have, or one that it should have."""
    is_missing: bool
    """Whether the row lacks the label; otherwise it has it."""
    score: float
    """The label's score for it, by a training that did not see the row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MultiLabelCurvePoint(CurvePoint):
    """A point of the learning curve of a multi-label training."""

    micro_f1: float
    """F1 over all decisions on the held-out rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MultiLabelCrossValidation(MultiLabelMetrics):
    """The result of cross-validating a multi-label training with the requested recipe.

    The outcome is that of all held-out rows together, where equal rows count once; each row is given its labels by
    thresholds that other rows chose.
    """

    _summary = "folds correct total accuracy micro_f1 macro_f1 recommended_num_iterations warnings"

    folds: int
    """The number of folds; fewer than requested if a label has too few rows."""
    fold_accuracies: tuple[float, ...]
    """The share of rows with their whole set right in each fold, from 0 to 1; at least one."""
    mean_accuracy: float = computed(lambda self: statistics.fmean(self.fold_accuracies), 0.0)
    """The mean of the folds' accuracies, each fold counting alike."""
    accuracy_std: float = computed(
        lambda self: statistics.stdev(self.fold_accuracies) if len(self.fold_accuracies) > 1 else 0.0, 0.0
    )
    """The standard deviation of the folds' accuracies, 0 for a single one: how much one split more or less decides."""
    majority_baseline: MultiLabelBaseline
    """What always giving the most frequent set of labels would get right."""
    probable_label_errors: tuple[DoubtedLabel, ...]
    """Labels of rows that the other rows contradict with confidence; the most confident first, at most 100."""
    learning_curve: tuple[MultiLabelCurvePoint, ...]
    """What the head alone would have reached with fewer rows, the smallest share first."""
    advice: tuple[LabelAdvice, ...]
    """For each label, that which gains most from more rows first; none where rows are too few to tell."""
    advice_text: str
    """The same in words."""
    head_only_accuracy: float
    """The share of whole sets that the head alone (0 iterations) gets right on the same folds, from 0 to 1."""
    head_only_micro_f1: float
    """F1 over all decisions of the head alone, from 0 to 1."""
    head_only_interval: Interval
    """Bootstrap interval of 95 % of the micro F1 of the requested training minus that of the head alone."""
    recommended_num_iterations: int
    """The requested number, or 0 if training the encoder did not raise the micro F1."""
    recommendation: str
    """Why, in a sentence."""
    warnings: tuple[DataWarning, ...]
    """What makes the figures worth less, or was odd about the rows."""
