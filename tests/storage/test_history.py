"""What a log says as a whole, whatever is missing from it or damaged."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from tests.storage.examples import record
from windrow.domain.errors import InvalidArtifact
from windrow.storage import history
from windrow.storage.revision import BlobRef, ClassifierState, LogEntry, Purged, Tombstone

AT = datetime(2025, 9, 16, 8, 0, tzinfo=UTC)
DAMAGED = InvalidArtifact("It is damaged.")
DELETED, GONE = Tombstone("deleted", AT), Purged("purged", AT)


def entry(revision: int, kind: Any = "trained", purged: tuple[int, ...] = ()) -> ClassifierState:
    blobs = {"artifact": BlobRef(f"{revision:064}", revision, ".safetensors")}
    return ClassifierState(kind=kind, at=AT, record=record(revision=revision), blobs=blobs, purged=purged)


def test_the_highest_number_that_is_there_is_the_truth() -> None:
    assert history.newest({}) is None
    assert history.newest({1: entry(1), 3: DELETED}) == DELETED
    assert history.newest({1: entry(1), 2: DAMAGED, 3: None}) == DAMAGED


def test_what_was_purged_is_what_the_last_readable_entry_lists() -> None:
    trimmed = entry(3, "trimmed", purged=(1, 2))
    assert history.purged({}) == ()
    assert history.purged({3: entry(3), 4: trimmed, 5: DELETED, 6: DAMAGED}) == (1, 2)
    assert history.purged({3: entry(3), 4: trimmed, 5: GONE}) == ()
    assert history.purged({3: entry(3), 4: entry(3, "trimmed", purged=(1, 4, 9))}) == (1,)


def test_a_training_can_be_reached_unless_it_is_purged_damaged_or_gone() -> None:
    log: history.Log[LogEntry] = {
        1: entry(1),
        2: entry(2),
        3: DAMAGED,
        4: None,
        5: entry(2, "described"),
        6: entry(2, "trimmed", (1,)),
    }
    assert history.trainings(log) == (2,)
    assert [*history.entries(log)] == [2, 5, 6]
    assert history.trainings({**log, 7: DELETED}) == (2,)
    assert history.trainings({**log, 7: GONE}) == ()
    assert history.entries({**log, 7: GONE}) == {}


def test_a_training_is_what_its_last_file_says_of_it_as_long_as_its_own_is_there() -> None:
    measured = entry(1, "measured")
    log: history.Log[LogEntry] = {1: entry(1), 2: entry(2), 3: measured, 4: entry(2, "restored"), 5: DAMAGED}
    assert history.training(log, 1, ()) == measured
    assert history.training(log, 2, ()) == log[4]
    assert history.training(log, 2, (4,)) == log[2]
    assert history.training(log, 1, (1,)) is None
    assert history.training(log, 3, ()) is None
    assert history.training(log, 5, ()) == DAMAGED
    assert history.training(log, 6, ()) is None
    assert history.training({2: entry(2), 3: measured}, 1, ()) is None


def test_what_answered_last_is_looked_for_behind_a_deletion_but_not_behind_damage() -> None:
    assert history.last_entry({1: entry(1), 2: DELETED, 3: None}) == entry(1)
    assert history.last_entry({1: entry(1), 2: DAMAGED, 3: DELETED}) == DAMAGED
    assert history.last_entry({1: DELETED}) is None


def test_blobs_are_those_of_entries_each_once() -> None:
    two = replace(entry(2), blobs={"artifact": entry(2).blobs["artifact"], "rows": entry(1).blobs["artifact"]})
    sizes = history.blob_sizes([entry(1), two, DAMAGED, DELETED, None])
    assert sizes == {f"{number:064}.safetensors": number for number in (1, 2)}
