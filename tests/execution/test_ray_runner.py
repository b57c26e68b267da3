"""Trainings on a Ray cluster: as here to the last bit, and what becomes of them where nodes and processes die."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from tests.clusters.node_faults import NodeFaults
from tests.clusters.ray_cluster import RayCluster, ask_as_client, ray_cluster
from windrow.arrays import TokenStates
from windrow.domain.errors import ClusterUnavailable, ShuttingDown, TrainingCancelled, TrainingFailed, WindrowError
from windrow.domain.recipe import Recipe
from windrow.domain.server_stats import TaskStats
from windrow.encoders.folder import EncoderFolder
from windrow.execution.control import TrainingControl
from windrow.execution.ray_cluster import RayOptions
from windrow.execution.ray_runner import RayRunner
from windrow.execution.runner import ProcessRunner, Runner
from windrow.execution.task_log import TaskLog
from windrow.execution.tasks import FitTask, TrainAdapterOutcome, TrainAdaptersTask, TrainAdapterTask
from windrow.learning.head_fitting import Examples

pytestmark = pytest.mark.slow

# A process of the cluster shows that it has begun, that a node is gone and so on within this time, or never.
_PATIENCE_S = 240
OPTIONS = RayOptions("ray", threads=2, connect_s=_PATIENCE_S, schedule_s=_PATIENCE_S)
FIT_TASK = FitTask(
    Examples(np.eye(6, dtype=np.float32), np.array([0, 1, 2, 0, 1, 2]), np.arange(6)), hidden_size=2, seed=42, threads=2
)


@dataclass
class Nodes:
    """A cluster whose head runs no task, and its one node that does."""

    cluster: RayCluster
    faults: NodeFaults
    base_models: Path
    number: int = 1

    def replace(self) -> None:
        """Add a node, then end the one that there was."""
        new = self.cluster.add_node(1)
        self.cluster.kill_node(self.number)
        self.number = new


@dataclass
class Counted:
    """A runner, and what it has counted."""

    runner: RayRunner
    log: TaskLog

    @property
    def stats(self) -> TaskStats:
        """The tasks of this test, if all ended alike on one node."""
        (found,) = self.log.stats()
        return found


def run_often(runner: RayRunner) -> None:
    """Run a task until the runner refuses: a process of a node that is gone may outlive it for a while."""
    until_s = time.monotonic() + _PATIENCE_S
    while time.monotonic() < until_s:
        runner.run(FIT_TASK)


def wait_until(is_so: Callable[[], bool]) -> None:
    until_s = time.monotonic() + _PATIENCE_S
    while not is_so():
        assert time.monotonic() < until_s, "it did not come true"
        time.sleep(0.01)


@pytest.fixture(scope="module")
def nodes_of_module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    faults, base_models = NodeFaults(tmp_path_factory.mktemp("faults")), tmp_path_factory.mktemp("cache")
    variables = {"PYTHONPATH": faults.python_path, "WINDROW_CACHE_DIR": str(base_models)}
    with ray_cluster(0, 1, log=None, has_clients=True, **variables) as cluster, pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_ADDRESS", cluster.address)
        yield Nodes(cluster, faults, base_models)


@pytest.fixture
def nodes(nodes_of_module: Nodes) -> Iterator[Nodes]:
    yield nodes_of_module
    nodes_of_module.faults.switch_all_off()


@pytest.fixture(scope="module")
def shared_runner(nodes_of_module: Nodes) -> Iterator[RayRunner]:
    runner = RayRunner(OPTIONS, 1)
    runner.start()
    yield runner
    runner.close()


@pytest.fixture
def counted(shared_runner: RayRunner, nodes: Nodes) -> Counted:
    shared_runner._task_log = TaskLog()
    return Counted(shared_runner, shared_runner._task_log)


@pytest.fixture(scope="module")
def training(tiny_folder: EncoderFolder) -> TrainAdapterTask:
    """Three steps over two texts of each of three labels, by two threads."""
    lengths = np.array([2, 5, 3, 9, 1, 4], dtype=np.int32)
    packed = np.random.default_rng(3).standard_normal((int(lengths.sum()), 32)).astype(np.float32)
    texts, label_ids = TokenStates(packed, lengths), np.array([0, 1, 2, 0, 1, 2])
    recipe = Recipe(num_iterations=20)
    return TrainAdapterTask(tiny_folder.path, tiny_folder.base_model, texts, label_ids, recipe, None, threads=2)


@pytest.fixture(scope="module")
def local(training: TrainAdapterTask) -> TrainAdapterOutcome:
    """What the training gives in a process of this machine."""
    runner = ProcessRunner(1)
    outcome = runner.run(training)
    runner.close()
    return outcome


def bits(outcome: TrainAdapterOutcome) -> dict[str, object]:
    return {"losses": outcome.losses, **{name: tensor.tobytes() for name, tensor in outcome.adapter.items()}}


def test_a_training_gives_the_same_bits_as_here_and_reports_each_step(
    counted: Counted, training: TrainAdapterTask, local: TrainAdapterOutcome, nodes: Nodes
) -> None:
    """The node says that it has one processor; the task says that two threads compute."""
    reported: list[tuple[int, int, float]] = []
    outcome = counted.runner.run(training, lambda *step: reported.append(step))
    assert bits(outcome) == bits(local)
    assert reported == [(number, 3, loss) for number, loss in enumerate(local.losses, 1)]
    assert (counted.stats.task, counted.stats.outcome, counted.stats.attempts) == ("train_adapter", "done", 1)
    assert "/" in counted.stats.node
    joint = counted.runner.run(TrainAdaptersTask((training, training), at_once=2)).outcomes
    assert [bits(each) for each in joint] == [bits(joint[0])] * 2
    # Sent to the node once, since it came with no package there.
    assert [each.name for each in nodes.base_models.glob("*/*/") if each.is_dir()] == [training.base_model.digest]


def test_a_node_that_dies_in_the_middle_of_a_training_costs_an_attempt_and_no_bit(
    counted: Counted, training: TrainAdapterTask, local: TrainAdapterOutcome, nodes: Nodes
) -> None:
    nodes.faults.switch_on("hold")
    steps: list[int] = []

    def replace_node(step: int, of: int, loss: float) -> None:
        steps.append(step)
        if len(steps) == 1:
            wait_until(lambda: nodes.faults.is_holding)
            nodes.replace()

    assert bits(counted.runner.run(training, replace_node)) == bits(local)
    assert steps == [1, 1, 2, 3]
    assert (counted.stats.outcome, counted.stats.attempts) == ("done", 2)


def test_a_cancelled_training_ends_at_once_and_its_place_stays_warm(
    counted: Counted, training: TrainAdapterTask, local: TrainAdapterOutcome, nodes: Nodes
) -> None:
    """Its process hangs, so that nothing but its death ends it."""
    nodes.faults.switch_on("hold")
    control = TrainingControl()

    def cancel(*_: object) -> None:
        wait_until(lambda: nodes.faults.is_holding)
        control.cancel()

    with pytest.raises(TrainingCancelled):
        counted.runner.run(training, cancel, control)
    assert counted.stats.outcome == "cancelled"
    with pytest.raises(TrainingCancelled):
        counted.runner.run(training, control=control)
    assert bits(counted.runner.run(training)) == bits(local)


def test_a_training_whose_process_dies_three_times_fails_with_a_sentence(
    counted: Counted, training: TrainAdapterTask, nodes: Nodes
) -> None:
    nodes.faults.switch_on("die")
    with pytest.raises(TrainingFailed, match=r"begun 3 times on the Ray cluster, .* process was killed") as caught:
        counted.runner.run(training)
    assert caught.value.facts["attempts"] == 3
    assert (counted.stats.outcome, counted.stats.attempts) == ("failed", 3)


def test_an_error_that_the_task_itself_reports_is_not_tried_again(counted: Counted) -> None:
    broken = replace(FIT_TASK, examples=replace(FIT_TASK.examples, label_ids=np.zeros(6, np.int64)))
    with pytest.raises(TrainingFailed, match="The training failed with ValueError"):
        counted.runner.run(broken)
    assert (counted.stats.outcome, counted.stats.attempts) == ("failed", 1)
    assert counted.runner.run(FIT_TASK).artifact


def test_time_that_is_up_leaves_no_step_and_time_enough_changes_nothing(
    counted: Counted, training: TrainAdapterTask, local: TrainAdapterOutcome
) -> None:
    assert counted.runner.run(replace(training, deadline_s=time.monotonic())).losses == ()
    assert bits(counted.runner.run(replace(training, deadline_s=time.monotonic() + 3_600))) == bits(local)


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("other_version", r"versions on node \S+ are not the server's: Windrow 0\.0\.9 in place of"),
        ("missing", r"A node of the Ray cluster cannot load Windrow .*pip install"),
    ],
)
def test_a_node_with_other_code_is_told_and_works_once_it_is_put_right(
    fault: str, sentence: str, counted: Counted, nodes: Nodes
) -> None:
    nodes.faults.switch_on(fault)
    nodes.replace()  # its processes have loaded nothing yet
    with pytest.raises(ClusterUnavailable, match=sentence):
        run_often(counted.runner)
    nodes.faults.switch_off(fault)
    nodes.replace()
    assert counted.runner.run(FIT_TASK).artifact


def test_a_runner_that_is_closed_ends_its_task_and_takes_no_other(
    shared_runner: RayRunner, training: TrainAdapterTask, nodes: Nodes
) -> None:
    """The last test that needs the runner."""
    nodes.faults.switch_on("hold")

    def close(*_: object) -> None:
        wait_until(lambda: nodes.faults.is_holding)
        shared_runner.close()

    with pytest.raises(ShuttingDown):
        shared_runner.run(training, close)
    with pytest.raises(ShuttingDown):
        shared_runner.run(FIT_TASK)


def test_a_server_outside_of_the_cluster_trains_there_through_its_client_port(
    training: TrainAdapterTask, local: TrainAdapterOutcome, nodes: Nodes
) -> None:
    runner = RayRunner(replace(OPTIONS, runner=nodes.cluster.client_address), 1)
    steps: list[int] = []
    outcome = ask_as_client(lambda: runner.run(training, lambda step, of, loss: steps.append(step)))
    assert bits(outcome) == bits(local)
    assert steps == [1, 2, 3]
    runner.close()


def test_idle_training_processes_give_their_processors_back(nodes: Nodes) -> None:
    runner = RayRunner(replace(OPTIONS, idle_s=0.0), 1)
    assert runner.run(FIT_TASK).artifact
    code = (
        "import ray, time\n"
        "ray.init('auto', configure_logging=False, log_to_driver=False)\n"
        f"until = time.monotonic() + {_PATIENCE_S}\n"
        "while ray.available_resources().get('CPU') != 1.0:\n"
        "    assert time.monotonic() < until\n"
        "    time.sleep(0.1)\n"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=2 * _PATIENCE_S).returncode == 0
    assert runner.run(FIT_TASK).artifact
    runner.close()


def test_a_cluster_without_processors_and_one_whose_head_has_died_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_gcs_rpc_server_reconnect_timeout_s", "3")  # how long Ray waits for a new head
    with ray_cluster(0) as cluster:
        monkeypatch.setenv("RAY_ADDRESS", cluster.address)
        runner = RayRunner(replace(OPTIONS, schedule_s=0.0), 1)
        with pytest.raises(ClusterUnavailable, match=r"No node .* has the 2 processors .* the largest has 0"):
            runner.run(FIT_TASK)
        waiting = RayRunner(OPTIONS, 1)
        waiting.start()
        problem = problem_of(waiting, lambda: cluster.kill_node(0))
        assert problem in ("lost", "unreachable")
        assert problem_of(runner) in ("lost", "unreachable")
        runner.close()
        waiting.close()


def test_a_cluster_that_nobody_answers_for_is_told_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    for address in ("ray", "ray://127.0.0.1:1"):
        runner = RayRunner(replace(OPTIONS, runner=address), 1)
        runner.start()
        for _ in range(2):
            assert problem_of(runner) == "unreachable"
        runner.close()


def problem_of(runner: Runner, meanwhile: Callable[[], object] = lambda: None) -> object:
    """Return what a task says of its cluster."""
    errors: list[WindrowError] = []

    def run() -> None:
        try:
            runner.run(FIT_TASK)
        except WindrowError as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    meanwhile()
    thread.join(2 * _PATIENCE_S)
    (error,) = errors
    assert isinstance(error, ClusterUnavailable)
    return error.facts["problem"]
