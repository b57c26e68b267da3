"""Lines of text in blocks: none is lost, each has its number, and runs of blank ones are not looked at one by one."""

import io
import itertools
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windrow.domain.errors import InvalidFile
from windrow.domain.read_options import Format, ReadOptions
from windrow.files import lines as lines_module
from windrow.files.decoding import Source
from windrow.files.lines import BLANK_LINES, Lines
from windrow.files.table_opening import open_rows

SOURCE = Source("any", io.BytesIO())
BEGINNINGS: dict[Format, tuple[bytes, bytes]] = {
    "csv": (b'text,label\n"a\n\n\nb",x\n', b"c,x\n"),
    "tsv": (b"text\tlabel\na\tx\n", b"c\tx\n"),
    "jsonl": (b'{"text": "a"}\n', b'{"text": "c"}\n'),
    "json": (b'[{"text": "a"},\n', b'{"text": "c"}]'),
    "txt": (b"a\n", b"c\n"),
}


def blocks_of(text: str, cuts: list[int]) -> Iterator[str]:
    # No line end of two characters falls between two blocks.
    places = sorted({cut for cut in cuts if cut < len(text) and text[cut - 1 : cut + 1] != "\r\n"} | {0, len(text)})
    return iter([text[start:end] for start, end in itertools.pairwise(places)])


@given(st.text(st.sampled_from("a\n\r\u2028é")), st.lists(st.integers(0, 40)))
def test_lines_are_the_text_whatever_the_blocks(text: str, cuts: list[int]) -> None:
    assert list(Lines(SOURCE, blocks_of(text, cuts))) == io.StringIO(text, newline="").readlines()


@given(st.text(st.sampled_from("a \t\n\r\u2028"), max_size=40), st.lists(st.integers(0, 40)))
def test_lines_that_are_passed_over_are_blank_and_count(text: str, cuts: list[int]) -> None:
    lines, found = Lines(SOURCE, blocks_of(text, cuts)), []
    lines.pass_over(BLANK_LINES)
    for line in lines:
        found.append((lines.number, line))
        lines.pass_over(BLANK_LINES)
    every = list(enumerate(io.StringIO(text, newline="").readlines(), 1))
    # What is blank and ends with the file is no whole line.
    assert found == [(number, line) for number, line in every if not (line.isspace() and line[-1] in "\r\n")]


def test_a_line_that_is_put_back_comes_again() -> None:
    lines = Lines(SOURCE, iter(["a\nb", "c\n\n", "d"]))
    assert [next(lines), next(lines)] == ["a\n", "bc\n"]
    lines.put_back("bc\n")
    assert lines.number == 1
    assert list(lines) == ["bc\n", "\n", "d"]


def test_a_line_without_an_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines_module, "MAX_LINE_CHARS", 10)
    blocks = iter(["short\n", "a" * 6, "a" * 6])
    with pytest.raises(InvalidFile, match="line 2: the line has more than 10 characters"):
        list(Lines(SOURCE, blocks))


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("format_", BEGINNINGS)
def test_a_million_blank_lines_are_not_looked_at_one_by_one(
    format_: Format, end: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    given, real = [0], Lines.__next__

    def count(self: Lines) -> str:
        given[0] += 1
        return real(self)

    monkeypatch.setattr(Lines, "__next__", count)
    beginning, row = (part.replace(b"\n", end) for part in BEGINNINGS[format_])
    content = beginning + end * 1_000_000 + row
    _, _, rows = open_rows(Source("any", io.BytesIO(content)), "any", ReadOptions(format=format_), labelled=False)
    *_, (line, last) = rows
    assert last["text"] == "c"
    assert line == 1_000_001 + beginning.count(end) or format_ == "json"
    assert given[0] < 20


def test_lines_of_delimiters_alone_are_no_rows_and_count() -> None:
    content = b'text;label\n;\n;\n"a\n;\n;\n";x\n;\n;y\n'
    source = Source("any", io.BytesIO(content))
    _, _, rows = open_rows(source, "any.csv", ReadOptions(quoting="csv"), labelled=False)
    assert [(line, row["text"]) for line, row in rows] == [(4, "a\n;\n;\n"), (9, "")]
