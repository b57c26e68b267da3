"""A tiny server that says, byte by byte, what a test wants to have said."""

import contextlib
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

# What it does with a connection: the bytes that it sends for a request; ``None`` to cut the connection without a word;
# or anything with the socket.
Step = bytes | None | Callable[[socket.socket], object]
_MAX_REQUEST_BYTES = 1_000_000
# What begins like this is a handshake, and taken for a whole request.
_TLS = b"\x16"


def reply(status: int = 200, body: bytes = b"{}", content_type: str = "application/json", **headers: str) -> bytes:
    """Return a reply as bytes; underscores in the names of headers stand for hyphens."""
    more = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    head = f"HTTP/1.1 {status} X\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n{more}\r\n"
    return head.encode() + body


@dataclass
class ScriptedServer:
    """Answers one request after the other with the steps of a script; each in a connection of its own or not.

    Args:
        script: The steps.
        takes_greetings: Whether a handshake is a request too. Otherwise it is refused, and no step is taken for it: a
            client only wanted to know whether this server speaks TLS.
    """

    script: Sequence[Step]
    takes_greetings: bool = False
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0
    greetings: int = 0

    def __enter__(self) -> "ScriptedServer":
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._steps = iter(self.script)
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with contextlib.suppress(OSError, AttributeError):  # there may be none, or it is closed
            self._current.shutdown(socket.SHUT_RDWR)
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    @property
    def lines(self) -> list[str]:
        """The first line of each request, without the version of HTTP."""
        return [request.split(b"\r\n")[0].decode().removesuffix(" HTTP/1.1") for request in self.requests]

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._current = connection
            with connection:
                connection.settimeout(10)
                while (request := _read_request(connection)) is not None:
                    if request.startswith(_TLS) and not self.takes_greetings:
                        self.connections -= 1
                        self.greetings += 1
                        break
                    self.requests.append(request)
                    step = next(self._steps, None)
                    if step is None:
                        break
                    if callable(step):
                        step(connection)
                        break
                    connection.sendall(step)


def _read_request(connection: socket.socket) -> bytes | None:
    """Return one whole request; ``None`` where the client has closed the connection."""
    data = b""
    while (b"\r\n\r\n" not in data or len(data) < _length(data)) and not data.startswith(_TLS):
        try:
            piece = connection.recv(65_536)
        except OSError:
            return None
        if not piece:
            return None
        data += piece
        assert len(data) < _MAX_REQUEST_BYTES
    return data


def _length(data: bytes) -> int:
    head, _, _ = data.partition(b"\r\n\r\n")
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return len(head) + 4 + int(value)
    return len(head) + 4
