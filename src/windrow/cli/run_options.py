"""What a prediction of a file's rows is asked for: where they go, and what they look like."""

import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Literal

from windrow.cli.resumable_output import RunFingerprint
from windrow.domain.file_prediction import SHARD_ROWS_RANGE, WORKERS_RANGE
from windrow.domain.output_options import OutputEncoding, ResultFormat
from windrow.domain.prediction import Kind, PredictRequest
from windrow.domain.read_options import ReadOptions
from windrow.domain.values import Schema
from windrow.domain.words import PYTHON, Words
from windrow.files.results import ResultForm
from windrow.files.text_form import PLAIN
from windrow.files.tool_results import ToolNames
from windrow.files.writing import PredictionColumns

OutputFormat = Literal[
    "csv", "tsv", "jsonl", "json", "xlsx", "parquet", "label_studio", "argilla", "doccano", "prodigy", "table"
]
# "document" is the one that the HTTP API answers with.
ShownFormat = ResultFormat | Literal["table", "document"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """Where answered rows go, and what they look like."""

    out: str | None = None
    """Write to this file, which appears once whole, or to this folder (``labelled/``, s3://bucket/labelled): a file for
    each shard of rows."""
    split_by_label: str | None = None
    """Write to this folder, which appears once whole: a file for each label that was given, and one for the rows
    without."""
    to: OutputFormat | None = None
    """What comes out; otherwise by the name of ``out``, and what the file is itself where that says nothing."""
    scores: bool = False
    """Add the scores of all labels to each row; in a table, a column for each label."""
    prefix: str = ""
    """What the names of the added columns begin with."""
    skip_bad_rows: bool = False
    """Leave out rows that are wrong, such as a broken line or a text that is blank or too long, and tell which;
    otherwise the first one ends the run."""
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
    output_encoding: OutputEncoding | None = None
    """The encoding of what is written: utf-8, utf-8-sig (with the mark by which Excel knows it) or utf-16; that of the
    file unless said otherwise."""
    escape_formulas: bool = False
    """Put an apostrophe before each cell of CSV and TSV that begins with =, +, -, @, a tab or a carriage return and is
    no number, so that no spreadsheet runs it."""
    decimal_comma: bool = False
    """Write new numbers in CSV and TSV with a comma before their decimals, as a German Excel reads them."""
    from_name: str | None = None
    """What Label Studio calls the choices, and Argilla the question, where the file does not say so; label unless said
    otherwise."""
    to_name: str | None = None
    """What Label Studio calls the text, where the file does not say so; text unless said otherwise."""
    quiet: bool = False
    """No remarks and no bar on standard error."""

    @property
    def file(self) -> Path | None:
        """The file to write to."""
        return None if self.out is None else Path(self.out)

    @property
    def label_folder(self) -> Path | None:
        """The folder with a file for each label."""
        return None if self.split_by_label is None else Path(self.split_by_label).absolute()

    @property
    def place(self) -> str | None:
        """Where rows go; ``None`` for standard output."""
        return self.out if self.split_by_label is None else self.split_by_label

    @property
    def tool_names(self) -> ToolNames:
        """What a labelling tool calls the parts of a project."""
        return ToolNames(self.from_name, self.to_name)

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
    shown: ShownFormat | None = None
    """What comes out; ``None`` for what the file is itself, unless the output's name asks for something else."""
    chunk_texts: int = 512
    """The most texts of one request."""
    words: Words = PYTHON
    """How parameters are called."""

    @property
    def model_name(self) -> str:
        """The classifier as the user named it."""
        return self.request.all_names[0]

    def say(self, words: str) -> None:
        """Tell something on standard error, so that standard output holds nothing but data."""
        if not self.options.quiet:
            print(words, file=sys.stderr)

    def fingerprint(self, reference: str, kind: Kind, form: ResultForm) -> RunFingerprint:
        """Return what decides what a row of the output looks like."""
        asked = {name: getattr(self.request, name) for name in ("top_k", "abstain_below", "min_in_scope")}
        added = asdict(self.options.added(kind))
        del added["labels"]  # the reference says them
        options: dict[str, object] = {"format": form.format, **asked, **added}
        # What is as it always was is left out, so that what was begun before there was a choice can be gone on with.
        if kind == "single_label":
            del options["kind"]
        if form.text != PLAIN:
            options["text_form"] = {**asdict(form.text), "header": list(form.text.header)}
        if form.escape_formulas:
            options["escape_formulas"] = True
        if self.options.skip_bad_rows:
            options["skip_bad_rows"] = True
        return RunFingerprint(self.model_name, reference, options)
