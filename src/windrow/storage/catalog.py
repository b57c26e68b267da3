"""Saves, finds, lists, deletes, describes and restores classifiers.

The steps of each change are ordered so that a crash between any two leaves the old state or the new one.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from windrow.domain.alias import ChangeNote
from windrow.domain.caller import current_caller
from windrow.domain.classifier import DescribeRequest, Record, TestScore
from windrow.domain.errors import (
    ClassifierExists,
    ConcurrentChange,
    InvalidArtifact,
    NotDeleted,
    NotFound,
    StorageFailed,
)
from windrow.domain.listing import Listing, ListRequest
from windrow.domain.names import Reference, check_name
from windrow.domain.threshold import MAX_THRESHOLD_CHANGES, Threshold, ThresholdChange, check_label_thresholds
from windrow.domain.values import recast
from windrow.domain.versions import next_version
from windrow.storage import history
from windrow.storage.artifact import ROWS, SUFFIXES
from windrow.storage.blobs import Blobs
from windrow.storage.files import is_forbidden, no_change_yet
from windrow.storage.listing import all_are_meant, list_page
from windrow.storage.lock import transaction
from windrow.storage.namespace import Namespace
from windrow.storage.purging import IsMeant, Purging, check_meant, commit
from windrow.storage.revision import BlobRef, ClassifierState, DeletedPredecessors, Purged, Tombstone
from windrow.storage.state_changes import check_answers, with_notes, without_notes_or_scores


@dataclass(frozen=True, slots=True)
class NewRevision:
    """A revision that is to be saved."""

    record: Record
    """Its record; the catalog puts revision, description, tags and the key that acts in place."""
    blobs: Mapping[str, bytes]
    """Contents by role (:data:`windrow.storage.artifact.SUFFIXES`)."""
    description: str | None = None
    """What is said about it; ``None`` leaves what an existing name has."""
    tags: tuple[str, ...] | None = None
    """Its tags; ``None`` leaves those of an existing name."""
    kind: Literal["trained", "imported", "copied"] = "trained"
    """How it came about."""
    overwrite: bool = True
    """Whether it may follow an existing classifier of its name."""
    rows_erased: bool = False
    """Whether rows were erased from those that it was trained on."""


@dataclass(frozen=True, slots=True)
class ResolvedModel:
    """The classifier, and its revision, that a reference resolves to at this moment.

    Args:
        entry: The revision that it means.
        target: What an alias should point to, to go on meaning this.
        alias: The alias that was named; ``None`` where a classifier was.
    """

    entry: ClassifierState
    target: Reference
    alias: str | None = None


class Catalog:
    """The classifiers of a namespace, for any number of threads and of catalogs on the same place.

    Args:
        names: The namespace.

    Attributes:
        blobs: The blobs of its classifiers.
        purging: Removes files of its classifiers.
    """

    def __init__(self, names: Namespace) -> None:
        self._names = names
        self._logs = names.classifiers
        self.blobs = Blobs(names.files)
        self.purging = Purging(names, self.blobs)

    @transaction
    def publish(self, new_revision: NewRevision) -> ClassifierState:
        """Save a classifier's next revision, and return it as it reads back.

        Raises:
            InvalidName: The name breaks the grammar.
            NameTaken: An alias has the name, or another one differs only in case.
            ClassifierExists: The name exists, and the new revision may not follow it.
            StorageFull: The disk is full; the newest revision is as before.
            StorageUncertain: The disk did not confirm that the new revision, which answers, outlives a power cut.
            StorageFailed: The disk failed; the newest revision is as before.
        """
        name = new_revision.record.name
        with self._names.lock():
            self.check_name_free(name, overwrite=new_revision.overwrite)
            if isinstance(self._logs.newest(name).value, Purged):
                with no_change_yet():
                    self.purging.finish(name)
            origin = new_revision.record.origin
            same = origin.name if new_revision.kind == "copied" and origin else None
            refs = {
                role: self.blobs.keep(name, blob, SUFFIXES[role], same) for role, blob in new_revision.blobs.items()
            }
            return commit(self._names, name, self._next_entry(new_revision, refs))

    def preview(self, new_revision: NewRevision) -> ClassifierState:
        """Return what :meth:`publish` would save, and save nothing.

        Raises:
            InvalidName: The name breaks the grammar.
            NameTaken: An alias has the name, or another one differs only in case.
            ClassifierExists: The name exists, and the new revision may not follow it.
        """
        self.check_name_free(new_revision.record.name, overwrite=new_revision.overwrite)
        refs = {role: BlobRef.of(content, SUFFIXES[role]) for role, content in new_revision.blobs.items()}
        return self._next_entry(new_revision, refs)

    def check_name_free(self, name: str, *, overwrite: bool = True) -> None:
        """Refuse a name that no classifier may be published under.

        Raises:
            InvalidName: It breaks the grammar.
            NameTaken: An alias has it, or another name differs only in case.
            ClassifierExists: A classifier has it, and may not be overwritten.
        """
        self._names.check_free(name)
        if not overwrite and isinstance(self._logs.newest(name).value, ClassifierState | InvalidArtifact):
            raise ClassifierExists(
                "A classifier named {model_name} exists. Choose another name, or "
                "{turn_on:overwrite} to add a revision to it.",
                {"model_name": name},
            )

    def find(self, reference: Reference) -> ResolvedModel:
        """Return what a reference means now; one look at a folder's time where nothing changed.

        Raises:
            ClassifierNotFound: It means nothing, or what an alias points to is gone.
            RevisionNotFound: The classifier has no such revision.
            InvalidArtifact: The revision's file is damaged or of a newer format.
        """
        name = reference.name
        if reference.is_latest:
            entry = self._names.latest(name)
            return ResolvedModel(entry, Reference(entry.record.name))
        if reference.revision is not None:
            return ResolvedModel(self._names.revision(name, reference.revision), reference)
        if (newest := self._names.entry(name)) is not None:
            return ResolvedModel(newest, reference)
        while (pointer := self._names.pointer(name)) is not None:
            try:
                return ResolvedModel(self._answering(name, pointer.target), pointer.target, alias=name)
            except NotFound:
                # Between the two looks the alias may have been pointed elsewhere, and its former target been deleted.
                if self._names.pointer(name) == pointer:
                    raise
        raise self._names.not_found(name)

    def current(self, name: str) -> ClassifierState:
        """Return a classifier's newest revision.

        Raises:
            InvalidName: The name breaks the grammar.
            ClassifierNotFound: No classifier has this name, or it is deleted.
            InvalidArtifact: The revision's file is damaged or of a newer format.
        """
        return self._names.answering(Reference(check_name(name)))

    def listing(self, request: ListRequest, is_meant: Callable[[Record], bool] = all_are_meant) -> Listing:
        """Return a part of the list of classifiers; one that cannot be read is left out, with a warning in the log.

        Args:
            request: Which part, checked.
            is_meant: Whether a classifier is meant that the request's other conditions apply to.

        Raises:
            InvalidParameter: The classifier that the page starts after is gone, and the order needs more than its name.
        """
        return list_page(self._names, request, is_meant)

    def entries(self, *, strictly: bool = True) -> Iterator[ClassifierState]:
        """Yield what answers, or could be brought back: of every classifier and revision, also of deleted ones.

        Args:
            strictly: Whether to fail where one may not be read, or to leave out what is kept under its name.
        """
        for name in self._logs.names():
            try:
                yield from history.entries(self._logs.values(name)).values()
            except StorageFailed as error:
                if strictly or not is_forbidden(error):
                    raise

    def next_name(self, name: str) -> str | None:
        """Return a free name for the next version of a name's task; ``None`` where it would be too long."""
        return next_version(name, (*self._logs.names(), *self._names.aliases.names()))

    def pointed_at(self, names: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """Return those of some classifiers that aliases point to, and which aliases, sorted."""
        wanted = set(names)
        found: dict[str, tuple[str, ...]] = {}
        for alias, pointer in self._names.pointers(strictly=True):
            if pointer.target.name in wanted:
                found[pointer.target.name] = (*found.get(pointer.target.name, ()), alias)
        return found

    @transaction
    def delete(self, name: str, *, force: bool = False, is_meant: IsMeant | None = None) -> None:
        """Delete a classifier by a tombstone; its files stay on the disk.

        Args:
            name: The classifier.
            force: Also where an alias points to it.
            is_meant: Only if this says so; ``None`` deletes it in any case.

        Raises:
            InvalidName: The name breaks the grammar.
            ClassifierNotFound: No classifier has this name, it is deleted already, or it is not meant any more.
            ClassifierInUse: An alias points to it.
            StorageFull: The disk is full; nothing changed.
            StorageFailed: The disk failed.
        """
        with self._names.lock():
            # One whose file cannot be read exists; it can be deleted, and trained again.
            if not isinstance(self._logs.newest(check_name(name)).value, ClassifierState | InvalidArtifact):
                raise self._names.not_found(name)
            if is_meant is not None:
                check_meant(self._names, name, is_meant)
            if not force:
                self._names.check_unused(name)
            commit(self._names, name, Tombstone("deleted", self._names.now(), self._names.erased(name)))

    @transaction
    def restore(self, name: str, revision: int | None = None) -> ClassifierState:
        """Bring a deleted classifier back as it was, or make another of its revisions answer.

        Raises:
            InvalidName: The name breaks the grammar.
            ClassifierNotFound: Nothing is there under this name.
            RevisionNotFound: It has no such revision.
            NotDeleted: It answers already.
            NameTaken: An alias has the name now, or another one differs only in case.
            InvalidArtifact: Its files are missing or damaged.
        """
        with self._names.lock():
            is_deleted = isinstance(self._logs.newest(check_name(name)).value, Tombstone)
            last = self._names.last_entry(name) if is_deleted else self.current(name)
            self._names.check_free(name)
            entry = last if revision is None else self._names.training(name, revision, last)
            if not is_deleted and entry.record.revision == last.record.revision:
                raise self._answers_already(name, last)
            for ref in entry.blobs.values():
                self.blobs.read(name, ref)
            # What a person brings back from before a deletion is older than what was trained since, not deleted.
            is_buried = entry.buried is not None and entry.record.revision < entry.buried.up_to
            buried = None if is_buried else entry.buried
            restored = replace(entry, kind="restored", at=self._names.now(), buried=buried)
            return commit(self._names, name, restored)

    @transaction
    def describe(self, request: DescribeRequest) -> ClassifierState:
        """Change the description or the tags of a classifier.

        Raises:
            InvalidName: The name breaks the grammar.
            InvalidParameter: The description or a tag breaks a rule.
            ClassifierNotFound: No classifier has this name, or it is deleted.
        """
        with self._names.lock():
            entry = self.current(request.model_name)
            record = with_notes(entry.record, entry.record, request.description, request.tags)
            if record == entry.record:
                return entry
            described = replace(entry, kind="described", at=self._names.now(), record=record)
            return commit(self._names, request.model_name, described)

    @transaction
    def set_threshold(
        self, reference: Reference, threshold: Threshold | None, note: ChangeNote
    ) -> tuple[ClassifierState, Threshold | None]:
        """Change the score below which a classifier gives no label; the same again changes nothing.

        Args:
            reference: The classifier, or its revision that answers.
            threshold: What holds from now on; ``None`` for none.
            note: Who changes it, and why.

        Returns:
            The classifier as it is now, and the threshold that it had before.

        Raises:
            ClassifierNotFound: No classifier has this name, or it is deleted.
            RevisionNotFound: The classifier has no such revision.
            ConcurrentChange: Another revision answers.
            InvalidParameter: It has no thresholds of labels, or not of those.
        """
        name = reference.name
        with self._names.lock():
            entry = self.current(name)
            if reference.revision is not None:
                check_answers(self._names.revision(name, reference.revision), entry)
            check_label_thresholds(threshold, entry.record.kind, entry.record.labels)
            before = entry.record.threshold
            if threshold == before:
                return entry, before
            at = self._names.now()
            key_name = current_caller().key_name
            change = recast(ThresholdChange, note, at=at, before=before, after=threshold, key_name=key_name)
            changes = (*entry.record.threshold_changes, change)[-MAX_THRESHOLD_CHANGES:]
            record = replace(entry.record, threshold_changes=changes)
            return commit(self._names, name, replace(entry, kind="threshold_set", at=at, record=record)), before

    @transaction
    def record_evaluation(self, entry: ClassifierState, test: TestScore) -> ClassifierState:
        """Keep how a revision did on test rows.

        Args:
            entry: The revision that was measured.
            test: How it did.

        Raises:
            ClassifierNotFound: It has been deleted meanwhile.
            ConcurrentChange: Another revision is current now, to which the score does not belong.
        """
        name = entry.record.name
        with self._names.lock():
            now = self.current(name)
            # Not only the number: a name that was purged and trained anew counts from 1 again.
            if _what_is_measured(now) != _what_is_measured(entry):
                raise ConcurrentChange(
                    "Revision {revision} of {model_name} was measured, but revision {answering} answers now, so the "
                    "score was not kept. Evaluate again.",
                    {"model_name": name, "revision": entry.record.revision, "answering": now.record.revision},
                )
            record = replace(now.record, test=test)
            measured = replace(now, kind="measured", at=self._names.now(), record=record)
            return commit(self._names, name, measured)

    def _next_entry(self, new_revision: NewRevision, refs: Mapping[str, BlobRef]) -> ClassifierState:
        """Return a new revision as the next entry of its log; what is purged is gone by then."""
        name = new_revision.record.name
        newest = self._logs.newest(name)
        number = 1 if isinstance(newest.value, Purged) else newest.number + 1
        before = newest.value if isinstance(newest.value, ClassifierState) else None
        buried = None if before is None else before.buried
        if isinstance(newest.value, Tombstone):
            buried = DeletedPredecessors(newest.number, newest.value.at)
        described = with_notes(
            new_revision.record, None if before is None else before.record, new_revision.description, new_revision.tags
        )
        return ClassifierState(
            kind=new_revision.kind,
            at=self._names.now(),
            record=replace(described, revision=number, key_name=current_caller().key_name),
            blobs=refs,
            purged=self._names.purged(name),
            buried=buried,
            erased={**self._names.erased(name), **({number: refs.get(ROWS)} if new_revision.rows_erased else {})},
        )

    def _answers_already(self, name: str, entry: ClassifierState) -> NotDeleted:
        revision = entry.record.revision
        others = [other for other in self._names.revisions(name) if other != revision]
        advice = "It has no other revision, so there is nothing to restore."
        if others:
            advice = "To make another revision answer, name it, such as {model_name}@{other}."
        facts = {"model_name": name, "revision": revision, "revisions": sorted([*others, revision])}
        return NotDeleted(
            f"{{model_name}} is not deleted, and its revision {{revision}} answers already. {advice}",
            {**facts, "other": others[-1]} if others else facts,
        )

    def _answering(self, alias: str, target: Reference) -> ClassifierState:
        try:
            return self._names.answering(target)
        except NotFound as error:
            raise type(error)(
                f"The alias {{alias}} points to {{points_to}}, which does not answer. {error.template} Or promote "
                "another classifier.",
                {**error.facts, "alias": alias, "points_to": str(target)},
            ) from error


def _what_is_measured(entry: ClassifierState) -> tuple[Record, Mapping[str, BlobRef]]:
    """Return what a score belongs to: not to the rows, from which some may be erased while it is measured."""
    return without_notes_or_scores(entry.record), {role: ref for role, ref in entry.blobs.items() if role != ROWS}
