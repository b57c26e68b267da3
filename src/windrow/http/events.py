"""The events of a job, as a stream that lasts as long as the job does.

Owns how an event is written and how often a job is looked at; knows nothing of what a job does.
"""

import asyncio
import time
from collections.abc import AsyncIterator

import structlog
from fastapi.responses import Response, StreamingResponse

from windrow.domain.errors import WindrowError
from windrow.domain.job import Job
from windrow.http.desk import Desk, in_thread
from windrow.http.openapi import EVENTS_TYPE
from windrow.wire.job import JobEntry

LOOK_EVERY_S = 0.1
# So that nothing on the way takes the connection for dead, and that a client that left is noticed.
SIGN_EVERY_S = 15.0
# The last one keeps nginx from holding events back.
_HEADERS = {"Content-Type": EVENTS_TYPE, "Cache-Control": "no-cache", "X-Accel-Buffering": "no"}

_log = structlog.get_logger()


async def follow(desk: Desk, job_id: str) -> Response:
    """Return the stream of a job's events: the job as it is now, then whenever it changed, until it is finished.

    No thread is held between two looks.

    Args:
        desk: Whose operations know the job.
        job_id: The job.

    Raises:
        JobNotFound: There is no such job.
    """
    return StreamingResponse(_events(desk, await _look(desk, job_id)), headers=_HEADERS)


async def _events(desk: Desk, job: Job) -> AsyncIterator[str]:
    number, told_at = 1, time.monotonic()
    yield _event(number, job)
    while not job.is_finished:
        await asyncio.sleep(LOOK_EVERY_S)
        try:
            seen = await _look(desk, job.id)
        except WindrowError as error:  # the status is sent; who asks again is told
            _log.warning("events_ended", job=job.id, detail=error.detail)
            return
        if seen != job:
            number, told_at, job = number + 1, time.monotonic(), seen
            yield _event(number, job)
        elif time.monotonic() - told_at >= SIGN_EVERY_S:
            told_at = time.monotonic()
            yield ": still here\n\n"


async def _look(desk: Desk, job_id: str) -> Job:
    return await in_thread(lambda: desk.operations.job(job_id), desk.quick)


def _event(number: int, job: Job) -> str:
    return f"id: {number}\nevent: {job.state}\ndata: {JobEntry.of(job).model_dump_json(by_alias=True)}\n\n"
