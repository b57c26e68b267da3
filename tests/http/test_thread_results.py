"""Results of threads on the event loop: each reaches whoever waits for it, and those of a batch wake the loop once."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any

import pytest

from windrow.http.thread_results import ThreadResults


def in_thread(work: Callable[[], object]) -> None:
    """Do some work in a thread, and wait for its end."""
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def set_all(futures: Sequence[Future[int]]) -> None:
    """Set the result of each future to its number."""
    for number, future in enumerate(futures):
        future.set_result(number)


def test_the_results_of_a_batch_wake_the_loop_once_and_reach_who_waits_for_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    results = ThreadResults()
    futures: list[Future[int]] = [Future() for _ in range(5)]

    async def main() -> list[int]:
        loop, wakes = asyncio.get_running_loop(), list[object]()
        wake = loop.call_soon_threadsafe

        def counted(callback: Callable[..., object], *args: Any, **more: Any) -> asyncio.Handle:
            wakes.append(callback)
            return wake(callback, *args, **more)

        monkeypatch.setattr(loop, "call_soon_threadsafe", counted)
        waiting = [results.wait(future) for future in futures]
        for _ in range(2):  # and the next batch wakes it again
            in_thread(lambda: set_all(futures))
            assert await asyncio.gather(*waiting) == [0, 1, 2, 3, 4]
            futures[:] = [Future() for _ in range(5)]
            waiting = [results.wait(future) for future in futures]
        assert len(wakes) == 2
        in_thread(lambda: set_all(futures))
        return await asyncio.gather(*waiting)

    assert asyncio.run(main()) == [0, 1, 2, 3, 4]


def test_an_error_is_raised_where_it_is_waited_for_and_a_cancelled_request_takes_nothing() -> None:
    results = ThreadResults()
    failed, unwanted, wanted = Future[int](), Future[int](), Future[int]()

    async def main() -> None:
        failing, cancelled, waiting = map(results.wait, (failed, unwanted, wanted))
        cancelled.cancel()
        in_thread(lambda: failed.set_exception(ValueError("no")))
        in_thread(lambda: unwanted.set_result(1))
        in_thread(lambda: wanted.set_result(2))
        with pytest.raises(ValueError, match="no"):
            await failing
        assert await waiting == 2
        assert cancelled.cancelled()

    asyncio.run(main())


def test_a_result_after_the_end_of_its_loop_is_dropped_and_another_loop_is_served() -> None:
    results = ThreadResults()
    late, further = Future[int](), Future[int]()

    async def leave() -> None:
        results.wait(late)

    async def stay() -> int:
        waiting = results.wait(further)
        in_thread(lambda: further.set_result(3))
        return await waiting

    asyncio.run(leave())
    late.set_result(1)
    assert asyncio.run(stay()) == 3
