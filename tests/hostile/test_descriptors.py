"""A server that may open few files: connections leave it some, and what it cannot open is told."""

import contextlib
import resource
import socket
from pathlib import Path

import pytest

from tests.hostile.conftest import StartVictim, Victim
from tests.http.asking import MODELS

pytestmark = pytest.mark.slow
# Besides those that it has at its start.
SPARE = 60
USAGE = "/v1/classifier/usage"


def limit(victim: Victim, descriptors: int) -> None:
    """Let the server have so many descriptors at most."""
    _, hard = resource.prlimit(victim.process.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(victim.process.pid, resource.RLIMIT_NOFILE, (descriptors, hard))


def used(victim: Victim) -> int:
    """Return how many it has."""
    return len(list(Path(f"/proc/{victim.process.pid}/fd").iterdir()))


def answer(connection: socket.socket) -> bytes:
    """Return the first line of what was sent on a connection before anything was asked; nothing where it waits."""
    connection.settimeout(0.5)
    with contextlib.suppress(TimeoutError):
        return connection.recv(10_000).partition(b"\r\n")[0]
    return b""


def test_connections_that_take_all_descriptors_are_told_and_logged_and_the_rest_goes_on(
    start_victim: StartVictim, tmp_path: Path
) -> None:
    victim = start_victim()
    assert victim.client.get(USAGE).status_code == 200
    limit(victim, used(victim) + SPARE)
    with contextlib.ExitStack() as stack:
        connections = [
            stack.enter_context(socket.create_connection(("127.0.0.1", victim.port), timeout=30))
            for _ in range(2 * SPARE)
        ]
        # Of many that come in one moment, the system itself may close some.
        assert b"HTTP/1.1 429 Too Many Requests" in map(answer, reversed(connections))
        assert victim.client.get(USAGE).status_code == 200
        assert victim.client.get(MODELS).status_code == 200
    assert (tmp_path / "log0").read_text().count("connections_refused") == 1


def test_what_cannot_be_opened_is_told_by_a_clear_sentence(start_victim: StartVictim) -> None:
    victim = start_victim()
    assert victim.client.get("/health").status_code == 200
    limit(victim, 4)
    refused = victim.client.patch(f"{MODELS}/missing", json={"description": "new"})
    assert refused.status_code == 500
    assert refused.json()["code"] == "storage_failed"
    assert "as many files and connections open as the system lets it" in refused.json()["detail"]
    usage = victim.client.get(USAGE)
    assert usage.json()["code"] == "storage_failed"
    limit(victim, 1_000)
    assert victim.client.get(USAGE).status_code == 200
