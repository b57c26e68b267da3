"""Verbs on jobs: list, show, watch, cancel."""

import re
from collections.abc import Sequence
from typing import Any, Final

import typer
from typer.core import TyperGroup

from windrow.cli.call import Call
from windrow.cli.exits import OK, Interrupted, exit_code_of
from windrow.cli.formats import duration, extension_text, recipe_text, when
from windrow.cli.option_parsing import with_options
from windrow.cli.options import OptionSpec
from windrow.cli.output import notes_console
from windrow.cli.progress import training_bar
from windrow.cli.surface import CliWords
from windrow.cli.tables import Column, key_columns, number, print_facts, print_table
from windrow.domain.errors import InvalidParameter
from windrow.domain.figures import counted
from windrow.domain.file_prediction import PredictFilesReport
from windrow.domain.job import FilePrediction, Job, JobList, JobListRequest, JobRequest

verbs = typer.Typer()
# No verb looks like one.
_ID: Final = re.compile("[0-9a-f]+-[0-9a-f]+")


class JobsGroup(TyperGroup):
    """The verbs on jobs; an id alone shows that job."""

    def resolve_command(self, ctx: typer.Context, args: list[str]) -> Any:  # type: ignore[override]
        """Find a verb."""
        return super().resolve_command(ctx, ["show", *args] if _ID.fullmatch(args[0]) else args)


jobs = typer.Typer(
    cls=JobsGroup,
    help="List, show, watch and cancel what runs for long: trainings and predictions of files.",
    epilog="Examples: windrow jobs; windrow jobs 019a1c5e4b2f-7d0c41; windrow jobs watch 019a1c5e4b2f-7d0c41",
    invoke_without_command=True,
    rich_markup_mode=None,
)
verbs.add_typer(jobs, name="jobs")

LIMIT = OptionSpec(help="The most jobs, the newest one first.")


@jobs.callback()
@with_options(limit=LIMIT)
def jobs_without_a_verb(context: typer.Context, call: Call, request: JobListRequest) -> None:
    """List, show, watch and cancel jobs. Without a verb, list them; with an id alone, show that one."""
    if (verb := context.invoked_subcommand) is None:
        _list(call, request)
    elif call.url or call.data_dir or call.as_json:
        raise InvalidParameter(
            "Options of {verb} stand behind it: `windrow jobs {verb} --url …`. Put them there.", {"verb": verb}
        )


@jobs.command("list", epilog="Example: windrow jobs list --url http://localhost:14345")
@with_options(limit=LIMIT)
def list_jobs(call: Call, request: JobListRequest) -> None:
    """List trainings and predictions of files, past and in progress, the newest one first."""
    _list(call, request)


@jobs.command(epilog="Example: windrow jobs show 019a1c5e4b2f-7d0c41")
@with_options()
def show(call: Call, request: JobRequest) -> None:
    """Show one job: how far it is, or how it ended."""
    with call.connected() as operations:
        print_job(call, operations.job(request))


@jobs.command(epilog="Example: windrow jobs watch 019a1c5e4b2f-7d0c41")
@with_options()
def watch(call: Call, request: JobRequest) -> None:
    """Watch a job until it ends, then show it. Ctrl-C ends the watching, not the job.

    Exit code 0: it succeeded. Otherwise the same as of the fit itself.
    """
    with call.connected() as operations, training_bar() as bar:
        job = operations.job(request)
        try:
            for job in operations.follow_job(request):
                bar.show_job(job)
        except KeyboardInterrupt as interrupt:
            raise Interrupted(
                "the training goes on." if job.kind == "fit" else "the prediction goes on."
            ) from interrupt
    print_job(call, job)
    raise typer.Exit(OK if job.problem is None else exit_code_of(job.problem.as_error()))


@jobs.command(epilog="Example: windrow jobs cancel 019a1c5e4b2f-7d0c41")
@with_options()
def cancel(call: Call, request: JobRequest) -> None:
    """Stop a job that waits or runs. A training leaves nothing behind, a prediction of files its whole shards."""
    with call.connected() as operations:
        print_job(call, operations.cancel_job(request))


def _list(call: Call, request: JobListRequest) -> None:
    with call.connected() as operations:
        call.show(operations.list_jobs(request), _print_jobs)


def _print_jobs(listing: JobList) -> None:
    if not listing.jobs:
        notes_console().print("There is no job yet. `windrow fit` makes one.")
        return
    print_table(
        listing.jobs,
        Column("job", lambda job: job.id, no_wrap=True),
        *_kind_columns(listing.jobs),
        Column("state", lambda job: job.state, no_wrap=True),
        Column("classifier", lambda job: job.model_name, no_wrap=True),
        number("rows", _rows, spare=2),
        Column("asked for (UTC)", lambda job: when(job.created_at), no_wrap=True, spare=1),
        *key_columns(listing.jobs, spare=4),
        number("took", _took, spare=3),
        Column("", _in_brief),
    )


def _kind_columns(jobs: Sequence[Job]) -> list[Column[Job]]:
    """Return a column that tells what jobs do, unless all of them are trainings."""
    if all(job.kind == "fit" for job in jobs):
        return []
    return [Column("what", lambda job: "fit" if job.kind == "fit" else "predict files", no_wrap=True)]


def print_job(call: Call, job: Job) -> None:
    """Print a job, as JSON or in words."""
    call.show(job, lambda job: _print_facts(job, call.words))


def _print_facts(job: Job, words: CliWords) -> None:
    if job.files is not None:
        _print_file_facts(job, job.files, words)
        return
    print_facts(
        ("job", job.id),
        ("state", job.state),
        ("", in_words(job, words)),
        ("classifier", job.model_name),
        ("rows", f"{job.num_examples:,}, SHA-256 {job.training_data_sha256}"),
        ("extends", extension_text(job)),
        ("base model", job.base_model),
        ("recipe", recipe_text(job)),
        *_times(job),
    )


def _print_file_facts(job: Job, files: FilePrediction, words: CliWords) -> None:
    report = files.report
    print_facts(
        ("job", job.id),
        ("what", "predict files"),
        ("state", job.state),
        ("", in_words(job, words)),
        ("classifier", job.model_name),
        ("input", files.input),
        ("output", files.output),
        ("rows", "" if report is None else _report_text(report)),
        *_times(job),
    )


def _report_text(report: PredictFilesReport) -> str:
    """Return how many rows were classified, and what became of them, in a line."""
    left_out = ((report.abstained, "without a label"), (report.truncated, "truncated"), (report.noted, "noted"))
    more = "".join(f", {number:,} {what}" for number, what in left_out if number)
    return f"{report.rows:,} of {counted(report.files, 'file')} in {counted(report.shards, 'shard')}{more}"


def _times(job: Job) -> tuple[tuple[str, str], ...]:
    return (
        ("asked for", f"{when(job.created_at)} UTC"),
        ("by key", job.key_name or ""),
        ("began", f"{when(job.started_at)} UTC" if job.started_at else "-"),
        ("ended", f"{when(job.finished_at)} UTC" if job.finished_at else "-"),
    )


def _rows(job: Job) -> str:
    """Return how many rows a training has, or a prediction of files as far as that is known."""
    if job.files is None:
        return f"{job.num_examples:,}"
    known = job.files.report.rows if job.files.report is not None else job.progress and job.progress.num_steps
    return f"{known:,}" if known else ""


def _took(job: Job) -> str:
    if job.started_at is None or job.finished_at is None:
        return ""
    return duration((job.finished_at - job.started_at).total_seconds())


def _in_brief(job: Job) -> str:
    """Return what a job does, or how it ended; of how it failed the kind alone, which fits a line."""
    if job.problem is None:
        return in_words(job, CliWords())
    return "" if job.state == "cancelled" else job.problem.code.replace("_", " ")


def in_words(job: Job, words: CliWords) -> str:
    """Return what a job does, or how it ended, in a few words."""
    if job.state == "queued":
        what = "training" if job.kind == "fit" else "job"
        return f"{counted(job.ahead, what)} before it" if job.ahead else "next"
    if (progress := job.progress) is not None:
        steps = f" {progress.step}/{progress.num_steps}" if progress.num_steps else ""
        steps += f", {progress.shards}/{progress.num_shards} shards" if progress.num_shards else ""
        left = "" if progress.seconds_left is None else f", about {duration(progress.seconds_left)} left"
        return f"{progress.stage}{steps}{left}"
    if job.revision is not None:
        return f"revision {job.revision}"
    return "" if job.problem is None else job.problem.as_error().told(words)
