"""Who a request comes from where trusted proxies hand it on: what they say in X-Forwarded-For and X-Forwarded-Proto."""

import ipaddress
from collections.abc import Collection, Iterator
from functools import lru_cache
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

_FORWARDED_FOR: Final = b"x-forwarded-for"
_FORWARDED_PROTO: Final = b"x-forwarded-proto"
_SCHEMES: Final = {b"http": "http", b"https": "https"}
# Addresses of proxies and of their clients.
_KEPT_ADDRESSES: Final = 4_096
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class TrustedProxies:
    """ASGI middleware that takes a request's client and scheme from the headers of proxies, if it trusts these.

    Every proxy adds the address that it saw at the end of ``X-Forwarded-For``. Read from there, the first address that
    is no trusted proxy is the client; what stands before it, the client may have made up.

    Args:
        app: The application behind it.
        networks: Addresses and networks of the proxies.
    """

    def __init__(self, app: ASGIApp, networks: Collection[str]) -> None:
        self._app = app
        self._networks = [ipaddress.ip_network(each) for each in networks]
        self._is_trusted = lru_cache(_KEPT_ADDRESSES)(self._is_in_networks)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on."""
        client = scope.get("client")
        if scope["type"] == "http" and client and self._is_trusted(client[0]):
            headers = scope["headers"]
            scope["client"] = (self._client(client[0], headers), 0)
            schemes = [value.rpartition(b",")[2].strip() for name, value in headers if name == _FORWARDED_PROTO]
            scope["scheme"] = _SCHEMES.get(schemes[-1], scope["scheme"]) if schemes else scope["scheme"]
        await self._app(scope, receive, send)

    def _client(self, peer: str, headers: Collection[tuple[bytes, bytes]]) -> str:
        found = peer
        for address in _forwarded_for(headers):
            if address is None:  # no address: whoever wrote that is as far as one can see
                break
            found = address
            if not self._is_trusted(address):
                break
        return found

    def _is_in_networks(self, host: str) -> bool:
        address = _read_address(host)
        return address is not None and any(address in each for each in self._networks)


def _forwarded_for(headers: Collection[tuple[bytes, bytes]]) -> Iterator[str | None]:
    """Yield the addresses that proxies saw, the nearest one first; ``None`` for what is none."""
    lines = b",".join(value for name, value in headers if name == _FORWARDED_FOR)
    for part in reversed(lines.decode("latin-1").split(",") if lines else []):
        # What follows a % names an interface of whoever wrote it, and may be any text.
        address = _read_address(_without_port(part.strip()).partition("%")[0])
        yield None if address is None else str(address)


def _without_port(text: str) -> str:
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0] if text.count(":") == 1 else text


def _read_address(host: str) -> _Address | None:
    """Return the address that a text is; an IPv4 address that a socket for both families shows as IPv6 is itself."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
