"""Outage: one caller tries a store that does not answer, and the others are told at once."""

import math
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from socket import socket

import pytest

from tests.fakes.bucket import MemoryBucket, unreachable
from tests.storage.object_store.environment import set_environment
from windrow.domain.errors import DataDirectoryUnavailable
from windrow.domain.store_url import StoreUrl
from windrow.storage.data_directory import guarded_lock
from windrow.storage.object_store import store_directory
from windrow.storage.object_store.content_cache import ContentCache
from windrow.storage.object_store.failures import Outcome, Reason, StoreFailure
from windrow.storage.object_store.object_files import ObjectFiles
from windrow.storage.object_store.obstore_bucket import ObstoreBucket, Patience
from windrow.storage.object_store.outage import Outage
from windrow.storage.object_store.store_directory import StoreDirectory

SLOW = StoreFailure(Outcome.UNKNOWN, Reason.SLOW)


def test_one_tries_and_others_are_told_until_there_is_an_answer() -> None:
    outage = Outage(pause_s=0)
    with outage.trying() as first, outage.trying() as second:
        assert (first, second) == (None, None)
    outage.begin(SLOW)
    with outage.trying() as first, outage.trying() as second:
        assert (first, second) == (None, SLOW)
    with outage.trying() as next_one:
        assert next_one is None
        outage.end()
        with outage.trying() as other:
            assert other is None


def test_whoever_fails_makes_room_for_the_next_one() -> None:
    outage = Outage(pause_s=0)
    outage.begin(SLOW)

    def fail() -> None:
        with outage.trying() as failure:
            raise KeyError(failure)

    for _ in range(2):
        with pytest.raises(KeyError, match=r"^None$"):
            fail()


def test_nobody_tries_for_a_while_after_a_failure() -> None:
    outage = Outage(pause_s=60)
    outage.begin(SLOW)
    with outage.trying() as first:
        assert first == SLOW
    outage.end()
    with outage.trying() as first, outage.trying() as second:
        assert (first, second) == (None, None)


def test_a_store_that_refuses_is_there() -> None:
    outage = Outage(pause_s=0)
    outage.begin(StoreFailure(Outcome.FAILED, Reason.FORBIDDEN, 403))
    with outage.trying() as first, outage.trying() as second:
        assert (first, second) == (None, None)


def test_only_one_waits_for_a_store_that_never_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket() as silent, ThreadPoolExecutor() as others:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        set_environment(monkeypatch, f"http://127.0.0.1:{silent.getsockname()[1]}")
        url, brief = StoreUrl("s3", "shop"), Patience(create_s=0.1, other_s=0.1, request_s=0.3, pause_s=0)
        first = ObstoreBucket(url, brief)
        with pytest.raises(DataDirectoryUnavailable, match="does not answer"):
            first.get("a/1")
        bucket = ObstoreBucket(url, replace(brief, request_s=120))
        bucket._outage = first._outage
        waiting = others.submit(bucket.get, "a/1")
        while not bucket.requests["get"]:
            time.sleep(0.01)
        for request in (lambda: bucket.names("a"), lambda: bucket.put("a/1", b""), lambda: bucket.create("a/2", b"")):
            with pytest.raises(DataDirectoryUnavailable, match="does not answer"):
                request()
        assert not waiting.done()
        assert bucket.requests.keys() == {"get"}
        silent.close()  # which cuts the connection
        assert isinstance(waiting.exception(), DataDirectoryUnavailable)


def test_a_change_is_refused_at_once_where_the_last_look_was_in_vain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_directory, "MAX_AGE_S", math.inf)
    bucket = MemoryBucket()
    files = ObjectFiles(bucket, ContentCache(tmp_path, 1_000))
    files.open()
    directory = StoreDirectory(files)
    lock = guarded_lock(files.transaction, directory)

    def fail(*_: str) -> None:
        raise unreachable()

    bucket.before = fail
    directory.look()
    num_requests = bucket.requests.total()
    with pytest.raises(DataDirectoryUnavailable), lock():
        pass
    assert bucket.requests.total() == num_requests
    bucket.before = lambda *_: None
    directory.look()
    with lock():
        files.put_new("classifiers/letters/000001.json", b"{}")
    assert files.commit_number == 1
