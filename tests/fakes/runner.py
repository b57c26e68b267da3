"""Runners that run tasks in the calling thread: for tests that need no process."""

import io
from collections.abc import MutableMapping

from threadpoolctl import threadpool_limits

from windrow.domain.errors import ShuttingDown, TrainingFailed
from windrow.domain.job import OnStep
from windrow.execution.frames import Frame, flatten, restore, write_frame
from windrow.execution.runner import Outcome, ignore_steps
from windrow.execution.tasks import Task
from windrow.execution.training import perform
from windrow.execution.watch import Watch


class InlineRunner:
    """Runs a task at once; can be told to fail.

    Args:
        failure: What to raise instead of running tasks.
    """

    def __init__(self, failure: TrainingFailed | None = None) -> None:
        self.failure = failure
        self.closed = False

    def start(self) -> None:
        """Do nothing: there is no process."""

    def run(self, task: Task[Outcome], on_step: OnStep = ignore_steps, watch: Watch | None = None) -> Outcome:
        """Run the task here."""
        if self.closed:
            raise ShuttingDown("The runner is closed.")
        if self.failure is not None:
            raise self.failure
        watch = watch or Watch()
        watch.check()

        def step(number: int, of: int, loss: float) -> None:
            on_step(number, of, loss)
            watch.check()

        try:
            return restore(task.outcome, self.perform(flatten(type(task).__name__, task), step))
        except ValueError as error:
            raise TrainingFailed("The training failed.") from error

    def perform(self, frame: Frame, on_step: OnStep) -> Frame:
        """Do a task, on one core as a training process does."""
        with threadpool_limits(limits=1, user_api="blas"):
            return perform(frame, on_step)

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

    def perform(self, frame: Frame, on_step: OnStep) -> Frame:
        """Do a task, or give what came of it the last time."""
        stream = io.BytesIO()
        write_frame(stream, frame)
        task = stream.getvalue()
        if task not in self.outcomes:
            self.outcomes[task] = super().perform(frame, on_step)
        return self.outcomes[task]
