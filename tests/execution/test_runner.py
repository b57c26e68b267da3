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

from tests.clusters.ray_cluster import ray_cluster
from tests.fakes.runner import InlineRunner
from windrow.arrays import Floats, Ids, TokenStates
from windrow.domain.errors import ShuttingDown, TrainingCancelled, TrainingFailed
from windrow.domain.recipe import Recipe
from windrow.encoders.folder import EncoderFolder
from windrow.execution import runner as runner_module
from windrow.execution.control import TrainingControl
from windrow.execution.frames import Frame, flatten, read_frame, write_frame
from windrow.execution.ray_cluster import RayOptions
from windrow.execution.ray_runner import RayRunner
from windrow.execution.runner import ProcessRunner, Runner, ignore_steps, kill_process
from windrow.execution.task_execution import compute_curve, evaluate_holdout, fit, train_adapter
from windrow.execution.tasks import (
    HEARTBEAT,
    OUT_OF_MEMORY,
    WITHOUT_TORCH,
    FitTask,
    HoldoutTask,
    LearningCurveTask,
    TrainAdapterTask,
)
from windrow.execution.worker import NICENESS
from windrow.learning.head_fitting import Examples
from windrow.storage.artifact import artifact_from_bytes

pytestmark = pytest.mark.slow


def fit_task(features: Floats, label_ids: Ids) -> FitTask:
    return FitTask(Examples(features, label_ids, np.arange(len(label_ids))), hidden_size=2, seed=42)


TASK = fit_task(np.eye(6, dtype=np.float32), np.array([0, 1, 2, 0, 1, 2]))
# A head refuses a single label: a task that always fails inside the training.
BROKEN_TASK = fit_task(np.eye(2, dtype=np.float32), np.array([0, 0]))

# A training process in which one thing is changed before it starts.
CHANGED = "from windrow.execution import worker\n{change}\nworker.main()"
# Libraries are loaded by the task that needs them, and none is by this one, which a process answers from memory.
QUICK_TASK = HoldoutTask(
    TASK.examples, hidden_size=2, seed=1, is_adapted=True, holdout_features=np.zeros((1, 6), np.float32)
)
QUICK = """
import numpy
from windrow.execution.frames import flatten
from windrow.execution.tasks import HoldoutOutcome
worker._warm_up = worker._load_torch = lambda: None
run_slowly = worker.run_task
answer = flatten("done", HoldoutOutcome(numpy.ones((1, 3), numpy.float32), numpy.ones(1, numpy.float32)))
worker.run_task = lambda frame, on_step: answer if frame.kind == "HoldoutTask" else run_slowly(frame, on_step)
"""


def changed_command(change: str) -> tuple[str, ...]:
    return (sys.executable, "-c", CHANGED.format(change=change))


def works(runner: ProcessRunner) -> bool:
    """Return whether a runner of quick processes runs a task."""
    return np.array_equal(runner.run(QUICK_TASK).logits, np.ones((1, 3)))


@pytest.fixture(scope="module")
def tune_task(tiny_folder: EncoderFolder) -> TrainAdapterTask:
    """Four passes over two texts of each of three labels."""
    lengths = np.array([2, 5, 3, 9, 1, 4], dtype=np.int32)
    packed = np.random.default_rng(3).standard_normal((int(lengths.sum()), 32)).astype(np.float32)
    texts, label_ids = TokenStates(packed, lengths), np.array([0, 1, 2, 0, 1, 2])
    return TrainAdapterTask(tiny_folder.path, tiny_folder.base_model, texts, label_ids, Recipe(num_iterations=20), None)


@pytest.fixture(scope="module")
def process_runner() -> Iterator[ProcessRunner]:
    runner = ProcessRunner(processes=1)
    runner.start()
    yield runner
    runner.close()


@pytest.fixture(scope="module")
def ray_runner() -> Iterator[RayRunner]:
    with ray_cluster(1) as cluster, pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_ADDRESS", cluster.address)
        runner = RayRunner(RayOptions("ray", threads=1), 1)
        runner.start()
        yield runner
        runner.close()


@pytest.fixture(params=["inline", "process", "ray"])
def runner(request: pytest.FixtureRequest) -> Runner:
    found: Runner = InlineRunner() if request.param == "inline" else request.getfixturevalue(f"{request.param}_runner")
    return found


def test_a_task_yields_a_finished_artifact(runner: Runner) -> None:
    outcome = runner.run(TASK)
    assert artifact_from_bytes(outcome.artifact).head.weights.shape == (3, 6)
    assert "scikit-learn" in outcome.versions


def test_the_same_task_yields_the_same_bytes(runner: Runner) -> None:
    assert runner.run(TASK).artifact == runner.run(TASK).artifact == fit(TASK).artifact


def test_every_runner_evaluates_holdouts_and_learning_curves_as_in_this_process(runner: Runner) -> None:
    examples = TASK.examples
    holdout = HoldoutTask(
        examples, hidden_size=2, seed=1, is_adapted=True, holdout_features=np.eye(3, 6, dtype=np.float32)
    )
    assert runner.run(holdout).logits.tobytes() == evaluate_holdout(holdout).logits.tobytes()
    curve = LearningCurveTask(examples, np.array([0, 0, 0, 1, 1, 1]), (0.5, 1.0), seed=1)
    assert runner.run(curve).logits.tobytes() == compute_curve(curve).logits.tobytes()


def test_after_a_failed_task_the_next_one_works(runner: Runner) -> None:
    with pytest.raises(TrainingFailed):
        runner.run(BROKEN_TASK)
    assert runner.run(TASK).artifact


def test_a_contrastive_training_reports_each_step_in_order(runner: Runner, tune_task: TrainAdapterTask) -> None:
    reported: list[tuple[int, int, float]] = []
    outcome = runner.run(tune_task, lambda *step: reported.append(step))
    assert [(step, of) for step, of, _ in reported] == [(1, 3), (2, 3), (3, 3)]
    assert tuple(loss for *_, loss in reported) == outcome.losses


def test_the_same_contrastive_training_yields_the_same_bits(runner: Runner, tune_task: TrainAdapterTask) -> None:
    first, second = (runner.run(tune_task) for _ in range(2))
    assert first.losses == second.losses
    for name, tensor in first.adapter.items():
        assert tensor.tobytes() == second.adapter[name].tobytes()


def test_every_runner_trains_the_same_adapter(process_runner: ProcessRunner, tune_task: TrainAdapterTask) -> None:
    here, there = train_adapter(tune_task, ignore_steps), process_runner.run(tune_task)
    for name, tensor in here.adapter.items():
        if name.endswith(".down"):  # one sign of both factors is free
            change = tensor.astype(np.float32) @ here.adapter[name[:-4] + "up"].astype(np.float32)
            other = there.adapter[name].astype(np.float32) @ there.adapter[name[:-4] + "up"].astype(np.float32)
            np.testing.assert_allclose(other, change, atol=1e-4)


def test_whoever_follows_the_steps_may_fail_and_the_next_task_works(
    runner: Runner, tune_task: TrainAdapterTask
) -> None:
    def fail(step: int, of: int, loss: float) -> None:
        raise KeyError("nobody listens any more")

    with pytest.raises(KeyError):
        runner.run(tune_task, fail)
    assert runner.run(TASK).artifact == fit(TASK).artifact


def test_a_cancelled_task_ends_immediately_and_the_next_one_works(runner: Runner, tune_task: TrainAdapterTask) -> None:
    control = TrainingControl()
    with pytest.raises(TrainingCancelled):
        runner.run(tune_task, lambda *_: control.cancel(), control)
    with pytest.raises(TrainingCancelled):
        runner.run(TASK, ignore_steps, control)
    assert runner.run(TASK).artifact == fit(TASK).artifact


def test_a_process_that_is_killed_between_two_steps_fails_its_task_and_the_next_one_works(
    tune_task: TrainAdapterTask,
) -> None:
    """It dies of itself, so that nothing depends on timing."""
    change = QUICK + (
        "import os, signal\n"
        "told = worker.StepProgress\n"
        "def die(step, of, loss):\n"
        "    if step == 2:\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return told(step, of, loss)\n"
        "worker.StepProgress = die"
    )
    runner = ProcessRunner(1, changed_command(change))
    reported: list[int] = []
    with pytest.raises(TrainingFailed, match=r"ran out of memory\. Pass fewer rows"):
        runner.run(tune_task, lambda step, of, loss: reported.append(step))
    assert reported == [1]
    assert works(runner)
    runner.close()


def test_a_process_without_memory_says_what_to_try_or_names_its_limit_and_lives_on(
    tune_task: TrainAdapterTask,
) -> None:
    """NumPy and torch say it each in its own way; first asked for what no machine has, then for more than the limit."""
    limit_bytes = 2_000_000_000
    change = QUICK + (
        "import torch\n"
        "from windrow.learning import contrastive\n"
        "answer_within, limits = worker._answer, iter([0, 0])\n"
        "worker._answer = lambda frame, on_step, limit: answer_within(frame, on_step, next(limits, limit))\n"
        "wants = [(numpy.empty, 1 << 50), (torch.empty, 1 << 50), (numpy.ones, 1 << 31), (torch.ones, 1 << 31)]\n"
        "wants = iter([each for each in wants for _ in range(2)])  # both parts of a step\n"
        "def pooled(*_):\n"
        "    make, size = next(wants)\n"
        "    return make(size)\n"
        "contrastive.pooled = pooled"
    )
    runner = ProcessRunner(1, changed_command(change), memory_bytes=limit_bytes)
    for _ in range(2):
        with pytest.raises(TrainingFailed) as caught:
            runner.run(tune_task)
        assert caught.value.template == OUT_OF_MEMORY
    for _ in range(2):
        with pytest.raises(TrainingFailed) as caught:
            runner.run(tune_task)
        assert caught.value.facts == {"limit_bytes": limit_bytes, "setting": "WINDROW_MAX_FIT_MEMORY_BYTES"}
        assert "needed more than the 2000000000 bytes of memory" in caught.value.detail
    process = runner._all[0].process
    assert works(runner)
    assert runner._all[0].process is process
    runner.close()


def test_a_task_larger_than_the_limit_on_memory_fails_with_the_limit_and_the_next_one_works() -> None:
    runner = ProcessRunner(1, changed_command(QUICK), memory_bytes=250_000_000)
    large = fit_task(np.zeros((125, 500_000), np.float32), np.arange(125) % 2)
    with pytest.raises(TrainingFailed, match="needed more than the 250000000 bytes"):
        runner.run(large)
    assert works(runner)
    runner.close()


@pytest.mark.parametrize(("limit_bytes", "sentence"), [(5_000_000_000, "may use 5000000000"), (0, "exit status -6")])
def test_a_process_that_aborts_says_what_may_be_the_reason(limit_bytes: int, sentence: str) -> None:
    command = (sys.executable, "-c", "import os, sys; sys.stdin.buffer.read(1); os.abort()")
    runner = ProcessRunner(1, command, memory_bytes=limit_bytes)
    with pytest.raises(TrainingFailed, match=sentence):
        runner.run(TASK)
    runner.close()


def test_a_stopped_process_is_ended_and_the_next_task_works() -> None:
    """With a short limit it may be ended before it is stopped: either way it gave no sign of life."""
    runner = ProcessRunner(1, changed_command(QUICK), silence_limit_s=0.5)
    runner.start()
    process = runner._all[0].process
    assert process is not None
    os.kill(process.pid, signal.SIGSTOP)
    with pytest.raises(TrainingFailed, match="gave no sign of life"):
        runner.run(QUICK_TASK)
    runner._silence_limit_s = 600.0
    assert works(runner)
    runner.close()


def test_a_process_gives_signs_of_life_while_it_computes_a_task(tmp_path: Path) -> None:
    """The task ends only after a number of them."""
    mark = tmp_path / "seen"
    change = QUICK + (
        "import pathlib\n"
        "worker.HEARTBEAT_INTERVAL_S, run_task = 0.001, worker.run_task\n"
        "def slow(*task):\n"
        f"    while not pathlib.Path({str(mark)!r}).exists():\n"
        "        numpy.linalg.svd(numpy.ones((200, 200)))\n"
        "    return run_task(*task)\n"
        "worker.run_task = slow"
    )
    process = subprocess.Popen(
        (*changed_command(change), WITHOUT_TORCH, "0"), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    with process, process.stdin, process.stdout:
        write_frame(process.stdin, flatten("HoldoutTask", QUICK_TASK))
        assert [read_frame(process.stdout) for _ in range(10)] == [Frame(HEARTBEAT)] * 10
        mark.touch()
        while (frame := read_frame(process.stdout)) == Frame(HEARTBEAT):
            pass
        assert frame is not None
        assert frame.kind == "done"


def test_a_training_process_sees_no_secret_of_the_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen = tmp_path / "environment"
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hidden")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    change = f"{QUICK}import os, pathlib\npathlib.Path({str(seen)!r}).write_text(repr(dict(os.environ)))"
    runner = ProcessRunner(1, changed_command(change))
    assert works(runner)
    runner.close()
    assert "hidden" not in seen.read_text()
    assert "'OMP_NUM_THREADS': '1'" in seen.read_text()


def marking_torch(mark: Path) -> str:
    """Return the change by which a process writes a file once it has loaded torch."""
    return (
        "import pathlib\n"
        f"mark, load = pathlib.Path({str(mark)!r}), worker._load_torch\n"
        "def marked():\n"
        "    load()\n"
        "    mark.touch()\n"
        "worker._load_torch = marked\n"
    )


def test_torch_is_loaded_ahead_where_an_adapter_may_be_trained(tmp_path: Path) -> None:
    loaded = tmp_path / "loaded"
    runner = ProcessRunner(1, changed_command(marking_torch(loaded) + "worker._warm_up = lambda: None"))
    runner.start()
    wait_until(loaded.exists)
    runner.close()


def test_torch_is_loaded_neither_ahead_where_no_adapter_is_trained_nor_for_a_head(
    tune_task: TrainAdapterTask, tmp_path: Path
) -> None:
    loaded = tmp_path / "loaded"
    runner = ProcessRunner(1, changed_command(marking_torch(loaded)))
    runner.start(trains_adapters=False)
    assert "torch" in runner.run(TASK).versions  # the version is known without loading it
    assert not loaded.exists()
    assert runner.run(tune_task).losses
    assert loaded.exists()
    runner.close()


def test_without_torch_a_head_is_fitted_and_an_adapter_refused_with_the_reason(
    tune_task: TrainAdapterTask,
) -> None:
    hidden = "lambda name: '1' if name != 'torch' else (_ for _ in ()).throw(metadata.PackageNotFoundError(name))"
    without = f"import sys; from importlib import metadata; sys.modules['torch'] = None\nenvironment.version = {hidden}"
    change = f"from windrow.execution import environment\n{without}"
    runner = ProcessRunner(1, changed_command(change))
    runner.start()  # which loads torch ahead where it is there
    assert "torch" not in runner.run(TASK).versions
    with pytest.raises(TrainingFailed, match=r"torch is not installed.*num_iterations 0"):
        runner.run(tune_task)
    assert runner.run(TASK).artifact
    runner.close()


def test_a_start_leaves_running_processes_alone_and_one_that_is_closed_starts_none() -> None:
    runner = ProcessRunner(1)
    runner.start()
    process = runner._all[0].process
    runner.start(trains_adapters=False)
    assert runner._all[0].process is process
    runner.close()
    runner.start()
    assert runner._all[0].process is None


def test_a_task_too_large_to_be_read_fails_and_the_next_one_works() -> None:
    change = QUICK + (
        "import pathlib, resource\n"
        "pages = int(pathlib.Path('/proc/self/statm').read_text().split()[0])\n"
        "resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + (64 << 20),) * 2)"
    )
    runner = ProcessRunner(1, changed_command(change))
    assert works(runner)
    large = fit_task(np.zeros((50_000, 400), np.float32), np.arange(50_000) % 2)
    with pytest.raises(TrainingFailed, match="ran out of memory"):
        runner.run(large)
    assert works(runner)
    runner.close()


def test_a_killed_process_fails_its_task_and_the_next_task_works() -> None:
    runner = ProcessRunner(1, changed_command(QUICK))
    runner.start()
    process = runner._all[0].process
    assert process is not None
    os.kill(process.pid, signal.SIGSTOP)  # it must not answer before it dies
    failures: list[str] = []

    def run() -> None:
        try:
            runner.run(QUICK_TASK)
        except TrainingFailed as error:
            failures.append(error.detail)

    thread = threading.Thread(target=run)
    thread.start()
    os.kill(process.pid, signal.SIGKILL)
    thread.join()
    # Killed before the task arrived, it is replaced at once; killed after, the task fails. Both end well.
    assert all("ran out of memory" in failure for failure in failures)
    assert works(runner)
    assert runner._all[0].process is not process
    runner.close()


def test_a_process_that_dies_over_a_task_gives_a_clear_error() -> None:
    dying = ProcessRunner(1, (sys.executable, "-c", "import sys; sys.stdin.buffer.read(1); sys.exit(3)"))
    with pytest.raises(TrainingFailed, match="exit status 3"):
        dying.run(TASK)
    dying.close()


def test_processes_are_replaced_after_a_number_of_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner_module, "TASKS_PER_PROCESS", 2)
    runner = ProcessRunner(1, changed_command(QUICK))
    runner.start()
    pids = []
    for _ in range(3):
        process = runner._all[0].process
        assert process is not None
        pids.append(process.pid)
        assert works(runner)
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


def test_a_training_gives_way_to_predictions_and_is_spared_by_ctrl_c(process_runner: ProcessRunner) -> None:
    process = process_runner._all[0].process
    assert process is not None
    wanted = min(19, os.getpriority(os.PRIO_PROCESS, 0) + NICENESS)
    wait_until(lambda: os.getpriority(os.PRIO_PROCESS, process.pid) == wanted)
    # Where the machine's memory runs out, the kernel ends the training, not the server.
    assert int(Path(f"/proc/{process.pid}/oom_score_adj").read_text()) == 500
    # Between two sessions, Linux would share the cores evenly, whatever the priorities.
    assert os.getsid(process.pid) == os.getsid(0)
    assert os.getpgid(process.pid) != os.getpgid(0)


def test_closing_ends_the_processes() -> None:
    runner = ProcessRunner(2)
    runner.start()
    processes = [slot.process for slot in runner._all]
    runner.close()
    assert all(process is not None and process.poll() is not None for process in processes)


def test_a_killed_process_that_takes_long_to_be_gone_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a machine with far too much work, that took more than five seconds, and the command's result was lost."""
    monkeypatch.setattr(runner_module, "SHUTDOWN_TIMEOUT_S", 0.0)
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as process:
        kill_process(process)
    assert process.returncode == -signal.SIGKILL


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


def wait_until(is_so: Callable[[], bool]) -> None:
    for _ in range(30_000):
        if is_so():
            return
        time.sleep(0.001)
    raise AssertionError("it did not come true")


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
