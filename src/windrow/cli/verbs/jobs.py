"""Verbs on jobs: list, show, watch, cancel.

Owns their options and words; knows nothing of how trainings run.
"""

from pathlib import Path
from typing import Annotated

import typer

from windrow.cli.connect import connected
from windrow.cli.exits import OK, Stopped, exit_code_of
from windrow.cli.formats import counted, duration, when
from windrow.cli.options import AsJson, DataDir, Url
from windrow.cli.output import data_console, new_table, notes_console, print_json
from windrow.cli.progress import training_bar
from windrow.cli.words import in_options
from windrow.domain.errors import InvalidParameter
from windrow.domain.job import DEFAULT_JOBS, Job

verbs = typer.Typer()
jobs = typer.Typer(
    help="List, show, watch and cancel trainings.",
    epilog="Examples: windrow jobs; windrow jobs watch 019a1c5e4b2f-7d0c41",
    invoke_without_command=True,
    rich_markup_mode=None,
)
verbs.add_typer(jobs, name="jobs")

JobId = Annotated[str, typer.Argument(metavar="ID", help="The job's id, as `windrow jobs list` shows it.")]
Limit = Annotated[int, typer.Option("--limit", help="The most jobs, the newest one first.")]


@jobs.callback()
def jobs_without_a_verb(
    context: typer.Context,
    url: Url = None,
    data_dir: DataDir = None,
    limit: Limit = DEFAULT_JOBS,
    as_json: AsJson = False,
) -> None:
    """List, show, watch and cancel trainings. Without a verb, list them."""
    if context.invoked_subcommand is None:
        _list(url, data_dir, limit, as_json)
    elif url or data_dir or as_json:
        verb = context.invoked_subcommand
        raise InvalidParameter(f"Options of {verb} stand behind it: `windrow jobs {verb} --url …`. Put them there.")


@jobs.command("list", epilog="Example: windrow jobs list --url http://localhost:14345")
def list_jobs(url: Url = None, data_dir: DataDir = None, limit: Limit = DEFAULT_JOBS, as_json: AsJson = False) -> None:
    """List trainings past and in progress, the newest one first."""
    _list(url, data_dir, limit, as_json)


@jobs.command(epilog="Example: windrow jobs show 019a1c5e4b2f-7d0c41")
def show(job_id: JobId, url: Url = None, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Show one training: how far it is, or how it ended."""
    with connected(url, data_dir) as operations:
        job = operations.job(job_id)
    print_job(job, as_json)


@jobs.command(epilog="Example: windrow jobs watch 019a1c5e4b2f-7d0c41")
def watch(job_id: JobId, url: Url = None, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Watch a training until it ends, then show it. Ctrl-C ends the watching, not the training.

    Exit code 0: it succeeded. Otherwise the same as of the fit itself.
    """
    with connected(url, data_dir) as operations, training_bar() as bar:
        job = operations.job(job_id)
        try:
            for job in operations.follow_job(job_id):
                bar.show_job(job)
        except KeyboardInterrupt as interrupt:
            raise Stopped("the training goes on") from interrupt
    print_job(job, as_json)
    raise typer.Exit(OK if job.problem is None else exit_code_of(job.problem.as_error()))


@jobs.command(epilog="Example: windrow jobs cancel 019a1c5e4b2f-7d0c41")
def cancel(job_id: JobId, url: Url = None, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Stop a training that waits or runs; nothing of it is left behind."""
    with connected(url, data_dir) as operations:
        job = operations.cancel_job(job_id)
    print_job(job, as_json)


def _list(url: str | None, data_dir: Path | None, limit: int, as_json: bool) -> None:
    with connected(url, data_dir) as operations:
        found = operations.list_jobs(limit)
    if as_json:
        from windrow.wire.job import JobList

        print_json(JobList.of(found))
        return
    if not found:
        notes_console().print("There is no job yet. `windrow fit` makes one.")
        return
    table = new_table(
        "job",
        "state",
        "classifier",
        "rows",
        "asked for (UTC)",
        "took",
        "",
        right=("rows", "took"),
        whole=("job", "state", "classifier", "asked for (UTC)"),
        spare=("took", "rows", "asked for (UTC)"),
    )
    for job in found:
        table.add_row(
            job.id, job.state, job.model_name, f"{job.num_examples:,}", when(job.created_at), _took(job), _in_brief(job)
        )
    data_console().print(table)


def print_job(job: Job, as_json: bool) -> None:
    """Print a job, as JSON or in words."""
    if as_json:
        from windrow.wire.job import JobEntry

        print_json(JobEntry.of(job))
        return
    from rich.table import Table

    recipe = job.recipe
    facts = Table.grid(padding=(0, 2))
    facts.add_column(no_wrap=True)
    facts.add_column(overflow="fold")
    for what, said in (
        ("job", job.id),
        ("state", job.state),
        ("", in_words(job)),
        ("classifier", job.model_name),
        ("rows", f"{job.num_examples:,}, SHA-256 {job.data_sha256}"),
        ("base model", job.base_model),
        ("recipe", f"{recipe.num_iterations} iterations, batch size {recipe.batch_size}, seed {recipe.seed}"),
        ("asked for", f"{when(job.created_at)} UTC"),
        ("began", f"{when(job.started_at)} UTC" if job.started_at else "-"),
        ("ended", f"{when(job.finished_at)} UTC" if job.finished_at else "-"),
    ):
        if said:
            facts.add_row(what, said)
    data_console().print(facts)


def _took(job: Job) -> str:
    if job.started_at is None or job.finished_at is None:
        return ""
    return duration((job.finished_at - job.started_at).total_seconds())


def _in_brief(job: Job) -> str:
    """Return the same, but of how a job failed the kind alone, which fits a line."""
    if job.problem is None or job.state == "cancelled":
        return "" if job.problem is not None else in_words(job)
    return job.problem.code.replace("_", " ")


def in_words(job: Job) -> str:
    """Return what a job does, or how it ended, in a few words."""
    if job.state == "queued":
        return f"{counted(job.ahead, 'training')} before it" if job.ahead else "next"
    if (progress := job.progress) is not None:
        steps = f" {progress.step}/{progress.of}" if progress.of else ""
        left = "" if progress.seconds_left is None else f", about {duration(progress.seconds_left)} left"
        return f"{progress.stage}{steps}{left}"
    if job.revision is not None:
        return f"revision {job.revision}"
    return "" if job.problem is None else in_options(job.problem.detail)
