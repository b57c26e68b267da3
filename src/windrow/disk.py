"""Files of a disk, for whichever floor needs them: written whole or not at all, and the errors of a disk that fails.

Owns what outlives a power cut, and which errors mean that there is no room; knows nothing of what is in a file.
"""

import errno
import os
import secrets
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path
from typing import BinaryIO

from windrow.domain.errors import StorageFailed, StorageFull, WindrowError

# The numbers of the errors of a disk, or of a quota, that has no room left.
FULL = frozenset((errno.ENOSPC, errno.EDQUOT))
# Those of a process, or a system, that can open nothing more; the disk is well.
_NONE_LEFT = frozenset((errno.EMFILE, errno.ENFILE))
# Rights of what is new: the rows that somebody trained on concern nobody else on the machine, whatever the umask says.
PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700
# What stands for the data directory where somebody else is told of it.
DATA_DIR = "WINDROW_DATA_DIR"
_SYNC_ATTEMPTS = 3


def reason(error: OSError) -> str:
    """Return why something failed, for people."""
    return error.strerror or str(error)


def disk_error(error: OSError, failed: str, full: str, **facts: object) -> StorageFailed | StorageFull:
    """Return the error for a disk that failed.

    Args:
        error: How it failed.
        failed: The template of the error message, in which ``{why}`` is the reason.
        full: The message if the disk is full.
        **facts: Facts of the templates.
    """
    facts["why"] = reason(error)
    if error.errno in _NONE_LEFT:
        return StorageFailed(
            "Windrow has as many files and connections open as the system lets it ({why}), so it cannot use the data "
            "directory now. Try again, with fewer requests at a time, or raise the limit of open files (ulimit -n).",
            facts,
        )
    return StorageFull(full, facts) if error.errno in FULL else StorageFailed(failed, facts)


def without_folder(error: WindrowError, folder: Path) -> WindrowError:
    """Return an error that names files relative to a folder, and those below the user's own as ``~/…``.

    Where the folders of a server lie concerns whoever runs it, not its clients, nor who gets a copy of what it saved.

    Args:
        error: An error.
        folder: The data directory.
    """
    absolute = str(folder.absolute())
    names = {f"{absolute}/": "", absolute: DATA_DIR}
    with suppress(RuntimeError):  # nobody's
        home = str(Path.home())
        names |= {} if home == "/" else {f"{home}/": "~/"}
    facts = {name: _replaced(value, names) for name, value in error.facts.items()}
    template = _replaced(error.template, names)
    if template == error.template and facts == error.facts:
        return error
    return type(error)(str(template), facts)


def _replaced(value: object, names: Mapping[str, str]) -> object:
    if isinstance(value, str):
        for name, replacement in names.items():
            value = value.replace(name, replacement)
        return value
    if isinstance(value, list | tuple):
        return [_replaced(each, names) for each in value]
    if isinstance(value, dict):
        return {name: _replaced(each, names) for name, each in value.items()}
    return value


def open_plain(path: str, *, follow: bool = False) -> FileIO:
    """Open a regular file for reading, unbuffered; a pipe is not waited for, and nothing else is read.

    Args:
        path: The file.
        follow: Whether a link is followed. By default it is refused, since what it points to is no part of the folder.

    Raises:
        OSError: It is not there, is a link or no regular file, or may not be read.
    """
    opener = _open_regular if follow else _open_regular_itself
    return open(path, "rb", buffering=0, opener=opener)


def read_plain(path: str, max_bytes: int, *, follow: bool = False) -> bytes:
    """Return the content of a regular file, of which nothing is read where it is too large.

    Args:
        path: The file.
        max_bytes: The largest size of it that makes sense.
        follow: As for :func:`open_plain`.

    Raises:
        OSError: As :func:`open_plain`; ``EFBIG`` where it is larger.
    """
    with open_plain(path, follow=follow) as file:
        size_bytes = os.fstat(file.fileno()).st_size
        if size_bytes > max_bytes:
            raise OSError(errno.EFBIG, f"it has {size_bytes} bytes, and at most {max_bytes} make sense")
        return file.readall()


def _open_regular_itself(path: str, flags: int) -> int:
    try:
        return _open_regular(path, flags | os.O_NOFOLLOW)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise OSError(errno.ELOOP, "it is a link, which is not followed") from error
        raise


def _open_regular(path: str, flags: int) -> int:
    descriptor = os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    raise OSError(errno.EINVAL, "it is no regular file")


def make_private(folder: Path) -> None:
    """Make a folder, and those above it that are missing, for its owner alone; one that is there stays as it is.

    Raises:
        OSError: It cannot be made.
    """
    if folder.is_dir():
        return  # making it would fail in another way on a full disk
    try:
        folder.mkdir(PRIVATE_FOLDER)
    except FileNotFoundError:
        make_private(folder.parent)
        folder.mkdir(PRIVATE_FOLDER, exist_ok=True)
    except FileExistsError:
        if not folder.is_dir():
            raise


def is_open_to_others(folder: Path) -> bool:
    """Whether other users of this machine may list, enter or change a folder; not where there is none."""
    try:
        return bool(folder.stat().st_mode & 0o077)
    except OSError:
        return False


def sync(path: Path) -> None:
    """Have a file's content, or a folder's names, outlive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_persistently(path: Path) -> None:
    """Sync what others can see already, and try it again where the disk fails for a moment.

    Raises:
        OSError: It failed each time.
    """
    for _ in range(_SYNC_ATTEMPTS - 1):
        with suppress(OSError):
            return sync(path)
    return sync(path)


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """Give a file to write, which takes its place at the end; where anything fails, what stood there stays.

    Args:
        path: The file, which is replaced if it exists.

    Raises:
        OSError: It cannot be written.
    """
    # The name is unique, so no file is overwritten, and two writers of one path do not collide.
    part = path.with_name(f".windrow-{secrets.token_hex(8)}")
    try:
        with part.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())  # else a power cut may leave the name, and nothing behind it
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
