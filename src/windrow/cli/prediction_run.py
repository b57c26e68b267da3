"""Predicts the rows of a file into an output, with a progress bar, notes and a way to resume."""

import io
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from windrow.cli.exits import Interrupted
from windrow.cli.formats import duration
from windrow.cli.progress import RowBar, row_bar
from windrow.cli.resumable_output import (
    ResumableOutput,
    RunFingerprint,
    WrittenRows,
    check_same_run,
    find_fingerprint,
    output_file,
    partial_path,
    remaining_records,
)
from windrow.cli.writing import DocumentWriter, OutputFormat, TableWriter
from windrow.domain.errors import WindrowError
from windrow.domain.figures import counted, listed
from windrow.domain.file_prediction import SHARD_ROWS_RANGE, WORKERS_RANGE
from windrow.domain.prediction import Kind, PredictRequest
from windrow.domain.quality_warnings import warn_of_truncated
from windrow.domain.read_options import ReadOptions
from windrow.domain.values import Schema
from windrow.execution.prediction_stream import PinnedRevision, StreamRequest, pin, pin_again, predict_stream
from windrow.files.reading import Table, open_table
from windrow.files.writing import CsvWriter, JsonLinesWriter, PredictionColumns, RowWriter, check_labels_for_csv

if TYPE_CHECKING:
    from windrow.operations import Operations

# "json" is the one document that the HTTP API answers with.
ShownFormat = Literal["csv", "jsonl", "table", "json"]
_SHOWN_LINES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """Where answered rows go, and what they look like."""

    out: str | None = None
    """Write to this file, which appears once whole, or to this folder (``labelled/``, s3://bucket/labelled): a file for
    each shard of rows."""
    to: OutputFormat | None = None
    """What comes out; otherwise by the name of ``out``, and CSV where that says nothing. A folder gets what the files
    are, and Parquet too."""
    scores: bool = False
    """Add the scores of all labels to each row."""
    prefix: str = ""
    """What the names of the added columns begin with."""
    skip_bad_rows: bool = False
    """Leave out rows whose text is blank or too long, and tell which."""
    resume: bool = False
    """Go on with an ``out`` that broke off."""
    overwrite: bool = False
    """Replace an ``out`` that is there."""
    shard_rows: Annotated[int | None, Schema(minimum=SHARD_ROWS_RANGE[0], maximum=SHARD_ROWS_RANGE[1])] = None
    """With a folder: the most rows of each of its files; 10,000 unless said otherwise."""
    note_bad_rows: bool = False
    """With a folder: keep rows whose text is blank or too long, without a label, and say why in a column ``note``."""
    runner: str | None = None
    """With a folder: what classifies, ``local`` for the cores of this machine, ``ray`` for the Ray cluster of
    RAY_ADDRESS, or ray://HOST:PORT."""
    workers: Annotated[int | None, Schema(minimum=WORKERS_RANGE[0], maximum=WORKERS_RANGE[1])] = None
    """With a Ray cluster: how many processes classify; one on each of its processors unless said otherwise."""
    quiet: bool = False
    """No remarks and no bar on standard error."""

    @property
    def file(self) -> Path | None:
        """The file to write to."""
        return None if self.out is None else Path(self.out)

    def added(self, kind: Kind) -> PredictionColumns:
        """Return the columns that a prediction by a classifier of a kind adds to each row."""
        return PredictionColumns(self.prefix, self.scores, kind=kind)


@dataclass(frozen=True, slots=True)
class Run:
    """What is to be done."""

    request: PredictRequest
    """The classifier and the prediction options; without texts."""
    path: Path | str
    """The file, ``-`` for standard input."""
    read_options: ReadOptions
    """How to read it."""
    options: RunOptions
    """Where the rows go."""
    shown: ShownFormat
    """What comes out."""
    chunk_texts: int = 512
    """The most texts of one request."""

    @property
    def model_name(self) -> str:
        """The classifier as the user named it."""
        return self.request.all_names[0]

    def say(self, words: str) -> None:
        """Tell something on standard error, so that standard output holds nothing but data."""
        if not self.options.quiet:
            print(words, file=sys.stderr)

    def fingerprint(self, reference: str, kind: Kind) -> RunFingerprint:
        """Return what decides what a row of the output looks like."""
        asked = {name: getattr(self.request, name) for name in ("top_k", "abstain_below", "min_in_scope")}
        options = {"format": self.shown, **asked, **asdict(self.options.added(kind))}
        if kind == "single_label":
            # So that what was begun before there were other kinds can be gone on with.
            del options["kind"]
        if self.options.skip_bad_rows:
            options["skip_bad_rows"] = True
        return RunFingerprint(self.model_name, reference, options)


@dataclass(slots=True)
class _FileRun:
    """A run that has begun.

    Args:
        run: What is to be done.
        pinned: The revision that answers.
        table: The file.
        abstained, truncated: The number of such predictions so far.
        skipped: The lines of the rows that were left out.
    """

    run: Run
    pinned: PinnedRevision
    table: Table
    abstained: int = field(default=0)
    truncated: int = field(default=0)
    skipped: list[int] = field(default_factory=list)
    started: float = field(default_factory=time.perf_counter)

    def predict(self, operations: "Operations", partial: ResumableOutput, bar: RowBar) -> None:
        """Write each row's answer behind what is there already."""
        writer = self._writer(partial)
        request = replace(self.run.request, model_name=self.pinned.asked)
        skip = self.skipped.append if self.run.options.skip_bad_rows else None
        source, reference = self.table.source.name, self.pinned.reference
        stream_request = StreamRequest(request, source, reference, self.run.chunk_texts, skip)
        records = bar.counted(remaining_records(self.table, partial.written, skip))
        with closing(predict_stream(operations, records, stream_request)) as answered:
            for chunk, predictions in answered:
                if not chunk:
                    continue
                writer.write(chunk, predictions)
                partial.rows += len(chunk)
                self.abstained += sum(prediction.abstained for prediction in predictions)
                self.truncated += sum(prediction.truncated for prediction in predictions)
                bar.advance(len(chunk))
        writer.end()

    def report_start(self) -> None:
        """Tell which revision answers, and which column is read where its name does not say so."""
        columns = self.table.columns
        text = " and ".join(map(repr, columns.text)) if columns is not None else "'text'"
        where = "" if text.casefold() == "'text'" else f", and the texts stand in {text}"
        self.run.say(f"{self.pinned.reference} answers all rows{where}.")

    def report_end(self, rows: int) -> None:
        """Tell what was done: how many rows, and with what result."""
        seconds = time.perf_counter() - self.started
        counts = [f"{counted(rows, 'row')} in {duration(seconds)} ({rows / max(seconds, 1e-9):,.0f} rows/s)"]
        if self.abstained:
            counts.append(f"{self.abstained:,} without a label")
        where = "" if self.run.options.out is None else f" written to {self.run.options.out}"
        self.run.say(f"{', '.join(counts)}{where}.")
        for warning in warn_of_truncated(self.truncated, rows):
            self.run.say(f"Warning: {warning.message}")
        if self.skipped:
            lines = listed(map(str, sorted(self.skipped)), _SHOWN_LINES)
            skipped = counted(len(self.skipped), "row")
            self.run.say(f"Left out, since the text is blank or too long: {skipped}, of the lines {lines}.")

    def _writer(self, partial: ResumableOutput) -> RowWriter:
        run, source = self.run, self.table.source
        added = run.options.added(self.pinned.kind)
        if run.shown == "csv":
            names = partial.written.names
            columns = self.table.names or None if names is None else names[: len(names) - len(added.names)]
            return CsvWriter(partial.file, added, source, columns, has_header=names is not None)
        if run.shown == "jsonl":
            return JsonLinesWriter(partial.file, added, source)
        if run.shown == "table":
            width = shutil.get_terminal_size().columns if partial.file.isatty() else None
            return TableWriter(partial.file, self.pinned.labels, width, self.pinned.kind)
        name, revision = self.pinned.reference.rsplit("@", 1)
        return DocumentWriter(partial.file, (name, int(revision)), self.pinned.alias, self.pinned.kind)


def predict_file(operations: "Operations", run: Run) -> None:
    """Predict each row of a file. All answers come from one revision.

    Args:
        operations: The verbs.
        run: What is to be done.

    Raises:
        InvalidInput: The file, a row or an option is wrong; the message names the line.
        NotFound: The classifier does not exist.
        Interrupted: The user pressed Ctrl-C.
    """
    fingerprint = None
    if (out := run.options.file) is not None:
        if run.options.resume and out.exists() and not partial_path(out).exists():
            run.say(f"{out} is whole already; nothing is left to do.")
            return
        fingerprint = find_fingerprint(out, resume=run.options.resume, overwrite=run.options.overwrite)
        if fingerprint is not None:
            check_same_run(fingerprint, run.fingerprint(fingerprint.reference, fingerprint.kind), out)
    if out is None or fingerprint is None:
        pinned = pin(operations, run.model_name)
    else:
        pinned = pin_again(operations, run.model_name, fingerprint.reference)
        check_same_run(fingerprint, run.fingerprint(pinned.reference, pinned.kind), out)
    if run.shown == "csv":
        check_labels_for_csv(pinned.labels, pinned.kind)
    with open_table(run.path, run.read_options) as table:
        if table.columns is not None and run.shown in ("csv", "jsonl"):
            run.options.added(pinned.kind).check(table.names, table.source)
        file_run = _FileRun(run, pinned, table)
        file_run.report_start()
        with _output(run, pinned, table) as (partial, bar):
            file_run.predict(operations, partial, bar)
        file_run.report_end(bar.done)


@contextmanager
def _output(run: Run, pinned: PinnedRevision, table: Table) -> Iterator[tuple[ResumableOutput, RowBar]]:
    """Open the output, with a progress bar if standard error is a terminal and no rows are printed there."""
    is_watched = sys.stderr.isatty() and not run.options.quiet
    if (out := run.options.file) is None:
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace", newline="\n")
        partial = ResumableOutput(sys.stdout, WrittenRows(), 0)
        with row_bar(table.source, is_shown=is_watched and not sys.stdout.isatty()) as bar:
            try:
                yield partial, bar
            except KeyboardInterrupt as interrupt:
                rows = counted(partial.rows, "row")
                raise Interrupted(f"{rows} {'was' if partial.rows == 1 else 'were'} written before.") from interrupt
        return
    with (
        _with_resume_hint(out, is_resumable=not run.options.skip_bad_rows),
        output_file(out, run.fingerprint(pinned.reference, pinned.kind), resume=run.options.resume) as partial,
        row_bar(table.source, is_shown=is_watched) as bar,
    ):
        if partial.written.rows:
            run.say(f"{partial.written.rows:,} rows are there already; going on behind them.")
        yield partial, bar


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
