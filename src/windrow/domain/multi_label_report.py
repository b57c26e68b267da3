"""A report on a multi-label classifier: how its sets of labels, and its decisions about each label, agree with rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from windrow.domain.classifier import TestScore
from windrow.domain.figures import percent
from windrow.domain.interval import Interval
from windrow.domain.prediction import NONE_OF_THE_LABELS
from windrow.domain.report import Measurement, SharedMetrics, score_of
from windrow.domain.values import Value, computed


@dataclass(frozen=True, slots=True)
class ConfusedLabels(Value):
    """Two labels, of which rows have the one and were wrongly given the other in its place."""

    label: str
    """The label that the rows have and were not given."""
    given: str
    """The label that they were given and do not have."""
    rows: int
    """How many rows, at least 1."""


@dataclass(frozen=True, slots=True)
class MissedTogether(Value):
    """Two labels that rows have, of which they were given neither."""

    labels: tuple[str, str]
    """The two, in the order of the report."""
    rows: int
    """How many rows, at least 1."""


@dataclass(frozen=True, slots=True)
class MisclassifiedSet(Value):
    """A row whose labels were not all given, or that was given others."""

    row: int
    """Its number in the test data, from 0."""
    text: str
    """Its text."""
    labels: tuple[str, ...]
    """Its labels, sorted."""
    predicted: tuple[str, ...]
    """The labels that it was given, sorted."""
    scores: Mapping[str, float]
    """The score of each label that it was wrongly given or not given; 0 for a label that the classifier does not
    know.
    """


@dataclass(frozen=True, slots=True)
class MultiLabelBaseline(Value):
    """What one would get right by always giving the most frequent set of labels."""

    labels: tuple[str, ...]
    """That set, sorted; the first one where several are as frequent. It is empty where most rows have no label."""
    accuracy: float
    """Its share of the rows."""
    micro_f1: float
    """F1 over all decisions that one would reach by that."""

    @property
    def answer(self) -> str:
        """What is always given, for a sentence."""
        return " and ".join(map(repr, self.labels)) or NONE_OF_THE_LABELS


@dataclass(frozen=True, slots=True)
class ProposedLabelThreshold(Value):
    """A label's threshold that test rows speak for; nothing is changed by it."""

    label: str
    """The label."""
    threshold: float
    """The lowest score with which the label is given, above 0: about halfway between the lowest test row that is
    given it and the next one, or half of the lowest one where all are.
    """
    correct: int
    """Test rows of this label that are given it with this threshold."""
    predicted: int
    """Test rows that are given it, rightly or not; at least 1."""
    total: int
    """Test rows of this label, at least 1."""
    precision: float = computed(lambda self: self.correct / max(1, self.predicted), 0.0)
    """``correct`` / ``predicted``."""
    recall: float = computed(lambda self: self.correct / max(1, self.total), 0.0)
    """``correct`` / ``total``."""
    f1: float = computed(lambda self: 2 * self.correct / max(1, self.predicted + self.total), 0.0)
    """Harmonic mean of the two."""


def target_text(precision: float | None, recall: float | None) -> str:
    """Return what thresholds of labels are chosen for, for a sentence; at most one of both is given."""
    if precision is not None:
        return f"a precision of {percent(precision)}"
    return "the best F1" if recall is None else f"a recall of {percent(recall)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MultiLabelMetrics(SharedMetrics):
    """The metrics of a multi-label classifier on labelled rows, with each label's threshold in force.

    A decision is whether one row is given one label. Labels of the rows that the classifier does not know count as
    missed.
    """

    _summary = "correct total accuracy accuracy_interval micro_f1 macro_f1"

    kind: Literal["multi_label"] = "multi_label"
    """That it gives any number of labels."""
    micro_precision: float | None
    """Of all labels that were given, the share that is right; ``None`` where none was given."""
    micro_recall: float | None
    """Of all labels that the rows have, the share that was given; ``None`` where they have none."""
    micro_f1: float
    """F1 over all decisions, from 0 to 1: frequent labels count more; 0 where no label is right."""
    micro_f1_interval: Interval
    """Where it lies on all rows like these: bootstrap over rows, of 95 %."""
    macro_precision: float
    """Mean precision of the labels that rows have or were given; 0 for one that was never given."""
    macro_recall: float
    """Mean recall of these labels; 0 for one that no row has."""
    macro_f1_interval: Interval
    """Where ``macro_f1`` lies on all rows like these: bootstrap over rows, of 95 %."""
    hamming_loss: float
    """Share of all decisions that are wrong, from 0 to 1. It is small where most rows have few of many labels."""
    label_ranking_average_precision: float
    """How far a row's labels stand before its other labels by their scores, whatever the thresholds: the mean over its
    labels of the share of its labels among those that score as high, from above 0 to 1. A row without labels counts 1.
    """
    log_loss: float
    """Mean cross-entropy of the decisions about the labels that the classifier knows, in nats."""
    confused_labels: tuple[ConfusedLabels, ...]
    """Labels that were given in place of others, the most frequent pair first; of more than 100 pairs, the first
    100.
    """
    missed_together: tuple[MissedTogether, ...]
    """Labels that rows have together and were not given, likewise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MultiLabelReport(MultiLabelMetrics, Measurement):
    """How a multi-label classifier did on labelled rows."""

    _summary = "model_name revision correct total accuracy micro_f1 warnings micro_f1_interval macro_f1"

    majority_baseline: MultiLabelBaseline
    """What always giving the most frequent set of labels would get right."""
    label_thresholds: Mapping[str, float]
    """The score from which each label is given: the thresholds in force, with which all this was measured."""
    misclassified: tuple[MisclassifiedSet, ...]
    """The rows that were misclassified, those first whose wrong decision was the most confident one."""
    proposed_thresholds: tuple[ProposedLabelThreshold, ...]
    """For each label that test rows have, the threshold with the best F1 on them; where ``target_precision`` was
    requested, the lowest one that reaches it, and a label is left out where none does (see ``warnings``); where
    ``target_recall`` was requested, the highest one that reaches it.
    """
    target_precision: float | None = None
    """The precision that was requested; ``None`` where none was."""
    target_recall: float | None = None
    """The recall that was requested; ``None`` where none was."""

    @property
    def target_text(self) -> str:
        """What the proposed thresholds are to reach, for a sentence."""
        return target_text(self.target_precision, self.target_recall)

    @property
    def score(self) -> TestScore:
        """What of it is kept with the classifier."""
        return score_of(self)
