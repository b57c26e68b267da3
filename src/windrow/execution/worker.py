"""The training process: read tasks from standard input, and write outcomes to standard output."""

import os
import queue
import sys
import threading
import time
import traceback
import warnings
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from typing import IO

import numpy as np
from threadpoolctl import threadpool_limits

from windrow.domain.errors import WindrowError
from windrow.domain.job import OnStep
from windrow.execution.frames import Frame, flatten, read_frame, write_frame
from windrow.execution.isolation import limit_memory
from windrow.execution.task_execution import fit, run_task
from windrow.execution.tasks import (
    HEARTBEAT,
    OUT_OF_MEMORY_STATUS,
    WITH_TORCH,
    FitTask,
    StepProgress,
    TaskFailure,
    TrainAdaptersTask,
    TrainAdapterTask,
    out_of_memory,
)
from windrow.execution.watchdog import HEARTBEAT_INTERVAL_S
from windrow.learning.head_fitting import Examples

# Below the server's priority: a training takes the time that predictions leave, and about a tenth of each core where
# they leave none.
NICENESS = 10
# Where NumPy raises MemoryError, torch raises a RuntimeError with one of these words.
_TORCH_OUT_OF_MEMORY = ("can't allocate memory", "bad_alloc")
_TORCH_MISSING = (
    "torch is not installed where this training ran, and without it no adapter can be trained. Nothing was saved. "
    "Train the head alone (num_iterations 0), or train where torch is installed on the same data directory."
)


@dataclass(slots=True)
class _Connection:
    """The server, as a training process sees it; thread-safe.

    Args:
        replies: Takes frames.
    """

    replies: IO[bytes]
    lock: threading.Lock = field(default_factory=threading.Lock)
    is_waiting: threading.Event = field(default_factory=threading.Event)

    def send(self, frame: Frame) -> None:
        """Send a frame."""
        with self.lock:
            write_frame(self.replies, frame)

    def send_step(self, step: int, of: int, loss: float) -> None:
        """Send that a step of a training is done."""
        self.send(flatten("progress", StepProgress(step, of, loss)))

    def send_heartbeats(self) -> None:
        """Send heartbeats while the server waits for a task; for a thread of its own."""
        while self.is_waiting.wait():
            # Where the server is gone, the other threads end the process; where memory is short, it is not for long.
            with suppress(OSError, MemoryError):
                self.send(Frame(HEARTBEAT))
            time.sleep(HEARTBEAT_INTERVAL_S)


def main() -> None:
    """Run tasks until standard input ends, which also signals a crash of the server.

    The last argument is the limit on this process's memory (:func:`windrow.execution.isolation.limit_memory`); the one
    before is ``WITH_TORCH`` if torch is to be loaded before a task needs it.
    """
    limit_bytes = int(sys.argv[-1])
    limit_memory(limit_bytes)
    requests = os.fdopen(os.dup(0), "rb")
    server = _Connection(os.fdopen(os.dup(1), "wb"))
    # Output of libraries belongs in the log, not between the frames.
    os.dup2(2, 1)
    os.nice(NICENESS)
    # Libraries warn about few rows; the training has its own warnings for that.
    warnings.simplefilter("ignore")
    # Before torch is loaded: its threads must sleep, not spin, while they wait for each other. With predictions on the
    # same cores, spinning made a training take four to twenty times as long.
    os.putenv("OMP_WAIT_POLICY", "PASSIVE")
    tasks: queue.SimpleQueue[Frame] = queue.SimpleQueue()
    threading.Thread(target=_read_tasks, args=(requests, tasks, server.is_waiting), daemon=True).start()
    threading.Thread(target=server.send_heartbeats, daemon=True).start()
    # The matrices are small: a second BLAS thread costs more than it brings, twenty-fold on a busy machine.
    with threadpool_limits(limits=1, user_api="blas"):
        _warm_up()
        # A task that waits already, as on the command line, need not wait for torch unless it trains an adapter.
        if sys.argv[-2] == WITH_TORCH and tasks.empty():
            _load_torch_if_installed()
        while True:
            frame = tasks.get()
            reply = _answer(frame, server.send_step, limit_bytes)
            server.is_waiting.clear()
            server.send(reply)


def _read_tasks(requests: IO[bytes], tasks: "queue.SimpleQueue[Frame]", is_waiting: threading.Event) -> None:
    try:
        while (frame := read_frame(requests)) is not None:
            is_waiting.set()
            tasks.put(frame)
    except MemoryError:
        # The position of the next frame is unknown.
        os._exit(OUT_OF_MEMORY_STATUS)
    # The server has ended or wants this process to end: no one waits for the running task.
    os._exit(0)


def _answer(frame: Frame, on_step: OnStep, limit_bytes: int) -> Frame:
    try:
        if frame.kind in (TrainAdapterTask.__name__, TrainAdaptersTask.__name__):
            _load_torch()
        return run_task(frame, on_step)
    except WindrowError as error:
        return flatten("failed", TaskFailure(error.template, error.facts))
    except Exception as error:  # noqa: BLE001  the outermost edge: whatever it is, the server must hear of it
        if isinstance(error, ModuleNotFoundError) and error.name == "torch":
            return flatten("failed", TaskFailure(_TORCH_MISSING))
        traceback.print_exc()
        if isinstance(error, MemoryError) or any(words in str(error) for words in _TORCH_OUT_OF_MEMORY):
            return flatten("failed", TaskFailure(*out_of_memory(limit_bytes)))
        what = "The training failed with {error}. Look in the server's log, and report it if the data are sound."
        return flatten("failed", TaskFailure(what, {"error": type(error).__name__}))


def _warm_up() -> None:
    """Import the libraries that the first task would otherwise wait for."""
    rows = np.arange(4, dtype=np.int64)
    fit(FitTask(Examples(np.eye(4, dtype=np.float32), rows % 2, rows), hidden_size=4, seed=0))


@cache
def _load_torch() -> None:
    """Import torch, and what trains with it."""
    from windrow.learning import contrastive  # noqa: F401


def _load_torch_if_installed() -> None:
    """Do so ahead of the tasks; where it fails, heads can be fitted all the same, and a task that needs it fails."""
    try:
        _load_torch()
    except ModuleNotFoundError as error:
        # An installation may lack torch on purpose; what lacks another module is damaged, and the log says so.
        if error.name != "torch":
            traceback.print_exc()


if __name__ == "__main__":
    main()
