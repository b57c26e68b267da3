"""The log of commits: what a start and a look cost, what a look finds, and what is refused."""

from collections.abc import Callable

import pytest

from tests.fakes.bucket import MemoryBucket, unreachable
from windrow.domain.errors import DataDirectoryUnavailable, InvalidArtifact
from windrow.storage.object_store.commit_log import CHECKPOINTS, COMMITS, CommitLog, new_attempt, numbered_key
from windrow.storage.object_store.documents import StoredFile


@pytest.fixture
def bucket() -> MemoryBucket:
    return MemoryBucket()


def opened(bucket: MemoryBucket) -> CommitLog:
    log = CommitLog(bucket)
    log.follow()
    return log


def commit(log: CommitLog, *put: str, removed: tuple[str, ...] = ()) -> bool:
    attempt = new_attempt()
    files = {key: StoredFile(1, "a" * 64, attempt) for key in put}
    return log.put(log.next_commit(attempt, files, removed))


def files_of(log: CommitLog) -> dict[str, StoredFile]:
    return dict(log.below(""))


def grown(bucket: MemoryBucket, num_files: int, per_commit: int) -> CommitLog:
    """Return a log of many files, of which some went again."""
    log = opened(bucket)
    keys = [f"classifiers/c_v{number}/000001.json" for number in range(num_files)]
    for start in range(0, num_files, per_commit):
        assert commit(log, *keys[start : start + per_commit], removed=(keys[start - 1],) if start else ())
    return log


def alter(bucket: MemoryBucket, key: str, change: Callable[[bytes], bytes]) -> None:
    content, at = bucket.objects_by_key[key]
    bucket.objects_by_key[key] = (change(content), at)


class TestStart:
    def test_takes_four_requests_with_10000_files(self, bucket: MemoryBucket) -> None:
        log = grown(bucket, 10_000, 40)
        for key in ("more/1", "more/2"):
            commit(log, key)
        bucket.requests.clear()
        assert files_of(fresh := opened(bucket)) == files_of(log)
        assert fresh.number == log.number == 252
        assert bucket.requests.total() <= 4
        assert len(files_of(fresh)) == 10_000 - 249 + 2

    @pytest.mark.parametrize("num_commits", [0, 1, 2, 64, 65, 66, 67, 130, 131])
    def test_knows_what_following_knows(self, bucket: MemoryBucket, num_commits: int) -> None:
        writer, follower = opened(bucket), opened(bucket)
        for number in range(num_commits):
            assert commit(writer, f"a/{number}", removed=(f"a/{number - 2}",))
            follower.follow()
        fresh = opened(bucket)
        assert files_of(fresh) == files_of(follower) == files_of(writer)
        assert fresh.number == follower.number == num_commits
        assert fresh.names("a") == follower.names("a")

    def test_writes_checkpoints_seldom_and_keeps_commits_small(self, bucket: MemoryBucket) -> None:
        grown(bucket, 3_000, 10)
        assert 20 < bucket.requests["put"] < 50  # which are the checkpoints
        sizes = [len(data) for key, (data, _) in bucket.objects_by_key.items() if key.startswith(f"{COMMITS}/")]
        assert max(sizes) < 100 * 250

    def test_begins_at_a_checkpoint_whose_commit_never_came(self, bucket: MemoryBucket) -> None:
        log = grown(bucket, 65, 1)

        def refuse(verb: str, key: str) -> None:
            if verb == "create":
                raise unreachable()

        bucket.before = refuse
        with pytest.raises(DataDirectoryUnavailable):
            commit(log, "late")
        assert numbered_key(CHECKPOINTS, 65) in bucket.objects_by_key
        bucket.before = lambda verb, key: None
        assert files_of(opened(bucket)) == files_of(log)

    def test_looks_again_where_the_checkpoint_was_tidied_away_meanwhile(self, bucket: MemoryBucket) -> None:
        log = grown(bucket, 400, 1)
        log.tidy_checkpoints()
        listed: list[str] = []

        def overtake(verb: str, key: str) -> None:
            if verb == "get" and not listed:  # which is for the newest commit at the moment
                listed.append(key)
                for number in range(300):
                    assert commit(log, f"b/{number}")
                log.tidy_checkpoints()

        bucket.before = overtake
        fresh = opened(bucket)
        bucket.before = lambda verb, key: None
        fresh.follow()
        assert files_of(fresh) == files_of(log)

    def test_a_tidy_log_keeps_what_a_start_needs(self, bucket: MemoryBucket) -> None:
        log = grown(bucket, 1_000, 3)
        log.tidy_checkpoints()
        assert sum(key.startswith(f"{CHECKPOINTS}/") for key in bucket.objects_by_key) == 3
        assert files_of(opened(bucket)) == files_of(log)


class TestLook:
    def test_costs_one_request_where_nothing_is_new(self, bucket: MemoryBucket) -> None:
        log = grown(bucket, 100, 1)
        bucket.requests.clear()
        log.follow()
        assert bucket.requests.total() == 1

    def test_takes_over_what_came_before_the_store_stopped_answering_and_tells_what_went(
        self, bucket: MemoryBucket
    ) -> None:
        writer = opened(bucket)
        gone: list[StoredFile] = []
        follower = CommitLog(bucket, gone.extend)
        follower.follow()
        commit(writer, "a/1")
        commit(writer, removed=("a/1",))
        commit(writer, "a/2")

        def stop(verb: str, key: str) -> None:
            if key == numbered_key(COMMITS, 3):
                raise unreachable()

        bucket.before = stop
        with pytest.raises(DataDirectoryUnavailable):
            follower.follow()
        assert (follower.number, len(gone)) == (2, 1)
        bucket.before = lambda verb, key: None
        follower.follow()
        assert follower.names("a") == ["2"]

    def test_a_race_that_is_lost_changes_nothing(self, bucket: MemoryBucket) -> None:
        first, second = opened(bucket), opened(bucket)
        assert commit(first, "a/1")
        assert not commit(second, "a/2")
        assert (second.number, files_of(second)) == (0, {})
        second.follow()
        assert files_of(second) == files_of(first)

    def test_a_commit_of_its_own_that_it_met_while_it_followed_is_taken_over_once(self, bucket: MemoryBucket) -> None:
        log = opened(bucket)
        bucket.after = lambda verb, key: log.follow() if verb == "create" else None
        assert commit(log, "a/1")
        assert (log.number, log.names("a"), log.num_below("", "a")) == (1, ["1"], 1)


class TestTokens:
    def test_change_with_the_names_directly_below_and_with_no_others(self, bucket: MemoryBucket) -> None:
        log = opened(bucket)
        commit(log, "a/b/1", "c/1")
        before = {prefix: log.token(prefix) for prefix in ("a", "a/b", "c", "d")}
        assert before["d"] is None
        commit(log, "a/b/2")
        assert log.token("a/b") != before["a/b"]
        assert (log.token("a"), log.token("c")) == (before["a"], before["c"])
        commit(log, "a/e/1")
        assert log.token("a") != before["a"]

    def test_tell_a_name_that_went_and_came_again(self, bucket: MemoryBucket) -> None:
        log = opened(bucket)
        commit(log, "a/1", "a/2")
        before = log.token("a")
        commit(log, removed=("a/1",))
        commit(log, "a/1")
        assert log.token("a") != before

    def test_are_none_where_all_is_gone(self, bucket: MemoryBucket) -> None:
        log = opened(bucket)
        commit(log, "a/b/1")
        commit(log, removed=("a/b/1",))
        assert log.token("a/b") is None
        assert log.names("a") == []


class TestDamage:
    def test_a_log_that_was_set_back_is_noticed_before_a_commit(self, bucket: MemoryBucket) -> None:
        log = grown(bucket, 3, 1)
        del bucket.objects_by_key[numbered_key(COMMITS, 3)]
        with pytest.raises(DataDirectoryUnavailable, match="commit 3 is gone, or another one"):
            log.check_unchanged()

    def test_a_log_that_was_set_back_and_has_grown_since_is_not_followed(self, bucket: MemoryBucket) -> None:
        log = grown(bucket, 3, 1)
        for number in (2, 3):
            del bucket.objects_by_key[numbered_key(COMMITS, number)]
        other = opened(bucket)
        for name in "xyz":
            assert commit(other, f"b/{name}")
        with pytest.raises(DataDirectoryUnavailable, match="is not the one that was there before") as raised:
            log.follow()
        assert raised.value.facts["problem"] == "replaced"
        assert log.names("b") == []
        with pytest.raises(DataDirectoryUnavailable, match="is not the one"):
            log.check_unchanged()

    @pytest.mark.parametrize("size", [0, 50])
    def test_a_damaged_commit_is_named_and_nothing_of_it_is_taken_over(self, bucket: MemoryBucket, size: int) -> None:
        writer, follower = opened(bucket), opened(bucket)
        commit(writer, "a/1")
        alter(bucket, numbered_key(COMMITS, 1), lambda data: data[:size])
        for look in (follower.follow, CommitLog(bucket).follow):
            with pytest.raises(InvalidArtifact, match=r"commits/000000000001.json in the object store .*Restore"):
                look()
        assert (follower.number, files_of(follower)) == (0, {})

    def test_a_commit_under_the_number_of_another_one_is_refused(self, bucket: MemoryBucket) -> None:
        writer, follower = opened(bucket), opened(bucket)
        commit(writer, "a/1")
        follower.follow()
        bucket.objects_by_key[numbered_key(COMMITS, 2)] = bucket.objects_by_key[numbered_key(COMMITS, 1)]
        with pytest.raises(InvalidArtifact, match="it says that it is commit 1"):
            follower.follow()

    def test_a_checkpoint_that_is_damaged_or_missing_is_named(self, bucket: MemoryBucket) -> None:
        grown(bucket, 100, 1)
        (key,) = (key for key in bucket.objects_by_key if key.startswith(f"{CHECKPOINTS}/"))
        alter(bucket, key, lambda data: data[:-20])
        with pytest.raises(InvalidArtifact, match=f"{key} in the object store"):
            opened(bucket)
        del bucket.objects_by_key[key]
        with pytest.raises(InvalidArtifact, match=f"{key} in the object store cannot be read: it is missing"):
            opened(bucket)

    def test_a_start_that_failed_can_be_tried_again(self, bucket: MemoryBucket) -> None:
        writer = grown(bucket, 100, 1)
        log = CommitLog(bucket)

        def stop(verb: str, key: str) -> None:
            if key.startswith(f"{CHECKPOINTS}/"):
                raise unreachable()

        bucket.before = stop
        with pytest.raises(DataDirectoryUnavailable):
            log.follow()
        bucket.before = lambda verb, key: None
        log.follow()
        assert files_of(log) == files_of(writer)
