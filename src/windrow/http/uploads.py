"""A body that is a file: its media type, its size, and the way from the connection to a temporary file."""

import shlex
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, Final, cast

from starlette.requests import Request

from windrow.api.endpoints import FILE_TYPES, Endpoint, Pool
from windrow.disk import disk_error
from windrow.http.bodies import BodyLimit, limited_body
from windrow.http.context import ServerContext
from windrow.http.links import link
from windrow.http.problems import UnsupportedMediaType
from windrow.settings import Settings

# A file up to this size stays in memory: an exported classifier without its rows mostly does.
SPOOLED_BYTES = 1_000_000
# The threads that write and remove temporary files, whatever is done with these afterwards.
_POOL: Final[Pool] = "transfer"
# What holds a file among other things is not the file itself.
_FORM_TYPES: Final = ("multipart/form-data", "application/x-www-form-urlencoded")


@asynccontextmanager
async def received_file(request: Request, context: ServerContext, endpoint: Endpoint[Any]) -> AsyncIterator[BinaryIO]:
    """Receive a request's body as a temporary file, which is gone afterwards.

    Args:
        request: The request.
        context: Has the limit, and the threads where the file is written.
        endpoint: The verb: which type its file is of, and how large it may be.

    Yields:
        The file, at its beginning.

    Raises:
        UnsupportedMediaType: The body is not declared to be a file.
        BodyTooLarge: It exceeds the limit, as it arrives or unpacked: where its length is declared, nothing of it is
            read.
        InvalidContentEncoding: It is not compressed in the way that its header says.
        Overloaded: So many files are being taken in that there is no room for it now.
        StorageFull: The disk of temporary files is full.
        StorageFailed: It cannot be written.
    """
    _check_type(request, context.settings, endpoint)
    # A file of rows becomes values in memory, as a body of JSON does.
    limit = BodyLimit(context.settings.max_import_bytes, "WINDROW_MAX_IMPORT_BYTES")
    if endpoint.any_file:
        limit = BodyLimit(context.settings.max_body_bytes, "WINDROW_MAX_BODY_BYTES")
    with (context.bodies if endpoint.any_file else context.uploads).reserve() as reservation:
        file = cast(BinaryIO, SpooledTemporaryFile(SPOOLED_BYTES))  # noqa: SIM115 - a thread closes it
        try:
            async for chunk in limited_body(request, limit, reservation):
                await _do(partial(file.write, chunk), context)
            await _do(lambda: file.seek(0), context)  # which may write the last of it
            yield file
        finally:  # the removal of a large one takes a while
            await context.run(_POOL, file.close)


def _check_type(request: Request, settings: Settings, endpoint: Endpoint[Any]) -> None:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if endpoint.any_file and media_type in _FORM_TYPES:
        raise UnsupportedMediaType(
            "The body must be the file itself, and no form with the file in it. {Send} it with the header "
            "'Content-Type: {media_type}'.",
            {"expected": [FILE_TYPES[-1]], "media_type": FILE_TYPES[-1]},
        )
    if not endpoint.any_file and media_type not in FILE_TYPES:
        url = request.url.replace(path=link(settings, request.url.path))
        raise UnsupportedMediaType(
            "The body must be an exported classifier, as it is, and must say so. {Send} it like this: "
            "curl --data-binary @file.windrow -H 'Content-Type: {media_type}' {url}",
            {"expected": list(FILE_TYPES), "media_type": FILE_TYPES[0], "url": shlex.quote(str(url))},
        )


async def _do(write: Callable[[], int], context: ServerContext) -> None:
    try:
        await context.run(_POOL, write)
    except OSError as error:
        raise disk_error(
            error,
            "The temporary file cannot be written: {why}. Make its folder writable, or set TMPDIR.",
            "The disk of temporary files is full. Free some space, or set TMPDIR.",
        ) from error
