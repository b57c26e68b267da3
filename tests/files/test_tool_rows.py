"""Files of labelling tools, read as tables: examples with labels, or texts to be classified, and what is left out."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.files.formats.label_studio_samples import annotated, task
from tests.files.formats.openai_samples import CHAT, chat, jsonl
from tests.files.formats.packing import zipped
from windrow.domain.errors import InvalidFile
from windrow.domain.read_options import ReadOptions
from windrow.files.reading import Record, open_table

TASKS = [
    task(1, "a", annotated("A")),
    task(2, "b", annotated("A", was_cancelled=True)),
    task(3, "c"),
    task(4, "d", annotated("B")),
]


def written(folder: Path, name: str, content: str) -> Path:
    file = folder / name
    file.write_text(content)
    return file


def records(file: Path, *, labelled: bool, **options: Any) -> list[Record]:
    with open_table(file, ReadOptions(**options), labelled=labelled) as table:
        return list(table.records())


def test_a_training_reads_the_examples_and_notes_what_is_left_out(tmp_path: Path) -> None:
    file = written(tmp_path, "export.json", json.dumps(TASKS))
    with open_table(file, labelled=True) as table:
        rows = list(table.records())
    assert [(row.text, row.label, row.id) for row in rows] == [("a", "A", "1"), ("d", "B", "4")]
    assert table.tool is not None
    assert [row.id for row in table.tool.left_out.rows] == ["2"]
    assert table.tool.left_out.num_unlabelled == 1


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("rows.csv", "text,label\na,A\nb,B\n"),
        ("in/rows.jsonl", '{"text": "a", "label": "A"}\n{"text": "b", "label": "B"}\n'),
        ("export.json", json.dumps([task(1, "a", annotated("A")), task(2, "b", annotated("B"))])),
    ],
)
def test_the_only_file_in_a_zip_file_is_read_as_it_is(tmp_path: Path, name: str, content: str) -> None:
    file = tmp_path / "rows.zip"
    file.write_bytes(zipped({name: content}))
    assert [(row.text, row.label) for row in records(file, labelled=True)] == [("a", "A"), ("b", "B")]
    assert [row.text for row in records(file, labelled=False)] == ["a", "b"]


def test_a_wrong_row_in_a_zip_file_is_told_with_the_file_that_it_is_in(tmp_path: Path) -> None:
    file = tmp_path / "rows.zip"
    file.write_bytes(zipped({"rows.csv": "text,label\na,A\nb,\n"}))
    with pytest.raises(InvalidFile, match=r"rows\.zip: rows\.csv, line 3: "):
        records(file, labelled=True)


@pytest.mark.parametrize("asked", [None, "csv"])
def test_the_only_file_of_a_folder_is_read_as_that_file(tmp_path: Path, asked: str | None) -> None:
    written(tmp_path, "rows.csv", "text,label\na,A\nb,B\n")
    assert [(row.text, row.label) for row in records(tmp_path, labelled=True, format=asked)] == [("a", "A"), ("b", "B")]
    written(tmp_path, "more.csv", "text,label\nc,C\n")
    with pytest.raises(InvalidFile):
        records(tmp_path, labelled=True, format=asked)


def test_a_prediction_reads_all_texts_with_the_form_that_they_came_in(tmp_path: Path) -> None:
    file = written(tmp_path, "export.json", json.dumps(TASKS))
    rows = records(file, labelled=False)
    assert [row.text for row in rows] == ["a", "b", "c", "d"]
    assert [row.own for row in rows] == TASKS


def test_rows_have_any_number_of_labels_as_soon_as_one_has_several(tmp_path: Path) -> None:
    file = written(tmp_path, "export.json", json.dumps([*TASKS, task(5, "e", annotated("A", "B"))]))
    assert [(row.text, row.labels) for row in records(file, labelled=True)] == [
        ("a", ("A",)),
        ("d", ("B",)),
        ("e", ("A", "B")),
    ]


def test_a_broken_row_refuses_a_training_with_its_reason(tmp_path: Path) -> None:
    file = written(tmp_path, "export.json", json.dumps([*TASKS, task(5, 7, annotated("A"))]))
    with pytest.raises(InvalidFile, match=r"\(5\): the text is a number"):
        records(file, labelled=True)


def test_a_row_that_cannot_be_classified_is_refused_with_its_own_reason(tmp_path: Path) -> None:
    file = written(tmp_path, "train.jsonl", jsonl(*CHAT))
    with pytest.raises(InvalidFile, match=r"line 5.*holds a part that is no text \(image_url\)"):
        records(file, labelled=False)


def test_texts_are_read_though_their_answers_are_no_labels(tmp_path: Path) -> None:
    answer = "You can change that in your profile, right below your picture."
    file = written(tmp_path, "chat.jsonl", jsonl(chat("a", answer), chat("b", f"{answer} And again.")))
    assert [row.text for row in records(file, labelled=False)] == ["a", "b"]
    with pytest.raises(InvalidFile, match="prose"):
        records(file, labelled=True)
