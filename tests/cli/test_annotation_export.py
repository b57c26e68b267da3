"""Files for people who label: what is in them, and that none is overwritten or half done."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from windrow.cli.annotation_export import check_out, write_suggestions
from windrow.cli.labelled_file import read_labelled
from windrow.domain.errors import InvalidFile, InvalidParameter
from windrow.domain.multi_label import MultiLabelRow
from windrow.domain.read_options import LabelledReadOptions, ReadOptions
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


def with_labels(*sets: tuple[str, ...]) -> Suggestions:
    """Return suggestions of a multi-label classifier that would give these sets of labels."""
    [one] = FOUND.suggestions
    return replace(
        FOUND, suggestions=tuple(replace(one, text=f"text {place}", labels=each) for place, each in enumerate(sets))
    )


@pytest.mark.parametrize(
    ("name", "unlabelled", "guess"),
    [("out.csv", "?", "delivery;payment"), ("out.jsonl", None, ["delivery", "payment"])],
)
def test_texts_that_may_have_any_number_of_labels_have_a_column_of_their_own(
    tmp_path: Path, name: str, unlabelled: object, guess: object
) -> None:
    write_suggestions(with_labels(("delivery", "payment")), tmp_path / name)
    [record] = read_rows(tmp_path / name, ReadOptions(text_column=("text",)))
    assert [*record.values] == ["text", "labels", "guess", "score", "reason", "num_similar"]
    assert [record.values[key] for key in ("text", "labels", "guess")] == ["text 0", unlabelled, guess]


@pytest.mark.parametrize(
    ("name", "cells", "problem"),
    [
        ("out.csv", (",?,", ",billing;urgent,", ",,"), "'labels' holds ?, which stands where nobody has said yet"),
        ("out.jsonl", ('"labels": null', '"labels": ["billing", "urgent"]', '"labels": []'), "no list of labels"),
    ],
)
def test_a_file_is_trained_on_only_when_each_row_has_been_labelled(
    tmp_path: Path, name: str, cells: tuple[str, str, str], problem: str
) -> None:
    unlabelled, labels, none = cells
    out, how = tmp_path / name, LabelledReadOptions(labels_column="labels", label_separator=";")
    write_suggestions(with_labels((), ("billing",), ()), out)
    for words in (labels, none):
        with pytest.raises(InvalidFile, match=re.escape(problem)):
            read_labelled(out, how)
        out.write_text(out.read_text().replace(unlabelled, words, 1))
    with pytest.raises(InvalidFile, match=f"line {4 if name == 'out.csv' else 3}: .*{re.escape(problem)}"):
        read_labelled(out, how)
    out.write_text(out.read_text().replace(unlabelled, none, 1))
    rows = read_labelled(out, how).rows
    assert [row.labels for row in rows if isinstance(row, MultiLabelRow)] == [("billing", "urgent"), (), ()]


@pytest.mark.parametrize(("name", "problem"), [("out.csv", "holds ?"), ("out.jsonl", "the label is null")])
def test_what_nobody_has_labelled_is_no_single_label_either(tmp_path: Path, name: str, problem: str) -> None:
    write_suggestions(with_labels(("billing",)), tmp_path / name)
    with pytest.raises(InvalidFile, match=re.escape(problem)):
        read_labelled(tmp_path / name, LabelledReadOptions())


def test_guesses_that_could_not_be_told_apart_in_csv_are_refused(tmp_path: Path) -> None:
    found = with_labels(("a;b", "c"))
    with pytest.raises(InvalidParameter, match=r"The label 'a;b' holds ';'.*Write jsonl"):
        write_suggestions(found, tmp_path / "out.csv")
    assert list(tmp_path.iterdir()) == []
    write_suggestions(found, tmp_path / "out.jsonl")
    assert json.loads((tmp_path / "out.jsonl").read_text())["guess"] == ["a;b", "c"]


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
