"""Copies a part of a data directory in an object store to a temporary folder, for the scans of a check, which read one.

What is copied is what the store has; this machine's copies would hide what was lost there.
"""

import hashlib
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from shutil import rmtree
from tempfile import TemporaryDirectory
from typing import Final

from windrow.disk import disk_error, make_private
from windrow.storage.files import KeyMissing
from windrow.storage.folder_check import CandidateFinding
from windrow.storage.format import RESTORE
from windrow.storage.log import NUMBERED
from windrow.storage.object_store.bucket import Bucket
from windrow.storage.object_store.documents import StoredFile
from windrow.storage.object_store.loose_objects import LOOSE, LOOSE_ROOTS
from windrow.storage.object_store.object_files import ObjectFiles

# A check that died leaves its folder; none takes so long.
_LONGEST_CHECK_S: Final = 86_400
_READERS: Final = 8
# As those of files; longer ones have no place in a folder.
_PART: Final = re.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,254}")


@dataclass(frozen=True, slots=True)
class Entry:
    """A file that is to be copied.

    Args:
        key: Its key.
        file: What a commit says about it; ``None`` for an object outside the log.
    """

    key: str
    file: StoredFile | None

    @property
    def object_key(self) -> str:
        """The object that has its content."""
        return f"{LOOSE}/{self.key}" if self.file is None else self.file.object_key(self.key)


@dataclass(frozen=True, slots=True)
class TemporaryCopy:
    """A part of a data directory in a temporary folder.

    Args:
        root: The folder, in place of the data directory.
        problems: What is wrong with files before anybody reads them, by key; their copies say nothing.
    """

    root: str
    problems: Mapping[str, CandidateFinding]


class Copier:
    """Makes temporary copies.

    Args:
        files: The files.
        bucket: Where they are.
        folder: A folder of this machine for the copies, which nobody else writes to.
    """

    def __init__(self, files: ObjectFiles, bucket: Bucket, folder: Path) -> None:
        self._files = files
        self._bucket = bucket
        self._folder = folder

    def sweep(self) -> None:
        """Remove what checks that died have left."""
        with suppress(OSError):
            for left in list(self._folder.iterdir()):
                with suppress(OSError):
                    if left.stat().st_mtime < time.time() - _LONGEST_CHECK_S:
                        rmtree(left, ignore_errors=True)

    def entries(self, prefixes: Iterable[str]) -> list[Entry]:
        """Return the files below some prefixes, but what servers keep for themselves, under hidden names."""
        found: dict[str, Entry] = {}
        for prefix in prefixes:
            if prefix.partition("/")[0] in LOOSE_ROOTS:
                keys = (each.key.removeprefix(f"{LOOSE}/") for each in self._bucket.objects(f"{LOOSE}/{prefix}"))
                found.update((key, Entry(key, None)) for key in keys if "/." not in key)
            found.update((key, Entry(key, file)) for key, file in self._files.stored(prefix))
        return list(found.values())

    @contextmanager
    def copied(self, entries: Sequence[Entry]) -> Iterator[TemporaryCopy]:
        """Copy some files for as long as the ``with`` block takes.

        Raises:
            StorageFull: This machine's disk is full.
            StorageFailed: It fails, or the store refuses.
            DataDirectoryUnavailable: The store does not answer.
        """
        try:
            make_private(self._folder)
            with TemporaryDirectory(dir=self._folder) as root:
                usable, problems = _usable(entries)
                with ThreadPoolExecutor(_READERS) as readers:
                    found = list(readers.map(partial(self._copy, Path(root)), usable))
                problems |= {each.path: each for each in found if each is not None}
                yield TemporaryCopy(root, problems)
        except OSError as error:
            raise disk_error(
                error,
                "What is to be checked cannot be copied to this machine's disk ({why}). Check that Windrow may write "
                "to {folder}, then try again.",
                "What is to be checked cannot be copied to this machine's disk ({why}). Free some space or raise the "
                "quota, then try again.",
                folder=str(self._folder),
            ) from error

    def _copy(self, root: Path, entry: Entry) -> CandidateFinding | None:
        """Copy a file, and return what is wrong with it."""
        problem, content = None, None
        try:
            content = self._bucket.get(entry.object_key)
        except KeyMissing:
            if entry.file is None:  # it went since it was listed
                return None
            what = f"Its object {entry.object_key} is not there."
            problem = CandidateFinding("damage", "content_missing", entry.key, what, RESTORE)
        else:
            problem = _altered(entry, content)
        if problem is not None and NUMBERED.fullmatch(PurePosixPath(entry.key).name):
            content = b""  # unreadable: what it may have said counts as unknown, so that nothing is removed for it
        if content is not None:
            path = root / entry.key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return problem


def _altered(entry: Entry, content: bytes) -> CandidateFinding | None:
    file = entry.file
    if file is None:
        return None
    if len(content) != file.size_bytes:
        what = f"Its object {entry.object_key} has {len(content)} bytes instead of {file.size_bytes}."
    elif hashlib.sha256(content).hexdigest() != file.sha256:
        what = f"Its object {entry.object_key} has another sha256 than its commit says."
    else:
        return None
    return CandidateFinding("damage", "content_altered", entry.key, what, RESTORE)


def _usable(entries: Sequence[Entry]) -> tuple[list[Entry], dict[str, CandidateFinding]]:
    """Part entries from those that no folder can hold as they are, which nobody but Windrow's users can have put."""
    folders = {str(parent) for entry in entries for parent in PurePosixPath(entry.key).parents}
    usable, problems = [], {}
    for entry in entries:
        if entry.key not in folders and all(map(_PART.fullmatch, entry.key.split("/"))):
            usable.append(entry)
        else:
            problems[entry.key] = foreign(entry.key)
    return usable, problems


def foreign(path: str) -> CandidateFinding:
    """Return the finding about something that Windrow did not write."""
    what = "It is nothing that Windrow wrote."
    return CandidateFinding("notice", "foreign_file", path, what, "Windrow leaves it alone. Move it elsewhere.")
