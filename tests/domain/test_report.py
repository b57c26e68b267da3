"""What of a report is kept, how a label's share is written, and what may be asked."""

from datetime import UTC, datetime

import pytest

from windrow.domain.classifier import TestScore as Score
from windrow.domain.dataset import Row
from windrow.domain.errors import InvalidName, InvalidParameter
from windrow.domain.interval import Interval
from windrow.domain.report import (
    Calibration,
    ConfusionMatrix,
    CoveragePoint,
    EvaluateRequest,
    LabelReport,
    MajorityBaseline,
    Report,
    check_evaluate_request,
)

NOW = datetime(2025, 9, 15, 10, 30, tzinfo=UTC)
COVERAGE = (
    CoveragePoint(0.0, 8, 3, 1.0, 0.375, Interval(0.1, 0.7)),
    CoveragePoint(0.6, 2, 1, 0.25, 0.5, Interval(0.1, 0.9)),
    CoveragePoint(1.0, 0, 0, 0.0, None, None),
)


def test_what_is_kept_of_a_report_leaves_out_labels_without_rows() -> None:
    labels = (
        LabelReport("a", 5, 6, 5, 1.0, 5 / 6, 10 / 11),
        LabelReport("b", 0, 0, 1, 0.0, None, 0.0),
        LabelReport("new", 0, 2, 0, None, 0.0, 0.0),
    )
    report = Report(
        correct=5,
        total=8,
        accuracy_interval=Interval(0.3, 0.8),
        macro_f1=0.3,
        labels=labels,
        confusion_matrix=ConfusionMatrix(("a", "b", "new"), ((5, 1, 0), (0, 0, 0), (0, 2, 0))),
        calibration=Calibration(0.1, ()),
        model_name="m",
        revision=1,
        alias=None,
        majority_baseline=MajorityBaseline("a", 0.75),
        coverage=COVERAGE,
        misclassified=(),
        warnings=(),
        test_data_sha256="d" * 64,
        measured_at=NOW,
        saved=True,
        proposed_threshold=None,
    )
    assert report.accuracy == 0.625
    assert report.score == Score(
        correct=5,
        total=8,
        test_data_sha256="d" * 64,
        measured_at=NOW,
        macro_f1=0.3,
        ece=0.1,
        correct_per_label={"a": 5, "new": 0},
        rows_per_label={"a": 6, "new": 2},
    )
    assert [report.coverage_at(threshold) for threshold in (0, 0.3, 0.6, 0.61, 1)] == [
        *(COVERAGE[index] for index in (0, 1, 1, 2, 2)),
    ]


@pytest.mark.parametrize(
    ("correct", "total", "shown"), [(5, 6, "0.83 (5/6)"), (0, 3, "0.00 (0/3)"), (7, 7, "1.00 (7/7)"), (0, 0, "- (0/0)")]
)
def test_a_share_is_written_with_the_rows_that_it_rests_on(correct: int, total: int, shown: str) -> None:
    recall = correct / total if total else None
    assert LabelReport("a", correct, total, 0, None, recall, None).recall_text == shown


@pytest.mark.parametrize("target", [None, 0.5, 0.95, 1.0])
@pytest.mark.parametrize("name", ["tickets_v1", "tickets@latest", "tickets_v1@3"])
def test_a_request_that_can_be_answered_is_allowed(name: str, target: float | None) -> None:
    check_evaluate_request(EvaluateRequest(name, (Row("a", "b"),), target_precision=target))


@pytest.mark.parametrize("target", [0.0, 0.4999, 1.0001, -1.0, float("nan"), float("inf")])
def test_a_target_that_half_of_the_answers_or_no_answer_reaches_is_refused(target: float) -> None:
    with pytest.raises(InvalidParameter) as caught:
        check_evaluate_request(EvaluateRequest("a", (), target_precision=target))
    assert caught.value.facts["parameter"] == "target_precision"


@pytest.mark.parametrize("target", [0.0, 0.0099, 1.0001, float("nan")])
def test_a_recall_outside_its_range_is_refused(target: float) -> None:
    check_evaluate_request(EvaluateRequest("a", (), target_recall=0.01))
    with pytest.raises(InvalidParameter) as caught:
        check_evaluate_request(EvaluateRequest("a", (), target_recall=target))
    assert caught.value.facts["parameter"] == "target_recall"


def test_a_precision_and_a_recall_together_are_refused() -> None:
    with pytest.raises(InvalidParameter, match="target_recall goes without target_precision"):
        check_evaluate_request(EvaluateRequest("a", (), target_precision=0.9, target_recall=0.9))


def test_a_name_that_breaks_the_grammar_is_refused() -> None:
    with pytest.raises(InvalidName):
        check_evaluate_request(EvaluateRequest("../a", ()))


def test_the_most_frequent_confusion_comes_first() -> None:
    matrix = ConfusionMatrix(("a", "b", "c"), ((5, 1, 0), (0, 9, 3), (1, 0, 0)))
    assert matrix.confusions() == [("b", "c", 3), ("a", "b", 1), ("c", "a", 1)]
    assert ConfusionMatrix(("a", "b"), ((1, 0), (0, 1))).confusions() == []
