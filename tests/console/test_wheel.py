"""The console comes with what pip installs: the wheel's files are all served, and a browser shows the page."""

import os
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.console.conftest import OpenPage
from tests.servers import Start
from windrow.http.console import FOLDER, read_console

pytestmark = pytest.mark.slow


def tree() -> set[str]:
    """Return each file of the console in this checkout."""
    return {path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*") if path.is_file()}


def test_the_wheel_holds_every_file_of_the_console_and_the_licences_of_its_libraries(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        packed = {name.removeprefix("windrow/console/") for name in archive.namelist() if "windrow/console/" in name}
        (metadata,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        about = archive.read(metadata).decode()
    assert {name for name in packed if ".dist-info/" not in name} == tree()
    assert "License-Expression: Apache-2.0 AND MIT" in about
    assert "License-File: src/windrow/console/vendor/LICENSES" in about


def test_the_source_archive_holds_every_file_of_the_console(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = [name.partition("/src/windrow/console/")[2] for name in archive.getnames()]
    assert {name for name in names if name} == tree()


def test_the_installed_wheel_serves_every_file_and_a_browser_shows_the_page(
    start: Start, installed: Path, tmp_path: Path, open_page: OpenPage
) -> None:
    where = subprocess.run(
        [sys.executable, "-c", "import windrow; print(windrow.__file__)"],
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(where.stdout.strip()) == installed / "windrow" / "__init__.py"
    server = start(tmp_path / "data", PYTHONPATH=str(installed))
    page = server.client.get("/")
    (digest,) = set(re.findall(r"/console/([0-9a-f]+)/", page.text))
    for name in read_console().files:
        sent = server.client.get(f"/console/{digest}/{name}")
        assert sent.status_code == 200, name
        assert sent.content == (installed / "windrow" / "console" / name).read_bytes(), name
    shown = open_page(str(server.client.base_url))
    expect(shown.locator("h1").first).to_be_visible()
