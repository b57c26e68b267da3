"""Limit the number of concurrent trainings, with a bounded first-in, first-out queue."""

import math
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from windrow.domain.errors import Overloaded
from windrow.execution.control import TrainingControl

# The assumed duration of a training until one has been timed.
INITIAL_SLOT_S = 5.0
_NEWEST_WEIGHT = 0.3
_LONGEST_RETRY_S = 60


class TrainingSlots:
    """A semaphore with a bounded FIFO queue; thread-safe.

    Args:
        max_running: The number of slots, at least 1.
        max_queued: The number of tickets that may wait; further ones are refused.
    """

    def __init__(self, max_running: int, max_queued: int) -> None:
        self.max_running = max_running
        self._max_queued = max_queued
        self._running = 0
        self._queue: deque[Ticket] = deque()
        self._changed = threading.Condition()
        self._slot_s = INITIAL_SLOT_S

    @property
    def running(self) -> int:
        """The number of slots in use."""
        return self._running

    @property
    def waiting(self) -> int:
        """The number of waiting tickets."""
        return len(self._queue)

    @property
    def wait_s(self) -> float:
        """The estimated time that a new ticket would wait for a slot, in seconds."""
        waiting = self._running + len(self._queue) + 1 - self.max_running
        return max(0, waiting) * self._slot_s / self.max_running

    def enqueue(self, is_ready: bool = True) -> "Ticket":
        """Return a ticket at the end of the queue.

        Args:
            is_ready: Whether it could begin at once; otherwise later tickets may overtake it until it calls
                ``acquire``.

        Raises:
            Overloaded: The queue is full.
        """
        with self._changed:
            if self._running + len(self._queue) >= self.max_running + self._max_queued:
                wait_s = min(_LONGEST_RETRY_S, max(1, math.ceil(self._slot_s / self.max_running)))
                raise overloaded("trainings", len(self._queue), wait_s, "WINDROW_MAX_QUEUED_FITS", self._max_queued)
            ticket = Ticket(self, is_ready)
            self._queue.append(ticket)
            return ticket

    def ahead_of(self, ticket: "Ticket") -> int:
        """Return the number of tickets before this one; 0 if it has left the queue."""
        with self._changed:
            return self._queue.index(ticket) if ticket in self._queue else 0

    def leave(self, ticket: "Ticket") -> None:
        """Remove a ticket from the queue."""
        with self._changed:
            if ticket in self._queue:
                self._queue.remove(ticket)
                self._changed.notify_all()

    @contextmanager
    def acquire(self, ticket: "Ticket", control: TrainingControl) -> Iterator[None]:
        """Wait for a slot, and hold it inside the ``with`` block.

        Raises:
            TrainingCancelled: The training was cancelled while it waited.
        """
        try:
            with control.on_cancel(self._wake), self._changed:
                ticket.is_ready = True
                self._changed.notify_all()
                self._changed.wait_for(lambda: control.is_cancelled or self._is_next(ticket))
                control.raise_if_cancelled()
                self._queue.remove(ticket)
                self._running += 1
                self._changed.notify_all()
        except BaseException:
            self.leave(ticket)
            raise
        began_s = time.monotonic()
        try:
            yield
        finally:
            with self._changed:
                self._slot_s += _NEWEST_WEIGHT * (time.monotonic() - began_s - self._slot_s)
                self._running -= 1
                self._changed.notify_all()

    def _is_next(self, ticket: "Ticket") -> bool:
        # A ticket that is not ready, since its base model is being downloaded, keeps its place and blocks no other.
        return self._running < self.max_running and next(each for each in self._queue if each.is_ready) is ticket

    def _wake(self) -> None:
        # In its own thread: the cancelling thread must not wait for the lock, whose holder may wait for the control's.
        threading.Thread(target=self._notify, daemon=True).start()

    def _notify(self) -> None:
        with self._changed:
            self._changed.notify_all()


class Ticket:
    """A position in the queue for a slot. Made by :meth:`TrainingSlots.enqueue`.

    Args:
        slots: The slots.
        is_ready: Whether later tickets must wait for it.
    """

    def __init__(self, slots: TrainingSlots, is_ready: bool) -> None:
        self._slots = slots
        self.is_ready = is_ready

    @property
    def ahead(self) -> int:
        """The number of tickets before this one."""
        return self._slots.ahead_of(self)

    def leave(self) -> None:
        """Leave the queue without a slot."""
        self._slots.leave(self)

    @contextmanager
    def acquire(self, control: TrainingControl | None = None) -> Iterator[None]:
        """Wait for a slot, and hold it inside the ``with`` block.

        Args:
            control: Cancels the waiting; ``None`` for a wait that cannot be cancelled.

        Raises:
            TrainingCancelled: The training was cancelled while it waited.
        """
        with self._slots.acquire(self, control or TrainingControl()):
            yield


def overloaded(what: str, waiting: int, wait_s: int, setting: str, limit: int) -> Overloaded:
    """Return the error of a full queue.

    Args:
        what: What the queue holds (``trainings``).
        waiting: The number of waiting entries.
        wait_s: The time after which to try again, in whole seconds.
        setting: The setting of the queue's limit.
        limit: The setting's value.
    """
    return Overloaded(
        f"{{waiting}} {what} are waiting already. Try this one again in {{retry_after_s}} s, or raise {{setting}}.",
        {"retry_after_s": wait_s, "limit": limit, "setting": setting, "waiting": waiting},
    )
