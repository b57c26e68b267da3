"""The jobs of this process: who waits, who runs, who joins whom, and how each one ends."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field, replace

from windrow.domain.classifier import FitResult
from windrow.domain.errors import (
    ArtifactInvalid,
    JobFinished,
    JobNotFound,
    ShuttingDown,
    StorageFailed,
    StorageFull,
    TrainingCancelled,
    WindrowError,
)
from windrow.domain.job import Job, JobState, OnProgress, Problem, Progress
from windrow.execution.forecast import Countdown
from windrow.execution.lost_jobs import FindMade, settled
from windrow.execution.turns import Place, Turns
from windrow.execution.watch import LOOK_EVERY_S, Watch, cancelled, looking, shutting_down
from windrow.storage.files import KeyExists
from windrow.storage.jobs import MAX_FINISHED, JobFiles
from windrow.storage.namespace import utc_now

# A training stops within a second; what takes longer is told as it is by then.
STOP_PATIENCE_S = 10.0

_log = logging.getLogger("windrow.jobs")


@dataclass(frozen=True, slots=True, eq=False)
class Order:
    """A training to be done.

    Args:
        job: What is known of it; its id and times are set later.
        key: Equal for equal requests.
        prepare: Does what must not keep others waiting, before it is its turn; ``None`` where there is no such thing.
        work: Does the training, in a thread of its own; it must tell its watch what it does.
        countdown: Tells how long it will go on.
    """

    job: Job
    key: str
    prepare: Callable[[], object] | None
    work: Callable[[Watch], FitResult]
    countdown: Countdown


@dataclass(slots=True, eq=False)
class _Active:
    """A job of this process that is not finished.

    Args:
        job: As it is now, but for how many are ahead of it.
        order: What is to be done.
        place: Its place in the line.
        watch: Stops it.
        result: What comes of it.
        number: Of the last file that was written about it.
        listeners: Who is told how it goes on.
    """

    job: Job
    order: Order
    place: Place
    watch: Watch = field(init=False)
    result: "Future[FitResult]" = field(default_factory=Future)
    number: int = 0
    listeners: list[OnProgress] = field(default_factory=list)

    def is_on_its_way_to(self, order: Order) -> bool:
        """Whether it will yield what an order asks for."""
        return self.order.key == order.key and not self.watch.is_stopped and not self.job.is_finished


class Jobs:
    """The trainings of this process, and a look at those of others on the same data directory; thread-safe.

    Args:
        files: Where jobs are written down.
        turns: Whose turn it is.
        find_made: Says what an interrupted job made after all.
    """

    def __init__(self, files: JobFiles, turns: Turns, find_made: FindMade) -> None:
        self._files = files
        self._turns = turns
        self._find_made = find_made
        self._changed = threading.Condition()
        self._active: dict[str, _Active] = {}
        self._unwritten: dict[str, tuple[Job, int]] = {}  # whose end could not be written down, and its number
        self._has_settled = False
        self._is_closed = False

    def begin(self, order: Order, on_progress: OnProgress) -> "tuple[Job, Future[FitResult]]":
        """Have a training done when its turn comes, unless an equal one is on its way, which is joined then.

        Args:
            order: The training.
            on_progress: Called as it goes on.

        Returns:
            The job, and its result to come.

        Raises:
            Overloaded: As many wait already as may wait.
            ShuttingDown: The jobs are closed.
            StorageFull: It cannot be written down.
            StorageFailed: Likewise.
        """
        if not self._has_settled:
            self.settle_lost()
        with self._changed:
            if self._is_closed:
                raise shutting_down()
            equal = next((each for each in self._active.values() if each.is_on_its_way_to(order)), None)
            if equal is not None:
                equal.listeners.append(on_progress)
                return self._shown(equal), equal.result
            place = self._turns.join(is_ready=order.prepare is None)
            active = _Active(replace(order.job, id=self._files.new_id(), created_at=utc_now()), order, place)
            active.watch = Watch(lambda progress: self._tell(active, progress))
            active.listeners.append(on_progress)
            active.result.set_running_or_notify_cancel()  # from here on, only its watch stops it
            self._active[active.job.id] = active
        try:
            self._write(active)
            threading.Thread(target=self._run, args=(active,), name=f"job-{active.job.id}", daemon=True).start()
        except BaseException as error:  # a full disk, no room for a thread: others must not wait behind it for ever
            place.leave()
            self._forget(active)
            active.result.set_exception(error)
            raise
        return self._shown(active), active.result

    def settle_lost(self) -> None:
        """Note what became of the jobs of processes that are gone, before a new training may be taken for theirs."""
        self._has_settled = True
        try:
            self.newest(MAX_FINISHED)
        except StorageFailed as error:
            _log.warning("It could not be seen whether there are lost jobs. %s", error.detail)

    def get(self, job_id: str) -> Job:
        """Return a job as it is now.

        Raises:
            JobNotFound: There is none.
            ArtifactInvalid: Its file is damaged.
        """
        with self._changed:
            active = self._active.get(job_id)
            if active is not None:
                return self._shown(active)
            if job_id in self._unwritten:
                return self._unwritten[job_id][0]
        kept = self._files.get(job_id)
        if kept is None:
            raise JobNotFound(
                "There is no job {job}. List the jobs to see their ids; of finished ones, {kept} are kept.",
                {"job": job_id, "kept": MAX_FINISHED},
            )
        return settled(kept, self._files, self._find_made)

    def newest(self, limit: int) -> tuple[Job, ...]:
        """Return the newest jobs, the newest one first; one whose file is damaged is left out."""
        found: list[Job] = []
        for job_id in self._files.ids():
            if len(found) == limit:
                break
            try:
                found.append(self.get(job_id))
            except (JobNotFound, ArtifactInvalid, StorageFailed) as error:  # it was removed meanwhile, or fsck tells
                _log.info("The job %s is not listed. %s", job_id, error.detail)
        return tuple(found)

    def follow(self, job_id: str) -> Iterator[Job]:
        """Yield a job as it is, then whenever something about it changed, until it is finished.

        Raises:
            JobNotFound: There is none.
        """
        last = self.get(job_id)
        yield last
        while not last.is_finished:
            with self._changed:
                # Jobs of others are looked at again; of one of its own, each change wakes.
                self._changed.wait(LOOK_EVERY_S)
            job = self.get(job_id)
            if job != last:
                yield job
            last = job

    def cancel(self, job_id: str) -> Job:
        """Stop a job, and return it once it has ended.

        Raises:
            JobNotFound: There is none.
            JobFinished: It has ended already.
        """
        job = self.get(job_id)
        if job.is_finished:
            raise JobFinished(
                f"The job {{job}} has ended already: it {_ENDED[job.state]}. There is nothing to cancel.",
                {"job": job_id, "state": job.state},
            )
        with self._changed:
            active = self._active.get(job_id)
        if active is None:
            self._files.ask_to_stop(job_id)
        else:
            active.watch.stop(cancelled(job_id))
        return self._wait_for(job_id)

    def wait(self, timeout_s: float) -> None:
        """Wait until every job of this process has ended, but not for ever."""
        with self._changed:
            self._changed.wait_for(lambda: not self._active, timeout_s)

    def close(self) -> None:
        """Interrupt what waits and runs, and take no further jobs."""
        with self._changed:
            self._is_closed = True
            active = list(self._active.values())
            self._changed.notify_all()
        for each in active:
            each.watch.stop(shutting_down())
        self.wait(STOP_PATIENCE_S)
        self._files.close()

    def _run(self, active: _Active) -> None:
        """Do one job, from its place in the line to its end."""
        try:
            with looking(active.watch, lambda: self._find_wish(active.job.id)):
                if active.order.prepare is not None:
                    _do(active.order.prepare, active.watch)
                with active.place.turn(active.watch):
                    active.job = replace(active.job, state="running", started_at=utc_now())
                    self._note(active)
                    result = active.order.work(active.watch)
            job = replace(active.job, state="succeeded", revision=result.revision, next_name=result.next_name)
            active.order.countdown.end()
            self._note_end(active, job)
            active.result.set_result(result)
        except BaseException as error:  # noqa: BLE001  whatever it is, those who wait for it must hear of it
            active.place.leave()
            if not isinstance(error, WindrowError):
                _log.exception("The job %s ended unexpectedly.", active.job.id)
            self._note_end(active, replace(active.job, state=_state_after(error), problem=_problem(error)))
            active.result.set_exception(error)
        try:
            self._tidy()
        finally:
            # Only now, so that who waits for the last job finds what came of it.
            self._forget(active)

    def _note_end(self, active: _Active, job: Job) -> None:
        with self._changed:
            active.job = replace(job, finished_at=utc_now(), progress=None)
            self._changed.notify_all()
        if not self._note(active):
            self._unwritten[job.id] = (active.job, active.number)

    def _tidy(self) -> None:
        """Write down what could not be written when it happened, and remove what is old."""
        for job_id, (job, number) in list(self._unwritten.items()):
            with suppress(StorageFull, StorageFailed, KeyExists):
                self._files.put(job, number)
                del self._unwritten[job_id]
        try:
            self._files.forget_old()
        except Exception:  # noqa: BLE001  whatever it is, no training is the worse for it
            _log.warning("Old jobs were not removed.", exc_info=True)

    def _forget(self, active: _Active) -> None:
        with self._changed:
            self._active.pop(active.job.id, None)
            self._changed.notify_all()

    def _note(self, active: _Active) -> bool:
        """Write down what a job is now; a disk that fails is no reason to throw the training away."""
        try:
            self._write(active)
        except Exception as error:  # noqa: BLE001  whatever it is, the result must reach those who wait for it
            _log.warning("The job %s could not be written down as %s. %s", active.job.id, active.job.state, error)
            return False
        return True

    def _write(self, active: _Active) -> None:
        active.number += 1
        self._files.put(replace(active.job, ahead=0, progress=None), active.number)

    def _tell(self, active: _Active, progress: Progress) -> None:
        left_s = active.order.countdown.left(progress)
        progress = replace(progress, seconds_left=None if left_s is None else round(left_s, 1))
        with self._changed:
            active.job = replace(active.job, progress=progress)
            listeners = tuple(active.listeners)
            self._changed.notify_all()
        for listener in listeners:
            try:
                listener(progress)
            except Exception:  # noqa: BLE001  who listens must not end a training that others may have joined
                _log.exception("A listener of the job %s failed.", active.job.id)

    def _shown(self, active: _Active) -> Job:
        return replace(active.job, ahead=active.place.ahead)

    def _wait_for(self, job_id: str) -> Job:
        """Return a job once it has ended, or as it is after a while."""
        deadline_s = time.monotonic() + STOP_PATIENCE_S
        while not (job := self.get(job_id)).is_finished and time.monotonic() < deadline_s:
            with self._changed:
                self._changed.wait(LOOK_EVERY_S)
        return job

    def _find_wish(self, job_id: str) -> WindrowError | None:
        """Return why a job is to end, where somebody wrote down that it is, maybe in another process."""
        return cancelled(job_id) if self._files.is_to_stop(job_id) else None


_ENDED = {"succeeded": "succeeded", "failed": "failed", "cancelled": "was cancelled", "interrupted": "was interrupted"}


def _do(prepare: Callable[[], object], watch: Watch) -> None:
    """Do what cannot be stopped, and leave it to itself where the training is to end meanwhile.

    Raises:
        BaseException: What it raises, or why the training is to end.
    """
    is_over = threading.Event()
    failed: list[BaseException] = []

    def work() -> None:
        try:
            prepare()
        except BaseException as error:  # noqa: BLE001  the training must hear of it
            failed.append(error)
        is_over.set()

    with watch.stopped_by(is_over.set):
        threading.Thread(target=work, name="prepare-job", daemon=True).start()
        is_over.wait()
    watch.check()
    for error in failed:
        raise error


def _state_after(error: BaseException) -> JobState:
    if isinstance(error, TrainingCancelled):
        return "cancelled"
    return "interrupted" if isinstance(error, ShuttingDown) else "failed"


def _problem(error: BaseException) -> Problem:
    if isinstance(error, WindrowError):
        return Problem(error.code, error.template, error.facts)
    return Problem("internal_error", "Something unexpected went wrong. Look in the log of the process, and report it.")
