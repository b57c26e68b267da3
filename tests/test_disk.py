"""Files that are written whole or not at all, and the errors of disks."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from windrow.disk import disk_error, open_plain, read_plain, sync, whole_file, without_folder
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


ODD: dict[str, Callable[[Path], object]] = {
    "a pipe": os.mkfifo,
    "a folder": Path.mkdir,
    "a link to a file": lambda path: path.symlink_to(__file__),
    "a link to a device": lambda path: path.symlink_to("/dev/zero"),
    "a link to nowhere": lambda path: path.symlink_to("nowhere"),
    "nothing": lambda path: None,
}


def open_descriptors() -> list[str]:
    """Return the names of this process's open files, where the system tells them."""
    return sorted(str(path) for path in Path("/dev/fd").resolve().parent.glob("fd/*"))


@pytest.mark.parametrize("put", ODD.values(), ids=ODD)
def test_only_regular_files_are_opened_and_nothing_is_waited_for(put: Callable[[Path], object], tmp_path: Path) -> None:
    put(tmp_path / "odd")
    before = open_descriptors()
    with pytest.raises(OSError, match=r".+"):
        open_plain(str(tmp_path / "odd"))
    with pytest.raises(OSError, match=r".+"):
        read_plain(str(tmp_path / "odd"), 10**6)
    assert open_descriptors() == before


def test_where_links_are_followed_devices_are_refused_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "one").write_text("content")
    (tmp_path / "link").symlink_to("one")
    (tmp_path / "device").symlink_to("/dev/zero")
    assert read_plain(str(tmp_path / "link"), 7, follow=True) == b"content"
    with pytest.raises(OSError, match="no regular file"):
        read_plain(str(tmp_path / "device"), 7, follow=True)


def test_a_file_is_read_up_to_its_limit_and_no_byte_of_a_larger_one(tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(b"12345")
    assert read_plain(str(tmp_path / "one"), 5) == b"12345"
    with pytest.raises(OSError, match="5 bytes, and at most 4") as raised:
        read_plain(str(tmp_path / "one"), 4)
    assert raised.value.errno == errno.EFBIG


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE])
def test_that_nothing_more_can_be_opened_is_no_fault_of_a_disk(number: int) -> None:
    error = disk_error(OSError(number, "so"), "{file} failed ({why})", "{file} has no room ({why})", file="one")
    assert type(error) is StorageFailed
    assert "as many files and connections open as the system lets it (so)" in error.detail


def test_who_is_told_of_an_error_is_not_told_where_the_data_directory_and_the_user_s_folder_lie() -> None:
    folder = Path("/srv/windrow data")
    for place, told in (
        (folder, "WINDROW_DATA_DIR"),
        (folder / "jobs" / "a", "jobs/a"),
        (Path("/srv"), "/srv"),
        (Path.home() / ".cache" / "hub", "~/.cache/hub"),
    ):
        error = StorageFailed("{folder} cannot be read.", {"folder": str(place), "all": [str(place)], "tries": 3})
        shown = without_folder(error, folder)
        assert type(shown) is StorageFailed
        assert shown.facts == {"folder": told, "all": [told], "tries": 3}
        assert shown.detail == f"{told} cannot be read."


def test_an_error_without_a_path_is_told_as_it_is() -> None:
    error = StorageFailed("{file} cannot be read.", {"file": "jobs/a"})
    assert without_folder(error, Path("/srv/windrow data")) is error
