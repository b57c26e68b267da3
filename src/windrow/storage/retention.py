"""Purges what was deleted long ago, unless the clock may be wrong."""

import logging
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Protocol

from windrow.disk import PRIVATE_FILE
from windrow.domain.clock import utc_now
from windrow.storage.purging import Purging

# An empty file in the data directory; its time says when it was last looked for what to purge.
LAST_PURGE_CHECK: Final = ".last_purge_check"
# A clock that moved on by more between two looks, which are an hour apart, may be wrong.
LONGEST_PAUSE: Final = timedelta(days=1)
# A look that comes sooner, of another server or after a restart, is none: it would end the wait of a clock that moved.
SHORTEST_PAUSE: Final = timedelta(minutes=30)
_log = logging.getLogger("windrow.storage")


class LastCheck(Protocol):
    """Remembers when it was last looked for what to purge, by one clock."""

    def now(self) -> datetime | None:
        """Return the time by that clock; ``None`` where it may be wrong, which is told in the log.

        Raises:
            StorageFailed: An object store refuses, or does not answer.
        """
        ...

    def read(self) -> datetime | None:
        """Return when it was last looked; ``None`` if unknown.

        Raises:
            StorageFailed: As for :meth:`now`.
        """
        ...

    def record(self, now: datetime) -> None:
        """Remember that it is looked now.

        Args:
            now: The time of :meth:`now`.

        Raises:
            StorageFailed: As for :meth:`now`.
        """
        ...


class LocalLastCheck:
    """Remembers a look by the time of a file in a folder, by this machine's clock.

    Args:
        root: The data directory.
        clock: The clock.
    """

    def __init__(self, root: Path, clock: Callable[[], datetime] = utc_now) -> None:
        self._file = root / LAST_PURGE_CHECK
        self._clock = clock

    def now(self) -> datetime:
        """Return this machine's time. See ``LastCheck``."""
        return self._clock()

    def read(self) -> datetime | None:
        """Return the file's time. See ``LastCheck``."""
        try:
            return datetime.fromtimestamp(self._file.stat().st_mtime, UTC)
        except (OSError, OverflowError, ValueError):
            return None  # the first look, or a time that no calendar has

    def record(self, now: datetime) -> None:
        """Set the file's time. See ``LastCheck``."""
        try:
            self._file.touch(PRIVATE_FILE)
            os.utime(self._file, (now.timestamp(), now.timestamp()))
        except OSError:
            pass  # a data directory that cannot be written is not purged either


class Retention:
    """Purges what was deleted before the retention.

    Where the clock has moved on by more than a day since the last look, of this process or a former one, nothing is
    purged until the next look, half an hour later or more: a clock that is wrong when a machine starts would otherwise
    take what can be restored, if only the server were started twice.

    Args:
        last_check: Remembers the looks.
        purging: Removes files.
        retention: For how long a deleted classifier can be restored.
    """

    def __init__(self, last_check: LastCheck, purging: Purging, retention: timedelta) -> None:
        self._last_check = last_check
        self._purging = purging
        self._retention = retention

    def purge_expired(self) -> list[str]:
        """Purge what is due, if it is time to look, and return the names of what was purged.

        Raises:
            StorageFailed: The data directory cannot be read.
        """
        now = self.look()
        return [] if now is None else self.purge(now)

    def purge(self, now: datetime) -> list[str]:
        """Purge what is due, and return the names of what was purged.

        Args:
            now: The time of a :meth:`look`.

        Raises:
            StorageFailed: The data directory cannot be listed.
        """
        return self._purging.purge_expired(now - self._retention)

    def look(self) -> datetime | None:
        """Return the time, if it is time to remove what is too old; ``None`` where it is not, or may be wrong.

        Raises:
            StorageFailed: The data directory cannot be read.
        """
        if (now := self._last_check.now()) is None:
            return None
        before = self._last_check.read()
        if before is not None and timedelta() <= now - before < SHORTEST_PAUSE:
            return None
        self._last_check.record(now)
        if before is not None and now - before > LONGEST_PAUSE:
            _log.warning(
                "The clock says %s; when deleted classifiers were last looked for, it said %s. Nothing is purged until "
                "the next look. If the server was stopped in between, all is well; else set the clock.",
                f"{now:%Y-%m-%d %H:%M} UTC",
                f"{before:%Y-%m-%d %H:%M} UTC",
            )
            return None
        return now
