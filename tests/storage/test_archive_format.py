"""A classifier as one file: it comes back the same, carries no text unasked, and no trick with it gets through."""

import gzip
import io
import json
import re
import tracemalloc
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.fakes.files import MemoryFiles
from tests.storage.archives import (
    BLOBS,
    EXPORTED_AT,
    MAX_BYTES,
    Attack,
    Member,
    attacks,
    deflate,
    document,
    entry,
    export,
    files,
    refer,
    zip_files,
    zip_of,
)
from tests.storage.examples import ROW_EXAMPLES, open_catalog, sealed
from tests.storage.strategies import any_artifact, any_entry, any_multi_label_rows, any_rows
from windrow.domain.data_warnings import find_data_warnings
from windrow.domain.dataset import Dataset, Row
from windrow.domain.errors import InvalidArchive, InvalidArtifact
from windrow.domain.labelled_rows import LabelledDataset
from windrow.domain.multi_label import MultiLabelDataset
from windrow.domain.recipe import BATCH_SIZE_RANGE, NUM_ITERATIONS_RANGE, SEED_RANGE
from windrow.learning.head import LinearHead
from windrow.storage.archive_format import FILE_NAMES, MANIFEST, Unpacked, pack, unpack
from windrow.storage.artifact import (
    ARTIFACT,
    ROWS,
    Artifact,
    artifact_from_bytes,
    artifact_to_bytes,
    rows_from_blob,
    rows_to_blob,
)
from windrow.storage.catalog import NewRevision
from windrow.storage.revision import ClassifierState

FORMAT_PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "format.md"
any_recipe: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "num_iterations": st.integers(*NUM_ITERATIONS_RANGE),
        "batch_size": st.integers(*BATCH_SIZE_RANGE),
        "seed": st.integers(*SEED_RANGE),
        "max_seconds": st.none() | st.floats(1, 86_400),
        "cross_validate": st.booleans(),
    }
)


@cache
def all_attacks() -> Mapping[str, Attack]:
    return attacks()


def read(file: bytes, max_bytes: int = MAX_BYTES) -> Unpacked:
    return unpack(io.BytesIO(file), max_bytes)


any_base_model_id = st.from_regex("[A-Za-z0-9]{1,20}/[A-Za-z0-9]([._-]?[A-Za-z0-9]){0,20}", fullmatch=True)


@st.composite
def any_export(draw: st.DrawFn) -> tuple[ClassifierState, dict[str, bytes]]:
    """Draw a classifier and blobs that fit it."""
    rows: LabelledDataset = Dataset(draw(any_rows))
    if draw(st.booleans()):
        rows = MultiLabelDataset(draw(any_multi_label_rows))
    drawn, tensors = draw(any_entry), draw(any_artifact())
    counts = Counter(rows.rows_per_label)
    labels = tuple(sorted({*drawn.record.labels, *counts}))
    head = LinearHead(np.resize(tensors.head.weights, (len(labels), 3)), np.resize(tensors.head.bias, len(labels)))
    scope = tensors.scope and replace(tensors.scope, centroids=np.resize(tensors.scope.centroids, (len(labels), 2)))
    blobs = {ARTIFACT: artifact_to_bytes(replace(tensors, head=head, scope=scope))}
    if draw(st.booleans()):
        blobs[ROWS] = rows_to_blob(rows.jsonl)
    record = replace(
        drawn.record,
        labels=labels,
        rows_per_label={label: counts[label] for label in labels},
        num_examples=rows.num_examples,
        kind=rows.kind,
        source="examples",
        label_thresholds=dict.fromkeys(labels, 0.5) if rows.kind == "multi_label" else {},
        label_descriptions={},
        report=replace(drawn.record.report, estimate=None),
        test=None,
        threshold_changes=(),
        base_model=draw(any_base_model_id),
        training_data_sha256=rows.sha256,
        taken_over_rows=draw(st.integers(0, len(rows.rows))),
        origin=drawn.record.origin and replace(drawn.record.origin, name=drawn.record.name),
        **draw(any_recipe),
    )
    return replace(drawn, record=record, blobs=refer(blobs)), blobs


class TestPack:
    @settings(deadline=None)
    @given(any_export())
    def test_any_classifier_comes_back_as_it_was_but_for_keys_and_its_log(
        self, exported: tuple[ClassifierState, dict[str, bytes]]
    ) -> None:
        entry, blobs = exported
        changes = tuple(replace(each, key_name=None) for each in entry.record.threshold_changes)
        record = replace(entry.record, key_name=None, threshold_changes=changes)
        assert read(export(entry, blobs)) == Unpacked(replace(entry, record=record, erased={}), blobs)

    def test_whatever_a_stranger_says_of_keys_none_of_them_acted_here(self) -> None:
        forged = {"entry.record.key_name": "admin", "entry.record.threshold_changes.0.key_name": "admin"}
        assert b'"admin"' in (contents := files(forged))[MANIFEST]
        assert read(zip_files(contents)) == read(export())

    def test_the_same_classifier_gives_the_same_bytes_but_for_the_time(self) -> None:
        later = datetime(2026, 1, 1, tzinfo=UTC)
        files_then = zipfile.ZipFile(io.BytesIO(export()))
        files_later = zipfile.ZipFile(io.BytesIO(b"".join(pack(entry(), BLOBS, later).chunks)))
        assert export() == export()
        changed = sealed(files_then.read(MANIFEST).replace(b"2025-09-20T12:00:00Z", b"2026-01-01T00:00:00Z"))
        assert files_later.read(MANIFEST) == changed != files_then.read(MANIFEST)
        for name in FILE_NAMES.values():
            assert files_later.read(name) == files_then.read(name)

    def test_it_says_its_size_before_it_is_sent(self) -> None:
        assert pack(entry(), BLOBS, EXPORTED_AT).size_bytes == len(export())

    def test_a_person_finds_everything_in_it(self) -> None:
        archive = zipfile.ZipFile(io.BytesIO(export()))
        assert archive.namelist() == ["classifier.json", "artifact.safetensors", "rows.jsonl.gz"]
        manifest = json.loads(archive.read(MANIFEST))
        assert list(manifest) == ["format", "sha256", "kind", "exported_at", "windrow", "entry"]
        assert manifest["entry"]["record"]["name"] == "tickets"

    def test_without_the_rows_it_does_not_speak_of_them(self) -> None:
        unpacked = read(export(entry(), {ARTIFACT: BLOBS[ARTIFACT]}))
        assert unpacked.entry == replace(entry(), blobs=refer({ARTIFACT: BLOBS[ARTIFACT]}))
        assert unpacked.blobs == {ARTIFACT: BLOBS[ARTIFACT]}

    @pytest.mark.parametrize(
        "record",
        [
            replace(entry().record, labels=("a", "b" * 257), rows_per_label={"a": 2, "b" * 257: 2}),
            replace(entry().record, training_data_sha256="unknown"),
            replace(
                entry().record,
                labels=tuple(f"{number:0256}" for number in range(18_000)),
                rows_per_label={f"{number:0256}": 1 for number in range(18_000)},
                num_examples=18_000,
            ),
        ],
        ids=["a long label", "no digest", "a long manifest"],
    )
    def test_what_could_not_be_imported_is_not_exported(self, record: Any) -> None:
        with pytest.raises(InvalidArtifact, match=r"tickets cannot be exported.*Copy its folder"):
            export(replace(entry(), record=record))


def without_rows(rows: Sequence[Row], digest: str) -> bytes:
    """Return an export, without its rows, of what a training writes down about rows, the tensors aside."""
    dataset = Dataset(tuple(rows))
    record = replace(
        entry().record,
        labels=dataset.labels,
        rows_per_label=dataset.rows_per_label,
        num_examples=dataset.num_examples,
        training_data_sha256=digest,
        warnings=find_data_warnings(dataset),
    )
    all_blobs = {ARTIFACT: tensors_for(len(dataset.labels)), ROWS: rows_to_blob(dataset.jsonl)}
    known = replace(entry(), record=record, blobs=refer(all_blobs))
    return export(known, {ARTIFACT: all_blobs[ARTIFACT]})


def tensors_for(labels: int) -> bytes:
    return artifact_to_bytes(Artifact(LinearHead(np.ones((labels, 2), np.float32), np.ones(labels, np.float32))))


def spellings(text: str) -> set[bytes]:
    """Return a text as it may stand in a file."""
    escaped = {text, json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1], repr(text)[1:-1]}
    return {spelling.encode(encoding) for spelling in escaped for encoding in ("utf-8", "utf-16-le")}


class TestTexts:
    """An export without the rows says nothing of their texts but one digest."""

    @settings(deadline=None)
    @given(
        st.lists(st.tuples(st.sampled_from(["bug", "Bug", "billing"]), st.integers(0, 5)), min_size=4, max_size=8),
        st.lists(st.text(min_size=1), min_size=6, max_size=6, unique=True),
    )
    def test_other_texts_give_the_same_file(self, drawn: list[tuple[str, int]], texts: list[str]) -> None:
        assume(len({label for label, _ in drawn}) > 1)
        ours = [Row(texts[number], label) for label, number in drawn]
        others = [Row(f"{number} \U0001f375", label) for label, number in drawn]
        assert without_rows(ours, "0" * 64) == without_rows(others, "0" * 64)

    @settings(deadline=None)
    @given(st.lists(st.text(min_size=4), min_size=2, max_size=8, unique=True))
    def test_no_text_is_in_the_file_in_any_spelling(self, texts: list[str]) -> None:
        rows = [Row(text, ("bug", "billing")[number % 2]) for number, text in enumerate(texts)]
        digest = Dataset(tuple(rows)).sha256
        file = without_rows(rows, digest).replace(digest.encode(), b"")
        unavoidable = without_rows([replace(row, text=str(n)) for n, row in enumerate(rows)], "0" * 64)
        found = {spelling for text in texts for spelling in spellings(text) if spelling in file}
        assert {spelling for spelling in found if spelling not in unavoidable} == set()

    def test_with_the_rows_each_text_is_there(self) -> None:
        rows = gzip.decompress(zipfile.ZipFile(io.BytesIO(export())).read(FILE_NAMES[ROWS]))
        assert all(any(spelling in rows for spelling in spellings(row.text)) for row in ROW_EXAMPLES)


class TestUnpack:
    @pytest.mark.parametrize("name", all_attacks())
    def test_a_trick_is_refused_by_its_name(self, name: str) -> None:
        attack = all_attacks()[name]
        with pytest.raises(InvalidArchive) as caught:
            read(attack.file, attack.max_bytes)
        assert caught.value.facts["problem"] == attack.problem
        caught.value.detail.encode()  # can be sent
        assert len(caught.value.detail) < 500
        assert re.search(r"(Export the classifier again|Give the|Upgrade|Raise)[^.]*\.$", caught.value.detail)

    def test_each_problem_is_described_and_has_a_trick(self) -> None:
        page = FORMAT_PAGE.read_text("utf-8").partition("### What an import refuses\n")[2]
        described = re.findall(r"^\| `([a-z0-9_]+)` \|", page.partition("\n#")[0], re.MULTILINE)
        assert sorted(described) == sorted({attack.problem for attack in all_attacks().values()})

    def test_what_another_tool_packed_again_is_taken(self) -> None:
        again = io.BytesIO()
        with zipfile.ZipFile(again, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in reversed(files().items()):
                archive.writestr(name, content)
        assert unpack(again, MAX_BYTES) == Unpacked(entry(), BLOBS)

    def test_a_person_may_change_what_is_said_of_it_and_put_the_digest_in(self) -> None:
        changed = read(zip_files(files({"entry.record.description": "Another one"})))
        assert changed.entry == replace(entry(), record=replace(entry().record, description="Another one"))

    def test_cut_off_anywhere_it_is_refused(self) -> None:
        whole = export()
        for length in range(len(whole)):
            with pytest.raises(InvalidArchive):
                read(whole[:length])

    @pytest.mark.parametrize("change", [0x01, 0x80, 0xFF])
    def test_with_any_byte_changed_it_is_refused_or_the_same(self, change: int) -> None:
        whole = export()
        for place in range(len(whole)):
            check_refused_or_same(whole[:place] + bytes([whole[place] ^ change]) + whole[place + 1 :])

    @pytest.mark.slow
    @settings(deadline=None, max_examples=300)
    @given(st.data())
    def test_with_a_part_replaced_it_is_refused_or_the_same(self, data: st.DataObject) -> None:
        whole = export()
        start = data.draw(st.integers(0, len(whole)))
        end = data.draw(st.integers(start, min(len(whole), start + 40)))
        check_refused_or_same(whole[:start] + data.draw(st.binary(max_size=40)) + whole[end:])

    @pytest.mark.slow
    @settings(deadline=None, max_examples=300)
    @given(st.data())
    def test_whatever_manifest_is_taken_can_be_saved(self, data: st.DataObject) -> None:
        sound = files()
        plain = json.loads(sound[MANIFEST])
        place, key = data.draw(st.sampled_from(list(places(plain))))
        place[key] = data.draw(any_of_kind.get(type(place[key]), any_json) | any_json)
        try:
            unpacked = read(zip_files({**sound, MANIFEST: document(plain)}))
        except InvalidArchive:
            return
        record = unpacked.entry.record
        catalog = open_catalog(MemoryFiles())
        saved = catalog.publish(NewRevision(record, unpacked.blobs, record.description, record.tags, "imported"))
        assert catalog.current(record.name) == saved
        assert read(export(unpacked.entry, unpacked.blobs)) == unpacked

    @pytest.mark.slow
    @settings(deadline=None, max_examples=300)
    @given(st.sampled_from(list(BLOBS)), st.data())
    def test_a_blob_is_refused_or_sound_whatever_its_bytes(self, role: str, data: st.DataObject) -> None:
        blob = BLOBS[role]
        start = data.draw(st.integers(0, len(blob)))
        end = data.draw(st.integers(start, len(blob)))
        blobs = {**BLOBS, role: blob[:start] + data.draw(st.binary(max_size=40)) + blob[end:]}
        try:
            unpacked = read(zip_files(files(blobs=blobs)))
        except InvalidArchive:
            return
        assert rows_from_blob(unpacked.blobs[ROWS]) == ROW_EXAMPLES
        assert artifact_from_bytes(unpacked.blobs[ARTIFACT]).head.weights.shape == (2, 4)

    def test_a_bomb_takes_little_memory(self) -> None:
        zeros = deflate(bytes(2**26))
        manifest = Member(MANIFEST, files()[MANIFEST])
        for size_bytes in (1_000, MAX_BYTES // 2):
            said = {"size": size_bytes, "crc": 0}
            bomb = zip_of(manifest, Member(FILE_NAMES[ARTIFACT], b"", packed=zeros, both=said))
            assert peak_bytes_of(bomb) < 2 * MAX_BYTES

    @pytest.mark.slow
    def test_a_bomb_of_rows_takes_little_memory(self) -> None:
        rows = gzip.compress(b'{"label":"billing","text":"a"}\n' * 30_000, mtime=0)
        counts: dict[str, object] = {"entry.record.rows_per_label": {"billing": 30_000, "bug": 0}}
        assert peak_bytes_of(zip_files(files(counts, {**BLOBS, ROWS: rows}))) < 2 * MAX_BYTES


def check_refused_or_same(file: bytes) -> None:
    try:
        unpacked = read(file)
    except InvalidArchive:
        return
    assert unpacked == Unpacked(entry(), BLOBS)


def peak_bytes_of(file: bytes) -> int:
    """Return how much memory it takes at most to refuse a file."""
    tracemalloc.start()
    try:
        with pytest.raises(InvalidArchive):
            read(file)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


any_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([2**53, -(2**53), 2**2000, 1e308, -0.0, "", "0" * 64, "\ud800", "0001-01-01T00:00:00Z"])
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


any_of_kind: dict[type, st.SearchStrategy[object]] = {
    int: st.integers(0, 10**6),
    float: st.floats(allow_nan=False, allow_infinity=False),
    str: st.text() | st.sampled_from(["trained", "0" * 64, "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"]),
}


def places(plain: Any) -> Iterator[tuple[Any, Any]]:
    """Yield each place of a JSON value."""
    for key, value in list(plain.items() if isinstance(plain, dict) else enumerate(plain)):
        yield plain, key
        if isinstance(value, dict | list):
            yield from places(value)
