"""Turns: each key has its own, nothing waits without need, and a place is never lost."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from windrow.http.turns import Turns


class Works:
    """Works that end when they are told to, in the order in which they began."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self._ends: list[asyncio.Event] = []

    def work(self, name: str) -> Callable[[], Awaitable[str]]:
        async def run() -> str:
            self.begun.append(name)
            end = asyncio.Event()
            self._ends.append(end)
            await end.wait()
            return name

        return run

    async def end(self, number: int) -> None:
        self._ends[number].set()
        for _ in range(5):
            await asyncio.sleep(0)


async def begun_in_order(sent: str, places: int) -> list[str]:
    """Return in which order the works of keys begin that were sent in one order, each key by a letter."""
    turns: Turns[str] = Turns(places)
    works = Works()
    tasks = [asyncio.create_task(turns.run(key, works.work(f"{key}{place}"))) for place, key in enumerate(sent)]
    await asyncio.sleep(0)
    assert len(works.begun) == min(places, len(sent))
    for number in range(len(sent)):
        await works.end(number)
    assert await asyncio.gather(*tasks) == [f"{key}{place}" for place, key in enumerate(sent)]
    return works.begun


@pytest.mark.parametrize(
    ("sent", "places", "begun"),
    [
        ("aaaab", 2, "a0 a1 a2 b4 a3"),
        ("aaaaaabbc", 1, "a0 a1 b6 c8 a2 b7 a3 a4 a5"),
        ("aaaa", 1, "a0 a1 a2 a3"),
        ("ab", 3, "a0 b1"),
    ],
)
def test_keys_that_wait_take_turns_and_each_first_come_first_served(sent: str, places: int, begun: str) -> None:
    assert asyncio.run(begun_in_order(sent, places)) == begun.split()


def test_a_cancelled_request_leaves_its_place_to_the_next_one() -> None:
    async def cancelled() -> list[str]:
        turns: Turns[str] = Turns(1)
        works = Works()
        first, second, third = (
            asyncio.create_task(turns.run(key, works.work(key))) for key in ("first", "second", "third")
        )
        await asyncio.sleep(0)
        second.cancel()
        await works.end(0)
        assert works.begun == ["first", "third"]
        third.cancel()
        await asyncio.gather(first, second, third, return_exceptions=True)
        await asyncio.wait_for(
            asyncio.gather(asyncio.create_task(turns.run("last", works.work("last"))), self_end(works)), 5
        )
        return works.begun

    async def self_end(works: Works) -> None:
        await asyncio.sleep(0)
        await works.end(len(works.begun) - 1)

    assert asyncio.run(cancelled()) == ["first", "third", "last"]


def test_a_work_that_fails_passes_its_place_on() -> None:
    async def fail() -> None:
        raise ValueError

    async def run() -> int:
        turns: Turns[str] = Turns(1)
        results = await asyncio.gather(*(turns.run("a", fail) for _ in range(3)), return_exceptions=True)
        return sum(isinstance(each, ValueError) for each in results)

    assert asyncio.run(run()) == 3
