"""The endpoint that trains.

Owns its path; knows nothing of how a classifier is trained.
"""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from windrow.http.bodies import read_body, read_document
from windrow.http.desk import answer, desk_of
from windrow.http.openapi import accepts
from windrow.wire.training import FitBody, FitReply

router = APIRouter(tags=["train and predict"])


@router.post("/v1/classifier/fit", openapi_extra=accepts(FitBody), response_model=FitReply)
async def fit(request: Request) -> Response:
    """Train a classifier and save it. A name that exists goes on answering as before until the training is saved."""
    desk = desk_of(request)
    body = await read_body(request, desk.settings.max_body_bytes)

    def work() -> FitReply:
        asked = read_document(body, FitBody, lambda document: FitBody.read(document, desk.settings.limits))
        return FitReply.of(desk.operations.fit(asked.to_domain()))

    return await answer(request, work, desk.fits)
