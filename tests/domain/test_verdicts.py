"""What figures are said to mean."""

from dataclasses import replace

import pytest

from windrow.api.examples import example_of
from windrow.domain.interval import Interval
from windrow.domain.report import Calibration, MajorityBaseline, ReliabilityBin, Report
from windrow.domain.verdicts import baseline_verdict, calibration_verdict

REPORT: Report = example_of(Report)


@pytest.mark.parametrize(
    ("low", "high", "tone", "words"),
    [
        (0.51, 0.9, "good", "Shown to be better than always answering 'bug', which is right for 50.0 % of"),
        (0.5, 0.9, "open", "Not shown to be better than always answering 'bug'"),
        (0.2, 0.5, "open", "Not shown to be better"),
        (0.2, 0.49, "bad", "Shown to be worse than always answering 'bug'"),
    ],
)
def test_only_an_interval_that_leaves_the_baseline_out_shows_anything(
    low: float, high: float, tone: str, words: str
) -> None:
    report = replace(REPORT, majority_baseline=MajorityBaseline("bug", 0.5), accuracy_interval=Interval(low, high))
    verdict = baseline_verdict(report)
    assert verdict.tone == tone
    assert verdict.sentence.startswith(words)


@pytest.mark.parametrize(
    ("correct", "score", "error", "verdict"),
    [
        (9, 0.92, 0.125, "well calibrated"),
        (9, 0.92, 0.25, "neither over- nor underconfident on average"),
        (6, 0.92, 0.125, "overconfident"),
        (9, 0.5, 0.125, "underconfident"),
    ],
)
def test_scores_are_said_to_be_what_they_are_on_average(correct: int, score: float, error: float, verdict: str) -> None:
    bins = (ReliabilityBin(0.0, 0.5, 2, score, 0.5), ReliabilityBin(0.5, 1.0, 8, score, 0.5))
    report = replace(REPORT, correct=correct, total=10, calibration=Calibration(error, bins))
    said = calibration_verdict(report)
    assert said == (
        f"Scores: {score:.2f} on average, and {correct * 10:.1f} % of the answers are right: {verdict} "
        f"(expected calibration error {error:.2f})."
    )
