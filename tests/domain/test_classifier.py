"""What may be said about a classifier, and what its record and its score add up to."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tests.records import record
from windrow.domain.classifier import MAX_TAGS, Notes, NotesChange, check_notes
from windrow.domain.classifier import TestScore as Score
from windrow.domain.errors import InvalidParameter

MOST = Notes("x" * 2_000, tuple(f"{number:064}" for number in range(20)))


@pytest.mark.parametrize("notes", [Notes(), Notes("two\nlines", ("a", "b c")), MOST])
def test_notes_within_the_rules_stay_as_they_are(notes: Notes) -> None:
    assert check_notes(notes) == notes


def test_tags_are_sorted_and_kept_once() -> None:
    assert check_notes(Notes(tags=("b", "a", "b"))).tags == ("a", "b")
    assert check_notes(Notes(tags=("same",) * (MAX_TAGS + 1))).tags == ("same",)


@pytest.mark.parametrize(
    ("notes", "parameter"),
    [
        (Notes("x" * 2_001), "description"),
        (Notes("\ud800"), "description"),
        (Notes(tags=("",)), "tags"),
        (Notes(tags=(" ",)), "tags"),
        (Notes(tags=("a ",)), "tags"),
        (Notes(tags=("\ta",)), "tags"),
        (Notes(tags=("x" * 65,)), "tags"),
        (Notes(tags=("\ud800",)), "tags"),
        (Notes(tags=tuple(map(str, range(21)))), "tags"),
    ],
)
def test_notes_that_break_a_rule_are_refused_by_name(notes: Notes, parameter: str) -> None:
    with pytest.raises(InvalidParameter) as caught:
        check_notes(notes)
    assert caught.value.facts == {"parameter": parameter}
    assert caught.value.detail.startswith(parameter)
    assert caught.value.detail.endswith("Correct it or leave it out.")


def test_a_change_of_notes_leaves_the_rest_as_it_is() -> None:
    notes = Notes("old", ("a",))
    assert NotesChange().of(notes) == notes
    assert NotesChange(description="new").of(notes) == Notes("new", ("a",))
    assert NotesChange(description="").of(notes) == Notes("", ("a",))
    assert NotesChange(tags=("c", "b")).of(notes) == Notes("old", ("b", "c"))
    assert NotesChange(tags=()).of(notes) == Notes("old")


def test_a_change_of_notes_is_checked() -> None:
    with pytest.raises(InvalidParameter):
        NotesChange(tags=("",)).of(Notes())


def test_a_record_counts_its_examples() -> None:
    assert replace(record(), rows_per_label={"billing": 3, "bug": 4}).num_examples == 7


def test_a_score_is_a_share_of_the_rows() -> None:
    per_label = {"billing": 5, "bug": 4}, {"billing": 6, "bug": 6}
    assert Score(9, 12, "e" * 64, datetime(2025, 9, 15, tzinfo=UTC), 0.75, 0.1, *per_label).accuracy == 0.75
