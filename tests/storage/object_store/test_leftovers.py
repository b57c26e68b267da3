"""Contents that no commit names are removed, and no server that writes meanwhile loses anything."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from tests.fakes.files import Killed
from tests.storage.examples import fast_folder
from tests.storage.object_store.stores import Store
from windrow.domain.errors import StorageFailed
from windrow.domain.integrity import Finding
from windrow.storage.lock import CommitLost, transaction
from windrow.storage.object_store import leftovers
from windrow.storage.object_store.documents import CONTENTS
from windrow.storage.object_store.leftovers import check_leftovers

LEFT = f"{CONTENTS}/classifiers/tickets/000009.json.{'a' * 32}"


@pytest.fixture(autouse=True)
def _no_waiting_for_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leftovers, "_ATTEMPT_S", 0.0)


@pytest.fixture
def store() -> Iterator[Store]:
    with fast_folder() as folder:
        store = Store(Path(folder, "machine"))
        store.server.fit("tickets", 1)
        yield store


def checked(store: Store, *, repair: bool = True, unsure: str = "none") -> list[Finding]:
    def is_unsure(key: str) -> bool:
        return key.startswith(unsure)

    return check_leftovers(store.files, store.bucket, repair=repair, is_unsure=is_unsure)


def unnamed(store: Store) -> set[str]:
    """Return the contents that no commit names."""
    store.files.follow()
    named = {file.object_key(key) for key, file in store.files.stored()}
    return {each.key for each in store.bucket.objects(CONTENTS)} - named


def die(store: Store, verb: str, part: str) -> None:
    """Let a server die at its next request of a kind."""

    def kill(asked: str, key: str) -> None:
        if asked == verb and part in key:
            raise Killed

    other = store.other("dead")
    other.bucket.before = kill
    with suppress(Killed):
        other.server.fit("tickets", 2)
        other.server.purge_revision("tickets", 1)
    other.bucket.before = lambda verb, key: None


def test_nothing_is_committed_where_nothing_is_left(store: Store) -> None:
    number = store.files.commit_number
    assert checked(store) == []
    assert store.files.commit_number == number


@pytest.mark.parametrize("death", [("create", "commits"), ("remove", CONTENTS)])
def test_what_a_dead_server_left_behind_is_found_and_removed(store: Store, death: tuple[str, str]) -> None:
    die(store, *death)
    left = unnamed(store)
    assert left
    before = store.other().server.state()
    number = store.files.commit_number
    found = checked(store, repair=False)
    assert {(each.code, each.severity, each.path, each.repaired) for each in found} == {
        ("content_unreferenced", "garbage", key, False) for key in left
    }
    assert (unnamed(store), store.files.commit_number) == (left, number)
    assert {(each.path, each.repaired) for each in checked(store)} == {(key, True) for key in left}
    assert (unnamed(store), store.files.commit_number) == (set(), number + 1)
    assert store.other("third").server.state() == before


def test_an_attempt_that_is_held_open_over_the_fence_loses_and_is_made_again(store: Store) -> None:
    other = store.other()
    held, go_on, ended = threading.Event(), threading.Event(), threading.Event()
    lost: list[CommitLost] = []

    def hold(verb: str, key: str) -> None:
        if verb == "create" and threading.current_thread().name == "writer" and not held.is_set():
            held.set()
            assert go_on.wait(30)

    @transaction
    def fit() -> None:
        try:
            with other.files.transaction():
                other.files.put_new("classifiers/tickets/blobs/held", b"content")
        except CommitLost as error:
            lost.append(error)
            raise

    def write() -> None:
        fit()
        ended.set()

    store.bucket.before = hold
    writer = threading.Thread(target=write, name="writer")
    writer.start()
    assert held.wait(30)
    (left,) = unnamed(store)  # what it has put, and what the repair takes for a leftover
    assert [(each.path, each.repaired) for each in checked(store)] == [(left, True)]
    go_on.set()
    writer.join(30)
    assert ended.is_set() and len(lost) == 1
    assert unnamed(store) == set()
    assert store.files.get("classifiers/tickets/blobs/held") == b"content"
    assert store.bucket.get(store.object_of("classifiers/tickets/blobs/held")) == b"content"


@pytest.mark.parametrize("moment", ["between the list and the fence", "between the fence and the removal"])
def test_an_attempt_that_commits_meanwhile_keeps_what_it_has_put(store: Store, moment: str) -> None:
    store.bucket.put(LEFT, b"left")
    other, done = store.other(), threading.Event()

    def commit(verb: str, key: str) -> None:
        at = ("create", "commits") if "list" in moment else ("remove", CONTENTS)
        if (verb, key.partition("/")[0]) == at and not done.is_set():
            done.set()
            other.server.fit("other", 5)

    store.bucket.before = commit
    assert [(each.path, each.repaired) for each in checked(store)] == [(LEFT, True)]
    assert done.is_set()
    assert unnamed(store) == set()
    assert store.check().findings == ()
    assert store.other("third").server.find("other") == other.server.find("other")


@pytest.mark.parametrize("is_lost", [True, False])
def test_an_attempt_that_ends_between_two_looks_is_no_finding(store: Store, is_lost: bool) -> None:
    """A check alone makes no fence, so it looks twice."""
    store.bucket.put(LEFT, b"left")
    done = threading.Event()

    def end(seconds: float) -> None:
        done.set()
        if is_lost:
            store.bucket.remove(LEFT)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("windrow.storage.object_store.leftovers.time.sleep", end)
        found = checked(store, repair=False)
    assert done.is_set()
    assert [each.path for each in found] == ([] if is_lost else [LEFT])


def test_what_a_damaged_neighbour_may_need_stays(store: Store) -> None:
    other = LEFT.replace("tickets", "gone")
    store.bucket.put(LEFT, b"left")
    store.bucket.put(other, b"left")
    found = checked(store, unsure="classifiers/tickets/")
    assert {(each.path, each.repaired) for each in found} == {(LEFT, False), (other, True)}
    assert unnamed(store) == {LEFT}
    assert [each.repaired for each in checked(store, unsure="classifiers/tickets/")] == [False]


def test_a_check_takes_damage_of_a_name_into_account(store: Store) -> None:
    store.bucket.put(LEFT, b"left")
    key = store.object_of("classifiers/tickets/000001.json")
    store.alter(key, lambda content: content[:-1])
    report = store.check(repair=True)
    assert {each.code: each.repaired for each in report.findings if each.path == LEFT} == {
        "content_unreferenced": False
    }
    assert LEFT in store.bucket.objects_by_key


def test_repairs_beside_servers_that_write_take_nothing_from_them(store: Store) -> None:
    ended = threading.Event()

    def write(name: str) -> int:
        own, trainings = store.other(name), 0
        while not ended.is_set() or trainings < 3:
            assert own.server.fit(name, trainings) == trainings + 1
            trainings += 1
        return trainings

    with ThreadPoolExecutor(2) as writers:
        written = {name: writers.submit(write, name) for name in ("a", "b")}
        try:
            for number in range(3):
                left = f"{LEFT[:-1]}{number}"
                store.bucket.put(left, b"left")
                report = store.check(repair=True)
                assert {(each.code, each.repaired) for each in report.findings} == {("content_unreferenced", True)}
                assert left not in store.bucket.objects_by_key
        finally:
            ended.set()
        trainings = {name: future.result(60) for name, future in written.items()}
    assert unnamed(store) == set()
    assert store.check().findings == ()
    assert {name: store.names.revisions(name)[-1] for name in trainings} == trainings


def test_without_any_commit_nothing_is_removed(store: Store) -> None:
    """Somebody has removed the log: what is left is all that there is."""
    for each in list(store.bucket.objects("commits")):
        store.bucket.remove(each.key)
    fresh = store.other("fresh")
    before = {each.key for each in store.bucket.objects(CONTENTS)}
    report = fresh.check(repair=True)
    assert {each.path for each in report.findings} == before
    assert not any(each.repaired for each in report.findings)
    assert {each.key for each in store.bucket.objects(CONTENTS)} == before
    assert list(store.bucket.objects("commits")) == []


def test_what_cannot_be_removed_is_told_and_the_rest_removed(store: Store) -> None:
    other = LEFT.replace("tickets", "gone")
    store.bucket.put(LEFT, b"left")
    store.bucket.put(other, b"left")

    def refuse(verb: str, key: str) -> None:
        if verb == "remove" and key == other:
            raise StorageFailed("The store refuses {object}. Allow it.", {"object": key})

    store.bucket.before = refuse
    found = {each.path: each for each in checked(store)}
    assert not found[other].repaired and "The store refuses" in found[other].detail
    assert found[LEFT].repaired
