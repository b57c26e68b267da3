"""Opens where answered rows go: standard output, a file that can be gone on with, one written at once, or a folder."""

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from windrow.cli.exits import Interrupted
from windrow.cli.label_files import Key, LabelFolder, LabelWriter, label_folder
from windrow.cli.progress import RowBar, row_bar
from windrow.cli.resumable_output import (
    ResumableOutput,
    RunFingerprint,
    WrittenRows,
    output_file,
    partial_path,
)
from windrow.cli.run_options import Run
from windrow.cli.writing import DocumentWriter, TableWriter
from windrow.disk import reason, whole_file
from windrow.domain.errors import StorageFailed, WindrowError
from windrow.domain.figures import counted
from windrow.domain.prediction_summary import PredictionSummary
from windrow.files.results import ResultContext, ResultForm, close_writer
from windrow.files.writing import RowWriter

# What writes to standard output what is no file of results.
ShownWriter = TableWriter | DocumentWriter


@dataclass(slots=True)
class RowOutput:
    """An output that is open.

    Args:
        writer: Writes rows.
        bar: Shows how far it is.
        written: What is there already.
        partial: The file that is written, where it can be gone on with.
        rows: The rows written so far, by this run.
        summary: What became of the rows; to be set before the end.
    """

    writer: RowWriter | ShownWriter
    bar: RowBar
    written: WrittenRows = field(default_factory=WrittenRows)
    partial: ResumableOutput | None = None
    rows: int = 0
    summary: PredictionSummary | None = None

    def add_rows(self, rows: int) -> None:
        """Count rows that are written."""
        self.rows += rows
        if self.partial is not None:
            self.partial.rows += rows

    @property
    def label_files(self) -> dict[Key, str]:
        """The file of each label, where it has one."""
        return self.writer.files if isinstance(self.writer, LabelWriter) else {}


@contextmanager
def opened_output(
    run: Run,
    context: ResultContext,
    form: ResultForm | None,
    fingerprint: RunFingerprint | None,
    shown: ShownWriter | None,
) -> Iterator[RowOutput]:
    """Open the output, with a progress bar if standard error is a terminal and no rows are printed there.

    Args:
        run: What is to be done.
        context: What is the same for all rows.
        form: How they are written; ``None`` where ``shown`` writes them.
        fingerprint: What decides what the rows look like; ``None`` likewise.
        shown: Writes to standard output what is no file of results; ``None`` where rows are one.

    Raises:
        StorageFailed: It cannot be written.
        Interrupted: The user pressed Ctrl-C.
    """
    is_watched = sys.stderr.isatty() and not run.options.quiet
    if run.options.place is None:
        is_watched = is_watched and not sys.stdout.isatty()
    with row_bar(context.source, is_shown=is_watched) as bar:
        if run.options.place is None:
            yield from _standard_output(context, form, shown, bar)
            return
        assert form is not None
        assert fingerprint is not None
        if run.options.label_folder is not None:
            yield from _folder(run.options.label_folder, context, form, bar)
        elif form.is_binary:
            yield from _whole_file(Path(run.options.place), context, form, bar)
        else:
            yield from _resumable_file(run, context, (form, fingerprint), bar)


def _standard_output(
    context: ResultContext, form: ResultForm | None, shown: ShownWriter | None, bar: RowBar
) -> Iterator[RowOutput]:
    if isinstance(sys.stdout, io.TextIOWrapper):
        encoding, errors = ("utf-8", "backslashreplace") if form is None else (form.text.encoding, form.text.errors)
        sys.stdout.reconfigure(encoding=encoding, errors=errors, newline="\n" if form is None else "")
    writer: RowWriter | ShownWriter
    if shown is None:
        assert form is not None
        writer = context.text_writer(form, sys.stdout)
    else:
        writer = shown
    output = RowOutput(writer, bar)
    try:
        yield output
    except KeyboardInterrupt as interrupt:
        rows = counted(output.rows, "row")
        raise Interrupted(f"{rows} {'was' if output.rows == 1 else 'were'} written before.") from interrupt


def _folder(folder: Path, context: ResultContext, form: ResultForm, bar: RowBar) -> Iterator[RowOutput]:
    with _nothing_written(), label_folder(folder, form, context) as opened:
        output = RowOutput(opened.writer, bar)
        yield output
        _give_summary(opened, output)


def _give_summary(opened: LabelFolder, output: RowOutput) -> None:
    opened.summary = output.summary


def _whole_file(path: Path, context: ResultContext, form: ResultForm, bar: RowBar) -> Iterator[RowOutput]:
    with _nothing_written(), _whole_file_errors(path), whole_file(path) as file:
        writer = context.binary_writer(form, file)
        try:
            yield RowOutput(writer, bar)
        finally:
            close_writer(writer)


@contextmanager
def _whole_file_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageFailed(
            "{file} cannot be written: {reason}. Make room or name another place with --out.",
            {"file": str(path), "reason": reason(error)},
        ) from error


@contextmanager
def _nothing_written() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt as interrupt:
        raise Interrupted("no row was written.") from interrupt


def _resumable_file(
    run: Run, context: ResultContext, decided: tuple[ResultForm, RunFingerprint], bar: RowBar
) -> Iterator[RowOutput]:
    form, fingerprint = decided
    out, resume = Path(run.options.place or ""), run.options.resume
    can_go_on = form.is_resumable and not run.options.skip_bad_rows
    with (
        _with_resume_hint(out, is_resumable=can_go_on),
        output_file(out, fingerprint, resume=resume, form=form.text) as partial,
    ):
        if partial.written.rows:
            run.say(f"{partial.written.rows:,} rows are there already; going on behind them.")
        written = partial.written
        writer = context.written_before(written.names).text_writer(form, partial.file, has_begun=written.has_begun)
        yield RowOutput(writer, bar, written, partial)


@contextmanager
def _with_resume_hint(out: Path, *, is_resumable: bool) -> Iterator[None]:
    """Add to what ends a run where the rows before are, and how to go on."""
    partial = partial_path(out)
    go_on = "; go on with --resume" if is_resumable else ""
    try:
        yield
    except WindrowError as error:
        # What is wrong with that file itself says what to do about it.
        if partial.exists() and "partial" not in error.facts:
            error.template += f" The rows before are in {{partial}}{go_on}."
            error.facts["partial"] = str(partial)
        raise
    except KeyboardInterrupt as interrupt:
        rows = f"the rows before are in {partial}{go_on}" if partial.exists() else "no row was written"
        raise Interrupted(f"{rows}.") from interrupt
