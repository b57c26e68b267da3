"""The rules that a request without a classifier must follow, and what its warnings say."""

from typing import Any

import pytest

from windrow.domain.classification import (
    DEFAULT_TEMPLATE,
    Classification,
    Classifications,
    ClassifyRequest,
    check_classify_request,
    warn_of_other_model,
    warn_of_truncated_labels,
)
from windrow.domain.dataset import DataLimits
from windrow.domain.errors import InvalidParameter, InvalidRequest, InvalidText, LimitExceeded, WindrowError
from windrow.domain.prediction import PredictLimits

LIMITS, DATA_LIMITS = PredictLimits(max_texts=3, max_text_chars=5), DataLimits(max_labels=4)


def check(**fields: Any) -> None:
    """Check a request that is right but for these fields."""
    whole = {"text": "text", "labels": ("a", "b"), **fields}
    check_classify_request(ClassifyRequest(**whole), LIMITS, DATA_LIMITS)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"text": None, "texts": ("text",) * 3},
        {"labels": ("a", "A", "á", "a ")},
        {"labels": ("a",), "multi_label": True},
        {"labels": ("l" * 256, "b")},
        {"hypothesis_template": "{}"},
        {"hypothesis_template": "{ {} }"},
        {"hypothesis_template": "{}" + "x" * 998},
        {"model": "facebook/bart-large-mnli"},
        {"model": "any words"},
        {"label_descriptions": {}},
        {"label_descriptions": {"a": "", "b": "What it means"}},
    ],
)
def test_a_request_within_the_rules_is_allowed(fields: dict[str, Any]) -> None:
    check(**fields)


@pytest.mark.parametrize(
    ("fields", "kind", "detail"),
    [
        ({"text": None}, InvalidRequest, "text (or texts) is missing. Pass one text, or several texts."),
        (
            {"texts": ("a",)},
            InvalidRequest,
            "Only one of text and texts may be there. Pass one text, or several texts.",
        ),
        ({"text": None, "texts": ()}, InvalidParameter, "texts is empty. Pass between 1 and 3."),
        (
            {"text": None, "texts": ("a",) * 4},
            LimitExceeded,
            "texts has 4 entries; at most 3 are taken here. Pass fewer, or raise WINDROW_MAX_TEXTS.",
        ),
        ({"text": " "}, InvalidText, "The text is blank. Correct it or leave it out."),
        ({"text": None, "texts": ("a", "")}, InvalidText, "texts[1] is empty. Correct it or leave it out."),
        (
            {"text": "longer"},
            LimitExceeded,
            "The text has 6 characters; at most 5 are taken here. Shorten the text, or raise WINDROW_MAX_TEXT_CHARS.",
        ),
        (
            {"labels": ("a",)},
            InvalidParameter,
            "labels has 1 entry, and needs at least 2. Pass more labels, or pass multi_label=True to ask whether a "
            "single one applies.",
        ),
        (
            {"labels": (), "multi_label": True},
            InvalidParameter,
            "labels has 0 entries, and needs at least 1. Pass more labels.",
        ),
        (
            {"labels": tuple("abcde")},
            LimitExceeded,
            "labels has 5 entries; at most 4 are taken here. Pass fewer, or raise WINDROW_MAX_LABELS.",
        ),
        (
            {"labels": ("a", "b", "a")},
            InvalidParameter,
            "Entry 2 of labels (from 0) is 'a' again, which is entry 0 already. Pass each label once.",
        ),
        (
            {"labels": ("a", "\u3000")},
            InvalidParameter,
            "Entry 1 of labels (from 0) is blank. Correct it or leave it out.",
        ),
        ({"labels": ("", "b")}, InvalidParameter, "Entry 0 of labels (from 0) is empty. Correct it or leave it out."),
        (
            {"labels": ("a", "\ud800")},
            InvalidParameter,
            "Entry 1 of labels (from 0) is not valid Unicode (it holds half of a surrogate pair). Correct it or leave "
            "it out.",
        ),
        (
            {"labels": ("a", "l" * 257)},
            InvalidParameter,
            "Entry 1 of labels (from 0) has 257 characters; a label has at most 256. Shorten it.",
        ),
        (
            {"hypothesis_template": "This text is about it"},
            InvalidParameter,
            "hypothesis_template must hold {} exactly once, in the place of the label, and holds it 0 times. Pass a "
            "sentence such as 'This text is about {}', or leave it out.",
        ),
        (
            {"hypothesis_template": "{} and {}"},
            InvalidParameter,
            "hypothesis_template must hold {} exactly once, in the place of the label, and holds it 2 times. Pass a "
            "sentence such as 'This text is about {}', or leave it out.",
        ),
        (
            {"hypothesis_template": "{}" + "x" * 999},
            InvalidParameter,
            "hypothesis_template has 1001 characters, and may have 1000 at most. Pass a sentence such as 'This text is "
            "about {}', or leave it out.",
        ),
        (
            {"hypothesis_template": "{}\ud800"},
            InvalidParameter,
            "hypothesis_template is not valid Unicode (it holds half of a surrogate pair). Pass a sentence such as "
            "'This text is about {}', or leave it out.",
        ),
        (
            {"model": " "},
            InvalidParameter,
            "model is blank. Pass the id of a base model, or leave it out.",
        ),
        (
            {"model": "m" * 201},
            InvalidParameter,
            "model has more than 200 characters. Pass the id of a base model, or leave it out.",
        ),
        (
            {"label_descriptions": {"c": "no label"}},
            InvalidParameter,
            "label_descriptions describes what is not among labels: 'c'. Add it there, or leave its description out.",
        ),
        (
            {"label_descriptions": {"a": " "}},
            InvalidParameter,
            "In label_descriptions, the description of 'a' is blank. Correct it, or leave it empty.",
        ),
    ],
)
def test_a_request_that_breaks_a_rule_is_refused_with_what_to_do(
    fields: dict[str, Any], kind: type[WindrowError], detail: str
) -> None:
    with pytest.raises(kind) as caught:
        check(**fields)
    assert caught.value.detail == detail


def test_the_default_template_is_none_of_the_callers_own() -> None:
    assert ClassifyRequest(text="a", labels=("b",)).own_template is None
    assert ClassifyRequest(text="a", labels=("b",), hypothesis_template=DEFAULT_TEMPLATE).own_template is None
    assert ClassifyRequest(text="a", labels=("b",), hypothesis_template="So {}").own_template == "So {}"


def test_the_warning_of_another_model_names_both() -> None:
    warning = warn_of_other_model("facebook/bart-large-mnli", "some/encoder")
    assert warning.code == "other_model"
    assert warning.message.startswith("This server has no base model 'facebook/bart-large-mnli', so some/encoder answ")


def test_the_warning_of_long_descriptions_names_five_labels_at_most() -> None:
    assert warn_of_truncated_labels(("a", "b"), 256).message.endswith("was left out: 'a', 'b'.")
    assert warn_of_truncated_labels(tuple("abcdef"), 256).message.endswith("'a', 'b', 'c', 'd', 'e' and 1 more.")


def test_a_list_of_answers_shows_the_first_one_and_how_many_there_are() -> None:
    answer = Classification(
        label="a", labels=None, scores={"a": 1.0, "b": 0.0}, truncated=False, model="some/encoder", multi_label=False
    )
    assert repr(Classifications([answer])) == f"Classifications([{answer!r}])"
    assert repr(Classifications([answer, answer])) == f"Classifications([{answer!r}, … 2 in all])"
    assert Classifications([answer]).to_dicts()[0]["label"] == "a"
