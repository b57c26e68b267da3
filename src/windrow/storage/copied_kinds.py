"""What is copied from one data directory to another: which folders and files, in which order, verified how."""

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from windrow.domain.errors import InvalidArtifact
from windrow.domain.names import is_name
from windrow.storage.audit_log import AUDIT, audit_lines_from_bytes
from windrow.storage.audit_log import DAYS as AUDIT_DAYS
from windrow.storage.audit_log import FILES as AUDIT_FILES
from windrow.storage.binding_store import BINDINGS, QUESTIONS, bindings_from_json
from windrow.storage.blobs import FILE_NAME, FOLDER
from windrow.storage.files import Files
from windrow.storage.format import RESTORE
from windrow.storage.job_files import CANCEL_FILE, JOB_ID, JOBS, stored_job_from_json
from windrow.storage.job_files import FILES as JOB_FILES
from windrow.storage.key_store import ACCESS, KEYS, keys_from_json
from windrow.storage.log import NUMBERED
from windrow.storage.namespace import ALIASES, CLASSIFIERS
from windrow.storage.revision import alias_from_json, entry_from_json
from windrow.storage.use_store import DAYS as USE_DAYS
from windrow.storage.use_store import FILES as USE_FILES
from windrow.storage.use_store import USAGE, day_use_from_json

_BLOBS: Final = f"{FOLDER}/"
# Of a file of what a process has counted: the process, and the number of the file.
_COUNTED: Final = re.compile(r"(?:done-)?([0-9a-f]{12})-[0-9]{6}\.json")
# Returns what a file says, of the name of its folder, its own name and its content; raises InvalidArtifact.
Reader = Callable[[str, str, bytes], object]


@dataclass(frozen=True, slots=True)
class CopiedKind:
    """The folders below one root of a data directory, each of which is copied as a whole.

    Args:
        root: The root.
        is_folder: Whether a name below it is one of such a folder.
        file: What the names of a folder's files look like.
        read: Verifies a file.
        is_log: Whether the files are a log that is changed under the lock, so that what it lacks was removed.
        is_numbered: Whether the highest number says what holds.
        newest_first: Whether the highest number comes before the others, since none of those may hold for a moment.
        has_blobs: Whether a folder has blobs, which come first.
    """

    root: str
    is_folder: Callable[[str], bool]
    file: re.Pattern[str]
    read: Reader
    is_log: bool = False
    is_numbered: bool = False
    newest_first: bool = False
    has_blobs: bool = False

    def folders(self, files: Files) -> list[str]:
        """Return the names of the folders in a place, sorted."""
        return [name for name in files.list(self.root) if self.is_folder(name)]

    def listing(self, files: Files, name: str) -> list[str]:
        """Return the files of a folder, in the order in which they are copied."""
        found = [file for file in files.list(f"{self.root}/{name}") if self.file.fullmatch(file)]
        found.sort(key=self._place)
        if self.has_blobs:
            blobs = files.list(f"{self.root}/{name}/{FOLDER}")
            found = [*(f"{_BLOBS}{file}" for file in blobs if FILE_NAME.fullmatch(file)), *found]
        return found

    def tokens(self, files: Files, name: str) -> tuple[str | None, ...]:
        """Return what differs once a file of a folder came or went, if none of them is ``None``."""
        prefix = f"{self.root}/{name}"
        own = files.version_token(prefix)
        return (own, files.version_token(f"{prefix}/{FOLDER}")) if self.has_blobs else (own,)

    def _place(self, file: str) -> tuple[int, str]:
        number = number_of(file)
        return (-number if self.newest_first and number else number, file)


def number_of(file: str) -> int:
    """Return the number of a file in a log; 0 for any other file."""
    match = NUMBERED.fullmatch(file)
    return 0 if match is None else int(match[1])


def newest_of(listing: Sequence[str]) -> str | None:
    """Return the file with the highest number; ``None`` where none has one."""
    return max((file for file in listing if number_of(file)), key=number_of, default=None)


def is_blob(file: str) -> bool:
    """Whether a file of a classifier is a blob, whose content can only be the one that its name says."""
    return file.startswith(_BLOBS)


def outdated_counts(listing: Sequence[str], extra: Sequence[str], replaced: Sequence[str]) -> list[str]:
    """Return the files of a day that an earlier copy put, and that newer ones of the same processes stand for.

    They would count a second time: a file names only those that were there when it was put.

    Args:
        listing: The files of the source.
        extra: The files that the target alone has.
        replaced: The files that those of the source say that they stand for.
    """
    processes = {match[1] for file in (*listing, *replaced) if (match := _COUNTED.fullmatch(file))}
    return [file for file in extra if (match := _COUNTED.fullmatch(file)) and match[1] in processes]


def _read_classifier(name: str, file: str, data: bytes) -> object:
    if not is_blob(file):
        return entry_from_json(name, number_of(file), data)
    if hashlib.sha256(data).hexdigest() != file.removeprefix(_BLOBS).partition(".")[0]:
        facts = {"why": "was altered: its sha256 is not the one in its name", "advice": RESTORE, "altered": True}
        raise InvalidArtifact("A blob of the classifier {why}. {advice}", facts)
    return None


def _read_alias(name: str, file: str, data: bytes) -> object:
    return alias_from_json(name, number_of(file), data)


def _read_keys(name: str, file: str, data: bytes) -> object:
    return keys_from_json(name, number_of(file), data)


def _read_bindings(name: str, file: str, data: bytes) -> object:
    return bindings_from_json(name, number_of(file), data)


def _read_job(name: str, file: str, data: bytes) -> object:
    return None if file == CANCEL_FILE else stored_job_from_json(name, number_of(file), data)


def _read_audit(_name: str, _file: str, data: bytes) -> object:
    return audit_lines_from_bytes(data)


def _read_use(_name: str, _file: str, data: bytes) -> object:
    return day_use_from_json(data)


def _matches(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda name: pattern.fullmatch(name) is not None


# In the order of the copy. Keys come first, the newest file before older ones: what was copied up to any moment lets
# nobody in who may not enter the source. Aliases and bindings come after what they
# point to.
KINDS: Final = (
    CopiedKind(
        ACCESS, lambda name: name == KEYS, NUMBERED, _read_keys, is_log=True, is_numbered=True, newest_first=True
    ),
    CopiedKind(CLASSIFIERS, is_name, NUMBERED, _read_classifier, is_log=True, is_numbered=True, has_blobs=True),
    CopiedKind(ALIASES, is_name, NUMBERED, _read_alias, is_log=True, is_numbered=True),
    CopiedKind(QUESTIONS, lambda name: name == BINDINGS, NUMBERED, _read_bindings, is_log=True, is_numbered=True),
    CopiedKind(USAGE, _matches(USE_DAYS), USE_FILES, _read_use),
    # A job whose end is missing would be taken for interrupted.
    CopiedKind(JOBS, _matches(JOB_ID), JOB_FILES, _read_job, is_numbered=True, newest_first=True),
    CopiedKind(AUDIT, _matches(AUDIT_DAYS), AUDIT_FILES, _read_audit),
)
