"""A data directory is known again wherever it comes back, and nothing is made in its place while it is gone."""

import errno
import os
import shutil
import threading
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import pytest

from tests.fakes.files import MemoryFiles
from windrow.domain.errors import DataDirectoryUnavailable, StorageFailed, StorageFull
from windrow.storage.data_directory import MARKER, DataDirectory, GuardedFiles, guarded_lock, stalled
from windrow.storage.files import STAGING, KeyExists, KeyMissing, LocalFiles
from windrow.storage.lock import DirectoryLock


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "data"


def known(root: Path) -> DataDirectory:
    """Return a directory that is there and marked."""
    directory = DataDirectory(root)
    directory.prepare()
    return directory


def problem_of(directory: DataDirectory) -> object:
    with pytest.raises(DataDirectoryUnavailable) as caught:
        directory.check()
    assert "Bring it back" in caught.value.detail
    return caught.value.facts["problem"]


def test_one_that_never_was_there_is_made_by_the_first_change_and_by_nothing_else(root: Path) -> None:
    directory = DataDirectory(root / "below")
    directory.check()
    assert not root.exists()
    directory.prepare()
    assert sorted(path.name for path in root.rglob("*")) == [STAGING, MARKER, "below"]
    assert (root / "below").stat().st_mode & 0o777 == 0o700
    assert (root / "below" / MARKER).stat().st_mode & 0o777 == 0o600


def test_a_marker_stays_and_is_shared_by_all_who_prepare_at_once(root: Path) -> None:
    directories = [DataDirectory(root) for _ in range(8)]
    threads = [threading.Thread(target=each.prepare) for each in directories]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    content = (root / MARKER).read_bytes()
    for each in directories:
        each.prepare()
        each.check()
    assert (root / MARKER).read_bytes() == content
    assert {path.name for path in root.rglob("*")} == {STAGING, MARKER}
    assert known(root.parent / "other") and (root.parent / "other" / MARKER).read_bytes() != content


def test_one_that_is_moved_away_is_missing_until_it_is_back(root: Path) -> None:
    directory = known(root)
    root.rename(root.with_name("aside"))
    assert problem_of(directory) == "missing"
    with pytest.raises(DataDirectoryUnavailable):
        directory.prepare()
    assert not root.exists()
    root.with_name("aside").rename(root)
    directory.check()


def _copy(root: Path) -> None:
    shutil.copytree(root, root.with_name("copy"))
    shutil.rmtree(root)
    root.with_name("copy").rename(root)


def _touch(root: Path) -> None:
    (root / MARKER).chmod(0o400)


def _link(root: Path) -> None:
    root.rename(root.with_name("elsewhere"))
    root.symlink_to(root.with_name("elsewhere"))


@pytest.mark.parametrize("act", [_copy, _touch, _link])
def test_it_is_the_same_one_restored_from_a_copy_or_mounted_anew(root: Path, act: Callable[[Path], object]) -> None:
    directory = known(root)
    act(root)
    directory.check()
    directory.prepare()


def test_one_that_was_there_before_its_first_change_is_the_same_one_restored_from_a_copy(root: Path) -> None:
    root.mkdir()
    directory = DataDirectory(root)
    directory.check()
    directory.prepare()
    _copy(root)
    directory.check()


def _empty(root: Path) -> None:
    shutil.rmtree(root)
    root.mkdir()


def _another(root: Path) -> None:
    shutil.rmtree(root)
    known(root)


def _unmarked(root: Path) -> None:
    (root / MARKER).unlink()


def _emptied_marker(root: Path) -> None:
    (root / MARKER).write_bytes(b"")


@pytest.mark.parametrize("act", [_empty, _another, _unmarked, _emptied_marker])
def test_another_one_in_its_place_is_not_taken_for_it_even_with_the_same_numbers(
    root: Path, act: Callable[[Path], object]
) -> None:
    directory = known(root)
    act(root)
    before = sorted(root.iterdir())
    assert problem_of(directory) == "replaced"
    with pytest.raises(DataDirectoryUnavailable):
        directory.prepare()
    assert sorted(root.iterdir()) == before


def test_one_that_was_never_changed_is_marked_by_the_first_change_of_anybody(root: Path) -> None:
    root.mkdir()
    directory, other = DataDirectory(root), DataDirectory(root)
    directory.check()
    assert not list(root.iterdir())
    other.prepare()
    directory.check()
    root.rename(root.with_name("aside"))
    assert problem_of(directory) == "missing"
    root.mkdir()
    assert problem_of(directory) == "replaced"


def _with_classifiers(root: Path, *names: str) -> None:
    for name in names:
        (root / "classifiers" / name).mkdir(parents=True)


def test_one_without_a_marker_is_known_again_by_what_is_in_it(root: Path) -> None:
    _with_classifiers(root, "a", "b")
    directory = DataDirectory(root)
    directory.check()
    before = root.stat().st_ino
    aside = root.with_name("aside")
    root.rename(aside)
    root.mkdir()
    assert problem_of(directory) == "replaced"
    _with_classifiers(root, "a")
    assert problem_of(directory) == "replaced"
    _with_classifiers(root, "b")
    (root / "lost+found").mkdir()
    assert root.stat().st_ino != before
    directory.check()


def test_whatever_takes_the_place_of_one_in_which_nothing_was_is_taken_for_it(root: Path) -> None:
    root.mkdir()
    directory = DataDirectory(root)
    directory.check()
    root.rename(root.with_name("aside"))
    _with_classifiers(root, "a")
    directory.check()
    root.rename(root.with_name("removed"))
    root.mkdir()
    assert problem_of(directory) == "replaced"


def test_one_that_cannot_be_marked_is_used_all_the_same(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root.mkdir()

    def refuse(*_: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(os, "link", refuse)
    directory = known(root)
    assert [path.name for path in root.rglob("*")] == [STAGING]
    root.rename(root.with_name("aside"))
    assert problem_of(directory) == "missing"


def test_one_that_cannot_be_read_says_why(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = known(root)

    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))

    with monkeypatch.context() as patch:
        patch.setattr(os, "stat", fail)
        with pytest.raises(DataDirectoryUnavailable, match=os.strerror(errno.ESTALE)) as caught:
            directory.check()
    assert caught.value.facts["problem"] == "unreadable"
    directory.check()


@pytest.mark.parametrize(("number", "error"), [(errno.ENOSPC, StorageFull), (errno.EACCES, StorageFailed)])
def test_one_that_cannot_be_made_says_why(
    root: Path, monkeypatch: pytest.MonkeyPatch, number: int, error: type[Exception]
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "mkdir", refuse)
    with pytest.raises(error, match="cannot be made") as caught:
        DataDirectory(root).prepare()
    assert not isinstance(caught.value, DataDirectoryUnavailable)


def test_guarded_files_are_those_behind_them_while_the_directory_is_there(root: Path) -> None:
    files = GuardedFiles(LocalFiles(root), DataDirectory(root))
    assert files.list("a") == []
    files.put_new("a/b", b"content")
    with pytest.raises(KeyExists):
        files.put_new("a/b", b"other")
    assert (files.get("a/b"), files.list("a")) == (b"content", ["b"])
    with pytest.raises(KeyMissing):
        files.get("a/c")
    assert GuardedFiles(MemoryFiles(), DataDirectory(root)).version_token("a") == "0"
    files.remove("a/b")
    assert files.list("a") == []


def test_what_is_missing_from_a_directory_that_is_gone_is_not_taken_for_removed(root: Path) -> None:
    files = GuardedFiles(LocalFiles(root), DataDirectory(root))
    files.put_new("a/b", b"content")
    root.rename(root.with_name("aside"))
    makes: list[Callable[[], object]] = [list, root.mkdir, lambda: LocalFiles(root).put_new("a/b", b"another's")]
    for make in makes:
        make()
        before = sorted(root.rglob("*"))
        for act in (
            lambda: files.get("a/b"),
            lambda: files.list("a"),
            lambda: files.put_new("a/c", b""),
            lambda: files.remove("a/b"),
        ):
            with pytest.raises(DataDirectoryUnavailable):
                act()
        assert sorted(root.rglob("*")) == before


def test_a_directory_that_goes_while_something_is_put_says_so(root: Path) -> None:
    class Going(MemoryFiles):
        def put_new(self, key: str, data: bytes, same_as: str | None = None) -> None:
            root.rename(root.with_name("aside"))
            raise StorageFailed("It could not be written. Look at the disk.")

    with pytest.raises(DataDirectoryUnavailable):
        GuardedFiles(Going(), DataDirectory(root)).put_new("a/b", b"")


def test_a_lock_is_not_given_on_a_directory_that_is_gone_or_goes_while_others_hold_it(root: Path) -> None:
    directory = DataDirectory(root)
    with guarded_lock(DirectoryLock(root), directory)():
        assert (root / MARKER).exists()

    def go() -> nullcontext[None]:
        root.rename(root.with_name("aside"))
        return nullcontext()

    with pytest.raises(DataDirectoryUnavailable), guarded_lock(go, directory)():
        pytest.fail("it is given")
    with pytest.raises(DataDirectoryUnavailable), guarded_lock(DirectoryLock(root), directory)():
        pytest.fail("it is given")
    assert not root.exists()


def test_a_directory_that_does_not_answer_is_an_error_of_its_own() -> None:
    assert stalled().facts["problem"] == "stalled"
    assert "does not answer" in stalled().detail
