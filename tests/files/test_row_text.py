"""The lines of a table, as Python's own reader of files cuts them."""

import csv
import io
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windrow.domain.errors import InvalidFile
from windrow.domain.read_options import ReadOptions
from windrow.files import row_text
from windrow.files.decoding import Source
from windrow.files.delimited import read_cells, read_delimited
from windrow.files.lines import Lines
from windrow.files.row_text import RowText

CELLS = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF, exclude_characters="\x85\xad"), max_size=6)
WITH_LINES = st.one_of(CELLS, st.sampled_from(['a "quoted" word', "x,y", "two\nlines", "a\u2028b", "'"]))


def cut(text: str, size: int) -> list[str]:
    """Return a text in blocks, no ``\\r\\n`` of which is parted, as a file's decoder gives them."""
    parts = [text[start : start + size] for start in range(0, len(text), size)]
    for at in range(len(parts) - 1):
        if parts[at].endswith("\r") and parts[at + 1].startswith("\n"):
            parts[at], parts[at + 1] = f"{parts[at]}\n", parts[at + 1][1:]
    return [part for part in parts if part]


@given(
    st.lists(st.lists(WITH_LINES, min_size=2, max_size=3).filter(any), min_size=1, max_size=8),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.integers(1, 40),
)
def test_rows_are_those_of_pythons_reader_whatever_the_blocks(
    rows: Sequence[Sequence[str]], line_end: str, size: int
) -> None:
    rows = [["head", "er"], *rows]
    file = io.StringIO(newline="")
    csv.writer(file, lineterminator=line_end).writerows(rows)
    text = file.getvalue()
    expected = list(csv.reader(io.StringIO(text, newline="")))
    options = ReadOptions(quoting="csv")
    read = list(read_cells(Source("a.csv", io.BytesIO()), iter(cut(text, size)), options, delimiter=","))
    assert [row for _, row in read] == expected
    lines = [0]
    for row in expected:
        lines.append(lines[-1] + 1 + sum(cell.count("\n") for cell in row))
    assert [line for line, _ in read] == [line + 1 for line in lines[:-1]]


def test_blocks_of_empty_lines_are_passed_over_and_counted() -> None:
    blocks = ["text,n\n", "a,1\n,\n", "\n" * 1_000, ",\r\n" * 10, "b,2\n", "\n\n", "\n", '"c\n\n', '\n",3\n']
    rows = list(read_delimited(Source("a.csv", io.BytesIO()), iter(blocks), ReadOptions()))
    assert rows == [
        (2, {"text": "a", "n": "1"}),
        (1014, {"text": "b", "n": "2"}),
        (1018, {"text": "c\n\n\n", "n": "3"}),
    ]


def test_a_line_that_is_too_long_is_refused_with_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_text, "MAX_LINE_CHARS", 50)
    blocks = ["text,n\n", "a,1\n", "x" * 40, "x" * 40]
    with pytest.raises(InvalidFile, match=r"a\.csv, line 3: the line has more than"):
        list(read_delimited(Source("a.csv", io.BytesIO()), iter(blocks), ReadOptions()))


def test_what_was_taken_as_lines_is_not_given_again() -> None:
    source = Source("a.csv", io.BytesIO())
    lines = Lines(source, iter(["one\ntw", "o\nthree"]))
    assert next(lines) == "one\n"
    assert list(RowText(source, lines, ",").lines()) == ["two\n", "three"]
