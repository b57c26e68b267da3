"""Files that users name to be read, here or in an object store: one, those of a folder, or all of a pattern."""

import glob
import os
from dataclasses import dataclass
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import BinaryIO, Final, cast

from windrow.disk import reason
from windrow.domain.errors import InvalidFile, InvalidParameter
from windrow.domain.store_url import is_store_url
from windrow.storage.files import KeyMissing
from windrow.storage.object_store.bucket import StoredObject
from windrow.storage.object_urls import ObjectUrl, bucket_of, fixed_folder, is_pattern, matcher, read_object_url

# What a file in a folder is called that holds rows; each of the first ones may be packed as gzip.
_TEXTS: Final = (".csv", ".tsv", ".tab", ".jsonl", ".ndjson")
ENDINGS: Final = (*_TEXTS, *(f"{ending}.gz" for ending in _TEXTS), ".parquet", ".parq")
# Each look at a store is a request, so one fetches enough for a while.
_BUFFER_BYTES: Final = 4 << 20


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file to be read, as it was when it was found."""

    name: str
    """What messages call it."""
    address: str
    """Where it is, from whichever folder it is looked for."""
    size_bytes: int
    """Its size."""
    version: str
    """Changes with its content: its time in nanoseconds, or what an object store calls this content."""


def find_input_files(text: str) -> tuple[InputFile, ...]:
    """Return the files that a user names, sorted by their names.

    Args:
        text: A file, a folder, whose files with rows are meant, or a pattern, on this machine or in an object store.

    Raises:
        InvalidParameter: There is none.
        StorageFailed: The object store refuses, or obstore is not installed.
        DataDirectoryUnavailable: The store does not answer.
    """
    found = _find_objects(read_object_url(text, "input")) if is_store_url(text) else _find_local(text)
    if not found:
        where = "matches {input}" if is_pattern(text) else "with rows is in {input}"
        raise InvalidParameter(
            f"No file {where}. Name one, or a pattern such as mails/*.csv; those with rows end in {{endings:joined}}.",
            {"parameter": "input", "input": text, "endings": [each for each in ENDINGS if not each.endswith(".gz")]},
        )
    return tuple(sorted(found, key=lambda file: file.address))


def open_input(file: InputFile) -> BinaryIO:
    """Open a file for reading at any place.

    Raises:
        InvalidParameter: It is not there, or cannot be read.
        InvalidFile: It is another one than was found.
        StorageFailed: The object store refuses.
        DataDirectoryUnavailable: The store does not answer.
    """
    if is_store_url(file.address):
        url = read_object_url(file.address, "input")
        _check_same(file, _of_object(url, _describe(url)))
        return cast(BinaryIO, BufferedReader(_StoredFile(url, file.size_bytes), _BUFFER_BYTES))
    try:
        _check_same(file, _of_path(file.name, Path(file.address).stat()))
        return Path(file.address).open("rb")
    except OSError as error:
        raise _unreadable(file.name, error) from error


def _find_local(text: str) -> list[InputFile]:
    path = Path(text)
    try:
        if path.is_dir():
            paths = [each for each in path.iterdir() if _has_rows(each.name)]
        elif is_pattern(text) and not path.exists():
            paths = [Path(each) for each in glob.glob(text, recursive=True)]  # noqa: PTH207 - keeps what was typed
        else:
            paths = [path]
        return [_of_path(str(each), each.stat()) for each in paths if each == path or each.is_file()]
    except OSError as error:
        raise _unreadable(text, error) from error


def _find_objects(url: ObjectUrl) -> list[InputFile]:
    key = url.key
    if key and not is_pattern(key) and not key.endswith("/"):
        return [_of_object(url, _describe(url))]
    expression = matcher(key) if is_pattern(key) else None
    folder = fixed_folder(key)
    bucket, start = bucket_of(url.store), f"{folder}/" if folder else ""
    return [
        _of_object(ObjectUrl(url.store, each.key), each)
        for each in bucket.objects(folder)
        if (expression.fullmatch(each.key) if expression else _is_directly_in(start, each.key))
        and not each.key.endswith("/")
    ]


def _is_directly_in(folder: str, key: str) -> bool:
    name = key[len(folder) :]
    return "/" not in name and _has_rows(name)


def _has_rows(name: str) -> bool:
    # What begins like this is somebody's note, or not whole yet.
    return name.lower().endswith(ENDINGS) and not name.startswith((".", "_"))


def _describe(url: ObjectUrl) -> StoredObject:
    try:
        return bucket_of(url.store).describe(url.key)
    except KeyMissing as error:
        raise InvalidParameter(
            "There is no file {file}. Check its name; a folder ends with a slash.",
            {"parameter": "input", "file": str(url)},
        ) from error


def _of_object(url: ObjectUrl, found: StoredObject) -> InputFile:
    return InputFile(str(url), str(url), found.size_bytes, found.etag or found.changed_at.isoformat())


def _of_path(name: str, found: os.stat_result) -> InputFile:
    return InputFile(name, os.path.abspath(name), found.st_size, str(found.st_mtime_ns))  # noqa: PTH100 - no links


def _check_same(file: InputFile, now: InputFile) -> None:
    # Runs that began with an earlier Windrow kept what a store calls the content with its quotation marks.
    if (file.size_bytes, file.version.strip('"')) != (now.size_bytes, now.version.strip('"')):
        raise InvalidFile(
            "{file} has changed since this run began. Put it back as it was, or begin anew with {set:overwrite}.",
            {"file": file.name},
        )


def _unreadable(name: str, error: OSError) -> InvalidParameter:
    facts = {"parameter": "input", "file": name, "reason": reason(error)}
    if isinstance(error, FileNotFoundError):
        return InvalidParameter("There is no file {file}. Check its name.", facts)
    return InvalidParameter("{file} cannot be read: {reason}. Name another file.", facts)


class _StoredFile(RawIOBase):
    """An object of a store as a file in which any place can be gone to.

    Args:
        url: The object.
        size_bytes: Its size.
    """

    def __init__(self, url: ObjectUrl, size_bytes: int) -> None:
        super().__init__()
        self._url = url
        self._size_bytes = size_bytes
        self._place = 0

    def readable(self) -> bool:
        """Return true."""
        return True

    def seekable(self) -> bool:
        """Return true."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self._size_bytes}[whence]
        self._place = max(0, start + offset)
        return self._place

    def tell(self) -> int:
        """Return the place."""
        return self._place

    def readinto(self, buffer: "bytearray | memoryview", /) -> int:  # type: ignore[override]
        """Read the next bytes into a buffer, and return how many there were."""
        end = min(self._place + len(buffer), self._size_bytes)
        if end <= self._place:
            return 0
        try:
            data = bucket_of(self._url.store).get_range(self._url.key, self._place, end)
        except KeyMissing as error:
            words = "{file} is gone since this run began. Put it back, or begin anew with {set:overwrite}."
            raise InvalidFile(words, {"file": str(self._url)}) from error
        buffer[: len(data)] = data
        self._place += len(data)
        return len(data)
