"""Servers of one object store leave each other notices about jobs, which cost one listing a second for all of them."""

import pytest

from tests.fakes.bucket import unreachable
from tests.storage.store_servers import SharedStore
from windrow.domain.errors import DataDirectoryUnavailable
from windrow.storage.object_store.store_notices import INTERVAL_S, NOTICES, StoreNotices

JOBS = [f"019a1c5e4b2f-7d0c{number:02x}" for number in range(32)]


@pytest.fixture
def store() -> SharedStore:
    return SharedStore()


@pytest.fixture
def here(store: SharedStore) -> StoreNotices:
    """A server whose requests :attr:`SharedStore.bucket` counts."""
    return StoreNotices(store.bucket, store.clock.seconds)


@pytest.fixture
def elsewhere(store: SharedStore) -> StoreNotices:
    return StoreNotices(store.connect(), store.clock.seconds)


def noticed(here: StoreNotices) -> list[str]:
    return [job_id for job_id in JOBS if here.may_have(job_id)]


def test_all_jobs_of_a_server_share_one_listing_a_second(
    store: SharedStore, here: StoreNotices, elsewhere: StoreNotices
) -> None:
    assert store.bucket.requests == {}
    for _ in range(10):
        assert noticed(here) == []
        store.clock.advance(INTERVAL_S / 5)
    assert store.bucket.requests == {"list": 2}
    elsewhere.put(JOBS[3])
    store.clock.advance(INTERVAL_S)
    assert noticed(here) == [JOBS[3]]


def test_a_notice_is_told_once_a_listing_until_it_is_removed(
    store: SharedStore, here: StoreNotices, elsewhere: StoreNotices
) -> None:
    for job_id in JOBS[:2]:
        elsewhere.put(job_id)
    for _ in range(3):
        assert noticed(here) == JOBS[:2]
        assert noticed(here) == []
        store.clock.advance(INTERVAL_S)
    here.remove(JOBS[0])
    here.remove(JOBS[2])
    assert noticed(here) == JOBS[1:2]
    assert store.keys("") == [f"{NOTICES}/{JOBS[1]}"]
    assert store.bucket.requests["remove"] == 1


def test_a_store_that_does_not_answer_is_asked_again_after_a_second(
    store: SharedStore, here: StoreNotices, elsewhere: StoreNotices
) -> None:
    elsewhere.put(JOBS[0])

    def fail(verb: str, key: str) -> None:
        raise unreachable()

    store.bucket.before = fail
    with pytest.raises(DataDirectoryUnavailable):
        here.may_have(JOBS[0])
    assert noticed(here) == []
    store.bucket.before = lambda verb, key: None
    store.clock.advance(INTERVAL_S)
    assert noticed(here) == JOBS[:1]


def test_nobody_waits_for_a_listing_of_another_thread(store: SharedStore, here: StoreNotices) -> None:
    seen: list[bool] = []
    store.bucket.before = lambda verb, key: seen.append(here.may_have(JOBS[1]))
    assert not here.may_have(JOBS[0])
    assert seen == [False]
