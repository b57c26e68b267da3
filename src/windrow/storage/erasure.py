"""Finds texts in kept training rows and in the rows that aliases keep, and removes them for good.

A training's own file never changes, and names the rows as they were. The newest file of a log says what stands in their
place since: ``erased``. Files go in an order in which a crash leaves the old state, or the new one and garbage.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from windrow.domain.errors import InvalidArtifact, StorageFailed, StorageFull, StorageUncertain
from windrow.domain.labelled_rows import labelled_rows_as_jsonl
from windrow.storage import history
from windrow.storage.artifact import ROWS, SUFFIXES, each_row, rows_from_blob, rows_to_blob
from windrow.storage.blobs import Blobs
from windrow.storage.lock import transaction
from windrow.storage.namespace import Namespace
from windrow.storage.purging import commit
from windrow.storage.revision import (
    BlobRef,
    ClassifierState,
    Pointer,
    Removed,
    Tombstone,
    alias_to_json,
    with_erased_rows,
)

# Tells whether a text is meant.
Matches = Callable[[str], bool]
_GONE: Final = "rows_erased"


@dataclass(frozen=True, slots=True)
class LearnedRevision:
    """A revision, and where a text stands in its kept training rows.

    Args:
        state: The revision.
        rows: The numbers of the rows, from 0; ``None`` where its rows are not kept or cannot be read.
        answers: Whether it answers under its name.
        deleted: Whether the classifier is deleted.
    """

    state: ClassifierState
    rows: tuple[int, ...] | None
    answers: bool
    deleted: bool


class Erasing:
    """Erases texts from a namespace.

    Args:
        names: The namespace.
        blobs: The blobs of its classifiers.
    """

    def __init__(self, names: Namespace, blobs: Blobs) -> None:
        self._names = names
        self._blobs = blobs

    def revisions(self, matches: Matches) -> Iterator[LearnedRevision]:
        """Yield each revision that has learned from a text that is meant, and those of which nobody knows."""
        for name in self._names.classifiers.names():
            yield from self._revisions_of(name, matches)

    def _revisions_of(self, name: str, matches: Matches) -> Iterator[LearnedRevision]:
        log = self._names.classifiers.values(name)
        newest, gone = history.newest(log), history.purged(log)
        found: dict[str, tuple[int, ...] | None] = {}
        for revision in history.trainings(log):
            state = history.training(log, revision, gone)
            if not isinstance(state, ClassifierState):
                continue
            ref = state.blobs.get(ROWS)
            if ref is not None and ref.sha256 not in found:
                found[ref.sha256] = self._find(name, ref, matches)
            rows = None if ref is None else found[ref.sha256]
            if (rows is None and state.record.learned_from_rows) or rows:
                answers = isinstance(newest, ClassifierState) and newest.record.revision == revision
                yield LearnedRevision(state, rows, answers, isinstance(newest, Tombstone))

    def _find(self, name: str, ref: BlobRef, matches: Matches) -> tuple[int, ...] | None:
        try:
            rows = each_row(self._blobs.read(name, ref))
            return tuple(number for number, row in enumerate(rows) if matches(row.text))
        except InvalidArtifact:
            return None

    @transaction
    def remove_rows(self, name: str, matches: Matches) -> None:
        """Remove the rows that are meant from the kept rows of every revision of a classifier, deleted or not.

        Raises:
            InvalidArtifact: Kept rows cannot be read; nothing was removed.
            StorageFull: The disk is full; nothing was removed.
            StorageUncertain: The rows are removed, but some of the former files may still be there.
            StorageFailed: The disk failed; nothing was removed.
        """
        with self._names.lock():
            log = self._names.classifiers.values(name)
            newest = history.newest(log)
            if isinstance(newest, ClassifierState | Tombstone):
                left = self._what_is_left(name, history.entries(log), matches)
                if left:
                    commit(self._names, name, _erased(newest, {**newest.erased, **left}, self._names.now()))
                self._remove_erased(name)

    def _what_is_left(
        self, name: str, entries: Mapping[int, ClassifierState], matches: Matches
    ) -> dict[int, BlobRef | None]:
        """Keep what is left of rows among which some are meant, and return it by the revisions that they are of."""
        left: dict[int, BlobRef | None] = {}
        known: dict[BlobRef, BlobRef | None] = {}
        for state in entries.values():
            ref = state.blobs.get(ROWS)
            if ref is None or state.record.revision in left:
                continue
            if ref not in known:
                known[ref] = self._without(name, ref, matches)
            if known[ref] != ref:
                left[state.record.revision] = known[ref]
        return left

    def _without(self, name: str, ref: BlobRef, matches: Matches) -> BlobRef | None:
        rows = rows_from_blob(self._blobs.read(name, ref))
        left = tuple(row for row in rows if not matches(row.text))
        if len(left) == len(rows):
            return ref
        return self._blobs.keep(name, rows_to_blob(labelled_rows_as_jsonl(left)), SUFFIXES[ROWS]) if left else None

    @transaction
    def finish(self) -> None:
        """Remove the files of rows that were erased before, which a crash may have left."""
        for name in self._names.classifiers.names():
            if getattr(self._names.classifiers.newest(name).value, "erased", None):
                with self._names.lock():
                    self._remove_erased(name)

    def _remove_erased(self, name: str) -> None:
        with _not_all_gone(name):
            doomed = history.erased_files(self._names.classifiers.values(name))
            for file_name in self._blobs.file_names(name):
                if file_name in doomed:
                    self._blobs.remove(name, file_name)

    def aliases(self, matches: Matches) -> Iterator[tuple[str, int]]:
        """Yield each alias that keeps rows that are meant, now or in its history, and how many of them."""
        for alias in self._names.aliases.names():
            log = self._names.aliases.values(alias)
            texts = {row.text for value in log.values() if isinstance(value, Pointer) for row in value.must_pass}
            if found := sum(map(matches, texts)):
                yield alias, found

    @transaction
    def remove_from_alias(self, alias: str, matches: Matches) -> None:
        """Remove rows that are meant from those that an alias keeps, with the steps of its history that hold them.

        The alias points where it did. A rollback leads no further back than to the oldest step that is left.

        Raises:
            StorageFull: The disk is full; nothing was removed.
            StorageFailed: The disk failed.
        """
        logs = self._names.aliases
        with self._names.lock():
            log = logs.values(alias)
            holding = {number for number, value in log.items() if _holds(value, matches)}
            newest = logs.newest(alias)
            if isinstance(newest.value, Pointer | Removed) and holding:
                value = _without_rows(newest.value, holding, matches)
                value = replace(value, at=self._names.now(), purged=tuple(sorted({*value.purged, *holding})))
                number = newest.number + 1
                logs.append(alias, number, alias_to_json(alias, number, value))
            with _not_all_gone(alias):
                for number in sorted(holding & set(logs.numbers(alias))):
                    logs.remove(alias, number)


@contextmanager
def _not_all_gone(name: str) -> Iterator[None]:
    """Say of files that cannot be removed inside the ``with`` block that nothing names them any more.

    Raises:
        StorageUncertain: The disk failed.
    """
    try:
        yield
    except (StorageFull, StorageFailed) as error:
        raise StorageUncertain(
            "Nothing of {name} refers to the erased rows any more, but a file that holds them may still be there. "
            f"{error.template} To ask for the same again, or to repair the data directory, removes it.",
            {**error.facts, "name": name},
        ) from error


def _holds(value: object, matches: Matches) -> bool:
    return isinstance(value, Pointer) and any(matches(row.text) for row in value.must_pass)


def _without_rows(value: Pointer | Removed, gone: set[int], matches: Matches) -> Pointer | Removed:
    if isinstance(value, Removed):
        return value
    kept = tuple(row for row in value.must_pass if not matches(row.text))
    return replace(value, kind=_GONE, must_pass=kept, back_to=0 if value.back_to in gone else value.back_to)


def _erased(
    newest: ClassifierState | Tombstone, erased: Mapping[int, BlobRef | None], now: datetime
) -> ClassifierState | Tombstone:
    if isinstance(newest, Tombstone):
        return replace(newest, erased=erased)  # it counts as deleted since it was
    return replace(with_erased_rows(newest, erased), kind=_GONE, at=now)
