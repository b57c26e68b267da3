"""Run training tasks in separate, warm processes."""

import contextlib
import queue
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from windrow.domain.errors import TrainingFailed
from windrow.domain.job import OnStep
from windrow.execution.control import TrainingControl, shutting_down
from windrow.execution.frames import Frame, flatten, read_frame, restore, write_frame
from windrow.execution.tasks import StepProgress, Task, TaskFailure

COMMAND = (sys.executable, "-P", "-m", "windrow.execution.worker")
# A process is replaced after this many tasks, so that leaks of libraries do not accumulate.
TASKS_PER_PROCESS = 100
_SHUTDOWN_TIMEOUT_S = 5.0


Outcome = TypeVar("Outcome")


def ignore_steps(step: int, of: int, loss: float) -> None:
    """Ignore the steps of a training."""


class Runner(Protocol):
    """Runs training tasks."""

    def start(self) -> None:
        """Prepare, so that the first task starts without delay."""
        ...

    def run(
        self, task: Task[Outcome], on_step: OnStep = ignore_steps, control: TrainingControl | None = None
    ) -> Outcome:
        """Run a task to its end; further tasks wait.

        Args:
            task: The task.
            on_step: Called after each step of a training with its number, the number of steps, and the loss.
            control: Cancels the task immediately; ``None`` for a task that cannot be cancelled.

        Raises:
            TrainingFailed: The task failed, or its process died. The next task is not affected.
            TrainingCancelled: The training was cancelled.
            ShuttingDown: The runner is closed, or was closed meanwhile.
        """
        ...

    def close(self) -> None:
        """Stop immediately; a running task fails."""
        ...


class ProcessRunner:
    """Runs tasks in training processes on this machine.

    Args:
        processes: The number of processes, and so of concurrent tasks.
        command: The command that starts one training process.
    """

    def __init__(self, processes: int, command: tuple[str, ...] = COMMAND) -> None:
        self._command = command
        self._closed = False
        self._idle: queue.LifoQueue[_Worker] = queue.LifoQueue()
        self._all = [_Worker() for _ in range(processes)]
        for worker in self._all:
            self._idle.put(worker)

    def start(self) -> None:
        """Start all processes; they warm up in the background."""
        for worker in self._all:
            worker.ensure_started(self._command)

    def run(
        self, task: Task[Outcome], on_step: OnStep = ignore_steps, control: TrainingControl | None = None
    ) -> Outcome:
        """Run a task in the next free process. Cancelling kills the process, and a new one warms up."""
        control = control or TrainingControl()
        worker = self._idle.get()
        try:
            process = worker.ensure_started(self._command)
            if self._closed:  # checked only here: from now on close() sees the process and kills it
                raise shutting_down()
            with control.on_cancel(process.kill):
                outcome = restore(task.outcome, worker.run(process, flatten(type(task).__name__, task), on_step))
        except TrainingFailed as error:
            if self._closed:
                raise shutting_down() from error
            if control.is_cancelled:
                worker.stop()
                worker.ensure_started(self._command)
                control.raise_if_cancelled()
            raise
        except BaseException:
            worker.stop()  # the task was interrupted here, so the process's further output is void
            if not self._closed:
                worker.ensure_started(self._command)
            raise
        else:
            if worker.tasks >= TASKS_PER_PROCESS:
                worker.stop()
                worker.ensure_started(self._command)
            return outcome
        finally:
            self._idle.put(worker)

    def close(self) -> None:
        """Stop every process."""
        self._closed = True
        for worker in self._all:
            worker.kill()
        # A worker comes back once its task has ended; only then are its pipes unused.
        workers = [self._idle.get() for _ in self._all]
        for worker in workers:
            worker.stop()
            self._idle.put(worker)


@dataclass(slots=True)
class _Worker:
    """One training process, or none yet."""

    process: subprocess.Popen[bytes] | None = field(default=None)
    tasks: int = 0

    def ensure_started(self, command: tuple[str, ...]) -> "subprocess.Popen[bytes]":
        if self.process is not None and self.process.poll() is None:
            return self.process
        self.stop()
        # A process group of its own: Ctrl-C in the server's terminal must not kill a training that the server still
        # finishes. Not a session of its own: Linux may share the cores between sessions first, and then the training's
        # lower priority would count for nothing beside the server.
        self.process = process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, process_group=0
        )
        return process

    def run(self, process: "subprocess.Popen[bytes]", task: Frame, on_step: OnStep) -> Frame:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            write_frame(process.stdin, task)
            while (frame := read_frame(process.stdout)) is not None and frame.kind == "progress":
                step = restore(StepProgress, frame)
                on_step(step.number, step.of, step.loss)
        except OSError:
            frame = None
        if frame is None:
            raise _process_died(process.wait())
        self.tasks += 1
        if frame.kind == "failed":
            refusal = restore(TaskFailure, frame)
            raise TrainingFailed(refusal.template, refusal.facts)
        return frame

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()

    def stop(self) -> None:
        if self.process is None:
            return
        process, self.process, self.tasks = self.process, None, 0
        process.kill()
        process.wait(_SHUTDOWN_TIMEOUT_S)
        for stream in (process.stdin, process.stdout):
            # Unsent data has no reader any more.
            with contextlib.suppress(OSError):
                if stream is not None:
                    stream.close()


def _process_died(exit_status: int) -> TrainingFailed:
    if exit_status == -signal.SIGKILL:
        return TrainingFailed(
            "The training process was killed, most likely because the machine ran out of memory. {Send} fewer rows or "
            "shorter texts, or give the machine more memory. Nothing was saved; an earlier revision, if there is one, "
            "still answers."
        )
    return TrainingFailed(
        "The training process ended unexpectedly (exit status {exit_status}). Nothing was saved; an earlier revision, "
        "if there is one, still answers. Try again, and look in the server's log if it happens again.",
        {"exit_status": exit_status},
    )
