"""Checks a data directory in a folder to its last byte, also while servers use it, and removes garbage.

What a folder may hold, the scans know; when something is looked at or removed, the run of a check does.
"""

import errno
import os
import re
import secrets
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from pathlib import Path

from windrow.disk import make_private, sync, sync_persistently
from windrow.domain.errors import StorageFailed
from windrow.domain.integrity import IntegrityReport
from windrow.encoders.removal import delete
from windrow.storage.access_check import scan_access, scan_bindings
from windrow.storage.audit_log import AUDIT
from windrow.storage.base_model_check import BASE_MODELS, scan_base_models, scan_graphs
from windrow.storage.binding_store import QUESTIONS
from windrow.storage.check_run import CheckRun, Scan
from windrow.storage.data_directory import MARKER
from windrow.storage.files import STAGING, unconfirmed
from windrow.storage.folder_check import (
    LOST_AND_FOUND,
    NOTHING,
    FolderListing,
    garbage,
    list_folder,
    reason_to_wait,
)
from windrow.storage.job_check import scan_jobs
from windrow.storage.job_files import JOBS
from windrow.storage.key_store import ACCESS
from windrow.storage.mentions import Mention, find_mentions
from windrow.storage.name_check import ScanResult, scan_alias, scan_classifier
from windrow.storage.namespace import ALIASES, CLASSIFIERS, Namespace
from windrow.storage.retention import LAST_PURGE_CHECK
from windrow.storage.use_check import scan_use
from windrow.storage.use_store import USAGE

# A copy of one classifier's folder, or the building of a graph, takes seconds.
GRACE_PERIOD_S = 3_600
# Processes write without the lock of the names, too: jobs, the audit trail, counters. It takes them milliseconds.
_WRITING_S = 0.5
_ANY_FOLDER = re.compile(r"[^.].*", re.DOTALL)
_OWN_FOLDERS = (CLASSIFIERS, ALIASES, JOBS, STAGING, ACCESS, QUESTIONS, AUDIT, USAGE, BASE_MODELS, LOST_AND_FOUND)
_STAGED_FILE = re.compile("[0-9a-f]{32}")


def check_own_folders(root: Path) -> None:
    """Refuse a data directory of which a part is a link: it could be another disk, and a copy would not hold it.

    The directory itself may be one, and so may its folder of base models, which others put there.

    Raises:
        StorageFailed: One of its folders is a link.
    """
    for folder in (CLASSIFIERS, ALIASES, JOBS, STAGING, ACCESS, QUESTIONS, AUDIT, USAGE):
        if (root / folder).is_symlink():
            raise StorageFailed(
                "{folder} in the data directory is a link, which is not followed. Put what it points to in its place, "
                "or let the data directory as a whole be the link.",
                {"folder": folder},
            )


def check(root: Path, names: Namespace, *, repair: bool = False) -> IntegrityReport:
    """Read everything in a data directory and return what is wrong with it.

    The server may run meanwhile: a suspected fault is checked again under the writers' lock, one name at a time, so
    that no change in progress is taken for a fault. If the directory cannot be locked, findings are not checked again.

    Args:
        root: The data directory.
        names: Its namespace.
        repair: Remove garbage, moving what could be rows to ``lost+found``, and finish purges that were begun. Damage
            is never touched, and neither is anything foreign, nor what may belong to a copy that is still being made.

    Raises:
        ConcurrentChange: Others held the lock for too long.
        StorageFailed: The directory is to be repaired, and cannot be locked.
    """
    return CheckRun(_Folder(str(root), names), repair=repair).report()


class _Folder:
    """A data directory in a folder, as a place of a check."""

    def __init__(self, root: str, names: Namespace) -> None:
        self._root = root
        self._names = names
        self._grace_cutoff_s = names.now().timestamp() - GRACE_PERIOD_S

    def mentions(self) -> Mapping[str, Sequence[Mention]]:
        """Read jobs and aliases. See ``Place``."""
        return find_mentions(self._root)

    def folders(self, kind: str) -> Sequence[str]:
        """List a folder. See ``Place``."""
        return self._list(kind, folders=_ANY_FOLDER).folders

    def scan_strays(self, kind: str) -> ScanResult:
        """List it again. See ``Place``."""
        return ScanResult(self._list(kind, folders=_ANY_FOLDER).candidates)

    def classifier_scan(self, name: str, mentions: Sequence[Mention]) -> Scan:
        """Scan a folder; what the first scan says of blobs, the next one need not compute. See ``Place``."""
        return partial(scan_classifier, self._root, name, self._grace_cutoff_s, {}, mentions)

    def alias_scan(self, alias: str) -> Scan:
        """Scan a folder. See ``Place``."""
        return partial(scan_alias, self._root, alias, self._grace_cutoff_s)

    def other_scans(self) -> Sequence[Scan]:
        """Return the scans of all other folders. See ``Place``."""
        return (
            self._scan_root,
            partial(scan_jobs, self._root),
            partial(scan_access, self._root),
            partial(scan_bindings, self._root),
            partial(scan_use, self._root),
            self._scan_staging,
            partial(scan_base_models, self._root, self._grace_cutoff_s),
            partial(scan_graphs, self._root),
        )

    def settled(self, *, removes: bool) -> AbstractContextManager[object]:  # noqa: ARG002 - a folder is locked anyway
        """Take the writers' lock. See ``Place``."""
        return self._names.lock()

    def remove(self, path: str, *, keep: bool) -> None:
        """Remove a file or an empty folder; the rest of a base model at once. See ``Place``."""
        target = Path(self._root, path)
        if keep and not target.is_dir():
            self._move_aside(path)
        elif path.startswith(STAGING):
            target.unlink(missing_ok=True)
        elif path.startswith(BASE_MODELS):
            delete(target)
        elif target.is_dir():
            target.rmdir()
        else:
            self._names.files.remove(path)
        if os.path.lexists(target) and not keep:
            raise OSError(errno.EBUSY, "it is still there")

    def _list(self, path: str, files: re.Pattern[str] = NOTHING, folders: re.Pattern[str] = NOTHING) -> FolderListing:
        return list_folder(self._root, path, files, folders)

    def _scan_root(self) -> ScanResult:
        """Find what lies in the data directory beside Windrow's own folders, such as a copy in a copy."""
        candidates = (replace(each, path=each.path.removeprefix("./")) for each in self._list(".").candidates)
        # Its own folders are looked at one by one; base_models may be a link to another disk.
        return ScanResult(
            tuple(each for each in candidates if each.path not in (*_OWN_FOLDERS, LAST_PURGE_CHECK, MARKER))
        )

    def _scan_staging(self) -> ScanResult:
        """Find what processes began to write and did not end."""
        listing = self._list(STAGING, files=_STAGED_FILE)
        candidates = list(listing.candidates)
        if any(each.st_ctime > self._grace_cutoff_s for each in listing.files.values()):
            time.sleep(_WRITING_S)
        left_behind = self._list(STAGING, files=_STAGED_FILE).files
        for file, status in listing.files.items():
            if file not in left_behind:
                continue
            path = f"{STAGING}/{file}"
            # The lock of the names says nothing of the files of jobs: what is young may be just being written.
            left = reason_to_wait(status.st_ctime, self._grace_cutoff_s)
            candidates.append(
                garbage("aside_file", path, "A process began to write it and did not end.", (path,), left)
            )
        return ScanResult(tuple(candidates))

    def _move_aside(self, path: str) -> None:
        """Move a file to the lost-and-found folder, which Windrow never reads, under its path in the data directory."""
        target = Path(self._root, LOST_AND_FOUND, path)
        make_private(target.parent)
        # What is moved must not be lost with a new folder that a power cut takes away.
        for folder in target.parents[: len(target.relative_to(self._root).parts)]:
            sync(folder)
        while os.path.lexists(target):  # it was lost before, and may have been damaged then
            target = target.with_name(f"{secrets.token_hex(4)}-{target.name}")
        Path(self._root, path).rename(target)
        try:
            sync_persistently(target.parent)
            sync_persistently(Path(self._root, path).parent)
        except OSError as error:
            raise unconfirmed(path, error) from error
