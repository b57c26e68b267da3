"""Cross-origin requests: which pages of other sites a browser lets ask this server."""

from collections.abc import Collection
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
_SENT_HEADERS: Final = ("Authorization", "X-API-Key", "Content-Type", "Content-Encoding", "X-Request-ID")
_SHOWN_HEADERS: Final = (
    "X-Request-ID",
    "Location",
    "Retry-After",
    "Content-Disposition",
    "RateLimit",
    "RateLimit-Policy",
    "WWW-Authenticate",
)


class Cors:
    """ASGI middleware that lets pages of some origins ask; for all others the server is as without it.

    Each answer says that it depends on the origin, so that no shared cache gives one origin what another one was
    answered. No cookies are involved, and a preflight, which carries no key, needs none.

    Args:
        app: The application behind it.
        origins: The origins.
    """

    def __init__(self, app: ASGIApp, origins: Collection[str]) -> None:
        self._app = app
        self._origins = frozenset(each.encode() for each in origins)
        self._cors = CORSMiddleware(
            app,
            allow_origins=tuple(origins),
            allow_methods=_METHODS,
            allow_headers=_SENT_HEADERS,
            expose_headers=_SHOWN_HEADERS,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on, or answer the browser's question."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif any(name == b"origin" and value in self._origins for name, value in scope["headers"]):
            await self._cors(scope, receive, send)
        else:
            await self._app(scope, receive, _varying(send))


def _varying(send: Send) -> Send:
    """Return what sends an answer with ``Vary: Origin``, as the middleware of Starlette does for the named origins."""

    async def vary(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).add_vary_header("Origin")
        await send(message)

    return vary
