"""Checks a data directory in an object store to its last byte, also while servers use it, and removes garbage.

Each name is copied to a temporary folder and scanned as a folder is. What is looked at follows from commits, so no lock
is needed to tell a fault from a change in progress: where something is wrong, it is looked whether others have
committed meanwhile, and if so, everything is looked at again. A repair removes in a transaction, which commits only
where nobody else has since the last look.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Final

from windrow.domain.errors import DataDirectoryUnavailable
from windrow.domain.integrity import Finding, IntegrityReport
from windrow.encoders.removal import delete
from windrow.storage.access_check import scan_access, scan_bindings
from windrow.storage.audit_log import AUDIT
from windrow.storage.base_model_check import BASE_MODELS, scan_base_models, scan_graphs
from windrow.storage.binding_store import QUESTIONS
from windrow.storage.check_run import CheckRun, Scan, sort_findings
from windrow.storage.files import KeyMissing
from windrow.storage.folder_check import LOST_AND_FOUND, CandidateFinding
from windrow.storage.fsck import GRACE_PERIOD_S
from windrow.storage.job_check import scan_jobs
from windrow.storage.job_files import JOBS
from windrow.storage.key_store import ACCESS
from windrow.storage.lock import CommitLost, transaction
from windrow.storage.mentions import Mention, find_mentions
from windrow.storage.name_check import ScanResult, scan_alias, scan_classifier
from windrow.storage.namespace import ALIASES, CLASSIFIERS, Namespace
from windrow.storage.object_store.bucket import Bucket
from windrow.storage.object_store.commit_log import CHECKPOINTS, COMMITS
from windrow.storage.object_store.documents import CONTENTS
from windrow.storage.object_store.leftovers import check_leftovers
from windrow.storage.object_store.log_check import scan_log
from windrow.storage.object_store.loose_objects import LOOSE, LOOSE_ROOTS
from windrow.storage.object_store.object_files import ObjectFiles
from windrow.storage.object_store.self_test import SELF_TEST
from windrow.storage.object_store.store_clock import RETENTION, store_time
from windrow.storage.object_store.temporary_copy import Copier, TemporaryCopy, foreign
from windrow.storage.use_check import scan_use
from windrow.storage.use_store import USAGE

# Below the folder of this machine.
CHECKS: Final = "checks"
_ROOTS: Final = (CLASSIFIERS, ALIASES, ACCESS, QUESTIONS, JOBS, AUDIT, USAGE)
_OWN_OBJECTS: Final = (COMMITS, CHECKPOINTS, CONTENTS, LOOSE, LOST_AND_FOUND, RETENTION, SELF_TEST)


def check(
    files: ObjectFiles, bucket: Bucket, names: Namespace, local_dir: Path, *, repair: bool = False
) -> IntegrityReport:
    """Read everything in an object store, and the base models on this machine, and return what is wrong.

    Args:
        files: The files in the store.
        bucket: Where they are.
        names: Their namespace.
        local_dir: The folder of this machine that has the base models; copies are made in it for the time being.
        repair: Remove garbage, moving what could be rows to ``lost+found`` in the store, and finish purges that were
            begun. Damage is never touched, and neither is anything foreign.

    Raises:
        ConcurrentChange: Others have been committing for too long.
        StorageFailed: The store refuses, or this machine's disk fails.
        DataDirectoryUnavailable: The store does not answer.
    """
    log = [Finding(each.severity, each.code, each.path, _detail(each)) for each in scan_log(bucket)]
    place = _Store(files, bucket, names, local_dir, repair=repair)
    is_damaged = any(finding.severity == "damage" for finding in log)
    try:
        files.follow()
        report = CheckRun(place, repair=repair).report()
    except DataDirectoryUnavailable as error:
        if not is_damaged or error.facts.get("problem") != "unreadable":
            raise
        return IntegrityReport(0, 0, 0, 0, sort_findings(log))
    # What was said by commits that are lost is unknown, and so is what they have put.
    is_damaged |= files.commit_number == 0
    doubtful = {_folder(finding.path) for finding in report.findings if finding.severity == "damage"}
    leftovers = check_leftovers(
        files, bucket, repair=repair, is_unsure=lambda key: is_damaged or _folder(key) in doubtful
    )
    return replace(report, findings=sort_findings((*report.findings, *log, *leftovers)))


class _Store:
    """A data directory in an object store, as a place of a check."""

    def __init__(self, files: ObjectFiles, bucket: Bucket, names: Namespace, local_dir: Path, *, repair: bool) -> None:
        self._files = files
        self._bucket = bucket
        self._names = names
        self._local_dir = local_dir
        self._repair = repair
        self._copier = Copier(files, bucket, local_dir / CHECKS)
        self._copier.sweep()

    def mentions(self) -> Mapping[str, Sequence[Mention]]:
        """Read jobs and aliases. See ``Place``."""
        with self._copier.copied(self._copier.entries((JOBS, ALIASES))) as copy:
            return find_mentions(copy.root)

    def folders(self, kind: str) -> Sequence[str]:
        """Ask the index. See ``Place``."""
        parts = (key.split("/") for key, _ in self._files.stored(kind))
        return sorted({each[1] for each in parts if len(each) > 2})

    def scan_strays(self, kind: str) -> ScanResult:
        """Ask the index. See ``Place``."""
        return ScanResult(tuple(foreign(key) for key, _ in self._files.stored(kind) if key.count("/") == 1))

    def classifier_scan(self, name: str, mentions: Sequence[Mention]) -> Scan:
        """Copy a classifier, and scan it. See ``Place``."""

        def scan(grace_cutoff_s: float, copy: TemporaryCopy) -> ScanResult:
            return scan_classifier(copy.root, name, grace_cutoff_s, {}, mentions)

        return partial(self._scan_name, f"{CLASSIFIERS}/{name}", scan)

    def alias_scan(self, alias: str) -> Scan:
        """Copy an alias, and scan it. See ``Place``."""

        def scan(grace_cutoff_s: float, copy: TemporaryCopy) -> ScanResult:
            return scan_alias(copy.root, alias, grace_cutoff_s)

        return partial(self._scan_name, f"{ALIASES}/{alias}", scan)

    def other_scans(self) -> Sequence[Scan]:
        """Return the scans of all else, and of this machine's base models. See ``Place``."""
        root = str(self._local_dir)
        grace_cutoff_s = self._names.now().timestamp() - GRACE_PERIOD_S
        return (
            self._scan_roots,
            partial(self._scan_copy, (JOBS,), lambda copy: scan_jobs(copy.root)),
            partial(self._scan_copy, (ACCESS, AUDIT), lambda copy: scan_access(copy.root)),
            partial(self._scan_copy, (QUESTIONS,), lambda copy: scan_bindings(copy.root)),
            partial(self._scan_copy, (USAGE,), lambda copy: scan_use(copy.root)),
            partial(scan_base_models, root, grace_cutoff_s),
            partial(scan_graphs, root),
        )

    def settled(self, *, removes: bool) -> AbstractContextManager[object]:
        """Begin a transaction if something is removed; a look needs none, as it tells by itself. See ``Place``."""
        return self._names.lock() if removes else nullcontext()

    def remove(self, path: str, *, keep: bool) -> None:
        """Remove a file with the transaction's commit, its content copied before if it is kept. See ``Place``."""
        if path.startswith(f"{BASE_MODELS}/"):
            delete(self._local_dir / path)
            return
        file = dict(self._files.stored(path.rpartition("/")[0])).get(path)
        if keep and file is not None:
            # Under the name of the attempt that put it: however often a transaction runs again, it is the same object.
            try:
                content = self._bucket.get(file.object_key(path))
            except KeyMissing as error:  # others have removed it since it was copied
                raise CommitLost(self._files.commit_number) from error
            self._bucket.put(f"{LOST_AND_FOUND}/{path}.{file.attempt}", content)
        self._files.remove(path)

    def _scan_name(self, path: str, scan: Callable[[float, TemporaryCopy], ScanResult]) -> ScanResult:
        result = self._scan_copy((path,), partial(scan, math.inf))
        is_new = any(each.keep and each.remove for each in result.candidates) and self._is_new(path)
        return self._scan_copy((path,), partial(scan, -math.inf)) if is_new else result

    def _is_new(self, path: str) -> bool:
        """Whether something of a name was put within the grace period, so that it may be a copy in progress."""
        # A check alone writes nothing, not even to learn what time it is in the store; it removes nothing, either.
        now = store_time(self._bucket) if self._repair else self._names.now()
        newest = max((each.changed_at for each in self._bucket.objects(f"{CONTENTS}/{path}")), default=None)
        return newest is not None and now - newest < timedelta(seconds=GRACE_PERIOD_S)

    @transaction
    def _scan_copy(self, prefixes: Sequence[str], scan: Callable[[TemporaryCopy], ScanResult]) -> ScanResult:
        """Scan a copy of what is below some prefixes.

        Raises:
            CommitLost: Something is wrong, and others have committed there meanwhile.
        """
        entries = self._copier.entries(prefixes)
        with self._copier.copied(entries) as copy:
            found = scan(copy)
        others = (each for each in found.candidates if each.path not in copy.problems)
        result = replace(found, candidates=(*others, *copy.problems.values()))
        if result.candidates:
            self._files.follow()
            committed = {each.key: each.file for each in entries if each.file is not None}
            if dict(chain.from_iterable(map(self._files.stored, prefixes))) != committed:
                raise CommitLost(self._files.commit_number)
        return result

    def _scan_roots(self) -> ScanResult:
        """Find what lies beside Windrow's own folders and objects."""
        keys = [key for key, _ in self._files.stored() if key.partition("/")[0] not in _ROOTS]
        keys += [name for name in self._bucket.names("") if name not in _OWN_OBJECTS]
        keys += [f"{LOOSE}/{name}" for name in self._bucket.names(LOOSE) if name not in LOOSE_ROOTS]
        return ScanResult(tuple(map(foreign, keys)))


def _folder(path: str) -> str:
    """Return the name that a file belongs to, with its kind."""
    return "/".join(path.split("/")[:2])


def _detail(candidate: CandidateFinding) -> str:
    return f"{candidate.what} {candidate.advice}".strip()
