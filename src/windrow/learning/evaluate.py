"""Judging: what a classifier's scores for labelled rows are worth."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from windrow.arrays import Bools, Floats, Ids
from windrow.domain.dataset import Row
from windrow.domain.interval import Interval
from windrow.domain.report import (
    Calibration,
    ConfusionMatrix,
    LabelReport,
    MajorityBaseline,
    Misread,
    Outcome,
    ReliabilityBin,
)

CONFIDENCE = 0.95
NUM_BINS = 15


def wilson(correct: int, total: int) -> Interval:
    """Return where the share of right answers lies, judged by some of them (Wilson's interval of 95 %).

    Args:
        correct: Right answers, at most ``total``.
        total: Answers, at least 1.
    """
    from scipy.stats import binomtest  # a server loads it with the first report, not when it starts

    found = binomtest(correct, total).proportion_ci(CONFIDENCE, method="wilson")
    return Interval(float(found.low), float(found.high))


def judge(scores: Floats, truth: Sequence[str], labels: Sequence[str]) -> Outcome:
    """Judge a classifier by what it answers for labelled rows.

    Args:
        scores: Each label's score for each row, shape [rows, labels], float32; at least one row.
        truth: The rows' labels; one that the classifier does not know is a row that it places wrong.
        labels: The classifier's labels, in the order of the scores.
    """
    known = {label: position for position, label in enumerate(labels)}
    names = [*labels, *sorted(set(truth) - known.keys())]
    positions = {label: position for position, label in enumerate(names)}
    expected = np.array([positions[label] for label in truth], dtype=np.int64)
    predicted: Ids = scores.argmax(axis=1)
    is_right = predicted == expected
    correct = int(is_right.sum())
    reports, confusion = _judge_labels(expected, predicted, names)
    judged = [report.f1 for report in reports if report.f1 is not None]
    return Outcome(
        correct=correct,
        total=len(truth),
        accuracy_interval=wilson(correct, len(truth)),
        macro_f1=float(np.mean(judged)),
        labels=reports,
        confusion_matrix=ConfusionMatrix(tuple(names), confusion),
        calibration=calibration_of(scores.max(axis=1), is_right),
    )


def calibration_of(best_scores: Floats, is_right: Bools) -> Calibration:
    """Compare what scores say with how often they are right, in bins of equal width (Naeini et al. 2015).

    Args:
        best_scores: The score of the label that each row was given, in [0, 1]; shape [rows], float32.
        is_right: Whether it is the row's label; shape [rows], bool; at least one row.
    """
    edges = np.arange(NUM_BINS + 1) / NUM_BINS
    scores = best_scores.astype(np.float64)
    # Each bin holds its upper edge; the first one its lower edge too.
    places = np.clip(np.searchsorted(edges, scores, side="left") - 1, 0, NUM_BINS - 1)
    rows = np.bincount(places, minlength=NUM_BINS)
    sums = np.bincount(places, weights=scores, minlength=NUM_BINS)
    hits = np.bincount(places, weights=is_right, minlength=NUM_BINS)
    bins = tuple(
        ReliabilityBin(
            low=float(edges[place]),
            high=float(edges[place + 1]),
            rows=int(rows[place]),
            mean_score=float(sums[place] / rows[place]),
            accuracy=float(hits[place] / rows[place]),
        )
        for place in np.flatnonzero(rows)
    )
    return Calibration(float(np.abs(hits - sums).sum() / len(scores)), bins)


def misread(scores: Floats, rows: Sequence[Row], labels: Sequence[str]) -> tuple[Misread, ...]:
    """Return the rows that were placed wrong, those with the highest score first.

    Args:
        scores: Each label's score for each row, shape [rows, labels], float32.
        rows: The rows.
        labels: The classifier's labels, in the order of the scores.
    """
    predicted, best = scores.argmax(axis=1), scores.max(axis=1)
    wrong = (
        Misread(number, row.text, row.label, labels[predicted[number]], float(best[number]))
        for number, row in enumerate(rows)
        if labels[predicted[number]] != row.label
    )
    return tuple(sorted(wrong, key=lambda each: (-each.score, each.row)))


def majority(truth: Sequence[str]) -> MajorityBaseline:
    """Return what one would get right by always giving the most frequent label.

    Args:
        truth: The rows' labels, at least one.
    """
    counts = Counter(truth)
    label = min(counts, key=lambda each: (-counts[each], each))
    return MajorityBaseline(label, counts[label] / len(truth))


def choose_threshold(best_scores: Floats, is_right: Bools, target_precision: float) -> tuple[float, int, int] | None:
    """Choose the bound below which answers are too seldom right, as low as it may be.

    The rows that choose it also say how good it is, so it flatters itself a little; more so the fewer they are.

    Args:
        best_scores: The score of the label that each row was given, shape [rows], float32.
        is_right: Whether it is the row's label, shape [rows], bool.
        target_precision: Share of right answers among those that are given, in [0, 1].

    Returns:
        The bound, how many answers that reach it are right, and how many reach it; ``None`` where no score has enough
        right answers above it. It lies halfway between the lowest score that reaches it and the next one below, since
        the last bits of a score hang on the other texts of its batch; where every row is answered, it is 0.
    """
    order = np.argsort(-best_scores, kind="stable")
    ranked = best_scores[order].astype(np.float64)  # halfway between two neighbours of float32 there is a float64
    correct = np.cumsum(is_right[order])
    answered = np.arange(1, len(ranked) + 1)
    # Equal scores are answered together or not at all.
    is_last_of_equals = np.append(ranked[1:] != ranked[:-1], True)[: len(ranked)]
    # A division, not a product: 9 / 10 is the same float as 0.9, while 0.9 * 10 may be more than 9.
    reaches = np.flatnonzero(is_last_of_equals & (correct / answered >= target_precision))
    if not len(reaches):
        return None
    lowest = reaches[-1]
    bound = float(ranked[lowest] + ranked[lowest + 1]) / 2 if lowest + 1 < len(ranked) else 0.0
    return bound, int(correct[lowest]), int(answered[lowest])


def _judge_labels(
    expected: Ids, predicted: Ids, names: Sequence[str]
) -> tuple[tuple[LabelReport, ...], tuple[tuple[int, ...], ...]]:
    """Return a report of each label and the confusion matrix; ``names`` says what each number stands for."""
    from sklearn.metrics import confusion_matrix, precision_recall_fscore_support  # as with scipy above

    places = np.arange(len(names))
    confusion = confusion_matrix(expected, predicted, labels=places)
    precisions, recalls, f1s, totals = precision_recall_fscore_support(
        expected, predicted, labels=places, zero_division=0.0
    )
    given = confusion.sum(axis=0)
    reports = tuple(
        LabelReport(
            label=name,
            correct=int(confusion[place, place]),
            total=int(totals[place]),
            predicted=int(given[place]),
            precision=float(precisions[place]) if given[place] else None,
            recall=float(recalls[place]) if totals[place] else None,
            f1=float(f1s[place]) if totals[place] or given[place] else None,
        )
        for place, name in enumerate(names)
    )
    return reports, tuple(map(tuple, confusion.tolist()))
