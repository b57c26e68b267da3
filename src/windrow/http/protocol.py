"""HTTP/1.1 connections: what cannot be read as HTTP, is too large, too slow or too much is refused as a problem."""

import asyncio
import http
import secrets
from typing import Any, Final

import structlog
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from windrow.domain.errors import Overloaded, WindrowError
from windrow.http.descriptors import OccasionalLog, is_in_reserve
from windrow.http.joined_writes import JoinedWrites
from windrow.http.problems import STATUSES, HeadTooLarge, RequestRefused, RequestTooSlow, problem_response

# Of the first line and the headers together.
MAX_HEAD_BYTES: Final = 65_536
MIN_BODY_BYTES_PER_S: Final = 1_000
RETRY_AFTER_S: Final = 5
_log = structlog.get_logger()
_refusals = OccasionalLog(lambda count: _log.warning("connections_refused", count=count))


class HttpProtocol(HttpToolsProtocol):
    """One connection."""

    head_timeout_s = 10.0
    """Seconds in which the head of a request arrives, once it has begun."""
    body_interval_s = 10.0
    """Seconds over which the rate of a body is looked at."""
    linger_s = 1.0
    """Seconds in which a client that is still sending can read why it was refused."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # uvicorn would refuse what the limit still allows, in a form of its own, and hold the connection.
        self._max_connections, self.limit_concurrency = self.limit_concurrency, None
        self._is_refused = False
        self._is_begun = False
        self._in_head = True
        self._messages = 0
        self._overhead_bytes = 0  # of the head; then of whatever is no body (trailers, extensions of chunks)
        self._body_bytes = 0
        self._answer: JoinedWrites | None = None  # of the latest request
        self._timer: asyncio.TimerHandle | None = None
        self._timed: tuple[int, bool] | None = None  # the part of a request that the timer is for

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin, unless there are too many connections already."""
        super().connection_made(transport)
        problem = self._too_many()
        if problem is not None:
            self.connections.discard(self)
            self._refuse(problem)
            _refusals.note()
            return
        # A connection on which nothing was sent yet is as idle as one whose request was answered.
        self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)

    def _too_many(self) -> Overloaded | None:
        """Return why there may be no more connections; ``None`` where there may be."""
        if self._max_connections is not None and len(self.connections) > self._max_connections:
            return Overloaded(
                "The server has as many connections as it may. Try again in {retry_after_s} s, or raise {setting}.",
                {"retry_after_s": RETRY_AFTER_S, "limit": self._max_connections, "setting": "WINDROW_MAX_CONNECTIONS"},
            )
        # Where none is left, the system closes connections without a word, and no file can be opened.
        if is_in_reserve(self.transport.get_extra_info("socket").fileno()):
            self.linger_s = 0.0
            return Overloaded(
                "The server has nearly as many connections and files open as the system lets it. Try again in "
                "{retry_after_s} s, or raise its limit of open files.",
                {"retry_after_s": RETRY_AFTER_S, "setting": "RLIMIT_NOFILE"},
            )
        return None

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._set_timer(None)
        self._unset_keepalive_if_required()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read what came."""
        room = MAX_HEAD_BYTES - self._overhead_bytes
        while data and not self._is_refused and not self.transport.is_closing():
            # Of what may be a head no more is read than it may have.
            piece = data[: max(room, 1)] if self._in_head else data
            self._feed(piece)
            data, room = data[len(piece) :], MAX_HEAD_BYTES - self._overhead_bytes

    def _feed(self, data: bytes) -> None:
        messages, body_bytes, was_in_head = self._messages, self._body_bytes, self._in_head
        super().data_received(data)
        self._time_request()
        if (self._messages, self._in_head) != (messages, was_in_head) or self._body_bytes > body_bytes:
            self._overhead_bytes = 0
            return
        self._overhead_bytes += len(data)
        if self._overhead_bytes >= MAX_HEAD_BYTES and not self._is_refused:
            self._refuse(
                HeadTooLarge(
                    "The first line and the headers have more than {limit} bytes. {Send} fewer or shorter ones.",
                    {"limit": MAX_HEAD_BYTES},
                )
            )

    def on_message_begin(self) -> None:
        """Note that a request has begun."""
        self._is_begun = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Hand the request on."""
        self._in_head = False
        self._body_bytes = 0
        super().on_headers_complete()
        self._answer = JoinedWrites(self.transport, self.loop)
        self.cycle.transport = self._answer  # the application begins later
        self.headers = []  # uvicorn would add those behind a body, which are of no use, to the request's

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body."""
        self._body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Wait for the next request."""
        self._is_begun, self._in_head = False, True
        self._messages += 1
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse what the parser cannot read, and close the connection.

        Args:
            msg: uvicorn's sentence, which stands in the log.
        """
        del msg
        self._refuse(
            RequestRefused("This is no HTTP that the server can read. Correct the first line and the headers.")
        )

    def _time_request(self) -> None:
        """Give the head of a request its time, and its body; one that came as a whole needs no timer."""
        part = (self._messages, self._in_head) if self._is_begun and not self._is_refused else None
        if part != self._timed:
            self._timed = part
            self._set_timer(None if part is None else self.head_timeout_s if self._in_head else self.body_interval_s)

    def _set_timer(self, seconds: float | None) -> None:
        """Look at the request again in some seconds, or no more."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if seconds is None else self.loop.call_later(seconds, self._check_progress)

    def _check_progress(self) -> None:
        """Refuse request headers that are incomplete at the deadline, and a body that arrives too slowly."""
        enough = self.body_interval_s * MIN_BODY_BYTES_PER_S
        # The client waits for the server: reading is paused, or ``100 Continue`` has not been sent.
        is_awaited = self.flow.read_paused or (self.cycle is not None and self.cycle.waiting_for_100_continue)
        if is_awaited or (not self._in_head and self._body_bytes >= enough):
            self._body_bytes = 0
            self._set_timer(self.body_interval_s)
            return
        self._refuse(
            RequestTooSlow(
                "The request came too slowly: its head has {head_timeout_s} s, and its body at least {rate} bytes a "
                "second. {Send} it again.",
                {"head_timeout_s": round(self.head_timeout_s), "rate": MIN_BODY_BYTES_PER_S},
            )
        )

    def _refuse(self, problem: WindrowError) -> None:
        """Answer with a problem where no answer has begun, and close the connection."""
        self._is_refused = True
        self._set_timer(None)
        if self._answer is not None:
            self._answer.flush()
        cycle = self.cycle
        is_answering = cycle is not None and not cycle.response_complete
        if cycle is not None and is_answering:
            cycle.disconnected = True
            cycle.message_event.set()
        if cycle is None or not is_answering or not cycle.response_started:
            self._write(problem)
        if self.transport.can_write_eof():
            self.transport.write_eof()
        # Closed at once, a client that is still sending would see its connection reset, and not the answer.
        self.flow.resume_reading()
        self.loop.call_later(self.linger_s, self.transport.close)

    def _write(self, problem: WindrowError) -> None:
        status = STATUSES[type(problem)]
        response = problem_response(
            problem, secrets.token_hex(8), {"Connection": "close", "X-Content-Type-Options": "nosniff"}
        )
        headers = b"".join(b"%s: %s\r\n" % header for header in response.raw_headers)
        first_line = f"HTTP/1.1 {status} {http.HTTPStatus(status).phrase}\r\n".encode()
        self.transport.write(first_line + headers + b"\r\n" + bytes(response.body))
