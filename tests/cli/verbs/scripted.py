"""The product with trainings that go as a test says, step by step."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.toy import Toy
from windrow.domain.classifier import FitRequest
from windrow.domain.errors import JobFinished, JobNotFound
from windrow.domain.job import FitEstimate, Job, JobList, JobListRequest, JobRequest, Problem, Progress, StageEstimate
from windrow.domain.labelled_rows import dataset_of
from windrow.domain.values import recast

ASKED = datetime(2025, 9, 15, 10, 30, tzinfo=UTC)
ID = "019a1c5e4b2f-7d0c41"
PROBLEM = Problem("training_failed", "The training process ran out of memory. Take fewer rows.")


class Scripted(Toy):
    """Its only job is the training that was asked for last."""

    interrupted = False
    """Whether somebody presses Ctrl-C while the job is followed."""
    problem: Problem | None = None
    """Why the job fails, if it does."""
    is_over = False
    """Whether the job can no longer be cancelled."""
    is_reply_lost = False
    """Whether somebody presses Ctrl-C before the job is known."""
    now: Job | None = None
    """The job."""

    def __init__(self, **hooks: Any) -> None:
        super().__init__(**hooks)
        self.asked: list[FitRequest] = []
        self.cancelled: list[str] = []

    def start_fit(self, request: FitRequest) -> Job:
        self.asked.append(request)
        rows = dataset_of(request.training_data)
        made = {"num_examples": len(rows.rows), "training_data_sha256": rows.sha256, "created_at": ASKED}
        made["label_descriptions"] = dict(request.label_descriptions or {})
        self.now = recast(Job, request, id=ID, state="queued", ahead=1, **made)
        if self.is_reply_lost:
            self.now = replace(self.now, created_at=datetime.now(UTC) + timedelta(minutes=1))
            raise KeyboardInterrupt
        return self.now

    def follow_job(self, request: JobRequest) -> Iterator[Job]:
        job = self.job(request)
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
            self.now = replace(job, state="succeeded", revision=done.revision, next_name=done.next_name)
        yield self.now

    def cancel_job(self, request: JobRequest) -> Job:
        if self.is_over:
            raise JobFinished("{job_id} ended already. Nothing is to be cancelled.", {"job_id": ID, "state": "failed"})
        self.cancelled.append(request.job_id)
        problem = Problem("training_cancelled", "Cancelled.")
        self.now = replace(self.job(request), state="cancelled", problem=problem)
        return self.now

    def job(self, request: JobRequest) -> Job:
        if self.now is None or self.now.id != request.job_id:
            raise JobNotFound("There is no job {job_id}. List them.", {"job_id": request.job_id})
        return self.now

    def list_jobs(self, request: JobListRequest) -> JobList:
        return JobList(() if self.now is None else (self.now,)[: request.limit])

    def estimate_fit(self, request: FitRequest) -> FitEstimate:
        rows = dataset_of(request.training_data)
        return FitEstimate(
            model_name=request.model_name,
            num_examples=len(rows.rows),
            labels=rows.labels,
            rows_per_label=rows.rows_per_label,
            tokens=580,
            seconds=2.6,
            wait_seconds=0.0,
            memory_bytes=420_000_000,
            stages=(StageEstimate("training", 2.0, "3 steps of 54 texts (580 tokens) in 6 layers."),),
            memory_reason="Mostly what a step keeps of each token.",
        )
