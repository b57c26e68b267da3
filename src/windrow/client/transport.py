"""Sends HTTP requests with a connection pool, timeouts and retries. Knows nothing of single verbs."""

import http.client
import socket
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import BinaryIO, Final, Self

from urllib3 import BaseHTTPResponse, HTTPConnectionPool, HTTPSConnectionPool, Timeout
from urllib3.connection import HTTPConnection
from urllib3.exceptions import (
    ClosedPoolError,
    ConnectTimeoutError,
    HTTPError,
    NewConnectionError,
    ProtocolError,
    ReadTimeoutError,
    SSLError,
)

from windrow.client.address import read_address
from windrow.client.credentials import exposes_key, headers_of
from windrow.client.errors import ConnectionLost, client_closed, connection_lost, not_http, timed_out, unreachable
from windrow.client.replies import parse_problem
from windrow.client.retrying import back_off, check_retries, retry_delay
from windrow.client.tls_hint import PROXY_STATUS, TlsHint
from windrow.domain.errors import WindrowError
from windrow.domain.secret import Secret

JSON: Final = "application/json"
# Until a connection is open; the reply to a request may take longer.
CONNECT_TIMEOUT_S = 10.0
POOL_SIZE = 64
BLOCK_BYTES = 65_536
# The longest wait before a retry; a longer one is left to the caller.
_MAX_DELAY_S = 30.0


@dataclass(frozen=True, slots=True)
class Call:
    """One request.

    Args:
        method: Of HTTP.
        path: Behind the server's address, with the query, all of it quoted.
        body: What is sent; ``None`` for nothing.
        content_type: Of what is sent.
        timeout_s: Longest silence of the server, in seconds; ``None`` for any.
        idempotent: Whether sending it twice does what sending it once does.
    """

    method: str
    path: str
    body: bytes | BinaryIO | None = None
    content_type: str = JSON
    timeout_s: float | None = None
    idempotent: bool = False


class StreamedBody:
    """A reply's body as it comes.

    A generator whose first piece was never taken does nothing when it is closed; this lets go of the connection.

    Args:
        chunks: Yields the body.
        release: Lets go of the connection, or does nothing where that was done.
    """

    def __init__(self, chunks: Generator[bytes], release: Callable[[], object]) -> None:
        self._chunks = chunks
        self._release = release

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        return next(self._chunks)

    def close(self) -> None:
        """Let go of the connection."""
        self._chunks.close()
        self._release()


class Transport:
    """Sends requests to one server, from any number of threads.

    Args:
        url: The server's address.
        retries: How often an idempotent request is sent again.
        sleep: Waits some seconds before that.
        api_key: The API key that each request carries; ``None`` for none.

    Attributes:
        exposes_key: Whether the key travels over a network unencrypted.

    Raises:
        InvalidParameter: The address is none, or the number of retries lies below 0.
    """

    def __init__(
        self,
        url: str,
        retries: int = 3,
        sleep: Callable[[float], object] = time.sleep,
        api_key: Secret | None = None,
    ) -> None:
        check_retries(retries)
        address = read_address(url)
        self.url = str(address)
        self._tls_hint = TlsHint(address)
        self._prefix = address.prefix
        self._retries = retries
        self._sleep = sleep
        self.exposes_key = exposes_key(address, api_key)
        self._headers = headers_of(address, api_key)
        pool = HTTPSConnectionPool if address.scheme == "https" else HTTPConnectionPool
        # A server that is gone without a word is noticed, however long its answer may take.
        alive = [*HTTPConnection.default_socket_options, (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]
        self._pool = pool(
            address.host,
            address.port,
            maxsize=POOL_SIZE,
            retries=False,
            blocksize=BLOCK_BYTES,
            socket_options=alive,
        )

    def fetch(self, call: Call) -> bytes:
        """Send a request and return the body of its reply.

        Raises:
            WindrowError: What the server raised, as the same class.
            ServerUnreachable: No server listens there.
            ServerTimedOut: It was silent for too long.
            ConnectionLost: The connection broke.
            UnexpectedReply: What answers is no Windrow server.
        """
        return self.open(call, preload=True).data

    def open(self, call: Call, *, preload: bool = False) -> BaseHTTPResponse:
        """Send a request and return a success, whose body is still to be read; or read already.

        Raises:
            WindrowError: As :meth:`fetch`.
        """
        retries = self._retries if call.idempotent else 0
        for attempt in range(retries + 1):
            is_last = attempt == retries
            try:
                response = self._send(call, preload)
            except ConnectionLost:
                if is_last:
                    raise
                self._sleep(back_off(attempt))
                continue
            if response.status != PROXY_STATUS:
                self._tls_hint.rule_out()
            if response.status < 300:
                return response
            problem = self._problem(response)
            delay_s = retry_delay(response.status, response.headers.get("Retry-After", ""), problem, attempt)
            if is_last or delay_s is None:
                raise problem
            self._sleep(delay_s)
        raise AssertionError("the last attempt returns or raises")

    def iter_chunks(self, response: BaseHTTPResponse) -> Generator[bytes]:
        """Yield a reply's body as it comes, and let go of the connection at the end.

        Raises:
            ServerTimedOut: The server was silent for too long.
            ConnectionLost: The connection broke before the end.
        """
        try:
            while chunk := response.read1(BLOCK_BYTES):
                yield chunk
        except (HTTPError, OSError) as error:
            raise self._connection_error(error) from error
        finally:
            response.close()

    def close(self) -> None:
        """Close the connections."""
        self._pool.close()

    def _send(self, call: Call, preload: bool) -> BaseHTTPResponse:
        headers = self._headers if call.body is None else {**self._headers, "Content-Type": call.content_type}
        if call.body is not None and not isinstance(call.body, bytes):
            headers["Content-Length"] = str(size_of(call.body))
        try:
            return self._pool.urlopen(
                call.method,
                self._prefix + call.path,
                body=call.body,
                headers=headers,
                retries=False,
                redirect=False,
                timeout=Timeout(connect=CONNECT_TIMEOUT_S, read=call.timeout_s),
                preload_content=preload,
            )
        except (HTTPError, OSError) as error:
            raise self._tls_hint.explained(self._connection_error(error)) from error

    def _problem(self, response: BaseHTTPResponse) -> WindrowError:
        try:
            content = response.data
        except (HTTPError, OSError) as error:
            return self._connection_error(error)
        problem = parse_problem(response.status, response.headers.get("Content-Type", ""), content, self.url)
        return self._tls_hint.explained(problem) if response.status == PROXY_STATUS else problem

    def _connection_error(self, error: Exception) -> WindrowError:
        if isinstance(error, ClosedPoolError):
            return client_closed(self.url)
        if isinstance(error, NewConnectionError | ConnectTimeoutError | SSLError):
            return unreachable(self.url, _reason(error))
        if isinstance(error, ReadTimeoutError):
            return timed_out(self.url)
        if isinstance(error, ProtocolError) and any(map(_is_garbage, error.args)):
            return not_http(self.url)
        return connection_lost(self.url)


def size_of(file: BinaryIO) -> int:
    """Return how many bytes a file has, and put it at its beginning."""
    size_bytes = file.seek(0, 2)
    file.seek(0)
    return size_bytes


def _reason(error: HTTPError) -> str:
    cause = error.__cause__ or error.__context__
    if isinstance(error, ConnectTimeoutError) and not isinstance(error, NewConnectionError):
        return f"nothing answered within {CONNECT_TIMEOUT_S:.0f} seconds"
    detail = getattr(cause, "strerror", None) or getattr(cause, "verify_message", None)
    return str(detail or cause or error).rstrip(".").lower()


def _is_garbage(cause: object) -> bool:
    known = (http.client.BadStatusLine, http.client.LineTooLong, http.client.UnknownProtocol)
    return isinstance(cause, known) and not isinstance(cause, http.client.RemoteDisconnected)
