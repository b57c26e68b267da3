"""Prints what evaluations and comparisons of multi-label classifiers say, as text."""

import shlex
from typing import TYPE_CHECKING

from windrow.cli.call import Call
from windrow.cli.formats import better_or_worse
from windrow.cli.metric_tables import disagreement_table
from windrow.cli.multi_label_tables import (
    confused_table,
    curve_table,
    difference_table,
    doubted_table,
    misclassified_set_table,
    multi_label_pair_lines,
    multi_label_result_table,
    multi_label_table,
    proposal_table,
)
from windrow.cli.output import data_console
from windrow.display.tables import between
from windrow.domain.figures import counted, percent
from windrow.domain.multi_label_comparison import MultiLabelComparison
from windrow.domain.multi_label_cross_validation import MultiLabelCrossValidation
from windrow.domain.multi_label_report import MultiLabelBaseline, MultiLabelMetrics, MultiLabelReport
from windrow.domain.threshold import Threshold
from windrow.domain.verdicts import decision_calibration_verdict

if TYPE_CHECKING:
    from rich.console import Console


def print_multi_label_report(call: Call, report: MultiLabelReport, show_errors: int) -> None:
    """Print a report on a multi-label classifier.

    Args:
        call: The call.
        report: The report.
        show_errors: How many misclassified rows are shown.
    """
    console = data_console()
    asked = f" (asked as {report.alias})" if report.alias else ""
    console.print(f"{report.model_name}@{report.revision}{asked} gives {placed_sets(report)}")
    console.print(always_set(report.majority_baseline))
    print_multi_label_metrics(console, report, dict(report.label_thresholds))
    if report.proposed_thresholds:
        console.print(f"\nThresholds for {report.target_text} of each label on these rows, a proposal:")
        console.print(proposal_table(report.proposed_thresholds, report.label_thresholds))
    if report.misclassified and show_errors:
        count = len(report.misclassified)
        shown = shown_rows(count, show_errors, "--show-errors")
        console.print(f"\nGiven other labels than they have, the surest first ({shown}):")
        console.print(misclassified_set_table(report.misclassified[:show_errors], call.lines))
    if report.saved:
        console.print(f"\nThe score is kept with {report.model_name}: `windrow show {report.model_name}`.")
    call.warn(report.warnings)


def print_multi_label_comparison(
    call: Call, comparison: MultiLabelComparison, show_disagreements: int, command: str | None
) -> None:
    """Print a comparison of multi-label classifiers.

    Args:
        call: The call.
        comparison: The comparison.
        show_disagreements: How many rows with different answers are shown.
        command: What promotes the recommended one; ``None`` where that is the one in use.
    """
    console, disagreements = data_console(), comparison.disagreements
    console.print(multi_label_result_table(comparison.models))
    console.print(f"{always_set(comparison.majority_baseline)}\n")
    for line in multi_label_pair_lines(comparison.pairs):
        console.print(line)
    for table in map(difference_table, comparison.pairs):
        if table is not None and len(comparison.pairs) == 1:
            console.print()
            console.print(table)
    if disagreements and show_disagreements:
        shown = shown_rows(len(disagreements), show_disagreements, "--show-disagreements")
        names = [each.reference for each in comparison.models]
        console.print(f"\nGiven different labels ({shown}):")
        console.print(disagreement_table(disagreements[:show_disagreements], names, call.lines))
    console.print(f"\n{comparison.recommendation.reason}")
    if command is not None:
        console.print(f"  {command}")
    call.warn(comparison.warnings)


def print_multi_label_cross_validation(
    call: Call, result: MultiLabelCrossValidation, num_iterations: int, show_label_errors: int
) -> None:
    """Print the cross-validation of a multi-label training.

    Args:
        call: The call.
        result: The cross-validation.
        num_iterations: How much the encoder was trained; 0 for the head alone.
        show_label_errors: How many doubted labels are shown.
    """
    console, doubted = data_console(), result.probable_label_errors
    console.print(f"Trainings like this one give {placed_sets(result)}")
    console.print(
        f"{counted(result.folds, 'fold')}, {percent(result.mean_accuracy)} on average, give or take "
        f"{100 * result.accuracy_std:.1f} points. {always_set(result.majority_baseline)}"
    )
    print_multi_label_metrics(console, result, {})
    if doubted and show_label_errors:
        shown = shown_rows(len(doubted), show_label_errors, "--show-label-errors")
        console.print(f"\nLabels to look at again, since the other rows contradict them ({shown}):")
        console.print(doubted_table(doubted[:show_label_errors], call.lines))
    console.print("\nThe head alone with fewer rows, as many as each training saw; a part of the file is held back:")
    console.print(curve_table(result.learning_curve))
    console.print(f"\n{result.advice_text}")
    if num_iterations != 0:
        console.print(
            f"The head alone (--num-iterations 0) reaches a micro F1 of {percent(result.head_only_micro_f1)}; this "
            f"training is {better_or_worse(result.head_only_interval, 'no better and no worse')}.",
            end=" ",
        )
    console.print(result.recommendation)
    call.warn(result.warnings)


def format_set_label_thresholds(report: MultiLabelReport, in_force: Threshold | None) -> str | None:
    """Return the shell command that sets the thresholds proposed by an evaluation; ``None`` without a proposal.

    Args:
        report: The evaluation.
        in_force: The classifier's threshold, of which the command repeats what the proposal does not replace: what it
            left out would return to what the training chose.
    """
    if not report.proposed_thresholds:
        return None
    threshold = in_force or Threshold(0)
    scores = {
        **threshold.label_thresholds,
        **{each.label: each.threshold for each in report.proposed_thresholds},
    }
    words = [f"{report.model_name}@{report.revision}"]
    if threshold.abstain_below:
        words.append(f"{threshold.abstain_below!r}")
    words += [f"--label {shlex.quote(f'{label}={score!r}')}" for label, score in scores.items()]
    reason = f"For {report.target_text} of each label on {counted(report.total, 'test row')}"
    return f"windrow set-threshold {' '.join(words)} --reason {shlex.quote(reason)}"


def print_multi_label_metrics(console: "Console", outcome: MultiLabelMetrics, thresholds: dict[str, float]) -> None:
    """Print metrics of a multi-label classifier.

    Args:
        console: Where.
        outcome: The figures.
        thresholds: The score from which each label is given; none where they are not known.
    """
    micro, macro = outcome.micro_f1_interval, outcome.macro_f1_interval
    console.print(
        f"Micro F1: {outcome.micro_f1:.3f} ({micro.low:.3f} to {micro.high:.3f}); macro F1: {outcome.macro_f1:.3f} "
        f"({macro.low:.3f} to {macro.high:.3f}; 95 % intervals). Of all decisions about a label, "
        f"{percent(outcome.hamming_loss)} are wrong."
    )
    console.print()
    console.print(multi_label_table(outcome, thresholds))
    console.print()
    if (confused := confused_table(outcome)) is not None:
        console.print(confused)
        console.print()
    console.print(decision_calibration_verdict(outcome))


def placed_sets(outcome: MultiLabelMetrics) -> str:
    """Say how many rows were given their whole set of labels."""
    return (
        f"{outcome.correct} of {counted(outcome.total, 'row')} all of their labels and no other: "
        f"{percent(outcome.accuracy)} (95 % interval: {between(outcome.accuracy_interval)})."
    )


def always_set(baseline: MultiLabelBaseline) -> str:
    """Say what always giving the most frequent set of labels would get right."""
    return (
        f"Always answering {baseline.answer} would do that for {percent(baseline.accuracy)} of them, with a micro F1 "
        f"of {baseline.micro_f1:.2f}."
    )


def shown_rows(count: int, limit: int, option: str) -> str:
    """Say how many rows of how many are shown."""
    return counted(count, "row") if count <= limit else f"{limit} of {count:,} rows; more with {option}"
