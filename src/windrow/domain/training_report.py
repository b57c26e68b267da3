"""Reports about a training: head, adapter, calibration, and the accuracy that is to be expected."""

from dataclasses import dataclass
from typing import Literal

from windrow.domain.interval import Interval
from windrow.domain.values import Value, computed


@dataclass(frozen=True, slots=True)
class HeadReport(Value):
    """How the head was chosen."""

    c: float
    """Inverse regularisation (scikit-learn's ``C``) that won the cross-validation. Where labels are described, it says
    how far the head may leave what descriptions alone would answer; 0 without rows.
    """
    cv_accuracy: float | None
    """Its cross-validated accuracy, by all rows or by a sample of very many, from 0 to 1; ``None`` where there was no
    cross-validation.
    """
    cv_folds: int
    """Folds of that cross-validation; 0 where there was none."""


@dataclass(frozen=True, slots=True)
class Candidate(Value):
    """One way of using an adapter that was weighed, and the estimate that spoke for or against it."""

    scale: float
    """Share of the adapter's change, from 0 (the encoder as it is) to 1."""
    estimated_accuracy: float | None
    """Share of rows that it classifies correctly, from 0 to 1, with each row left out in turn; ``None`` where no
    estimate is free of leaks.
    """


@dataclass(frozen=True, slots=True)
class AdapterReport(Value):
    """How the encoder was changed for this classifier, and how much of the change is used.

    Source: docs/explanation/training.md.
    """

    scale: float
    """Share of its change that is used, from 0 (none; then nothing of it is saved) to 1."""
    reason: str
    """Why that share, in one sentence."""
    candidates: tuple[Candidate, ...]
    """What was weighed."""
    layers: int = 0
    """Trained layers, counted from the last one."""
    rank: int = 0
    """Rank that each matrix's change was cut to."""
    epochs: int = 0
    """Passes over the texts that ``num_iterations`` asks for."""
    planned_steps: int = 0
    """Steps that this takes, within the step budget."""
    steps: int = 0
    """Steps that were done."""
    ended_by: Literal["plan", "step_budget", "max_seconds"] = "plan"
    """What ended the training."""
    texts: int = 0
    """Distinct rows that took part."""
    used_label_names: bool = False
    """Whether the labels' names took part as texts."""
    first_loss: float | None = None
    """Loss of the first step; ``None`` where no step was done."""
    last_loss: float | None = None
    """Loss of the last step; ``None`` likewise."""


@dataclass(frozen=True, slots=True)
class Estimate(Value):
    """What cross-validation says about a training: each row evaluated by a like training that did not see it."""

    correct: int
    """Rows that were classified correctly."""
    total: int
    """Rows that were evaluated, at least 1."""
    folds: int
    """Trainings that evaluated them."""
    interval: Interval
    """Where the accuracy on new rows like these should lie: Wilson's of 95 %, widened (docs/adr/0016)."""
    micro_f1: float | None = None
    """F1 over all decisions about all labels, from 0 to 1; ``None`` for a single-label classifier."""
    macro_f1: float | None = None
    """Mean F1 of the labels, likewise."""
    accuracy: float = computed(lambda self: self.correct / max(1, self.total), 0.0)
    """Share of the rows that were classified correctly."""


@dataclass(frozen=True, slots=True)
class ScoreReport(Value):
    """How the scores were calibrated."""

    temperature: float
    """What the head's logits were divided by, more than 0; above 1 lowers the confidence."""
    source: Literal["out_of_fold", "prior"]
    """``out_of_fold`` where held-out rows decided it, ``prior`` where there were none, so that the usual value was
    taken.
    """
    similarity: float | None
    """How like the training data held-out rows were: mean cosine to the nearest label's centre, from -1 to 1; ``None``
    where no row could be held out, so that nothing can be said of what is in scope.
    """
    similarity_std: float | None
    """Its standard deviation; ``None`` likewise."""


@dataclass(frozen=True, slots=True)
class FitReport(Value):
    """What was counted in training rows, and how a training on them should do."""

    duplicate_rows: int
    """Rows that repeat an earlier row with the same label."""
    contradicting_rows: int
    """Rows whose text also stands under another label."""
    truncated_rows: int
    """Rows that are longer than the encoder reads."""
    small_classes: tuple[str, ...]
    """Labels with fewer than 4 rows, too few to learn from or to evaluate, in the order of the labels."""
    majority_accuracy: float
    """What one would get right on rows like these by always giving the most frequent label."""
    estimate: Estimate | None
    """What cross-validation says; ``None`` where no row could be held out, or it was not wanted."""
