"""The server's context: operations, settings, metrics, and the thread pools in which the verbs run."""

import asyncio
import contextvars
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Final, TypeVar, cast, get_args

from starlette.requests import Request
from starlette.types import Receive

from windrow.api.endpoints import Pool
from windrow.domain.caller import current_caller
from windrow.domain.prediction import IsConnected
from windrow.http.budget import Budget
from windrow.http.job_watches import JobWatches
from windrow.http.metrics import Metrics
from windrow.http.thread_results import ThreadResults
from windrow.http.turns import Turns
from windrow.local_operations import LocalOperations
from windrow.settings import Settings, variable_name

THREADS: Final[Mapping[Pool, int]] = {
    "light": 8,
    # They may have to wait for other processes.
    "write": 16,
    # Each of these reads much of the data directory, or holds a whole file in memory.
    "scan": 2,
    "transfer": 4,
    # Each encodes many texts, beside predictions and trainings.
    "bulk": 2,
    # For predictions of many texts by classifiers in memory; none of them waits for the encoder, nor for a disk.
    "predict": 8,
    # For predictions that must read the disk, and so may hang with it, and for those that are to be explained.
    "load": 40,
    # Beside those that wait for their turn in their thread.
    "fit": 8,
    # Each of these holds a large body, and many values while it becomes a request.
    "parse": 2,
    "monitor": 2,
}
# So many files of the largest size may be taken in at the same time.
_UPLOADS: Final = 4
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class ServerContext:
    """What the endpoints work with. Made by :func:`create_context`.

    Args:
        operations: Does the verbs.
        settings: Limits.
        metrics: The server's metrics.
        pools: Threads for each kind of work, so that none holds up another.
        turns: The turns of API keys at these threads.
        bodies: How many bytes of JSON may be received and read at the same time.
        uploads: How many bytes of files may be received and read at the same time.
        watches: The jobs that clients follow.
        results: Hands predictions from the encoder's threads to the event loop.
    """

    operations: LocalOperations
    settings: Settings
    metrics: Metrics
    pools: Mapping[Pool, ThreadPoolExecutor]
    turns: Mapping[Pool, Turns[str]]
    bodies: Budget
    uploads: Budget
    watches: JobWatches = field(default_factory=JobWatches)
    results: ThreadResults = field(default_factory=ThreadResults)

    def close(self) -> None:
        """Let the threads end once they have nothing to do."""
        for pool in self.pools.values():
            pool.shutdown(wait=False)

    async def run(self, pool: Pool, work: Callable[[], Result]) -> Result:
        """Do some work in a thread."""
        # Log lines of the thread carry the request's id, too. A cancelled request (the server stops and its timeout is
        # over) does not wait for its thread.
        call = partial(contextvars.copy_context().run, work)
        run = partial(asyncio.get_running_loop().run_in_executor, self.pools[pool], call)
        if (key := current_caller().key_name) is None:
            return await run()
        return await self.turns[pool].run(key, run)

    async def run_timed(self, request: Request, pool: Pool, work: Callable[[], Result]) -> Result:
        """Do some work in a thread, and leave for the log line how long it waited and how long it took."""
        queued_at = time.perf_counter()

        def measured() -> Result:
            started_at = time.perf_counter()
            result = work()
            note_timings(request, started_at - queued_at, time.perf_counter() - started_at)
            return result

        return await self.run(pool, measured)


def create_context(operations: LocalOperations, settings: Settings, metrics: Metrics) -> ServerContext:
    """Return what the endpoints work with."""
    threads = {**THREADS, "fit": THREADS["fit"] + settings.max_concurrent_fits + settings.max_queued_fits}
    pools: dict[Pool, ThreadPoolExecutor] = {pool: ThreadPoolExecutor(threads[pool], pool) for pool in get_args(Pool)}
    turns: dict[Pool, Turns[str]] = {pool: Turns(threads[pool]) for pool in get_args(Pool)}
    # A body that is allowed has room while there is no other one.
    max_bodies_bytes = max(settings.max_pending_body_bytes, settings.max_body_bytes)
    bodies = Budget(max_bodies_bytes, variable_name("max_pending_body_bytes"))
    uploads = Budget(_UPLOADS * settings.max_import_bytes, variable_name("max_import_bytes"))
    return ServerContext(operations, settings, metrics, pools, turns, bodies, uploads)


def context_of(request: Request) -> ServerContext:
    """Return the context of the application that a request came to."""
    return cast(ServerContext, request.app.state.context)


class DisconnectWatch:
    """Watches for a client's disconnect inside a ``with`` block, once the block waits for anything.

    Args:
        request: The request, whose body has been read.
    """

    def __init__(self, request: Request) -> None:
        self._receive = request.receive
        self._begin: asyncio.Handle | None = None
        self._disconnect: asyncio.Task[None] | None = None

    def __enter__(self) -> IsConnected:
        # What is answered from memory at once needs no task.
        self._begin = asyncio.get_running_loop().call_soon(self._watch)
        return self._is_connected

    def __exit__(self, *_: object) -> None:
        for each in (self._begin, self._disconnect):
            if each is not None:
                each.cancel()

    def _watch(self) -> None:
        self._disconnect = asyncio.create_task(_wait_for_disconnect(self._receive))

    def _is_connected(self) -> bool:
        """Return whether no disconnect has been seen; for any thread."""
        return self._disconnect is None or not self._disconnect.done()


async def _wait_for_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def note_timings(request: Request, wait_s: float, work_s: float) -> None:
    """Leave for the log line how long a request waited for its work to begin, and how long that took."""
    request.scope["state"]["timings"] = {"wait_ms": round(wait_s * 1e3, 2), "work_ms": round(work_s * 1e3, 2)}
