"""Keeps how much classifiers and API keys were used: a folder for each day, with a file for each process.

A file says all that a process has counted on that day. It is put under the next number, then the former one is removed;
a file names those that it stands for, so that one whose removal did not come about counts no second time.
"""

import logging
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

from windrow.domain.errors import InvalidArtifact, WindrowError
from windrow.domain.listing import UNUSED_DAYS_RANGE
from windrow.storage.files import Files, KeyMissing
from windrow.storage.format import Mismatch, read, write

USAGE: Final = "usage"
# Days after which what was counted is removed.
KEPT_DAYS: Final = UNUSED_DAYS_RANGE[1]
DAYS: Final = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
FILES: Final = re.compile(r"(?:done-)?[0-9a-f]{12}-[0-9]{6}\.json")
# Of processes that have ended; they are joined into one where there are more.
_DONE: Final = "done-"
_MOST_DONE: Final = 16
# A file that goes while the folder is read is in another one then.
_LOOKS: Final = 4
_log = logging.getLogger("windrow.storage")


@dataclass(frozen=True, slots=True)
class ClassifierUse:
    """How much a classifier was used on one day."""

    predictions: int
    """Texts that it classified for predictions."""
    last_used_at: datetime
    """When it did so last, UTC."""


@dataclass(frozen=True, slots=True)
class KeyUse:
    """How much an API key was used on one day."""

    requests: int = 0
    """Requests that were let in."""
    texts: int = 0
    """Texts that count for its limit."""


@dataclass(frozen=True, slots=True)
class DayUse:
    """What was counted on one day, by one process or by several."""

    classifiers: Mapping[str, ClassifierUse] = field(default_factory=dict)
    """By name."""
    keys: Mapping[str, KeyUse] = field(default_factory=dict)
    """By name."""
    replaces: tuple[str, ...] = ()
    """The files of the folder that it stands for."""


class UseStore:
    """What was counted, for any number of threads and processes.

    Args:
        files: Where it is kept.
    """

    def __init__(self, files: Files) -> None:
        self._files = files

    def put(self, day: date, file: str, use: DayUse) -> None:
        """Keep what was counted on a day, and remove the files that it stands for.

        Args:
            day: The day.
            file: Its name, of :func:`file_name`.
            use: What was counted.

        Raises:
            StorageFailed: The disk failed; what was kept before stays.
        """
        folder = _folder(day)
        self._files.put_new(f"{folder}/{file}", write(use))
        self._remove(f"{folder}/{each}" for each in use.replaces)

    def day(self, day: date, without: str = "") -> DayUse:
        """Return what all processes have counted on a day, as far as it is kept.

        Args:
            day: The day.
            without: A process whose files are left out; empty for none.

        Raises:
            StorageFailed: The disk cannot be read.
        """
        uses = self._uses(day)
        return joined(use for name, use in uses.items() if not without or without not in name)

    def days(self) -> list[date]:
        """Return the days of which something is kept, the first one first.

        Raises:
            StorageFailed: The disk cannot be read.
        """
        return [date.fromisoformat(name) for name in self._files.list(USAGE) if _is_day(name)]

    def listing(self, day: date) -> tuple[str, ...]:
        """Return what changes whenever what is kept of a day does.

        Raises:
            StorageFailed: The disk cannot be read.
        """
        return tuple(name for name in self._files.list(_folder(day)) if FILES.fullmatch(name))

    def join_done(self, day: date, process: str) -> None:
        """Join the files of ended processes, if there are many; the caller holds the data directory's lock.

        Args:
            day: The day.
            process: The one that joins them, once.

        Raises:
            StorageFailed: The disk failed; nothing that was counted is lost.
        """
        done = [name for name in self.listing(day) if name.startswith(_DONE)]
        if len(done) > _MOST_DONE:
            self._join(day, done, process)

    def tidy(self, today: date, process: str) -> None:
        """Remove what is too old, and join the files of each day that is over; the caller holds the lock.

        Args:
            today: The present day.
            process: The one that joins them.

        Raises:
            StorageFailed: The disk failed; nothing else is lost.
        """
        for day in self.days():
            names = self.listing(day)
            if day < today - timedelta(days=KEPT_DAYS):
                self._remove(f"{_folder(day)}/{name}" for name in names)
            elif day < today - timedelta(days=1) and len(names) > 1:  # no process counts for it any more
                self._join(day, names, process)

    def _join(self, day: date, names: Iterable[str], process: str) -> None:
        uses = {name: use for name, use in self._uses(day).items() if name in names}
        numbers = [int(name[-11:-5]) for name in uses]
        file = file_name(process, max(numbers, default=0) + 1, is_done=True)
        whole = joined(uses.values())
        self.put(day, file, DayUse(whole.classifiers, whole.keys, tuple(sorted(names))))

    def _uses(self, day: date) -> dict[str, DayUse]:
        """Return what each file of a day says that no other one stands for."""
        for _ in range(_LOOKS):
            found: dict[str, DayUse] = {}
            names = self.listing(day)
            for name in names:
                if (use := self._file(f"{_folder(day)}/{name}")) is not None:
                    found[name] = use
            if self.listing(day) == names:
                break
        replaced = {name for use in found.values() for name in use.replaces}
        return {name: use for name, use in found.items() if name not in replaced}

    def _file(self, path: str) -> DayUse | None:
        try:
            return day_use_from_json(self._files.get(path))
        except KeyMissing:
            return None
        except InvalidArtifact as error:
            _log.info("What %s counts is left out. %s", path, error.detail)
            return None

    def _remove(self, paths: Iterable[str]) -> None:
        for path in paths:
            try:
                self._files.remove(path)
            except WindrowError as error:  # it counts no more all the same
                _log.info("%s was not removed. %s", path, error.detail)


def file_name(process: str, number: int, *, is_done: bool = False) -> str:
    """Return the name of a process's file.

    Args:
        process: 12 hexadecimal digits that are its own.
        number: Of the file, from 1.
        is_done: Whether it is the process's last one.
    """
    return f"{_DONE if is_done else ''}{process}-{number:06d}.json"


def joined(uses: Iterable[DayUse]) -> DayUse:
    """Return what several processes have counted, or one on several days, together."""
    classifiers: dict[str, ClassifierUse] = {}
    keys: dict[str, KeyUse] = {}
    for use in uses:
        for name, one in use.classifiers.items():
            if (other := classifiers.get(name)) is None:
                classifiers[name] = one
            else:
                last_used_at = max(one.last_used_at, other.last_used_at)
                classifiers[name] = ClassifierUse(one.predictions + other.predictions, last_used_at)
        for name, key in use.keys.items():
            before = keys.get(name, KeyUse())
            keys[name] = KeyUse(before.requests + key.requests, before.texts + key.texts)
    return DayUse(classifiers, keys)


def day_use_from_json(data: bytes) -> DayUse:
    """Return what a file says.

    Raises:
        InvalidArtifact: It is damaged, or of a newer format.
    """
    try:
        return read(data, DayUse)
    except Mismatch as error:
        raise InvalidArtifact("What it says {why}.", {"why": error.problem}) from error


def _folder(day: date) -> str:
    return f"{USAGE}/{day.isoformat()}"


def _is_day(name: str) -> bool:
    try:
        return DAYS.fullmatch(name) is not None and date.fromisoformat(name) is not None
    except ValueError:
        return False
