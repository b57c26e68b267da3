"""A bucket in moto, reached as it is and through what loses replies; and the same in memory."""

from collections.abc import Iterator

import pytest

from tests.fakes.bucket import MemoryBucket
from tests.storage.object_store.bucket_requests import SHORT
from tests.storage.object_store.lossy_store import LossyStore, lossy_store
from tests.storage.object_store.moto_store import make_bucket, moto_store, set_environment
from windrow.domain.store_url import StoreUrl
from windrow.storage.object_store.bucket import Bucket
from windrow.storage.object_store.obstore_bucket import ObstoreBucket


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    with moto_store() as store:
        yield store


@pytest.fixture
def lossy(moto: str) -> Iterator[LossyStore]:
    with lossy_store(moto) as store:
        yield store


@pytest.fixture
def url(moto: str) -> StoreUrl:
    return make_bucket(moto)


@pytest.fixture(params=["memory", "moto"])
def bucket(request: pytest.FixtureRequest, moto: str, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    if request.param == "memory":
        return MemoryBucket()
    set_environment(monkeypatch, f"http://{moto}")
    return ObstoreBucket(make_bucket(moto))


@pytest.fixture
def direct(moto: str, url: StoreUrl, monkeypatch: pytest.MonkeyPatch) -> ObstoreBucket:
    """The bucket that ``failing`` reaches too, when it does."""
    set_environment(monkeypatch, f"http://{moto}")
    return ObstoreBucket(url)


@pytest.fixture
def failing(direct: ObstoreBucket, lossy: LossyStore, url: StoreUrl, monkeypatch: pytest.MonkeyPatch) -> ObstoreBucket:
    set_environment(monkeypatch, lossy.url)
    return ObstoreBucket(url, SHORT)
