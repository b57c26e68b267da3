"""The endpoints of aliases: promote, list, history, roll back, delete.

Owns their paths; knows nothing of where aliases are kept.
"""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from windrow.http.bodies import read_body, read_document, read_optional_body
from windrow.http.desk import answer, desk_of
from windrow.http.openapi import AliasName, accepts, takes
from windrow.wire.alias import (
    SAID,
    AliasDeleted,
    AliasHistory,
    AliasList,
    PromoteBody,
    PromoteReply,
    RollbackReply,
    SaidBody,
    read_said,
)

ALL, ONE = "/v1/classifier/aliases", "/v1/classifier/aliases/{alias:path}"
router = APIRouter(tags=["aliases"])


@router.get(ALL, response_model=AliasList)
async def aliases(request: Request) -> Response:
    """List every alias, sorted by name."""
    desk = desk_of(request)
    return await answer(request, lambda: AliasList.of(desk.operations.list_aliases()), desk.quick)


@router.put(ONE, openapi_extra=accepts(PromoteBody), response_model=PromoteReply)
async def promote(request: Request, alias: AliasName) -> Response:
    """Point an alias at a classifier, which is loaded before: each prediction comes from the old or the new one.

    Conditions are looked at first, on the same rows for both; unless each is met, nothing changes.
    """
    desk = desk_of(request)
    body = await read_body(request, desk.settings.max_body_bytes)

    def work() -> PromoteReply:
        asked = read_document(body, PromoteBody, lambda document: PromoteBody.read(document, desk.settings.limits))
        return PromoteReply.of(desk.operations.promote(asked.to_domain(alias)))

    return await answer(request, work, desk.chores)


@router.delete(ONE, openapi_extra=takes(SAID), response_model=AliasDeleted)
async def delete(request: Request, alias: AliasName) -> Response:
    """Take an alias away; what it points to stays, and so does its history."""
    desk, said = desk_of(request), read_said(request.query_params)

    def work() -> AliasDeleted:
        desk.operations.remove_alias(alias, said)
        return AliasDeleted(alias=alias)

    return await answer(request, work, desk.chores)


@router.get(f"{ONE}/history", response_model=AliasHistory)
async def history(request: Request, alias: AliasName) -> Response:
    """Show every change of an alias: who, when, from where, to where, and why."""
    desk = desk_of(request)
    return await answer(request, lambda: AliasHistory.of(alias, desk.operations.alias_history(alias)), desk.quick)


@router.post(f"{ONE}/rollback", openapi_extra=accepts(SaidBody, required=False), response_model=RollbackReply)
async def rollback(request: Request, alias: AliasName) -> Response:
    """Point an alias back to where it pointed before its last promotion; again goes one further back."""
    desk = desk_of(request)
    body = await read_optional_body(request, desk.settings.max_body_bytes)

    def work() -> RollbackReply:
        return RollbackReply.of(desk.operations.rollback(alias, read_document(body, SaidBody).to_domain()))

    return await answer(request, work, desk.chores)
