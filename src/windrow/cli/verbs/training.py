"""Verbs that train: fit, reproduce.

Owns their options and words, and that Ctrl-C cancels; knows nothing of how training is done.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from windrow.cli.connect import connected, connected_for_a_look, server_asked
from windrow.cli.exits import Stopped
from windrow.cli.formats import counted, duration, listed, share, size
from windrow.cli.options import AsJson, DataDir, Url
from windrow.cli.output import data_console, new_table, notes_console, print_json
from windrow.cli.progress import training_bar
from windrow.cli.reading_options import Encoding, FileFormat, LabelColumn, NoHeader, TextColumn
from windrow.cli.verbs.jobs import print_job
from windrow.cli.words import in_options
from windrow.client.leaving import cancel_begun, cancel_within, now
from windrow.domain.classifier import Classifier, FitRequest, FitResult, NotesChange
from windrow.domain.errors import InvalidParameter, WindrowError
from windrow.domain.job import Forecast, Job
from windrow.domain.recipe import (
    BATCH_SIZE_RANGE,
    DEFAULT_BASE_MODEL,
    DEFAULT_BATCH_SIZE,
    DEFAULT_NUM_ITERATIONS,
    DEFAULT_SEED,
    NUM_ITERATIONS_RANGE,
    Recipe,
)
from windrow.domain.reproduction import Reproduction
from windrow.domain.versions import read_version
from windrow.operations import Operations

verbs = typer.Typer()


@verbs.command(
    epilog="Examples: windrow fit tickets_v1 tickets.csv; windrow fit tickets_v2 rows.jsonl --text-column message "
    "--label-column team --dry-run"
)
def fit(  # noqa: PLR0913 - Typer makes an option of each parameter
    model: Annotated[str, typer.Argument(metavar="NAME", help="The classifier's name, such as tickets_v1.")],
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Labelled rows: CSV, TSV, JSONL or JSON, also .gz; - for stdin.")
    ],
    url: Url = None,
    data_dir: DataDir = None,
    text_column: TextColumn = None,
    label_column: LabelColumn = None,
    file_format: FileFormat = None,
    encoding: Encoding = None,
    no_header: NoHeader = False,
    num_iterations: Annotated[
        int,
        typer.Option(
            "--num-iterations",
            help=f"How long the encoder learns from the texts, {NUM_ITERATIONS_RANGE[0]} to {NUM_ITERATIONS_RANGE[1]}; "
            "0 trains the head alone, which is quick.",
        ),
    ] = DEFAULT_NUM_ITERATIONS,
    batch_size: Annotated[
        int,
        typer.Option(
            "--batch-size",
            help=f"Texts that meet in one contrastive step, at least; {BATCH_SIZE_RANGE[0]} to {BATCH_SIZE_RANGE[1]}.",
        ),
    ] = DEFAULT_BATCH_SIZE,
    seed: Annotated[int, typer.Option("--seed", help="Starts every random choice.")] = DEFAULT_SEED,
    max_seconds: Annotated[
        float | None, typer.Option("--max-seconds", help="End after about so many seconds, with what was learned.")
    ] = None,
    base_model: Annotated[
        str, typer.Option("--base-model", metavar="ID", help="The encoder to build on.")
    ] = DEFAULT_BASE_MODEL,
    description: Annotated[str | None, typer.Option("--description", help="What to say about it.")] = None,
    tag: Annotated[list[str] | None, typer.Option("--tag", help="A tag; may be repeated.")] = None,
    no_overwrite: Annotated[
        bool, typer.Option("--no-overwrite", help="Refuse a name that exists, rather than give it a new revision.")
    ] = False,
    no_cross_validate: Annotated[
        bool,
        typer.Option(
            "--no-cross-validate",
            help="Leave out the further trainings that only judge, which take most of the time; a head alone is judged "
            "all the same.",
        ),
    ] = False,
    no_wait: Annotated[
        bool, typer.Option("--no-wait", help="With --url: print the job and leave the training to the server.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say how long it will take and how much memory, and why.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Train a classifier on labelled rows and save it. Ctrl-C cancels, and leaves nothing behind.

    An existing name gets a new revision; until that is saved, the old one goes on answering.
    """
    if no_wait and not server_asked(url, data_dir):
        raise InvalidParameter(
            "--no-wait needs a server: without one, this process is what trains. Name one with --url, or leave it out."
        )
    from windrow.cli.labelled import read_labelled
    from windrow.cli.reading import Reading

    read = read_labelled(file, Reading(file_format, text_column, label_column, not no_header, encoding))
    request = FitRequest(
        model,
        read.rows,
        base_model,
        Recipe(num_iterations, batch_size, seed, max_seconds, not no_cross_validate),
        NotesChange(description, tuple(tag) if tag else None),
        overwrite=not no_overwrite,
    )
    if dry_run:
        with connected_for_a_look(url, data_dir) as operations, read.located():
            _print_forecast(operations.forecast(request), as_json)
        return
    with connected(url, data_dir, may_create=True) as operations, read.located():
        if no_wait:
            print_job(_begin(operations, request), as_json)
        else:
            _print_result(_fit(operations, request), as_json)


def _fit(operations: Operations, request: FitRequest) -> FitResult:
    """Train, showing how it goes on, and cancel on Ctrl-C.

    Raises:
        WindrowError: What the training ended with, unless it succeeded.
        Stopped: Somebody pressed Ctrl-C.
    """
    job = _begin(operations, request)
    try:
        with training_bar() as bar:
            for job in operations.follow_job(job.id):  # noqa: B020 - the last one is how it ended
                bar.show_job(job)
    except KeyboardInterrupt as interrupt:
        raise Stopped(_what_became(lambda: cancel_within(operations, job.id))) from interrupt
    if job.problem is not None:
        raise job.problem.as_error()
    details = operations.show(f"{job.model_name}@{job.revision}")
    return FitResult(details.classifier, job.next_name)


def _begin(operations: Operations, request: FitRequest) -> Job:
    """Begin a training, and cancel it where Ctrl-C comes before it is known.

    Raises:
        WindrowError: What ``start_fit`` raises.
        Stopped: Somebody pressed Ctrl-C.
    """
    since = now()
    try:
        return operations.start_fit(request)
    except KeyboardInterrupt as interrupt:
        raise Stopped(_what_became(lambda: cancel_begun(operations, request, since))) from interrupt


def _what_became(cancel: Callable[[], Job | None]) -> str:
    """Cancel a training, and say what became of it."""
    try:
        job = cancel()
    except WindrowError as error:
        return f"but the training could not be cancelled: {error.detail.rstrip('.')} (see `windrow jobs`)"
    except KeyboardInterrupt:
        return "the training may go on; see `windrow jobs`"
    if job is None:
        return "the training may have begun; see `windrow jobs`"
    if job.revision is not None:
        return f"but {job.model_name} was being saved already, as revision {job.revision}"
    return "the training is cancelled and nothing of it was saved"


def _print_result(result: FitResult, as_json: bool) -> None:
    if as_json:
        from windrow.wire.training import FitReply

        print_json(FitReply.of(result))
        return
    record = result.classifier.record
    counts = f"{counted(len(record.labels), 'label')}, {counted(record.num_examples, 'row')}"
    print(f"{record.name}, revision {record.revision}, answers: {counts}, in {duration(record.training_time_s)}.")
    print(f"Labels: {listed(record.labels)}")
    print(f"Accuracy on new rows: {_estimate(result.classifier)}")
    notes = notes_console()
    for warning in record.warnings:
        rows = f" Rows, counted from 0: {', '.join(map(str, warning.rows))}." if warning.rows else ""
        notes.print(f"Warning: {in_options(warning.message)}{rows}")
    # Of a name that is no version, nobody knows whether it will ever have one.
    if result.next_name is not None and read_version(record.name) is not None:
        notes.print(f"A free name for the next version: {result.next_name}")


def _estimate(classifier: Classifier) -> str:
    estimate = classifier.record.summary.estimate
    if estimate is None:
        return "not estimated"
    low, high = share(estimate.interval.low), share(estimate.interval.high)
    return f"about {share(estimate.accuracy)}, between {low} and {high}, by {estimate.total} rows judged unseen"


def _print_forecast(forecast: Forecast, as_json: bool) -> None:
    if as_json:
        from windrow.wire.job import ForecastReply

        print_json(ForecastReply.of(forecast))
        return
    counts = f"{counted(forecast.num_examples, 'row')}, {counted(len(forecast.labels), 'label')}"
    wait = f", after {duration(forecast.wait_seconds)} of waiting for its turn" if forecast.wait_seconds else ""
    print(f"{forecast.model_name}: {counts}, {counted(forecast.tokens, 'token')}.")
    print(f"At most about {duration(forecast.seconds)}{wait}, and {size(forecast.memory_bytes)} of memory.")
    print(in_options(forecast.memory_reason))
    table = new_table("stage", "time", "why", right=("time",))
    for part in forecast.parts:
        table.add_row(part.stage, duration(part.seconds), in_options(part.reason))
    data_console().print(table)


@verbs.command(epilog="Example: windrow reproduce tickets_v2@1")
def reproduce(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A classifier, an alias, or a revision like NAME@3.")],
    url: Url = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Train a classifier again and compare the two.

    It is trained from its kept rows and its record. Nothing is saved.
    """
    with connected(url, data_dir) as operations, training_bar() as bar:
        found = operations.reproduce(model, bar.show)
    if as_json:
        from windrow.wire.reproduction import ReproduceReply

        print_json(ReproduceReply.of(found))
    else:
        _print_reproduction(found)


def _print_reproduction(found: Reproduction) -> None:
    print(f"{found.model_name}@{found.revision}: {found.verdict}, after {duration(found.training_time_s)} of training.")
    texts = counted(found.num_texts, "training text")
    print(f"{found.num_changed_labels} of {texts} get another label; ", end="")
    print(f"scores differ by at most {found.largest_score_difference:.2g}.")
    for change in found.changes:
        print(f"{change.name}: was {change.then or 'not recorded'}, is {change.now or 'not recorded'}")
    for note in found.notes:
        print(in_options(note))
