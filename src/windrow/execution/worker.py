"""The training process: read tasks from standard input, and write outcomes to standard output."""

import os
import queue
import signal
import threading
import traceback
import warnings
from functools import cache
from typing import IO

import numpy as np
from threadpoolctl import threadpool_limits

from windrow.domain.errors import WindrowError
from windrow.domain.job import OnStep
from windrow.encoders.cores import usable_cores
from windrow.execution.frames import Frame, flatten, read_frame, write_frame
from windrow.execution.task_execution import fit, run_task
from windrow.execution.tasks import FitTask, StepProgress, TaskFailure, TrainAdapterTask
from windrow.learning.head_fitting import Examples

# Below the server's priority: a training takes the time that predictions leave, and about a tenth of each core where
# they leave none.
NICENESS = 10
OUT_OF_MEMORY = (
    "The training ran out of memory. {Send} fewer rows or shorter texts, or give the server's machine more memory."
)
# Where NumPy raises MemoryError, torch raises a RuntimeError with these words.
_TORCH_OUT_OF_MEMORY = "can't allocate memory"


def main() -> None:
    """Run tasks until standard input ends, which also signals a crash of the server."""
    requests = os.fdopen(os.dup(0), "rb")
    replies = os.fdopen(os.dup(1), "wb")
    # Output of libraries belongs in the log, not between the frames.
    os.dup2(2, 1)
    os.nice(NICENESS)
    # Libraries warn about few rows; the training has its own warnings for that.
    warnings.simplefilter("ignore")
    # Before torch is loaded: its threads must sleep, not spin, while they wait for each other. With predictions on the
    # same cores, spinning made a training take four to twenty times as long.
    os.putenv("OMP_WAIT_POLICY", "PASSIVE")
    tasks: queue.SimpleQueue[Frame] = queue.SimpleQueue()
    threading.Thread(target=_read_tasks, args=(requests, tasks), daemon=True).start()
    # The matrices are small: a second BLAS thread costs more than it brings, twenty-fold on a busy machine.
    with threadpool_limits(limits=1, user_api="blas"):
        _warm_up()
        while True:
            # A task that waits already, as on the command line, need not wait for torch unless it trains an adapter.
            if tasks.empty():
                _load_torch()
            frame = tasks.get()
            if frame.kind == TrainAdapterTask.__name__:
                _load_torch()
            write_frame(
                replies, _answer(frame, lambda *step: write_frame(replies, flatten("progress", StepProgress(*step))))
            )


def _read_tasks(requests: IO[bytes], tasks: "queue.SimpleQueue[Frame]") -> None:
    try:
        while (frame := read_frame(requests)) is not None:
            tasks.put(frame)
    except MemoryError:
        # The position of the next frame is unknown. The server reports this signal as lack of memory.
        os.kill(os.getpid(), signal.SIGKILL)
    # The server has ended or wants this process to end: no one waits for the running task.
    os._exit(0)


def _answer(frame: Frame, on_step: OnStep) -> Frame:
    try:
        return run_task(frame, on_step)
    except WindrowError as error:
        return flatten("failed", TaskFailure(error.template, error.facts))
    except Exception as error:  # noqa: BLE001  the outermost edge: whatever it is, the server must hear of it
        traceback.print_exc()
        if isinstance(error, MemoryError) or _TORCH_OUT_OF_MEMORY in str(error):
            return flatten("failed", TaskFailure(OUT_OF_MEMORY))
        what = "The training failed with {error}. Look in the server's log, and report it if the data are sound."
        return flatten("failed", TaskFailure(what, {"error": type(error).__name__}))


def _warm_up() -> None:
    """Import the libraries that the first task would otherwise wait for."""
    rows = np.arange(4, dtype=np.int64)
    fit(FitTask(Examples(np.eye(4, dtype=np.float32), rows % 2, rows), hidden_size=4, seed=0))


@cache
def _load_torch() -> None:
    """Import torch, and fix its number of threads, which decides how sums are rounded."""
    import torch

    from windrow.learning import contrastive  # noqa: F401

    torch.set_num_threads(usable_cores())


if __name__ == "__main__":
    main()
