"""Serves tools over HTTP: the server's middleware before them, and each request's API key behind each call."""

import contextlib
import hashlib
from collections.abc import Callable, Collection
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from windrow.agents.access import CallerAccess, ForwardedAccess
from windrow.agents.protocol import open_http_app
from windrow.agents.running import Access, ToolRunner
from windrow.client.remote import RemoteOperations
from windrow.domain.errors import Unauthorized, WindrowError
from windrow.domain.hosts import is_loopback
from windrow.domain.listing import ListRequest
from windrow.domain.secret import Secret
from windrow.http.authentication import Authentication, has_key, sent_key
from windrow.http.bodies import BodyLimit, again, read_body, unpacked
from windrow.http.budget import Budget
from windrow.http.guards import HostGuard
from windrow.http.logs import RequestLog, configure_logging
from windrow.http.path_prefix import PathPrefix
from windrow.http.problems import CrossSiteRequest, EndpointNotFound, problem_response
from windrow.http.proxies import TrustedProxies
from windrow.http.rate_limits import RateLimits
from windrow.http.server import OpenService, check_access, listen, run_app
from windrow.settings import Settings, variable_name

# Where clients find the tools.
PATH: Final = "/mcp"
_IN_URL: Final = "This address seems to hold an API key, and addresses are kept in logs. Revoke that key."


class NoService:
    """Has nothing to stop: the trainings are a server's."""

    def wait_for_jobs(self, timeout_s: float) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


def serve_directory(open_service: Callable[[Settings], OpenService], settings: Settings, runner: ToolRunner) -> None:
    """Serve the tools on a data directory until a signal stops it. Each request needs a key as those of a server do.

    Args:
        open_service: Opens what does the verbs; called once the port is taken.
        settings: Address, limits and where the data are.
        runner: Runs the tools.

    Raises:
        InvalidParameter: The address cannot be listened on, or others reach it and no key is needed.
        WindrowError: What ``open_service`` raises.
    """
    configure_logging(settings.log_format)
    with contextlib.ExitStack() as stack:
        listeners = [stack.enter_context(each) for each in listen(settings.host, settings.port)]
        service = open_service(settings)
        stack.callback(service.close)
        stack.callback(runner.close)
        service.keys.prepare(settings.first_key_file)
        check_access(settings, needs_key=service.keys.is_needed)
        service.start()

        def access_of(scope: Scope) -> Access:
            return CallerAccess(service, scope["state"]["caller"], service.keys, settings.limits, settings.local_dir)

        tools = _tools(runner, access_of, settings)
        app = Authentication(RateLimits(_NamedOwner(tools), service.quotas), service.keys)
        run_app(_guarded(app, settings), service, settings, listeners, _banner(settings, listeners[0].getsockname()[1]))


def serve_server(url: str, settings: Settings, runner: ToolRunner) -> None:
    """Serve the tools of a server until a signal stops it; each request's own API key goes on to that server.

    Args:
        url: The server's address.
        settings: Address and limits.
        runner: Runs the tools.

    Raises:
        InvalidParameter: The address cannot be listened on, or others reach it and the server needs no key.
        Unavailable: The server cannot be reached.
    """
    configure_logging(settings.log_format)
    # Whoever reaches this address reaches the server with it.
    check_access(settings, needs_key=is_loopback(settings.host) or _needs_key(url))
    with contextlib.ExitStack() as stack:
        listeners = [stack.enter_context(each) for each in listen(settings.host, settings.port)]
        stack.callback(runner.close)

        def access_of(scope: Scope) -> Access:
            return ForwardedAccess(url, scope["state"]["forwarded_key"])

        tools = _tools(runner, access_of, settings)
        app = _guarded(_ForwardedKey(tools), settings)
        run_app(app, NoService(), settings, listeners, _banner(settings, listeners[0].getsockname()[1]))


def _tools(runner: ToolRunner, access_of: Callable[[Scope], Access], settings: Settings) -> ASGIApp:
    """Return the application of the tools."""
    app = open_http_app(runner, access_of, settings.max_body_bytes)
    return _Tools(_WholeBodies(app, settings), settings.cors_origins)


def _needs_key(url: str) -> bool:
    """Whether a server refuses who comes without a key."""
    remote = RemoteOperations(url)
    try:
        remote.list_classifiers(ListRequest(limit=1))
    except Unauthorized:
        return True
    finally:
        remote.close()
    return False


def _guarded(app: ASGIApp, settings: Settings) -> ASGIApp:
    """Return an application behind what the server has before its endpoints, too."""
    app = RequestLog(HostGuard(app, (settings.host, *settings.allowed_hosts)), lambda *_: None)
    if settings.root_path:
        app = PathPrefix(app, settings.root_path)
    return TrustedProxies(app, settings.trusted_proxies) if settings.trusted_proxies else app


def _banner(settings: Settings, port: int) -> str:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host or "127.0.0.1"
    scheme = "https" if settings.tls_cert else "http"
    return f"Windrow's tools answer agents at {scheme}://{host}:{port}{settings.root_path}{PATH} (Ctrl-C stops it)"


class _Tools:
    """ASGI application with the one path of the tools, for requests that no page of another site sent.

    Args:
        app: Answers at the path.
        allowed_origins: Other sites whose pages may send requests.
    """

    def __init__(self, app: ASGIApp, allowed_origins: Collection[str]) -> None:
        self._app = app
        self._allowed_origins = allowed_origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        problem = self._problem(scope)
        if problem is not None:
            await problem_response(problem, scope["state"]["request_id"])(scope, receive, send)
        elif scope["method"] not in ("POST", "DELETE"):
            # There is nothing that the server would tell a client of its own accord.
            await Response(status_code=405, headers={"Allow": "POST, DELETE"})(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _problem(self, scope: Scope) -> WindrowError | None:
        if scope["path"] != PATH:
            return EndpointNotFound("No endpoint has this path. {Send} requests of MCP to {path}.", {"path": PATH})
        headers = dict(scope["headers"])
        origin, host = headers.get(b"origin", b"").decode("latin-1"), headers.get(b"host", b"").decode("latin-1")
        if not origin or origin in self._allowed_origins or origin.partition("://")[2].lower() == host.lower():
            return None
        return CrossSiteRequest(
            "A page of another site sent this request, so nothing was done. If that is wanted, name the site in "
            "WINDROW_CORS_ORIGINS.",
            {"origin": origin[:200]},
        )


class _WholeBodies:
    """ASGI middleware that reads bodies as the server does: within its limits, told with what to do, and unpacked.

    Args:
        app: The application behind it.
        settings: How large a body may be, and how much those of all requests may be together.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._limit = BodyLimit(settings.max_body_bytes, variable_name("max_body_bytes"))
        most_bytes = max(settings.max_pending_body_bytes, settings.max_body_bytes)
        self._budget = Budget(most_bytes, variable_name("max_pending_body_bytes"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        with self._budget.reserve() as reservation:
            try:
                body = await read_body(Request(scope, receive), self._limit, reservation)
            except WindrowError as error:
                await problem_response(error, scope["state"]["request_id"])(scope, receive, send)
                return
            # The application reads the body within the budget, too.
            await self._app(unpacked(scope, len(body)), again(body, receive), send)


class _NamedOwner:
    """ASGI middleware that says whose a session is: that of an API key, by its name.

    Args:
        app: The application behind it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["state"]["session_owner"] = scope["state"]["caller"].key_name
        await self._app(scope, receive, send)


class _ForwardedKey:
    """ASGI middleware that keeps the API key of a request for the server that checks it.

    Args:
        app: The application behind it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            key = self._key(scope)
        except Unauthorized as error:
            await problem_response(error, scope["state"]["request_id"])(scope, receive, send)
            return
        state: dict[str, Any] = scope["state"]
        state["forwarded_key"] = None if key is None else Secret(key)
        state["session_owner"] = None if key is None else hashlib.sha256(key.encode()).hexdigest()
        await self._app(scope, receive, send)

    def _key(self, scope: Scope) -> str | None:
        """Return the key that a request carries; ``None`` for none, which the server may not need.

        Raises:
            Unauthorized: It carries several, or something else in its place, or one in its address.
        """
        if has_key(scope["path"], scope["query_string"]):
            raise Unauthorized(_IN_URL)
        names = {name for name, _ in scope["headers"]}
        return sent_key(scope["headers"]) if names & {b"authorization", b"x-api-key"} else None
