"""The upkeep of a data directory in an object store."""

import logging
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final

from windrow.domain.clock import utc_now
from windrow.domain.integrity import IntegrityReport
from windrow.domain.usage import Usage
from windrow.encoders.inventory import Inventory
from windrow.storage.namespace import Namespace
from windrow.storage.object_store.bucket import Bucket
from windrow.storage.object_store.object_files import ObjectFiles
from windrow.storage.object_store.store_check import check
from windrow.storage.object_store.store_clock import RETENTION, store_time, time_of
from windrow.storage.object_store.store_usage import measure
from windrow.storage.retention import LONGEST_PAUSE, LastCheck

# Its time is that of the last look.
LAST_CHECK: Final = f"{RETENTION}/last_purge_check"
_log = logging.getLogger("windrow.storage")


class StoreLastCheck:
    """Remembers a look by the time of an object, by the store's clock, which all servers share.

    What is deleted is dated by servers, though. Where the clock of this one is more than a day off the store's, one of
    the two is wrong, so nothing is purged.

    Args:
        bucket: Where the data directory is.
        clock: This machine's clock.
    """

    def __init__(self, bucket: Bucket, clock: Callable[[], datetime] = utc_now) -> None:
        self._bucket = bucket
        self._clock = clock

    def now(self) -> datetime | None:
        """Ask the store what time it is. See ``LastCheck``."""
        own, now = self._clock(), store_time(self._bucket)
        if abs(own - now) <= LONGEST_PAUSE:
            return now
        _log.warning(
            "The clock says %s, and that of the object store says %s. Nothing is purged by this server until they "
            "agree. Set the clock.",
            f"{own:%Y-%m-%d %H:%M} UTC",
            f"{now:%Y-%m-%d %H:%M} UTC",
        )
        return None

    def read(self) -> datetime | None:
        """Return the object's time. See ``LastCheck``."""
        return time_of(self._bucket, LAST_CHECK)

    def record(self, now: datetime) -> None:  # noqa: ARG002 - the store dates it
        """Put the object. See ``LastCheck``."""
        self._bucket.put(LAST_CHECK, b"")


class StoreMaintenance:
    """The upkeep of a data directory in an object store. See ``Maintenance``.

    Args:
        files: The files in the store, opened.
        bucket: Where they are.
        local_dir: The folder of this machine that has the base models; a check makes temporary copies in it.
    """

    def __init__(self, files: ObjectFiles, bucket: Bucket, local_dir: Path) -> None:
        self._files = files
        self._bucket = bucket
        self._local_dir = local_dir

    def check(self, names: Namespace, *, repair: bool = False) -> IntegrityReport:
        """Check the store, and this machine's base models. See ``Maintenance``."""
        return check(self._files, self._bucket, names, self._local_dir, repair=repair)

    def measure(self, names: Namespace, inventory: Inventory) -> Usage:
        """Measure the store; it tells no limit. See ``Maintenance``."""
        return measure(self._files, self._bucket, names, inventory)

    def last_check(self) -> LastCheck:
        """Return an object in the store. See ``Maintenance``."""
        return StoreLastCheck(self._bucket)
