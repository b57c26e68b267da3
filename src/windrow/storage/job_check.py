"""One look at the jobs of a data directory: whether what was written down of each can be read.

Owns what may lie below ``jobs/``; knows nothing of locks or removing. No classifier needs a job, so none is damage.
"""

import re
from collections.abc import Iterator

from windrow.domain.errors import InvalidArtifact
from windrow.storage.folder_check import NOTHING, Suspicion, garbage, list_folder, read_log
from windrow.storage.jobs import JOB_ID, JOBS, OWNERS, STOP, kept_from_json
from windrow.storage.log import NUMBERED
from windrow.storage.name_check import Look

_FOLDERS = re.compile(f"{JOB_ID.pattern}|{re.escape(OWNERS)}")
_FILES = re.compile(f"{NUMBERED.pattern}|{re.escape(STOP)}")


def look_at_jobs(root: str) -> Look:
    """Look at every job.

    Args:
        root: The data directory.
    """
    listing = list_folder(root, JOBS, folders=_FOLDERS)
    found = list(listing.found)
    for job_id in sorted(name for name in listing.folders if name != OWNERS):
        found.extend(_look_at_job(root, f"{JOBS}/{job_id}"))
    return Look(tuple(found))


def _look_at_job(root: str, place: str) -> Iterator[Suspicion]:
    log = read_log(root, place, kept_from_json, NOTHING, _FILES)
    yield from log.listing.found
    for number, kept in log.values.items():
        if isinstance(kept, InvalidArtifact):
            what = f"What became of a training cannot be read ({kept.facts['why']}). What it made is not affected."
            yield garbage("job_unreadable", log.file(number), what, (log.file(number),))
