"""The check at the start: a store that ignores conditions is refused, and so is one that cannot be written."""

import re

import pytest

from tests.fakes.bucket import MemoryBucket, unreachable
from tests.object_stores.proxy import Answer, Drop, LoseReply, Pass, in_turn, proxy, when
from tests.object_stores.servers import Store
from tests.storage.object_store.environment import set_environment
from windrow.domain.errors import DataDirectoryUnavailable, StorageFailed
from windrow.domain.store_url import StoreUrl, read_store_url
from windrow.storage.object_store.obstore_bucket import ObstoreBucket
from windrow.storage.object_store.self_test import check_store

URL = StoreUrl("s3", "models", "team")
IGNORES = re.escape("s3://models/team ignores the condition of a write") + ".*would overwrite each other's.* Amazon S3"


class Ignoring(MemoryBucket):
    """Takes the condition of a write, and ignores it."""

    def create(self, key: str, data: bytes) -> bool:
        self.put(key, data)
        return True


class Racing(MemoryBucket):
    """Looks whether a key is free, and takes it a moment later."""

    num_creates = 0

    def create(self, key: str, data: bytes) -> bool:
        self.num_creates += 1
        if self.num_creates > 2:
            return super().create(key, data)
        self.put(key, data)
        return True


class Losing(MemoryBucket):
    """Says to everybody that another one was first."""

    def create(self, key: str, data: bytes) -> bool:
        return bool(super().create(key, data) and False)


class Forgetful(MemoryBucket):
    """Gives another content than it was given."""

    def get(self, key: str) -> bytes:
        return super().get(key).upper()


def test_a_store_that_holds_to_conditions_is_taken_and_left_as_it_was() -> None:
    bucket = MemoryBucket()
    check_store(bucket, URL)
    assert bucket.objects_by_key == {}
    assert bucket.requests == {"create": 2, "get": 1, "remove": 1}


@pytest.mark.parametrize("kind", [Ignoring, Racing, Losing, Forgetful])
def test_a_store_that_does_not_is_refused_by_name(kind: type[MemoryBucket]) -> None:
    bucket = kind()
    with pytest.raises(StorageFailed, match=IGNORES) as error:
        check_store(bucket, URL)
    assert not isinstance(error.value, DataDirectoryUnavailable)
    assert bucket.objects_by_key == {}


@pytest.mark.parametrize("verb", ["create", "get", "remove"])
def test_a_store_that_does_not_answer_is_unavailable(verb: str) -> None:
    def fail(asked: str, key: str) -> None:
        if asked == verb:
            raise unreachable()

    bucket = MemoryBucket(before=fail)
    with pytest.raises(DataDirectoryUnavailable):
        check_store(bucket, URL)
    assert bucket.objects_by_key == {} or verb == "remove"


@pytest.mark.slow
def test_a_real_store_is_asked_five_times(moto: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    set_environment(monkeypatch, moto.endpoint)
    url = read_store_url(moto.new_data_dir())
    bucket = ObstoreBucket(url)
    check_store(bucket, url)
    assert bucket.requests == {"create": 2, "get": 2, "remove": 1}
    assert bucket.names("selftest") == []


@pytest.mark.slow
def test_a_store_that_never_sees_the_condition_is_refused(moto: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    url = read_store_url(moto.new_data_dir())
    with proxy(moto.port) as before:
        set_environment(monkeypatch, before.endpoint)
        before.rules = [when(Pass(without="if-none-match"))]
        with pytest.raises(StorageFailed, match=f"{re.escape(str(url))} ignores the condition"):
            check_store(ObstoreBucket(url), url)


@pytest.mark.slow
def test_a_store_that_loses_replies_is_no_store_that_ignores_conditions(
    moto: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = read_store_url(moto.new_data_dir())
    with proxy(moto.port) as before:
        set_environment(monkeypatch, before.endpoint)
        before.rules = [in_turn(LoseReply(), Drop(), None, LoseReply(), LoseReply(), Answer(503, ""), LoseReply())]
        check_store(ObstoreBucket(url), url)


@pytest.mark.slow
def test_credentials_that_may_only_read_are_told_so(moto: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    url = read_store_url(moto.new_data_dir())
    with proxy(moto.port) as before:
        set_environment(monkeypatch, before.endpoint)
        before.rules = [lambda request: None if request.method == "GET" else Answer(403, "AccessDenied")]
        with pytest.raises(StorageFailed, match="may be read-only there"):
            check_store(ObstoreBucket(url), url)
