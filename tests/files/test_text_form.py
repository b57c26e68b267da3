"""How a file is written, found in its beginning, and rows written so."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windrow.domain.errors import InvalidParameter
from windrow.domain.read_options import ReadOptions
from windrow.files.decoding import Source
from windrow.files.reading import read_table
from windrow.files.text_form import PLAIN, TextForm, check_written_labels, find_text_form, with_encoding


def form_of(content: bytes, name: str = "a.csv", **options: object) -> TextForm:
    read = ReadOptions(**options)  # type: ignore[arg-type] # the options of a reading
    source = Source(name, io.BytesIO(content), encoding=read.encoding)
    table = read_table(source, name, read)
    list(table.records())
    return find_text_form(source, read)


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("text,label\na,b\n", TextForm()),
        ("text;label\r\na;b\r\n", TextForm(delimiter=";", line_end="\r\n")),
        ("sep=;\r\ntext;label\r\na;b\r\n", TextForm(delimiter=";", line_end="\r\n", declaration="sep=;")),
        ('"sep=|"\ntext|label\na|b\n', TextForm(delimiter="|", declaration='"sep=|"')),
        ('"text","label"\n"a","b"\n', TextForm(quoting="all")),
        ('text,"my label"\na,b\n', TextForm()),
        ("text\tlabel\ra\tb\r", TextForm(delimiter="\t", line_end="\r")),
        ("\n\n  \ntext,label\na,b", TextForm()),
    ],
)
def test_a_form_is_found_in_the_beginning(text: str, form: TextForm) -> None:
    assert form_of(text.encode()) == form


@pytest.mark.parametrize(
    ("content", "options", "encoding", "has_mark"),
    [
        ("\ufefftext\nä\n".encode(), {}, "utf-8", True),
        ("\ufefftext\nä\n".encode("utf-16-le"), {}, "utf-16-le", True),
        ("\ufefftext\nä\n".encode("utf-16-be"), {"encoding": "utf-16"}, "utf-16-be", True),
        ("text\nä\n".encode("utf-16-le"), {"encoding": "utf-16-le"}, "utf-16-le", False),
        ("text\nä\n".encode("utf-32"), {"encoding": "utf-32"}, "utf-32-le", True),
        ("text\nä\n".encode("cp1252"), {"encoding": "windows-1252"}, "cp1252", False),
        ("text\nä\n".encode(), {"encoding": "utf-8-sig"}, "utf-8", False),
        (b"text\na\n", {"encoding": "ascii"}, "utf-8", False),
    ],
)
def test_the_encoding_and_the_mark_are_those_of_the_file(
    content: bytes, options: dict[str, str], encoding: str, has_mark: bool
) -> None:
    form = form_of(content, format="csv", header=True, **options)
    assert (form.encoding, form.has_mark) == (encoding, has_mark)


def test_what_a_user_says_of_header_and_quotation_marks_holds() -> None:
    assert form_of(b"a;b\n", text_column=("1",), header=False).has_header is False
    assert form_of(b'text;label\na"b;c\n', quoting="none").quoting == "none"
    assert form_of(b'text,"my\r\nlabel"\na,b\n', quoting="csv").line_end == "\n"
    assert form_of(b'{"text": "a"}\r\n', "a.jsonl").line_end == "\r\n"


def test_another_encoding_has_all_characters() -> None:
    form = TextForm(encoding="cp1252", delimiter=";")
    assert with_encoding(form, None) is form
    assert with_encoding(form, "utf-8") == TextForm(delimiter=";")
    assert with_encoding(form, "utf-8-sig").mark().encode() == b"\xef\xbb\xbf"
    assert with_encoding(form, "utf-16").holds_all


def test_labels_that_a_file_cannot_hold_are_refused_before_anything_is_written() -> None:
    check_written_labels(("żółty", "a;b"), PLAIN)
    check_written_labels(("gelb", "a;b"), TextForm(encoding="cp1252", delimiter=";"))
    with pytest.raises(InvalidParameter, match="The label 'żółty' holds 'ż', which the encoding of the file, cp1252"):
        check_written_labels(("gelb", "żółty"), TextForm(encoding="cp1252"))
    with pytest.raises(InvalidParameter, match=r"The label 'a;b' holds ';' or a line's end.*Write jsonl"):
        check_written_labels(("a;b",), TextForm(delimiter=";", quoting="none"))


CELLS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
FORMS = st.builds(
    TextForm,
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
    delimiter=st.sampled_from([",", ";", "|", "\t"]),
    quoting=st.sampled_from(["minimal", "all"]),
)


@given(st.lists(st.lists(CELLS, min_size=2, max_size=2), min_size=1, max_size=5), FORMS)
def test_rows_are_read_as_they_were_written(rows: list[list[str]], form: TextForm) -> None:
    assert [form.parsed(form.rows([row])) for row in rows] == rows
