"""Jobs: trainings past and in progress, how far they are, and what they will take.

Owns the states and what may follow what; knows nothing of threads, processes or files.

::

    queued ──> running ──> succeeded
       │          ├──────> failed
       │          ├──────> cancelled
       └──────────┴──────> interrupted (the process that ran it ended first)

A queued job may also be cancelled, or fail before its turn comes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from windrow.domain.errors import TrainingFailed, WindrowError, class_of
from windrow.domain.recipe import DEFAULT_BASE_MODEL, Recipe

JobState = Literal["queued", "running", "succeeded", "failed", "cancelled", "interrupted"]
# In the order in which a training goes through them; a training of the head alone leaves out the two in the middle.
Stage = Literal["encoding", "training", "judging", "finishing", "saving"]
FINISHED: frozenset[JobState] = frozenset(("succeeded", "failed", "cancelled", "interrupted"))
JOBS_RANGE = (1, 1_000)
DEFAULT_JOBS = 100


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a training is.

    Args:
        stage: What is being done: ``encoding`` the texts, ``training`` the encoder, ``judging`` that by trainings on
            parts of the rows, ``finishing`` (head and scores), ``saving``.
        step: Steps of this stage that are done; 0 where it has none.
        of: Steps of this stage; 0 where it has none.
        loss: Of the last contrastive step; ``None`` where there was none in this stage.
        seconds_left: Estimate for all that is left, in seconds; ``None`` where nobody can tell.
    """

    stage: Stage
    step: int = 0
    of: int = 0
    loss: float | None = None
    seconds_left: float | None = None


OnProgress = Callable[[Progress], None]
# Called with step, number of steps and loss.
OnStep = Callable[[int, int, float], None]


def ignore_progress(progress: Progress) -> None:
    """Take no notice of how a training goes on."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a job did not succeed.

    Args:
        code: An error's stable code (``training_failed``).
        detail: What went wrong and what to do next.
        facts: JSON-ready values for a program.
    """

    code: str
    detail: str
    facts: Mapping[str, object] = field(default_factory=dict)

    def as_error(self) -> WindrowError:
        """Return the error that the fit itself raises; one of an unknown code counts as a failed training."""
        return (class_of(self.code) or TrainingFailed)(self.detail, self.facts)


@dataclass(frozen=True, slots=True)
class Job:
    """One training.

    Args:
        id: Names it; ids sort by the time of their creation.
        state: Where it is in its life.
        model_name: The classifier's name.
        num_examples: Training rows.
        data_sha256: Digest of the training rows (docs/format.md).
        created_at: When it was asked for, UTC, whole seconds.
        base_model: Id of the encoder.
        recipe: The training parameters.
        started_at: When its turn came; ``None`` until then.
        finished_at: When it ended; ``None`` until then.
        ahead: Trainings that came before it and wait, too, while it is queued; it overtakes those that still load their
            base model.
        progress: How far it is, while it runs; ``None`` otherwise, and where another process runs it.
        revision: The revision that it made; ``None`` unless it succeeded.
        next_name: A free name for the task's next version; ``None`` unless it succeeded, or where it would be too long.
        problem: Why it did not succeed; ``None`` unless it failed, was cancelled or interrupted.
    """

    id: str
    state: JobState
    model_name: str
    num_examples: int
    data_sha256: str
    created_at: datetime
    base_model: str = DEFAULT_BASE_MODEL
    recipe: Recipe = Recipe()
    started_at: datetime | None = None
    finished_at: datetime | None = None
    ahead: int = 0
    progress: Progress | None = None
    revision: int | None = None
    next_name: str | None = None
    problem: Problem | None = None

    @property
    def is_finished(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in FINISHED


@dataclass(frozen=True, slots=True)
class ForecastPart:
    """What one stage of a training will take.

    Args:
        stage: The stage.
        seconds: Wall time, in seconds.
        reason: Why, in a sentence: how many texts, tokens and steps.
    """

    stage: Stage
    seconds: float
    reason: str


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a training will take, before it is begun. Estimates, from what this machine did so far.

    Args:
        model_name: The classifier's name.
        num_examples: Training rows.
        labels: Sorted.
        tokens: Of all distinct texts together.
        seconds: Wall time from the beginning to the end, at most: where the encoder as it is leaves nothing to gain,
            training and judging are left out.
        wait_seconds: Until its turn comes, behind the trainings that wait and run now.
        memory_bytes: What it needs beside what the server has already, at its peak, in both processes together.
        parts: What each stage takes, in their order.
        memory_reason: Why so much memory, in a sentence.
    """

    model_name: str
    num_examples: int
    labels: tuple[str, ...]
    tokens: int
    seconds: float
    wait_seconds: float
    memory_bytes: int
    parts: tuple[ForecastPart, ...]
    memory_reason: str
