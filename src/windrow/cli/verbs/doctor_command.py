"""The command that checks an installation."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from windrow import __version__
from windrow.cli.call import Call
from windrow.cli.connect import settings_for
from windrow.cli.exits import CHECK_FAILED
from windrow.cli.formats import one_line
from windrow.cli.options import setting_help
from windrow.cli.output import notes_console
from windrow.domain.diagnosis import Check, Diagnosis
from windrow.domain.figures import counted

if TYPE_CHECKING:
    from windrow.settings import Settings

verbs = typer.Typer()


@verbs.command(epilog="Example: windrow doctor --data-dir windrow-data")
def doctor(
    data_dir: Annotated[str | None, typer.Option(metavar="FOLDER_OR_URL", help=setting_help("data_dir"))] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Check settings, machine, disk, data and base models, and train for a trial.

    One line for each check: ok, warning, or failed, with what to do. It asks no server and may run beside one; the
    trial is made in a folder of its own. Exit code 0: nothing failed. 1: something did. 2: the settings are wrong.
    """
    settings = settings_for(data_dir)
    if settings.url and data_dir is None:
        notes_console().print(
            "Note: WINDROW_URL names a server, but doctor checks this machine and its data directory, and not that "
            "server. Run it on the server's machine for that.",
            markup=False,
        )
    checks = tuple(_made(settings, is_shown=not as_json))
    diagnosis = Diagnosis(__version__, checks)
    Call(as_json=as_json).show(diagnosis, _print_verdict)
    if not diagnosis.healthy:
        raise typer.Exit(CHECK_FAILED)


def _made(settings: "Settings", *, is_shown: bool) -> Iterator[Check]:
    """Yield each check, and print it at once: the last ones take seconds."""
    from windrow.diagnosis.run import diagnose

    for check in diagnose(settings):
        if is_shown:
            print(f"{check.state:<7}  {check.name}: {one_line(check.detail)}", flush=True)
        yield check


def _print_verdict(diagnosis: Diagnosis) -> None:
    failed, warnings = (sum(each.state == state for each in diagnosis.checks) for state in ("failed", "warning"))
    print(
        f"Windrow {diagnosis.version}: {counted(len(diagnosis.checks), 'check')}, {counted(warnings, 'warning')}, "
        f"{failed} failed: {'healthy' if diagnosis.healthy else 'NOT HEALTHY'}."
    )
