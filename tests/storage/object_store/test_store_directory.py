"""StoreDirectory: says whether the store answers, also where nobody looks at it again and again."""

import math
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import pytest

from tests.fakes.bucket import MemoryBucket, unreachable
from tests.storage.object_store.machines import Machines, answer_all, stop_at
from windrow.domain.errors import DataDirectoryUnavailable
from windrow.storage.object_store import store_directory
from windrow.storage.object_store.store_directory import StoreDirectory


@pytest.fixture
def bucket() -> MemoryBucket:
    return MemoryBucket()


@pytest.fixture
def directory(bucket: MemoryBucket, tmp_path: Path) -> StoreDirectory:
    return StoreDirectory(Machines(bucket, tmp_path).new("own"))


def test_a_store_that_answered_is_not_asked_again(directory: StoreDirectory, bucket: MemoryBucket) -> None:
    directory.look()
    stop_at(bucket, "get")
    directory.check()
    directory.prepare()


def test_a_store_that_did_not_answer_is_gone_until_the_next_look(
    directory: StoreDirectory, bucket: MemoryBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_directory, "MAX_AGE_S", math.inf)
    stop_at(bucket, "get")
    directory.look()
    answer_all(bucket)
    bucket.requests.clear()
    for ask in (directory.check, directory.prepare):
        with pytest.raises(DataDirectoryUnavailable):
            ask()
    assert bucket.requests.total() == 0
    directory.look()
    directory.check()


def _replaced(bucket: MemoryBucket) -> dict[str, tuple[bytes, datetime]]:
    """Empty a bucket, and return what was in it."""
    former = dict(bucket.objects_by_key)
    bucket.objects_by_key.clear()
    return former


def test_another_directory_in_the_store_is_noticed_without_a_change(bucket: MemoryBucket, tmp_path: Path) -> None:
    files = Machines(bucket, tmp_path).new("own")
    files.put_new("classifiers/a/000001.json", b"{}")
    directory = StoreDirectory(files)
    former = _replaced(bucket)
    for _ in range(store_directory.LOOKS_A_CHECK):
        directory.look()
    for _ in range(2):  # and stays so
        with pytest.raises(DataDirectoryUnavailable, match="not the one that was there before"):
            directory.check()
        directory.look()
    bucket.objects_by_key.update(former)
    directory.look()
    directory.check()


def test_a_change_that_meets_another_directory_puts_nothing_there_and_is_remembered(
    bucket: MemoryBucket, tmp_path: Path
) -> None:
    files = Machines(bucket, tmp_path).new("own")
    files.put_new("classifiers/a/000001.json", b"{}")
    directory = StoreDirectory(files)
    _replaced(bucket)
    with pytest.raises(DataDirectoryUnavailable, match="not the one that was there before"):
        files.put_new("classifiers/a/000002.json", b"{}")
    assert bucket.objects_by_key == {}
    directory.look()
    with pytest.raises(DataDirectoryUnavailable, match="not the one that was there before"):
        directory.check()


def test_a_process_that_does_not_look_by_itself_finds_a_store_again(
    directory: StoreDirectory, bucket: MemoryBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a session, in which a training has looked in vain and was given up."""
    monkeypatch.setattr(store_directory, "MAX_AGE_S", 0.0)
    stop_at(bucket, "get")
    directory.look()
    with pytest.raises(DataDirectoryUnavailable):
        directory.check()
    answer_all(bucket)
    directory.check()


def test_nobody_waits_for_a_look_that_hangs(
    directory: StoreDirectory, bucket: MemoryBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_directory, "MAX_AGE_S", 0.0)
    stop_at(bucket, "get")
    directory.look()
    has_begun, may_end = threading.Event(), threading.Event()

    def hang(verb: str, key: str) -> None:
        has_begun.set()
        assert may_end.wait(30)
        raise unreachable()

    bucket.before = hang
    with ThreadPoolExecutor(2) as threads:
        looking = threads.submit(directory.look)
        assert has_begun.wait(30)
        try:
            assert isinstance(threads.submit(directory.check).exception(10), DataDirectoryUnavailable)
        finally:
            may_end.set()
        looking.result()
