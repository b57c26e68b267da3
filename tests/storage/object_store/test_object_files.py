"""Files in an object store: transactions, what they cost and leave, and what readers on an old index find."""

import math
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.fakes.bucket import MemoryBucket, unreachable
from tests.storage.examples import blobs, new_revision
from tests.storage.object_store.machines import Machines, answer_all, stop_at, transact
from windrow.domain.errors import DataDirectoryUnavailable, InvalidArtifact, StorageUncertain
from windrow.storage.artifact import ARTIFACT
from windrow.storage.catalog import Catalog
from windrow.storage.files import KeyExists, KeyMissing, KeyUnusable
from windrow.storage.lock import CommitLost
from windrow.storage.namespace import Namespace
from windrow.storage.object_store import object_files
from windrow.storage.object_store.commit_log import CHECKPOINTS, COMMITS, numbered_key
from windrow.storage.object_store.documents import CONTENTS
from windrow.storage.object_store.loose_objects import LOOSE
from windrow.storage.object_store.object_files import ObjectFiles


@pytest.fixture(autouse=True)
def _no_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files follow where a test says so."""
    monkeypatch.setattr(object_files, "MAX_AGE_S", math.inf)


@pytest.fixture
def bucket() -> MemoryBucket:
    return MemoryBucket()


@pytest.fixture
def machines(bucket: MemoryBucket, tmp_path: Path) -> Machines:
    return Machines(bucket, tmp_path)


@pytest.fixture
def files(machines: Machines) -> ObjectFiles:
    return machines.new("own")


@pytest.fixture
def other(machines: Machines, files: ObjectFiles) -> ObjectFiles:
    return machines.new("other")


class TestTransaction:
    def test_shows_its_changes_to_itself_alone_until_it_commits(self, files: ObjectFiles, other: ObjectFiles) -> None:
        files.put_new("a/old", b"1")
        other.follow()
        with files.transaction():
            files.put_new("a/new", b"2")
            files.remove("a/old")
            assert (files.list("a"), files.get("a/new")) == (["new"], b"2")
            assert files.version_token("a") is None
            with pytest.raises(KeyMissing):
                files.get("a/old")
            with pytest.raises(KeyExists):
                files.put_new("a/new", b"3")
            other.follow()
            assert (other.list("a"), other.get("a/old")) == (["old"], b"1")
        other.follow()
        assert (other.list("a"), other.get("a/new")) == (["new"], b"2")

    def test_that_fails_changes_nothing_and_asks_nothing(
        self, files: ObjectFiles, bucket: MemoryBucket, machines: Machines
    ) -> None:
        def fail() -> None:
            with files.transaction():
                files.put_new("a/b", b"1")
                raise KeyError("of a rule")

        with pytest.raises(KeyError):
            fail()
        assert files.list("a") == []
        assert bucket.requests["put"] + bucket.requests["create"] == 0
        files.put_new("a/b", b"2")
        assert files.get("a/b") == b"2"

    def test_that_loses_the_race_changes_nothing_and_leaves_no_object(
        self, files: ObjectFiles, other: ObjectFiles, machines: Machines
    ) -> None:
        with pytest.raises(CommitLost):
            transact(files, lambda: files.put_new("a/own", b"1"), lambda: other.put_new("a/others", b"2"))
        files.follow()
        assert files.list("a") == ["others"]
        assert len(machines.contents()) == 1

    def test_that_was_overtaken_between_two_looks_is_lost_whatever_it_found(
        self, files: ObjectFiles, other: ObjectFiles
    ) -> None:
        """What it read before and after is of two states, so that no refusal of a rule may build on it either."""

        def look() -> list[str]:
            with files.transaction():
                found = files.list("a")
                other.put_new("a/b", b"1")
                files.follow()
                files.put_new("a/b", b"2")  # which was free a moment ago
                return found

        with pytest.raises(CommitLost):
            look()
        with pytest.raises(CommitLost):
            transact(files, lambda: other.put_new("a/c", b"1"), files.follow)
        assert files.list("a") == ["b", "c"]

    @pytest.mark.parametrize("verb", ["get", "put", "create"])
    def test_that_the_store_did_not_answer_changes_nothing_and_can_be_tried_again(
        self, files: ObjectFiles, bucket: MemoryBucket, verb: str
    ) -> None:
        files.put_new("a/b", b"1")
        stop_at(bucket, verb)
        with pytest.raises(DataDirectoryUnavailable):
            files.put_new("a/c", b"2")
        answer_all(bucket)
        files.follow()
        assert files.list("a") == ["b"]
        files.put_new("a/c", b"3")
        assert files.get("a/c") == b"3"

    def test_of_which_the_store_does_not_say_whether_it_holds_shows_at_the_next_look(
        self, files: ObjectFiles, bucket: MemoryBucket
    ) -> None:
        def lose(verb: str, key: str) -> None:
            if verb == "create":
                raise StorageUncertain("The store does not say.", {})

        bucket.after = lose
        with pytest.raises(StorageUncertain):
            files.put_new("a/b", b"1")
        answer_all(bucket)
        files.follow()
        assert files.get("a/b") == b"1"

    @pytest.mark.parametrize("key", ["a/b", "jobs/a/1.json"])
    def test_that_holds_and_could_not_remove_an_object_says_that_it_holds(
        self, files: ObjectFiles, bucket: MemoryBucket, key: str
    ) -> None:
        files.put_new(key, b"1")
        stop_at(bucket, "remove")

        def change() -> None:
            with files.transaction():
                files.remove(key)
                files.put_new("a/c", b"2")

        with pytest.raises(StorageUncertain, match="is used no more"):
            change()
        answer_all(bucket)
        assert files.get("a/c") == b"2"

    def test_in_a_log_that_was_replaced_is_refused(
        self, files: ObjectFiles, bucket: MemoryBucket, machines: Machines
    ) -> None:
        files.put_new("a/b", b"1")
        del bucket.objects_by_key[numbered_key(COMMITS, 1)]
        before = machines.contents()
        with pytest.raises(DataDirectoryUnavailable, match="not the one that was there before"):
            files.put_new("a/c", b"2")
        assert machines.contents() == before

    def test_tells_of_its_commit_once_it_holds(self, files: ObjectFiles) -> None:
        told: list[tuple[list[str], list[str]]] = []
        files.subscribe(lambda keys: told.append((sorted(keys), files.list("a"))))
        files.put_new("a/b", b"1")
        with files.transaction():
            files.remove("a/b")
            files.put_new("a/c", b"2")
        assert told == [(["a/b"], ["b"]), (["a/b", "a/c"], ["c"])]

    def test_that_puts_another_content_in_the_place_of_a_file_replaces_it(
        self, files: ObjectFiles, other: ObjectFiles, machines: Machines
    ) -> None:
        files.put_new("a/b", b"1")
        other.follow()
        assert other.get("a/b") == b"1"
        with files.transaction():
            files.remove("a/b")
            files.put_new("a/b", b"2")
        assert len(machines.contents()) == 1
        other.follow()
        assert (files.get("a/b"), other.get("a/b")) == (b"2", b"2")
        assert machines.copies("other") == [b"2"]

    def test_of_nothing_makes_no_commit_and_a_fence_does(self, files: ObjectFiles, other: ObjectFiles) -> None:
        with files.transaction():
            assert files.list("a") == []
        assert files.commit_number == 0
        with pytest.raises(CommitLost):
            transact(files, lambda: files.put_new("a/b", b"1"), other.fence)
        assert other.commit_number == 1
        files.follow()
        assert files.list("a") == []


class TestCost:
    def test_of_an_idle_look_is_one_request(self, files: ObjectFiles, bucket: MemoryBucket) -> None:
        files.put_new("a/b", b"1")
        bucket.requests.clear()
        files.follow()
        assert bucket.requests.total() == 1

    def test_of_a_fit_is_at_most_8_requests(self, files: ObjectFiles, bucket: MemoryBucket) -> None:
        catalog = Catalog(Namespace(files, files.transaction))
        catalog.publish(new_revision("tickets", contents=blobs()))
        bucket.requests.clear()
        catalog.publish(new_revision("tickets", "b", contents=blobs(1)))
        assert bucket.requests.total() <= 8, bucket.requests

    def test_of_reading_and_listing_again_is_nothing(self, files: ObjectFiles, bucket: MemoryBucket) -> None:
        files.put_new("a/b", b"1")
        bucket.requests.clear()
        for _ in range(3):
            assert files.get("a/b") == b"1"
            assert files.list("a") == ["b"]
            assert files.version_token("a") is not None
        assert bucket.requests.total() == 0

    def test_of_a_prefetch_is_one_request_a_content(
        self, files: ObjectFiles, machines: Machines, bucket: MemoryBucket
    ) -> None:
        with files.transaction():
            for number in range(20):
                files.put_new(f"a/{number}", b"%d" % (number % 10))
        fresh = machines.new("fresh")
        bucket.requests.clear()
        fresh.prefetch([f"a/{number}" for number in range(20)])
        assert bucket.requests == {"get": 10}
        assert [fresh.get(f"a/{number}") for number in range(20)] == [b"%d" % (number % 10) for number in range(20)]
        assert bucket.requests == {"get": 10}

    def test_of_many_changes_is_no_heap_of_checkpoints(self, files: ObjectFiles, bucket: MemoryBucket) -> None:
        for number in range(600):
            files.put_new(f"a/{number}", b"1")
        checkpoints = [key for key in bucket.objects_by_key if key.startswith(f"{CHECKPOINTS}/")]
        assert len(checkpoints) == 3
        assert bucket.requests["remove"] > 0

    def test_of_checkpoints_that_cannot_be_removed_is_none_to_a_change(
        self, files: ObjectFiles, bucket: MemoryBucket
    ) -> None:
        stop_at(bucket, "remove")
        for number in range(400):
            files.put_new(f"a/{number}", b"1")
        assert len(files.list("a")) == 400


class TestRemoval:
    def test_removes_the_object_and_every_copy_once_it_is_known(
        self, files: ObjectFiles, other: ObjectFiles, machines: Machines
    ) -> None:
        files.put_new("a/b", b"secret rows")
        other.follow()
        assert other.get("a/b") == b"secret rows"
        files.remove("a/b")
        assert machines.contents() == []
        assert machines.copies("own") == []
        other.follow()
        assert machines.copies("other") == []

    def test_while_a_machine_was_off_makes_it_forget_at_its_start(self, files: ObjectFiles, machines: Machines) -> None:
        files.put_new("a/b", b"secret rows")
        assert machines.new("other").get("a/b") == b"secret rows"
        files.remove("a/b")
        machines.new("other")
        assert machines.copies("other") == []

    def test_that_comes_while_a_content_is_read_leaves_no_copy(
        self, files: ObjectFiles, other: ObjectFiles, bucket: MemoryBucket, machines: Machines
    ) -> None:
        files.put_new("a/b", b"secret rows")
        other.follow()

        def overtake(verb: str, key: str) -> None:
            if key.startswith(f"{CONTENTS}/") and verb == "get":
                answer_all(bucket)
                files.remove("a/b")
                other.follow()

        bucket.after = overtake
        assert other.get("a/b") == b"secret rows"
        assert machines.copies("other") == []

    def test_is_forgotten_even_where_the_look_that_found_it_failed_later(
        self, files: ObjectFiles, other: ObjectFiles, bucket: MemoryBucket, machines: Machines
    ) -> None:
        files.put_new("a/b", b"secret rows")
        other.follow()
        other.get("a/b")
        files.remove("a/b")
        stop_at(bucket, "get", numbered_key(COMMITS, 3))
        with pytest.raises(DataDirectoryUnavailable):
            other.follow()
        assert machines.copies("other") == []


class TestReader:
    def test_on_an_old_index_gets_the_truth(self, files: ObjectFiles, other: ObjectFiles) -> None:
        for key in ("a/gone", "a/replaced"):
            files.put_new(key, b"1" + key.encode())
        other.follow()
        files.remove("a/gone")
        with files.transaction():
            files.remove("a/replaced")
            files.put_new("a/replaced", b"2")
        assert other.list("a") == ["gone", "replaced"]
        with pytest.raises(KeyMissing):
            other.get("a/gone")
        assert other.get("a/replaced") == b"2"

    def test_is_told_where_the_content_of_a_file_is_missing_or_the_store_does_not_answer(
        self, files: ObjectFiles, other: ObjectFiles, bucket: MemoryBucket, machines: Machines
    ) -> None:
        files.put_new("a/b", b"1")
        other.follow()
        stop_at(bucket, "get")
        with pytest.raises(DataDirectoryUnavailable):
            other.get("a/b")
        answer_all(bucket)
        (key,) = machines.contents()
        del bucket.objects_by_key[key]
        with pytest.raises(KeyMissing):
            other.get("a/b")
        assert files.get("a/b") == b"1"  # it has a copy

    def test_is_told_by_the_digest_of_a_content_that_was_altered_and_keeps_no_copy(
        self, files: ObjectFiles, bucket: MemoryBucket, machines: Machines
    ) -> None:
        catalog = Catalog(Namespace(files, files.transaction))
        saved = catalog.publish(new_revision("tickets", contents=blobs()))
        (key,) = (key for key in machines.contents() if saved.blobs[ARTIFACT].sha256 in key)
        content, at = bucket.objects_by_key[key]
        for altered in (content[:-1] + b"x", content[:-1], b""):
            bucket.objects_by_key[key] = (altered, at)
            files = machines.new("other")
            other = Catalog(Namespace(files, files.transaction))
            with pytest.raises(InvalidArtifact, match="was altered"):
                other.blobs.read("tickets", saved.blobs[ARTIFACT])
            assert altered not in machines.copies("other")
        bucket.objects_by_key[key] = (content, at)
        assert other.blobs.read("tickets", saved.blobs[ARTIFACT]) == content

    def test_refuses_what_is_larger_than_asked_for_without_a_request(
        self, files: ObjectFiles, bucket: MemoryBucket
    ) -> None:
        files.put_new("a/b", b"12345")
        bucket.requests.clear()
        with pytest.raises(KeyUnusable):
            files.get("a/b", 4)
        assert bucket.requests.total() == 0

    def test_goes_on_with_what_is_known_while_the_store_does_not_answer(
        self, files: ObjectFiles, bucket: MemoryBucket, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        files.put_new("a/b", b"1")
        monkeypatch.setattr(object_files, "MAX_AGE_S", 0.0)
        for verb in ("get", "list", "put", "create"):
            stop_at(bucket, verb)
            assert (files.list("a"), files.get("a/b")) == (["b"], b"1")

    @pytest.mark.parametrize("is_answered", [True, False])
    def test_never_waits_for_a_look_that_another_thread_makes(
        self, files: ObjectFiles, bucket: MemoryBucket, monkeypatch: pytest.MonkeyPatch, is_answered: bool
    ) -> None:
        """A store that hangs takes all patience of the thread that looks, and none of those that predict."""
        files.put_new("a/b", b"1")
        monkeypatch.setattr(object_files, "MAX_AGE_S", 0.0)
        has_begun, may_end = threading.Event(), threading.Event()

        def hang(verb: str, key: str) -> None:
            has_begun.set()
            assert may_end.wait(30)
            if not is_answered:
                raise unreachable()

        bucket.before = hang
        with ThreadPoolExecutor(2) as threads:
            looking = threads.submit(files.follow)
            assert has_begun.wait(30)
            try:
                assert threads.submit(files.list, "a").result(10) == ["b"]
            finally:
                may_end.set()
            assert (looking.exception() is None) == is_answered

    def test_asks_no_store_again_that_has_just_not_answered(
        self, files: ObjectFiles, bucket: MemoryBucket, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        files.put_new("a/b", b"1")
        monkeypatch.setattr(object_files, "MAX_AGE_S", 60.0)
        files._looked_at_s -= 61.0
        stop_at(bucket, "get")
        with pytest.raises(DataDirectoryUnavailable):
            files.follow()
        bucket.requests.clear()
        assert files.list("a") == ["b"]
        assert bucket.requests.total() == 0

    def test_refuses_what_is_larger_than_asked_for_also_where_it_was_put_anew_meanwhile(
        self, files: ObjectFiles, other: ObjectFiles
    ) -> None:
        files.put_new("a/b", b"old")
        other.follow()
        with files.transaction():
            files.remove("a/b")
            files.put_new("a/b", b"x" * 200)
        with pytest.raises(KeyUnusable):
            other.get("a/b", 100)


class TestLoose:
    def test_shows_an_own_change_also_where_a_listing_was_under_way(
        self, files: ObjectFiles, bucket: MemoryBucket, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        names = bucket.names

        def overtaken(prefix: str) -> list[str]:
            found = names(prefix)
            if not found:
                files.put_new("jobs/a/1.json", b"1")
            return found

        monkeypatch.setattr(bucket, "names", overtaken)
        assert files.list("jobs") == []
        assert files.list("jobs") == ["a"]

    def test_costs_no_commit_and_is_seen_at_once(self, files: ObjectFiles, other: ObjectFiles) -> None:
        files.put_new("jobs/a/1.json", b"1")
        assert (other.list("jobs"), other.get("jobs/a/1.json")) == (["a"], b"1")
        assert files.commit_number == 0
        with pytest.raises(KeyExists):
            other.put_new("jobs/a/1.json", b"2")
        assert files.version_token("jobs/a") is None
        other.remove("jobs/a/1.json")
        assert files.list("jobs") == []

    def test_is_removed_with_a_transaction_and_not_before(self, files: ObjectFiles, bucket: MemoryBucket) -> None:
        files.put_new("jobs/a", b"1")
        with files.transaction():
            files.remove("jobs/a")
            assert files.list("jobs") == []
            assert f"{LOOSE}/jobs/a" in bucket.objects_by_key
        assert f"{LOOSE}/jobs/a" not in bucket.objects_by_key

    def test_stays_where_the_transaction_that_removes_it_is_lost(self, files: ObjectFiles, other: ObjectFiles) -> None:
        files.put_new("jobs/a", b"1")
        with pytest.raises(CommitLost):
            transact(
                files,
                lambda: files.remove("jobs/a"),
                lambda: files.put_new("a/b", b"1"),
                lambda: other.put_new("a/c", b"2"),
            )
        assert files.get("jobs/a") == b"1"
