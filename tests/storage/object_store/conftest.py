"""A bucket in moto, reached as it is and through what loses replies; and the same in memory."""

from collections.abc import Iterator

import pytest

from tests.fakes.bucket import MemoryBucket
from tests.object_stores import servers
from tests.object_stores.proxy import Proxy, proxy
from tests.storage.object_store.bucket_requests import LONG, SHORT
from tests.storage.object_store.environment import set_environment
from windrow.domain.store_url import StoreUrl, read_store_url
from windrow.storage.object_store.bucket import Bucket
from windrow.storage.object_store.obstore_bucket import ObstoreBucket


@pytest.fixture(scope="session")
def moto() -> Iterator[servers.Store]:
    with servers.moto() as store:
        yield store


@pytest.fixture
def lossy(moto: servers.Store) -> Iterator[Proxy]:
    with proxy(moto.port) as before:
        yield before


@pytest.fixture
def url(moto: servers.Store) -> StoreUrl:
    return read_store_url(moto.new_data_dir())


@pytest.fixture(params=["memory", "moto"])
def bucket(request: pytest.FixtureRequest, moto: servers.Store, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    if request.param == "memory":
        return MemoryBucket()
    set_environment(monkeypatch, moto.endpoint)
    return ObstoreBucket(read_store_url(moto.new_data_dir()))


@pytest.fixture
def direct(moto: servers.Store, url: StoreUrl, monkeypatch: pytest.MonkeyPatch) -> ObstoreBucket:
    """The bucket that ``failing`` reaches too, when it does."""
    set_environment(monkeypatch, moto.endpoint)
    return ObstoreBucket(url)


@pytest.fixture
def failing(direct: ObstoreBucket, lossy: Proxy, url: StoreUrl, monkeypatch: pytest.MonkeyPatch) -> ObstoreBucket:
    set_environment(monkeypatch, lossy.endpoint)
    return ObstoreBucket(url, SHORT)


@pytest.fixture
def recovering(failing: ObstoreBucket) -> ObstoreBucket:
    """The same bucket, asked until it answers."""
    failing._patience = LONG
    return failing
