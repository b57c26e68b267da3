"""Removes files for good: whole classifiers, single revisions, and what was deleted long ago.

Files go in an order in which a crash leaves the old state, or the new one and garbage.
"""

import logging
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from windrow.domain.errors import (
    ClassifierInUse,
    InvalidArtifact,
    StorageFailed,
    StorageFull,
    StorageUncertain,
    WindrowError,
)
from windrow.domain.names import Reference, check_name
from windrow.storage.blobs import Blobs
from windrow.storage.history import as_erased, blob_sizes, revision_of
from windrow.storage.lock import transaction
from windrow.storage.namespace import Namespace
from windrow.storage.revision import ClassifierState, LogEntry, Purged, Tombstone, entry_to_json

Kind = TypeVar("Kind", bound=LogEntry)
# Decides under the lock whether to purge a classifier.
IsMeant = Callable[[ClassifierState], bool]

_log = logging.getLogger("windrow.storage")


class Purging:
    """Removes files of classifiers.

    Args:
        names: The namespace.
        blobs: The blobs of its classifiers.
    """

    def __init__(self, names: Namespace, blobs: Blobs) -> None:
        self._names = names
        self._logs = names.classifiers
        self._blobs = blobs

    def blob_bytes(self, name: str) -> int:
        """Return what the blobs of all revisions of a classifier take: about what a purge frees."""
        log = self._logs.values(name)
        return sum(blob_sizes(as_erased(log, log.values())).values())

    @transaction
    def purge(self, name: str, *, force: bool = False, is_meant: IsMeant | None = None) -> int:
        """Remove a classifier's files for good, deleted or not, and return about how many bytes that frees.

        Args:
            name: The classifier.
            force: Also where an alias points to it.
            is_meant: Only if it answers, and this says so; ``None`` purges it in any case.

        Raises:
            InvalidName: The name breaks the grammar.
            ClassifierNotFound: Nothing is there under this name, or it is not meant any more.
            ClassifierInUse: An alias points to it, and it is not deleted.
            StorageUncertain: The disk failed; what was begun is finished by the next purge, or by ``fsck``.
            StorageFailed: The disk failed before anything was removed.
        """
        with self._names.lock():
            newest = self._logs.newest(check_name(name))
            if newest.number == 0:
                raise self._names.not_found(name)
            if is_meant is not None:
                check_meant(self._names, name, is_meant)
            if isinstance(newest.value, ClassifierState | InvalidArtifact) and not force:
                self._names.check_unused(name)
            return self._purge(name)

    @transaction
    def purge_revision(self, name: str, revision: int, *, force: bool = False) -> int:
        """Remove the files of one older revision for good, and return about how many bytes that frees.

        A revision whose file is damaged or lost can be purged, too: that is how a loss is accepted.

        Raises:
            InvalidName: The name breaks the grammar.
            ClassifierNotFound: No classifier has this name, or it is deleted.
            RevisionNotFound: It has no such revision.
            ClassifierInUse: The revision is the one that answers, or an alias points to it.
            InvalidArtifact: The newest file is damaged, so what is to stay is unknown.
            StorageUncertain: The disk failed; ``fsck`` finishes what was begun.
            StorageFailed: The disk failed before anything was removed.
        """
        with self._names.lock():
            entry = self._names.answering(Reference(check_name(name)))
            if entry.record.revision == revision:
                raise ClassifierInUse(
                    "Revision {revision} of {model_name} is the one that answers. Train again or restore another "
                    "revision first, or delete {model_name} as a whole.",
                    {"model_name": name, "revision": revision, "aliases": []},
                )
            if not self._is_lost(name, revision, entry):
                self._names.revision(name, revision)
            if not force:
                self._names.check_unused(name, revision)
            own = {number for number, value in self._logs.values(name).items() if revision_of(value) == revision}
            return self._trim(name, entry, own | {revision})

    def purge_expired(self, deleted_before: datetime) -> list[str]:
        """Purge what was deleted before a time, and what a crash left half purged, and return those names.

        A classifier that cannot be purged is logged, and the others are purged.
        """
        purged = []
        for name in self._logs.names():
            try:
                if self._purge_if_expired(name, deleted_before):
                    purged.append(name)
            except WindrowError as error:
                _log.warning("%s is to be purged, and is not yet. %s", name, error.detail)
        return purged

    @transaction
    def _purge_if_expired(self, name: str, deleted_before: datetime) -> bool:
        if not _is_expired(self._logs.newest(name).value, deleted_before):
            return False
        with self._names.lock():
            newest = self._logs.newest(name).value
            if not _is_expired(newest, deleted_before):  # another server was first, or it was restored
                return False
            if isinstance(newest, ClassifierState) and newest.buried is not None:
                return self._purge_buried(name, newest, newest.buried.up_to)
            self._purge(name)
        return True

    def _purge_buried(self, name: str, newest: ClassifierState, up_to: int) -> bool:
        """Purge what was deleted before a classifier was trained anew, but for what an alias points to."""
        pinned = {target.revision for _, target in self._names.targets_in(name, strictly=True)}
        revisions = {number: revision_of(value) for number, value in self._logs.values(name).items() if number <= up_to}
        others = {number for number, revision in revisions.items() if revision != newest.record.revision}
        gone = {number for number in others if (revisions[number] or number) not in pinned}
        if gone:
            self._trim(name, newest if others - gone else replace(newest, buried=None), gone)
        return bool(gone)

    def _purge(self, name: str) -> int:
        if not isinstance(self._logs.newest(name).value, Purged):
            try:
                # From here on nothing can be restored, so it does not matter what goes first.
                commit(self._names, name, Purged("purged", self._names.now()))
            except StorageFull:
                with _incomplete(name):
                    return self._purge_without_mark(name)
        with _incomplete(name):
            return self.finish(name)

    def _purge_without_mark(self, name: str) -> int:
        """Remove everything of a classifier where not even the mark that says so has room.

        A crash meanwhile leaves a damaged classifier, which can be purged again: its newest file goes last.
        """
        freed_bytes = self.blob_bytes(name)
        for file_name in self._blobs.file_names(name):
            self._blobs.remove(name, file_name)
        for number in self._logs.numbers(name):
            self._logs.remove(name, number)
        return freed_bytes

    def finish(self, name: str) -> int:
        """Remove everything of a classifier whose newest file says that it is purged, that file at last."""
        *others, last = self._logs.numbers(name)
        freed_bytes = self._remove(name, others)
        for file_name in self._blobs.file_names(name):
            self._blobs.remove(name, file_name)
        self._logs.remove(name, last)
        return freed_bytes

    def _trim(self, name: str, entry: ClassifierState, numbers: set[int]) -> int:
        """Commit that some numbers are gone, and remove them."""
        purged = tuple(sorted({*entry.purged, *numbers}))
        trimmed = replace(entry, kind="trimmed", at=self._names.now(), purged=purged)
        try:
            commit(self._names, name, trimmed)
        except StorageFull:
            # What goes makes the room. A crash in between leaves a revision that is lost, which can be purged again.
            with _incomplete(name):
                freed_bytes = self._remove(name, numbers)
                if self._logs.newest(name).value != trimmed:  # it may have been put although an error was told
                    commit(self._names, name, trimmed)
                return freed_bytes
        with _incomplete(name):
            return self._remove(name, numbers)

    def _remove(self, name: str, numbers: Collection[int]) -> int:
        """Remove numbered files and the blobs that no other one refers to, and return the size of those blobs."""
        log = self._logs.values(name)
        gone = tuple(sorted(log.keys() & numbers))
        kept = [value for number, value in log.items() if number not in gone]
        doomed = blob_sizes(as_erased(log, (log[number] for number in gone)))
        if any(isinstance(value, InvalidArtifact) for value in kept):
            doomed = {}  # what a damaged file refers to is unknown
        for file_name in blob_sizes(as_erased(log, kept)):
            doomed.pop(file_name, None)
        for file_name in doomed:
            self._blobs.remove(name, file_name)
        for number in gone:
            self._logs.remove(name, number)
        return sum(doomed.values())

    def _is_lost(self, name: str, number: int, known: ClassifierState) -> bool:
        """Whether a number of a classifier's log should be there, and is not or cannot be read."""
        if number in known.purged or not 0 < number < self._logs.newest(name).number:
            return False
        return number not in self._logs.numbers(name) or isinstance(self._logs.at(name, number), InvalidArtifact)


@contextmanager
def _incomplete(name: str) -> Iterator[None]:
    """Say of a purge that fails inside the ``with`` block that it was begun, and cannot be taken back.

    Raises:
        StorageUncertain: The disk failed.
    """
    try:
        yield
    except (StorageFull, StorageFailed) as error:
        raise StorageUncertain(
            "What was to be purged of {model_name} is lost, but some of its files may still be there. "
            f"{error.template} A purge of the whole classifier, or the repair of a check, removes the rest.",
            {**error.facts, "model_name": name},
        ) from error


def commit(names: Namespace, name: str, revision: Kind) -> Kind:
    """Put what follows in a classifier's log, and return it; with the lock held.

    Args:
        names: The namespace.
        name: The classifier.
        revision: What is put.

    Raises:
        StorageFull: The disk is full; nothing was put.
        StorageUncertain: It is put, and the disk did not confirm it.
        StorageFailed: The disk failed; nothing was put.
    """
    number = names.classifiers.newest(name).number + 1
    names.classifiers.append(name, number, entry_to_json(name, number, revision))
    return revision


def check_meant(names: Namespace, name: str, is_meant: IsMeant) -> None:
    """Refuse a classifier that is not there, or not meant any more; with the lock held.

    Raises:
        ClassifierNotFound: It is not.
    """
    entry = names.entry(name)
    if entry is None or not is_meant(entry):
        raise names.not_found(name)


def _is_expired(newest: object, deleted_before: datetime) -> bool:
    """Whether a classifier, or something that was deleted before it under its name, is to be purged."""
    match newest:
        case Purged():
            return True
        case Tombstone(at=at):
            return at < deleted_before
        case ClassifierState(buried=buried) if buried is not None:
            return buried.at < deleted_before
    return False
