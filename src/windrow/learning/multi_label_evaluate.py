"""Compute quality metrics from a multi-label classifier's scores for rows with label sets."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from windrow.arrays import Bools, Floats, Ids
from windrow.domain.interval import wilson_interval
from windrow.domain.multi_label import MultiLabelRow
from windrow.domain.multi_label_report import (
    ConfusedLabels,
    MisclassifiedSet,
    MissedTogether,
    MultiLabelBaseline,
    MultiLabelMetrics,
    ProposedLabelThreshold,
)
from windrow.domain.report import LabelReport
from windrow.learning.evaluate import choose_best_f1, choose_by_recall, choose_threshold, compute_calibration
from windrow.learning.f1_bootstrap import interval_of, resample_f1
from windrow.learning.midpoint import midpoint

MAX_PAIRS: Final = 100
_LEAST_THRESHOLD: Final = 1e-9
# Rows whose logarithms are in memory at the same time.
_BLOCK_ROWS: Final = 10_000


@dataclass(frozen=True, slots=True, eq=False)
class Decisions:
    """What a classifier decided about each label of each row, beside what is right. Made by :func:`decisions_of`.

    Args:
        names: The classifier's labels in their order, then those of the rows that it does not know, sorted.
        known: How many of them the classifier knows.
        truth: The labels that each row has; shape [rows, names].
        given: The labels that it is given; shape [rows, names], never true for an unknown one.
        scores: Each label's score; shape [rows, names], float32, in [0, 1], 0 for an unknown one.
    """

    names: tuple[str, ...]
    known: int
    truth: Bools
    given: Bools
    scores: Floats

    @property
    def is_right(self) -> Bools:
        """Whether each row is given its labels and no other one; shape [rows]."""
        right: Bools = (self.truth == self.given).all(axis=1)
        return right


def decisions_of(rows: Sequence[MultiLabelRow], labels: Sequence[str], scores: Floats, given: Bools) -> Decisions:
    """Return what a classifier decided about rows.

    Args:
        rows: At least one.
        labels: The classifier's labels, in the order of the scores.
        scores: Each label's score for each row; shape [rows, labels], float32, in [0, 1].
        given: Whether the row is given the label; shape [rows, labels].
    """
    unknown = sorted({label for row in rows for label in row.labels} - set(labels))
    names = (*labels, *unknown)
    positions = {name: position for position, name in enumerate(names)}
    truth = np.zeros((len(rows), len(names)), np.bool_)
    for number, row in enumerate(rows):
        truth[number, [positions[label] for label in row.labels]] = True
    more = ((0, 0), (0, len(unknown)))
    return Decisions(names, len(labels), truth, np.pad(given, more), np.pad(scores, more))


def compute_multi_label_metrics(decisions: Decisions) -> MultiLabelMetrics:
    """Compute a classifier's metrics on rows with label sets, of which one at least has a label.

    Args:
        decisions: What it decided about them.
    """
    from sklearn.metrics import label_ranking_average_precision_score  # loaded with the first evaluation

    truth, given, own = decisions.truth, decisions.given, slice(decisions.known)
    right, rows = truth & given, len(truth)
    hits, totals, predicted = right.sum(axis=0), truth.sum(axis=0), given.sum(axis=0)
    reports = tuple(map(_label_report, decisions.names, hits.tolist(), totals.tolist(), predicted.tolist()))
    counted = [each for each in reports if each.f1 is not None]
    correct, (resampled,) = int(decisions.is_right.sum()), resample_f1(truth, (given,))
    missed, wrong = truth & ~given, given & ~truth
    return MultiLabelMetrics(
        correct=correct,
        total=rows,
        accuracy_interval=wilson_interval(correct, rows),
        micro_precision=_share(int(hits.sum()), int(predicted.sum())),
        micro_recall=_share(int(hits.sum()), int(totals.sum())),
        micro_f1=float(2 * hits.sum() / (totals.sum() + predicted.sum())),
        micro_f1_interval=interval_of(resampled.micro),
        macro_precision=float(np.mean([each.precision or 0.0 for each in counted])),
        macro_recall=float(np.mean([each.recall or 0.0 for each in counted])),
        macro_f1=float(np.mean([each.f1 for each in counted if each.f1 is not None])),
        macro_f1_interval=interval_of(resampled.macro),
        hamming_loss=float((truth != given).mean()),
        label_ranking_average_precision=float(label_ranking_average_precision_score(truth, decisions.scores)),
        log_loss=_log_loss(decisions.scores[:, own], truth[:, own]),
        labels=reports,
        calibration=compute_calibration(decisions.scores[:, own].ravel(), truth[:, own].ravel()),
        confused_labels=tuple(_confused_labels(missed, wrong, decisions.names)),
        missed_together=tuple(_missed_together(missed, decisions.names)),
    )


def find_misclassified_sets(decisions: Decisions, rows: Sequence[MultiLabelRow]) -> tuple[MisclassifiedSet, ...]:
    """Return the misclassified rows, those first whose wrong decision was the most confident one.

    A label given wrongly is as confident as its score, one that was missed as 1 less its score; one that is unknown to
    the classifier does not count.

    Args:
        decisions: What a classifier decided about the rows.
        rows: The rows.
    """
    wrong, scores, known = decisions.truth != decisions.given, decisions.scores, decisions.known
    confidence = np.where(wrong, np.where(decisions.given, scores, 1 - scores), 0.0)[:, :known].max(axis=1)
    numbers = np.flatnonzero(wrong.any(axis=1))
    return tuple(
        MisclassifiedSet(
            row=number,
            text=rows[number].text,
            labels=tuple(sorted(rows[number].labels)),
            predicted=_named(decisions, decisions.given[number]),
            scores={decisions.names[at]: float(scores[number, at]) for at in np.flatnonzero(wrong[number])},
        )
        for number in numbers[np.argsort(-confidence[numbers], kind="stable")].tolist()
    )


def propose_label_thresholds(
    decisions: Decisions, target_precision: float | None, target_recall: float | None = None
) -> list[ProposedLabelThreshold]:
    """Return a threshold for each label that the classifier knows and rows have, in the order of the labels.

    Args:
        decisions: What the classifier decided about the rows; only its scores count here.
        target_precision: The least precision, for which the lowest threshold is chosen; ``None`` for none.
        target_recall: The least recall, for which the highest threshold is chosen; ``None`` for none. Without either of
            both, the threshold with the best F1 is chosen.

    Returns:
        The thresholds; none for a label of which no threshold reaches the precision.
    """
    proposed = []
    for at in range(decisions.known):
        scores, has_label = decisions.scores[:, at], decisions.truth[:, at]
        if not has_label.any():
            continue
        chosen: tuple[float, int, int] | None
        if target_precision is not None:
            chosen = choose_threshold(scores, has_label, target_precision)
        elif target_recall is not None:
            chosen = choose_by_recall(scores, has_label, target_recall)
        else:
            chosen = choose_best_f1(scores, has_label)
        if chosen is not None:
            bound, correct, predicted = chosen
            # A label's threshold lies above 0, also where all rows are given it.
            bound = bound or max(midpoint(0.0, float(scores.min())), _LEAST_THRESHOLD)
            proposed.append(
                ProposedLabelThreshold(decisions.names[at], bound, correct, predicted, total=int(has_label.sum()))
            )
    return proposed


def given_sets(decisions: Decisions) -> list[tuple[str, ...]]:
    """Return the labels that each row is given, sorted."""
    return [_named(decisions, own) for own in decisions.given]


def most_frequent_set(rows: Sequence[MultiLabelRow]) -> MultiLabelBaseline:
    """Return what always giving the most frequent set of labels gets right.

    Args:
        rows: At least one, of which one has a label.
    """
    sets = [tuple(sorted(row.labels)) for row in rows]
    counts = Counter(sets)
    chosen = min(counts, key=lambda each: (-counts[each], each))
    right = sum(len(set(chosen) & set(own)) for own in sets)
    f1 = 2 * right / (len(chosen) * len(sets) + sum(map(len, sets)))
    return MultiLabelBaseline(chosen, counts[chosen] / len(sets), f1)


def _named(decisions: Decisions, given: Bools) -> tuple[str, ...]:
    return tuple(sorted(decisions.names[at] for at in np.flatnonzero(given)))


def _label_report(label: str, correct: int, total: int, predicted: int) -> LabelReport:
    return LabelReport(
        label=label,
        correct=correct,
        total=total,
        predicted=predicted,
        precision=_share(correct, predicted),
        recall=_share(correct, total),
        f1=_share(2 * correct, total + predicted),
    )


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _log_loss(scores: Floats, truth: Bools) -> float:
    """Return the mean cross-entropy of decisions, in nats.

    That of scikit-learn would hold several copies of all scores, which are 100,000 x 1,000 at the most.
    """
    least = np.finfo(np.float32).eps  # as scikit-learn clips scores of float32
    total = 0.0
    for start in range(0, len(scores), _BLOCK_ROWS):
        part, own = scores[start : start + _BLOCK_ROWS].astype(np.float64), truth[start : start + _BLOCK_ROWS]
        total -= float(np.log(np.where(own, part, 1 - part).clip(least, 1 - least)).sum())
    return total / scores.size


def _confused_labels(missed: Bools, wrong: Bools, names: Sequence[str]) -> Iterator[ConfusedLabels]:
    for label, given, rows in _frequent_pairs(missed, wrong):
        yield ConfusedLabels(names[label], names[given], rows)


def _missed_together(missed: Bools, names: Sequence[str]) -> Iterator[MissedTogether]:
    for first, second, rows in _frequent_pairs(missed, missed):
        yield MissedTogether((names[first], names[second]), rows)


def _frequent_pairs(first: Bools, second: Bools) -> Iterator[tuple[int, int, int]]:
    """Yield pairs of labels with the number of rows that have one in each array, the most frequent first.

    Args:
        first: Shape [rows, labels].
        second: Shape [rows, labels]; where it is the same array, each pair comes once, the earlier label first.
    """
    from scipy.sparse import coo_array, csr_array, triu

    counts = coo_array(csr_array(first.T.astype(np.int64)) @ csr_array(second.astype(np.int64)))
    if first is second:
        counts = coo_array(triu(counts, k=1))
    order: Ids = np.lexsort((counts.col, counts.row, -counts.data))[:MAX_PAIRS]
    yield from zip(counts.row[order].tolist(), counts.col[order].tolist(), counts.data[order].tolist(), strict=True)
