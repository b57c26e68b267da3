"""The command that copies a data directory to another folder or object store."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from windrow.cli.call import Call
from windrow.cli.exits import CHECK_FAILED, Interrupted
from windrow.cli.formats import size
from windrow.cli.output import notes_console
from windrow.cli.progress import drawn, elapsed_column
from windrow.domain.figures import counted
from windrow.domain.store_copy import CopyReport, OnCopied

if TYPE_CHECKING:
    from windrow.domain.store_copy import CopyProgress

verbs = typer.Typer()


@verbs.command("copy-store", epilog="Example: windrow copy-store windrow-data s3://my-bucket/windrow")
def copy_store(
    from_: Annotated[
        str, typer.Argument(metavar="FROM", help="The data directory: a folder, or like s3://BUCKET/PREFIX.")
    ],
    to: Annotated[str, typer.Argument(metavar="TO", help="Where it is to be, likewise; a folder is made.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Change nothing, only say what would be copied.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Copy a data directory to another folder or object store.

    Servers may run on FROM; none may run on TO before it is done. Each file is verified. What TO has already is
    skipped, so the same command goes on after a stop. Exit code 0: all of it is there. 1: something was left out.
    """
    from windrow.session.copying import copy_store as copy

    with _bar(is_shown=not as_json) as show:
        try:
            report = copy(from_, to, dry_run=dry_run, on_progress=show)
        except KeyboardInterrupt as interrupt:
            raise Interrupted("what was copied stays. Run the same command again to go on.") from interrupt
    Call(as_json=as_json).show(report, _print_report)
    if not report.complete:
        raise typer.Exit(CHECK_FAILED)


@contextmanager
def _bar(*, is_shown: bool) -> Iterator[OnCopied | None]:
    """Draw a bar for a copy until the end of the block, in a terminal alone."""
    if not is_shown or not notes_console().is_terminal:
        yield None
        return
    from rich.progress import BarColumn

    with drawn("Copying", BarColumn(), "{task.fields[copied]}", elapsed_column()) as bars:
        task = bars.add_task("Copying", total=None, copied="")

        def show(progress: "CopyProgress") -> None:
            copied = f"{counted(progress.copied_files, 'file')}, {size(progress.copied_bytes)}"
            bars.update(task, total=progress.total, completed=progress.done, copied=copied)

        yield show


def _print_report(report: CopyReport) -> None:
    for problem in report.problems:
        print(f"{problem.kind.replace('_', ' ')}: {problem.path}: {problem.detail}")
    for path in report.still_changing:
        print(f"still changing: {path}: Copy again to have the rest.")
    for name in report.only_in_target:
        print(f"only in TO: {name}: FROM has none of this name, so it was left as it is.")
    done = "Would copy" if report.dry_run else "Copied"
    parts = [
        f"{done} {counted(report.copied_files, 'file')} ({size(report.copied_bytes)}) of "
        f"{counted(len(report.names), 'classifier or alias', 'classifiers and aliases')}",
        f"{counted(report.skipped_files, 'file')} were there already" if report.skipped_files else "",
        f"{counted(report.removed_files, 'file')} removed that FROM has no more" if report.removed_files else "",
        f"{counted(report.unfinished_jobs, 'unfinished job')} left out" if report.unfinished_jobs else "",
    ]
    print(f"{'; '.join(filter(None, parts))}: {'complete' if report.complete else 'INCOMPLETE'}.")
