"""Tables in narrow terminals: what gives way, and what never does."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from windrow.cli.output import NO_TERMINAL_CELLS, PIPED_CELLS
from windrow.cli.tables import Column, TextTable, join_truncated, number, print_facts, table_of

ID = "01a2179ef8e2-bc3f16"


def shown_raw(table: TextTable, width: int) -> str:
    file = io.StringIO()
    Console(file=file, width=width, markup=False, highlight=False, emoji=False).print(table, crop=False)
    return file.getvalue()


def shown(table: TextTable, width: int) -> list[str]:
    return [line.rstrip() for line in shown_raw(table, width).splitlines()]


def jobs() -> TextTable:
    return table_of(
        [(ID, "interrupted", "It took more than there was to take.", 1_000)],
        Column("job", lambda row: row[0], no_wrap=True),
        Column("state", lambda row: row[1], no_wrap=True, spare=1),
        Column("why", lambda row: row[2]),
        number("rows", lambda row: f"{row[3]:,}", spare=2),
    )


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
    table = table_of(
        [(ID, "1,000", "")],
        Column("job", lambda row: row[0], no_wrap=True),
        number("rows", lambda row: row[1], spare=2),
        Column("author", lambda row: row[2], no_wrap=True, spare=1),
    )
    assert [line.split() for line in shown(table, 31)[:3:2]] == [["job", "rows"], [ID, "1,000"]]


def test_a_narrow_column_comes_back_where_a_wide_one_had_to_go() -> None:
    table = table_of(
        [(ID, "1", "2025-09-15 10:30:00")],
        Column("job", lambda row: row[0], no_wrap=True),
        number("n", lambda row: row[1], spare=2),
        Column("at", lambda row: row[2], no_wrap=True, spare=1),
    )
    assert [line.split() for line in shown(table, 40)[:3:2]] == [["job", "n"], [ID, "1"]]


def test_words_are_folded_between_words() -> None:
    _, _, *lines = shown(jobs(), 60)
    start = len(ID) + 3 + len("interrupted") + 3
    words = [line[start : start + 16].strip() for line in lines]
    assert words == ["It took more", "than there was", "to take."]


def test_a_cell_that_may_be_cut_takes_one_line() -> None:
    table = table_of(
        [("tickets_v1", "invoice, refund, delivery, warranty, colour")],
        Column("name", lambda row: row[0], no_wrap=True),
        Column("labels", lambda row: row[1], cut=True),
    )
    [_, _, row] = shown(table, 40)
    assert row.startswith("tickets_v1   invoice, refund")
    assert row.endswith("…")
    assert shown(table, 100)[2].endswith("colour")


def test_nothing_that_a_terminal_would_obey_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    text = "Do\nyou \x1b[2Jship?"
    table = table_of([text], Column("text", lambda row: row), Column("lines", lambda row: row, lines=True))
    assert [line.split() for line in shown(table, 80)[2:]] == [
        ["Do", "you", "[2Jship?", "Do"],
        ["you", "[2Jship?"],
    ]
    print_facts(("description", text))
    assert capsys.readouterr().out.split() == ["description", "Do", "you", "[2Jship?"]


@given(st.lists(st.text(), min_size=4, max_size=4), st.sampled_from([20, 80, 100_000]))
def test_no_table_holds_a_control_character(words: list[str], width: int) -> None:
    heading, title, first, second = words
    table = table_of(
        [first],
        Column(heading, lambda row: row, spare=1),
        Column(second, lambda row: row, lines=True),
        Column("whole", lambda row: row, no_wrap=True),
        Column("cut", lambda row: row, cut=True),
        title=title,
    )
    for line in shown_raw(table, width).split("\n"):
        assert line.isprintable()


def test_a_table_without_a_terminal_has_every_column_and_folds_sentences() -> None:
    table = table_of(
        [(ID, "A sentence. " * 30)],
        Column("job", lambda row: row[0], no_wrap=True, spare=1),
        Column("why", lambda row: row[1]),
        Column("name", lambda row: "x" * 90, no_wrap=True, spare=2),
    )
    lines = shown(table, NO_TERMINAL_CELLS)
    assert lines[0].split() == ["job", "why", "name"]
    assert len(lines) > 10
    assert max(map(len, lines)) < 150
    narrow = table_of([ID], Column("job", lambda row: row), Column("why", lambda _: "A sentence. " * 30))
    assert max(map(len, shown(narrow, NO_TERMINAL_CELLS))) <= PIPED_CELLS


def test_a_list_is_cut_at_a_word_and_says_how_long_it_is() -> None:
    assert join_truncated(["invoice", "refund"]) == "invoice, refund"
    assert join_truncated([]) == "-"
    many = join_truncated([f"label {number}" for number in range(30)])
    assert many.startswith("label 0, label 1, ")
    assert many.endswith(", … (30 in all)")
    assert len(many) < 80


def test_facts_stand_a_line_each_with_what_they_are_facts_of_and_none_is_empty(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_facts(("name", "tickets_v1"), ("description", ""), ("rows", "4"))
    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [["name", "tickets_v1"], ["rows", "4"]]
