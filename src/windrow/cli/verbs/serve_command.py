"""The command that starts the server."""

from typing import Annotated, Literal

import typer

from windrow.cli.connect import settings_for
from windrow.cli.options import setting_help
from windrow.domain.errors import InvalidParameter
from windrow.settings import read_root_path

verbs = typer.Typer()


@verbs.command(epilog="Example: windrow serve --data-dir my-classifiers --port 8000")
def serve(  # noqa: PLR0913 - Typer makes an option of each
    host: Annotated[str | None, typer.Option(help=setting_help("host"))] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help=setting_help("port"))] = None,
    data_dir: Annotated[str | None, typer.Option(help=setting_help("data_dir"))] = None,
    log_format: Annotated[Literal["text", "json"] | None, typer.Option(help=setting_help("log_format"))] = None,
    tls_cert: Annotated[str | None, typer.Option(metavar="FILE", help=setting_help("tls_cert"))] = None,
    tls_key: Annotated[str | None, typer.Option(metavar="FILE", help=setting_help("tls_key"))] = None,
    root_path: Annotated[str | None, typer.Option(metavar="PATH", help=setting_help("root_path"))] = None,
    console: Annotated[bool | None, typer.Option("--console/--no-console", help=setting_help("console"))] = None,
    insecure_no_keys: Annotated[
        bool | None, typer.Option("--insecure-no-keys", help=setting_help("insecure_no_keys"))
    ] = None,
) -> None:
    """Start the server and print two commands to try.

    Where other machines reach it, it starts only with an API key (`windrow keys create`), unless --insecure-no-keys.
    """
    given = {
        "host": host,
        "port": port,
        "log_format": log_format,
        "tls_cert": tls_cert,
        "tls_key": tls_key,
        "root_path": None if root_path is None else _prefix(root_path),
        "console": console,
        "insecure_no_keys": insecure_no_keys,
    }
    settings = settings_for(data_dir, **{setting: value for setting, value in given.items() if value is not None})
    from windrow.bootstrap import open_service
    from windrow.http.server import serve as run_server

    run_server(open_service, settings)


def _prefix(text: str) -> str:
    try:
        return read_root_path(text)
    except ValueError as error:
        raise InvalidParameter(
            "--root-path {value} cannot be used: {why}. Name one like /windrow.",
            {"parameter": "root_path", "value": text, "why": str(error)},
        ) from None
