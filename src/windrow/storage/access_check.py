"""Scans the API keys, the bindings of questions and the audit trail for files that cannot be read."""

import re
from collections.abc import Callable, Iterator
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

_KEYS_FOLDER: Final = re.compile(re.escape(KEYS))
_KEYS_ADVICE: Final = (
    "While it is the newest one, every key is refused. Restore it from a backup; or move the folder away, restart, and "
    "create keys anew."
)
_BINDINGS_FOLDER: Final = re.compile(re.escape(BINDINGS))
_BINDINGS_ADVICE: Final = (
    "While it is the newest one, no question finds its classifier by its name. Restore it from a backup; or move the "
    "folder away, and bind the questions anew."
)
_AUDIT_ADVICE: Final = "Restore it from a backup, or move it elsewhere: then its lines are missing."


def scan_access(root: str) -> ScanResult:
    """Scan the API keys and the audit trail.

    Args:
        root: The data directory.
    """
    return ScanResult((*_scan_keys(root), *_scan_audit(root)))


def scan_bindings(root: str) -> ScanResult:
    """Scan the bindings of questions.

    Args:
        root: The data directory.
    """
    return ScanResult(tuple(_scan_bindings(root)))


def _scan_bindings(root: str) -> Iterator[CandidateFinding]:
    yield from list_folder(root, QUESTIONS, folders=_BINDINGS_FOLDER).candidates
    listing = list_folder(root, f"{QUESTIONS}/{BINDINGS}", files=NUMBERED)
    yield from listing.candidates
    for file in sorted(listing.files):
        path = f"{QUESTIONS}/{BINDINGS}/{file}"
        if problem := _problem(f"{root}/{path}", partial(bindings_from_json, BINDINGS, 0)):
            why, advice = problem
            what = f"A file of the bindings of questions {why}"
            yield CandidateFinding("damage", "bindings_unreadable", path, what, advice or _BINDINGS_ADVICE)


def _scan_keys(root: str) -> Iterator[CandidateFinding]:
    yield from list_folder(root, ACCESS, folders=_KEYS_FOLDER).candidates
    listing = list_folder(root, f"{ACCESS}/{KEYS}", files=NUMBERED)
    yield from listing.candidates
    for file in sorted(listing.files):
        path = f"{ACCESS}/{KEYS}/{file}"
        if problem := _problem(f"{root}/{path}", partial(keys_from_json, KEYS, 0)):
            why, advice = problem
            what = f"A file of the API keys {why}"
            yield CandidateFinding("damage", "keys_unreadable", path, what, advice or _KEYS_ADVICE)


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
