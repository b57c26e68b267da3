"""A real server process on FakeOperations: ``python -m tests.fakes.server [flag]``, set by variables.

With ``--pause`` each fit says "fit is running" and waits for a line on standard input; with ``--break`` predict fails;
with ``--wait`` it says "predict waits" and goes on when nobody wants its answer any more.
"""

import sys
import time

from tests.fakes.operations import FakeOperations
from windrow.domain.prediction import IsWanted
from windrow.http.server import serve
from windrow.settings import read_settings


def _pause() -> None:
    print("fit is running", flush=True)
    sys.stdin.readline()


def _break(is_wanted: IsWanted) -> None:
    raise RuntimeError("a defect that nobody foresaw")


def _wait(is_wanted: IsWanted) -> None:
    print("predict waits", flush=True)
    deadline = time.monotonic() + 30
    while is_wanted() and time.monotonic() < deadline:
        time.sleep(0.005)


if __name__ == "__main__":
    operations = FakeOperations()
    if "--pause" in sys.argv:
        operations.before_fit = _pause
    if "--break" in sys.argv:
        operations.before_predict = _break
    if "--wait" in sys.argv:
        operations.before_predict = _wait
    serve(lambda settings: operations, read_settings())
    assert operations.started.is_set()
    assert operations.closed.is_set()
