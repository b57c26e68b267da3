"""Predictions for whole files: the request, its rules, how far it is, and the report.

A file is cut into shards, ranges of its rows, each of which becomes a file of its own: ``part-00001-00002.csv`` holds
the rows of the second shard of the first file, in their order. A run that broke off goes on with the shards whose files
are missing.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Final, Literal, get_args

from windrow.domain.errors import InvalidParameter
from windrow.domain.names import ModelReference
from windrow.domain.output_options import OutputEncoding, check_output_encoding
from windrow.domain.prediction import check_share
from windrow.domain.prediction_summary import LabelSummary
from windrow.domain.read_options import ReadOptions, check_read_options
from windrow.domain.recipe import check_range
from windrow.domain.values import Schema, Value, computed, recast

RowsFormat = Literal["csv", "tsv", "jsonl", "parquet"]
FileStage = Literal["planning", "predicting"]
ROWS_FORMATS: Final[tuple[RowsFormat, ...]] = get_args(RowsFormat)
SHARD_ROWS_RANGE: Final = (1, 1_000_000)
# Half a minute of one core with short texts: little is lost with a shard, and beginning one costs little beside it.
DEFAULT_SHARD_ROWS: Final = 10_000
WORKERS_RANGE: Final = (1, 10_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class StartPredictFilesRequest(ReadOptions):
    """Files to classify, row by row, by one revision, and where the classified rows go; the server has them."""

    model_name: ModelReference
    """The classifier: its name, an alias, a revision (name@3) or task@latest, its highest version."""
    input: str
    """What to read: a file, a folder, or a pattern such as ``mails/*.csv``, on this machine or in an object store
    (``s3://bucket/mails/*.parquet``): CSV, TSV, JSONL and Parquet; the first three also as gzip.
    """
    output: str
    """The folder to write to, on this machine or in an object store; each shard of rows becomes a file in it."""
    output_format: RowsFormat | None = None
    """What is written; ``None`` for what each file is itself. Text is written as that of a file of the same format:
    with its delimiter, quotation marks, encoding, byte-order mark, line ends and, where it has one, header.
    """
    output_encoding: OutputEncoding | None = None
    """The encoding of what is written: ``utf-8``, ``utf-8-sig`` (with the mark by which Excel knows it) or ``utf-16``;
    ``None`` for that of each file.
    """
    escape_formulas: bool = False
    """Whether an apostrophe is put before each cell of CSV and TSV that begins with =, +, -, @, a tab or a carriage
    return and is no number, so that no spreadsheet runs it.
    """
    decimal_comma: bool = False
    """Whether new numbers in CSV and TSV have a comma before their decimals, as a German Excel reads them."""
    prefix: str = ""
    """What the names of the added columns begin with."""
    scores: bool = False
    """Whether to add the scores of all labels to each row, or with ``top_k`` of the best ones; in a table, a column for
    each label (``score_billing``).
    """
    top_k: Annotated[int | None, Schema(minimum=1)] = None
    """How many scores are given, the best ones; ``None`` for all."""
    abstain_below: Annotated[float | None, Schema(minimum=0, maximum=1)] = None
    """The best score, from 0 to 1, below which no label is given; of a multi-label classifier, the score below which a
    label is not given although it reaches its own threshold. ``None`` takes what is stored with the classifier, if
    anything is.
    """
    min_in_scope: Annotated[float | None, Schema(minimum=0, maximum=1)] = None
    """The likeness to the training data (in_scope), from 0 to 1, below which no label is given; ``None`` gives one
    always.
    """
    note_bad_rows: bool = False
    """Whether a row whose text is blank or too long stays without a label, and a column ``note`` says why; otherwise
    the run ends at the first one and names its line.
    """
    shard_rows: Annotated[int, Schema(minimum=SHARD_ROWS_RANGE[0], maximum=SHARD_ROWS_RANGE[1])] = DEFAULT_SHARD_ROWS
    """The most rows of a shard, 1 to 1,000,000."""
    overwrite: bool = False
    """Whether to begin anew where another run wrote to the folder; otherwise a run like this one goes on where shards
    are missing, and any other one is refused.
    """

    @property
    def read_options(self) -> ReadOptions:
        """How to read the files."""
        return recast(ReadOptions, self)


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictFilesRequest(StartPredictFilesRequest):
    """Files to classify, row by row, by one revision, where the classified rows go, and what classifies them."""

    runner: str = "local"
    """What classifies: ``local``, with the cores of this machine; ``ray`` for the Ray cluster that the environment
    names, or ``ray://HOST:PORT``.
    """
    workers: Annotated[int | None, Schema(minimum=WORKERS_RANGE[0], maximum=WORKERS_RANGE[1])] = None
    """How many processes of a Ray cluster classify; ``None`` for one on each of its processors."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileProgress(Value):
    """How far a prediction of files is."""

    stage: FileStage
    """``planning``, which reads the files and cuts them into shards, or ``predicting``."""
    rows: int = 0
    """Rows that are done: found while ``planning``, then those of whole shards, also of those that were there."""
    num_rows: int | None = None
    """Rows of all files; ``None`` while ``planning``."""
    shards: int = 0
    """Shards that are done."""
    num_shards: int | None = None
    """Shards of all files; ``None`` while ``planning``."""


OnFileProgress = Callable[[FileProgress], None]


def ignore_file_progress(progress: FileProgress) -> None:
    """Take no notice of how a prediction of files goes on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictFilesReport(Value):
    """What became of a prediction of files."""

    _summary = "model_name revision files rows shards output"

    model_name: str
    """The classifier that answered, by its own name."""
    revision: int
    """Its revision that answered, for all rows."""
    files: int
    """Files that were read."""
    rows: int
    """Rows of all files, each of which stands once in the output."""
    shards: int
    """Shards, each of which is a file of the output."""
    shards_before: int
    """Of these, those that were there already."""
    abstained: int
    """Rows that this run left without a label, since the best score or the likeness to the training data was too low.
    """
    truncated: int
    """Rows of this run whose text was longer than the encoder reads."""
    noted: int = 0
    """Rows of this run without a label since their text is blank or too long; only with ``note_bad_rows``."""
    seconds: float
    """How long this run took."""
    output: str
    """The folder with the classified rows."""
    rows_per_second: float = computed(lambda self: round(self.rows_now / max(self.seconds, 1e-9), 1), 0.0)
    """Rows that this run classified in each second."""
    rows_now: int = field(default=0)
    """Rows that this run classified itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictFilesSummary(PredictFilesReport):
    """What became of a prediction of files, and of its rows by label."""

    labels: tuple[LabelSummary, ...] = ()
    """How many rows of this run were given each label, the most frequent one first."""
    without_labels: int = 0
    """Rows of this run that were given none of the labels; 0 where a row has one label."""
    out_of_scope: int = 0
    """Rows of this run whose likeness to the training data is below ``min_in_scope``, or below 0.05 where that is not
    asked for."""


def check_predict_files_request(request: PredictFilesRequest) -> None:
    """Refuse a request that breaks a rule for which nothing need be looked at.

    Raises:
        InvalidParameter: A value lies outside its range, there is no input or no output, or the runner is unknown.
    """
    for parameter in ("input", "output"):
        if not getattr(request, parameter).strip():
            raise InvalidParameter("{arg:{parameter}} is empty. Name a file or a folder.", {"parameter": parameter})
    check_read_options(request)
    check_output_encoding(request.output_encoding)
    check_range("shard_rows", request.shard_rows, SHARD_ROWS_RANGE)
    if request.workers is not None:
        check_range("workers", request.workers, WORKERS_RANGE)
    for parameter, value in (("abstain_below", request.abstain_below), ("min_in_scope", request.min_in_scope)):
        check_share(parameter, value)
    if request.output_format not in (None, *ROWS_FORMATS):
        raise InvalidParameter(
            "{arg:{parameter}} {value!r} is none of {known:joined}. {Send} one of them.",
            {"parameter": "output_format", "value": request.output_format, "known": list(ROWS_FORMATS)},
        )
    if request.runner not in ("local", "ray") and not request.runner.startswith("ray://"):
        raise InvalidParameter(
            "{arg:{parameter}} {value!r} is no runner. {Send} local, ray or ray://HOST:PORT.",
            {"parameter": "runner", "value": request.runner},
        )
    if request.workers is not None and request.runner == "local":
        raise InvalidParameter(
            "{arg:{parameter}} goes with a Ray cluster; this machine's cores are all used. Leave it out, or {send} "
            "{arg:runner} ray.",
            {"parameter": "workers"},
        )
