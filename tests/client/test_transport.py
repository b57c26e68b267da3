"""Connections: kept, broken, refused; patience, and trying again."""

import io
import json
import socket
import struct
import threading
from collections.abc import Iterator

import pytest

from tests.client.sockets import ScriptedServer, Step, reply
from windrow.client.errors import ConnectionLost, RefusedByServer, ServerTimedOut, ServerUnreachable, UnexpectedReply
from windrow.client.transport import Call, Transport
from windrow.domain.errors import BaseModelUnavailable, InvalidParameter, Overloaded, ShuttingDown, WindrowError

LOOK = Call("GET", "/x", idempotent=True)
CHANGE = Call("POST", "/x", b"{}")


def problem(status: int, code: str, **headers: str) -> bytes:
    body = json.dumps({"code": code, "detail": "Not now."}).encode()
    return reply(status, body, "application/problem+json", **headers)


class Waits:
    """Takes note of how long a transport would have slept."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


@pytest.fixture
def waits() -> Waits:
    return Waits()


@pytest.fixture
def free_port() -> Iterator[int]:
    """A port on which nobody listens, and which nobody else gets."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def test_a_connection_is_used_again_and_says_who_asks() -> None:
    with ScriptedServer([reply(), reply(body=b"[2]")]) as server:
        transport = Transport(server.url.replace("//", "//ana:secret@") + "/ai/")
        assert (transport.fetch(LOOK), transport.fetch(CHANGE)) == (b"{}", b"[2]")
        transport.close()
    assert server.connections == 1
    assert server.lines == ["GET /ai/x", "POST /ai/x"]
    get, post = (request.lower() for request in server.requests)
    assert b"\r\nAuthorization: Basic YW5hOnNlY3JldA==\r\n" in server.requests[0]
    assert b"\r\nuser-agent: windrow/" in get
    assert b"content-type" not in get
    assert b"\r\ncontent-type: application/json\r\n" in post
    assert transport.url.endswith("/ai")
    assert "secret" not in transport.url


def test_a_server_that_is_not_there_is_told_at_once_without_a_second_try(free_port: int, waits: Waits) -> None:
    transport = Transport(f"http://ana:secret@127.0.0.1:{free_port}", sleep=waits)
    with pytest.raises(ServerUnreachable) as caught:
        transport.fetch(LOOK)
    assert caught.value.detail == (
        f"No Windrow server can be reached at http://127.0.0.1:{free_port}: connection refused. Start it with `windrow "
        "serve`, or name the right one with url."
    )
    assert caught.value.facts == {"url": f"http://127.0.0.1:{free_port}", "reason": "connection refused"}
    assert waits.seconds == []


def test_a_host_that_does_not_exist_is_unreachable() -> None:
    with pytest.raises(ServerUnreachable, match=r"nowhere\.invalid"):
        Transport("http://nowhere.invalid").fetch(LOOK)


def test_a_server_without_a_certificate_is_unreachable_over_https() -> None:
    with (
        ScriptedServer([lambda each: each.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")], True) as server,
        pytest.raises(ServerUnreachable, match="https://127"),
    ):
        Transport(server.url.replace("http", "https")).fetch(LOOK)


@pytest.mark.parametrize(
    "refusal", [problem(429, "overloaded"), problem(503, "shutting_down"), reply(503, b"busy", "text/plain"), None]
)
def test_what_changes_nothing_is_sent_again_with_growing_pauses(refusal: Step, waits: Waits) -> None:
    with ScriptedServer([refusal, refusal, refusal, reply(body=b"[1]")]) as server:
        assert Transport(server.url, retries=3, sleep=waits).fetch(LOOK) == b"[1]"
    assert len(server.requests) == 4
    assert [0.1 <= waits.seconds[0] <= 0.15, 0.2 <= waits.seconds[1] <= 0.3, 0.4 <= waits.seconds[2] <= 0.6] == [
        True
    ] * 3


@pytest.mark.parametrize(
    ("refusal", "error"),
    [
        (problem(429, "overloaded", Retry_After="1"), Overloaded),
        (problem(503, "shutting_down"), ShuttingDown),
        (reply(503, b"busy", "text/plain"), UnexpectedReply),
        (None, ConnectionLost),
    ],
)
def test_what_changes_something_is_never_sent_twice(refusal: Step, error: type[WindrowError], waits: Waits) -> None:
    with ScriptedServer([refusal, reply()]) as server, pytest.raises(error):
        Transport(server.url, sleep=waits).fetch(CHANGE)
    assert (len(server.requests), waits.seconds) == (1, [])


def test_after_the_last_try_the_servers_own_words_are_told(waits: Waits) -> None:
    with ScriptedServer([problem(429, "overloaded")] * 9) as server, pytest.raises(Overloaded, match=r"^Not now"):
        Transport(server.url, retries=2, sleep=waits).fetch(LOOK)
    assert (len(server.requests), len(waits.seconds)) == (3, 2)


def test_the_server_says_when_to_come_back(waits: Waits) -> None:
    script = [problem(429, "overloaded", Retry_After=said) for said in ("2", "soon", "0")]
    with ScriptedServer([*script, reply()]) as server:
        Transport(server.url, sleep=waits).fetch(LOOK)
    assert waits.seconds[0] == 2
    assert 0.2 <= waits.seconds[1] <= 0.3
    assert 0.4 <= waits.seconds[2] <= 0.6


def test_nobody_waits_for_minutes_without_being_told(waits: Waits) -> None:
    with (
        ScriptedServer([problem(429, "overloaded", Retry_After="31"), reply()]) as server,
        pytest.raises(Overloaded),
    ):
        Transport(server.url, sleep=waits).fetch(LOOK)
    assert (len(server.requests), waits.seconds) == (1, [])


@pytest.mark.parametrize(
    ("refusal", "error"),
    [
        (problem(503, "base_model_unavailable"), BaseModelUnavailable),
        (problem(413, "body_too_large"), RefusedByServer),
        (reply(502, b"", "text/html"), UnexpectedReply),
        (reply(307, b"", "text/html", Location="/y"), UnexpectedReply),
    ],
)
def test_what_will_be_refused_again_is_not_sent_again(refusal: bytes, error: type[WindrowError], waits: Waits) -> None:
    with ScriptedServer([refusal, reply()]) as server, pytest.raises(error):
        Transport(server.url, sleep=waits).fetch(LOOK)
    assert (len(server.requests), waits.seconds) == (1, [])


def test_a_silent_server_is_told_and_not_asked_again(waits: Waits) -> None:
    done = threading.Event()
    with ScriptedServer([lambda connection: done.wait(10)]) as server:
        call = Call("GET", "/x", timeout_s=0.05, idempotent=True)
        with pytest.raises(ServerTimedOut, match="did not answer in time"):
            Transport(server.url, sleep=waits).fetch(call)
        done.set()
    assert waits.seconds == []


@pytest.mark.parametrize("garbage", [b"SSH-2.0-OpenSSH\r\n\r\n", b"\x00\x01\x02\r\n\r\n", b"HTTP/9 what\r\n\r\n"])
def test_what_does_not_speak_http_is_told(garbage: bytes) -> None:
    with (
        ScriptedServer([lambda connection: connection.sendall(garbage)]) as server,
        pytest.raises(UnexpectedReply, match="does not speak HTTP"),
    ):
        Transport(server.url, retries=0).fetch(LOOK)


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def cut(connection: socket.socket) -> None:
    connection.sendall(reply(body=b"x" * 1_000)[:-500])


@pytest.mark.parametrize("broken", [reset, cut, None])
def test_a_connection_that_breaks_is_told(broken: Step) -> None:
    with (
        ScriptedServer([broken]) as server,
        pytest.raises(ConnectionLost, match="broke before the answer was there"),
    ):
        Transport(server.url).fetch(CHANGE)


def test_a_reply_is_read_as_it_comes_and_its_connection_used_again() -> None:
    with ScriptedServer([reply(body=b"abc"), reply()]) as server:
        transport = Transport(server.url)
        assert b"".join(transport.iter_chunks(transport.open(LOOK))) == b"abc"
        transport.fetch(LOOK)
        transport.close()
    assert server.connections == 1


def test_a_stream_that_breaks_is_told() -> None:
    with ScriptedServer([cut]) as server:
        transport = Transport(server.url)
        with pytest.raises(ConnectionLost):
            list(transport.iter_chunks(transport.open(LOOK)))


def test_a_file_is_sent_from_its_beginning_with_its_size() -> None:
    file = io.BytesIO(b"x" * 100_000)
    file.seek(50)
    with ScriptedServer([reply()]) as server:
        Transport(server.url).fetch(Call("POST", "/x", file, "application/octet-stream"))
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert b"content-length: 100000" in head.lower()
    assert b"chunked" not in head.lower()
    assert body == b"x" * 100_000


def test_many_threads_may_ask_at_once() -> None:
    with ScriptedServer([reply(body=b"%d" % number) for number in range(20)]) as server:
        transport, answers = Transport(server.url), set[bytes]()
        threads = [threading.Thread(target=lambda: answers.add(transport.fetch(LOOK))) for _ in range(4)]
        # The server has one thread: it answers those connections one after the other, as they are closed.
        for thread in threads:
            thread.start()
            thread.join()
        transport.close()
    assert len(answers) == 4


def test_a_closed_client_says_so() -> None:
    transport = Transport("http://127.0.0.1:1")
    transport.close()
    with pytest.raises(ServerUnreachable, match="This client is closed"):
        transport.fetch(LOOK)


def test_a_negative_number_of_retries_is_refused() -> None:
    with pytest.raises(InvalidParameter, match="retries is -1"):
        Transport("http://127.0.0.1:1", retries=-1)
