"""Remembers that an object store does not answer, so that one caller at a time waits for it, and no others."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from windrow.storage.object_store.failures import Reason, StoreFailure

_OUTAGES: Final = frozenset((Reason.UNREACHABLE, Reason.SLOW))


class Outage:
    """What is known of a store that does not answer; thread-safe.

    It begins when somebody has waited for as long as a request may take, and ends with the next answer of any kind.
    Meanwhile one caller tries, and the others are told at once: each would wait for half a minute, and a listing of
    jobs that long for each of them.

    Args:
        pause_s: For how many seconds after a failure nobody tries: whoever waited for a lock while its holder waited in
            vain is told, and does not wait as long once more.
    """

    def __init__(self, pause_s: float) -> None:
        self._lock = threading.Lock()
        self._pause_s = pause_s
        self._failure: StoreFailure | None = None
        self._failed_at_s = 0.0
        self._is_tried = False

    @contextmanager
    def trying(self) -> Iterator[StoreFailure | None]:
        """Give ``None`` to whoever may ask the store, inside a ``with`` block; to others, how it fails."""
        with self._lock:
            failure = self._failure
            is_one = failure is not None and not self._is_tried and self._is_due()
            self._is_tried = self._is_tried or is_one
        try:
            yield None if is_one else failure
        finally:
            if is_one:
                with self._lock:
                    self._is_tried = False

    def begin(self, failure: StoreFailure) -> None:
        """Note that somebody has given up; failures that say that the store is there count for nothing."""
        if failure.reason in _OUTAGES:
            self._failed_at_s = time.monotonic()
            self._failure = failure

    def end(self) -> None:
        """Note that the store has answered."""
        self._failure = None

    def _is_due(self) -> bool:
        return time.monotonic() - self._failed_at_s >= self._pause_s
