"""Texts with spaCy's ``cats``: scores that exclude each other or not, ties, and what is no score."""

import pytest

from tests.files.formats.checks import left_out, reader_of, refused
from tests.files.formats.reading import sniff_all, told

rows_of = reader_of("spacy")


def row(text: str, **cats: object) -> dict[str, object]:
    return {"text": text, "cats": cats}


@pytest.mark.parametrize(
    ("cats", "labels"),
    [
        ({"A": 1.0, "B": 0.0}, ("A",)),
        ({"A": 0.4, "B": 0.35, "C": 0.25}, ("A",)),
        ({"A": 0.333, "B": 0.334, "C": 0.333}, ("B",)),
        ({"A": 0.5, "B": 0.4, "C": 0.05}, ("A",)),
        ({"A": 0.9, "B": 0.6, "C": 0.1}, ("A", "B")),
        ({"A": 0.4, "B": 0.3}, ()),
        ({"A": True, "B": True}, ("A", "B")),
        ({"A": 1}, ("A",)),
    ],
)
def test_a_category_is_a_label_from_one_half_on_or_as_the_highest(cats: dict[str, object], labels: object) -> None:
    assert told(rows_of([row("a", **cats)])) == [("a", labels)]


def test_options_say_whether_categories_exclude_each_other() -> None:
    rows = [row("a", A=0.9, B=0.6), row("b", A=0.2, B=0.1), row("c", A=0, B=0)]
    assert told(rows_of(rows, label_column="cats")) == [("a", ("A",)), ("b", ("A",))]
    assert told(rows_of(rows, labels_column="cats")) == [("a", ("A", "B")), ("b", ()), ("c", ())]
    assert told(rows_of([row("a", A=0.5, B=0.5)], labels_column="cats")) == [("a", ("A", "B"))]
    message, parameter = refused(rows_of, rows, label_column="topic")
    assert "they are in 'cats'" in message
    assert parameter == "label_column"


def test_a_tie_of_categories_that_exclude_each_other_is_left_out() -> None:
    assert left_out(rows_of([row("a", A=0.5, B=0.5)])) == [
        ("a", "its highest categories have the same score, 'A', 'B'.", False)
    ]


def test_what_has_no_scores_is_not_taken_for_spacys() -> None:
    assert "spacy" not in sniff_all(b'{"text": "a", "cats": ["A"]}\n')
    assert "spacy" not in sniff_all(b'{"text": "a", "cats": {"A": "yes"}}\n')
    assert "spacy" not in sniff_all(b'{"text": "a", "cats": {}}\n')


@pytest.mark.parametrize(
    "value",
    [
        {"cats": {"A": 1}},
        {"text": None, "cats": {"A": 1}},
        {"text": "a", "cats": ["A"]},
        {"text": "a", "cats": {"A": "1"}},
        {"text": "a", "cats": {"A": 1.5}},
        {"text": "a", "cats": {"A": -1}},
        {"text": "a", "cats": {"A": None}},
        {"text": "a", "cats": {"": "x"}},
        {"text": "a", "cats": {" ": 1}},
        ["a", {"cats": "A"}],
        ["a", "A"],
        [7, {"cats": {"A": 1}}],
    ],
)
def test_a_broken_row_is_left_out_as_wrong_and_the_rest_is_read(value: object) -> None:
    rows = rows_of([value, row("b", B=1)])
    assert told(rows) == [("b", ("B",))]
    assert [is_wrong for _, _, is_wrong in left_out(rows)] == [True]
