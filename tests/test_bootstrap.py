"""The whole product as users run it: real server processes, the real encoder, real training, one data directory."""

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import pytest

START_TIMEOUT_S = 120
# Tickets in words of our own, mixed up enough that the encoder alone misplaces some, so that an adapter is trained.
TICKETS = {
    "refund": ["give me my money back", "I want what I paid returned", "cancel it and repay me", "reimburse the fee"],
    "invoice": ["send me the bill", "the amount on the receipt is odd", "which fee is this", "a paper for what I paid"],
    "login": ["it does not let me in", "my code is refused", "the door stays shut for me", "who changed my password"],
}


@dataclass(frozen=True)
class Running:
    """A server process and a client of it."""

    process: "subprocess.Popen[str]"
    client: httpx.Client
    log: Path


Start = Callable[..., Running]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[Running] = []

    def start_server(data_dir: Path = tmp_path / "data", **variables: str) -> Running:
        log = tmp_path / f"server-{len(started)}.log"
        with log.open("w") as sink:
            process = subprocess.Popen(
                [sys.executable, "-m", "windrow", "serve", "--port", "0"],
                stdout=sink,
                stderr=subprocess.STDOUT,
                text=True,
                env={**os.environ, "WINDROW_DATA_DIR": str(data_dir), **variables},
            )
        deadline = time.monotonic() + START_TIMEOUT_S
        while (found := re.search(r"http://127\.0\.0\.1:\d+", log.read_text())) is None:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.02)
        started.append(Running(process, httpx.Client(base_url=found[0], timeout=120), log))
        return started[-1]

    yield start_server
    for server in started:
        server.client.close()
        server.process.kill()
        server.process.wait()


def fit(server: Running, name: str = "tickets_v1", *, swapped: bool = False, **more: object) -> dict[str, object]:
    labels = dict(zip(TICKETS, reversed(TICKETS), strict=True)) if swapped else {label: label for label in TICKETS}
    rows = [{"text": text, "label": labels[label]} for label, texts in TICKETS.items() for text in texts]
    reply = server.client.post("/v1/classifier/fit", json={"model_name": name, "training_data": rows, **more})
    assert reply.status_code == 200, reply.text
    answer: dict[str, object] = reply.json()
    return answer


def predict(server: Running, name: str = "tickets_v1", text: str = "send me the bill") -> httpx.Response:
    return server.client.post("/v1/classifier/predict", json={"model_name": name, "text": text})


def test_a_classifier_answers_the_same_after_its_server_was_killed(start: Start) -> None:
    first = start()
    fit(first)
    before = predict(first).json()
    first.process.kill()
    first.process.wait()
    assert predict(start()).json() == before


def test_two_servers_on_one_directory_see_each_others_work(start: Start) -> None:
    one, other = start(), start()
    fit(one, num_iterations=0)
    assert predict(other).json()["label"] == "invoice"
    assert fit(other, num_iterations=0, swapped=True)["revision"] == 2
    assert predict(one, text="give me my money back").json()["label"] == "login"
    assert one.client.delete("/v1/classifier/models/tickets_v1").status_code == 200
    assert predict(other).status_code == 404


def test_predictions_and_health_are_answered_while_an_adapter_is_trained(start: Start) -> None:
    server = start()
    fit(server, "steady", num_iterations=0)
    done = threading.Event()
    replies: list[dict[str, object]] = []

    def train() -> None:
        replies.append(fit(server, "tickets_v2"))
        done.set()

    trainer = threading.Thread(target=train)
    trainer.start()
    answered = 0
    while not done.is_set():
        assert predict(server, "steady").status_code == 200
        assert server.client.get("/health").status_code == 200
        answered += 1
    trainer.join()
    assert answered >= 2
    assert replies[0]["adapter"] is not None


def test_a_stop_during_a_training_finishes_it_and_leaves_no_traceback(start: Start) -> None:
    server = start(WINDROW_STOP_TIMEOUT_S="600")
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
    server = start(WINDROW_STOP_TIMEOUT_S="0")
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


def test_a_folder_replaced_by_another_with_the_same_numbers_answers_for_itself(start: Start, tmp_path: Path) -> None:
    server = start()
    fit(server, num_iterations=0)
    assert predict(server, text="give me my money back").json()["label"] == "refund"
    shutil.rmtree(tmp_path / "data" / "classifiers" / "tickets_v1")
    assert fit(server, num_iterations=0, swapped=True)["revision"] == 1
    assert predict(server, text="give me my money back").json()["label"] == "login"


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
