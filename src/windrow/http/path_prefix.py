"""The path prefix under which a proxy shows the server, whether the proxy strips it or not."""

from starlette.types import ASGIApp, Receive, Scope, Send


class PathPrefix:
    """ASGI middleware that takes the prefix off a request's path, so that all behind it knows the server's own paths.

    The raw path, which the log shows, stays as it came.

    Args:
        app: The application behind it.
        prefix: The prefix, like ``/windrow``; none of the server's own paths begins with it.
    """

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self._app = app
        self._prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on."""
        if scope["type"] == "http":
            path = scope["path"]
            if path == self._prefix:
                scope["path"] = "/"
            elif path.startswith(f"{self._prefix}/"):
                scope["path"] = path.removeprefix(self._prefix)
        await self._app(scope, receive, send)
