"""The console as its users have it: a real server process, and a real browser in which nothing may go wrong."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.conftest import made_once
from tests.console.browsing import AXE, WIDE, Theme, Watch, accessibility_findings, new_context, open_browser
from tests.packages import leave_out, sdist, wheel
from tests.servers import Running, Servers, Start

# pytest finds them here.
__all__ = ["sdist", "wheel"]

OpenPage = Callable[..., Page]
Findings = Callable[[Page], list[str]]


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
        leave_out("needs axe: make .venv-console/.packages")
    return accessibility_findings
