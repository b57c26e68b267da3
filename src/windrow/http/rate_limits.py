"""Lets requests in by their API key: in turns, within its limits, and tells the client what these leave.

The header fields are those of draft-ietf-httpapi-ratelimit-headers-10 (2025): ``RateLimit-Policy`` says what there is
in a window, ``RateLimit`` what is left of it.
"""

from collections.abc import Sequence
from typing import Final, Protocol

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from windrow.domain.caller import Caller, current_caller
from windrow.domain.errors import RateLimited
from windrow.domain.key_limits import Quota
from windrow.http.pacing import Pacing
from windrow.http.problems import problem_response


class Quotas(Protocol):
    """What knows how much keys may still send."""

    def admit(self, caller: Caller) -> None:
        """Let a request in, and count it.

        Raises:
            RateLimited: Its key has sent as many as it may.
        """
        ...

    def of(self, caller: Caller) -> Sequence[Quota]:
        """Return what the limits of a caller leave."""
        ...


class NoQuotas:
    """Quotas of a server without keys."""

    def admit(self, caller: Caller) -> None:
        """Let every request in."""

    def of(self, caller: Caller) -> Sequence[Quota]:  # noqa: ARG002
        """Return none."""
        return ()


NO_QUOTAS: Final = NoQuotas()


class RateLimits:
    """ASGI middleware that refuses requests beyond the limits of their key, and begins the others in turns of the keys.

    Args:
        app: The application behind it.
        quotas: What keys may still send.
    """

    def __init__(self, app: ASGIApp, quotas: Quotas) -> None:
        self._app = app
        self._quotas = quotas
        self._pacing = Pacing()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on, or refuse it."""
        caller = current_caller()
        if scope["type"] != "http" or caller.key_name is None:
            await self._app(scope, receive, send)
            return
        await self._pacing.turn(caller.key_name)
        limits = caller.limits
        if limits.requests_per_second or limits.requests_per_day or limits.texts_per_day:
            send = self._telling(caller, send)
        try:
            self._quotas.admit(caller)
        except RateLimited as error:
            await problem_response(error, scope["state"]["request_id"])(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _telling(self, caller: Caller, send: Send) -> Send:
        async def send_with_quotas(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *quota_headers(self._quotas.of(caller))]
            await send(message)

        return send_with_quotas


def quota_headers(quotas: Sequence[Quota]) -> list[tuple[bytes, bytes]]:
    """Return the headers that tell of quotas.

    Args:
        quotas: The quotas.
    """
    if not quotas:
        return []
    # A quota is one of requests unless it says of what.
    policies = [f'"{each.name}";q={each.size};w={each.window_s}{_unit(each)}' for each in quotas]
    left = [f'"{each.name}";r={each.remaining};t={each.reset_s}' for each in quotas]
    return [(b"ratelimit-policy", ", ".join(policies).encode()), (b"ratelimit", ", ".join(left).encode())]


def _unit(quota: Quota) -> str:
    return ';qu="texts"' if quota.name.startswith("texts") else ""
