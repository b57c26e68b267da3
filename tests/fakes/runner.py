"""Runners that run tasks in the calling thread: for tests that need no process."""

import io
from collections.abc import MutableMapping

from threadpoolctl import threadpool_limits

from windrow.domain.errors import ShuttingDown, TrainingFailed
from windrow.domain.job import OnStep
from windrow.execution.control import TrainingControl
from windrow.execution.frames import Frame, flatten, restore, write_frame
from windrow.execution.runner import Outcome, ignore_steps
from windrow.execution.task_execution import run_task
from windrow.execution.tasks import Task


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
    """Does each task once: the same task has the same outcome.

    Args:
        outcomes: What is known; several runners may share it.
    """

    def __init__(self, outcomes: MutableMapping[bytes, Frame]) -> None:
        super().__init__()
        self.outcomes = outcomes

    def run_task(self, frame: Frame, on_step: OnStep) -> Frame:
        """Do a task, or give what came of it the last time."""
        stream = io.BytesIO()
        write_frame(stream, frame)
        task = stream.getvalue()
        if task not in self.outcomes:
            self.outcomes[task] = super().run_task(frame, on_step)
        return self.outcomes[task]
