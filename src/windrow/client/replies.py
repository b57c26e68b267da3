"""What a server's replies mean: a value of the domain, or the error that it raised.

Owns the way back from a code to its class; knows nothing of connections or of single verbs.
"""

import json
from collections.abc import Mapping
from typing import Final, TypeVar

from windrow.client.errors import FailedInServer, RefusedByServer, UnexpectedReply
from windrow.domain.errors import InvalidParameter, WindrowError, class_of
from windrow.wire.shapes import Wire

PROBLEM_TYPE: Final = "application/problem+json"
# What RFC 9457 and the server's log make of a problem; the rest are the error's facts.
_MEMBERS = frozenset(("type", "title", "status", "code", "detail", "request_id"))
Shape = TypeVar("Shape", bound=Wire)


def to_json(body: Wire) -> bytes:
    """Return a request's body as JSON in UTF-8.

    Raises:
        InvalidParameter: A number in it is none.
    """
    try:
        text = json.dumps(body.model_dump(warnings=False), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except ValueError as error:
        raise InvalidParameter(
            "A number of the request is infinite or none at all, and JSON has none such. Send a finite one."
        ) from error
    # Half a surrogate pair has no UTF-8 form; as \udXXX it reaches the server, which says where it stands.
    return text.encode(errors="backslashreplace")


def read_reply(content: bytes, shape: type[Shape], url: str) -> Shape:
    """Return a reply in the shape that is expected; fields that a newer server adds are left out.

    Args:
        content: Its body.
        shape: The shape.
        url: The server, for the error.

    Raises:
        UnexpectedReply: It has another shape.
    """
    try:
        return shape.model_validate_json(content, extra="ignore")
    except ValueError as error:
        raise UnexpectedReply(
            f"What answers at {url} is no Windrow server, or one of another version: its reply cannot be read. Check "
            "the URL, or use the same version here and there.",
            {"url": url},
        ) from error


def error_of(code: str, detail: str, facts: Mapping[str, object], *, is_refusal: bool = False) -> WindrowError:
    """Return the error that a code stands for.

    Args:
        code: The server's.
        detail: The server's words.
        facts: The server's values.
        is_refusal: Whether an unknown code means that the request was wrong, and not the server.
    """
    known = class_of(code)
    if known is not None:
        return known(detail, facts)
    if is_refusal:
        return RefusedByServer(code, detail, facts)
    return FailedInServer(code, detail, facts)


def problem_of(status: int, content_type: str, content: bytes, url: str) -> WindrowError:
    """Return the error that a reply is, which is no success.

    Args:
        status: Its HTTP status.
        content_type: What it says that it carries.
        content: Its body.
        url: The server, for the error.
    """
    if content_type.partition(";")[0].strip().lower() == PROBLEM_TYPE:
        try:
            document = json.loads(content)
        except ValueError:
            document = None
        if isinstance(document, dict) and isinstance(document.get("code"), str):
            facts = {name: value for name, value in document.items() if name not in _MEMBERS}
            detail = str(document.get("detail", "The server gave no reason."))
            return error_of(document["code"], detail, facts, is_refusal=status < 500)
    return UnexpectedReply(_stranger(status, url), {"url": url, "status": status})


def _stranger(status: int, url: str) -> str:
    if 300 <= status < 400:
        return f"{url} points to another address (status {status}). Name the address of the Windrow server itself."
    if status in (401, 407):
        return f"{url} asks for a password (status {status}). Write it into the URL: https://user:password@host."
    if status in (502, 503, 504):
        return f"What answers at {url} cannot reach Windrow (status {status}). See whether the server behind it runs."
    return f"What answers at {url} is no Windrow server: it says status {status} without a reason. Check the URL."
