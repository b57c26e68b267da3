"""Compute quality metrics from a classifier's scores for labelled rows."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from windrow.arrays import Bools, Floats, Ids
from windrow.domain.dataset import Row
from windrow.domain.interval import wilson_interval
from windrow.domain.report import (
    Calibration,
    ClassificationMetrics,
    ConfusionMatrix,
    LabelReport,
    MajorityBaseline,
    Misclassified,
    ReliabilityBin,
)
from windrow.learning.midpoint import midpoint

NUM_BINS = 15
# Scores that are in memory as float64: a multi-label classifier has one for each row and label, 100 million at most.
_BLOCK_SCORES = 1_000_000


def compute_metrics(scores: Floats, truth: Sequence[str], labels: Sequence[str]) -> ClassificationMetrics:
    """Compute a classifier's metrics on labelled rows.

    Args:
        scores: Each label's score for each row, shape [rows, labels], float32; at least one row.
        truth: The rows' labels; a row with a label unknown to the classifier counts as misclassified.
        labels: The classifier's labels, in the order of the scores.
    """
    known = {label: position for position, label in enumerate(labels)}
    names = [*labels, *sorted(set(truth) - known.keys())]
    positions = {label: position for position, label in enumerate(names)}
    expected = np.array([positions[label] for label in truth], dtype=np.int64)
    predicted: Ids = scores.argmax(axis=1)
    is_right = predicted == expected
    correct = int(is_right.sum())
    reports, confusion = _label_metrics(expected, predicted, names)
    f1_scores = [report.f1 for report in reports if report.f1 is not None]
    return ClassificationMetrics(
        correct=correct,
        total=len(truth),
        accuracy_interval=wilson_interval(correct, len(truth)),
        macro_f1=float(np.mean(f1_scores)),
        labels=reports,
        confusion_matrix=ConfusionMatrix(tuple(names), confusion),
        calibration=compute_calibration(scores.max(axis=1), is_right),
    )


def compute_calibration(best_scores: Floats, is_right: Bools) -> Calibration:
    """Compute the expected calibration error with bins of equal width (Naeini et al. 2015).

    Args:
        best_scores: The score of each row's predicted label, in [0, 1]; shape [rows], float32.
        is_right: Whether the prediction is the row's label; shape [rows], bool; at least one row.
    """
    edges = np.arange(NUM_BINS + 1) / NUM_BINS
    rows, sums, hits = np.zeros(NUM_BINS, np.int64), np.zeros(NUM_BINS), np.zeros(NUM_BINS)
    for start in range(0, len(best_scores), _BLOCK_SCORES):
        scores = best_scores[start : start + _BLOCK_SCORES].astype(np.float64)
        # Each bin holds its upper edge; the first one its lower edge too.
        indices = np.clip(np.searchsorted(edges, scores, side="left") - 1, 0, NUM_BINS - 1)
        rows += np.bincount(indices, minlength=NUM_BINS)
        sums += np.bincount(indices, weights=scores, minlength=NUM_BINS)
        hits += np.bincount(indices, weights=is_right[start : start + _BLOCK_SCORES], minlength=NUM_BINS)
    bins = tuple(
        ReliabilityBin(
            low=float(edges[index]),
            high=float(edges[index + 1]),
            rows=int(rows[index]),
            mean_score=float(sums[index] / rows[index]),
            accuracy=float(hits[index] / rows[index]),
        )
        for index in np.flatnonzero(rows)
    )
    return Calibration(float(np.abs(hits - sums).sum() / len(best_scores)), bins)


def find_misclassified(scores: Floats, rows: Sequence[Row], labels: Sequence[str]) -> tuple[Misclassified, ...]:
    """Return the misclassified rows, those with the highest score first.

    Args:
        scores: Each label's score for each row, shape [rows, labels], float32.
        rows: The rows.
        labels: The classifier's labels, in the order of the scores.
    """
    predicted, best = scores.argmax(axis=1), scores.max(axis=1)
    wrong = (
        Misclassified(number, row.text, row.label, labels[predicted[number]], float(best[number]))
        for number, row in enumerate(rows)
        if labels[predicted[number]] != row.label
    )
    return tuple(sorted(wrong, key=lambda each: (-each.score, each.row)))


def majority_baseline(truth: Sequence[str]) -> MajorityBaseline:
    """Return the accuracy of always predicting the most frequent label.

    Args:
        truth: The rows' labels, at least one.
    """
    counts = Counter(truth)
    label = min(counts, key=lambda each: (-counts[each], each))
    return MajorityBaseline(label, counts[label] / len(truth))


def choose_threshold(best_scores: Floats, is_right: Bools, target_precision: float) -> tuple[float, int, int] | None:
    """Choose the lowest score threshold at which predictions reach a target precision.

    The same rows choose the threshold and measure its precision, so that is slightly optimistic, the more so the fewer
    rows there are.

    Args:
        best_scores: The score of each row's predicted label, shape [rows], float32.
        is_right: Whether the prediction is the row's label, shape [rows], bool.
        target_precision: The fraction of correct predictions at or above the threshold, in [0, 1].

    Returns:
        The threshold, the number of correct predictions at or above it, and the number of predictions there; ``None``
        where no threshold reaches the target. It lies between two neighbouring scores (:func:`midpoint`); where it
        admits every row, it is 0.
    """
    cuts = _cut_points(best_scores, is_right)
    # A division, not a product: 9 / 10 is the same float as 0.9, while 0.9 * 10 may be more than 9.
    reaches = np.flatnonzero(cuts.correct / cuts.answered >= target_precision)
    return cuts.at(int(reaches[-1])) if len(reaches) else None


def choose_best_f1(scores: Floats, has_label: Bools) -> tuple[float, int, int]:
    """Choose the threshold of one label with the best F1, of equals the highest.

    The same rows choose the threshold and measure its F1, which is slightly optimistic, as of :func:`choose_threshold`.

    Args:
        scores: The label's score for each row, shape [rows], float32.
        has_label: Whether the row has the label, shape [rows], bool; one at least has it.

    Returns:
        As :func:`choose_threshold`: the threshold, how many of the rows that reach it have the label, and how many
        reach it.
    """
    cuts = _cut_points(scores, has_label)
    return cuts.at(int((cuts.correct / (cuts.answered + has_label.sum())).argmax()))


def choose_by_recall(scores: Floats, has_label: Bools, target_recall: float) -> tuple[float, int, int]:
    """Choose the highest threshold of one label at which so many of the rows that have it reach it.

    The same rows choose the threshold and measure its recall, which is slightly optimistic, as of
    :func:`choose_threshold`.

    Args:
        scores: The label's score for each row, shape [rows], float32.
        has_label: Whether the row has the label, shape [rows], bool; one at least has it.
        target_recall: The fraction of the rows that have the label, in [0, 1].

    Returns:
        As :func:`choose_best_f1`. The lowest threshold reaches every target.
    """
    cuts = _cut_points(scores, has_label)
    return cuts.at(int((cuts.correct / has_label.sum() >= target_recall).argmax()))


@dataclass(frozen=True, slots=True, eq=False)
class _CutPoints:
    """The different thresholds on some rows, the highest first. Made by :func:`_cut_points`.

    Args:
        lowest: The lowest score that reaches each of them; shape [n], float64.
        below: The highest score that does not; 0 where each does; shape [n], float64.
        correct: How many rows that reach it are right; shape [n], int64.
        answered: How many rows reach it, at least 1; shape [n], int64.
    """

    lowest: npt.NDArray[np.float64]
    below: npt.NDArray[np.float64]
    correct: Ids
    answered: Ids

    def at(self, index: int) -> tuple[float, int, int]:
        """Return a threshold, and what is right and answered there."""
        is_last = index == len(self.lowest) - 1
        bound = 0.0 if is_last else midpoint(float(self.below[index]), float(self.lowest[index]))
        return bound, int(self.correct[index]), int(self.answered[index])


def _cut_points(scores: Floats, is_right: Bools) -> _CutPoints:
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order].astype(np.float64)  # halfway between two neighbours of float32 there is a float64
    # Equal scores are admitted together or not at all.
    last_of_equals = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True)[: len(ranked)])
    below = np.append(ranked[1:], 0.0)[: len(ranked)]
    correct: Ids = np.cumsum(is_right[order], dtype=np.int64)
    return _CutPoints(ranked[last_of_equals], below[last_of_equals], correct[last_of_equals], last_of_equals + 1)


def _label_metrics(
    expected: Ids, predicted: Ids, names: Sequence[str]
) -> tuple[tuple[LabelReport, ...], tuple[tuple[int, ...], ...]]:
    """Return a report for each label, and the confusion matrix; ``names`` are the labels by their numbers."""
    from sklearn.metrics import confusion_matrix, precision_recall_fscore_support  # as with scipy above

    indices = np.arange(len(names))
    confusion = confusion_matrix(expected, predicted, labels=indices)
    precisions, recalls, f1s, totals = precision_recall_fscore_support(
        expected, predicted, labels=indices, zero_division=0.0
    )
    given = confusion.sum(axis=0)
    reports = tuple(
        LabelReport(
            label=name,
            correct=int(confusion[index, index]),
            total=int(totals[index]),
            predicted=int(given[index]),
            precision=float(precisions[index]) if given[index] else None,
            recall=float(recalls[index]) if totals[index] else None,
            f1=float(f1s[index]) if totals[index] or given[index] else None,
        )
        for index, name in enumerate(names)
    )
    return reports, tuple(map(tuple, confusion.tolist()))
