"""Removing a folder so that it is whole or gone, at whatever moment the process dies."""

import os
import shutil
import stat
import uuid
from pathlib import Path

from windrow.disk import sync

# What is being removed bears a hidden name, so that nobody takes a part for the whole.
REMOVED = ".removed-"

# Of each file: path, size in bytes, and both times of change in nanoseconds; tools that copy set one of them back.
Files = frozenset[tuple[str, int, int, int]]


def files_below(path: Path) -> Files:
    """Return what tells whether anything below a folder has changed: its files, as they are now.

    Args:
        path: The folder, or a file, which is then the only one; links to files are followed.
    """
    found = []
    for file in (str(path), *(f"{folder}/{name}" for folder, _, names in os.walk(path) for name in names)):
        try:
            status = os.stat(file)  # noqa: PTH116 - a Path for each of many files takes longer than the look
        except OSError:  # gone meanwhile, or a link to nowhere
            continue
        if stat.S_ISREG(status.st_mode):
            found.append((file, status.st_size, status.st_mtime_ns, status.st_ctime_ns))
    return frozenset(found)


def size_bytes(path: Path) -> int:
    """Return the size of all files below a folder, or of a file; 0 where there is nothing."""
    return sum(size for _, size, *_ in files_below(path))


def remove_folder(folder: Path) -> int:
    """Remove a folder, at once for everyone else; of a link, only the link.

    Args:
        folder: Where it lies; its parent must be writable.

    Returns:
        Bytes that were freed.
    """
    before = 0 if folder.is_symlink() else size_bytes(folder)
    hidden = hide(folder, REMOVED)
    delete(hidden)
    return before - size_bytes(hidden)


def hide(folder: Path, prefix: str) -> Path:
    """Give a folder a name that nobody looks for, and return where it is then.

    Args:
        folder: Where it lies.
        prefix: How the new name begins.
    """
    hidden = folder.with_name(f"{prefix}{uuid.uuid4().hex}")
    folder.rename(hidden)
    sync(hidden.parent)
    return hidden


def delete(hidden: Path) -> None:
    """Delete as much of a hidden folder as can be deleted; the rest waits for the next :func:`sweep`."""
    if hidden.is_symlink():
        hidden.unlink()
    else:
        shutil.rmtree(hidden, ignore_errors=True)


def sweep(parent: Path, prefix: str = REMOVED) -> None:
    """Delete what removals left behind whose process died.

    Args:
        parent: Where to look; not below.
        prefix: What :func:`hide` was given.
    """
    for hidden in parent.glob(f"{prefix}*"):
        delete(hidden)
