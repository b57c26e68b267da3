"""The unit is one that systemd takes, and exposes little of the machine."""

import re
import shutil
import subprocess
from dataclasses import fields
from pathlib import Path

import pytest

from tests.packages import leave_out
from tests.source_tree import ROOT
from windrow.settings import Settings, variable_name

pytestmark = pytest.mark.slow

FOLDER = ROOT / "deploy" / "systemd"
UNIT = FOLDER / "windrow.service"
TEXT = UNIT.read_text()
COMMAND = Path("usr/local/lib/windrow/bin/windrow")
# Of 0 (nothing is exposed) to 100; systemd calls less than 20 "OK" at worst, and a unit without any of this has 96.
MAX_EXPOSURE = 15


def analyze(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    if shutil.which("systemd-analyze") is None:
        leave_out("needs systemd-analyze: apt-get install systemd")
    return subprocess.run(["systemd-analyze", "--no-pager", *arguments], capture_output=True, text=True)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A machine's root with the unit, the file beside it, and something at the place of the command."""
    units = tmp_path / "etc" / "systemd" / "system"
    (units / "windrow.service.d").mkdir(parents=True)
    shutil.copy(UNIT, units)
    shutil.copy(FOLDER / "network.conf", units / "windrow.service.d")
    (tmp_path / COMMAND).parent.mkdir(parents=True)
    (tmp_path / COMMAND).write_text("#!/bin/sh\n")
    (tmp_path / COMMAND).chmod(0o755)
    return tmp_path


def verify(root: Path) -> "subprocess.CompletedProcess[str]":
    return analyze("verify", f"--root={root}", "--man=no", "--recursive-errors=no", "windrow.service")


def test_systemd_takes_the_unit_with_the_file_beside_it(root: Path) -> None:
    done = verify(root)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("file", ["windrow.service", "windrow.service.d/network.conf"])
def test_a_misspelt_line_would_be_told(file: str, root: Path) -> None:
    path = root / "etc" / "systemd" / "system" / file
    path.write_text(path.read_text() + "\n[Service]\nProtectSytem=strict\n")
    assert "ProtectSytem" in verify(root).stderr


def test_it_exposes_little(tmp_path: Path) -> None:
    threshold = ["--offline=true", f"--threshold={MAX_EXPOSURE}"]
    done = analyze("security", *threshold, UNIT)
    assert done.returncode == 0, done.stdout
    weaker = tmp_path / "windrow.service"
    weaker.write_text(TEXT.replace("ProtectSystem=strict\n", "").replace("SystemCallFilter=@system-service\n", ""))
    assert analyze("security", *threshold, weaker).returncode != 0


def test_each_setting_that_it_sets_exists() -> None:
    settings = {variable_name(each.name) for each in fields(Settings)}
    named = set(re.findall(r"\bWINDROW_[A-Z_]+(?==)", TEXT + (FOLDER / "network.conf").read_text()))
    assert named
    assert named <= settings


def test_a_stop_waits_longer_than_the_server_does() -> None:
    found = re.search(r"^TimeoutStopSec=(\d+)$", TEXT, re.MULTILINE)
    assert found is not None
    assert int(found[1]) > Settings().shutdown_timeout_s
