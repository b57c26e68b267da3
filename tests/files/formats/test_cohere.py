"""Training data of Cohere's classify: what is recognised, CSV with and without a header, and rows without labels."""

import pytest

from tests.files.formats.checks import left_out, reader_of, refused
from tests.files.formats.reading import sniff_all, told

rows_of = reader_of("cohere")


@pytest.mark.parametrize(
    "content",
    [
        b'{"text": "a", "label": "A"}\n',
        b'{"text": "a", "labels": ["A"]}\n',
        b'{"examples": [{"text": "a", "label": "A"}]}\n',
        b'{"inputs": ["a"], "examples": ["b"]}\n',
        b"text,label\na,A\n",
    ],
)
def test_rows_that_anybody_writes_are_not_taken_for_coheres(content: bytes) -> None:
    assert "cohere" not in sniff_all(content)


def test_an_empty_list_says_that_a_text_has_none_of_the_labels() -> None:
    rows = [{"text": "a", "label": []}, {"text": "b", "label": ["B"]}]
    assert told(rows_of(rows)) == [("a", ()), ("b", ("B",))]
    [(text, why, is_wrong)] = left_out(rows_of(rows, label_column="label"))
    assert (text, is_wrong) == ("a", False)
    assert why.startswith("it has no label")


def test_a_text_without_a_label_is_one_that_nobody_labelled() -> None:
    assert told(rows_of([{"text": "a"}, {"text": "b", "label": None}])) == [("a", None), ("b", None)]


def test_examples_of_a_request_are_numbered() -> None:
    rows = rows_of({"inputs": [], "examples": [{"text": "a", "label": "A"}, {"text": "b"}, "c"]})
    assert [row.place for row in rows] == [1, 2, 3]
    assert told(rows) == [("a", ("A",)), ("b", None)]


def test_a_header_may_name_more_columns_in_another_order() -> None:
    content = 'label,Text,mail\nA,"a, b",x\nB,b,y\n'
    assert told(rows_of(content, "train.csv")) == [("a, b", ("A",)), ("b", ("B",))]
    assert told(rows_of(content, "train.csv", text_column=("mail",))) == [("x", ("A",)), ("y", ("B",))]


def test_a_line_of_csv_with_another_number_of_cells_is_wrong() -> None:
    rows = rows_of("a,A\nb\nc,C,1\nd,\n", "train.csv")
    assert told(rows) == [("a", ("A",))]
    assert [(row.place, is_wrong) for row, (_, _, is_wrong) in zip(rows[1:], left_out(rows), strict=True)] == [
        (2, True),
        (3, True),
        (4, True),
    ]


@pytest.mark.parametrize(
    "row",
    [
        {"label": "A"},
        {"text": 3, "label": "A"},
        {"text": "", "label": "A"},
        {"text": "a", "label": ""},
        {"text": "a", "label": {"name": "A"}},
        {"text": "a", "label": ["A", None]},
        {"text": "a", "label": 0.5},
        ["a", "A"],
    ],
)
def test_a_broken_row_is_left_out_as_wrong_and_the_rest_is_read(row: object) -> None:
    rows = rows_of([row, {"text": "b", "label": "B"}])
    assert told(rows) == [("b", ("B",))]
    assert [is_wrong for _, _, is_wrong in left_out(rows)] == [True]


def test_two_columns_of_one_name_are_refused_since_one_would_hide_the_other() -> None:
    words, _ = refused(rows_of, "text,label,label\na,x,y\n", "rows.csv")
    assert "two columns are called 'label'" in words
