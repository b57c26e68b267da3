"""Requests over HTTP from an event loop, by httpx. Nothing else here imports it; knows nothing of single verbs."""

import asyncio
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, BinaryIO

from windrow.client.address import read_address
from windrow.client.credentials import exposes_key, headers_of
from windrow.client.errors import ConnectionLost, client_closed, connection_lost, not_http, timed_out, unreachable
from windrow.client.replies import parse_problem
from windrow.client.retrying import back_off, check_retries, retry_delay
from windrow.client.tls_hint import PROXY_STATUS, TlsHint
from windrow.client.transport import BLOCK_BYTES, CONNECT_TIMEOUT_S, POOL_SIZE, Call, size_of
from windrow.domain.errors import WindrowError
from windrow.domain.secret import Secret

if TYPE_CHECKING:
    import httpx


class AsyncTransport:
    """Sends requests to one server, from any number of tasks of one event loop.

    Args:
        url: The server's address.
        retries: How often an idempotent request is sent again.
        sleep: Waits some seconds before that.
        api_key: The API key that each request carries; ``None`` for none.

    Attributes:
        exposes_key: Whether the key travels over a network unencrypted.

    Raises:
        InvalidParameter: The address is none, or the number of retries lies below 0.
        ImportError: httpx is not installed.
    """

    def __init__(
        self,
        url: str,
        retries: int = 3,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        api_key: Secret | None = None,
    ) -> None:
        check_retries(retries)
        address = read_address(url)
        self.url = str(address)
        self._tls_hint = TlsHint(address)
        self._retries = retries
        self._sleep = sleep
        self._httpx: Any = _load_httpx()
        self.exposes_key = exposes_key(address, api_key)
        self._client: httpx.AsyncClient = self._httpx.AsyncClient(
            headers=headers_of(address, api_key),
            # The environment's proxies are none of this client's, as they are none of the one without an event loop.
            trust_env=False,
            # The system's certificates, or those of SSL_CERT_FILE, as urllib3 takes them.
            verify=ssl.create_default_context() if address.scheme == "https" else False,
            limits=self._httpx.Limits(max_connections=None, max_keepalive_connections=POOL_SIZE),
        )

    async def fetch(self, call: Call) -> bytes:
        """Send a request and return the body of its reply.

        Raises:
            WindrowError: What the server raised, as the same class.
            ServerUnreachable: No server listens there.
            ServerTimedOut: It was silent for too long.
            ConnectionLost: The connection broke.
            UnexpectedReply: What answers is no Windrow server.
        """
        return (await self.open(call, preload=True)).content

    async def open(self, call: Call, *, preload: bool = False) -> "httpx.Response":
        """Send a request and return a success, whose body is still to be read; or read already.

        Raises:
            WindrowError: As :meth:`fetch`.
        """
        retries = self._retries if call.idempotent else 0
        for attempt in range(retries + 1):
            is_last = attempt == retries
            try:
                response = await self._send(call, preload)
            except ConnectionLost:
                if is_last:
                    raise
                await self._sleep(back_off(attempt))
                continue
            if response.status_code != PROXY_STATUS:
                self._tls_hint.rule_out()
            if response.status_code < 300:
                return response
            problem = await self._problem(response)
            delay_s = retry_delay(response.status_code, response.headers.get("Retry-After", ""), problem, attempt)
            if is_last or delay_s is None:
                raise problem
            await self._sleep(delay_s)
        raise AssertionError("the last attempt returns or raises")

    async def iter_chunks(self, response: "httpx.Response") -> AsyncGenerator[bytes]:
        """Yield a reply's body as it comes, and let go of the connection at the end.

        Raises:
            ServerTimedOut: The server was silent for too long.
            ConnectionLost: The connection broke before the end.
        """
        try:
            # Its generator is closed here, in the task that has read it.
            async with aclosing(response.aiter_raw()) as chunks:  # type: ignore[type-var]
                async for chunk in chunks:
                    yield chunk
        except (self._httpx.HTTPError, OSError) as error:
            raise self._connection_error(error) from error
        finally:
            await response.aclose()

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _send(self, call: Call, preload: bool) -> "httpx.Response":
        if self._client.is_closed:
            raise client_closed(self.url)
        headers = {} if call.body is None else {"Content-Type": call.content_type}
        content: Any = call.body
        if content is not None and not isinstance(content, bytes):
            headers["Content-Length"] = str(await asyncio.to_thread(size_of, content))
            content = _blocks(content)
        timeout = self._httpx.Timeout(call.timeout_s, connect=CONNECT_TIMEOUT_S, pool=None)
        request = self._client.build_request(
            call.method, self.url + call.path, headers=headers, content=content, timeout=timeout
        )
        try:
            response = await self._client.send(request, stream=True)
            if preload:
                await response.aread()
        except (self._httpx.HTTPError, OSError) as error:
            raise await asyncio.to_thread(self._tls_hint.explained, self._connection_error(error)) from error
        return response

    async def _problem(self, response: "httpx.Response") -> WindrowError:
        try:
            content = await response.aread()
        except (self._httpx.HTTPError, OSError) as error:
            return self._connection_error(error)
        problem = parse_problem(response.status_code, response.headers.get("Content-Type", ""), content, self.url)
        if response.status_code != PROXY_STATUS:
            return problem
        return await asyncio.to_thread(self._tls_hint.explained, problem)

    def _connection_error(self, error: Exception) -> WindrowError:
        if isinstance(error, self._httpx.ConnectTimeout):
            return unreachable(self.url, f"nothing answered within {CONNECT_TIMEOUT_S:.0f} seconds")
        if isinstance(error, self._httpx.ConnectError):
            return unreachable(self.url, str(error).rstrip(".").lower() or "no connection")
        if isinstance(error, self._httpx.TimeoutException):
            return timed_out(self.url)
        if isinstance(error, self._httpx.RemoteProtocolError) and "illegal" in str(error):
            return not_http(self.url)
        return connection_lost(self.url)


async def _blocks(file: BinaryIO) -> AsyncIterator[bytes]:
    while block := await asyncio.to_thread(file.read, BLOCK_BYTES):
        yield block


def _load_httpx() -> Any:
    try:
        import httpx
    except ImportError:
        raise ImportError("AsyncClient needs httpx. Install it with: pip install 'windrow[async]'.") from None
    return httpx
