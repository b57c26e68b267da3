"""FakeJobs: trainings in memory, each in its own thread, that wait for their turn, are joined and are cancelled."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from windrow.domain.classifier import FitRequest, FitResult
from windrow.domain.dataset import Dataset, data_sha256
from windrow.domain.errors import JobFinished, JobNotFound, Overloaded, ShuttingDown, TrainingCancelled, WindrowError
from windrow.domain.job import Forecast, ForecastPart, Job, JobState, OnProgress, Problem, Progress, Stage
from windrow.settings import Settings
from windrow.wire.job import EXAMPLE_JOB

NOW = datetime(2025, 9, 15, 10, 30, tzinfo=UTC)
RETRY_AFTER_S = 5
# The first one has the id that the documentation shows.
FIRST_ID = int(EXAMPLE_JOB.split("-")[0], 16)
PARTS: tuple[tuple[Stage, float, str], ...] = (
    ("encoding", 0.25, "6 distinct rows (42 tokens) go through 6 layers once."),
    ("training", 1.5, "2 steps, each over up to 8 texts, in 6 layers: 112 tokens forwards and backwards."),
    ("judging", 0.75, "The training is done 3 times more without a part of the rows, to judge it by that part."),
    ("finishing", 0.25, "The head is fitted to 6 rows of 3 labels."),
    ("saving", 0.25, "The classifier is written, read back and asked once."),
)
FOR_THE_ENCODER = ("training", "judging")


@dataclass(eq=False)
class _Active:
    job: Job
    request: FitRequest
    listeners: list[OnProgress]
    result: "Future[FitResult]" = field(default_factory=Future)


@dataclass(eq=False)
class FakeJobs:
    """The jobs of a FakeOperations. One that is cancelled ends at once, whatever its thread still does.

    Args:
        settings: How many run and wait.
        changed: Guards all of it, and wakes whoever waits for a change.
    """

    settings: Settings
    changed: threading.Condition = field(default_factory=lambda: threading.Condition(threading.RLock()))
    is_closed: bool = False
    num_joined: int = 0
    _all: dict[str, _Active] = field(default_factory=dict)

    def begin(
        self,
        request: FitRequest,
        dataset: Dataset,
        work: Callable[[OnProgress], FitResult],
        on_progress: OnProgress,
    ) -> "tuple[Job, Future[FitResult]]":
        with self.changed:
            if self.is_closed:
                raise _shutting_down()
            equal = next((each for each in self._unfinished() if each.request == request), None)
            if equal is not None:
                equal.listeners.append(on_progress)
                self.num_joined += 1
                return self._shown(equal), equal.result
            self._check_room()
            job = Job(
                id=f"{FIRST_ID + len(self._all):012x}-7d0c41",
                state="queued",
                model_name=request.model_name,
                num_examples=len(dataset.rows),
                data_sha256=data_sha256(dataset.rows),
                created_at=NOW,
                base_model=request.base_model,
                recipe=request.recipe,
            )
            active = self._all[job.id] = _Active(job, request, [on_progress])
            active.result.set_running_or_notify_cancel()  # who stops waiting for it does not stop it
            threading.Thread(target=self._run, args=(active, work), name=f"job-{job.id}", daemon=True).start()
            return self._shown(active), active.result

    def newest(self, limit: int) -> tuple[Job, ...]:
        with self.changed:
            return tuple(self._shown(each) for each in list(self._all.values())[::-1][:limit])

    def get(self, job_id: str) -> Job:
        with self.changed:
            if job_id not in self._all:
                raise JobNotFound(f"There is no job {job_id}. List the jobs to see their ids.", {"job": job_id})
            return self._shown(self._all[job_id])

    def follow(self, job_id: str) -> Iterator[Job]:
        last = self.get(job_id)
        yield last
        while not last.is_finished:
            with self.changed:
                self.changed.wait_for(lambda: self.get(job_id) != last)  # noqa: B023 - asked before the next round
                last = self.get(job_id)
            yield last

    def cancel(self, job_id: str) -> Job:
        with self.changed:
            job = self.get(job_id)
            if job.is_finished:
                facts = {"job": job_id, "state": job.state}
                raise JobFinished(f"The job {job_id} has ended already: it {job.state}.", facts)
            self._wait_while_saving(self._all[job_id])
            words = f"The training was cancelled (job {job_id}), so nothing was saved. Send it again."
            self._fail(self._all[job_id], TrainingCancelled(words, {"job": job_id}))
            return self.get(job_id)

    def wait(self, timeout_s: float) -> None:
        with self.changed:
            self.changed.wait_for(lambda: not self._unfinished(), timeout_s)

    def close(self) -> None:
        with self.changed:
            self.is_closed = True
            for active in self._unfinished():
                self._wait_while_saving(active)
                self._fail(active, _shutting_down())

    def _run(self, active: _Active, work: Callable[[OnProgress], FitResult]) -> None:
        with self.changed:
            self.changed.wait_for(lambda: active.job.is_finished or self._is_next(active))
            if active.job.is_finished:
                return
            active.job = replace(active.job, state="running", started_at=NOW)
            self.changed.notify_all()
        # Also what pytest raises itself: those who wait for the job must hear of it.
        try:
            result = work(lambda progress: self._tell(active, progress))
        except _Ended:
            pass
        except BaseException as error:  # noqa: BLE001
            with self.changed:
                self._fail(active, error)
        else:
            self._succeed(active, result)

    def _tell(self, active: _Active, progress: Progress) -> None:
        with self.changed:
            if active.job.is_finished:
                raise _Ended
            active.job = replace(active.job, progress=progress)
            self.changed.notify_all()
            listeners = tuple(active.listeners)
        for listener in listeners:
            with suppress(Exception):  # who listens must not end a training that others joined
                listener(progress)

    def _succeed(self, active: _Active, result: FitResult) -> None:
        with self.changed:
            if not active.job.is_finished:
                revision = result.classifier.record.revision
                job = replace(active.job, state="succeeded", revision=revision, next_name=result.next_name)
                self._end(active, job)
                active.result.set_result(result)

    def _fail(self, active: _Active, error: BaseException) -> None:
        if not active.job.is_finished:
            self._end(active, replace(active.job, state=_state_after(error), problem=_problem(error)))
            active.result.set_exception(error)

    def _end(self, active: _Active, job: Job) -> None:
        active.job = replace(job, finished_at=NOW, progress=None)
        self.changed.notify_all()

    def _wait_while_saving(self, active: _Active) -> None:
        """What is being saved at this very moment is saved."""
        self.changed.wait_for(lambda: active.job.progress is None or active.job.progress.stage != "saving")

    def _check_room(self) -> None:
        limit = self.settings.max_waiting_fits
        if len(self._unfinished()) >= self.settings.max_fits + limit:
            raise Overloaded(
                f"Too many trainings are waiting. Send this one again in {RETRY_AFTER_S} s.",
                {"retry_after_s": RETRY_AFTER_S, "limit": limit, "setting": "WINDROW_MAX_WAITING_FITS"},
            )

    def _unfinished(self) -> list[_Active]:
        return [each for each in self._all.values() if not each.job.is_finished]

    def _is_next(self, active: _Active) -> bool:
        running = [each for each in self._unfinished() if each.job.state == "running"]
        return len(running) < self.settings.max_fits and self._line()[0] is active

    def _line(self) -> list[_Active]:
        return [each for each in self._all.values() if each.job.state == "queued"]

    def _shown(self, active: _Active) -> Job:
        return replace(active.job, ahead=self._line().index(active) if active.job.state == "queued" else 0)


class _Ended(Exception):  # noqa: N818 - no error
    """The job is over, so its thread need not go on."""


def forecast_of(request: FitRequest, dataset: Dataset) -> Forecast:
    """Return what a training would take: the same for every one of its kind."""
    is_tuned = request.recipe.num_iterations > 0
    parts = tuple(ForecastPart(*part) for part in PARTS if is_tuned or part[0] not in FOR_THE_ENCODER)
    return Forecast(
        model_name=request.model_name,
        num_examples=len(dataset.rows),
        labels=dataset.labels,
        tokens=sum(len(row.text.split()) for row in dataset.rows),
        seconds=sum(part.seconds for part in parts),
        wait_seconds=0.0,
        memory_bytes=420_000_000,
        parts=parts,
        memory_reason="200 MB for the training process itself; most of the rest is the features of 6 rows.",
    )


def _state_after(error: BaseException) -> JobState:
    if isinstance(error, TrainingCancelled):
        return "cancelled"
    return "interrupted" if isinstance(error, ShuttingDown) else "failed"


def _problem(error: BaseException) -> Problem:
    if isinstance(error, WindrowError):
        return Problem(error.code, error.detail, error.facts)
    return Problem("internal_error", "Something unexpected went wrong. Look in the log, and report it.")


def _shutting_down() -> ShuttingDown:
    return ShuttingDown("The server is stopping, so this training was not done. Send it again once it is back.")
