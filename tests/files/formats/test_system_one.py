"""Rows of System One: which question is learned, what the file says of it, and what is broken."""

import pytest

from tests.files.formats.checks import left_out, reader_of, refused
from tests.files.formats.reading import opened, read_whole, told
from tests.files.formats.system_one_samples import EXPECTED, ROWS, SAMPLES, asked
from windrow.files.formats import system_one

rows_of = reader_of("system_one")


def test_what_all_rows_say_of_the_question_describes_the_classifier() -> None:
    with opened(SAMPLES["system_one"][0].content) as document:
        reading = system_one.FORMAT.read(document)
        list(reading.rows)
    # One of the three rows says nothing of it, so it is not what all of them say.
    assert (reading.description, reading.label_descriptions) == ("", {})
    with opened(b"".join(SAMPLES["system_one"][0].content.splitlines(keepends=True)[:2])) as document:
        reading = system_one.FORMAT.read(document)
        list(reading.rows)
    assert reading.description == "Which team is to answer?"
    assert reading.label_descriptions == {"billing": "Invoices and payments", "app": "The app does not work"}


def test_several_questions_are_asked_about_and_an_option_names_one() -> None:
    message, parameter = refused(rows_of, EXPECTED)
    assert "labels of several questions, 'team', 'urgent'" in message
    assert parameter == "label_column"
    assert "there is no question 'mood'" in refused(rows_of, EXPECTED, label_column="mood")[0]


def test_a_state_of_several_texts_is_asked_about() -> None:
    rows = [{"state": {"subject_line": "a", "mail": "b"}, "questions": {"team": asked("A")}}]
    message, parameter = refused(rows_of, rows)
    assert "'state' has several texts, 'mail', 'subject_line'" in message
    assert parameter == "text_column"
    assert told(rows_of(rows, text_column=("state.subject_line,state.mail",))) == [("a\n\nb", ("A",))]
    assert told(rows_of(rows, text_column=("mail",))) == [("b", ("A",))]


def test_an_answer_may_be_several_labels_a_number_or_none() -> None:
    answers: list[object] = [["A", "B"], [], 3, {"label": "A"}]
    rows = [{"state": "a", "questions": {}, "expected": {"q": answer}} for answer in answers]
    assert [labels for _, labels in told(rows_of(rows))] == [("A", "B"), (), ("3",), ("A",)]


def test_a_named_question_is_described_by_itself() -> None:
    content = b'{"state": "a", "questions": {"q": {"instructions": "Which?", "label": "A"}, "r": {"label": "B"}}}\n'
    reading, rows = read_whole("system_one", content, label_column="q")
    assert (reading.description, reading.kind, told(rows)) == ("Which?", "single_label", [("a", ("A",))])


@pytest.mark.parametrize(
    "row",
    [
        {"questions": {"team": asked("A")}},
        {"state": None, "questions": {"team": asked("A")}},
        {"state": 7, "questions": {"team": asked("A")}},
        {"state": {}, "questions": {"team": asked("A")}},
        {"state": "a", "questions": [asked("A")]},
        {"state": "a", "questions": {}, "expected": ["A"]},
        {"state": "a", "questions": {"team": asked({"A": 1})}},
        {"state": "a", "questions": {"team": asked([None])}},
        {"state": "a", "questions": {"team": asked(0.5)}},
        "a",
    ],
)
def test_a_broken_row_is_left_out_as_wrong_and_the_rest_is_read(row: object) -> None:
    rows = rows_of([row, ROWS[1]])
    assert told(rows) == [("It crashes", ("app",))]
    assert [is_wrong for _, _, is_wrong in left_out(rows)] == [True]
