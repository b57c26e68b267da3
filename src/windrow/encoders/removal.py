"""Remove folders atomically, so that a crash leaves a folder complete or gone."""

import os
import shutil
import stat
import uuid
from pathlib import Path

from windrow.disk import sync

# Folders are renamed to a hidden name before deletion, so that a partly deleted one is never used.
REMOVED = ".removed-"

# Each file's path, size in bytes, and both times of change in nanoseconds; copying tools set one of them back.
Files = frozenset[tuple[str, int, int, int]]


def files_below(path: Path) -> Files:
    """Return a fingerprint of the files below a folder, to detect changes.

    Args:
        path: The folder, or a single file; links to files are followed.
    """
    entries = []
    for file in (str(path), *(f"{folder}/{name}" for folder, _, names in os.walk(path) for name in names)):
        try:
            status = os.stat(file)  # noqa: PTH116 - a Path for each of many files takes longer than the look
        except OSError:  # gone meanwhile, or a link to nowhere
            continue
        if stat.S_ISREG(status.st_mode):
            entries.append((file, status.st_size, status.st_mtime_ns, status.st_ctime_ns))
    return frozenset(entries)


def size_bytes(path: Path) -> int:
    """Return the size of all files below a folder, or of a file; 0 where there is nothing."""
    return sum(size for _, size, *_ in files_below(path))


def remove_folder(folder: Path) -> int:
    """Remove a folder atomically; of a link, only the link.

    Args:
        folder: The folder; its parent must be writable.

    Returns:
        The number of freed bytes.
    """
    before = 0 if folder.is_symlink() else size_bytes(folder)
    hidden = hide(folder, REMOVED)
    delete(hidden)
    return before - size_bytes(hidden)


def hide(folder: Path, prefix: str) -> Path:
    """Rename a folder to a hidden name, and return its new path.

    Args:
        folder: The folder.
        prefix: The beginning of the new name.
    """
    hidden = folder.with_name(f"{prefix}{uuid.uuid4().hex}")
    folder.rename(hidden)
    sync(hidden.parent)
    return hidden


def delete(hidden: Path) -> None:
    """Delete a hidden folder, link or file as far as possible; the next :func:`sweep` deletes the rest."""
    if hidden.is_symlink() or not hidden.is_dir():
        hidden.unlink(missing_ok=True)
    else:
        shutil.rmtree(hidden, ignore_errors=True)


def sweep(parent: Path, prefix: str = REMOVED) -> None:
    """Delete the leftovers of interrupted removals.

    Args:
        parent: The folder to search; its subfolders are not searched.
        prefix: The prefix that :func:`hide` was given.
    """
    for hidden in parent.glob(f"{prefix}*"):
        delete(hidden)
