"""The endpoints for whoever watches the server: health and metrics.

Owns their paths; knows nothing of classifiers.
"""

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response

from windrow import __version__
from windrow.http.desk import desk_of, reply, timed
from windrow.wire.server import Health

router = APIRouter(tags=["server"])


@router.head("/health", include_in_schema=False)
@router.get("/health", response_model=Health)
async def health(request: Request) -> Response:  # noqa: ARG001 - each endpoint takes its request
    """Say that the server answers."""
    return reply(Health(version=__version__))


@router.get("/metrics", response_class=PlainTextResponse)
async def metrics(request: Request) -> Response:
    """Show how long requests take and how busy the server is, for Prometheus."""
    desk = desk_of(request)

    def work() -> Response:
        content, media_type = desk.metrics.render(request.headers.get("accept", ""))
        return Response(content, media_type=media_type)

    return await timed(request, work, desk.quick)
