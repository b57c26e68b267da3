"""The endpoints for whoever looks after the disk: base models, usage, and a check of everything.

Owns their paths; knows nothing of folders or of how anything is found.
"""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from windrow.http.bodies import read_document, read_optional_body
from windrow.http.desk import answer, desk_of
from windrow.http.openapi import BaseModelPath, accepts
from windrow.wire.base_models import BaseModelDeleted, BaseModelList
from windrow.wire.checkup import CheckBody, CheckReply
from windrow.wire.usage import UsageReply

router = APIRouter(tags=["base models and disk"])


@router.get("/v1/classifier/base-models", response_model=BaseModelList)
async def base_models(request: Request) -> Response:
    """List the base models on this machine, and how many classifiers use each."""
    desk = desk_of(request)
    return await answer(request, lambda: BaseModelList.of(desk.operations.base_models()), desk.surveys)


@router.delete("/v1/classifier/base-models/{base_model:path}", response_model=BaseModelDeleted)
async def delete(request: Request, base_model: BaseModelPath) -> Response:
    """Remove a base model that no classifier uses from this machine."""
    desk = desk_of(request)

    def work() -> BaseModelDeleted:
        return BaseModelDeleted(base_model=base_model, freed_bytes=desk.operations.remove_base_model(base_model))

    return await answer(request, work, desk.surveys)


@router.get("/v1/classifier/usage", response_model=UsageReply)
async def usage(request: Request) -> Response:
    """Show what everything takes on the disk, in bytes: shared, of each classifier, and in all."""
    desk = desk_of(request)
    return await answer(request, lambda: UsageReply.of(desk.operations.usage()), desk.surveys)


@router.post("/v1/classifier/fsck", openapi_extra=accepts(CheckBody, required=False), response_model=CheckReply)
async def fsck(request: Request) -> Response:
    """Read the whole data directory and check every digest; with repair, remove garbage."""
    desk = desk_of(request)
    body = await read_optional_body(request, desk.settings.max_body_bytes)

    def work() -> CheckReply:
        return CheckReply.of(desk.operations.fsck(repair=read_document(body, CheckBody).repair))

    return await answer(request, work, desk.surveys)
