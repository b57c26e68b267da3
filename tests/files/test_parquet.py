"""Parquet files: read in shards, columns keep their types, and what holds no text is refused."""

import datetime
import io
import sys
from decimal import Decimal
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.files.answered import NONE_FITS, SEVERAL, SEVERAL_UNSURE
from windrow.domain.errors import InvalidFile, InvalidParameter
from windrow.domain.prediction import Prediction
from windrow.domain.read_options import DETECT_ALL, ReadOptions
from windrow.files import parquet
from windrow.files.parquet import ParquetWriter, plan_parquet, read_parquet_shard, with_values
from windrow.files.sharding import FilePlan, ShardOptions
from windrow.files.writing import Note, PredictionColumns

TABLE = pa.table(
    {
        "id": pa.array([1, 2, 3, 4, 5], pa.int32()),
        "text": pa.array(["a", "b\n", "c", "d", "é"]).dictionary_encode(),
        "at": pa.array([datetime.datetime(2026, 1, 2, 3)] * 5, pa.timestamp("ms")),
        "price": pa.array([Decimal("1.50")] * 5),
        "tags": pa.array([["x"], [], None, ["y", "z"], ["x"]]),
    }
)
ANSWER = Prediction(
    label="one", scores={"one": 0.75, "two": 0.25}, model_name="m", revision=1, truncated=False, in_scope=None
)


def stored(table: "pa.Table", **options: Any) -> io.BytesIO:
    file = io.BytesIO()
    pq.write_table(table, file, **options)
    file.seek(0)
    return file


def planned(file: io.BytesIO, shard_rows: int, read: ReadOptions = DETECT_ALL) -> FilePlan:
    return plan_parquet(file, "a.parquet", ShardOptions(read=read, shard_rows=shard_rows), lambda _: None)


@given(st.integers(0, 30), st.integers(1, 7), st.integers(1, 9), st.integers(1, 5))
def test_the_rows_of_all_shards_are_those_of_the_file(rows: int, shard_rows: int, group: int, batch: int) -> None:
    table = pa.table({"text": [f"t{n}" for n in range(rows)], "n": list(range(rows))}) if rows else TABLE.slice(0, 0)
    file = stored(table, row_group_size=group)
    options = ShardOptions(read=ReadOptions(), shard_rows=shard_rows)
    plan = planned(file, shard_rows)
    assert plan.rows == rows
    parts, records = [], []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parquet, "_BATCH_ROWS", batch)
        for shard in plan.shards:
            _, part, own = read_parquet_shard(file, plan, shard, "a.parquet", options)
            parts.append(part)
            records += list(own)
    assert pa.concat_tables(parts) == table
    assert [(record.text, record.line) for record in records] == [(f"t{n}", n + 1) for n in range(rows)]


def test_columns_keep_their_types_and_gain_those_of_predictions() -> None:
    file = stored(TABLE)
    plan = planned(file, 3)
    options = ShardOptions(read=ReadOptions(), shard_rows=3)
    source, table, records = read_parquet_shard(file, plan, plan.shards[1], "a.parquet", options)
    written = io.BytesIO()
    columns = PredictionColumns("new_", all_scores=True, with_note=True)
    writer = ParquetWriter(written, columns, source, table, plan.names)
    writer.write(list(records), [ANSWER, Note("blank")])
    writer.end()
    found = pq.read_table(written)
    assert found.select(TABLE.schema.names) == TABLE.slice(3)
    assert found.schema.field("new_score").type == pa.float64()
    assert found.select(columns.names).to_pylist() == [
        {
            "new_predicted_label": "one",
            "new_score": 0.75,
            "new_in_scope": None,
            "new_abstained": False,
            "new_truncated": False,
            "new_scores": [("one", 0.75), ("two", 0.25)],
            "new_note": None,
        },
        {**dict.fromkeys(columns.names), "new_note": "blank"},
    ]


def test_any_number_of_labels_is_a_list_of_strings() -> None:
    file = stored(TABLE)
    plan = planned(file, 3)
    options = ShardOptions(read=ReadOptions(), shard_rows=3)
    source, table, records = read_parquet_shard(file, plan, plan.shards[0], "a.parquet", options)
    written = io.BytesIO()
    writer = ParquetWriter(written, PredictionColumns(kind="multi_label"), source, table, plan.names)
    writer.write(list(records), [SEVERAL, NONE_FITS, SEVERAL_UNSURE])
    writer.end()
    found = pq.read_table(written)
    assert found.schema.field("predicted_labels").type == pa.list_(pa.string())
    assert found.column("predicted_labels").to_pylist() == [["billing", "account"], [], None]


def test_values_are_told_as_json_has_them() -> None:
    table = TABLE.slice(0, 1).append_column("raw", pa.array([b"\x01"])).append_column("nan", pa.array([float("nan")]))
    file = stored(table)
    plan = planned(file, 3)
    options = ShardOptions(read=ReadOptions(), shard_rows=3)
    _, part, records = read_parquet_shard(file, plan, plan.shards[0], "a.parquet", options)
    [record] = with_values(part, records)
    assert record.values == {
        "id": 1,
        "text": "a",
        "at": "2026-01-02T03:00:00",
        "price": "1.50",
        "tags": ["x"],
        "raw": "01",
        "nan": None,
    }


@pytest.mark.parametrize("column", ["id", "tags"])
def test_a_column_that_is_no_text_is_refused_with_what_it_is(column: str) -> None:
    with pytest.raises(InvalidFile, match=rf"the column '{column}' holds (int32|list<.*>), no text"):
        planned(stored(TABLE), 3, ReadOptions(text_column=(column,)))


def test_two_columns_of_one_name_are_refused() -> None:
    table = pa.Table.from_arrays([pa.array(["a"]), pa.array(["b"])], ["text", "text"])
    with pytest.raises(InvalidFile, match="two columns are called 'text'"):
        planned(stored(table), 3)


def test_a_blank_text_is_refused_with_its_row_or_kept() -> None:
    file = stored(pa.table({"text": ["a", None, "c"]}))
    plan = planned(file, 3)
    strict, patient = (ShardOptions(read=ReadOptions(), shard_rows=3, keep_blank=keep) for keep in (False, True))
    with pytest.raises(InvalidFile, match=r"a.parquet, line 2: the text is blank"):
        list(read_parquet_shard(file, plan, plan.shards[0], "a.parquet", strict)[2])
    records = list(read_parquet_shard(file, plan, plan.shards[0], "a.parquet", patient)[2])
    assert [record.text for record in records] == ["a", "", "c"]


def test_a_damaged_file_is_refused_and_so_is_another_one_than_planned() -> None:
    with pytest.raises(InvalidFile, match=r"a.parquet: it is no whole Parquet file"):
        planned(io.BytesIO(b"PAR1 and nothing more"), 3)
    plan = planned(stored(TABLE), 3)
    options = ShardOptions(read=ReadOptions(), shard_rows=3)
    for other in (TABLE.slice(0, 4), TABLE.rename_columns(["a", "b", "c", "d", "e"])):
        with pytest.raises(InvalidFile, match="it has other rows"):
            list(read_parquet_shard(stored(other), plan, plan.shards[1], "a.parquet", options)[2])


def test_bytes_that_are_changed_anywhere_are_refused_in_words_or_read() -> None:
    whole, chance = stored(TABLE).getvalue(), Random(0)
    options = ShardOptions(read=ReadOptions(), shard_rows=10)
    num_refused = 0
    for _ in range(400):
        damaged = bytearray(whole)
        for _ in range(chance.choice((1, 2, 4, 8))):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        file = io.BytesIO(damaged)
        try:
            plan = planned(file, 10)
            for shard in plan.shards:
                _, table, records = read_parquet_shard(file, plan, shard, "a.parquet", options)
                list(with_values(table, records))
        except InvalidFile:
            num_refused += 1
    assert num_refused > 100


def test_without_pyarrow_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(InvalidParameter, match=r'pip install "windrow\[parquet\]"'):
        planned(stored(TABLE), 3)
