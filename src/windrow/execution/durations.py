"""Count how long something took, in buckets, for monitors."""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate
from typing import Final

from windrow.domain.server_stats import DurationStats

# From a free core to a queue that is about to refuse.
WAIT_BOUNDS_S: Final = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
# From a training of the head alone to one of many rows, or to a prediction of large files.
JOB_BOUNDS_S: Final = (0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1_800.0, 3_600.0, 14_400.0)


class DurationCounter:
    """Counts durations; whoever calls holds a lock of its own.

    Args:
        bounds_s: Upper bounds of the buckets, ascending, in seconds; what is longer counts only in the total.
    """

    def __init__(self, bounds_s: Sequence[float]) -> None:
        self._bounds_s = tuple(bounds_s)
        self._counts = [0] * (len(self._bounds_s) + 1)
        self._seconds = 0.0

    def add(self, seconds: float) -> None:
        """Count one; a clock that was set back counts as no time.

        Args:
            seconds: How long it took.
        """
        seconds = max(0.0, seconds)
        self._counts[bisect_left(self._bounds_s, seconds)] += 1
        self._seconds += seconds

    def stats(self) -> DurationStats:
        """Return what was counted since the start."""
        totals = tuple(accumulate(self._counts))
        return DurationStats(self._bounds_s, totals[:-1], totals[-1], self._seconds)
