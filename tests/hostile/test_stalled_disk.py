"""A disk that hangs: only what needs it waits, and nothing of what waits takes the threads of what does not."""

import contextlib
import json
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.hostile.conftest import StartVictim, Victim
from tests.http.asking import ALIASES, MODELS, PREDICT_PATH, check_problem, fit, wait_until
from windrow.http.context import THREADS
from windrow.storage.files import CTIME_GRANULARITY_NS

pytestmark = pytest.mark.slow

PATIENCE_S = 60
SETTLED_AFTER_S = 1.5 * CTIME_GRANULARITY_NS / 1e9
CODE = "data_directory_unavailable"


def _ask(client: httpx.Client, name: str, *more: str) -> httpx.Response:
    asked = {"texts": ["hello", *more]} if more else {"text": "hello"}
    return client.post(PREDICT_PATH, json={"model_name": name, **asked})


@pytest.fixture
def stall(tmp_path: Path) -> Iterator[Path]:
    """A file: as long as it exists, the disk hangs."""
    path = tmp_path / "stall"
    yield path
    path.unlink(missing_ok=True)


@pytest.fixture
def start_stalling(start_victim: StartVictim, tmp_path: Path, stall: Path) -> Callable[[str], Victim]:
    """Start a server whose disk can hang for paths with some part; of its classifiers it has loaded none."""
    data_dir = str(tmp_path / "data")
    first = start_victim(WINDROW_DATA_DIR=data_dir)
    fit(first.client, "loaded", "hung")
    first.client.put(f"{ALIASES}/live", json={"model_name": "loaded"}).raise_for_status()
    return lambda part: start_victim("--stall", part, str(stall), WINDROW_DATA_DIR=data_dir)


def _send_predict(victim: Victim, stack: contextlib.ExitStack) -> socket.socket:
    """Send a request, and do not wait for its answer."""
    body = json.dumps({"model_name": "hung", "text": "hello"}).encode()
    head = f"POST {PREDICT_PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    connection = stack.enter_context(socket.create_connection(("127.0.0.1", victim.port), timeout=PATIENCE_S))
    connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    return connection


def test_reads_that_hang_hold_up_neither_health_nor_what_is_loaded(
    start_stalling: Callable[[str], Victim], stall: Path
) -> None:
    victim = start_stalling("classifiers/hung")
    victim.client.timeout = httpx.Timeout(PATIENCE_S)
    # A folder that has just changed is read at each request: its time proves nothing yet.
    time.sleep(SETTLED_AFTER_S)
    for name in ("loaded", "live"):
        assert _ask(victim.client, name).status_code == 200
    stall.touch()
    with contextlib.ExitStack() as stack:
        waiting = [_send_predict(victim, stack) for _ in range(2 * THREADS["load"])]
        for _ in range(20):
            assert victim.client.get("/health").status_code == 200
            assert victim.client.get("/metrics").status_code == 200
            assert _ask(victim.client, "loaded").status_code == 200
            assert _ask(victim.client, "live", *(f"text {number}" for number in range(999))).status_code == 200
        for connection in waiting:
            connection.setblocking(False)
            with pytest.raises(BlockingIOError):
                connection.recv(1)
        stall.unlink()
        for connection in waiting:
            connection.settimeout(PATIENCE_S)
            assert connection.recv(100).startswith(b"HTTP/1.1 200 ")


def test_while_all_of_the_disk_hangs_what_is_loaded_answers_and_the_server_says_that_it_is_not_ready(
    start_stalling: Callable[[str], Victim], stall: Path, tmp_path: Path
) -> None:
    victim = start_stalling(str(tmp_path / "data"))
    victim.client.timeout = httpx.Timeout(PATIENCE_S)
    for name in ("loaded", "live", "loaded@1"):
        assert _ask(victim.client, name).status_code == 200
    stall.touch()
    wait_until(lambda: victim.client.get("/health/ready").status_code == 503)
    problem = check_problem(victim.client.get("/health/ready"), 503, CODE)
    assert problem["problem"] == "stalled"
    for name in ("loaded", "live", "loaded@1"):
        assert _ask(victim.client, name).status_code == 200
        assert _ask(victim.client, name, "another").status_code == 200
    assert victim.client.get("/health").status_code == 200
    with pytest.raises(httpx.ReadTimeout):  # the list needs the disk
        victim.client.get(MODELS, timeout=1)
    stall.unlink()
    wait_until(lambda: victim.client.get("/health/ready").status_code == 200)
    assert len(victim.client.get(MODELS).json()["models"]) == 2


def test_what_others_change_is_seen_by_a_server_that_answers_from_memory(
    start_victim: StartVictim, tmp_path: Path
) -> None:
    ours, theirs = (start_victim(WINDROW_DATA_DIR=str(tmp_path / "data")).client for _ in range(2))
    fit(theirs, "tickets_v1", "tickets_v2")
    theirs.put(f"{ALIASES}/live", json={"model_name": "tickets_v1"}).raise_for_status()

    def answering(name: str) -> object:
        reply = _ask(ours, name)
        return (reply.json()["model_name"], reply.json()["revision"]) if reply.is_success else reply.json()["code"]

    assert [answering("live"), answering("tickets@latest")] == [("tickets_v1", 1), ("tickets_v2", 1)]
    theirs.put(f"{ALIASES}/live", json={"model_name": "tickets_v2"}).raise_for_status()
    wait_until(lambda: answering("live") == ("tickets_v2", 1))
    fit(theirs, "tickets_v2")
    wait_until(lambda: answering("live") == ("tickets_v2", 2))
    fit(theirs, "tickets_v3")
    wait_until(lambda: answering("tickets@latest") == ("tickets_v3", 1))
    theirs.delete(f"{MODELS}/tickets_v3").raise_for_status()
    wait_until(lambda: answering("tickets@latest") == ("tickets_v2", 2))
    theirs.post(f"{MODELS}/tickets_v3/restore").raise_for_status()
    wait_until(lambda: answering("tickets@latest") == ("tickets_v3", 1))
    theirs.delete(f"{ALIASES}/live").raise_for_status()
    wait_until(lambda: answering("live") == "classifier_not_found")
