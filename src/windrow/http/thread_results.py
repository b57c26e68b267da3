"""Hands what threads have computed to the event loop: the results of a batch together, which wake it once."""

import asyncio
from collections import deque
from concurrent.futures import Future
from typing import Any, TypeVar

Result = TypeVar("Result")


class ThreadResults:
    """Waits for futures of threads on an event loop, as ``asyncio.wrap_future`` does, which wakes the loop for each.

    :meth:`wait` is for the event loop's thread; the futures may end in any. Unlike there, a wait that is cancelled
    leaves its future as it is. Source: docs/adr/0011.
    """

    def __init__(self) -> None:
        self._inbox: _Inbox | None = None

    def wait(self, future: "Future[Result]") -> "asyncio.Future[Result]":
        """Return a future of the running event loop that gets the result of another one, or its error.

        Args:
            future: Runs already, so that it cannot be cancelled.
        """
        loop = asyncio.get_running_loop()
        if self._inbox is None or self._inbox.loop is not loop:
            self._inbox = _Inbox(loop)
        waiting: asyncio.Future[Result] = loop.create_future()
        inbox = self._inbox
        future.add_done_callback(lambda done: inbox.put(waiting, done))
        return waiting


class _Inbox:
    """The results that an event loop has not taken yet."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._results: deque[tuple[asyncio.Future[Any], Future[Any]]] = deque()
        self._is_woken = False

    def put(self, waiting: "asyncio.Future[Any]", done: "Future[Any]") -> None:
        """Put a result in, and wake the loop if nobody has."""
        self._results.append((waiting, done))
        # Looked at behind the line above, and taken back before the results are taken: none is left behind.
        if self._is_woken or self.loop.is_closed():
            return
        self._is_woken = True
        self.loop.call_soon_threadsafe(self._take)

    def _take(self) -> None:
        self._is_woken = False
        while self._results:
            waiting, done = self._results.popleft()
            if waiting.done():  # the request was cancelled
                continue
            if (error := done.exception()) is None:
                waiting.set_result(done.result())
            else:
                waiting.set_exception(error)
