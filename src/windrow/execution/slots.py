"""Limit the number of concurrent jobs of a kind, with a bounded queue in which API keys take turns."""

import math
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from windrow.domain.caller import Caller, current_caller
from windrow.domain.errors import Overloaded, RateLimited
from windrow.execution.control import TrainingControl
from windrow.execution.fair_shares import Client

# The assumed duration of a training until one has been timed.
INITIAL_SLOT_S = 5.0
_NEWEST_WEIGHT = 0.3
_LONGEST_RETRY_S = 60


@dataclass(frozen=True, slots=True)
class Queued:
    """What waits in a queue.

    Args:
        what: What it is called, more than one of it.
        setting: The setting of how many may wait.
        has_key_limit: Whether API keys have limits on how many of theirs may wait.
    """

    what: str
    setting: str
    has_key_limit: bool


TRAININGS: Final = Queued("trainings", "WINDROW_MAX_QUEUED_FITS", has_key_limit=True)
FILE_PREDICTIONS: Final = Queued("predictions of files", "WINDROW_MAX_QUEUED_FILE_PREDICTIONS", has_key_limit=False)


class TrainingSlots:
    """A semaphore with a bounded queue; thread-safe.

    API keys whose trainings wait take turns, beginning with the one whose last training began first. The trainings of
    one key, and those without keys, begin in the order in which they came.

    Args:
        max_running: The number of slots, at least 1.
        max_queued: The number of tickets that may wait; further ones are refused.
        queued: What waits.
    """

    def __init__(self, max_running: int, max_queued: int, queued: Queued = TRAININGS) -> None:
        self.max_running = max_running
        self._queued = queued
        self._max_queued = max_queued
        self._running = 0
        self._queue: list[Ticket] = []
        self._turns: dict[Client, int] = {}
        self._begun = 0
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
        """Return a ticket at the end of the queue, for the caller's API key.

        Args:
            is_ready: Whether it could begin at once; otherwise later tickets may overtake it until it calls
                ``acquire``.

        Raises:
            Overloaded: The queue is full.
            RateLimited: So many trainings of the API key wait already as may wait.
        """
        with self._changed:
            caller = current_caller()
            if self._queued.has_key_limit:
                self._check_limit(caller)
            if self._running + len(self._queue) >= self.max_running + self._max_queued and not self._has_room_for(
                caller.key_name
            ):
                what, setting = self._queued.what, self._queued.setting
                raise overloaded(what, len(self._queue), self._retry_s, setting, self._max_queued)
            ticket = Ticket(self, is_ready, caller.key_name)
            self._queue.append(ticket)
            return ticket

    def ahead_of(self, ticket: "Ticket") -> int:
        """Return the number of tickets before this one, as things stand; 0 if it has left the queue."""
        with self._changed:
            return self._in_order().index(ticket) if ticket in self._queue else 0

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
                self._begun += 1
                self._turns[ticket.client] = self._begun
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
        return self._running < self.max_running and next(each for each in self._in_order() if each.is_ready) is ticket

    def _in_order(self) -> list["Ticket"]:
        """Return the waiting tickets, the next one first: round by round, one of each client."""
        rounds: Counter[Client] = Counter()
        keyed = []
        for arrival, ticket in enumerate(self._queue):
            keyed.append((rounds[ticket.client], self._turns.get(ticket.client, 0), arrival, ticket))
            rounds[ticket.client] += 1
        return [ticket for *_, ticket in sorted(keyed, key=lambda each: each[:3])]

    def _check_limit(self, caller: Caller) -> None:
        limit, free = caller.limits.max_queued_fits, self.max_running - self._running
        # A training for which a slot is free does not wait.
        own = sum(each.client == caller.key_name for each in self._in_order()[free:])
        if limit and own >= limit and len(self._queue) >= free:
            facts = {
                "name": caller.key_name,
                "quota": "max_queued_fits",
                "limit": limit,
                "retry_after_s": self._retry_s,
            }
            raise RateLimited(
                "So many trainings of the API key {name} wait already as may wait ({limit}). Try this one again in "
                "{retry_after_s} s, or have an administrator raise the key's limit.",
                facts,
            )

    def _has_room_for(self, client: Client) -> bool:
        """Whether a client has fewer in the full queue than its share, so that no other one can keep it out."""
        clients = {client, *(each.client for each in self._queue)}
        own = sum(each.client == client for each in self._queue)
        return len(clients) > 1 and own < self._max_queued // len(clients)

    @property
    def _retry_s(self) -> int:
        """The time after which a slot should be free, in whole seconds."""
        return min(_LONGEST_RETRY_S, max(1, math.ceil(self._slot_s / self.max_running)))

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
        client: The API key that it came with.
    """

    def __init__(self, slots: TrainingSlots, is_ready: bool, client: Client) -> None:
        self._slots = slots
        self.is_ready = is_ready
        self.client = client

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
