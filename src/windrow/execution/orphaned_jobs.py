"""Record the ends of orphaned jobs, whose process has died."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Final

from windrow.domain.clock import utc_now
from windrow.domain.errors import InvalidArtifact
from windrow.domain.job import Job, JobKind, Problem
from windrow.storage.job_files import JobFiles, StoredJob

# Returns the revision that an orphaned job published, if it did.
FindPublishedRevision = Callable[[Job], int | None]
_INTERRUPTED: Final[Mapping[JobKind, str]] = {
    "fit": "The process that trained it ended before it was done, so nothing was saved. Start it again.",
    "predict_files": (
        "The process that classified the files ended before it was done; the shards that were done stay. Start it "
        "again as it was, and it goes on behind them."
    ),
}


def reconcile(kept: StoredJob, files: JobFiles, find_published_revision: FindPublishedRevision) -> Job:
    """Return a stored job; if it is orphaned, record its end and return that.

    Args:
        kept: The stored job.
        files: Stores jobs.
        find_published_revision: Finds the revision that an orphaned job published, if it did.

    Raises:
        StorageFailed: The disk cannot be read, so that what became of it is unknown, and is not recorded.
    """
    if kept.job.is_finished or files.is_alive(kept.owner):
        return kept.job
    newest = files.get(kept.job.id) or kept  # it may have been updated between the two reads
    if newest.job.is_finished:
        return newest.job
    revision = find_published_revision(newest.job) if newest.job.kind == "fit" else None
    if revision is not None and not _is_anothers(newest.job, revision, files):
        job = replace(newest.job, state="succeeded", revision=revision, finished_at=utc_now())
    else:
        problem = Problem("shutting_down", _INTERRUPTED[newest.job.kind])
        job = replace(newest.job, state="interrupted", finished_at=utc_now(), problem=problem)
    return files.reconcile(newest, job)


def _is_anothers(job: Job, revision: int, files: JobFiles) -> bool:
    """Whether another job published a revision, or may still do so."""
    ids = files.ids()
    files.prefetch(ids)
    for job_id in ids:
        with suppress(InvalidArtifact):  # a damaged file of another job does not matter here
            kept = files.get(job_id) if job_id != job.id else None
            if kept is not None and (kept.job.kind, kept.job.model_name) == (job.kind, job.model_name):
                is_under_way = not kept.job.is_finished and files.is_alive(kept.owner)
                if kept.job.revision == revision or is_under_way:
                    return True
    return False
