"""The JSON shapes of jobs and forecasts, to and from the domain.

Owns their fields, flat; knows nothing of HTTP or of how events are sent.
"""

from typing import Any, Self

from pydantic import Field

from windrow.domain.job import DEFAULT_JOBS, JOBS_RANGE, Forecast, ForecastPart, Job, JobState, Problem, Progress, Stage
from windrow.domain.recipe import (
    DEFAULT_BATCH_SIZE,
    DEFAULT_NUM_ITERATIONS,
    DEFAULT_SEED,
    Recipe,
)
from windrow.wire.queries import Parameter, Query, flag, read_whole_number
from windrow.wire.shapes import (
    EXAMPLE_DIGEST,
    EXAMPLE_TIME,
    BaseModelId,
    Labels,
    Name,
    NumExamples,
    Wire,
    from_utc,
    shown_range,
    utc,
    utc_or_none,
)

EXAMPLE_JOB = "019a1c5e4b2f-7d0c41"
FIT = (
    flag("dry_run", "Whether to say only how long the training will take and how much memory, and why."),
    flag("wait", "Whether to answer once the classifier answers; false answers at once, with the job.", default=True),
)
JOBS = (Parameter("limit", "The most jobs.", {"type": "integer", "default": DEFAULT_JOBS, **shown_range(JOBS_RANGE)}),)


class ProblemEntry(Wire):
    """Why a job did not succeed."""

    code: str = Field(description="The error's stable code.", examples=["training_cancelled"])
    detail: str = Field(description="What went wrong and what to do next.", examples=["Somebody cancelled it."])
    facts: dict[str, Any] = Field(description="Values for a program.", examples=[{}])

    @classmethod
    def of(cls, problem: Problem) -> Self:
        """Show a problem."""
        return cls(code=problem.code, detail=problem.detail, facts=dict(problem.facts))

    def to_domain(self) -> Problem:
        """Return the problem that was shown."""
        return Problem(self.code, self.detail, self.facts)


class JobEntry(Wire):
    """One training, past or in progress."""

    id: str = Field(description="Names the job; ids sort by the time of their creation.", examples=[EXAMPLE_JOB])
    state: JobState = Field(
        description="queued, running, or how it ended: succeeded, failed, cancelled, or interrupted, where the process "
        "that ran it ended first.",
        examples=["running"],
    )
    model_name: Name
    base_model: BaseModelId
    num_examples: NumExamples
    num_iterations: int = Field(description="As the fit asked.", examples=[DEFAULT_NUM_ITERATIONS])
    batch_size: int = Field(description="As the fit asked.", examples=[DEFAULT_BATCH_SIZE])
    seed: int = Field(description="As the fit asked.", examples=[DEFAULT_SEED])
    max_seconds: float | None = Field(description="As the fit asked; null for no limit.", examples=[None])
    cross_validate: bool = Field(description="As the fit asked.", examples=[True])
    training_data_sha256: str = Field(
        description="SHA-256 of the training rows; docs/format.md says how anyone can compute it.",
        examples=[EXAMPLE_DIGEST],
    )
    created_at: str = Field(description="When it was asked for, UTC.", examples=[EXAMPLE_TIME])
    started_at: str | None = Field(description="When its turn came, UTC; null until then.", examples=[EXAMPLE_TIME])
    finished_at: str | None = Field(description="When it ended, UTC; null until then.", examples=[None])
    ahead: int = Field(description="Trainings that come before it, while it is queued.", examples=[0])
    stage: Stage | None = Field(
        description="What is being done: encoding, training, judging, finishing or saving; null unless it runs, and "
        "where another process runs it.",
        examples=["training"],
    )
    step: int = Field(description="Steps of the stage that are done; 0 where it has none.", examples=[2])
    # Called "of" in JSON, where the method of this name is not in its way.
    steps: int = Field(alias="of", description="Steps of the stage; 0 where it has none.", examples=[3])
    loss: float | None = Field(
        description="Loss of the last contrastive step; null where there was none in this stage.", examples=[1.52]
    )
    seconds_left: float | None = Field(
        description="Estimate for all that is left, in seconds; null where nobody can tell.", examples=[1.4]
    )
    revision: int | None = Field(description="The revision that it made; null unless it succeeded.", examples=[None])
    next_name: str | None = Field(
        description="A free name for the task's next version; null unless it succeeded, or where it would be too long.",
        examples=[None],
    )
    problem: ProblemEntry | None = Field(
        description="Why it did not succeed; null unless it failed, was cancelled or interrupted.", examples=[None]
    )

    @classmethod
    def of(cls, job: Job) -> Self:
        """Show a job."""
        recipe, progress = job.recipe, job.progress
        values = {
            "id": job.id,
            "state": job.state,
            "model_name": job.model_name,
            "base_model": job.base_model,
            "num_examples": job.num_examples,
            "num_iterations": recipe.num_iterations,
            "batch_size": recipe.batch_size,
            "seed": recipe.seed,
            "max_seconds": recipe.max_seconds,
            "cross_validate": recipe.cross_validate,
            "training_data_sha256": job.data_sha256,
            "created_at": utc(job.created_at),
            "started_at": utc_or_none(job.started_at),
            "finished_at": utc_or_none(job.finished_at),
            "ahead": job.ahead,
            "stage": None if progress is None else progress.stage,
            "step": 0 if progress is None else progress.step,
            "of": 0 if progress is None else progress.of,
            "loss": None if progress is None else progress.loss,
            "seconds_left": None if progress is None else progress.seconds_left,
            "revision": job.revision,
            "next_name": job.next_name,
            "problem": None if job.problem is None else ProblemEntry.of(job.problem),
        }
        return cls.model_validate(values)

    def to_domain(self) -> Job:
        """Return the job that was shown."""
        progress = None
        if self.stage is not None:
            progress = Progress(self.stage, self.step, self.steps, self.loss, self.seconds_left)
        return Job(
            id=self.id,
            state=self.state,
            model_name=self.model_name,
            num_examples=self.num_examples,
            data_sha256=self.training_data_sha256,
            created_at=from_utc(self.created_at),
            base_model=self.base_model,
            recipe=Recipe(self.num_iterations, self.batch_size, self.seed, self.max_seconds, self.cross_validate),
            started_at=None if self.started_at is None else from_utc(self.started_at),
            finished_at=None if self.finished_at is None else from_utc(self.finished_at),
            ahead=self.ahead,
            progress=progress,
            revision=self.revision,
            next_name=self.next_name,
            problem=None if self.problem is None else self.problem.to_domain(),
        )


class JobList(Wire):
    """Jobs."""

    jobs: list[JobEntry] = Field(description="The newest one first.")

    @classmethod
    def of(cls, jobs: tuple[Job, ...]) -> Self:
        """Show jobs."""
        return cls(jobs=[JobEntry.of(job) for job in jobs])

    def to_domain(self) -> tuple[Job, ...]:
        """Return the jobs that were shown."""
        return tuple(job.to_domain() for job in self.jobs)


class ForecastPartEntry(Wire):
    """What one stage of a training will take."""

    stage: Stage = Field(description="The stage.", examples=["training"])
    seconds: float = Field(description="Wall time, in seconds.", examples=[0.34])
    reason: str = Field(
        description="Why.",
        examples=["3 steps, each over up to 4 texts, in 6 layers: 69 tokens forwards and backwards."],
    )


class ForecastReply(Wire):
    """What a training will take, before it is begun."""

    model_name: Name
    num_examples: NumExamples
    labels: Labels
    tokens: int = Field(description="Of all distinct texts together.", examples=[17])
    seconds: float = Field(
        description="Wall time of the training, in seconds, at most: where the encoder needs no change, it takes less.",
        examples=[0.49],
    )
    wait_seconds: float = Field(description="Until its turn comes, in seconds.", examples=[0.0])
    memory_bytes: int = Field(
        description="What it needs beside what the server has already, at its peak.", examples=[373_128_704]
    )
    parts: list[ForecastPartEntry] = Field(description="What each stage takes, in their order.")
    memory_reason: str = Field(
        description="Why so much memory.",
        examples=[
            "200 MB for the training process itself; most of the rest is the trained layers, and what a step of "
            "contrastive training keeps of them."
        ],
    )

    @classmethod
    def of(cls, forecast: Forecast) -> Self:
        """Show a forecast."""
        return cls(
            model_name=forecast.model_name,
            num_examples=forecast.num_examples,
            labels=list(forecast.labels),
            tokens=forecast.tokens,
            seconds=forecast.seconds,
            wait_seconds=forecast.wait_seconds,
            memory_bytes=forecast.memory_bytes,
            parts=[
                ForecastPartEntry(stage=part.stage, seconds=part.seconds, reason=part.reason) for part in forecast.parts
            ],
            memory_reason=forecast.memory_reason,
        )

    def to_domain(self) -> Forecast:
        """Return the forecast that was shown."""
        return Forecast(
            model_name=self.model_name,
            num_examples=self.num_examples,
            labels=tuple(self.labels),
            tokens=self.tokens,
            seconds=self.seconds,
            wait_seconds=self.wait_seconds,
            memory_bytes=self.memory_bytes,
            parts=tuple(ForecastPart(part.stage, part.seconds, part.reason) for part in self.parts),
            memory_reason=self.memory_reason,
        )


def read_limit(query: Query) -> int:
    """Return how many jobs a query asks for; the range is not checked yet.

    Raises:
        InvalidParameter: That is no number.
    """
    limit = read_whole_number(query, "limit", JOBS_RANGE)
    return DEFAULT_JOBS if limit is None else limit
