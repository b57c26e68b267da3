"""The server on a real cluster of two nodes: what it answers there, what it outlives, and what is refused whole."""

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.deployment.serving import LABELS, NAME, NODE_CPUS, TIMEOUT_S, Load, Serving, serving
from tests.http.asking import API, JOBS, JSON, PREDICT_PATH, check_problem

pytestmark = pytest.mark.slow
PREDICT = {"model_name": NAME, "text": f"{LABELS[0]} number 7"}
LARGE_BODY_BYTES = 30_000_000


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with serving(tmp_path_factory.mktemp("serving")) as started:
        refused = started.deploy("--data-dir", started.data_dir, "--port", started.port, "--host", "0.0.0.0")
        assert (refused.returncode, "there is no API key" in refused.stderr) == (2, True), refused.stderr
        said = started.deploy_here("--min-replicas", 2, "--max-replicas", 2)
        assert f"answers on {started.url}" in said
        assert "2 replicas" in said
        started.fit()
        yield started


def wait_until(is_so: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while not is_so():
        assert time.monotonic() < deadline, what
        time.sleep(0.2)


def figures(client: httpx.Client) -> dict[tuple[str, str], float]:
    """Return by replica and node how many predicts the replica that answers has answered."""
    found: dict[tuple[str, str], float] = {}
    for line in client.get("/metrics").text.splitlines():
        if line.startswith("windrow_ready{"):
            labels = dict(re.findall(r'(\w+)="([^"]*)"', line))
            found.setdefault((labels["replica"], labels["node"]), 0.0)
        if line.startswith("windrow_request_duration_seconds_count{") and f'endpoint="{PREDICT_PATH}"' in line:
            labels = dict(re.findall(r'(\w+)="([^"]*)"', line))
            if labels["status"] == "200":
                found[labels["replica"], labels["node"]] = float(line.rpartition(" ")[2])
    return found


def test_every_replica_answers_by_what_one_was_taught(running: Serving) -> None:
    seen: dict[tuple[str, str], float] = {}

    def both_answered() -> bool:
        with running.client() as client:
            reply = client.post(PREDICT_PATH, json=PREDICT)
            if reply.status_code == 200:  # within a second after the training, each one knows it
                assert reply.json()["label"] == LABELS[0]
            seen.update(figures(client))
        return len(seen) == 2 and all(seen.values())

    wait_until(both_answered, f"{seen}")
    assert len({node for _, node in seen}) == 2


def test_what_goes_through_the_proxies_is_what_the_server_says(running: Serving) -> None:
    with running.client() as client:
        for path in ("/health", "/health/ready"):
            assert client.get(path).json()["status"] == "ok"
        assert client.head("/health").status_code == 200
        assert "text/html" in client.get("/").headers["content-type"]
        check_problem(client.options(PREDICT_PATH), 405, "method_not_allowed")
        check_problem(client.get("/nowhere", headers={"X-Request-ID": "mine-1"}), 404, "not_found")
        refused = check_problem(client.get("/nowhere", headers={"X-Request-ID": "not mine !"}), 404, "not_found")
        assert refused["request_id"] != "not mine !"
        # It is read to its end before it is refused.
        large = {"model_name": NAME, "texts": ["x" * 20_000] * (LARGE_BODY_BYTES // 20_000)}
        check_problem(client.post(PREDICT_PATH, json=large), 422, "limit_exceeded")
        too_large = client.post(PREDICT_PATH, content=b"x" * 2 * LARGE_BODY_BYTES, headers=JSON)
        check_problem(too_large, 413, "body_too_large")


def test_a_training_is_followed_through_the_proxies_to_its_end(running: Serving) -> None:
    rows = [{"text": f"{label} of {number}", "label": label} for label in LABELS for number in range(8)]
    with running.client() as client:
        job = client.post(f"{API}/fit?wait=false", json={"model_name": "followed_v1", "training_data": rows}).json()
        with client.stream("GET", f"{JOBS}/{job['id']}/events") as events:
            assert "text/event-stream" in events.headers["content-type"]
            states = [line.partition(" ")[2] for line in events.iter_lines() if line.startswith("event: ")]
    assert states[-1] == "succeeded"


def test_the_nodes_show_prometheus_the_figures_of_each_replica(running: Serving) -> None:
    import ray

    ray.init(running.cluster.address, log_to_driver=False)
    try:
        ports = [node["MetricsExportPort"] for node in ray.nodes()]  # type: ignore[no-untyped-call]
    finally:
        ray.shutdown()

    def shown() -> set[str]:
        text = "".join(httpx.get(f"http://127.0.0.1:{port}/metrics").text for port in ports)
        lines = [line for line in text.splitlines() if line.startswith("ray_windrow_ready{")]
        return {match[1] for line in lines if (match := re.search(r'replica="(\w+)"', line))}

    wait_until(lambda: len(shown()) >= 2, "the figures of both replicas")


def test_under_load_a_lost_replica_an_upgrade_and_a_lost_node_cost_a_retry_at_most(running: Serving) -> None:
    before = {each.pid for each in running.replicas()}
    # A pause leaves processors to those that start.
    with Load(running.url, pause_s=0.05) as load:
        running.kill_replica()
        wait_until(lambda: len(running.replicas()) == 2, "another replica in place of the lost one")
        load.wait_for(50)
        lost = load.failed_at_first.total()
        assert lost <= load.clients
        running.deploy_here("--min-replicas", 2, "--max-replicas", 2)
        load.wait_for(50)
        assert load.failed_at_first.total() == lost  # an upgrade costs not even that
        wait_until(lambda: before.isdisjoint(each.pid for each in running.replicas()), "new replicas alone")
        running.cluster.kill_node(1)
        load.wait_for(200)
        running.cluster.add_node(NODE_CPUS)
        wait_until(lambda: len(running.replicas()) == 2, "another replica in place of that of the lost node")
    assert load.failed_again == {}, load.failed_at_first
    assert load.wrong == []
    assert load.num_requests > 300


def test_a_deployment_that_cannot_be_leaves_the_earlier_one_as_it_is(running: Serving) -> None:
    before = {each.pid for each in running.replicas()}
    for options, code, words in (
        (("--data-dir", "s3://no-such-bucket/x", "--port", running.port), 5, "no bucket"),
        (("--data-dir", running.data_dir, "--port", running.port + 1), 2, f"listens on 127.0.0.1 port {running.port}"),
    ):
        refused = running.deploy(*options)
        assert refused.returncode == code, refused.stderr
        assert words in refused.stderr
        assert len(refused.stderr.splitlines()) == 1
    assert {each.pid for each in running.replicas()} >= before
    with running.client() as client:
        assert client.post(PREDICT_PATH, json=PREDICT).json()["label"] == LABELS[0]


def test_replicas_that_do_not_start_leave_the_earlier_ones_and_say_why(running: Serving, tmp_path: Path) -> None:
    weak = tmp_path / "weak"
    weak.write_text("wdr_weak")
    options = ("--data-dir", running.data_dir, "--port", running.port)
    failed = running.deploy(*options, WINDROW_FIRST_KEY_FILE=str(weak))
    assert failed.returncode == 5, failed.stderr
    assert "WINDROW_FIRST_KEY_FILE names does not hold a key" in failed.stderr
    assert running.deploy("--status").returncode == 4
    with running.client() as client:
        assert client.post(PREDICT_PATH, json=PREDICT).json()["label"] == LABELS[0]


def test_replicas_follow_the_load(running: Serving) -> None:
    delays = ("--upscale-delay", 1, "--downscale-delay", 2)
    running.deploy_here("--min-replicas", 1, "--max-replicas", 2, "--target-ongoing-requests", 1, *delays)
    wait_until(lambda: len(running.replicas()) == 1, "one replica without load")
    with Load(running.url, clients=6) as load:
        wait_until(lambda: len(running.replicas()) == 2, "a second replica under load")
        load.wait_for(50)
    wait_until(lambda: len(running.replicas()) == 1, "one replica after the load")
    assert load.failed_again == {}
    assert load.wrong == []
