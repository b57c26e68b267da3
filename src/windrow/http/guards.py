"""What is refused before any verb is called: requests that a page of another site had a browser send."""

import ipaddress
import re
from collections.abc import Collection
from functools import lru_cache
from typing import Final

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from windrow.domain.errors import WindrowError
from windrow.http.problems import CrossSiteRequest, MisdirectedRequest, RequestRefused, problem_response

ALLOWED_HOSTS: Final = "WINDROW_ALLOWED_HOSTS"
_ANY_HOST: Final = "*"
# Probes of load balancers come by any name, and learn nothing.
_FOR_PROBES: Final = ("/health", "/health/live", "/health/ready")
_HOST: Final = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<name>[^:\[\]@/\s]*))(?::[0-9]*)?")

# Clients of one server send few different ones; a header may have 65,536 bytes.
_KEPT_HEADERS: Final = 64
# A browser lets a page send a body of these types, or none, to any server without asking that server before.
_SENT_UNASKED: Final = {"", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"}


class HostGuard:
    """ASGI middleware that answers only under names of this server.

    A page of ``evil.example`` may have that name lead to 127.0.0.1. To the browser, this server is then the page's own,
    and it lets the page read what the server answers. Only by the name can the server tell.

    Args:
        app: The application behind it.
        names: Names of this server beside ``localhost`` and IP addresses; ``*`` for any.
    """

    def __init__(self, app: ASGIApp, names: Collection[str]) -> None:
        self._app = app
        self._names = {"localhost", *(name.lower() for name in names)}
        self._read = lru_cache(_KEPT_HEADERS)(self._read_unknown)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on, or refuse it."""
        problem = self._problem(scope) if scope["type"] == "http" else None
        app = self._app if problem is None else problem_response(problem, scope["state"]["request_id"])
        await app(scope, receive, send)

    def _problem(self, scope: Scope) -> WindrowError | None:
        hosts = [header[1] for header in scope["headers"] if header[0] == b"host"]
        if not hosts and scope["http_version"] == "1.0":
            return None
        host, is_own = self._read(hosts[0]) if len(hosts) == 1 else (None, False)
        if host is None:
            return RequestRefused("A request has one header 'Host', with a name or an address. {Send} it so.")
        if is_own or scope["path"] in _FOR_PROBES:
            return None
        return MisdirectedRequest(
            "This server does not know the name {host!r} as its own, and so refuses what a page of another site may "
            "have sent. If it is reached by that name, set {setting} to it.",
            {"host": host[:253], "setting": ALLOWED_HOSTS},
        )

    def _read_unknown(self, header: bytes) -> tuple[str | None, bool]:
        """Return the host that a header names, ``None`` if it cannot be read, and whether it is this server."""
        parts = _HOST.fullmatch(header.decode("latin-1"))
        host = None if parts is None else parts["v6"] or parts["name"]
        return host, host is not None and self._is_own(host)

    def _is_own(self, host: str) -> bool:
        name = host.lower().removesuffix(".")
        return _ANY_HOST in self._names or name in self._names or name.endswith(".localhost") or _is_address(name)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def check_csrf(request: Request, allowed_origins: Collection[str] = ()) -> None:
    """Refuse a POST that a page of another site made the reader's browser send without their knowledge.

    For whatever else can change something (PUT, PATCH, DELETE, a body that is JSON or a file) a browser asks first, and
    no answer here allows it.

    Args:
        request: The request.
        allowed_origins: Other sites whose pages may send it.

    Raises:
        CrossSiteRequest: Its origin is another site than this server.
    """
    origin = request.headers.get("origin")
    if request.method != "POST" or origin is None:
        return
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in _SENT_UNASKED or origin in allowed_origins or _is_own_page(request, origin):
        return
    raise CrossSiteRequest(
        "A page of another site sent this request, so nothing was done. If that is wanted, {send} the header "
        "'Content-Type: application/json' and, where there is nothing else to say, the body {{}}.",
        {"origin": origin},
    )


def _is_own_page(request: Request, origin: str) -> bool:
    """Whether a request's page came from this server: by the browser's word, which also holds behind a proxy."""
    if request.headers.get("sec-fetch-site") == "same-origin":
        return True
    host = origin.partition("://")[2]
    return host != "" and host.lower() == request.headers.get("host", "").lower()
