"""One run of a check: looks for what is wrong, looks again with the lock of the names, and repairs what it may.

Where it looks is another's business: a folder of this machine (``fsck``), or an object store (``object_store``).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from typing import Final, Protocol

from windrow.domain.errors import StorageFailed, StorageFull, StorageUncertain
from windrow.domain.integrity import Finding, IntegrityReport
from windrow.domain.names import NAME_GRAMMAR, is_name
from windrow.storage.folder_check import LOST_AND_FOUND, CandidateFinding
from windrow.storage.lock import transaction
from windrow.storage.mentions import Mention
from windrow.storage.name_check import ScanResult
from windrow.storage.namespace import ALIASES, CLASSIFIERS

Scan = Callable[[], ScanResult]
_THREADS: Final = 2


class Place(Protocol):
    """Where a check looks. A scan takes no lock and changes nothing, so it can be done again."""

    def mentions(self) -> Mapping[str, Sequence[Mention]]:
        """Return what jobs and aliases say about each classifier, by name."""
        ...

    def folders(self, kind: str) -> Sequence[str]:
        """Return the names that have something below ``classifiers`` or ``aliases``, also those that are none."""
        ...

    def scan_strays(self, kind: str) -> ScanResult:
        """Scan what lies beside them."""
        ...

    def classifier_scan(self, name: str, mentions: Sequence[Mention]) -> Scan:
        """Return the scan of a classifier, of which something else says that it had some numbers."""
        ...

    def alias_scan(self, alias: str) -> Scan:
        """Return the scan of an alias."""
        ...

    def other_scans(self) -> Sequence[Scan]:
        """Return the scans of all that is neither a classifier nor an alias."""
        ...

    def settled(self, *, removes: bool) -> AbstractContextManager[object]:
        """Return the ``with`` block of a second look, in which no change in progress is taken for a fault.

        It leaves with ``CommitLost`` where the look is to be made again.

        Args:
            removes: Whether something is to be removed in it.
        """
        ...

    def remove(self, path: str, *, keep: bool) -> None:
        """Remove what a candidate names, inside that block.

        Args:
            path: Its path.
            keep: Whether it is moved aside, as what could be rows.

        Raises:
            StorageFull: There is no room to move it.
            StorageUncertain: It is done, and the disk did not confirm it.
            StorageFailed: It cannot be done.
            OSError: Likewise.
        """
        ...


class CheckRun:
    """One check of a data directory.

    Args:
        place: Where it looks.
        repair: Whether to repair.
    """

    def __init__(self, place: Place, *, repair: bool) -> None:
        self._place = place
        self._repair = repair
        self._findings: list[Finding] = []
        self._mentions: Mapping[str, Sequence[Mention]] = {}

    def report(self) -> IntegrityReport:
        """Return what is wrong.

        Raises:
            ConcurrentChange: Others held the lock for too long.
            StorageFailed: The place cannot be read; or it is to be repaired, and cannot be locked.
        """
        self._mentions = self._place.mentions()  # first: what is said to be there was there before
        with ThreadPoolExecutor(_THREADS) as pool:
            classifiers = self._scan_all(CLASSIFIERS, pool)
            aliases = self._scan_all(ALIASES, pool)
        for paths in _colliding_names({CLASSIFIERS: classifiers, ALIASES: aliases}):
            self._confirm(partial(self._scan_ambiguous_names, paths))
        for alias, result in aliases.items():
            if result.target and not classifiers.get(result.target.name, ScanResult()).answers(result.target.revision):
                self._confirm(partial(self._scan_dangling_alias, alias))
        for scan in self._place.other_scans():
            self._confirm(scan)
        results = (*classifiers.values(), *aliases.values())
        return IntegrityReport(
            classifiers=len(classifiers),
            records=sum(result.records for result in results),
            blobs=sum(result.blobs for result in results),
            size_bytes=sum(result.size_bytes for result in results),
            findings=sort_findings(self._findings),
        )

    def _scan_all(self, kind: str, pool: ThreadPoolExecutor) -> dict[str, ScanResult]:
        self._confirm(partial(self._scan_kind, kind))
        names = sorted(filter(is_name, self._place.folders(kind)))
        results = pool.map(lambda name: self._confirm(self._scan(kind, name)), names)
        return dict(zip(names, results, strict=True))

    def _confirm(self, scan: Scan) -> ScanResult:
        """Scan, scan again with the place settled where something is wrong, and report what is still wrong then."""
        first = scan()
        if not first.candidates:
            return first
        try:
            removes = self._repair and any(candidate.remove for candidate in first.candidates)
            again, findings = self._repaired(scan, removes=removes)
        except (StorageFull, StorageFailed):
            if self._repair:
                raise
        else:
            self._findings.extend(findings)
            return again
        self._findings.extend(_to_finding(candidate, candidate.advice) for candidate in first.candidates)
        return first

    @transaction
    def _repaired(self, scan: Scan, *, removes: bool) -> tuple[ScanResult, list[Finding]]:
        with self._place.settled(removes=removes):
            again = scan()
            return again, [self._repair_finding(candidate, removes=removes) for candidate in again.candidates]

    def _scan(self, kind: str, name: str) -> Scan:
        if kind == ALIASES:
            return self._place.alias_scan(name)
        return self._place.classifier_scan(name, self._mentions.get(name, ()))

    def _scan_kind(self, kind: str) -> ScanResult:
        """Find what is neither a classifier nor an alias."""
        what = f"The folder's name breaks the grammar of names ({NAME_GRAMMAR}), so nobody can ask for it."
        advice = "Give it back the name that its records bear, or move it elsewhere."
        invalid = sorted(name for name in self._place.folders(kind) if not is_name(name))
        wrong = (CandidateFinding("damage", "name_invalid", f"{kind}/{name}", what, advice) for name in invalid)
        return ScanResult((*self._place.scan_strays(kind).candidates, *wrong))

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

    def _repair_finding(self, candidate: CandidateFinding, *, removes: bool) -> Finding:
        if not removes or not candidate.remove:
            return _to_finding(candidate, candidate.advice)
        doubts: list[str] = []
        try:
            for path in candidate.remove:
                try:
                    self._place.remove(path, keep=candidate.keep)
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


def sort_findings(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings as they are reported: by place."""
    return tuple(sorted(findings, key=lambda finding: (finding.path, finding.code, finding.detail)))


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
