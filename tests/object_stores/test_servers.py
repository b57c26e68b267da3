"""Real object stores on this machine, and a proxy before one: what tests of replicas build on holds."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.object_stores import servers
from tests.object_stores.proxy import Answer, Drop, Hold, LoseReply, Pass, Proxy, proxy, when
from windrow.domain.errors import DataDirectoryUnavailable, StorageUncertain
from windrow.domain.store_url import read_store_url
from windrow.storage.files import KeyMissing
from windrow.storage.lock import CommitLost
from windrow.storage.object_store.content_cache import ContentCache
from windrow.storage.object_store.object_files import ObjectFiles
from windrow.storage.object_store.obstore_bucket import ObstoreBucket, Patience

pytestmark = pytest.mark.slow

# For what never comes right, and for what comes right once it is asked for again, however busy this machine is.
SHORT = Patience(create_s=0.5, other_s=0.5, pause_s=0)
LONG = Patience(create_s=120, other_s=120, pause_s=0)


@pytest.fixture(scope="module", params=["moto", "seaweedfs", "azurite"])
def store(request: pytest.FixtureRequest) -> Iterator[servers.Store]:
    with servers.start(request.param) as running:
        yield running


@pytest.fixture(scope="module")
def moto() -> Iterator[servers.Store]:
    with servers.moto() as running:
        yield running


@pytest.fixture
def before(moto: servers.Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    with proxy(moto.port) as running:
        moto.set_environment(monkeypatch, running.endpoint)
        yield running


@pytest.fixture
def bucket(moto: servers.Store, before: Proxy) -> ObstoreBucket:
    return ObstoreBucket(read_store_url(moto.new_data_dir()), LONG)


class TestEachStore:
    def test_keeps_the_first_object_of_a_key(self, store: servers.Store, monkeypatch: pytest.MonkeyPatch) -> None:
        store.set_environment(monkeypatch)
        bucket = ObstoreBucket(read_store_url(store.new_data_dir()))
        assert bucket.create("a/b", b"1")
        assert not bucket.create("a/b", b"2")
        assert bucket.get("a/b") == b"1"
        with ThreadPoolExecutor(4) as threads:
            won = list(threads.map(lambda number: bucket.create("a/c", b"%d" % number), range(4)))
        assert won.count(True) == 1
        assert bucket.get("a/c") == b"%d" % won.index(True)
        bucket.remove("a/b")
        with pytest.raises(KeyMissing):
            bucket.get("a/b")
        assert bucket.names("a") == ["c"]

    def test_holds_what_four_replicas_count_at_the_same_time(
        self, store: servers.Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        store.set_environment(monkeypatch)
        url = read_store_url(store.new_data_dir())

        def count(replica: int) -> None:
            files = ObjectFiles(ObstoreBucket(url), ContentCache(tmp_path / str(replica), 10**6))
            files.open()
            done = 0
            while done < 5:
                try:
                    with files.transaction():
                        number = len(files.list("counts")) + 1
                        files.put_new(f"counts/{number}", b"%d" % replica)
                except CommitLost:
                    continue
                done += 1

        with ThreadPoolExecutor(4) as threads:
            list(threads.map(count, range(4)))
        files = ObjectFiles(ObstoreBucket(url), ContentCache(tmp_path / "fresh", 10**6))
        files.open()
        assert files.list("counts") == sorted(str(number) for number in range(1, 21))
        counted = [files.get(f"counts/{number}") for number in range(1, 21)]
        assert [counted.count(b"%d" % replica) for replica in range(4)] == [5] * 4
        assert files.commit_number == 20


class TestProxy:
    def test_lets_all_through_without_a_rule_and_counts(self, bucket: ObstoreBucket, before: Proxy) -> None:
        assert bucket.create("a", bytes(100_000))
        assert bucket.get("a") == bytes(100_000)
        assert (before.counts["PUT"], before.counts["GET"], before.counts["Pass"]) == (1, 1, 2)

    def test_loses_a_reply_once_the_store_has_written(self, bucket: ObstoreBucket, before: Proxy) -> None:
        before.rules.append(when(LoseReply(), "PUT", times=1))
        assert bucket.create("a", b"own")
        assert bucket.get("a") == b"own"
        assert before.counts["LoseReply"] == 1

    def test_drops_a_request_before_the_store_sees_it(self, bucket: ObstoreBucket, before: Proxy) -> None:
        before.rules.append(when(Drop(), "PUT", times=1))
        assert bucket.create("a", b"own")
        assert before.counts["Drop"] == 1

    def test_holds_a_write_back_that_arrives_once_the_caller_has_given_up(
        self, bucket: ObstoreBucket, before: Proxy
    ) -> None:
        before.rules.append(when(Hold(), "PUT"))
        bucket._patience = SHORT
        with pytest.raises(StorageUncertain):
            bucket.create("a", b"late")
        with pytest.raises(KeyMissing):
            bucket.get("a")
        before.rules.clear()
        bucket._patience = LONG
        assert before.num_held > 0
        assert before.release() == 200
        assert bucket.get("a") == b"late"
        assert not bucket.create("a", b"another")

    @pytest.mark.parametrize("status", [503, 429, 409])
    def test_answers_in_place_of_the_store(self, bucket: ObstoreBucket, before: Proxy, status: int) -> None:
        before.rules.append(when(Answer(status), "PUT", times=1))
        assert bucket.create("a", b"own")
        assert before.counts["Answer"] == 1

    def test_cuts_everything_and_comes_back(self, bucket: ObstoreBucket, before: Proxy) -> None:
        before.is_down = True
        bucket._patience = SHORT
        with pytest.raises(DataDirectoryUnavailable):
            bucket.names("a")
        bucket._patience = LONG
        before.is_down = False
        assert bucket.names("a") == []

    def test_delays_every_third_reply(self, bucket: ObstoreBucket, before: Proxy) -> None:
        before.rules.append(when(Pass(0.01), "GET", is_due=lambda number: number % 3 == 0))
        before.rules.append(when(Answer(404, "NoSuchKey"), "GET", "/missing"))
        bucket.put("a", b"1")
        assert [bucket.get("a") for _ in range(4)] == [b"1"] * 4
        with pytest.raises(KeyMissing):
            bucket.get("missing")
