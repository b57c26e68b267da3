"""Counts how much classifiers and API keys are used: in memory, and from time to time on the disk."""

import heapq
import logging
import math
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Final

from windrow.domain.errors import WindrowError
from windrow.storage.lock import Lock, transaction
from windrow.storage.use_store import ClassifierUse, DayUse, KeyUse, UseStore, file_name

DAY_S: Final = 86_400
# So many days, this one included, are summed up as a classifier's recent predictions.
RECENT_DAYS: Final = 30
FLUSH_INTERVAL_S: Final = 60.0
# What other processes have counted is read again after this time where no task does it before.
_REREAD_S: Final = 90.0
_PROCESS_BYTES: Final = 6
# Names of which the texts since the start are counted; beyond them, the half that was used most goes on.
MAX_COUNTED: Final = 20_000
_log = logging.getLogger("windrow.execution")


@dataclass(frozen=True, slots=True)
class RecentUse:
    """How much a classifier was used lately, over all processes."""

    predictions: int
    """Texts that it classified for predictions in the last 30 days."""
    last_used_at: datetime
    """When it did so last, UTC, in the last 90 days."""


@dataclass(slots=True)
class _Day:
    """What this process has counted on one day.

    Args:
        number: The day, in days since 1970.
        classifiers: By name: texts, and when they came last, in seconds since 1970.
        keys: By name: requests and texts.
        puts: How often it was put on the disk, or was tried to be.
        files: Names of the files that may hold some of it.
        is_new: Whether something was counted since the last file.
    """

    number: int
    classifiers: dict[str, list[float]] = field(default_factory=dict)
    keys: dict[str, list[int]] = field(default_factory=dict)
    puts: int = 0
    files: list[str] = field(default_factory=list)
    is_new: bool = False

    @property
    def date(self) -> date:
        """The day."""
        return _date_of(self.number)

    def use(self) -> DayUse:
        """Return it as it is kept."""
        classifiers = {
            name: ClassifierUse(int(texts), datetime.fromtimestamp(int(at_s), UTC))
            for name, (texts, at_s) in self.classifiers.items()
        }
        return DayUse(classifiers, {name: KeyUse(*both) for name, both in self.keys.items()}, tuple(self.files))


class UseCounters:
    """Counters of this process, and what others have counted; for any number of threads.

    Args:
        store: Where they are kept.
        lock: The data directory's.
        now_s: The clock, in seconds since 1970.
    """

    def __init__(self, store: UseStore, lock: Lock, now_s: Callable[[], float] = time.time) -> None:
        self._store = store
        self._data_lock = lock
        self._now_s = now_s
        self._process = secrets.token_hex(_PROCESS_BYTES)
        self._lock = threading.Lock()
        self._flushing = threading.Lock()
        self._today = _Day(int(now_s() // DAY_S))
        self._over: list[_Day] = []
        self._texts: dict[str, int] = {}
        self._others_keys: Mapping[str, KeyUse] = {}
        self._recent = _Recent()
        self._is_told = False

    def count_predictions(self, names: Iterable[str], texts: int) -> None:
        """Count texts that were given to classifiers.

        Args:
            names: Of the classifiers.
            texts: How many each was given.
        """
        now_s = self._now_s()
        with self._lock:
            today = self._day(now_s)
            today.is_new = True
            for name in names:
                counted = today.classifiers.get(name)
                if counted is None:
                    today.classifiers[name] = [texts, now_s]
                else:
                    counted[0] += texts
                    counted[1] = now_s
                self._texts[name] = self._texts.get(name, 0) + texts
            if len(self._texts) > MAX_COUNTED:
                self._texts = _most_used(self._texts, MAX_COUNTED // 2)

    def most_used(self, limit: int, is_meant: Callable[[str], bool]) -> Mapping[str, int]:
        """Return the texts that this process gave to the most used classifiers since its start, the most first.

        Args:
            limit: How many classifiers at most.
            is_meant: Whether a classifier of that name counts.
        """
        with self._lock:
            texts = dict(self._texts)
        return _most_used({name: count for name, count in texts.items() if is_meant(name)}, limit)

    def count_request(self, key: str, requests: int = 1, texts: int = 0) -> None:
        """Count what a key has sent.

        Args:
            key: Its name.
            requests: Requests.
            texts: Texts.
        """
        with self._lock:
            today = self._day(self._now_s())
            today.is_new = True
            counted = today.keys.get(key)
            if counted is None:
                today.keys[key] = [requests, texts]
            else:
                counted[0] += requests
                counted[1] += texts

    def key_use(self, key: str) -> KeyUse:
        """Return what a key has sent today, to every process as far as it is known here.

        Args:
            key: Its name.
        """
        with self._lock:
            today = self._day(self._now_s())
            requests, texts = today.keys.get(key, (0, 0))
            others = self._others_keys.get(key)
        return KeyUse(requests, texts) if others is None else KeyUse(requests + others.requests, texts + others.texts)

    @property
    def seconds_left(self) -> float:
        """Seconds until the day is over, UTC."""
        return DAY_S - self._now_s() % DAY_S

    def recent(self) -> "RecentUses":
        """Return how much classifiers were used lately.

        Raises:
            StorageFailed: The disk cannot be read.
        """
        return self._read_recent(_REREAD_S)

    def _read_recent(self, max_age_s: float) -> "RecentUses":
        with self._lock:
            days = (self._day(self._now_s()), *self._over)
        today = days[0].date
        kept = self._recent.read(self._store, self._process, frozenset(each.date for each in days), max_age_s)
        return RecentUses(kept, days, _first_recent(today))

    def update(self) -> None:
        """Keep what is new on the disk, and read what others have counted.

        Raises:
            StorageFailed: The disk cannot be read.
        """
        try:
            self.flush()
            self._is_told = False
        except WindrowError as error:  # what was counted stays in memory; some serve a folder that they may only read
            if not self._is_told:
                _log.warning("How much is used cannot be stored, and is lost at the end. %s", error.detail)
            self._is_told = True
        self.read_keys()
        self._read_recent(0.0)  # so that no list has to wait for it

    def read_keys(self) -> None:
        """Read what keys have sent to other processes today.

        Raises:
            StorageFailed: The disk cannot be read.
        """
        with self._lock:
            day = self._day(self._now_s())
        keys = self._store.day(day.date, without=self._process).keys
        with self._lock:
            if day is self._today:
                self._others_keys = keys

    def flush(self, *, is_last: bool = False) -> None:
        """Keep on the disk what was counted since the last time.

        Args:
            is_last: Whether the process counts no more.

        Raises:
            StorageFailed: The disk failed; what was counted stays in memory.
        """
        with self._flushing:
            with self._lock:
                days = [*self._over, self._day(self._now_s())]
            for day in days:
                self._put(day, is_last=is_last or day in self._over)

    def close(self) -> None:
        """Keep what is left; a data directory that cannot be written loses it."""
        try:
            is_new = self._today.is_new
            self.flush(is_last=True)
            if is_new:
                self._alone(lambda: self._store.join_done(self._today.date, self._process))
        except WindrowError as error:
            _log.info("What was counted last is not kept. %s", error.detail)

    def tidy(self) -> None:
        """Remove what was counted too long ago, and join the files of days that are over.

        Raises:
            ConcurrentChange: Others held the data directory's lock for too long.
            StorageFailed: The disk failed.
        """
        if self._store.days():
            self._alone(lambda: self._store.tidy(_date_of(int(self._now_s() // DAY_S)), self._process))

    @transaction
    def _alone(self, change: Callable[[], object]) -> None:
        """Make a change that must not meet another one's."""
        with self._data_lock():
            change()

    def _day(self, now_s: float) -> _Day:
        """Return the present day; the lock is held."""
        number = int(now_s // DAY_S)
        if number > self._today.number:  # a clock that goes back changes no day
            if self._today.is_new or self._today.files:
                self._over.append(self._today)
            self._today, self._others_keys = _Day(number), {}
        return self._today

    def _put(self, day: _Day, *, is_last: bool) -> None:
        with self._lock:
            use, is_new = day.use(), day.is_new
            day.is_new = False
        if is_new or (is_last and day.files):
            day.puts += 1
            file = file_name(self._process, day.puts, is_done=is_last)
            try:
                self._store.put(day.date, file, use)
            except BaseException:
                day.is_new = True
                day.files.append(file)  # where the disk failed to confirm it, it is there all the same
                raise
            day.files = [file]
        if day is not self._today:
            with self._lock:
                self._over.remove(day)


class RecentUses:
    """How much classifiers were used lately, over all processes.

    Args:
        kept: What is on the disk, by name.
        own: What this process has in memory, by day.
        first: The first day of which predictions are recent.
    """

    def __init__(self, kept: Mapping[str, RecentUse], own: Sequence[_Day], first: date) -> None:
        self._kept = kept
        self._own = [(day.classifiers, day.date >= first) for day in own]

    def get(self, name: str) -> RecentUse | None:
        """Return how much a classifier was used; ``None`` where it was not.

        Args:
            name: Its name.
        """
        use = self._kept.get(name)
        for classifiers, is_recent in self._own:
            if (counted := classifiers.get(name)) is not None:
                texts, at_s = counted
                own = RecentUse(int(texts) if is_recent else 0, datetime.fromtimestamp(int(at_s), UTC))
                use = own if use is None else _joined(use, own)
        return use


class _Recent:
    """What is on the disk about the last days, read again only now and then."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._read_at_s = -math.inf
        self._own: frozenset[date] = frozenset()
        self._past_of: object = None
        self._past: Mapping[str, RecentUse] = {}
        self._whole: Mapping[str, RecentUse] = {}

    def read(self, store: UseStore, process: str, own: frozenset[date], max_age_s: float) -> Mapping[str, RecentUse]:
        """Return what is on the disk.

        Args:
            store: Where.
            process: This process.
            own: Days of which this process has in memory what it counted, so that its files are left out; the present
                one is the last of them.
            max_age_s: How old what was read before may be, in seconds.
        """
        with self._lock:
            now_s = time.monotonic()
            if own == self._own and now_s - self._read_at_s < max_age_s:
                return self._whole
            today = max(own)
            first = _first_recent(today)

            def read(day: date) -> Mapping[str, RecentUse]:
                return _recent(store.day(day, without=process if day in own else ""), is_recent=day >= first)

            listings = {day: store.listing(day) for day in store.days() if day < today}
            if (past_of := (today, own, listings)) != self._past_of:
                self._past, self._past_of = _summed(map(read, listings)), past_of
            self._whole = _summed((self._past, read(today)))
            self._own, self._read_at_s = own, now_s
            return self._whole


def _most_used(texts: Mapping[str, int], limit: int) -> dict[str, int]:
    # Of equals the first by name, so that a monitor sees the same ones each time.
    return dict(heapq.nsmallest(limit, texts.items(), key=lambda each: (-each[1], each[0])))


def _first_recent(today: date) -> date:
    return today - timedelta(days=RECENT_DAYS - 1)


def _recent(use: DayUse, *, is_recent: bool) -> dict[str, RecentUse]:
    return {
        name: RecentUse(each.predictions if is_recent else 0, each.last_used_at)
        for name, each in use.classifiers.items()
    }


def _summed(parts: Iterable[Mapping[str, RecentUse]]) -> dict[str, RecentUse]:
    whole: dict[str, RecentUse] = {}
    for part in parts:
        for name, use in part.items():
            other = whole.get(name)
            whole[name] = use if other is None else _joined(use, other)
    return whole


def _joined(one: RecentUse, other: RecentUse) -> RecentUse:
    return RecentUse(one.predictions + other.predictions, max(one.last_used_at, other.last_used_at))


def _date_of(number: int) -> date:
    return datetime.fromtimestamp(number * DAY_S, UTC).date()
