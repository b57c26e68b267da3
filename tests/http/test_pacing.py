"""Pacing: while several keys send requests, one begins in each round of the loop, in turns of the keys."""

import asyncio

import pytest

from windrow.http.pacing import SHARED_S, Pacing


class Rounds:
    """Requests that note in which round of the loop each of them began."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.pacing = Pacing(lambda: self.now_s)
        self.began: list[str] = []

    def send(self, keys: str) -> list["asyncio.Task[None]"]:
        return [asyncio.create_task(self._request(key)) for key in keys]

    async def _request(self, key: str) -> None:
        await self.pacing.turn(key)
        self.began.append(key)

    async def rounds(self, number: int) -> list[str]:
        """Return what has begun after some more rounds."""
        for _ in range(number):
            await asyncio.sleep(0)
        return self.began


def test_the_requests_of_one_key_begin_at_once() -> None:
    async def run() -> None:
        rounds = Rounds()
        rounds.send("aaaa")
        assert await rounds.rounds(1) == ["a"] * 4

    asyncio.run(run())


def test_two_keys_take_turns_and_begin_one_by_one() -> None:
    async def run() -> None:
        rounds = Rounds()
        rounds.send("ab")
        await rounds.rounds(5)
        assert rounds.began == ["a", "b"]
        tasks = rounds.send("aaaaab")
        assert len(await rounds.rounds(3)) == 3
        await asyncio.gather(*tasks)
        assert "".join(rounds.began) == "ab" + "abaaaa"

    asyncio.run(run())


def test_a_key_that_is_alone_again_waits_for_no_turn() -> None:
    async def run() -> None:
        rounds = Rounds()
        rounds.send("ab")
        await rounds.rounds(5)
        rounds.send("bb")
        await rounds.rounds(1)
        assert rounds.began == ["a", "b"]
        await rounds.rounds(5)
        rounds.now_s += SHARED_S
        rounds.send("bbb")
        assert await rounds.rounds(1) == ["a", *"bbb", *"bbb"]

    asyncio.run(run())


@pytest.mark.parametrize("cancelled", range(3))
def test_a_request_that_is_cancelled_while_it_waits_keeps_nobody_waiting(cancelled: int) -> None:
    async def run() -> None:
        rounds = Rounds()
        rounds.send("ab")
        await rounds.rounds(5)
        tasks = rounds.send("abc")
        await rounds.rounds(1)
        tasks[cancelled].cancel()
        await asyncio.wait(tasks, timeout=5)
        assert rounds.began[2:] == [key for place, key in enumerate("abc") if place != cancelled]

    asyncio.run(run())
