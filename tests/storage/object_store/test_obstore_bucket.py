"""A bucket through obstore: what each bucket must do, what it costs, and what becomes of replies that are lost."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.object_stores.proxy import Answer, Drop, Fate, Hold, LoseReply, Proxy, in_turn, when
from tests.storage.object_store.bucket_requests import REQUESTS, SHORT
from windrow.domain.errors import DataDirectoryUnavailable, StorageUncertain
from windrow.storage.files import KeyMissing
from windrow.storage.object_store import obstore_bucket
from windrow.storage.object_store.bucket import Bucket
from windrow.storage.object_store.obstore_bucket import ObstoreBucket

pytestmark = pytest.mark.slow


# What every bucket does.


def test_what_is_created_is_there_and_stays_what_it_is(bucket: Bucket) -> None:
    assert bucket.create("a/1", b"first")
    assert not bucket.create("a/1", b"second")
    assert bucket.create("a/1", b"first")  # it is what the key has
    assert bucket.get("a/1") == b"first"


def test_what_is_put_takes_the_place_of_what_was_there(bucket: Bucket) -> None:
    bucket.put("a/1", b"first")
    bucket.put("a/1", b"")
    assert bucket.get("a/1") == b""


def test_what_is_large_is_put_whole(bucket: Bucket) -> None:
    data = bytes(range(256)) * 50_000
    bucket.put("a/large", data)
    assert bucket.get("a/large") == data
    assert bucket.create("a/created", data)
    assert bucket.get("a/created") == data


def test_what_is_not_there_is_missing_and_can_be_removed(bucket: Bucket) -> None:
    bucket.remove("a/1")
    with pytest.raises(KeyMissing):
        bucket.get("a/1")
    bucket.put("a/1", b"")
    bucket.remove("a/1")
    with pytest.raises(KeyMissing):
        bucket.get("a/1")


def test_objects_are_listed_by_their_keys_behind_any_of_them(bucket: Bucket) -> None:
    for key in ("a/b/2", "a/10", "a/9", "a.json", "ab/1", "a/b.c"):
        bucket.put(key, key.encode())
    assert [each.key for each in bucket.objects("a")] == ["a/10", "a/9", "a/b.c", "a/b/2"]
    assert [each.key for each in bucket.objects("a", "a/9")] == ["a/b.c", "a/b/2"]
    assert [each.key for each in bucket.objects("a", "a/b/3")] == []
    assert [each.key for each in bucket.objects("none")] == []
    (each,) = bucket.objects("a/b")
    assert each.size_bytes == 5
    assert abs(each.changed_at - datetime.now(UTC)) < timedelta(minutes=1)


def test_names_are_those_directly_below_a_prefix(bucket: Bucket) -> None:
    for key in ("a/b/2", "a/b/3/4", "a/10", "ab/1", "a/b.c"):
        bucket.put(key, b"")
    assert bucket.names("a") == ["10", "b", "b.c"]
    assert bucket.names("a/b") == ["2", "3"]
    assert bucket.names("none") == []
    assert bucket.names("") == ["a", "ab"]


def test_of_sixteen_that_create_one_object_exactly_one_wins(bucket: Bucket) -> None:
    start = threading.Barrier(16)

    def create(writer: int) -> list[bool]:
        won = []
        for key in range(20):
            start.wait(60)
            won.append(bucket.create(f"race/{key}", f"{writer}".encode()))
        return won

    with ThreadPoolExecutor(16) as writers:
        won_by = list(writers.map(create, range(16)))
    for key in range(20):
        winners = [writer for writer, won in enumerate(won_by) if won[key]]
        assert [f"{writer}".encode() for writer in winners] == [bucket.get(f"race/{key}")]


# What a listing costs.


def test_a_listing_asks_for_no_more_pages_than_are_read(direct: ObstoreBucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(obstore_bucket, "_PAGE", 3)
    for number in range(8):
        direct.put(f"a/{number}", b"")
    direct.requests.clear()
    objects = direct.objects("a")
    assert direct.requests["list"] == 0
    assert [next(objects).key for _ in range(3)] == ["a/0", "a/1", "a/2"]
    assert direct.requests["list"] == 1
    assert [each.key for each in objects] == ["a/3", "a/4", "a/5", "a/6", "a/7"]
    assert direct.requests == {"list": 3}


def test_a_listing_that_breaks_off_goes_on_behind_its_last_object(
    recovering: ObstoreBucket, direct: ObstoreBucket, lossy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(obstore_bucket, "_PAGE", 3)
    for number in range(8):
        direct.put(f"a/{number}", b"")
    objects = recovering.objects("a")
    found = [next(objects).key for _ in range(4)]
    lossy.rules = [in_turn(LoseReply(), Answer(503, ""), Drop())]
    assert [*found, *(each.key for each in objects)] == [f"a/{number}" for number in range(8)]


def test_requests_are_counted_by_verb(direct: ObstoreBucket) -> None:
    for request in REQUESTS.values():
        request(direct)
    direct.create("a/2", b"")
    direct.create("a/2", b"other")
    assert direct.requests == {"create": 3, "put": 1, "get": 2, "list": 2, "remove": 1}


# Replies that are lost.


def test_an_own_object_whose_reply_is_lost_is_created(
    recovering: ObstoreBucket, direct: ObstoreBucket, lossy: Proxy
) -> None:
    lossy.rules = [in_turn(LoseReply())]
    assert recovering.create("a/1", b"own")
    assert direct.get("a/1") == b"own"


def test_an_own_object_that_a_proxy_has_repeated_is_created(
    recovering: ObstoreBucket, direct: ObstoreBucket, lossy: Proxy
) -> None:
    direct.create("a/1", b"own")
    lossy.rules = [in_turn(Answer(412, "PreconditionFailed"))]
    assert recovering.create("a/1", b"own")


def test_an_object_of_another_one_is_told_from_an_own_one_whose_reply_is_lost(
    recovering: ObstoreBucket, direct: ObstoreBucket, lossy: Proxy
) -> None:
    direct.create("a/1", b"other")
    lossy.rules = [in_turn(Drop())]
    assert not recovering.create("a/1", b"own")
    lossy.rules = [in_turn(LoseReply())]
    assert not recovering.create("a/1", b"own")
    assert direct.get("a/1") == b"other"


def test_a_create_that_arrives_late_takes_nothing_from_anybody(
    recovering: ObstoreBucket, direct: ObstoreBucket, lossy: Proxy
) -> None:
    lossy.rules = [in_turn(Hold())]
    assert recovering.create("a/1", b"own")
    lossy.rules = [in_turn(Hold())]
    assert recovering.create("a/2", b"own")
    assert [lossy.release(), lossy.release()] == [412, 412]
    assert direct.get("a/1") == direct.get("a/2") == b"own"


@pytest.mark.parametrize("fate", [LoseReply(), Drop()])
def test_a_create_of_which_no_reply_arrives_is_uncertain(
    failing: ObstoreBucket, direct: ObstoreBucket, lossy: Proxy, fate: Fate
) -> None:
    lossy.rules = [when(fate)]
    with pytest.raises(StorageUncertain, match=r"may hold\. Look what is there before you repeat it\.$"):
        failing.create("a/1", b"own")
    lossy.rules = [when(fate, "PUT")]
    if fate == LoseReply():
        assert failing.create("a/1", b"own")
    else:
        # Nothing is there at the last look either, which says nothing of what is still on its way.
        with pytest.raises(StorageUncertain):
            failing.create("a/1", b"own")


def test_a_create_that_is_refused_once_it_may_have_arrived_is_uncertain(failing: ObstoreBucket, lossy: Proxy) -> None:
    lossy.rules = [in_turn(Drop(), None, Answer(403, "AccessDenied"))]
    with pytest.raises(StorageUncertain):
        failing.create("a/1", b"own")


def test_an_object_that_exists_and_cannot_be_read_may_be_the_own_one(
    failing: ObstoreBucket, direct: ObstoreBucket, lossy: Proxy
) -> None:
    direct.create("a/1", b"own")
    lossy.rules = [when(Answer(503, ""), "GET")]
    with pytest.raises(StorageUncertain):
        failing.create("a/1", b"own")


@pytest.mark.parametrize("status", [409, 429])
def test_a_create_that_was_always_refused_changed_nothing(failing: ObstoreBucket, lossy: Proxy, status: int) -> None:
    lossy.rules = [when(Answer(status, "SlowDown"), "PUT")]
    failing._patience = replace(SHORT, create_s=2)
    with pytest.raises(DataDirectoryUnavailable, match=f"status {status}.*nothing is changed"):
        failing.create("a/1", b"own")
    assert failing.requests["create"] > 2


def test_many_writers_whose_replies_are_lost_agree_on_one_winner(
    recovering: ObstoreBucket, direct: ObstoreBucket, lossy: Proxy
) -> None:
    fates = (None, None, LoseReply(), Answer(503), Drop())
    lossy.rules = [lambda request: fates[request.number % 5]]

    def create(writer: int) -> list[bool]:
        return [recovering.create(f"race/{key}", f"{writer}".encode()) for key in range(10)]

    with ThreadPoolExecutor(8) as writers:
        won_by = list(writers.map(create, range(8)))
    for key in range(10):
        winners = [f"{writer}".encode() for writer, won in enumerate(won_by) if won[key]]
        assert winners == [direct.get(f"race/{key}")]
