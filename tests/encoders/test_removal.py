"""A folder is removed whole or not at all, and what a dead process left is swept."""

import os
from pathlib import Path

import pytest

from tests.encoders.ticks import wait_for_tick
from windrow.encoders.removal import REMOVED, delete, files_below, hide, remove_folder, size_bytes, sweep


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "folder"
    (folder / "below").mkdir(parents=True)
    (folder / "one").write_bytes(b"1")
    (folder / "below" / "three").write_bytes(b"333")
    return folder


def test_a_removed_folder_is_gone_and_its_size_is_returned(folder: Path, tmp_path: Path) -> None:
    assert size_bytes(folder) == 4
    assert remove_folder(folder) == 4
    assert list(tmp_path.iterdir()) == []


def test_of_a_link_only_the_link_is_removed(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(folder)
    assert size_bytes(tmp_path / "link") == 4
    assert remove_folder(tmp_path / "link") == 0
    assert list(tmp_path.iterdir()) == [folder]
    assert size_bytes(folder) == 4


def test_what_cannot_be_deleted_is_hidden_and_not_counted_as_freed(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unlink = os.unlink

    def refuse_three(path: str, **options: int) -> None:
        if path == "three":
            raise PermissionError
        unlink(path, **options)

    with monkeypatch.context() as patch:
        patch.setattr(os, "unlink", refuse_three)
        assert remove_folder(folder) == 1
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(REMOVED)
    sweep(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_sweep_deletes_what_is_hidden_and_nothing_else(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(folder)
    hide(tmp_path / "link", REMOVED)
    other = hide(folder / "below", ".other-")
    sweep(tmp_path)
    assert list(tmp_path.iterdir()) == [folder]
    sweep(folder, ".other-")
    assert not other.exists()
    delete(other)  # which another process may have done meanwhile


def test_every_change_of_a_file_is_seen(folder: Path) -> None:
    seen = [files_below(folder)]
    wait_for_tick(folder / "one")
    (folder / "one").write_bytes(b"2")
    seen.append(files_below(folder))
    (folder / "new").write_bytes(b"")
    seen.append(files_below(folder))
    before = (folder / "one").stat()
    wait_for_tick(folder / "one")
    (folder / "one").write_bytes(b"3")
    os.utime(folder / "one", ns=(before.st_atime_ns, before.st_mtime_ns))
    seen.append(files_below(folder))
    (folder / "below" / "three").unlink()
    seen.append(files_below(folder))
    assert len(set(seen)) == len(seen)
    assert files_below(folder) == seen[-1]


def test_a_link_to_nowhere_has_no_size(folder: Path) -> None:
    (folder / "link").symlink_to("nowhere")
    assert size_bytes(folder) == 4
    assert size_bytes(folder / "nothing") == 0
    assert size_bytes(folder / "one") == 1
