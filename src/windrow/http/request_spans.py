"""Traces each request: a span from its head to the end of its answer, named by its endpoint."""

from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from windrow.domain.caller import Caller
from windrow.tracing import Tracer

# What monitors ask every few seconds would be most of the spans.
_UNTRACED: Final = frozenset({"/health", "/health/live", "/health/ready", "/metrics"})


class RequestSpans:
    """ASGI middleware that gives each request a span; what works for it adds others below.

    Args:
        app: The application behind it.
        tracer: Begins the spans.
    """

    def __init__(self, app: ASGIApp, tracer: Tracer) -> None:
        self._app = app
        self._tracer = tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on inside its span."""
        if scope["type"] != "http" or scope["path"] in _UNTRACED:
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        method = scope["method"]
        attributes = {"http.request.method": method, "windrow.request_id": scope["state"]["request_id"]}
        with self._tracer.request(method, headers, attributes) as span:

            async def send_and_note(message: Message) -> None:
                if message["type"] == "http.response.start":
                    span.note({"http.response.status_code": message["status"]})
                    if message["status"] >= 500:
                        span.fail()
                await send(message)

            try:
                await self._app(scope, receive, send_and_note)
            except Exception:  # a defect, which the log answers with status 500
                span.fail()
                raise
            finally:
                # Not the path, which may hold names, but its template.
                if route := getattr(scope.get("route"), "path_format", ""):
                    span.rename(f"{method} {route}")
                    span.note({"http.route": route})
                if (key := _key_name(scope)) is not None:
                    span.note({"windrow.key": key})


def _key_name(scope: Scope) -> str | None:
    caller: Caller | None = scope["state"].get("caller")
    return None if caller is None else caller.key_name
