"""The events of a job, as a stream that lasts as long as the job does."""

import asyncio
from collections.abc import AsyncIterator

import structlog
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from windrow.api.endpoints import EVENTS_TYPE, FOLLOW_JOB
from windrow.api.http_words import HTTP
from windrow.codec.values import to_json
from windrow.domain.job import Job, JobRequest
from windrow.http.authentication import check_key_again
from windrow.http.context import ServerContext
from windrow.http.job_watches import Look

# So that nothing on the way takes the connection for dead, and that a client that left is noticed.
HEARTBEAT_INTERVAL_S = 15.0
# The last one keeps nginx from holding events back.
_HEADERS = {"Content-Type": EVENTS_TYPE, "Cache-Control": "no-cache", "X-Accel-Buffering": "no"}

_log = structlog.get_logger()


async def follow(context: ServerContext, http_request: Request, request: JobRequest) -> Response:
    """Return the stream of a job's events: the job as it is now, then whenever it changed, until it is finished.

    No thread is held between two polls, and one poll serves all who follow a job with the same key. The stream ends
    when the key does.

    Args:
        context: Whose operations know the job.
        http_request: Who follows it.
        request: The job.

    Raises:
        JobNotFound: There is no such job.
        Overloaded: Too many clients follow jobs.
    """
    context.watches.check_room()

    async def look() -> Job:
        check_key_again(http_request.scope)
        return await context.run(FOLLOW_JOB.pool, lambda: context.operations.job(request))

    return StreamingResponse(_events(context, await look(), look), headers=_HEADERS)


async def _events(context: ServerContext, job: Job, look: Look) -> AsyncIterator[bytes]:
    number = 1
    yield _event(number, job)
    if job.is_finished:
        return
    async with context.watches.follow(job, look) as watch:
        while not job.is_finished:
            changed = watch.changed
            if watch.error is not None:  # the status is sent; a client that asks again is told
                _log.warning("events_ended", job=job.id, detail=watch.error.told(HTTP))
                return
            if watch.job != job:
                number, job = number + 1, watch.job
                yield _event(number, job)
                continue
            if watch.is_over:
                return
            try:
                await asyncio.wait_for(changed.wait(), HEARTBEAT_INTERVAL_S)
            except TimeoutError:
                yield b": still here\n\n"


def _event(number: int, job: Job) -> bytes:
    return f"id: {number}\nevent: {job.state}\ndata: ".encode() + to_json(job) + b"\n\n"
