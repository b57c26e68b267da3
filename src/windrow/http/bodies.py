"""Request bodies that are JSON: their media type, their size, and the bytes.

A body above the limit is refused at once where its length is declared, else while it streams.
"""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request

from windrow.http.budget import Reservation
from windrow.http.content_encoding import decoded_body
from windrow.http.problems import BodyTooLarge, UnsupportedMediaType

_JSON_TYPE: Final = re.compile(
    r"application/(json|[^/;\s]+\+json)\s*(;\s*charset=\"?(utf-?8|us-ascii)\"?\s*|;(?!\s*charset=)[^;]*)*",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class BodyLimit:
    """How large a body may be.

    Args:
        max_bytes: The most bytes.
        setting: The variable that sets it; empty where none does.
    """

    max_bytes: int
    setting: str = ""


async def read_body(request: Request, limit: BodyLimit, reservation: Reservation, *, optional: bool = False) -> bytes:
    """Return the whole body of a request that says it carries JSON.

    Args:
        request: The request.
        limit: Of its size.
        reservation: Takes its bytes of the budget for all requests.
        optional: Whether it need not have one; an empty object stands for none.

    Raises:
        UnsupportedMediaType: It says that it carries something else, or nothing.
        BodyTooLarge: The body exceeds the limit, as it arrives or unpacked.
        Overloaded: There is no room for it now.
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
    body = b"".join([chunk async for chunk in limited_body(request, limit, reservation)])
    return b"{}" if optional and not body else body


async def limited_body(request: Request, limit: BodyLimit, reservation: Reservation) -> AsyncIterator[bytes]:
    """Yield a request's body as it comes, unpacked.

    Args:
        request: The request.
        limit: Of its size.
        reservation: Takes its bytes of the budget for all requests.

    Raises:
        BodyTooLarge: The body exceeds the limit, as it arrives or unpacked: where its length is declared, nothing of it
            is read.
        Overloaded: There is no room for it now.
        UnsupportedMediaType: It is compressed in a way that is unknown here.
        InvalidContentEncoding: It is not compressed in the way that its header says.
    """
    _check_size(int(request.headers.get("content-length", "0")), limit)
    size_bytes = 0
    async for chunk in decoded_body(request, _arriving(request, limit)):
        size_bytes += len(chunk)
        _check_size(size_bytes, limit)
        reservation.take(len(chunk))
        yield chunk


async def _arriving(request: Request, limit: BodyLimit) -> AsyncIterator[bytes]:
    """Yield a body as it arrives, up to the limit: a gzip without end may unpack to nothing."""
    size_bytes = 0
    async for chunk in request.stream():
        size_bytes += len(chunk)
        _check_size(size_bytes, limit)
        yield chunk


def _check_size(size_bytes: int, limit: BodyLimit) -> None:
    if size_bytes <= limit.max_bytes:
        return
    if not limit.setting:
        raise BodyTooLarge("The body is larger than the {limit} bytes that are taken here.", {"limit": limit.max_bytes})
    raise BodyTooLarge(
        "The body is larger than the {limit} bytes that this server takes. {Send} less, or raise {setting}.",
        {"limit": limit.max_bytes, "setting": limit.setting},
    )
