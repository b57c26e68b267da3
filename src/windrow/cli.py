"""The verbs in a terminal: parse, call, print.

Owns words and exit codes; knows nothing of how a verb is done. Imports heavy parts only where they run.
"""

import dataclasses
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from windrow import __version__
from windrow.domain.errors import WindrowError
from windrow.settings import Settings, read_settings, variable_name

EXIT_REFUSED = 2

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


def main() -> None:
    """Run the command line; an error of ours is one plain line and exit code 2."""
    try:
        app()
    except WindrowError as error:
        print(f"windrow: {error.detail}", file=sys.stderr)
        sys.exit(EXIT_REFUSED)
