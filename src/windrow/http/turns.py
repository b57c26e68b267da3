"""Lets API keys take turns at threads, so that no key keeps the others waiting until all that it sent is done."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

Result = TypeVar("Result")
Key = TypeVar("Key")


class Turns(Generic[Key]):
    """So many at a time; where more wait, the next one is that of the key that had its last turn the longest ago.

    Only for one event loop.

    Args:
        places: How many at a time.
    """

    def __init__(self, places: int) -> None:
        self._free = places
        # The next key's first; what has no waiting work is not in it.
        self._waiting: OrderedDict[Key, deque[asyncio.Future[None]]] = OrderedDict()

    async def run(self, key: Key, work: Callable[[], Awaitable[Result]]) -> Result:
        """Do some work when it is its turn.

        Args:
            key: Whose it is.
            work: The work.
        """
        if self._free:
            self._free -= 1
        else:
            await self._wait(key)
        try:
            return await work()
        finally:
            self._pass_on()

    async def _wait(self, key: Key) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, deque()).append(turn)
        try:
            await turn
        except BaseException:  # the server stops
            if turn.done() and not turn.cancelled():
                self._pass_on()
            raise

    def _pass_on(self) -> None:
        """Give a place that is free to whoever is next."""
        while self._waiting:
            key, turns = self._waiting.popitem(last=False)
            turn = turns.popleft()
            if turns:
                self._waiting[key] = turns
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1
