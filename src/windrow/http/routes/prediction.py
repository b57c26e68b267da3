"""The endpoint that predicts.

Owns its path, and what of a prediction takes a thread; knows nothing of how an answer is computed.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any, TypeVar

from fastapi import APIRouter, Request
from fastapi.responses import Response

from windrow.domain.prediction import IsWanted
from windrow.http.bodies import read_body, read_document
from windrow.http.desk import Desk, departure_of, desk_of, in_thread, note_timings, reply
from windrow.http.openapi import accepts
from windrow.wire.prediction import EXAMPLES, ClassifiersReply, PredictBody, PredictReply, TextsReply

# A body of this size is read in less time than a thread takes to begin.
SMALL_BODY_BYTES = 4_096
Done = TypeVar("Done")
router = APIRouter(tags=["train and predict"])


def _examples(side: int) -> dict[str, Any]:
    return {form: {"value": example[side]} for form, example in EXAMPLES.items()}


@router.post(
    "/v1/classifier/predict",
    openapi_extra=accepts(PredictBody, examples=_examples(0)),
    response_model=PredictReply | TextsReply | ClassifiersReply,
    responses={200: {"content": {"application/json": {"examples": _examples(1)}}}},
)
async def predict(request: Request) -> Response:
    """Classify a text, many texts (texts in place of text), or a text by many classifiers (model_names)."""
    desk = desk_of(request)
    body = await read_body(request, desk.settings.max_body_bytes)
    async with departure_of(request) as is_wanted:
        return await _predict(request, body, is_wanted)


async def _predict(request: Request, body: bytes, is_wanted: IsWanted) -> Response:
    """Predict, with a thread only for what takes time: a large body or reply, or a classifier that must be loaded."""
    desk, asked_at = desk_of(request), time.perf_counter()
    is_small = len(body) <= SMALL_BODY_BYTES
    asked = await _run(desk, is_small, lambda: read_document(body, PredictBody))
    question = asked.to_domain()
    at_once = is_small and desk.operations.starts_at_once(question)
    answer = await _run(desk, at_once, lambda: desk.operations.start_predict(question, is_wanted))
    started_at = time.perf_counter()
    predictions = await asyncio.wrap_future(answer)
    note_timings(request, started_at - asked_at, time.perf_counter() - started_at)
    return await _run(desk, len(predictions) == 1, lambda: reply(asked.reply(predictions)))


async def _run(desk: Desk, at_once: bool, work: Callable[[], Done]) -> Done:
    """Do some work here or, where it is not done at once, in a thread."""
    return work() if at_once else await in_thread(work, desk.predictions)
