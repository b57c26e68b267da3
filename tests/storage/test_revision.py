"""The numbered files: they come back the same, and what is damaged, foreign or newer is refused."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings

from tests.storage.examples import TEST_SCORE, THRESHOLD, THRESHOLD_CHANGE, record, sealed
from tests.storage.strategies import any_alias_revision, any_revision
from windrow.domain.classifier import Origin
from windrow.domain.dataset import Row
from windrow.domain.errors import InvalidArtifact
from windrow.domain.names import Reference
from windrow.storage.format import FORMAT
from windrow.storage.revision import (
    AliasLogEntry,
    BlobRef,
    ClassifierState,
    LogEntry,
    Pointer,
    Purged,
    Removed,
    Tombstone,
    alias_from_json,
    alias_to_json,
    entry_from_json,
    entry_to_json,
)

AT = datetime(2025, 9, 16, 8, 0, tzinfo=UTC)
BLOBS = {"artifact": BlobRef("c" * 64, 12_000, ".safetensors"), "rows": BlobRef("d" * 64, 300, ".jsonl.gz")}
RECORD = replace(
    record(),
    description="for the help desk",
    tags=("best", "small"),
    test=TEST_SCORE,
    threshold_changes=(THRESHOLD_CHANGE,),
)
CHANGE = {
    "reason": "",
    "author": "",
    "key_name": None,
    "at": "2025-09-20T12:00:00Z",
    "before": None,
    "after": {"abstain_below": 0.5},
}
ENTRY = ClassifierState(kind="trained", at=AT, record=RECORD, blobs=BLOBS)
POINTER = Pointer(
    kind="promoted",
    at=AT,
    points_to="tickets_v2@3",
    reason="it is better",
    author="Ada",
    back_to=4,
    must_pass=(Row("Where is my invoice?", "billing"),),
)


def changed(data: bytes, change: dict[str, Any]) -> bytes:
    """Return a JSON file with some fields of a dotted path changed."""
    plain = json.loads(data)
    for path, value in change.items():
        *outer, field = path.split(".")
        part = plain
        for name in outer:
            part = part[name]
        part[field] = value
    return sealed(json.dumps(plain, indent=2).encode())


class TestRevision:
    @settings(deadline=None)
    @given(any_revision())
    def test_comes_back_as_it_was_saved(self, drawn: tuple[str, int, LogEntry]) -> None:
        name, number, revision = drawn
        assert entry_from_json(name, number, entry_to_json(name, number, revision)) == revision

    def test_is_json_that_a_person_can_read(self) -> None:
        text = entry_to_json("tickets", 1, ENTRY).decode()
        start = (
            r'{\n  "format": 7,\n  "sha256": "[0-9a-f]{64}",\n  "kind": "trained",\n  "at": "2025-09-16T08:00:00Z",\n'
        )
        assert re.match(start + r'  "record": {\n', text)
        assert '"created_at": "2025-09-15T10:30:00Z"' in text
        assert text.endswith("}\n")

    @pytest.mark.parametrize(
        ("kind", "number"), [("trained", 2), ("imported", 2), ("described", 1), ("restored", 1), ("trimmed", 1)]
    )
    def test_under_a_number_that_it_cannot_bear_is_refused(self, kind: Any, number: int) -> None:
        with pytest.raises(InvalidArtifact, match="It is the record of tickets, revision 1") as caught:
            entry_to_json("tickets", number, replace(ENTRY, kind=kind))
        assert caught.value.facts == {"model_name": "tickets", "revision": 1}

    @pytest.mark.parametrize("kind", ["described", "measured", "threshold_set", "restored", "trimmed"])
    def test_of_what_happened_later_bears_any_later_number(self, kind: Any) -> None:
        later = replace(ENTRY, kind=kind)
        assert not later.is_training
        assert entry_from_json("tickets", 7, entry_to_json("tickets", 7, later)) == later

    def test_of_another_name_is_refused(self) -> None:
        with pytest.raises(InvalidArtifact, match="give it back its name"):
            entry_from_json("moods", 1, entry_to_json("tickets", 1, ENTRY))

    def test_that_breaks_the_rules_is_not_even_written(self) -> None:
        with pytest.raises(InvalidArtifact):
            entry_to_json("tickets", 0, replace(ENTRY, record=record(revision=0)))

    def test_shows_what_callers_may_see(self) -> None:
        shown = replace(ENTRY, record=replace(RECORD, origin=Origin("theirs", 3, AT))).to_classifier()
        assert (shown.size_bytes, shown.keeps_training_data, shown.deleted_at) == (12_300, True, None)
        assert (shown.description, shown.tags, shown.test) == (RECORD.description, RECORD.tags, TEST_SCORE)
        assert shown.origin == Origin("theirs", 3, AT)
        assert shown.threshold == THRESHOLD
        assert not replace(ENTRY, blobs={"artifact": BLOBS["artifact"]}).to_classifier().keeps_training_data
        assert ENTRY.to_classifier(AT).deleted_at == AT

    def test_of_a_newer_format_asks_for_an_upgrade(self) -> None:
        with pytest.raises(InvalidArtifact, match=r"Upgrade Windrow\.$") as caught:
            entry_from_json("tickets", 1, b'{"format": %d, "kind": "renamed"}' % (FORMAT + 1))
        assert caught.value.facts == {"format": FORMAT + 1, "newest_known_format": FORMAT}

    @pytest.mark.parametrize(
        "change",
        [
            {"format": None},
            {"format": "1"},
            {"kind": "renamed"},
            {"kind": []},
            {"kind": "deleted"},
            {"kind": "promoted"},
            {"at": None},
            {"at": "2025-09-16"},
            {"more": 1},
            {"record": {}},
            {"record.revision": 0},
            {"record.labels": []},
            {"record.labels": ["bug", "billing"]},
            {"record.labels": ["bug", "bug"]},
            {"record.rows_per_label": {"billing": 2}},
            {"record.rows_per_label": {"bug": 2, "billing": 2}},
            {"record.rows_per_label": {"billing": 2, "bug": "2"}},
            {"record.training_time_seconds": "fast"},
            {"blobs": {"artifact": {"sha256": "../" * 8, "size_bytes": 1, "suffix": ".safetensors"}}},
            {"blobs.artifact.sha256": "C" * 64},
            {"blobs.artifact.suffix": "/../../x"},
            {"blobs.artifact.suffix": ""},
            {"blobs.artifact.size_bytes": 1.5},
            {"record.tags": None},
            {"record.description": None},
            {"record.tags": ["small", "best"]},
            {"record.tags": ["best", "best"]},
            {"record.tags": [" best"]},
            {"record.description": "x" * 2_001},
            {"record.test.correct": -1},
            {"record.test.correct": 11},
            {"record.test.total": 0, "record.test.correct": 0},
            {
                "record.test.total": 0,
                "record.test.correct": 0,
                "record.test.rows_per_label": {},
                "record.test.correct_per_label": {},
            },
            {"record.test.correct": 8},
            {"record.test.total": 11},
            {"record.test.rows_per_label": {}},
            {"record.test.correct_per_label": {"billing": 5, "bug": 4}},
            {"record.test.correct_per_label": {"billing": 6, "bug": 3, "other": 0}},
            {"record.test.correct_per_label": {"billing": 5, "bug": 5, "other": -1}},
            {
                "record.test.correct_per_label": {"billing": 5, "bug": 4, "none": 0},
                "record.test.rows_per_label": {"billing": 5, "bug": 5, "none": 0},
            },
            {"record.test.macro_f1": None},
            {"record.test.macro_f1": 1.01},
            {"record.test.ece": -0.01},
            {"record.test.ece": "small"},
            {"record.threshold": None},
            {"record.threshold_changes": {}},
            {"record.threshold_changes": [{}]},
            {"record.threshold_changes": [{**CHANGE, "after": {"abstain_below": -0.01}}]},
            {"record.threshold_changes": [{**CHANGE, "after": {"abstain_below": 1.01}}]},
            {"record.threshold_changes": [{**CHANGE, "before": {"abstain_below": 1.01}}]},
            {"record.threshold_changes": [{**CHANGE, "after": {}}]},
            {"record.threshold_changes": [{**CHANGE, "after": 0.5}]},
            {"record.threshold_changes": [{**CHANGE, "reason": "x" * 501}]},
            {"record.threshold_changes": [{**CHANGE, "at": None}]},
            {"record.threshold_changes": [CHANGE, CHANGE]},
            {"record.threshold_changes": [{**CHANGE, "after": None}] * 101},
            {"record.report.estimate.correct": -1},
            {"record.report.estimate.correct": 5},
            {"record.report.estimate.total": 0, "record.report.estimate.correct": 0},
            {"record.report.estimate.interval": None},
            {"record.scores": None},
            {"record.scores.source": "guess"},
            {"record.scores.temperature": 0},
            {"record.scores.temperature": -1.0},
            {"record.report": None},
            {"record.report.duplicate_rows": 0.5},
            {"record.report.small_classes": "bug"},
            {"record.origin": {"name": "theirs"}},
            {"purged": [2, 1]},
            {"purged": [1, 1]},
        ],
    )
    def test_with_something_amiss_is_refused(self, change: dict[str, Any]) -> None:
        data = entry_to_json("tickets", 1, ENTRY)
        assert entry_from_json("tickets", 1, changed(data, {})) == ENTRY
        with pytest.raises(InvalidArtifact, match="train the classifier again"):
            entry_from_json("tickets", 1, changed(data, change))

    @pytest.mark.parametrize("ending", [Tombstone("deleted", AT), Purged("purged", AT)])
    def test_of_an_ending_says_when_and_nothing_else(self, ending: Tombstone | Purged) -> None:
        data = entry_to_json("tickets", 2, ending)
        plain = json.loads(data)
        assert len(plain.pop("sha256")) == 64
        assert plain.pop("erased", {}) == {}
        assert plain == {"format": 7, "kind": ending.kind, "at": "2025-09-16T08:00:00Z"}
        for change in ({"more": 1}, {"at": 0}, {"kind": "trained"}):
            with pytest.raises(InvalidArtifact):
                entry_from_json("tickets", 2, changed(data, change))

    def test_that_is_cut_off_anywhere_is_refused(self) -> None:
        whole = entry_to_json("tickets", 1, ENTRY).rstrip()
        for length in range(len(whole)):
            with pytest.raises(InvalidArtifact):
                entry_from_json("tickets", 1, whole[:length])


class TestAliasRevision:
    @settings(deadline=None)
    @given(any_alias_revision())
    def test_comes_back_as_it_was_saved(self, drawn: tuple[int, AliasLogEntry]) -> None:
        number, revision = drawn
        assert alias_from_json("live", number, alias_to_json("live", number, revision)) == revision

    def test_is_json_that_a_person_can_read(self) -> None:
        plain = json.loads(alias_to_json("live", 5, POINTER))
        assert len(plain.pop("sha256")) == 64
        assert plain == {
            "format": 7,
            "kind": "promoted",
            "at": "2025-09-16T08:00:00Z",
            "points_to": "tickets_v2@3",
            "reason": "it is better",
            "author": "Ada",
            "key_name": None,
            "back_to": 4,
            "must_pass": [{"text": "Where is my invoice?", "label": "billing"}],
            "purged": [],
        }

    def test_points_to_a_classifier_or_a_revision(self) -> None:
        assert POINTER.target == Reference("tickets_v2", 3)
        assert replace(POINTER, points_to="tickets_v2").target == Reference("tickets_v2")

    @pytest.mark.parametrize("points_to", ["tickets@latest", "", "../etc", "tickets@0", "live@"])
    def test_that_points_to_no_classifier_is_not_even_written(self, points_to: str) -> None:
        with pytest.raises(InvalidArtifact, match="points to no classifier"):
            alias_to_json("live", 5, replace(POINTER, points_to=points_to))

    @pytest.mark.parametrize("back_to", [-1, 5, 6])
    def test_leads_back_to_an_earlier_number_only(self, back_to: int) -> None:
        with pytest.raises(InvalidArtifact):
            alias_from_json("live", 5, changed(alias_to_json("live", 5, POINTER), {"back_to": back_to}))

    @pytest.mark.parametrize(
        "change",
        [
            {"format": 0},
            {"kind": "trained"},
            {"kind": "removed"},
            {"said": "so"},
            {"author": 1},
            {"reason": None},
            {"more": 1},
        ],
    )
    def test_with_something_amiss_is_refused(self, change: dict[str, Any]) -> None:
        with pytest.raises(InvalidArtifact):
            alias_from_json("live", 5, changed(alias_to_json("live", 5, POINTER), change))

    def test_of_a_newer_format_asks_for_an_upgrade(self) -> None:
        with pytest.raises(InvalidArtifact, match=r"Upgrade Windrow\.$"):
            alias_from_json("live", 1, b'{"format": 8}')

    def test_that_is_cut_off_anywhere_is_refused(self) -> None:
        for revision in (POINTER, Removed(at=AT)):
            whole = alias_to_json("live", 5, revision).rstrip()
            for length in range(len(whole)):
                with pytest.raises(InvalidArtifact):
                    alias_from_json("live", 5, whole[:length])
