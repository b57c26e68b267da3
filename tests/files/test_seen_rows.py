"""What is noted of rows while an inspection reads them; the rest is tested through `inspect_file`."""

import io

import pytest

from windrow.domain.errors import LimitExceeded
from windrow.files.decoding import Source
from windrow.files.seen_rows import Notes, SeenRows


def source(listener: Notes | None = None) -> Source:
    return Source("a.json", io.BytesIO(), listener=listener)


def test_what_one_may_choose_from_is_part_of_a_question() -> None:
    notes = Notes(max_problems=5)
    source(notes).ask("label_column", "which of {names:quoted} it is, is not clear. Choose.", names=["b", "a"])
    question = notes.questions["label_column"]
    assert (question.detail, question.choices) == ("which of 'b', 'a' it is, is not clear.", ("b", "a"))


def test_columns_that_are_named_in_a_sentence_are_no_choices() -> None:
    notes = Notes(max_problems=5)
    source(notes).ask("text_column", "which of {names} it is, is not clear. Choose.", names="'b', 'a'")
    assert notes.questions["text_column"].choices == ()


def test_more_rows_than_are_taken_are_refused() -> None:
    seen = SeenRows(source(), 2, {}, is_json=True)
    with pytest.raises(LimitExceeded, match="more than 2 rows"):
        list(seen.counted((line, {"text": "a"}) for line in (1, 2, 3)))


def test_a_value_that_no_reply_can_hold_is_a_problem_of_its_row() -> None:
    notes = Notes(max_problems=5)
    seen = SeenRows(source(notes), 9, {}, is_json=True)
    assert [line for line, _ in seen.counted(iter([(1, {"text": "\ud800"}), (2, {"text": "a"})]))] == [2]
    assert [each.line for each in notes.problems] == [1]
    assert (seen.num_rows, seen.columns["text"].values) == (2, {"a"})
