"""Tells a server of an object store which of its jobs others have said something about, in one listing for all of them.

::

    loose/jobs/.notices/<id>     put with a wish to stop a job, and before an end that another server saves; removed by
                                 the server that runs the job once it has ended
"""

import math
import threading
import time
from collections.abc import Callable
from typing import Final

from windrow.storage.job_files import JOBS
from windrow.storage.object_store.bucket import Bucket
from windrow.storage.object_store.loose_objects import LOOSE

NOTICES: Final = f"{LOOSE}/{JOBS}/.notices"
# A listing costs money. Jobs ask more often, so that each of them hears of it at once.
INTERVAL_S: Final = 1.0
_CONTENT: Final = b"{}\n"


class StoreNotices:
    """Leaves word by an object a job. See ``Notices``.

    Args:
        bucket: Where they are.
        clock_s: A clock of this process that never goes back.
    """

    def __init__(self, bucket: Bucket, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._bucket = bucket
        self._clock_s = clock_s
        self._looking = threading.Lock()
        self._looked_s = -math.inf
        self._untold: set[str] = set()
        self._told: set[str] = set()

    def put(self, job_id: str) -> None:
        """Put the notice of a job."""
        self._bucket.put(f"{NOTICES}/{job_id}", _CONTENT)

    def may_have(self, job_id: str) -> bool:
        """Whether the last listing, which is made at most once a second, names a job; once a listing."""
        self._look()
        untold = self._untold
        if job_id not in untold:
            return False
        untold.discard(job_id)  # what follows is a request, too
        self._told.add(job_id)
        return True

    def remove(self, job_id: str) -> None:
        """Remove the notice of a job of this server, if it was seen; what comes later is removed after a day."""
        if job_id in self._told or job_id in self._untold:
            self._told.discard(job_id)
            self._bucket.remove(f"{NOTICES}/{job_id}")

    def _look(self) -> None:
        """List the notices if that is due and no other thread does it."""
        if not self._is_due() or not self._looking.acquire(blocking=False):
            return
        try:
            if self._is_due():
                self._looked_s = self._clock_s()  # also where it fails: the store may be down
                self._untold = set(self._bucket.names(NOTICES))
        finally:
            self._looking.release()

    def _is_due(self) -> bool:
        return self._clock_s() - self._looked_s >= INTERVAL_S
