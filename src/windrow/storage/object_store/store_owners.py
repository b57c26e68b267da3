"""Tells which servers of an object store live, by objects that each of them puts again and again.

::

    loose/jobs/.owners/<owner>      put every 10 seconds by a server that has run jobs
    loose/jobs/.owners/.<process>   put by a server that looks at the others, to learn what time it is in the store

Only times of the store are compared, so no clock of a server matters. A server that does not put its object for a
minute counts as dead once a second look, some time later, finds the same object: after an outage of the store, that of
each server is old at first. It counts as dead whether it is or not; what follows from that is safe, since a job's first
end holds.
"""

import logging
import os
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from windrow.domain.errors import StorageFailed
from windrow.storage.job_files import JOBS, OWNERS
from windrow.storage.object_store.bucket import Bucket
from windrow.storage.object_store.loose_objects import LOOSE
from windrow.storage.object_store.store_notices import NOTICES

HEARTBEAT_S: Final = 10.0
# Within a minute there are several heartbeats, some of which may fail.
DEAD_AFTER: Final = timedelta(seconds=60)
# Between two looks that find the same old object: within it, a server that has its store back puts it again.
CONFIRM_S: Final = 35.0
GARBAGE_AFTER: Final = timedelta(days=1)
# How long a listing tells that a server lives.
LISTING_S: Final = 5.0
_PRUNING_S: Final = 3_600.0
# After a heartbeat that failed; others may not take a server for dead since one request was lost.
_RETRY_S: Final = 2.0
# A heartbeat that is on its way when the server closes.
_CLOSING_S: Final = 5.0
_OWNERS: Final = f"{LOOSE}/{JOBS}/{OWNERS}"
_CONTENT: Final = b"{}\n"

_log = logging.getLogger("windrow.jobs")


@dataclass(slots=True, eq=False)
class _Listing:
    """What the store has said of the servers.

    Args:
        taken_s: When, by this process's monotonic clock.
        now: The same, by the store's clock.
        changed_at: By the name of each object below ``.owners``.
        dead: Servers whose object is too old, now and at an earlier look.
        gone: Names that are known to be dead since they have no object: one is put before any job names it.
    """

    taken_s: float
    now: datetime
    changed_at: dict[str, datetime]
    dead: frozenset[str]
    gone: set[str] = field(default_factory=set)

    def is_alive(self, name: str) -> bool | None:
        """Whether a server lives; ``None`` where it may have begun after the listing."""
        if name in self.changed_at:
            return name not in self.dead
        return False if name in self.gone else None


@dataclass(frozen=True, slots=True)
class _Doubt:
    """An object of a server that was too old when it was first seen so.

    Args:
        changed_at: When it was put, by the store's clock.
        since_s: When it was seen, by this process's monotonic clock.
    """

    changed_at: datetime
    since_s: float


@dataclass(slots=True, eq=False)
class _Heartbeat:
    """The name under which this process lives.

    Args:
        process_id: A forked process has no thread that puts the object, and must take a name of its own.
        is_over: Ends the thread.
        thread: Puts the object again and again.
    """

    name: str
    process_id: int
    is_over: threading.Event
    thread: threading.Thread


class StoreOwners:
    """The servers that run jobs of an object store. See ``Owners``.

    A server that runs no jobs puts nothing, unless it is asked about jobs of others.

    Args:
        bucket: Where they are.
        clock_s: A clock of this process that never goes back.
    """

    def __init__(self, bucket: Bucket, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._bucket = bucket
        self._clock_s = clock_s
        self._lock = threading.Lock()
        self._heartbeat: _Heartbeat | None = None
        self._is_closed = False
        self._last_name = ""
        self._looking = threading.Lock()
        self._listing: _Listing | None = None
        self._doubts: dict[str, _Doubt] = {}
        self._time_key = ""
        self._pruned_s = -_PRUNING_S

    def acquire(self) -> str:
        """Return the name under which this process puts an object every ten seconds until the close."""
        with self._lock:
            if self._is_closed:
                return self._last_name
            if self._heartbeat is None or self._heartbeat.process_id != os.getpid():
                self._heartbeat = self._begin()
                self._last_name = self._heartbeat.name
            return self._heartbeat.name

    def is_alive(self, name: str) -> bool:
        """Whether a server has put its object in the last minute, by the store's clock, or may yet put it."""
        heartbeat = self._heartbeat
        if heartbeat is not None and name == heartbeat.name:
            return True
        with self._looking:
            if (listing := self._recent()) is not None and (is_alive := listing.is_alive(name)) is not None:
                return is_alive
            # Only what is asked now can tell that there is none: the server may have begun a moment ago.
            listing = self._look()
            if (is_alive := listing.is_alive(name)) is None:
                listing.gone.add(name)
            return bool(is_alive)

    def may_have_dead(self) -> bool:
        """Whether a server is dead that has not ended as it should."""
        with self._looking:
            listing = self._look()
        return bool(listing.dead)

    def has_doubts(self) -> bool:
        """Whether the last look has found a server's object too old for the first time."""
        with self._looking:
            dead = frozenset[str]() if self._listing is None else self._listing.dead
            return not self._doubts.keys() <= dead

    def prune(self) -> None:
        """Remove the objects of servers that have been dead for a day, and notices as old, once an hour at most."""
        with self._looking:
            if self._clock_s() - self._pruned_s < _PRUNING_S:
                return
            self._pruned_s = self._clock_s()
            listing = self._recent() or self._look()
        for name, changed_at in listing.changed_at.items():
            if listing.now - changed_at > GARBAGE_AFTER:
                self._bucket.remove(f"{_OWNERS}/{name}")
        for notice in self._bucket.objects(NOTICES):
            if listing.now - notice.changed_at > GARBAGE_AFTER:
                self._bucket.remove(notice.key)

    def close(self, *, leaves_jobs: bool = False) -> None:
        """End the heartbeats; the object stays where others should find jobs, as that of a dead server."""
        with self._lock:
            heartbeat, self._heartbeat, self._is_closed = self._heartbeat, None, True
        garbage = [self._time_key] if self._time_key else []
        if heartbeat is not None and heartbeat.process_id == os.getpid():
            heartbeat.is_over.set()
            heartbeat.thread.join(_CLOSING_S)
            if not leaves_jobs:
                garbage.append(f"{_OWNERS}/{heartbeat.name}")
        for key in garbage:
            with suppress(StorageFailed):  # what is left is removed with those of dead servers
                self._bucket.remove(key)

    def _begin(self) -> _Heartbeat:
        name, is_over = secrets.token_hex(8), threading.Event()
        self._bucket.put(f"{_OWNERS}/{name}", _CONTENT)
        thread = threading.Thread(target=self._beat, args=(name, is_over), name=f"heartbeat-{name}", daemon=True)
        thread.start()
        return _Heartbeat(name, os.getpid(), is_over, thread)

    def _beat(self, name: str, is_over: threading.Event) -> None:
        pause_s = HEARTBEAT_S
        while not is_over.wait(pause_s):
            try:
                self._bucket.put(f"{_OWNERS}/{name}", _CONTENT)
            except Exception as error:  # noqa: BLE001  who puts nothing any more would be taken for dead
                if pause_s == HEARTBEAT_S:  # once an outage
                    why = error.detail if isinstance(error, StorageFailed) else error
                    _log.warning("Other servers may soon take this one for dead, and its jobs for interrupted. %s", why)
                pause_s = _RETRY_S
            else:
                pause_s = HEARTBEAT_S

    def _recent(self) -> _Listing | None:
        """Return the last listing, unless it is too old."""
        listing = self._listing
        return listing if listing is not None and self._clock_s() - listing.taken_s <= LISTING_S else None

    def _look(self) -> _Listing:
        """List the servers anew.

        Raises:
            StorageFailed: The store does not answer, or not as one that can be relied on.
        """
        taken_s = self._clock_s()
        name = f".{self._time_name()}"
        try:
            found = self._find(name)
        except StorageFailed:
            self._doubts = {}  # an outage: what was old before is no sign
            raise
        self._note_doubts(found, found[name])
        dead = {each for each, doubt in self._doubts.items() if taken_s - doubt.since_s >= CONFIRM_S}
        self._listing = _Listing(taken_s, found[name], found, frozenset(dead))
        return self._listing

    def _note_doubts(self, found: Mapping[str, datetime], now: datetime) -> None:
        """Note which servers' objects are too old, and since when they have been seen so."""
        doubts: dict[str, _Doubt] = {}
        for name, changed_at in found.items():
            if not name.startswith(".") and now - changed_at > DEAD_AFTER:
                known = self._doubts.get(name)
                if known is None or known.changed_at != changed_at:
                    known = _Doubt(changed_at, self._clock_s())
                doubts[name] = known
        self._doubts = doubts

    def _find(self, name: str) -> dict[str, datetime]:
        """Put an object that tells the time, and return when each one was put, with that one."""
        self._bucket.put(f"{_OWNERS}/{name}", _CONTENT)
        found = {each.key.removeprefix(f"{_OWNERS}/"): each.changed_at for each in self._bucket.objects(_OWNERS)}
        if name not in found:
            raise StorageFailed(
                "The object store does not list {file}, which it has taken just before, so whether other servers live "
                "cannot be told. Look whether somebody removes what lies there.",
                {"file": f"{_OWNERS}/{name}"},
            )
        return found

    def _time_name(self) -> str:
        """Return the name of the object that tells the store's time to this process."""
        if not self._time_key:
            self._time_key = f"{_OWNERS}/.{secrets.token_hex(8)}"
        return self._time_key.rpartition(".")[2]
