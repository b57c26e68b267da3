"""The command line, as a process: help, versions, and plain refusals."""

import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from windrow import __version__


def run(
    *arguments: str, cwd: Path | None = None, variables: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WINDROW_")}
    return subprocess.run(
        [sys.executable, "-m", "windrow", *arguments],
        env={**environment, **(variables or {})},
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_version_is_the_packages_version() -> None:
    assert run("--version").stdout == f"windrow {__version__}\n"


def test_help_of_serve_names_each_option_with_its_variable_and_default() -> None:
    shown = " ".join(run("serve", "--help", variables={"COLUMNS": "200"}).stdout.split())
    for option, variable, default in (
        ("--host", "WINDROW_HOST", "127.0.0.1"),
        ("--port", "WINDROW_PORT", "14345"),
        ("--data-dir", "WINDROW_DATA_DIR", "windrow-data"),
        ("--log-format", "WINDROW_LOG_FORMAT", "text"),
    ):
        assert option in shown
        assert f"[variable:{variable};default:{default}]" in shown.replace(" ", "")


def test_help_imports_nothing_heavy() -> None:
    program = "import sys, windrow.cli; print(*sys.modules)"
    loaded = set(subprocess.check_output([sys.executable, "-c", program], text=True).split())
    assert not loaded & {
        "fastapi",
        "pydantic",
        "numpy",
        "onnxruntime",
        "torch",
        "uvicorn",
        "structlog",
        "rich",
        "asyncio",
    }


def test_a_mistyped_verb_gets_the_nearest_one() -> None:
    refused = run("sevre")
    assert refused.returncode == 2
    assert "Did you mean 'serve'?" in refused.stderr


def _refused(run_: subprocess.CompletedProcess[str]) -> str:
    assert run_.returncode == 2
    assert run_.stdout == ""
    [line] = run_.stderr.splitlines()
    assert line.startswith("windrow: ")
    return line


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [("WINDROW_PORT", "many", "WINDROW_PORT='many'"), ("WINDROW_PROT", "1", "WINDROW_PROT is no setting")],
)
def test_a_bad_variable_is_one_line_and_exit_code_2(variable: str, value: str, said: str) -> None:
    assert said in _refused(run("serve", variables={variable: value}))


def test_a_bad_option_is_refused_before_anything_starts() -> None:
    assert run("serve", "--log-format", "xml").returncode == 2
    assert run("serve", "--port", "70000").returncode == 2


def test_a_port_in_use_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert f"port {port}: Address already in use" in _refused(run("serve", "--port", port, cwd=tmp_path))


def test_a_data_directory_that_cannot_be_made_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "file" in _refused(run("serve", "--port", "0", "--data-dir", str(tmp_path / "file" / "data")))
