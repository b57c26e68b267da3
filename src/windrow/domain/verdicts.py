"""What figures mean, in a sentence: whether a classifier is worth more than a guess, and its scores can be trusted."""

from dataclasses import dataclass
from typing import Final, Literal

from windrow.domain.figures import percent
from windrow.domain.multi_label_report import MultiLabelMetrics, MultiLabelReport
from windrow.domain.report import Calibration, ClassificationMetrics, Report

# Nearer than that, a mean score and the share of right answers are as good as equal.
CALIBRATION_MARGIN: Final = 0.05
# From here on, scores of some height are off, even if they are right on average; few rows alone can make it so large.
LARGE_CALIBRATION_ERROR: Final = 0.15


@dataclass(frozen=True, slots=True)
class Verdict:
    """A sentence about figures."""

    tone: Literal["good", "open", "bad"]
    """``good`` or ``bad`` where the figures show it, ``open`` where they show neither."""
    sentence: str
    """It."""


def baseline_verdict(report: Report | MultiLabelReport) -> Verdict:
    """Say whether test rows show a classifier to be better than always giving the most frequent label, or set.

    Args:
        report: What was measured.
    """
    baseline, interval = report.majority_baseline, report.accuracy_interval
    always = f"always answering {baseline.answer}, which is right for {percent(baseline.accuracy)} of these rows"
    if interval.low > baseline.accuracy:
        return Verdict("good", f"Shown to be better than {always}.")
    if interval.high < baseline.accuracy:
        return Verdict("bad", f"Shown to be worse than {always}.")
    return Verdict("open", f"Not shown to be better than {always}. More test rows would tell.")


def calibration_verdict(outcome: ClassificationMetrics) -> str:
    """Say in a sentence how well scores are calibrated.

    Args:
        outcome: What was measured.
    """
    mean = _mean_score(outcome.calibration)
    if abs(mean - outcome.accuracy) < CALIBRATION_MARGIN:
        is_near = outcome.calibration.ece < LARGE_CALIBRATION_ERROR
        verdict = "well calibrated" if is_near else "neither over- nor underconfident on average"
    else:
        verdict = "overconfident" if mean > outcome.accuracy else "underconfident"
    return (
        f"Scores: {mean:.2f} on average, and {percent(outcome.accuracy)} of the answers are right: {verdict} "
        f"(expected calibration error {outcome.calibration.ece:.2f})."
    )


def decision_calibration_verdict(outcome: MultiLabelMetrics) -> str:
    """Say in a sentence how well the scores of a multi-label classifier are calibrated.

    Args:
        outcome: What was measured.
    """
    bins = outcome.calibration.bins
    labels = sum(each.rows * each.accuracy for each in bins) / outcome.total
    expected = sum(each.rows * each.mean_score for each in bins) / outcome.total
    return (
        f"Scores: a row has {labels:.2f} labels on average, and by the scores it should have {expected:.2f} (expected "
        f"calibration error of a label's score: {outcome.calibration.ece:.3f})."
    )


def _mean_score(calibration: Calibration) -> float:
    return sum(each.rows * each.mean_score for each in calibration.bins) / sum(each.rows for each in calibration.bins)
