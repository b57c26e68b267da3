"""The endpoint that trains, that begins a training, or that says what one will take.

Owns its path, and what of a training takes a thread here; knows nothing of how a classifier is trained.
"""

import asyncio
import time
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from windrow.domain.classifier import FitRequest
from windrow.http.bodies import read_body, read_document
from windrow.http.desk import Desk, answer, desk_of, in_thread, note_timings, reply, timed
from windrow.http.openapi import accepts, takes
from windrow.wire.job import FIT, ForecastReply, JobEntry
from windrow.wire.queries import read_flag
from windrow.wire.training import FitBody, FitReply

_BEGUN: dict[int | str, dict[str, Any]] = {202: {"description": "The training has begun", "model": JobEntry}}
router = APIRouter(tags=["train and predict"])


@router.post(
    "/v1/classifier/fit",
    openapi_extra=accepts(FitBody) | takes(FIT),
    response_model=FitReply | ForecastReply,
    responses=_BEGUN,
)
async def fit(request: Request) -> Response:
    """Train a classifier and save it. A name that exists goes on answering as before until the training is saved."""
    desk, query = desk_of(request), request.query_params
    body = await read_body(request, desk.settings.max_body_bytes)
    is_awaited = read_flag(query, "wait", default=True)
    if read_flag(query, "dry_run"):
        return await answer(request, lambda: ForecastReply.of(desk.operations.forecast(_read(desk, body))), desk.fits)
    return await (_train if is_awaited else _begin)(request, body)


async def _train(request: Request, body: bytes) -> Response:
    """Train; while the training waits and runs, no thread is held for it here."""
    desk, asked_at = desk_of(request), time.perf_counter()
    _, result = await in_thread(lambda: desk.operations.begin_fit(_read(desk, body)), desk.fits)
    begun_at = time.perf_counter()
    fitted = await asyncio.wrap_future(result)
    note_timings(request, begun_at - asked_at, time.perf_counter() - begun_at)
    return reply(FitReply.of(fitted))


async def _begin(request: Request, body: bytes) -> Response:
    """Begin a training that goes on when the answer is sent."""
    desk = desk_of(request)
    job = await timed(request, lambda: desk.operations.start_fit(_read(desk, body)), desk.fits)
    begun = reply(JobEntry.of(job), 202)
    begun.headers["Location"] = f"/v1/classifier/jobs/{job.id}"
    return begun


def _read(desk: Desk, body: bytes) -> FitRequest:
    limits = desk.settings.limits
    return read_document(body, FitBody, lambda document: FitBody.read(document, limits)).to_domain()
