"""Measure what the data directory holds now and then, in a thread, for monitors, who must not wait for a disk."""

import logging
import math
import threading
import time
from collections.abc import Callable
from typing import Final

from windrow.domain.clock import utc_now
from windrow.domain.errors import WindrowError
from windrow.domain.server_stats import StorageStats
from windrow.domain.usage import Usage

# A folder of 10,000 classifiers takes a second or two.
MEASURE_INTERVAL_S: Final = 60.0
# Of an object store all objects are listed, which costs a request for each 1,000 of them.
STORE_MEASURE_INTERVAL_S: Final = 3_600.0
# However much there is to measure, it takes at most this share of the time.
_MAX_SHARE: Final = 0.01
_log = logging.getLogger("windrow.execution")


class StorageMeter:
    """Measures a data directory for whoever asks, and not at all where nobody does; thread-safe.

    Args:
        measure: Returns what everything takes.
        interval_s: The least time between two measurements, in seconds.
        clock_s: A clock that never goes back, in seconds.
    """

    def __init__(
        self, measure: Callable[[], Usage], interval_s: float, clock_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._measure = measure
        self._interval_s = interval_s
        self._clock_s = clock_s
        self._lock = threading.Lock()
        self._last: StorageStats | None = None
        self._is_measuring = False
        self._due_at_s = -math.inf

    def stats(self) -> StorageStats | None:
        """Return what was measured last, without waiting, and have it measured anew where that is long ago.

        Returns:
            ``None`` until it was measured.
        """
        with self._lock:
            is_due = not self._is_measuring and self._clock_s() >= self._due_at_s
            self._is_measuring = self._is_measuring or is_due
        if is_due:
            threading.Thread(target=self._update, name="measure-storage", daemon=True).start()
        return self._last

    def _update(self) -> None:
        began_s = self._clock_s()
        try:
            self._last = _stats_of(self._measure())
        except WindrowError as error:  # what was measured last holds, and says when that was
            _log.info("What the data directory holds could not be measured. %s", error.detail)
        except Exception:  # noqa: BLE001 - the edge of a thread
            _log.exception("What the data directory holds could not be measured.")
        finally:
            ended_s = self._clock_s()
            with self._lock:
                self._due_at_s = ended_s + max(self._interval_s, (ended_s - began_s) / _MAX_SHARE)
                self._is_measuring = False


def _stats_of(usage: Usage) -> StorageStats:
    deleted = sum(each.deleted for each in usage.classifiers)
    return StorageStats(
        measured_at=utc_now(),
        classifiers=len(usage.classifiers) - deleted,
        deleted_classifiers=deleted,
        revisions=sum(each.revisions for each in usage.classifiers),
        size_bytes={
            "base_models": usage.shared_bytes,
            "classifiers": usage.classifier_bytes,
            "deleted_classifiers": usage.deleted_bytes,
            "other": usage.other_bytes,
        },
    )
