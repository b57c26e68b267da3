"""The columns of a table: labels that are placed by what cells look like, where there is no header."""

from pathlib import Path

import pytest

from windrow.domain.dataset import Row
from windrow.domain.errors import InvalidFile
from windrow.domain.read_options import ReadOptions
from windrow.domain.words import render
from windrow.files.labelled_files import read_labelled_file
from windrow.files.reading import open_table

LAST = "I was charged twice,billing\nThe app crashes,technical\nMy invoice is wrong,billing\nIt hangs,technical\n"
FIRST = "".join(f"{line.split(',')[1]},{line.split(',')[0]}\n" for line in LAST.splitlines())
WITHOUT_HEADER = ReadOptions(header=False)


def saved(folder: Path, content: str) -> Path:
    path = folder / "rows.csv"
    path.write_text(content)
    return path


@pytest.mark.parametrize(("content", "side"), [(LAST, "last"), (FIRST, "first")])
def test_without_a_header_the_labels_are_placed_and_told(content: str, side: str, tmp_path: Path) -> None:
    file = read_labelled_file(saved(tmp_path, content), WITHOUT_HEADER)
    labels = [each.row.label for each in file.examples if isinstance(each.row, Row)]
    assert labels == ["billing", "technical", "billing", "technical"]
    [note] = file.notes
    assert f"the {side} one, is taken for the label: in 4 rows it has 2 different values" in render(
        note.template, note.facts
    )


def test_where_cells_do_not_tell_it_is_asked(tmp_path: Path) -> None:
    with pytest.raises(InvalidFile, match="it is not clear which column holds the text"):
        read_labelled_file(saved(tmp_path, "ab,cd\nef,gh\n"), WITHOUT_HEADER)


def test_nothing_is_placed_that_nobody_has_asked_for(tmp_path: Path) -> None:
    with pytest.raises(InvalidFile, match="names no column that is known"):
        read_labelled_file(saved(tmp_path, LAST), ReadOptions())
    named = ReadOptions(header=False, text_column=("2",), label_column="1")
    with open_table(saved(tmp_path, LAST), named, labelled=True) as table:
        assert (next(table.records()).label, table.notes) == ("I was charged twice", ())


def test_where_labels_are_not_read_nothing_is_placed(tmp_path: Path) -> None:
    with open_table(saved(tmp_path, LAST), ReadOptions(header=False, text_column=("1",))) as table:
        assert table.notes == ()
