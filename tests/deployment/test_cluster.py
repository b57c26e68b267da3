"""Whoever cannot be connected to a cluster is told in a sentence, and soon."""

import os
import socket
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.clusters.listening import GRPC_SETTINGS, listening
from windrow.deployment.cluster import connected
from windrow.domain.errors import ClusterUnavailable


def test_without_ray_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ClusterUnavailable) as refused, connected("10.0.0.1:6379"):
        pass
    assert 'pip install "windrow[ray]"' in refused.value.detail


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["", "ray://"])
def test_a_cluster_that_cannot_be_reached_is_told_within_seconds(scheme: str) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # and does not listen
        address = f"{scheme}127.0.0.1:{held.getsockname()[1]}"
        began = time.monotonic()
        with pytest.raises(ClusterUnavailable) as refused, connected(address):
            pass
    assert address in refused.value.detail
    assert "Connection refused" in refused.value.detail
    assert time.monotonic() - began < 30  # Ray itself takes longer


@pytest.mark.slow
def test_a_port_at_which_something_else_listens_is_told() -> None:
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as other:
        thread = threading.Thread(target=other.handle_request)
        thread.start()
        address = f"127.0.0.1:{other.server_port}"
        with pytest.raises(ClusterUnavailable, match=f"{address} .* not Ray"), connected(address):
            pass
        thread.join()


@pytest.mark.slow
def test_a_token_that_is_missing_is_told(tmp_path: Path) -> None:
    with listening(lambda connection: connection.sendall(GRPC_SETTINGS)) as address:
        done = subprocess.run(
            [sys.executable, "-m", "windrow", "deploy", "ray", "--status", "--address", address],
            env={**os.environ, "RAY_AUTH_MODE": "token", "HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=120,
        )
    assert (done.returncode, len(done.stderr.splitlines())) == (4, 1), done.stderr
    assert f"The Ray cluster at {address} cannot be reached: " in done.stderr
    assert "no authentication token was found" in done.stderr


@pytest.mark.slow
def test_an_address_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:many")
    with pytest.raises(ClusterUnavailable, match=r"127\.0\.0\.1:many"), connected(None):
        pass
