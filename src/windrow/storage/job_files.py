"""Saves the state of each job, and tells which jobs have lost the process that ran them.

::

    jobs/<id>/000001.json     the job when it was asked for; the next numbers, when its turn came and when it ended
    jobs/<id>/stop.json       somebody wants it to stop, maybe in another process
    jobs/.owners/<owner>      the process that runs it, as long as it lives
"""

import logging
import re
import secrets
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from windrow.domain.errors import InvalidArtifact, StorageFailed, StorageFull, StorageUncertain
from windrow.domain.job import Job, Progress
from windrow.storage.files import Files, KeyExists, KeyMissing
from windrow.storage.format import Mismatch, is_newer, read, write
from windrow.storage.job_board import ProgressBoard
from windrow.storage.log import NUMBERED, Logs, readable

JOBS = "jobs"
OWNERS = ".owners"
CANCEL_FILE = "stop.json"
# Of finished jobs; what a training made is kept by its classifier, so nothing is lost with an old job.
MAX_FINISHED = 1_000
_MAX_READERS = 16
# Milliseconds since 1970, and a salt.
JOB_ID = re.compile("[0-9a-f]{12}-[0-9a-f]{6}")
# What may lie in the folder of all jobs, and in that of one.
FOLDERS = re.compile(f"{JOB_ID.pattern}|{re.escape(OWNERS)}")
FILES = re.compile(f"{NUMBERED.pattern}|{re.escape(CANCEL_FILE)}")

_log = logging.getLogger("windrow.jobs")


class Liveness(Protocol):
    """Tells which processes live. Raises as :class:`Owners` does."""

    def is_alive(self, name: str) -> bool:
        """Whether a process lives; ask only about names that a job's file names."""
        ...

    def may_have_dead(self) -> bool:
        """Whether any process may have died and left jobs."""
        ...

    def has_doubts(self) -> bool:
        """Whether the last look leaves open which processes have died, so that a later one may find more."""
        ...


class Owners(Liveness, Protocol):
    """Tells which processes that run jobs of a data directory live.

    Every method may be called by any thread, and raises ``StorageFull`` and ``StorageFailed`` when the place fails.
    """

    def acquire(self) -> str:
        """Return the name of this process, which lives from now on; after :meth:`close`, the name that it had."""
        ...

    def prune(self) -> None:
        """Remove what dead processes have left, without their jobs."""
        ...

    def close(self, *, leaves_jobs: bool = False) -> None:
        """Count this process as dead.

        Args:
            leaves_jobs: Whether it leaves jobs without an end, which others should find.
        """
        ...


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


@dataclass(frozen=True, slots=True)
class JobNews:
    """What the names of a job's files say.

    Args:
        number: The highest number; 0 where there is none.
        is_cancel_requested: Whether somebody wants it to stop.
    """

    number: int
    is_cancel_requested: bool


class JobFiles:
    """The jobs of a data directory, for any number of threads and processes.

    Args:
        files: Its files.
        owners: Tells which of the processes that run its jobs live.
        board: Where they show their progress, and leave notices.
        root: The folder of this machine that has its base models; what is kept of a job names no file above it.
        num_remembered: Ended jobs that are kept in memory, where reading them takes long.
    """

    def __init__(self, files: Files, owners: Owners, board: ProgressBoard, root: Path, num_remembered: int = 0) -> None:
        self._files = files
        self._owners = owners
        self._board = board
        self._notices = board.notices
        self._root = root
        self._logs = Logs(files, JOBS, stored_job_from_json)
        self._num_remembered = num_remembered
        self._remembered: dict[str, StoredJob] = {}
        self._remembering = threading.Lock()

    @property
    def root(self) -> Path:
        """The folder of this machine that has the base models."""
        return self._root

    @property
    def poll_interval_s(self) -> float:
        """Seconds between two looks at what other processes say about one job."""
        return self._board.poll_interval_s

    def new_id(self) -> str:
        """Return an id that no other job has; ids sort by time."""
        return f"{time.time_ns() // 1_000_000:012x}-{secrets.token_hex(3)}"

    def owner(self) -> str:
        """Return the name of this process, which counts as alive from now on.

        Raises:
            StorageFull: The disk is full.
            StorageFailed: That cannot be written.
        """
        return self._owners.acquire()

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
        self._put(StoredJob(job, number, self.owner()))

    def reconcile(self, stored: StoredJob, job: Job) -> Job:
        """Save the end of a job whose process is gone, and return it; an end that others saved first holds."""
        try:
            self._notices.put(job.id)  # first, so that a process which lives after all finds each end
            self._put(replace(stored, job=job, number=stored.number + 1))
        except KeyExists:
            newest = self.get(job.id)
            return job if newest is None else newest.job
        except (StorageFull, StorageFailed):  # a read-only directory or a full disk: it is so all the same
            return job
        self.forget_progress(job.id)
        return job

    def get(self, job_id: str) -> StoredJob | None:
        """Return a job as it is stored; ``None`` where there is none.

        Raises:
            InvalidArtifact: Its newest file cannot be read.
        """
        if (remembered := self._remembered.get(job_id)) is not None:
            return remembered
        numbers = self._logs.numbers(job_id) if JOB_ID.fullmatch(job_id) else ()
        found = self._logs.at(job_id, numbers[-1]) if numbers else None
        if found is None:
            return None
        if (stored := readable(found)).job.is_finished:
            self._remember(stored)
        return stored

    def prefetch(self, job_ids: Sequence[str]) -> None:
        """Have jobs that have ended at hand, where each is a request away; errors are left to whoever reads them."""

        def fetch(job_id: str) -> None:
            with suppress(InvalidArtifact, StorageFull, StorageFailed):
                self.get(job_id)

        missing = [each for each in job_ids if each not in self._remembered] if self._num_remembered else []
        if len(missing) > 1:
            with ThreadPoolExecutor(min(_MAX_READERS, len(missing))) as readers:
                list(readers.map(fetch, missing))

    def ids(self) -> list[str]:
        """Return the ids of all jobs, the newest first."""
        return [name for name in reversed(self._files.list(JOBS)) if JOB_ID.fullmatch(name)]

    def is_alive(self, owner: str) -> bool:
        """Whether the process that runs a job lives."""
        return self._owners.is_alive(owner)

    def may_have_orphans(self) -> bool:
        """Whether there may be jobs whose process is dead."""
        return self._owners.may_have_dead()

    def may_find_orphans_later(self) -> bool:
        """Whether processes count as alive that a later look may find dead."""
        return self._owners.has_doubts()

    def request_cancel(self, job_id: str) -> None:
        """Ask the process that runs a job to cancel it.

        Raises:
            StorageFull: The disk is full.
            StorageFailed: The file cannot be written.
        """
        with suppress(KeyExists):  # cancelled already
            self._put_new(f"{JOBS}/{job_id}/{CANCEL_FILE}", b"{}\n")
        self._notices.put(job_id)

    def is_cancel_requested(self, job_id: str) -> bool:
        """Return whether the cancellation of a job has been requested."""
        return self.news(job_id).is_cancel_requested

    def may_have_news(self, job_id: str) -> bool:
        """Whether others may have said something about a job of this process, so that :meth:`news` is worth a look.

        Raises:
            StorageFailed: That cannot be seen.
        """
        return self._notices.may_have(job_id)

    def news(self, job_id: str) -> JobNews:
        """Return what the names of a job's files say, which takes one look.

        Raises:
            StorageFailed: They cannot be listed.
        """
        names = self._files.list(f"{JOBS}/{job_id}")
        numbers = (int(match[1]) for match in map(NUMBERED.fullmatch, names) if match is not None)
        return JobNews(max(numbers, default=0), CANCEL_FILE in names)

    def show_progress(self, job_id: str, progress: Progress) -> None:
        """Let other processes see how far a job of this one is, where that is possible."""
        try:
            self._board.put(job_id, progress)
        except (StorageFull, StorageFailed) as error:  # the next one may be seen again
            _log.info("The progress of the job %s is not shown to other processes. %s", job_id, error.detail)

    def progress(self, job_id: str) -> Progress | None:
        """Return how far another process says that a job is; ``None`` where that is not known."""
        try:
            return self._board.get(job_id)
        except (StorageFull, StorageFailed) as error:
            _log.info("The progress of the job %s cannot be seen. %s", job_id, error.detail)
            return None

    def forget_progress(self, job_id: str) -> None:
        """Show the progress of a job no more."""
        try:
            self._board.remove(job_id)
        except (StorageFull, StorageFailed) as error:  # nobody reads that of a job that has ended
            _log.info("The progress of the job %s was not removed. %s", job_id, error.detail)

    def forget_notice(self, job_id: str) -> None:
        """Remove what others have left about a job of this process that has ended."""
        try:
            self._notices.remove(job_id)
        except (StorageFull, StorageFailed) as error:  # it is removed when it is old
            _log.info("The notice of the job %s was not removed. %s", job_id, error.detail)

    def prune(self) -> None:
        """Remove the oldest finished jobs where there are too many, and what dead processes have left."""
        for job_id in self.ids()[MAX_FINISHED:]:
            try:
                stored = self.get(job_id)
                if stored is not None and not stored.job.is_finished and self.is_alive(stored.owner):
                    continue
            except InvalidArtifact:
                pass  # unreadable, so it is removed
            self._remove(job_id)
        self._owners.prune()

    def close(self, *, leaves_jobs: bool = False) -> None:
        """Count this process as dead; jobs that it left unfinished count as interrupted.

        Args:
            leaves_jobs: Whether there are such jobs.
        """
        self._owners.close(leaves_jobs=leaves_jobs)

    def _remember(self, stored: StoredJob) -> None:
        """Keep an ended job in memory: nobody changes it any more."""
        if self._num_remembered:
            with self._remembering:
                self._remembered[stored.job.id] = stored
                if len(self._remembered) > self._num_remembered:
                    del self._remembered[min(self._remembered)]  # the oldest job

    def _put(self, stored: StoredJob) -> None:
        self._put_new(self._logs.key(stored.job.id, stored.number), stored_job_to_json(stored))

    def _put_new(self, key: str, content: bytes) -> None:
        """Put what every process sees from now on; it need not outlive a power cut, which ends the training, too.

        Raises:
            KeyExists: Something else is there.
            StorageUncertain: An object store may have taken it, or may still take it.
        """
        try:
            self._files.put_new(key, content)
        except StorageUncertain as error:
            try:  # an object store may mean by it that there is nothing yet, or what another process has put
                found = self._files.get(key)
            except KeyMissing:
                raise error from None
            if found != content:
                raise KeyExists(key) from None
            _log.warning("%s", error.detail)

    def _remove(self, job_id: str) -> None:
        for name in self._files.list(f"{JOBS}/{job_id}"):
            if NUMBERED.fullmatch(name) or name == CANCEL_FILE:  # what a person put there stays
                self._files.remove(f"{JOBS}/{job_id}/{name}")
        with self._remembering:
            self._remembered.pop(job_id, None)
        self.forget_progress(job_id)


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
        InvalidArtifact: It says nothing that this version understands, or is of a newer format.
    """
    try:
        file = read(content, _JobFile, strictly=strictly)
    except (Mismatch, InvalidArtifact) as error:
        if isinstance(error, InvalidArtifact) and is_newer(error):
            newer = "It is of a newer format. No classifier needs it. Upgrade Windrow."
            raise InvalidArtifact(newer, error.facts) from error
        why = error.facts["why"] if isinstance(error, InvalidArtifact) else str(error)
        raise InvalidArtifact("It cannot be read: {why}. No classifier needs it: remove it.", {"why": why}) from error
    return StoredJob(file.job, number, file.owner)
