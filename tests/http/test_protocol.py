"""Connections that send too much, too slowly or too many at once are refused with a problem, and the others go on."""

import json
import re
import socket
import time
from collections.abc import Iterator
from contextlib import closing

import httpx
import pytest

from tests.http.asking import FIT_PATH, PREDICT_PATH, check_problem, wait_until
from tests.http.conftest import StartServer
from windrow.http.protocol import MAX_HEAD_BYTES, HttpProtocol

HEAD = b"GET /health HTTP/1.1\r\nHost: localhost\r\n"
POST = f"POST {PREDICT_PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n".encode()


@pytest.fixture
def connection(client: httpx.Client) -> Iterator[socket.socket]:
    address = (client.base_url.host, client.base_url.port or 80)
    with socket.create_connection(address, timeout=30) as connection:
        yield connection


@pytest.fixture
def _short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HttpProtocol, "head_timeout_s", 0.2)
    monkeypatch.setattr(HttpProtocol, "body_interval_s", 0.2)


def _receive(connection: socket.socket) -> bytes:
    received = b""
    while chunk := connection.recv(65_536):
        received += chunk
    return received


def _check_refused(received: bytes, status: int, code: str) -> dict[str, object]:
    head, _, body = received.partition(b"\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {status} ".encode()), received
    assert b"content-type: application/problem+json" in head.lower()
    document: dict[str, object] = json.loads(body)
    assert (document["status"], document["code"]) == (status, code)
    return document


@pytest.mark.parametrize(
    "head",
    [
        HEAD + b"A: " + b"a" * MAX_HEAD_BYTES,
        HEAD + b"a" * MAX_HEAD_BYTES,
        HEAD + b"A: a\r\n" * (MAX_HEAD_BYTES // 6),
        b"GET /" + b"a" * MAX_HEAD_BYTES,
        HEAD + b"A:" + b" " * MAX_HEAD_BYTES,
    ],
    ids=["a value", "a name", "many headers", "a path", "blanks"],
)
def test_a_head_above_the_limit_is_refused_before_its_end(connection: socket.socket, head: bytes) -> None:
    connection.sendall(head)
    assert _check_refused(_receive(connection), 431, "head_too_large")["limit"] == MAX_HEAD_BYTES


def test_a_head_that_comes_in_pieces_is_counted_over_all_of_them(connection: socket.socket) -> None:
    connection.sendall(HEAD)
    for _ in range(MAX_HEAD_BYTES // 1_024):
        connection.sendall(b"A: " + b"a" * 1_019 + b"\r\n")
    _check_refused(_receive(connection), 431, "head_too_large")


def test_a_head_up_to_the_limit_is_read_on_each_request_of_a_connection(connection: socket.socket) -> None:
    fill = b"A: " + b"a" * (MAX_HEAD_BYTES - len(HEAD) - 20) + b"\r\n\r\n"
    for _ in range(3):
        connection.sendall(HEAD + fill)
        assert connection.recv(65_536).startswith(b"HTTP/1.1 200 OK")


def test_requests_one_behind_the_other_are_each_read(connection: socket.socket) -> None:
    body = json.dumps({"model_name": "a", "text": "b"}).encode().ljust(19_000)
    request = POST + f"Content-Length: {len(body)}\r\n\r\n".encode() + body
    connection.sendall(request * 10 + HEAD + b"Connection: close\r\n\r\n")
    received = _receive(connection)
    assert received.count(b"HTTP/1.1 404 ") == 10
    assert received.count(b"HTTP/1.1 200 ") == 1


def test_what_stands_behind_a_body_in_chunks_is_neither_kept_nor_without_a_limit(connection: socket.socket) -> None:
    connection.sendall(POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n" + b"A: a\r\n" * 20 + b"\r\n")
    assert b"HTTP/1.1 422 " in connection.recv(65_536)
    connection.sendall(POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n")
    # The first of them may come with the body, and are not counted then.
    connection.sendall((b"A: " + b"a" * 995 + b"\r\n") * 1_000)
    _check_refused(_receive(connection), 431, "head_too_large")


@pytest.mark.usefixtures("_short_patience")
@pytest.mark.parametrize(
    "beginning",
    [
        b"G",
        HEAD,
        HEAD + b"\r\n" + HEAD,
        POST + b"Content-Length: 1000\r\n\r\n{",
        POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
    ],
    ids=["a letter", "a head", "a second head", "a body", "a body in chunks"],
)
def test_a_request_that_does_not_go_on_is_refused_in_time(connection: socket.socket, beginning: bytes) -> None:
    connection.sendall(beginning)
    received = _receive(connection)
    _check_refused(received[received.rindex(b"HTTP/1.1 ") :], 408, "request_too_slow")


@pytest.mark.usefixtures("_short_patience")
def test_only_a_request_that_comes_in_pieces_needs_a_timer(
    client: httpx.Client, connection: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    del client
    timers: list[float | None] = []
    set_timer, port = HttpProtocol._set_timer, connection.getsockname()[1]

    def set_and_note(protocol: HttpProtocol, seconds: float | None) -> None:
        # Connections of other tests may end just now.
        if protocol.client is not None and protocol.client[1] == port:
            timers.append(seconds)
        set_timer(protocol, seconds)

    monkeypatch.setattr(HttpProtocol, "_set_timer", set_and_note)
    connection.sendall(HEAD + b"\r\n")
    assert connection.recv(65_536).startswith(b"HTTP/1.1 200 ")
    assert timers == []
    connection.sendall(HEAD)
    wait_until(lambda: timers == [HttpProtocol.head_timeout_s])
    connection.sendall(b"\r\n")
    assert connection.recv(65_536).startswith(b"HTTP/1.1 200 ")
    assert timers == [HttpProtocol.head_timeout_s, None]


def test_a_request_that_comes_byte_by_byte_is_refused_in_time(connection: socket.socket) -> None:
    connection.sendall(HEAD)
    for _ in range(10_000):
        try:
            connection.sendall(b"A: a\r\n")
        except OSError:
            break
        time.sleep(0.01)
        connection.settimeout(0.001)
        try:
            received = connection.recv(65_536)
        except TimeoutError:
            continue
        _check_refused(received, 408, "request_too_slow")
        return
    pytest.fail("it was read for ever")


@pytest.mark.usefixtures("_short_patience")
def test_a_body_that_comes_fast_enough_may_take_longer_than_one_interval(connection: socket.socket) -> None:
    connection.sendall(POST + b"Content-Length: 16000\r\n\r\n")
    for _ in range(8):
        connection.sendall(b" " * 2_000)
        time.sleep(0.1)
    assert connection.recv(65_536).startswith(b"HTTP/1.1 400 ")  # blanks are no JSON


@pytest.mark.usefixtures("_short_patience")
def test_a_client_that_was_told_nothing_may_wait_for_its_answer(client: httpx.Client) -> None:
    # A fit takes longer than the patience for a request.
    assert client.get("/health").status_code == 200
    time.sleep(0.5)
    assert client.get("/health").status_code == 200
    check_problem(client.post(FIT_PATH, json={}), 422, "invalid_request")


def _receive_one(connection: socket.socket) -> bytes:
    """Return one answer, head and body, of a connection that stays open."""
    answer = b""
    while (end := answer.find(b"\r\n\r\n")) < 0 or len(answer) < end + 4 + _length(answer[:end]):
        chunk = connection.recv(65_536)
        assert chunk
        answer += chunk
    return answer


def _length(head: bytes) -> int:
    found = re.search(rb"(?i)content-length: (\d+)", head)
    assert found is not None
    return int(found[1])


@pytest.mark.slow
def test_connections_above_the_limit_are_told_to_come_again_until_one_is_closed(start_server: StartServer) -> None:
    server = start_server(WINDROW_MAX_CONNECTIONS="3", WINDROW_KEEP_ALIVE_S="60")
    address = ("127.0.0.1", int(server.url.rsplit(":", 1)[1]))
    held = [socket.create_connection(address, timeout=30) for _ in range(3)]
    try:
        for each in held:
            each.sendall(HEAD + b"\r\n")
            assert _receive_one(each).startswith(b"HTTP/1.1 200 OK")
        for _ in range(3):
            with closing(socket.create_connection(address, timeout=30)) as further:
                document = _check_refused(_receive(further), 429, "overloaded")
                assert (document["limit"], document["setting"]) == (3, "WINDROW_MAX_CONNECTIONS")
        held[0].sendall(HEAD + b"\r\n")
        assert _receive_one(held[0]).startswith(b"HTTP/1.1 200 OK")
        held.pop().close()

        def answers() -> bool:
            with closing(socket.create_connection(address, timeout=30)) as further:
                further.sendall(HEAD + b"\r\n")
                return _receive_one(further).startswith(b"HTTP/1.1 200 OK")

        wait_until(answers)
    finally:
        for each in held:
            each.close()


@pytest.mark.slow
def test_a_connection_that_sends_nothing_is_closed_as_an_idle_one_is(start_server: StartServer) -> None:
    server = start_server(WINDROW_KEEP_ALIVE_S="1")
    with socket.create_connection(("127.0.0.1", int(server.url.rsplit(":", 1)[1])), timeout=30) as connection:
        assert connection.recv(1) == b""
