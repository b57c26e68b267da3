"""Every runner keeps the seam's contract; the one with processes survives their deaths."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.fakes.runner import InlineRunner
from windrow.domain.errors import ShuttingDown, TrainingFailed
from windrow.domain.recipe import Recipe
from windrow.execution import runner as runner_module
from windrow.execution.runner import ProcessRunner, Runner
from windrow.execution.tasks import FitTask
from windrow.execution.training import run_fit
from windrow.storage.artifact import artifact_from_bytes

TASK = FitTask(np.eye(6, dtype=np.float32), np.array([0, 1, 2, 0, 1, 2]), Recipe(num_iterations=0))
# scikit-learn refuses a single label: a task that always fails inside the training.
BROKEN_TASK = FitTask(np.eye(2, dtype=np.float32), np.array([0, 0]), Recipe(num_iterations=0))


@pytest.fixture(scope="module")
def process_runner() -> Iterator[ProcessRunner]:
    runner = ProcessRunner(processes=1)
    runner.start()
    yield runner
    runner.close()


@pytest.fixture(params=["inline", "process"])
def runner(request: pytest.FixtureRequest, process_runner: ProcessRunner) -> Runner:
    return InlineRunner() if request.param == "inline" else process_runner


def test_a_task_yields_a_finished_artifact(runner: Runner) -> None:
    outcome = runner.run(TASK)
    assert artifact_from_bytes(outcome.artifact).head.weights.shape == (3, 6)
    assert "scikit-learn" in outcome.summary.versions


def test_the_same_task_yields_the_same_bytes(runner: Runner) -> None:
    assert runner.run(TASK).artifact == runner.run(TASK).artifact == run_fit(TASK).artifact


def test_after_a_failed_task_the_next_one_works(runner: Runner) -> None:
    with pytest.raises(TrainingFailed):
        runner.run(BROKEN_TASK)
    assert runner.run(TASK).artifact


def test_a_killed_process_fails_its_task_and_the_next_task_works(process_runner: ProcessRunner) -> None:
    process = process_runner._all[0].process
    assert process is not None
    os.kill(process.pid, signal.SIGSTOP)  # it must not answer before it dies
    failures: list[str] = []

    def run() -> None:
        try:
            process_runner.run(TASK)
        except TrainingFailed as error:
            failures.append(error.detail)

    thread = threading.Thread(target=run)
    thread.start()
    os.kill(process.pid, signal.SIGKILL)
    thread.join()
    # Killed before the task arrived, it is replaced at once; killed after, the task fails. Both end well.
    assert all("ran out of memory" in failure for failure in failures)
    assert process_runner.run(TASK).artifact
    assert process_runner._all[0].process is not process


def test_a_process_that_dies_over_a_task_gives_a_clear_error() -> None:
    dying = ProcessRunner(1, (sys.executable, "-c", "import sys; sys.stdin.buffer.read(1); sys.exit(3)"))
    with pytest.raises(TrainingFailed, match="exit status 3"):
        dying.run(TASK)
    dying.close()


def test_processes_are_replaced_after_a_number_of_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner_module, "FITS_PER_PROCESS", 2)
    runner = ProcessRunner(1)
    runner.start()
    pids = []
    for _ in range(4):
        process = runner._all[0].process
        assert process is not None
        pids.append(process.pid)
        runner.run(TASK)
    runner.close()
    assert len(set(pids)) == 2
    assert pids[0] == pids[1]


@pytest.mark.parametrize("make", [InlineRunner, lambda: ProcessRunner(1)])
def test_a_closed_runner_takes_no_task(make: Callable[[], Runner]) -> None:
    closed = make()
    closed.start()
    closed.close()
    with pytest.raises(ShuttingDown):
        closed.run(TASK)


def test_closing_while_a_task_runs_says_that_the_server_is_stopping() -> None:
    """The process reads its task and never answers."""
    runner = ProcessRunner(
        1, (sys.executable, "-c", "import sys; sys.stdin.buffer.read(1); sys.stderr.close(); input()")
    )
    runner.start()
    errors: list[Exception] = []

    def run() -> None:
        try:
            runner.run(TASK)
        except ShuttingDown as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    runner.close()
    thread.join()
    assert len(errors) == 1


def test_closing_ends_the_processes() -> None:
    runner = ProcessRunner(2)
    runner.start()
    processes = [slot.process for slot in runner._all]
    runner.close()
    assert all(process is not None and process.poll() is not None for process in processes)


def test_a_training_process_ends_with_its_server(tmp_path: Path) -> None:
    """A server that is killed leaves nothing running."""
    script = (
        "from windrow.execution.runner import ProcessRunner\n"
        "runner = ProcessRunner(1)\n"
        "runner.start()\n"
        "print(runner._all[0].process.pid, flush=True)\n"
        "import time; time.sleep(600)\n"
    )
    server = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    worker_pid = int(server.stdout.readline())
    server.kill()
    server.wait()
    server.stdout.close()
    deadline = time.monotonic() + 60
    while _runs(worker_pid):
        assert time.monotonic() < deadline, "the training process outlived its server"
        time.sleep(0.05)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
