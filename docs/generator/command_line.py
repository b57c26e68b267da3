"""The page on the command line: each command with its arguments, options and an example."""

import importlib
import re
from collections.abc import Iterator
from typing import Any

import typer
from typer.main import get_command, get_group

from docs.generator.docstrings import described
from docs.generator.markdown import block, inline, page, paragraph, paragraphs, table
from windrow.cli import exits
from windrow.cli.app import app
from windrow.cli.command_group import MODULES, SECTIONS


def text() -> str:
    """Return the page."""
    root: Any = get_command(app)
    parts = [
        paragraph(
            "[Use the command line](../how-to/command-line.md) says what holds for all commands: server or data "
            "directory, files with rows, output and exit codes."
        ),
        *_command("windrow", root, "##", with_commands=False),
    ]
    codes = [[str(getattr(exits, name)), inline(meaning)] for name, meaning in described(exits).items()]
    parts += ["## Exit codes", table(["Exit code", "Meaning"], codes)]
    for title, verbs in SECTIONS.items():
        parts.append(f"## {title}")
        for verb, _, _ in verbs:
            group = get_group(importlib.import_module(f"windrow.cli.verbs.{MODULES[verb]}").verbs)
            parts += _command(f"windrow {verb}", group.commands[verb], "###")
    return page("Command line", *parts)


def _command(path: str, command: Any, level: str, *, with_commands: bool = True) -> Iterator[str]:
    yield f"{level} {path.removeprefix('windrow ')}"
    yield from paragraphs(_code(command.help or ""))
    yield from _examples(command.epilog if with_commands else "")
    context = typer.Context(command, info_name=path)
    records = [each.get_help_record(context) for each in command.get_params(context)]
    yield table(
        ["Argument or option", "Meaning"], [[f"`{name}`", _code(words)] for name, words in filter(None, records)]
    )
    for name, inner in getattr(command, "commands", {}).items() if with_commands else ():
        yield from _command(f"{path} {name}", inner, f"{level}#")


def _examples(epilog: str | None) -> Iterator[str]:
    shown = re.sub(r"^Examples?: ", "", " ".join((epilog or "").split()))
    if shown:
        yield block("sh", "\n".join(each.strip() for each in re.split(r"; (?=windrow )", shown)))


def _code(words: str) -> str:
    """Return words with their options as code."""
    return re.sub(r"(?<![\w`-])--?[a-z][a-z-]*", lambda found: f"`{found[0]}`", words)
