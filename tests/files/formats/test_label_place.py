from typing import Literal

import pytest

from windrow.domain.words import render
from windrow.files.formats.label_place import find_label_place

LABEL_FIRST = [["a", "I was charged twice"], ["b", "The app crashes"], ["a", "Refund me"], ["b", "Error 500"]]
LABEL_LAST = [[text, label] for label, text in LABEL_FIRST]


def place_of(rows: list[list[str]], usual: Literal["first", "last"] | None = None) -> tuple[int, int] | None:
    found = find_label_place(rows, usual)
    return None if found is None else (found.text, found.label)


@pytest.mark.parametrize("usual", [None, "first", "last"])
def test_the_column_with_fewer_and_shorter_values_holds_the_labels(usual: Literal["first", "last"] | None) -> None:
    assert place_of(LABEL_FIRST, usual) == (1, 0)
    assert place_of(LABEL_LAST, usual) == (0, 1)


def test_a_clearly_smaller_number_of_values_decides_against_their_length() -> None:
    long = "a rather long name of a category"
    assert place_of([[long, "hi"], [long, "bye"], [long, "thanks"], [long, "no"]]) == (1, 0)


def test_what_is_not_clear_is_decided_by_the_format_alone() -> None:
    rows = [["a long name of one", "hi"], ["a long name of two", "no"], ["a long name of two", "yes"]]
    assert place_of(rows) is None
    assert place_of(rows, "first") == (1, 0)
    assert place_of(rows, "last") == (0, 1)
    same = [["a", "b"], ["c", "d"]]
    assert place_of(same) is None
    assert place_of(same, "last") == (0, 1)


def test_of_several_columns_the_longest_is_the_text() -> None:
    rows = [["1", "I was charged twice", "a"], ["2", "The app crashes", "b"], ["3", "Refund me, please", "a"]]
    assert place_of(rows) == (1, 2)


def test_rows_of_another_width_do_not_count_and_one_column_has_no_labels() -> None:
    assert place_of([*LABEL_LAST, ["x"], ["y", "z", "w"]]) == (0, 1)
    assert place_of([["a"], ["b"]], "first") is None
    assert place_of([], "first") is None


def test_what_was_decided_is_told_with_the_figures_and_how_to_have_it_otherwise() -> None:
    found = find_label_place(LABEL_LAST)
    assert found is not None
    assert render(found.note.template, found.note.facts) == (
        "no line names the columns. Column 2, the last one, is taken for the label: in 4 rows it has 2 different "
        "values with 1 characters on average, the text 4 with 13. If it is otherwise, add label_column=1 text_column=2."
    )
    unclear = find_label_place([["a", "b"], ["c", "d"]], "first")
    assert unclear is not None
    assert "Column 1, the first one, is taken for the label: as files of this format have it" in render(
        unclear.note.template, unclear.note.facts
    )
