"""The JSON shapes of a comparison, to and from the domain."""

import json
from dataclasses import asdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.wire.strategies import any_compare, any_comparison, there_and_back
from windrow.domain.comparison import CompareRequest, Comparison, Pair
from windrow.domain.dataset import DataLimits
from windrow.domain.errors import LimitExceeded
from windrow.domain.interval import Interval
from windrow.wire.comparison import CompareBody, CompareReply, PairEntry
from windrow.wire.rows import EXAMPLE_DATA

LIMITS = DataLimits()


@settings(deadline=None)
@given(st.builds(CompareRequest))
def test_a_body_keeps_every_value_on_its_way_to_the_domain(request: CompareRequest) -> None:
    sent = {"model_names": request.model_names, "test_data": [asdict(row) for row in request.rows]}
    assert CompareBody.read(json.loads(json.dumps(sent)), LIMITS).to_domain() == request


@settings(deadline=None)
@given(any_compare)
def test_a_request_survives_the_way_there(request: CompareRequest) -> None:
    assert there_and_back(CompareBody, request) == request


@pytest.mark.parametrize("names", [None, "a", [1, 2], {"a": "b"}, ["a", None]])
def test_names_that_are_no_list_of_strings_are_refused(names: object) -> None:
    with pytest.raises(ValidationError):
        CompareBody.read({"model_names": names, "test_data": EXAMPLE_DATA}, LIMITS)


def test_too_many_rows_are_refused_and_of_what_is_wrong_little_is_described() -> None:
    with pytest.raises(LimitExceeded, match=r"^test_data has 3 rows"):
        CompareBody.read({"model_names": ["a", "b"], "test_data": [None] * 3}, DataLimits(max_rows=2))
    with pytest.raises(ValidationError) as caught:
        CompareBody.read({"model_names": [1] * 5_000, "test_data": [None] * 5_000}, LIMITS)
    assert caught.value.error_count() < 20


@settings(deadline=None)
@given(any_comparison)
def test_a_comparison_survives_the_way_out_and_back(comparison: Comparison) -> None:
    assert there_and_back(CompareReply, comparison) == comparison


@settings(deadline=None)
@given(any_comparison)
def test_each_classifier_is_shown_with_its_whole_outcome_and_its_labels_for_people(comparison: Comparison) -> None:
    for shown, contender in zip(CompareReply.of(comparison).models, comparison.contenders, strict=True):
        assert shown.accuracy == contender.outcome.accuracy
        assert [entry.shown for entry in shown.labels] == [report.shown for report in contender.outcome.labels]


def test_a_pair_is_shown_with_what_may_be_concluded() -> None:
    pair = Pair("a", "b", 9, 1, 0.021484375, 0.08, Interval(0.02, 0.14), None, 100)
    assert PairEntry.of(pair).model_dump() == {
        "first": "a",
        "second": "b",
        "fixed": 9,
        "broken": 1,
        "p_value": 0.021484375,
        "difference": 0.08,
        "difference_interval": {"low": 0.02, "high": 0.14},
        "rows_needed": None,
        "total": 100,
        "better": "b",
        "verdict": "b is better (p = 0.0215).",
    }
