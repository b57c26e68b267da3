"""StoreDirectory: says whether the store answers, also where nobody looks at it again and again."""

import threading
from concurrent.futures import ThreadPoolExecutor
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
    directory: StoreDirectory, bucket: MemoryBucket
) -> None:
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
