"""The loading cache: single flight, budget, eviction."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windrow.domain.server_stats import CacheStats
from windrow.execution.cache import LoadingCache


def cache(max_bytes: int = 100) -> LoadingCache[str, str]:
    return LoadingCache(max_bytes, len)


def test_a_value_is_loaded_once() -> None:
    loads: list[str] = []
    kept = cache()
    for _ in range(3):
        assert kept.get("a", lambda: loads.append("a") or "value") == "value"  # type: ignore[func-returns-value]
    assert loads == ["a"]


@pytest.mark.parametrize("max_bytes", [100, 0], ids=["kept", "not kept"])
def test_a_hundred_simultaneous_callers_load_once(max_bytes: int) -> None:
    kept = cache(max_bytes)
    loads: list[int] = []
    all_have_asked = threading.Event()

    def load() -> str:
        loads.append(1)
        assert all_have_asked.wait(30)
        return "value"

    with ThreadPoolExecutor(100) as pool:
        answers = [pool.submit(kept.get, "a", load) for _ in range(100)]
        deadline = time.monotonic() + 30
        while kept.stats().misses < 100 and time.monotonic() < deadline:
            time.sleep(0.001)
        all_have_asked.set()
        assert {answer.result() for answer in answers} == {"value"}
    assert len(loads) == 1


def test_the_least_recently_used_goes_first() -> None:
    kept = cache(max_bytes=2)
    for key in "ab":
        kept.get(key, lambda: "x")
    kept.get("a", lambda: "reloaded")
    kept.get("c", lambda: "x")
    assert kept.get("a", lambda: "reloaded") == "x"
    assert kept.get("b", lambda: "reloaded") == "reloaded"


def test_a_value_beyond_the_budget_is_handed_out_but_not_kept() -> None:
    kept = cache(max_bytes=2)
    assert kept.get("a", lambda: "xxx") == "xxx"
    assert kept.get("a", lambda: "yyy") == "yyy"


def test_a_budget_of_nothing_keeps_nothing() -> None:
    kept = cache(max_bytes=0)
    assert kept.get("a", lambda: "x") == "x"
    kept.put("b", "x")
    assert (kept.peek("a"), kept.peek("b")) == (None, None)
    assert kept.stats() == CacheStats(entries=0, size_bytes=0, max_bytes=0, hits=0, misses=3)


def test_a_value_that_was_put_is_found() -> None:
    kept = cache()
    kept.put("a", "x")
    assert kept.peek("a") == kept.get("a", lambda: "loaded") == "x"
    kept.put("a", "another")
    assert kept.peek("a") == "another"
    assert kept.stats().size_bytes == len("another")


def test_peeking_at_a_value_makes_it_the_most_recently_used() -> None:
    kept = cache(max_bytes=2)
    kept.put("a", "x")
    kept.put("b", "x")
    kept.peek("a")
    kept.put("c", "x")
    assert [key for key in "abc" if kept.peek(key)] == ["a", "c"]


def test_what_is_discarded_is_loaded_anew() -> None:
    kept = cache()
    for key in ("a1", "a2", "b1"):
        kept.put(key, "old")
    kept.discard(lambda key: key.startswith("a"))
    assert [kept.get(key, lambda: "new") for key in ("a1", "a2", "b1")] == ["new", "new", "old"]
    assert kept.stats().size_bytes == 9


@pytest.mark.parametrize("is_failing", [False, True])
def test_a_load_that_began_before_a_discard_is_handed_out_but_not_kept(is_failing: bool) -> None:
    kept = cache()
    has_begun, may_end = threading.Event(), threading.Event()

    def load() -> str:
        has_begun.set()
        assert may_end.wait(30)
        if is_failing:
            raise KeyError("no such file")
        return "old"

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(kept.get, "a", load)
        assert has_begun.wait(30)
        kept.discard(lambda key: key == "a")
        assert kept.get("a", lambda: "new") == "new"
        may_end.set()
        if is_failing:
            with pytest.raises(KeyError):
                first.result()
        else:
            assert first.result() == "old"
    assert kept.peek("a") == "new"


def test_stats_tell_what_is_here_and_how_often_it_helped() -> None:
    kept = cache(max_bytes=5)
    for _ in range(3):
        kept.get("a", lambda: "xx")
    kept.put("b", "yyy")
    kept.peek("b")
    kept.peek("c")
    assert kept.stats() == CacheStats(entries=2, size_bytes=5, max_bytes=5, hits=3, misses=2)
    kept.put("c", "z")
    assert (kept.stats().entries, kept.stats().size_bytes) == (2, 4)


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(1, 4)), max_size=40), st.integers(0, 8))
def test_it_never_holds_more_than_its_budget(puts: list[tuple[str, int]], max_bytes: int) -> None:
    kept = cache(max_bytes)
    for key, size in puts:
        kept.put(key, "x" * size)
        stats = kept.stats()
        assert stats.size_bytes <= max_bytes
        assert sum(len(kept.peek(letter) or "") for letter in "abcdef") == stats.size_bytes


def test_a_failed_load_is_raised_and_tried_again() -> None:
    kept = cache()

    def fail() -> str:
        raise KeyError("no such file")

    with pytest.raises(KeyError):
        kept.get("a", fail)
    assert kept.get("a", lambda: "value") == "value"
