"""Records of Argilla: which responses count, suggestions, several questions, and the forms of its releases."""

import pytest

from tests.files.formats.argilla_samples import FLAT, GUESS, NESTED, record
from tests.files.formats.checks import left_out, reader_of, refused
from tests.files.formats.reading import sniff_all, told

rows_of = reader_of("argilla")


def test_a_record_keeps_its_name_and_its_form() -> None:
    first, *_ = rows_of(NESTED)
    assert first.id == "r1"
    assert first.values == NESTED[0]


def test_several_people_count_by_majority_and_a_tie_is_left_out() -> None:
    rows = [record(1, "a", "A", "B", "A"), record(2, "b", "A", "B")]
    assert told(rows_of(rows)) == [("a", ("A",))]
    assert left_out(rows_of(rows)) == [("b", "its 2 annotators differ, and no choice is that of most: A, B.", False)]
    [(_, why, is_wrong), _] = left_out(rows_of(rows, annotators="refuse"))
    assert is_wrong
    assert "A, B, A" in why


def test_drafts_and_discarded_responses_do_not_count() -> None:
    responses = {
        "label": [
            {"value": "A", "user_id": "u1", "status": "discarded"},
            {"value": "A", "user_id": "u2", "status": "draft"},
            {"value": "B", "user_id": "u3", "status": "submitted"},
        ]
    }
    rows = [record(1, "a", responses=responses), record(2, "b", responses={"label": responses["label"][:2]})]
    assert told(rows_of(rows)) == [("a", ("B",))]
    assert left_out(rows_of(rows)) == [("b", "its responses are drafts or were discarded, so it is no example.", False)]


def test_suggestions_are_labels_only_if_they_are_asked_for() -> None:
    rows = [record(1, "a", suggestions=GUESS), record(2, "b", "negative")]
    assert told(rows_of(rows)) == [("b", ("negative",))]
    [(text, why, is_wrong)] = left_out(rows_of(rows))
    assert (text, is_wrong) == ("a", False)
    assert "label_column=suggestions.label" in why
    assert told(rows_of(rows, label_column="suggestions.label")) == [("a", ("positive",)), ("b", None)]
    assert told(rows_of(FLAT, label_column="suggestions.label"))[0] == ("The delivery was fast", ("positive",))


def test_several_questions_are_asked_about_and_an_option_names_one() -> None:
    responses = {name: [{"value": value, "user_id": "u"}] for name, value in (("topic", "billing"), ("mood", "angry"))}
    rows = [record(1, "a", responses=responses)]
    message, parameter = refused(rows_of, rows)
    assert "labels of several questions, 'mood', 'topic'" in message
    assert parameter == "label_column"
    assert told(rows_of(rows, label_column="mood")) == [("a", ("angry",))]
    assert told(rows_of(rows, label_column="responses.topic")) == [("a", ("billing",))]
    message, parameter = refused(rows_of, rows, labels_column="team")
    assert "there is no question 'team'" in message
    assert parameter == "labels_column"


def test_the_text_is_the_only_field_or_named() -> None:
    rows = [{**record(1, "", "A"), "fields": {"mail": "hello", "n": 3}}]
    assert told(rows_of(rows)) == [("hello", ("A",))]
    rows = [{**record(1, "", "A"), "fields": {"question_1": "hello", "answer_1": "you"}}]
    assert refused(rows_of, rows)[1] == "text_column"
    assert told(rows_of(rows, text_column=("fields.question_1",))) == [("hello", ("A",))]
    assert told(rows_of(rows, text_column=("question_1", "answer_1"))) == [("hello\n\nyou", ("A",))]


def test_a_rating_is_the_label_of_its_digits() -> None:
    assert told(rows_of([record(1, "a", 4, 4, 5)])) == [("a", ("4",))]


def test_suggestions_before_release_2_name_their_question() -> None:
    suggestions = [{"question_name": "topic", "value": "billing"}]
    rows = [{"id": "1", "fields": {"text": "a"}, "responses": [], "suggestions": suggestions}]
    assert told(rows_of(rows, label_column="suggestions.topic")) == [("a", ("billing",))]
    assert told(rows_of(rows)) == []


def test_records_of_another_service_are_not_taken_for_argillas() -> None:
    assert "argilla" not in sniff_all(b'{"fields": {"text": "a"}, "label": "A"}\n')
    assert "argilla" not in sniff_all(b'{"text": "a", "responses": 3}\n')


@pytest.mark.parametrize(
    "row",
    [
        {"fields": None, "responses": {}},
        {"fields": {"text": None}, "responses": {}},
        {"fields": {"text": [{"role": "user", "content": "hi"}]}, "responses": {}},
        {"fields": {}, "responses": {}},
        record(1, "a", {"value": "A"}),
        record(1, "a", [{"start": 0, "end": 3, "label": "PERSON"}]),
        record(1, "a", True),
        record(1, "a", " "),
        record(1, " ", "A"),
        None,
    ],
)
def test_a_broken_row_is_left_out_as_wrong_and_the_rest_is_read(row: object) -> None:
    rows = rows_of([row, record(2, "b", "B")])
    assert told(rows) == [("b", ("B",))]
    assert [is_wrong for _, _, is_wrong in left_out(rows)] == [True]


@pytest.mark.parametrize(
    "responses", [None, [], [None], [{"values": None}], {"label": None}, {"label": [None]}, {"label": "A"}, 7]
)
def test_what_is_no_response_labels_nothing(responses: object) -> None:
    assert told(rows_of([record(1, "a", responses=responses)])) == [("a", None)]
