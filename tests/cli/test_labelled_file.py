"""Rows and texts of a file, with the lines where they begin."""

from pathlib import Path

from windrow.cli.labelled_file import read_labelled, read_texts
from windrow.domain.dataset import Row
from windrow.domain.multi_label import MultiLabelRow
from windrow.domain.read_options import ReadOptions


def test_rows_are_read_with_their_lines(rows_file: Path) -> None:
    read = read_labelled(rows_file, ReadOptions())
    assert read.rows[0] == Row("I want my money back", "refund")
    assert (read.name, read.lines) == (str(rows_file), (2, 3, 4, 5))


def test_texts_are_read_with_their_lines_whatever_stands_beside_them(rows_file: Path) -> None:
    read = read_texts(rows_file, ReadOptions())
    assert read.rows[0] == "I want my money back"
    assert read.lines == (2, 3, 4, 5)


def test_rows_with_any_number_of_labels_are_read_with_their_lines(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("text,labels\ncharged twice,billing;urgent\nthank you,\n")
    read = read_labelled(file, ReadOptions(label_separator=";"))
    assert read.rows == (MultiLabelRow("charged twice", ("billing", "urgent")), MultiLabelRow("thank you", ()))
    assert read.lines == (2, 3)
