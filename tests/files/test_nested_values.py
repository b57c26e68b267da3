"""Values inside the objects of JSON, by their paths."""

import json
from pathlib import Path

import pytest

from windrow.domain.errors import InvalidFile
from windrow.domain.read_options import ReadOptions
from windrow.files.nested_values import NestedRow, asked_paths
from windrow.files.reading import open_table, read_rows

ROWS = [
    {"id": 7, "fields": {"text": "I was charged twice", "subject": "Money"}, "meta": {"topics": [{"name": "billing"}]}},
    {"id": 8, "fields": {"text": "The app crashes", "subject": ""}, "meta": {"topics": [{"name": "technical"}]}},
]
NESTED = ReadOptions(text_column=("fields.text",), label_column="meta.topics.0.name")


def saved(folder: Path, rows: list[object], name: str = "rows.jsonl") -> Path:
    path = folder / name
    path.write_text("\n".join(map(json.dumps, rows)) if name.endswith("l") else json.dumps(rows))
    return path


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.json"])
def test_texts_and_labels_are_found_inside_of_objects(tmp_path: Path, name: str) -> None:
    rows = list(read_rows(saved(tmp_path, [*ROWS], name), NESTED, labelled=True))
    assert [(row.text, row.label, row.id) for row in rows] == [
        ("I was charged twice", "billing", "7"),
        ("The app crashes", "technical", "8"),
    ]
    assert [dict(row.values) for row in rows] == ROWS


def test_several_inner_texts_are_joined(tmp_path: Path) -> None:
    options = ReadOptions(text_column=("fields.subject,fields.text",))
    rows = list(read_rows(saved(tmp_path, [*ROWS]), options))
    assert [row.text for row in rows] == ["Money\n\nI was charged twice", "The app crashes"]


def test_a_path_that_leads_nowhere_is_refused_with_the_columns(tmp_path: Path) -> None:
    with pytest.raises(InvalidFile, match=r"no column 'fields\.body'\. Its columns are 'id', 'fields', 'meta'"):
        list(read_rows(saved(tmp_path, [*ROWS]), ReadOptions(text_column=("fields.body",))))


def test_a_row_without_the_inner_value_is_named(tmp_path: Path) -> None:
    rows: list[object] = [*ROWS, {"id": 9, "fields": {}}]
    with pytest.raises(InvalidFile, match=r"line 3 \(9\): the text is missing: there is no 'fields\.text'"):
        list(read_rows(saved(tmp_path, rows), NESTED, labelled=True))


def test_a_key_with_a_dot_in_it_comes_before_a_path(tmp_path: Path) -> None:
    row = {"fields.text": "whole", "fields": {"text": "inner"}}
    with open_table(saved(tmp_path, [row]), ReadOptions(text_column=("fields.text",))) as table:
        assert [record.text for record in table.records()] == ["whole"]


def test_rows_can_be_asked_for_paths_and_show_their_own_keys() -> None:
    row = NestedRow({"a": {"b": [1, {"c": 2}]}, "d.e": {"f": 3}})
    assert (row["a.b.1.c"], row["d.e.f"], row.get("a.x", 0), "a.b.0" in row) == (2, 3, 0, True)
    assert list(row) == ["a", "d.e"]
    with pytest.raises(KeyError):
        row["a.b.2"]


def test_only_options_with_an_inner_dot_are_paths() -> None:
    options = ReadOptions(text_column=("a.b,c", ".d"), label_column="e.f", indicator_columns=("g.h",))
    assert asked_paths(options) == ("a.b,c", "a.b", "e.f", "g.h")
