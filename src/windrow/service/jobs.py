"""Jobs: looking at trainings past and in progress, and cancelling them, on this machine.

Owns how the verbs find them, and what an interrupted job made after all; knows nothing of threads or files.
"""

from collections.abc import Iterator

from windrow.domain.errors import ArtifactInvalid, NotFound, StorageFailed
from windrow.domain.job import DEFAULT_JOBS, JOBS_RANGE, Job
from windrow.domain.names import Reference
from windrow.domain.recipe import check_range
from windrow.service.parts import Parts
from windrow.storage.catalog import Catalog


class JobKeeping(Parts):
    """The verbs for jobs, but for those that begin one."""

    __slots__ = ()

    def list_jobs(self, limit: int = DEFAULT_JOBS) -> tuple[Job, ...]:
        """Return the newest jobs. See ``Operations.list_jobs``."""
        check_range("limit", limit, JOBS_RANGE)
        return self.jobs.newest(limit)

    def job(self, job_id: str) -> Job:
        """Return a job. See ``Operations.job``."""
        return self.jobs.get(job_id)

    def follow_job(self, job_id: str) -> Iterator[Job]:
        """Yield a job whenever it changed. See ``Operations.follow_job``."""
        # The first look is taken here, so that an unknown id is told at once, and not with the first job.
        self.jobs.get(job_id)
        return self.jobs.follow(job_id)

    def cancel_job(self, job_id: str) -> Job:
        """Stop a training. See ``Operations.cancel_job``."""
        return self.jobs.cancel(job_id)


def find_made(catalog: Catalog, job: Job) -> int | None:
    """Return the revision that an interrupted job made, where its process ended between saving it and saying so.

    Args:
        catalog: The saved classifiers.
        job: The job.
    """
    if job.started_at is None:
        return None
    try:
        record = catalog.find(Reference(job.model_name)).entry.record
    except (NotFound, ArtifactInvalid, StorageFailed):
        return None
    made = (record.data_sha256, record.recipe, record.base_model.id)
    is_it = made == (job.data_sha256, job.recipe, job.base_model) and record.created_at >= job.started_at
    return record.revision if is_it else None
