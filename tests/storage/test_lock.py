"""One writer at a time: among threads, among processes, and after the death of one that wrote."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.fakes.disk import FailingAt, each_writing_call
from windrow.domain.errors import ConcurrentChange, StorageFailed, StorageFull
from windrow.storage.lock import DirectoryLock

# The forked processes do nothing but hold a lock, whatever other threads of this one were about.
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")


def is_held(lock: DirectoryLock) -> bool:
    """Tell whether somebody holds a lock of a folder, by a lock that does not wait."""
    try:
        with lock():
            return False
    except ConcurrentChange:
        return True


@contextmanager
def forked(lock: DirectoryLock | None = None) -> Iterator[int]:
    """Run a process that holds a lock, or does nothing, until it is killed."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            if lock is not None:
                with lock():
                    os.write(writer, b"!")
                    signal.pause()
            os.write(writer, b"!")
            signal.pause()
        finally:
            os._exit(1)
    try:
        assert os.read(reader, 1) == b"!"
        yield child
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(reader)
        os.close(writer)


@pytest.fixture
def impatient(tmp_path: Path) -> DirectoryLock:
    return DirectoryLock(tmp_path / "data", timeout_s=0)


@pytest.fixture
def patient(tmp_path: Path) -> DirectoryLock:
    return DirectoryLock(tmp_path / "data")


def test_a_lock_is_held_inside_the_block_and_free_after_it(patient: DirectoryLock, impatient: DirectoryLock) -> None:
    for _ in range(2):
        with patient():
            assert is_held(impatient)
        assert not is_held(impatient)


def test_an_error_inside_the_block_frees_the_lock(patient: DirectoryLock, impatient: DirectoryLock) -> None:
    with pytest.raises(KeyError), patient():
        raise KeyError
    assert not is_held(impatient)


def test_threads_that_share_a_lock_exclude_each_other(impatient: DirectoryLock) -> None:
    with impatient(), ThreadPoolExecutor(1) as thread:
        assert thread.submit(is_held, impatient).result()
    with ThreadPoolExecutor(1) as thread:
        assert not thread.submit(is_held, impatient).result()


def test_of_many_threads_with_many_locks_one_is_inside_at_a_time(tmp_path: Path) -> None:
    locks = [DirectoryLock(tmp_path) for _ in range(3)]
    inside: set[int] = set()

    def enter(turn: int) -> int:
        with locks[turn % 3]():
            inside.add(turn)
            time.sleep(0)  # lets the others try
            alone = len(inside)
            inside.remove(turn)
        return alone

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(enter, range(200))) == {1}


def test_a_thread_that_waits_goes_on_when_the_lock_is_free(patient: DirectoryLock) -> None:
    steps: list[str] = []

    def follow() -> None:
        with patient():
            steps.append("follower")

    with patient():
        follower = threading.Thread(target=follow)
        follower.start()
        steps.append("holder")
    follower.join()
    assert steps == ["holder", "follower"]


@pytest.mark.slow
def test_processes_exclude_each_other(patient: DirectoryLock, impatient: DirectoryLock) -> None:
    with forked(patient):
        assert is_held(impatient)


@pytest.mark.slow
def test_a_killed_process_holds_nothing(patient: DirectoryLock, impatient: DirectoryLock) -> None:
    with forked(patient) as holder:
        waiting = threading.Thread(target=lambda: is_held(patient))
        waiting.start()
        os.kill(holder, signal.SIGKILL)
        waiting.join()
    assert not is_held(impatient)


@pytest.mark.slow
def test_a_process_that_was_forked_meanwhile_holds_nothing(patient: DirectoryLock, impatient: DirectoryLock) -> None:
    with ExitStack() as until_the_end:
        with patient():
            until_the_end.enter_context(forked())
        assert not is_held(impatient)


@pytest.mark.slow
@pytest.mark.parametrize("is_own", [True, False], ids=["in this process", "in another one"])
def test_waiting_ends_with_advice_when_patience_does(tmp_path: Path, is_own: bool) -> None:
    lock = DirectoryLock(tmp_path, timeout_s=0.001)
    advice = pytest.raises(ConcurrentChange, match=r"was not made\. Try again; if that lasts, look for")
    with lock() if is_own else forked(lock), advice, lock():
        pass


def test_locks_of_two_folders_have_nothing_to_do_with_each_other(tmp_path: Path, impatient: DirectoryLock) -> None:
    with DirectoryLock(tmp_path / "other")():
        assert not is_held(impatient)


def test_the_folder_is_made_and_nothing_in_it(tmp_path: Path) -> None:
    with DirectoryLock(tmp_path / "a/b")():
        assert [*(tmp_path / "a/b").iterdir()] == []


def test_a_folder_that_cannot_be_opened_is_a_failure_that_says_what_to_check(tmp_path: Path) -> None:
    (tmp_path / "data").write_bytes(b"in the way")
    with (
        pytest.raises(StorageFailed, match=r"cannot be locked .*Check that it exists"),
        DirectoryLock(tmp_path / "data")(),
    ):
        pass


def test_a_file_system_without_locks_is_a_failure_that_says_what_to_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(descriptor: int, operation: int) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("fcntl.flock", refuse)
    with pytest.raises(StorageFailed, match="its file system has locks"), DirectoryLock(tmp_path)():
        pass
    monkeypatch.undo()
    assert not is_held(DirectoryLock(tmp_path, timeout_s=0))


def test_a_full_disk_is_told_apart_from_a_broken_one(patient: DirectoryLock) -> None:
    full = FailingAt(1, OSError(28, "No space left on device"))
    with each_writing_call(full), pytest.raises(StorageFull, match="Free some space"), patient():
        pass


def test_no_descriptor_is_left_open(patient: DirectoryLock, impatient: DirectoryLock) -> None:
    before = len([*Path("/dev/fd").iterdir()])
    with patient():
        is_held(impatient)
    assert len([*Path("/dev/fd").iterdir()]) == before
