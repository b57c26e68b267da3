"""The upkeep of an object store: its looks are dated by its own clock, and a wrong one purges nothing."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.fakes.bucket import unreachable
from tests.storage.model import Server
from tests.storage.object_store.stores import Store
from windrow.domain.errors import DataDirectoryUnavailable
from windrow.encoders.inventory import Inventory
from windrow.storage.catalog import Catalog
from windrow.storage.namespace import Namespace
from windrow.storage.object_store import leftovers
from windrow.storage.object_store.content_cache import ContentCache
from windrow.storage.object_store.object_files import ObjectFiles
from windrow.storage.object_store.obstore_bucket import ObstoreBucket
from windrow.storage.object_store.store_maintenance import StoreLastCheck, StoreMaintenance
from windrow.storage.retention import Retention

AT = datetime(2026, 9, 16, 8, 0, tzinfo=UTC)
WEEK = timedelta(days=7)


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = AT

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """The clock of the store, and of every server that has none of its own."""
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Store:
    """A store with something deleted, which was looked through a moment later."""
    store = Store(tmp_path / "machine")
    store.bucket.clock = clock
    store.server.fit("kept", 1)
    names = Namespace(store.files, store.files.transaction, clock)
    store.server.fit("tickets", 2)
    Catalog(names).delete("tickets")
    assert look(store, clock) == []
    return store


def look(store: Store, clock: Callable[[], datetime]) -> list[str]:
    """Look as a server does that has just been started."""
    names = Namespace(store.files, store.files.transaction, clock)
    return Retention(StoreLastCheck(store.bucket, clock), Catalog(names).purging, WEEK).purge_expired()


def test_what_was_deleted_is_purged_when_its_time_has_come(store: Store, clock: Clock) -> None:
    purged = []
    for _ in range(8):
        clock.now += timedelta(days=1)
        purged.append(look(store, clock))
    assert purged == [*([[]] * 7), ["tickets"]]
    assert store.names.classifiers.names() == ("kept",)


def test_of_several_servers_one_looks_at_a_time(store: Store, clock: Clock) -> None:
    other = store.other()
    for _ in range(7):
        clock.now += timedelta(days=1)
        look(store, clock)
    clock.now += timedelta(hours=1)
    assert look(other, clock) == ["tickets"]
    requests = store.bucket.requests["create"]
    clock.now += timedelta(minutes=20)
    assert look(store, clock) == []
    assert store.bucket.requests["create"] == requests


def test_two_servers_that_look_at_the_same_moment_do_no_harm(store: Store, clock: Clock) -> None:
    for _ in range(7):
        clock.now += timedelta(days=1)
        look(store, clock)
    clock.now += timedelta(hours=1)
    other = store.other()
    purged: list[list[str]] = []

    def rival(verb: str, key: str) -> None:
        if verb == "put" and key == "retention/last_purge_check" and not purged:
            purged.append([])
            purged[0] = look(other, clock)

    store.bucket.before = rival
    assert sorted([*look(store, clock), *purged[0]]) == ["tickets"]
    assert store.other("third").names.classifiers.names() == ("kept",)


def test_where_every_server_was_stopped_for_long_nothing_is_purged_at_once(
    store: Store, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    clock.now += timedelta(days=30)
    assert look(store, clock) == []
    assert len(caplog.messages) == 1
    clock.now += timedelta(hours=1)
    assert look(store, clock) == ["tickets"]


@pytest.mark.parametrize("off", [timedelta(days=3650), timedelta(days=-3650)])
def test_a_server_whose_clock_is_wrong_purges_nothing_and_keeps_nobody_from_it(
    store: Store, clock: Clock, off: timedelta, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(9):
        assert look(store, lambda: clock.now + off) == []
        clock.now += timedelta(minutes=40)
    assert all("Set the clock" in message for message in caplog.messages)
    assert store.names.classifiers.names() == ("kept", "tickets")
    assert look(store, clock) == []
    assert len(caplog.messages) == 9  # and none of a jump


def test_a_clock_that_is_a_little_off_does_not_matter(store: Store, clock: Clock) -> None:
    def slow() -> datetime:
        return clock.now - timedelta(hours=5)

    for _ in range(7):
        clock.now += timedelta(days=1)
        assert look(store, slow) == []
    clock.now += timedelta(hours=1)
    assert look(store, slow) == ["tickets"]


def test_a_look_that_is_not_due_takes_a_handful_of_requests(store: Store, clock: Clock) -> None:
    clock.now += timedelta(minutes=10)
    store.bucket.requests.clear()
    assert look(store, clock) == []
    assert store.bucket.requests.total() <= 4


def test_a_store_that_does_not_answer_is_told(store: Store, clock: Clock) -> None:
    def fail(verb: str, key: str) -> None:
        raise unreachable()

    store.bucket.before = fail
    with pytest.raises(DataDirectoryUnavailable):
        look(store, clock)


def test_the_objects_of_a_look_are_nothing_foreign(store: Store) -> None:
    upkeep = StoreMaintenance(store.files, store.bucket, store.folder)
    assert upkeep.last_check().read() == AT
    assert upkeep.check(store.names).findings == ()


@pytest.mark.slow
def test_an_object_store_over_the_network_is_looked_after_likewise(
    direct: ObstoreBucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leftovers, "_ATTEMPT_S", 0.0)
    files = ObjectFiles(direct, ContentCache(tmp_path / "contents", 10**9))
    files.open()
    server = Server(files)
    server.fit("tickets", 1)
    server.fit("gone", 2)
    server.delete("gone")
    direct.put("notes/today", b"?")
    left = f"files/classifiers/tickets/000009.json.{'a' * 32}"
    direct.put(left, b"left")
    upkeep = StoreMaintenance(files, direct, tmp_path)
    found = {(each.code, each.path, each.repaired) for each in upkeep.check(server.names, repair=True).findings}
    assert found == {("foreign_file", "notes", False), ("content_unreferenced", left, True)}
    assert [each.path for each in upkeep.check(server.names).findings] == ["notes"]
    usage = upkeep.measure(server.names, Inventory(tmp_path, ()))
    assert [(each.name, each.revisions, each.deleted) for each in usage.classifiers] == [
        ("gone", 1, True),
        ("tickets", 1, False),
    ]
    assert Retention(upkeep.last_check(), server.catalog.purging, WEEK).purge_expired() == []
    assert upkeep.last_check().read() is not None
