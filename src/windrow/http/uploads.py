"""A body that is a file: its media type, its size, and the way from the connection to a temporary file.

Owns that way; knows nothing of what the file holds.
"""

import shlex
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, cast

from fastapi import Request

from windrow.domain.errors import StorageFailed, StorageFull
from windrow.http.bodies import check_size
from windrow.http.desk import in_thread
from windrow.http.openapi import FILE_TYPES
from windrow.http.problems import UnsupportedMediaType
from windrow.storage.files import FULL

# A file up to this size stays in memory: an exported classifier without its rows mostly does.
SPOOLED_BYTES = 1_000_000
_SETTING = "WINDROW_MAX_IMPORT_BYTES"


@asynccontextmanager
async def received_file(request: Request, max_bytes: int, threads: ThreadPoolExecutor) -> AsyncIterator[BinaryIO]:
    """Receive a request's body as a temporary file, which is gone afterwards.

    Args:
        request: The request.
        max_bytes: Largest file.
        threads: Where it is written.

    Yields:
        The file, at its beginning.

    Raises:
        UnsupportedMediaType: The body is not declared to be a file.
        BodyTooLarge: It exceeds the limit: where its length is declared, nothing of it is read.
        StorageFull: The disk of temporary files is full.
        StorageFailed: It cannot be written.
    """
    _check_type(request)
    check_size(int(request.headers.get("content-length", "0")), max_bytes, _SETTING)
    with cast(BinaryIO, SpooledTemporaryFile(SPOOLED_BYTES)) as file:
        size_bytes = 0
        async for chunk in request.stream():
            size_bytes += len(chunk)
            check_size(size_bytes, max_bytes, _SETTING)
            await _do(partial(file.write, chunk), threads)
        await _do(lambda: file.seek(0), threads)  # which may write the last of it
        yield file


def _check_type(request: Request) -> None:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in FILE_TYPES:
        url = shlex.quote(str(request.url))
        raise UnsupportedMediaType(
            "The body must be an exported classifier, as it is, and must say so. Send it like this: "
            f"curl --data-binary @file.windrow -H 'Content-Type: {FILE_TYPES[0]}' {url}",
            {"expected": list(FILE_TYPES)},
        )


async def _do(write: Callable[[], int], threads: ThreadPoolExecutor) -> None:
    try:
        await in_thread(write, threads)
    except OSError as error:
        if error.errno in FULL:
            raise StorageFull("The disk of temporary files is full. Free some space, or set TMPDIR.") from error
        raise StorageFailed(
            f"The temporary file cannot be written: {error.strerror}. Make its folder writable, or set TMPDIR."
        ) from error
