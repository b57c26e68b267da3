"""The list of verbs says of each what its module does, and finds it there."""

import importlib
import re
import sys
from typing import Any

import pytest
from typer.main import get_group

from tests.cli.asking import run
from tests.source_tree import ROOT
from windrow.cli.command_group import MODULES, SECTIONS, SYNONYMS

PAGE = (ROOT / "docs" / "how-to" / "command-line.md").read_text()
LINES = {verb: line for verbs in SECTIONS.values() for verb, _, line in verbs}


@pytest.mark.parametrize("verb", MODULES)
def test_each_verb_is_in_its_module_with_help_and_an_example(verb: str) -> None:
    found = get_group(importlib.import_module(f"windrow.cli.verbs.{MODULES[verb]}").verbs).commands[verb]
    assert found.help
    assert found.epilog is not None
    assert found.epilog.startswith("Example")
    assert f"windrow {verb}" in found.epilog


@pytest.mark.parametrize("module", sorted(set(MODULES.values())))
def test_each_verb_of_a_module_is_in_the_list(module: str) -> None:
    found = get_group(importlib.import_module(f"windrow.cli.verbs.{module}").verbs).commands
    assert set(found) == {verb for verb, its_module in MODULES.items() if its_module == module}


@pytest.mark.parametrize("verb", MODULES)
def test_a_help_text_says_what_an_option_does_and_not_whether(verb: str) -> None:
    found: Any = get_group(importlib.import_module(f"windrow.cli.verbs.{MODULES[verb]}").verbs).commands[verb]
    commands = [found, *getattr(found, "commands", {}).values()]
    texts = [parameter.help or "" for command in commands for parameter in command.params if hasattr(parameter, "help")]
    assert [text for text in texts if text.startswith("Whether")] == []


def test_each_option_that_the_page_shows_exists() -> None:
    for line in re.findall(r"windrow [a-z-]+ .*", "\n".join(re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL))):
        command = line.partition("#")[0].partition("|")[0].split()
        verbs = importlib.import_module(f"windrow.cli.verbs.{MODULES[command[1]]}").verbs
        found: Any = get_group(verbs).commands[command[1]]
        found = getattr(found, "commands", {}).get(command[2], found) if command[2:] else found
        options = {name for parameter in found.params for name in (*parameter.opts, *parameter.secondary_opts)}
        asked = {word for word in command if re.fullmatch(r"--?[a-z][a-z-]*", word)}
        assert asked <= options, line


def test_a_line_of_help_fits_80_columns() -> None:
    assert max(map(len, LINES.values())) <= 80 - 2 - max(map(len, MODULES)) - 2


def test_a_synonym_is_no_verb_itself_and_stands_for_one() -> None:
    assert not set(SYNONYMS) & set(MODULES)
    assert {verb.split()[0] for verb in SYNONYMS.values()} <= set(MODULES)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("sevre", "No such command 'sevre'. Did you mean 'serve'?"),
        ("train", "No such command 'train'. Did you mean 'fit'?"),
        ("trian", "No such command 'trian'. Did you mean 'fit'?"),
        ("clasify", "No such command 'clasify'. Did you mean 'classify'?"),
        ("statsu", "No such command 'statsu'. Did you mean 'jobs'?"),
        ("exprot", "No such command 'exprot'. Did you mean 'export'?"),
        ("xyzzy", "No such command 'xyzzy'."),
    ],
)
def test_the_nearest_verb_is_suggested_for_an_unknown_one(
    asked: str, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    refused = run(monkeypatch, capsys, asked)
    assert refused.code == 2
    assert refused.refusal == f"{said} See `windrow --help`."


def test_a_verb_is_loaded_only_once_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for module in set(MODULES.values()):
        monkeypatch.delitem(sys.modules, f"windrow.cli.verbs.{module}", raising=False)
    assert "Maintenance:" in run(monkeypatch, capsys, "--help").out
    assert not [name for name in sys.modules if name.startswith("windrow.cli.verbs.")]
