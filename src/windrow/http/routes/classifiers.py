"""The endpoints of the classifiers that exist: list, show, describe, delete, restore, reproduce.

Owns their paths; knows nothing of where classifiers are kept.
"""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from windrow.domain.prediction import IsWanted
from windrow.http.bodies import read_body, read_document, read_optional_body
from windrow.http.desk import answer, answer_while_wanted, desk_of
from windrow.http.openapi import ClassifierName, ClassifierReference, RevisionReference, accepts, takes
from windrow.wire.classifier import DescribeBody, ModelDetails, ModelRecord, RestoreReply
from windrow.wire.deletion import DELETE, DELETE_ALL, Deleted, DeletedMany
from windrow.wire.listing import LIST, ModelList, ModelPage, RecordPage, read_page, read_selection, show_listing
from windrow.wire.queries import read_flag
from windrow.wire.reproduction import ReproduceReply
from windrow.wire.shapes import NoBody

# The path converter, here and elsewhere, lets a name with a slash reach the grammar, which refuses it with the rule.
ALL, ONE = "/v1/classifier/models", "/v1/classifier/models/{name:path}"
router = APIRouter(tags=["classifiers"])


@router.get(ALL, openapi_extra=takes(LIST), response_model=ModelList | ModelPage | RecordPage)
async def models(request: Request) -> Response:
    """List every classifier, or a part of them: sorted by name, unless sort or task says otherwise."""
    desk, query = desk_of(request), request.query_params

    def work() -> ModelList | RecordPage:
        page, full = read_page(query), read_flag(query, "full")
        return show_listing(desk.operations.list_classifiers(page), page, full)

    return await answer(request, work, desk.quick)


@router.delete(ALL, openapi_extra=takes(DELETE_ALL), response_model=DeletedMany)
async def delete_all(request: Request) -> Response:
    """Delete every classifier of a selection, or none if one of them may not be deleted."""
    desk, query = desk_of(request), request.query_params

    def work() -> DeletedMany:
        flags = {name: read_flag(query, name) for name in ("purge", "force", "dry_run")}
        return DeletedMany.of(desk.operations.delete_all(read_selection(query), **flags), flags["dry_run"])

    return await answer(request, work, desk.surveys)


@router.get(ONE, response_model=ModelDetails)
async def show(request: Request, name: ClassifierReference) -> Response:
    """Show everything that is known about a classifier."""
    desk = desk_of(request)
    return await answer(request, lambda: ModelDetails.of(desk.operations.show(name)), desk.quick)


@router.patch(ONE, openapi_extra=accepts(DescribeBody), response_model=ModelRecord)
async def describe(request: Request, name: ClassifierName) -> Response:
    """Change the description or the tags of a classifier."""
    desk = desk_of(request)
    body = await read_body(request, desk.settings.max_body_bytes)

    def work() -> ModelRecord:
        asked = read_document(body, DescribeBody)
        return ModelRecord.of(desk.operations.describe(name, asked.to_domain()))

    return await answer(request, work, desk.chores)


@router.delete(ONE, openapi_extra=takes(DELETE), response_model=Deleted)
async def delete(request: Request, name: RevisionReference) -> Response:
    """Delete a classifier, at once; with purge, its files too, or those of one older revision (name@3)."""
    desk, query = desk_of(request), request.query_params

    def work() -> Deleted:
        flags = {flag: read_flag(query, flag) for flag in ("purge", "force")}
        return Deleted.of(desk.operations.delete(name, **flags))

    return await answer(request, work, desk.chores)


@router.post(f"{ONE}/restore", response_model=RestoreReply)
async def restore(request: Request, name: RevisionReference) -> Response:
    """Bring a deleted classifier back as it was, or make an older revision (name@3) answer again."""
    desk = desk_of(request)
    read_document(await read_optional_body(request, desk.settings.max_body_bytes), NoBody)
    return await answer(request, lambda: RestoreReply.of(desk.operations.restore(name)), desk.chores)


@router.post(f"{ONE}/reproduce", response_model=ReproduceReply)
async def reproduce(request: Request, name: ClassifierReference) -> Response:
    """Train a classifier again from its kept rows and its record, compare the two, and save nothing."""
    desk = desk_of(request)
    read_document(await read_optional_body(request, desk.settings.max_body_bytes), NoBody)

    def work(is_wanted: IsWanted) -> ReproduceReply:
        return ReproduceReply.of(desk.operations.reproduce(name, is_wanted=is_wanted))

    return await answer_while_wanted(request, work, desk.fits)
