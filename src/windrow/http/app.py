"""The web application: a route for each endpoint of the table, the pages beside them, and what errors become."""

import re
from collections.abc import Mapping, Sequence
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
from windrow.api.words import HTTP
from windrow.domain.errors import InvalidArtifact, InvalidBaseModel, TrainingFailed, WindrowError
from windrow.http.context import create_context
from windrow.http.endpoint import VerbApp
from windrow.http.logs import RequestLog
from windrow.http.metrics import Metrics
from windrow.http.pages import docs_files, health, show_docs, show_metrics, show_openapi
from windrow.http.problems import STATUSES, EndpointNotFound, MethodNotAllowed, RequestRefused, problem_response
from windrow.operations import LocalOperations
from windrow.settings import Settings

# What an operator must mend (a full disk, a missing base model) is said by the detail; a traceback helps only where
# something is broken that should not be.
_UNEXPECTED: Final = (InvalidArtifact, InvalidBaseModel, TrainingFailed)
_log = structlog.get_logger()


def create_app(operations: LocalOperations, settings: Settings) -> Starlette:
    """Return the application; ``app.state.context.close()`` lets its threads end.

    Args:
        operations: Does the verbs.
        settings: Limits.
    """
    routes = endpoint_routes()
    endpoints = [(method, route.path_format) for route in routes for method in route.methods or ()]
    context = create_context(operations, settings, Metrics(operations.server_stats, endpoints))
    app = Starlette(
        routes=[
            *routes,
            _route("GET", "/docs", show_docs),
            _route("GET", "/openapi.json", show_openapi),
            *(_route(method, path, show) for path, show in docs_files().items() for method in ("GET", "HEAD")),
        ],
        middleware=[Middleware(RequestLog, context.metrics.observe)],
        exception_handlers={WindrowError: _on_windrow_error, HTTPException: _on_http_exception},
    )
    app.router.redirect_slashes = False
    app.state.context = context
    app.state.endpoints = routes
    return app


def endpoint_routes() -> list[Route]:
    """Return a route for each method and path of the table, and those for whoever watches the server."""
    grouped = groupby(sorted(ENDPOINTS, key=_order), lambda each: (each.method, each.path))
    routes = [_route(method, path, VerbApp(tuple(group))) for (method, path), group in grouped]
    pages = (("GET", "/health", health), ("HEAD", "/health", health), ("GET", "/metrics", show_metrics))
    return [*routes, *(_route(method, path, page) for method, path, page in pages)]


def _order(endpoint: Endpoint[Any]) -> int:
    """Return what sorts endpoints: the longest path first, so that what ends in /export is no name with a slash.

    Paths without names come before them, in the order of the table: what is asked most is found first.
    """
    return -len(endpoint.path) if endpoint.path_fields else -1_000


def _route(method: str, path: str, app: Any) -> Route:
    # A name with a slash reaches the grammar, which refuses it with the rule; an id with a slash is no id.
    template = re.sub(r"\{(?!job_id)(\w+)\}", r"{\1:path}", path)
    route = Route(template, app, methods=[method])
    route.methods = {method}  # Starlette adds HEAD to each GET
    # Starlette's own pattern lets a line break stand behind the end.
    route.path_regex = re.compile(rf"{route.path_regex.pattern}\Z")
    return route


async def _on_windrow_error(request: Request, error: Exception) -> Response:
    problem = cast(WindrowError, error)
    if STATUSES[type(problem)] >= 500:
        exc_info = problem if isinstance(problem, _UNEXPECTED) else None
        _log.error(problem.code, detail=problem.told(HTTP), exc_info=exc_info)
    return problem_response(problem, request.state.request_id)


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
    if refused.status_code == 404:
        known = sorted((route.path_format, method) for route in routes for method in route.methods or ())
        shown = [f"{method} {path}" for path, method in (*known, ("/docs", "GET"))]
        return EndpointNotFound("No endpoint has this path. Known are: {endpoints:joined}.", {"endpoints": shown})
    if refused.status_code == 405:
        allowed = _allowed_methods(routes, request.url.path, refused.headers or {})
        return MethodNotAllowed(
            "{method} is not possible here; use {methods}.",
            {"method": request.method, "allowed": allowed, "methods": " or ".join(allowed)},
        )
    return RequestRefused("{why}. /docs shows every endpoint.", {"why": refused.detail})


def _allowed_methods(routes: Sequence[Route], path: str, headers: Mapping[str, str]) -> list[str]:
    """Return the methods of the endpoints that a path means, if the names in it have no slash."""
    fitting = {
        method
        for route in routes
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", route.path_format), path)
        for method in route.methods or ()
    }
    return sorted(fitting) or headers.get("Allow", "GET").split(", ")
