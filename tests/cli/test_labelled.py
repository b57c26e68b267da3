"""Labelled rows, and refusals of one told by its line."""

from pathlib import Path

import pytest

from windrow.cli.labelled import read_labelled
from windrow.cli.reading import Reading
from windrow.domain.dataset import Row
from windrow.domain.errors import InvalidName, InvalidTrainingData


def test_rows_are_read_with_their_lines(rows_file: Path) -> None:
    read = read_labelled(rows_file, Reading())
    assert read.rows[0] == Row("I want my money back", "refund")
    assert read.lines == (2, 3, 4, 5)


def test_an_error_about_a_row_names_its_line(rows_file: Path) -> None:
    read = read_labelled(rows_file, Reading())
    with pytest.raises(InvalidTrainingData, match=r"rows\.csv, line 4: ") as caught, read.located():
        raise InvalidTrainingData("training_data[2].label is long. Shorten it.", {"row": 2})
    assert caught.value.facts["line"] == 4


def test_another_error_stays_as_it_is(rows_file: Path) -> None:
    read = read_labelled(rows_file, Reading())
    with pytest.raises(InvalidName, match=r"^No name"), read.located():
        raise InvalidName("No name.")
