"""Runners: where tasks are run. ``ProcessRunner`` keeps warm training processes beside the server."""

import contextlib
import queue
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from windrow.domain.errors import TrainingFailed
from windrow.domain.job import OnStep
from windrow.execution.frames import Frame, flatten, read_frame, restore, write_frame
from windrow.execution.tasks import Refusal, Step, Task
from windrow.execution.watch import Watch, shutting_down

COMMAND = (sys.executable, "-P", "-m", "windrow.execution.worker")
# A fresh process now and then keeps memory flat, whatever the libraries in it hold on to.
TASKS_PER_PROCESS = 100
_STOP_TIMEOUT_S = 5.0


Outcome = TypeVar("Outcome")


def ignore_steps(step: int, of: int, loss: float) -> None:
    """Take no notice of how a training goes on."""


class Runner(Protocol):
    """Runs tasks somewhere."""

    def start(self) -> None:
        """Get ready, so that the first task starts without delay."""
        ...

    def run(self, task: Task[Outcome], on_step: OnStep = ignore_steps, watch: Watch | None = None) -> Outcome:
        """Run a task to its end; further tasks wait their turn.

        Args:
            task: What to do.
            on_step: Called with step, number of steps and loss as a training goes on.
            watch: Stops the task at once where the training is to end; ``None`` where nobody stops it.

        Raises:
            TrainingFailed: The task failed, or its process died. The next task works all the same.
            TrainingCancelled: The watch stopped it.
            ShuttingDown: The runner is closed, or was closed meanwhile.
        """
        ...

    def close(self) -> None:
        """Stop at once; a running task fails."""
        ...


class ProcessRunner:
    """Runs tasks in training processes on this machine.

    Args:
        processes: How many tasks may run at the same time.
        command: Starts one training process.
    """

    def __init__(self, processes: int, command: tuple[str, ...] = COMMAND) -> None:
        self._command = command
        self._closed = False
        self._slots: queue.LifoQueue[_Slot] = queue.LifoQueue()
        self._all = [_Slot() for _ in range(processes)]
        for slot in self._all:
            self._slots.put(slot)

    def start(self) -> None:
        """Start every process; they warm up while the server goes on."""
        for slot in self._all:
            slot.ensure_started(self._command)

    def run(self, task: Task[Outcome], on_step: OnStep = ignore_steps, watch: Watch | None = None) -> Outcome:
        """Run a task in the next free process; to stop it is to kill the process, and a new one warms up."""
        watch = watch or Watch()
        slot = self._slots.get()
        try:
            process = slot.ensure_started(self._command)
            if self._closed:  # asked only now: from here on close() sees the process and kills it
                raise shutting_down()
            with watch.stopped_by(process.kill):
                outcome = restore(task.outcome, slot.run(process, flatten(type(task).__name__, task), on_step))
        except TrainingFailed as error:
            if self._closed:
                raise shutting_down() from error
            if watch.is_stopped:
                slot.stop()
                slot.ensure_started(self._command)
                watch.check()
            raise
        except BaseException:
            slot.stop()  # it was ended from here: what the process still has to say belongs to nobody
            if not self._closed:
                slot.ensure_started(self._command)
            raise
        else:
            if slot.tasks >= TASKS_PER_PROCESS:
                slot.stop()
                slot.ensure_started(self._command)
            return outcome
        finally:
            self._slots.put(slot)

    def close(self) -> None:
        """Stop every process."""
        self._closed = True
        for slot in self._all:
            slot.kill()
        # A slot comes back once its task has noticed; only then are its pipes nobody's.
        slots = [self._slots.get() for _ in self._all]
        for slot in slots:
            slot.stop()
            self._slots.put(slot)


@dataclass(slots=True)
class _Slot:
    """Room for one training process."""

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
                step = restore(Step, frame)
                on_step(step.number, step.of, step.loss)
        except OSError:
            frame = None
        if frame is None:
            raise _obituary(process.wait())
        self.tasks += 1
        if frame.kind == "failed":
            refusal = restore(Refusal, frame)
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
        process.wait(_STOP_TIMEOUT_S)
        for stream in (process.stdin, process.stdout):
            # What is still unsent has nobody to read it.
            with contextlib.suppress(OSError):
                if stream is not None:
                    stream.close()


def _obituary(exit_status: int) -> TrainingFailed:
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
