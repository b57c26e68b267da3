"""Tables in narrow terminals: what gives way, and what never does."""

import io

import pytest
from rich.console import Console

from windrow.cli.output import new_table
from windrow.cli.tables import Listed, briefly

ID = "01a2179ef8e2-bc3f16"


def shown(table: Listed, width: int) -> list[str]:
    file = io.StringIO()
    Console(file=file, width=width, markup=False, highlight=False, emoji=False).print(table, crop=False)
    return [line.rstrip() for line in file.getvalue().splitlines()]


def jobs() -> Listed:
    table = new_table("job", "state", "why", "rows", right=("rows",), whole=("job", "state"), spare=("rows", "state"))
    table.add_row(ID, "interrupted", "It took more than there was to take.", "1,000")
    return table


@pytest.mark.parametrize("width", [200, 80, 60, 50, 40, 20, 5])
def test_an_id_is_never_broken(width: int) -> None:
    assert any(ID in line for line in shown(jobs(), width))


@pytest.mark.parametrize("width", [80, 60, 50, 40])
def test_a_table_fits_while_it_can(width: int) -> None:
    assert max(map(len, shown(jobs(), width))) <= width


def test_what_can_be_spared_is_left_out_in_order_and_told() -> None:
    assert shown(jobs(), 80)[0].split() == ["job", "state", "why", "rows"]
    narrow = shown(jobs(), 50)
    assert narrow[0].split() == ["job", "state", "why"]
    assert narrow[-1] == "(Left out, for want of room: rows.)"
    assert " ".join(shown(jobs(), 40)[-2:]) == "(Left out, for want of room: state, rows.)"


def test_a_column_with_nothing_in_it_goes_first_and_is_not_missed() -> None:
    table = new_table("job", "rows", "by", right=("rows",), whole=("job", "by"), spare=("rows", "by"))
    table.add_row(ID, "1,000", "")
    assert [line.split() for line in shown(table, 31)[:3:2]] == [["job", "rows"], [ID, "1,000"]]


def test_a_narrow_column_comes_back_where_a_wide_one_had_to_go() -> None:
    table = new_table("job", "n", "at", right=("n",), whole=("job", "at"), spare=("n", "at"))
    table.add_row(ID, "1", "2025-09-15 10:30:00")
    assert [line.split() for line in shown(table, 40)[:3:2]] == [["job", "n"], [ID, "1"]]


def test_words_are_folded_between_words() -> None:
    _, _, *lines = shown(jobs(), 60)
    start = len(ID) + 3 + len("interrupted") + 3
    words = [line[start : start + 16].strip() for line in lines]
    assert words == ["It took more", "than there was", "to take."]


def test_a_cell_that_may_be_cut_takes_one_line() -> None:
    table = new_table("name", "labels", whole=("name",), cut=("labels",))
    table.add_row("tickets_v1", "invoice, refund, delivery, warranty, colour")
    [_, _, row] = shown(table, 40)
    assert row.startswith("tickets_v1   invoice, refund")
    assert row.endswith("…")
    assert shown(table, 100)[2].endswith("colour")


def test_a_list_is_cut_at_a_word_and_says_how_long_it_is() -> None:
    assert briefly(["invoice", "refund"]) == "invoice, refund"
    assert briefly([]) == "-"
    many = briefly([f"label {number}" for number in range(30)])
    assert many.startswith("label 0, label 1, ")
    assert many.endswith(", … (30 in all)")
    assert len(many) < 80
