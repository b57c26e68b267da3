"""The command line, as a process: help, versions, fsck, and plain refusals."""

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from tests.storage.examples import ROW_EXAMPLES, blobs, open_catalog, record
from windrow import __version__
from windrow.domain.dataset import data_sha256
from windrow.storage.catalog import Draft
from windrow.storage.files import LocalFiles


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


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """A data directory with a classifier in it."""
    kept = replace(record(), data_sha256=data_sha256(ROW_EXAMPLES))
    open_catalog(LocalFiles(tmp_path)).publish(Draft(kept, blobs()))
    return tmp_path


def test_fsck_of_a_sound_directory_is_one_line_and_exit_code_0(kept: Path) -> None:
    checked = run("fsck", "--data-dir", str(kept))
    assert checked.returncode == 0
    assert checked.stderr == ""
    assert re.fullmatch(r"1 classifiers, 1 records, 2 blobs, 0.0 MB read: sound, nothing found\.\n", checked.stdout), (
        checked.stdout
    )


def test_fsck_names_damage_and_ends_with_exit_code_1(kept: Path) -> None:
    [blob] = kept.glob("classifiers/*/blobs/*.safetensors")
    blob.write_bytes(b"something else")
    checked = run("fsck", "--data-dir", str(kept))
    assert checked.returncode == 1
    found, total = checked.stdout.splitlines()
    assert found.startswith(f"damage: {blob.relative_to(kept)}: ")
    assert "DAMAGED" in total


def test_fsck_repairs_garbage_when_asked_to_and_then_finds_nothing(kept: Path) -> None:
    aside = kept / ".aside" / ("a" * 32)
    aside.write_bytes(b"left by a crash")
    assert run("fsck", "--data-dir", str(kept)).stdout.startswith("garbage: .aside/")
    assert aside.exists()
    repaired = run("fsck", "--data-dir", str(kept), "--repair")
    assert repaired.returncode == 0
    assert repaired.stdout.startswith("repaired: .aside/")
    assert not aside.exists()
    assert run("fsck", "--data-dir", str(kept)).stdout.endswith("nothing found.\n")


def test_fsck_prints_json_for_programs(kept: Path) -> None:
    told = json.loads(run("fsck", "--data-dir", str(kept), "--json").stdout)
    assert (told["classifiers"], told["findings"], told["sound"]) == (1, [], True)


def test_fsck_of_a_directory_that_is_not_there_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    assert "is no data directory" in _refused(run("fsck", "--data-dir", str(tmp_path / "nowhere")))
    assert not (tmp_path / "nowhere").exists()
