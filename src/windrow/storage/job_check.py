"""One look at the jobs of a data directory: whether what was written down of each can be read.

Owns what may lie below ``jobs/``; knows nothing of locks or removing. No classifier needs a job, so none is damage.
"""

import re
from collections.abc import Iterator

from windrow.domain.errors import ArtifactInvalid
from windrow.storage.blob_check import open_plain
from windrow.storage.folder_check import Suspicion, garbage, list_folder
from windrow.storage.format import Mismatch
from windrow.storage.jobs import JOB_ID, JOBS, OWNERS, STOP, read_kept
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
    listing = list_folder(root, place, files=_FILES)
    yield from listing.found
    for file in sorted(name for name in listing.files if name != STOP):
        if problem := _problem_of(root, f"{place}/{file}", int(file.removesuffix(".json"))):
            what = f"What became of a training cannot be read ({problem}). What it made is not affected."
            yield garbage("job_unreadable", f"{place}/{file}", what, (f"{place}/{file}",))


def _problem_of(root: str, place: str, number: int) -> str | None:
    try:
        with open_plain(f"{root}/{place}") as opened:
            read_kept(opened.read(), number, strictly=True)
    except FileNotFoundError:  # old jobs are removed now and then
        return None
    except OSError as error:
        return error.strerror
    except (Mismatch, ArtifactInvalid) as error:
        return str(error)
    return None
