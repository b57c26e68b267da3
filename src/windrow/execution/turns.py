"""Turns: how many may work at the same time, who is next, and how many may wait."""

import math
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from windrow.domain.errors import Overloaded
from windrow.execution.watch import Watch

# Until a turn has been timed.
FIRST_TURN_S = 5.0
_NEWEST_WEIGHT = 0.3
_LONGEST_RETRY_S = 60


class Turns:
    """Lets so many work at the same time, and the others wait in the order in which they came; thread-safe.

    Args:
        most: How many, at least 1.
        max_waiting: How many may wait; further ones are refused.
    """

    def __init__(self, most: int, max_waiting: int) -> None:
        self.most = most
        self._max_waiting = max_waiting
        self._running = 0
        self._line: deque[Place] = deque()
        self._changed = threading.Condition()
        self._turn_s = FIRST_TURN_S

    @property
    def running(self) -> int:
        """How many work now."""
        return self._running

    @property
    def waiting(self) -> int:
        """How many wait now."""
        return len(self._line)

    @property
    def wait_s(self) -> float:
        """About how long who joins now would wait for a turn, in seconds."""
        waiting = self._running + len(self._line) + 1 - self.most
        return max(0, waiting) * self._turn_s / self.most

    def join(self, is_ready: bool = True) -> "Place":
        """Take the last place in the line.

        Args:
            is_ready: Whether it could begin at once; otherwise it holds nobody up until it waits for its turn.

        Raises:
            Overloaded: As many wait already as may wait.
        """
        with self._changed:
            if self._running + len(self._line) >= self.most + self._max_waiting:
                wait_s = min(_LONGEST_RETRY_S, max(1, math.ceil(self._turn_s / self.most)))
                raise overloaded("trainings", len(self._line), wait_s, "WINDROW_MAX_WAITING_FITS", self._max_waiting)
            place = Place(self, is_ready)
            self._line.append(place)
            return place

    def ahead_of(self, place: "Place") -> int:
        """Return how many come before a place in the line; 0 where it is in the line no more."""
        with self._changed:
            return self._line.index(place) if place in self._line else 0

    def leave(self, place: "Place") -> None:
        """Take a place out of the line."""
        with self._changed:
            if place in self._line:
                self._line.remove(place)
                self._changed.notify_all()

    @contextmanager
    def work(self, place: "Place", watch: Watch) -> Iterator[None]:
        """Wait until it is a place's turn, and hold that inside the ``with`` block.

        Raises:
            TrainingCancelled: The watch ended the waiting.
        """
        try:
            with watch.stopped_by(self._wake), self._changed:
                place.is_ready = True
                self._changed.notify_all()
                self._changed.wait_for(lambda: watch.is_stopped or self._is_next(place))
                watch.check()
                self._line.remove(place)
                self._running += 1
                self._changed.notify_all()
        except BaseException:
            self.leave(place)
            raise
        began_s = time.monotonic()
        try:
            yield
        finally:
            with self._changed:
                self._turn_s += _NEWEST_WEIGHT * (time.monotonic() - began_s - self._turn_s)
                self._running -= 1
                self._changed.notify_all()

    def _is_next(self, place: "Place") -> bool:
        # Who is not ready yet, since a base model is being downloaded, keeps its place and holds nobody up.
        return self._running < self.most and next(each for each in self._line if each.is_ready) is place

    def _wake(self) -> None:
        # In a thread of its own: the one that stops must not wait for the lock, whose holder may wait for the watch.
        threading.Thread(target=self._notify, daemon=True).start()

    def _notify(self) -> None:
        with self._changed:
            self._changed.notify_all()


class Place:
    """A place in the line. Made by :meth:`Turns.join`.

    Args:
        turns: The line.
        is_ready: Whether others wait behind it.
    """

    def __init__(self, turns: Turns, is_ready: bool) -> None:
        self._turns = turns
        self.is_ready = is_ready

    @property
    def ahead(self) -> int:
        """How many come before it while it waits."""
        return self._turns.ahead_of(self)

    def leave(self) -> None:
        """Leave the line without a turn."""
        self._turns.leave(self)

    @contextmanager
    def turn(self, watch: Watch | None = None) -> Iterator[None]:
        """Wait for the turn, and hold it inside the ``with`` block.

        Args:
            watch: Ends the waiting; ``None`` where nobody does.

        Raises:
            TrainingCancelled: The watch ended the waiting.
        """
        with self._turns.work(self, watch or Watch()):
            yield


def overloaded(what: str, waiting: int, wait_s: int, setting: str, limit: int) -> Overloaded:
    """Return the error of what comes where as much waits as may wait.

    Args:
        what: What waits (``trainings``).
        waiting: How many.
        wait_s: When to try again, in whole seconds.
        setting: The variable that sets how much may wait.
        limit: What it is set to.
    """
    return Overloaded(
        f"{{waiting}} {what} are waiting already. Try this one again in {{retry_after_s}} s, or raise {{setting}}.",
        {"retry_after_s": wait_s, "limit": limit, "setting": setting, "waiting": waiting},
    )
