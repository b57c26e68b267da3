"""Stores bytes under keys, each put once and never changed: the interface to a disk, and the local disk behind it.

Knows nothing of classifiers or of what the bytes mean.
"""

import errno
import os
import re
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Protocol, runtime_checkable

from windrow.disk import PRIVATE_FILE, PRIVATE_FOLDER, disk_error, read_plain, reason, sync, sync_persistently
from windrow.domain.errors import StorageFailed, StorageUncertain

_PART = "[A-Za-z0-9][A-Za-z0-9._-]*"
_KEY = re.compile(f"{_PART}(/{_PART})*")
STAGING = ".aside"
_NO_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EXDEV}

# Clocks of file systems tick in steps, and two changes within one step bear the same time. A folder is trusted to be
# unchanged only once its time is older than the coarsest step in use, the 2 s of FAT.
# Source: "Racy Git", https://git-scm.com/docs/racy-git
CTIME_GRANULARITY_NS = 2_000_000_000

# The maximum size of a file whose size is not recorded; the rows of a gate in an alias's file are the largest.
MAX_BYTES = 64 * 2**20
# How it fails to open or read what is no regular file, or too large a one.
_NO_CONTENT = {errno.EINVAL, errno.ELOOP, errno.EFBIG, errno.ENXIO, errno.ENODEV}


class KeyExists(Exception):  # noqa: N818 - an answer of the seam, which its caller always handles
    """Something is stored under this key already."""


class KeyMissing(Exception):  # noqa: N818 - an answer of the seam, which its caller always handles
    """Nothing is stored under this key."""


class KeyUnusable(KeyMissing):
    """What stands under this key was never put there: a link, a pipe, a folder, or more than there can be."""


class Files(Protocol):
    """All that a place must be able to do to hold classifiers: a local disk can, and so can an object store.

    A key is one or more parts joined by ``/``; a part starts with an ASCII letter or digit and goes on with letters,
    digits, ``.``, ``_`` or ``-``. Every method raises ``ValueError`` for any other key, ``StorageFull`` and
    ``StorageFailed`` when the disk fails.
    """

    def put_new(self, key: str, data: bytes, same_as: str | None = None) -> None:
        """Store ``data`` for good under a new key, whole or not at all; of several callers exactly one wins.

        Args:
            key: The key.
            data: What to store.
            same_as: A key under which the same is stored already, so that the place may keep it once.

        Raises:
            KeyExists: The key is in use; what is there will outlive a power cut.
            StorageUncertain: It is stored, and may be gone after a power cut; nothing more is changed until that is
                settled.
        """
        ...

    def get(self, key: str, max_bytes: int = MAX_BYTES) -> bytes:
        """Return the content of a key, without waiting for a lock.

        Args:
            key: The key.
            max_bytes: The most bytes that it can have; of more, none is read.

        Raises:
            KeyMissing: There is nothing.
            KeyUnusable: What is there is too large, or no content at all.
        """
        ...

    def list(self, prefix: str) -> list[str]:
        """Return the sorted names directly below a prefix: of keys and of longer prefixes, no hidden ones."""
        ...

    def remove(self, key: str) -> None:
        """Remove a key; one that is not there is no error. A prefix without keys is gone, too.

        Raises:
            StorageUncertain: It is gone, and may be back after a power cut, as :meth:`put_new`.
        """
        ...

    def version_token(self, prefix: str) -> str | None:
        """Return a token that differs whenever a name directly below the prefix came or went, or ``None`` for "look".

        Taken before a listing, an equal token later says that the listing still holds.
        """
        ...


@runtime_checkable
class RemoteFiles(Protocol):
    """What a place beside this can do of which each file is a request away."""

    def prefetch(self, keys: Sequence[str]) -> None:
        """Have the contents of keys at hand for the next :meth:`Files.get`, as far as they can be had."""
        ...


@dataclass(frozen=True, slots=True)
class LocalFiles:
    """Files in a folder of this machine, for any number of threads and processes at once.

    Args:
        root: The folder; made on the first put.
        clock_ns: The clock that the file system's times are compared with, in nanoseconds.
    """

    root: Path
    clock_ns: Callable[[], int] = time.time_ns
    _durable: set[Path] = field(default_factory=set, init=False, repr=False, compare=False)
    _unsettled: set[Path] = field(default_factory=set, init=False, repr=False, compare=False)

    def put_new(self, key: str, data: bytes, same_as: str | None = None) -> None:
        """Stage, sync, link into place, sync the folder: a crash between any two steps leaves all or nothing."""
        path = Path(self._path(key))
        with _storage_errors("write", key):
            self._settle_folders()
            self._make_folder(path.parent)
            is_new = None if same_as is None else _link_existing(Path(self._path(same_as)), path)
            if is_new is None:
                with self._staged(data) as staged:
                    is_new = _link(staged, path)
            # Also when another writer was first: the caller will build on what is there. When this fails, the file
            # stays: others may have read it, and a key never changes its content.
            self._settle(path.parent, key if is_new else None)
        if not is_new:
            raise KeyExists(key)

    def get(self, key: str, max_bytes: int = MAX_BYTES) -> bytes:
        """Read the file."""
        path = self._path(key)
        with _storage_errors("read", key):
            try:
                return read_plain(path, max_bytes)
            except (FileNotFoundError, NotADirectoryError) as error:
                raise KeyMissing(key) from error
            except OSError as error:
                if error.errno in _NO_CONTENT:
                    raise KeyUnusable(reason(error)) from error
                raise

    def list(self, prefix: str) -> list[str]:
        """List the folder."""
        path = self._path(prefix)
        with _storage_errors("list", prefix):
            try:
                return sorted(name for name in os.listdir(path) if not name.startswith("."))  # noqa: PTH208
            except (FileNotFoundError, NotADirectoryError):
                return []

    def remove(self, key: str) -> None:
        """Unlink the file, sync its folder, and remove the folders that this leaves empty."""
        path = Path(self._path(key))
        with _storage_errors("remove", key), suppress(FileNotFoundError, NotADirectoryError):
            self._settle_folders()
            path.unlink()
            self._settle(path.parent, key)
        for folder in path.parents[: len(path.relative_to(self.root).parts) - 1]:
            self._durable.discard(folder)  # a new folder of that name must be synced again
            with suppress(OSError):  # it holds something
                folder.rmdir()

    def version_token(self, prefix: str) -> str | None:
        """Look at the folder's times, which move with every name that comes or goes."""
        path = self._path(prefix)
        now_ns = self.clock_ns()  # read first: a change after it can then never look old
        try:
            # mtime would not do: tools that copy folders with their times set it back.
            changed_ns = os.stat(path).st_ctime_ns  # noqa: PTH116
        except OSError:
            return None
        return None if changed_ns > now_ns - CTIME_GRANULARITY_NS else str(changed_ns)

    def _path(self, key: str) -> str:
        """Return a key's path; no Path, which takes longer to make than a folder to list."""
        check_key(key)
        return f"{self.root}/{key}"

    def _settle(self, folder: Path, changed: str | None = None) -> None:
        """Sync a folder whose names have changed.

        Args:
            folder: The folder.
            changed: The key that this process changed in it; ``None`` where others did.

        Raises:
            StorageUncertain: That is not possible, and this process's change can be seen.
            OSError: It is not possible, and the change is another one's.
        """
        try:
            sync_persistently(folder)
        except OSError as error:
            if changed is None:
                raise
            self._unsettled.add(folder)
            raise unconfirmed(changed, error) from error

    def _settle_folders(self) -> None:
        """Sync the folders whose changes this process could not confirm before: nothing is built on those.

        Raises:
            OSError: One still cannot be synced.
        """
        for folder in tuple(self._unsettled):
            with suppress(FileNotFoundError, NotADirectoryError):  # all of it was removed since
                sync(folder)
            self._unsettled.discard(folder)

    def _make_folder(self, folder: Path) -> None:
        """Make a folder whose entry in each folder above, up to the root, is known to be on the disk."""
        is_there = folder.is_dir()
        if is_there and (folder in self._durable or self.root not in folder.parents):
            return
        self._make_folder(folder.parent)
        with suppress(FileExistsError):
            folder.mkdir(PRIVATE_FOLDER)
        sync(folder.parent)
        self._durable.add(folder)

    @contextmanager
    def _staged(self, data: bytes) -> Iterator[Path]:
        """Yield a synced file in the staging folder; what a dead process leaves there is never content."""
        staged = self.root / STAGING / secrets.token_hex(16)
        self._make_folder(staged.parent)
        try:
            with staged.open("xb") as file:
                os.fchmod(file.fileno(), PRIVATE_FILE)
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            yield staged
        finally:
            with suppress(OSError):  # only garbage stays
                staged.unlink()


def check_key(key: str) -> None:
    """Refuse what breaks the grammar of keys.

    Raises:
        ValueError: It does.
    """
    if not _is_key(key):
        raise ValueError(f"{key!r} is no key: it has parts of [A-Za-z0-9._-], each begun by a letter or digit")


@lru_cache(maxsize=32_768)
def _is_key(key: str) -> bool:
    """Whether a key follows the grammar; the folders of classifiers are asked for again and again."""
    return _KEY.fullmatch(key) is not None


def _link(staged: Path, path: Path) -> bool:
    try:
        os.link(staged, path)
    except FileExistsError:
        return False
    return True


def _link_existing(existing: Path, path: Path) -> bool | None:
    """Give a file a second name; ``None`` where that cannot be: it is gone, or has as many names as a file may have."""
    try:
        return _link(existing, path)
    except OSError:
        return None


@contextmanager
def no_change_yet() -> Iterator[None]:
    """Say of what is written inside the ``with`` block, on which nothing depends yet, that nothing was changed.

    Raises:
        StorageFailed: The disk did not confirm what was written or removed.
    """
    try:
        yield
    except StorageUncertain as error:
        raise StorageFailed(
            "The disk did not confirm a change of {file} in the data directory ({why}), so nothing else was changed. "
            "Check the disk, then try again.",
            error.facts,
        ) from error


def unconfirmed(key: str, error: OSError) -> StorageUncertain:
    """Return the error for a change that can be seen, and that the disk failed to confirm."""
    return StorageUncertain(
        "The change of {file} in the data directory holds now, but its disk did not confirm it ({why}), so a power cut "
        "may undo it. Check the disk, and look what is there before you try again.",
        {"file": key, "why": reason(error)},
    )


def is_forbidden(error: StorageFailed) -> bool:
    """Whether one file or folder may not be read; any other error may be one of the whole disk."""
    return isinstance(error.__cause__, PermissionError)


@contextmanager
def _storage_errors(verb: str, key: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        what = "Windrow could not {verb} {file} in the data directory ({why})"
        # Without links there is no way to put a whole file in place unless the name is free, so there is no fallback.
        advice = (
            "The data directory must lie on one file system that has hard links, such as ext4, XFS, Btrfs or APFS"
            if verb == "write" and error.errno in _NO_LINKS
            else "Check that the data directory exists, that the server may read and write it, and that its disk works"
        )
        raise disk_error(
            error,
            f"{what}. {advice}; then try again.",
            f"{what}; nothing that was there before is lost. Free some space or raise the quota, then try again.",
            verb=verb,
            file=key,
        ) from error
