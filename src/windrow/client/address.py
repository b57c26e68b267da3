"""A server's address: what a URL says. Never shows a user's name or password."""

import base64
from dataclasses import dataclass
from typing import Literal
from urllib.parse import SplitResult, unquote, urlsplit

from windrow.domain.errors import InvalidParameter

_EXAMPLE = "http://127.0.0.1:14345"
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server is. Made by :func:`read_address`.

    Args:
        scheme: ``http`` or ``https``.
        host: Name or address, an IPv6 one without brackets.
        port: The port.
        prefix: What stands before each path, empty or ``/like/this``.
        authorization: The value of the header of that name; ``None`` without user and password.
    """

    scheme: Literal["http", "https"]
    host: str
    port: int
    prefix: str
    authorization: str | None

    def __str__(self) -> str:
        """Return the URL without user and password."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}{self.prefix}"

    def __repr__(self) -> str:
        return f"Address({str(self)!r})"


def read_address(url: str) -> Address:
    """Return what a URL says.

    Args:
        url: ``http://`` or ``https://``, with a path where the server stands behind a proxy, and with
            ``user:password@`` where that proxy asks for them.

    Raises:
        InvalidParameter: It is no such URL.
    """
    try:
        parts = urlsplit(url.strip())
        port = parts.port
        host = (parts.hostname or "").encode("ascii" if ":" in (parts.hostname or "") else "idna").decode()
    except ValueError as error:  # also what is no name of a host
        raise _bad_url("it cannot be read") from error
    scheme: Literal["http", "https"] = "https" if parts.scheme == "https" else "http"
    if parts.scheme not in _PORTS:
        raise _bad_url("it begins neither with http:// nor with https://")
    if not host:
        raise _bad_url("it names no host")
    if parts.query or parts.fragment:
        raise _bad_url("it has a query or a fragment")
    prefix = parts.path.rstrip("/")
    if not prefix.isascii() or not prefix.isprintable() or " " in prefix:
        raise _bad_url("its path has characters that must be written as %XX")
    return Address(scheme, host, _PORTS[scheme] if port is None else port, prefix, _authorization(parts))


def _authorization(parts: SplitResult) -> str | None:
    if parts.username is None and parts.password is None:
        return None
    both = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
    return f"Basic {base64.b64encode(both.encode()).decode()}"


def _bad_url(why: str) -> InvalidParameter:
    # The URL itself is not repeated: there may be a password in it.
    words = f"The server's URL is not understood: {why}. Write it like {_EXAMPLE}."
    return InvalidParameter(words, {"parameter": "url"})
