"""The JSON shapes of a predict in its three forms, to and from the domain."""

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.wire.strategies import any_explanation, any_question, there_and_back
from windrow.domain.errors import InvalidParameter
from windrow.domain.explanation import Explanation, NearRow, WordEffect
from windrow.domain.prediction import Prediction, PredictRequest
from windrow.wire.prediction import EXAMPLES, ClassifiersReply, PredictBody, PredictReply, TextsReply

PREDICTIONS = st.builds(
    Prediction,
    label=st.none() | st.text(),
    scores=st.dictionaries(st.text(), st.floats(0, 1), min_size=1),
    revision=st.integers(1, 10**6),
    in_scope=st.none() | st.floats(0, 1),
    explanation=st.none(),
)
BOUNDS = st.none() | st.floats(allow_nan=False, allow_infinity=False)
ANSWER = Prediction("a", {"a": 0.75, "b": 0.25}, "x", 3, truncated=False, alias="y", in_scope=0.5)


@settings(deadline=None)
@given(st.text(), st.lists(st.text()), st.none() | st.integers(), st.tuples(BOUNDS, BOUNDS, st.booleans()))
def test_a_body_keeps_every_value_on_its_way_to_the_domain(
    one: str, many: list[str], top_k: int | None, more: tuple[float | None, float | None, bool]
) -> None:
    bodies: dict[PredictRequest, dict[str, object]] = {
        PredictRequest((one,), (one,), top_k, *more): {"model_name": one, "text": one},
        PredictRequest((one,), tuple(many), top_k, *more): {"model_name": one, "texts": many},
        PredictRequest(tuple(many), (one,), top_k, *more): {"model_names": many, "text": one},
    }
    said = {"top_k": top_k, **dict(zip(("abstain_below", "min_in_scope", "explain"), more, strict=True))}
    for expected, body in bodies.items():
        assert PredictBody.model_validate({**body, **said}).to_domain() == expected


@settings(deadline=None)
@given(any_question)
def test_a_question_survives_the_way_there(request: PredictRequest) -> None:
    assert there_and_back(PredictBody, request) == request


@pytest.mark.parametrize(
    ("names", "texts", "what"),
    [("ab", "xy", "Several texts"), ("", "", "model_names is empty"), ("", "xy", "model_names"), ("ab", "", "texts")],
)
def test_a_question_that_has_no_form_is_refused_in_the_words_of_the_domain(names: str, texts: str, what: str) -> None:
    with pytest.raises(InvalidParameter, match=f"^{what}"):
        PredictBody.of(PredictRequest(tuple(names), tuple(texts)))


def test_a_body_that_says_nothing_else_gets_a_label_as_before_and_no_explanation() -> None:
    asked = PredictBody.model_validate({"model_name": "a", "text": "b"}).to_domain()
    assert asked == PredictRequest(("a",), ("b",), None, None, None, explain=False)


def test_a_field_that_is_null_counts_as_left_out() -> None:
    body = PredictBody.model_validate({"model_name": "a", "model_names": None, "text": "b", "texts": None})
    assert body.to_domain() == PredictRequest(("a",), ("b",))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "model_name (or model_names) is missing"),
        ({"text": "a"}, "model_name (or model_names) is missing"),
        ({"model_name": "a", "model_names": ["a"], "text": "a"}, "Only one of model_name and model_names"),
        ({"model_name": "a"}, "text (or texts) is missing"),
        ({"model_name": "a", "text": "a", "texts": ["a"]}, "Only one of text and texts"),
        ({"model_names": ["a"], "texts": ["a"]}, "model_names goes with text, not with texts"),
    ],
)
def test_what_is_none_of_the_three_forms_is_refused(body: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(said)):
        PredictBody.model_validate(body)


@pytest.mark.parametrize(
    "wrong",
    [
        {"texts": "abc"},
        {"texts": ["a", 1]},
        {"texts": ["a", None]},
        {"texts": {"0": "a"}},
        {"text": "a", "top_k": 1.5},
        {"text": "a", "top_k": True},
        {"text": "a", "top_k": "1"},
        {"text": "a", "abstain_below": "0.5"},
        {"text": "a", "abstain_below": True},
        {"text": "a", "min_in_scope": "0.5"},
        {"text": "a", "min_in_scope": False},
        {"text": "a", "explain": None},
        {"text": "a", "explain": "true"},
        {"text": "a", "explain": 1},
    ],
)
def test_no_value_is_converted(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        PredictBody.model_validate({"model_name": "a", **wrong})


def test_of_very_many_wrong_texts_only_the_first_is_described() -> None:
    with pytest.raises(ValidationError) as caught:
        PredictBody.model_validate({"model_name": "a", "texts": ["a", *range(100_000)]})
    assert [error["loc"] for error in caught.value.errors()] == [("texts", 1)]


@settings(deadline=None)
@given(PREDICTIONS, st.none() | any_explanation)
def test_a_prediction_survives_the_way_out_and_back(prediction: Prediction, explanation: Explanation | None) -> None:
    prediction = replace(prediction, explanation=explanation)
    shown = PredictReply.of(prediction).model_dump_json()
    assert PredictReply.model_validate_json(shown).to_domain() == prediction


@settings(deadline=None)
@given(st.lists(PREDICTIONS, min_size=1))
def test_many_predictions_survive_the_way_out_and_back_in_their_order(predictions: list[Prediction]) -> None:
    first = predictions[0]
    by_one = tuple(
        replace(each, model_name=first.model_name, revision=first.revision, alias=first.alias) for each in predictions
    )
    shown = TextsReply.of(by_one).model_dump_json()
    assert TextsReply.model_validate_json(shown).to_domain() == by_one
    shown = ClassifiersReply.of(predictions).model_dump_json()
    assert ClassifiersReply.model_validate_json(shown).to_domain() == tuple(predictions)


def test_the_reply_has_the_form_of_the_question() -> None:
    who = {"model_name": "x", "revision": 3, "alias": "y"}
    judged = {"truncated": False, "abstained": False, "in_scope": 0.5}
    unnamed = {"label": "a", "scores": {"a": 0.75, "b": 0.25}, **judged}
    replies = [PredictBody.model_validate(question).reply([ANSWER]).model_dump() for question, _ in EXAMPLES.values()]
    assert replies == [
        {**unnamed, **who, "explanation": None},
        {"predictions": [unnamed], **who},
        {"predictions": [{**unnamed, **who}]},
    ]


def test_the_fields_of_an_answer_keep_their_order_and_new_ones_come_last() -> None:
    assert list(PredictReply.of(ANSWER).model_dump()) == [
        *("label", "scores", "model_name", "revision", "alias", "truncated"),
        *("abstained", "in_scope", "explanation"),
    ]


@pytest.mark.parametrize("form", EXAMPLES)
def test_an_answer_without_a_label_says_that_the_classifier_abstained(form: str) -> None:
    reply = PredictBody.model_validate(EXAMPLES[form][0]).reply([replace(ANSWER, label=None, in_scope=None)])
    shown = reply.model_dump()
    answer = shown["predictions"][0] if "predictions" in shown else shown
    assert (answer["label"], answer["abstained"], answer["in_scope"]) == (None, True, None)
    assert answer["scores"] == {"a": 0.75, "b": 0.25}


def test_an_explanation_is_shown_with_its_rows_and_words() -> None:
    rows, words = (NearRow(4, "My bill", "b", 0.5),), (WordEffect("bill", 3, 0.25), WordEffect("now", 8, -0.125))
    shown = PredictReply.of(replace(ANSWER, explanation=Explanation("b", rows, words))).model_dump()
    assert shown["explanation"] == {
        "label": "b",
        "nearest_rows": [{"row": 4, "text": "My bill", "label": "b", "similarity": 0.5}],
        "words": [{"word": "bill", "start": 3, "effect": 0.25}, {"word": "now", "start": 8, "effect": -0.125}],
    }


def test_rows_that_were_not_kept_are_null_and_not_an_empty_list() -> None:
    shown = PredictReply.of(replace(ANSWER, explanation=Explanation("b", None, ()))).model_dump()
    assert shown["explanation"] == {"label": "b", "nearest_rows": None, "words": []}


def test_the_scores_keep_their_order() -> None:
    answer = Prediction("b", {"b": 0.75, "a": 0.25}, "x", 1, truncated=False)
    assert '{"b":0.75,"a":0.25}' in PredictReply.of(answer).model_dump_json()


@pytest.mark.parametrize("form", EXAMPLES)
def test_the_examples_have_the_shapes_that_they_illustrate(form: str) -> None:
    question, answer = EXAMPLES[form]
    reply = type(PredictBody.model_validate(question).reply([Prediction("a", {}, "x", 1, truncated=False)]))
    reply.model_validate(answer)
