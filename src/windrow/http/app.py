"""The web application: a route for each endpoint of the table, the pages beside them, and what errors become."""

import re
from collections.abc import Collection, Mapping, Sequence
from itertools import groupby
from typing import Any, Final, cast

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from windrow.api.endpoints import ENDPOINTS, Endpoint
from windrow.api.foreign.form import ForeignEndpoint
from windrow.api.foreign.table import rows_that_are_on
from windrow.api.http_words import HTTP
from windrow.disk import without_folder
from windrow.domain.errors import AccessDenied, InvalidArtifact, InvalidBaseModel, TrainingFailed, WindrowError
from windrow.domain.names import near_names
from windrow.http.authentication import NO_KEYS, Authentication, Keys
from windrow.http.context import context_of, create_context
from windrow.http.cors import Cors
from windrow.http.endpoint import VerbApp
from windrow.http.foreign import CollidingApp, ForeignApp, ForeignErrors, SharedApp
from windrow.http.guards import HostGuard
from windrow.http.links import link, see_docs
from windrow.http.logs import RequestLog
from windrow.http.metrics import Metrics
from windrow.http.pages import documentation, health, ready, show_metrics
from windrow.http.path_prefix import PathPrefix
from windrow.http.problems import (
    STATUSES,
    EndpointNotFound,
    MethodNotAllowed,
    RequestRefused,
    problem_response,
)
from windrow.http.proxies import TrustedProxies
from windrow.http.rate_limits import NO_QUOTAS, Quotas, RateLimits
from windrow.http.request_spans import RequestSpans
from windrow.local_operations import LocalOperations
from windrow.settings import Settings
from windrow.tracing import Tracer

# What an operator must mend (a full disk, a missing base model) is said by the detail; a traceback helps only where
# something is broken that should not be.
_UNEXPECTED: Final = (InvalidArtifact, InvalidBaseModel, TrainingFailed)
# What can be read can be asked about, too.
READ: Final = ("GET", "HEAD")
_LONGEST_PATH: Final = 200
_log = structlog.get_logger()


def create_app(
    operations: LocalOperations,
    settings: Settings,
    keys: Keys = NO_KEYS,
    quotas: Quotas = NO_QUOTAS,
    tracer: Tracer | None = None,
) -> Starlette:
    """Return the application; ``app.state.context.close()`` lets its threads end.

    Args:
        operations: Does the verbs.
        settings: Limits.
        keys: The API keys.
        quotas: What they may still send.
        tracer: Begins the span of each request; ``None`` traces none.
    """
    routes = endpoint_routes(settings.dialects)
    endpoints = [(method, route.path_format) for route in routes for method in route.methods or ()]
    context = create_context(operations, settings, Metrics(operations.server_stats, endpoints))
    app = Starlette(
        routes=[
            *routes,
            *(_route(READ, path, show) for path, show in documentation(settings).items()),
        ],
        middleware=[
            *_before_the_log(settings),
            Middleware(ForeignErrors, rows_that_are_on(settings.dialects)),
            Middleware(RequestLog, context.metrics.observe),
            *([] if tracer is None else [Middleware(RequestSpans, tracer)]),
            Middleware(HostGuard, (settings.host, *settings.allowed_hosts)),
            *([Middleware(Cors, settings.cors_origins)] if settings.cors_origins else []),
            Middleware(Authentication, keys),
            Middleware(RateLimits, quotas),
        ],
        exception_handlers={WindrowError: _on_windrow_error, HTTPException: _on_http_exception},
    )
    app.router.redirect_slashes = False
    app.state.context = context
    app.state.keys = keys
    app.state.endpoints = routes
    return app


def _before_the_log(settings: Settings) -> list[Middleware]:
    """Return what says who asks, and for what, where something stands in front of the server."""
    proxies = [Middleware(TrustedProxies, settings.trusted_proxies)] if settings.trusted_proxies else []
    return [*proxies, *([Middleware(PathPrefix, settings.root_path)] if settings.root_path else [])]


def endpoint_routes(dialects: Collection[str] = ()) -> list[Route]:
    """Return a route for each method and path of the tables, and the routes for monitoring.

    Args:
        dialects: The foreign formats that are on where paths collide.
    """
    foreign: dict[tuple[str, str], list[ForeignEndpoint]] = {}
    for row in sorted(rows_that_are_on(dialects), key=lambda each: -len(each.keys)):
        foreign.setdefault((row.method, row.path), []).append(row)
    grouped = groupby(sorted(ENDPOINTS, key=_order), lambda each: (each.method, each.path))
    verbs = [(place, tuple(group)) for place, group in grouped]
    routes = [
        _route(_methods(group[0]), path, _app_of(group, foreign.pop((method, path), [])))
        for (method, path), group in verbs
    ]
    alone = [_foreign_route(method, path, rows) for (method, path), rows in foreign.items()]
    pages = {"/health": health, "/health/live": health, "/health/ready": ready, "/metrics": show_metrics}
    return [*routes, *alone, *(_route(READ, path, show) for path, show in pages.items())]


def _app_of(verbs: Sequence[Endpoint[Any]], rows: Sequence[ForeignEndpoint]) -> VerbApp | CollidingApp:
    """Return what answers a path of Windrow's own, which foreign formats may have too."""
    keyed, others = [each for each in rows if each.collides], [each for each in rows if not each.collides]
    own = SharedApp(verbs, others) if others else VerbApp(verbs)
    return CollidingApp(keyed, own) if keyed else own


def _foreign_route(method: str, path: str, rows: Sequence[ForeignEndpoint]) -> Route:
    """Return the route of a path that foreign formats alone have; what is meant for none of several, the last reads."""
    app = ForeignApp(rows[-1])
    methods = READ if method == "GET" else (method,)
    route = Route(path, CollidingApp(rows[:-1], app) if len(rows) > 1 else app, methods=methods)
    route.methods = set(methods)
    route.path_regex = re.compile(rf"{route.path_regex.pattern}\Z")
    return route


def _methods(endpoint: Endpoint[Any]) -> tuple[str, ...]:
    """Return the method of an endpoint, and HEAD where there is something to read that ends."""
    return READ if endpoint.method == "GET" and endpoint.reply_form != "events" else (endpoint.method,)


def _order(endpoint: Endpoint[Any]) -> int:
    """Return what sorts endpoints: the longest path first, so that what ends in /export is no name with a slash.

    Paths without names come before them, in the order of the table: so that the most frequent ones match first.
    """
    return -len(endpoint.path) if endpoint.path_fields else -1_000


def _route(methods: Collection[str], path: str, app: Any) -> Route:
    # A name with a slash reaches the grammar, which refuses it with the rule; an id with a slash is no id.
    template = re.sub(r"\{(?!job_id)(\w+)\}", r"{\1:path}", path)
    route = Route(template, app, methods=methods)
    route.methods = set(methods)  # Starlette adds HEAD to each GET
    # A longer path is no name with a slash, whatever its method; its own route says which are possible.
    longer = [each.path.removeprefix(path) for each in ENDPOINTS if each.path.startswith(f"{path}/")]
    beginning = re.escape(path.partition("{")[0])
    others = rf"(?!{beginning}.*(?:{'|'.join(map(re.escape, longer))})\Z)" if path.endswith("}") and longer else ""
    # Starlette's own pattern lets a line break stand behind the end.
    route.path_regex = re.compile(rf"{others}{route.path_regex.pattern}\Z")
    return route


async def _on_windrow_error(request: Request, error: Exception) -> Response:
    problem = cast(WindrowError, error)
    if isinstance(problem, AccessDenied):
        keys: Keys = request.app.state.keys
        keys.note_refusal(problem, request.scope["state"].get("verb", ""))
    if STATUSES[type(problem)] >= 500:
        exc_info = problem if isinstance(problem, _UNEXPECTED) else None
        _log.error(problem.code, detail=problem.told(HTTP), exc_info=exc_info)
    data_dir = context_of(request).settings.local_dir
    return problem_response(without_folder(problem, data_dir), request.state.request_id)


async def _on_http_exception(request: Request, error: Exception) -> Response:
    """Turn the framework's own refusals into problems."""
    refused = cast(HTTPException, error)
    problem = _refusal(request, refused)
    headers = dict(refused.headers or {})
    if isinstance(problem, MethodNotAllowed):
        headers["Allow"] = ", ".join(cast(list[str], problem.facts["allowed"]))
    return problem_response(problem, request.state.request_id, headers)


def _refusal(request: Request, refused: HTTPException) -> WindrowError:
    routes: Sequence[Route] = request.app.state.endpoints
    settings = context_of(request).settings
    if refused.status_code == 404:
        known = sorted(
            (route.path_format, method) for route in routes for method in (route.methods or set()) - {"HEAD"}
        )
        pages = [("/docs", "GET")] if settings.docs else []
        shown = [f"{method} {link(settings, path)}" for path, method in (*known, *pages)]
        near = near_names(request.url.path[:_LONGEST_PATH], (path for path, _ in known))[:1]
        hint = "; did you mean {near:joined}?" if near else "."
        return EndpointNotFound(
            f"No endpoint has this path{hint}{see_docs(settings, 'them all, with examples.')}",
            {"endpoints": shown, "near": [link(settings, each) for each in near]},
        )
    if refused.status_code == 405:
        allowed = _allowed_methods(routes, request.url.path, refused.headers or {})
        return MethodNotAllowed(
            "{method} is not possible here; use {methods}.",
            {"method": request.method, "allowed": allowed, "methods": " or ".join(allowed)},
        )
    return RequestRefused(f"{{why}}.{see_docs(settings, 'every endpoint.')}", {"why": refused.detail})


def _allowed_methods(routes: Sequence[Route], path: str, headers: Mapping[str, str]) -> list[str]:
    """Return the methods of the endpoints that a path means, if the names in it have no slash."""
    fitting = {
        method
        for route in routes
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", route.path_format), path)
        for method in route.methods or ()
    }
    return sorted(fitting) or sorted(headers.get("Allow", "GET").split(", "))
