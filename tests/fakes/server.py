"""A real server process on the product with a toy encoder: ``python -m tests.fakes.server [flag]``, set by variables.

With ``--pause`` each fit says "fit is running" and waits for a line on standard input; with ``--break`` predict fails;
with ``--wait`` it says "predict waits" and goes on when nobody wants its answer any more; with ``--stuck`` it says
"fsck is stuck" and is. With ``--tell`` it says at its end what became of the newest job, and
with ``--hold NAME`` a training of that name goes on until it is cancelled. With ``--stall PART FILE`` the disk hangs,
for paths with that part, as long as that file exists.
"""

import os
import sys
import time
from collections.abc import Callable
from typing import Any

from tests.toy import Toy
from windrow.domain.job import JobListRequest, JobRequest
from windrow.domain.prediction import IsConnected
from windrow.http.server import serve
from windrow.settings import read_settings


def _pause() -> None:
    print("fit is running", flush=True)
    # Not by sys.stdin, whose lock this thread would hold when the process ends.
    os.read(sys.stdin.fileno(), 1_000)


def _break(is_connected: IsConnected) -> None:
    raise RuntimeError("a defect that nobody foresaw")


def _wait(is_connected: IsConnected) -> None:
    print("predict waits", flush=True)
    deadline = time.monotonic() + 30
    while is_connected() and time.monotonic() < deadline:
        time.sleep(0.005)


def _stick() -> None:
    print("fsck is stuck", flush=True)
    while True:
        time.sleep(1)


def _hold(operations: Toy, name: str) -> None:
    running = [
        job.id
        for job in operations.list_jobs(JobListRequest()).jobs
        if job.state == "running" and job.model_name == name
    ]
    for job_id in running:
        list(operations.follow_job(JobRequest(job_id)))


def _stall(part: str, while_there: str) -> None:
    """Have system calls that look at a path, or open it, wait."""
    exists = os.path.lexists

    def stalling(call: Callable[..., Any]) -> Callable[..., Any]:
        def wait_and_call(path: Any, *args: Any, **kwargs: Any) -> Any:
            while part in str(path) and exists(while_there):
                time.sleep(0.01)
            return call(path, *args, **kwargs)

        return wait_and_call

    for name in ("open", "stat", "listdir", "scandir"):
        setattr(os, name, stalling(getattr(os, name)))


if __name__ == "__main__":
    if "--stall" in sys.argv:
        _stall(*sys.argv[sys.argv.index("--stall") + 1 :][:2])
    settings = read_settings()
    operations = Toy(settings)
    if "--pause" in sys.argv:
        operations.before_fit = _pause
    if "--break" in sys.argv:
        operations.before_predict = _break
    if "--wait" in sys.argv:
        operations.before_predict = _wait
    if "--hold" in sys.argv:
        held = sys.argv[sys.argv.index("--hold") + 1]
        operations.at_step = lambda progress: _hold(operations, held)
    if "--stuck" in sys.argv:
        operations.before_fsck = _stick
    serve(lambda _: operations, settings)
    assert operations.started.is_set()
    assert operations.closed.is_set()
    if "--tell" in sys.argv:
        print(operations.list_jobs(JobListRequest(1)).jobs[0].state, flush=True)
