"""The command that offers Windrow's tools to agents."""

import os
import re
import sys
from typing import Annotated, Any, Final

import typer

from windrow.cli.call import Call
from windrow.cli.connect import check_data_dir, settings_for
from windrow.cli.exits import OK
from windrow.cli.option_parsing import with_options
from windrow.domain.errors import InvalidParameter
from windrow.settings import Settings

_ADDRESS: Final = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<name>[^\s:/\[\]]+)):(?P<port>[0-9]{1,5})")

verbs = typer.Typer()


@verbs.command(
    epilog="Examples: windrow mcp --data-dir my-classifiers; "
    "windrow mcp --url https://windrow.example.org --api-key-file key.txt --allow-changes; "
    "windrow mcp --data-dir my-classifiers --http 127.0.0.1:8808"
)
@with_options(leave_out=("as_json",))
def mcp(
    call: Call,
    http: Annotated[
        str | None,
        typer.Option(metavar="HOST:PORT", help="Answer over streamable HTTP at /mcp there, instead of stdin, stdout."),
    ] = None,
    allow_changes: Annotated[
        bool, typer.Option("--allow-changes", help="Let agents train new classifiers, keep scores, and promote.")
    ] = False,
    allow_overwrites: Annotated[
        bool,
        typer.Option(
            "--allow-overwrites",
            help="Let them also train under a name that exists, and replace rows that an alias keeps.",
        ),
    ] = False,
) -> None:
    """Offer classifiers to agents as tools of the Model Context Protocol (MCP).

    It answers the program that starts it over standard input and output, or with --http each client that reaches the
    address. Without --allow-changes, agents only read. No tool deletes anything.
    """
    from windrow.agents.protocol import check_installed, run_over_stdio

    check_installed()
    from windrow.agents.access import OwnAccess
    from windrow.agents.running import ToolRunner

    runner = ToolRunner(_allowed(changes=allow_changes, overwrites=allow_overwrites))
    if http is not None:
        _serve(call, runner, *_address(http))
        return
    limits = None if call.server else settings_for(call.data_dir).limits
    with call.connected(may_create=allow_changes) as operations:
        try:
            is_stopped = run_over_stdio(runner, OwnAccess(operations, limits))
        finally:
            runner.close()
    if is_stopped:
        sys.stderr.flush()
        os._exit(OK)


def _allowed(*, changes: bool, overwrites: bool) -> Any:
    if overwrites and not changes:
        raise InvalidParameter(
            "--allow-overwrites goes beyond --allow-changes. Name both.", {"parameter": "allow_overwrites"}
        )
    return {name for name, is_on in (("changes", changes), ("overwrites", overwrites)) if is_on}


def _serve(call: Call, runner: Any, host: str, port: int) -> None:
    from windrow.agents.web import serve_directory, serve_server
    from windrow.bootstrap import open_service

    settings: Settings = settings_for(call.data_dir, host=host, port=port)
    if not call.server:
        if "changes" not in runner.allowed:
            check_data_dir(settings.data_dir)
        serve_directory(open_service, settings, runner)
        return
    if call.api_key_file is not None:
        raise InvalidParameter(
            "With --http, each request carries an API key of its own, so --api-key-file is not used. Leave it out.",
            {"parameter": "api_key_file"},
        )
    serve_server(call.server, settings, runner)


def _address(text: str) -> tuple[str, int]:
    """Return a host and a port.

    Raises:
        InvalidParameter: The text is no such pair.
    """
    match = _ADDRESS.fullmatch(text)
    if match is None or int(match["port"]) > 65_535:
        raise InvalidParameter(
            "--http {value} is no address. Name a host and a port, like 127.0.0.1:8808.",
            {"parameter": "http", "value": text},
        )
    return match["v6"] or match["name"], int(match["port"])
