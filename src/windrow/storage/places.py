"""Places where users have results written: a folder on this machine, or a part of an object store.

Each file appears whole or not at all, so whoever finds one has all of it.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, Protocol

from windrow.disk import disk_error, whole_file
from windrow.domain.errors import InvalidParameter
from windrow.domain.store_url import StoreUrl, is_store_url
from windrow.storage.files import KeyMissing
from windrow.storage.object_urls import bucket_of, is_pattern, read_object_url

_NO_LINKS: Final = frozenset((errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS))
_FAILED: Final = (
    "{file} cannot be written: {why}. Make that possible or name another place; what is whole stays, and the same "
    "command goes on from there."
)
_FULL: Final = "There is no room for {file}. Make room; what is whole stays, and the same command goes on from there."


class Place(Protocol):
    """A folder for results. Each method raises ``StorageFailed`` or ``StorageFull`` where it cannot be used."""

    def create(self, name: str, data: bytes) -> bool:
        """Write a file unless there is one of that name; return whether ``data`` is what it holds now."""
        ...

    def put(self, name: str, data: bytes) -> None:
        """Write a file, in place of any that is there."""
        ...

    def get(self, name: str) -> bytes:
        """Return the content of a file.

        Raises:
            KeyMissing: There is none.
        """
        ...

    def names(self) -> frozenset[str]:
        """Return the names of all files that are directly in it."""
        ...

    def remove(self, name: str) -> None:
        """Remove a file; one that is not there is no error."""
        ...


def open_place(text: str) -> tuple[Place, str]:
    """Return a place, and its address from whichever folder it is looked for.

    Args:
        text: What the user named.

    Raises:
        InvalidParameter: It is no folder.
        StorageFailed: obstore is not installed.
    """
    if is_pattern(text):
        raise InvalidParameter(
            "{output} is a pattern. Name the one folder to write to.", {"parameter": "output", "output": text}
        )
    if is_store_url(text):
        url = read_object_url(text, "output")
        prefix = url.key.strip("/")
        return _StorePlace(StoreUrl(url.store.scheme, url.store.bucket, prefix)), f"{url.store}/{prefix}"
    folder = Path(os.path.abspath(text))  # noqa: PTH100 - links stay as they are
    if folder.exists() and not folder.is_dir():
        raise InvalidParameter(
            "{output} is a file. Name a folder to write to.", {"parameter": "output", "output": text}
        )
    return _FolderPlace(folder), str(folder)


class _FolderPlace:
    """A folder on this machine.

    Args:
        folder: The folder; :meth:`create` makes it where it is missing.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def create(self, name: str, data: bytes) -> bool:
        """Write a new file. See ``Place``."""
        path = self._folder / name
        with _errors(path):
            self._folder.mkdir(parents=True, exist_ok=True)
            if path.exists():
                return path.read_bytes() == data
            own = path.with_name(f".windrow-{os.urandom(8).hex()}")
            try:
                with whole_file(own) as file:
                    file.write(data)
                return _link(own, path) or path.read_bytes() == data
            finally:
                own.unlink(missing_ok=True)

    def put(self, name: str, data: bytes) -> None:
        """Write a file. See ``Place``."""
        with _errors(self._folder / name), whole_file(self._folder / name) as file:
            file.write(data)

    def get(self, name: str) -> bytes:
        """Read a file. See ``Place``."""
        path = self._folder / name
        with _errors(path):
            try:
                return path.read_bytes()
            except (FileNotFoundError, NotADirectoryError) as error:
                raise KeyMissing(name) from error

    def names(self) -> frozenset[str]:
        """List files. See ``Place``."""
        with _errors(self._folder), suppress(FileNotFoundError):
            return frozenset(os.listdir(self._folder))  # noqa: PTH208 - their names
        return frozenset()

    def remove(self, name: str) -> None:
        """Remove a file. See ``Place``."""
        with _errors(self._folder / name):
            (self._folder / name).unlink(missing_ok=True)


def _link(own: Path, path: Path) -> bool:
    """Give a file a second name unless that is taken; return whether it has it."""
    try:
        os.link(own, path)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        # A disk without links: two that begin at the same instant are not told apart.
        own.replace(path)
    return True


class _StorePlace:
    """A part of an object store.

    Args:
        url: The part.
    """

    def __init__(self, url: StoreUrl) -> None:
        self._bucket = bucket_of(url)

    def create(self, name: str, data: bytes) -> bool:
        """Write a new object. See ``Place``."""
        return self._bucket.create(name, data)

    def put(self, name: str, data: bytes) -> None:
        """Write an object. See ``Place``."""
        self._bucket.put(name, data)

    def get(self, name: str) -> bytes:
        """Read an object. See ``Place``."""
        return self._bucket.get(name)

    def names(self) -> frozenset[str]:
        """List objects. See ``Place``."""
        return frozenset(self._bucket.names(""))

    def remove(self, name: str) -> None:
        """Remove an object. See ``Place``."""
        self._bucket.remove(name)


@contextmanager
def _errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise disk_error(error, _FAILED, _FULL, file=str(path)) from error
