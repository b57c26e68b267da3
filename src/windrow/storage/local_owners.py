"""Tells which processes of this machine live, by files that each of them keeps locked.

::

    jobs/.owners/<owner>      locked by the process that runs jobs as long as it lives
"""

import fcntl
import os
import secrets
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from windrow.disk import PRIVATE_FILE, disk_error, make_private, open_plain
from windrow.domain.job import Progress
from windrow.storage.job_files import JOBS, OWNERS

_POLL_INTERVAL_S: Final = 0.2


@dataclass(frozen=True, slots=True)
class _OwnerLock:
    """A file that is locked for as long as its process lives.

    Args:
        path: The file.
        descriptor: Holds the lock; closing it would free it.
        process_id: A forked process has the descriptor, too, and must take a lock of its own.
    """

    path: Path
    descriptor: int
    process_id: int

    @property
    def name(self) -> str:
        """What it is called in a job's files."""
        return self.path.name


def _is_ready() -> None:
    """Take it that a data directory is there."""


class LocalOwners:
    """The processes that run jobs of a folder of this machine. See ``Owners``.

    Args:
        root: The data directory.
        prepare: Called before a folder is made in it; raises where it is gone.
    """

    def __init__(self, root: Path, prepare: Callable[[], object] = _is_ready) -> None:
        self._folder = root / JOBS / OWNERS
        self._prepare = prepare
        self._lock = threading.Lock()
        self._owner_lock: _OwnerLock | None = None
        self._is_closed = False
        self._last_name = ""

    def acquire(self) -> str:
        """Return the name of this process's lock file, which stays locked for as long as the process lives.

        Raises:
            StorageFull: The disk is full.
            StorageFailed: The lock file cannot be made.
        """
        with self._lock:
            if self._is_closed:
                return self._last_name
            if self._owner_lock is None or self._owner_lock.process_id != os.getpid():
                self._prepare()
                self._owner_lock = _acquire_owner_lock(self._folder)
                self._last_name = self._owner_lock.name
            return self._owner_lock.name

    def is_alive(self, name: str) -> bool:
        """Whether a process holds this lock; the kernel frees it with the process."""
        owner_lock = self._owner_lock
        return (owner_lock is not None and name == owner_lock.name) or _is_locked(self._folder / name)

    def may_have_dead(self) -> bool:
        """Look at the jobs, which tell it at no cost."""
        return True

    def has_doubts(self) -> bool:
        """Have none: the kernel tells."""
        return False

    def prune(self) -> None:
        """Remove the lock files of dead processes."""
        for path in _visible_files(self._folder):
            if not self.is_alive(path.name):
                with suppress(OSError):
                    path.unlink()

    def close(self, *, leaves_jobs: bool = False) -> None:  # noqa: ARG002 - what is left is found without help
        """Release this process's lock."""
        with self._lock:
            owner_lock, self._owner_lock, self._is_closed = self._owner_lock, None, True
        if owner_lock is not None and owner_lock.process_id == os.getpid():
            with suppress(OSError):  # what is left is removed with those of dead processes
                owner_lock.path.unlink()
            os.close(owner_lock.descriptor)


class NoNotices:
    """Leaves none, since a look at a job's folder costs nothing. See ``Notices``."""

    def put(self, job_id: str) -> None:
        """Do nothing."""

    def may_have(self, job_id: str) -> bool:  # noqa: ARG002 - the look tells
        """Return that each job is worth a look."""
        return True

    def remove(self, job_id: str) -> None:
        """Do nothing."""


class NoProgressBoard:
    """Shows nothing: processes rarely share a folder, and a step is not worth a write. See ``ProgressBoard``."""

    @property
    def notices(self) -> NoNotices:
        """There are none."""
        return NoNotices()

    @property
    def poll_interval_s(self) -> float:
        """A look is a system call, so that it may be frequent."""
        return _POLL_INTERVAL_S

    def put(self, job_id: str, progress: Progress) -> None:
        """Do nothing."""

    def get(self, job_id: str) -> Progress | None:  # noqa: ARG002 - nobody has put it
        """Return ``None``."""
        return None

    def remove(self, job_id: str) -> None:
        """Do nothing."""


def _acquire_owner_lock(folder: Path) -> _OwnerLock:
    """Make a file that stays locked until this process ends.

    Raises:
        StorageFull: The disk is full.
        StorageFailed: It cannot be made or locked.
    """
    name = secrets.token_hex(8)
    unnamed = folder / f".{name}"
    try:
        make_private(folder)
        descriptor = os.open(unnamed, os.O_CREAT | os.O_EXCL | os.O_RDWR, PRIVATE_FILE)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # It gets its name only once it is locked, so that no other process takes it for a dead one's.
        unnamed.rename(folder / name)
    except OSError as error:
        raise disk_error(
            error,
            "Jobs cannot be kept in {folder} ({why}). Check that Windrow may write there, and that its file system has "
            "locks; then try again.",
            "Jobs cannot be kept in {folder} ({why}). Free some space or raise the quota, then try again.",
            folder=folder.parent.name,
        ) from error
    return _OwnerLock(folder / name, descriptor, os.getpid())


def _is_locked(path: Path) -> bool:
    try:
        file = open_plain(str(path))
    except OSError:
        return False
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


def _visible_files(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if not path.name.startswith(".")]
    except OSError:
        return []
