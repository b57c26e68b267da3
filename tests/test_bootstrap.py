"""The whole product as users run it: real server processes, the real encoder, real training, one data directory."""

import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import pytest

from tests.http.asking import wait_until
from tests.servers import START_TIMEOUT_S, TICKETS, Running, Servers, Start, fit, predict

pytestmark = pytest.mark.slow


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start servers, on one data directory."""
    servers = Servers(tmp_path)

    def start_server(**variables: str) -> Running:
        return servers.start(tmp_path / "data", **variables)

    yield start_server
    servers.stop()


@dataclass(frozen=True)
class Pair:
    """Two servers on one data directory, for tests that leave them running; each uses names of its own.

    Args:
        one: A server.
        other: The other one.
        data_dir: Their data directory.
    """

    one: Running
    other: Running
    data_dir: Path


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    folder = tmp_path_factory.mktemp("pair")
    servers = Servers(folder)
    yield Pair(servers.start(folder / "data"), servers.start(folder / "data"), folder / "data")
    servers.stop()


def test_a_classifier_answers_the_same_after_its_server_was_killed(start: Start) -> None:
    first = start()
    fit(first)
    before = predict(first).json()
    first.process.kill()
    first.process.wait()
    assert predict(start()).json() == before


def test_two_servers_on_one_directory_see_each_others_work(pair: Pair) -> None:
    one, other = pair.one, pair.other
    fit(one, "seen", num_iterations=0)
    assert predict(other, "seen").json()["label"] == "invoice"
    assert fit(other, "seen", num_iterations=0, swapped=True)["revision"] == 2
    wait_until_label(one, "seen", "login")
    assert one.client.delete("/v1/classifier/models/seen").status_code == 200
    wait_until(lambda: predict(other, "seen").status_code == 404)


def test_predictions_and_health_are_answered_while_an_adapter_is_trained(pair: Pair) -> None:
    server = pair.one
    fit(server, "steady", num_iterations=0)
    done = threading.Event()
    replies: list[dict[str, object]] = []

    def train() -> None:
        replies.append(fit(server, "trained_meanwhile"))
        done.set()

    trainer = threading.Thread(target=train)
    trainer.start()
    answered = 0
    # A training takes only the time that predictions leave: asked without a pause, it would take ten times as long.
    while not done.wait(0.1):
        assert predict(server, "steady").status_code == 200
        assert server.client.get("/health").status_code == 200
        answered += 1
    trainer.join()
    assert answered >= 2
    assert replies[0]["adapter"] is not None


def test_a_stop_during_a_training_finishes_it_and_leaves_no_traceback(start: Start) -> None:
    server = start(WINDROW_SHUTDOWN_TIMEOUT_S="600")
    replies: list[dict[str, object]] = []
    trainer = threading.Thread(target=lambda: replies.append(fit(server)))
    trainer.start()
    assert predict(server, "nothing").status_code == 404  # by now the fit is on its way
    server.process.send_signal(signal.SIGTERM)
    trainer.join()
    assert server.process.wait(60) == 0
    assert replies[0]["status"] == "trained"
    assert "Traceback" not in server.log.read_text()
    assert predict(start()).status_code == 200


def test_a_training_that_outlives_the_patience_is_told_so(start: Start) -> None:
    server = start(WINDROW_SHUTDOWN_TIMEOUT_S="0")
    # Labels that have nothing to do with the texts: there is always something to learn, so it takes long.
    texts = [f"{text} {number}" for texts in TICKETS.values() for text in texts for number in range(99)]
    rows = [{"text": text, "label": f"label {number % 3}"} for number, text in enumerate(texts)]
    body = {"model_name": "large", "training_data": rows, "num_iterations": 1000}
    replies: list[httpx.Response] = []
    trainer = threading.Thread(target=lambda: replies.append(server.client.post("/v1/classifier/fit", json=body)))
    trainer.start()
    wait_until_training_process_works(server)
    server.process.send_signal(signal.SIGTERM)
    trainer.join()
    assert server.process.wait(60) == 0
    assert (replies[0].status_code, replies[0].json()["code"]) == (503, "shutting_down")
    assert "Traceback" not in server.log.read_text()


def wait_until_training_process_works(server: Running) -> None:
    """Wait until the training process has computed for a second; its warm-up counts, since the fit waits for it."""
    (worker,) = psutil.Process(server.process.pid).children()
    before_s = sum(worker.cpu_times()[:2])
    deadline = time.monotonic() + START_TIMEOUT_S
    while sum(worker.cpu_times()[:2]) < before_s + 1:
        assert time.monotonic() < deadline, server.log.read_text()
        time.sleep(0.05)


def test_a_folder_replaced_by_another_with_the_same_numbers_answers_for_itself(pair: Pair) -> None:
    server, name = pair.one, "replaced"
    fit(server, name, num_iterations=0)
    assert predict(server, name, "give me my money back").json()["label"] == "refund"
    shutil.rmtree(pair.data_dir / "classifiers" / name)
    assert fit(server, name, num_iterations=0, swapped=True)["revision"] == 1
    assert predict(server, name, "give me my money back").json()["label"] == "login"


def test_a_stop_is_obeyed_though_nobody_reads_the_log_any_more(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "windrow", "serve", "--port", "0", "--data-dir", str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    assert "Windrow answers" in process.stdout.readline()
    process.stderr.close()
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    process.stdout.close()


def test_one_version_after_the_other_is_promoted_rolled_back_deleted_and_restored(pair: Pair) -> None:
    """The life of a task, by two servers in turn; what one of them has done, the other one knows."""
    one, other = pair.one, pair.other
    assert fit(one, num_iterations=0)["next_name"] == "tickets_v2"
    fit(other, "tickets_v2", num_iterations=0, swapped=True)
    aliases, models = "/v1/classifier/aliases/tickets", "/v1/classifier/models"
    for server, name, label in ((one, "tickets_v1", "refund"), (other, "tickets@latest", "login")):
        assert server.client.put(aliases, json={"model_name": name, "reason": "test"}).status_code == 200
        for each in (one, other):
            wait_until_label(each, "tickets", label)
    assert one.client.delete(f"{models}/tickets_v2").status_code == 409
    assert one.client.post(f"{aliases}/rollback").json()["points_to"] == "tickets_v1"
    assert other.client.delete(f"{models}/tickets_v2").status_code == 200
    wait_until(lambda: predict(one, "tickets_v2").status_code == 404)
    assert one.client.post(f"{models}/tickets_v2/restore").status_code == 200
    wait_until_label(other, "tickets_v2", "login")
    events = [change["event"] for change in other.client.get(f"{aliases}/history").json()["changes"]]
    assert events == ["promoted", "promoted", "rolled_back"]
    file = one.client.get(f"{models}/tickets_v2/export").content
    zipped = {"content-type": "application/zip"}
    imported = other.client.post(f"{models}/import?model_name=tickets_v3", content=file, headers=zipped)
    assert imported.status_code == 200, imported.text
    wait_until(lambda: predict(one, "tickets@latest").json()["model_name"] == "tickets_v3")


def wait_until_label(server: Running, name: str, label: str) -> None:
    """Wait until a server answers by what another one has done, which it looks for twice a second."""
    wait_until(lambda: predict(server, name, "give me my money back").json().get("label") == label)
