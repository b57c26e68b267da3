"""Makes the report on a multi-label classifier of its outputs for test rows."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np

from windrow.domain.classifier import Record
from windrow.domain.dataset import DataWarning
from windrow.domain.figures import counted, listed, percent
from windrow.domain.interval import Interval, wilson_interval
from windrow.domain.multi_label import MultiLabelDataset
from windrow.domain.multi_label_report import MultiLabelReport, ProposedLabelThreshold
from windrow.domain.report import EvaluateRequest, Measurement
from windrow.domain.values import recast
from windrow.execution.batch_prediction import ClassifierOutputs
from windrow.learning.multi_label_evaluate import (
    Decisions,
    compute_multi_label_metrics,
    decisions_of,
    find_misclassified_sets,
    most_frequent_set,
    propose_label_thresholds,
)
from windrow.service.evaluation_warnings import accuracy_warnings
from windrow.service.single_label_report import NEAR_TARGET

# With fewer test rows of a label, its best F1 is mostly luck.
_FEW_ROWS_OF_A_LABEL: Final = 20


def multi_label_report(
    measurement: Measurement,
    record: Record,
    dataset: MultiLabelDataset,
    answers: ClassifierOutputs,
    request: EvaluateRequest,
) -> MultiLabelReport:
    """Return the report on a multi-label classifier.

    Args:
        measurement: What was measured.
        record: The classifier's.
        dataset: The test rows, of which one at least has a label that the classifier knows.
        answers: Its outputs for them.
        request: What was asked for: the precision or the recall for which each label's threshold is proposed.
    """
    decisions = multi_label_decisions(answers, dataset)
    outcome, baseline = compute_multi_label_metrics(decisions), most_frequent_set(dataset.rows)
    proposed = propose_label_thresholds(decisions, request.target_precision, request.target_recall)
    return recast(
        MultiLabelReport,
        outcome,
        measurement,
        warnings=(
            *measurement.warnings,
            *accuracy_warnings(outcome, baseline, record.base_model),
            *_threshold_warnings(decisions, proposed, request),
        ),
        majority_baseline=baseline,
        label_thresholds=record.thresholds_by_label,
        misclassified=find_misclassified_sets(decisions, dataset.rows),
        proposed_thresholds=tuple(proposed),
        target_precision=request.target_precision,
        target_recall=request.target_recall,
    )


def multi_label_decisions(answers: ClassifierOutputs, dataset: MultiLabelDataset) -> Decisions:
    """Return what a multi-label classifier decided about rows, with each label's threshold in force."""
    assert answers.given is not None, "these are a multi-label classifier's outputs"
    return decisions_of(dataset.rows, answers.labels, answers.scores, answers.given)


def _threshold_warnings(
    decisions: Decisions, proposed: Sequence[ProposedLabelThreshold], request: EvaluateRequest
) -> Iterator[DataWarning]:
    """Yield warnings about labels without a proposed threshold, and about those that few rows support."""
    if (recall := request.target_recall) is not None:
        intervals = {each.label: wilson_interval(each.correct, each.total) for each in proposed}
        yield from _warn_of_few_rows(intervals, "recall", recall)
    elif (precision := request.target_precision) is not None:
        yield from _warn_of_precision_not_reached(decisions, proposed, precision)
        intervals = {each.label: wilson_interval(each.correct, each.predicted) for each in proposed}
        yield from _warn_of_few_rows(intervals, "precision", precision)
    elif few := [each.label for each in proposed if each.total < _FEW_ROWS_OF_A_LABEL]:
        message = (
            f"With fewer than {_FEW_ROWS_OF_A_LABEL} test rows of a label, its proposed threshold is mostly luck: "
            f"{listed(map(repr, few))}. Use more test rows of {'it' if len(few) == 1 else 'them'} before you set one."
        )
        yield DataWarning("uncertain_threshold", message)


def _warn_of_precision_not_reached(
    decisions: Decisions, proposed: Sequence[ProposedLabelThreshold], target: float
) -> Iterator[DataWarning]:
    reached = {each.label for each in proposed}
    tried = [decisions.names[at] for at in np.flatnonzero(decisions.truth[:, : decisions.known].any(axis=0))]
    if missing := [label for label in tried if label not in reached]:
        message = (
            f"No score of {counted(len(missing), 'label')} has {percent(target)} right above it on these rows, so no "
            f"threshold is proposed for {listed(map(repr, missing))}. Ask for less, or train with more rows."
        )
        yield DataWarning("precision_not_reached", message)


def _warn_of_few_rows(intervals: Mapping[str, Interval], measure: str, target: float) -> Iterator[DataWarning]:
    """Yield a warning about labels whose measure may lie far below what was asked for, on new texts."""
    if unsure := [label for label, interval in intervals.items() if interval.low < target - NEAR_TARGET]:
        widest = max(unsure, key=lambda label: intervals[label].high - intervals[label].low)
        message = (
            f"The thresholds of {listed(map(repr, unsure))} were chosen by few rows: the {measure} of {widest!r} on "
            f"new texts lies anywhere between {percent(intervals[widest].low)} and {percent(intervals[widest].high)}. "
            "Use a few hundred test rows of each label."
        )
        yield DataWarning("uncertain_threshold", message)
