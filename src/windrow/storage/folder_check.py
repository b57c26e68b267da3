"""Lists a folder of the data directory and reads the log in it, following no link."""

import os
import re
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Generic, TypeVar

from windrow.disk import read_plain, reason
from windrow.domain.errors import InvalidArtifact
from windrow.domain.integrity import Severity
from windrow.storage.files import MAX_BYTES
from windrow.storage.format import ALLOW, RESTORE, UPGRADE, is_newer
from windrow.storage.log import NUMBERED

Value = TypeVar("Value")

# Where a repair puts what it must not remove.
LOST_AND_FOUND = "lost+found"
_REPAIR = "Repairing removes it."
_KEEP = f"Repairing moves its files to {LOST_AND_FOUND} in the data directory."
_MAY_BE_A_COPY = "It may belong to a copy that is still being made, so it stays for an hour. Look again later."

NOTHING = re.compile("(?!)")
_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class CandidateFinding:
    """What a scan without the lock takes for damage or garbage, until it is confirmed under the lock.

    Args:
        severity: As a finding's.
        code: As a finding's.
        path: As a finding's.
        what: What it is, in whole sentences.
        advice: What to do, likewise.
        remove: Paths to remove, in this order, to put it right; none where it stays as it is.
        keep: Whether the files among them are moved aside, since they could be the last copy of somebody's rows.
    """

    severity: Severity
    code: str
    path: str
    what: str
    advice: str
    remove: tuple[str, ...] = ()
    keep: bool = False


@dataclass(frozen=True, slots=True)
class FolderListing:
    """What lies in one folder.

    Args:
        changed_s: When a name in it came or went, in seconds since 1970; 0 where there is no folder.
        files: The files that belong there, by name.
        folders: The names of the folders that belong there.
        candidates: Everything else.
    """

    changed_s: float
    files: Mapping[str, os.stat_result]
    folders: tuple[str, ...]
    candidates: tuple[CandidateFinding, ...]

    @property
    def is_empty(self) -> bool:
        """Whether nothing at all lies there."""
        return not (self.files or self.folders or self.candidates)


NO_FOLDER = FolderListing(0.0, {}, (), ())


@dataclass(frozen=True, slots=True)
class Log(Generic[Value]):
    """A log as it is on the disk.

    Args:
        path: Its folder.
        listing: What lies in the folder.
        values: What each numbered file says, ascending; the error where it cannot be read.
        size_bytes: Of these files.
    """

    path: str
    listing: FolderListing
    values: dict[int, Value | InvalidArtifact]
    size_bytes: int

    def file(self, number: int) -> str:
        """Return the path of a number."""
        return f"{self.path}/{number:06d}.json"


def list_folder(
    root: str, path: str, files: re.Pattern[str] = NOTHING, folders: re.Pattern[str] = NOTHING
) -> FolderListing:
    """List a folder below the data directory.

    Args:
        root: The data directory.
        path: The folder's path below it.
        files: The names of files that belong there.
        folders: The names of folders that belong there.
    """
    try:
        descriptor = os.open(f"{root}/{path}", _FLAGS)
    except OSError as error:
        return _not_listed(root, path, error)
    try:
        return _list(descriptor, path, files, folders)
    except OSError as error:
        return FolderListing(0.0, {}, (), (_closed(path, error),))
    finally:
        os.close(descriptor)


def read_log(
    root: str,
    path: str,
    read: Callable[..., Value],
    folders: re.Pattern[str] = NOTHING,
    files: re.Pattern[str] = NUMBERED,
) -> Log[Value]:
    """Read each numbered file of a log.

    Args:
        root: The data directory.
        path: The log's folder.
        read: The server's reader: makes a value of a file's name, number and content, ``strictly``; raises
            :class:`InvalidArtifact`.
        folders: The names of folders that may lie beside the numbered files.
        files: The names of these files and of those that may lie beside them.
    """
    listing = list_folder(root, path, files, folders)
    numbers = sorted((int(match[1]), match[0]) for match in map(NUMBERED.fullmatch, listing.files) if match)
    values: dict[int, Value | InvalidArtifact] = {}
    size_bytes = 0
    for number, file in numbers:
        try:
            content = read_plain(f"{root}/{path}/{file}", MAX_BYTES)
            size_bytes += len(content)
            values[number] = read(path.rpartition("/")[2], number, content, strictly=True)
        except FileNotFoundError:  # it went since the folder was listed
            continue
        except OSError as error:
            advice = ALLOW if isinstance(error, PermissionError) else RESTORE
            values[number] = InvalidArtifact(
                "It cannot be read ({why}). {advice}", {"why": reason(error), "advice": advice}
            )
        except InvalidArtifact as error:
            values[number] = error
    return Log(path, listing, values, size_bytes)


def unreadable(log: Log[Value], purged: frozenset[int] = frozenset()) -> Iterator[CandidateFinding]:
    """Yield the numbers of a log that cannot be read, but those that are purged."""
    for number, value in log.values.items():
        if isinstance(value, InvalidArtifact) and number not in purged:
            code = "record_unreadable"
            if is_newer(value):
                code = "record_newer_format"
            elif "altered" in value.facts:
                code = "record_altered"
            elif "revision" in value.facts:
                code = "record_misplaced"
            yield CandidateFinding("damage", code, log.file(number), "", value.detail)


def gaps(log: Log[Value], purged: frozenset[int] = frozenset()) -> Iterator[CandidateFinding]:
    """Yield the numbers that a log lacks, but those that are purged, or that an unreadable file may say are."""
    last = max(log.values, default=0)
    last_unreadable = max((n for n, value in log.values.items() if isinstance(value, InvalidArtifact)), default=0)
    known = sorted({0, *log.values, *(number for number in purged if number < last)})
    for before, after in pairwise(known):
        if after - before > 1 and before >= last_unreadable:
            which = f"Number {before + 1} is" if after - before == 2 else f"Numbers {before + 1} to {after - 1} are"
            what = f"{which} missing, and nothing says that somebody removed it."
            yield CandidateFinding(
                "damage", "number_missing", log.file(before + 1), what, "Restore what is lost from a backup."
            )


def garbage(code: str, path: str, what: str, remove: tuple[str, ...], left: str | None = None) -> CandidateFinding:
    """Return a finding about garbage.

    Args:
        code: As a finding's.
        path: As a finding's.
        what: What it is.
        remove: Paths to remove, in this order.
        left: Why it stays all the same; ``None`` where it can go.
    """
    return CandidateFinding("garbage", code, path, what, left or _REPAIR, () if left else remove)


def keepsake(code: str, path: str, what: str, remove: tuple[str, ...], left: str | None = None) -> CandidateFinding:
    """Return a finding about garbage that could be rows, as :func:`garbage` does; its files are moved aside."""
    return CandidateFinding("garbage", code, path, what, left or _KEEP, () if left else remove, keep=True)


def reason_to_wait(changed_s: float, grace_cutoff_s: float) -> str | None:
    """Return why what changed at a time is left alone for now; ``None`` where it need not be."""
    return _MAY_BE_A_COPY if changed_s > grace_cutoff_s else None


def _list(descriptor: int, path: str, files: re.Pattern[str], folders: re.Pattern[str]) -> FolderListing:
    changed_s = os.fstat(descriptor).st_ctime  # first, as the folder may change while it is listed
    known: dict[str, os.stat_result] = {}
    inner: list[str] = []
    candidates: list[CandidateFinding] = []
    with os.scandir(descriptor) as entries:
        for entry in entries:
            try:
                status = entry.stat(follow_symlinks=False)
            except FileNotFoundError:  # gone meanwhile
                continue
            if stat.S_ISREG(status.st_mode) and files.fullmatch(entry.name):
                known[entry.name] = status
            elif stat.S_ISDIR(status.st_mode) and folders.fullmatch(entry.name):
                inner.append(entry.name)
            elif stat.S_ISDIR(status.st_mode) and files.fullmatch(entry.name):
                what = "It is a folder, and a file belongs there."
                candidates.append(CandidateFinding("damage", "special_file", f"{path}/{entry.name}", what, RESTORE))
            else:
                candidates.append(_foreign(f"{path}/{entry.name}", status.st_mode))
    return FolderListing(changed_s, known, tuple(inner), tuple(candidates))


def _not_listed(root: str, path: str, error: OSError) -> FolderListing:
    try:
        mode = os.lstat(f"{root}/{path}").st_mode
    except FileNotFoundError:
        return NO_FOLDER
    except OSError:
        mode = stat.S_IFDIR
    return FolderListing(0.0, {}, (), (_closed(path, error) if stat.S_ISDIR(mode) else _foreign(path, mode),))


def newer(code: str, path: str, what: str) -> CandidateFinding:
    """Return a finding about a file that a newer Windrow wrote, of which nothing is lost.

    Args:
        code: As a finding's.
        path: As a finding's.
        what: What it is, as the beginning of a sentence.
    """
    return CandidateFinding("notice", code, path, f"{what} is of a newer Windrow.", UPGRADE)


def _foreign(path: str, mode: int) -> CandidateFinding:
    if stat.S_ISLNK(mode):
        advice = "Put what it points to in its place, so that a copy of the data directory is whole, or remove it."
        return CandidateFinding("damage", "link", path, "It is a link, which is not followed here.", advice)
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        return CandidateFinding("damage", "special_file", path, "It is neither a file nor a folder.", "Remove it.")
    advice = "Windrow leaves it alone. Move it elsewhere, unless it is a copy that is still being made."
    return CandidateFinding("notice", "foreign_file", path, "It is nothing that Windrow wrote.", advice)


def _closed(path: str, error: OSError) -> CandidateFinding:
    advice = "Give the user that Windrow runs as the right to read it, and check the disk."
    return CandidateFinding(
        "damage", "folder_unreadable", path, f"The folder cannot be listed ({error.strerror}).", advice
    )
