"""The desk: what the endpoints work with, and the threads in which the verbs run.

Owns which work may keep which other work waiting, and how a result becomes a response; knows no path and no verb.
"""

import asyncio
import contextvars
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar, cast

from fastapi import Request
from fastapi.responses import Response
from pydantic import BaseModel
from starlette.types import Receive

from windrow.domain.prediction import IsWanted
from windrow.http.metrics import Metrics
from windrow.operations import LocalOperations
from windrow.settings import Settings

# Beside those that wait for their turn.
FIT_THREADS = 8
QUICK_THREADS = 8
CHORE_THREADS = 16
# Each of these reads much of the data directory, or holds a whole file in memory.
SURVEY_THREADS = 2
FILE_THREADS = 4
# Each encodes many texts, beside predictions and trainings.
EXAMINATION_THREADS = 2
# For predictions that must load a classifier or read a large body; none of them waits for the encoder.
PREDICT_THREADS = 40
Done = TypeVar("Done")


@dataclass(frozen=True, slots=True)
class Desk:
    """What the endpoints work with. Made by :func:`open_desk`.

    Args:
        operations: Does the verbs.
        settings: Limits.
        metrics: The server's figures.
        quick: Threads for what must answer also when the others are busy: looking something up.
        chores: Threads for what changes the data directory, where it may have to wait for others.
        surveys: Threads for what looks at all of the data directory.
        files: Threads for exports and imports.
        examinations: Threads for what encodes many texts: evaluations, comparisons, suggestions.
        predictions: Threads for predictions that take their time before they are encoded.
        fits: Threads for trainings: to begin one, and for those (a cross-validation, a training done again) that wait
            for their turn in their thread.
    """

    operations: LocalOperations
    settings: Settings
    metrics: Metrics
    quick: ThreadPoolExecutor
    chores: ThreadPoolExecutor
    surveys: ThreadPoolExecutor
    files: ThreadPoolExecutor
    examinations: ThreadPoolExecutor
    predictions: ThreadPoolExecutor
    fits: ThreadPoolExecutor

    def close(self) -> None:
        """Let the threads end once they have nothing to do."""
        for threads in (
            self.quick,
            self.chores,
            self.surveys,
            self.files,
            self.examinations,
            self.predictions,
            self.fits,
        ):
            threads.shutdown(wait=False)


def open_desk(operations: LocalOperations, settings: Settings, metrics: Metrics) -> Desk:
    """Return what the endpoints work with."""
    return Desk(
        operations,
        settings,
        metrics,
        quick=ThreadPoolExecutor(QUICK_THREADS, "quick"),
        chores=ThreadPoolExecutor(CHORE_THREADS, "chore"),
        surveys=ThreadPoolExecutor(SURVEY_THREADS, "survey"),
        files=ThreadPoolExecutor(FILE_THREADS, "file"),
        examinations=ThreadPoolExecutor(EXAMINATION_THREADS, "examine"),
        predictions=ThreadPoolExecutor(PREDICT_THREADS, "predict"),
        fits=ThreadPoolExecutor(FIT_THREADS + settings.max_fits + settings.max_waiting_fits, "fit"),
    )


def desk_of(request: Request) -> Desk:
    """Return the desk of the application that a request came to."""
    return cast(Desk, request.app.state.desk)


async def answer(request: Request, work: Callable[[], BaseModel], threads: ThreadPoolExecutor) -> Response:
    """Do a verb's work in a thread and return its result as JSON."""
    return await timed(request, lambda: reply(work()), threads)


async def answer_while_wanted(
    request: Request, work: Callable[[IsWanted], BaseModel], threads: ThreadPoolExecutor
) -> Response:
    """Do a verb's work in a thread, and tell it when the client has left."""
    async with departure_of(request) as is_wanted:
        return await answer(request, lambda: work(is_wanted), threads)


@asynccontextmanager
async def departure_of(request: Request) -> AsyncIterator[IsWanted]:
    """Give what says, inside the ``with`` block, whether a request's client is still there. Its body must be read."""
    departure = asyncio.create_task(_wait_for_departure(request.receive))
    try:
        yield lambda: not departure.done()
    finally:
        departure.cancel()


async def _wait_for_departure(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def timed(request: Request, work: Callable[[], Done], threads: ThreadPoolExecutor) -> Done:
    """Do some work in a thread, and leave for the log line how long it waited and how long it took."""
    asked = time.perf_counter()

    def measured() -> Done:
        began = time.perf_counter()
        done = work()
        note_timings(request, began - asked, time.perf_counter() - began)
        return done

    return await in_thread(measured, threads)


async def in_thread(work: Callable[[], Done], threads: ThreadPoolExecutor) -> Done:
    """Do some work in a thread."""
    # Log lines of the thread carry the request's id, too. A cancelled request (the server stops and its patience is
    # over) does not wait for its thread.
    return await asyncio.get_running_loop().run_in_executor(threads, contextvars.copy_context().run, work)


def note_timings(request: Request, wait_s: float, work_s: float) -> None:
    """Leave for the log line how long a request waited for its work to begin, and how long that took."""
    request.state.timings = {"wait_ms": round(wait_s * 1e3, 2), "work_ms": round(work_s * 1e3, 2)}


def reply(shape: BaseModel, status: int = 200) -> Response:
    """Return a result as JSON."""
    # The line end keeps a terminal's prompt off the answer's line.
    return Response(shape.model_dump_json(by_alias=True) + "\n", status, media_type="application/json")
