"""Lets one writer at a time, of all threads and processes, change a data directory.

Readers never wait: they see each change as a whole or not at all.
"""

import fcntl
import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import wraps
from pathlib import Path
from typing import ParamSpec, TypeVar

from windrow.disk import disk_error, make_private
from windrow.domain.errors import ConcurrentChange, StorageFailed, StorageFull

P = ParamSpec("P")
Result = TypeVar("Result")
# Enters when there is no other writer; or leaves with `CommitLost` where there was one, so that nothing was changed.
Lock = Callable[[], AbstractContextManager[object]]

LOCK_TIMEOUT_S = 60.0
_MAX_PAUSE_S = 0.02
_MAX_RETRY_PAUSE_S = 0.5


class CommitLost(Exception):  # noqa: N818 - its name says what it is
    """Another writer came first, so that what was looked at may hold no more; nothing was changed.

    Args:
        number: The commit that is another one's.
    """

    def __init__(self, number: int) -> None:
        super().__init__(f"commit {number} is another one's")


def transaction(method: Callable[P, Result]) -> Callable[P, Result]:
    """Let a method that makes its change under a :data:`Lock` run again where another writer came first.

    Only the change under the lock may have effects, and nothing else: it is all looked at again. Where others come
    first for too long, it raises ``ConcurrentChange``.

    Args:
        method: The method.
    """

    @wraps(method)
    def run(*args: P.args, **kwargs: P.kwargs) -> Result:
        deadline_s, pause_s = time.monotonic() + LOCK_TIMEOUT_S, 0.01
        while True:
            try:
                return method(*args, **kwargs)
            except CommitLost as error:
                if time.monotonic() > deadline_s:
                    raise _too_busy(LOCK_TIMEOUT_S) from error
            time.sleep(random.uniform(0, pause_s))  # noqa: S311 - so that two do not meet again
            pause_s = min(2 * pause_s, _MAX_RETRY_PAUSE_S)

    return run


class DirectoryLock:
    """A lock on a folder, which the system frees when its holder dies. Not reentrant.

    Args:
        folder: The data directory; made where it does not exist.
        timeout_s: Seconds after which waiting ends.
    """

    def __init__(self, folder: Path, timeout_s: float = LOCK_TIMEOUT_S) -> None:
        self._folder = folder
        self._timeout_s = timeout_s
        # Threads queue here first, so that of each process only one asks the system.
        self._threads = threading.Lock()

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """Hold the lock inside a ``with`` block.

        Raises:
            ConcurrentChange: Others held it for too long.
            StorageFull: The disk is full, and the folder cannot be made.
            StorageFailed: The folder cannot be opened or locked.
        """
        deadline_s = time.monotonic() + self._timeout_s
        if not self._threads.acquire(timeout=self._timeout_s):
            raise _too_busy(self._timeout_s)
        try:
            descriptor = self._open()
            try:
                self._wait(descriptor, deadline_s)
                try:
                    yield
                finally:
                    # Closing would do, but for a process that was forked meanwhile and holds the descriptor, too.
                    with suppress(OSError):
                        fcntl.flock(descriptor, fcntl.LOCK_UN)
            finally:
                os.close(descriptor)
        finally:
            self._threads.release()

    def _open(self) -> int:
        try:
            make_private(self._folder)
            return os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            raise _failed(self._folder, error) from error

    def _wait(self, descriptor: int, deadline_s: float) -> None:
        pause_s = 0.0005
        while True:
            try:
                return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                if time.monotonic() > deadline_s:
                    raise _too_busy(self._timeout_s) from error
            except OSError as error:
                raise _failed(self._folder, error) from error
            time.sleep(pause_s)
            pause_s = min(2 * pause_s, _MAX_PAUSE_S)


def _too_busy(timeout_s: float) -> ConcurrentChange:
    return ConcurrentChange(
        "Others have been changing the data directory for {seconds:.0f} seconds, so this change was not made. Try "
        "again; if that lasts, look for a Windrow process that hangs.",
        {"seconds": timeout_s},
    )


def _failed(folder: Path, error: OSError) -> StorageFull | StorageFailed:
    return disk_error(
        error,
        "The data directory {folder} cannot be locked for a change ({why}). Check that it exists, that the server may "
        "write it, and that its file system has locks; then try again.",
        "The data directory {folder} cannot be made ({why}). Free some space or raise the quota, then try again.",
        folder=str(folder),
    )
