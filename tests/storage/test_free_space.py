"""The room on the disk of a data directory: told, kept for monitors, and left to others."""

import errno
import shutil
from pathlib import Path

import pytest

from windrow.domain.errors import StorageFailed, StorageFull
from windrow.storage.free_space import FreeSpace, free_bytes


def test_the_room_is_that_of_where_the_folder_would_be_made(tmp_path: Path) -> None:
    assert free_bytes(tmp_path / "not" / "yet") > 0


def test_less_than_the_least_is_refused_and_the_least_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(100, 93, 7))
    FreeSpace(tmp_path, 0).check()
    FreeSpace(tmp_path, 7).check()
    with pytest.raises(StorageFull, match="7 bytes are free") as raised:
        FreeSpace(tmp_path, 8).check()
    assert raised.value.facts["free_bytes"] == 7


def test_a_disk_that_does_not_say_refuses_changes_and_leaves_what_was_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    space = FreeSpace(tmp_path, 1)
    space.update()
    known = space.last_bytes
    assert known > 0

    def fail(_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(shutil, "disk_usage", fail)
    space.update()
    assert space.last_bytes == known
    with pytest.raises(StorageFailed, match="Input/output error"):
        space.check()
