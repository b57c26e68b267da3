"""A key that may only train corrects a classifier on a real server: it sees no row, and of all jobs its own alone."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.http.asking import wait_until
from tests.servers import Running, Servers, fit
from windrow.api.endpoints import ROOT

pytestmark = pytest.mark.slow

LAST = {"text": "who changed my password", "label": "account"}


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    servers = Servers(tmp_path)
    yield servers
    servers.stop()


def key_of(data_dir: Path, name: str, *scopes: str) -> dict[str, str]:
    """Create a key on a data directory, beside the server, and return the header that sends it."""
    options = [option for scope in scopes for option in ("--scope", scope)]
    command = [sys.executable, "-m", "windrow", "keys", "create", name, *options, "--data-dir", str(data_dir)]
    made = subprocess.run(command, env=os.environ, capture_output=True, text=True, check=True)
    (key,) = [word for word in made.stdout.split() if word.startswith("wdr_")]
    return {"X-API-Key": key}


def followed(server: Running, job: dict[str, Any], headers: dict[str, str]) -> str:
    path = f"{ROOT}/jobs/{job['id']}/events"
    with server.client.stream("GET", path, headers=headers) as events:
        assert events.status_code == 200
        return "".join(events.iter_text())


def test_a_key_with_train_alone_extends_a_classifier_and_follows_its_own_job(servers: Servers, tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    server = servers.start(data_dir)
    whole = fit(server, num_iterations=0)
    trainer, reader = key_of(data_dir, "trainer", "train"), key_of(data_dir, "reader", "read")
    # Servers look at the keys once in a while, and from then on each request needs one.
    wait_until(lambda: server.client.get(f"{ROOT}/jobs").status_code == 401)
    wait_until(lambda: server.client.get(f"{ROOT}/jobs", headers=reader).is_success)
    (others,) = server.client.get(f"{ROOT}/jobs", headers=reader).json()["jobs"]
    asked = {"model_name": "tickets_v2", "extends": "tickets_v1", "training_data": [LAST], "num_iterations": 0}
    begun = server.client.post(f"{ROOT}/fit?wait=false", json=asked, headers=trainer)
    assert begun.status_code == 202, begun.text
    job = begun.json()
    assert "event: succeeded" in followed(server, job, trainer)

    def check(server: Running) -> None:
        shown = server.client.get(f"{ROOT}/jobs/{job['id']}", headers=trainer).json()
        assert (shown["state"], shown["extends"], shown["taken_over_rows"]) == ("succeeded", "tickets_v1@1", 11)
        listed = server.client.get(f"{ROOT}/jobs", headers=trainer).json()["jobs"]
        assert [each["id"] for each in listed] == [job["id"]]
        for path in (f"{ROOT}/jobs/{others['id']}", f"{ROOT}/jobs/{others['id']}/events"):
            hidden = server.client.get(path, headers=trainer)
            assert (hidden.status_code, hidden.json()["code"]) == (404, "job_not_found")

    check(server)
    made = server.client.get(f"{ROOT}/models/tickets_v2", headers=reader).json()
    assert made["rows_per_label"] == {"account": 1, "invoice": 4, "login": 3, "refund": 4}
    assert whole["rows_per_label"] == {"invoice": 4, "login": 4, "refund": 4}
    with_rows = f"{ROOT}/models/tickets_v2/export?include_training_data=true"
    assert server.client.get(with_rows, headers=trainer).status_code == 403
    server.process.kill()
    server.process.wait()
    check(servers.start(data_dir))


def test_what_a_killed_server_was_extending_is_interrupted_and_says_what_it_was(
    servers: Servers, tmp_path: Path
) -> None:
    server = servers.start(tmp_path / "data")
    fit(server, num_iterations=0)
    asked = {"model_name": "tickets_v2", "extends": "tickets@latest", "training_data": [LAST], "num_iterations": 1_000}
    job: dict[str, Any] = server.client.post(f"{ROOT}/fit?wait=false", json=asked).json()
    server.process.kill()
    server.process.wait()
    client: httpx.Client = servers.start(tmp_path / "data").client
    after = client.get(f"{ROOT}/jobs/{job['id']}").json()
    assert (after["state"], after["extends"], after["replaced_rows"]) == ("interrupted", "tickets_v1@1", 1)
