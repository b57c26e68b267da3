"""Predicts files into a folder, shard by shard, with a progress bar and a way to go on."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Final

from windrow.cli.call import Call
from windrow.cli.exits import Interrupted
from windrow.cli.formats import duration
from windrow.cli.progress import training_bar
from windrow.cli.run_options import RunOptions
from windrow.cli.summary_text import label_lines
from windrow.domain.errors import InvalidParameter
from windrow.domain.figures import counted
from windrow.domain.file_prediction import (
    DEFAULT_SHARD_ROWS,
    ROWS_FORMATS,
    FileProgress,
    PredictFilesRequest,
    PredictFilesSummary,
)
from windrow.domain.job import Progress
from windrow.domain.prediction import PredictRequest
from windrow.domain.quality_warnings import warn_of_truncated
from windrow.domain.read_options import ReadOptions
from windrow.domain.store_url import is_store_url
from windrow.domain.values import recast
from windrow.files.decoding import STANDARD_INPUT
from windrow.files.parquet import is_parquet
from windrow.files.results import is_text_or_workbook
from windrow.settings import FEW_EMBEDDINGS_BYTES

_WILD: Final = frozenset("*?[")
# What the command calls the parameters of a request.
_NAMES: Final = {"input": "FILE", "output": "--out", "output_format": "--to"}


def is_sharded(file: str | None, options: RunOptions) -> bool:
    """Whether rows go to a folder, in shards: what is named, or an option, goes with nothing else."""
    out = options.out
    return (
        any((options.runner, options.workers, options.shard_rows, options.note_bad_rows))
        or (options.to == "parquet" and out is not None and not is_parquet(out))
        or (file is not None and _is_many(file, out))
        or (out is not None and (is_store_url(out) or out.endswith("/") or Path(out).is_dir()))
    )


def predict_into_folder(
    call: Call, request: PredictRequest, options: RunOptions, read_options: ReadOptions, file: str | None
) -> None:
    """Predict the rows of files into a folder, and tell what was done.

    Args:
        call: The command's connection, and how it prints.
        request: The classifier and how to answer.
        options: Where rows go, and who classifies them.
        read_options: How to read the files.
        file: What is to be read.

    Raises:
        InvalidInput: A file, a row or an option is wrong; the message names the line.
        NotFound: The classifier does not exist.
        Interrupted: The user pressed Ctrl-C.
    """
    call.words.options |= _NAMES
    asked = _asked(request, options, read_options, file)
    with call.connected(embedding_cache_bytes=FEW_EMBEDDINGS_BYTES) as operations:
        from windrow.execution.file_prediction import predict_files

        try:
            with training_bar() as bar:

                def show(progress: FileProgress) -> None:
                    if not options.quiet:
                        bar.show(Progress.of_files(progress))

                report = predict_files(operations, asked, show)
        except KeyboardInterrupt as interrupt:
            words = f"what is whole is in {asked.output}; the same command goes on from there."
            raise Interrupted(words) from interrupt
    call.show(report, lambda report: None if options.quiet else _tell(report))


def _is_many(file: str, out: str | None) -> bool:
    if is_store_url(file):
        return True
    if is_parquet(file):  # which stays Parquet, in shards, unless a file of another format is asked for
        return out is None or not is_text_or_workbook(out)
    path = Path(file)
    return path.is_dir() or (bool(_WILD & set(file)) and not path.exists() and " " not in file)


def _asked(
    request: PredictRequest, options: RunOptions, read_options: ReadOptions, file: str | None
) -> PredictFilesRequest:
    if file is None or file == STANDARD_INPUT:
        raise InvalidParameter("Standard input has no shards. Name a file.", {"parameter": "file"})
    if options.split_by_label is not None:
        raise InvalidParameter(
            "--split-by-label goes with one file, and these rows are written in shards. Leave one of them out.",
            {"parameter": "split_by_label"},
        )
    if options.out is None:
        raise InvalidParameter(
            "Rows of {input} go to a folder here, a file for each shard. Name it, like --out labelled/.",
            {"parameter": "out", "input": file},
        )
    if options.skip_bad_rows:
        raise InvalidParameter(
            "In a folder, each row stays. Add --note-bad-rows in place of --skip-bad-rows: such rows have no label, "
            "but a note.",
            {"parameter": "skip_bad_rows"},
        )
    if options.to not in (None, *ROWS_FORMATS):
        raise InvalidParameter(
            "A folder of shards holds {known:joined}, not {to}. Name one of them, or a file with --out.",
            {"parameter": "to", "known": list(ROWS_FORMATS), "to": options.to},
        )
    asked = recast(
        PredictFilesRequest,
        replace(read_options, label_column=None),
        request,
        options,
        input=file,
        output=options.out,
        output_format=options.to,
        shard_rows=options.shard_rows or DEFAULT_SHARD_ROWS,
        runner=options.runner or "local",
        model_name=request.all_names[0],
    )
    # Asked twice for the same, a run is as whole as one that goes on.
    return replace(asked, overwrite=options.overwrite and not options.resume)


def _tell(report: PredictFilesSummary) -> None:
    """Tell on standard error what was done."""
    parts = [
        f"{counted(report.rows_now, 'row')} in {duration(report.seconds)} ({report.rows_per_second:,.0f} rows/s), by "
        f"{report.model_name}@{report.revision}"
    ]
    if report.abstained:
        parts.append(f"{report.abstained:,} without a label")
    if report.noted:
        parts.append(f"{report.noted:,} with a note, since the text is blank or too long")
    if report.shards_before:
        were = "was" if report.shards_before == 1 else "were"
        parts.append(f"{report.shards_before:,} of {counted(report.shards, 'shard')} {were} there already")
    for line in label_lines(report.labels):
        print(line, file=sys.stderr)
    print(f"{', '.join(parts)}. {counted(report.rows, 'row')} in {report.output}.", file=sys.stderr)
    for warning in warn_of_truncated(report.truncated, report.rows_now):
        print(f"Warning: {warning.message}", file=sys.stderr)
