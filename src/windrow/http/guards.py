"""What is refused before any endpoint is asked: parameters that it does not take, and pages of other sites.

Owns these two rules; knows nothing of single endpoints.
"""

from collections.abc import Collection

from fastapi import Request

from windrow.http.bodies import near_or_known, short_key
from windrow.http.problems import CrossSiteRequest, InvalidRequest

# A browser lets a page send a body of these types, or none, to any server without asking that server before.
_SENT_UNASKED = {"", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"}


def refuse_unknown_parameters(request: Request, known: Collection[str]) -> None:
    """Refuse a query that an endpoint would not wholly understand, so that nothing misspelt is ignored.

    Args:
        request: The request.
        known: The parameters that its endpoint takes.

    Raises:
        InvalidRequest: A parameter is unknown, or stands there twice.
    """
    if not request.scope["query_string"]:
        return
    names = [name for name, _ in request.query_params.multi_items()]
    for name in names:
        facts: dict[str, object] = {"parameter": short_key(name), "known": sorted(known)}
        if name not in known:
            hint = near_or_known(name, sorted(known))
            hint = hint if hint.endswith("?") else f"{hint}."
            raise InvalidRequest(
                f"{short_key(name)} is no parameter of this request; {hint} /docs shows what each request takes.",
                facts,
            )
        if names.count(name) > 1:
            raise InvalidRequest(f"{name} stands twice in the query. Send it once.", facts)


def refuse_other_sites(request: Request) -> None:
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
        "A page of another site sent this request, so nothing was done. If that is wanted, send the header "
        "'Content-Type: application/json' and, where there is nothing else to say, the body {}.",
        {"origin": origin},
    )


def _is_own_page(request: Request, origin: str) -> bool:
    """Whether a request's page came from this server: by the browser's word, which also holds behind a proxy."""
    if request.headers.get("sec-fetch-site") == "same-origin":
        return True
    host = origin.partition("://")[2]
    return host != "" and host.lower() == request.headers.get("host", "").lower()
