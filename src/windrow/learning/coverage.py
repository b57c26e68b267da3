"""Compute how many rows a classifier answers above each score, and how many of those answers are wrong."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from windrow.arrays import Bools, Floats
from windrow.domain.interval import wilson_interval
from windrow.domain.report import CoveragePoint
from windrow.learning.midpoint import midpoint

# Round thresholds are always among the points, so that nobody has to look between two of them.
ROUND_THRESHOLDS: Final = tuple(number / 20 for number in range(21))
# With the round ones, about 200 in all: a curve needs no more, and a reply stays small.
MAX_CHANGES: Final = 180


def compute_coverage(best_scores: Floats, is_right: Bools, also: Sequence[float] = ()) -> tuple[CoveragePoint, ...]:
    """Compute what each threshold would answer, and how much of that is wrong.

    A row is answered where its best score is not below the threshold: the rule of predictions, and of
    :func:`windrow.learning.evaluate.choose_threshold`, whose thresholds these are. They lie between two
    neighbouring scores (:func:`midpoint`); above ``MAX_CHANGES`` of them, some are left out, evenly by their order.

    Args:
        best_scores: The score of each row's predicted label, in [0, 1]; shape [rows], float32; at least one row.
        is_right: Whether the prediction is the row's label; shape [rows], bool.
        also: Thresholds in [0, 1] that are among the points in any case.

    Returns:
        Points with ascending thresholds, the first at 0, where every row is answered, and the last at 1.
    """
    # Predictions compare as float64, and halfway between two neighbours of float32 there is a float64.
    order = np.argsort(best_scores, kind="stable")
    ranked = best_scores[order].astype(np.float64)
    wrong_from = np.append(np.cumsum(~is_right[order][::-1])[::-1], 0)
    distinct = np.unique(ranked)
    gaps = np.arange(len(distinct) - 1)
    if len(gaps) > MAX_CHANGES:
        gaps = np.linspace(0, len(gaps) - 1, MAX_CHANGES).round().astype(np.int64)
    changes = [midpoint(*pair) for pair in zip(distinct[gaps].tolist(), distinct[gaps + 1].tolist(), strict=True)]
    thresholds = np.unique(np.concatenate((changes, ROUND_THRESHOLDS, np.array(also, np.float64))))
    below = np.searchsorted(ranked, thresholds, side="left")
    return tuple(
        _point(float(threshold), len(ranked) - int(first), int(wrong_from[first]), len(ranked))
        for threshold, first in zip(thresholds, below, strict=True)
    )


def _point(threshold: float, answered: int, wrong: int, total: int) -> CoveragePoint:
    return CoveragePoint(
        threshold=threshold,
        answered=answered,
        wrong=wrong,
        share=answered / total,
        error=wrong / answered if answered else None,
        error_interval=wilson_interval(wrong, answered) if answered else None,
    )
