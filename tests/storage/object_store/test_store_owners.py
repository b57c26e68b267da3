"""Servers of one object store know of each other which of them live, by the store's clock alone."""

import itertools
import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.fakes.bucket import MemoryBucket, unreachable
from tests.storage.store_servers import SharedStore
from windrow.domain.errors import DataDirectoryUnavailable, StorageFailed
from windrow.storage.object_store import store_owners
from windrow.storage.object_store.store_notices import NOTICES, StoreNotices
from windrow.storage.object_store.store_owners import (
    CONFIRM_S,
    DEAD_AFTER,
    GARBAGE_AFTER,
    LISTING_S,
    StoreOwners,
)

OWNERS = "loose/jobs/.owners/"
DEAD_AFTER_S = DEAD_AFTER.total_seconds()


@pytest.fixture
def store() -> SharedStore:
    return SharedStore()


@pytest.fixture
def here(store: SharedStore) -> Iterator[StoreOwners]:
    """A server whose requests :attr:`SharedStore.bucket` counts."""
    owners = StoreOwners(store.bucket, store.clock.seconds)
    yield owners
    owners.close()


@pytest.fixture
def elsewhere(store: SharedStore) -> Iterator[StoreOwners]:
    """A server that puts its object once: its next heartbeat is further away than any test takes."""
    owners = StoreOwners(store.connect(), store.clock.seconds)
    yield owners
    owners.close()


def test_a_server_is_dead_once_two_looks_find_the_same_object_older_than_a_minute(
    store: SharedStore, here: StoreOwners, elsewhere: StoreOwners
) -> None:
    name = elsewhere.acquire()
    store.clock.advance(DEAD_AFTER_S)
    assert here.is_alive(name)
    assert not here.has_doubts()
    store.clock.advance(LISTING_S + 1)
    assert here.is_alive(name)
    assert here.has_doubts()
    store.clock.advance(CONFIRM_S - 1)
    assert here.is_alive(name)
    store.clock.advance(LISTING_S + 1)
    assert not here.is_alive(name)
    assert not here.has_doubts()
    assert elsewhere.is_alive(name)


def test_after_an_outage_of_the_store_every_server_has_time_to_say_that_it_lives(
    store: SharedStore, here: StoreOwners, elsewhere: StoreOwners
) -> None:
    dead = StoreOwners(store.connect(), store.clock.seconds)
    names = [elsewhere.acquire(), dead.acquire()]
    store.clock.advance(3_600)
    assert [here.is_alive(name) for name in names] == [True, True]
    assert not here.may_have_dead()
    store.bucket.put(f"{OWNERS}{names[0]}", b"")
    store.clock.advance(CONFIRM_S)
    assert [here.is_alive(name) for name in names] == [True, False]
    assert here.may_have_dead()
    dead.close()


def test_a_heartbeat_between_two_looks_begins_the_count_anew(
    store: SharedStore, here: StoreOwners, elsewhere: StoreOwners
) -> None:
    name = elsewhere.acquire()
    store.clock.advance(DEAD_AFTER_S + 1)
    assert here.is_alive(name)
    store.bucket.put(f"{OWNERS}{name}", b"")
    store.clock.advance(DEAD_AFTER_S + CONFIRM_S)
    assert here.is_alive(name)
    store.clock.advance(CONFIRM_S)
    assert not here.is_alive(name)


def test_an_outage_between_two_looks_begins_the_count_anew(
    store: SharedStore, here: StoreOwners, elsewhere: StoreOwners
) -> None:
    name = elsewhere.acquire()
    store.clock.advance(DEAD_AFTER_S + 1)
    assert here.is_alive(name)

    def fail(verb: str, key: str) -> None:
        raise unreachable()

    store.clock.advance(CONFIRM_S)
    store.bucket.before = fail
    with pytest.raises(DataDirectoryUnavailable):
        here.is_alive(name)
    store.bucket.before = lambda verb, key: None
    assert here.is_alive(name)
    store.clock.advance(CONFIRM_S)
    assert not here.is_alive(name)


def test_no_clock_of_a_server_matters(store: SharedStore, elsewhere: StoreOwners) -> None:
    name = elsewhere.acquire()
    for seconds in (-1e9, 1e9):
        assert StoreOwners(store.connect(), itertools.repeat(seconds).__next__).is_alive(name)


def test_a_stalled_server_lives_again_with_its_next_heartbeat(
    store: SharedStore, here: StoreOwners, elsewhere: StoreOwners
) -> None:
    name = elsewhere.acquire()
    store.clock.advance(DEAD_AFTER_S + 1)
    here.is_alive(name)
    store.clock.advance(CONFIRM_S)
    assert not here.is_alive(name)
    store.bucket.put(f"{OWNERS}{name}", b"")
    store.clock.advance(LISTING_S + 1)
    assert here.is_alive(name)


def test_a_server_puts_its_object_again_and_again_until_it_closes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_owners, "HEARTBEAT_S", 0.001)
    beats, has_beaten = list[str](), threading.Event()

    def note(verb: str, key: str) -> None:
        beats.append(f"{verb} {key}")
        if len(beats) > 3:
            has_beaten.set()

    bucket = MemoryBucket(after=note)
    owners = StoreOwners(bucket)
    assert beats == []
    name = owners.acquire()
    assert has_beaten.wait(30)
    owners.close()
    assert set(beats[:-1]) == {f"put {OWNERS}{name}"}
    assert beats[-1] == f"remove {OWNERS}{name}"
    assert bucket.objects_by_key == {}
    assert not [each for each in threading.enumerate() if each.name == f"heartbeat-{name}"]


@pytest.mark.parametrize("error", [unreachable(), StorageFailed("It refuses."), ZeroDivisionError("a defect")])
def test_a_heartbeat_that_fails_is_told_once_and_tried_again(
    error: Exception, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(store_owners, "HEARTBEAT_S", 0.002)
    monkeypatch.setattr(store_owners, "_RETRY_S", 0.001)
    tries, is_back = list[str](), threading.Event()

    def fail_thrice(verb: str, key: str) -> None:
        if verb == "put":
            tries.append(key)
        if 2 <= len(tries) <= 4:
            raise error
        if len(tries) > 5:
            is_back.set()

    owners = StoreOwners(MemoryBucket(before=fail_thrice))
    owners.acquire()
    assert is_back.wait(30)
    owners.close()
    assert len(caplog.messages) == 1
    assert caplog.messages[0].startswith("Other servers may soon take this one for dead")


def test_a_server_that_cannot_say_that_it_lives_has_no_name() -> None:
    def fail(verb: str, key: str) -> None:
        raise unreachable()

    owners = StoreOwners(MemoryBucket(before=fail))
    with pytest.raises(DataDirectoryUnavailable):
        owners.acquire()
    owners.close()


def test_a_list_of_jobs_costs_one_listing_of_servers(
    store: SharedStore, here: StoreOwners, elsewhere: StoreOwners
) -> None:
    dead = StoreOwners(store.connect())
    names = [dead.acquire(), "purged"]
    store.clock.advance(DEAD_AFTER_S + 1)
    here.is_alive(names[0])
    store.clock.advance(CONFIRM_S)
    names += [elsewhere.acquire()]
    assert not here.is_alive("purged")
    store.bucket.requests.clear()
    assert [here.is_alive(name) for name in names * 100] == [False, False, True] * 100
    assert store.bucket.requests == {}
    store.clock.advance(LISTING_S + 1)
    assert [here.is_alive(name) for name in names[::2] * 100] == [False, True] * 100
    assert store.bucket.requests == {"put": 1, "list": 1}
    dead.close()


def test_a_server_without_jobs_and_questions_asks_for_nothing(store: SharedStore, here: StoreOwners) -> None:
    here.close()
    assert store.bucket.requests == {}


def test_whether_a_server_lives_is_not_guessed(store: SharedStore, here: StoreOwners, elsewhere: StoreOwners) -> None:
    name = elsewhere.acquire()

    def fail(verb: str, key: str) -> None:
        raise unreachable()

    store.bucket.before = fail
    with pytest.raises(DataDirectoryUnavailable):
        here.is_alive(name)
    store.bucket.before = lambda verb, key: None
    store.bucket.after = lambda verb, key: store.bucket.objects_by_key.clear()
    with pytest.raises(StorageFailed, match="does not list"):
        here.is_alive(name)
    store.bucket.after = lambda verb, key: None


def test_servers_that_died_are_known_until_a_day_has_passed(store: SharedStore, here: StoreOwners) -> None:
    assert not here.may_have_dead()
    dead, closed, leaving = (StoreOwners(store.connect(), store.clock.seconds) for _ in range(3))
    dead.acquire()
    closed.acquire()
    left = leaving.acquire()
    closed.close()
    leaving.close(leaves_jobs=True)
    assert not here.may_have_dead()
    store.clock.advance(DEAD_AFTER_S + 1)
    assert not here.may_have_dead()
    store.clock.advance(CONFIRM_S)
    assert here.may_have_dead()
    assert not here.is_alive(left)
    store.clock.advance((GARBAGE_AFTER - DEAD_AFTER - timedelta(seconds=CONFIRM_S + 1)).total_seconds())
    here.prune()
    assert len(store.keys(OWNERS)) == 3
    store.clock.advance(3_601)
    here.prune()
    assert len(store.keys(OWNERS)) == 1
    here.close()
    assert store.keys("") == []
    dead.close()


def test_notices_that_nobody_needed_are_removed_after_a_day(store: SharedStore, here: StoreOwners) -> None:
    notices = StoreNotices(store.connect())
    notices.put("old")
    store.clock.advance(GARBAGE_AFTER.total_seconds())
    notices.put("new")
    store.clock.advance(1)
    here.prune()
    assert store.keys(NOTICES) == [f"{NOTICES}/new"]
