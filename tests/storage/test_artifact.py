"""Tensors and rows on the disk: they come back the same, and what is damaged, foreign or newer is refused."""

import gzip
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from safetensors.numpy import save

from tests.storage.examples import ROW_EXAMPLES, artifact
from tests.storage.strategies import any_artifact, any_multi_label_rows, any_rows
from windrow.domain.characters import MOST_TEXT_CHARS
from windrow.domain.dataset import MAX_LABEL_CHARS, Row, rows_as_jsonl
from windrow.domain.errors import InvalidArtifact, TrainingFailed
from windrow.domain.multi_label import MAX_LABELS_PER_ROW, MultiLabelRow, multi_label_rows_as_jsonl
from windrow.learning.head import LinearHead
from windrow.learning.scope import MAX_QUANTILES, Scope
from windrow.storage.artifact import (
    FORMAT,
    MAX_ROW_BYTES,
    Artifact,
    artifact_from_bytes,
    artifact_to_bytes,
    check_artifact_format,
    each_row,
    rows_from_blob,
    rows_to_blob,
)

TENSORS: dict[str, Any] = {"head.weights": np.ones((2, 4), np.float32), "head.bias": np.ones(2, np.float32)}
SCOPE: dict[str, Any] = {
    "scope.centers": np.eye(2, 3, dtype=np.float16),
    "scope.likeness": np.array([0.125, 0.625], np.float32),
}


class TestArtifact:
    @settings(deadline=None)
    @given(any_artifact())
    def test_comes_back_as_it_was_saved(self, saved: Artifact) -> None:
        read = artifact_from_bytes(artifact_to_bytes(saved))
        np.testing.assert_array_equal(read.head.weights, saved.head.weights, strict=True)
        np.testing.assert_array_equal(read.head.bias, saved.head.bias, strict=True)
        assert (read.scope is None) == (saved.scope is None)
        if read.scope is not None and saved.scope is not None:
            np.testing.assert_array_equal(read.scope.centroids, saved.scope.centroids, strict=True)
            assert (read.scope.similarities, read.scope.deviation) == (saved.scope.similarities, saved.scope.deviation)
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
        scope = saved.scope and replace(saved.scope, centroids=np.asfortranarray(saved.scope.centroids))
        assert artifact_to_bytes(Artifact(head, adapter, scope)) == artifact_to_bytes(saved)

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
            {**TENSORS, "head.bias": np.array([1, 3e38], np.float32)},
            {**TENSORS, "stranger": np.ones(1, np.float16)},
            {**TENSORS, "adapter.a": np.ones(1, np.float32)},
            {**TENSORS, "adapter.a": np.array(1, np.float16)},
            {**TENSORS, "adapter.a": np.array([np.nan], np.float16)},
        ],
    )
    def test_with_other_tensors_is_refused(self, tensors: dict[str, Any]) -> None:
        assert artifact_from_bytes(save(TENSORS, {"windrow_format": "1"})).adapter is None
        with pytest.raises(InvalidArtifact, match="train the classifier again"):
            artifact_from_bytes(save(tensors, {"windrow_format": "1"}))

    @pytest.mark.parametrize("likeness", [np.nan, np.inf])
    def test_with_a_scope_that_cannot_be_saved_is_a_failed_training(self, likeness: float) -> None:
        with pytest.raises(TrainingFailed, match=r"scope\.likeness"):
            artifact_to_bytes(replace(artifact(), scope=Scope(SCOPE["scope.centers"], (0.5, likeness), 0.1)))

    @pytest.mark.parametrize("likeness", [[-1.0, 1.0], [0.5, 0.5], [0.5] * MAX_QUANTILES])
    def test_with_the_widest_scope_and_any_ascending_steps_is_sound(self, likeness: list[float]) -> None:
        steps = np.array(likeness, np.float32)
        tensors = {**TENSORS, "scope.centers": np.ones((2, 4), np.float16), "scope.likeness": steps}
        scope = artifact_from_bytes(save(tensors, {"windrow_format": "1"})).scope
        assert scope is not None
        assert scope.centroids.shape == (2, 4)
        assert scope.similarities == tuple(steps.tolist())

    def test_with_one_centroid_more_for_rows_without_labels_is_sound(self) -> None:
        tensors = {**TENSORS, **SCOPE, "scope.centers": np.eye(3, dtype=np.float16)}
        scope = artifact_from_bytes(save(tensors, {"windrow_format": "1"})).scope
        assert scope is not None
        assert scope.centroids.shape == (3, 3)

    @pytest.mark.parametrize(
        ("changes", "problem"),
        [
            ({"scope.centers": None}, "has half of a scope"),
            ({"scope.likeness": None}, "has half of a scope"),
            ({"scope.centers": np.ones((2, 3), np.float32)}, "of type F32"),
            ({"scope.likeness": np.ones(2, np.float16)}, "of type F16"),
            ({"scope.centers": np.array([[np.nan] * 3] * 2, np.float16)}, "scope.centers"),
            ({"scope.likeness": np.array([np.inf, 1], np.float32)}, "scope.likeness"),
            ({"scope.centers": np.ones((2, 0), np.float16)}, "scope.centers"),
            ({"scope.centers": np.ones(2, np.float16)}, "has a scope of shapes"),
            ({"scope.centers": np.ones((4, 3), np.float16)}, "has a scope of shapes"),
            ({"scope.centers": np.ones((1, 3), np.float16)}, "has a scope of shapes"),
            ({"scope.centers": np.ones((2, 5), np.float16)}, "has a scope of shapes"),
            ({"scope.likeness": np.ones(1, np.float32)}, "has a scope of shapes"),
            ({"scope.likeness": np.ones(MAX_QUANTILES + 1, np.float32)}, "has a scope of shapes"),
            ({"scope.likeness": np.ones((2, 1), np.float32)}, "has a scope of shapes"),
            ({"scope.centers": np.full((2, 3), 1.02, np.float16)}, "numbers that cannot be"),
            ({"scope.centers": np.full((2, 3), -1.02, np.float16)}, "numbers that cannot be"),
            ({"scope.likeness": np.array([0.5, 0], np.float32)}, "numbers that cannot be"),
            ({"scope.likeness": np.array([0.5, 1.02], np.float32)}, "numbers that cannot be"),
            ({"scope.likeness": np.array([-1.02, 0.5], np.float32)}, "numbers that cannot be"),
            ({"scope.width": np.ones(2, np.float32)}, "unknown name"),
        ],
    )
    def test_with_a_scope_that_is_none_is_refused(self, changes: dict[str, Any], problem: str) -> None:
        assert artifact_from_bytes(save({**TENSORS, **SCOPE}, {"windrow_format": "1"})).scope is not None
        tensors = {name: tensor for name, tensor in {**TENSORS, **SCOPE, **changes}.items() if tensor is not None}
        with pytest.raises(InvalidArtifact, match=f"{problem}.*train the classifier again"):
            artifact_from_bytes(save(tensors, {"windrow_format": "1"}))

    def test_without_a_format_is_refused(self) -> None:
        with pytest.raises(InvalidArtifact, match="no format number"):
            artifact_from_bytes(save(TENSORS))

    @pytest.mark.parametrize("number", ["", "0", "1.0", "-1", "one"])
    def test_of_an_unknown_format_is_refused(self, number: str) -> None:
        with pytest.raises(InvalidArtifact, match="no format number"):
            artifact_from_bytes(save(TENSORS, {"windrow_format": number}))

    def test_of_a_newer_format_asks_for_an_upgrade(self) -> None:
        with pytest.raises(InvalidArtifact, match=r"format 2, of a newer Windrow.*Upgrade Windrow\.$"):
            artifact_from_bytes(save(TENSORS, {"windrow_format": "2"}))

    def test_that_is_cut_off_anywhere_is_refused(self) -> None:
        whole = artifact_to_bytes(artifact())
        for length in range(len(whole)):
            with pytest.raises(InvalidArtifact):
                artifact_from_bytes(whole[:length])


class TestRows:
    @settings(deadline=None)
    @given(any_rows)
    def test_come_back_as_they_were_saved(self, rows: tuple[Row, ...]) -> None:
        assert rows_from_blob(rows_to_blob(rows_as_jsonl(rows))) == rows

    @settings(deadline=None)
    @given(any_multi_label_rows)
    def test_with_any_number_of_labels_come_back_as_they_were_saved(self, rows: tuple[MultiLabelRow, ...]) -> None:
        assert rows_from_blob(rows_to_blob(multi_label_rows_as_jsonl(rows))) == rows

    def test_with_any_number_of_labels_come_back_with_their_labels_sorted(self) -> None:
        saved = rows_to_blob(multi_label_rows_as_jsonl((MultiLabelRow("t", ("b", "a")),)))
        assert rows_from_blob(saved) == (MultiLabelRow("t", ("a", "b")),)

    def test_give_the_same_bytes_at_any_time(self) -> None:
        assert rows_to_blob(rows_as_jsonl(ROW_EXAMPLES))[4:8] == bytes(4)

    def test_unpack_to_no_more_than_is_allowed(self) -> None:
        size_bytes = len(rows_as_jsonl(ROW_EXAMPLES))
        assert rows_from_blob(rows_to_blob(rows_as_jsonl(ROW_EXAMPLES)), size_bytes) == ROW_EXAMPLES
        with pytest.raises(InvalidArtifact, match="unpacks to more than"):
            rows_from_blob(rows_to_blob(rows_as_jsonl(ROW_EXAMPLES)), size_bytes - 1)

    @pytest.mark.parametrize(
        "blob",
        [
            b"",
            b"no gzip",
            rows_to_blob(rows_as_jsonl(ROW_EXAMPLES))[:-1],
            rows_to_blob(rows_as_jsonl(ROW_EXAMPLES)) + b"\0",
            rows_to_blob(rows_as_jsonl(ROW_EXAMPLES)) * 2,
            gzip.compress(b'{"label":"a","text":"b"}'),
            gzip.compress(b'{"label":"a","text":"b"}\n\n'),
            gzip.compress(b'{"text":"b","label":"a"}\n'),
            gzip.compress(b'{"label": "a", "text": "b"}\n'),
            gzip.compress(b'{"label":"a","text":"\\u00e9"}\n'),
            gzip.compress(b'{"label":"a","text":"b"}\r\n'),
            gzip.compress(b'{"label":"a"}\n'),
            gzip.compress(b'{"label":"a","text":"b","more":1}\n'),
            gzip.compress(b'{"label":"a","text":1}\n'),
            gzip.compress(b'{"labels":["b","a"],"text":"b"}\n'),
            gzip.compress(b'{"labels":["a","a"],"text":"b"}\n'),
            gzip.compress(b'{"labels":["a", "b"],"text":"b"}\n'),
            gzip.compress(b'{"labels":["a",],"text":"b"}\n'),
            gzip.compress(b'{"labels":[["a"]],"text":"b"}\n'),
            gzip.compress(b'{"labels":"a","text":"b"}\n'),
            gzip.compress(b'{"labels":[1],"text":"b"}\n'),
            gzip.compress(b'{"label":"a","labels":["a"],"text":"b"}\n'),
            gzip.compress(b'{"label":"a","text":"b"}\n{"labels":["a"],"text":"b"}\n'),
            gzip.compress(b'{"labels":["a"],"text":"b"}\n{"label":"a","text":"b"}\n'),
            gzip.compress(b"\n"),
            gzip.compress(b"\xff\n"),
        ],
    )
    def test_that_are_damaged_are_refused(self, blob: bytes) -> None:
        with pytest.raises(InvalidArtifact, match="train the classifier again"):
            rows_from_blob(blob)

    def test_with_a_line_longer_than_any_row_are_refused_before_they_are_unpacked_whole(self) -> None:
        ends = (f"{number:016b}".translate({48: 1, 49: 2}) for number in range(MAX_LABELS_PER_ROW))
        labels = tuple("\x01" * (MAX_LABEL_CHARS - 16) + end for end in ends)
        longest = multi_label_rows_as_jsonl((MultiLabelRow("\x01" * MOST_TEXT_CHARS, labels),))
        assert len(longest) == MAX_ROW_BYTES
        assert len(rows_from_blob(gzip.compress(longest))) == 1
        with pytest.raises(InvalidArtifact, match=f"a row of more than {MAX_ROW_BYTES} bytes"):
            rows_from_blob(gzip.compress(longest[:-3] + b"x" * 2**18))

    def test_are_read_one_by_one_up_to_the_first_that_is_damaged(self) -> None:
        text = rows_as_jsonl(ROW_EXAMPLES[:2]) + b"damaged\n"
        rows = each_row(gzip.compress(text))
        assert [next(rows), next(rows)] == [*ROW_EXAMPLES[:2]]
        with pytest.raises(InvalidArtifact):
            next(rows)


class TestFormat:
    def test_of_today_is_known(self) -> None:
        check_artifact_format(FORMAT)

    @pytest.mark.parametrize("number", [FORMAT + 1, 10**9])
    def test_that_is_newer_asks_for_an_upgrade(self, number: int) -> None:
        with pytest.raises(InvalidArtifact, match=r"Upgrade Windrow\.$") as caught:
            check_artifact_format(number)
        assert caught.value.facts == {"format": number, "newest_known_format": FORMAT}

    @pytest.mark.parametrize("number", [None, 0, -1, 1.0, "1", True, [1]])
    def test_that_is_none_is_refused(self, number: object) -> None:
        with pytest.raises(InvalidArtifact, match="no format number"):
            check_artifact_format(number)
