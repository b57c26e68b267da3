"""Run training tasks on a Ray cluster, through a driver in a process of its own (``execution.ray_driver``)."""

import contextlib
import itertools
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from windrow.domain.errors import ClusterUnavailable
from windrow.domain.job import OnStep
from windrow.execution.control import TrainingControl, shutting_down
from windrow.execution.frames import Frame, flatten, read_frame, restore, write_frame
from windrow.execution.isolation import trim_environment
from windrow.execution.ray_cluster import RayOptions, driver_environment, lost
from windrow.execution.ray_driver import BEGUN, CANCEL, PAYLOAD, TASK, UNAVAILABLE, WARM
from windrow.execution.ray_training_actor import frame_bytes
from windrow.execution.runner import (
    SHUTDOWN_TIMEOUT_S,
    Outcome,
    close_pipes,
    ignore_steps,
    kill_process,
    outcome_of,
)
from windrow.execution.task_log import NO_NODE, TaskLog, TaskRun
from windrow.execution.tasks import HEARTBEAT, Task, TaskFailure, TrainAdaptersTask, TrainAdapterTask
from windrow.execution.watchdog import Watchdog

DRIVER_COMMAND = (sys.executable, "-P", "-m", "windrow.execution.ray_driver")
_LOST = Frame("lost")
_STOP = Frame("stop")
# What a pipe raises whose other side has ended, or that is closed.
_GONE = (OSError, ValueError)


class RayRunner:
    """Runs tasks on the nodes of a Ray cluster.

    The driver connects when it is first needed. A cluster that cannot be reached fails the tasks that need it, and the
    next one tries again.

    Args:
        options: The cluster, and what a task takes of it.
        concurrent: How many tasks run at the same time; further ones wait.
        task_log: Counts what ran.
        command: The command that starts the driver; the options come behind it.
    """

    def __init__(
        self,
        options: RayOptions,
        concurrent: int,
        task_log: TaskLog | None = None,
        command: tuple[str, ...] = DRIVER_COMMAND,
    ) -> None:
        self._command = (*command, options.to_json())
        self._task_log = task_log or TaskLog()
        self._turns = threading.Semaphore(concurrent)
        self._lock = threading.Lock()
        self._driver: _Driver | None = None
        self._running = 0
        self._closed = False

    def start(self, *, trains_adapters: bool = True) -> None:  # noqa: ARG002  a process on the cluster outlives a task
        """Have a driver connect in the background, and a training process warm up on the cluster."""
        with contextlib.suppress(*_GONE):  # whatever is wrong is told by the task that needs it
            # While a task runs, the next one may be waiting for its place.
            if not self._running and (driver := self._running_driver()) is not None:
                driver.send(Frame(WARM))

    def run(
        self, task: Task[Outcome], on_step: OnStep = ignore_steps, control: TrainingControl | None = None
    ) -> Outcome:
        """Run a task on a node; where that dies, on another one, up to three times.

        Raises:
            TrainingFailed: The task failed, or it was lost three times.
            ClusterUnavailable: The cluster cannot be reached or used.
            TrainingCancelled: The training was cancelled.
            ShuttingDown: The runner is closed, or was closed meanwhile.
        """
        control, kind = control or TrainingControl(), type(task).__name__
        with self._task_log.running(kind) as run, self._turn():
            run.node, run.attempts = NO_NODE, 0
            if (driver := self._running_driver()) is None:
                raise shutting_down()
            message = Frame(TASK, _needs(task), {PAYLOAD: _array(frame_bytes(flatten(kind, task)))})
            return outcome_of(task, self._follow(driver, message, control, _Listener(on_step, run)))

    @contextlib.contextmanager
    def _turn(self) -> Iterator[None]:
        """Wait until fewer tasks run than may."""
        with self._turns:
            with self._lock:
                self._running += 1
            try:
                yield
            finally:
                with self._lock:
                    self._running -= 1

    def close(self) -> None:
        """End the driver, and with it what it has on the cluster; running tasks fail."""
        with self._lock:
            self._closed = True
            driver, self._driver = self._driver, None
        if driver is not None:
            driver.stop()

    def _running_driver(self) -> "_Driver | None":
        """Return the driver, a new one where the last one has ended; ``None`` if the runner is closed."""
        with self._lock:
            if self._closed:
                return None
            if self._driver is None or self._driver.has_ended:
                if self._driver is not None:
                    self._driver.stop()
                self._driver = _Driver(self._command)
            return self._driver

    def _follow(self, driver: "_Driver", message: Frame, control: TrainingControl, listener: "_Listener") -> Frame:
        """Send a task, and return the frame with its outcome."""
        replies: queue.SimpleQueue[Frame] = queue.SimpleQueue()
        # Whoever cancels must not wait for the driver's pipe.
        with control.on_cancel(lambda: replies.put(_STOP)), driver.asking(message, replies):
            while (reply := replies.get()).kind in ("progress", BEGUN):
                told = reply.fields
                if reply.kind == BEGUN:
                    listener.run.node, listener.run.attempts = told["node"], told["attempts"]
                else:
                    listener.on_step(told["number"], told["of"], told["loss"])
        control.raise_if_cancelled()
        if reply.kind == _LOST.kind:
            raise shutting_down() if self._closed else driver.trouble or lost()
        frame = Frame(reply.kind, reply.fields["of"], reply.tensors)
        if frame.kind == UNAVAILABLE:
            raise _unavailable(frame)
        return frame


@dataclass(frozen=True, slots=True)
class _Listener:
    """Who hears of a task.

    Args:
        on_step: Receives its steps.
        run: Receives where it ran.
    """

    on_step: OnStep
    run: TaskRun


class _Driver:
    """A driver's process.

    Args:
        command: Starts it.
    """

    def __init__(self, command: tuple[str, ...]) -> None:
        # Its own process group, as a training process has: Ctrl-C in the server's terminal is the server's.
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            process_group=0,
            env=driver_environment(trim_environment()),
        )
        self._lock = threading.Lock()
        self._sending = threading.Lock()
        self._numbers = itertools.count()
        self._waiting: dict[int, queue.SimpleQueue[Frame]] = {}
        self.trouble: ClusterUnavailable | None = None
        """Why it ended, if it said so."""
        self.has_ended = False
        """Whether it takes no more tasks."""
        self._reader = threading.Thread(target=self._read, name="ray-driver", daemon=True)
        self._reader.start()

    def send(self, message: Frame) -> None:
        """Send a message.

        Raises:
            OSError: The process has ended.
            ValueError: It was stopped.
        """
        assert self._process.stdin is not None
        with self._sending:
            write_frame(self._process.stdin, message)

    @contextlib.contextmanager
    def asking(self, message: Frame, replies: "queue.SimpleQueue[Frame]") -> Iterator[None]:
        """Send a task, and have what is told of it put into a queue until the end of the block, which ends the task."""
        number = next(self._numbers)
        with self._lock:
            self._waiting[number] = replies
            if self.has_ended:
                replies.put(_LOST)
        try:
            with contextlib.suppress(*_GONE):  # the reader notices, too
                self.send(Frame(message.kind, {**message.fields, "id": number}, message.tensors))
            yield
        finally:
            with self._lock:
                del self._waiting[number]
            with contextlib.suppress(*_GONE):
                self.send(Frame(CANCEL, {"id": number}))

    def stop(self) -> None:
        """End the process."""
        kill_process(self._process)
        self._reader.join(SHUTDOWN_TIMEOUT_S)
        close_pipes(self._process)

    def _read(self) -> None:
        assert self._process.stdout is not None
        watchdog = Watchdog(self._process)
        with watchdog.watching(), contextlib.suppress(*_GONE):
            while (frame := read_frame(self._process.stdout)) is not None:
                watchdog.heard()
                if frame.kind == UNAVAILABLE and "id" not in frame.fields:
                    self.trouble = _unavailable(frame)
                elif frame.kind != HEARTBEAT:
                    with self._lock:
                        if (replies := self._waiting.get(frame.fields["id"])) is not None:
                            replies.put(frame)
        with self._lock:
            self.has_ended = True
            for replies in self._waiting.values():
                replies.put(_LOST)


def _needs(task: Task[Any]) -> Mapping[str, Any]:
    """Return what a node must have for a task, and until when it may take."""
    if isinstance(task, TrainAdaptersTask):
        task = task.trainings[0]  # none of them has a deadline
    if not isinstance(task, TrainAdapterTask):
        return {"base_model": None, "folder": None, "deadline_s": None}
    return {"base_model": asdict(task.base_model), "folder": str(task.folder), "deadline_s": task.deadline_s}


def _unavailable(frame: Frame) -> ClusterUnavailable:
    failure = restore(TaskFailure, frame)
    return ClusterUnavailable(failure.template, failure.facts)


def _array(data: bytes) -> Any:
    return np.frombuffer(data, np.uint8)
