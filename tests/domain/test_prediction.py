"""The rules that a predict must follow before anybody looks at a classifier."""

import copy
import math
from typing import Any

import pytest

from windrow.domain.errors import (
    InvalidName,
    InvalidParameter,
    InvalidRequest,
    InvalidText,
    LimitExceeded,
    WindrowError,
)
from windrow.domain.prediction import (
    Answer,
    Predicted,
    Prediction,
    PredictLimits,
    PredictRequest,
    always_connected,
    check_predict_request,
    check_share,
)

LIMITS = PredictLimits(max_texts=3, max_model_names=2, max_text_chars=5)


def test_predictions_are_copied_with_their_number_of_tokens() -> None:
    one = Prediction(label="a", scores={"a": 1.0}, truncated=False, model_name="m", revision=1)
    predicted = Predicted((one,), 7)
    for copied in (copy.copy(predicted), copy.deepcopy(predicted)):
        assert type(copied) is Predicted
        assert (copied, copied.num_tokens) == (predicted, 7)


def asked(names: tuple[str, ...], texts: tuple[str, ...], **more: Any) -> PredictRequest:
    """Return a request in the form that these names and texts have, the singular one where it is possible."""
    by_one, of_one = len(names) == 1, len(texts) == 1
    return PredictRequest(
        model_name=names[0] if by_one else None,
        model_names=None if by_one else names,
        text=texts[0] if of_one else None,
        texts=None if of_one else texts,
        **more,
    )


@pytest.mark.parametrize(
    "request_",
    [
        asked(("a",), ("text",)),
        asked(("a",), ("text",) * 3),
        asked(("a", "a"), ("text",)),
        PredictRequest(model_names=("a",), text="text"),
        PredictRequest(model_name="a", texts=("text",)),
        asked(("a",), ("text",), top_k=0),  # whether it fits is known once the classifiers are
        asked(("a",), ("text",) * 3, abstain_below=0.0, min_in_scope=1.0),
        asked(("a", "b"), ("text",), abstain_below=1.0, min_in_scope=0.0),
        asked(("a",), ("text",), abstain_below=0.6, min_in_scope=0.05, explain=True),
    ],
)
def test_a_request_within_the_rules_is_allowed(request_: PredictRequest) -> None:
    check_predict_request(request_, LIMITS)


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({}, "model_name (or model_names) is missing"),
        ({"text": "a"}, "model_name (or model_names) is missing"),
        ({"model_name": "a"}, "text (or texts) is missing"),
        (
            {"model_name": "a", "model_names": ("a",), "text": "a"},
            "Only one of model_name and model_names may be there",
        ),
        ({"model_name": "a", "text": "a", "texts": ("a",)}, "Only one of text and texts may be there"),
        ({"model_names": ("a",), "texts": ("a",)}, "model_names goes with text, not with texts"),
    ],
)
def test_a_request_in_none_of_the_three_forms_is_refused(fields: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        check_predict_request(PredictRequest(**fields), LIMITS)
    assert caught.value.detail.startswith(f"{problem}. ")
    assert caught.value.facts == {"problems": [problem], "num_problems": 1}


@pytest.mark.parametrize(
    ("names", "texts", "error", "facts"),
    [
        ((), ("a",), InvalidParameter, {"parameter": "model_names", "minimum": 1, "maximum": 2}),
        (("a",), (), InvalidParameter, {"parameter": "texts", "minimum": 1, "maximum": 3}),
        (("a", "b", "c"), ("a",), LimitExceeded, {"limit": 2, "setting": "WINDROW_MAX_MODEL_NAMES"}),
        (("a",), ("a",) * 4, LimitExceeded, {"limit": 3, "setting": "WINDROW_MAX_TEXTS"}),
        (("a", "!"), ("a",), InvalidName, {"name": "!"}),
        (("a",), ("",), InvalidText, {"index": 0}),
        (("a",), ("a", "b", " "), InvalidText, {"index": 2}),
        (("a",), ("a", "\ud800"), InvalidText, {"index": 1}),
        (("a",), ("a", "123456"), LimitExceeded, {"index": 1, "limit": 5, "setting": "WINDROW_MAX_TEXT_CHARS"}),
    ],
)
def test_a_request_that_breaks_a_rule_is_refused_with_the_place_and_the_rule(
    names: tuple[str, ...], texts: tuple[str, ...], error: type[WindrowError], facts: dict[str, object]
) -> None:
    with pytest.raises(error) as caught:
        check_predict_request(asked(names, texts), LIMITS)
    assert caught.value.facts.items() >= facts.items()


def test_a_bad_text_among_several_is_called_by_its_place_and_a_single_one_is_not() -> None:
    with pytest.raises(InvalidText, match=r"^texts\[1\] is blank\."):
        check_predict_request(asked(("a",), ("a", " ")), LIMITS)
    with pytest.raises(InvalidText, match=r"^The text is blank\.") as caught:
        check_predict_request(asked(("a",), (" ",)), LIMITS)
    assert caught.value.facts == {"index": 0}


def test_by_default_a_caller_never_disconnects() -> None:
    assert always_connected()


@pytest.mark.parametrize("parameter", ["abstain_below", "min_in_scope"])
@pytest.mark.parametrize("value", [-0.001, 1.001, math.nan, math.inf, -math.inf])
def test_a_bound_that_is_no_share_is_refused_by_name(parameter: str, value: float) -> None:
    with pytest.raises(InvalidParameter, match=f"^{parameter} is {value}; it must lie between 0 and 1") as caught:
        check_predict_request(asked(("a",), ("text",), **{parameter: value}), LIMITS)
    assert caught.value.facts.items() >= {"parameter": parameter, "minimum": 0, "maximum": 1}.items()


def test_a_share_may_have_a_least_value_of_its_own() -> None:
    check_share("target_precision", None, 0.5)
    check_share("target_precision", 0.5, 0.5)
    with pytest.raises(InvalidParameter, match=r"between 0\.5 and 1"):
        check_share("target_precision", 0.49, 0.5)


@pytest.mark.parametrize(("names", "texts"), [(("a",), ("b", "c")), (("a", "b"), ("c",))])
def test_an_explanation_is_for_one_text_and_one_classifier(names: tuple[str, ...], texts: tuple[str, ...]) -> None:
    with pytest.raises(InvalidParameter, match=r"^explain goes with one text and one classifier") as caught:
        check_predict_request(asked(names, texts, explain=True), LIMITS)
    assert caught.value.facts == {"parameter": "explain"}


def test_an_answer_without_a_label_abstained() -> None:
    assert Prediction(label=None, scores={"a": 0.4, "b": 0.6}, model_name="x", revision=1, truncated=False).abstained
    assert not Answer(label="b", scores={"a": 0.4, "b": 0.6}, truncated=False).abstained


@pytest.mark.parametrize(
    ("label", "labels", "given", "abstained"),
    [
        ("a", None, ("a",), False),
        (None, None, (), True),
        (None, ("b", "a"), ("b", "a"), False),
        (None, (), (), False),
    ],
)
def test_an_answer_without_labels_abstains_unless_it_says_that_none_fits(
    label: str | None, labels: tuple[str, ...] | None, given: tuple[str, ...], abstained: bool
) -> None:
    answer = Prediction(
        label=label, labels=labels, scores={"a": 0.5, "b": 0.5}, truncated=False, model_name="m", revision=1
    )
    assert (answer.given, answer.abstained) == (given, abstained)
