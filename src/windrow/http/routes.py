"""The endpoints: one short function a verb, from a request to a response.

Owns paths, methods and the threads that the verbs run in; knows nothing of how a verb is done, of statuses or of logs.
"""

import asyncio
import contextvars
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar, cast

from fastapi import APIRouter, Path, Request
from fastapi.responses import PlainTextResponse, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError
from starlette.types import Receive

from windrow import __version__
from windrow.domain.listing import DEFAULT_PAGE_SIZE, PAGE_SIZE_RANGE
from windrow.domain.prediction import IsWanted
from windrow.http.bodies import invalid_request, parse_json, read_body, without_flood
from windrow.http.metrics import Metrics
from windrow.operations import LocalOperations
from windrow.settings import Settings
from windrow.wire.listing import Deleted, ModelList, ModelPage, read_page
from windrow.wire.prediction import EXAMPLES, ClassifiersReply, PredictBody, PredictReply, TextsReply
from windrow.wire.server import Health
from windrow.wire.shapes import EXAMPLE_NAME
from windrow.wire.training import FitBody, FitReply

FIT_THREADS = 40
QUICK_THREADS = 8
# For predictions that must load a classifier or read a large body; none of them waits for the encoder.
PREDICT_THREADS = 40
# A body of this size is read in less time than a thread takes to begin.
SMALL_BODY_BYTES = 4_096
Shape = TypeVar("Shape", bound=BaseModel)
Done = TypeVar("Done")


@dataclass(frozen=True, slots=True)
class Desk:
    """What the endpoints work with. Made by :func:`open_desk`.

    Args:
        operations: Does the verbs.
        settings: Limits.
        metrics: The server's figures.
        quick: Threads for what must answer also when the others are busy.
        predictions: Threads for predictions that take their time before they are encoded.
        fits: Threads for fits; most of them wait for their turn, and none of the quick verbs waits behind them.
    """

    operations: LocalOperations
    settings: Settings
    metrics: Metrics
    quick: ThreadPoolExecutor
    predictions: ThreadPoolExecutor
    fits: ThreadPoolExecutor

    def close(self) -> None:
        """Let the threads end once they have nothing to do."""
        self.quick.shutdown(wait=False)
        self.predictions.shutdown(wait=False)
        self.fits.shutdown(wait=False)


def open_desk(operations: LocalOperations, settings: Settings) -> Desk:
    """Return what the endpoints work with."""
    return Desk(
        operations,
        settings,
        Metrics(operations.vitals, endpoints()),
        quick=ThreadPoolExecutor(QUICK_THREADS, "quick"),
        predictions=ThreadPoolExecutor(PREDICT_THREADS, "predict"),
        fits=ThreadPoolExecutor(FIT_THREADS, "fit"),
    )


router = APIRouter()


def endpoints() -> dict[tuple[str, str], APIRoute]:
    """Return every endpoint by its method and its path template."""
    routes = [route for route in router.routes if isinstance(route, APIRoute)]
    return {(method, route.path_format): route for route in routes for method in route.methods or ()}


def _accepts(shape: type[BaseModel], **more: Any) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{shape.__name__}"}, **more}}
    return {"requestBody": {"required": True, "content": content}}


def _examples(side: int) -> dict[str, Any]:
    return {form: {"value": example[side]} for form, example in EXAMPLES.items()}


def _query(name: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}


@router.post("/v1/classifier/fit", openapi_extra=_accepts(FitBody), response_model=FitReply, tags=["classifier"])
async def fit(request: Request) -> Response:
    """Train a classifier and save it. A name that exists goes on answering as before until the training is saved."""
    desk = _desk(request)
    body = await read_body(request, desk.settings.max_body_bytes)

    def work() -> Response:
        asked = _read(body, FitBody, lambda document: FitBody.read(document, desk.settings.limits))
        return _reply(FitReply.of(desk.operations.fit(asked.to_domain())))

    return await _answer(request, work, desk.fits)


@router.post(
    "/v1/classifier/predict",
    openapi_extra=_accepts(PredictBody, examples=_examples(0)),
    response_model=PredictReply | TextsReply | ClassifiersReply,
    responses={200: {"content": {"application/json": {"examples": _examples(1)}}}},
    tags=["classifier"],
)
async def predict(request: Request) -> Response:
    """Classify a text, many texts (texts in place of text), or a text by many classifiers (model_names)."""
    desk = _desk(request)
    body = await read_body(request, desk.settings.max_body_bytes)
    departure = asyncio.create_task(_wait_for_departure(request.receive))
    try:
        return await _predict(request, body, lambda: not departure.done())
    finally:
        departure.cancel()


@router.get(
    "/v1/classifier/models",
    openapi_extra={
        "parameters": [
            _query(
                "limit",
                f"The most classifiers on a page; {DEFAULT_PAGE_SIZE} with cursor alone. Without both: all.",
                {"type": "integer", "minimum": PAGE_SIZE_RANGE[0], "maximum": PAGE_SIZE_RANGE[1]},
            ),
            _query("cursor", "The next_cursor of the page before.", {"type": "string"}),
        ]
    },
    response_model=ModelList | ModelPage,
    tags=["classifier"],
)
async def models(request: Request) -> Response:
    """List every classifier, or a page of them, sorted by name."""
    desk, parameters = _desk(request), request.query_params

    def work() -> Response:
        page = read_page(parameters.get("limit"), parameters.get("cursor"))
        listing = desk.operations.list_classifiers(page)
        return _reply(ModelList.of(listing) if page.is_whole_list else ModelPage.of(listing))

    return await _answer(request, work, desk.quick)


# The path converter lets a name with a slash reach the grammar, which refuses it with the rule.
@router.delete("/v1/classifier/models/{name:path}", response_model=Deleted, tags=["classifier"])
async def delete(
    request: Request, name: Annotated[str, Path(description="The classifier's name.", examples=[EXAMPLE_NAME])]
) -> Response:
    """Delete a classifier, at once."""
    desk = _desk(request)

    def work() -> Response:
        desk.operations.delete(name)
        return _reply(Deleted(model_name=name))

    return await _answer(request, work, desk.quick)


@router.head("/health", include_in_schema=False)
@router.get("/health", response_model=Health, tags=["server"])
async def health(request: Request) -> Response:  # noqa: ARG001 - each endpoint takes its request
    """Say that the server answers."""
    return _reply(Health(version=__version__))


@router.get("/metrics", response_class=PlainTextResponse, tags=["server"])
async def metrics(request: Request) -> Response:
    """Show how long requests take and how busy the server is, for Prometheus."""
    desk = _desk(request)

    def work() -> Response:
        content, media_type = desk.metrics.render(request.headers.get("accept", ""))
        return Response(content, media_type=media_type)

    return await _answer(request, work, desk.quick)


def _desk(request: Request) -> Desk:
    return cast(Desk, request.app.state.desk)


def _read(body: bytes, shape: type[Shape], validate: Callable[[object], Shape]) -> Shape:
    try:
        return validate(without_flood(parse_json(body), shape))
    except ValidationError as error:
        raise invalid_request(error, shape) from error


async def _answer(request: Request, work: Callable[[], Response], threads: ThreadPoolExecutor) -> Response:
    """Do the work in a thread, and leave its stage timings for the log line."""
    asked = time.perf_counter()

    def timed() -> Response:
        began = time.perf_counter()
        response = work()
        _note_timings(request, began - asked, time.perf_counter() - began)
        return response

    return await _in_thread(timed, threads)


def _note_timings(request: Request, wait_s: float, work_s: float) -> None:
    """Leave for the log line how long a request waited for its work to begin, and how long that took."""
    request.state.timings = {"wait_ms": round(wait_s * 1e3, 2), "work_ms": round(work_s * 1e3, 2)}


async def _in_thread(work: Callable[[], Done], threads: ThreadPoolExecutor) -> Done:
    # Log lines of the thread carry the request's id, too. A cancelled request (the server stops and its patience is
    # over) does not wait for its thread.
    return await asyncio.get_running_loop().run_in_executor(threads, contextvars.copy_context().run, work)


async def _predict(request: Request, body: bytes, is_wanted: IsWanted) -> Response:
    """Predict, with a thread only for what takes time: a large body or reply, or a classifier that must be loaded."""
    desk, asked_at = _desk(request), time.perf_counter()
    is_small = len(body) <= SMALL_BODY_BYTES
    asked = await _run(desk, is_small, lambda: _read(body, PredictBody, PredictBody.model_validate))
    question = asked.to_domain()
    at_once = is_small and desk.operations.starts_at_once(question)
    answer = await _run(desk, at_once, lambda: desk.operations.start_predict(question, is_wanted))
    started_at = time.perf_counter()
    predictions = await asyncio.wrap_future(answer)
    _note_timings(request, started_at - asked_at, time.perf_counter() - started_at)
    return await _run(desk, len(predictions) == 1, lambda: _reply(asked.reply(predictions)))


async def _run(desk: Desk, at_once: bool, work: Callable[[], Done]) -> Done:
    """Do some work here or, where it is not done at once, in a thread."""
    return work() if at_once else await _in_thread(work, desk.predictions)


async def _wait_for_departure(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _reply(shape: BaseModel) -> Response:
    # The line end keeps a terminal's prompt off the answer's line.
    return Response(shape.model_dump_json() + "\n", media_type="application/json")
