"""What a server's replies mean: a value of the domain, or the error that it raised."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar, cast

from windrow.api.endpoints import PROBLEM_TYPE
from windrow.client.errors import FailedInServer, RefusedByServer, UnexpectedReply
from windrow.domain.errors import WindrowError, class_of
from windrow.domain.prediction import Prediction, PredictRequest
from windrow.domain.words import literal

# What RFC 9457, the server's log and the words of an error make of a problem; the rest are the error's facts.
_MEMBERS = frozenset(("type", "title", "status", "code", "detail", "template", "request_id"))
R = TypeVar("R")


def read_reply(kind: Callable[..., R], content: bytes, url: str) -> R:
    """Return a reply as the value that is expected; fields that a newer server adds are left out.

    Args:
        kind: The value's class.
        content: The reply's body.
        url: The server, for the error.

    Raises:
        UnexpectedReply: It is no such value.
    """
    # Not before something is read: pydantic takes longer to load than all of the client.
    from windrow.codec.values import from_json

    with _expected(url):
        return from_json(cast(type[R], kind), content, extra="ignore")


def read_predict_reply(request: PredictRequest, content: bytes, url: str) -> tuple[Prediction, ...]:
    """Return what a server answered to a request, whichever form that has.

    Raises:
        UnexpectedReply: It has none of them.
    """
    from windrow.api.flat import read_predictions

    with _expected(url):
        return read_predictions(request, content)


@contextmanager
def _expected(url: str) -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise UnexpectedReply(
            "What answers at {url} is no Windrow server, or one of another version: its reply cannot be read. Check "
            "the URL, or use the same version here and there.",
            {"url": url},
        ) from error


def problem_of(status: int, content_type: str, content: bytes, url: str) -> WindrowError:
    """Return the error that a reply is, which is no success.

    Args:
        status: Its HTTP status.
        content_type: What it says that it carries.
        content: Its body.
        url: The server, for the error.
    """
    document = _read_problem(content) if content_type.partition(";")[0].strip().lower() == PROBLEM_TYPE else {}
    if not isinstance(code := document.get("code"), str):
        return UnexpectedReply(_not_windrow(status), {"url": url, "status": status})
    template = document.get("template", literal(str(document.get("detail", "The server gave no reason."))))
    facts = {name: value for name, value in document.items() if name not in _MEMBERS}
    if (known := class_of(code)) is not None:
        return known(str(template), facts)
    if status < 500:
        return RefusedByServer(code, str(template), facts)
    return FailedInServer(code, str(template), facts)


def _read_problem(content: bytes) -> dict[str, object]:
    try:
        document = json.loads(content)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _not_windrow(status: int) -> str:
    if 300 <= status < 400:
        return "{url} points to another address (status {status}). Name the address of the Windrow server itself."
    if status in (401, 407):
        return "{url} asks for a password (status {status}). Write it into the URL: https://user:password@host."
    if status in (502, 503, 504):
        return "What answers at {url} cannot reach Windrow (status {status}). See whether the server behind it runs."
    return "What answers at {url} is no Windrow server: it says status {status} without a reason. Check the URL."
