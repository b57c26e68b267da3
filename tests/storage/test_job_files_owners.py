"""Which processes that run jobs live: one contract for a folder and for an object store."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.storage.store_servers import SharedStore
from windrow.storage.job_files import Owners
from windrow.storage.local_owners import LocalOwners
from windrow.storage.object_store.store_owners import LISTING_S, StoreOwners

Open = Callable[[], Owners]


@pytest.fixture
def store() -> SharedStore:
    return SharedStore()


@pytest.fixture(params=["local", "object store"])
def opened(request: pytest.FixtureRequest, tmp_path: Path, store: SharedStore) -> Iterator[Open]:
    made: list[Owners] = []

    def open_one() -> Owners:
        if request.param == "local":
            made.append(LocalOwners(tmp_path))
        else:
            made.append(StoreOwners(store.connect(), store.clock.seconds))
        return made[-1]

    yield open_one
    for each in made:
        each.close()


def test_each_process_has_one_name(opened: Open) -> None:
    one, other = opened(), opened()
    name = one.acquire()
    assert one.acquire() == name
    assert other.acquire() != name


def test_a_process_lives_until_it_closes(opened: Open, store: SharedStore) -> None:
    one, other, idle = opened(), opened(), opened()
    name = one.acquire()
    other.acquire()
    assert [each.is_alive(name) for each in (one, other, idle)] == [True, True, True]
    one.close()
    store.clock.advance(LISTING_S + 1)
    assert [each.is_alive(name) for each in (one, other, idle)] == [False, False, False]


def test_a_process_that_begins_after_a_look_is_not_taken_for_dead(opened: Open) -> None:
    one, other = opened(), opened()
    first = one.acquire()
    assert other.is_alive(first)
    assert other.is_alive(opened().acquire())


def test_a_name_that_nobody_has_is_dead(opened: Open) -> None:
    one = opened()
    assert not one.is_alive("never there")
    one.acquire()
    assert not one.is_alive("never there")


def test_a_closed_process_keeps_its_name_for_what_it_still_says(opened: Open, store: SharedStore) -> None:
    one = opened()
    name = one.acquire()
    one.close()
    one.close()
    assert one.acquire() == name
    store.clock.advance(LISTING_S + 1)
    assert not opened().is_alive(name)


def test_a_process_that_ends_before_its_first_job_has_no_name(opened: Open) -> None:
    one = opened()
    one.close()
    assert one.acquire() == ""


def test_a_forked_process_has_a_name_of_its_own(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    one = opened()
    name = one.acquire()
    process_id = os.getpid()
    with monkeypatch.context() as changed:
        changed.setattr(os, "getpid", lambda: process_id + 1)
        assert one.acquire() != name


def test_pruning_leaves_the_living(opened: Open) -> None:
    one, other = opened(), opened()
    names = [one.acquire(), other.acquire()]
    other.prune()
    assert [opened().is_alive(name) for name in names] == [True, True]
