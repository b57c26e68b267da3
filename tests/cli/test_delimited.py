"""Rows of CSV and TSV."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windrow.cli.decoding import Source
from windrow.cli.delimited import begins_with_header, read_delimited
from windrow.cli.read_options import AS_FOUND, Reading
from windrow.domain.errors import InvalidParameter

CELLS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))


def read(text: str, how: Reading = AS_FOUND) -> list[tuple[int, list[object]]]:
    rows = read_delimited(Source("rows.csv", io.BytesIO()), iter([text]), how)
    return [(line, list(values.values())) for line, values in rows]


@given(st.lists(st.tuples(CELLS, CELLS)), st.sampled_from(",;\t|"))
def test_what_csv_wrote_is_read_back(rows: list[tuple[str, str]], delimiter: str) -> None:
    file = io.StringIO(newline="")
    csv.writer(file, delimiter=delimiter).writerows([("text", "label"), *rows])
    assert [values for _, values in read(file.getvalue())] == [list(row) for row in rows]


def test_a_row_knows_the_line_where_it_begins() -> None:
    rows = read('\ntext,label\n"two\nlines",a\n\nlast,b\n')
    assert rows == [(3, ["two\nlines", "a"]), (6, ["last", "b"])]


@pytest.mark.parametrize("header", ["text;label, by whom", "id\ttext, or so\tlabel", "text|label"])
def test_the_delimiter_is_the_one_that_gives_known_names(header: str) -> None:
    delimiter = next(each for each in ";\t|" if each in header)
    columns = len(header.split(delimiter))
    assert read(f"{header}\n{delimiter.join('a' * columns)}\n") == [(2, ["a"] * columns)]


def test_without_a_header_the_first_line_is_a_row() -> None:
    assert read("a,b\nc,d\n", Reading(header=False)) == [(1, ["a", "b"]), (2, ["c", "d"])]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("text,label\na\n", "line 2: there are 1 fields, where the first line has 2"),
        ("text,label\na,b\na,b,c\n", "line 3: there are 3 fields"),
        ('text,label\na,b\n"open,b\nc,d\n', "line 3: a quotation mark is opened here and never closed"),
        ('text,label\n"a"b,c\n', "line 2: something follows a closing quotation mark"),
        ("text,label\ra,b\r", "line 1: lines end with a bare carriage return"),
        ("text,text\na,b\n", "line 1: two columns are called 'text'"),
        ("one,two\na,b\n", "line 1: the first line, 'one', 'two', names no column that is known.*--no-header"),
        ("What is it?,description\na,b\n", "names no column that is known"),
    ],
)
def test_a_wrong_row_is_told_with_its_line(text: str, words: str) -> None:
    with pytest.raises(InvalidParameter, match=words):
        read(text)


def test_a_named_column_makes_a_header_in_any_case() -> None:
    assert read("One,two\na,b\n", Reading(text_column="one")) == [(2, ["a", "b"])]
    with pytest.raises(InvalidParameter, match=r"there is no column 'three'.*--no-header"):
        read("one,two\na,b\n", Reading(text_column="three"))


def test_only_known_names_make_a_header() -> None:
    assert begins_with_header("id,text", AS_FOUND)
    assert not begins_with_header("Hello, world", AS_FOUND)
