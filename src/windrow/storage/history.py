"""What the log of a classifier says as a whole: the rules by which the server answers and ``fsck`` judges.

A log is a mapping from numbers, ascending, to what the numbered files say: the error where one cannot be read, ``None``
where one went since it was listed.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TypeVar

from windrow.domain.errors import InvalidArtifact
from windrow.storage.revision import (
    AliasLogEntry,
    BlobRef,
    ClassifierState,
    LogEntry,
    Pointer,
    Purged,
    Removed,
    Tombstone,
    with_erased_rows,
)

Value = TypeVar("Value")
Log = Mapping[int, Value | InvalidArtifact | None]


def from_newest(log: Log[Value]) -> Iterator[tuple[int, Value | InvalidArtifact]]:
    """Yield what there is, the highest number, which is the truth, first."""
    for number in reversed(tuple(log)):
        if (value := log[number]) is not None:
            yield number, value


def newest(log: Log[Value]) -> Value | InvalidArtifact | None:
    """Return what the highest number says; ``None`` where there is none."""
    return next((value for _, value in from_newest(log)), None)


def purged(log: Log[LogEntry]) -> tuple[int, ...]:
    """Return the numbers that were removed for good: the last readable file that lists them says it.

    Deleting a classifier, or damage to its newest file, must not bring back what was removed.
    """
    for number, value in from_newest(log):
        match value:
            case ClassifierState():
                return tuple(each for each in value.purged if each < number)
            case Purged():
                break
    return ()


def purged_steps(log: Log[AliasLogEntry]) -> tuple[int, ...]:
    """Return the numbers of an alias's log that were removed for good: the last readable file that lists them says."""
    told = ((number, value) for number, value in from_newest(log) if isinstance(value, Pointer | Removed))
    return next((tuple(each for each in value.purged if each < number) for number, value in told), ())


def erased(log: Log[LogEntry]) -> Mapping[int, BlobRef | None]:
    """Return what stands in the place of rows of which some were erased: the last readable file that tells says it."""
    told = (value for _, value in from_newest(log) if isinstance(value, ClassifierState | Tombstone))
    return next((value.erased for value in told), {})


def erased_files(log: Log[LogEntry]) -> frozenset[str]:
    """Return the blobs of rows that were erased, by the names of their files."""
    values = [value for value in log.values() if value is not None]
    if any(isinstance(value, InvalidArtifact) for value in values):
        return frozenset()  # what a damaged file refers to is unknown
    return frozenset(blob_sizes(values).keys() - blob_sizes(as_erased(log, values)).keys())


def as_erased(log: Log[LogEntry], values: Iterable[object]) -> Iterator[object]:
    """Yield some values of a log with what is left of their rows in their place."""
    rows = erased(log)
    for value in values:
        yield with_erased_rows(value, rows) if isinstance(value, ClassifierState) else value


def entries(log: Log[LogEntry]) -> dict[int, ClassifierState]:
    """Return what answers, or could be brought back, by the numbers that say it."""
    if isinstance(newest(log), Purged):
        return {}
    gone, rows = purged(log), erased(log)
    return {
        number: with_erased_rows(value, rows)
        for number, value in log.items()
        if isinstance(value, ClassifierState) and number not in gone
    }


def trainings(log: Log[LogEntry]) -> tuple[int, ...]:
    """Return the revisions that can be reached, ascending."""
    return tuple(number for number, entry in entries(log).items() if entry.is_training)


def training(log: Log[LogEntry], revision: int, without: Collection[int]) -> ClassifierState | InvalidArtifact | None:
    """Return what the last file about a training says; its own file must be there.

    Args:
        log: The log.
        revision: The training's number.
        without: Numbers that were removed for good.
    """
    own = log.get(revision) if revision not in without else None
    if not isinstance(own, ClassifierState):
        return own if isinstance(own, InvalidArtifact) else None
    if not own.is_training:
        return None
    rows = erased(log)
    later = (value for number, value in from_newest(log) if number > revision and number not in without)
    said = next(
        (value for value in later if isinstance(value, ClassifierState) and value.record.revision == revision), own
    )
    return with_erased_rows(said, rows)


def last_entry(log: Log[LogEntry]) -> ClassifierState | InvalidArtifact | None:
    """Return what answers, or answered before it was deleted."""
    last = next((value for _, value in from_newest(log) if isinstance(value, ClassifierState | InvalidArtifact)), None)
    return with_erased_rows(last, erased(log)) if isinstance(last, ClassifierState) else last


def revision_of(value: object) -> int | None:
    """Return the training that a numbered file is about; ``None`` for an ending, or where that is unknown."""
    return value.record.revision if isinstance(value, ClassifierState) else None


def blob_sizes(values: Iterable[object]) -> dict[str, int]:
    """Return the blobs that numbered files need, by the names of their files, and their sizes."""
    refs = (ref for value in values if isinstance(value, ClassifierState) for ref in value.blobs.values())
    return {ref.file_name: ref.size_bytes for ref in refs}
