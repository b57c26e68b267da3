"""The ``predict`` command: classify a single text, or each row of a file."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from windrow.cli.call import Call
from windrow.cli.explaining import print_answer, print_answers
from windrow.cli.option_parsing import with_options
from windrow.cli.options import OptionSpec
from windrow.cli.prediction_run import predict_file
from windrow.cli.run_options import Run, RunOptions, ShownFormat
from windrow.cli.sharded_run import is_sharded, predict_into_folder
from windrow.domain.errors import InvalidParameter
from windrow.domain.prediction import PredictRequest
from windrow.domain.read_options import LABEL_OPTIONS, ReadOptions
from windrow.execution.prediction_stream import MAX_CHUNK_TEXTS
from windrow.files.decoding import STANDARD_INPUT
from windrow.settings import FEW_EMBEDDINGS_BYTES, read_settings

verbs = typer.Typer()


@verbs.command(
    epilog='Examples: windrow predict tickets_v1 --text "I was charged twice"; '
    "windrow predict tickets_v1 mails.csv --out labelled.csv; cat mails.jsonl | windrow predict tickets_v1 --to jsonl"
)
@with_options(
    leave_out=("model_names", "texts", *LABEL_OPTIONS),
    model_name=OptionSpec(is_argument=True),
    text=OptionSpec(help="A single text in place of a file."),
    explain=OptionSpec(help="With --text: say why, word by word."),
    out=OptionSpec("--out -o", metavar="PATH"),
    split_by_label=OptionSpec(metavar="FOLDER"),
    output_encoding=OptionSpec(metavar="NAME"),
    from_name=OptionSpec(metavar="NAME"),
    to_name=OptionSpec(metavar="NAME"),
    runner=OptionSpec(metavar="RUNNER"),
    quiet=OptionSpec("--quiet -q"),
)
def predict(  # noqa: PLR0913 - Typer makes options of each parameter
    call: Call,
    request: PredictRequest,
    options: RunOptions,
    read_options: ReadOptions,
    file: Annotated[
        str | None,
        typer.Argument(
            metavar="FILE",
            help="CSV, TSV, JSONL, JSON or text; - or nothing for standard input. Into a folder also Parquet, several "
            "files by a pattern ('mails/*.csv') or a folder, and those of an object store.",
        ),
    ] = None,
    also: Annotated[
        list[str] | None, typer.Option(metavar="MODEL", help="With --text: ask this classifier too; may be repeated.")
    ] = None,
) -> None:
    """Classify a text, or each row of a file, by one revision.

    Each row keeps its columns and gains predicted_label (of a multi-label classifier: predicted_labels), score,
    in_scope, abstained and truncated. Results have the form of the file: its format, delimiter, quotation marks,
    encoding and line ends. Into a folder, rows are written in shards, on this machine or by a Ray cluster; the same
    command goes on where shards are missing.
    """
    if request.text is not None:
        _check_text_options(file, options)
        _predict_text(call, request, also or [])
        return
    if request.explain or also:
        raise InvalidParameter("--explain and --also go with a single text. Add --text.", {"parameter": "text"})
    if is_sharded(file, options):
        predict_into_folder(call, request, options, read_options, file)
        return
    _check_output(options, as_json=call.as_json)
    chunk_texts = min(MAX_CHUNK_TEXTS, read_settings().max_texts)
    shown = _shown_format(options, as_json=call.as_json)
    run = Run(request, _input_path(file), read_options, options, shown, chunk_texts, call.words)
    with call.connected(embedding_cache_bytes=FEW_EMBEDDINGS_BYTES) as operations:
        summary = predict_file(operations, run)
    if call.as_json and options.place is not None and summary is not None:
        call.show(summary, lambda _: None)


def _check_output(options: RunOptions, *, as_json: bool) -> None:
    """Refuse options of the output that do not go together."""
    if options.out is not None and options.split_by_label is not None:
        raise InvalidParameter(
            "--out and --split-by-label both say where rows go. Name one of them.", {"parameter": "split_by_label"}
        )
    if options.split_by_label is not None and options.resume:
        raise InvalidParameter(
            "--split-by-label writes its folder anew. Leave --resume out.", {"parameter": "split_by_label"}
        )
    if options.place is None and (options.resume or options.overwrite):
        raise InvalidParameter("--resume and --overwrite go with --out. Name the file.", {"parameter": "out"})
    if options.skip_bad_rows and (options.resume or (as_json and options.place is None)):
        raise InvalidParameter(
            "--skip-bad-rows goes neither with --resume nor with --json on standard output, since answers could no "
            "longer be told to their rows. Leave one of them out.",
            {"parameter": "skip_bad_rows"},
        )


def _predict_text(call: Call, request: PredictRequest, also: list[str]) -> None:
    """Classify a single text with one or several classifiers, and print the predictions."""
    if also:
        request = replace(request, model_name=None, model_names=(*request.all_names, *also))
    with call.connected() as operations:
        predictions = operations.predict(request)
    call.show(predictions, print_answers if also else lambda alone: print_answer(alone[0]), "predict", request)


def _check_text_options(file: str | None, options: RunOptions) -> None:
    """Refuse options that only a file has, together with ``--text``."""
    if file is not None:
        raise InvalidParameter("Both --text and a file are given. Name only one of them.", {"parameter": "text"})
    needs_rows = options.resume or options.skip_bad_rows or options.to not in (None, "table")
    if options.place is not None or needs_rows:
        raise InvalidParameter(
            "--out, --split-by-label, --to, --resume and --skip-bad-rows go with a file. For a program, add --json to "
            "--text.",
            {"parameter": "text"},
        )


def _input_path(file: str | None) -> str:
    """Return the path of the input, ``-`` for standard input; a text in place of a path is a frequent mistake."""
    if file is None:
        if sys.stdin.isatty():
            raise InvalidParameter(
                "Nothing is there to classify. Add --text TEXT, name a file, or pipe rows in.", {"parameter": "text"}
            )
        return STANDARD_INPUT
    if " " in file and not Path(file).exists():
        raise InvalidParameter(
            "There is no file {file!r}. For a single text, write --text before it.",
            {"parameter": "file", "file": file},
        )
    return file


def _shown_format(options: RunOptions, *, as_json: bool) -> ShownFormat | None:
    """Return what the options say that comes out; ``None`` where the output's name or the file says it."""
    if options.to == "table" and options.place is not None:
        raise InvalidParameter("A table is for a terminal. Write csv or jsonl to a file.", {"parameter": "to"})
    if as_json and options.place is None:
        if options.to is not None:
            raise InvalidParameter(
                "--json prints one document. For a file, leave it out and add --to jsonl.", {"parameter": "to"}
            )
        return "document"
    if options.to is None and options.place is None and sys.stdout.isatty():
        return "table"
    return options.to
