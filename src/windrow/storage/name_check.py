"""Scans the folder of one classifier or alias for damage and garbage; takes no lock and removes nothing."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from windrow.domain.classifier import Record
from windrow.domain.errors import InvalidArtifact
from windrow.domain.names import Reference
from windrow.storage import history
from windrow.storage.artifact import ARTIFACT
from windrow.storage.blob_check import BlobProblem, find_problem
from windrow.storage.blobs import FILE_NAME, FOLDER
from windrow.storage.folder_check import (
    NO_FOLDER,
    CandidateFinding,
    FolderListing,
    Log,
    gaps,
    garbage,
    keepsake,
    list_folder,
    read_log,
    reason_to_wait,
    unreadable,
)
from windrow.storage.format import RESTORE
from windrow.storage.mentions import Mention
from windrow.storage.namespace import ALIASES, CLASSIFIERS
from windrow.storage.revision import (
    BlobRef,
    ClassifierState,
    LogEntry,
    Pointer,
    Purged,
    alias_from_json,
    entry_from_json,
)

_UNFINISHED = "It was purged, and some of it is still here."
_ERASING = "It holds rows that were to be erased, and it is still here."
_EMPTY = "The folder is empty."
_MAY_BE_NEEDED = "It stays, since something beside it is damaged or foreign and may need it. Put that right first."
_NOT_COPIED = "The folder was copied before, while a server made the revision: that is as it should be in a copy."
# Longer than a server's second and the copy of one classifier's folder take.
_COPY_S = 5
_BLOB_FOLDER = re.compile(FOLDER)

# What was found out about blobs, by everything that it depends on.
BlobProblems = dict[tuple[object, ...], BlobProblem | None]


@dataclass(frozen=True, slots=True)
class ScanResult:
    """What one scan found.

    Args:
        candidates: What is wrong.
        is_live: Whether the name is in use.
        trainings: The revisions of the classifier that can be reached, or could be if they were not damaged.
        target: What the alias points to.
        records: Numbered files that were read.
        blobs: Blobs whose digest was computed.
        size_bytes: Bytes that were read.
    """

    candidates: tuple[CandidateFinding, ...] = ()
    is_live: bool = False
    trainings: frozenset[int] = frozenset()
    target: Reference | None = None
    records: int = 0
    blobs: int = 0
    size_bytes: int = 0

    def answers(self, revision: int | None) -> bool:
        """Whether the classifier, or a revision of it, is there to answer."""
        return self.is_live and (revision is None or revision in self.trainings)


def scan_alias(root: str, alias: str, grace_cutoff_s: float) -> ScanResult:
    """Scan an alias.

    Args:
        root: The data directory.
        alias: The name of its folder.
        grace_cutoff_s: Files changed before this time, in seconds since 1970, belong to no change in progress.
    """
    log = read_log(root, f"{ALIASES}/{alias}", alias_from_json)
    purged = frozenset(history.purged_steps(log.values))
    candidates = [*log.listing.candidates, *unreadable(log, purged), *gaps(log, purged)]
    candidates += [
        garbage("erasure_unfinished", log.file(number), _ERASING, (log.file(number),))
        for number in sorted(purged & log.values.keys())
    ]
    if log.listing.is_empty and log.listing is not NO_FOLDER:
        left = reason_to_wait(log.listing.changed_s, grace_cutoff_s)
        candidates.append(garbage("empty_folder", log.path, _EMPTY, (log.path,), left))
    newest = history.newest(log.values)
    return ScanResult(
        tuple(candidates),
        is_live=isinstance(newest, Pointer | InvalidArtifact),
        target=newest.target if isinstance(newest, Pointer) else None,
        records=len(log.values),
        size_bytes=log.size_bytes,
    )


def scan_classifier(
    root: str, name: str, grace_cutoff_s: float, known: BlobProblems, mentions: Sequence[Mention] = ()
) -> ScanResult:
    """Scan a classifier.

    Args:
        root: The data directory.
        name: The name of its folder.
        grace_cutoff_s: As for :func:`scan_alias`.
        known: What earlier scans of this name found out about its blobs; this scan adds to it.
        mentions: What jobs and aliases say about it.
    """
    folder = _ClassifierFolder.read(root, name, mentions)
    log, blobs = folder.log, folder.blobs
    used = folder.referred & blobs.files.keys()
    return ScanResult(
        tuple(folder.candidates(grace_cutoff_s, known)),
        is_live=isinstance(folder.newest, ClassifierState | InvalidArtifact),
        trainings=folder.trainings,
        records=len(log.values),
        blobs=len(used),
        size_bytes=log.size_bytes + sum(blobs.files[file].st_size for file in used),
    )


@dataclass(frozen=True, slots=True)
class _ClassifierFolder:
    """What lies in a classifier's folder.

    Args:
        root: The data directory.
        log: The numbered files.
        blobs: What lies in the folder of blobs.
        purged: The numbers that were removed for good, there or not.
        entries: What answers, or could be brought back, by number.
        mentions: What jobs and aliases say about the classifier.
    """

    root: str
    log: Log[LogEntry]
    blobs: FolderListing
    purged: frozenset[int]
    entries: Mapping[int, ClassifierState]
    mentions: Sequence[Mention]

    @classmethod
    def read(cls, root: str, name: str, mentions: Sequence[Mention]) -> "_ClassifierFolder":
        """Read the log and then list the blobs: a commit puts its blobs first."""
        log = read_log(root, f"{CLASSIFIERS}/{name}", entry_from_json, _BLOB_FOLDER)
        blobs = list_folder(root, f"{log.path}/{FOLDER}", FILE_NAME) if log.listing.folders else NO_FOLDER
        return cls(root, log, blobs, frozenset(history.purged(log.values)), history.entries(log.values), mentions)

    @property
    def newest(self) -> LogEntry | InvalidArtifact | None:
        return history.newest(self.log.values)

    @property
    def trainings(self) -> frozenset[int]:
        unknown = (number for number, value in self.log.values.items() if isinstance(value, InvalidArtifact))
        return frozenset((*unknown, *history.trainings(self.log.values)))

    @property
    def referred(self) -> frozenset[str]:
        """The blobs that are needed, by the names of their files."""
        return frozenset(history.blob_sizes(self.entries.values()))

    @property
    def erased_files(self) -> frozenset[str]:
        """The blobs of rows of which some were erased, by the names of their files."""
        return history.erased_files(self.log.values) & self.blobs.files.keys()

    @property
    def is_unsure(self) -> bool:
        """Whether more may be needed than can be seen."""
        ends = (each for each in self._lost_end() if each.severity == "damage")
        lost = (*unreadable(self.log, self.purged), *self._gaps(), *ends)
        return bool(self.log.listing.candidates or self.blobs.candidates or lost)

    def candidates(self, grace_cutoff_s: float, known: BlobProblems) -> Iterator[CandidateFinding]:
        """Yield what is wrong."""
        yield from self.log.listing.candidates
        yield from self.blobs.candidates
        if isinstance(self.newest, Purged):
            yield self._half_purged_name()
        elif self.newest is None:
            yield from self._lost_end()
            yield from self._without_record(grace_cutoff_s)
        else:
            yield from unreadable(self.log, self.purged)
            yield from self._gaps()
            yield from self._lost_end()
            yield from self._broken_blobs(known)
            yield from self._half_purged_revisions()
            yield from self._unneeded_blobs(grace_cutoff_s)

    def _half_purged_name(self) -> CandidateFinding:
        *others, last = map(self.log.file, self.log.values)
        inner = () if self.blobs.candidates else self._inner
        # What says that it is purged goes last.
        remove = (*others, *map(self._blob, self.blobs.files), *inner, last)
        return garbage("purge_unfinished", self.log.path, _UNFINISHED, remove)

    def _without_record(self, grace_cutoff_s: float) -> Iterator[CandidateFinding]:
        path, blobs = self.log.path, self.blobs.files
        changed_s = max(
            self.log.listing.changed_s, self.blobs.changed_s, *(each.st_ctime for each in blobs.values()), 0
        )
        remove = (*map(self._blob, blobs), *self._inner, path)
        if blobs:
            what = "No record lies beside these blobs, so nothing can use them."
            left = self._reason_to_stay(changed_s, grace_cutoff_s)
            yield keepsake("folder_without_record", path, what, remove, left)
        elif self.log.listing is not NO_FOLDER and not self.is_unsure:
            yield garbage("empty_folder", path, _EMPTY, remove, self._reason_to_stay(changed_s, grace_cutoff_s))

    def _broken_blobs(self, known: BlobProblems) -> Iterator[CandidateFinding]:
        told = set()
        for entry in self.entries.values():
            revision = f"revision {entry.record.revision}"
            if ARTIFACT not in entry.blobs:
                what = f"It names no artifact, so {revision} cannot answer."
                yield CandidateFinding(
                    "damage", "artifact_missing", self.log.file(entry.record.revision), what, RESTORE
                )
            for role, ref in entry.blobs.items():
                problem = self._problem(role, ref, entry.record, known)
                if problem is not None and (ref, problem) not in told:
                    told.add((ref, problem))
                    what = f"This file of {revision} {problem.what}"
                    yield CandidateFinding("damage", problem.code, self._blob(ref.file_name), what, problem.advice)

    def _problem(self, role: str, ref: BlobRef, record: Record, known: BlobProblems) -> BlobProblem | None:
        status = self.blobs.files.get(ref.file_name)
        if status is None:
            return BlobProblem("blob_missing", "is not there.")
        file = (status.st_ino, status.st_size, status.st_ctime_ns)
        is_whole = record.revision not in history.erased(self.log.values)
        key = (*file, role, ref, len(record.labels), record.training_data_sha256, is_whole)
        if key not in known:
            known[key] = find_problem(f"{self.root}/{self._blob(ref.file_name)}", role if is_whole else "", ref, record)
        return known[key]

    def _half_purged_revisions(self) -> Iterator[CandidateFinding]:
        for number in sorted(self.purged & self.log.values.keys()):
            path = self.log.file(number)
            remove = (*map(self._blob, sorted(self._doomed_by(number))), path)
            yield garbage("purge_unfinished", path, _UNFINISHED, remove)

    def _unneeded_blobs(self, grace_cutoff_s: float) -> Iterator[CandidateFinding]:
        doomed = {file for number in self.purged for file in self._doomed_by(number)}
        for file in sorted(self.erased_files):
            yield garbage("erasure_unfinished", self._blob(file), _ERASING, (self._blob(file),))
        for file in sorted(self.blobs.files.keys() - self.referred - doomed - self.erased_files):
            left = self._reason_to_stay(self.blobs.files[file].st_ctime, grace_cutoff_s)
            path = self._blob(file)
            yield keepsake("blob_unreferenced", path, "No record refers to this file.", (path,), left)

    def _gaps(self) -> Iterator[CandidateFinding]:
        known = (value.purged for value in self.log.values.values() if isinstance(value, ClassifierState))
        return gaps(self.log, frozenset(chain.from_iterable(known)))

    def _lost_end(self) -> Iterator[CandidateFinding]:
        """Yield the highest number that somebody knows of and that is missing, with all above those that are here."""
        last, first_s = max(self.log.values, default=0), self._begun_s()
        # What was said before the oldest thing that lies here is about a classifier of this name that was purged.
        known = [each for each in self.mentions if first_s is not None and each.at.timestamp() + 1 >= first_s]
        # A later training that got a lower number says that somebody has accepted the loss.
        lost = max(known, key=lambda each: (each.at, each.number), default=None)
        if lost is not None and lost.number > last:
            what = f"It is missing: {lost.by} says that revision {lost.number} was here."
            if last:
                what += f" What number {last} says is answered meanwhile."
            if self.log.listing.changed_s > lost.at.timestamp() + _COPY_S:
                yield CandidateFinding("damage", "number_missing", self.log.file(lost.number), what, RESTORE)
            else:  # it never lay here
                yield CandidateFinding("notice", "number_not_copied", self.log.file(lost.number), what, _NOT_COPIED)

    def _begun_s(self) -> float | None:
        """Return when the oldest thing that lies here was made, in seconds since 1970; ``None`` where nothing does."""
        told = [value.at.timestamp() for value in self.log.values.values() if not isinstance(value, InvalidArtifact)]
        made = [status.st_mtime for status in self.blobs.files.values()]
        return min(told or made, default=None)

    def _doomed_by(self, number: int) -> frozenset[str]:
        """Return the blobs that only a purged number refers to."""
        needed = history.blob_sizes((self.log.values.get(number),)) if not self.is_unsure else {}
        return frozenset(needed.keys() & self.blobs.files.keys() - self.referred)

    def _reason_to_stay(self, changed_s: float, grace_cutoff_s: float) -> str | None:
        return _MAY_BE_NEEDED if self.is_unsure else reason_to_wait(changed_s, grace_cutoff_s)

    @property
    def _inner(self) -> tuple[str, ...]:
        return tuple(f"{self.log.path}/{folder}" for folder in self.log.listing.folders)

    def _blob(self, file_name: str) -> str:
        return f"{self.log.path}/{FOLDER}/{file_name}"
