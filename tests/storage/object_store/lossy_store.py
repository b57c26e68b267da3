"""LossyStore: stands before an object store, or for one, and loses, delays and makes up replies as a test says."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

_HOST: Final = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply that no store gives: with a status and an error's code, as S3 words them.

    Args:
        status: Its status.
        code: What the store calls the error; empty for a body that is no store's.
        message: What else the body says.
    """

    status: int
    code: str = ""
    message: str = ""

    def body(self) -> bytes:
        code = f"<Code>{self.code}</Code>" if self.code else "<h1>Sorry</h1>"
        return f"<?xml version='1.0'?><Error>{code}<Message>{self.message}</Message></Error>".encode()


@dataclass(frozen=True, slots=True)
class Lost:
    """The connection is cut with no reply.

    Args:
        reaches: Whether the request reaches the store.
        after_s: How long after the cut it does.
    """

    reaches: bool = True
    after_s: float = 0.0


@dataclass
class LossyStore:
    """What happens to each request; ``None`` where it is passed on as it is.

    Args:
        url: Where it listens.
        answer: Called with method and path, and the query with it.
        without_header: A header that does not reach the store, in small letters.
    """

    url: str = ""
    answer: Callable[[str, str], Reply | Lost | None] = lambda method, path: None
    without_header: str = ""
    requests: list[str] = field(default_factory=list)
    late: list[threading.Timer] = field(default_factory=list)

    def first(self, *answers: Reply | Lost | None, method: str = "") -> None:
        """Answer the first requests so, and pass on all others.

        Args:
            *answers: One for each.
            method: Of which requests; empty for all.
        """
        remaining = list(answers)

        def answer(asked: str, path: str) -> Reply | Lost | None:
            return remaining.pop(0) if remaining and asked.startswith(method) else None

        self.answer = answer

    def always(self, reply: Reply | Lost, method: str = "") -> None:
        """Answer all requests so.

        Args:
            reply: How.
            method: Of which requests; empty for all.
        """
        self.answer = lambda asked, path: reply if asked.startswith(method) else None


@contextmanager
def lossy_store(upstream: str = "") -> Iterator[LossyStore]:
    """Give a store that stands before another one until the block ends.

    Args:
        upstream: Host and port of that one; empty where none of the requests is passed on.
    """
    store = LossyStore()
    server = ThreadingHTTPServer((_HOST, 0), _handler(store, upstream))
    server.daemon_threads = True
    store.url = f"http://{_HOST}:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield store
    finally:
        for each in store.late:
            each.join()
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass(frozen=True, slots=True)
class _Request:
    """A request as it is passed on."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    def send(self, upstream: str) -> tuple[int, list[tuple[str, str]], bytes]:
        connection = HTTPConnection(upstream, timeout=30)
        try:
            connection.request(self.method, self.path, self.body, self.headers)
            reply = connection.getresponse()
            return reply.status, reply.getheaders(), reply.read()
        finally:
            connection.close()


def _lose(store: LossyStore, lost: Lost, request: _Request, upstream: str) -> None:
    if lost.reaches and lost.after_s:
        timer = threading.Timer(lost.after_s, request.send, (upstream,))
        store.late.append(timer)
        timer.start()
    elif lost.reaches:
        request.send(upstream)


def _handler(store: LossyStore, upstream: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = {name: value for name, value in self.headers.items() if name.lower() != store.without_header}
            request = _Request(self.command, self.path, headers, body)
            store.requests.append(f"{self.command} {self.path}")
            told = store.answer(self.command, self.path)
            if isinstance(told, Lost):
                self.close_connection = True
                _lose(store, told, request, upstream)
            elif told is not None:
                self.reply(told.status, [], told.body())
            else:
                self.reply(*request.send(upstream))

        def reply(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
            self.send_response_only(status)
            for name, value in headers:
                if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                    self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

    for method in ("GET", "PUT", "POST", "DELETE"):
        setattr(Handler, f"do_{method}", Handler.answer)
    return Handler
