"""Purges what was deleted long ago, unless the clock may be wrong."""

import logging
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

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


class Retention:
    """Purges what was deleted before the retention.

    Where the clock has moved on by more than a day since the last look, of this process or a former one, nothing is
    purged until the next look, half an hour later or more: a clock that is wrong when a machine starts would otherwise
    take what can be restored, if only the server were started twice.

    Args:
        root: The data directory.
        purging: Removes files.
        retention: For how long a deleted classifier can be restored.
        now: The clock.
    """

    def __init__(
        self, root: Path, purging: Purging, retention: timedelta, now: Callable[[], datetime] = utc_now
    ) -> None:
        self._last_check_file = root / LAST_PURGE_CHECK
        self._purging = purging
        self._retention = retention
        self._now = now

    def purge_expired(self) -> list[str]:
        """Purge what is due, if it is time to look, and return the names of what was purged.

        Raises:
            StorageFailed: The data directory cannot be listed.
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
        """Return the time, if it is time to remove what is too old; ``None`` where it is not, or may be wrong."""
        now = self._now()
        before = self._last_check()
        if before is not None and timedelta() <= now - before < SHORTEST_PAUSE:
            return None
        self._record_check(now)
        if before is not None and now - before > LONGEST_PAUSE:
            _log.warning(
                "The clock says %s; when deleted classifiers were last looked for, it said %s. Nothing is purged until "
                "the next look. If the server was stopped in between, all is well; else set the clock.",
                f"{now:%Y-%m-%d %H:%M} UTC",
                f"{before:%Y-%m-%d %H:%M} UTC",
            )
            return None
        return now

    def _last_check(self) -> datetime | None:
        """Return when it was last looked; ``None`` if unknown."""
        try:
            return datetime.fromtimestamp(self._last_check_file.stat().st_mtime, UTC)
        except (OSError, OverflowError, ValueError):
            return None  # the first look, or a time that no calendar has

    def _record_check(self, now: datetime) -> None:
        try:
            self._last_check_file.touch(PRIVATE_FILE)
            os.utime(self._last_check_file, (now.timestamp(), now.timestamp()))
        except OSError:
            pass  # a data directory that cannot be written is not purged either
