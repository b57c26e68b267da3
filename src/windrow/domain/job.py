"""Jobs: trainings and predictions of files, past and running, their progress, and estimates of time and memory.

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
from typing import Annotated, Any, Literal

from windrow.domain.dataset import DataWarning
from windrow.domain.errors import TrainingFailed, WindrowError, class_of
from windrow.domain.file_prediction import FileProgress, PredictFilesReport
from windrow.domain.prediction import Kind
from windrow.domain.recipe import Recipe
from windrow.domain.values import ListValue, Schema, Value, computed
from windrow.domain.words import render

JobState = Literal["queued", "running", "succeeded", "failed", "cancelled", "interrupted"]
JobKind = Literal["fit", "predict_files"]
# In the order in which a training goes through the first five; a training of the head alone leaves out the two in the
# middle. The last two are those of a prediction of files.
Stage = Literal["encoding", "training", "validating", "finishing", "saving", "planning", "predicting"]
FINISHED: frozenset[JobState] = frozenset(("succeeded", "failed", "cancelled", "interrupted"))
JOBS_RANGE = (1, 1_000)
DEFAULT_JOBS = 100


@dataclass(frozen=True, slots=True)
class Progress(Value):
    """The progress of a job."""

    stage: Stage
    """The current stage. Of a training: ``encoding`` the texts, ``training`` the encoder, ``validating`` it by
    trainings on parts of the rows, ``finishing`` (head and calibration), ``saving``. Of a prediction of files:
    ``planning``, which reads the files and cuts them into shards, and ``predicting``.
    """
    step: int = 0
    """Steps of this stage that are done; 0 where it has none. While ``validating``, those of all these trainings; of a
    prediction of files, rows.
    """
    num_steps: int = 0
    """Steps of this stage; 0 where it has none, or where they are not known yet."""
    loss: float | None = None
    """Of the last contrastive step; ``None`` where the last step was none."""
    seconds_left: float | None = None
    """Estimated remaining time in seconds, anew each second; ``None`` if unknown."""
    shards: int = 0
    """Shards of a prediction of files that are done."""
    num_shards: int = 0
    """Its shards; 0 where they are not known yet, and for a training."""

    @classmethod
    def of_files(cls, progress: FileProgress) -> "Progress":
        """Return the progress of a prediction of files as that of a job.

        Args:
            progress: How far its rows and shards are.
        """
        return cls(
            progress.stage,
            progress.rows,
            progress.num_rows or 0,
            shards=progress.shards,
            num_shards=progress.num_shards or 0,
        )


OnProgress = Callable[[Progress], None]
# Called with step, number of steps and loss.
OnStep = Callable[[int, int, float], None]


def ignore_progress(progress: Progress) -> None:
    """Take no notice of how a job goes on."""


@dataclass(frozen=True, slots=True)
class Problem(Value):
    """Why a job did not succeed."""

    code: str
    """An error's stable code (``training_failed``)."""
    template: str
    """What went wrong and what to do next, with places for facts (:mod:`windrow.domain.words`)."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """JSON-ready values for a program."""
    detail: str = computed(lambda self: render(self.template, self.facts), "")
    """The same as a sentence."""

    def as_error(self) -> WindrowError:
        """Return the error that the fit itself raises; one of an unknown code counts as a failed training."""
        return (class_of(self.code) or TrainingFailed)(self.template, self.facts)


@dataclass(frozen=True, slots=True)
class JobRequest:
    """A job to look at, to follow or to cancel."""

    job_id: str
    """The job's id."""


@dataclass(frozen=True, slots=True)
class JobListRequest:
    """Which jobs to list."""

    limit: Annotated[int, Schema(minimum=JOBS_RANGE[0], maximum=JOBS_RANGE[1])] = DEFAULT_JOBS
    """The most jobs, 1 to 1,000; of finished ones, the newest 1,000 are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePrediction(Value):
    """What a prediction of files reads and writes, and what became of it."""

    input: str
    """What it reads, as it was asked for."""
    output: str
    """The folder that it writes to."""
    report: PredictFilesReport | None = None
    """What was done; ``None`` unless it succeeded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job(Recipe, Value):
    """One training, or one prediction of files; the recipe of the latter is that of the classifier that answers."""

    _summary = "id state model_name num_examples progress revision problem"
    _named_by = "id"

    id: str
    """Names the job; ids sort by the time of their creation."""
    kind: JobKind = "fit"
    """What it does: ``fit`` trains a classifier, ``predict_files`` classifies the rows of files."""
    state: JobState
    """``queued``, ``running``, or how it ended: ``succeeded``, ``failed``, ``cancelled``, or ``interrupted``, where the
    process that ran it ended first.
    """
    model_name: str
    """The classifier's name."""
    num_examples: int
    """Number of training rows: its own, or those of the classifier that answers."""
    training_data_sha256: str
    """SHA-256 of these rows; docs/explanation/format.md says how to compute it."""
    extends: str | None = None
    """The revision whose kept training rows it took over (``tickets_v2@3``); ``None`` for none, and where the API key
    does not know that name.
    """
    taken_over_rows: int = 0
    """Kept rows of that revision among the training rows; they come first."""
    replaced_rows: int = 0
    """Kept rows of that revision that rows of the request have replaced, since they have the same text."""
    label_descriptions: Mapping[str, str] = field(default_factory=dict)
    """What is said about its labels, by label: what the request says, and what is kept of the revision that it
    extends.
    """
    created_at: datetime
    """When it was asked for, UTC."""
    key_name: str | None = None
    """The API key that asked for it; ``None`` where none was needed."""
    started_at: datetime | None = None
    """When its turn came, UTC; ``None`` until then."""
    finished_at: datetime | None = None
    """When it ended, UTC; ``None`` until then."""
    ahead: int = 0
    """Jobs of its kind that came before it and wait, too, while it is queued; it overtakes those that still load their
    base model.
    """
    progress: Progress | None = None
    """How far it is, while it runs; ``None`` otherwise, and in a folder where another process runs it."""
    revision: int | None = None
    """The revision that it made, or that answered; ``None`` unless it succeeded."""
    next_name: str | None = None
    """A free name for the task's next version; ``None`` unless it succeeded, where it would be too long, or where the
    API key may not give it.
    """
    problem: Problem | None = None
    """Why it did not succeed; ``None`` unless it failed, was cancelled or interrupted."""
    files: FilePrediction | None = None
    """What a prediction of files reads and writes; ``None`` for a training."""

    @property
    def is_finished(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in FINISHED


@dataclass(frozen=True, slots=True)
class JobList(ListValue[Job]):
    """Jobs."""

    _items = "jobs"

    jobs: tuple[Job, ...]
    """The newest one first."""


@dataclass(frozen=True, slots=True)
class StageEstimate(Value):
    """An estimate of one stage of a training."""

    stage: Stage
    """The stage."""
    seconds: float
    """Wall time, in seconds."""
    reason: str
    """Why, in a sentence: how many texts, tokens and steps."""


@dataclass(frozen=True, slots=True)
class FitEstimate(Value):
    """An estimate of a training's time and memory, from what this machine did so far."""

    model_name: str
    """The classifier's name."""
    num_examples: int
    """Training rows."""
    labels: tuple[str, ...]
    """Sorted."""
    rows_per_label: Mapping[str, int]
    """Training rows of each label, in the order of ``labels``."""
    tokens: int
    """Of all distinct texts together."""
    seconds: float
    """Wall time from the beginning to the end. It takes less where the encoder as it is leaves nothing to gain, since
    then training and validation are left out, and more where the machine has other work.
    """
    wait_seconds: float
    """Until its turn comes, behind the trainings that wait and run now."""
    memory_bytes: int
    """What it needs beside what the server has already, at its peak, in both processes together."""
    stages: tuple[StageEstimate, ...]
    """The stages, in their order."""
    memory_reason: str
    """Why so much memory, in a sentence."""
    extends: str | None = None
    """The revision whose kept training rows it takes over (``tickets_v2@3``); ``None`` for none."""
    taken_over_rows: int = 0
    """Kept rows of that revision among the training rows; they come first."""
    replaced_rows: int = 0
    """Kept rows of that revision that rows of the request replace, since they have the same text."""
    warnings: tuple[DataWarning, ...] = ()
    """What is odd about all the rows together, those that it takes over included; the training itself may find more."""
    kind: Kind = "single_label"
    """``single_label`` where the classifier will give one label, ``multi_label`` where any number of them."""
