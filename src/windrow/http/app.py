"""The web application: routes, limits, errors and documentation put together.

Owns how the parts of the HTTP side fit; knows nothing of how a verb is done.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import structlog
from fastapi import FastAPI, Request
from fastapi.responses import Response
from fastapi_offline import FastAPIOffline
from pydantic.json_schema import models_json_schema
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from windrow import __version__
from windrow.domain.errors import ArtifactInvalid, BaseModelInvalid, TrainingFailed, WindrowError
from windrow.http.logs import RequestLog
from windrow.http.problems import (
    MEDIA_TYPE,
    STATUSES,
    EndpointNotFound,
    MethodNotAllowed,
    RequestRefused,
    problem_response,
)
from windrow.http.routes import Desk, endpoints, open_desk, router
from windrow.operations import LocalOperations
from windrow.settings import Settings
from windrow.wire.prediction import PredictBody
from windrow.wire.server import Problem
from windrow.wire.training import FitBody

DESCRIPTION = "Train text classifiers from a handful of labelled examples, and predict with them."
_log = structlog.get_logger()
UNEXPECTED = (ArtifactInvalid, BaseModelInvalid, TrainingFailed)


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
        exception_handlers={WindrowError: _on_windrow_error, HTTPException: _on_http_exception},
    )
    pages.state.desk = desk = open_desk(operations, settings)
    pages.include_router(router)
    _complete(pages.openapi())  # FastAPI keeps the document that it returns
    return Application(RequestLog(_ShortWay(pages), desk.metrics.observe), pages, desk)


class _ShortWay:
    """Calls an endpoint with a fixed path itself, and leaves every other request to FastAPI.

    FastAPI documents the endpoints, but none of what it does before it calls one is needed here, and it takes 0.2 ms.
    """

    def __init__(self, pages: FastAPI) -> None:
        self._pages = pages
        self._endpoints: Mapping[tuple[str, str], Callable[[Request], Awaitable[Response]]] = {
            key: route.endpoint for key, route in endpoints().items() if not route.param_convertors
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        endpoint = self._endpoints.get((scope.get("method", ""), scope.get("path", "")))
        if endpoint is None:
            await self._pages(scope, receive, send)
            return
        scope["app"] = self._pages
        request = Request(scope, receive)
        try:
            response = await endpoint(request)
        except WindrowError as error:
            response = await _on_windrow_error(request, error)
        await response(scope, receive, send)


def _complete(document: dict[str, Any]) -> None:
    """Add what FastAPI cannot know to the OpenAPI document: bodies, which the routes read themselves, and problems."""
    _, definitions = models_json_schema(
        [(FitBody, "validation"), (PredictBody, "validation"), (Problem, "validation")],
        ref_template="#/components/schemas/{model}",
    )
    schemas = document["components"]["schemas"]
    schemas |= definitions["$defs"]
    schemas.pop("HTTPValidationError", None)  # FastAPI's own form of a refusal, which is never sent
    schemas.pop("ValidationError", None)
    problem = {"schema": {"$ref": "#/components/schemas/Problem"}}
    for path in document["paths"].values():
        for verb in path.values():
            verb["responses"].pop("422", None)
            verb["responses"]["default"] = {"description": "A problem", "content": {MEDIA_TYPE: problem}}


async def _on_windrow_error(request: Request, error: Exception) -> Response:
    problem = cast(WindrowError, error)
    if STATUSES[type(problem)] >= 500:
        # What an operator must mend (a full disk, a missing base model) is said by the detail; a traceback helps only
        # where something is broken that should not be.
        _log.error(problem.code, detail=problem.detail, exc_info=problem if isinstance(problem, UNEXPECTED) else None)
    return problem_response(problem, request.state.request_id)


async def _on_http_exception(request: Request, error: Exception) -> Response:
    """Turn the framework's own refusals into problems."""
    refused = cast(HTTPException, error)
    return problem_response(_refusal(request, refused), request.state.request_id, refused.headers)


def _refusal(request: Request, refused: HTTPException) -> WindrowError:
    if refused.status_code == 404:
        known = _endpoints(request.app)
        return EndpointNotFound(f"No endpoint has this path. Known are: {', '.join(known)}.", {"endpoints": known})
    if refused.status_code == 405:
        allowed = (refused.headers or {}).get("Allow", "")
        return MethodNotAllowed(
            f"{request.method} is not possible here; use {allowed}.", {"allowed": allowed.split(", ")}
        )
    return RequestRefused(f"{refused.detail}. /docs shows every endpoint.")


def _endpoints(app: FastAPI) -> list[str]:
    paths = app.openapi()["paths"].items()
    return [f"{method.upper()} {path}" for path, verbs in paths for method in verbs] + ["GET /docs"]
