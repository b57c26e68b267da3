"""A file is looked at without a word lost: what it is, each row, what is wrong, and what is not clear."""

import csv
import gzip
import io
import json
import tracemalloc
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windrow.cli.surface import CliWords
from windrow.codec.values import from_json, to_json
from windrow.domain.characters import is_blank
from windrow.domain.dataset import DataLimits, Dataset, DataWarning, Row
from windrow.domain.errors import InvalidFile, InvalidParameter, LimitExceeded
from windrow.domain.inspection import (
    InspectedColumn,
    Inspection,
    InspectRequest,
    OpenQuestion,
    RowProblem,
    told_in,
)
from windrow.domain.multi_label import MultiLabelDataset, MultiLabelRow
from windrow.files.delimited import MAX_COLUMNS
from windrow.files.inspecting import InspectionLimits, inspect_file

LIMITS = InspectionLimits(DataLimits(max_rows=50, max_text_chars=100), 100_000, "WINDROW_MAX_BODY_BYTES")
CSV = b"Subject,Body,Team\nHi,I was charged,billing\n,No bill,billing\n"


def look(
    content: bytes | str, filename: str | None = None, limits: InspectionLimits = LIMITS, **how: Any
) -> Inspection:
    """Inspect a file, and read what was found as a client reads it."""
    file = io.BytesIO(content if isinstance(content, bytes) else content.encode())
    found = inspect_file(file, InspectRequest(filename=filename, **how), limits)
    assert from_json(Inspection, to_json(found)) == found
    return found


def lines(found: Inspection) -> list[tuple[int, str, str | None]]:
    return [(row.line, row.text, row.label) for row in found.rows]


def test_a_file_is_told_with_its_columns_rows_and_digest() -> None:
    found = look("text,label,id\nhi,bug,1\nho,bug,\nhi,bug,3\nha,idea,4\nhi,idea,4\n", "a.csv")
    assert (found.format, found.encoding, found.delimiter, found.has_header) == ("csv", "utf-8", ",", True)
    assert found.columns == (
        InspectedColumn("text", ("hi", "ho", "ha"), 3),
        InspectedColumn("label", ("bug", "idea"), 2),
        InspectedColumn("id", ("1", "3", "4"), 3),
    )
    assert (found.text_columns, found.label_column) == (("text",), "label")
    assert found.num_rows == len(found) == 5
    assert lines(found)[1] == (3, "ho", "bug")
    assert found.rows_per_label == {"bug": 3, "idea": 2}
    assert found.sha256 == Dataset(tuple(Row(row.text, str(row.label)) for row in found)).sha256
    assert (found.questions, found.problems, found.num_problems) == ((), (), 0)
    assert all(row.values is None for row in found)


def test_warnings_are_those_of_a_training_with_every_row_behind_them() -> None:
    rows = [("same", "a")] * 7 + [("same", "b")] + [("1", "7"), ("2", "A")]
    found = look("text,label\n" + "".join(f"{text},{label}\n" for text, label in rows), "a.csv")
    told = {warning.code: warning.rows for warning in found.warnings}
    assert told == {
        "duplicate_rows": (1, 2, 3, 4, 5, 6),
        "contradicting_rows": tuple(range(8)),
        "small_classes": (7, 8, 9),
        "labels_alike": (*range(7), 9),
        "number_labels": (8,),
    }
    assert all(isinstance(warning, DataWarning) and warning.message for warning in found.warnings)


def test_several_columns_make_one_text_and_blank_ones_leave_no_gap() -> None:
    for how in (("Subject,Body",), ("Subject", "Body"), (" subject , BODY ",)):
        found = look(CSV, "mails.csv", text_column=how, label_column="Team")
        assert found.text_columns == ("Subject", "Body")
        assert lines(found) == [(2, "Hi\n\nI was charged", "billing"), (3, "No bill", "billing")]


def test_a_column_with_a_comma_in_its_name_is_one_column() -> None:
    found = look('"a,b",a,b\nx,y,z\n', "a.csv", text_column=("a,b",))
    assert (found.text_columns, found.rows[0].text) == (("a,b",), "x")


def test_each_row_may_have_all_its_columns() -> None:
    found = look(CSV, "mails.csv", include_values=True)
    assert found.rows[0].values == {"Subject": "Hi", "Body": "I was charged", "Team": "billing"}
    nested = {"text": "a", "label": 1, "more": {"b": [1.5, None, True]}}
    assert look(json.dumps(nested), "a.jsonl", include_values=True).rows[0].values == nested


def test_rows_without_a_label_stay_where_rows_need_none() -> None:
    content = f"text,label\na,\nb,bug \nc,{'y' * 257}\n,bug\nd, \n"
    found = look(content, "a.csv", labelled=False)
    assert lines(found) == [(2, "a", None), (3, "b", "bug"), (4, "c", None), (6, "d", None)]
    assert (found.label_column, found.rows_per_label, found.num_problems) == ("label", {"bug": 1}, 1)
    assert found.sha256 == look("text,label\nb,bug\n", "b.csv").sha256
    odd = (
        '{"text": "a", "label": ["x", "y"]}\n{"text": "b"}\n{"text": "c", "label": null}\n{"text": "d", "label": "x"}\n'
    )
    assert [row.label for row in look(odd, "a.jsonl", labelled=False).rows] == [None, None, None, "x"]


@pytest.mark.parametrize("label", [3, ["x"], [" x "], " x ", "x", [4]], ids=str)
def test_a_label_that_a_training_takes_is_the_same_where_rows_need_none(label: object) -> None:
    content = json.dumps({"text": "a", "label": label})
    labelled, found = (look(content, "a.jsonl", labelled=each) for each in (True, False))
    assert [row.label for row in found] == [row.label for row in labelled] != [None]
    assert found.sha256 == labelled.sha256


@pytest.mark.parametrize("label", [True, None, 0.5, {}, [], [["x"]], [None], "", " ", ["x", "y"], "y" * 257], ids=str)
def test_a_label_that_a_training_refuses_is_none_where_rows_need_none(label: object) -> None:
    content = json.dumps({"text": "a", "label": label})
    labelled = look(content, "a.jsonl")
    assert labelled.num_problems + len(labelled.questions) == 1
    assert [row.label for row in look(content, "a.jsonl", labelled=False)] == [None]


def test_warnings_count_rows_among_all_of_them_where_some_have_no_label() -> None:
    content = "text,label\nunlabelled,\na,x\nalso unlabelled,\nb,y\na,x\nb,z\n"
    found = look(content, "a.csv", labelled=False)
    behind = {each.code: [found.rows[number].text for number in each.rows] for each in found.warnings}
    assert (behind["duplicate_rows"], behind["contradicting_rows"]) == (["a"], ["b", "b"])
    assert {each.code: each.rows for each in found.warnings}["duplicate_rows"] == (4,)


def test_what_an_annotator_rejected_is_a_row_to_classify_and_no_example() -> None:
    content = "text,label,answer\na,x,accept\nb,y,reject\n"
    found = look(content, "a.csv", labelled=False)
    assert lines(found) == [(2, "a", "x"), (3, "b", None)]
    assert (found.num_problems, found.sha256) == (0, look(content, "a.csv").sha256)


def test_rows_with_a_problem_are_left_out_and_named() -> None:
    content = f"text,label\n,bug\nhi,\na,b,c\n{'x' * 101},bug\nhi,{'y' * 257}\nho,bug\n"
    found = look(content, "a.csv")
    assert lines(found) == [(7, "ho", "bug")]
    assert [problem.line for problem in found.problems] == [2, 3, 4, 5, 6]
    told = [problem.detail for problem in found.problems]
    assert told[0] == "the text is blank. Fill it in or remove that row."
    assert told[1] == "the label is blank. Fill it in or remove that row."
    assert told[2].startswith("the first line has 2 fields, this row 3.")
    assert told[3] == (
        "the text has 101 characters; at most 100 are taken here. Shorten it, or raise WINDROW_MAX_TEXT_CHARS."
    )
    assert told[4] == "the label has 257 characters; a label has at most 256. Shorten it."


def test_rows_of_json_with_a_problem_are_named_and_the_rest_is_read() -> None:
    deep = "[" * 60 + "]" * 60
    content = [
        '{"text": "a", "label": "b"}',
        "no JSON",
        '{"text": "a", "text": "b"}',
        "[1]",
        '{"label": "b"}',
        '{"text": 5, "label": "b"}',
        '{"text": "a", "label": ["b", "c"]}',
        '{"text": "a", "label": "b", "more": "\\ud800"}',
        f'{{"text": "a", "label": "b", "more": {deep}}}',
        '{"text": "a", "label": "b", "\\udfff": 1}',
        '{"text": "a", "label": 7}',
    ]
    found = look("\n".join(content), "a.jsonl", include_values=True)
    assert lines(found) == [(1, "a", "b"), (11, "a", "7")]
    assert [problem.line for problem in found.problems] == list(range(2, 11))
    assert found.problems[6].detail == "it holds half of a surrogate pair, which is no character. Correct that row."
    assert [column.name for column in found.columns] == ["text", "label"]


def test_rows_that_an_annotator_rejected_are_left_out_as_a_training_leaves_them_out() -> None:
    rows = [{"text": "a", "label": "b", "answer": answer} for answer in ("accept", "reject", "ignore")]
    found = look("\n".join(map(json.dumps, rows)), "a.jsonl")
    assert found.num_rows == 1
    assert [each.line for each in found.left_out] == [2, 3]
    assert "reject" in found.left_out[0].detail
    assert (found.format, found.num_left_out, found.problems) == ("prodigy", 2, ())
    assert look("\n".join(map(json.dumps, rows)), "a.jsonl", label_column="answer").num_rows == 3


def test_a_hundred_problems_are_named_and_all_are_counted() -> None:
    roomy = InspectionLimits(DataLimits(max_rows=153), 10_000, "")
    found = look("x\n" * 3 + "[]\n" * 150, "a.jsonl", roomy)
    assert (len(found.problems), found.num_problems) == (100, 153)
    with pytest.raises(LimitExceeded, match="more than 153 rows"):
        look("[]\n" * 154, "a.jsonl", roomy)


@pytest.mark.parametrize(
    ("content", "how", "parameters", "columns"),
    [
        ("title,summary,label\na,b,c\n", {}, ["text_column"], ["title", "summary", "label"]),
        ("text,class,intent\na,b,c\n", {}, ["label_column"], ["text", "class", "intent"]),
        ("Farbe,Form\na,b\n", {}, ["header"], ["Farbe", "Form"]),
        ("Farbe,Form\na,b\n", {"header": True}, ["text_column"], ["Farbe", "Form"]),
        ("Farbe,Form\na,b\n", {"header": False}, ["text_column"], ["1", "2"]),
        ("text,text,label\na,b,c\n", {}, ["text_column"], ["text", "text_2", "label"]),
        ("text,label\na,label\n", {}, ["header"], ["text", "label"]),
        ("What is it?,bug\na,b\n", {}, ["header"], ["What is it?", "bug"]),
    ],
)
def test_what_is_not_clear_is_asked_and_never_guessed(
    content: str, how: dict[str, Any], parameters: list[str], columns: list[str]
) -> None:
    found = look(content, "a.csv", **how)
    assert [question.parameter for question in found.questions] == parameters
    assert [column.name for column in found.columns] == columns
    assert all(column.examples for column in found.columns)
    if parameters == ["label_column"]:
        assert (found.text_columns, found.label_column, lines(found)) == (("text",), None, [(2, "a", None)])
    else:
        assert (found.text_columns, found.rows, found.sha256) == ((), (), None)
        assert found.num_rows == (2 if how == {"header": False} else 1)
    assert found.has_header is (None if parameters == ["header"] else how.get("header", True))


def test_questions_are_one_sentence_without_advice() -> None:
    assert look("title,summary\na,b\n", "a.csv").questions == (
        OpenQuestion("text_column", "'title', 'summary' could all hold the text."),
    )


def test_an_answered_question_is_asked_no_more() -> None:
    answers: dict[str, Any] = {"header": True, "text_column": ("Form",)}
    found = look("Farbe,Form,Art\na,b,c\n", "a.csv", **answers)
    assert (found.questions, found.text_columns, found.label_column) == ((), ("Form",), None)
    found = look("Farbe,Form,Art\na,b,c\n", "a.csv", **answers, label_column="Art")
    assert lines(found) == [(2, "b", "c")]


def test_a_file_without_labels_has_texts_alone() -> None:
    found = look("a first line\na second one\n", "a.txt")
    assert (found.format, found.text_columns, found.label_column) == ("txt", ("text",), None)
    assert lines(found) == [(1, "a first line", None), (2, "a second one", None)]
    assert (found.rows_per_label, found.warnings, found.sha256) == ({}, (), None)
    assert (found.delimiter, found.has_header) == (None, None)


def test_columns_of_json_are_the_keys_of_all_objects() -> None:
    found = look('[{"text": "a"}, {"text": "b", "n": 1}, {"text": "c", "n": [1, "é"]}]', "a.json")
    assert found.columns[1] == InspectedColumn("n", ("1", '[1, "é"]'), 2)


def test_examples_are_cut() -> None:
    (column,) = look("x" * 5_000, "a.txt", InspectionLimits(DataLimits(), 10_000, "")).columns
    assert column == InspectedColumn("text", (f"{'x' * 199}…",), 1)


@pytest.mark.parametrize(
    ("content", "filename", "words"),
    [
        (b"PK\x03\x04rest", "list.xlsx", r"list.xlsx: it is a damaged workbook .* save it as .xlsx or CSV"),
        (gzip.compress(b"PK\x03\x04rest"), "list.xlsx.gz", "it is a spreadsheet"),
        (b"%PDF-1.7", None, "the file: it is a PDF document, no text"),
        (b"\x89PNG\r\n\x1a\n", "a.csv", r"it is a picture, no text\. Name a file with rows\.$"),
        (b"BZh91AY&SY", "a.csv.bz2", r"it is a packed file, no text\. Unpack it, and use the file in it\.$"),
        (b"<!doctype html>", "a.xls", "it is HTML or XML"),
        (b"a,b\nx\xffx\x81x\xfex,c\n", "a.csv", "line 2: the byte 0xff at offset 5 is not UTF-8. Name its encoding"),
        (b"text\na\0b\n", "a.csv", "there is a NUL character"),
        (gzip.compress(b"text\na\n")[:-4], "a.csv", "damaged gzip"),
        (b"", "a.csv", "there is nothing in it"),
        (b"\n \n", None, "there is nothing in it"),
        (b'text,label\n"a,b\n', "a.csv", "line 2: a quotation mark is opened here and never closed"),
        (b"5", "a.json", r"it looks like plain text, not like a JSON document\. Say what it is with format=txt\."),
        (b"a\tb\nc\td\n", "a.txt", "format=tsv"),
    ],
)
def test_what_is_no_table_is_refused(content: bytes, filename: str | None, words: str) -> None:
    with pytest.raises(InvalidFile, match=words):
        look(content, filename)


def test_half_a_character_is_refused_where_an_encoding_has_such() -> None:
    with pytest.raises(InvalidFile, match="line 2: there is half of a surrogate pair"):
        look(b"text\n+3IA-\n", "a.csv", encoding="utf-7")


def test_a_named_column_that_is_not_there_is_refused() -> None:
    with pytest.raises(InvalidFile, match="there is no column 'none'") as refused:
        look("text,label\na,b\n", "a.csv", text_column=("text", "none"))
    assert refused.value.facts["parameter"] == "text_column"
    with pytest.raises(InvalidFile, match="cannot hold both"):
        look("text,label\na,b\n", "a.csv", text_column=("text", "label"), label_column="label")


@pytest.mark.parametrize(
    "encoding", ["none", "base64", "idna", "punycode", "undefined", "unicode_escape", "unicode-escape", "x" * 99, ""]
)
def test_an_encoding_that_no_file_has_is_refused(encoding: str) -> None:
    with pytest.raises(InvalidParameter, match="is no encoding of text"):
        look("text\na\n", encoding=encoding)


@pytest.mark.parametrize("how", [{"format": "xls"}, {"quoting": "all"}])
def test_an_option_of_reading_that_does_not_exist_is_refused(how: dict[str, Any]) -> None:
    with pytest.raises(InvalidParameter, match="is none of"):
        look("text\na\n", **cast(Any, how))


def test_more_rows_bytes_or_columns_than_are_taken_are_refused() -> None:
    with pytest.raises(LimitExceeded, match="more than 50 rows") as refused:
        look("x\n" * 51, "a.txt")
    assert refused.value.facts["setting"] == "WINDROW_MAX_ROWS"
    assert look("x\n" * 50, "a.txt").num_rows == 50
    with pytest.raises(LimitExceeded, match="more than 100000 bytes once it is unpacked") as refused:
        look(gzip.compress(b"x" * 100_001), "a.txt.gz")
    assert refused.value.facts["setting"] == "WINDROW_MAX_BODY_BYTES"
    many = [f"c{number}" for number in range(MAX_COLUMNS + 1)]
    for content, filename in ((",".join(many), "a.csv"), (json.dumps({"text": "a", **dict.fromkeys(many)}), "a.jsonl")):
        with pytest.raises(InvalidFile, match="more than 1000 columns"):
            look(content, filename)


def test_small_values_inside_others_do_not_swell_the_reply() -> None:
    roomy = InspectionLimits(DataLimits(), 10_000, "WINDROW_MAX_BODY_BYTES")
    for nested in (",".join(["[]"] * 250), f'{{"a": [{",".join(["0"] * 400)}]}}'):
        content = f'{{"text": "a", "label": "b", "v": [{nested}]}}\n'
        assert look(content * 3, "a.jsonl", roomy, include_values=True).num_rows == 3
        assert look(content * 10, "a.jsonl", roomy).num_rows == 10
        with pytest.raises(LimitExceeded, match="too large to be told with all columns"):
            look(content * 10, "a.jsonl", roomy, include_values=True)


def test_long_names_of_columns_do_not_swell_the_reply() -> None:
    content = f"text,{'n' * 40_000}\n" + "a,b\n" * 20
    assert look(content, "a.csv").num_rows == 20
    with pytest.raises(LimitExceeded, match="Leave out include_values"):
        look(content, "a.csv", include_values=True)


VISIBLE = st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Cf", "Zl", "Zp"))
TEXTS = st.text(VISIBLE, min_size=1, max_size=20).filter(lambda text: not is_blank(text))
LABELS = TEXTS.map(str.strip).filter(lambda label: label not in ("", "label"))
ROWS = st.lists(st.tuples(TEXTS, LABELS), min_size=1)


def as_delimited(rows: list[tuple[str, str]], delimiter: str) -> str:
    file = io.StringIO()
    csv.writer(file, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows([("text", "label"), *rows])
    return file.getvalue()


@given(ROWS, st.sampled_from([",", ";", "\t"]))
def test_rows_written_as_csv_and_tsv_are_the_rows_that_are_found(rows: list[tuple[str, str]], delimiter: str) -> None:
    roomy = InspectionLimits(DataLimits(), 1_000_000, "")
    found = look(as_delimited(rows, delimiter), "a.tsv" if delimiter == "\t" else "a.csv", roomy, quoting="csv")
    assert [(row.text, row.label) for row in found] == rows
    assert (found.delimiter, found.problems) == (delimiter, ())


@given(ROWS, st.booleans())
def test_rows_written_as_json_and_jsonl_are_the_rows_that_are_found(rows: list[tuple[str, str]], lined: bool) -> None:
    roomy = InspectionLimits(DataLimits(), 1_000_000, "")
    values = [{"text": text, "label": label, "n": [number]} for number, (text, label) in enumerate(rows)]
    content = "\n".join(map(json.dumps, values)) if lined else json.dumps(values)
    found = look(content, "a.jsonl" if lined else "a.json", roomy, include_values=True)
    assert [(row.text, row.label) for row in found] == rows
    assert [row.values for row in found] == values
    assert found.sha256 == Dataset(tuple(Row(*row) for row in rows)).sha256


@pytest.mark.parametrize(
    "content",
    [
        b"\n" * 50_000 + b"a",
        b"a\n" + b"\n" * 50_000,
        b"," * 200_000,
        b',"' * 40_000,
        b"a 'x' " * 30_000,
        b"\r" + b"a" * 60_000,
        b"[" * 200_000,
        b'{"a":' * 40_000,
        b"," * 999 + b"a\n" + b"," * 200_000,
    ],
    ids=range(9),
)
def test_hostile_files_take_no_memory_beyond_a_small_multiple_of_their_size(content: bytes) -> None:
    roomy = InspectionLimits(DataLimits(), 10_000_000, "")
    for filename in (None, "a.csv", "a.txt", "a.jsonl"):
        tracemalloc.start()
        try:
            look(content, filename, roomy)
        except (InvalidFile, LimitExceeded):
            pass
        finally:
            peak_bytes = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        assert peak_bytes < 40 * len(content) + 10_000_000


def test_rows_with_lists_of_labels_are_those_of_a_multi_label_classifier() -> None:
    rows = [{"text": "a", "labels": ["x", "y"]}, {"text": "b", "labels": []}, {"text": "c", "labels": ["y"]}]
    found = look("\n".join(map(json.dumps, rows)), "a.jsonl")
    assert (found.kind, found.labels_column, found.label_column) == ("multi_label", "labels", None)
    assert [(row.label, row.labels) for row in found] == [(None, ("x", "y")), (None, ()), (None, ("y",))]
    assert (found.rows_per_label, found.rows_without_labels) == ({"x": 1, "y": 2}, 1)
    examples = MultiLabelDataset(tuple(MultiLabelRow(row.text, row.labels or ()) for row in found))
    assert found.sha256 == examples.sha256
    assert {warning.code: warning.rows for warning in found.warnings} == {
        "rows_without_labels": (1,),
        "small_classes": (0, 2),
    }


def test_columns_of_one_and_zero_are_labels_where_they_are_named_so() -> None:
    found = look("text,x,y\na,1,0\nb,2,1\nc,0,0\n", "a.csv", indicator_columns=("x,y",))
    assert (found.kind, found.indicator_columns, found.labels_column) == ("multi_label", ("x", "y"), None)
    assert [(row.text, row.labels) for row in found] == [("a", ("x",)), ("c", ())]
    assert found.problems == (RowProblem(3, "'x' holds neither 1 nor 0. Correct or remove that row."),)


def test_a_separator_that_is_not_said_is_asked_for_once() -> None:
    found = look("text,labels\na,x;y\nb,x\nc,x;z\n", "a.csv")
    assert found.questions == (OpenQuestion("label_separator", "'labels' may hold several labels here."),)
    assert found.rows_per_label == {}
    answered = look("text,labels\na,x;y\nb,x\nc,x;z\n", "a.csv", label_separator=";")
    assert (answered.questions, answered.rows_per_label) == ((), {"x": 3, "y": 1, "z": 1})


def test_rows_have_no_problem_with_their_labels_while_it_is_not_clear_how_those_are_written() -> None:
    found = look("text,labels\na,\nb,x;y\nc,\nd,x\n", "a.csv")
    assert [question.parameter for question in found.questions] == ["label_separator"]
    assert (found.problems, found.num_problems, found.num_rows) == ((), 0, 4)
    assert lines(found) == [(2, "a", None), (3, "b", None), (4, "c", None), (5, "d", None)]
    one = look("text,labels\na,\nb,x;y\nc,\nd,x\n", "a.csv", label_column="labels")
    assert (lines(one), one.num_problems) == ([(3, "b", "x;y"), (5, "d", "x")], 2)
    assert one.problems[1] == RowProblem(4, "the label is blank. Fill it in or remove that row.")
    several = look("text,labels\na,\nb,x;y\nc,\nd,x\n", "a.csv", labels_column="labels")
    assert [question.parameter for question in several.questions] == ["label_separator"]
    assert (several.num_rows, [row.labels for row in several]) == (4, [None] * 4)


def test_lists_of_labels_where_one_label_is_expected_are_asked_about_once() -> None:
    rows = [{"text": "a", "label": ["x"]}, {"text": "b", "label": ["x", "y"]}, {"text": "c", "label": []}]
    content = "\n".join(map(json.dumps, rows))
    found = look(content, "a.jsonl")
    assert found.questions == (OpenQuestion("labels_column", "'label' holds 2 labels here."),)
    assert (found.problems, found.num_rows, found.rows_per_label) == ((), 3, {})
    answered = look(content, "a.jsonl", labels_column="label")
    assert [row.labels for row in answered] == [("x",), ("x", "y"), ()]
    single = look(content, "a.jsonl", label_column="label")
    assert [problem.line for problem in single.problems] == [2, 3]
    assert single.problems[0].detail.startswith("'label' holds 2 labels; a row has exactly one label. Correct")


def test_columns_that_may_hold_labels_are_asked_about() -> None:
    found = look("text,billing,urgent\na,1,0\nb,0,0\n", "a.csv")
    words = "'billing', 'urgent' hold only 0 and 1, so each may be a label."
    assert found.questions == (OpenQuestion("indicator_columns", words),)
    assert lines(found) == [(2, "a", None), (3, "b", None)]
    assert look("text,billing,urgent\na,1,0\n", "a.csv", labelled=False).questions == ()
    assert look("text,billing,urgent\na,1,0\n", "a.csv", indicator_columns=("billing",)).questions == ()
    found = look("text,tags\na,x;y\nb,\n", "a.csv")
    assert found.questions == (OpenQuestion("labels_column", "'tags' holds ';', which may stand between labels."),)
    assert (found.num_rows, found.num_problems) == (2, 0)


def test_problems_are_told_in_the_order_of_their_rows() -> None:
    found = look("text,label\na,\n,x\nb,\n,y\nc,x\n", "a.csv")
    assert [(each.line, each.detail.split(".")[0]) for each in found.problems] == [
        (2, "the label is blank"),
        (3, "the text is blank"),
        (4, "the label is blank"),
        (5, "the text is blank"),
    ]
    roomy = InspectionLimits(DataLimits(), 100_000, "")
    many = look("text,label\n" + ",x\n" * 120 + "a,\n" * 10, "a.csv", roomy)
    assert ([each.line for each in many.problems], many.num_problems) == (list(range(2, 102)), 130)
    many = look("text,label\n" + "a,\n" * 10 + ",x\n" * 120, "a.csv", roomy)
    assert [each.line for each in many.problems] == list(range(2, 102))


def test_rows_that_need_no_label_keep_those_that_a_training_would_take() -> None:
    rows = [{"text": "a", "labels": ["x"]}, {"text": "b", "labels": [None]}, {"text": "c", "labels": ["x" * 257]}]
    found = look("\n".join(map(json.dumps, rows)), "a.jsonl", labelled=False)
    assert [row.labels for row in found] == [("x",), None, None]


def test_a_label_that_is_too_long_is_a_problem_also_among_several() -> None:
    found = look(json.dumps({"text": "a", "labels": ["x", "y" * 257]}), "a.jsonl")
    [problem] = found.problems
    assert problem.detail.startswith("the label has 257 characters; a label has at most 256")


def test_options_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(InvalidFile, match="indicator_columns cannot be combined"):
        look("text,x\na,1\n", "a.csv", indicator_columns=("x",), labels_column="x")
    with pytest.raises(InvalidParameter, match="label_separator is empty"):
        look("text,labels\na,x\n", "a.csv", label_separator="")


GERMAN_ROWS = "text;label\nRückgabe der Ware;Retoure\nGerät läuft nicht;Technik\n"


def test_a_file_of_another_encoding_is_read_with_the_one_that_fits_and_asked_about() -> None:
    found = look(GERMAN_ROWS.encode("cp1252"), filename="mails.csv")
    [asked] = found.questions
    assert asked.parameter == "encoding"
    assert asked.detail == (
        "it is not UTF-8, and was read as cp1252, in which line 2 has 'Rückgabe der Ware;Retoure'. Is that right?"
    )
    assert (found.encoding, [row.text for row in found]) == ("cp1252", ["Rückgabe der Ware", "Gerät läuft nicht"])
    assert look(GERMAN_ROWS.encode("cp1252"), filename="mails.csv", encoding="cp1252").questions == ()


def test_utf_16_without_a_mark_is_asked_about_too() -> None:
    found = look(GERMAN_ROWS.encode("utf-16-le"), filename="mails.csv")
    assert ([each.parameter for each in found.questions], found.encoding) == (["encoding"], "utf-16-le")
    assert found.rows_per_label == {"Retoure": 1, "Technik": 1}


def test_an_encoding_that_fits_the_first_lines_alone_is_not_read_with() -> None:
    content = GERMAN_ROWS.encode("cp1252") + (b"x" * 2_000 + b";y\n") * 40 + b"\x81;z\n"
    with pytest.raises(InvalidFile, match=r"line 2: the byte 0xfc at offset 12 is not UTF-8\. As cp1252"):
        look(content, filename="mails.csv")


def test_an_inspection_says_where_it_found_labels_in_a_table_without_a_header() -> None:
    found = look("bug,it crashes\nidea,add more colours\nbug,it hangs\n", "a.csv", header=False)
    assert (found.text_columns, found.label_column, found.questions) == (("2",), "1", ())
    [note] = found.notes
    assert "Column 1, the first one, is taken for the label" in note.detail
    assert note.detail.endswith("add label_column=2 text_column=1.")
    assert "template" not in repr(note)
    assert told_in(CliWords(), note).endswith("add --label-column 2 --text-column 1.")


def test_sentences_that_name_no_parameter_are_told_without_their_template() -> None:
    [problem] = look("text,label\na,x\nb,\n", "a.csv").problems
    assert (problem.template, problem.facts) == ("", {})
    assert told_in(CliWords(), problem) == problem.detail


def controls(*names: str) -> str:
    """Return a Label Studio export with a choice in each control."""
    chosen = [{"from_name": each, "to_name": "text", "type": "choices", "value": {"choices": ["a"]}} for each in names]
    return json.dumps([{"id": place, "data": {"text": "hi"}, "annotations": [{"result": chosen}]} for place in (1, 2)])


def test_of_several_controls_of_a_labelling_tool_it_is_asked_which_to_learn() -> None:
    found = look(controls("team", "mood"), "export.json")
    assert (found.format, found.certainty, found.columns, found.num_rows) == ("label_studio", 1.0, (), 0)
    [question] = found.questions
    assert (question.parameter, question.choices) == ("label_column", ("mood", "team"))
    assert question.detail.startswith("it has labels of several controls")
    assert look(controls("team", "mood"), "export.json", label_column="team").rows_per_label == {"a": 2}
    assert look(controls("team", "mood"), "export.json", labels_column="team").rows_per_label == {"a": 2}


def test_a_control_that_is_not_there_is_refused_and_not_asked_about() -> None:
    with pytest.raises(InvalidFile, match="no control 'urgency' with labels"):
        look(controls("team", "mood"), "export.json", label_column="urgency")


def test_an_inspection_says_by_which_column_rows_are_known_and_which_one_parts_them() -> None:
    content = "Ticket ID,text,label,part\nT-1,hi,bug,train\nT-2,ho,,train\nT-3,ha,idea,test\n"
    found = look(content, "a.csv")
    assert (found.id_column, found.split_column) == ("Ticket ID", None)
    assert [(each.line, each.id) for each in found.problems] == [(3, "T-2")]
    found = look(content, "a.csv", id_column="part", split_column="part")
    assert (found.id_column, found.split_column) == ("part", "part")
    assert [(row.id, row.split) for row in found.rows] == [("train", "train"), ("test", "test")]
    assert look("text,label\nhi,bug\n", "a.csv").id_column is None


def test_names_of_labels_hold_for_the_file_of_a_tool_too() -> None:
    content = "__label__0 bad\n__label__1 good\n__label__2 so so\n"
    found = look(content, label_names=("0=negative,1=positive",))
    assert [row.labels or row.label for row in found.rows] == ["negative", "positive"]
    assert [each.detail for each in found.problems] == [
        "the label '2' has no name in label_names. Add it there, or correct that row."
    ]


def test_rows_of_a_tool_that_need_no_label_are_read_though_it_is_not_clear_which_ones_they_have() -> None:
    controls = [
        {"from_name": name, "to_name": "text", "type": "choices", "value": {"choices": ["a"]}}
        for name in ("mood", "team")
    ]
    content = json.dumps([{"id": 1, "data": {"text": "hi"}, "annotations": [{"result": controls}]}])
    assert [each.parameter for each in look(content).questions] == ["label_column"]
    found = look(content, labelled=False)
    assert (found.questions, lines(found)) == ((), [(1, "hi", None)])
    assert (found.kind, found.label_column, found.rows_per_label) == ("single_label", None, {})
    assert lines(look(content, labelled=False, label_column="team")) == [(1, "hi", "a")]
    foreign = json.dumps(json.loads(content.replace("hi", "gr\u00fcn")), ensure_ascii=False).encode("cp1252")
    assert lines(look(foreign, labelled=False)) == [(1, "gr\u00fcn", None)]
