"""Verbs that train: fit, reproduce. Ctrl-C cancels."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Final

import typer

from windrow.cli.call import Call
from windrow.cli.connect import connect_dry_run
from windrow.cli.exits import Interrupted
from windrow.cli.fitted_file import described_by_file, described_labels, evaluated, test_rows_of
from windrow.cli.formats import duration, estimate_text, extension_text, listed, size
from windrow.cli.label_descriptions import LABEL_DESCRIPTION, LABEL_DESCRIPTIONS_FILE, DescribedLabels
from windrow.cli.option_parsing import with_options
from windrow.cli.options import OptionSpec
from windrow.cli.output import notes_console
from windrow.cli.progress import training_bar
from windrow.cli.surface import CliWords
from windrow.cli.tables import Column, number, print_table
from windrow.cli.verbs.job_commands import print_job
from windrow.domain.classifier import FitRequest, FitResult, ModelRequest
from windrow.domain.clock import utc_now
from windrow.domain.errors import InvalidParameter, WindrowError
from windrow.domain.figures import counted
from windrow.domain.file_fit import FileFit
from windrow.domain.job import FitEstimate, Job, JobRequest
from windrow.domain.reproduction import Reproduction
from windrow.domain.training_report import Estimate
from windrow.domain.values import recast
from windrow.domain.versions import read_version

if TYPE_CHECKING:
    from windrow.operations import Operations

verbs = typer.Typer()
_SHOWN_ERRORS: Final = 10


@verbs.command(
    epilog="Examples: windrow fit tickets_v1 tickets.csv; windrow fit tickets_v2 rows.jsonl --text-column message "
    "--label-column team --dry-run; windrow fit tickets_v3 corrections.csv --extends tickets_v2; windrow fit "
    'tickets_v0 --label-description billing="Money: invoices, refunds" --label-description bug="Something is broken"'
)
@with_options(
    leave_out=("label_descriptions",),
    label_description=LABEL_DESCRIPTION,
    label_descriptions_file=LABEL_DESCRIPTIONS_FILE,
    training_data=OptionSpec(is_argument=True, may_be_left_out=True, metavar="FILE"),
    cross_validate=OptionSpec(
        help="Leave out the further trainings that only judge, which take most of the time; a head alone is judged all "
        "the same."
    ),
    overwrite=OptionSpec(help="Refuse a name that exists, rather than give it a new revision."),
    extends=OptionSpec(
        help="Train on the kept rows of this classifier too: its name, an alias, a revision (name@3) or task@latest. A "
        "row of FILE replaces all kept rows of the same text."
    ),
)
def fit(
    call: Call,
    request: FitRequest,
    described: DescribedLabels,
    detach: Annotated[
        bool, typer.Option("--detach", help="With --url: print the job and leave the training to the server.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say how long it will take and how much memory, and why.")
    ] = False,
) -> None:
    """Train a classifier on labelled rows and save it. Ctrl-C cancels, and leaves nothing behind.

    An existing name gets a new revision; until that is saved, the old one goes on answering. Without FILE, at least 2
    described labels make a classifier that knows names and descriptions alone.
    """
    request = described_by_file(call, replace(request, label_descriptions=described_labels(call, described)))
    test = test_rows_of(call)
    if detach and not call.server:
        raise InvalidParameter(
            "--detach needs a server: without one, this process is what trains. Name one with --url, or leave it out."
        )
    if dry_run:
        with connect_dry_run(call.url, call.data_dir, call.api_key_file) as operations:
            estimate = call.with_file_warnings(operations.estimate_fit(request))
            call.show(estimate, lambda estimate: _print_estimate(call, estimate))
        return
    with call.connected(may_create=True) as operations:
        if detach:
            if test is not None:
                notes_console().print(f"The {counted(len(test.rows), 'row')} for test are left to `windrow evaluate`.")
            print_job(call, _begin(operations, request, call.words))
            return
        result = call.with_file_warnings(_fit(operations, request, call.words))
        if test is None:
            call.show(result, lambda result: _print_result(call, result))
        else:
            call.show(evaluated(call, operations, result, test), lambda result: _print_evaluated(call, result))


def _fit(operations: "Operations", request: FitRequest, words: CliWords) -> FitResult:
    """Train, showing how it goes on, and cancel on Ctrl-C.

    Raises:
        WindrowError: What the training ended with, unless it succeeded.
        Interrupted: The user pressed Ctrl-C.
    """
    from windrow.client.cancellation import cancel_within
    from windrow.client.following import naming_result

    job = _begin(operations, request, words)
    try:
        with training_bar() as bar:
            for job in operations.follow_job(JobRequest(job.id)):  # noqa: B020 - the last one is how it ended
                bar.show_job(job)
    except KeyboardInterrupt as interrupt:
        raise Interrupted(_what_became(lambda: cancel_within(operations, job.id), words)) from interrupt
    if job.problem is not None:
        raise job.problem.as_error()
    with naming_result(job):
        details = operations.show(ModelRequest(f"{job.model_name}@{job.revision}"))
    return recast(FitResult, details, model_name=details.name, next_name=job.next_name)


def _begin(operations: "Operations", request: FitRequest, words: CliWords) -> Job:
    """Begin a training, and cancel it where Ctrl-C comes before it is known.

    Raises:
        WindrowError: What ``start_fit`` raises.
        Interrupted: The user pressed Ctrl-C.
    """
    from windrow.client.cancellation import cancel_orphaned_fit

    since = utc_now()
    try:
        return operations.start_fit(request)
    except KeyboardInterrupt as interrupt:
        raise Interrupted(_what_became(lambda: cancel_orphaned_fit(operations, request, since), words)) from interrupt


def _what_became(cancel: Callable[[], Job | None], words: CliWords) -> str:
    """Cancel a training, and say what became of it."""
    try:
        job = cancel()
    except WindrowError as error:
        return f"but the training could not be cancelled: {error.told(words)} See `windrow jobs`."
    except KeyboardInterrupt:
        return "the training may go on; see `windrow jobs`."
    if job is None:
        return "the training may have begun; see `windrow jobs`."
    if job.revision is not None:
        return f"but {job.model_name} was being saved already, as revision {job.revision}."
    return "the training is cancelled and nothing of it was saved."


def _print_result(call: Call, result: FitResult) -> None:
    counts = f"{counted(len(result.labels), 'label')}, {counted(result.num_examples, 'row')}"
    time = duration(result.training_time_seconds)
    print(f"{result.model_name}, revision {result.revision}, answers: {counts}, in {time}.")
    if extension := extension_text(result):
        print(f"Extends {extension}")
    print(f"Labels: {listed(result.labels)}")
    estimate = result.report.estimate
    print(f"Accuracy on new rows: {'not estimated' if estimate is None else _estimated(estimate)}")
    if result.adapter is not None:
        print(f"Encoder: {result.adapter.reason}")
    call.warn(result.warnings, result.taken_over_rows)
    # A name without a version may never get one, so no next name is suggested.
    if result.next_name is not None and read_version(result.model_name) is not None:
        notes_console().print(f"A free name for the next version: {result.next_name}")


def _print_evaluated(call: Call, result: FileFit) -> None:
    from windrow.cli.verbs.evaluation_commands import print_report

    test = call.words.files.pop("test_data")
    _print_result(call, result)
    print()
    call.words.files = {"test_data": test}
    assert result.evaluation is not None
    print_report(call, result.evaluation, _SHOWN_ERRORS)


def _estimated(estimate: Estimate) -> str:
    return f"{estimate_text(estimate)}, by {counted(estimate.total, 'row')} judged unseen"


def _print_estimate(call: Call, estimate: FitEstimate) -> None:
    counts = f"{counted(estimate.num_examples, 'row')}, {counted(len(estimate.labels), 'label')}"
    wait = f", after {duration(estimate.wait_seconds)} of waiting for its turn" if estimate.wait_seconds else ""
    print(f"{estimate.model_name}: {counts}, {counted(estimate.tokens, 'token')}.")
    print(f"About {duration(estimate.seconds)}{wait}, and {size(estimate.memory_bytes)} of memory.")
    print(estimate.memory_reason)
    if extension := extension_text(estimate):
        print(f"Extends {extension}")
    print_table(
        tuple(estimate.rows_per_label.items()),
        Column("label", lambda label: label[0]),
        number("rows", lambda label: f"{label[1]:,}"),
    )
    print()
    print_table(
        estimate.stages,
        Column("stage", lambda part: part.stage),
        number("time", lambda part: duration(part.seconds)),
        Column("why", lambda part: part.reason),
    )
    call.warn(estimate.warnings, estimate.taken_over_rows)


@verbs.command(epilog="Example: windrow reproduce tickets_v2@1")
@with_options()
def reproduce(call: Call, request: ModelRequest) -> None:
    """Train a classifier again and compare the two.

    It is trained from its kept rows and its record. Nothing is saved.
    """
    with call.connected() as operations, training_bar() as bar:
        reproduction = operations.reproduce(request, bar.show)
    call.show(reproduction, _print_reproduction)


def _print_reproduction(reproduction: Reproduction) -> None:
    time = duration(reproduction.training_time_seconds)
    print(f"{reproduction.model_name}@{reproduction.revision}: {reproduction.verdict}, after {time} of training.")
    texts = counted(reproduction.num_texts, "training text")
    print(f"{reproduction.num_changed_labels} of {texts} get another label; ", end="")
    print(f"scores differ by at most {reproduction.largest_score_difference:.2g}.")
    for change in reproduction.changes:
        print(f"{change.name}: was {change.then or 'not recorded'}, is {change.now or 'not recorded'}")
    for note in reproduction.notes:
        print(note)
