"""The seam to a disk: one contract for every implementation, then what only a local disk does."""

import errno
import os
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from tests.fakes.bucket import MemoryBucket
from tests.fakes.disk import FailingAt, each_writing_call
from tests.fakes.files import Killed, MemoryFiles
from tests.storage.examples import wait_for_tick
from windrow.domain.errors import StorageFailed, StorageFull, StorageUncertain, WindrowError
from windrow.storage.files import CTIME_GRANULARITY_NS, Files, KeyExists, KeyMissing, KeyUnusable, LocalFiles
from windrow.storage.object_store.content_cache import ContentCache
from windrow.storage.object_store.object_files import ObjectFiles

BAD_KEYS = ["", "/a", "a/", "a//b", "..", "a/../b", ".", "./a", ".aside/x", "a/.b", "a\0b", "a b", "a\\b", "é", "a\n"]


def long_after() -> int:
    """Tell a time at which no folder counts as just changed."""
    return time.time_ns() + 10 * CTIME_GRANULARITY_NS


@pytest.fixture(params=["local", "local, times trusted", "memory", "object store"])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> Files:
    if request.param == "memory":
        return MemoryFiles()
    if request.param == "object store":
        return ObjectFiles(MemoryBucket(), ContentCache(tmp_path / "cache", 10**9))
    return LocalFiles(tmp_path / "data", time.time_ns if request.param == "local" else long_after)


def everything(root: Path) -> dict[str, bytes]:
    found = {str(path.relative_to(root)): path for path in root.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in found.items()}


class TestEveryImplementation:
    def test_gives_back_what_was_put(self, files: Files) -> None:
        files.put_new("a/b/c.json", b"\0content")
        assert files.get("a/b/c.json") == b"\0content"

    def test_gives_nothing_of_what_is_larger_than_it_can_be(self, files: Files) -> None:
        files.put_new("a", b"12345")
        assert files.get("a", 5) == b"12345"
        with pytest.raises(KeyUnusable):
            files.get("a", 4)

    def test_keeps_the_first_content_of_a_key(self, files: Files) -> None:
        files.put_new("a/b", b"first")
        with pytest.raises(KeyExists):
            files.put_new("a/b", b"second")
        assert files.get("a/b") == b"first"

    def test_lets_exactly_one_of_many_threads_put_a_key(self, files: Files) -> None:
        def put(number: int) -> int | None:
            try:
                files.put_new("a/b", str(number).encode())
            except KeyExists:
                return None
            return number

        with ThreadPoolExecutor(8) as threads:
            winners = [number for number in threads.map(put, range(16)) if number is not None]
        assert len(winners) == 1
        assert files.get("a/b") == str(winners[0]).encode()

    @pytest.mark.parametrize("key", ["missing", "a", "a/missing", "a/b/below"])
    def test_says_that_a_key_is_missing(self, files: Files, key: str) -> None:
        files.put_new("a/b", b"")
        with pytest.raises(KeyMissing):
            files.get(key)

    def test_lists_the_sorted_names_directly_below_a_prefix(self, files: Files) -> None:
        for key in ["a/z.json", "a/b/c", "a/b/d", "ab/c", "b"]:
            files.put_new(key, b"")
        assert files.list("a") == ["b", "z.json"]

    @pytest.mark.parametrize("prefix", ["missing", "a/b"])
    def test_lists_nothing_below_what_is_missing_or_a_key(self, files: Files, prefix: str) -> None:
        files.put_new("a/b", b"")
        assert files.list(prefix) == []

    def test_removes_a_key_so_that_it_can_be_put_again(self, files: Files) -> None:
        files.put_new("a/b", b"old")
        files.remove("a/b")
        assert files.list("a") == []
        files.put_new("a/b", b"new")
        assert files.get("a/b") == b"new"

    def test_removes_a_missing_key_without_complaint(self, files: Files) -> None:
        files.remove("a/b")

    def test_forgets_a_prefix_without_keys(self, files: Files) -> None:
        for key in ("a/b/c", "a/d"):
            files.put_new(key, b"")
        files.remove("a/b/c")
        assert files.list("a") == ["d"]
        files.remove("a/d")
        assert files.list("a") == []

    def test_changes_the_token_when_a_name_comes_or_goes(self, files: Files, tmp_path: Path) -> None:
        files.put_new("a/b", b"")
        changes: list[Callable[[], None]] = [
            lambda: files.put_new("a/c", b""),
            lambda: files.put_new("a/d/e", b""),
            lambda: files.remove("a/c"),
        ]
        for change in changes:
            before = files.version_token("a")
            wait_for_tick(tmp_path)  # for the case in which times are trusted
            change()
            after = files.version_token("a")
            assert after is None or after != before

    @pytest.mark.parametrize("key", BAD_KEYS)
    def test_refuses_a_key_that_could_lead_elsewhere(self, files: Files, key: str) -> None:
        for verb in (files.get, files.list, files.remove, files.version_token, lambda key: files.put_new(key, b"")):
            with pytest.raises(ValueError, match="is no key"):
                verb(key)


class TestChangeToken:
    def test_of_an_old_folder_stays_while_nothing_changes(self, tmp_path: Path) -> None:
        files = LocalFiles(tmp_path, long_after)
        files.put_new("a/b", b"")
        token = files.version_token("a")
        assert token is not None
        assert files.get("a/b") == b""
        assert files.version_token("a") == token

    def test_of_a_folder_that_just_changed_is_unknown(self, tmp_path: Path) -> None:
        files = LocalFiles(tmp_path, lambda: (tmp_path / "a").stat().st_ctime_ns + CTIME_GRANULARITY_NS - 1)
        files.put_new("a/b", b"")
        assert files.version_token("a") is None

    def test_of_a_folder_whose_time_was_set_back_is_unknown(self, tmp_path: Path) -> None:
        files = LocalFiles(tmp_path)
        files.put_new("a/b", b"")
        os.utime(tmp_path / "a", (1, 1))
        assert files.version_token("a") is None

    def test_of_a_missing_folder_is_unknown(self, tmp_path: Path) -> None:
        assert LocalFiles(tmp_path, long_after).version_token("a") is None


def make_hole(path: Path) -> None:
    path.touch()
    os.truncate(path, 40 * 10**9)


ODD: dict[str, Callable[[Path], object]] = {
    "a pipe": os.mkfifo,
    "a folder": Path.mkdir,
    "a link to content": lambda path: path.symlink_to("../content"),
    "a link to a device": lambda path: path.symlink_to("/dev/zero"),
    "40 GB of nothing": make_hole,
}


@pytest.mark.parametrize("put", ODD.values(), ids=ODD)
def test_what_is_no_content_is_told_at_once(tmp_path: Path, put: Callable[[Path], object]) -> None:
    files = LocalFiles(tmp_path)
    files.put_new("content", b"elsewhere")
    (tmp_path / "a").mkdir()
    put(tmp_path / "a" / "odd")
    with pytest.raises(KeyUnusable, match=r".+"):
        files.get("a/odd")


def test_files_left_aside_by_a_dead_process_are_no_content(tmp_path: Path) -> None:
    (tmp_path / ".aside").mkdir()
    (tmp_path / ".aside" / "0123").write_bytes(b"half")
    files = LocalFiles(tmp_path)
    files.put_new("a/b", b"whole")
    assert everything(tmp_path) == {".aside/0123": b"half", "a/b": b"whole"}
    assert files.list("a") == ["b"]


def test_nothing_is_left_aside_after_a_put(tmp_path: Path) -> None:
    files = LocalFiles(tmp_path)
    files.put_new("a/b", b"1")
    with pytest.raises(KeyExists):
        files.put_new("a/b", b"2")
    assert everything(tmp_path) == {"a/b": b"1"}


def test_a_put_is_acknowledged_only_when_its_bytes_and_its_name_are_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[int | str] = []
    sync, link = os.fsync, os.link

    def noted_sync(descriptor: int) -> None:
        events.append(os.fstat(descriptor).st_ino)
        sync(descriptor)

    def noted_link(source: Path, target: Path) -> None:
        events.append("link")
        link(source, target)

    monkeypatch.setattr(os, "fsync", noted_sync)
    monkeypatch.setattr(os, "link", noted_link)

    def synced_by(files: Files, key: str) -> list[int | str]:
        events.clear()
        with suppress(KeyExists):
            files.put_new(key, b"")
        return [*events]

    root = tmp_path / "data"
    files = LocalFiles(root)
    first, second = synced_by(files, "a/b"), synced_by(files, "a/c")
    again, elsewhere = synced_by(files, "a/c"), synced_by(LocalFiles(root), "a/d")
    above, top, folder = (path.stat().st_ino for path in (tmp_path, root, root / "a"))
    b, c, d = ((root / "a" / name).stat().st_ino for name in "bcd")
    assert first == [above, top, top, b, "link", folder]
    assert second == [c, "link", folder]
    assert again[1:] == ["link", folder]
    assert elsewhere == [top, top, d, "link", folder]


def test_a_folder_that_was_removed_under_a_running_server_is_made_again(tmp_path: Path) -> None:
    files = LocalFiles(tmp_path)
    files.put_new("a/b/c", b"1")
    (tmp_path / "a/b/c").unlink()
    (tmp_path / "a/b").rmdir()
    files.put_new("a/b/c", b"2")
    assert files.get("a/b/c") == b"2"


def test_a_removal_takes_the_folders_that_it_leaves_empty(tmp_path: Path) -> None:
    files = LocalFiles(tmp_path / "data")
    for key in ("a/b/c/d", "a/b/e"):
        files.put_new(key, b"")
    files.remove("a/b/c/d")
    assert not (tmp_path / "data/a/b/c").exists()
    assert files.list("a/b") == ["e"]
    files.remove("a/b/e")
    assert [path.name for path in (tmp_path / "data").iterdir()] == [".aside"]


def test_a_removal_is_acknowledged_only_when_it_is_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = LocalFiles(tmp_path)
    for key in ("a/b", "a/c"):
        files.put_new(key, b"")
    synced: list[tuple[int, bool]] = []
    monkeypatch.setattr(os, "fsync", lambda fd: synced.append((os.fstat(fd).st_ino, (tmp_path / "a/b").exists())))
    files.remove("a/b")
    assert synced == [((tmp_path / "a").stat().st_ino, False)]


class FailingFolders:
    """A disk that does not sync folders the next times that it is asked to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.times = 0
        self._sync = os.fsync
        monkeypatch.setattr(os, "fsync", self)

    def __call__(self, descriptor: int) -> None:
        """Sync a file, or fail for a folder."""
        if stat.S_ISDIR(os.fstat(descriptor).st_mode) and self.times > 0:
            self.times -= 1
            raise OSError(errno.EIO, "Input/output error")
        self._sync(descriptor)


@pytest.fixture
def folders(monkeypatch: pytest.MonkeyPatch) -> FailingFolders:
    return FailingFolders(monkeypatch)


def test_a_put_or_removal_whose_folder_cannot_be_synced_for_a_moment_is_acknowledged(
    tmp_path: Path, folders: FailingFolders
) -> None:
    files = LocalFiles(tmp_path)
    files.put_new("a/b", b"1")
    folders.times = 2
    files.put_new("a/c", b"2")
    assert folders.times == 0
    folders.times = 2
    files.remove("a/b")
    assert everything(tmp_path) == {"a/c": b"2"}


def test_what_can_be_seen_and_was_not_synced_is_told_as_uncertain_and_nothing_is_built_on_it(
    tmp_path: Path, folders: FailingFolders
) -> None:
    files = LocalFiles(tmp_path)
    files.put_new("a/b", b"1")
    files.put_new("b/c", b"3")
    folders.times = 1_000
    with pytest.raises(StorageUncertain, match="a/c in the data directory holds now"):
        files.put_new("a/c", b"2")
    assert files.get("a/c") == b"2"
    changes: list[Callable[[], None]] = [lambda: files.put_new("b/d", b"4"), lambda: files.remove("b/c")]
    for change in changes:
        with pytest.raises(StorageFailed) as raised:
            change()
        assert type(raised.value) is StorageFailed
    assert everything(tmp_path) == {"a/b": b"1", "a/c": b"2", "b/c": b"3"}
    folders.times = 0
    files.put_new("b/d", b"4")
    folders.times = 1_000
    with pytest.raises(StorageUncertain, match="b/d in the data directory holds now"):
        files.remove("b/d")
    assert everything(tmp_path) == {"a/b": b"1", "a/c": b"2", "b/c": b"3"}


def test_another_ones_file_that_cannot_be_synced_is_no_uncertain_change_of_ones_own(
    tmp_path: Path, folders: FailingFolders
) -> None:
    files = LocalFiles(tmp_path)
    files.put_new("a/b", b"1")
    folders.times = 3
    with pytest.raises(StorageFailed) as raised:
        files.put_new("a/b", b"2")
    assert type(raised.value) is StorageFailed


def test_a_folder_that_is_gone_needs_no_sync_any_more(tmp_path: Path, folders: FailingFolders) -> None:
    files = LocalFiles(tmp_path)
    files.put_new("a/b", b"1")
    folders.times = 3
    with pytest.raises(StorageUncertain):
        files.remove("a/b")
    (tmp_path / "a").rmdir()
    files.put_new("b", b"2")
    assert everything(tmp_path) == {"b": b"2"}


def test_a_folder_that_was_removed_and_made_anew_is_synced_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = LocalFiles(tmp_path)
    files.put_new("a/b", b"")
    files.remove("a/b")
    (tmp_path / "a").mkdir()  # by a process that died before it could sync
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda fd: synced.append(os.fstat(fd).st_ino))
    files.put_new("a/b", b"")
    assert tmp_path.stat().st_ino in synced


def test_reading_a_place_writes_nothing(tmp_path: Path) -> None:
    files = LocalFiles(tmp_path / "data")
    assert files.list("a") == []
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("is_done", [False, True])
@pytest.mark.parametrize(
    "failure", [OSError(errno.ENOSPC, "No space left on device"), OSError(errno.EIO, "I/O"), Killed()]
)
def test_a_put_that_breaks_at_any_system_call_leaves_all_or_nothing(
    tmp_path: Path, failure: BaseException, is_done: bool
) -> None:
    outcomes = set()
    for step in range(1, 100):
        root = tmp_path / str(step)
        failing = FailingAt(step, failure, is_done)
        try:
            with each_writing_call(failing):
                LocalFiles(root).put_new("a/b", b"whole")
            is_acknowledged = True
        except (WindrowError, Killed):
            is_acknowledged = False
        files = LocalFiles(root)
        content = [files.get(f"a/{name}") for name in files.list("a")]
        assert content in ([], [b"whole"])
        assert content or not is_acknowledged
        outcomes.add((is_acknowledged, bool(content)))
        if not content:
            files.put_new("a/b", b"again")
        if failing.steps < step:
            break
    assert failing.steps >= 12
    assert {(False, False), (True, True)} <= outcomes


@pytest.mark.parametrize("is_done", [False, True])
@pytest.mark.parametrize(
    "failure", [OSError(errno.ENOSPC, "No space left on device"), OSError(errno.EIO, "I/O"), Killed()]
)
def test_a_removal_that_breaks_at_any_system_call_leaves_all_or_nothing(
    tmp_path: Path, failure: BaseException, is_done: bool
) -> None:
    for step in range(1, 100):
        files = LocalFiles(tmp_path / str(step))
        for key in ("a/b/c", "a/d"):
            files.put_new(key, b"whole")
        failing = FailingAt(step, failure, is_done)
        try:
            with each_writing_call(failing):
                files.remove("a/b/c")
            assert files.list("a/b") == []
        except (WindrowError, Killed):
            assert files.list("a/b") in ([], ["c"])
        assert files.get("a/d") == b"whole"
        files.remove("a/b/c")
        files.put_new("a/b/c", b"again")
        assert files.get("a/b/c") == b"again"
        if failing.steps < step:
            break
    assert failing.steps >= 3


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_told_apart_from_a_broken_one(tmp_path: Path, number: int) -> None:
    with each_writing_call(FailingAt(1, OSError(number, "full"))), pytest.raises(StorageFull, match=r"Free some space"):
        LocalFiles(tmp_path / "data").put_new("a/b", b"")


@pytest.mark.parametrize("number", [errno.EPERM, errno.EOPNOTSUPP, errno.EXDEV])
def test_a_file_system_without_hard_links_is_named_as_the_cause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def no_link(*args: object) -> None:
        raise OSError(number, "not supported")

    monkeypatch.setattr(os, "link", no_link)
    with pytest.raises(StorageFailed, match="hard links"):
        LocalFiles(tmp_path).put_new("a/b", b"")
    assert everything(tmp_path) == {}


@pytest.mark.parametrize("in_the_way", ["data", "data/a", "data/.aside"])
def test_a_file_in_place_of_a_folder_is_a_failure_that_says_what_to_check(tmp_path: Path, in_the_way: str) -> None:
    blocking = tmp_path / in_the_way
    blocking.parent.mkdir(exist_ok=True)
    blocking.write_bytes(b"in the way")
    with pytest.raises(StorageFailed, match=r"could not write a/b .* Check that the data directory exists"):
        LocalFiles(tmp_path / "data").put_new("a/b", b"")
    assert blocking.read_bytes() == b"in the way"


@pytest.mark.slow
def test_a_file_size_limit_of_the_system_leaves_nothing(tmp_path: Path) -> None:
    script = """
import resource, sys
from pathlib import Path
from windrow.domain.errors import StorageFailed
from windrow.storage.files import LocalFiles
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
files = LocalFiles(Path(sys.argv[1]))
files.put_new("a/small", bytes(1000))
try:
    files.put_new("a/large", bytes(1001))
except StorageFailed as error:
    print(error.detail)
"""
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True)
    assert "could not write a/large" in done.stdout
    assert everything(tmp_path) == {"a/small": bytes(1000)}


@pytest.mark.slow
def test_a_disk_that_is_really_full_leaves_what_was_there(tmp_path: Path) -> None:
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(tmp_path)]
    mounted = subprocess.run(mount, capture_output=True, check=False)
    if mounted.returncode != 0:
        pytest.skip("mounting a small disk takes root")
    try:
        files = LocalFiles(tmp_path)
        files.put_new("a/small", bytes(1000))
        with pytest.raises(StorageFull):
            files.put_new("a/large", bytes(100_000))
        assert everything(tmp_path) == {"a/small": bytes(1000)}
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)
