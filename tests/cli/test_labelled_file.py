"""Rows and texts of a file, with the lines where they begin."""

from pathlib import Path

import pytest

from tests.files.workbooks import fault, workbook
from windrow.cli.labelled_file import read_labelled, read_texts
from windrow.cli.surface import CliWords
from windrow.domain.dataset import Row
from windrow.domain.errors import InvalidFile
from windrow.domain.multi_label import MultiLabelRow
from windrow.domain.read_options import LabelledReadOptions


def test_rows_are_read_with_their_lines(rows_file: Path) -> None:
    read = read_labelled(rows_file, LabelledReadOptions())
    assert read.rows[0] == Row("I want my money back", "refund")
    assert (read.name, read.lines) == (str(rows_file), (2, 3, 4, 5))


def test_texts_are_read_with_their_lines_whatever_stands_beside_them(rows_file: Path) -> None:
    read = read_texts(rows_file, LabelledReadOptions())
    assert read.rows[0] == "I want my money back"
    assert read.lines == (2, 3, 4, 5)


def test_rows_with_any_number_of_labels_are_read_with_their_lines(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("text,labels\ncharged twice,billing;urgent\nthank you,\n")
    read = read_labelled(file, LabelledReadOptions(label_separator=";"))
    assert read.rows == (MultiLabelRow("charged twice", ("billing", "urgent")), MultiLabelRow("thank you", ()))
    assert read.lines == (2, 3)


def test_rows_that_are_wrong_are_left_out_and_told_by_line_and_id(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "rows.csv"
    file.write_text(f"id,text,label\nT-1,charged twice,billing\nT-2,,billing\nT-3,hello, \nT-4,{'x' * 20_001},bug\n")
    read = read_labelled(file, LabelledReadOptions(skip_bad_rows=True))
    assert read.rows == (Row("charged twice", "billing"),)
    told = capsys.readouterr().err.splitlines()
    assert told[0] == f"Left out of {file}: 3 rows that are wrong."
    assert told[1] == "  line 3 (T-2): the text is blank. Fill it in or remove that row."
    assert told[2] == "  line 4 (T-3): the label is blank. Fill it in or remove that row."
    assert told[3].startswith("  line 5 (T-4): the text has 20001 characters; at most 20000 are taken here.")
    (warning,) = read.warnings
    assert warning.message == " ".join(line.strip().replace("line", "Line", 1) for line in told)


def test_of_many_wrong_rows_ten_are_told_by_place_and_the_rest_by_count(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text('{"text": "a", "label": "b"}\n' + "{broken\n" * 150)
    assert read_labelled(file, LabelledReadOptions(skip_bad_rows=True)).lines == (1,)
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 12
    assert (told[0], told[-1]) == (f"Left out of {file}: 150 rows that are wrong.", "  and 140 more.")


def test_without_the_option_the_first_wrong_row_refuses_the_file_and_says_how_many_more_there_are(
    tmp_path: Path,
) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("text,label\n,a\nb,\nc,\n")
    words = CliWords()
    with pytest.raises(InvalidFile) as refused:
        read_labelled(file, LabelledReadOptions(), words=words)
    assert refused.value.told(words) == (
        f"{file}, line 2: the text is blank. Fill it in or remove that row. 2 more rows are wrong; add "
        "--skip-bad-rows to leave such rows out."
    )
    assert refused.value.facts["num_bad_rows"] == 3
    file.write_text("text,label\na,\nb,c\n")
    with pytest.raises(InvalidFile, match=r"the label is blank\..* Pass skip_bad_rows=True to leave such rows out\."):
        read_labelled(file, LabelledReadOptions())


def test_wrong_rows_of_a_workbook_are_told_as_excel_counts_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "mails.xlsx"
    file.write_bytes(
        workbook([["id", "text", "label"], ["T-1", "a", "b"], ["T-2", "c", fault("#N/A")], ["T-3", "", "b"]])
    )
    read = read_labelled(file, LabelledReadOptions(skip_bad_rows=True))
    assert read.lines == (2,)
    assert capsys.readouterr().err.splitlines() == [
        f"Left out of {file}: 2 rows that are wrong.",
        "  row 3 (T-2): the label is #N/A, which Excel shows where a formula has no value. Correct that cell.",
        "  row 4 (T-3): the text is blank. Fill it in or remove that row.",
    ]
