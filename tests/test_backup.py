"""Backup and migration as docs/explanation/format.md says, by ``cp`` and ``mv`` between real servers that go on.

What may be in the midst of a copy, file by file, is in tests/service/test_service_copied.py.
"""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import Running, Servers, fit, predict

pytestmark = pytest.mark.slow

FITS = 6
TEXT = "give me my money back"


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    servers = Servers(tmp_path)
    yield servers
    servers.stop()


def run(*command: str | Path) -> None:
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    # What was being written when the copy began may be gone a moment later, and is no content.
    assert all("/.aside/" in line for line in done.stderr.splitlines()), done.stderr


def fsck(data_dir: Path) -> list[dict[str, str]]:
    """Check a data directory from the command line, and return what is not as it should be."""
    command = [sys.executable, "-m", "windrow", "fsck", "--data-dir", str(data_dir), "--json"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    findings: list[dict[str, str]] = json.loads(done.stdout)["findings"]
    return findings


class Changes:
    """Trainings, promotions and deletions, one after the other, in a thread of their own."""

    def __init__(self, server: Running) -> None:
        self._server = server
        self._thread = threading.Thread(target=self._run)
        self.statuses: list[int] = []

    def __enter__(self) -> "Changes":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join()

    def _run(self) -> None:
        client = self._server.client
        for number in range(FITS):
            fit(self._server, "tickets_v1", swapped=number % 2 == 0, num_iterations=0)
            fit(self._server, f"other_v{number}", num_iterations=0)
            put = client.put("/v1/classifier/aliases/other", json={"model_name": f"other_v{number}"})
            gone = client.delete(f"/v1/classifier/models/other_v{number - 1}") if number else put
            self.statuses += [put.status_code, gone.status_code]


def answers(server: Running) -> dict[str, str]:
    """Return the label that each listed classifier gives."""
    listed = server.client.get("/v1/classifier/models").json()["models"]
    replies = {model["name"]: predict(server, model["name"], TEXT) for model in listed}
    assert {reply.status_code for reply in replies.values()} == {200}
    return {name: reply.json()["label"] for name, reply in replies.items()}


def test_a_data_directory_that_is_copied_while_its_server_works_is_a_backup_that_answers(
    servers: Servers, tmp_path: Path
) -> None:
    server = servers.start(tmp_path / "data")
    fit(server, num_iterations=0)
    fit(server, "steady", num_iterations=0)
    with Changes(server) as changes:
        run("cp", "-r", tmp_path / "data", tmp_path / "backup")
    assert set(changes.statuses) == {200}
    assert {finding["severity"] for finding in fsck(tmp_path / "backup")} <= {"garbage", "notice"}
    restored = servers.start(tmp_path / "backup")
    labels = answers(restored)
    assert labels["steady"] == "refund"
    assert labels["tickets_v1"] in ("refund", "login")
    assert predict(restored, "steady", TEXT).json() == predict(server, "steady", TEXT).json()
    for revision in restored.client.get("/v1/classifier/models/tickets_v1").json()["revisions"]:
        here, there = (predict(each, f"tickets_v1@{revision}", TEXT).json() for each in (server, restored))
        assert here == there


def test_a_classifiers_folder_moves_to_another_server_while_both_work(servers: Servers, tmp_path: Path) -> None:
    here, there = servers.start(tmp_path / "here"), servers.start(tmp_path / "there")
    fit(here, num_iterations=0)
    fit(there, "other", num_iterations=0)
    assert predict(there).status_code == 404
    source, target = tmp_path / "here" / "classifiers", tmp_path / "there" / "classifiers"
    with Changes(here):
        run("cp", "-r", source / "tickets_v1", target / ".tickets_v1")
        assert predict(there).status_code == 404
        run("mv", target / ".tickets_v1", target / "tickets_v1")
        moved = predict(there, "tickets_v1", TEXT)
    assert moved.status_code == 200
    revision = moved.json()["revision"]
    assert moved.json() == predict(here, f"tickets_v1@{revision}", TEXT).json()
    assert {finding["severity"] for finding in fsck(tmp_path / "there")} <= {"garbage"}
    assert fit(there, num_iterations=0)["revision"] > revision
    assert answers(there).keys() == {"other", "tickets_v1"}
