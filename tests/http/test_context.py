"""Which work may keep which other work waiting."""

import json
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.http.asking import API, FIT, FIT_PATH, MODEL, MODELS, PREDICT, PREDICT_PATH, ROWS, fit, wait_until
from tests.http.conftest import SETTINGS
from tests.toy import Toy
from windrow.http.context import THREADS


class Gate:
    """Stops whoever comes, tells how many have, and lets all of them go on once it is open."""

    def __init__(self) -> None:
        self.reached = threading.Semaphore(0)
        self.open = threading.Event()

    def stop(self) -> None:
        self.reached.release()
        self.open.wait()


def test_a_fit_that_waits_for_its_end_holds_no_thread_so_that_any_number_of_them_keeps_nothing_waiting(
    client: httpx.Client, operations: Toy
) -> None:
    client.post(FIT_PATH, json=FIT)
    gate = Gate()
    operations.before_fit = gate.stop
    number = THREADS["fit"] + SETTINGS.max_concurrent_fits + SETTINGS.max_queued_fits + 5
    with (
        ThreadPoolExecutor(number) as pool,
        httpx.Client(base_url=client.base_url, timeout=30, limits=httpx.Limits(max_connections=number)) as many,
    ):
        fits = [pool.submit(many.post, FIT_PATH, json=FIT) for _ in range(number)]
        try:
            wait_until(lambda: operations.num_joined == number - 1)
            assert client.post(f"{FIT_PATH}?dry_run=true", json=FIT).status_code == 200
            assert client.post(PREDICT_PATH, json=PREDICT).status_code == 200
            assert client.get("/health").status_code == 200
            assert client.get(MODELS).status_code == 200
        finally:
            gate.open.set()
        assert {fit.result().status_code for fit in fits} == {200}


def test_the_list_and_health_answer_while_as_many_predictions_wait_as_may(
    client: httpx.Client, operations: Toy
) -> None:
    client.post(FIT_PATH, json=FIT)
    gate = Gate()
    operations.before_predict = lambda is_connected: gate.stop()
    with ThreadPoolExecutor(SETTINGS.max_queued_requests) as pool:
        predicts = [pool.submit(client.post, PREDICT_PATH, json=PREDICT) for _ in range(SETTINGS.max_queued_requests)]
        try:
            for _ in predicts:
                assert gate.reached.acquire(timeout=30)
            for path in (MODELS, "/health", "/metrics"):
                assert client.get(path).status_code == 200
        finally:
            gate.open.set()
        assert {predict.result().status_code for predict in predicts} == {200}


def test_predict_and_the_list_answer_while_more_checks_wait_than_there_are_threads_for_them(
    client: httpx.Client, operations: Toy
) -> None:
    client.post(FIT_PATH, json=FIT)
    gate = Gate()
    operations.before_fsck = gate.stop
    with ThreadPoolExecutor(THREADS["scan"] + 2) as pool:
        checks = [pool.submit(client.post, f"{API}/fsck") for _ in range(THREADS["scan"] + 2)]
        try:
            for _ in range(THREADS["scan"]):
                assert gate.reached.acquire(timeout=30)
            assert client.post(PREDICT_PATH, json=PREDICT).status_code == 200
            for path in (MODELS, f"{API}/aliases", "/health", "/metrics"):
                assert client.get(path).status_code == 200
        finally:
            gate.open.set()
        assert {check.result().status_code for check in checks} == {200}


@pytest.mark.parametrize(
    ("path", "body"), [(f"{API}/cross-validate", {"training_data": ROWS}), (f"{MODEL}/reproduce", {})]
)
def test_a_training_that_saves_nothing_is_told_when_its_client_has_left(
    path: str, body: dict[str, object], client: httpx.Client, operations: Toy
) -> None:
    fit(client)
    gate = Gate()
    operations.before_fit = gate.stop
    address = (client.base_url.host, client.base_url.port or 0)
    content = json.dumps(body).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(content)}\r\n\r\n"
    )
    with socket.create_connection(address) as connection:
        connection.sendall(head.encode() + content)
        assert gate.reached.acquire(timeout=30)
        (is_connected,) = operations.wanted
        assert is_connected()
    try:
        wait_until(lambda: not is_connected())
    finally:
        gate.open.set()
