"""Files that are written whole or not at all, and the errors of disks."""

import errno
import os
from pathlib import Path

import pytest

from windrow.disk import disk_error, sync, whole_file
from windrow.domain.errors import StorageFailed, StorageFull


def test_a_file_that_is_whole_takes_the_place_of_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "one"
    path.write_text("old")
    with whole_file(path) as file:
        file.write(b"new")
        assert path.read_text() == "old"
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("one", "new")]


@pytest.mark.parametrize("error", [OSError, ValueError, KeyboardInterrupt])
def test_whatever_fails_leaves_what_was_there_and_nothing_else(tmp_path: Path, error: type[BaseException]) -> None:
    path = tmp_path / "one"
    path.write_text("old")

    def write() -> None:
        with whole_file(path) as file:
            file.write(b"half")
            raise error

    with pytest.raises(error):
        write()
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("one", "old")]


def test_two_that_write_to_one_path_do_not_meet(tmp_path: Path) -> None:
    path = tmp_path / "one"
    with whole_file(path) as first, whole_file(path) as second:
        first.write(b"first")
        second.write(b"second")
    assert path.read_text() == "first"
    assert [each.name for each in tmp_path.iterdir()] == ["one"]


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), whole_file(tmp_path / "nowhere" / "one"):
        pass


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (errno.ENOSPC, StorageFull),
        (errno.EDQUOT, StorageFull),
        (errno.EACCES, StorageFailed),
        (errno.EIO, StorageFailed),
    ],
)
def test_a_disk_or_a_quota_without_room_has_an_error_and_words_of_its_own(number: int, expected: type) -> None:
    error = disk_error(OSError(number, "so"), "{file} failed ({why})", "{file} has no room ({why})", file="one")
    assert type(error) is expected
    assert error.detail == ("one has no room (so)" if expected is StorageFull else "one failed (so)")


def test_an_error_without_a_number_is_told_by_its_own_words() -> None:
    assert disk_error(OSError("it broke"), "{why}", "full").detail == "it broke"


def test_a_file_is_on_the_disk_before_it_takes_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, synced = tmp_path / "one", []
    monkeypatch.setattr(
        os, "fsync", lambda _: synced.append((path.exists(), *(each.stat().st_size for each in tmp_path.iterdir())))
    )
    with whole_file(path) as file:
        file.write(b"new")
    assert synced == [(False, 3)]


def test_what_cannot_be_synced_is_told(tmp_path: Path) -> None:
    sync(tmp_path)
    with pytest.raises(FileNotFoundError):
        sync(tmp_path / "nowhere")
