"""The commands evaluate, compare, cross-validate and suggest."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from windrow.cli.annotation_export import check_out, write_suggestions
from windrow.cli.call import Call
from windrow.cli.fitted_file import described_labels
from windrow.cli.formats import better_or_worse, given_text, one_line
from windrow.cli.label_descriptions import LABEL_DESCRIPTION, LABEL_DESCRIPTIONS_FILE, DescribedLabels
from windrow.cli.labelled_file import read_labelled
from windrow.cli.metric_tables import (
    confusion_table,
    coverage_table,
    disagreement_table,
    label_table,
    misclassified_table,
    pair_lines,
    result_table,
)
from windrow.cli.multi_label_output import (
    format_set_label_thresholds,
    print_multi_label_comparison,
    print_multi_label_cross_validation,
    print_multi_label_report,
    shown_rows,
)
from windrow.cli.option_parsing import with_options
from windrow.cli.options import ROWS_HELP, OptionSpec
from windrow.cli.output import PIPED_CELLS, data_console, notes_console
from windrow.cli.tables import Column, number, print_table
from windrow.cli.verbs.threshold_command import format_set_threshold
from windrow.display.tables import between
from windrow.domain.classifier import ModelRequest
from windrow.domain.comparison import CompareRequest, Comparison, ModelResult
from windrow.domain.cross_validation import CrossValidateRequest, CrossValidation
from windrow.domain.errors import InsufficientScope, InvalidParameter
from windrow.domain.figures import counted, percent
from windrow.domain.multi_label_comparison import MultiLabelComparison, MultiLabelResult
from windrow.domain.multi_label_cross_validation import MultiLabelCrossValidation
from windrow.domain.multi_label_report import MultiLabelReport
from windrow.domain.names import read_reference
from windrow.domain.read_options import LabelledReadOptions
from windrow.domain.report import ClassificationMetrics, EvaluateRequest, MajorityBaseline, Report
from windrow.domain.suggestion import Suggestion, Suggestions, SuggestRequest
from windrow.domain.threshold import ProposedThreshold
from windrow.domain.verdicts import calibration_verdict
from windrow.domain.versions import read_version

if TYPE_CHECKING:
    from rich.console import Console

    from windrow.operations import Operations

verbs = typer.Typer()


@verbs.command(epilog="Example: windrow evaluate tickets_v2 test.csv --target-precision 0.95")
@with_options(
    test_data=OptionSpec("--test-data", help=ROWS_HELP, or_argument=True),
    save=OptionSpec(help="Do not keep the score with the classifier."),
)
def evaluate(
    call: Call,
    request: EvaluateRequest,
    show_errors: Annotated[int, typer.Option(min=0, help="How many rows that were placed wrong are shown.")] = 10,
) -> None:
    """Evaluate a classifier on labelled rows that it has not seen."""
    with call.connected(doing="Classifying the rows") as operations:
        report = call.with_file_warnings(operations.evaluate(request))
        command = _set_threshold_command(operations, report)
    call.show(report, lambda report: print_report(call, report, show_errors))
    if command is not None:
        notes_console().print(f"No threshold was changed. To set the proposed one:\n  {command}", soft_wrap=True)


@verbs.command(epilog="Example: windrow compare tickets_v1 tickets_v2 test.csv")
@with_options()
def compare(
    call: Call,
    models: Annotated[
        list[str],
        typer.Argument(
            metavar="MODEL",
            help="2 to 20 classifiers, the one in use first; behind them, unless --test-data names it, the FILE.",
        ),
    ],
    read_options: LabelledReadOptions,
    test_data: Annotated[Path | None, typer.Option("--test-data", metavar="FILE", help=ROWS_HELP)] = None,
    show_disagreements: Annotated[
        int, typer.Option(min=0, help="How many rows that they answer differently are shown.")
    ] = 20,
) -> None:
    """Compare several classifiers on the same rows, and recommend which to promote."""
    if test_data is None:
        *models, last = models
        test_data = Path(last)
    if len(models) < 2:
        raise InvalidParameter("Name 2 to 20 classifiers, and a FILE behind them or with --test-data.")
    read = call.words.files["test_data"] = read_labelled(test_data, read_options, words=call.words)
    with call.connected(doing="Classifying the rows") as operations:
        comparison = call.with_file_warnings(operations.compare(CompareRequest(tuple(models), read.rows)))
    call.show(comparison, lambda comparison: _print_comparison(call, comparison, show_disagreements))


@verbs.command(name="cross-validate", epilog="Example: windrow cross-validate tickets.csv --folds 5")
@with_options(
    leave_out=("label_descriptions",),
    label_description=LABEL_DESCRIPTION,
    label_descriptions_file=LABEL_DESCRIPTIONS_FILE,
)
def cross_validate(
    call: Call,
    request: CrossValidateRequest,
    described: DescribedLabels,
    show_label_errors: Annotated[int, typer.Option(min=0, help="How many rows with a doubtful label are shown.")] = 10,
) -> None:
    """Cross-validate a training on labelled rows: accuracy, doubtful labels, and which label needs more rows.

    No classifier is made. It takes several trainings' time.
    """
    request = replace(request, label_descriptions=described_labels(call, described))
    with call.connected(doing="Training on parts of the rows", may_create=True) as operations:
        result = call.with_file_warnings(operations.cross_validate(request))
    call.show(result, lambda result: _print_cross_validation(call, result, request, show_label_errors))


@verbs.command(epilog="Example: windrow suggest tickets_v2 unlabelled.txt -n 20 --out to_label.csv")
@with_options()
def suggest(
    call: Call,
    request: SuggestRequest,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write them to a new file for the labelling: .csv or .jsonl.")
    ] = None,
) -> None:
    """Choose those of many texts that are worth labelling: likely new labels first, then what is uncertain.

    A file for the labelling has the columns text and label, and the label is left for you to fill in; of a multi-label
    classifier, the column is called labels, and training refuses the row until you have replaced what is in it.
    """
    if out is not None:
        check_out(out)
    with call.connected(doing="Reading the texts") as operations:
        result = operations.suggest(request)
    if out is not None:
        write_suggestions(result, out)
        notes_console().print(f"Wrote {counted(len(result.suggestions), 'text')} to {out}.")
    if out is None or call.as_json:
        call.show(result, lambda result: _print_suggestions(result, call.lines))


def _proposal_text(proposed: ProposedThreshold) -> str:
    """Describe a proposed threshold; 0 is none, since every row then gets a label."""
    target = percent(proposed.target_precision)
    if proposed.abstain_below == 0:
        return (
            f"No threshold is needed for a precision of {target} on these rows: {proposed.correct} of "
            f"{proposed.answered} are right without one."
        )
    return (
        f"Answers with a score of {proposed.abstain_below:.3f} or more reach a precision of {target}: "
        f"{proposed.correct} of {proposed.answered} are right; {proposed.total - proposed.answered} of "
        f"{proposed.total} rows would get no label. This is a proposal."
    )


def _set_threshold_command(operations: "Operations", report: Report | MultiLabelReport) -> str | None:
    """Return the command that sets what an evaluation proposes; ``None`` without a proposal."""
    if not isinstance(report, MultiLabelReport):
        return format_set_threshold(report)
    if not report.proposed_thresholds:
        return None
    try:
        in_force = operations.show(ModelRequest(f"{report.model_name}@{report.revision}")).threshold
    except InsufficientScope:
        # A key that may only train: without what holds, the command would clear it.
        return None
    return format_set_label_thresholds(report, in_force)


def print_report(call: Call, report: Report | MultiLabelReport, show_errors: int) -> None:
    """Print an evaluation, with so many of the rows that were placed wrong."""
    if isinstance(report, MultiLabelReport):
        print_multi_label_report(call, report, show_errors)
        return
    console = data_console()
    asked = f" (asked as {report.alias})" if report.alias else ""
    console.print(f"{report.model_name}@{report.revision}{asked} places {_placed(report)}")
    console.print(f"{_always(report.majority_baseline)} Macro F1: {report.macro_f1:.2f}.")
    _print_metrics(console, report)
    console.print("\nIf no label is given below a score:")
    console.print(coverage_table(report))
    if (proposed := report.proposed_threshold) is not None:
        console.print(f"\n{_proposal_text(proposed)}")
    if report.misclassified and show_errors:
        shown = shown_rows(len(report.misclassified), show_errors, "--show-errors")
        console.print(f"\nPlaced wrong, the surest first ({shown}):")
        console.print(misclassified_table(report.misclassified[:show_errors], call.lines))
    if report.saved:
        console.print(f"\nThe score is kept with {report.model_name}: `windrow show {report.model_name}`.")
    call.warn(report.warnings)


def _print_comparison(call: Call, comparison: Comparison | MultiLabelComparison, show_disagreements: int) -> None:
    if isinstance(comparison, MultiLabelComparison):
        print_multi_label_comparison(call, comparison, show_disagreements, promote_command(comparison))
        return
    console, disagreements = data_console(), comparison.disagreements
    console.print(result_table(comparison.models))
    console.print(f"{_always(comparison.majority_baseline)}\n")
    for line in pair_lines(comparison):
        console.print(line)
    if disagreements and show_disagreements:
        console.print(
            f"\nAnswered differently ({shown_rows(len(disagreements), show_disagreements, '--show-disagreements')}):"
        )
        console.print(
            disagreement_table(
                disagreements[:show_disagreements], [each.reference for each in comparison.models], call.lines
            )
        )
    console.print(f"\n{comparison.recommendation.reason}")
    command = promote_command(comparison)
    if command is not None:
        console.print(f"  {command}")
    call.warn(comparison.warnings)


def promote_command(comparison: Comparison | MultiLabelComparison) -> str | None:
    """Return the command that promotes what a comparison recommends; ``None`` where that is the one in use."""
    models: Sequence[ModelResult | MultiLabelResult] = comparison.models
    in_use = models[0]
    best = next(each for each in models if each.reference == comparison.recommendation.model_name)
    if best is in_use:
        return None
    target = best.reference if _is_own_name(best) else f"{best.model_name}@{best.revision}"
    return f"windrow promote {_alias_of(in_use)} {target}"


def _is_own_name(result: ModelResult | MultiLabelResult) -> bool:
    reference = read_reference(result.reference)
    return reference.name == result.model_name and not reference.is_latest


def _alias_of(result: ModelResult | MultiLabelResult) -> str:
    """Return the alias in the request, else the classifier's task, else a placeholder."""
    reference = read_reference(result.reference)
    if reference.name != result.model_name and not reference.is_latest:
        return reference.name
    version = read_version(result.model_name)
    return "ALIAS" if version is None else version.task


def _print_cross_validation(
    call: Call,
    result: CrossValidation | MultiLabelCrossValidation,
    request: CrossValidateRequest,
    show_label_errors: int,
) -> None:
    if isinstance(result, MultiLabelCrossValidation):
        print_multi_label_cross_validation(call, result, request.num_iterations, show_label_errors)
        return
    console, label_errors = data_console(), result.probable_label_errors
    console.print(f"Trainings like this one place {_placed(result)}")
    console.print(
        f"{counted(result.folds, 'fold')}, {percent(result.mean_accuracy)} on average, give or take "
        f"{100 * result.accuracy_std:.1f} points. {_always(result.majority_baseline)}"
    )
    _print_metrics(console, result)
    if label_errors and show_label_errors:
        shown = shown_rows(len(label_errors), show_label_errors, "--show-label-errors")
        console.print(f"\nLabels to look at again, since the other rows contradict them ({shown}):")
        console.print(misclassified_table(label_errors[:show_label_errors], call.lines))
    if result.learning_curve:
        console.print(
            "\nThe head alone with fewer rows, as many as each training saw; a part of the file is always held back:"
        )
        print_table(
            result.learning_curve,
            number("share", lambda point: percent(point.share)),
            number("rows trained on", lambda point: f"{point.rows:.0f}"),
            number("accuracy", lambda point: percent(point.accuracy)),
        )
    console.print(f"\n{result.advice_text}")
    if request.num_iterations != 0:
        console.print(
            f"The head alone (--num-iterations 0) reaches {percent(result.head_only_accuracy)}; this training is "
            f"{better_or_worse(result.head_only_interval, 'right for the same rows')}.",
            end=" ",
        )
    console.print(result.recommendation)
    call.warn(result.warnings)


def _print_suggestions(result: Suggestions, lines: Sequence[int]) -> None:
    console = data_console()
    # Where every text is like all others, as in a pool of one subject, their number says nothing.
    is_telling = result.total < 2 or any(each.num_similar < result.total for each in result.suggestions)
    similar: Column[Suggestion] = number("similar", lambda each: str(each.num_similar), spare=2)
    print_table(
        result.suggestions,
        number("line", lambda each: str(lines[each.index])),
        Column("text", lambda each: each.text),
        Column("reason", lambda each: each.reason, spare=1),
        *((similar,) if is_telling else ()),
        Column("guess", lambda each: each.label),
        number("score", lambda each: f"{each.score:.2f}"),
        *(
            [Column("or else", lambda each: each.runner_up or "", spare=3)]
            if any(each.labels is None for each in result.suggestions)
            else [Column("would give", lambda each: given_text(each.labels or ()), spare=3)]
        ),
    )
    console.print(
        f"\n{len(result.suggestions)} of {counted(result.total, 'text')} that {result.model_name}@{result.revision} "
        "was not trained on. Label them, add them to its training rows, and fit the next version."
    )


def _always(baseline: MajorityBaseline) -> str:
    return f"Always answering {one_line(baseline.label)!r} would place {percent(baseline.accuracy)} right."


def _placed(outcome: ClassificationMetrics) -> str:
    return (
        f"{outcome.correct} of {counted(outcome.total, 'row')} right: {percent(outcome.accuracy)} "
        f"(95 % interval: {between(outcome.accuracy_interval)})."
    )


def _print_metrics(console: "Console", outcome: ClassificationMetrics) -> None:
    console.print()
    console.print(label_table(outcome))
    console.print()
    console.print(confusion_table(outcome, console.width if console.is_terminal else PIPED_CELLS))
    console.print()
    console.print(calibration_verdict(outcome))
