"""Runs the Python of docs/how-to/python.md and README.md as a reader would: block after block, in one notebook."""

import ast
import contextlib
import io
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import windrow
from tests.servers import Servers
from tests.source_tree import ROOT

GUIDE = (ROOT / "docs" / "how-to" / "python.md").read_text()
SHOWN_ADDRESS = "http://127.0.0.1:14345"
START_A_SERVER = "windrow serve --data-dir windrow-data"


@dataclass(frozen=True)
class Block:
    """A block of the guide: what is run, and the output that the page shows, if it shows one."""

    language: str
    source: str
    printed: str | None


class Notebook:
    """A reader's notebook: each block sees what the blocks before it left."""

    def __init__(self) -> None:
        self._names: dict[str, object] = {"__name__": "__main__"}

    def run(self, source: str) -> tuple[str, list[tuple[str, str]]]:
        """Run a block and return what it printed, and each shown value beside the real one."""
        results = []
        with contextlib.redirect_stdout(io.StringIO()) as printed, warnings.catch_warnings():
            # So few rows as a page has room for are warned about, which a reader sees and nothing ends by.
            warnings.simplefilter("ignore", windrow.WindrowWarning)
            for statement in ast.parse(source).body:
                shown = _shown_after(source, statement)
                if isinstance(statement, ast.Expr):
                    value = eval(compile(ast.Expression(statement.value), "python.md", "eval"), self._names)
                    results += [] if shown is None else [(shown, repr(value))]
                else:
                    assert shown is None, f"a value is shown where there is none: {shown}"
                    exec(compile(ast.Module([statement], []), "python.md", "exec"), self._names)
        return printed.getvalue(), results


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    servers = Servers(tmp_path)
    yield servers
    servers.stop()


@pytest.mark.slow
def test_each_block_of_the_guide_works_and_gives_what_the_page_shows(
    servers: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    notebook, address = Notebook(), SHOWN_ADDRESS
    for block in _blocks(GUIDE):
        if block.language == "sh":
            assert block.source.strip() == START_A_SERVER
            address = str(servers.start(tmp_path / "windrow-data").client.base_url).rstrip("/")
            continue
        printed, results = notebook.run(block.source.replace(SHOWN_ADDRESS, address))
        assert [real for _, real in results] == [shown for shown, _ in results], block.source
        assert printed == (block.printed or ""), block.source


@pytest.mark.slow
def test_the_python_of_the_readme_works_and_prints_what_it_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (block,) = [block for block in _blocks((ROOT / "README.md").read_text()) if block.language == "python"]
    shown = re.findall(r"print\(.*\)  # (.*)", block.source)
    assert shown
    assert Notebook().run(block.source)[0].splitlines() == shown


def test_the_guide_shows_values_and_output() -> None:
    blocks = _blocks(GUIDE)
    assert sum("# ->" in block.source for block in blocks) >= 10
    assert sum(block.printed is not None for block in blocks) >= 3


def _blocks(markdown: str) -> list[Block]:
    found = re.findall(r"```(python|sh)\n(.*?)```(?:\s*```text\n(.*?)```)?", markdown, re.DOTALL)
    return [Block(language, source, printed or None) for language, source, printed in found]


def _shown_after(source: str, statement: ast.stmt) -> str | None:
    """Return what the line below a statement shows as its value."""
    below = source.splitlines()[statement.end_lineno or 0 :][:1]
    return below[0].removeprefix("# -> ") if below and below[0].startswith("# -> ") else None
