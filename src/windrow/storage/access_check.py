"""Scans the API keys, the bindings of questions and the audit trail for files that cannot be read."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

from windrow.disk import read_plain, reason
from windrow.domain.errors import InvalidArtifact
from windrow.storage.audit_log import AUDIT, DAYS, audit_lines_from_bytes
from windrow.storage.audit_log import FILES as AUDIT_FILES
from windrow.storage.binding_store import BINDINGS, QUESTIONS, bindings_from_json
from windrow.storage.files import MAX_BYTES
from windrow.storage.folder_check import CandidateFinding, list_folder
from windrow.storage.format import ALLOW, UPGRADE, is_newer
from windrow.storage.key_store import ACCESS, KEYS, keys_from_json
from windrow.storage.log import NUMBERED
from windrow.storage.name_check import ScanResult

_AUDIT_ADVICE: Final = "Restore it from a backup, or move it elsewhere: then its lines are missing."


@dataclass(frozen=True, slots=True)
class _OnlyLog:
    """The only log of its kind, and what is said of a file of it that cannot be read."""

    folder: str
    name: str
    read: Callable[[str, int, bytes], object]
    code: str
    what: str
    advice: str

    def scan(self, root: str) -> Iterator[CandidateFinding]:
        yield from list_folder(root, self.folder, folders=re.compile(re.escape(self.name))).candidates
        listing = list_folder(root, f"{self.folder}/{self.name}", files=NUMBERED)
        yield from listing.candidates
        for file in sorted(listing.files):
            path = f"{self.folder}/{self.name}/{file}"
            if problem := _problem(f"{root}/{path}", partial(self.read, self.name, 0)):
                why, advice = problem
                yield CandidateFinding("damage", self.code, path, f"{self.what} {why}", advice or self.advice)


_KEYS: Final = _OnlyLog(
    ACCESS,
    KEYS,
    keys_from_json,
    "keys_unreadable",
    "A file of the API keys",
    "While it is the newest one, every key is refused. Restore it from a backup; or move the folder away, restart, and "
    "create keys anew.",
)
_BINDINGS: Final = _OnlyLog(
    QUESTIONS,
    BINDINGS,
    bindings_from_json,
    "bindings_unreadable",
    "A file of the bindings of questions",
    "While it is the newest one, no question finds its classifier by its name. Restore it from a backup; or move the "
    "folder away, and bind the questions anew.",
)


def scan_access(root: str) -> ScanResult:
    """Scan the API keys and the audit trail.

    Args:
        root: The data directory.
    """
    return ScanResult((*_KEYS.scan(root), *_scan_audit(root)))


def scan_bindings(root: str) -> ScanResult:
    """Scan the bindings of questions.

    Args:
        root: The data directory.
    """
    return ScanResult(tuple(_BINDINGS.scan(root)))


def _scan_audit(root: str) -> Iterator[CandidateFinding]:
    days = list_folder(root, AUDIT, folders=DAYS)
    yield from days.candidates
    for day in sorted(days.folders):
        listing = list_folder(root, f"{AUDIT}/{day}", files=AUDIT_FILES)
        yield from listing.candidates
        for file in sorted(listing.files):
            path = f"{AUDIT}/{day}/{file}"
            if problem := _problem(f"{root}/{path}", audit_lines_from_bytes):
                why, advice = problem
                what = f"A file of the audit trail {why}"
                yield CandidateFinding("damage", "audit_unreadable", path, what, advice or _AUDIT_ADVICE)


def _problem(path: str, read: Callable[[bytes], object]) -> tuple[str, str | None] | None:
    """Return why a file cannot be read, and what to do if that does not depend on the file.

    ``None`` stands for one that can be read, or that went since the folder was listed.
    """
    try:
        read(read_plain(path, MAX_BYTES))
    except FileNotFoundError:
        return None
    except OSError as error:
        return f"cannot be read ({reason(error)}).", ALLOW if isinstance(error, PermissionError) else None
    except InvalidArtifact as error:
        if is_newer(error):
            return "is of a newer Windrow.", UPGRADE
        return f"{error.facts['why']}.", None
    return None
