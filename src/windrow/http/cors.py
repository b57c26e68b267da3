"""Cross-origin requests: which pages of other sites a browser lets ask this server."""

from collections.abc import Collection
from typing import Final

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

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

    No cookies are involved, and a preflight, which carries no key, needs none.

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
        asks = scope["type"] == "http" and any(
            name == b"origin" and value in self._origins for name, value in scope["headers"]
        )
        await (self._cors if asks else self._app)(scope, receive, send)
