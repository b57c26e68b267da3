"""Cancels the training that an interrupted ``fit`` has started, whatever state its server is in."""

import hashlib
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from datetime import datetime
from typing import Final, TypeVar

from windrow.client.errors import ServerTimedOut
from windrow.domain.classifier import FitRequest
from windrow.domain.job import Job, JobListRequest, JobRequest
from windrow.domain.label_merging import merge_labels
from windrow.domain.labelled_rows import labelled_rows_as_jsonl
from windrow.domain.recipe import Recipe
from windrow.domain.values import recast
from windrow.operations import Operations

Result = TypeVar("Result")
# After Ctrl-C the user does not want to wait.
CANCEL_TIMEOUT_S: Final = 5.0
# A server that still checks a request has no job of it yet.
_ATTEMPTS = 8
_RETRY_INTERVAL_S = 0.25


def cancel_within(operations: Operations, job_id: str, seconds: float = CANCEL_TIMEOUT_S) -> Job:
    """Cancel a training, and wait no longer than some seconds for that.

    Raises:
        ServerTimedOut: Nothing was heard in that time.
        WindrowError: What ``cancel_job`` raises.
    """
    return _within(seconds, lambda: operations.cancel_job(JobRequest(job_id)))


def cancel_orphaned_fit(
    operations: Operations, request: FitRequest, since: datetime, pause: Callable[[float], object] = time.sleep
) -> Job | None:
    """Cancel the training that a request has started though its reply never came.

    Args:
        operations: The server.
        request: The request of the fit.
        since: When it was sent.
        pause: Waits some seconds before each further attempt.

    Returns:
        The job as it is then, which may have ended before; ``None`` where none is found.

    Raises:
        ServerTimedOut: Nothing was heard within ``CANCEL_TIMEOUT_S``.
        WindrowError: What ``list_jobs`` and ``cancel_job`` raise.
    """

    def cancel() -> Job | None:
        for attempt in range(_ATTEMPTS):
            if attempt:
                pause(_RETRY_INTERVAL_S)
            if (job := _find(operations, request, since)) is not None:
                return job if job.is_finished else operations.cancel_job(JobRequest(job.id))
        return None

    return _within(CANCEL_TIMEOUT_S, cancel)


def _find(operations: Operations, request: FitRequest, since: datetime) -> Job | None:
    """Return the newest job of a request, as far as can be told: an equal one that waits or runs would be shared."""
    for job in operations.list_jobs(JobListRequest()).jobs:
        is_alike = (job.model_name, recast(Recipe, job)) == (request.model_name, recast(Recipe, request))
        if is_alike and _has_rows(job, request) and _is_described(job, request) and job.created_at >= since:
            return job
    return None


def _has_rows(job: Job, request: FitRequest) -> bool:
    """Whether a job may train on the rows of a request; of those that it takes over, nobody here knows the digest."""
    if request.extends is None:
        rows = request.training_data
        rows = merge_labels(rows).rows if request.merge_labels else rows
        digest = hashlib.sha256(labelled_rows_as_jsonl(rows)).hexdigest()
        return job.training_data_sha256 == digest
    kept_rows = job.taken_over_rows + job.replaced_rows  # not job.extends, whose name the API key may not know
    # One without rows has none to take over, and is named unless the key does not know it.
    extends = kept_rows > 0 or job.extends is not None
    return extends and job.num_examples - job.taken_over_rows == len(request.training_data)


def _is_described(job: Job, request: FitRequest) -> bool:
    """Whether a job has the descriptions of a request; those of a revision that it extends come in addition."""
    described = request.label_descriptions or {}
    if request.merge_labels:
        described = merge_labels(request.training_data).renamed(described)
    given, taken = described.items(), job.label_descriptions.items()
    return given <= taken if request.extends is not None else given == taken


def _within(seconds: float, do: Callable[[], Result]) -> Result:
    """Do something on a thread that is left behind where it takes too long: no timeout of a socket bounds it all."""
    outcome: Future[Result] = Future()

    def run() -> None:
        try:
            outcome.set_result(do())
        except BaseException as error:  # noqa: BLE001 - it is raised in the waiting thread
            outcome.set_exception(error)

    threading.Thread(target=run, name="cancel", daemon=True).start()
    try:
        return outcome.result(seconds)
    except TimeoutError as error:
        words = "There was no answer within {seconds:g} seconds, and the training may go on. Look at the operations."
        raise ServerTimedOut(words, {"seconds": seconds}) from error
