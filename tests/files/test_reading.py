"""Rows from files of every format, and what is said of a wrong one."""

import gzip
import io
import json
import sys
import tracemalloc
from contextlib import suppress
from itertools import chain
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from windrow.domain.errors import InvalidFile
from windrow.domain.read_options import ReadOptions
from windrow.files.reading import Record, open_table, read_rows
from windrow.files.table_opening import _beginning

ROWS = [("I was charged twice", "billing"), ("It crashes, again", "technical")]
OBJECTS = [{"text": text, "label": label} for text, label in ROWS]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("rows.csv", 'text,label\nI was charged twice,billing\n"It crashes, again",technical\n'),
        ("rows.CSV", 'n;label;text\n1;billing;I was charged twice\n2;technical;"It crashes, again"\n'),
        ("rows.tsv", "text\tlabel\nI was charged twice\tbilling\nIt crashes, again\ttechnical\n"),
        ("rows.jsonl", "".join(json.dumps(row) + "\n" for row in OBJECTS)),
        ("rows.ndjson", "\n\n".join(json.dumps(row) for row in OBJECTS)),
        ("rows.json", json.dumps(OBJECTS)),
        ("rows.json", json.dumps({"model_name": "a", "training_data": OBJECTS})),
        ("rows.json", json.dumps({"test_data": OBJECTS}, indent=2)),
        ("rows", "".join(json.dumps(row) + "\n" for row in OBJECTS)),
        ("rows", json.dumps(OBJECTS, indent=1)),
        ("rows", json.dumps({"training_data": OBJECTS})),
        ("rows", json.dumps({"training_data": OBJECTS}, indent=1)),
        ("rows", "text\tlabel\nI was charged twice\tbilling\nIt crashes, again\ttechnical\n"),
    ],
)
@pytest.mark.parametrize("is_zipped", [False, True])
def test_labelled_rows_are_read_from_each_format(tmp_path: Path, name: str, content: str, is_zipped: bool) -> None:
    file = tmp_path / (f"{name}.gz" if is_zipped else name)
    file.write_bytes(gzip.compress(content.encode()) if is_zipped else content.encode())
    assert [(row.text, row.label) for row in read_rows(file, labelled=True)] == ROWS


def written(folder: Path, name: str, content: str) -> Path:
    file = folder / name
    file.write_text(content, encoding="utf-8", newline="")
    return file


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("texts.txt", "first\nsecond, third\n\n\n"),
        ("texts", "first\r\nsecond, third"),
        ("texts.json", '["first", "second, third"]'),
        ("texts.json", '{"model_name": "a", "texts": ["first", "second, third"]}'),
        ("texts.jsonl", '"first"\n"second, third"\n'),
    ],
)
def test_texts_alone_are_read_too(tmp_path: Path, name: str, content: str) -> None:
    file = written(tmp_path, name, content)
    assert [(row.text, row.values) for row in read_rows(file)] == [
        ("first", {"text": "first"}),
        ("second, third", {"text": "second, third"}),
    ]


def test_standard_input_is_read_and_its_format_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'{"text": "a", "label": 1}\n')))
    assert list(read_rows("-", labelled=True)) == [Record(1, "a", {"text": "a", "label": 1}, "1")]


def test_all_other_columns_are_kept_with_the_line(tmp_path: Path) -> None:
    file = written(tmp_path, "a.csv", 'id,body,n\n7,"two\nlines",x\n8,one,\n')
    assert list(read_rows(file)) == [
        Record(2, "two\nlines", {"id": "7", "body": "two\nlines", "n": "x"}, id="7"),
        Record(4, "one", {"id": "8", "body": "one", "n": ""}, id="8"),
    ]


def test_a_file_without_a_header_has_numbered_columns(tmp_path: Path) -> None:
    file = written(tmp_path, "a.csv", "What is it?,description\nWho?,human\n")
    options = ReadOptions(text_column=("1",), label_column="2", header=False)
    assert [row.label for row in read_rows(file, options, labelled=True)] == ["description", "human"]
    single = written(tmp_path, "b.csv", "Who?\nWhat is it?\n")
    assert [row.text for row in read_rows(single, ReadOptions(header=False))] == ["Who?", "What is it?"]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", "text,label\na,b\n ,b\n", "a.csv, line 3: the text is blank"),
        ("a.csv", "text,label\na,\n", "a.csv, line 2: the label is blank"),
        ("a.csv", "text,label\na\n", "a.csv, line 2: the first line has 2 fields, this row 1"),
        (
            "a.jsonl",
            '{"text": "a", "label": "b"}\n{"text": "a"}\n',
            "line 2: the label is missing: there is no 'label'",
        ),
        ("a.jsonl", '{"text": "a", "label": "b"}\n{"label": "a"}\n', "line 2: the text is missing: there is no 'text'"),
        ("a.jsonl", '{"text": "a", "label": "b"}\n\n{"text": 1, "label": ""}\n', "line 3: the text is a number"),
        ("a.jsonl", '{"text": "a", "label": null}\n', "line 1: the label is null"),
        ("a.jsonl", '{"text": "a", "label": true}\n', "line 1: the label is true or false"),
        ("a.jsonl", '{"text": "a", "label": "b"}\n[1]\n', "line 2: a row is a list; it must be an object"),
        ("a.jsonl", '{"text": "a", "label": "b"}\n"c"\n', "line 2: a row is a string; it must be an object"),
        ("a.jsonl", '{"text": "a", "label": "b"}\n{"text": \n', "line 2: the JSON is broken: expecting value"),
        ("a.jsonl", '{"text": "\\ud800", "label": "b"}\n', "line 1: the text holds half of a surrogate pair"),
        ("a.json", '[{"text": "a", "label": "b"},\n {"text": " ", "label": "b"}]', "line 2: the text is blank"),
        ("a.txt", "a\nb\n", "plain text has no labels"),
        ("a.csv", " \n\n", "there is nothing in it"),
        ("a.csv", "text,b,c\n1,2,3\n", "not clear which column holds the label"),
    ],
)
def test_a_wrong_row_is_told_with_file_line_and_what_to_do(tmp_path: Path, name: str, content: str, words: str) -> None:
    with pytest.raises(InvalidFile) as refused:
        list(read_rows(written(tmp_path, name, content), labelled=True))
    assert words in refused.value.detail
    assert refused.value.detail.startswith(str(tmp_path / name))


def test_any_number_of_blank_blocks_may_stand_before_the_first_row() -> None:
    blocks = ("\n" * 1_000 for _ in range(100))
    assert (
        "".join(_beginning(chain(blocks, ("text,la", "bel\nmore")), is_line_needed=True))
        == "\n" * 100_000 + "text,label\nmore"
    )
    assert _beginning(iter((" ", "[", "1]")), is_line_needed=True) == [" ", "["]
    assert _beginning(iter((" ", "a", "b")), is_line_needed=False) == [" ", "a"]
    assert _beginning(iter((" ", "a", "b\n", "c")), is_line_needed=True) == [" ", "a", "b\n"]


def test_a_blank_line_among_texts_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidFile, match=r"a.txt, line 2: the text is blank"):
        list(read_rows(written(tmp_path, "a.txt", "a\n \nb\n")))


def test_the_rows_before_a_wrong_one_come_first(tmp_path: Path) -> None:
    rows = read_rows(written(tmp_path, "a.csv", "text,label\na,b\n,b\n"), labelled=True)
    assert next(rows).text == "a"
    with pytest.raises(InvalidFile):
        next(rows)


def test_a_table_without_rows_has_none(tmp_path: Path) -> None:
    assert list(read_rows(written(tmp_path, "a.csv", "text,label\n"), labelled=True)) == []
    with open_table(written(tmp_path, "a.json", "[]")) as table:
        assert table.columns is None


WORDS = st.text(st.sampled_from("ab \"'é"), min_size=1, max_size=6).filter(str.strip)
LABELS = st.sampled_from(["x", "y", "1", "class", "two words"])


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.tuples(WORDS, LABELS), min_size=2, max_size=5),
    name=st.sampled_from(["a.csv", "a.tsv", "a.txt", "a.jsonl", "a.json", "a"]),
    delimiter=st.sampled_from(",;\t|"),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    has_header=st.booleans(),
    labelled=st.booleans(),
)
def test_no_reader_gives_fewer_rows_than_there_are_without_a_word(
    tmp_path: Path,
    *,
    rows: list[tuple[str, str]],
    name: str,
    delimiter: str,
    end: str,
    has_header: bool,
    labelled: bool,
) -> None:
    delimiter = "\t" if name == "a.tsv" else delimiter
    objects = [{"text": text, "label": label} for text, label in rows]
    written_lines = [json.dumps(each) for each in objects]
    if name == "a.json":
        written_lines = json.dumps(objects, indent=1).split("\n")
    elif name != "a.jsonl":
        # As programs write that know nothing of quotation marks: a row is a line.
        head = [f"text{delimiter}label"] if has_header else []
        written_lines = [*head, *(f"{text}{delimiter}{label}" for text, label in rows)]
    file = written(tmp_path, name, end.join((*written_lines, "")))
    with suppress(InvalidFile):  # which is a word
        assert len(list(read_rows(file, labelled=labelled))) >= len(rows)


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.json"])
def test_a_long_file_takes_no_more_memory_than_a_short_one(tmp_path: Path, name: str) -> None:
    rows = [{"text": f"text number {number}", "label": "a" * 50} for number in range(20_000)]
    contents = {
        "a.csv": "text,label\n" + "".join(f"{row['text']},{row['label']}\n" for row in rows),
        "a.jsonl": "".join(json.dumps(row) + "\n" for row in rows),
        "a.json": json.dumps(rows),
    }
    file = written(tmp_path, name, contents[name])
    tracemalloc.start()
    try:
        assert sum(1 for _ in read_rows(file, labelled=True)) == len(rows)
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak_bytes < min(1_500_000, file.stat().st_size)
