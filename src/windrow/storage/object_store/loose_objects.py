"""Files of a data directory in an object store that need no commit, since nobody else gives their names.

::

    loose/<key>     a job's state, lines of the audit trail, what one process has counted
"""

import time
from collections.abc import Sequence
from typing import Final

from windrow.storage.audit_log import AUDIT
from windrow.storage.job_files import JOBS
from windrow.storage.object_store.bucket import Bucket
from windrow.storage.use_store import USAGE

LOOSE: Final = "loose"
# Below these, what is put outside a transaction is an object of its own.
LOOSE_ROOTS: Final = frozenset((JOBS, AUDIT, USAGE))
# What others have put, removed or committed is looked for where the last look is longer ago. A server looks more often
# by itself; a session or a command does so only where it needs the store.
MAX_AGE_S: Final = 1.0
_MAX_LISTED: Final = 256


def is_loose(key: str) -> bool:
    """Whether a file, or what is below a prefix, may be outside the log."""
    return key.partition("/")[0] in LOOSE_ROOTS


class LooseObjects:
    """The objects of files outside the log; thread-safe.

    Args:
        bucket: Where they are.
    """

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        # The names below prefixes, and when they were so. A change puts another dictionary in the place of this one, so
        # that a listing that began before it is kept nowhere.
        self._listed: dict[str, tuple[float, Sequence[str]]] = {}

    def create(self, key: str, data: bytes) -> bool:
        """Put a file, if there is none, and return whether its content is what is there now.

        Raises:
            StorageUncertain: The store does not say.
        """
        try:
            return self._bucket.create(f"{LOOSE}/{key}", data)
        finally:
            self._listed = {}

    def get(self, key: str) -> bytes:
        """Return the content of a file.

        Raises:
            KeyMissing: There is none.
        """
        return self._bucket.get(f"{LOOSE}/{key}")

    def names(self, prefix: str) -> Sequence[str]:
        """Return the names below a prefix, of a moment ago where this process has not changed them.

        Whoever works with them looks several times in a row, and each listing costs as much as a put.
        """
        now_s, listed = time.monotonic(), self._listed
        known = listed.get(prefix)
        if known is not None and now_s - known[0] < MAX_AGE_S:
            return known[1]
        names = [name for name in self._bucket.names(f"{LOOSE}/{prefix}") if not name.startswith(".")]
        if len(listed) >= _MAX_LISTED:
            listed.clear()
        listed[prefix] = (now_s, names)
        return names

    def remove(self, key: str) -> None:
        """Remove a file; one that is not there is no error."""
        try:
            self._bucket.remove(f"{LOOSE}/{key}")
        finally:
            self._listed = {}
