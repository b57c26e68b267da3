"""A fake whose trainings go as a test says, step by step."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from tests.fakes.operations import FakeOperations
from windrow.domain.classifier import FitRequest
from windrow.domain.dataset import data_sha256
from windrow.domain.errors import JobFinished, JobNotFound
from windrow.domain.job import DEFAULT_JOBS, Forecast, ForecastPart, Job, Problem, Progress

ASKED = datetime(2025, 9, 15, 10, 30, tzinfo=UTC)
ID = "019a1c5e4b2f-7d0c41"
PROBLEM = Problem("training_failed", "The training process ran out of memory. Take fewer rows.")


@dataclass
class Scripted(FakeOperations):
    """Its only job is the training that was asked for last.

    Args:
        interrupted: Whether somebody presses Ctrl-C while the job is followed.
        problem: Why the job fails, if it does.
        is_over: Whether the job can no longer be cancelled.
        is_reply_lost: Whether somebody presses Ctrl-C before the job is known.
    """

    interrupted: bool = False
    problem: Problem | None = None
    is_over: bool = False
    is_reply_lost: bool = False
    asked: list[FitRequest] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    now: Job | None = None

    def start_fit(self, request: FitRequest) -> Job:
        self.asked.append(request)
        digest = data_sha256(request.rows)
        self.now = Job(
            ID,
            "queued",
            request.model_name,
            len(request.rows),
            digest,
            ASKED,
            request.base_model,
            request.recipe,
            ahead=1,
        )
        if self.is_reply_lost:
            self.now = replace(self.now, created_at=datetime.now(UTC) + timedelta(minutes=1))
            raise KeyboardInterrupt
        return self.now

    def follow_job(self, job_id: str) -> Iterator[Job]:
        job = self.job(job_id)
        yield job
        job = replace(job, state="running", ahead=0, started_at=ASKED, progress=Progress("training", 1, 3, 1.5, 12.0))
        yield job
        if self.interrupted:
            raise KeyboardInterrupt
        job = replace(job, progress=None, finished_at=ASKED + timedelta(seconds=4))
        if self.problem is not None:
            self.now = replace(job, state="failed", problem=self.problem)
        else:
            done = self.fit(self.asked[-1])
            revision = done.classifier.record.revision
            self.now = replace(job, state="succeeded", revision=revision, next_name=done.next_name)
        yield self.now

    def cancel_job(self, job_id: str) -> Job:
        if self.is_over:
            raise JobFinished(f"{job_id} ended already. Nothing is to be cancelled.", {"state": "failed"})
        self.cancelled.append(job_id)
        self.now = replace(self.job(job_id), state="cancelled", problem=Problem("training_cancelled", "Cancelled."))
        return self.now

    def job(self, job_id: str) -> Job:
        if self.now is None or self.now.id != job_id:
            raise JobNotFound(f"There is no job {job_id}. List them.")
        return self.now

    def list_jobs(self, limit: int = DEFAULT_JOBS) -> tuple[Job, ...]:
        return () if self.now is None else (self.now,)[:limit]

    def forecast(self, request: FitRequest) -> Forecast:
        return Forecast(
            model_name=request.model_name,
            num_examples=len(request.rows),
            labels=tuple(sorted({row.label for row in request.rows})),
            tokens=580,
            seconds=2.6,
            wait_seconds=0.0,
            memory_bytes=420_000_000,
            parts=(ForecastPart("training", 2.0, "3 steps of 54 texts (580 tokens) in 6 layers."),),
            memory_reason="Mostly what a step keeps of each token.",
        )
