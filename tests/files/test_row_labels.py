"""Rows of files that have any number of labels each, in each way in which people write them."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windrow.domain.errors import InvalidFile, InvalidParameter
from windrow.domain.multi_label import MAX_LABELS_PER_ROW
from windrow.domain.read_options import ReadOptions
from windrow.files.decoding import Source
from windrow.files.reading import read_rows, read_table

WANTED = [("charged twice, now", ("billing", "urgent")), ("my invoice", ("billing",)), ("thank you", ())]
LISTS = [{"text": text, "labels": list(labels)} for text, labels in WANTED]
TAGGED = [{"text": text, "tags": list(labels)} for text, labels in WANTED]
HOT = 'text,billing,urgent\n"charged twice, now",1,1\nmy invoice,1,0\nthank you,0,0\n'


def read(content: str, name: str, **how: Any) -> list[tuple[str, tuple[str, ...] | None]]:
    """Read labelled rows as a training does."""
    table = read_table(Source(name, io.BytesIO(content.encode())), name, ReadOptions(**how), labelled=True)
    return [(row.text, row.labels) for row in table.records()]


@pytest.mark.parametrize(
    ("name", "content", "how"),
    [
        ("a.jsonl", "\n".join(map(json.dumps, LISTS)), {}),
        ("a.json", json.dumps(LISTS), {}),
        ("a.json", json.dumps({"training_data": LISTS}), {}),
        ("a.jsonl", "\n".join(map(json.dumps, TAGGED)), {"labels_column": "tags"}),
        (
            "a.jsonl",
            "\n".join(json.dumps({"text": text, "labels": "|".join(labels)}) for text, labels in WANTED),
            {"label_separator": "|"},
        ),
        (
            "a.csv",
            'text,labels\n"charged twice, now",billing; urgent\nmy invoice, billing;\nthank you,\n',
            {"label_separator": ";"},
        ),
        (
            "a.csv",
            'id,text,tags\n1,"charged twice, now",billing|urgent\n2,my invoice,billing\n3,thank you,\n',
            {"labels_column": "Tags", "label_separator": "|"},
        ),
        (
            "a.csv",
            'id,body,kinds\n1,"charged twice, now",billing|urgent\n2,my invoice,billing\n3,thank you,\n',
            {"label_column": "kinds", "label_separator": "|"},
        ),
        ("a.csv", HOT, {"indicator_columns": ("billing,urgent",)}),
        ("a.csv", HOT, {"indicator_columns": ("billing", "urgent")}),
        ("a.csv", HOT.replace("text,", "said,"), {"indicator_columns": ("Billing,Urgent",)} | {}),
        (
            "a.tsv",
            HOT.replace('"', "").replace(", now", "; now").replace(",", "\t").replace("; now", ", now"),
            {"indicator_columns": ("billing,urgent",)},
        ),
        (
            "a.jsonl",
            "\n".join(
                json.dumps({"text": text, **{each: each in labels for each in ("billing", "urgent")}})
                for text, labels in WANTED
            ),
            {"indicator_columns": ("billing,urgent",)},
        ),
        (
            "a.jsonl",
            "\n".join(
                json.dumps({"text": text, **{each: float(each in labels) for each in ("billing", "urgent")}})
                for text, labels in WANTED
            ),
            {"indicator_columns": ("billing,urgent",)},
        ),
    ],
)
def test_labels_are_read_however_they_are_written(name: str, content: str, how: dict[str, Any]) -> None:
    assert read(content, name, **how) == WANTED


def test_labels_in_a_list_may_be_whole_numbers() -> None:
    assert read('{"text": "a", "labels": [1, "b"]}', "a.jsonl") == [("a", ("1", "b"))]


def test_a_column_of_labels_that_is_named_as_one_of_one_label_has_one() -> None:
    [row] = read_table(
        Source("a.jsonl", io.BytesIO(b'{"text": "a", "labels": ["b"]}')),
        "a.jsonl",
        ReadOptions(label_column="labels"),
        labelled=True,
    ).records()
    assert (row.label, row.labels) == ("b", None)


@pytest.mark.parametrize(
    ("name", "content", "how", "message"),
    [
        (
            "a.csv",
            "text,labels\nx,a;b\n",
            {},
            "line 2: 'labels' may hold several labels here. If it does, add "
            "label_separator=;; if it is one label, add label_column=labels.",
        ),
        (
            "a.csv",
            'text,labels\nw,c\nx,"a, b"\n',
            {},
            "line 3: 'labels' may hold several labels here. If it does, add label_separator=,; if",
        ),
        (
            "a.csv",
            "text,tags\nx,a;b\n",
            {"labels_column": "tags"},
            "line 2: 'tags' holds a text, and it is not said what "
            "stands between two labels in it. Add label_separator=;, or",
        ),
        ("a.csv", HOT, {"indicator_columns": ("billing,rush",)}, "there is no column 'rush'"),
        (
            "a.csv",
            HOT.replace("1,1", "1,2"),
            {"indicator_columns": ("billing,urgent",)},
            "line 2: 'urgent' holds neither 1 nor 0. Correct or remove that row.",
        ),
        (
            "a.csv",
            HOT.replace("1,1", "1,"),
            {"indicator_columns": ("billing,urgent",)},
            "line 2: 'urgent' holds neither 1 nor 0",
        ),
        (
            "a.csv",
            HOT,
            {"indicator_columns": ("billing",), "labels_column": "urgent"},
            "indicator_columns cannot be combined with other options that say where labels are",
        ),
        ("a.csv", HOT, {"label_column": "billing", "labels_column": "urgent"}, "labels_column cannot be combined"),
        ("a.csv", HOT, {"indicator_columns": ("text,urgent",)}, "'text' holds neither 1 nor 0"),
        (
            "a.csv",
            HOT,
            {"text_column": ("text",), "indicator_columns": ("text,urgent",)},
            "the column 'text' cannot hold both the text and the label",
        ),
        (
            "a.csv",
            "text,kinds,n\nx,a,1\n",
            {"label_separator": ";"},
            "it is not clear which column holds the labels. Its "
            "columns are 'text', 'kinds', 'n'; name one with labels_column",
        ),
        (
            "a.jsonl",
            '{"text": "a", "labels": ["b"]}\n{"text": "c"}',
            {},
            "line 2: the label is missing: there is no 'labels', it has 'text'",
        ),
        (
            "a.jsonl",
            '{"text": "a", "labels": ["b"]}\n{"text": "c", "label": "b"}',
            {},
            "line 2: it has 'label', and the first row has 'labels'; all rows have the same form.",
        ),
        (
            "a.jsonl",
            '{"text": "a", "label": "b"}\n{"text": "c", "labels": ["b"]}',
            {},
            "line 2: it has 'labels', and the first row has 'label'; all rows have the same form.",
        ),
        (
            "a.jsonl",
            '{"text": "a", "labels": ["b"]}\n{"text": "c", "labels": null}',
            {},
            "line 2: 'labels' holds no list of labels. Correct or remove that row.",
        ),
        (
            "a.jsonl",
            '{"text": "a", "labels": ["b"]}\n{"text": "c", "labels": "b"}',
            {},
            "line 2: 'labels' holds a text",
        ),
        ("a.jsonl", '{"text": "a", "labels": ["b", " "]}', {}, "line 1: the label is blank"),
        ("a.jsonl", '{"text": "a", "labels": ["b", ["c"]]}', {}, "line 1: the label is a list, no string"),
        ("a.jsonl", '{"text": "a", "labels": ["b", {}, {}]}', {}, "line 1: the label is an object, no string"),
        (
            "a.jsonl",
            '{"text": "a", "labels": ["b", "c", "b"]}',
            {},
            "line 1: 'labels' holds the label 'b' more than once",
        ),
    ],
)
def test_what_is_wrong_or_unclear_is_told_with_the_line_or_the_option(
    name: str, content: str, how: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidFile) as caught:
        read(content, name, **how)
    assert message in caught.value.detail


@pytest.mark.parametrize(
    ("name", "content", "hint"),
    [
        ("a.csv", HOT, " 'billing', 'urgent' hold only 0 and 1, so each may be a label."),
        ("a.csv", "text,spam\na,1\nb,0\n", "'spam' holds only 0 and 1"),
        ("a.csv", "text,tags\na,\nb,x;y\n", "add labels_column=tags and label_separator=;."),
        ("a.csv", 'text,tags\na,"x, y"\nb,y\n', "add labels_column=tags and label_separator=,."),
        ("a.jsonl", '{"text": "a", "tags": ["x", "y"]}', "'tags' holds lists, which may be labels. If they are, add"),
        ("a.jsonl", '{"text": "a", "spam": true}\n{"text": "b"}\nno JSON', "'spam' holds only 0 and 1"),
    ],
)
def test_columns_that_may_hold_labels_are_named_where_none_is_called_so(name: str, content: str, hint: str) -> None:
    with pytest.raises(InvalidFile, match="it is not clear which column holds the label") as caught:
        read(content, name)
    assert hint in caught.value.detail
    assert "name one with label_column. " in caught.value.detail


@pytest.mark.parametrize(
    "content",
    [
        'text,who\na,"Doe, Jane"\nb,"Roe, Richard"\n',
        "text,price\na,1;2\n",
        "text,note\na,it works; but not as fast as before\n",
        "text,n\na,1\nb,2\n",
        "text,empty\na,\n",
    ],
)
def test_other_columns_are_not_taken_for_labels(content: str) -> None:
    with pytest.raises(InvalidFile, match=r"name one with label_column\.$"):
        read(content, "a.csv")


def test_an_empty_separator_is_refused_wherever_a_file_is_opened(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("text,labels\na,b;c\n")
    with pytest.raises(InvalidParameter, match="label_separator is empty"):
        next(read_rows(file, ReadOptions(label_separator=""), labelled=True))


def test_more_labels_than_a_row_may_have_are_refused_before_they_are_compared() -> None:
    many = json.dumps({"text": "a", "labels": [f"b{number}" for number in range(MAX_LABELS_PER_ROW + 1)]})
    with pytest.raises(InvalidFile, match="'labels' holds 1001 labels; a row has at most 1000"):
        read(many, "a.jsonl")


def test_a_column_named_labels_may_have_one_label_of_each_row_as_before(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("text,labels\nx,a\ny,b\n")
    assert [(row.text, row.label, row.labels) for row in read_rows(file, labelled=True)] == [
        ("x", "a", None),
        ("y", "b", None),
    ]


some_text = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zs"], exclude_characters=";"), min_size=1).filter(
    lambda text: any(each.isalnum() for each in text)
)


@given(st.lists(st.tuples(some_text, st.lists(some_text, max_size=3, unique=True).map(tuple)), min_size=1))
def test_any_labels_come_back_from_lists(rows: list[tuple[str, tuple[str, ...]]]) -> None:
    content = "\n".join(json.dumps({"text": text, "labels": labels}) for text, labels in rows)
    assert read(content, "a.jsonl") == rows


@pytest.mark.parametrize(
    ("content", "name"),
    [
        ("text,label\na,0\nb,1\n", "rows.csv"),
        ("text,label\na,0.0\nb,1.0\n", "rows.csv"),
        ('{"text": "a", "label": 0}\n{"text": "b", "label": 1.0}\n', "rows.jsonl"),
        ('{"text": "a", "label": "0"}\n{"text": "b", "label": [1]}\n', "rows.jsonl"),
    ],
)
def test_numbered_labels_get_their_names(content: str, name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(content)
    options = ReadOptions(label_names=("0=negative,1=positive",))
    assert [row.label for row in read_rows(tmp_path / name, options, labelled=True)] == ["negative", "positive"]


def test_each_of_several_labels_gets_its_name(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("text,labels\na,0;1\nb,\n")
    options = ReadOptions(label_names=("0=bug", "1=urgent"), labels_column="labels", label_separator=";")
    assert [row.labels for row in read_rows(tmp_path / "rows.csv", options, labelled=True)] == [("bug", "urgent"), ()]


def test_a_label_without_a_name_is_refused_where_labels_have_names(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("text,label\na,0\nb,-1\n")
    with pytest.raises(InvalidFile, match=r"line 3: the label '-1' has no name in label_names"):
        list(read_rows(tmp_path / "rows.csv", ReadOptions(label_names=("0=no",)), labelled=True))


def test_names_and_indicator_columns_are_not_combined(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("text,a\nx,1\n")
    options = ReadOptions(label_names=("0=no",), indicator_columns=("a",))
    with pytest.raises(InvalidParameter, match="label_names cannot be combined with indicator_columns"):
        list(read_rows(tmp_path / "rows.csv", options, labelled=True))


def test_a_cell_that_holds_a_list_is_its_labels(tmp_path: Path) -> None:
    cells = ('["bug", "urgent"]', "['bug', 'it''s']", "[]", "[1, 2]", "[other]", "")
    lines = (f'{place},"{cell.replace(chr(34), 2 * chr(34))}"' for place, cell in enumerate(cells))
    (tmp_path / "rows.csv").write_text("text,tags\n" + "\n".join(lines))
    expected = [("bug", "urgent"), ("bug", "its"), (), ("1", "2"), ("[other]",), ()]
    options = ReadOptions(labels_column="tags", label_separator=",")
    assert [row.labels for row in read_rows(tmp_path / "rows.csv", options, labelled=True)] == expected


@pytest.mark.parametrize(
    ("cell", "wanted"), [("[1.0, 2.0]", ("1", "2")), ("['a', 'b']", ("a", "b")), ("[1, 2]", ("1", "2"))]
)
def test_a_list_in_a_cell_is_read_as_one_of_json(cell: str, wanted: tuple[str, ...]) -> None:
    assert read(f'text,tags\na,"{cell}"\n', "a.csv", labels_column="tags") == [("a", wanted)]


def test_a_list_in_a_cell_with_something_else_is_refused_by_that() -> None:
    with pytest.raises(InvalidFile, match="label is"):
        read('text,tags\na,"[""b"", null]"\n', "a.csv", labels_column="tags")


def test_lists_in_a_column_that_is_called_labels_are_asked_about(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text('text,labels\na,"[""bug"", ""urgent""]"\n')
    with pytest.raises(InvalidFile, match=r"'labels' holds lists of labels as text.*labels_column=labels"):
        list(read_rows(tmp_path / "rows.csv", labelled=True))
