"""Predicts the rows of a file into an output, with a progress bar, notes and a way to resume."""

import shutil
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from windrow.cli.formats import duration
from windrow.cli.label_files import NoLabel, check_label_folder
from windrow.cli.resumable_output import check_same_run, find_fingerprint, partial_path, remaining_records
from windrow.cli.row_output import RowOutput, ShownWriter, opened_output
from windrow.cli.run_options import Run
from windrow.cli.summary_text import summary_lines
from windrow.cli.writing import DocumentWriter, TableWriter
from windrow.domain.errors import InvalidParameter, WindrowError
from windrow.domain.figures import counted
from windrow.domain.prediction_summary import PredictionSummary, SummaryCounts, label_summaries
from windrow.domain.quality_warnings import warn_of_truncated
from windrow.execution.prediction_stream import PinnedRevision, StreamRequest, pin, pin_again, predict_stream
from windrow.files.bad_rows import BadRows, FirstBadRow
from windrow.files.left_out_rows import LeftOutRows, left_out_report, left_out_warnings
from windrow.files.reading import Record, Table, open_table
from windrow.files.results import (
    TABLES,
    ResultContext,
    ResultForm,
    check_installed,
    check_result_labels,
    default_format,
    find_result_form,
    format_of_name,
    names_for,
    records_for,
)
from windrow.files.row_limits import refusal_of
from windrow.files.tool_results import ToolContext
from windrow.files.writing import escaped_formula

if TYPE_CHECKING:
    from windrow.operations import Operations


@dataclass(slots=True)
class _FileRun:
    """A run that has begun.

    Args:
        run: What is to be done.
        pinned: The revision that answers.
        table: The file.
        form: How rows are written; ``None`` for what people or programs read alone: a table, or the document of HTTP.
        counts: What was answered so far.
        bad: The rows that are left out as they are read.
        refused: Those that the service refuses; several threads add to them.
    """

    run: Run
    pinned: PinnedRevision
    table: Table
    form: ResultForm | None
    counts: SummaryCounts
    bad: BadRows = field(default_factory=BadRows)
    refused: BadRows = field(default_factory=lambda: BadRows(are_skipped=True))
    started: float = field(default_factory=time.perf_counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def context(self) -> ResultContext:
        """What is the same for all rows."""
        pinned, added = self.pinned, self.run.options.added(self.pinned.kind)
        tool = ToolContext(pinned.reference, pinned.labels, pinned.kind, self.run.options.tool_names)
        is_table = self.form is not None and self.form.format in TABLES
        columns = added.of_table(pinned.labels) if is_table else added
        names = None if self.form is None else names_for(self.form, self.table)
        return ResultContext(self.table.source, names, columns, tool)

    def check(self) -> None:
        """Refuse what cannot be written, before anything is.

        Raises:
            InvalidParameter: A label, a column or the kind of output is not possible.
        """
        if self.form is None:
            return
        context = self.context
        check_result_labels(self.form, context.columns, self.pinned.labels)
        check_installed(self.form, self.table.source.name)
        if context.names is not None and self.form.format in (*TABLES, "jsonl", "json"):
            context.columns.check(context.names, self.table.source)

    def predict(self, operations: "Operations", output: RowOutput) -> None:
        """Write each row's answer behind what is there already."""
        request = replace(self.run.request, model_name=self.pinned.asked)
        source, reference = self.table.source.name, self.pinned.reference
        stream_request = StreamRequest(request, source, reference, self.run.chunk_texts, self._on_refused)
        shown: Callable[[str], str] = escaped_formula if self.form is not None and self.form.escape_formulas else str
        records = output.bar.counted(remaining_records(self.table, output.written, shown))
        if self.form is not None:
            records = records_for(self.form, self.table, records)
        with closing(predict_stream(operations, records, stream_request)) as answered:
            for chunk, predictions in answered:
                if not chunk:
                    continue
                output.writer.write(chunk, predictions)
                output.add_rows(len(chunk))
                self.counts.add(predictions)
                output.bar.advance(len(chunk))
        output.writer.end()
        output.summary = self.summary(output.label_files)

    def _on_refused(self, record: Record, refusal: WindrowError) -> None:
        """Leave out a row that the service refuses, or end the run.

        Raises:
            InvalidFile: No rows are to be left out; the message names its line.
        """
        template, facts = refusal_of(record, refusal)
        error = replace(self.table.source, row=(record.line, record.id)).error(template, record.line, **facts)
        if not self.run.options.skip_bad_rows:
            _first_bad_row(self.run).note_problem(error)
        with self._lock:
            self.refused.note_problem(error)

    @property
    def left_out(self) -> LeftOutRows:
        """The rows that were left out."""
        found = LeftOutRows()
        found.add_bad(self.bad)
        found.add_bad(self.refused)
        return found

    def summary(self, files: dict[str | NoLabel, str]) -> PredictionSummary:
        """Return what became of the rows of this run."""
        name, revision = self.pinned.reference.rsplit("@", 1)
        counts = self.counts
        return PredictionSummary(
            model_name=name,
            revision=int(revision),
            rows=counts.rows,
            labels=label_summaries(
                counts.labels, {label: file for label, file in files.items() if isinstance(label, str)}
            ),
            abstained=counts.abstained,
            without_labels=counts.without_labels,
            out_of_scope=counts.out_of_scope,
            truncated=counts.truncated,
            output=self.run.options.place,
            abstained_file=files.get(NoLabel.ABSTAINED),
            without_labels_file=files.get(NoLabel.NONE_FITS),
            warnings=left_out_warnings(self.table.source.name, self.left_out, self.table.source.place, self.run.words),
        )

    def report_start(self) -> None:
        """Tell which revision answers, and which column is read where its name does not say so."""
        columns = self.table.columns
        text = " and ".join(map(repr, columns.text)) if columns is not None else "'text'"
        where = "" if text.casefold() == "'text'" else f", and the texts stand in {text}"
        self.run.say(f"{self.pinned.reference} answers all rows{where}.")

    def report_end(self, summary: PredictionSummary, remark: str) -> None:
        """Tell what was done: how many rows, and with what result."""
        seconds, rows = time.perf_counter() - self.started, summary.rows
        for line in summary_lines(summary, self.run.request.min_in_scope):
            self.run.say(line)
        counts = [f"{counted(rows, 'row')} in {duration(seconds)} ({rows / max(seconds, 1e-9):,.0f} rows/s)"]
        if summary.abstained:
            counts.append(f"{summary.abstained:,} without a label")
        where = "" if summary.output is None else f" written to {summary.output}"
        self.run.say(f"{', '.join(counts)}{where}.")
        for warning in warn_of_truncated(summary.truncated, rows):
            self.run.say(f"Warning: {warning.message}")
        if remark:
            self.run.say(remark)
        source = self.table.source
        for line in left_out_report(source.name, self.left_out, source.place, self.run.words):
            self.run.say(line)

    def shown_writer(self) -> ShownWriter | None:
        """Return what writes to standard output what is no file of results; ``None`` where rows are one."""
        if self.run.shown == "table":
            width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
            return TableWriter(sys.stdout, self.pinned.labels, width, self.pinned.kind)
        if self.run.shown == "document":
            name, revision = self.pinned.reference.rsplit("@", 1)
            return DocumentWriter(sys.stdout, (name, int(revision)), self.pinned.alias, self.pinned.kind)
        return None


def predict_file(operations: "Operations", run: Run) -> PredictionSummary | None:
    """Predict each row of a file. All answers come from one revision.

    Args:
        operations: The verbs.
        run: What is to be done.

    Returns:
        What became of the rows of this run; ``None`` where nothing was left to do.

    Raises:
        InvalidInput: The file, a row or an option is wrong; the message names the line.
        NotFound: The classifier does not exist.
        Interrupted: The user pressed Ctrl-C.
    """
    out, begun = run.options.file, None
    if run.options.label_folder is not None:
        check_label_folder(run.options.label_folder, overwrite=run.options.overwrite)
    elif out is not None:
        if run.options.resume and out.exists() and not partial_path(out).exists():
            run.say(f"{out} is whole already; nothing is left to do.")
            return None
        begun = find_fingerprint(out, resume=run.options.resume, overwrite=run.options.overwrite)
    bad = BadRows(are_skipped=True)
    listener = bad if run.options.skip_bad_rows else _first_bad_row(run)
    with open_table(run.path, run.read_options, listener=listener) as table:
        form = None if run.shown in ("table", "document") else _form_of(run, table)
        if out is not None and form is not None and run.options.resume and not form.is_resumable:
            raise InvalidParameter(
                "--resume goes with csv, tsv, jsonl and json; {to} is written anew. Leave it out, with --overwrite "
                "where the file exists. A run that can go on writes one of those, or Parquet into a folder, by shards: "
                "--out FOLDER/ --to parquet.",
                {"parameter": "resume", "to": form.format},
            )
        if begun is None or form is None or out is None:
            pinned = pin(operations, run.model_name)
        else:
            # Before it is known whether the revision is there still: what is asked for may be another one.
            check_same_run(begun, run.fingerprint(begun.reference, begun.kind, form), out)
            pinned = pin_again(operations, run.model_name, begun.reference)
            check_same_run(begun, run.fingerprint(pinned.reference, pinned.kind, form), out)
        return _predict(operations, _FileRun(run, pinned, table, form, SummaryCounts(run.request.min_in_scope), bad))


def _first_bad_row(run: Run) -> FirstBadRow:
    """Return what refuses the file for its first wrong row, and says how to leave such rows out by this command."""
    if run.shown == "document":
        return FirstBadRow("")
    if run.options.place is None:
        return FirstBadRow()
    # What is written so far cannot be gone on with: its rows are counted.
    return FirstBadRow("To leave such rows out, begin anew with --skip-bad-rows and --overwrite.")


def _predict(operations: "Operations", file_run: _FileRun) -> PredictionSummary:
    file_run.check()
    file_run.report_start()
    run, form = file_run.run, file_run.form
    fingerprint = None if form is None else run.fingerprint(file_run.pinned.reference, file_run.pinned.kind, form)
    with opened_output(run, file_run.context, form, fingerprint, file_run.shown_writer()) as output:
        file_run.predict(operations, output)
    assert output.summary is not None
    file_run.report_end(output.summary, getattr(output.writer, "remark", ""))
    return output.summary


def _form_of(run: Run, table: Table) -> ResultForm:
    """Return how rows are written: as the file is, unless an option or the output's name asks for something else."""
    options, found = run.options, default_format(table)
    if options.out is not None and options.out.lower().endswith(".gz"):
        raise InvalidParameter(
            "Results are written unpacked. Name {file} without .gz, or pack it afterwards.",
            {"parameter": "out", "file": options.out},
        )
    encoding = options.output_encoding
    if run.shown is not None:
        assert run.shown != "table"
        assert run.shown != "document"
        wanted = run.shown
    elif options.out is None and options.split_by_label is None:
        # What is no text goes to no pipe, and a terminal shows UTF-8.
        wanted = "csv" if found in ("xlsx", "parquet") else found
    else:
        wanted = found if options.out is None else format_of_name(options.out, found)
    if options.place is None and sys.stdout.isatty():
        encoding = "utf-8"
    if options.place is None and wanted in ("xlsx", "parquet"):
        raise InvalidParameter("{to} is no text. Name a file for it with --out.", {"parameter": "to", "to": wanted})
    form = find_result_form(table, wanted, run.read_options, encoding)
    text = replace(form.text, decimal_comma=options.decimal_comma)
    return replace(form, text=text, escape_formulas=options.escape_formulas)
