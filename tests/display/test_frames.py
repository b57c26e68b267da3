import sys
from dataclasses import replace
from datetime import datetime
from typing import Any

import pandas as pd
import polars as pl
import pytest

from tests.domain.test_shown import REPLIES
from windrow.api.examples import example_of
from windrow.display.frames import to_frame
from windrow.domain.classifier import Classifier
from windrow.domain.comparison import Comparison
from windrow.domain.job import JobList
from windrow.domain.listing import Listing
from windrow.domain.prediction import Prediction, Predictions
from windrow.domain.report import Calibration, ConfusionMatrix, Report
from windrow.domain.training_report import Estimate


@pytest.fixture(params=[None, "pandas"])
def library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Which library is there: with pandas, that one; without, polars."""
    if request.param is None:
        return pd.DataFrame
    monkeypatch.setitem(sys.modules, request.param, None)
    return pl.DataFrame


@pytest.mark.parametrize("kind", REPLIES)
def test_each_reply_is_a_frame_of_the_library_that_is_there(kind: Any, library: Any) -> None:
    frame = to_frame(example_of(kind))
    assert type(frame) is library
    assert len(set(frame.columns)) == len(frame.columns)


def test_a_listing_has_a_row_for_each_classifier_and_a_column_for_each_part(library: Any) -> None:
    bare = replace(example_of(Classifier), name="other")
    one = replace(bare, name="tickets_v1", report=replace(bare.report, estimate=example_of(Estimate)))
    frame = to_frame(Listing((one, bare)), all_fields=True)
    assert list(frame["name"]) == ["tickets_v1", "other"]
    assert frame["report.estimate.interval.low"][0] == example_of(Estimate).interval.low
    assert "report.estimate" not in list(frame.columns)
    assert isinstance(frame["created_at"][0], datetime)


def test_a_listing_has_the_main_columns_unless_all_are_asked_for(library: Any) -> None:
    bare = replace(example_of(Classifier), name="other")
    estimate = example_of(Estimate)
    listing = Listing((replace(bare, name="tickets_v1", report=replace(bare.report, estimate=estimate)), bare))
    frame = to_frame(listing)
    assert list(frame.columns)[:4] == ["name", "revision", "labels", "num_examples"]
    assert len(frame.columns) == 11
    assert frame["report.estimate.accuracy"][0] == estimate.accuracy
    assert set(frame.columns) < set(to_frame(listing, all_fields=True).columns)
    assert list(to_frame(Listing(())).columns) == list(frame.columns)


def test_answers_have_a_column_for_each_label(library: Any) -> None:
    answer = example_of(Prediction)
    frame = to_frame(Predictions([answer, answer]))
    assert list(frame["scores.billing"]) == [answer.scores["billing"]] * 2
    assert list(frame["label"]) == ["billing"] * 2


def test_a_value_with_entries_has_a_row_for_each_of_them(library: Any) -> None:
    report = example_of(Report)
    assert list(to_frame(report)["label"]) == [each.label for each in report.labels]
    assert len(to_frame(report.calibration)) == len(report.calibration.bins)
    assert isinstance(report.calibration, Calibration)
    assert len(to_frame(example_of(Comparison))) == len(example_of(Comparison).models)
    assert len(to_frame(JobList(()))) == 0


def test_a_confusion_matrix_is_a_frame_also_with_a_label_called_label(library: Any) -> None:
    frame = to_frame(ConfusionMatrix(("label", "b"), ((1, 2), (3, 4))))
    assert list(frame.columns) == ["label", "given.label", "given.b"]
    assert list(frame["given.b"]) == [2, 4]


def test_without_either_library_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(ImportError, match=r"needs pandas or polars, and neither is installed.*pip install pandas"):
        to_frame(example_of(Report))
