"""A runner that runs tasks in the calling thread: for tests that need no process."""

from windrow.domain.errors import ShuttingDown, TrainingFailed
from windrow.execution.runner import Outcome, ignore_steps
from windrow.execution.tasks import Task
from windrow.execution.training import perform
from windrow.operations import OnStep


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

    def run(self, task: Task[Outcome], on_step: OnStep = ignore_steps) -> Outcome:
        """Run the task here."""
        if self.closed:
            raise ShuttingDown("The runner is closed.")
        if self.failure is not None:
            raise self.failure
        try:
            return task.outcome(perform(task.to_frame(), on_step))
        except ValueError as error:
            raise TrainingFailed("The training failed.") from error

    def close(self) -> None:
        """Take no further task."""
        self.closed = True
