"""Processes that die while they do a verb, forked from a small one: forking a whole test run takes long."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.fakes.disk import die_at
from tests.fakes.files import MemoryFiles
from tests.storage.crash_cases import CASES
from tests.storage.model import Server, Verb
from windrow.storage.files import LocalFiles

ROOT = Path(__file__).parents[2]
# BLAS starts threads when it is imported, unless it is told not to, and a process with threads should not fork.
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}

# Does a verb in a directory, dying before the writing call of a number; tells whether it came to that.
Die = Callable[[Path, Verb, int], bool]


@contextmanager
def mortals() -> Iterator[Die]:
    """Give processes that die as they are told."""
    command = [sys.executable, "-W", "error", "-m", "tests.storage.dying"]
    pipe, environment = subprocess.PIPE, {**os.environ, **ONE_THREAD}
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=ROOT, env=environment) as process:
        orders, answers = process.stdin, process.stdout
        assert orders is not None
        assert answers is not None

        def die(folder: Path, one: Verb, step: int) -> bool:
            orders.write(json.dumps([str(folder), one.method, one.args, step]) + "\n")
            orders.flush()
            return bool(json.loads(answers.readline()))

        yield die


def main() -> None:
    # What a dead process wrote, the system still holds, so syncing may be left out; its calls are counted all the same.
    os.fsync = lambda fd: None
    # What is imported and built at first use (readers of JSON), each of the processes would build anew.
    for case in CASES.values():
        case.prepare(files := MemoryFiles())
        case.act.on(Server(files))
    for line in sys.stdin:
        folder, method, args, step = json.loads(line)
        act = Verb(method, tuple(args))
        print(json.dumps(die_at(step, lambda: act.on(Server(LocalFiles(Path(folder)))))), flush=True)  # noqa: B023


if __name__ == "__main__":
    main()
