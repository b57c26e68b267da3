"""Request bodies that are JSON: their media type, their size, and the bytes.

A body above the limit is refused at once where its length is declared, else while it streams.
"""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from starlette.requests import ClientDisconnect, Request
from starlette.types import Message, Receive, Scope

from windrow.http.budget import FREE_BYTES, Reservation
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
    # Of several of one name the first counts, as in ``request.headers``, which look through all of them each time.
    headers: dict[bytes, bytes] = dict(reversed(request.scope["headers"]))
    size = None if b"transfer-encoding" in headers else headers.get(b"content-length", b"0")
    if optional and size == b"0":
        return b"{}"
    if _JSON_TYPE.fullmatch(headers.get(b"content-type", b"").decode("latin-1")) is None:
        raise UnsupportedMediaType(
            "The body must be JSON in UTF-8 and must say so. {Send} the header 'Content-Type: application/json'.",
            {"expected": "application/json"},
        )
    if size is not None and int(size) <= min(FREE_BYTES, limit.max_bytes) and b"content-encoding" not in headers:
        body = await _small_body(request)
        reservation.take(len(body))
    else:
        body = b"".join([chunk async for chunk in limited_body(request, limit, reservation)])
    return b"{}" if optional and not body else body


def unpacked(scope: Scope, size_bytes: int) -> Scope:
    """Return the scope of a request whose body has been read and unpacked.

    Args:
        scope: As it came.
        size_bytes: Of the body.
    """
    packed = (b"content-encoding", b"content-length", b"transfer-encoding")
    headers = [(name, value) for name, value in scope["headers"] if name not in packed]
    return {**scope, "headers": [*headers, (b"content-length", str(size_bytes).encode())]}


def again(body: bytes, receive: Receive) -> Receive:
    """Return what receives a body once more, and then what comes after it.

    Args:
        body: The body.
        receive: What received it.
    """
    left = [body]

    async def receive_again() -> Message:
        if left:
            return {"type": "http.request", "body": left.pop(), "more_body": False}
        return await receive()

    return receive_again


async def _small_body(request: Request) -> bytes:
    """Return a body that is as it came and whose length was declared, which the parser of HTTP holds it to."""
    pieces: list[bytes] = []
    is_whole = False
    while not is_whole:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        pieces.append(message.get("body", b""))
        is_whole = not message.get("more_body", False)
    return b"".join(pieces)


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
