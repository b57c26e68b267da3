"""Each command that a page shows is one that the command line takes: verb, arguments and options."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from tests.source_tree import ROOT
from windrow.cli.app import UsageError, app
from windrow.cli.command_group import MODULES

PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/*.md")), *sorted(ROOT.glob("docs/how-to/*.md"))]
# What ends a command in a line of a shell: a pipe, another command, a file that is written.
_ENDS = re.compile(r"\s(?:\|{1,2}|&&?|;|2?>{1,2})(?:\s|$)")


def shown_commands(page: str) -> Iterator[list[str]]:
    """Yield the words after `windrow` of each command in the shell blocks and in the sentences of a page."""
    for block in re.findall(r"^ *```(?:sh|shell)\n(.*?)^ *```", page, re.MULTILINE | re.DOTALL):
        for line in re.sub(r"\\\n\s*", " ", block).splitlines():
            for part in _ENDS.split(line):
                if command := re.match(r"\s*(?:[A-Z_]+=\S+ )*windrow (.*)", part):
                    yield shlex.split(command[1], comments=True)
    prose = re.sub(r"^ *```.*?^ *```", "", page, flags=re.MULTILINE | re.DOTALL)
    yield from (shlex.split(command) for command in re.findall(r"`windrow\s+([^`]+)`", prose))


def problem_of(words: list[str]) -> str | None:
    """Return what the command line has against a command; ``None`` for nothing, or where only something is missing."""
    command: Any = get_command(app).get_command(None, words[0])  # type: ignore[attr-defined]
    rest = words[1:]
    # A sentence may name a verb alone, or a verb of which any part may follow.
    if not rest or rest[0] == "…":
        return None
    while rest and rest[0] in getattr(command, "commands", ()):
        command = command.commands[rest.pop(0)]
    try:
        command.make_context(words[0], rest)
    except SystemExit:
        return None
    except UsageError as error:
        if type(error).__name__ in {"MissingParameter", "NoArgsIsHelpError"}:
            return None
        return f"windrow {shlex.join(words)}: {getattr(error, 'message', error)}"
    return None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_each_command_of_a_page_is_one_that_the_command_line_takes(page: Path) -> None:
    commands = [words for words in shown_commands(page.read_text()) if words[0] in MODULES]
    assert [problem for problem in map(problem_of, commands) if problem is not None] == []


def fetched_from_an_index(page: str) -> list[str]:
    """Return the commands of a page that would fetch Windrow itself from a package index, where it is not.

    Where Windrow is installed, ``pip install "windrow[ray]"`` adds what the extra needs, and fetches no Windrow.
    """
    lines = [
        (language, line.partition("#")[0])
        for language, block in re.findall(r"^ *```(\w+)\n(.*?)^ *```", page, re.MULTILINE | re.DOTALL)
        for line in block.splitlines()
    ]
    return [
        line
        for language, line in lines
        if re.search(r"\b(?:pip|pipx|uv tool) install\b", line)
        and (language == "dockerfile" or "[" not in line or re.search(r"--upgrade|-U\b", line))
        and re.search(r"""[\s"']windrow(?:\[[\w,-]+\])?(?:["'\s=<>~]|$)""", line)
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_command_of_a_page_takes_from_an_index_what_is_not_windrow(page: Path) -> None:
    assert fetched_from_an_index(page.read_text()) == []


@pytest.mark.parametrize(
    ("language", "line", "is_fetched"),
    [
        ("sh", "pip install --upgrade windrow", True),
        ("sh", 'pip install --upgrade "windrow[ray]"', True),
        ("sh", "pipx install windrow", True),
        ("dockerfile", 'RUN pip install --no-cache-dir "windrow[ray]"', True),
        ("sh", 'pip install "windrow[ray]"', False),
        ("sh", "windrow/bin/pip install --upgrade windrow-*.whl", False),
        ("dockerfile", 'RUN pip install "$(echo /tmp/windrow-*.whl)[ray]"', False),
    ],
)
def test_what_fetches_windrow_by_its_name_is_found(language: str, line: str, is_fetched: bool) -> None:
    assert fetched_from_an_index(f"```{language}\n{line}\n```\n") == [line] * is_fetched


def test_a_command_with_an_argument_or_an_option_too_many_is_found() -> None:
    page = "1. Go back: `windrow restore NAME 2`.\n\n```sh\nA=1 windrow list --nope | head\nwindrow keys list\n```\n"
    problems = [problem_of(words) for words in shown_commands(page)]
    assert [each and each.partition(":")[0] for each in problems] == [
        "windrow list --nope",
        None,
        "windrow restore NAME 2",
    ]
