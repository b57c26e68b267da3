"""The application where another program holds its sockets, such as a replica of Ray Serve.

It says in each log line and each figure where it runs, since it has equals elsewhere.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import ExitStack

import structlog
from starlette.applications import Starlette
from starlette.types import Message, Receive, Scope, Send

from windrow.domain.errors import ShuttingDown
from windrow.http.allocator import limit_arenas
from windrow.http.context import ServerContext
from windrow.http.descriptors import raise_limit
from windrow.http.logs import REQUEST_ID_HEADER, configure_logging
from windrow.http.metrics import Metrics
from windrow.http.server import OpenService, open_app
from windrow.settings import Settings

_log = structlog.get_logger()


class HostedApp:
    """ASGI application that closes its service at the end of its lifespan. Made by :func:`open_hosted_app`.

    Args:
        app: The application.
        service: What it answers from.
        settings: How long its end may take.
        stack: Closes the service.
    """

    def __init__(self, app: Starlette, service: OpenService, settings: Settings, stack: ExitStack) -> None:
        self._app = app
        self._service = service
        self._timeout_s = settings.shutdown_timeout_s
        self._stack = stack
        self._is_closed = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or begin and end."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        else:
            await self._app(scope, receive, _without_second_id(scope, send))

    @property
    def metrics(self) -> Metrics:
        """Its figures."""
        return self._context.metrics

    async def check(self) -> None:
        """Check that it can answer.

        That its object store does not answer is no reason to end it: it would answer by what it holds no more.

        Raises:
            ShuttingDown: It is closed.
        """
        if self._is_closed:
            raise ShuttingDown("This replica is closed. {Send} the request again, to another one.")
        # Where its threads or their locks hang, this does not come back, and whoever asks does not wait for ever.
        await self._context.run("monitor", self._context.operations.server_stats)

    async def close(self) -> None:
        """Wait for the trainings of this process as long as they have, and close the service."""
        if self._is_closed:
            return
        self._is_closed = True
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, self._service.wait_for_jobs, self._timeout_s)
        await loop.run_in_executor(None, self._stack.close)
        _log.info("closed")

    @property
    def _context(self) -> ServerContext:
        context: ServerContext = self._app.state.context
        return context

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.shutdown":
                await self.close()
            await send({"type": f"{message['type']}.complete"})
            if self._is_closed:
                return


def open_hosted_app(
    open_service: Callable[[Settings], OpenService], settings: Settings, place: Mapping[str, str]
) -> HostedApp:
    """Open a service, and return the application over it, ready to answer.

    Args:
        open_service: Opens what does the verbs.
        settings: Under which address others reach it, log format and limits.
        place: Where it runs, as facts of log lines and as labels of figures.

    Raises:
        InvalidParameter: Others reach the address and no key is needed, or the first key cannot be used.
        WindrowError: What ``open_service`` raises.
    """
    configure_logging(settings.log_format, place)
    raise_limit()
    limit_arenas()
    with ExitStack() as stack:
        service, app = open_app(open_service, settings, stack, place)
        return HostedApp(app, service, settings, stack.pop_all())


def _without_second_id(scope: Scope, send: Send) -> Send:
    """Return what sends a reply without the request's id if the request had one: the program in front adds it."""
    sent = dict(scope["headers"]).get(REQUEST_ID_HEADER)

    async def send_once(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [each for each in message["headers"] if each != (REQUEST_ID_HEADER, sent)]
        await send(message)

    return send if sent is None else send_once
