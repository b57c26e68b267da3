"""Lets API keys take turns at the event loop, so that a key with many connections does not hold up the others there.

The loop runs whatever is ready before it looks at the network again. What is answered from memory takes it half a
millisecond, so 64 such requests at once would let another key's wait for 30 ms, at each step of its own.
"""

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Final

# For so long after requests of several keys came, they begin one by one, which costs 30 µs of processor time each: a
# key that comes once a minute must not find the loop full of another one's requests.
SHARED_S: Final = 600.0


class Pacing:
    """Begins requests in turns of their keys, one for each round of the event loop, while several keys send some.

    As long as one key alone sends requests, they begin at once. Only for one event loop.

    Args:
        clock_s: A clock that never goes back, in seconds.
    """

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self._last_key = ""
        self._shared_until_s = 0.0
        # The next key's first; what has no waiting request is not in it.
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    async def turn(self, key: str) -> None:
        """Wait until a request may begin.

        Args:
            key: The name of its key.
        """
        if key != self._last_key:
            # The first key of all has nobody to share with.
            self._shared_until_s = self._clock_s() + SHARED_S if self._last_key else 0.0
            self._last_key = key
        elif not self._waiting and self._clock_s() >= self._shared_until_s:
            return
        if not self._shared_until_s:
            return
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[None] = loop.create_future()
        if not self._waiting:
            loop.call_soon(self._begin_next, loop)
        self._waiting.setdefault(key, deque()).append(turn)
        await turn

    def _begin_next(self, loop: asyncio.AbstractEventLoop) -> None:
        while self._waiting:
            key, turns = self._waiting.popitem(last=False)
            turn = turns.popleft()
            if turns:
                self._waiting[key] = turns
            if not turn.done():  # its request was not cancelled
                turn.set_result(None)
                break
        if self._waiting:
            loop.call_soon(self._begin_next, loop)
