"""Rows that a random encoder can learn something from, and runners that record their tasks."""

from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from tests.encoders.adapters import changes_for
from tests.fakes.runner import InlineRunner
from windrow.domain.clock import utc_now
from windrow.domain.dataset import DataLimits, Dataset, Row, check_rows
from windrow.domain.job import Job, OnStep
from windrow.domain.multi_label import MultiLabelDataset, MultiLabelRow, check_multi_label_rows
from windrow.encoders.bulk import run_in_order
from windrow.encoders.folder import EncoderFolder
from windrow.encoders.onnx_encoder import TextEncoder
from windrow.execution.control import TrainingControl
from windrow.execution.runner import Outcome, Runner, ignore_steps
from windrow.execution.tasks import (
    AdapterTensors,
    FitTask,
    HoldoutsTask,
    HoldoutTask,
    LearningCurveTask,
    Task,
    TrainAdapterOutcome,
    TrainAdaptersOutcome,
    TrainAdaptersTask,
    TrainAdapterTask,
)
from windrow.execution.training_set import TrainingContext

WORDS = ["reset", "my", "password", "was", "charged", "twice", "words", "how", "do", "and", "of", "not", "here"]

# An adapter's tensors, of an encoder that there is not.
ADAPTER: AdapterTensors = {
    "layers.0.query.down": np.linspace(-1, 1, 6, dtype=np.float16).reshape(3, 2),
    "layers.0.query.up": np.ones((2, 3), dtype=np.float16),
}


def dataset(rows_per_label: int = 4, labels: int = 3) -> Dataset:
    """Return texts of random words, so that a random encoder has something to learn."""
    random = np.random.default_rng(rows_per_label)
    rows = tuple(
        Row(" ".join(random.choice(WORDS, size=random.integers(2, 9))) + f" {number}", f"label {number % labels}")
        for number in range(rows_per_label * labels)
    )
    return check_rows(rows, DataLimits())


def easy(rows_per_label: int, labels: int = 3) -> Dataset:
    """Return texts of a label's own word and a number: even the fake encoder tells the labels apart."""
    return check_rows(
        [
            Row(f"word{number % labels} {number}", f"label {number % labels}")
            for number in range(rows_per_label * labels)
        ],
        DataLimits(),
    )


def multi_label_dataset(rows: int = 30, labels: int = 3) -> MultiLabelDataset:
    """Return texts of their labels' own words and a number; every fifth one has no label, and others two."""
    random = np.random.default_rng(rows)
    checked = []
    for number in range(rows):
        own = sorted({number % labels, int(random.integers(labels))}) if number % 5 else []
        words = [f"word{label}" for label in own] or ["nothing", str(random.choice(WORDS))]
        checked.append(MultiLabelRow(" ".join([*words, str(number)]), tuple(f"label {label}" for label in own)))
    return check_multi_label_rows(checked, DataLimits())


def queued_job(job_id: str) -> Job:
    """Return a job that waits for its turn."""
    return Job(
        id=job_id,
        state="queued",
        model_name="tickets_v1",
        num_examples=6,
        training_data_sha256="0" * 64,
        created_at=utc_now(),
    )


def context_for(
    encoder: TextEncoder, runner: Runner | None = None, control: TrainingControl | None = None, threads: int = 2
) -> TrainingContext:
    """Return what a training in this thread works with."""
    control = control or TrainingControl()
    return TrainingContext(encoder, control.cancellable(run_in_order), runner or InlineRunner(), control, threads)


class RecordingRunner(InlineRunner):
    """Does tasks in this thread, and remembers them."""

    def __init__(self) -> None:
        super().__init__()
        self.tasks: list[Any] = []

    def run(
        self, task: Task[Outcome], on_step: OnStep = ignore_steps, control: TrainingControl | None = None
    ) -> Outcome:
        """Run the task here."""
        self.tasks.append(task)
        return super().run(task, on_step, control)

    @property
    def adapter_tasks(self) -> Sequence[TrainAdapterTask]:
        """The contrastive trainings, those that ran at the same time too."""
        joint = [task.trainings if isinstance(task, TrainAdaptersTask) else (task,) for task in self.tasks]
        return [task for tasks in joint for task in tasks if isinstance(task, TrainAdapterTask)]

    @property
    def holdout_tasks(self) -> Sequence[HoldoutTask]:
        """The evaluations of held-out rows."""
        joint = [task.holdouts if isinstance(task, HoldoutsTask) else (task,) for task in self.tasks]
        return [task for tasks in joint for task in tasks if isinstance(task, HoldoutTask)]

    @property
    def fit_tasks(self) -> Sequence[FitTask]:
        """The ends of trainings."""
        return [task for task in self.tasks if isinstance(task, FitTask)]

    @property
    def curve_tasks(self) -> Sequence[LearningCurveTask]:
        """The learning curves."""
        return [task for task in self.tasks if isinstance(task, LearningCurveTask)]


class InstantRunner(RecordingRunner):
    """Gives a random adapter in place of each contrastive training, so that many of them take no time.

    Args:
        folder: Of the encoder.
    """

    def __init__(self, folder: EncoderFolder) -> None:
        super().__init__()
        self.folder = folder

    def run(
        self, task: Task[Outcome], on_step: OnStep = ignore_steps, control: TrainingControl | None = None
    ) -> Outcome:
        """Run the task here, unless it is a contrastive training."""
        if isinstance(task, TrainAdaptersTask):
            self.tasks.append(task)
            return cast(Outcome, TrainAdaptersOutcome(tuple(map(self._train, task.trainings))))
        if not isinstance(task, TrainAdapterTask):
            return super().run(task, on_step, control)
        self.tasks.append(task)
        return cast(Outcome, self._train(task))

    def _train(self, task: TrainAdapterTask) -> TrainAdapterOutcome:
        changes = changes_for(self.folder, 2, seed=len(task.label_ids))
        return TrainAdapterOutcome(
            changes, layers=4, rank=2, epochs=1, requested_steps=1, planned_steps=1, losses=(1.0,)
        )
