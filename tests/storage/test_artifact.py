"""What is written on the disk: it comes back the same, and what is damaged, foreign or newer is refused."""

import gzip
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from safetensors.numpy import save

from tests.storage.examples import ROW_EXAMPLES, artifact, record
from tests.storage.strategies import any_artifact, any_entry, any_rows, any_time
from windrow.domain.dataset import Row, rows_as_jsonl
from windrow.domain.errors import ArtifactInvalid, TrainingFailed
from windrow.learning.head import LinearHead
from windrow.storage.artifact import (
    FORMAT,
    Artifact,
    BlobRef,
    Entry,
    Tombstone,
    artifact_from_bytes,
    artifact_to_bytes,
    revision_from_json,
    revision_to_json,
    rows_from_blob,
    rows_to_blob,
)

TENSORS = {"head.weights": np.ones((2, 4), np.float32), "head.bias": np.ones(2, np.float32)}
ENTRY = Entry(record(), {"artifact": BlobRef("c" * 64, 12_000, ".safetensors")})


class TestArtifact:
    @settings(deadline=None)
    @given(any_artifact())
    def test_comes_back_as_it_was_saved(self, saved: Artifact) -> None:
        read = artifact_from_bytes(artifact_to_bytes(saved))
        np.testing.assert_array_equal(read.head.weights, saved.head.weights, strict=True)
        np.testing.assert_array_equal(read.head.bias, saved.head.bias, strict=True)
        assert (read.adapter is None) == (saved.adapter is None)
        assert (read.adapter or {}).keys() == (saved.adapter or {}).keys()
        for name, tensor in (saved.adapter or {}).items():
            np.testing.assert_array_equal((read.adapter or {})[name], tensor, strict=True)

    @settings(deadline=None)
    @given(any_artifact())
    def test_gives_the_same_bytes_however_its_tensors_lie_in_memory(self, saved: Artifact) -> None:
        head = LinearHead(np.asfortranarray(saved.head.weights), saved.head.bias[::-1].copy()[::-1])
        tensors = reversed([*(saved.adapter or {}).items()])
        adapter = {name: tensor.astype(np.float32) for name, tensor in tensors}
        assert artifact_to_bytes(Artifact(head, adapter)) == artifact_to_bytes(saved)

    @pytest.mark.parametrize("adapter", [{"a": np.array([1e6], np.float32)}, {"a": np.array([np.nan], np.float32)}])
    def test_with_numbers_that_cannot_be_saved_is_a_failed_training(self, adapter: dict[str, Any]) -> None:
        with pytest.raises(TrainingFailed, match=r"adapter\.a"):
            artifact_to_bytes(Artifact(artifact().head, adapter))

    @pytest.mark.parametrize(
        "tensors",
        [
            {},
            {"head.weights": TENSORS["head.weights"]},
            {**TENSORS, "head.bias": np.ones(3, np.float32)},
            {**TENSORS, "head.bias": np.ones((2, 1), np.float32)},
            {**TENSORS, "head.weights": np.ones(2, np.float32)},
            {**TENSORS, "head.weights": np.ones((2, 0), np.float32)},
            {**TENSORS, "head.weights": np.ones((2, 4), np.float64)},
            {**TENSORS, "head.bias": np.array([1, np.inf], np.float32)},
            {**TENSORS, "stranger": np.ones(1, np.float16)},
            {**TENSORS, "adapter.a": np.ones(1, np.float32)},
            {**TENSORS, "adapter.a": np.array(1, np.float16)},
            {**TENSORS, "adapter.a": np.array([np.nan], np.float16)},
        ],
    )
    def test_with_other_tensors_is_refused(self, tensors: dict[str, Any]) -> None:
        assert artifact_from_bytes(save(TENSORS, {"windrow_format": "1"})).adapter is None
        with pytest.raises(ArtifactInvalid, match="train the classifier again"):
            artifact_from_bytes(save(tensors, {"windrow_format": "1"}))

    def test_without_a_format_is_refused(self) -> None:
        with pytest.raises(ArtifactInvalid, match="no format number"):
            artifact_from_bytes(save(TENSORS))

    @pytest.mark.parametrize("number", ["", "0", "1.0", "-1", "one"])
    def test_of_an_unknown_format_is_refused(self, number: str) -> None:
        with pytest.raises(ArtifactInvalid, match="no format number"):
            artifact_from_bytes(save(TENSORS, {"windrow_format": number}))

    def test_of_a_newer_format_asks_for_an_upgrade(self) -> None:
        with pytest.raises(ArtifactInvalid, match=r"format 2, of a newer Windrow.*Upgrade Windrow\.$"):
            artifact_from_bytes(save(TENSORS, {"windrow_format": "2"}))

    def test_that_is_cut_off_anywhere_is_refused(self) -> None:
        whole = artifact_to_bytes(artifact())
        for length in range(len(whole)):
            with pytest.raises(ArtifactInvalid):
                artifact_from_bytes(whole[:length])


class TestRows:
    @settings(deadline=None)
    @given(any_rows)
    def test_come_back_as_they_were_saved(self, rows: tuple[Row, ...]) -> None:
        assert rows_from_blob(rows_to_blob(rows)) == rows

    def test_give_the_same_bytes_at_any_time(self) -> None:
        assert rows_to_blob(ROW_EXAMPLES)[4:8] == bytes(4)

    def test_unpack_to_no_more_than_is_allowed(self) -> None:
        size_bytes = len(rows_as_jsonl(ROW_EXAMPLES))
        assert rows_from_blob(rows_to_blob(ROW_EXAMPLES), size_bytes) == ROW_EXAMPLES
        with pytest.raises(ArtifactInvalid, match="unpacks to more than"):
            rows_from_blob(rows_to_blob(ROW_EXAMPLES), size_bytes - 1)

    @pytest.mark.parametrize(
        "blob",
        [
            b"",
            b"no gzip",
            rows_to_blob(ROW_EXAMPLES)[:-1],
            rows_to_blob(ROW_EXAMPLES) + b"\0",
            rows_to_blob(ROW_EXAMPLES) * 2,
            gzip.compress(b'{"label":"a","text":"b"}'),
            gzip.compress(b'{"label":"a"}\n'),
            gzip.compress(b'{"label":"a","text":"b","more":1}\n'),
            gzip.compress(b'{"label":"a","text":1}\n'),
            gzip.compress(b"\n"),
            gzip.compress(b"\xff\n"),
        ],
    )
    def test_that_are_damaged_are_refused(self, blob: bytes) -> None:
        with pytest.raises(ArtifactInvalid, match="train the classifier again"):
            rows_from_blob(blob)


class TestRevision:
    @settings(deadline=None)
    @given(any_entry)
    def test_comes_back_as_it_was_saved(self, entry: Entry) -> None:
        assert revision_from_json(revision_to_json(entry)) == entry

    @settings(deadline=None)
    @given(any_time.map(Tombstone))
    def test_of_a_deletion_comes_back_as_it_was_saved(self, tombstone: Tombstone) -> None:
        assert revision_from_json(revision_to_json(tombstone)) == tombstone

    def test_is_json_that_a_person_can_read(self) -> None:
        text = revision_to_json(ENTRY).decode()
        assert text.startswith(f'{{\n  "format": {FORMAT},\n  "kind": "trained",\n  "record": {{\n')
        assert '"created_at": "2025-09-15T10:30:00Z"' in text
        assert text.endswith("}\n")

    def test_that_breaks_the_rules_is_not_even_written(self) -> None:
        with pytest.raises(ArtifactInvalid):
            revision_to_json(Entry(record(revision=0), {}))

    @pytest.mark.parametrize("number", [2, 10**9])
    def test_of_a_newer_format_asks_for_an_upgrade(self, number: int) -> None:
        with pytest.raises(ArtifactInvalid, match=r"Upgrade Windrow\.$") as caught:
            revision_from_json(json.dumps({"format": number, "kind": "promoted"}).encode())
        assert caught.value.facts == {"format": number, "newest_known_format": FORMAT}

    @pytest.mark.parametrize(
        "change",
        [
            {"format": None},
            {"format": "1"},
            {"format": True},
            {"format": 0},
            {"kind": "renamed"},
            {"kind": []},
            {"kind": "deleted"},
            {"more": 1},
            {"record": {}},
            {"record.revision": 0},
            {"record.labels": []},
            {"record.labels": ["bug", "billing"]},
            {"record.labels": ["bug", "bug"]},
            {"record.rows_per_label": {"billing": 2}},
            {"record.rows_per_label": {"billing": 2, "bug": "2"}},
            {"record.training_time_s": "fast"},
            {"blobs": {"artifact": {"sha256": "../" * 8, "size_bytes": 1, "suffix": ".safetensors"}}},
            {"blobs": {"artifact": {"sha256": "c" * 64, "size_bytes": 1, "suffix": "/../../x"}}},
            {"blobs": {"artifact": {"sha256": "c" * 64, "size_bytes": 1.5, "suffix": ".safetensors"}}},
        ],
    )
    def test_with_something_amiss_is_refused(self, change: dict[str, Any]) -> None:
        plain = json.loads(revision_to_json(ENTRY))
        for path, value in change.items():
            *outer, field = path.split(".")
            (plain[outer[0]] if outer else plain)[field] = value
        with pytest.raises(ArtifactInvalid, match="train the classifier again"):
            revision_from_json(json.dumps(plain).encode())

    def test_that_is_cut_off_anywhere_is_refused(self) -> None:
        whole = revision_to_json(ENTRY).rstrip()
        for length in range(len(whole)):
            with pytest.raises(ArtifactInvalid):
                revision_from_json(whole[:length])
