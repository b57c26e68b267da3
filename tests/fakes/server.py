"""A real server process on FakeOperations: ``python -m tests.fakes.server [--pause] [--break]``, set by variables.

With ``--pause`` each fit says "fit is running" and waits for a line on standard input; with ``--break`` predict fails.
"""

import sys

from tests.fakes.operations import FakeOperations
from windrow.http.server import serve
from windrow.settings import read_settings


def _pause() -> None:
    print("fit is running", flush=True)
    sys.stdin.readline()


def _break() -> None:
    raise RuntimeError("a defect that nobody foresaw")


if __name__ == "__main__":
    operations = FakeOperations()
    if "--pause" in sys.argv:
        operations.before_fit = _pause
    if "--break" in sys.argv:
        operations.before_predict = _break
    serve(lambda settings: operations, read_settings())
    assert operations.started.is_set()
    assert operations.closed.is_set()
