"""The command that starts the server."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from windrow.cli.connect import settings_for
from windrow.cli.options import setting_help

verbs = typer.Typer()


@verbs.command(epilog="Example: windrow serve --data-dir my-classifiers --port 8000")
def serve(
    host: Annotated[str | None, typer.Option(help=setting_help("host"))] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help=setting_help("port"))] = None,
    data_dir: Annotated[Path | None, typer.Option(help=setting_help("data_dir"))] = None,
    log_format: Annotated[Literal["text", "json"] | None, typer.Option(help=setting_help("log_format"))] = None,
) -> None:
    """Start the server and print two commands to try."""
    given = {"host": host, "port": port, "log_format": log_format}
    settings = settings_for(data_dir, **{setting: value for setting, value in given.items() if value is not None})
    from windrow.bootstrap import open_service
    from windrow.http.server import serve as run_server

    run_server(open_service, settings)
