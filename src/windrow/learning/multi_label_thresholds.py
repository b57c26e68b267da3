"""Choose for each label the probability from which on a text is given it."""

import numpy as np
import numpy.typing as npt

from windrow.arrays import Bools, Floats

# Where no row could be held out.
PRIOR_THRESHOLD = 0.5
# All labels together count for so many rows of each label. Measured with 8 rows of a label: thresholds of its own do no
# better than one of all labels, and with 8 rows in place of 32 macro F1 is 1 point lower.
PSEUDO_ROWS = 32.0
# A usual threshold counts for so many labels that held-out rows have. Source: docs/adr/0044, measured.
USUAL_GIVEN_LABELS = 200.0
# Thresholds are hundredths, which people can read, and lie strictly between 0 and 1.
_STEPS = 100

_Exact = npt.NDArray[np.float64]


def choose_thresholds(
    probabilities: Floats, sets: Bools, pseudo_rows: float = PSEUDO_ROWS, usual_threshold: float | None = None
) -> _Exact:
    """Return for each label the threshold with the best F1 on held-out rows, drawn towards that of all labels.

    To each label's own decisions, those of all labels are added as if they were so many rows more that have it. Where a
    threshold is usual, the outcome is drawn towards it: the best one of a few rows is mostly chance.

    Args:
        probabilities: Calibrated probabilities; shape [m, labels], float32, in [0, 1].
        sets: The rows' label sets; shape [m, labels].
        pseudo_rows: How many rows of a label all labels together count for; 0 for each label's own threshold.
        usual_threshold: The threshold that is best for such trainings in the mean, in (0, 1); ``None`` where none is
            known, since their probabilities differ too much.

    Returns:
        Shape [labels], float64, hundredths from 0.01 to 0.99; where nothing is known, the usual one or
            ``PRIOR_THRESHOLD``.
    """
    hits, given = _counts_above(probabilities, sets), _counts_above(probabilities, np.ones_like(sets))
    totals = sets.sum(axis=0).astype(np.float64)
    if totals.any():
        weight = pseudo_rows / totals.sum()
        hits, given = hits + weight * hits.sum(axis=1)[:, None], given + weight * given.sum(axis=1)[:, None]
        totals = totals + pseudo_rows
    f1 = 2 * hits / np.maximum(totals + given, 1e-12)
    # The middle one of equals keeps the same distance from the probabilities on both sides.
    is_best = f1 >= f1.max(axis=0) - 1e-12
    ranks = is_best.cumsum(axis=0)
    middle = (ranks == (ranks[-1] + 1) // 2).argmax(axis=0)
    thresholds: _Exact = np.where(f1.max(axis=0) > 0, (middle + 1) / _STEPS, usual_threshold or PRIOR_THRESHOLD)
    if usual_threshold is None:
        return thresholds
    share = USUAL_GIVEN_LABELS / (USUAL_GIVEN_LABELS + int(sets.sum()))
    drawn: _Exact = np.round((1 - share) * thresholds + share * usual_threshold, 2)
    return drawn


def _counts_above(probabilities: Floats, counted: Bools) -> _Exact:
    """Return how many counted rows reach each threshold, for each label; shape [thresholds, labels]."""
    labels = counted.shape[1]
    # A probability reaches a threshold that equals it, as where texts are classified.
    reached = np.searchsorted(np.arange(1, _STEPS) / _STEPS, probabilities, side="right")
    cells = (reached * labels + np.arange(labels))[counted]
    counts = np.bincount(cells, minlength=_STEPS * labels).reshape(_STEPS, labels)
    return counts[::-1].cumsum(axis=0)[::-1][1:].astype(np.float64)
