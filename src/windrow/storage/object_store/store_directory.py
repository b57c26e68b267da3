"""Tells whether an object store answers, as ``DataDirectory`` does of a folder."""

import threading
import time
from typing import Final

from windrow.domain.errors import DataDirectoryUnavailable
from windrow.storage.object_store.loose_objects import MAX_AGE_S
from windrow.storage.object_store.object_files import ObjectFiles

# Of so many looks, one is also for the last commit that is known here: whether another log has taken its place.
LOOKS_A_CHECK: Final = 30


class StoreDirectory:
    """Tells whether an object store answers, from the last look at it; thread-safe.

    Args:
        files: The files in it.
    """

    def __init__(self, files: ObjectFiles) -> None:
        self._files = files
        self._looking = threading.Lock()
        self._looked_at_s = 0.0
        self._num_looks = 0
        self._problem: DataDirectoryUnavailable | None = None

    def look(self) -> None:
        """Take over what others have committed, and note whether the store answers."""
        with self._looking:
            self._look()

    def check(self) -> None:
        """Check that the store answered at the last look; one that did not is looked at again after a while.

        Raises:
            DataDirectoryUnavailable: It did not.
        """
        if self._problem is not None and time.monotonic() - self._looked_at_s > MAX_AGE_S:
            self._look_unless_another_thread_does()
        if (problem := self._problem) is not None:
            raise DataDirectoryUnavailable(problem.template, problem.facts) from problem

    def prepare(self) -> None:
        """Check as :meth:`check` does: what a change takes, the store itself says.

        Raises:
            DataDirectoryUnavailable: It did not answer.
        """
        self.check()

    def _look_unless_another_thread_does(self) -> None:
        if self._looking.acquire(blocking=False):
            try:
                self._look()
            finally:
                self._looking.release()

    def _look(self) -> None:
        self._num_looks += 1
        try:
            if self._files.is_in_doubt or self._num_looks % LOOKS_A_CHECK == 0:
                self._files.check_unchanged()
            self._files.follow()
        except DataDirectoryUnavailable as error:
            self._problem = error
        else:
            self._problem = None
        finally:
            self._looked_at_s = time.monotonic()
