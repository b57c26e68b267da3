"""Servers of one object store show each other how far their jobs are."""

import pytest

from tests.storage.store_servers import SharedStore
from windrow.domain.job import Progress
from windrow.storage.local_owners import NoProgressBoard
from windrow.storage.object_store.store_progress import INTERVAL_S, StoreProgressBoard

JOB_ID = "019a1c5e4b2f-7d0c41"


@pytest.fixture
def store() -> SharedStore:
    return SharedStore()


@pytest.fixture
def here(store: SharedStore) -> StoreProgressBoard:
    """A server whose requests :attr:`SharedStore.bucket` counts."""
    return StoreProgressBoard(store.bucket, store.clock.seconds)


@pytest.fixture
def elsewhere(store: SharedStore) -> StoreProgressBoard:
    return StoreProgressBoard(store.connect(), store.clock.seconds)


def test_progress_is_put_every_two_seconds_at_most(
    store: SharedStore, here: StoreProgressBoard, elsewhere: StoreProgressBoard
) -> None:
    assert elsewhere.get(JOB_ID) is None
    for step in range(10):
        here.put(JOB_ID, Progress("training", step, 10, 0.25, 9.5))
        here.put("another", Progress("encoding"))
        store.clock.advance(INTERVAL_S / 4)
    assert store.bucket.requests == {"put": 6}
    assert elsewhere.get(JOB_ID) == Progress("training", 8, 10, 0.25, 9.5)


def test_any_server_removes_the_progress_of_a_job(
    store: SharedStore, here: StoreProgressBoard, elsewhere: StoreProgressBoard
) -> None:
    here.put(JOB_ID, Progress("training"))
    for _ in range(2):
        elsewhere.remove(JOB_ID)
        assert here.get(JOB_ID) is None
    here.remove(JOB_ID)
    here.put(JOB_ID, Progress("saving"))
    assert elsewhere.get(JOB_ID) == Progress("saving")
    assert store.keys("") == [f"loose/jobs/.progress/{JOB_ID}"]


@pytest.mark.parametrize("content", [b"", b"{}", b'{"format": 99, "stage": "training"}'])
def test_progress_that_cannot_be_read_is_not_shown(
    store: SharedStore, here: StoreProgressBoard, content: bytes
) -> None:
    store.bucket.put(f"loose/jobs/.progress/{JOB_ID}", content)
    assert here.get(JOB_ID) is None


def test_a_folder_shows_no_progress() -> None:
    board = NoProgressBoard()
    board.put(JOB_ID, Progress("training"))
    assert board.get(JOB_ID) is None
    board.remove(JOB_ID)
