"""Turns: how many may work at the same time, and how many do and wait.

Owns the counting; knows nothing of the work.
"""

import threading


class Turns:
    """Lets so many work at the same time, inside a ``with`` block, and keeps the others waiting; thread-safe.

    Args:
        most: How many, at least 1.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._running = 0
        self._waiting = 0
        self._freed = threading.Condition()

    @property
    def running(self) -> int:
        """How many work now."""
        return self._running

    @property
    def waiting(self) -> int:
        """How many wait now."""
        return self._waiting

    def __enter__(self) -> None:
        with self._freed:
            self._waiting += 1
            self._freed.wait_for(lambda: self._running < self._most)
            self._waiting -= 1
            self._running += 1

    def __exit__(self, *_: object) -> None:
        with self._freed:
            self._running -= 1
            self._freed.notify()
