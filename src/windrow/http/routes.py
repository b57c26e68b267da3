"""The endpoints: one short function a verb.

Owns paths and methods; knows nothing of how a verb is done, of statuses or of log lines.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any, TypeVar, cast

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Path, Request
from fastapi.responses import Response
from pydantic import BaseModel, ValidationError

from windrow import __version__
from windrow.domain.dataset import DataLimits
from windrow.http.bodies import invalid_request, parse_json, read_body, without_flood
from windrow.operations import Operations
from windrow.wire import (
    EXAMPLE_NAME,
    Deleted,
    FitBody,
    FitReply,
    Health,
    ModelList,
    PredictBody,
    PredictReply,
)

QUICK_THREADS = 40
FIT_THREADS = 40
Shape = TypeVar("Shape", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Desk:
    """What the endpoints work with.

    Args:
        operations: Does the verbs.
        limits: The limits on training rows.
        quick: Threads for everything but fits.
        fits: Threads for fits; most of them wait for their turn, and none of the quick verbs waits behind them.
    """

    operations: Operations
    limits: DataLimits
    quick: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(QUICK_THREADS))
    fits: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(FIT_THREADS))


router = APIRouter()


def _accepts(shape: type[BaseModel]) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{shape.__name__}"}}}
    return {"requestBody": {"required": True, "content": content}}


@router.post("/v1/classifier/fit", openapi_extra=_accepts(FitBody), response_model=FitReply, tags=["classifier"])
async def fit(request: Request) -> Response:
    """Train a classifier and save it. A name that exists goes on answering as before until the training is saved."""
    body = await read_body(request)
    desk = _desk(request)

    def work() -> FitReply:
        asked = _read(body, FitBody, lambda document: FitBody.read(document, desk.limits))
        return FitReply.of(desk.operations.fit(asked.to_domain()))

    return await _answer(request, work, desk.fits)


@router.post(
    "/v1/classifier/predict", openapi_extra=_accepts(PredictBody), response_model=PredictReply, tags=["classifier"]
)
async def predict(request: Request) -> Response:
    """Classify one text."""
    body = await read_body(request)
    desk = _desk(request)

    def work() -> PredictReply:
        asked = _read(body, PredictBody, PredictBody.model_validate)
        return PredictReply.of(desk.operations.predict(asked.model_name, asked.text))

    return await _answer(request, work, desk.quick)


@router.get("/v1/classifier/models", response_model=ModelList, tags=["classifier"])
async def models(request: Request) -> Response:
    """List every classifier, sorted by name."""
    desk = _desk(request)
    return await _answer(request, lambda: ModelList.of(desk.operations.list_classifiers()), desk.quick)


# The path converter lets a name with a slash reach the grammar, which refuses it with the rule.
@router.delete("/v1/classifier/models/{name:path}", response_model=Deleted, tags=["classifier"])
async def delete(
    request: Request, name: Annotated[str, Path(description="The classifier's name.", examples=[EXAMPLE_NAME])]
) -> Response:
    """Delete a classifier, at once."""
    desk = _desk(request)

    def work() -> Deleted:
        desk.operations.delete(name)
        return Deleted(model_name=name)

    return await _answer(request, work, desk.quick)


@router.head("/health", include_in_schema=False)
@router.get("/health", response_model=Health, tags=["server"])
async def health() -> Response:
    """Say that the server answers."""
    return _reply(Health(version=__version__))


def _desk(request: Request) -> Desk:
    return cast(Desk, request.app.state.desk)


def _read(body: bytes, shape: type[Shape], validate: Callable[[object], Shape]) -> Shape:
    try:
        return validate(without_flood(parse_json(body), shape))
    except ValidationError as error:
        raise invalid_request(error, shape) from error


async def _answer(request: Request, work: Callable[[], BaseModel], threads: CapacityLimiter) -> Response:
    """Do the work in a thread, and leave its stage timings for the log line."""
    asked = time.perf_counter()

    def timed() -> Response:
        began = time.perf_counter()
        reply = _reply(work())
        wait_ms, work_ms = (began - asked) * 1e3, (time.perf_counter() - began) * 1e3
        request.state.timings = {"wait_ms": round(wait_ms, 2), "work_ms": round(work_ms, 2)}
        return reply

    # A cancelled request (the server stops and its patience is over) must not wait for its thread.
    return await to_thread.run_sync(timed, limiter=threads, abandon_on_cancel=True)


def _reply(shape: BaseModel) -> Response:
    # The line end keeps a terminal's prompt off the answer's line.
    return Response(shape.model_dump_json() + "\n", media_type="application/json")
