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
from windrow.execution.isolation import trim_environment
from windrow.execution.task_log import TaskLog
from windrow.execution.tasks import (
    HEARTBEAT,
    OUT_OF_MEMORY_STATUS,
    WITH_TORCH,
    WITHOUT_TORCH,
    StepProgress,
    Task,
    TaskFailure,
    out_of_memory,
)
from windrow.execution.watchdog import SILENCE_LIMIT_S, Watchdog

COMMAND = (sys.executable, "-P", "-m", "windrow.execution.worker")
# A process is replaced after this many tasks, so that leaks of libraries do not accumulate.
TASKS_PER_PROCESS = 100
SHUTDOWN_TIMEOUT_S = 5.0


Outcome = TypeVar("Outcome")


def ignore_steps(step: int, of: int, loss: float) -> None:
    """Ignore the steps of a training."""


class Runner(Protocol):
    """Runs training tasks."""

    def start(self, *, trains_adapters: bool = True) -> None:
        """Prepare in the background, so that the first task starts without delay.

        Args:
            trains_adapters: Whether a task may train an adapter, which takes longer to prepare for.
        """
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
        command: The command that starts one training process; what it loads and the limit on memory come behind it.
        memory_bytes: The memory that each process may use (``execution.isolation``); 0 for no limit.
        silence_limit_s: The seconds after which a process without a sign of life is killed.
        task_log: Counts what ran.
    """

    def __init__(
        self,
        processes: int,
        command: tuple[str, ...] = COMMAND,
        memory_bytes: int = 0,
        silence_limit_s: float = SILENCE_LIMIT_S,
        task_log: TaskLog | None = None,
    ) -> None:
        self._task_log = task_log or TaskLog()
        self._command = (*command, WITH_TORCH, str(memory_bytes))
        self._memory_bytes = memory_bytes
        self._silence_limit_s = silence_limit_s
        self._closed = False
        self._idle: queue.LifoQueue[_Worker] = queue.LifoQueue()
        self._all = [_Worker() for _ in range(processes)]
        for worker in self._all:
            self._idle.put(worker)

    def start(self, *, trains_adapters: bool = True) -> None:
        """Start each idle process that does not run yet; they warm up in the background."""
        command = self._command if trains_adapters else (*self._command[:-2], WITHOUT_TORCH, self._command[-1])
        idle: list[_Worker] = []
        with contextlib.suppress(queue.Empty):
            while not self._closed:
                idle.append(self._idle.get_nowait())
                idle[-1].ensure_started(command)
        for worker in reversed(idle):
            self._idle.put(worker)

    def run(
        self, task: Task[Outcome], on_step: OnStep = ignore_steps, control: TrainingControl | None = None
    ) -> Outcome:
        """Run a task in the next free process. Cancelling kills the process, and a new one warms up."""
        kind = type(task).__name__
        with self._task_log.running(kind):
            return outcome_of(task, self.run_frame(flatten(kind, task), on_step, control))

    def run_frame(self, task: Frame, on_step: OnStep = ignore_steps, control: TrainingControl | None = None) -> Frame:
        """Run the task that a frame carries, as :meth:`run` does, without counting it.

        Returns:
            The frame with its outcome, or with the error that the task itself reports.

        Raises:
            TrainingFailed: The process died.
            TrainingCancelled: The training was cancelled.
            ShuttingDown: The runner is closed, or was closed meanwhile.
        """
        control = control or TrainingControl()
        worker = self._idle.get()
        try:
            process = worker.ensure_started(self._command)
            if self._closed:  # checked only here: from now on close() sees the process and kills it
                raise shutting_down()
            with control.on_cancel(process.kill):
                watchdog = Watchdog(process, self._silence_limit_s)
                frame = worker.run(process, task, on_step, watchdog)
            if frame is None:
                raise self._death(process, watchdog)
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
            # One that was killed just now may still look alive.
            if control.is_cancelled or worker.tasks >= TASKS_PER_PROCESS:
                worker.stop()
                worker.ensure_started(self._command)
            control.raise_if_cancelled()
            return frame
        finally:
            self._idle.put(worker)

    def _death(self, process: "subprocess.Popen[bytes]", watchdog: Watchdog) -> TrainingFailed:
        """Return the error of a task whose process has died."""
        status = process.wait()
        return _fell_silent(self._silence_limit_s) if watchdog.has_killed else _died(status, self._memory_bytes)

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


def outcome_of(task: Task[Outcome], frame: Frame) -> Outcome:
    """Return a task's outcome.

    Args:
        task: The task.
        frame: What :meth:`ProcessRunner.run_frame` returned for it.

    Raises:
        TrainingFailed: The frame holds an error.
    """
    if frame.kind == "failed":
        failure = restore(TaskFailure, frame)
        raise TrainingFailed(failure.template, failure.facts)
    return restore(task.outcome, frame)


def kill_process(process: "subprocess.Popen[bytes]") -> None:
    """Kill a process, and wait for its end."""
    process.kill()
    # On a machine with far too much work, one that is killed takes longer to be gone, which is nobody's failure.
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(SHUTDOWN_TIMEOUT_S)


def close_pipes(process: "subprocess.Popen[bytes]") -> None:
    """Close the pipes to a process that has ended."""
    for stream in (process.stdin, process.stdout):
        # Unsent data has no reader any more.
        with contextlib.suppress(OSError):
            if stream is not None:
                stream.close()


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
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, process_group=0, env=trim_environment()
        )
        return process

    def run(self, process: "subprocess.Popen[bytes]", task: Frame, on_step: OnStep, watchdog: Watchdog) -> Frame | None:
        """Return the frame that ends the task; ``None`` if the process died."""
        assert process.stdin is not None
        assert process.stdout is not None
        with watchdog.watching():
            try:
                write_frame(process.stdin, task)
                while (frame := read_frame(process.stdout)) is not None and frame.kind in ("progress", HEARTBEAT):
                    watchdog.heard()
                    if frame.kind == "progress":
                        step = restore(StepProgress, frame)
                        with watchdog.paused():
                            on_step(step.number, step.of, step.loss)
            except OSError:
                return None
        self.tasks += frame is not None
        return frame

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()

    def stop(self) -> None:
        if self.process is None:
            return
        process, self.process, self.tasks = self.process, None, 0
        kill_process(process)
        close_pipes(process)


def _died(exit_status: int, memory_bytes: int) -> TrainingFailed:
    if exit_status == OUT_OF_MEMORY_STATUS:
        return TrainingFailed(*out_of_memory(memory_bytes))
    if exit_status == -signal.SIGABRT and memory_bytes:
        return TrainingFailed(
            "The training process was aborted, as some libraries do that get no more memory; it may use {limit_bytes} "
            "bytes ({setting}). Nothing was saved; an earlier revision, if there is one, still answers. {Send} fewer "
            "rows or shorter texts, or look in the server's log for another reason.",
            {"limit_bytes": memory_bytes, "setting": "WINDROW_MAX_FIT_MEMORY_BYTES"},
        )
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


def _fell_silent(limit_s: float) -> TrainingFailed:
    return TrainingFailed(
        "The training process gave no sign of life for {silent_s:.0f} seconds and was ended: it was stopped, or the "
        "machine was too busy to run it. Nothing was saved; an earlier revision, if there is one, still answers. Try "
        "again, and look at the machine's load and memory if it happens again.",
        {"silent_s": limit_s},
    )
