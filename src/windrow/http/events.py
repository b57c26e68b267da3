"""The events of a job, as a stream that lasts as long as the job does."""

import asyncio
import time
from collections.abc import AsyncIterator

import structlog
from starlette.responses import Response, StreamingResponse

from windrow.api.endpoints import EVENTS_TYPE, FOLLOW_JOB
from windrow.api.http_words import HTTP
from windrow.codec.values import to_json
from windrow.domain.errors import WindrowError
from windrow.domain.job import Job, JobRequest
from windrow.http.context import ServerContext

POLL_INTERVAL_S = 0.1
# So that nothing on the way takes the connection for dead, and that a client that left is noticed.
HEARTBEAT_INTERVAL_S = 15.0
# The last one keeps nginx from holding events back.
_HEADERS = {"Content-Type": EVENTS_TYPE, "Cache-Control": "no-cache", "X-Accel-Buffering": "no"}

_log = structlog.get_logger()


async def follow(context: ServerContext, request: JobRequest) -> Response:
    """Return the stream of a job's events: the job as it is now, then whenever it changed, until it is finished.

    No thread is held between two polls.

    Args:
        context: Whose operations know the job.
        request: The job.

    Raises:
        JobNotFound: There is no such job.
    """
    return StreamingResponse(_events(context, request, await _poll(context, request)), headers=_HEADERS)


async def _events(context: ServerContext, request: JobRequest, job: Job) -> AsyncIterator[bytes]:
    number, sent_at = 1, time.monotonic()
    yield _event(number, job)
    while not job.is_finished:
        await asyncio.sleep(POLL_INTERVAL_S)
        try:
            seen = await _poll(context, request)
        except WindrowError as error:  # the status has been sent; the next request gets the error
            _log.warning("events_ended", job=job.id, detail=error.told(HTTP))
            return
        if seen != job:
            number, sent_at, job = number + 1, time.monotonic(), seen
            yield _event(number, job)
        elif time.monotonic() - sent_at >= HEARTBEAT_INTERVAL_S:
            sent_at = time.monotonic()
            yield b": still here\n\n"


async def _poll(context: ServerContext, request: JobRequest) -> Job:
    return await context.run(FOLLOW_JOB.pool, lambda: context.operations.job(request))


def _event(number: int, job: Job) -> bytes:
    return f"id: {number}\nevent: {job.state}\ndata: ".encode() + to_json(job) + b"\n\n"
