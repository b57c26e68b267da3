"""Scans the saved jobs for files that cannot be read. No classifier needs a job, so none of them is damage."""

from collections.abc import Iterator

from windrow.domain.errors import InvalidArtifact
from windrow.storage.folder_check import NOTHING, CandidateFinding, garbage, list_folder, newer, read_log
from windrow.storage.format import is_newer
from windrow.storage.job_files import FILES, FOLDERS, JOBS, OWNERS, stored_job_from_json
from windrow.storage.name_check import ScanResult


def scan_jobs(root: str) -> ScanResult:
    """Scan every job.

    Args:
        root: The data directory.
    """
    listing = list_folder(root, JOBS, folders=FOLDERS)
    candidates = list(listing.candidates)
    for job_id in sorted(name for name in listing.folders if name != OWNERS):
        candidates.extend(_scan_job(root, f"{JOBS}/{job_id}"))
    return ScanResult(tuple(candidates))


def _scan_job(root: str, path: str) -> Iterator[CandidateFinding]:
    log = read_log(root, path, stored_job_from_json, NOTHING, FILES)
    yield from log.listing.candidates
    for number, kept in log.values.items():
        if isinstance(kept, InvalidArtifact) and is_newer(kept):
            yield newer("job_newer_format", log.file(number), "What became of a training")
        elif isinstance(kept, InvalidArtifact):
            what = f"What became of a training cannot be read ({kept.facts['why']}). What it made is not affected."
            yield garbage("job_unreadable", log.file(number), what, (log.file(number),))
