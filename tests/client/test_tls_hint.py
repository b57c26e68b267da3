"""Plain HTTP to a server that speaks TLS: told as that, whatever the server says to it."""

import asyncio
import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.client.sockets import ScriptedServer, reply
from tests.http.certificates import Authority
from windrow.client.async_transport import AsyncTransport
from windrow.client.errors import ConnectionLost, ServerUnreachable, UnexpectedReply
from windrow.client.transport import Call, Transport

LOOK = Call("GET", "/x", idempotent=True)
CHANGE = Call("POST", "/x", b"{}")
NGINX = reply(400, b"<html>The plain HTTP request was sent to HTTPS port</html>", "text/html", Connection="close")
# Of TLS: fatal, protocol version.
ALERT = b"\x15\x03\x01\x00\x02\x02\x46"


class TlsServer:
    """Takes handshakes, and says one thing to whatever else comes.

    Args:
        context: Of its certificate.
        words: What it says.
    """

    def __init__(self, context: ssl.SSLContext, words: bytes) -> None:
        self._context, self._words = context, words
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.handshakes = self.requests = 0
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                connection.settimeout(10)
                if connection.recv(1, socket.MSG_PEEK) == b"\x16":
                    self.handshakes += 1  # before the client has what it wants, and may go
                    self._context.wrap_socket(connection, server_side=True).close()
                else:
                    self.requests += 1
                    connection.recv(65_536)
                    connection.sendall(self._words)


@contextmanager
def speaking_tls(folder: Path, words: bytes) -> Iterator[TlsServer]:
    server = TlsServer(Authority(folder).files.load(), words)
    try:
        yield server
    finally:
        server.close()


async def fetch(url: str, call: Call) -> bytes:
    transport = AsyncTransport(url)
    try:
        return await transport.fetch(call)
    finally:
        await transport.close()


@pytest.mark.parametrize("words", [b"", ALERT, NGINX])
@pytest.mark.parametrize("call", [LOOK, CHANGE])
def test_a_server_that_speaks_tls_is_told_as_one_at_the_first_try(tmp_path: Path, words: bytes, call: Call) -> None:
    with speaking_tls(tmp_path, words) as server:
        for is_async in (False, True):
            with pytest.raises(ServerUnreachable) as caught:
                _ = asyncio.run(fetch(server.url, call)) if is_async else Transport(server.url).fetch(call)
            assert caught.value.detail == (
                f"What answers at {server.url} seems to speak TLS, and was asked without. Write https:// in url."
            )
        assert (server.requests, server.handshakes) == (2, 2)


@pytest.mark.parametrize(("words", "error"), [(None, ConnectionLost), (NGINX, UnexpectedReply)])
def test_a_server_without_tls_is_asked_about_it_once(words: bytes | None, error: type[Exception]) -> None:
    with ScriptedServer([words, words]) as server:
        transport = Transport(server.url)
        for _ in range(2):
            with pytest.raises(error):
                transport.fetch(CHANGE)
    assert (len(server.requests), server.greetings) == (2, 1)


def test_a_server_that_has_answered_is_not_asked_about_tls() -> None:
    with ScriptedServer([reply(), None]) as server:
        transport = Transport(server.url)
        transport.fetch(CHANGE)
        with pytest.raises(ConnectionLost):
            transport.fetch(CHANGE)
    assert server.greetings == 0
