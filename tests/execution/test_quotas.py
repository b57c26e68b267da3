"""Quotas: a bucket of requests for each key, and counters for days."""

from dataclasses import replace
from pathlib import Path

import pytest

from windrow.domain.caller import Caller, calling
from windrow.domain.errors import RateLimited
from windrow.domain.key_limits import BURST_S, UNLIMITED, KeyLimits, Quota
from windrow.execution.quotas import Quotas
from windrow.execution.use_counters import DAY_S, UseCounters
from windrow.storage.files import LocalFiles
from windrow.storage.lock import DirectoryLock
from windrow.storage.use_store import UseStore

NOON_S = 20_000 * DAY_S + DAY_S / 2


class Clocked:
    """Quotas of a data directory, with a clock that is set.

    Args:
        folder: The data directory.
    """

    def __init__(self, folder: Path) -> None:
        self.now_s = NOON_S
        self.counters = UseCounters(UseStore(LocalFiles(folder)), DirectoryLock(folder), lambda: self.now_s)
        self.quotas = Quotas(self.counters, lambda: self.now_s)

    def admitted(self, caller: Caller, requests: int) -> int:
        """Return how many of some requests are let in."""
        return sum(self._is_admitted(caller) for _ in range(requests))

    def _is_admitted(self, caller: Caller) -> bool:
        try:
            self.quotas.admit(caller)
        except RateLimited:
            return False
        return True


@pytest.fixture
def clocked(tmp_path: Path) -> Clocked:
    return Clocked(tmp_path)


def caller(name: str = "shop", **limits: int) -> Caller:
    return Caller(name, limits=replace(UNLIMITED, **limits))


def test_a_key_may_send_a_burst_and_then_as_many_a_second_as_its_limit_says(clocked: Clocked) -> None:
    shop = caller(requests_per_second=4)
    assert clocked.admitted(shop, 100) == 4 * BURST_S
    clocked.now_s += 1.0
    assert clocked.admitted(shop, 100) == 4
    clocked.now_s += 0.25
    assert clocked.admitted(shop, 100) == 1
    clocked.now_s += 1_000
    assert clocked.admitted(shop, 100) == 4 * BURST_S


def test_keys_have_buckets_of_their_own_and_one_without_limits_has_none(clocked: Clocked) -> None:
    assert clocked.admitted(caller("a", requests_per_second=1), 50) == BURST_S
    assert clocked.admitted(caller("b", requests_per_second=1), 50) == BURST_S
    assert clocked.admitted(caller("c"), 50) == 50
    assert clocked.admitted(Caller(), 50) == 50
    assert clocked.counters.key_use("c").requests == 50


def test_a_refusal_says_when_to_come_again_and_that_is_true(clocked: Clocked) -> None:
    shop = caller(requests_per_second=2)
    clocked.admitted(shop, 2 * BURST_S)
    with pytest.raises(RateLimited) as refused:
        clocked.quotas.admit(shop)
    facts = refused.value.facts
    assert (facts["name"], facts["quota"], facts["limit"]) == ("shop", "requests_per_second", 2)
    retry_after_s = facts["retry_after_s"]
    assert isinstance(retry_after_s, int)
    clocked.now_s += retry_after_s
    clocked.quotas.admit(shop)


def test_a_day_has_so_many_requests_and_the_next_day_as_many_again(clocked: Clocked) -> None:
    shop = caller(requests_per_day=10)
    assert clocked.admitted(shop, 30) == 10
    with pytest.raises(RateLimited) as refused:
        clocked.quotas.admit(shop)
    assert refused.value.facts["retry_after_s"] == DAY_S / 2
    clocked.now_s += DAY_S / 2
    assert clocked.admitted(shop, 30) == 10


def test_texts_that_are_more_than_the_day_has_left_are_refused_and_not_counted(clocked: Clocked) -> None:
    with calling(caller(texts_per_day=10)):
        clocked.quotas.check_texts(8)
        clocked.quotas.count_texts(8)
        with pytest.raises(RateLimited, match="10 texts a day") as refused:
            clocked.quotas.check_texts(3)
        assert refused.value.facts["used"] == 8
        clocked.quotas.check_texts(2)
    with calling(caller("other")):
        clocked.quotas.check_texts(10**9)


def test_what_limits_leave_is_told_for_those_that_there_are(clocked: Clocked) -> None:
    assert clocked.quotas.of(caller()) == ()
    assert clocked.quotas.of(Caller(limits=KeyLimits())) == ()
    shop = caller(requests_per_second=2, requests_per_day=100, texts_per_day=1_000)
    clocked.admitted(shop, 4)
    with calling(shop):
        clocked.quotas.count_texts(30)
    assert clocked.quotas.of(shop) == (
        Quota("requests_per_second", 2 * BURST_S, BURST_S, 6, 2),
        Quota("requests_per_day", 100, DAY_S, 96, DAY_S // 2),
        Quota("texts_per_day", 1_000, DAY_S, 970, DAY_S // 2),
    )


def test_a_restart_forgets_nothing_of_the_day(tmp_path: Path, clocked: Clocked) -> None:
    shop = caller(requests_per_day=10)
    assert clocked.admitted(shop, 7) == 7
    clocked.counters.close()
    again = Clocked(tmp_path)
    again.counters.read_keys()
    assert again.admitted(shop, 7) == 3


def test_the_limits_of_a_day_hold_for_several_servers_once_they_know_of_one_another(
    tmp_path: Path, clocked: Clocked
) -> None:
    shop, other = caller(requests_per_day=10), Clocked(tmp_path)
    assert clocked.admitted(shop, 4) == 4
    clocked.counters.update()
    other.counters.update()
    assert other.admitted(shop, 10) == 6
    other.counters.update()
    clocked.counters.update()
    assert clocked.admitted(shop, 10) == 0
