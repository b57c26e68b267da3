"""The JSON shapes of what a training reports."""

from dataclasses import asdict

import pytest
from hypothesis import given, settings

from tests.fakes.operations import ADAPTER
from tests.wire.strategies import any_record, any_threshold, sent, there_and_back
from windrow.domain.classifier import HeadReport, Record, ScoreReport, Threshold
from windrow.domain.dataset import DataWarning
from windrow.wire.reports import AdapterEntry, FitReport, HeadEntry, ScoresEntry, ThresholdEntry, WarningEntry


def test_everything_that_is_known_of_an_adapter_is_shown_and_comes_back() -> None:
    shown = AdapterEntry.of(ADAPTER)
    assert shown.model_dump() == {**asdict(ADAPTER), "candidates": [asdict(each) for each in ADAPTER.candidates]}
    assert shown.to_domain() == ADAPTER


@settings(deadline=None)
@given(any_record)
def test_what_a_record_says_of_its_rows_comes_back(record: Record) -> None:
    shown = FitReport.model_validate_json(sent(FitReport.of(record)))
    assert (shown.to_data(), shown.to_estimate()) == (record.data, record.summary.estimate)


@settings(deadline=None)
@given(any_threshold)
def test_a_threshold_is_shown_with_what_it_reached_and_comes_back(threshold: Threshold) -> None:
    shown = ThresholdEntry.of(threshold)
    assert shown.precision == threshold.correct / threshold.answered
    assert shown.coverage == threshold.answered / threshold.total
    assert there_and_back(ThresholdEntry, threshold) == threshold


@pytest.mark.parametrize(
    "report", [ScoreReport(1.25, "out_of_fold", 0.62, 0.11), ScoreReport(1.16, "prior", None, None)]
)
def test_how_scores_came_to_mean_what_they_say_comes_back(report: ScoreReport) -> None:
    assert there_and_back(ScoresEntry, report) == report


def test_a_head_and_a_warning_come_back_as_they_were() -> None:
    head, warning = HeadReport(4.0, None, 0), DataWarning("small_classes", "Few rows.", (1, 2))
    assert HeadEntry.of(head).to_domain() == head
    assert WarningEntry.of(warning).to_domain() == warning
