"""The web application: endpoints, limits, errors and documentation put together.

Owns how the parts of the HTTP side fit; knows nothing of how a verb is done.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import Response
from fastapi.routing import APIRoute
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException
from starlette.routing import compile_path
from starlette.types import ASGIApp, Receive, Scope, Send

from windrow import __version__
from windrow.domain.errors import WindrowError
from windrow.http.desk import Desk, open_desk
from windrow.http.front import Front
from windrow.http.logs import RequestLog
from windrow.http.metrics import Metrics
from windrow.http.openapi import Endpoints, complete
from windrow.http.problems import EndpointNotFound, MethodNotAllowed, RequestRefused, problem_response
from windrow.http.routes import aliases, archives, classifiers, jobs, judging, prediction, server, training, upkeep
from windrow.operations import LocalOperations
from windrow.settings import Settings

DESCRIPTION = "Train text classifiers from a handful of labelled examples, and predict with them."
PARTS = (training, jobs, prediction, judging, classifiers, archives, aliases, upkeep, server)
ROUTERS = tuple(part.router for part in PARTS)


@dataclass(frozen=True, slots=True)
class Application:
    """The ASGI application. Made by :func:`create_app`.

    Args:
        asgi: Answers requests.
        pages: Documents the endpoints.
        desk: What the endpoints work with.
    """

    asgi: ASGIApp
    pages: FastAPI
    desk: Desk

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        await self.asgi(scope, receive, send)

    def close(self) -> None:
        """Let the threads end."""
        self.desk.close()


def create_app(operations: LocalOperations, settings: Settings) -> Application:
    """Return the application.

    Args:
        operations: Does the verbs.
        settings: Limits.
    """
    pages: FastAPI = FastAPIOffline(
        redoc_url=None,
        title="Windrow",
        version=__version__,
        description=DESCRIPTION,
        redirect_slashes=False,
        swagger_ui_parameters={"validatorUrl": None, "tryItOutEnabled": True},
        exception_handlers={HTTPException: _on_http_exception},
    )
    for router in ROUTERS:
        pages.include_router(router)
    endpoints = _endpoints(ROUTERS)
    complete(pages.openapi(), endpoints)  # FastAPI keeps the document that it returns
    pages.state.desk = desk = open_desk(operations, settings, Metrics(operations.vitals, endpoints))
    return Application(RequestLog(Front(pages, endpoints), desk.metrics.observe), pages, desk)


def _endpoints(routers: Sequence[APIRouter]) -> Endpoints:
    routes = [route for router in routers for route in router.routes if isinstance(route, APIRoute)]
    return {(method, route.path_format): route for route in routes for method in route.methods or ()}


async def _on_http_exception(request: Request, error: Exception) -> Response:
    """Turn the framework's own refusals into problems."""
    refused = cast(HTTPException, error)
    problem = _refusal(request, refused)
    headers = dict(refused.headers or {})
    if isinstance(problem, MethodNotAllowed):
        headers["Allow"] = ", ".join(cast(list[str], problem.facts["allowed"]))
    return problem_response(problem, request.state.request_id, headers)


def _refusal(request: Request, refused: HTTPException) -> WindrowError:
    if refused.status_code == 404:
        known = _known_endpoints(request.app)
        return EndpointNotFound(f"No endpoint has this path. Known are: {', '.join(known)}.", {"endpoints": known})
    if refused.status_code == 405:
        allowed = _allowed_methods(request.url.path) or (refused.headers or {}).get("Allow", "").split(", ")
        return MethodNotAllowed(
            f"{request.method} is not possible here; use {' or '.join(allowed)}.", {"allowed": allowed}
        )
    return RequestRefused(f"{refused.detail}. /docs shows every endpoint.")


def _allowed_methods(path: str) -> list[str]:
    """Return the methods of the endpoints that a path means, if the names in it have no slash."""
    fitting = {key for key in _endpoints(ROUTERS) if compile_path(key[1])[0].match(path)}
    return sorted(method for method, _ in fitting)


def _known_endpoints(app: FastAPI) -> list[str]:
    paths = app.openapi()["paths"].items()
    return [f"{method.upper()} {path}" for path, verbs in paths for method in verbs] + ["GET /docs"]
