"""Run jobs: queue them, join equivalent ones, report progress, and record how each ends."""

import contextvars
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Generic, Protocol, TypeVar

from windrow.domain.clock import utc_now
from windrow.domain.errors import InvalidArtifact, JobFinished, JobNotFound, StorageFailed, StorageFull, WindrowError
from windrow.domain.job import Job, OnProgress, Progress
from windrow.domain.labelled_rows import LabelledRow
from windrow.execution.control import (
    POLL_INTERVAL_S,
    TrainingControl,
    cancel_when,
    job_cancelled,
    repeating,
    run_interruptibly,
    shutting_down,
)
from windrow.execution.job_record import JobRecord, ended_elsewhere, problem_of, state_after
from windrow.execution.orphaned_jobs import FindPublishedRevision, reconcile
from windrow.execution.slots import Ticket, TrainingSlots
from windrow.storage.job_files import MAX_FINISHED, JobFiles
from windrow.tracing import Span, nanoseconds, span

# A training stops within a second; after this time, a job that is still running is returned as it is.
SHUTDOWN_TIMEOUT_S = 10.0
# A progress is reported again after this time, with the time that is left by then.
PROGRESS_INTERVAL_S = 1.0
# Few jobs are meant by a small limit and a filter; reading some more at once is no slower.
_MIN_PREFETCHED = 16

R = TypeVar("R")
_log = logging.getLogger("windrow.jobs")


class Eta(Protocol):
    """Estimates the remaining time of a job."""

    def seconds_left(self, progress: Progress) -> float | None:
        """Return the remaining seconds at this progress, which may be an old one; ``None`` where unknown."""
        ...

    def end(self) -> None:
        """Learn from a job that has succeeded just now."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class JobSpec(Generic[R]):
    """A requested job.

    Args:
        job: The job's values; its id and times are set later.
        key: Equal for equivalent requests.
        prepare: Runs before the job takes a slot, such as a download; ``None`` for nothing.
        work: Does the job in its own thread; it must report its progress to the control.
        told: Returns the job with what its result says.
        eta: Estimates the remaining time.
        rows: What it learns from; ``None`` where that is not known, and where it learns nothing.
        slots: Limit how many such jobs run at the same time; ``None`` for those of trainings.
    """

    job: Job
    key: str
    prepare: Callable[[], object] | None
    work: Callable[[TrainingControl], R]
    told: Callable[[Job, R], Job]
    eta: Eta
    rows: Sequence[LabelledRow] | None = None
    slots: TrainingSlots | None = None


@dataclass(slots=True, eq=False)
class _ActiveJob:
    """An unfinished job of this process.

    Args:
        job: The job's current values, except the number of jobs ahead of it.
        spec: What was asked for.
        ticket: The job's position in the queue.
        record: Saves the job's states.
        control: Cancels the job.
        result: The future of the job's result.
        listeners: Called with each progress.
        reporting: Held while a progress is reported, so that an old one never follows a new one.
    """

    job: Job
    spec: JobSpec[Any]
    ticket: Ticket
    record: JobRecord
    control: TrainingControl = field(init=False)
    result: "Future[Any]" = field(default_factory=Future)
    listeners: list[OnProgress] = field(default_factory=list)
    reporting: threading.Lock = field(default_factory=threading.Lock)

    def is_equivalent_to(self, spec: JobSpec[Any]) -> bool:
        """Whether the job will yield the result that a specification asks for."""
        return self.spec.key == spec.key and not self.control.is_cancelled and not self.job.is_finished


class JobQueue:
    """The jobs of this process, with read access to those of other processes; thread-safe.

    Args:
        files: Stores jobs.
        slots: Limits the concurrent trainings.
        find_published_revision: Finds the revision that an interrupted job published, if it did.
        on_change: Called with each job of this process that is new, and when it has ended, before anybody is told.
    """

    def __init__(
        self,
        files: JobFiles,
        slots: TrainingSlots,
        find_published_revision: FindPublishedRevision,
        on_change: Callable[[Job], object] = lambda _: None,
    ) -> None:
        self._files = files
        self._slots = slots
        self._find_published_revision = find_published_revision
        self._on_change = on_change
        self._changed = threading.Condition()
        self._active: dict[str, _ActiveJob] = {}
        self._unsaved: dict[str, tuple[Job, JobRecord]] = {}  # finished jobs that could not be saved
        self._has_reconciled = False
        self._is_closed = False

    def begin(self, spec: JobSpec[R], on_progress: OnProgress) -> "tuple[Job, Future[R]]":
        """Queue a job, or join an equivalent one that is not finished.

        Args:
            spec: The job.
            on_progress: Called with each progress.

        Returns:
            The job, and the future of its result.

        Raises:
            Overloaded: The queue is full.
            ShuttingDown: The queue is closed.
            StorageFull: The job cannot be saved.
            StorageFailed: Likewise.
        """
        if not self._has_reconciled:
            self.reconcile_orphaned()
        with self._changed:
            if self._is_closed:
                raise shutting_down(spec.job.kind)
            equivalent = next((each for each in self._active.values() if each.is_equivalent_to(spec)), None)
            if equivalent is not None:
                equivalent.listeners.append(on_progress)
                return self._snapshot(equivalent), equivalent.result
            ticket = (spec.slots or self._slots).enqueue(is_ready=spec.prepare is None)
            job = replace(spec.job, id=self._files.new_id(), created_at=utc_now())
            active = _ActiveJob(job, spec, ticket, JobRecord(self._files, job.id, job.kind))
            active.control = TrainingControl(lambda progress: self._report_progress(active, progress))
            active.listeners.append(on_progress)
            active.result.set_running_or_notify_cancel()  # from here on, only its control cancels it
            self._active[active.job.id] = active
        try:
            active.record.save(active.job)
            self._note(active.job)
            # It acts for whoever asked for it.
            run = contextvars.copy_context().run
            threading.Thread(
                target=run, args=(self._run_traced, active), name=f"job-{active.job.id}", daemon=True
            ).start()
        except BaseException as error:  # a full disk, no thread: others must not wait behind it forever
            ticket.leave()
            self._remove(active)
            active.result.set_exception(error)
            raise
        return self._snapshot(active), active.result

    def reconcile_orphaned(self) -> None:
        """Record the ends of orphaned jobs, before a new training's revision could be mistaken for theirs."""
        try:
            if self._files.may_have_orphans():
                self.newest(MAX_FINISHED)
            self._has_reconciled = not self._files.may_find_orphans_later()
        except (StorageFull, StorageFailed) as error:
            _log.warning("Orphaned jobs could not be checked. %s", error.detail)

    def get(self, job_id: str) -> Job:
        """Return the current state of a job.

        Raises:
            JobNotFound: No job has this id.
            InvalidArtifact: The job's file is damaged.
        """
        with self._changed:
            active = self._active.get(job_id)
            if active is not None:
                return self._snapshot(active)
            if job_id in self._unsaved:
                return self._unsaved[job_id][0]
        kept = self._files.get(job_id)
        if kept is None:
            raise job_not_found(job_id)
        job = reconcile(kept, self._files, self._find_published_revision)
        return replace(job, progress=self._files.progress(job_id)) if job.state == "running" else job

    def newest(self, limit: int, is_meant: Callable[[Job], bool] = lambda _: True) -> tuple[Job, ...]:
        """Return the newest jobs of those that are meant, the newest first; damaged ones are skipped."""
        found: list[Job] = []
        ids, batch = self._files.ids(), max(limit, _MIN_PREFETCHED)
        for number, job_id in enumerate(ids):
            if len(found) == limit:
                break
            if number % batch == 0:
                self._files.prefetch(ids[number : number + batch])
            try:
                if is_meant(job := self.get(job_id)):
                    found.append(job)
            # It was removed meanwhile, or is damaged, which fsck reports.
            except (JobNotFound, InvalidArtifact, StorageFull, StorageFailed) as error:
                _log.info("The job %s is not listed. %s", job_id, error.detail)
        return tuple(found)

    def rows_in_memory(self) -> Mapping[str, Sequence[LabelledRow]]:
        """Return the rows of each unfinished job of this process by its id; those of others, only they know."""
        with self._changed:
            return {job_id: each.spec.rows for job_id, each in self._active.items() if each.spec.rows is not None}

    def follow(self, job_id: str) -> Iterator[Job]:
        """Yield a job now and after each change, until it is finished.

        Raises:
            JobNotFound: No job has this id.
        """
        last = self.get(job_id)
        yield last
        while not last.is_finished:
            self._await_change(job_id)
            job = self.get(job_id)
            if job != last:
                yield job
            last = job

    def cancel(self, job_id: str) -> Job:
        """Cancel a job, and return it once it has ended.

        Raises:
            JobNotFound: No job has this id.
            JobFinished: The job has ended already.
        """
        job = self.get(job_id)
        if job.is_finished:
            raise JobFinished(
                f"The job {{job_id}} has ended already: it {_ENDED[job.state]}. There is nothing to cancel.",
                {"job_id": job_id, "state": job.state},
            )
        with self._changed:
            active = self._active.get(job_id)
        if active is None:
            self._files.request_cancel(job_id)
        else:
            active.control.cancel(job_cancelled(job.kind, job_id))
        return self._wait_for(job_id)

    def wait(self, timeout_s: float) -> None:
        """Wait until every job of this process has ended, or the timeout has passed."""
        with self._changed:
            self._changed.wait_for(lambda: not self._active, timeout_s)

    def close(self) -> None:
        """Interrupt all jobs, and accept no further ones."""
        with self._changed:
            self._is_closed = True
            active = list(self._active.values())
            self._changed.notify_all()
        for each in active:
            each.control.cancel(shutting_down(each.job.kind))
        self.wait(SHUTDOWN_TIMEOUT_S)
        self._files.close(leaves_jobs=bool(self._active or self._unsaved))

    def _run_traced(self, active: _ActiveJob) -> None:
        """Run one job to its end, in a span of its own where the request that began it has one."""
        with span(active.job.kind, {"windrow.job_id": active.job.id}) as traced:
            self._run(active)
            if traced is not None:
                _trace(traced, active.job)

    def _run(self, active: _ActiveJob) -> None:
        """Run one job to its end."""
        try:
            with cancel_when(active.control, active.record.find_reason_to_cancel):
                if active.spec.prepare is not None:
                    run_interruptibly(active.spec.prepare, active.control)
                with active.ticket.acquire(active.control):
                    active.job = replace(active.job, state="running", started_at=utc_now())
                    stored = self._try_save(active.record, active.job)
                    if stored is not None and (why := ended_elsewhere(stored)) is not None:
                        raise why
                    with repeating(PROGRESS_INTERVAL_S, lambda: self._repeat_progress(active)):
                        result = active.spec.work(active.control)
            job = active.spec.told(replace(active.job, state="succeeded"), result)
            active.spec.eta.end()
            self._save_end(active, job)
            active.result.set_result(result)
        except BaseException as error:  # noqa: BLE001  every error belongs to the callers that wait for the job
            active.ticket.leave()
            if not isinstance(error, WindrowError):
                _log.exception("The job %s ended unexpectedly.", active.job.id)
            problem = problem_of(error, self._files.root)
            self._save_end(active, replace(active.job, state=state_after(error), problem=problem))
            active.result.set_exception(error)
        try:
            self._files.forget_progress(active.job.id)
            self._files.forget_notice(active.job.id)
            self._clean_up()
        finally:
            # Last, so that a caller that waits for the last job finds its end recorded.
            self._remove(active)

    def _save_end(self, active: _ActiveJob, job: Job) -> None:
        ended = replace(job, finished_at=utc_now(), progress=None)
        self._note(ended)
        stored = self._try_save(active.record, ended)
        with self._changed:
            if stored is None:
                self._unsaved[job.id] = (ended, active.record)
            active.job = stored or ended
            self._changed.notify_all()

    def _note(self, job: Job) -> None:
        try:
            self._on_change(job)
        except Exception:  # noqa: BLE001  who is told of a job must not keep it from going on
            _log.exception("That the job %s is %s was not told.", job.id, job.state)

    def save_ended(self) -> None:
        """Save finished jobs that could not be saved before."""
        for job_id, (job, record) in list(self._unsaved.items()):
            with suppress(StorageFull, StorageFailed, InvalidArtifact):
                record.save(job)
                self._unsaved.pop(job_id, None)

    def _clean_up(self) -> None:
        """Save finished jobs that could not be saved before, and remove old ones."""
        self.save_ended()
        try:
            self._files.prune()
        except Exception:  # noqa: BLE001  no error here may fail a training
            _log.warning("Old jobs were not removed.", exc_info=True)

    def _remove(self, active: _ActiveJob) -> None:
        with self._changed:
            self._active.pop(active.job.id, None)
            self._changed.notify_all()

    def _try_save(self, record: JobRecord, job: Job) -> Job | None:
        """Save a state, and return what is stored now; a failing disk does not end the training."""
        try:
            return record.save(job)
        except Exception as error:  # noqa: BLE001  no error of the disk may keep the result from its callers
            _log.warning("The job %s could not be written down as %s. %s", job.id, job.state, error)
            return None

    def _report_progress(self, active: _ActiveJob, progress: Progress) -> None:
        with active.reporting:
            self._tell(active, progress)

    def _repeat_progress(self, active: _ActiveJob) -> None:
        """Report the last progress with the time that is left by now, so that a long step does not look like a stop."""
        with active.reporting:
            if active.job.progress is not None:
                self._tell(active, active.job.progress)
        if (progress := active.job.progress) is not None:  # in this thread, which may wait for an object store
            self._files.show_progress(active.job.id, progress)

    def _tell(self, active: _ActiveJob, progress: Progress) -> None:
        left_s = active.spec.eta.seconds_left(progress)
        progress = replace(progress, seconds_left=None if left_s is None else round(left_s, 1))
        with self._changed:
            active.job = replace(active.job, progress=progress)
            listeners = tuple(active.listeners)
            self._changed.notify_all()
        for listener in listeners:
            try:
                listener(progress)
            except Exception:  # noqa: BLE001  a listener must not end a training that others may have joined
                _log.exception("A listener of the job %s failed.", active.job.id)

    def _snapshot(self, active: _ActiveJob) -> Job:
        return replace(active.job, ahead=active.ticket.ahead)

    def _wait_for(self, job_id: str) -> Job:
        """Return a job once it has ended, or after ``SHUTDOWN_TIMEOUT_S``."""
        deadline_s = time.monotonic() + SHUTDOWN_TIMEOUT_S
        while not (job := self.get(job_id)).is_finished and time.monotonic() < deadline_s:
            self._await_change(job_id)
        return job

    def _await_change(self, job_id: str) -> None:
        """Wait until a job may have changed."""
        with self._changed:
            if job_id in self._active:  # it notifies of each change
                self._changed.wait(POLL_INTERVAL_S)
                return
        time.sleep(self._files.poll_interval_s)  # whatever happens to jobs of this process


_ENDED = {"succeeded": "succeeded", "failed": "failed", "cancelled": "was cancelled", "interrupted": "was interrupted"}


def job_not_found(job_id: str) -> JobNotFound:
    """Return the error for an id that no job has."""
    return JobNotFound(
        "There is no job {job_id}. List the jobs to see their ids; of finished ones, {kept} are kept.",
        {"job_id": job_id, "kept": MAX_FINISHED},
    )


def _trace(traced: Span, job: Job) -> None:
    """Add to a job's span how it ended, and spans of how long it waited and ran."""
    traced.note({"windrow.outcome": job.state, "windrow.rows": job.num_examples})
    if job.state == "failed":
        traced.fail()
    ended = nanoseconds(job.finished_at or utc_now())
    begun = ended if job.started_at is None else nanoseconds(job.started_at)
    traced.record("wait", nanoseconds(job.created_at), begun)
    if job.started_at is not None:
        traced.record("run", begun, ended)
