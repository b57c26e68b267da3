"""Turns: no more work at the same time than may, and the counts say how many do and wait."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from windrow.execution.turns import Turns


def test_who_has_no_turn_waits_and_is_counted() -> None:
    turns = Turns(2)
    seen: list[int] = []
    inside, leave = threading.Semaphore(0), threading.Semaphore(0)

    def work() -> None:
        with turns:
            seen.append(turns.running)
            inside.release()
            leave.acquire()

    with ThreadPoolExecutor(3) as pool:
        done = [pool.submit(work) for _ in range(3)]
        assert inside.acquire(timeout=30)
        assert inside.acquire(timeout=30)
        while not turns.waiting:  # until the third has come as far as it gets
            pass
        assert (turns.running, turns.waiting) == (2, 1)
        leave.release()
        assert inside.acquire(timeout=30)
        assert (turns.running, turns.waiting) == (2, 0)
        leave.release(2)
        for each in done:
            each.result()
    assert max(seen) == 2
    assert (turns.running, turns.waiting) == (0, 0)


def test_a_failure_gives_the_turn_back() -> None:
    turns = Turns(1)
    with pytest.raises(ValueError, match="no"), turns:
        raise ValueError("no")
    with turns:
        assert turns.running == 1
