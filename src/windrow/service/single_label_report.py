"""Makes the report on a single-label classifier of its outputs for test rows."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import numpy as np

from windrow.arrays import Bools
from windrow.domain.classifier import Record
from windrow.domain.dataset import Dataset, DataWarning
from windrow.domain.figures import counted, percent
from windrow.domain.interval import wilson_interval
from windrow.domain.report import ClassificationMetrics, Measurement, Report
from windrow.domain.threshold import ProposedThreshold
from windrow.domain.values import recast
from windrow.execution.batch_prediction import ClassifierOutputs
from windrow.learning.coverage import compute_coverage
from windrow.learning.evaluate import choose_threshold, compute_metrics, find_misclassified, majority_baseline
from windrow.service.evaluation_warnings import accuracy_warnings

# By how much the lower end of a precision's interval may miss the target without a warning.
NEAR_TARGET: Final = 0.05


def single_label_report(
    measurement: Measurement, record: Record, dataset: Dataset, answers: ClassifierOutputs, target: float | None
) -> Report:
    """Return the report on a single-label classifier.

    Args:
        measurement: What was measured.
        record: The classifier's.
        dataset: The test rows.
        answers: Its outputs for them.
        target: The precision for which a threshold is proposed; ``None`` for none.
    """
    outcome, baseline = metrics_of(answers, dataset), majority_baseline(true_labels(dataset))
    best, is_right = answers.scores.max(axis=1), is_correct(answers, dataset)
    chosen = None if target is None else choose_threshold(best, is_right, target)
    warnings = (*measurement.warnings, *accuracy_warnings(outcome, baseline, record.base_model))
    report = recast(
        Report,
        outcome,
        measurement,
        warnings=warnings,
        majority_baseline=baseline,
        coverage=compute_coverage(best, is_right, _known_thresholds(record, chosen)),
        misclassified=find_misclassified(answers.scores, dataset.rows, answers.labels),
        proposed_threshold=None,
    )
    return report if target is None else _with_proposal(report, chosen, target)


def true_labels(dataset: Dataset) -> list[str]:
    """Return the label of each row."""
    return [row.label for row in dataset.rows]


def metrics_of(answers: ClassifierOutputs, dataset: Dataset) -> ClassificationMetrics:
    """Return the metrics of a classifier's outputs for the texts of rows."""
    return compute_metrics(answers.scores, true_labels(dataset), answers.labels)


def is_correct(answers: ClassifierOutputs, dataset: Dataset) -> Bools:
    """Return whether the best label of each row is its label; shape [rows]."""
    return np.array(
        [given == label for given, label in zip(answers.predicted, true_labels(dataset), strict=True)], np.bool_
    )


def _known_thresholds(record: Record, chosen: tuple[float, int, int] | None) -> list[float]:
    """Return the thresholds that somebody looks for: the one in force, and the one that is proposed."""
    in_force = [] if record.threshold is None else [record.threshold.abstain_below]
    return in_force if chosen is None else [*in_force, chosen[0]]


def _with_proposal(report: Report, chosen: tuple[float, int, int] | None, target: float) -> Report:
    """Return a report with the threshold that reaches a precision, or with a warning that none does."""
    if chosen is None:
        message = (
            f"No score has {percent(target)} right answers above it on these rows, so no threshold is "
            "proposed. Ask for less, or train with more rows."
        )
        return replace(report, warnings=(*report.warnings, DataWarning("precision_not_reached", message)))
    abstain_below, correct, answered = chosen
    threshold = recast(
        ProposedThreshold,
        report,
        abstain_below=abstain_below,
        target_precision=target,
        correct=correct,
        answered=answered,
    )
    return replace(report, proposed_threshold=threshold, warnings=(*report.warnings, *_threshold_warnings(threshold)))


def _threshold_warnings(threshold: ProposedThreshold) -> Iterator[DataWarning]:
    """Yield warnings about a threshold that few rows support."""
    interval = wilson_interval(threshold.correct, threshold.answered)
    if interval.low < threshold.target_precision - NEAR_TARGET:
        message = (
            f"The threshold was chosen by {counted(threshold.answered, 'answered row')} alone: its precision on new "
            f"texts lies anywhere between {percent(interval.low)} and {percent(interval.high)}. Use a few hundred test "
            "rows."
        )
        yield DataWarning("uncertain_threshold", message)
    if threshold.answered < threshold.total / 2:
        unanswered = threshold.total - threshold.answered
        message = f"With this threshold, {unanswered} of {threshold.total} test rows get no label. Ask for less."
        yield DataWarning("most_abstained", message)
