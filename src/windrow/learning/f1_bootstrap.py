"""Draw rows with label sets anew, for the intervals of F1 scores and of their differences."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from windrow.arrays import Bools
from windrow.domain.interval import CONFIDENCE, Interval

Doubles = npt.NDArray[np.float64]

NUM_RESAMPLES: Final = 2_000
_SEED: Final = 0
# Counts that are in memory at the same time: 16 MB.
_BLOCK_COUNTS: Final = 2_000_000


@dataclass(frozen=True, slots=True, eq=False)
class ResampledF1:
    """The F1 scores of one classifier on rows drawn anew; NaN where a draw has no label at all.

    Args:
        micro: F1 over all decisions; shape [resamples], float64.
        macro: Mean F1 of the labels that rows have or were given; shape [resamples], float64.
    """

    micro: Doubles
    macro: Doubles


def resample_f1(truth: Bools, given: Sequence[Bools]) -> tuple[ResampledF1, ...]:
    """Return the F1 scores of several classifiers on the same resamples of the same rows.

    Rows that are alike in all labels, given and right, are drawn as one multinomial count, so that the cost follows the
    number of different rows. The draws are the same each time.

    Args:
        truth: Each row's labels, shape [rows, labels]; at least one row and one label of a row.
        given: The labels that each classifier gives to each row, each of shape [rows, labels].

    Returns:
        One for each classifier.
    """
    packed = np.concatenate([np.packbits(each, axis=1) for each in (truth, *given)], axis=1)
    _, firsts, counts = np.unique(packed, axis=0, return_index=True, return_counts=True)
    judged = [_JudgedRows.of(truth[firsts], each[firsts]) for each in given]
    generator, shares = np.random.default_rng(_SEED), counts / len(truth)
    block, parts = max(1, _BLOCK_COUNTS // len(firsts)), []
    for start in range(0, NUM_RESAMPLES, block):
        drawn = generator.multinomial(len(truth), shares, size=min(block, NUM_RESAMPLES - start))
        parts.append([each.f1_scores(drawn.astype(np.float64)) for each in judged])
    return tuple(
        ResampledF1(*(np.concatenate(column) for column in zip(*own, strict=True))) for own in zip(*parts, strict=True)
    )


def interval_of(resampled: Doubles) -> Interval:
    """Return the percentile interval of resampled values; 0 to 0 where none of them is a number."""
    if np.isnan(resampled).all():
        return Interval(0.0, 0.0)
    tail = (1 - CONFIDENCE) / 2
    low, high = np.nanquantile(resampled, [tail, 1 - tail])
    return Interval(float(low), float(high))


@dataclass(frozen=True, slots=True, eq=False)
class _JudgedRows:
    """Different rows as sparse matrices of shape [rows, labels].

    Args:
        right: 1 where a label is given rightly.
        stated: 1 where a row has a label or is given it, 2 where both.
    """

    right: Any
    stated: Any

    @classmethod
    def of(cls, truth: Bools, given: Bools) -> "_JudgedRows":
        """Return them for what rows have and are given."""
        from scipy.sparse import csr_array  # a server loads it with the first evaluation, not when it starts

        return cls(csr_array((truth & given).astype(np.float64)), csr_array(truth.astype(np.float64) + given))

    def f1_scores(self, drawn: Doubles) -> tuple[Doubles, Doubles]:
        """Return micro and macro F1 for how often each row was drawn, shape [resamples, rows]."""
        right, stated = drawn @ self.right, drawn @ self.stated
        with np.errstate(invalid="ignore", divide="ignore"):
            micro = 2 * right.sum(axis=1) / stated.sum(axis=1)
            f1 = np.where(stated > 0, 2 * right / stated, 0.0)
            macro = f1.sum(axis=1) / (stated > 0).sum(axis=1)
        return micro, macro
