"""Save the states of one job of this process, whose end another one may save first that takes this one for dead."""

import logging
import threading
from dataclasses import replace
from pathlib import Path

from windrow.disk import without_folder
from windrow.domain.errors import (
    FilePredictionCancelled,
    InvalidArtifact,
    ShuttingDown,
    StorageFailed,
    StorageFull,
    TrainingCancelled,
    WindrowError,
)
from windrow.domain.job import Job, JobKind, JobState, Problem
from windrow.execution.control import job_cancelled
from windrow.storage.files import KeyExists
from windrow.storage.job_files import JobFiles, StoredJob

_log = logging.getLogger("windrow.jobs")


class JobRecord:
    """What is stored of a job of this process; thread-safe.

    Of the ends that several processes may save, the first one holds: once a job has ended in the data directory,
    nothing more is saved about it.

    Args:
        files: Stores jobs.
        job_id: The job.
        kind: What it does.
    """

    def __init__(self, files: JobFiles, job_id: str, kind: JobKind = "fit") -> None:
        self._files = files
        self._id = job_id
        self._kind = kind
        self._lock = threading.Lock()
        self._number = 0
        self._end: Job | None = None

    def save(self, job: Job) -> Job:
        """Save a state, and return what is stored now: that state, or an end that was saved before.

        Raises:
            InvalidArtifact: Another process has saved what cannot be read.
            StorageFull: The disk is full.
            StorageFailed: It cannot be written.
        """
        with self._lock:
            stored = replace(job, ahead=0, progress=None)
            while self._end is None:
                try:
                    self._files.put(stored, self._number + 1)
                except KeyExists:
                    if self._take_over(stored):
                        return stored
                else:
                    self._number += 1
                    self._end = stored if stored.is_finished else None
                    return stored
            return self._end

    def find_reason_to_cancel(self) -> WindrowError | None:
        """Return why the job should not go on: somebody wants it to stop, or has taken this process for dead."""
        try:
            if self._files.may_have_news(self._id):
                news = self._files.news(self._id)
                if news.is_cancel_requested:
                    return job_cancelled(self._kind, self._id)
                with self._lock:
                    if self._end is None and news.number > self._number and (newest := self._files.get(self._id)):
                        self._note_end(newest)
        except (StorageFull, StorageFailed, InvalidArtifact) as error:  # the next look may tell
            _log.info("Whether the job %s should be cancelled cannot be seen. %s", self._id, error.detail)
        end = self._end
        return None if end is None else ended_elsewhere(end)

    def _take_over(self, job: Job) -> bool:
        """Go on behind what is stored already, since the number of a state is taken; the lock is held.

        Returns:
            Whether that is this very state, of which the place had said that it could not be written.

        Raises:
            StorageFailed: The number is taken, and there is nothing.
        """
        newest = self._files.get(self._id)
        if newest is None or newest.number <= self._number:
            raise StorageFailed(
                "The job {job_id} cannot be written down: its files are being removed. Look who does so.",
                {"job_id": self._id},
            )
        self._number = newest.number
        is_same = _times(newest.job) == _times(job)
        if is_same and job.is_finished:
            self._end = job
        elif not is_same:
            self._note_end(newest)
        return is_same

    def _note_end(self, newest: StoredJob) -> None:
        """Believe the end that another process has saved, if it is one; the lock is held."""
        if newest.job.is_finished:
            self._number, self._end = newest.number, newest.job
            _log.warning(
                "Another process has taken this one for dead and written down the job %s as %s, which holds, whatever "
                "becomes of it here. That happens where this process or its data directory stood still.",
                self._id,
                newest.job.state,
            )


def ended_elsewhere(job: Job) -> WindrowError | None:
    """Return the error of a training whose job another process has declared interrupted."""
    return None if job.problem is None else job.problem.as_error()


def problem_of(error: BaseException, root: Path) -> Problem:
    """Return what a job says about the error that it ended with.

    Args:
        error: The error.
        root: The folder of which clients are told nothing.
    """
    if isinstance(error, WindrowError):
        told = without_folder(error, root)
        return Problem(told.code, told.template, told.facts)
    return Problem("internal_error", "Something unexpected went wrong. Look in the log of the process, and report it.")


def state_after(error: BaseException) -> JobState:
    """Return the state of a job that ended with an error."""
    if isinstance(error, TrainingCancelled | FilePredictionCancelled):
        return "cancelled"
    return "interrupted" if isinstance(error, ShuttingDown) else "failed"


def _times(job: Job) -> tuple[object, ...]:
    """Return what tells two states of one job apart."""
    return job.state, job.started_at, job.finished_at
