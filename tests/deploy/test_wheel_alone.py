"""The wheel works when it is installed alone: it serves, trains and answers with the packages of the lock alone."""

import os
import re
import subprocess
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.files.workbooks import workbook
from tests.packages import BUILD, install_commands
from tests.servers import Servers, fit, predict
from tests.source_tree import ROOT
from windrow import __version__

pytestmark = pytest.mark.slow

PARQUET = """
import windrow
with windrow.open("data") as session:
    session.fit("tickets", ["refund", "repay", "crash", "error"], ["money", "money", "app", "app"], num_iterations=0)
    session.predict_files(model_name="tickets", input="rows.parquet", output="labelled")
"""
SERVE_WITH_TRACES = """
import os, runpy, sys
os.environ["WINDROW_TRACES"] = "true"
sys.argv = ["windrow", "serve", "--port", "0"]
runpy.run_module("windrow", run_name="__main__")
"""
# What needs each extra, and says so where it is missing.
NEEDED = {
    "async": ["-c", 'import windrow; windrow.AsyncClient("http://127.0.0.1:1")'],
    "mcp": ["-m", "windrow", "mcp"],
    "object-store": ["-c", 'import windrow; windrow.open("s3://bucket/prefix")'],
    "otel": ["-c", SERVE_WITH_TRACES],
    "parquet": ["-c", PARQUET],
    "ray": ["-m", "windrow", "deploy", "ray", "--data-dir", "s3://bucket/prefix"],
    "xlsx": ["-m", "windrow", "inspect", "rows.xlsx"],
}
# It only adds a bar, for which text stands otherwise.
WANTED = {"notebook"}


@pytest.fixture
def servers(alone: Path, tmp_path: Path) -> Iterator[Servers]:
    servers = Servers(tmp_path, alone)
    yield servers
    servers.stop()


def run(python: Path, folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([python, "-I", *arguments], cwd=folder, capture_output=True, text=True)


def test_what_is_imported_is_the_wheel_and_no_package_of_the_tests_is_there(alone: Path, tmp_path: Path) -> None:
    code = "import importlib.util as u, windrow; print(windrow.__file__, u.find_spec('pytest'), u.find_spec('httpx'))"
    where, *others = run(alone, tmp_path, "-c", code).stdout.split()
    assert Path(where).is_relative_to(alone.parent.parent)
    assert others == ["None", "None"]


def test_the_installed_command_says_its_version(alone: Path) -> None:
    done = subprocess.run([alone.parent / "windrow", "--version"], capture_output=True, text=True, check=True)
    assert __version__ in done.stdout


def test_the_page_begins_the_server_by_that_command(alone: Path) -> None:
    _, _, serve = install_commands()
    assert alone.parent.parent.parent / serve.split()[0] == alone.parent / "windrow"
    assert serve.split()[1:] == ["serve"]


def test_the_extras_are_installed_as_the_page_says(alone: Path) -> None:
    page = (ROOT / "docs" / "how-to" / "install.md").read_text()
    (command,) = re.findall(r"^.*echo windrow-\*\.whl.*$", page, re.MULTILINE)
    offline = {**os.environ, "PIP_NO_DEPS": "1", "PIP_NO_INDEX": "1", "PIP_DRY_RUN": "1"}
    done = subprocess.run(["bash", "-euc", command], cwd=alone.parents[2], env=offline, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "does not provide the extra" not in done.stderr


def test_a_newer_wheel_takes_the_place_of_the_installed_one_by_the_page(
    alone: Path, wheel: Path, tmp_path: Path
) -> None:
    page = (ROOT / "docs" / "how-to" / "upgrade.md").read_text()
    (command,) = re.findall(r"^windrow/bin/pip install .*$", page, re.MULTILINE)
    newer, changed = f"{__version__}.post1", f"windrow-{__version__}.dist-info"
    with zipfile.ZipFile(wheel) as former, zipfile.ZipFile(tmp_path / f"windrow-{newer}-py3-none-any.whl", "w") as new:
        for name in former.namelist():
            content = former.read(name)
            if name.endswith(f"{changed}/METADATA"):
                content = content.replace(f"Version: {__version__}".encode(), f"Version: {newer}".encode(), 1)
            new.writestr(name.replace(changed, f"windrow-{newer}.dist-info"), content)
    (tmp_path / "windrow").symlink_to(alone.parents[1])
    offline = {**os.environ, "PIP_NO_DEPS": "1", "PIP_NO_INDEX": "1", "PIP_DRY_RUN": "1"}
    done = subprocess.run(["bash", "-euc", command], cwd=tmp_path, env=offline, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert f"Would install windrow-{newer}" in done.stdout


def test_uv_has_each_option_that_the_page_gives_it(alone: Path) -> None:
    page = (ROOT / "docs" / "how-to" / "install.md").read_text()
    (options,) = re.findall(r"^uv tool install (.*) \./windrow-\*\.whl$", page, re.MULTILINE)
    told = subprocess.run(
        [BUILD.parent / "uv", "tool", "install", "--help"], capture_output=True, text=True, check=True
    )
    assert {each for each in options.split() if each.startswith("--")} <= set(re.findall(r"--[\w-]+", told.stdout))


def test_the_page_names_each_extra() -> None:
    page = (ROOT / "docs" / "how-to" / "install.md").read_text()
    assert set(re.findall(r"^\| `([\w-]+)` \|", page, re.MULTILINE)) >= {*NEEDED, *WANTED}


def test_a_server_trains_an_adapter_answers_and_shows_console_and_documents(servers: Servers, tmp_path: Path) -> None:
    server = servers.start(tmp_path / "data", PYTHONPATH="")
    assert fit(server, num_iterations=2)["status"] == "trained"
    assert predict(server).json()["label"] == "invoice"
    page = server.client.get("/")
    assert page.headers["Content-Type"].startswith("text/html")
    assert "/console/" in page.text
    assert server.client.get("/docs").status_code == 200
    assert "Traceback" not in server.log.read_text()


def test_each_extra_is_one_that_something_needs(wheel: Path) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert set(project["optional-dependencies"]) == {*NEEDED, *WANTED}
    with zipfile.ZipFile(wheel) as archive:
        (metadata,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        lines = archive.read(metadata).decode().splitlines()
    assert {line.partition(": ")[2] for line in lines if line.startswith("Provides-Extra: ")} == {*NEEDED, *WANTED}


@pytest.mark.parametrize("extra", sorted(NEEDED))
def test_what_needs_an_extra_says_how_to_install_it(extra: str, alone: Path, tmp_path: Path) -> None:
    (tmp_path / "rows.xlsx").write_bytes(workbook([["text", "label"], ["pay me", "money"]]))
    (tmp_path / "rows.parquet").write_bytes(b"PAR1" + b"\x15" + bytes(12) + b"PAR1")
    done = run(alone, tmp_path, *NEEDED[extra])
    assert done.returncode != 0
    assert f"windrow[{extra}]" in done.stdout + done.stderr
