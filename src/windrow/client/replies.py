"""Parse a server's HTTP replies into domain values, or into the error that the server raised."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar, cast

from windrow.api.endpoints import PROBLEM_TYPE
from windrow.client.errors import FailedInServer, RefusedByServer, UnexpectedReply
from windrow.codec.lenient import parse_lenient
from windrow.domain.classification import Classification, ClassifyRequest
from windrow.domain.errors import WindrowError, class_of
from windrow.domain.prediction import Prediction, PredictRequest
from windrow.domain.words import literal

# The members of a problem document (RFC 9457) that are not facts of the error.
_MEMBERS = frozenset(("type", "title", "status", "code", "detail", "template", "request_id"))
R = TypeVar("R")


def read_reply(kind: Callable[..., R], content: bytes, url: str) -> R:
    """Parse a successful reply; unknown fields, which a newer server may add, are ignored.

    Args:
        kind: The expected class.
        content: The reply's body.
        url: The server's address, for the error.

    Raises:
        UnexpectedReply: The body does not parse as that class.
    """
    # Imported lazily: pydantic takes longer to load than the rest of the client.
    from windrow.codec.values import from_json

    with _raising_unexpected_reply(url):
        return from_json(cast(type[R], kind), content, extra="ignore")


def read_predict_reply(request: PredictRequest, content: bytes, url: str) -> tuple[Prediction, ...]:
    """Parse the reply to a prediction request, in the form that belongs to that request.

    Raises:
        UnexpectedReply: The body does not parse in that form.
    """
    from windrow.api.flat import read_predictions

    with _raising_unexpected_reply(url):
        return read_predictions(request, content)


def read_classify_reply(request: ClassifyRequest, content: bytes, url: str) -> tuple[Classification, ...]:
    """Parse the reply to a request without a classifier, in the form that belongs to that request.

    Raises:
        UnexpectedReply: The body does not parse in that form.
    """
    from windrow.api.flat import read_classifications

    with _raising_unexpected_reply(url):
        return read_classifications(request, content)


@contextmanager
def _raising_unexpected_reply(url: str) -> Iterator[None]:
    """Turn a ``ValueError`` of parsing into ``UnexpectedReply``.

    Raises:
        UnexpectedReply: The reply cannot be parsed.
    """
    try:
        yield
    except ValueError as error:
        raise UnexpectedReply(
            "What answers at {url} is no Windrow server, or one of another version: its reply cannot be read. Check "
            "the URL, or use the same version here and there.",
            {"url": url},
        ) from error


def parse_problem(status: int, content_type: str, content: bytes, url: str) -> WindrowError:
    """Return the error that an unsuccessful reply stands for.

    Args:
        status: The HTTP status.
        content_type: The ``Content-Type`` header.
        content: The body, a problem document if Windrow sent it.
        url: The server's address, for the error.
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
        document = parse_lenient(content)
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
