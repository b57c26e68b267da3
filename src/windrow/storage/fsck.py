"""Checks a data directory to its last byte, also while servers use it, and removes garbage.

The only module of the check that takes the lock or removes anything; what a folder may hold, the scans know.
"""

import errno
import os
import re
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

from windrow.disk import make_private, sync, sync_persistently
from windrow.domain.errors import StorageFailed, StorageFull, StorageUncertain
from windrow.domain.integrity import Finding, IntegrityReport
from windrow.domain.names import NAME_GRAMMAR, is_name
from windrow.encoders.graph_cache import BUILDING, GRAPH_VERSION, find_graph_problem
from windrow.encoders.removal import REMOVED, delete
from windrow.storage.access_check import scan_access
from windrow.storage.audit_log import AUDIT
from windrow.storage.data_directory import MARKER
from windrow.storage.files import STAGING, unconfirmed
from windrow.storage.folder_check import (
    LOST_AND_FOUND,
    NOTHING,
    CandidateFinding,
    FolderListing,
    garbage,
    list_folder,
    reason_to_wait,
)
from windrow.storage.job_check import scan_jobs
from windrow.storage.job_files import JOBS
from windrow.storage.key_store import ACCESS
from windrow.storage.lock import transaction
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
_THREADS = 2
_BASE_MODELS, _GRAPHS = "base_models", "graphs"
_ANY_FOLDER = re.compile(r"[^.].*", re.DOTALL)
_OWN_FOLDERS = (CLASSIFIERS, ALIASES, JOBS, STAGING, ACCESS, AUDIT, USAGE, _BASE_MODELS, LOST_AND_FOUND)
_STAGED_FILE = re.compile("[0-9a-f]{32}")
_GRAPHS_FOLDER = re.compile(f"[0-9a-f]{{32}}-v{GRAPH_VERSION}")  # those of other versions are not used
_LEFTOVER = re.compile(f"({re.escape(BUILDING)}|{re.escape(REMOVED)}).*", re.DOTALL)


def check_own_folders(root: Path) -> None:
    """Refuse a data directory of which a part is a link: it could be another disk, and a copy would not hold it.

    The directory itself may be one, and so may its folder of base models, which others put there.

    Raises:
        StorageFailed: One of its folders is a link.
    """
    for folder in (CLASSIFIERS, ALIASES, JOBS, STAGING, ACCESS, AUDIT, USAGE):
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
    return _Run(str(root), names, repair=repair).report()


class _Run:
    def __init__(self, root: str, names: Namespace, *, repair: bool) -> None:
        self._root = root
        self._names = names
        self._repair = repair
        self._grace_cutoff_s = names.now().timestamp() - GRACE_PERIOD_S
        self._findings: list[Finding] = []
        self._mentions: Mapping[str, Sequence[Mention]] = {}

    def report(self) -> IntegrityReport:
        self._mentions = find_mentions(self._root)  # first: what is said to be there was there before
        with ThreadPoolExecutor(_THREADS) as pool:
            classifiers = self._scan_all(CLASSIFIERS, pool)
            aliases = self._scan_all(ALIASES, pool)
        for paths in _colliding_names({CLASSIFIERS: classifiers, ALIASES: aliases}):
            self._confirm_under_lock(partial(self._scan_ambiguous_names, paths))
        for alias, result in aliases.items():
            if result.target and not classifiers.get(result.target.name, ScanResult()).answers(result.target.revision):
                self._confirm_under_lock(partial(self._scan_dangling_alias, alias))
        for scan in (
            self._scan_root,
            partial(scan_jobs, self._root),
            partial(scan_access, self._root),
            partial(scan_use, self._root),
            self._scan_staging,
            self._scan_base_models,
            self._scan_graphs,
        ):
            self._confirm_under_lock(scan)
        results = (*classifiers.values(), *aliases.values())
        return IntegrityReport(
            classifiers=len(classifiers),
            records=sum(result.records for result in results),
            blobs=sum(result.blobs for result in results),
            size_bytes=sum(result.size_bytes for result in results),
            findings=tuple(sorted(self._findings, key=lambda finding: (finding.path, finding.code, finding.detail))),
        )

    def _scan_all(self, kind: str, pool: ThreadPoolExecutor) -> dict[str, ScanResult]:
        self._confirm_under_lock(partial(self._unexpected_entries, kind))
        names = sorted(filter(is_name, self._list(kind, folders=_ANY_FOLDER).folders))
        results = pool.map(lambda name: self._confirm_under_lock(self._scan(kind, name)), names)
        return dict(zip(names, results, strict=True))

    def _confirm_under_lock(self, scan: Callable[[], ScanResult]) -> ScanResult:
        """Scan, scan again under the writers' lock where something is wrong, and report what is still wrong then."""
        first = scan()
        if not first.candidates:
            return first
        try:
            again, findings = self._repaired(scan)
        except (StorageFull, StorageFailed):
            if self._repair:
                raise
        else:
            self._findings.extend(findings)
            return again
        self._findings.extend(_to_finding(candidate, candidate.advice) for candidate in first.candidates)
        return first

    @transaction
    def _repaired(self, scan: Callable[[], ScanResult]) -> tuple[ScanResult, list[Finding]]:
        with self._names.lock():
            again = scan()
            return again, list(map(self._repair_finding, again.candidates))

    def _scan(self, kind: str, name: str) -> Callable[[], ScanResult]:
        if kind == ALIASES:
            return partial(scan_alias, self._root, name, self._grace_cutoff_s)
        return partial(scan_classifier, self._root, name, self._grace_cutoff_s, {}, self._mentions.get(name, ()))

    def _list(self, path: str, files: re.Pattern[str] = NOTHING, folders: re.Pattern[str] = NOTHING) -> FolderListing:
        return list_folder(self._root, path, files, folders)

    def _unexpected_entries(self, kind: str) -> ScanResult:
        """Find what is neither a classifier nor an alias."""
        listing = self._list(kind, folders=_ANY_FOLDER)
        what = f"The folder's name breaks the grammar of names ({NAME_GRAMMAR}), so nobody can ask for it."
        advice = "Give it back the name that its records bear, or move it elsewhere."
        invalid = sorted(name for name in listing.folders if not is_name(name))
        wrong = (CandidateFinding("damage", "name_invalid", f"{kind}/{name}", what, advice) for name in invalid)
        return ScanResult((*listing.candidates, *wrong))

    def _scan_root(self) -> ScanResult:
        """Find what lies in the data directory beside Windrow's own folders, such as a copy in a copy."""
        candidates = (replace(each, path=each.path.removeprefix("./")) for each in self._list(".").candidates)
        # Its own folders are looked at one by one; base_models may be a link to another disk.
        return ScanResult(
            tuple(each for each in candidates if each.path not in (*_OWN_FOLDERS, LAST_PURGE_CHECK, MARKER))
        )

    def _scan_ambiguous_names(self, paths: Iterable[str]) -> ScanResult:
        """Scan names that were found to be alike."""
        live = [path for path in paths if self._scan(*path.split("/"))().is_live]
        if len(live) < 2:
            return ScanResult()
        is_same = len({path.rpartition("/")[2] for path in live}) == 1
        code = "name_shared" if is_same else "names_alike"
        how = "have one name" if is_same else "have names that differ in case only"
        what = f"{' and '.join(live)} {how}. Copying a folder can do that; Windrow itself refuses it."
        return ScanResult(
            (CandidateFinding("damage", code, live[-1], what, "Delete all but one, or move their folders away."),)
        )

    def _scan_dangling_alias(self, alias: str) -> ScanResult:
        """Scan an alias that was found to point to nothing."""
        target = self._scan(ALIASES, alias)().target
        if target is None or self._scan(CLASSIFIERS, target.name)().answers(target.revision):
            return ScanResult()
        what = f"The alias points to {target}, which is deleted or was never here, so it does not answer."
        advice = f"Restore {target.name}, promote another classifier, or remove the alias."
        return ScanResult((CandidateFinding("notice", "alias_dangling", f"{ALIASES}/{alias}", what, advice),))

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

    def _scan_base_models(self) -> ScanResult:
        """Find base models and graphs whose building or removal did not end."""
        candidates = []
        own = self._list(_BASE_MODELS, folders=_ANY_FOLDER).folders
        parents = (_BASE_MODELS, f"{_BASE_MODELS}/{_GRAPHS}") if _GRAPHS in own else (_BASE_MODELS,)
        for path in (
            f"{parent}/{name}" for parent in parents for name in self._list(parent, folders=_LEFTOVER).folders
        ):
            is_building = BUILDING in path
            left = reason_to_wait(self._list(path).changed_s, self._grace_cutoff_s) if is_building else None
            what = f"{'Building' if is_building else 'Removing'} a base model's files ended half way."
            candidates.append(garbage("base_model_leftover", path, what, (path,), left))
        return ScanResult(tuple(candidates))

    def _scan_graphs(self) -> ScanResult:
        """Find built graphs that are not as they were built."""
        candidates = []
        for name in sorted(self._list(f"{_BASE_MODELS}/{_GRAPHS}", folders=_GRAPHS_FOLDER).folders):
            path = f"{_BASE_MODELS}/{_GRAPHS}/{name}"
            problem = find_graph_problem(Path(self._root, path))
            if problem is not None:
                what = f"The graphs that compute every answer are damaged, so answers may be wrong. {problem}"
                advice = "Restart the servers, which build them anew, and check the disk."
                candidates.append(CandidateFinding("damage", "graphs_altered", path, what, advice))
        return ScanResult(tuple(candidates))

    def _repair_finding(self, candidate: CandidateFinding) -> Finding:
        if not self._repair or not candidate.remove:
            return _to_finding(candidate, candidate.advice)
        doubts: list[str] = []
        try:
            for path in candidate.remove:
                try:
                    self._remove(path, keep=candidate.keep)
                except StorageUncertain as error:
                    doubts.append(error.detail)
        except (StorageFull, StorageFailed) as error:
            return _to_finding(candidate, f"It could not be removed. {error}")
        except OSError as error:
            return _to_finding(
                candidate, f"It could not be removed ({error.strerror}). Check that Windrow may write there."
            )
        done = f"Its files were moved to {LOST_AND_FOUND}." if candidate.keep else "It was removed."
        return replace(_to_finding(candidate, " ".join((done, *doubts[:1]))), repaired=True)

    def _remove(self, path: str, *, keep: bool) -> None:
        target = Path(self._root, path)
        if keep and not target.is_dir():
            self._move_aside(path)
        elif path.startswith(STAGING):
            target.unlink(missing_ok=True)
        elif path.startswith(_BASE_MODELS):
            delete(target)
        elif target.is_dir():
            target.rmdir()
        else:
            self._names.files.remove(path)
        if os.path.lexists(target) and not keep:
            raise OSError(errno.EBUSY, "it is still there")

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


def _to_finding(candidate: CandidateFinding, advice: str) -> Finding:
    detail = f"{candidate.what} {advice}".strip()
    return Finding(candidate.severity, candidate.code, candidate.path, detail)


def _colliding_names(results: Mapping[str, Mapping[str, ScanResult]]) -> Iterator[list[str]]:
    """Yield the paths of names in use that are the same but for case and kind."""
    paths: dict[str, list[str]] = {}
    for kind, by_name in results.items():
        for name, result in by_name.items():
            if result.is_live:
                paths.setdefault(name.casefold(), []).append(f"{kind}/{name}")
    return (each for each in paths.values() if len(each) > 1)
