"""Files of fastText: what is a label, and what is text."""

import pytest

from tests.files.formats.reading import read_format, sniff_all, told
from tests.files.formats.telling import left_out


def test_a_word_with_the_prefix_inside_is_no_label() -> None:
    assert told(read_format("fasttext", b"__label__a x__label__b c\n")) == [("x__label__b c", ("a",))]


def test_a_label_without_a_name_is_left_out() -> None:
    assert left_out("fasttext", b"__label__ text\n") == [(1, "a label is blank. Correct or remove that row.", True)]


def test_a_line_without_a_text_is_left_out_and_those_after_keep_their_lines() -> None:
    content = b"__label__a\n\n__label__b text\n"
    assert left_out("fasttext", content) == [
        (1, "the text is blank. Fill it in or remove that row.", True),
    ]
    assert [row.place for row in read_format("fasttext", content)] == [1, 3]


def test_a_text_that_speaks_of_labels_later_is_not_taken_for_it() -> None:
    assert "fasttext" not in sniff_all(b"text,label\nhow does __label__ work,a\n", "rows.csv")


def test_labels_behind_the_text_are_recognised_too() -> None:
    content = b"good day __label__a\nbad day __label__b\n"
    assert [*sniff_all(content, "rows.txt")] == ["fasttext"]
    assert told(read_format("fasttext", content)) == [("good day", ("a",)), ("bad day", ("b",))]
    assert sniff_all(b"text,label\ngood day,__label__a\n", "rows.csv") == {}


@pytest.mark.parametrize(
    "content",
    [
        b"good __label__x thing,a\nfoo,b\n",
        b"what does this mean? __label__x\nnothing, I think\n",
        b"[a] __label__x\n[b] __label__y\n",
    ],
)
def test_a_table_or_a_text_in_which_a_label_stands_somewhere_is_not_taken_for_it(content: bytes) -> None:
    assert "fasttext" not in sniff_all(content, "rows.txt")
