"""The ``inspect`` command: what a file of rows is, before anything is done with it."""

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, BinaryIO, Final

import typer

from windrow.cli.call import Call
from windrow.cli.connect import connect_dry_run
from windrow.cli.formats import listed, one_line
from windrow.cli.labelled_file import FileRows
from windrow.cli.option_parsing import with_options
from windrow.cli.options import OptionSpec
from windrow.cli.output import notes_console
from windrow.cli.tables import Column, number, print_facts, print_table
from windrow.domain.figures import counted, percent
from windrow.domain.inspection import Inspection, InspectRequest, told_in
from windrow.files.decoding import STANDARD_INPUT, source_name
from windrow.files.formats.registry import format_called
from windrow.session.inspecting import open_rows_file

verbs = typer.Typer()
_SHOWN_ROWS: Final = 5
_SHOWN_PROBLEMS: Final = 20
_SHOWN_LEFT_OUT: Final = 10
# The options that answer a question, where they are no option with a value.
_ANSWERS: Final = {"header": "--header or --no-header"}


@verbs.command(
    epilog="Examples: windrow inspect tickets.csv; "
    "windrow inspect mails.csv --text-column Subject,Body --label-column Team --json"
)
@with_options(
    leave_out=("filename",),
    include_values=OptionSpec(help="With --json: give each row all its columns, too."),
    labelled=OptionSpec(help="Keep rows whose label is missing, as rows to be classified may be."),
)
def inspect(
    call: Call,
    request: InspectRequest,
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="A table, JSON, or the file of a labelling tool, also .gz; - for standard input."
        ),
    ],
) -> None:
    """Say what a file of rows is: its columns, rows for each label, and what is wrong or not clear.

    Rows with a problem are left out and named, where a training refuses the file. Nothing is trained or kept.
    """
    name = source_name(file)
    request = replace(request, filename=name if str(file) == STANDARD_INPUT else file.name)
    with (
        _opened(file) as opened,
        connect_dry_run(call.url, call.data_dir, call.api_key_file) as operations,
    ):
        inspection = operations.inspect(opened, request)
    lines = tuple(row.line for row in inspection.rows)
    call.words.files["file"] = FileRows(name, inspection.rows, lines)
    call.show(inspection, lambda found: _print_inspection(call, found, trains=request.labelled))


@contextmanager
def _opened(file: Path) -> Iterator[BinaryIO]:
    """Give a file, or standard input as a whole, since a server must know how long it is."""
    if str(file) == STANDARD_INPUT:
        yield io.BytesIO(sys.stdin.buffer.read())
        return
    with open_rows_file(file) as opened:
        yield opened


def _print_inspection(call: Call, inspection: Inspection, *, trains: bool) -> None:
    print_facts(
        ("Format", _format_text(inspection)),
        ("Texts", " and ".join(inspection.text_columns)),
        ("Labels", _labels_text(inspection)),
        ("IDs", inspection.id_column or ""),
        ("Rows", _rows_text(inspection) if inspection.columns else ""),
        ("Parts", ", ".join(f"{split} {count:,}" for split, count in inspection.rows_per_split.items())),
        ("Left out", _left_out_text(inspection)),
        ("Description", one_line(inspection.description)),
        ("SHA-256", inspection.sha256 or ""),
    )
    if inspection.columns:
        print()
        print_table(
            inspection.columns,
            Column("column", lambda column: column.name, no_wrap=True),
            number("distinct", lambda column: f"{column.distinct:,}"),
            Column("examples", lambda column: listed(column.examples), cut=True),
        )
    if inspection.rows_per_label:
        print()
        print_table(
            inspection.rows_per_label.items(),
            Column("label", lambda each: each[0]),
            number("rows", lambda each: f"{each[1]:,}"),
        )
    if inspection.left_out:
        print()
        print_table(
            inspection.left_out[:_SHOWN_LEFT_OUT],
            number("line", lambda row: str(row.line)),
            Column("id", lambda row: row.id),
            Column("left out, since", lambda row: told_in(call.words, row)),
        )
    if inspection.problems:
        print()
        print_table(
            inspection.problems[:_SHOWN_PROBLEMS],
            number("line", lambda problem: str(problem.line)),
            Column("problem", lambda problem: told_in(call.words, problem)),
        )
    _print_notes(call, inspection)
    if trains and inspection.text_columns and not inspection.questions and not _labels_text(inspection):
        label_column = call.words.argument("label_column")
        notes_console().print(f"No column is known to hold labels. To train on the file, name one with {label_column}.")


def _labels_text(inspection: Inspection) -> str:
    if inspection.kind == "single_label":
        return inspection.label_column or ""
    columns = inspection.labels_column or " and ".join(inspection.indicator_columns)
    without = counted(inspection.rows_without_labels, "row has", "rows have")
    return f"{columns}, any number a row (a multi-label classifier); {without} none"


def _print_notes(call: Call, inspection: Inspection) -> None:
    notes = notes_console()
    for note in inspection.notes:
        notes.print(f"Note: {one_line(told_in(call.words, note))}")
    if (hidden := inspection.num_left_out - _SHOWN_LEFT_OUT) > 0:
        notes.print(f"{counted(hidden, 'more row is', 'more rows are')} left out; --json tells of a hundred.")
    if (unshown := inspection.num_problems - _SHOWN_PROBLEMS) > 0:
        notes.print(f"{counted(unshown, 'more row')} with a problem; --json tells of a hundred.")
    call.warn(replace(warning, rows=warning.rows[:_SHOWN_ROWS]) for warning in inspection.warnings)
    for question in inspection.questions:
        option = _ANSWERS.get(question.parameter) or call.words.argument(question.parameter)
        notes.print(f"Not clear: {one_line(question.detail)} Answer with {option}.")


def _format_text(inspection: Inspection) -> str:
    parts = [_title(inspection.format), _written_text(inspection)]
    if inspection.certainty < 1:
        parts[0] += f" ({percent(inspection.certainty)} sure)"
    if inspection.delimiter is not None:
        parts.append(f"fields parted by {'tabs' if inspection.delimiter == chr(9) else repr(inspection.delimiter)}")
    if inspection.has_header is not None:
        parts.append("the first line names the columns" if inspection.has_header else "no header")
    return ", ".join(filter(None, parts))


def _written_text(inspection: Inspection) -> str:
    # A workbook is text of one encoding in a zip file; its sheet says more.
    if not inspection.sheets:
        return inspection.encoding.upper()
    return "the first of several sheets" if inspection.sheet is None else f"the sheet {inspection.sheet!r}"


def _title(name: str) -> str:
    """Return what people call a format."""
    found = format_called(name)
    return name.upper() if found is None else found.title


def _left_out_text(inspection: Inspection) -> str:
    parts = []
    if inspection.num_left_out:
        parts.append(counted(inspection.num_left_out, "row"))
    if inspection.num_unlabelled:
        parts.append(f"{counted(inspection.num_unlabelled, 'row')} that nobody has labelled")
    return ", and ".join(parts)


def _rows_text(inspection: Inspection) -> str:
    wrong = f", and {counted(inspection.num_problems, 'row')} with a problem" if inspection.num_problems else ""
    return f"{inspection.num_rows:,}{wrong}"
