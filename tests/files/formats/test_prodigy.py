"""Annotations of Prodigy: what was accepted, what is no example, and options that are chosen."""

import pytest

from tests.files.formats.checks import left_out, reader_of, refused
from tests.files.formats.prodigy_samples import BINARY, SINGLE, choice
from tests.files.formats.reading import sniff_all, told

rows_of = reader_of("prodigy")


def test_a_rejected_or_ignored_row_is_no_example_and_keeps_its_text() -> None:
    assert left_out(rows_of(BINARY)) == [
        ("The box was empty", "its answer is reject, so it is no example.", False),
        ("asdf", "its answer is ignore, so it is no example.", False),
    ]


def test_the_answer_may_itself_be_the_label() -> None:
    assert [labels for _, labels in told(rows_of(BINARY, label_column="answer"))] == [
        ("accept",),
        ("reject",),
        ("ignore",),
        ("accept",),
    ]


def test_where_nothing_was_chosen_a_row_has_no_label_only_if_there_may_be_any_number() -> None:
    assert ("Nothing fits", "none of its options was chosen", False) in [
        (text, why.partition(".")[0], is_wrong) for text, why, is_wrong in left_out(rows_of(SINGLE))
    ]
    assert ("Nothing fits", ()) in told(rows_of(SINGLE, labels_column="accept"))
    assert told(rows_of([choice(1, "a", [], style="multiple")])) == [("a", ())]


def test_a_row_is_called_as_its_metadata_say_or_by_its_hash() -> None:
    assert rows_of(SINGLE)[0].id == "m1"
    assert rows_of(BINARY)[0].id == "21"


def test_a_task_that_nobody_answered_has_no_labels() -> None:
    row = {name: value for name, value in SINGLE[0].items() if name not in ("accept", "answer")}
    assert told(rows_of([row])) == [("Refund please", None)]


def test_marked_parts_of_texts_are_refused_in_a_sentence() -> None:
    spans = [{"start": 0, "end": 4, "label": "PERSON"}]
    row = {"text": "Anna lives here", "spans": spans, "_input_hash": 1, "_task_hash": 2, "answer": "accept"}
    assert "its labels mark parts of the texts (spans)" in refused(rows_of, [row])[0]
    assert told(rows_of([{**row, "label": "A"}])) == [("Anna lives here", ("A",))]


def test_an_answer_without_what_prodigy_asks_is_not_taken_for_prodigys() -> None:
    assert "prodigy" not in sniff_all(b'{"text": "Is it on?", "answer": "accept"}\n')
    assert "prodigy" not in sniff_all(b'{"text": "Is it on?", "label": "q", "answer": "yes"}\n')


def test_another_key_may_hold_text_and_label() -> None:
    row = {**choice(1, "x", ["billing"]), "meta": {"mail": "a", "team": "T"}}
    assert told(rows_of([row], text_column=("meta.mail",), label_column="meta.team")) == [("a", ("T",))]


@pytest.mark.parametrize(
    "change",
    [
        {"text": None},
        {"text": 3},
        {"text": "  "},
        {"answer": "maybe"},
        {"answer": ["accept"]},
        {"accept": [None]},
        {"accept": {"billing": True}},
        {"accept": [["billing"]]},
        {"accept": None},
        {"options": None, "accept": [" "]},
        {"options": ["billing"], "accept": [True]},
    ],
)
def test_a_broken_row_is_left_out_as_wrong_and_the_rest_is_read(change: dict[str, object]) -> None:
    rows = rows_of([{**SINGLE[0], **change}, SINGLE[1]])
    assert told(rows) == [("It crashes", ("app",))]
    assert [is_wrong for _, _, is_wrong in left_out(rows)] == [True]
