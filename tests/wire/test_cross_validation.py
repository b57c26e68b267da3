"""The JSON shapes of a cross-validation, to and from the domain."""

import json
from dataclasses import asdict, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.wire.strategies import any_cross_validate, any_cross_validation, there_and_back
from windrow.domain.cross_validation import CrossValidateRequest, CrossValidation, CurvePoint, LabelAdvice
from windrow.domain.dataset import DataLimits, DataWarning
from windrow.domain.errors import LimitExceeded
from windrow.domain.interval import Interval
from windrow.domain.recipe import Recipe
from windrow.domain.report import Calibration, LabelReport, Majority, Misread, Outcome, ReliabilityBin
from windrow.wire.cross_validation import CrossValidateBody, CrossValidateReply
from windrow.wire.rows import EXAMPLE_DATA

LIMITS = DataLimits()
FOUND = CrossValidation(
    folds=2,
    outcome=Outcome(
        correct=3,
        total=4,
        accuracy_interval=Interval(0.3, 0.95),
        macro_f1=0.73,
        labels=(LabelReport("a", 2, 2, 3, 2 / 3, 1.0, 0.8), LabelReport("b", 1, 2, 1, 1.0, 0.5, 2 / 3)),
        confusion=((2, 0), (1, 1)),
        calibration=Calibration(0.05, (ReliabilityBin(0.8, 0.87, 4, 0.8, 0.75),)),
    ),
    fold_accuracies=(0.5, 1.0),
    majority=Majority("a", 0.5),
    contradicted=(Misread(2, "Hello", "b", "a", 0.9),),
    curve=(CurvePoint(0.5, 1.5, 0.5, {"a": 1.0, "b": 0.0}), CurvePoint(1.0, 2.0, 0.75, {"a": 1.0, "b": 0.5})),
    advice=(LabelAdvice("b", 0.5, helps=True), LabelAdvice("a", 0.0, helps=False)),
    advice_text="More rows of b would help.",
    head_only_accuracy=0.5,
    head_only_interval=Interval(-0.1, 0.6),
    recommended_num_iterations=0,
    recommendation="No gain.",
    warnings=(DataWarning("small_classes", "Few.", (1,)),),
)


def test_a_body_that_says_nothing_else_gets_the_defaults_of_a_fit_and_five_folds() -> None:
    request = CrossValidateBody.read({"training_data": EXAMPLE_DATA}, LIMITS).to_domain()
    assert (request.base_model, request.recipe) == ("sentence-transformers/all-MiniLM-L6-v2", Recipe(20, 16, 0, None))
    assert (request.folds, len(request.rows)) == (5, len(EXAMPLE_DATA))


@settings(deadline=None)
@given(st.builds(CrossValidateRequest, recipe=st.builds(Recipe, st.integers(), st.integers(), st.integers())))
def test_a_body_keeps_every_value_on_its_way_to_the_domain(request: CrossValidateRequest) -> None:
    sent = {
        "training_data": [asdict(row) for row in request.rows],
        "folds": request.folds,
        "base_model": request.base_model,
        "num_iterations": request.recipe.num_iterations,
        "batch_size": request.recipe.batch_size,
        "seed": request.recipe.seed,
    }
    assert CrossValidateBody.read(json.loads(json.dumps(sent)), LIMITS).to_domain() == request


@pytest.mark.parametrize(
    "fields",
    [{"folds": 1.5}, {"folds": "5"}, {"folds": None}, {"folds": True}, {"seed": None}, {"max_seconds": 60}],
)
def test_no_other_value_is_converted_and_no_other_field_taken(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        CrossValidateBody.read({"training_data": EXAMPLE_DATA, **fields}, LIMITS)


def test_rows_over_the_limit_are_refused_before_one_of_them_is_read() -> None:
    with pytest.raises(LimitExceeded, match=r"^training_data has 3 rows"):
        CrossValidateBody.read({"training_data": [None] * 3}, DataLimits(max_rows=2))


def test_of_very_many_wrong_rows_only_the_first_ones_are_described() -> None:
    with pytest.raises(ValidationError) as caught:
        CrossValidateBody.read({"training_data": [{"text": 1}] * 100_000}, LIMITS)
    assert {error["loc"][1] for error in caught.value.errors()} == set(range(10))


@settings(deadline=None)
@given(any_cross_validation)
def test_a_cross_validation_survives_the_way_out_and_back(found: CrossValidation) -> None:
    assert there_and_back(CrossValidateReply, found) == found


def test_a_reply_shows_the_folds_accuracies_with_their_mean_and_spread() -> None:
    shown = CrossValidateReply.of(FOUND).model_dump()
    assert (shown["folds"], shown["fold_accuracies"], shown["mean_accuracy"]) == (2, [0.5, 1.0], 0.75)
    assert shown["accuracy_spread"] == pytest.approx(0.3536, abs=1e-4)
    assert (shown["accuracy"], shown["correct"], shown["total"]) == (0.75, 3, 4)
    assert shown["accuracy_interval"] == {"low": 0.3, "high": 0.95}


def test_a_reply_names_what_was_found_as_people_would() -> None:
    shown = CrossValidateReply.of(FOUND).model_dump()
    assert shown["majority_baseline"] == {"label": "a", "accuracy": 0.5}
    assert shown["probable_label_errors"] == [{"row": 2, "text": "Hello", "label": "b", "predicted": "a", "score": 0.9}]
    assert shown["learning_curve"][0] == {"share": 0.5, "rows": 1.5, "accuracy": 0.5, "recall": {"a": 1.0, "b": 0.0}}
    assert [(each["label"], each["gain"], each["helps"]) for each in shown["advice"]] == [
        ("b", 0.5, True),
        ("a", 0.0, False),
    ]
    assert (shown["head_only_accuracy"], shown["head_only_interval"]) == (0.5, {"low": -0.1, "high": 0.6})
    assert (shown["recommended_num_iterations"], shown["recommendation"]) == (0, "No gain.")
    assert [each["code"] for each in shown["warnings"]] == ["small_classes"]


def test_a_single_fold_has_no_spread() -> None:
    assert replace(FOUND, fold_accuracies=(0.5,)).accuracy_spread == 0


@settings(deadline=None)
@given(any_cross_validate)
def test_a_request_survives_the_way_there(request: CrossValidateRequest) -> None:
    assert there_and_back(CrossValidateBody, request) == request
