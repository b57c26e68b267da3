"""Two servers as users run them, on one object store: each answers by what the other did, and goes on without it."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from tests.http.asking import ALIASES, API, JOBS, MODELS, wait_until
from tests.object_stores.proxy import proxy
from tests.object_stores.servers import Store, moto
from tests.servers import Running, Servers, fit, predict
from windrow.bootstrap import STORE_WATCH_INTERVAL_S

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    with moto() as running:
        yield running


@pytest.fixture
def replicas(store: Store, tmp_path: Path) -> Iterator[tuple[Running, Running]]:
    """Two servers that know of each other only by the store."""
    servers, data_dir = Servers(tmp_path), store.new_data_dir()
    try:
        one, other = (
            servers.start(data_dir, **store.variables(), WINDROW_CACHE_DIR=str(tmp_path / cache))
            for cache in ("one", "other")
        )
        yield one, other
    finally:
        servers.stop()


@contextmanager
def silent(store: Store) -> Iterator[None]:
    """Keep a store from answering inside the ``with`` block."""
    assert store.process is not None
    os.killpg(store.process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.killpg(store.process.pid, signal.SIGCONT)


def _answers_by(server: Running, target: str) -> bool:
    return bool(predict(server, "tickets").json().get("model_name") == target)


def test_a_server_answers_by_what_another_one_did(replicas: tuple[Running, Running]) -> None:
    one, other = replicas
    fit(one, num_iterations=0)
    wait_until(lambda: predict(other).status_code == 200)
    assert predict(other).json() == predict(one).json()
    fit(other, "tickets_v2", swapped=True, num_iterations=0)
    for target in ("tickets_v1", "tickets_v2"):
        one.client.put(f"{ALIASES}/tickets", json={"model_name": target}).raise_for_status()
        assert predict(one, "tickets").json()["model_name"] == target
        wait_until(partial(_answers_by, other, target))
    fit(one, swapped=True, num_iterations=0)
    wait_until(lambda: predict(other).json().get("revision") == 2)
    other.client.delete(f"{MODELS}/tickets_v1").raise_for_status()
    assert predict(other).status_code == 404
    wait_until(lambda: predict(one).status_code == 404)
    one.client.post(f"{MODELS}/tickets_v1/restore").raise_for_status()
    wait_until(lambda: predict(other).status_code == 200)
    listed = [[each["name"] for each in server.client.get(MODELS).json()["models"]] for server in replicas]
    assert listed == [["tickets_v1", "tickets_v2"]] * 2
    assert other.client.post(f"{API}/fsck", json={}).json()["sound"]


def test_a_key_that_is_revoked_on_one_server_is_refused_by_all(replicas: tuple[Running, Running]) -> None:
    one, other = replicas
    created = one.client.post(f"{API}/keys", json={"name": "admin", "scopes": ["admin", "read"]})
    key = {"Authorization": f"Bearer {created.json()['key']}"}
    wait_until(lambda: other.client.get(MODELS).status_code == 401)
    assert other.client.get(MODELS, headers=key).status_code == 200
    second = other.client.post(f"{API}/keys", json={"name": "reader", "scopes": ["read"]}, headers=key)
    reader = {"Authorization": f"Bearer {second.json()['key']}"}
    wait_until(lambda: one.client.get(MODELS, headers=reader).status_code == 200)
    one.client.delete(f"{API}/keys/reader", headers=key).raise_for_status()
    assert one.client.get(MODELS, headers=reader).status_code == 401
    wait_until(lambda: other.client.get(MODELS, headers=reader).status_code == 401)


def test_a_training_is_followed_and_cancelled_through_another_server(replicas: tuple[Running, Running]) -> None:
    one, other = replicas
    # Labels that no text tells, since a head that tells all apart ends a fit at once.
    rows = [{"text": f"word {n} of a text", "label": "xy"[n * n // 7 % 2]} for n in range(400)]
    body = {"model_name": "long_v1", "training_data": rows, "num_iterations": 200}
    job_id = one.client.post(f"{API}/fit?wait=false", json=body).json()["id"]
    wait_until(lambda: other.client.get(f"{JOBS}/{job_id}").json().get("state") == "running")
    wait_until(lambda: other.client.get(f"{JOBS}/{job_id}").json().get("progress") is not None)
    cancelled = other.client.post(f"{JOBS}/{job_id}/cancel")
    assert cancelled.json()["state"] == "cancelled", cancelled.text
    assert one.client.get(f"{JOBS}/{job_id}").json()["state"] == "cancelled"


def test_an_idle_server_asks_the_store_at_most_twice_a_second(store: Store, tmp_path: Path) -> None:
    """More often only while it begins. It looks for changes of others more than once a second."""
    assert STORE_WATCH_INTERVAL_S < 1
    servers = Servers(tmp_path)
    with proxy(store.port) as before:

        def asked_within(seconds: float) -> list[tuple[str, str]]:
            num_before = len(before.requests)
            time.sleep(seconds)
            return before.requests[num_before:]

        def has_begun() -> bool:
            """Whether it only looks for changes, at the log: what it does once, however slowly, is done."""
            asked = asked_within(4)
            return bool(asked) and all(method == "GET" and "/commits/" in path for method, path in asked)

        try:
            servers.start(store.new_data_dir(), **store.variables(before.endpoint), WINDROW_CACHE_DIR=str(tmp_path))
            wait_until(has_begun)
            began_s = time.monotonic()
            asked = asked_within(12)  # which may hold what it does once a minute: two requests
            assert 1 <= len(asked) <= 2 * (time.monotonic() - began_s), asked
        finally:
            servers.stop()


def test_without_the_store_a_server_answers_by_what_it_holds_and_says_so(
    store: Store, replicas: tuple[Running, Running]
) -> None:
    one, other = replicas
    fit(one, num_iterations=0)
    wait_until(lambda: predict(other).status_code == 200)
    with silent(store):
        wait_until(lambda: one.client.get("/health/ready").status_code == 503)
        assert predict(one, text="another text").status_code == 200
        assert predict(other, text="a third text").status_code == 200
        assert one.client.get("/health").status_code == 200
        refused = one.client.put(f"{ALIASES}/tickets", json={"model_name": "tickets_v1"})
        assert (refused.status_code, refused.json()["code"]) == (503, "data_directory_unavailable")
    wait_until(lambda: one.client.get("/health/ready").status_code == 200)
    one.client.put(f"{ALIASES}/tickets", json={"model_name": "tickets_v1"}).raise_for_status()
    wait_until(lambda: predict(other, "tickets").status_code == 200)
