"""What rows are known by, beside their lines."""

from pathlib import Path

import pytest

from windrow.domain.errors import InvalidFile
from windrow.domain.read_options import ReadOptions
from windrow.files.reading import read_rows
from windrow.files.row_ids import find_id_column, shown_id


@pytest.mark.parametrize("name", ["id", "ID", "_id", "Ticket ID", "ticket_id", "ticketId", "message-id", "uuid"])
def test_a_column_of_ids_is_found_by_its_name(name: str) -> None:
    assert find_id_column(("text", name, "label"), None, ("text", "label")) == name


@pytest.mark.parametrize("name", ["paid", "valid", "Grid", "identity", "text"])
def test_other_columns_are_no_ids(name: str) -> None:
    assert find_id_column((name,), None, ("text",)) is None


def test_of_several_the_plain_one_is_taken() -> None:
    assert find_id_column(("customer_id", "id"), None, ()) == "id"


def test_what_is_no_id_has_none() -> None:
    assert [shown_id(each) for each in ("A-7", 7, 7.5, None, True, [1])] == ["A-7", "7", "7.5", "", "", ""]


def mails(folder: Path) -> Path:
    path = folder / "mails.csv"
    path.write_text("nr;text;label\nT-1;I was charged twice;billing\nT-2;;billing\n")
    return path


def test_a_wrong_row_is_told_by_its_id(tmp_path: Path) -> None:
    with pytest.raises(InvalidFile, match=r"mails\.csv, line 3 \(T-2\): the text is blank") as refused:
        list(read_rows(mails(tmp_path), ReadOptions(id_column="nr"), labelled=True))
    assert refused.value.facts["id"] == "T-2"


def test_rows_carry_their_ids(tmp_path: Path) -> None:
    rows = read_rows(mails(tmp_path), ReadOptions(id_column="NR"), labelled=True)
    assert next(rows).id == "T-1"


def test_a_column_of_ids_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidFile, match=r"there is no column 'ticket'\. Its columns are 'nr', 'text', 'label'"):
        list(read_rows(mails(tmp_path), ReadOptions(id_column="ticket"), labelled=True))
