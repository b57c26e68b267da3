"""Parquet and Arrow: names of classes, splits, columns, and what is refused."""

import json
import sys
from pathlib import Path
from random import Random
from typing import Any

import pyarrow
import pytest

from tests.files.formats.hugging_face_samples import ONE, SAVED, SEVERAL, arrow, parquet, table
from tests.files.formats.packing import written, zipped
from tests.files.formats.reading import read_format, read_whole, told
from tests.files.formats.telling import left_out, refusal
from windrow.domain.errors import InvalidFile, InvalidParameter


def test_a_saved_dataset_is_read_from_its_folder(tmp_path: Path) -> None:
    assert told(read_format("hugging_face", written(tmp_path, SAVED))) == told(
        read_format("hugging_face", zipped(SAVED))
    )


@pytest.mark.parametrize(
    ("path", "split"),
    [
        ("train-00000-of-00001.parquet", "train"),
        ("data/validation-00000-of-00001.parquet", "validation"),
        ("en/test/0000.parquet", "test"),
        ("my_dev.parquet", "validation"),
        ("test/train.parquet", "train"),
        ("latest.parquet", None),
        ("training_data_test.parquet", "train"),
        ("contest/rows.parquet", None),
    ],
)
def test_the_split_stands_in_the_name_of_the_file_or_else_of_a_folder(path: str, split: str | None) -> None:
    [row] = told(read_format("hugging_face", zipped({path: parquet(table(["a"], [1], ONE))})))
    assert row == (("a", ("positive",)) if split is None else ("a", ("positive",), split))


@pytest.mark.parametrize(
    "feature",
    [
        {"names": ["a", "b"], "num_classes": 2, "id": None, "_type": "ClassLabel"},
        {"feature": {"names": ["a", "b"], "_type": "ClassLabel"}, "length": -1, "_type": "Sequence"},
        {"feature": {"names": ["a", "b"], "_type": "ClassLabel"}, "_type": "List"},
        [{"names": ["a", "b"], "_type": "ClassLabel"}],
    ],
)
def test_names_of_classes_are_found_in_each_of_their_forms(feature: Any) -> None:
    is_list = not (isinstance(feature, dict) and feature["_type"] == "ClassLabel")
    content = parquet(table(["x"], [[1, 0]] if is_list else [1], feature))
    assert told(read_format("hugging_face", content)) == [("x", ("b", "a") if is_list else ("b",))]


def test_numbers_without_names_are_labels_themselves() -> None:
    assert told(read_format("hugging_face", parquet(table(["a", "b"], [3, None])))) == [("a", ("3",)), ("b", None)]


def test_a_class_that_is_none_is_left_out_with_the_reason() -> None:
    for number in (2, -2):
        assert left_out("hugging_face", parquet(table(["a"], [number], ONE))) == [
            (1, f"'label' is {number}, but there are 2 classes. Correct or remove that row.", True)
        ]
    rows = left_out("hugging_face", parquet(table(["a", "b"], [[0, 3], [-1]], SEVERAL)))
    assert rows[0][1].startswith("'label' is [0, 3], but there are 3 classes.")
    assert rows[1][1].startswith("a label is null")


@pytest.mark.parametrize(
    "described",
    [
        b"\xff",
        b"{",
        b"[]",
        b"3",
        b'{"info": []}',
        b'{"info": {"features": [3]}}',
        b'{"info": {"features": {"label": 3}}}',
    ],
)
def test_a_description_of_another_form_says_nothing(described: bytes) -> None:
    made = table(["a"], [1]).replace_schema_metadata({b"huggingface": described})
    assert told(read_format("hugging_face", parquet(made))) == [("a", ("1",))]


def test_the_column_of_classes_is_the_label_whatever_its_name() -> None:
    features = {"stars": ONE, "sentence": {"_type": "Value"}}
    made = pyarrow.table({"sentence": ["a"], "stars": [0]}).replace_schema_metadata(
        {"huggingface": json.dumps({"info": {"features": features}})}
    )
    assert told(read_format("hugging_face", parquet(made))) == [("a", ("negative",))]
    both = made.append_column("fine", pyarrow.array([1]))
    both = both.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": {**features, "fine": ONE}}})})
    assert "several columns hold classes, fine, stars. Name one with label_column." in refusal(
        "hugging_face", parquet(both)
    )
    assert told(read_format("hugging_face", parquet(both), label_column="fine")) == [("a", ("positive",))]


def test_options_name_columns() -> None:
    made = pyarrow.table({"a": ["x"], "b": ["y"], "toxic": [1], "rude": [0], "tags": ["p;q"]})
    content = parquet(made)
    assert "text_column" in refusal("hugging_face", content)
    assert told(read_format("hugging_face", content, text_column=("a", "b"))) == [("x\n\ny", None)]
    assert told(read_format("hugging_face", content, text_column=("a",), indicator_columns=("toxic", "rude"))) == [
        ("x", ("toxic",))
    ]
    options: dict[str, Any] = {"text_column": ("a",), "labels_column": "tags", "label_separator": ";"}
    reading, rows = read_whole("hugging_face", content, **options)
    assert (told(rows), reading.kind) == ([("x", ("p", "q"))], "multi_label")
    assert "there is no column 'zzz'" in refusal("hugging_face", content, text_column=("zzz",))


def test_a_text_of_another_type_is_left_out() -> None:
    rows = left_out("hugging_face", parquet(table([1, None], ["a", "b"])))
    assert [why.partition(".")[0] for _, why, _ in rows] == ["the text is a number", "the text is missing"]


def test_rows_have_running_numbers_and_plain_values() -> None:
    made = table(["a", "b"], [0, 1], ONE, raw=[b"\x01", b"\x02"])
    rows = read_format("hugging_face", zipped({"1.parquet": parquet(made), "2.parquet": parquet(made)}))
    assert [row.place for row in rows] == [1, 2, 3, 4]
    assert rows[1].values == {"text": "b", "label": "positive", "raw": "02"}


def test_files_of_several_kinds_and_columns_called_alike_are_refused() -> None:
    other = parquet(pyarrow.table({"body": ["a"]}))
    why = refusal("hugging_face", zipped({"1.parquet": parquet(table(["a"], ["x"])), "2.parquet": other}))
    assert "2.parquet has no column 'text', which other files have." in why
    twice = pyarrow.Table.from_arrays([pyarrow.array(["a"])] * 2, names=["text", "text"])
    assert "two columns are called 'text'." in refusal("hugging_face", parquet(twice))
    assert "there is no Parquet or Arrow file in it." in refusal("hugging_face", zipped({"a.txt": "x"}))


@pytest.mark.parametrize("whole", [parquet(table(["a"] * 99, ["x"] * 99)), arrow(table(["a"] * 99, ["x"] * 99))])
def test_a_damaged_file_is_refused_in_words(whole: bytes) -> None:
    for damaged in (whole[:-7], whole[: len(whole) // 2], whole[:9], whole[:4] + b"\x7f" * 40 + whole[44:]):
        why = refusal("hugging_face", damaged, "rows.arrow")
        assert "no whole file of Parquet or Arrow" in why
        assert "in 1.arrow: it is no whole file" in refusal("hugging_face", zipped({"1.arrow": damaged}))


@pytest.mark.parametrize(
    "whole",
    [
        parquet(table(["a", "b"] * 50, [[0, 1], [2]] * 50, SEVERAL)),
        arrow(table(["a", "b"] * 50, [0, 1] * 50, ONE)),
        arrow(table(["a", "b"] * 50, ["x", "y"] * 50), pyarrow.ipc.new_file),
    ],
)
def test_bytes_that_are_changed_anywhere_lead_nowhere_else_in_memory(whole: bytes) -> None:
    chance = Random(0)
    refusals: list[str] = []
    for _ in range(400):
        damaged = bytearray(whole)
        for _ in range(chance.choice((1, 2, 4, 8))):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        try:
            read_format("hugging_face", bytes(damaged), "rows.arrow")
        except InvalidFile as error:
            refusals.append(str(error))
    assert len(refusals) > 100
    assert all(words.endswith(".") for words in refusals)


def test_without_pyarrow_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    content = parquet(table(["a"], ["x"]))
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(InvalidParameter, match=r"windrow\[parquet\]"):
        read_format("hugging_face", content)


def test_whole_numbers_that_were_written_as_fractions_are_labels_and_a_gap_is_none() -> None:
    rows = pyarrow.table({"text": ["a", "b", "c"], "label": [1.0, 0.0, None]})
    assert told(read_format("hugging_face", parquet(rows))) == [("a", ("1",)), ("b", ("0",)), ("c", None)]
    gaps = pyarrow.table({"text": ["a", "b"], "label": [1.0, float("nan")]})
    assert told(read_format("hugging_face", parquet(gaps))) == [("a", ("1",)), ("b", None)]
