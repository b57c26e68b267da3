"""Files for people who label: what is in them, and that none is overwritten or half done."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from windrow.cli.annotation_export import check_out, write_suggestions
from windrow.domain.errors import InvalidParameter
from windrow.domain.read_options import ReadOptions
from windrow.domain.suggestion import Suggestion, Suggestions
from windrow.files.reading import read_rows

TEXT = 'Do you ship to "Norway",\nand\rhow?'
FOUND = Suggestions("tickets_v2", 3, (Suggestion(4, TEXT, "new", 2, "delivery", 0.61234, "payment", 0.01),), 12)


def test_a_csv_file_has_the_text_and_an_empty_label_and_can_be_read_again(tmp_path: Path) -> None:
    write_suggestions(FOUND, tmp_path / "out.csv")
    [record] = read_rows(tmp_path / "out.csv")
    assert record.text == TEXT
    assert record.values == {
        "text": TEXT,
        "label": "",
        "guess": "delivery",
        "score": "0.6123",
        "reason": "new",
        "num_similar": "2",
    }


def test_a_jsonl_file_has_an_object_a_line(tmp_path: Path) -> None:
    write_suggestions(FOUND, tmp_path / "out.JSONL")
    [line] = (tmp_path / "out.JSONL").read_text().splitlines()
    assert json.loads(line) == {
        "text": TEXT,
        "label": "",
        "guess": "delivery",
        "score": 0.6123,
        "reason": "new",
        "num_similar": 2,
    }


@pytest.mark.parametrize("name", ["out.csv", "out.jsonl"])
def test_texts_that_may_have_any_number_of_labels_have_an_empty_column_of_their_own(tmp_path: Path, name: str) -> None:
    [one] = FOUND.suggestions
    several = replace(FOUND, suggestions=(replace(one, labels=("delivery", "payment")),))
    write_suggestions(several, tmp_path / name)
    [record] = read_rows(tmp_path / name, ReadOptions(text_column=("text",)))
    assert {key: record.values[key] for key in ("text", "labels", "guess")} == {
        "text": TEXT,
        "labels": "",
        "guess": "delivery;payment",
    }
    assert "label" not in record.values


def test_nothing_else_is_left_in_the_folder(tmp_path: Path) -> None:
    write_suggestions(FOUND, tmp_path / "out.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no disk that is always full")
def test_a_full_disk_leaves_nothing_in_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The temporary file is written as ever, and what is written goes nowhere.
    real = Path.open

    def full(path: Path, *arguments: Any, **more: Any) -> Any:
        real(path, *arguments, **more).close()
        return real(Path("/dev/full"), "wb")

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(InvalidParameter, match=r"out\.csv: No space left"):
        write_suggestions(FOUND, tmp_path / "out.csv")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["out", "out.txt", "out.xlsx"])
def test_a_name_that_does_not_say_what_it_holds_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidParameter, match=r"\.csv or \.jsonl"):
        check_out(tmp_path / name)


def test_a_file_that_is_there_is_never_written_over(tmp_path: Path) -> None:
    (tmp_path / "out.csv").write_text("text,label\nWhere is it?,delivery\n")
    with pytest.raises(InvalidParameter, match="perhaps with labels in it"):
        check_out(tmp_path / "out.csv")


def test_a_folder_that_is_not_there_is_a_plain_refusal(tmp_path: Path) -> None:
    with pytest.raises(InvalidParameter, match="No such file or directory"):
        write_suggestions(FOUND, tmp_path / "nowhere" / "out.csv")
