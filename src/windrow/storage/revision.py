"""The entries in the logs of classifiers and aliases: each holds an event and the whole state after it."""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache, partial
from sys import intern
from typing import Any, Literal, TypeVar, get_args

from windrow.domain.alias import KeptNote
from windrow.domain.classifier import Classifier, Record
from windrow.domain.errors import InvalidArtifact, InvalidInput
from windrow.domain.labelled_rows import LabelledRows
from windrow.domain.names import Reference, read_reference
from windrow.domain.values import recast
from windrow.storage.artifact import ROWS, invalid
from windrow.storage.format import Mismatch, read, write
from windrow.storage.record_check import check_record

# What can have happened to a classifier that answers afterwards.
Event = Literal[
    "trained", "imported", "copied", "described", "measured", "threshold_set", "restored", "trimmed", "rows_erased"
]

# One for all: thousands of states are in memory.
_NOTHING_ERASED: Mapping[int, Any] = {}

TRAININGS = ("trained", "imported", "copied")
_SHA256 = re.compile("[0-9a-f]{64}")
_SUFFIX = re.compile(r"(\.[a-z0-9]{1,16}){1,2}")


@dataclass(frozen=True, slots=True)
class BlobRef:
    """Where a revision finds one of its blobs.

    Args:
        sha256: Of the blob's bytes, in hexadecimal; also its file's name.
        size_bytes: Of the blob.
        suffix: Of its file's name.
    """

    sha256: str
    size_bytes: int
    suffix: str

    @classmethod
    def of(cls, content: bytes, suffix: str) -> "BlobRef":
        """Return the reference to a content."""
        return cls(hashlib.sha256(content).hexdigest(), len(content), suffix)

    @property
    def file_name(self) -> str:
        """The name of its file."""
        return f"{self.sha256}{self.suffix}"


@dataclass(frozen=True, slots=True)
class DeletedPredecessors:
    """What was deleted before a classifier was trained anew under its name; it can be restored as long as others can.

    Args:
        up_to: The number of the deletion: trainings with lower ones are meant.
        at: When they were deleted, UTC, whole seconds.
    """

    up_to: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassifierState:
    """The classifier as it is after something has happened to it."""

    kind: Event
    """What happened."""
    at: datetime
    """When, UTC, whole seconds."""
    record: Record
    """What is remembered about the training that answers, what a person says about it, and what was measured."""
    blobs: Mapping[str, BlobRef]
    """Its files by role (``artifact``, ``rows``)."""
    purged: tuple[int, ...] = ()
    """Numbers of this log that were removed for good, ascending."""
    buried: DeletedPredecessors | None = None
    """What was deleted before, and waits to be purged; ``None`` for nothing."""
    erased: Mapping[int, BlobRef | None] = field(default_factory=dict)
    """What is left of the rows of those revisions of this log from whose rows some were erased; ``None`` for none."""

    @property
    def is_training(self) -> bool:
        """Whether this is a training's own file, which its revision is numbered by."""
        return self.kind in TRAININGS

    @property
    def has_erased_rows(self) -> bool:
        """Whether rows were erased from those that were kept of its training."""
        return self.record.revision in self.erased

    def to_classifier(self, deleted_at: datetime | None = None) -> Classifier:
        """Return the classifier as callers see it."""
        return recast(
            Classifier,
            self.record,
            size_bytes=sum(ref.size_bytes for ref in self.blobs.values()),
            keeps_training_data=self.record.learned_from_rows and ROWS in self.blobs,
            training_data_erased=self.has_erased_rows,
            deleted_at=deleted_at,
        )


@dataclass(frozen=True, slots=True)
class Tombstone:
    """From here on, the classifier is deleted, and can be restored.

    Args:
        kind: What happened.
        at: When, UTC, whole seconds.
        erased: As of a ``ClassifierState``.
    """

    kind: Literal["deleted"]
    at: datetime
    erased: Mapping[int, BlobRef | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Purged:
    """From here on, the classifier is gone; only a crash leaves such a file, since it is removed at last.

    Args:
        kind: What happened.
        at: When, UTC, whole seconds.
    """

    kind: Literal["purged"]
    at: datetime


LogEntry = ClassifierState | Tombstone | Purged


@dataclass(frozen=True, slots=True, kw_only=True)
class Pointer(KeptNote):
    """An alias points somewhere."""

    kind: Literal["promoted", "rolled_back", "rows_erased"]
    """Whether it was pointed there or back there, or stayed there while rows that it keeps were erased."""
    at: datetime
    """When, UTC, whole seconds."""
    points_to: str
    """A reference to a classifier or a revision."""
    back_to: int
    """The number of this log that a rollback returns to; 0 where there is none."""
    must_pass: LabelledRows = ()
    """Rows that whatever is promoted must place right."""
    purged: tuple[int, ...] = ()
    """Numbers of this log that were removed for good, since they held rows that were erased, ascending."""

    @property
    def target(self) -> Reference:
        """What it points to."""
        return read_reference(self.points_to)


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed(KeptNote):
    """The alias was taken away."""

    kind: Literal["removed"] = "removed"
    """What happened."""
    at: datetime
    """When, UTC, whole seconds."""
    purged: tuple[int, ...] = ()
    """As of a ``Pointer``."""


AliasLogEntry = Pointer | Removed

_ENTRIES: Mapping[str, type[LogEntry]] = {
    **dict.fromkeys(get_args(Event), ClassifierState),
    "deleted": Tombstone,
    "purged": Purged,
}
_ALIAS_ENTRIES: Mapping[str, type[AliasLogEntry]] = {
    "promoted": Pointer,
    "rolled_back": Pointer,
    "rows_erased": Pointer,
    "removed": Removed,
}
_Kind = TypeVar("_Kind")
_Item = TypeVar("_Item")


def entry_to_json(name: str, number: int, revision: LogEntry) -> bytes:
    """Return a classifier's numbered file: JSON for people and programs.

    Raises:
        InvalidArtifact: It would not read back, so it must not be written.
    """
    return _serialized(revision, partial(entry_from_json, name, number))


def entry_from_json(name: str, number: int, data: bytes, *, strictly: bool = False) -> LogEntry:
    """Return what a classifier's numbered file says.

    Args:
        name: The name of its folder.
        number: Its number.
        data: Its content.
        strictly: As for :func:`windrow.storage.format.read`.

    Raises:
        InvalidArtifact: It is damaged, of a newer format, or another classifier's.
    """
    revision = _read(data, _ENTRIES, strictly=strictly)
    if not isinstance(revision, ClassifierState):
        return revision
    _check_name_and_number(name, number, revision)
    return replace(revision, record=_sharing(revision.record), erased=revision.erased or _NOTHING_ERASED)


def alias_to_json(name: str, number: int, revision: AliasLogEntry) -> bytes:
    """Return an alias's numbered file.

    Raises:
        InvalidArtifact: It would not read back, so it must not be written.
    """
    return _serialized(revision, partial(alias_from_json, name, number))


def alias_from_json(
    name: str,  # noqa: ARG001 - any alias may say any of it
    number: int,
    data: bytes,
    *,
    strictly: bool = False,
) -> AliasLogEntry:
    """Return what an alias's numbered file says.

    Raises:
        InvalidArtifact: It is damaged or of a newer format.
    """
    revision = _read(data, _ALIAS_ENTRIES, strictly=strictly)
    if isinstance(revision, Pointer):
        _check_pointer(number, revision)
    return revision


def with_erased_rows(state: ClassifierState, erased: Mapping[int, BlobRef | None]) -> ClassifierState:
    """Return a state with what is left of its rows in their place.

    Args:
        state: The state, as any file of a log says it.
        erased: What is left of the rows of which revision, as the newest file of that log says it.
    """
    if not erased:
        return state
    blobs = dict(state.blobs)
    if state.record.revision in erased:
        left = erased[state.record.revision]
        blobs |= {} if left is None else {ROWS: left}
        if left is None:
            blobs.pop(ROWS, None)
    return replace(state, blobs=blobs, erased=erased)


def check_entry(entry: ClassifierState) -> None:
    """Refuse an entry whose parts contradict each other.

    Raises:
        Mismatch: They do.
    """
    check_record(entry.record)
    for role, ref in entry.blobs.items():
        if not _SHA256.fullmatch(ref.sha256) or not _SUFFIX.fullmatch(ref.suffix):
            raise Mismatch("is no reference to a blob", ("blobs", role))
    if entry.purged != tuple(sorted(set(entry.purged))):
        raise Mismatch("is not sorted and distinct", ("purged",))
    if entry.blobs.get(ROWS) != entry.erased.get(entry.record.revision, entry.blobs.get(ROWS)):
        raise Mismatch("does not say what is left of the rows", ("erased",))


def _serialized(revision: object, read_back: Callable[[bytes], object]) -> bytes:
    try:
        data = write(revision)
    except Mismatch as mismatch:
        raise invalid(f"cannot be written: {mismatch}") from mismatch
    read_back(data)
    return data


def _read(data: bytes, kinds: Mapping[str, type[_Kind]], *, strictly: bool) -> _Kind:
    try:
        value = read(data, kinds, strictly=strictly)
        if isinstance(value, ClassifierState):
            check_entry(value)
    except Mismatch as mismatch:
        raise invalid(f"cannot be read: {mismatch}") from mismatch
    return value


def _sharing(record: Record) -> Record:
    """Return a record whose parts that most records of an installation have alike are in memory once."""
    return replace(
        record,
        base_model_digest=intern(record.base_model_digest),
        versions=_shared_mapping(*record.versions.items()),
        label_descriptions=_shared_mapping(*record.label_descriptions.items()),
        label_thresholds=record.label_thresholds or _shared_mapping(),
        labels=_shared(record.labels),
        warnings=_shared(record.warnings),
        created_at=record.created_at.astimezone(UTC),
        adapter=record.adapter and replace(record.adapter, reason=intern(record.adapter.reason)),
    )


@lru_cache(maxsize=64)
def _shared_mapping(*items: tuple[str, _Item]) -> Mapping[str, _Item]:
    return dict(items)


@lru_cache(maxsize=256)
def _shared(value: Any) -> Any:
    return value


def _check_name_and_number(name: str, number: int, entry: ClassifierState) -> None:
    record = entry.record
    is_numbered = record.revision == number if entry.is_training else record.revision < number
    if record.name != name or not is_numbered:
        raise InvalidArtifact(
            "It is the record of {model_name}, revision {revision}. A classifier's folder bears its name, and a "
            "training's file its revision: give it back its name, or train the classifier again.",
            {"model_name": record.name, "revision": record.revision},
        )


def _check_pointer(number: int, pointer: Pointer) -> None:
    try:
        is_sound = not pointer.target.is_latest and 0 <= pointer.back_to < number
    except InvalidInput:
        is_sound = False
    if not is_sound:
        raise invalid("points to no classifier")
