"""Rows of CSV and TSV."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windrow.domain.errors import InvalidFile
from windrow.domain.read_options import DETECT_ALL, ReadOptions
from windrow.files.columns import Evidence
from windrow.files.decoding import Source
from windrow.files.delimited import evidence_of, read_delimited

CELLS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))


def read(text: str, options: ReadOptions = DETECT_ALL) -> list[tuple[int, list[object]]]:
    rows = read_delimited(Source("rows.csv", io.BytesIO()), iter([text]), options)
    return [(line, list(values.values())) for line, values in rows]


@given(st.lists(st.tuples(CELLS, CELLS)), st.sampled_from(",;\t|"))
def test_what_csv_wrote_is_read_back(rows: list[tuple[str, str]], delimiter: str) -> None:
    file = io.StringIO(newline="")
    csv.writer(file, delimiter=delimiter).writerows([("text", "label"), *rows])
    options = ReadOptions(header=True, quoting="csv")
    assert [values for _, values in read(file.getvalue(), options)] == [list(row) for row in rows if any(row)]


@pytest.mark.parametrize(
    ("text", "labelled", "words"),
    [
        ("one,two\na,b\n", True, "text_column and label_column; .*: text_column=1, label_column=2\\.$"),
        ("one,two\na,b\n", False, "which one with text_column; .* the text stands: text_column=1\\.$"),
        ("one\na\n", False, "which one with text_column; .*, add header=False\\.$"),
    ],
)
def test_a_first_line_without_a_known_name_is_told_with_all_options_of_each_reading(
    text: str, labelled: bool, words: str
) -> None:
    with pytest.raises(InvalidFile, match=words):
        list(read_delimited(Source("rows.csv", io.BytesIO()), iter([text]), DETECT_ALL, labelled=labelled))


def test_a_row_knows_the_line_where_it_begins() -> None:
    rows = read('\ntext,label\n"two\nlines",a\n\nlast,b\n')
    assert rows == [(3, ["two\nlines", "a"]), (6, ["last", "b"])]


@pytest.mark.parametrize("header", ["text;label, by whom", "id\ttext, or so\tlabel", "text|label"])
def test_the_delimiter_is_the_one_that_gives_known_names(header: str) -> None:
    delimiter = next(each for each in ";\t|" if each in header)
    columns = len(header.split(delimiter))
    assert read(f"{header}\n{delimiter.join('a' * columns)}\n") == [(2, ["a"] * columns)]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_end_as_anywhere(end: str) -> None:
    rows = read(end.join(("text,label", "a,b", "", '"two' + end + 'lines",d', "")))
    assert rows == [(2, ["a", "b"]), (4, [f"two{end}lines", "d"])]


def test_rows_of_delimiters_only_are_left_out() -> None:
    assert read("id,text\n1,a\n,\n,,,,\n2,\n") == [(2, ["1", "a"]), (5, ["2", ""])]
    assert read('text\n""\n') == [(2, [""])]


def test_a_blank_after_each_comma_is_no_part_of_a_value() -> None:
    options = ReadOptions(label_column="label")
    assert read('text, label\n"a, b", c\n', options) == [(2, ["a, b", "c"])]
    assert read("text, label\na, b\n", ReadOptions(header=False)) == [(1, ["text", " label"]), (2, ["a", " b"])]


def test_excels_line_about_the_delimiter_is_obeyed() -> None:
    assert read("sep=;\r\nid;text\r\n1;a, b\r\n") == [(3, ["1", "a, b"])]
    assert read('"sep=|"\ntext|n\na|b\n') == [(3, ["a", "b"])]


def test_quotation_marks_may_be_characters_like_any_other() -> None:
    assert read('text\tn\n"a\tb"\n', ReadOptions(quoting="none")) == [(2, ['"a', 'b"'])]
    assert read('text\tn\n"a\tb"\tc\n', ReadOptions(quoting="csv")) == [(2, ["a\tb", "c"])]


def test_a_mail_of_several_lines_is_one_text() -> None:
    mail = "Hello, all\nI paid 1,000 EUR\nKind regards"
    assert read(f'text,label\n"{mail}",billing\n') == [(2, [mail, "billing"])]


def test_only_a_wanted_column_must_have_a_name_of_its_own() -> None:
    assert read("text,a,a\nx,1,2\n") == [(2, ["x", "1", "2"])]
    assert read("text,text\nx,y\n", ReadOptions(text_column=("text_2",))) == [(2, ["x", "y"])]


def test_without_a_header_the_first_line_is_a_row() -> None:
    assert read("a,b\nc,d\n", ReadOptions(header=False)) == [(1, ["a", "b"]), (2, ["c", "d"])]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("text,label\na\n", "line 2: the first line has 2 fields, this row 1\\."),
        ("text,label\na,b\na,b,c\n", "line 3: the first line has 2 fields, this row 3\\."),
        ('text,label\na,b\n"open,b\nc,d\n', "line 3: a quotation mark is opened here and never closed"),
        ('text,label\n"a"b,c\n', "line 2: something follows a closing quotation mark"),
        ('text,label\n"a,b\nc"",d\n', "line 2: .*quoting=none"),
        ('text,label\n"a,b\nc",d\n', "line 2: a quotation mark holds together what may be several rows.*quoting=csv"),
        ('text\tlabel\n"a\nb"\tc\n', "line 2: a quotation mark holds together.*quoting=none"),
        ("text,label\na,b\ntext,label\n", "line 3: 'label', which stands in the first line, comes again.*header=True"),
        ("text\na,b\n", "line 2: the first line has 1 field, this row 2\\."),
        (",,\n,,\n", "there is nothing in it"),
        ("text,text\na,b\n", "line 1: two columns are called 'text'.*text_column; .*'text_2'"),
        ("one,two\na,b\n", "line 1: the first line, 'one', 'two', names no column that is known.*header=False"),
        ("What is it?,description\na,b\n", "names no column that is known"),
    ],
)
def test_a_wrong_row_is_told_with_its_line(text: str, words: str) -> None:
    with pytest.raises(InvalidFile, match=words):
        read(text)


def test_a_named_column_makes_a_header_in_any_case() -> None:
    assert read("One,two\na,b\n", ReadOptions(text_column=("one",))) == [(2, ["a", "b"])]
    with pytest.raises(InvalidFile, match=r"there is no column 'three'.*header=False"):
        read("one,two\na,b\n", ReadOptions(text_column=("three",)))


def test_only_known_names_make_a_header() -> None:
    assert evidence_of("id,text", DETECT_ALL) == (Evidence.SURE, ["id", "text"])
    assert evidence_of("Hello, world", DETECT_ALL)[0] is Evidence.NONE


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ('label,text\nbug,"it crashed\ntoday"\nidea,more\n', [["bug", "it crashed\ntoday"], ["idea", "more"]]),
        ('label,text\r\nbug,"it crashed\r\ntoday"\r\n', [["bug", "it crashed\r\ntoday"]]),
        ('text,label\n"so, it\ncrashed",bug\n', [["so, it\ncrashed", "bug"]]),
        ('text,note,label\nhi,"one\ntwo",bug\n', [["hi", "one\ntwo", "bug"]]),
    ],
)
def test_a_quoted_text_of_two_lines_is_one_value_wherever_it_stands(text: str, rows: list[list[object]]) -> None:
    assert [values for _, values in read(text)] == rows


@pytest.mark.parametrize(
    "text", ['label,text\nbug,"15 inch\nidea,24"\n', 'id,text,label\n1,"15 inch,bug\n2,24",idea\n']
)
def test_stray_quotation_marks_that_join_whole_rows_are_refused(text: str) -> None:
    with pytest.raises(InvalidFile, match="what may be several rows"):
        read(text)
