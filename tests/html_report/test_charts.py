"""Pictures lie where the figures say, and say in words what they show."""

import re
from dataclasses import replace

import numpy as np
import pytest

from tests.html_report.examples import content, report_in
from tests.html_report.reading import WholePage
from windrow.domain.interval import Interval
from windrow.domain.report import Calibration, ReliabilityBin
from windrow.html_report.charts import Axis, accuracy_range, coverage_chart, reliability_chart, share_bar
from windrow.html_report.elements import Html
from windrow.learning.coverage import compute_coverage


def parts(html: Html, tag: str, style: str) -> list[dict[str, str]]:
    elements = WholePage(html.encode()).elements
    return [given for each, given in elements if each == tag and given.get("class") == style]


def label(html: Html) -> str:
    (_, given), *_ = WholePage(html.encode()).elements
    assert given["role"] == "img"
    return given["aria-label"]


def test_an_axis_goes_either_way_and_keeps_what_lies_beyond_at_its_end() -> None:
    assert [Axis(0, 0.5, 100, 0).at(value) for value in (0, 0.25, 0.5, 0.9)] == [100, 50, 0, 0]


@pytest.mark.parametrize(("share", "width"), [(0.0, "0.00"), (0.625, "62.50"), (1.0, "100.00")])
def test_a_bar_is_as_long_as_its_share(share: float, width: str) -> None:
    assert parts(share_bar(share), "rect", "f-bar")[0]["width"] == width


def test_the_range_of_an_accuracy_is_its_interval() -> None:
    drawn = accuracy_range(0.75, Interval(0.5, 0.875), 0.25)
    (band,) = parts(drawn, "rect", "f-range")
    assert (band["x"], band["width"]) == ("50.00", "37.50")
    assert label(drawn) == (
        "Accuracy 75.0 %, between 50.0 % and 87.5 % with 95 % confidence; always giving the most frequent label: "
        "25.0 %."
    )


def test_each_bin_of_a_reliability_diagram_is_as_high_as_its_accuracy() -> None:
    bins = (ReliabilityBin(0.4, 0.6, 4, 0.5, 0.25), ReliabilityBin(0.6, 0.8, 2, 0.75, 1.0))
    drawn = reliability_chart(Calibration(0.25, bins))
    first, second = parts(drawn, "rect", "f-soft")
    assert float(second["height"]) == pytest.approx(4 * float(first["height"]))
    few, most = sorted(float(each["height"]) for each in parts(drawn, "rect", "f-range"))
    assert most == pytest.approx(2 * few)
    assert "scores 0.40 to 0.60: 4 rows, 0.50 on average, 25.0 % right" in label(drawn)


def test_the_curve_of_the_coverage_falls_from_everything_to_what_the_last_threshold_answers() -> None:
    report = report_in(content())
    drawn = coverage_chart(report.coverage, [("in force", 0.75)])
    (curve,) = parts(drawn, "polyline", "s-bar")
    points = [tuple(map(float, pair.split(","))) for pair in curve["points"].split()]
    assert [x for x, _ in points] == sorted(x for x, _ in points)
    assert [y for _, y in points] == sorted(y for _, y in points)
    grid = [float(each["y"]) for tag, each in WholePage(drawn.encode()).elements if tag == "text" and "y" in each]
    assert grid
    assert len(parts(drawn, "polyline", "mark")) == 1
    assert f"below 0.8: {100 * report.coverage_at(0.8).share:.1f} % answered" in label(drawn)


@pytest.mark.parametrize("scores", [[1.0], [0.2], [0.5, 0.5], [0.0], [0.99, 1.0]])
@pytest.mark.parametrize("is_right", [True, False])
def test_a_coverage_of_few_rows_can_be_drawn(scores: list[float], is_right: bool) -> None:
    points = compute_coverage(np.array(scores, np.float32), np.full(len(scores), is_right))
    drawn = coverage_chart(points)
    numbers = re.findall(r"nan|inf", drawn.split("aria-label")[0] + drawn.partition(">")[2])
    assert numbers == []


def test_a_mark_below_the_axis_is_left_out() -> None:
    sure = tuple(replace(point, answered=60, share=1.0) for point in report_in(content()).coverage)
    assert parts(coverage_chart(sure, [("in force", 0.1)]), "polyline", "mark") == []
