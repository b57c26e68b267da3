"""Error replies: the one table from errors to statuses, and ``application/problem+json``.

::

    WindrowError
    └── RequestProblem
        ├── UnsupportedMediaType      unsupported_media_type
        ├── BodyTooLarge              body_too_large
        ├── InvalidContentEncoding    invalid_content_encoding
        ├── EndpointNotFound          not_found
        ├── MethodNotAllowed          method_not_allowed
        ├── CrossSiteRequest          cross_site_request
        ├── MisdirectedRequest        misdirected_request
        ├── RequestRefused            request_refused
        ├── HeadTooLarge              head_too_large
        ├── RequestTooSlow            request_too_slow
        ├── ReplicaLost               replica_lost
        └── InternalError             internal_error
"""

import json
import math
from collections.abc import Mapping
from typing import Final

from starlette.responses import Response

from windrow.api.endpoints import PROBLEM_TYPE
from windrow.api.http_words import HTTP
from windrow.domain import errors
from windrow.domain.words import is_same_everywhere


class RequestProblem(errors.WindrowError):
    """What can be wrong only with an HTTP request."""


class UnsupportedMediaType(RequestProblem):
    """The body is not declared to be of a type that the endpoint reads."""

    code = "unsupported_media_type"


class BodyTooLarge(RequestProblem):
    """The body is larger than the limit."""

    code = "body_too_large"


class InvalidContentEncoding(RequestProblem):
    """The body is not compressed in the way that its header says."""

    code = "invalid_content_encoding"


class EndpointNotFound(RequestProblem):
    """No endpoint has this path."""

    code = "not_found"


class MethodNotAllowed(RequestProblem):
    """The endpoint does not know this method."""

    code = "method_not_allowed"


class CrossSiteRequest(RequestProblem):
    """A page of another site sent the request, and a browser does not ask before it sends such a one."""

    code = "cross_site_request"


class MisdirectedRequest(RequestProblem):
    """The request names another host than this server, as one of a page that had its own name lead here would."""

    code = "misdirected_request"


class RequestRefused(RequestProblem):
    """The framework refused the request for a reason without a code of its own."""

    code = "request_refused"


class HeadTooLarge(RequestProblem):
    """The first line and the headers of the request are larger than the limit."""

    code = "head_too_large"


class RequestTooSlow(RequestProblem):
    """The request did not arrive in time."""

    code = "request_too_slow"


class ReplicaLost(RequestProblem):
    """The replica that had the request ended before it answered."""

    code = "replica_lost"


class InternalError(RequestProblem):
    """A defect in Windrow."""

    code = "internal_error"


# By class, or by family for those that have none of their own.
_BY_FAMILY: Final[Mapping[type[errors.WindrowError], int]] = {
    errors.InvalidInput: 422,
    errors.InvalidJson: 400,
    errors.NotFound: 404,
    errors.AccessDenied: 403,
    errors.Unauthorized: 401,
    errors.Conflict: 409,
    errors.Unavailable: 503,
    errors.Overloaded: 429,
    errors.RateLimited: 429,
    errors.ClientClosedRequest: 499,  # nginx's number for a client that left before its answer
    errors.Failure: 500,
    errors.StorageFull: 507,
    errors.KeysUnavailable: 503,
    errors.DataDirectoryUnavailable: 503,  # it may be back in a moment
    UnsupportedMediaType: 415,
    BodyTooLarge: 413,
    InvalidContentEncoding: 400,
    EndpointNotFound: 404,
    MethodNotAllowed: 405,
    CrossSiteRequest: 403,
    MisdirectedRequest: 421,
    RequestRefused: 400,
    HeadTooLarge: 431,
    RequestTooSlow: 408,
    ReplicaLost: 502,
    InternalError: 500,
}


STATUSES: Final[Mapping[type[errors.WindrowError], int]] = {
    error: next(_BY_FAMILY[each] for each in error.__mro__ if each in _BY_FAMILY)
    for error in (*errors.CODED, *RequestProblem.__subclasses__())
}


def internal_error(request_id: str) -> InternalError:
    """Return the answer to an unexpected error; what happened stands in the log alone."""
    return InternalError(
        "Something unexpected went wrong in the server. Look for request {request} in its log, and report it.",
        {"request": request_id},
    )


def problem_response(error: errors.WindrowError, request_id: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return the reply for an error.

    Args:
        error: An error of a class in :data:`STATUSES`.
        request_id: Names the request in the log.
        headers: Further headers of the reply (``Allow``).
    """
    status = STATUSES[type(error)]
    document = {
        **error.facts,
        "type": f"urn:windrow:problem:{error.code}",
        "title": error.code.replace("_", " ").capitalize().replace("json", "JSON"),
        "status": status,
        "code": error.code,
        "detail": error.told(HTTP),
        "request_id": request_id,
    }
    # So that a client can tell it in the words of its own user.
    if not is_same_everywhere(error.template):
        document["template"] = error.template
    sent = dict(headers or {})
    if status == 401:
        sent["WWW-Authenticate"] = 'Bearer realm="windrow"'
    if (retry_after_s := error.facts.get("retry_after_s")) is not None:
        sent["Retry-After"] = str(retry_after_s)
    if (accepted := error.facts.get("accept_encoding")) is not None:
        sent["Accept-Encoding"] = str(accepted)
    # Half a surrogate pair has no UTF-8 form; as \udXXX it is valid JSON.
    text = json.dumps(_finite(document), ensure_ascii=False, allow_nan=False, default=str) + "\n"
    return Response(text.encode(errors="backslashreplace"), status, sent, PROBLEM_TYPE)


def _finite(value: object) -> object:
    """Return facts without the numbers that JSON has not; they stand there as text."""
    if isinstance(value, dict):
        return {name: _finite(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
