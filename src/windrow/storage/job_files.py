"""Saves the state of each job, and tells which jobs have lost the process that ran them.

::

    jobs/<id>/000001.json     the job when it was asked for; the next numbers, when its turn came and when it ended
    jobs/<id>/stop.json       somebody wants it to stop, maybe in another process
    jobs/.owners/<owner>      locked by the process that runs jobs as long as it lives
"""

import fcntl
import logging
import os
import re
import secrets
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from windrow.disk import PRIVATE_FILE, disk_error, make_private, open_plain
from windrow.domain.errors import InvalidArtifact, StorageFailed, StorageFull, StorageUncertain
from windrow.domain.job import Job
from windrow.storage.files import Files, KeyExists
from windrow.storage.format import Mismatch, read, write
from windrow.storage.log import NUMBERED, Logs, readable

JOBS = "jobs"
OWNERS = ".owners"
CANCEL_FILE = "stop.json"
# Of finished jobs; what a training made is kept by its classifier, so nothing is lost with an old job.
MAX_FINISHED = 1_000
# Milliseconds since 1970, and a salt.
JOB_ID = re.compile("[0-9a-f]{12}-[0-9a-f]{6}")
# What may lie in the folder of all jobs, and in that of one.
FOLDERS = re.compile(f"{JOB_ID.pattern}|{re.escape(OWNERS)}")
FILES = re.compile(f"{NUMBERED.pattern}|{re.escape(CANCEL_FILE)}")

_log = logging.getLogger("windrow.jobs")


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


@dataclass(frozen=True, slots=True)
class _JobFile:
    """What a numbered file of a job says."""

    owner: str
    job: Job


@dataclass(frozen=True, slots=True)
class StoredJob:
    """A job as it is stored.

    Args:
        job: The job.
        number: Of the file that says so, from 1.
        owner: The process that runs it.
    """

    job: Job
    number: int
    owner: str


def _is_ready() -> None:
    """Take it that a data directory is there."""


class JobFiles:
    """The jobs of a data directory, for any number of threads and processes.

    Args:
        root: The data directory.
        files: Its files.
        prepare: Called before a folder is made in it; raises where it is gone.
    """

    def __init__(self, root: Path, files: Files, prepare: Callable[[], object] = _is_ready) -> None:
        self._root = root
        self._files = files
        self._prepare = prepare
        self._logs = Logs(files, JOBS, stored_job_from_json)
        self._lock = threading.Lock()
        self._owner_lock: _OwnerLock | None = None
        self._is_closed = False
        self._last_owner = ""

    @property
    def root(self) -> Path:
        """The data directory."""
        return self._root

    def new_id(self) -> str:
        """Return an id that no other job has; ids sort by time."""
        return f"{time.time_ns() // 1_000_000:012x}-{secrets.token_hex(3)}"

    def owner(self) -> str:
        """Return the name of this process's lock file, which stays locked for as long as the process lives.

        Raises:
            StorageFull: The disk is full.
            StorageFailed: The lock file cannot be made.
        """
        with self._lock:
            if self._owner_lock is None or self._owner_lock.process_id != os.getpid():
                self._prepare()
                self._owner_lock = _acquire_owner_lock(self._root / JOBS / OWNERS)
                self._last_owner = self._owner_lock.name
            return self._owner_lock.name

    def put(self, job: Job, number: int) -> None:
        """Save the state of a job of this process.

        Args:
            job: The job.
            number: 1 for the request; then one more for each state.

        Raises:
            KeyExists: Somebody else wrote this number.
            StorageFull: The disk is full.
            StorageFailed: It cannot be written.
        """
        # What a job says after the close is still of the process that it was begun by.
        self._put(StoredJob(job, number, self._last_owner if self._is_closed else self.owner()))

    def reconcile(self, stored: StoredJob, job: Job) -> Job:
        """Save the end of a job whose process is gone, and return it; an end that others saved first holds."""
        try:
            self._put(replace(stored, job=job, number=stored.number + 1))
        except KeyExists:
            newest = self.get(job.id)
            return job if newest is None else newest.job
        except (StorageFull, StorageFailed):  # a read-only directory or a full disk: it is so all the same
            return job
        return job

    def get(self, job_id: str) -> StoredJob | None:
        """Return a job as it is stored; ``None`` where there is none.

        Raises:
            InvalidArtifact: Its newest file cannot be read.
        """
        numbers = self._logs.numbers(job_id) if JOB_ID.fullmatch(job_id) else ()
        stored = self._logs.at(job_id, numbers[-1]) if numbers else None
        return None if stored is None else readable(stored)

    def ids(self) -> list[str]:
        """Return the ids of all jobs, the newest first."""
        return [name for name in reversed(self._files.list(JOBS)) if JOB_ID.fullmatch(name)]

    def is_alive(self, owner: str) -> bool:
        """Whether the process that holds this lock lives."""
        owner_lock = self._owner_lock
        return (owner_lock is not None and owner == owner_lock.name) or _is_locked(self._root / JOBS / OWNERS / owner)

    def request_cancel(self, job_id: str) -> None:
        """Ask the process that runs a job to cancel it.

        Raises:
            StorageFull: The disk is full.
            StorageFailed: The file cannot be written.
        """
        with suppress(KeyExists):  # cancelled already
            self._put_new(f"{JOBS}/{job_id}/{CANCEL_FILE}", b"{}\n")

    def is_cancel_requested(self, job_id: str) -> bool:
        """Return whether the cancellation of a job has been requested."""
        return os.path.lexists(self._root / JOBS / job_id / CANCEL_FILE)

    def prune(self) -> None:
        """Remove the oldest finished jobs where there are too many, and the lock files of dead processes."""
        for job_id in self.ids()[MAX_FINISHED:]:
            try:
                stored = self.get(job_id)
                if stored is not None and not stored.job.is_finished and self.is_alive(stored.owner):
                    continue
            except InvalidArtifact:
                pass  # unreadable, so it is removed
            self._remove(job_id)
        for owner_lock in _visible_files(self._root / JOBS / OWNERS):
            if not self.is_alive(owner_lock.name):
                with suppress(OSError):
                    owner_lock.unlink()

    def close(self) -> None:
        """Release this process's lock; jobs that it left unfinished count as interrupted."""
        with self._lock:
            owner_lock, self._owner_lock, self._is_closed = self._owner_lock, None, True
        if owner_lock is not None and owner_lock.process_id == os.getpid():
            with suppress(OSError):  # what is left is removed with those of dead processes
                owner_lock.path.unlink()
            os.close(owner_lock.descriptor)

    def _put(self, stored: StoredJob) -> None:
        self._put_new(self._logs.key(stored.job.id, stored.number), stored_job_to_json(stored))

    def _put_new(self, key: str, content: bytes) -> None:
        """Put what every process sees from now on; it need not outlive a power cut, which ends the training, too."""
        try:
            self._files.put_new(key, content)
        except StorageUncertain as error:
            _log.warning("%s", error.detail)

    def _remove(self, job_id: str) -> None:
        for name in self._files.list(f"{JOBS}/{job_id}"):
            if NUMBERED.fullmatch(name) or name == CANCEL_FILE:  # what a person put there stays
                self._files.remove(f"{JOBS}/{job_id}/{name}")


def stored_job_to_json(stored: StoredJob) -> bytes:
    """Return a numbered file of a job."""
    return write(_JobFile(stored.owner, stored.job))


def stored_job_from_json(
    job_id: str,  # noqa: ARG001 - whose it is stands in it
    number: int,
    content: bytes,
    *,
    strictly: bool = False,
) -> StoredJob:
    """Return what a numbered file of a job says.

    Raises:
        InvalidArtifact: It says nothing that this version understands.
    """
    try:
        file = read(content, _JobFile, strictly=strictly)
    except (Mismatch, InvalidArtifact) as error:
        why = error.facts.get("why", "is of a newer format") if isinstance(error, InvalidArtifact) else str(error)
        raise InvalidArtifact("It cannot be read: {why}. No classifier needs it: remove it.", {"why": why}) from error
    return StoredJob(file.job, number, file.owner)


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
