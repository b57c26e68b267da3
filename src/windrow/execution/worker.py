"""The training process: reads tasks from standard input, writes outcomes to standard output.

Owns the process's life (warm-up, one task at a time, end with its server); knows nothing of names or data directories.
"""

import os
import queue
import threading
import traceback
from typing import IO

import numpy as np
from threadpoolctl import threadpool_limits

from windrow.domain.recipe import Recipe
from windrow.execution.frames import Frame, read_frame, write_frame
from windrow.execution.tasks import FitTask, outcome_to_frame, task_from_frame
from windrow.execution.training import run_fit

# Below the server's priority, so that a training takes what predictions leave over.
NICENESS = 10
OUT_OF_MEMORY = (
    "The training ran out of memory. Send fewer rows or shorter texts, or give the server's machine more memory."
)


def main() -> None:
    """Serve tasks until standard input ends, which is how a server's end, also a sudden one, is noticed."""
    requests = os.fdopen(os.dup(0), "rb")
    replies = os.fdopen(os.dup(1), "wb")
    # Whatever a library prints belongs in the log, not between the frames.
    os.dup2(2, 1)
    os.nice(NICENESS)
    tasks: queue.SimpleQueue[Frame] = queue.SimpleQueue()
    threading.Thread(target=_read_tasks, args=(requests, tasks), daemon=True).start()
    # The matrices are small: a second BLAS thread costs more than it brings, twenty-fold on a busy machine.
    with threadpool_limits(limits=1, user_api="blas"):
        _warm_up()
        while True:
            write_frame(replies, _answer(tasks.get()))


def _read_tasks(requests: IO[bytes], tasks: "queue.SimpleQueue[Frame]") -> None:
    while (frame := read_frame(requests)) is not None:
        tasks.put(frame)
    # The server is gone or wants this process gone: nobody waits for what it is doing.
    os._exit(0)


def _answer(frame: Frame) -> Frame:
    try:
        return outcome_to_frame(run_fit(task_from_frame(frame)))
    except MemoryError:
        traceback.print_exc()
        return Frame("failed", {"detail": OUT_OF_MEMORY})
    except Exception as error:  # noqa: BLE001  the outermost edge: whatever it is, the server must hear of it
        traceback.print_exc()
        what = f"The training failed with {type(error).__name__}."
        return Frame("failed", {"detail": f"{what} Look in the server's log, and report it if the data are sound."})


def _warm_up() -> None:
    """Train on made-up rows, so that the first user does not wait for imports."""
    task = FitTask(np.eye(4, dtype=np.float32), np.arange(4, dtype=np.int64) % 2, Recipe(num_iterations=0))
    run_fit(task)


if __name__ == "__main__":
    main()
