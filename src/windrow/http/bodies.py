"""Request bodies that are JSON: their media type, their size, and the bytes.

A body above the limit is refused at once where its length is declared, else while it streams.
"""

import re
from collections.abc import AsyncIterator
from typing import Final

from starlette.requests import Request

from windrow.http.content_encoding import decoded_body
from windrow.http.problems import BodyTooLarge, UnsupportedMediaType

_JSON_TYPE: Final = re.compile(
    r"application/(json|[^/;\s]+\+json)\s*(;\s*charset=\"?(utf-?8|us-ascii)\"?\s*|;(?!\s*charset=)[^;]*)*",
    re.IGNORECASE,
)


async def read_body(request: Request, max_bytes: int, *, optional: bool = False) -> bytes:
    """Return the whole body of a request that says it carries JSON.

    Args:
        request: The request.
        max_bytes: Largest body.
        optional: Whether it need not have one; an empty object stands for none.

    Raises:
        UnsupportedMediaType: It says that it carries something else, or nothing.
        BodyTooLarge: The body exceeds the limit, as it arrives or unpacked.
        InvalidContentEncoding: The body is not compressed in the way that its header says.
    """
    headers = request.headers
    if optional and headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers:
        return b"{}"
    if _JSON_TYPE.fullmatch(headers.get("content-type", "")) is None:
        raise UnsupportedMediaType(
            "The body must be JSON in UTF-8 and must say so. {Send} the header 'Content-Type: application/json'.",
            {"expected": "application/json"},
        )
    body = b"".join([chunk async for chunk in limited_body(request, max_bytes, "WINDROW_MAX_BODY_BYTES")])
    return b"{}" if optional and not body else body


async def limited_body(request: Request, max_bytes: int, setting: str) -> AsyncIterator[bytes]:
    """Yield a request's body as it comes, unpacked.

    Args:
        request: The request.
        max_bytes: Largest body.
        setting: The variable that sets it.

    Raises:
        BodyTooLarge: The body exceeds the limit, as it arrives or unpacked: where its length is declared, nothing of it
            is read.
        UnsupportedMediaType: It is compressed in a way that is unknown here.
        InvalidContentEncoding: It is not compressed in the way that its header says.
    """
    _check_size(int(request.headers.get("content-length", "0")), max_bytes, setting)
    size_bytes = 0
    async for chunk in decoded_body(request):
        size_bytes += len(chunk)
        _check_size(size_bytes, max_bytes, setting)
        yield chunk


def _check_size(size_bytes: int, max_bytes: int, setting: str) -> None:
    if size_bytes > max_bytes:
        raise BodyTooLarge(
            "The body is larger than the {limit} bytes that this server takes. {Send} less, or raise {setting}.",
            {"limit": max_bytes, "setting": setting},
        )
