"""The console as its users have it: a real server process, and a real browser in which nothing may go wrong."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.conftest import made_once
from tests.console.browsing import AXE, WIDE, Theme, Watch, accessibility_findings, new_context, open_browser
from tests.servers import Running, Servers, Start
from tests.source_tree import ROOT

OpenPage = Callable[..., Page]
Findings = Callable[[Page], list[str]]
BUILD = ROOT / ".venv-build" / "bin" / "python"


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Windrow's wheel, built from these sources with what `make` has installed for that, without the network."""
    return next(made_once("wheel", _builder("wheel"), tmp_path_factory).glob("*.whl"))


@pytest.fixture(scope="session")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Windrow's source archive, built likewise."""
    return next(made_once("sdist", _builder("sdist"), tmp_path_factory).glob("*.tar.gz"))


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel as pip installs it: ``start(data_dir, PYTHONPATH=str(installed))`` serves from it."""

    def install(folder: Path) -> None:
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "--no-deps", "--no-index", "--target", str(folder), str(wheel)], check=True)

    return made_once("installed", install, tmp_path_factory)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser for the tests of a module: while it is open, no other test in this process could run an event loop."""
    with open_browser() as opened:
        yield opened


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a server process on a data directory; whatever happens, it is gone after the test."""
    servers = Servers(tmp_path)
    yield servers.start
    servers.stop()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server for all tests of a module, with nothing in it at first."""
    folder = tmp_path_factory.mktemp("console")
    servers = Servers(folder)
    yield servers.start(folder / "data")
    servers.stop()


@pytest.fixture
def watch() -> Iterator[Watch]:
    """What went wrong in this test's pages; at its end that fails the test, unless it was allowed."""
    noted = Watch()
    yield noted
    noted.check()


@pytest.fixture
def open_page(browser: Browser, watch: Watch) -> Iterator[OpenPage]:
    """Open a page in a fresh profile: ``open_page(url, theme="dark", width=NARROW)``."""
    contexts = []

    def opened(url: str, *, theme: Theme = "light", width: int = WIDE) -> Page:
        contexts.append(new_context(browser, watch, theme, width))
        page = contexts[-1].new_page()
        page.goto(url)
        return page

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture
def page(server: Running, open_page: OpenPage) -> Page:
    """The console of the module's server, in a wide window."""
    return open_page(str(server.client.base_url))


@pytest.fixture
def axe() -> Findings:
    """Return what axe finds serious or critical in a page."""
    if not AXE.exists():
        _leave_out("needs axe: make .venv-console/.packages")
    return accessibility_findings


def _builder(target: str) -> Callable[[Path], None]:
    if not BUILD.exists():
        _leave_out("needs what builds the wheel: make .venv-build/.hatchling")

    def build(folder: Path) -> None:
        hatchling = [str(BUILD), "-m", "hatchling", "build", "--target", target, "--directory", str(folder)]
        subprocess.run(hatchling, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)

    return build


def _leave_out(reason: str) -> None:
    """Leave a test out where something is not installed, but never in CI."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
