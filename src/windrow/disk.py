"""Files of a disk, for whichever floor needs them: written whole or not at all, and the errors of a disk that fails.

Owns what outlives a power cut, and which errors mean that there is no room; knows nothing of what is in a file.
"""

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from typing import BinaryIO

from windrow.domain.errors import StorageFailed, StorageFull

# The numbers of the errors of a disk, or of a quota, that has no room left.
FULL = frozenset((errno.ENOSPC, errno.EDQUOT))


def reason(error: OSError) -> str:
    """Return why something failed, for people."""
    return error.strerror or str(error)


def disk_error(error: OSError, failed: str, full: str, **facts: object) -> StorageFailed | StorageFull:
    """Return the error for a disk that failed.

    Args:
        error: How it failed.
        failed: The template of what is said, in which ``{why}`` is the reason.
        full: What is said instead where the disk is full.
        **facts: Facts of the templates.
    """
    facts["why"] = reason(error)
    return StorageFull(full, facts) if error.errno in FULL else StorageFailed(failed, facts)


def open_plain(path: str) -> FileIO:
    """Open a file for reading, unbuffered; what became a link meanwhile is not followed, nor a pipe waited for.

    Raises:
        OSError: It is not there, is a link, or may not be read.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    return open(os.open(path, flags), "rb", buffering=0)  # noqa: PTH123 - a Path takes longer to make than a file to open


def sync(path: Path) -> None:
    """Have a file's content, or a folder's names, outlive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """Give a file to write, which takes its place at the end; where anything fails, what stood there stays.

    Args:
        path: The file, which is replaced if it exists.

    Raises:
        OSError: It cannot be written.
    """
    # Nobody else has this name, so nobody's file is lost, and two that write to one path do not meet.
    part = path.with_name(f".windrow-{secrets.token_hex(8)}")
    try:
        with part.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())  # else a power cut may leave the name, and nothing behind it
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
