"""The verb that classifies: a text, or a file of any length.

Owns its options; knows nothing of files, threads or tables.
"""

import sys
from pathlib import Path
from typing import Annotated

import typer

from windrow.cli.connect import connected
from windrow.cli.decoding import STANDARD_INPUT
from windrow.cli.explaining import print_answer, print_answers
from windrow.cli.options import AsJson, DataDir, Url
from windrow.cli.output import print_json
from windrow.cli.prediction_run import Run, Shown, predict_file
from windrow.cli.reading import Reading
from windrow.cli.reading_options import Encoding, FileFormat, NoHeader, TextColumn
from windrow.cli.streaming import MAX_CHUNK_TEXTS
from windrow.cli.writing import Added, OutputFormat
from windrow.domain.errors import InvalidParameter
from windrow.domain.prediction import Prediction, PredictRequest
from windrow.settings import read_settings

# Of encoded texts, while a file runs through: its rows seldom repeat, and memory stays flat from the beginning.
KEPT_BYTES = 4_000_000
verbs = typer.Typer()


@verbs.command(
    epilog='Examples: windrow predict tickets_v1 --text "I was charged twice"; '
    "windrow predict tickets_v1 mails.csv --out labelled.csv; cat mails.jsonl | windrow predict tickets_v1 --to jsonl"
)
def predict(  # noqa: PLR0913 - each parameter is an option of the command line
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="A classifier, an alias, a revision like NAME@3, or TASK@latest.")
    ],
    file: Annotated[
        str | None,
        typer.Argument(metavar="FILE", help="CSV, TSV, JSONL, JSON or text; - or nothing for standard input."),
    ] = None,
    text: Annotated[str | None, typer.Option(help="A single text in place of a file.")] = None,
    also: Annotated[
        list[str] | None, typer.Option(metavar="MODEL", help="With --text: ask this classifier too; may be repeated.")
    ] = None,
    explain: Annotated[bool, typer.Option("--explain", help="With --text: say why, word by word.")] = False,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write to this file; it appears once whole.")] = None,
    to: Annotated[
        OutputFormat | None,
        typer.Option(help="What comes out; otherwise by the name of --out, and CSV where that says nothing."),
    ] = None,
    top_k: Annotated[int | None, typer.Option(min=1, help="How many scores each answer holds, the best ones.")] = None,
    scores: Annotated[bool, typer.Option("--scores", help="Add the scores of all labels to each row.")] = False,
    abstain_below: Annotated[
        float | None, typer.Option(min=0, max=1, help="Best score below which no label is given.")
    ] = None,
    min_in_scope: Annotated[
        float | None, typer.Option(min=0, max=1, help="Likeness to the training data below which no label is given.")
    ] = None,
    prefix: Annotated[str, typer.Option(help="What the names of the added columns begin with.")] = "",
    text_column: TextColumn = None,
    format_: FileFormat = None,
    encoding: Encoding = None,
    no_header: NoHeader = False,
    skip_bad_rows: Annotated[
        bool, typer.Option("--skip-bad-rows", help="Leave out rows whose text is blank or too long, and tell which.")
    ] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an --out that broke off.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an --out that is there.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No remarks and no bar on standard error.")] = False,
    as_json: AsJson = False,
    url: Url = None,
    data_dir: DataDir = None,
) -> None:
    """Classify a text, or each row of a file, by one revision.

    Each row keeps its columns and gains predicted_label, score, in_scope, abstained and truncated.
    """
    request = PredictRequest((model,), (), top_k, abstain_below, min_in_scope, explain)
    if text is not None:
        _refuse_with_text(file=file, out=out, to=to, needs_rows=resume or skip_bad_rows)
        with connected(url, data_dir) as operations:
            asked = PredictRequest((model, *(also or ())), (text,), top_k, abstain_below, min_in_scope, explain)
            predictions = operations.predict(asked)
        _show(predictions, has_several=bool(also), as_json=as_json)
        return
    if explain or also:
        raise InvalidParameter("--explain and --also go with a single text. Add --text.", {"parameter": "text"})
    run = Run(
        request=request,
        path=_path(file),
        reading=Reading(format_, text_column, None, not no_header, encoding),
        shown=_shown(out, to, as_json=as_json),
        added=Added(prefix, scores),
        out=out,
        resume=resume,
        overwrite=overwrite,
        is_quiet=quiet,
        chunk_texts=min(MAX_CHUNK_TEXTS, read_settings().max_texts),
        skips_bad_rows=skip_bad_rows,
    )
    if out is None and (resume or overwrite):
        raise InvalidParameter("--resume and --overwrite go with --out. Name the file.", {"parameter": "out"})
    if skip_bad_rows and (resume or as_json):
        raise InvalidParameter(
            "--skip-bad-rows goes neither with --resume nor with --json, since answers could no longer be told to "
            "their rows. Leave one of them out.",
            {"parameter": "skip_bad_rows"},
        )
    with connected(url, data_dir, max_encoded_bytes=KEPT_BYTES) as operations:
        predict_file(operations, run)


def _refuse_with_text(*, file: str | None, out: Path | None, to: OutputFormat | None, needs_rows: bool) -> None:
    if file is not None:
        raise InvalidParameter("Both --text and a file are given. Name only one of them.", {"parameter": "text"})
    if out is not None or needs_rows or to in ("csv", "jsonl"):
        raise InvalidParameter(
            "--out, --to, --resume and --skip-bad-rows go with a file. For a program, add --json to --text.",
            {"parameter": "text"},
        )


def _path(file: str | None) -> str:
    """Return what to read; a text in the place of a file is a frequent mistake."""
    if file is None:
        if sys.stdin.isatty():
            raise InvalidParameter(
                "Nothing is there to classify. Add --text TEXT, name a file, or pipe rows in.", {"parameter": "text"}
            )
        return STANDARD_INPUT
    if " " in file and not Path(file).exists():
        raise InvalidParameter(
            f"There is no file {file!r}. For a single text, write --text before it.", {"parameter": "file"}
        )
    return file


def _shown(out: Path | None, to: OutputFormat | None, *, as_json: bool) -> Shown:
    if as_json:
        if out is not None or to is not None:
            raise InvalidParameter(
                "--json prints one document. For a file, leave it out and add --to jsonl.", {"parameter": "to"}
            )
        return "json"
    if to is not None:
        if to == "table" and out is not None:
            raise InvalidParameter("A table is for a terminal. Write csv or jsonl to a file.", {"parameter": "to"})
        return to
    if out is None:
        return "table" if sys.stdout.isatty() else "csv"
    return "jsonl" if out.suffix.lower() in (".jsonl", ".ndjson") else "csv"


def _show(predictions: tuple[Prediction, ...], *, has_several: bool, as_json: bool) -> None:
    if as_json:
        from windrow.wire.prediction import ClassifiersReply, PredictReply

        print_json(ClassifiersReply.of(predictions) if has_several else PredictReply.of(predictions[0]))
    elif has_several:
        print_answers(predictions)
    else:
        print_answer(predictions[0])
