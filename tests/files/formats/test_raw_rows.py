from typing import Any

import pytest

from windrow.domain.words import render
from windrow.files.formats.form import Example, LeftOut
from windrow.files.formats.raw_rows import RawRow, as_list, as_object, as_text


@pytest.mark.parametrize(
    ("labels", "read"),
    [
        (None, None),
        ("A", ("A",)),
        (" A ", ("A",)),
        (3, ("3",)),
        ([], ()),
        (["A", "B", "A"], ("A", "B")),
        ([1, "1"], ("1",)),
    ],
)
def test_labels_are_texts_each_of_them_once(labels: object, read: tuple[str, ...] | None) -> None:
    assert RawRow(7, "text", labels, "test", "id", {"x": 1}).checked() == Example(
        7, "text", read, "test", "id", {"x": 1}
    )


@pytest.mark.parametrize(
    ("text", "labels", "why"),
    [
        (None, "A", "the text is missing. Correct or remove that row."),
        (3, "A", "the text is a number. Correct or remove that row."),
        ([], "A", "the text is a list. Correct or remove that row."),
        (" \n", "A", "the text is blank. Fill it in or remove that row."),
        ("a\ud800", "A", "the text holds half of a surrogate pair, which is no character. Correct or remove that row."),
        ("a", "", "a label is blank. Correct or remove that row."),
        ("a", ["A", None], "a label is null, no text. Correct or remove that row."),
        ("a", True, "a label is true or false, no text. Correct or remove that row."),
        ("a", [["A"]], "a label is a list, no text. Correct or remove that row."),
        ("a", {}, "a label is an object, no text. Correct or remove that row."),
        ("a", "\udc00", "a label holds half of a surrogate pair, which is no character. Correct or remove that row."),
    ],
)
def test_a_broken_row_is_left_out_as_wrong_with_the_reason(text: object, labels: object, why: str) -> None:
    row = RawRow(1, text, labels).checked()
    assert isinstance(row, LeftOut)
    assert (render(row.template, row.facts), row.is_wrong) == (why, True)


def test_what_is_left_out_keeps_its_text_place_and_form() -> None:
    row = RawRow(3, "text", None, "test", "id", {"x": 1})
    assert row.left_out("it is no {kind}.", kind="row") == LeftOut(
        3, "it is no {kind}.", {"kind": "row"}, "id", "text", is_wrong=False, values={"x": 1}
    )
    assert row.wrong("no.").is_wrong


@pytest.mark.parametrize("value", [None, 1.5, True, "x", [1], {"a": 1}, 7])
def test_a_value_of_another_kind_is_as_good_as_none(value: Any) -> None:
    assert as_object(value) == (value if isinstance(value, dict) else {})
    assert as_list(value) == (value if isinstance(value, list) else [])
    assert as_text(value) == {"x": "x", 7: "7"}.get(value if isinstance(value, str | int) else None, "")
