"""Proxy: stands between Windrow and an object store, and does to requests and replies what a network may do."""

import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HOST = "127.0.0.1"
UPSTREAM_TIMEOUT_S = 60
_OWN_HEADERS = ("content-length", "transfer-encoding", "connection", "keep-alive")


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it came; ``number`` counts all requests from 1."""

    number: int
    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(frozen=True, slots=True)
class Pass:
    """It gets through.

    Args:
        delay_s: How long its reply takes longer.
        without: A header that does not reach the store, in small letters; empty for none.
    """

    delay_s: float = 0.0
    without: str = ""


@dataclass(frozen=True, slots=True)
class Drop:
    """It never reaches the store, and its connection is cut."""


@dataclass(frozen=True, slots=True)
class LoseReply:
    """The store does what it is asked, and then the connection is cut."""


@dataclass(frozen=True, slots=True)
class Hold:
    """The connection is cut, and the request reaches the store later, when :meth:`Proxy.release` is called.

    Args:
        wait_s: How long the caller waits until it is cut.
    """

    wait_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Answer:
    """The store never sees it; the proxy says so in its place.

    Args:
        status: Of the reply, such as 503, 429 or 409.
        code: Of the error, as S3 writes it; empty for a body that is no store's.
        message: What else the body says.
    """

    status: int
    code: str = "SlowDown"
    message: str = "Again."

    def body(self) -> bytes:
        code = f"<Code>{self.code}</Code>" if self.code else "<h1>Sorry</h1>"
        return f"<?xml version='1.0'?><Error>{code}<Message>{self.message}</Message></Error>".encode()


Fate = Pass | Drop | LoseReply | Hold | Answer
# Says what becomes of a request; ``None`` where the next rule is to say so.
Rule = Callable[[Request], Fate | None]


def when(
    fate: Fate, method: str = "", path_part: str = "", *, times: int | None = None, is_due: Callable[[int], bool] = bool
) -> Rule:
    """Return a rule for some requests.

    Args:
        fate: What becomes of them.
        method: Their method; empty for any.
        path_part: What is in their path; empty for any.
        times: How many of them; ``None`` for all.
        is_due: Which of these, by their number from 1 on.
    """
    lock, seen = threading.Lock(), Counter[str]()

    def rule(request: Request) -> Fate | None:
        if method not in ("", request.method) or path_part not in request.path:
            return None
        with lock:
            seen["requests"] += 1
            if not is_due(seen["requests"]) or seen["used"] == times:
                return None
            seen["used"] += 1
        return fate

    return rule


def in_turn(*fates: Fate | None, method: str = "") -> Rule:
    """Return a rule for the first requests, one after the other.

    Args:
        *fates: What becomes of each; ``None`` where the next rule is to say so.
        method: Their method; empty for any.
    """
    lock, left = threading.Lock(), list(fates)

    def rule(request: Request) -> Fate | None:
        with lock:
            return left.pop(0) if left and method in ("", request.method) else None

    return rule


@dataclass
class Proxy:
    """A running proxy.

    Args:
        upstream_port: Where the store listens on this machine.
        port: Where it listens itself.
        rules: The first of them that says something decides; without any, all gets through.
        counts: How many requests had each fate, and each method.
    """

    upstream_port: int
    port: int = 0
    rules: list[Rule] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    requests: list[tuple[str, str]] = field(default_factory=list)
    is_down: bool = False
    _held: list[Request] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def endpoint(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def num_held(self) -> int:
        """How many requests are held back."""
        return len(self._held)

    def release(self, index: int = 0) -> int:
        """Send one of the requests that are held back, and return what the store answers."""
        return self.send(self._held.pop(index))[0]

    def receive(self, method: str, path: str, headers: tuple[tuple[str, str], ...], body: bytes) -> Request:
        """Count a request."""
        with self._lock:
            self.requests.append((method, path))
            self.counts[method] += 1
            return Request(len(self.requests), method, path, headers, body)

    def fate_of(self, request: Request) -> Fate:
        """Decide what becomes of a request."""
        found = (rule(request) for rule in list(self.rules))
        fate: Fate = Drop() if self.is_down else next((each for each in found if each is not None), Pass())
        with self._lock:
            self.counts[type(fate).__name__] += 1
            if isinstance(fate, Hold):
                self._held.append(request)
        return fate

    def send(self, request: Request, without: str = "") -> tuple[int, list[tuple[str, str]], bytes]:
        """Pass a request on, all but one of its headers, and return status, headers and body of the reply."""
        connection = HTTPConnection(HOST, self.upstream_port, timeout=UPSTREAM_TIMEOUT_S)
        try:
            connection.putrequest(request.method, request.path, skip_host=True, skip_accept_encoding=True)
            for name, value in request.headers:  # the host, too, which is signed
                if name.lower() not in (*_OWN_HEADERS, without):
                    connection.putheader(name, value)
            connection.putheader("content-length", str(len(request.body)))
            connection.endheaders(request.body)
            reply = connection.getresponse()
            return reply.status, reply.getheaders(), reply.read()
        finally:
            connection.close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    proxy: Proxy

    def handle_any(self) -> None:
        headers = tuple(self.headers.items())
        request = self.proxy.receive(self.command, self.path, headers, self._body())
        fate = self.proxy.fate_of(request)
        if isinstance(fate, Answer):
            return self._reply(fate.status, [("content-type", "application/xml")], fate.body())
        if isinstance(fate, Hold):
            time.sleep(fate.wait_s)
        if isinstance(fate, Drop | Hold):
            return self._cut()
        without = fate.without if isinstance(fate, Pass) else ""
        try:
            status, reply_headers, body = self.proxy.send(request, without)
        except (OSError, HTTPException):  # the store was killed
            return self._cut()
        if isinstance(fate, LoseReply):
            return self._cut()
        time.sleep(fate.delay_s)
        return self._reply(status, reply_headers, body)

    def _body(self) -> bytes:
        if self.headers.get("transfer-encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("content-length") or 0))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _cut(self) -> None:
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def _reply(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        if self.proxy.is_down:
            return self._cut()
        kept = [(name, value) for name, value in headers if name.lower() not in _OWN_HEADERS]
        length = next((value for name, value in headers if name.lower() == "content-length"), str(len(body)))
        with suppress(OSError):  # the caller has given up
            self.send_response_only(status)
            for name, value in kept:
                self.send_header(name, value)
            # What HEAD tells is the length of a body that does not follow.
            self.send_header("content-length", length if self.command == "HEAD" else str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        return None

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that http.server has
        """Say nothing."""


for _method in ("GET", "HEAD", "PUT", "POST", "DELETE"):
    setattr(_Handler, f"do_{_method}", _Handler.handle_any)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of connections that a caller has cut."""


@contextmanager
def proxy(upstream_port: int, *rules: Rule) -> Iterator[Proxy]:
    """Run a proxy until the block ends.

    Args:
        upstream_port: Where the store listens on this machine.
        *rules: Its first rules.
    """
    running = Proxy(upstream_port, rules=[*rules])
    server = _Server((HOST, 0), type("Handler", (_Handler,), {"proxy": running}))
    running.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield running
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
