"""What is refused before any verb is called: requests that a page of another site had a browser send."""

from typing import Final

from starlette.requests import Request

from windrow.http.problems import CrossSiteRequest

# A browser lets a page send a body of these types, or none, to any server without asking that server before.
_SENT_UNASKED: Final = {"", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"}


def check_csrf(request: Request) -> None:
    """Refuse a POST that a page of another site made the reader's browser send without their knowledge.

    For whatever else can change something (PUT, PATCH, DELETE, a body that is JSON or a file) a browser asks first, and
    no answer here allows it.

    Args:
        request: The request.

    Raises:
        CrossSiteRequest: Its origin is another site than this server.
    """
    origin = request.headers.get("origin")
    if request.method != "POST" or origin is None:
        return
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in _SENT_UNASKED or _is_own_page(request, origin):
        return
    raise CrossSiteRequest(
        "A page of another site sent this request, so nothing was done. If that is wanted, {send} the header "
        "'Content-Type: application/json' and, where there is nothing else to say, the body {{}}.",
        {"origin": origin},
    )


def _is_own_page(request: Request, origin: str) -> bool:
    """Whether a request's page came from this server: by the browser's word, which also holds behind a proxy."""
    if request.headers.get("sec-fetch-site") == "same-origin":
        return True
    host = origin.partition("://")[2]
    return host != "" and host.lower() == request.headers.get("host", "").lower()
