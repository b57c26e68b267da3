"""Verbs that judge: evaluate, compare, cross-validate, suggest.

Owns their options and words; knows nothing of how a figure is computed or drawn.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from windrow.cli.connect import connected
from windrow.cli.figures import (
    between,
    calibration_line,
    confusion_table,
    contender_table,
    flip_table,
    label_table,
    misread_table,
    one_line,
    pair_lines,
)
from windrow.cli.formats import counted, share
from windrow.cli.labelled import read_labelled
from windrow.cli.labelling import check_out, write_suggestions
from windrow.cli.options import AsJson, DataDir, Url
from windrow.cli.output import data_console, new_table, notes_console, print_json
from windrow.cli.reading import Reading, read_records
from windrow.cli.reading_options import Encoding, FileFormat, LabelColumn, NoHeader, TextColumn
from windrow.cli.words import in_options
from windrow.domain.comparison import CompareRequest, Comparison, Contender
from windrow.domain.cross_validation import DEFAULT_FOLDS, FOLDS_RANGE, CrossValidateRequest, CrossValidation
from windrow.domain.dataset import DataWarning
from windrow.domain.errors import InvalidParameter
from windrow.domain.names import read_reference
from windrow.domain.recipe import (
    DEFAULT_BASE_MODEL,
    DEFAULT_BATCH_SIZE,
    DEFAULT_NUM_ITERATIONS,
    DEFAULT_SEED,
    Recipe,
)
from windrow.domain.report import EvaluateRequest, Outcome, Report
from windrow.domain.suggestion import (
    DEFAULT_SUGGESTIONS,
    SUGGESTIONS_RANGE,
    Suggestions,
    SuggestRequest,
)
from windrow.domain.versions import read_version

if TYPE_CHECKING:
    from rich.console import Console

verbs = typer.Typer()

MODEL_HELP = "A classifier, an alias, a revision like NAME@3, or TASK@latest."
ROWS_HELP = "Labelled rows: CSV, TSV, JSONL or JSON, also .gz; - for stdin."
Model = Annotated[str, typer.Argument(metavar="MODEL", help=MODEL_HELP)]
RowsFile = Annotated[Path, typer.Argument(metavar="FILE", help=ROWS_HELP)]


@verbs.command(epilog="Example: windrow evaluate tickets_v2 test.csv --target-precision 0.95")
def evaluate(  # noqa: PLR0913 - Typer makes an option of each parameter
    model: Model,
    file: RowsFile,
    url: Url = None,
    data_dir: DataDir = None,
    text_column: TextColumn = None,
    label_column: LabelColumn = None,
    file_format: FileFormat = None,
    encoding: Encoding = None,
    no_header: NoHeader = False,
    target_precision: Annotated[
        float | None,
        typer.Option(help="Find the score from which on this share of the answers is right, 0.5 to 1, and keep it."),
    ] = None,
    show_misread: Annotated[int, typer.Option(min=0, help="How many rows that were placed wrong are shown.")] = 10,
    no_save: Annotated[bool, typer.Option("--no-save", help="Do not keep the score with the classifier.")] = False,
    as_json: AsJson = False,
) -> None:
    """Judge a classifier by labelled rows that it has not seen."""
    how = Reading(file_format, text_column, label_column, not no_header, encoding)
    read = read_labelled(file, how)
    request = EvaluateRequest(model, read.rows, not no_save, target_precision)
    with connected(url, data_dir) as operations, read.located(), _working("Classifying the rows"):
        report = operations.evaluate(request)
    if as_json:
        from windrow.wire.report import EvaluateReply

        print_json(EvaluateReply.of(report))
    else:
        _print_report(report, read.lines, show_misread)


@verbs.command(
    epilog="Examples: windrow compare tickets_v1 tickets_v2 --on test.csv; windrow compare tickets tickets_v3 test.csv"
)
def compare(  # noqa: PLR0913 - Typer makes an option of each parameter
    models: Annotated[
        list[str],
        typer.Argument(
            metavar="MODEL MODEL... [FILE]",
            help="2 to 20 classifiers, the one in use first; then the labelled rows, unless --on names them.",
        ),
    ],
    on: Annotated[Path | None, typer.Option("--on", "--test", metavar="FILE", help=ROWS_HELP)] = None,
    url: Url = None,
    data_dir: DataDir = None,
    text_column: TextColumn = None,
    label_column: LabelColumn = None,
    file_format: FileFormat = None,
    encoding: Encoding = None,
    no_header: NoHeader = False,
    show_flips: Annotated[int, typer.Option(min=0, help="How many rows that they answer differently are shown.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Judge several classifiers by the same rows, and say which to promote."""
    names, file = _names_and_file(models, on)
    how = Reading(file_format, text_column, label_column, not no_header, encoding)
    read = read_labelled(file, how)
    request = CompareRequest(names, read.rows)
    with connected(url, data_dir) as operations, read.located(), _working("Classifying the rows"):
        comparison = operations.compare(request)
    if as_json:
        from windrow.wire.comparison import CompareReply

        print_json(CompareReply.of(comparison))
    else:
        _print_comparison(comparison, read.lines, show_flips)


@verbs.command(name="cross-validate", epilog="Example: windrow cross-validate tickets.csv --folds 5")
def cross_validate(  # noqa: PLR0913 - Typer makes an option of each parameter
    file: RowsFile,
    url: Url = None,
    data_dir: DataDir = None,
    text_column: TextColumn = None,
    label_column: LabelColumn = None,
    file_format: FileFormat = None,
    encoding: Encoding = None,
    no_header: NoHeader = False,
    folds: Annotated[
        int, typer.Option(help=f"Parts that the rows are dealt to, {FOLDS_RANGE[0]} to {FOLDS_RANGE[1]}.")
    ] = DEFAULT_FOLDS,
    num_iterations: Annotated[
        int, typer.Option(help="How long the encoder learns; 0 trains the head alone, which is quick.")
    ] = DEFAULT_NUM_ITERATIONS,
    batch_size: Annotated[
        int, typer.Option(help="Texts that meet in one contrastive step, at least.")
    ] = DEFAULT_BATCH_SIZE,
    seed: Annotated[int, typer.Option(help="Starts every random choice.")] = DEFAULT_SEED,
    base_model: Annotated[str, typer.Option(metavar="ID", help="The encoder to build on.")] = DEFAULT_BASE_MODEL,
    show_doubted: Annotated[int, typer.Option(min=0, help="How many rows with a doubtful label are shown.")] = 10,
    as_json: AsJson = False,
) -> None:
    """Judge labelled rows by trainings on parts of them: doubtful labels, and which label wants more rows.

    No classifier is made. It takes several trainings' time.
    """
    recipe = Recipe(num_iterations=num_iterations, batch_size=batch_size, seed=seed)
    how = Reading(file_format, text_column, label_column, not no_header, encoding)
    read = read_labelled(file, how)
    request = CrossValidateRequest(read.rows, folds, base_model, recipe)
    with (
        connected(url, data_dir, may_create=True) as operations,
        read.located(),
        _working("Training on parts of the rows"),
    ):
        found = operations.cross_validate(request)
    if as_json:
        from windrow.wire.cross_validation import CrossValidateReply

        print_json(CrossValidateReply.of(found))
    else:
        _print_cross_validation(found, read.lines, show_doubted)


@verbs.command(epilog="Example: windrow suggest tickets_v2 unlabelled.txt -n 20 --out to_label.csv")
def suggest(  # noqa: PLR0913 - Typer makes an option of each parameter
    model: Model,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Texts: CSV, TSV, JSONL, JSON or plain lines, also .gz; - for stdin.")
    ],
    n: Annotated[
        int, typer.Option("-n", help=f"How many, {SUGGESTIONS_RANGE[0]} to {SUGGESTIONS_RANGE[1]}.")
    ] = DEFAULT_SUGGESTIONS,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write them to a new file for the labelling: .csv or .jsonl."),
    ] = None,
    url: Url = None,
    data_dir: DataDir = None,
    text_column: TextColumn = None,
    file_format: FileFormat = None,
    encoding: Encoding = None,
    no_header: NoHeader = False,
    as_json: AsJson = False,
) -> None:
    """Choose those of many texts that are worth labelling: likely new labels first, then what is uncertain.

    A file for the labelling has the columns text and label, and the label is left for you to fill in.
    """
    if out is not None:
        check_out(out)
    how = Reading(file_format, text_column, None, not no_header, encoding)
    records = list(read_records(file, how))
    request = SuggestRequest(model, tuple(record.text for record in records), n)
    with connected(url, data_dir) as operations, _working("Reading the texts"):
        found = operations.suggest(request)
    if out is not None:
        write_suggestions(found, out)
        notes_console().print(f"Wrote {counted(len(found.suggestions), 'text')} to {out}.")
    if as_json:
        from windrow.wire.suggestion import SuggestReply

        print_json(SuggestReply.of(found))
    elif out is None:
        _print_suggestions(found, [record.line for record in records])


def _names_and_file(words: list[str], on: Path | None) -> tuple[tuple[str, ...], Path]:
    """Return the classifiers and the file with the rows, which comes last unless an option names it.

    Raises:
        InvalidParameter: There is no file.
    """
    if on is not None:
        return tuple(words), on
    *names, last = words
    is_file = last == "-" or Path(last).exists() or bool(Path(last).suffix)
    if not names or not is_file:
        raise InvalidParameter(
            f"windrow compare {' '.join(words)} names no file with labelled rows. Add --on FILE.",
            {"parameter": "on"},
        )
    return tuple(names), Path(last)


@contextmanager
def _working(words: str) -> Iterator[None]:
    """Show in a terminal that something is being done."""
    console = notes_console()
    if not console.is_terminal:
        yield
        return
    with console.status(f"{words} …"):
        yield


def _print_report(report: Report, lines: Sequence[int], show_misread: int) -> None:
    console, outcome = data_console(), report.outcome
    asked = f" (asked as {report.alias})" if report.alias else ""
    console.print(f"{report.model_name}@{report.revision}{asked} places {_placed(outcome)}")
    console.print(
        f"Always answering {one_line(report.majority.label)!r} would place {share(report.majority.accuracy)} right. "
        f"Macro F1: {outcome.macro_f1:.2f}."
    )
    _print_outcome(console, outcome)
    if report.threshold is not None:
        found = report.threshold
        console.print(
            f"\nAnswers with a score of {found.abstain_below:.3f} or more reach a precision of "
            f"{share(found.target_precision)}: {found.correct} of {found.answered} are right; "
            f"{found.total - found.answered} of {found.total} rows get no label."
        )
    if report.misread and show_misread:
        shown = _shown(len(report.misread), show_misread, "--show-misread")
        console.print(f"\nPlaced wrong, the surest first ({shown}):")
        console.print(misread_table(report.misread[:show_misread], lines))
    if report.is_saved:
        console.print(f"\nThe score is kept with {report.model_name}: `windrow show {report.model_name}`.")
    _print_warnings(report.warnings, lines)


def _print_comparison(comparison: Comparison, lines: Sequence[int], show_flips: int) -> None:
    console, flips = data_console(), comparison.flips
    names = [contender.asked for contender in comparison.contenders]
    console.print(contender_table(comparison.contenders))
    console.print(
        f"Always answering {one_line(comparison.majority.label)!r} would place "
        f"{share(comparison.majority.accuracy)} right.\n"
    )
    for line in pair_lines(comparison):
        console.print(line)
    if flips and show_flips:
        console.print(f"\nAnswered differently ({_shown(len(flips), show_flips, '--show-flips')}):")
        console.print(flip_table(flips[:show_flips], names, lines))
    console.print(f"\n{in_options(comparison.recommendation.reason)}")
    command = promote_command(comparison)
    if command is not None:
        console.print(f"  {command}")
    _print_warnings(comparison.warnings, lines)


def promote_command(comparison: Comparison) -> str | None:
    """Return the command that promotes what a comparison recommends; ``None`` where that is the one in use."""
    in_use = comparison.contenders[0]
    best = next(each for each in comparison.contenders if each.asked == comparison.recommendation.model_name)
    if best is in_use:
        return None
    target = best.asked if _is_own_name(best) else f"{best.model_name}@{best.revision}"
    return f"windrow promote {_alias_of(in_use)} {target}"


def _is_own_name(contender: Contender) -> bool:
    reference = read_reference(contender.asked)
    return reference.name == contender.model_name and not reference.is_latest


def _alias_of(contender: Contender) -> str:
    """Return the alias by which a classifier was asked, else its task's name, else a word to replace."""
    reference = read_reference(contender.asked)
    if reference.name != contender.model_name and not reference.is_latest:
        return reference.name
    version = read_version(contender.model_name)
    return "ALIAS" if version is None else version.task


def _print_cross_validation(found: CrossValidation, lines: Sequence[int], show_doubted: int) -> None:
    console, outcome = data_console(), found.outcome
    console.print(f"Trainings like this one place {_placed(outcome)}")
    console.print(
        f"{counted(found.folds, 'fold')}, {share(found.mean_accuracy)} on average, give or take "
        f"{share(found.accuracy_spread)}. Always answering {one_line(found.majority.label)!r} would place "
        f"{share(found.majority.accuracy)} right."
    )
    _print_outcome(console, outcome)
    if found.contradicted and show_doubted:
        shown = _shown(len(found.contradicted), show_doubted, "--show-doubted")
        console.print(f"\nLabels to look at again, since the other rows contradict them ({shown}):")
        console.print(misread_table(found.contradicted[:show_doubted], lines))
    if found.curve:
        console.print(
            "\nWith fewer rows, as many as each training saw; a part of the file is always held back to judge by:"
        )
        heads = ("share", "rows trained on", "accuracy")
        table = new_table(*heads, right=heads)
        for point in found.curve:
            table.add_row(share(point.share), f"{point.rows:.0f}", share(point.accuracy))
        console.print(table)
    console.print(f"\n{in_options(found.advice_text)}")
    low, high = found.head_only_interval.low * 100, found.head_only_interval.high * 100
    console.print(
        f"The head alone (--num-iterations 0) reaches {share(found.head_only_accuracy)}; this training is better by "
        f"{low:+.1f} to {high:+.1f} points. {in_options(found.recommendation)}"
    )
    _print_warnings(found.warnings, lines)


def _print_suggestions(found: Suggestions, lines: Sequence[int]) -> None:
    console = data_console()
    table = new_table(
        "line",
        "text",
        "why",
        "alike",
        "guess",
        "score",
        "or else",
        right=("line", "alike", "score"),
        spare=("or else", "alike", "why"),
    )
    for each in found.suggestions:
        table.add_row(
            str(lines[each.index]),
            one_line(each.text),
            each.why,
            str(each.alike),
            one_line(each.label),
            f"{each.score:.2f}",
            one_line(each.runner_up),
        )
    console.print(table)
    console.print(
        f"\n{len(found.suggestions)} of {counted(found.total, 'text')} that {found.model_name}@{found.revision} was "
        "not trained on. Label them, add them to its training rows, and fit the next version."
    )


def _placed(outcome: Outcome) -> str:
    return (
        f"{outcome.correct} of {counted(outcome.total, 'row')} right: {share(outcome.accuracy)} "
        f"(95 % interval: {between(outcome.accuracy_interval)})."
    )


def _print_outcome(console: "Console", outcome: Outcome) -> None:
    console.print()
    console.print(label_table(outcome))
    console.print()
    console.print(confusion_table(outcome, console.width))
    console.print()
    console.print(calibration_line(outcome))


def _shown(count: int, limit: int, option: str) -> str:
    return counted(count, "row") if count <= limit else f"{limit} of {count:,} rows; more with {option}"


def _print_warnings(warnings: Iterable[DataWarning], lines: Sequence[int]) -> None:
    notes = notes_console()
    for warning in warnings:
        named = ", ".join(str(lines[row]) for row in warning.rows)
        where = f" Lines: {named}." if named else ""
        notes.print(f"Warning: {one_line(in_options(warning.message))}{where}")
