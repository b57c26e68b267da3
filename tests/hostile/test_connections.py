"""Connections that send without an end, or nothing: what they take of the server stays small."""

import contextlib
import socket

import pytest

from tests.hostile.conftest import StartVictim, Victim
from tests.http.asking import MODELS, PREDICT_PATH

pytestmark = pytest.mark.slow
MARGIN_BYTES = 50 * 2**20
POST = f"POST {PREDICT_PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n".encode()


def _connect(victim: Victim) -> socket.socket:
    return socket.create_connection(("127.0.0.1", victim.port), timeout=30)


@pytest.mark.parametrize("piece", [b"A: " + b"a" * 1_000 + b"\r\n", b"a" * 1_000], ids=["headers", "a header"])
def test_a_head_without_an_end_takes_no_memory(start_victim: StartVictim, piece: bytes) -> None:
    victim = start_victim()
    before = victim.forget_peak()
    with _connect(victim) as connection, contextlib.suppress(OSError):
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\nA: ")
        for _ in range(300):
            connection.sendall(piece * 1_000)
    assert victim.peak_bytes() - before < MARGIN_BYTES
    assert victim.client.get("/health").status_code == 200


def test_bodies_that_do_not_end_take_no_more_memory_than_the_setting_says(start_victim: StartVictim) -> None:
    victim = start_victim(WINDROW_MAX_PENDING_BODY_BYTES="33000000")
    before = victim.forget_peak()
    with contextlib.ExitStack() as stack:
        for _ in range(40):
            connection = stack.enter_context(_connect(victim))
            connection.sendall(POST + b"Content-Length: 25000001\r\n\r\n")
            connection.sendall(bytes(5_000_000))
        # Each was received in full, or refused: nothing is on its way any more.
        assert victim.client.post(PREDICT_PATH, json={"model_name": "a", "text": "b"}).status_code == 404
        assert victim.peak_bytes() - before < 33_000_000 + MARGIN_BYTES


def test_imports_that_do_not_end_are_refused_once_there_are_too_many(start_victim: StartVictim) -> None:
    victim = start_victim(WINDROW_MAX_IMPORT_BYTES="3000000")
    refused = 0
    with contextlib.ExitStack() as stack:
        for _ in range(8):
            connection = stack.enter_context(_connect(victim))
            connection.sendall(
                f"POST {MODELS}/import HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/zip\r\n"
                "Content-Length: 3000000\r\n\r\n".encode()
            )
            connection.sendall(bytes(2_500_000))
            connection.settimeout(1)
            with contextlib.suppress(TimeoutError):
                refused += connection.recv(1_000).startswith(b"HTTP/1.1 429 ")
    assert refused == 4
