"""Compare two classifiers on the same rows: differences, and whether they are statistically significant."""

from collections.abc import Mapping, Sequence

import numpy as np

from windrow.arrays import Bools
from windrow.domain.comparison import MAX_ROWS_NEEDED, SIGNIFICANT_P, Disagreement, Pair
from windrow.domain.dataset import Row
from windrow.domain.interval import CONFIDENCE, Interval

NUM_RESAMPLES = 9_999
_SEED = 0
# For m discordant rows, p of the exact test falls below 0.05 at a surplus of 1.96 * sqrt(m) + 0.91 at the earliest and
# of 1.96 * sqrt(m) + 3 at the latest, for each m up to MAX_ROWS_NEEDED. In between, p is computed.
_NORMAL_95 = 1.959964
_EARLIEST, _LATEST = 0.91, 3.0


def compare_pair(names: tuple[str, str], first_right: Bools, second_right: Bools) -> Pair:
    """Compare two classifiers on the same rows.

    Args:
        names: The names of the two.
        first_right: Whether the first classifies each row correctly; shape [rows], bool; at least one row.
        second_right: The same for the second; shape [rows], bool.
    """
    total = len(first_right)
    fixed, broken = int((second_right & ~first_right).sum()), int((first_right & ~second_right).sum())
    p_value = _mcnemar(fixed, broken)
    return Pair(
        first=names[0],
        second=names[1],
        fixed=fixed,
        broken=broken,
        p_value=p_value,
        difference=(fixed - broken) / total,
        difference_interval=_bootstrap(fixed, broken, total),
        rows_needed=None if p_value < SIGNIFICANT_P else rows_needed(fixed, broken, total),
        total=total,
    )


def rows_needed(fixed: int, broken: int, total: int) -> int | None:
    """Return how many rows would make a difference significant that these rows do not show.

    Args:
        fixed: Rows that only the second classifies correctly.
        broken: Rows that only the first classifies correctly; together with ``fixed``, too few for significance.
        total: Rows, at least 1.

    Returns:
        The smallest number above ``total`` at which the same rates of fixed and broken rows, rounded half up, bring the
        exact McNemar test below ``SIGNIFICANT_P``; ``None`` where ``fixed`` equals ``broken``, or where more than
        ``MAX_ROWS_NEEDED`` would be needed.
    """
    if fixed == broken:
        return None
    from scipy.special import bdtr  # a server loads it with the first comparison, not when it starts

    more, less = max(fixed, broken), min(fixed, broken)
    # p falls only where the larger of the two counts grows by one, so only these numbers of rows are candidates.
    wins = np.arange(1, MAX_ROWS_NEEDED * more // total + 2, dtype=np.int64)
    totals = -((1 - 2 * wins) * total // (2 * more))
    within = (totals > total) & (totals <= MAX_ROWS_NEEDED)
    wins, totals = wins[within], totals[within]
    losses = (2 * less * totals + total) // (2 * total)
    surplus = wins - losses - _NORMAL_95 * np.sqrt(wins + losses)
    candidates = np.flatnonzero(surplus >= _EARLIEST)
    # A surplus of _LATEST is always enough, so the first such candidate is the last one to test.
    candidates = candidates[: np.append(np.flatnonzero(surplus[candidates] >= _LATEST), len(candidates))[0] + 1]
    p_values = 2 * bdtr(losses[candidates], wins[candidates] + losses[candidates], 0.5)
    enough = totals[candidates[p_values < SIGNIFICANT_P]]
    return int(enough[0]) if len(enough) else None


def find_disagreements(rows: Sequence[Row], predicted: Mapping[str, Sequence[str]]) -> tuple[Disagreement, ...]:
    """Return the rows on which the classifiers disagree, in their order.

    Args:
        rows: The rows.
        predicted: Each classifier's label for each row, by the classifier's name.
    """
    answers = zip(*predicted.values(), strict=True)
    return tuple(
        Disagreement(number, row.text, row.label, dict(zip(predicted, given, strict=True)))
        for number, (row, given) in enumerate(zip(rows, answers, strict=True))
        if len(set(given)) > 1
    )


def _mcnemar(fixed: int, broken: int) -> float:
    """Return the two-sided p-value of the exact McNemar test."""
    if fixed + broken == 0:
        return 1.0
    from scipy.stats import binomtest  # as above

    return float(binomtest(fixed, fixed + broken, 0.5).pvalue)


def _bootstrap(fixed: int, broken: int, total: int) -> Interval:
    """Return the percentile bootstrap interval of the difference in accuracy.

    A row is fixed, broken, or neither, so drawing all rows anew is one draw of three counts (a multinomial): 190 pairs
    of 20 classifiers take about a second, whatever the number of rows.
    """
    shares = (fixed / total, broken / total, (total - fixed - broken) / total)
    drawn = np.random.default_rng(_SEED).multinomial(total, shares, size=NUM_RESAMPLES)
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile((drawn[:, 0] - drawn[:, 1]) / total, [tail, 1 - tail])
    return Interval(float(low), float(high))
