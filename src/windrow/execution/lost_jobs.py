"""Lost jobs: what became of those whose process is gone."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from windrow.domain.errors import ArtifactInvalid, StorageFailed
from windrow.domain.job import Job, Problem
from windrow.storage.jobs import JobFiles, Kept
from windrow.storage.namespace import utc_now

# Returns the revision that a lost job made after all, if it did.
FindMade = Callable[[Job], int | None]
_INTERRUPTED = "The process that trained it ended before it was done, so nothing was saved. Start it again."


def settled(kept: Kept, files: JobFiles, find_made: FindMade) -> Job:
    """Return a job as it is; where it is lost, as it ended, which is noted for good.

    Args:
        kept: The job as it stands on the disk.
        files: Where it stands.
        find_made: Says what it made after all.
    """
    if kept.job.is_finished or files.is_alive(kept.owner):
        return kept.job
    newest = files.get(kept.job.id) or kept  # its last word may have come between the two looks
    if newest.job.is_finished:
        return newest.job
    made = find_made(newest.job)
    if made is not None and not _is_anothers(newest.job, made, files):
        job = replace(newest.job, state="succeeded", revision=made, finished_at=utc_now())
    else:
        problem = Problem("shutting_down", _INTERRUPTED)
        job = replace(newest.job, state="interrupted", finished_at=utc_now(), problem=problem)
    return files.settle(newest, job)


def _is_anothers(job: Job, revision: int, files: JobFiles) -> bool:
    """Whether another job made a revision, or is about to say so."""
    for job_id in files.ids():
        with suppress(ArtifactInvalid, StorageFailed):  # which say nothing about this one
            kept = files.get(job_id) if job_id != job.id else None
            if kept is not None and kept.job.model_name == job.model_name:
                is_under_way = not kept.job.is_finished and files.is_alive(kept.owner)
                if kept.job.revision == revision or is_under_way:
                    return True
    return False
