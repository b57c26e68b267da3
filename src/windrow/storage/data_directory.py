"""Knows the data directory again, and tells when it is gone: moved away, not mounted, or another one in its place."""

import os
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from windrow.disk import PRIVATE_FILE, disk_error, make_private, read_plain, reason
from windrow.domain.errors import DataDirectoryUnavailable, StorageUncertain
from windrow.storage.files import MAX_BYTES, STAGING, Files
from windrow.storage.folder_check import LOST_AND_FOUND
from windrow.storage.lock import Lock
from windrow.storage.namespace import CLASSIFIERS

# A file in the data directory, whose random content is the same for as long as the directory is, wherever it is moved,
# mounted or restored. Numbers of devices and files would not do: those of a volume may change when it is mounted again,
# and those of a removed folder may be given to the next one.
MARKER: Final = ".data_directory"
_MAX_MARKER_BYTES: Final = 1_000
_ADVICE: Final = (
    "Bring it back, by mounting or restoring it; until then, classifiers that are loaded go on answering, and nothing "
    "is changed."
)


@dataclass(frozen=True, slots=True)
class _Identity:
    """What a directory was known by when it was last looked at.

    Args:
        marker: The content of its marker; empty where it has none, since nothing was ever changed in it.
        stamp: Device, number and change time of the marker; of the directory where there is none.
        folder: Device and number of the directory.
        names: What lay in one without a marker, such as one that can only be read, and in its folder of classifiers.
    """

    marker: bytes
    stamp: tuple[int, ...]
    folder: tuple[int, ...]
    names: frozenset[str] = frozenset()

    def is_same(self, other: "_Identity") -> bool:
        """Whether both are of one directory: where nothing was, nothing is missed in what takes its place."""
        if self.marker:
            return self.marker == other.marker
        return self.folder == other.folder or not self.names or self.names == other.names


class Directory(Protocol):
    """Tells whether a data directory is there."""

    def look(self) -> None:
        """Look at what cannot be looked at as often as :meth:`check` is called."""
        ...

    def check(self) -> None:
        """Check that the directory is the one that was seen first, at little cost.

        Raises:
            DataDirectoryUnavailable: It is gone, cannot be read, or another one is in its place.
        """
        ...

    def prepare(self) -> None:
        """Get ready for a change.

        Raises:
            DataDirectoryUnavailable: As :meth:`check`; then nothing is made in its place.
            StorageFull: The disk is full, and the directory cannot be made.
            StorageFailed: It cannot be made.
        """
        ...


class DataDirectory:
    """A data directory that is remembered from the first time that it is seen; thread-safe.

    Args:
        root: Its path.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._marker = str(root / MARKER)
        self._known: _Identity | None = None
        self._lock = threading.Lock()

    def look(self) -> None:
        """Do nothing: each check looks at the directory itself."""

    def check(self) -> None:
        """Check that the directory is the one that was seen first, at the cost of one look at its marker.

        One that never was there is no problem: it is empty, and the first change makes it.

        Raises:
            DataDirectoryUnavailable: It is gone, cannot be read, or another one is in its place.
        """
        with _reading():
            if (known := self._known) is not None and known.stamp == self._stamp(known):
                return
        self._identify()

    def _identify(self) -> None:
        """Look what the directory is known by now, and whether that is what it was known by."""
        known = self._known
        with _reading():
            found = _identify(self.root, self._marker)
        if known is None:
            self._known = found
        elif found is None:
            raise _unavailable("missing", "is not where it was")
        elif known.is_same(found):
            self._known = found
        else:
            raise _unavailable("replaced", "is not the one that was there before: its file {marker} differs or is gone")

    def prepare(self) -> None:
        """Get ready for a change: make the directory where it never was there, and mark it.

        Raises:
            DataDirectoryUnavailable: As :meth:`check`; then nothing is made in its place.
            StorageFull: The disk is full, and the directory cannot be made.
            StorageFailed: It cannot be made.
        """
        self.check()
        if self._known is not None and self._known.marker:
            return
        with self._lock:
            if self._known is None:
                self._make()
            with suppress(OSError):  # one that is full or cannot be written is known by its numbers
                _mark(self.root)
            self._identify()

    def _make(self) -> None:
        try:
            make_private(self.root)
        except OSError as error:
            raise disk_error(
                error,
                "The data directory {folder} cannot be made ({why}). Check that Windrow may write there, then try "
                "again.",
                "The data directory {folder} cannot be made ({why}). Free some space or raise the quota, then try "
                "again.",
                folder=str(self.root),
            ) from error

    def _stamp(self, known: _Identity) -> tuple[int, ...] | None:
        try:
            return _timed_stamp_of(self._marker if known.marker else str(self.root))
        except (FileNotFoundError, NotADirectoryError):
            return None


class GuardedFiles:
    """The files of a data directory, which answer only while it is there: what is missing is not taken for removed.

    Args:
        files: The files.
        directory: The directory that they are in.
    """

    def __init__(self, files: Files, directory: DataDirectory) -> None:
        self._files = files
        self._directory = directory

    def put_new(self, key: str, data: bytes, same_as: str | None = None) -> None:
        """Store something, if the directory is there. See ``Files``."""
        self._directory.prepare()
        try:
            self._files.put_new(key, data, same_as)
        except StorageUncertain:  # it is put, wherever the directory is now
            raise
        except Exception:
            self._directory.check()
            raise

    def get(self, key: str, max_bytes: int = MAX_BYTES) -> bytes:
        """Return something, if the directory is there. See ``Files``."""
        try:
            return self._files.get(key, max_bytes)
        finally:
            self._directory.check()

    def list(self, prefix: str) -> list[str]:
        """Return names, if the directory is there. See ``Files``."""
        try:
            return self._files.list(prefix)
        finally:
            self._directory.check()

    def remove(self, key: str) -> None:
        """Remove something, if the directory is there. See ``Files``."""
        self._directory.check()
        self._files.remove(key)

    def version_token(self, prefix: str) -> str | None:
        """Return the token of a prefix; of another directory it differs, and of none it says "look". See ``Files``."""
        return self._files.version_token(prefix)


def guarded_lock(lock: Lock, directory: Directory) -> Lock:
    """Return a lock that is given only while a directory is there.

    Args:
        lock: The lock on it.
        directory: The directory.
    """

    @contextmanager
    def hold() -> Iterator[None]:
        directory.prepare()
        with lock():
            directory.check()  # it may have gone while others held the lock
            yield

    return hold


@contextmanager
def _reading() -> Iterator[None]:
    """Say of a directory that cannot be read that it is unavailable."""
    try:
        yield
    except OSError as error:
        raise _unavailable("unreadable", "cannot be read ({why})", why=reason(error)) from error


def _identify(root: Path, marker: str) -> _Identity | None:
    """Return what a directory is known by; ``None`` where there is none."""
    try:
        folder = _stamp_of(root)
        stamp = _timed_stamp_of(marker)  # before its content, so that a change of that shows the next time
        content = read_plain(marker, _MAX_MARKER_BYTES)
    except (FileNotFoundError, NotADirectoryError):
        with suppress(FileNotFoundError, NotADirectoryError):
            return _unmarked(root)
        return None
    return _Identity(content, stamp, folder) if content else _unmarked(root)


def _unmarked(root: Path) -> _Identity:
    stamp = _timed_stamp_of(str(root))  # first, so that a name that comes meanwhile shows the next time
    return _Identity(b"", stamp, stamp[:2], _names_in(root))


def _names_in(root: Path) -> frozenset[str]:
    """Return the names in a directory and in its folder of classifiers, but hidden ones and what a file system has."""
    found: set[str] = set()
    with suppress(NotADirectoryError):  # a file in its place has none
        found.update(os.listdir(root))  # noqa: PTH208 - for names alone
    with suppress(FileNotFoundError, NotADirectoryError):
        found.update(f"{CLASSIFIERS}/{name}" for name in os.listdir(root / CLASSIFIERS))  # noqa: PTH208
    return frozenset(name for name in found if not name.startswith(".") and name != LOST_AND_FOUND)


def _mark(root: Path) -> None:
    """Give a directory its marker; the one that it has already, or gets from another process just now, stays."""
    staged = root / STAGING / secrets.token_hex(16)
    make_private(staged.parent)
    try:
        with os.fdopen(os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE), "wb") as file:
            file.write(secrets.token_hex(16).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(staged, root / MARKER)
    finally:
        with suppress(OSError):
            staged.unlink()


def _stamp_of(root: Path) -> tuple[int, ...]:
    status = root.stat()
    return status.st_dev, status.st_ino


def _timed_stamp_of(path: str) -> tuple[int, ...]:
    status = os.stat(path)  # noqa: PTH116 - made once for each read of the disk
    return status.st_dev, status.st_ino, status.st_ctime_ns


def _unavailable(problem: str, what: str, **facts: object) -> DataDirectoryUnavailable:
    return DataDirectoryUnavailable(
        f"The data directory {what}. {_ADVICE}", {"problem": problem, "marker": MARKER, **facts}
    )


def stalled() -> DataDirectoryUnavailable:
    """Return the error for a directory of which a look takes too long."""
    return DataDirectoryUnavailable(
        "The data directory does not answer: a look at it takes seconds. See whether its disk or its object store can "
        "be reached; until then, classifiers that are loaded go on answering, and nothing is changed.",
        {"problem": "stalled"},
    )
