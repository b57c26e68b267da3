"""The folder and the disk of a data directory: what is wrong is told with what to do, and nothing is left behind."""

import errno
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from windrow.diagnosis import disk
from windrow.diagnosis.disk import check_folder, check_room, check_writes
from windrow.domain.diagnosis import Check
from windrow.settings import Settings

MB = 1_000_000


def summary(checks: Iterator[Check]) -> list[tuple[str, str]]:
    return [(each.name, each.state) for each in checks]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "data"
    path.mkdir(0o700)
    return path


def test_a_folder_for_its_owner_alone_is_well(folder: Path) -> None:
    (folder / "classifiers").mkdir()
    assert summary(check_folder(folder)) == [("data directory", "ok")]


def test_a_folder_that_is_missing_or_open_to_others_is_a_warning_and_a_file_is_none(folder: Path) -> None:
    (missing,) = check_folder(folder / "nothing")
    assert (missing.state, "mounted" in missing.detail) == ("warning", True)
    assert missing.detail.startswith(f"{folder / 'nothing'} is not there;")
    assert "--data-dir" in missing.detail
    assert not (folder / "nothing").exists()
    folder.chmod(0o750)
    (is_open,) = check_folder(folder)
    assert (is_open.state, is_open.detail.endswith(f"chmod go-rwx {folder}")) == ("warning", True)
    (folder / "file").write_text("")
    assert summary(check_folder(folder / "file")) == [("data directory", "failed")]


def test_a_folder_of_another_user_is_told_with_both_numbers(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "classifiers").mkdir()
    own = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: own + 1)
    foreign, _ = check_folder(folder)
    assert (foreign.state, f"number {own}, and this is number {own + 1}" in foreign.detail) == ("warning", True)
    monkeypatch.setattr(os, "access", lambda *_: False)
    (refused,) = check_folder(folder)
    assert (refused.state, refused.detail.endswith(f"chown -R {own + 1} {folder}")) == ("failed", True)


@pytest.mark.parametrize(("free", "state"), [(99, "failed"), (100, "warning"), (1_099, "warning"), (1_100, "ok")])
def test_room_is_enough_tight_or_too_little(
    free: int, state: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free * MB))
    assert summary(check_room(folder, Settings(min_free_bytes=100 * MB))) == [("disk room", state)]
    assert summary(check_room(folder / "a" / "b", Settings(min_free_bytes=100 * MB))) == [("disk room", state)]


def test_a_disk_without_room_for_more_files_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=10**12))
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_files=10**6, f_favail=9_999))
    assert [each[1] for each in summary(check_room(folder, Settings()))] == ["ok", "warning"]
    # Some file systems have no such number.
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_files=0, f_favail=0))
    assert [each[1] for each in summary(check_room(folder, Settings()))] == ["ok"]


def test_a_disk_that_keeps_its_promises_is_well_and_nothing_is_left_on_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "_SLOW_SYNC_S", 1e9)  # how busy this disk is does not matter here
    assert summary(check_writes(folder)) == [("disk writes", "ok"), ("clock", "ok")]
    assert list(folder.iterdir()) == []


def test_a_disk_that_syncs_slowly_is_a_warning(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "_SLOW_SYNC_S", -1.0)
    assert summary(check_writes(folder))[0] == ("disk writes", "warning")


def _fail(*_: Any) -> None:
    raise OSError(errno.EIO, os.strerror(errno.EIO))


@pytest.mark.parametrize(
    ("name", "step"),
    [("open", "written"), ("fsync", "synced"), ("rename", "renamed")],
)
def test_a_disk_on_which_a_step_fails_is_told_with_the_step_and_nothing_is_left(
    name: str, step: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path if name == "rename" else os, name, _fail)
    (check,) = check_writes(folder)
    monkeypatch.undo()
    assert check.state == "failed"
    assert f"could not be {step} (Input/output error)" in check.detail
    assert list(folder.iterdir()) == []


def test_a_disk_without_hard_links_is_a_warning(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "link", _fail)
    writes, _ = check_writes(folder)
    assert (writes.state, "no hard links" in writes.detail) == ("warning", True)


@pytest.mark.parametrize(
    ("offset_s", "state", "words"),
    [(0, "ok", "agrees"), (-60, "warning", "ahead"), (60, "warning", "behind"), (-1e9, "failed", "Set it")],
)
def test_a_clock_that_differs_from_the_disks_is_told(offset_s: float, state: str, words: str, folder: Path) -> None:
    _, clock = check_writes(folder, lambda: int(time.time()) + offset_s)
    assert (clock.name, clock.state) == ("clock", state)
    assert words in clock.detail
