"""Estimates how long a job still takes that works through rows, by those that it has done so far."""

import threading
import time
from collections.abc import Callable

from windrow.domain.job import Progress


class RowsEta:
    """Estimates the remaining time of a prediction of files; thread-safe.

    Rows of shards that an earlier run has left are done when it begins, and say nothing about how fast it is.

    Args:
        clock_s: A monotonic clock in seconds.
    """

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self._lock = threading.Lock()
        # Rows that were done, and when: at the first look while rows are predicted, and at the last change.
        self._first: tuple[int, float] | None = None
        self._last = (0, 0.0)

    def seconds_left(self, progress: Progress) -> float | None:
        """Return the remaining seconds at this progress, which may be an old one; ``None`` where none is known yet."""
        if progress.stage != "predicting":
            return None
        now_s = self._clock_s()
        with self._lock:
            self._first = self._first or (progress.step, now_s)
            if progress.step != self._last[0]:
                self._last = (progress.step, now_s)
            (first, first_s), (last, last_s) = self._first, self._last
        if last <= first or not progress.num_steps:
            return None
        row_s = (last_s - first_s) / (last - first)
        return max(0.0, row_s * (progress.num_steps - last) - (now_s - last_s))

    def end(self) -> None:
        """Learn nothing: files differ more than runs do."""
