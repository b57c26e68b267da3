from typing import Any

import pytest

from tests.files.formats.reading import opened
from windrow.domain.errors import InvalidFile
from windrow.files.formats.headerless import HeaderlessTable, cells_by_number, find_place, open_headerless
from windrow.files.formats.label_place import LOOKED_AT_ROWS


def table_of(content: str, **options: Any) -> tuple[HeaderlessTable, list[tuple[int, list[str]]]]:
    with opened(content.encode(), **options) as document:
        table = open_headerless(document)
        return table, list(table.rows)


def test_the_first_rows_come_again_among_all_of_them() -> None:
    content = "".join(f"{number},text\n" for number in range(LOOKED_AT_ROWS + 2))
    table, rows = table_of(content)
    assert len(table.first) == LOOKED_AT_ROWS
    assert [line for line, _ in rows] == list(range(1, LOOKED_AT_ROWS + 3))
    assert table.header is None


@pytest.mark.parametrize(
    ("content", "cells"),
    [("a|b,text; more\n", ["a|b", "text; more"]), ("a;text\n", ["a", "text"]), ("a\ttext\n", ["a", "text"])],
)
def test_a_comma_is_the_delimiter_where_there_is_one(content: str, cells: list[str]) -> None:
    assert table_of(content)[1] == [(1, cells)]


def test_a_line_that_names_the_columns_is_no_row() -> None:
    table, rows = table_of("text,label\nsome text,a\n")
    assert (rows, table.first) == ([(2, ["some text", "a"])], [["some text", "a"]])
    assert table.header is not None and table.header.values == {"1": "text", "2": "label"}
    assert table_of("label,some text\n")[1] == [(1, ["label", "some text"])]
    assert table_of("text,label\n", header=False)[1] == [(1, ["text", "label"])]
    assert table_of("")[1] == []


def test_options_name_columns_by_their_numbers() -> None:
    rows = [["1", "a", "some text"], ["2", "b", "other text"]]
    with opened(b"x", label_column="2", text_column=("3",)) as document:
        assert find_place(document, rows, "last") == (2, 1, [])
    with opened(b"x", label_column="3") as document:
        assert find_place(document, rows, "last") == (0, 2, [])
    with opened(b"x", text_column=("label",)) as document, pytest.raises(InvalidFile, match="called 1 to 3"):
        find_place(document, rows, "last")


def test_a_table_that_says_nothing_has_its_label_where_the_format_has_it() -> None:
    with opened(b"x") as document:
        assert find_place(document, [], "first") == (1, 0, [])
        assert find_place(document, [["a"]], "last") == (0, 1, [])
    assert cells_by_number(["a", "b"]) == {"1": "a", "2": "b"}
