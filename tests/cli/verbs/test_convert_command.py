"""Files of any tool as JSON Lines or CSV."""

import json
from pathlib import Path

import pytest

from tests.cli.asking import Run
from tests.cli.test_fitted_file import TRAIN, csv_of, tasks_of


def test_the_examples_of_a_tool_become_json_lines(ask: Run, tmp_path: Path) -> None:
    ended = ask("convert", tasks_of(tmp_path))
    rows = [json.loads(line) for line in ended.out.splitlines()]
    assert rows == [{"text": text, "label": label, "id": str(place)} for place, (text, label) in enumerate(TRAIN, 1)]
    assert "Left out of" in ended.err
    assert "row 5 (5): its annotations were cancelled" in ended.err


def test_a_table_is_written_with_the_parts_of_the_data_and_is_read_as_what_it_was(ask: Run, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    ended = ask("convert", csv_of(tmp_path), "--split-column", "part", "-o", out, "--json")
    assert json.loads(ended.out) == {"format": "csv", "rows": 6, "left_out": 0, "unlabelled": 0, "out": str(out)}
    assert out.read_text().splitlines()[:2] == ["text,label,split", "I was charged twice,billing,train"]
    again = ask("convert", out, "--split-column", "split", "--to", "csv")
    assert again.out == out.read_text()


def test_any_number_of_labels_goes_there_and_back(ask: Run, tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    rows = [{"text": "a", "labels": ["x", "y"]}, {"text": "b", "labels": []}]
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    table = ask("convert", file, "--to", "csv").out
    assert table.splitlines() == ["text,labels", "a,x;y", "b,"]
    (tmp_path / "rows.csv").write_text(table)
    back = ask("convert", tmp_path / "rows.csv", "--label-separator", ";").out
    assert [json.loads(line) for line in back.splitlines()] == rows


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--to", "xml"], "--to is xml; it must be jsonl or csv."),
        (["--to", "csv", "-o", "ROWS"], "exists. Name another file with -o, or replace it with --overwrite."),
        (["-o", "-", "--json"], "both write to standard output"),
    ],
)
def test_what_cannot_be_written_is_refused(ask: Run, tmp_path: Path, options: list[str], words: str) -> None:
    file = csv_of(tmp_path)
    ended = ask("convert", file, *(str(file) if word == "ROWS" else word for word in options))
    assert ended.code == 2
    assert words in ended.err


def test_a_folder_of_a_tool_is_inspected_and_converted_as_its_zip_file_is(ask: Run, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    assets = {
        "projectKind": "CustomSingleLabelClassification",
        "classes": [{"category": "billing"}, {"category": "technical"}],
        "documents": [
            {"location": f"{place}.txt", "dataset": "Test" if place == 1 else "Train", "class": {"category": label}}
            for place, (_, label) in enumerate(TRAIN, 1)
        ],
    }
    kind = {"projectKind": "CustomSingleLabelClassification"}
    project = {"projectFileVersion": "2022-05-01", "stringIndexType": "Utf16CodeUnit", "metadata": kind}
    (folder / "project.json").write_text(json.dumps({**project, "assets": assets}))
    for place, (text, _) in enumerate(TRAIN, 1):
        (folder / f"{place}.txt").write_text(text)
    found = json.loads(ask("inspect", folder, "--json").out)
    assert (found["format"], found["rows_per_split"]) == ("azure", {"test": 1, "train": 3})
    rows = [json.loads(line) for line in ask("convert", folder).out.splitlines()]
    assert [(row["text"], row["label"]) for row in rows] == TRAIN


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_the_texts_alone_are_written_of_rows_without_labels_too(ask: Run, tmp_path: Path, form: str) -> None:
    file = tmp_path / "chats.jsonl"
    chats = [[{"role": "user", "content": text}, {"role": "assistant", "content": label}] for text, label in TRAIN]
    chats[1] = chats[1][:1]
    file.write_text("".join(f"{json.dumps({'messages': chat})}\n" for chat in chats))
    out = tmp_path / f"texts.{form}"
    ended = ask("convert", file, "--texts-only", "-o", out, "--json")
    assert ended.document["rows"] == len(TRAIN)
    lines = out.read_text().splitlines()
    texts = [json.loads(line)["text"] for line in lines] if form == "jsonl" else lines[1:]
    assert texts == [text for text, _ in TRAIN]
    assert "billing" not in out.read_text()


def test_rows_without_a_text_are_left_out_of_the_texts_where_that_is_wanted(ask: Run, tmp_path: Path) -> None:
    file = tmp_path / "mails.csv"
    file.write_text("id,text,answer\n7,money back,reject\n8,,accept\n")
    assert "Add --skip-bad-rows" in ask("convert", file, "--texts-only").err
    ended = ask("convert", file, "--texts-only", "--skip-bad-rows")
    assert [json.loads(line) for line in ended.out.splitlines()] == [{"text": "money back", "id": "7"}]
    assert f"Left out of {file}: 1 row that is wrong." in ended.err
