"""Connections of an event loop: kept, broken, refused; patience, and trying again."""

import asyncio
import io
import socket
import sys
import threading
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

from tests.client.sockets import ScriptedServer, Step, reply
from tests.client.test_transport import CHANGE, LOOK, problem
from windrow.client.async_transport import AsyncTransport
from windrow.client.errors import ConnectionLost, ServerTimedOut, ServerUnreachable, UnexpectedReply
from windrow.client.transport import Call
from windrow.domain.errors import InvalidParameter, Overloaded

R = TypeVar("R")


class Waits:
    """Takes note of how long a transport would have slept."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


def ask(url: str, do: Callable[[AsyncTransport], Awaitable[R]], waits: Waits | None = None) -> R:
    """Do something with a transport in an event loop of its own."""

    async def run() -> R:
        transport = AsyncTransport(url, sleep=waits or Waits())
        try:
            return await do(transport)
        finally:
            await transport.close()

    return asyncio.run(run())


def test_a_connection_is_used_again_and_says_who_asks() -> None:
    async def both(transport: AsyncTransport) -> list[bytes]:
        return [await transport.fetch(LOOK), await transport.fetch(CHANGE)]

    with ScriptedServer([reply(), reply(body=b"[2]")]) as server:
        assert ask(server.url.replace("//", "//ana:secret@") + "/ai/", both) == [b"{}", b"[2]"]
    assert server.connections == 1
    assert server.lines == ["GET /ai/x", "POST /ai/x"]
    assert b"authorization: Basic YW5hOnNlY3JldA==\r\n".lower() in server.requests[0].lower()
    assert b"\r\nuser-agent: windrow/" in server.requests[0].lower()
    assert b"\r\ncontent-type: application/json\r\n" in server.requests[1].lower()


@pytest.mark.parametrize("refusal", [None, problem(503, "overloaded"), problem(429, "overloaded", Retry_After="2")])
def test_what_changes_nothing_is_sent_again_and_what_changes_something_is_not(refusal: Step) -> None:
    waits = Waits()
    with ScriptedServer([refusal, refusal, reply(body=b"[1]")]) as server:
        assert ask(server.url, lambda transport: transport.fetch(LOOK), waits) == b"[1]"
    assert len(waits.seconds) == 2
    with ScriptedServer([refusal, reply()]) as server, pytest.raises((Overloaded, ConnectionLost)):
        ask(server.url, lambda transport: transport.fetch(CHANGE))
    assert len(server.lines) == 1


def test_after_the_last_try_the_servers_own_words_are_told() -> None:
    with ScriptedServer([problem(503, "overloaded")] * 4) as server, pytest.raises(Overloaded, match="Not now"):
        ask(server.url, lambda transport: transport.fetch(LOOK))
    assert len(server.lines) == 4


def test_a_server_that_is_not_there_is_told() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(ServerUnreachable, match="Start it with `windrow serve`"):
            ask(url, lambda transport: transport.fetch(LOOK))


def test_a_silent_server_is_told_and_not_asked_again() -> None:
    done = threading.Event()
    with ScriptedServer([lambda connection: done.wait(10)]) as server:
        with pytest.raises(ServerTimedOut):
            ask(server.url, lambda transport: transport.fetch(Call("GET", "/x", timeout_s=0.05, idempotent=True)))
        done.set()
    assert len(server.lines) == 1


@pytest.mark.parametrize("garbage", [b"hello\r\n\r\n", b"220 smtp ready\r\n\r\n"])
def test_what_does_not_speak_http_is_told(garbage: bytes) -> None:
    with ScriptedServer([garbage]) as server, pytest.raises(UnexpectedReply, match="does not speak HTTP"):
        ask(server.url, lambda transport: transport.fetch(CHANGE))


def test_a_stream_is_read_as_it_comes_and_one_that_breaks_is_told() -> None:
    async def read(transport: AsyncTransport) -> list[bytes]:
        return [chunk async for chunk in transport.iter_chunks(await transport.open(LOOK))]

    whole = reply(body=b"x" * 100_000)
    with ScriptedServer([whole]) as server:
        assert b"".join(ask(server.url, read)) == b"x" * 100_000
    with ScriptedServer([lambda connection: connection.sendall(whole[:-1])]) as server, pytest.raises(ConnectionLost):
        ask(server.url, read)


def test_a_file_is_sent_from_its_beginning_with_its_size() -> None:
    file = io.BytesIO(b"x" * 100_000)
    file.read(10)
    with ScriptedServer([reply()]) as server:
        ask(server.url, lambda transport: transport.fetch(Call("POST", "/x", file, "application/octet-stream")))
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert b"content-length: 100000" in head.lower()
    assert b"transfer-encoding" not in head.lower()
    assert body == b"x" * 100_000


def test_a_closed_client_says_so() -> None:
    async def closed(transport: AsyncTransport) -> bytes:
        await transport.close()
        return await transport.fetch(LOOK)

    with pytest.raises(ServerUnreachable, match="This client is closed"):
        ask("http://127.0.0.1:9", closed)


def test_a_negative_number_of_retries_is_refused() -> None:
    with pytest.raises(InvalidParameter, match=r"^retries is -1"):
        AsyncTransport("http://127.0.0.1:9", -1)


def test_without_httpx_it_is_said_which_extra_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "httpx", None)
    with pytest.raises(ImportError, match=r"pip install 'windrow\[async\]'"):
        AsyncTransport("http://127.0.0.1:9")
