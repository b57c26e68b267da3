"""Shows the progress of running jobs to other servers of an object store.

::

    loose/jobs/.progress/<id>     how far a running job is; put again and again, and removed with its end
"""

import time
from collections.abc import Callable
from typing import Final

from windrow.domain.errors import InvalidArtifact
from windrow.domain.job import Progress
from windrow.storage.files import KeyMissing
from windrow.storage.format import Mismatch, read, write
from windrow.storage.job_files import JOBS
from windrow.storage.object_store.bucket import Bucket
from windrow.storage.object_store.loose_objects import LOOSE
from windrow.storage.object_store.store_notices import StoreNotices

INTERVAL_S: Final = 2.0
_POLL_INTERVAL_S: Final = 1.0
_PROGRESS: Final = f"{LOOSE}/{JOBS}/.progress"


class StoreProgressBoard:
    """Shows progress by an object a job. See ``ProgressBoard``.

    Args:
        bucket: Where it is.
        clock_s: A clock of this process that never goes back.
    """

    def __init__(self, bucket: Bucket, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._bucket = bucket
        self._notices = StoreNotices(bucket, clock_s)
        self._clock_s = clock_s
        self._put_s: dict[str, float] = {}

    @property
    def notices(self) -> StoreNotices:
        """What servers leave for each other."""
        return self._notices

    @property
    def poll_interval_s(self) -> float:
        """A look is a request, which takes time and money."""
        return _POLL_INTERVAL_S

    def put(self, job_id: str, progress: Progress) -> None:
        """Put the progress of a job, at most every two seconds."""
        now_s = self._clock_s()
        last_s = self._put_s.get(job_id)
        if last_s is None or now_s - last_s >= INTERVAL_S:
            self._put_s[job_id] = now_s
            self._bucket.put(f"{_PROGRESS}/{job_id}", write(progress))

    def get(self, job_id: str) -> Progress | None:
        """Return the progress that the server of a job has put last; ``None`` where it cannot be read."""
        try:
            return read(self._bucket.get(f"{_PROGRESS}/{job_id}"), Progress)
        except (KeyMissing, Mismatch, InvalidArtifact):  # of another version's server
            return None

    def remove(self, job_id: str) -> None:
        """Remove the progress of a job."""
        self._put_s.pop(job_id, None)
        self._bucket.remove(f"{_PROGRESS}/{job_id}")
