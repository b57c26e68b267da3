"""The endpoints that judge: evaluate, compare, cross-validate, and what to label next.

Owns their paths; knows nothing of how a figure is computed.
"""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from windrow.domain.prediction import IsWanted
from windrow.http.bodies import read_body, read_document
from windrow.http.desk import answer, answer_while_wanted, desk_of
from windrow.http.openapi import accepts
from windrow.wire.comparison import CompareBody, CompareReply
from windrow.wire.cross_validation import CrossValidateBody, CrossValidateReply
from windrow.wire.report import EvaluateBody, EvaluateReply
from windrow.wire.suggestion import SuggestBody, SuggestReply

router = APIRouter(tags=["judge"])


@router.post("/v1/classifier/evaluate", openapi_extra=accepts(EvaluateBody), response_model=EvaluateReply)
async def evaluate(request: Request) -> Response:
    """Judge a classifier by labelled rows that it has not seen, and keep the score with it."""
    desk = desk_of(request)
    body = await read_body(request, desk.settings.max_body_bytes)

    def work() -> EvaluateReply:
        asked = read_document(body, EvaluateBody, lambda document: EvaluateBody.read(document, desk.settings.limits))
        return EvaluateReply.of(desk.operations.evaluate(asked.to_domain()))

    return await answer(request, work, desk.examinations)


@router.post("/v1/classifier/compare", openapi_extra=accepts(CompareBody), response_model=CompareReply)
async def compare(request: Request) -> Response:
    """Judge several classifiers by the same rows, pair by pair, and say which to promote."""
    desk = desk_of(request)
    body = await read_body(request, desk.settings.max_body_bytes)

    def work() -> CompareReply:
        asked = read_document(body, CompareBody, lambda document: CompareBody.read(document, desk.settings.limits))
        return CompareReply.of(desk.operations.compare(asked.to_domain()))

    return await answer(request, work, desk.examinations)


@router.post(
    "/v1/classifier/cross-validate", openapi_extra=accepts(CrossValidateBody), response_model=CrossValidateReply
)
async def cross_validate(request: Request) -> Response:
    """Judge a training on rows by trainings on parts of them; no classifier is made."""
    desk = desk_of(request)
    body, limits = await read_body(request, desk.settings.max_body_bytes), desk.settings.limits

    def work(is_wanted: IsWanted) -> CrossValidateReply:
        asked = read_document(body, CrossValidateBody, lambda document: CrossValidateBody.read(document, limits))
        return CrossValidateReply.of(desk.operations.cross_validate(asked.to_domain(), is_wanted))

    return await answer_while_wanted(request, work, desk.fits)


@router.post("/v1/classifier/suggest", openapi_extra=accepts(SuggestBody), response_model=SuggestReply)
async def suggest(request: Request) -> Response:
    """Choose the texts that are worth labelling: likely new classes first, then what is uncertain."""
    desk = desk_of(request)
    body = await read_body(request, desk.settings.max_body_bytes)

    def work() -> SuggestReply:
        return SuggestReply.of(desk.operations.suggest(read_document(body, SuggestBody).to_domain()))

    return await answer(request, work, desk.examinations)
