"""The JSON shapes of a report, to and from the domain."""

import json
from dataclasses import asdict, replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.wire.strategies import any_evaluate, any_report, any_threshold, number, there_and_back
from windrow.domain.classifier import Threshold
from windrow.domain.dataset import DataLimits, DataWarning
from windrow.domain.errors import LimitExceeded
from windrow.domain.interval import Interval
from windrow.domain.report import (
    Calibration,
    EvaluateRequest,
    LabelReport,
    Majority,
    Misread,
    Outcome,
    ReliabilityBin,
    Report,
)
from windrow.wire.report import EvaluateBody, EvaluateReply
from windrow.wire.reports import ThresholdEntry
from windrow.wire.rows import EXAMPLE_DATA

LIMITS = DataLimits()
NOW = datetime(2025, 9, 15, 10, 30, tzinfo=UTC)
REPORT = Report(
    model_name="tickets_v2",
    revision=3,
    alias="tickets",
    outcome=Outcome(
        correct=1,
        total=2,
        accuracy_interval=Interval(0.1, 0.9),
        macro_f1=1 / 3,
        labels=(LabelReport("billing", 1, 1, 2, 0.5, 1.0, 2 / 3), LabelReport("new", 0, 1, 0, None, 0.0, 0.0)),
        confusion=((1, 0), (1, 0)),
        calibration=Calibration(0.3, (ReliabilityBin(0.8, 0.87, 2, 0.8, 0.5),)),
    ),
    majority=Majority("billing", 0.5),
    misread=(Misread(1, "Hello", "new", "billing", 0.81),),
    warnings=(DataWarning("unknown_labels", "One.", (1,)),),
    data_sha256="d" * 64,
    measured_at=NOW,
    is_saved=True,
    threshold=Threshold(0.85, 0.9, 1, 1, 2, "d" * 64, NOW),
)


def test_a_body_that_says_nothing_else_saves_the_score_and_wants_no_threshold() -> None:
    request = EvaluateBody.read({"model_name": "a", "test_data": EXAMPLE_DATA}, LIMITS).to_domain()
    assert (request.is_saved, request.target_precision) == (True, None)


@settings(deadline=None)
@given(st.builds(EvaluateRequest, target_precision=st.none() | number))
def test_a_body_keeps_every_value_on_its_way_to_the_domain(request: EvaluateRequest) -> None:
    sent = {
        "model_name": request.model_name,
        "test_data": [asdict(row) for row in request.rows],
        "save": request.is_saved,
        "target_precision": request.target_precision,
    }
    assert EvaluateBody.read(json.loads(json.dumps(sent)), LIMITS).to_domain() == request


@pytest.mark.parametrize("fields", [{"save": None}, {"save": "no"}, {"target_precision": "0.9"}, {"test_data": None}])
def test_no_other_value_is_converted(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        EvaluateBody.read({"model_name": "a", "test_data": EXAMPLE_DATA, **fields}, LIMITS)


def test_too_many_rows_are_refused_and_of_wrong_ones_few_are_described() -> None:
    with pytest.raises(LimitExceeded, match=r"^test_data has 3 rows"):
        EvaluateBody.read({"model_name": "a", "test_data": [None] * 3}, DataLimits(max_rows=2))
    with pytest.raises(ValidationError) as caught:
        EvaluateBody.read({"model_name": "a", "test_data": [None] * 5_000}, LIMITS)
    assert caught.value.error_count() < 20


@settings(deadline=None)
@given(any_report)
def test_a_report_survives_the_way_out_and_back(report: Report) -> None:
    assert there_and_back(EvaluateReply, report) == report


@settings(deadline=None)
@given(any_threshold)
def test_a_threshold_survives_the_way_out_and_back(threshold: Threshold) -> None:
    assert there_and_back(ThresholdEntry, threshold) == threshold


def test_a_report_is_shown_flat_with_what_follows_from_its_figures() -> None:
    shown = EvaluateReply.of(REPORT).model_dump()
    assert (shown["model_name"], shown["revision"], shown["alias"]) == ("tickets_v2", 3, "tickets")
    assert (shown["accuracy"], shown["correct"], shown["total"]) == (0.5, 1, 2)
    assert shown["accuracy_interval"] == {"low": 0.1, "high": 0.9}
    assert [entry["shown"] for entry in shown["labels"]] == ["1.00 (1/1)", "0.00 (0/1)"]
    assert shown["confusion_matrix"] == {"labels": ["billing", "new"], "counts": [[1, 0], [1, 0]]}
    assert shown["calibration"]["bins"] == [{"low": 0.8, "high": 0.87, "rows": 2, "mean_score": 0.8, "accuracy": 0.5}]
    assert shown["majority_baseline"] == {"label": "billing", "accuracy": 0.5}
    assert shown["misread"] == [{"row": 1, "text": "Hello", "label": "new", "predicted": "billing", "score": 0.81}]
    assert (shown["test_data_sha256"], shown["measured_at"]) == ("d" * 64, "2025-09-15T10:30:00Z")
    assert shown["saved"] is True


def test_a_threshold_is_shown_with_the_precision_and_the_share_of_rows_that_it_reached() -> None:
    shown = EvaluateReply.of(REPORT).threshold
    assert shown is not None
    assert (shown.abstain_below, shown.target_precision, shown.precision, shown.coverage) == (0.85, 0.9, 1.0, 0.5)
    assert EvaluateReply.of(replace(REPORT, threshold=None)).threshold is None


@settings(deadline=None)
@given(any_evaluate)
def test_a_request_survives_the_way_there(request: EvaluateRequest) -> None:
    assert there_and_back(EvaluateBody, request) == request
