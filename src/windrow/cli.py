"""The verbs in a terminal: parse, call, print.

Owns words and exit codes; knows nothing of how a verb is done. Imports heavy parts only where they run.
"""

import dataclasses
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from windrow import __version__
from windrow.domain.checkup import Checkup
from windrow.domain.errors import InvalidParameter, WindrowError
from windrow.settings import Settings, read_settings, variable_name

EXIT_REFUSED = 2
EXIT_DAMAGED = 1

app = typer.Typer(
    name="windrow",
    help="Train, keep and serve few-shot text classifiers on one small machine.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _option(setting: str, **more: Any) -> Any:
    """Declare an option that overrides a setting; its help is the setting's own."""
    knob = next(knob for knob in dataclasses.fields(Settings) if knob.name == setting)
    text = f"{knob.metadata['doc']} [variable: {variable_name(setting)}; default: {knob.default}]"
    return typer.Option(help=text, show_default=False, **more)


def _show_version(asked: bool) -> None:
    if asked:
        print(f"windrow {__version__}")
        raise typer.Exit


@app.callback()
def windrow(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Train, keep and serve few-shot text classifiers on one small machine."""


@app.command()
def serve(
    host: Annotated[str | None, _option("host")] = None,
    port: Annotated[int | None, _option("port", min=0, max=65535)] = None,
    data_dir: Annotated[Path | None, _option("data_dir")] = None,
    log_format: Annotated[Literal["text", "json"] | None, _option("log_format")] = None,
) -> None:
    """Start the server and print two commands to try."""
    given = {"host": host, "port": port, "data_dir": data_dir, "log_format": log_format}
    chosen: dict[str, Any] = {setting: value for setting, value in given.items() if value is not None}
    settings = dataclasses.replace(read_settings(), **chosen)
    from windrow.bootstrap import open_service
    from windrow.http.server import serve as run_server

    run_server(open_service, settings)


@app.command()
def fsck(
    data_dir: Annotated[Path | None, _option("data_dir")] = None,
    repair: Annotated[
        bool, typer.Option("--repair", help="Remove garbage, and finish what a crash left half done.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead.")] = False,
) -> None:
    """Read a data directory to its last byte and check every digest, also while servers run on it.

    Exit code 0: all classifiers are sound. 1: something is damaged. 2: the directory cannot be checked.
    """
    settings = read_settings() if data_dir is None else dataclasses.replace(read_settings(), data_dir=data_dir)
    if not any((settings.data_dir / folder).is_dir() for folder in ("classifiers", "aliases", "base_models")):
        raise InvalidParameter(
            f"{settings.data_dir} is no data directory: it has neither classifiers nor aliases nor base models. "
            "Name the right one with --data-dir."
        )
    from windrow.bootstrap import open_store
    from windrow.storage.fsck import check

    checkup = check(settings.data_dir, open_store(settings).names, repair=repair)
    if as_json:
        from windrow.wire.checkup import CheckReply

        print(CheckReply.of(checkup).model_dump_json())
    else:
        _print_checkup(checkup)
    if not checkup.is_sound:
        raise typer.Exit(EXIT_DAMAGED)


def _print_checkup(checkup: Checkup) -> None:
    for finding in checkup.findings:
        state = "repaired" if finding.is_repaired else finding.severity
        print(f"{state}: {finding.place}: {finding.detail} [{finding.code}]")
    print(
        f"{checkup.classifiers} classifiers, {checkup.records} records, {checkup.blobs} blobs, "
        f"{checkup.size_bytes / 1e6:.1f} MB read: {'sound' if checkup.is_sound else 'DAMAGED'}"
        f"{'' if checkup.findings else ', nothing found'}."
    )


def main() -> None:
    """Run the command line; an error of ours is one plain line and exit code 2."""
    try:
        app()
    except WindrowError as error:
        print(f"windrow: {error.detail}", file=sys.stderr)
        sys.exit(EXIT_REFUSED)
