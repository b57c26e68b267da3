"""Runners that run tasks in the calling thread: for tests that need no process."""

import hashlib
import io
import os
import threading
from pathlib import Path

from threadpoolctl import threadpool_limits

from tests.fakes import OUTCOMES_FOLDER
from windrow.domain.errors import ShuttingDown, TrainingFailed
from windrow.domain.job import OnStep
from windrow.execution.control import TrainingControl
from windrow.execution.frames import Frame, flatten, read_frame, restore, write_frame
from windrow.execution.runner import Outcome, ignore_steps
from windrow.execution.task_execution import run_task
from windrow.execution.tasks import Task

# A server that fits one head would load scikit-learn for it, which takes longer than all else that a test asks of it.
_OUTCOMES: dict[str, Frame] = {}
# As they are before a test lets system calls fail, or counts them.
_open, _replace = open, os.replace


class InlineRunner:
    """Runs a task at once; can be told to fail.

    Args:
        failure: What to raise instead of running tasks.
    """

    def __init__(self, failure: TrainingFailed | None = None) -> None:
        self.failure = failure
        self.closed = False

    def start(self, *, trains_adapters: bool = True) -> None:
        """Do nothing: there is no process."""

    def run(
        self, task: Task[Outcome], on_step: OnStep = ignore_steps, control: TrainingControl | None = None
    ) -> Outcome:
        """Run the task here."""
        if self.closed:
            raise ShuttingDown("The runner is closed.")
        if self.failure is not None:
            raise self.failure
        control = control or TrainingControl()
        control.raise_if_cancelled()

        def step(number: int, of: int, loss: float) -> None:
            on_step(number, of, loss)
            control.raise_if_cancelled()

        try:
            return restore(task.outcome, self.run_task(flatten(type(task).__name__, task), step))
        except ValueError as error:
            raise TrainingFailed("The training failed.") from error

    def run_task(self, frame: Frame, on_step: OnStep) -> Frame:
        """Do a task, on one core as a training process does."""
        with threadpool_limits(limits=1, user_api="blas"):
            return run_task(frame, on_step)

    def close(self) -> None:
        """Take no further task."""
        self.closed = True


class RememberingRunner(InlineRunner):
    """Does each task once in a run of the tests: the same task has the same outcome, in each process of it."""

    def run_task(self, frame: Frame, on_step: OnStep) -> Frame:
        """Do a task, or give what came of it the last time."""
        stream = io.BytesIO()
        write_frame(stream, frame)
        task = hashlib.sha256(stream.getvalue()).hexdigest()
        if task not in _OUTCOMES:
            _OUTCOMES[task] = _kept(task) or super().run_task(frame, on_step)
            _keep(task, _OUTCOMES[task])
        return _OUTCOMES[task]


def _kept(task: str) -> Frame | None:
    try:
        with _open(Path(os.environ[OUTCOMES_FOLDER], task), "rb") as file:
            return read_frame(file)
    except (KeyError, FileNotFoundError):
        return None


def _keep(task: str, outcome: Frame) -> None:
    if OUTCOMES_FOLDER not in os.environ:
        return
    part = Path(os.environ[OUTCOMES_FOLDER], f"{task}.{os.getpid()}.{threading.get_ident()}")
    with _open(part, "wb") as file:
        write_frame(file, outcome)
    _replace(part, part.with_name(task))
