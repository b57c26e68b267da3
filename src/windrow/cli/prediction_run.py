"""One run over a file: its rows through a classifier to an output, with a bar, remarks and a way to go on later.

Owns the order of the steps; knows nothing of formats, threads or options of the command line.
"""

import io
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Literal

from windrow.cli.exits import Stopped
from windrow.cli.formats import counted, duration
from windrow.cli.partial import Begun, Kept, Partial, check_same, find_begun, output_file, partial_path, rest_of
from windrow.cli.reading import Reading, Table, open_table
from windrow.cli.row_bar import RowBar, row_bar
from windrow.cli.streaming import Pinned, Question, pin, predict_stream
from windrow.cli.writing import Added, CsvWriter, DocumentWriter, JsonLinesWriter, RowWriter, TableWriter
from windrow.domain.errors import WindrowError
from windrow.domain.prediction import PredictRequest
from windrow.operations import Operations

# "json" is the one document that the HTTP API answers with.
Shown = Literal["csv", "jsonl", "table", "json"]
_SHOWN_LINES = 10


@dataclass(frozen=True, slots=True)
class Run:
    """What is to be done.

    Args:
        request: The classifier, and what is wanted of its answers; no texts.
        path: The file, ``-`` for standard input.
        reading: How to read it.
        shown: What comes out.
        added: What each row gains.
        out: The file to write; ``None`` for standard output.
        resume: Whether to go on with an unfinished output.
        overwrite: Whether an output that is there may be replaced.
        is_quiet: Whether only errors are told.
        chunk_texts: The most texts of one request.
        skips_bad_rows: Whether rows whose text is blank or too long are left out.
    """

    request: PredictRequest
    path: Path | str
    reading: Reading
    shown: Shown
    added: Added
    out: Path | None = None
    resume: bool = False
    overwrite: bool = False
    is_quiet: bool = False
    chunk_texts: int = 512
    skips_bad_rows: bool = False

    @property
    def asked(self) -> str:
        """The classifier as the user named it."""
        return self.request.model_names[0]

    def say(self, words: str) -> None:
        """Tell something on standard error, so that standard output holds nothing but data."""
        if not self.is_quiet:
            print(words, file=sys.stderr)

    def begun(self, reference: str) -> Begun:
        """Return what decides what a row of the output looks like."""
        wanted = (self.request.top_k, self.request.abstain_below, self.request.min_in_scope)
        names = ("top_k", "abstain_below", "min_in_scope")
        options = {"format": self.shown, **dict(zip(names, wanted, strict=True)), **asdict(self.added)}
        if self.skips_bad_rows:
            options["skip_bad_rows"] = True
        return Begun(self.asked, reference, options)


@dataclass(slots=True)
class _Pass:
    """A run that has begun.

    Args:
        run: What is to be done.
        pinned: The revision that answers.
        table: The file.
        rows, abstained, truncated: What was answered by now.
        skipped: The lines of the rows that were left out.
    """

    run: Run
    pinned: Pinned
    table: Table
    rows: int = field(default=0)
    abstained: int = field(default=0)
    truncated: int = field(default=0)
    skipped: list[int] = field(default_factory=list)
    started: float = field(default_factory=time.perf_counter)

    def predict(self, operations: Operations, partial: Partial, bar: RowBar) -> None:
        """Write each row's answer behind what is there already."""
        writer = self._writer(partial)
        request = replace(self.run.request, model_names=(self.pinned.reference,))
        skip = self.skipped.append if self.run.skips_bad_rows else None
        question = Question(request, self.table.source.name, self.run.chunk_texts, skip)
        records = bar.counted(rest_of(self.table, partial.kept, skip))
        with closing(predict_stream(operations, records, question)) as answered:
            for chunk, predictions in answered:
                if not chunk:
                    continue
                writer.write(chunk, predictions)
                partial.rows += len(chunk)
                self.rows += len(chunk)
                self.abstained += sum(prediction.abstained for prediction in predictions)
                self.truncated += sum(prediction.truncated for prediction in predictions)
                bar.advance(len(chunk))
        writer.end()

    def say_beginning(self) -> None:
        """Tell which revision answers, and which column is read where its name does not say so."""
        text = self.table.columns.text if self.table.columns is not None else "text"
        where = "" if text.casefold() == "text" else f", and the texts stand in {text!r}"
        self.run.say(f"{self.pinned.reference} answers all rows{where}.")

    def say_ending(self) -> None:
        """Tell what was done."""
        seconds = time.perf_counter() - self.started
        counts = [f"{self.rows:,} rows in {duration(seconds)} ({self.rows / max(seconds, 1e-9):,.0f} rows/s)"]
        if self.abstained:
            counts.append(f"{self.abstained:,} without a label")
        if self.truncated:
            counts.append(f"{self.truncated:,} longer than the encoder reads")
        where = "" if self.run.out is None else f" written to {self.run.out}"
        self.run.say(f"{', '.join(counts)}{where}.")
        if self.skipped:
            lines = ", ".join(map(str, sorted(self.skipped)[:_SHOWN_LINES]))
            more = ", …" if len(self.skipped) > _SHOWN_LINES else ""
            rows = counted(len(self.skipped), "row")
            self.run.say(f"Left out, since the text is blank or too long: {rows}, of the lines {lines}{more}.")

    def _writer(self, partial: Partial) -> RowWriter:
        run, source = self.run, self.table.source
        if run.shown == "csv":
            names = partial.kept.names
            columns = self.table.names or None if names is None else names[: len(names) - len(run.added.names)]
            return CsvWriter(partial.file, run.added, source, columns, has_header=names is not None)
        if run.shown == "jsonl":
            return JsonLinesWriter(partial.file, run.added, source)
        if run.shown == "table":
            width = shutil.get_terminal_size().columns if partial.file.isatty() else None
            return TableWriter(partial.file, self.pinned.labels, width)
        name, revision = self.pinned.reference.rsplit("@", 1)
        return DocumentWriter(partial.file, (name, int(revision)), self.pinned.alias)


def predict_file(operations: Operations, run: Run) -> None:
    """Predict each row of a file. All answers come from one revision.

    Args:
        operations: Whom to ask.
        run: What is to be done.

    Raises:
        InvalidInput: The file, a row or an option is wrong; the words name the line.
        NotFound: The classifier does not exist.
        Stopped: Somebody pressed Ctrl-C.
    """
    begun = None
    if run.out is not None:
        if run.resume and run.out.exists() and not partial_path(run.out).exists():
            run.say(f"{run.out} is whole already; nothing is left to do.")
            return
        begun = find_begun(run.out, resume=run.resume, overwrite=run.overwrite)
        if begun is not None:
            check_same(begun, run.begun(begun.reference), run.out)
    pinned = pin(operations, run.asked if begun is None else begun.reference)
    with open_table(run.path, run.reading) as table:
        if table.columns is not None and run.shown in ("csv", "jsonl"):
            run.added.check(table.names, table.source)
        answering = _Pass(run, pinned, table)
        answering.say_beginning()
        with _output(run, pinned, table) as (partial, bar):
            answering.predict(operations, partial, bar)
        answering.say_ending()


@contextmanager
def _output(run: Run, pinned: Pinned, table: Table) -> Iterator[tuple[Partial, RowBar]]:
    """Open what is written to, with a bar where somebody watches and no rows would be in its way."""
    is_watched = sys.stderr.isatty() and not run.is_quiet
    if run.out is None:
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace", newline="\n")
        partial = Partial(Path("-"), sys.stdout, Kept(), 0)
        with row_bar(table.source, is_shown=is_watched and not sys.stdout.isatty()) as bar:
            try:
                yield partial, bar
            except KeyboardInterrupt as interrupt:
                rows = counted(partial.rows, "row")
                raise Stopped(f"{rows} {'was' if partial.rows == 1 else 'were'} written before") from interrupt
        return
    with (
        _said_where_it_stopped(run.out, is_resumable=not run.skips_bad_rows),
        output_file(run.out, run.begun(pinned.reference), resume=run.resume) as partial,
        row_bar(table.source, is_shown=is_watched) as bar,
    ):
        if partial.kept.rows:
            run.say(f"{partial.kept.rows:,} rows are there already; going on behind them.")
        yield partial, bar


@contextmanager
def _said_where_it_stopped(out: Path, *, is_resumable: bool) -> Iterator[None]:
    """Add to what ends a run where the rows before are, and how to go on."""
    try:
        yield
    except WindrowError as error:
        if partial_path(out).exists() and "--resume" not in error.detail and "--overwrite" not in error.detail:
            raise type(error)(f"{error.detail} {_rows_before(out, is_resumable)}.", error.facts) from error
        raise
    except KeyboardInterrupt as interrupt:
        rows = _rows_before(out, is_resumable) if partial_path(out).exists() else "no row was written"
        raise Stopped(f"{rows[:1].lower()}{rows[1:]}") from interrupt


def _rows_before(out: Path, is_resumable: bool) -> str:
    return f"The rows before are in {partial_path(out)}{'; go on with --resume' if is_resumable else ''}"
