"""The endpoints for trainings that wait, run or have ended: list them, look at one, follow it, cancel it.

Owns their paths; knows nothing of how a training is run.
"""

from fastapi import APIRouter, Request
from fastapi.responses import Response, StreamingResponse

from windrow.http.bodies import read_document, read_optional_body
from windrow.http.desk import answer, desk_of
from windrow.http.events import follow
from windrow.http.openapi import JobId, gives_events, takes
from windrow.wire.job import JOBS, JobEntry, JobList, read_limit
from windrow.wire.shapes import NoBody

ALL, ONE = "/v1/classifier/jobs", "/v1/classifier/jobs/{job_id}"
router = APIRouter(tags=["jobs"])


@router.get(ALL, openapi_extra=takes(JOBS), response_model=JobList)
async def jobs(request: Request) -> Response:
    """List the trainings that wait, run or have ended, the newest first."""
    desk, query = desk_of(request), request.query_params
    return await answer(request, lambda: JobList.of(desk.operations.list_jobs(read_limit(query))), desk.quick)


@router.get(ONE, response_model=JobEntry)
async def job(request: Request, job_id: JobId) -> Response:
    """Show how far a training is, or how it ended."""
    desk = desk_of(request)
    return await answer(request, lambda: JobEntry.of(desk.operations.job(job_id)), desk.quick)


@router.get(f"{ONE}/events", response_class=StreamingResponse, responses=gives_events())
async def events(request: Request, job_id: JobId) -> Response:
    """Follow a training: an event with the job as it is now, then one whenever it changed, until it is finished."""
    return await follow(desk_of(request), job_id)


@router.post(f"{ONE}/cancel", response_model=JobEntry)
async def cancel(request: Request, job_id: JobId) -> Response:
    """Stop a training that waits or runs; nothing of it is left, and an earlier revision still answers."""
    desk = desk_of(request)
    read_document(await read_optional_body(request, desk.settings.max_body_bytes), NoBody)
    return await answer(request, lambda: JobEntry.of(desk.operations.cancel_job(job_id)), desk.chores)
