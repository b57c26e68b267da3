"""A real server whose trainings run on a Ray cluster: the same artifacts, through the death of a node."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clusters.node_faults import NodeFaults
from tests.clusters.ray_cluster import ray_cluster
from tests.servers import TICKETS, Servers, fit, predict

pytestmark = pytest.mark.slow

_PATIENCE_S = 240
JUDGED = {
    "training_data": [{"text": text, "label": label} for label, texts in TICKETS.items() for text in texts],
    "num_iterations": 0,
    "folds": 2,
}


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    servers = Servers(tmp_path)
    yield servers
    servers.stop()


def artifact_in(data_dir: Path) -> bytes:
    (path,) = data_dir.glob("classifiers/*/blobs/*.safetensors")
    return path.read_bytes()


def test_a_fit_gives_the_same_artifact_as_here_though_its_node_dies_in_the_middle(
    servers: Servers, tmp_path: Path
) -> None:
    (tmp_path / "faults").mkdir()
    faults = NodeFaults(tmp_path / "faults")
    with ray_cluster(0, 1, log=None, PYTHONPATH=faults.python_path) as cluster:
        there = servers.start(
            tmp_path / "there", WINDROW_RUNNER="ray", WINDROW_FIT_THREADS="2", RAY_ADDRESS=cluster.address
        )
        faults.switch_on("hold")
        thread = threading.Thread(target=fit, args=(there,), kwargs={"cross_validate": False})
        thread.start()
        until_s = time.monotonic() + _PATIENCE_S
        while not faults.is_holding:
            assert time.monotonic() < until_s, there.log.read_text()
            time.sleep(0.05)
        cluster.add_node(1)
        cluster.kill_node(1)
        thread.join(_PATIENCE_S)
        assert predict(there).status_code == 200
        found = there.client.post("/v1/classifier/models/tickets_v1/reproduce").json()
        judged = there.client.post("/v1/classifier/cross-validate", json=JUDGED)
        figures = there.client.get("/metrics").text
    here = servers.start(tmp_path / "here", WINDROW_FIT_THREADS="2")
    fit(here, cross_validate=False)
    assert artifact_in(tmp_path / "there") == artifact_in(tmp_path / "here")
    assert found["verdict"] == "identical weights"
    assert (judged.status_code, judged.json()["accuracy_interval"] is not None) == (200, True), judged.text
    attempts = [line for line in figures.splitlines() if line.startswith("windrow_training_task_attempts_total{")]
    # Two for the fit, and one to train it again.
    (trained,) = [line for line in attempts if 'task="train_adapter"' in line]
    assert 'outcome="done"' in trained
    assert trained.endswith(" 3.0")
    assert 'node="local"' not in figures
    assert "Task train_adapter on node" in there.log.read_text()
    assert 'node="local"' in here.client.get("/metrics").text


def test_a_server_starts_without_its_cluster_and_says_so_where_it_trains(servers: Servers, tmp_path: Path) -> None:
    server = servers.start(tmp_path / "data", WINDROW_RUNNER="ray", RAY_ADDRESS="127.0.0.1:1")
    rows = [{"text": text, "label": text[0]} for text in ("a b", "b c", "a d", "b e")]
    asked = {"model_name": "tickets_v1", "training_data": rows, "num_iterations": 0}
    for _ in range(2):
        refused = server.client.post("/v1/classifier/fit", json=asked)
        assert (refused.status_code, refused.json()["code"]) == (503, "cluster_unavailable")
        assert "that ray stands for cannot be reached" in refused.json()["detail"]
    (job, _) = server.client.get("/v1/classifier/jobs").json()["jobs"]
    assert (job["state"], job["problem"]["code"]) == ("failed", "cluster_unavailable")
    assert server.client.get("/v1/classifier/models").json()["models"] == []


def test_a_server_without_ray_does_not_start_on_it_and_names_the_extra(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['ray'] = None\n")
    variables = {"PYTHONPATH": str(tmp_path), "WINDROW_RUNNER": "ray", "WINDROW_DATA_DIR": str(tmp_path / "data")}
    done = subprocess.run(
        [sys.executable, "-m", "windrow", "serve", "--port", "0"],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=_PATIENCE_S,
    )
    assert done.returncode != 0
    assert (
        'The runner ray takes Ray, which is not installed. Install it with: pip install "windrow[ray]"' in done.stderr
    )
