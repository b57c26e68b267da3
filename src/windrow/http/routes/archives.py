"""The endpoints that give a classifier away as a file, and take one in.

Owns their paths; knows nothing of what such a file holds.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator

from fastapi import APIRouter, Request
from fastapi.responses import Response, StreamingResponse

from windrow.http.desk import answer, desk_of, timed
from windrow.http.openapi import FILE_TYPES, ClassifierReference, accepts_file, gives_file, takes
from windrow.http.uploads import received_file
from windrow.wire.archive import EXPORT, IMPORT, ImportReply, read_import
from windrow.wire.queries import read_flag

router = APIRouter(tags=["export and import"])


@router.get(
    "/v1/classifier/models/{name:path}/export",
    openapi_extra=takes(EXPORT),
    response_class=StreamingResponse,
    responses=gives_file(),
)
async def export(request: Request, name: ClassifierReference) -> Response:
    """Give a classifier, or one of its revisions, as a file that import takes."""
    desk = desk_of(request)
    training_rows = read_flag(request.query_params, "training_rows")
    file = await timed(request, lambda: desk.operations.export(name, training_rows=training_rows), desk.files)
    headers = {
        "Content-Disposition": f'attachment; filename="{file.file_name}"',
        "Content-Length": str(file.size_bytes),
    }
    return StreamingResponse(_stream(file.chunks), headers=headers, media_type=FILE_TYPES[0])


@router.post("/v1/classifier/models/import", openapi_extra=accepts_file() | takes(IMPORT), response_model=ImportReply)
async def import_classifier(request: Request) -> Response:
    """Take in a classifier that was exported. Everything is checked before anything is written."""
    desk, asked = desk_of(request), read_import(request.query_params)
    async with received_file(request, desk.settings.max_import_bytes, desk.files) as file:
        return await answer(request, lambda: ImportReply.of(desk.operations.import_classifier(file, asked)), desk.files)


async def _stream(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:  # they are in memory, and whoever receives them may be slow, or have left
        yield chunk
        await asyncio.sleep(0)
