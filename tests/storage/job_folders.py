"""Opens the jobs of a folder, as the bootstrap does."""

from pathlib import Path

from windrow.storage.files import Files, LocalFiles
from windrow.storage.job_files import JobFiles
from windrow.storage.local_owners import LocalOwners, NoProgressBoard


def open_jobs(root: Path, files: Files | None = None) -> JobFiles:
    """Return the jobs of a folder.

    Args:
        root: The folder.
        files: Its files; ``None`` for those of a local disk.
    """
    return JobFiles(LocalFiles(root) if files is None else files, LocalOwners(root), NoProgressBoard(), root)
