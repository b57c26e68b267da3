"""The loading cache: single flight, budget, eviction."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from windrow.execution.cache import LoadingCache


def cache(max_bytes: int = 100) -> LoadingCache[str, str]:
    return LoadingCache(max_bytes, len)


def test_a_value_is_loaded_once() -> None:
    loads: list[str] = []
    kept = cache()
    for _ in range(3):
        assert kept.get("a", lambda: loads.append("a") or "value") == "value"  # type: ignore[func-returns-value]
    assert loads == ["a"]


def test_a_hundred_simultaneous_callers_load_once() -> None:
    kept = cache()
    loads: list[int] = []
    gate = threading.Barrier(100)
    release = threading.Event()

    def load() -> str:
        loads.append(1)
        assert release.wait(30)
        return "value"

    def ask() -> str:
        gate.wait()
        return kept.get("a", load)

    with ThreadPoolExecutor(100) as pool:
        answers = [pool.submit(ask) for _ in range(100)]
        release.set()
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


def test_a_failed_load_is_raised_and_tried_again() -> None:
    kept = cache()

    def fail() -> str:
        raise KeyError("no such file")

    with pytest.raises(KeyError):
        kept.get("a", fail)
    assert kept.get("a", lambda: "value") == "value"
