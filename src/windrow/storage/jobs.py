"""Jobs on the disk: what becomes of each training, and which of them have lost the process that ran them.

Owns the files below ``jobs/`` and the mark by which a process is known to live; knows nothing of threads or trainings.

::

    jobs/<id>/000001.json     the job when it was asked for; the next numbers, when its turn came and when it ended
    jobs/<id>/stop.json       somebody wants it to stop, maybe in another process
    jobs/.owners/<owner>      locked by the process that runs jobs as long as it lives
"""

import fcntl
import os
import re
import secrets
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from windrow.disk import reason
from windrow.domain.errors import InvalidArtifact, StorageFailed
from windrow.domain.job import Job
from windrow.storage.files import Files, KeyExists
from windrow.storage.format import Mismatch, read, write
from windrow.storage.log import NUMBERED, Logs, readable

JOBS = "jobs"
OWNERS = ".owners"
STOP = "stop.json"
# Of finished jobs; what a training made is kept by its classifier, so nothing is lost with an old job.
MAX_FINISHED = 1_000
# Milliseconds since 1970, and a salt.
JOB_ID = re.compile("[0-9a-f]{12}-[0-9a-f]{6}")


@dataclass(frozen=True, slots=True)
class _Mark:
    """A file that is locked for as long as its process lives.

    Args:
        path: The file.
        descriptor: Holds the lock; closing it would free it.
        process_id: A forked process has the descriptor, too, and must make a mark of its own.
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
class Kept:
    """A job as it stands on the disk.

    Args:
        job: The job.
        number: Of the file that says so, from 1.
        owner: The process that runs it.
    """

    job: Job
    number: int
    owner: str


class JobFiles:
    """The jobs of a data directory, for any number of threads and processes.

    Args:
        root: The data directory.
        files: Its files.
    """

    def __init__(self, root: Path, files: Files) -> None:
        self._root = root
        self._files = files
        self._logs = Logs(files, JOBS, kept_from_json)
        self._lock = threading.Lock()
        self._mark: _Mark | None = None
        self._is_closed = False
        self._last_owner = ""

    def new_id(self) -> str:
        """Return an id that no other job has; ids sort by time."""
        return f"{time.time_ns() // 1_000_000:012x}-{secrets.token_hex(3)}"

    def owner(self) -> str:
        """Return this process's mark, which says for as long as it lives that its jobs are in good hands.

        Raises:
            StorageFailed: The mark cannot be made.
        """
        with self._lock:
            if self._mark is None or self._mark.process_id != os.getpid():
                self._mark = _make_mark(self._root / JOBS / OWNERS)
                self._last_owner = self._mark.name
            return self._mark.name

    def put(self, job: Job, number: int) -> None:
        """Write down what a job of this process is now.

        Args:
            job: The job.
            number: 1 when it is asked for; then one more each time.

        Raises:
            KeyExists: Somebody else wrote this number.
            StorageFull: The disk is full.
            StorageFailed: It cannot be written.
        """
        # What a job says after the close is still of the process that it was begun by.
        self._put(Kept(job, number, self._last_owner if self._is_closed else self.owner()))

    def settle(self, kept: Kept, job: Job) -> Job:
        """Write down what became of a job whose process is gone, and return it; what others wrote first holds."""
        try:
            self._put(replace(kept, job=job, number=kept.number + 1))
        except KeyExists:
            newest = self.get(job.id)
            return job if newest is None else newest.job
        except StorageFailed:  # a read-only directory: it is so all the same
            return job
        return job

    def get(self, job_id: str) -> Kept | None:
        """Return a job as it stands on the disk; ``None`` where there is none.

        Raises:
            InvalidArtifact: Its newest file cannot be read.
        """
        numbers = self._logs.numbers(job_id) if JOB_ID.fullmatch(job_id) else ()
        kept = self._logs.at(job_id, numbers[-1]) if numbers else None
        return None if kept is None else readable(kept)

    def ids(self) -> list[str]:
        """Return the ids of all jobs, the newest first."""
        return [name for name in reversed(self._files.list(JOBS)) if JOB_ID.fullmatch(name)]

    def is_alive(self, owner: str) -> bool:
        """Whether the process with this mark lives."""
        mark = self._mark
        return (mark is not None and owner == mark.name) or _is_locked(self._root / JOBS / OWNERS / owner)

    def ask_to_stop(self, job_id: str) -> None:
        """Tell the process that runs a job that it is to stop.

        Raises:
            StorageFull: The disk is full.
            StorageFailed: It cannot be told.
        """
        try:
            self._files.put_new(f"{JOBS}/{job_id}/{STOP}", b"{}\n")
        except KeyExists:
            pass  # it is told already

    def is_to_stop(self, job_id: str) -> bool:
        """Whether somebody wants a job to stop."""
        return os.path.lexists(self._root / JOBS / job_id / STOP)

    def forget_old(self) -> None:
        """Remove the oldest finished jobs where there are too many, and the marks of processes that are gone."""
        for job_id in self.ids()[MAX_FINISHED:]:
            try:
                kept = self.get(job_id)
                if kept is not None and not kept.job.is_finished and self.is_alive(kept.owner):
                    continue
            except InvalidArtifact:
                pass  # nobody can read it, so nobody misses it
            self._remove(job_id)
        for mark in _listed(self._root / JOBS / OWNERS):
            if not self.is_alive(mark.name):
                with suppress(OSError):
                    mark.unlink()

    def close(self) -> None:
        """Take this process's mark away; jobs that it left unfinished are told to be interrupted."""
        with self._lock:
            mark, self._mark, self._is_closed = self._mark, None, True
        if mark is not None and mark.process_id == os.getpid():
            with suppress(OSError):  # what is left is removed with the marks of the dead
                mark.path.unlink()
            os.close(mark.descriptor)

    def _put(self, kept: Kept) -> None:
        self._files.put_new(self._logs.key(kept.job.id, kept.number), kept_to_json(kept))

    def _remove(self, job_id: str) -> None:
        for name in self._files.list(f"{JOBS}/{job_id}"):
            if NUMBERED.fullmatch(name) or name == STOP:  # what a person put there stays
                self._files.remove(f"{JOBS}/{job_id}/{name}")


def kept_to_json(kept: Kept) -> bytes:
    """Return a numbered file of a job."""
    return write(_JobFile(kept.owner, kept.job))


def kept_from_json(
    job_id: str,  # noqa: ARG001 - whose it is stands in it
    number: int,
    content: bytes,
    *,
    strictly: bool = False,
) -> Kept:
    """Return what a numbered file of a job says.

    Raises:
        InvalidArtifact: It says nothing that this version understands.
    """
    try:
        file = read(content, _JobFile, strictly=strictly)
    except (Mismatch, InvalidArtifact) as error:
        why = error.facts.get("why", "is of a newer format") if isinstance(error, InvalidArtifact) else str(error)
        raise InvalidArtifact("It cannot be read: {why}. No classifier needs it: remove it.", {"why": why}) from error
    return Kept(file.job, number, file.owner)


def _make_mark(folder: Path) -> _Mark:
    """Make a file that stays locked until this process ends.

    Raises:
        StorageFailed: It cannot be made or locked.
    """
    name = secrets.token_hex(8)
    aside = folder / f".{name}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(aside, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o644)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # It gets its name only once it is locked, so that nobody takes it for a dead one's.
        aside.rename(folder / name)
    except OSError as error:
        raise StorageFailed(
            "Jobs cannot be kept in {folder} ({why}). Check that Windrow may write there, and that its file system has "
            "locks; then try again.",
            {"folder": str(folder.parent), "why": reason(error)},
        ) from error
    return _Mark(folder / name, descriptor, os.getpid())


def _is_locked(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


def _listed(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if not path.name.startswith(".")]
    except OSError:
        return []
