"""What is known of a Ray cluster before anything is asked of it, and how what Ray says is told."""

import socket
from collections import deque

import pytest

from tests.clusters.listening import GRPC_SETTINGS, listening
from windrow.execution import ray_cluster
from windrow.execution.ray_cluster import driver_environment, find_obstacle, is_client, words_of

NO_RAY = "what listens there is not Ray"


@pytest.mark.parametrize("scheme", ["", "ray://"])
@pytest.mark.parametrize(
    ("said", "obstacle"),
    [
        ([GRPC_SETTINGS], None),
        ([GRPC_SETTINGS[:2], GRPC_SETTINGS[2:]], None),
        ([b"HTTP/1.1 400 Bad Request\r\n\r\n"], NO_RAY),
        ([b"220"], NO_RAY),
        ([], NO_RAY),
    ],
)
def test_a_program_that_is_not_ray_is_told(
    said: list[bytes], obstacle: str | None, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if obstacle:
        monkeypatch.setattr(ray_cluster, "_PROBE_TIMEOUT_S", 0.3)
    with listening(lambda connection: deque(map(connection.sendall, said), maxlen=0)) as address:
        assert find_obstacle(scheme + address) == obstacle


def test_a_program_that_hangs_up_is_not_ray() -> None:
    with listening(lambda connection: connection.shutdown(socket.SHUT_RDWR)) as address:
        assert find_obstacle(address) == NO_RAY


def test_what_listens_with_tls_is_not_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_USE_TLS", "1")
    with listening(lambda _: None) as address:
        assert find_obstacle(address) is None


def test_a_driver_outside_of_the_cluster_is_told_from_one_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [is_client(runner) for runner in ("ray", "ray://head:10001")] == [False, True]
    monkeypatch.setenv("RAY_ADDRESS", "ray://head:10001")
    assert is_client("ray")


def test_a_cluster_soon_ends_what_a_client_began_that_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert driver_environment({})["RAY_CLIENT_RECONNECT_GRACE_PERIOD"] == "5"
    monkeypatch.setenv("RAY_CLIENT_RECONNECT_GRACE_PERIOD", "60")
    assert driver_environment({})["RAY_CLIENT_RECONNECT_GRACE_PERIOD"] == "60"


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("Failed to connect\n  to 10.0.0.1", "Failed to connect to 10.0.0.1"),
        ("From server: Traceback (most recent call last):\n  File\nRuntimeError: no room\n\n", "RuntimeError: no room"),
        ("", "ValueError"),
    ],
)
def test_what_ray_says_is_told_without_a_traceback(said: str, words: str) -> None:
    assert words_of(ValueError(said)) == words
