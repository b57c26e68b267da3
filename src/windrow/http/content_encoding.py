"""Compressed request bodies: ``Content-Encoding: gzip`` is undone while the body arrives."""

import asyncio
import zlib
from collections.abc import AsyncIterator
from typing import Final

from starlette.requests import Request

from windrow.http.problems import InvalidContentEncoding, UnsupportedMediaType

ACCEPTED: Final = "gzip"
# A piece of this size is unpacked in about a millisecond; between two of them other requests go on.
PIECE_BYTES: Final = 256_000
# Of each, what is left of the chunk is copied; tools that write several begin a new one after 64 KiB.
MAX_MEMBERS: Final = 10_000
_GZIP: Final = 16 + zlib.MAX_WBITS


def decoded_body(request: Request, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Return a request's body in pieces, unpacked.

    A few compressed bytes can expand to very many, and very many to none, so the caller must count the bytes of the
    chunks and those of the pieces.

    Args:
        request: The request, whose headers are read.
        chunks: Its body as it arrives.

    Returns:
        Pieces of at most :data:`PIECE_BYTES` where the body was compressed, else as they arrive.

    Raises:
        UnsupportedMediaType: The body is encoded in another way.
        InvalidContentEncoding: While reading: the body is no gzip, or ends too early.
    """
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding in ("identity", ""):
        return chunks
    if encoding not in ("gzip", "x-gzip"):
        raise UnsupportedMediaType(
            "The body's encoding {encoding!r} is unknown here. {Send} it as it is, without the header "
            "'Content-Encoding', or compressed with 'Content-Encoding: gzip'.",
            {"header": "Content-Encoding", "encoding": encoding, "accept_encoding": ACCEPTED},
        )
    return _unpack(chunks)


async def _unpack(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    member, number = zlib.decompressobj(_GZIP), 1
    try:
        async for chunk in chunks:
            packed = chunk
            while packed:
                if member.eof:  # a file may have several, one behind the other
                    member, number = zlib.decompressobj(_GZIP), number + 1
                if number > MAX_MEMBERS:
                    raise _invalid(f"it has more than {MAX_MEMBERS:,} members")
                if piece := member.decompress(packed, PIECE_BYTES):
                    yield piece
                packed = member.unconsumed_tail or member.unused_data
                await asyncio.sleep(0)
        yield member.flush()
    except zlib.error as error:
        raise _invalid("it cannot be unpacked") from error
    if not member.eof:
        raise _invalid("it ends too early")


def _invalid(why: str) -> InvalidContentEncoding:
    return InvalidContentEncoding(
        "The body is no gzip, although its header 'Content-Encoding' says so: {why}. {Send} it again, or without that "
        "header.",
        {"header": "Content-Encoding", "why": why},
    )
