"""Which column is which, by name."""

import pytest

from windrow.domain.read_options import DETECT_ALL, ReadOptions
from windrow.files.columns import (
    Columns,
    Evidence,
    FoundColumns,
    UnresolvedColumn,
    distinct,
    find_columns,
    header_evidence,
    look_for_columns,
)


@pytest.mark.parametrize(
    ("names", "text", "label"),
    [
        (("text", "label"), "text", "label"),
        (("id", "Message ", "Category"), "Message ", "Category"),
        (("title", "text", "topic", "label"), "text", "label"),
        (("intent", "utterance"), "utterance", "intent"),
        (("label", "what they wrote"), "what they wrote", "label"),
        (("X", "y"), "X", "y"),
    ],
)
def test_known_names_are_found_in_any_case_and_of_two_columns_the_label_tells_the_text(
    names: tuple[str, ...], text: str, label: str
) -> None:
    assert find_columns(names, DETECT_ALL, labelled=True) == Columns((text,), label)


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (
            ("title", "summary", "label"),
            "'title', 'summary' could all hold the text. Name the right one with text_column",
        ),
        (("text", "intent", "class"), "'intent', 'class' could all hold the label"),
        (("a", "b", "label"), "not clear which column holds the text. Its columns are 'a', 'b', 'label'"),
        (("text", "a", "b"), "not clear which column holds the label"),
        (("ticket_id", "text"), "not clear which column holds the label. Its columns are 'ticket_id', 'text'"),
        (("a", "b"), "not clear which column holds the text"),
        (("text",), "not clear which column holds the label"),
    ],
)
def test_what_could_be_meant_twice_or_not_at_all_is_refused(names: tuple[str, ...], words: str) -> None:
    with pytest.raises(UnresolvedColumn, match=words):
        find_columns(names, DETECT_ALL, labelled=True)


def test_named_columns_win_in_any_case() -> None:
    options = ReadOptions(text_column=("SUBJECT",), label_column="b")
    assert find_columns(("text", "subject", "b", "label"), options, labelled=True) == Columns(("subject",), "b")


def test_thousands_of_named_columns_take_no_time_out_of_proportion() -> None:
    looks = 0

    class Name(str):
        __slots__ = ()

        def strip(self, chars: str | None = None, /) -> str:
            nonlocal looks
            looks += 1
            return super().strip(chars)

    names = tuple(Name(f"column {number}") for number in range(100))
    many = ReadOptions(text_column=(*("COLUMN 1",) * 1_000, ",".join(("Column 2",) * 1_000)))
    assert look_for_columns(names, many).text == ("column 1", "column 2")
    header_evidence(names, many)
    assert 0 < looks < 20 * len(names)


def test_a_named_column_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(
        UnresolvedColumn, match=r"there is no column 'body'\. Its columns are 'text', 'n'; name one with text_column"
    ):
        find_columns(("text", "n"), ReadOptions(text_column=("body",)), labelled=False)


def test_one_column_cannot_be_both() -> None:
    with pytest.raises(UnresolvedColumn, match="cannot hold both"):
        find_columns(("text", "a"), ReadOptions(text_column=("text",), label_column="text"), labelled=True)


@pytest.mark.parametrize("names", [("anything",), ("label", "anything"), ("intent", "class", "anything", "text")])
def test_without_labels_columns_of_labels_are_in_nobodys_way(names: tuple[str, ...]) -> None:
    assert find_columns(names, DETECT_ALL, labelled=False).label is None


@pytest.mark.parametrize(
    ("names", "evidence"),
    [
        (("id", "Text"), Evidence.SURE),
        (("message", "queue"), Evidence.SURE),
        (("id", "body", "date of receipt"), Evidence.TEXT),
        (("mail", "team"), Evidence.LABEL),
        (("What is an atom?", "description"), Evidence.NONE),
        (("Team", " the login is broken"), Evidence.NONE),
        (("a", "b"), Evidence.NONE),
    ],
)
def test_names_tell_how_sure_it_is_that_they_are_a_header(names: tuple[str, ...], evidence: Evidence) -> None:
    assert header_evidence(names, DETECT_ALL) is evidence
    assert header_evidence(names, ReadOptions(text_column=(names[0],))) is Evidence.SURE


def test_repeated_columns_get_numbers_that_no_other_column_has() -> None:
    assert distinct(("a", "b", "a", "a_2", "a", "")) == ("a", "b", "a_3", "a_2", "a_4", "")


def test_several_text_columns_are_named_by_each_other_or_with_commas_and_each_counts_once() -> None:
    names = ("Subject", "Body", "a,b", "label")
    for asked, found in (
        (("Subject,Body",), ("Subject", "Body")),
        (("body", "SUBJECT , body"), ("Body", "Subject")),
        (("a,b",), ("a,b",)),
        (("a,b", "Body"), ("a,b", "Body")),
    ):
        assert find_columns(names, ReadOptions(text_column=asked), labelled=True) == Columns(found, "label")
        assert look_for_columns(names, ReadOptions(text_column=asked)) == FoundColumns(found, "label")
    with pytest.raises(UnresolvedColumn, match="there is no column 'c'"):
        find_columns(names, ReadOptions(text_column=("Body,c",)), labelled=True)
    with pytest.raises(UnresolvedColumn, match="cannot hold both"):
        find_columns(names, ReadOptions(text_column=("Body,label",), label_column="label"), labelled=True)


def test_a_text_of_several_columns_has_no_gaps_and_shows_what_is_no_string() -> None:
    columns = Columns(("a", "b", "c"))
    assert columns.text_of({"a": "x", "b": " ", "c": "y"}) == "x\n\ny"
    assert columns.text_of({"c": "y"}) == "y"
    assert columns.text_of({"a": " ", "b": None}) == ""
    assert columns.text_of({"a": "x", "b": 5}) == 5
    assert Columns(("a",)).text_of({"a": " x "}) == " x "


def test_thousands_of_equal_names_are_told_apart_at_once() -> None:
    unique = distinct(["a"] * 20_000)
    assert len(set(unique)) == 20_000
    assert unique[-1] == "a_20000"
