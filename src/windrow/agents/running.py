"""Runs tools in threads: a verb in a few, a training as a job that is followed, and cancelled with its call."""

import asyncio
import contextvars
import json
import threading
from collections.abc import Awaitable, Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Protocol, TypeVar

from windrow.agents.tools import Permission, Tool
from windrow.api.endpoints import Endpoint
from windrow.api.flat import write_reply
from windrow.client.remote import fit_result, trained_model
from windrow.domain.classifier import FitRequest, FitResult
from windrow.domain.dataset import DataLimits
from windrow.domain.errors import ClientClosedRequest, WindrowError
from windrow.domain.job import Job, JobRequest
from windrow.operations import Operations

R = TypeVar("R")
# Each waits for its turn among the server's trainings, or follows one.
_FIT_THREADS: Final = 32
_THREADS: Final = 16
# In which order a training goes through them.
_STAGES: Final = ("encoding", "training", "validating", "finishing", "saving")

# Told how far a training is: stages that are done and what share of the current one, of how many, and in words.
Report = Callable[[float, float, str], Awaitable[None]]


class Access(Protocol):
    """Gives the verbs to whoever sent a call."""

    @property
    def limits(self) -> DataLimits | None:
        """On the number of rows; ``None`` where a server counts them."""
        ...

    def verbs(self, endpoint: Endpoint[Any], request: object) -> AbstractContextManager[Operations]:
        """Give the verbs for one call, in the thread that does it.

        Args:
            endpoint: The verb that is called.
            request: Its request.

        Raises:
            AccessDenied: The caller may not make this request.
        """
        ...

    def told(self, error: WindrowError, endpoint: Endpoint[Any]) -> WindrowError:
        """Return an error as the caller may see it, and note what it was refused.

        Args:
            error: What the verb raised.
            endpoint: The verb.
        """
        ...


@dataclass(frozen=True, slots=True)
class Answer:
    """What a tool answers."""

    content: Mapping[str, Any]
    """The reply as HTTP has it."""
    text: str
    """The same as JSON."""


class ToolRunner:
    """Runs tools.

    Args:
        allowed: What agents may do.
    """

    def __init__(self, allowed: Collection[Permission]) -> None:
        self.allowed = frozenset(allowed)
        self._verbs = ThreadPoolExecutor(_THREADS, "tool")
        self._fits = ThreadPoolExecutor(_FIT_THREADS, "tool-fit")

    def close(self) -> None:
        """Wait until every call has ended; a cancelled one ends soon."""
        self._verbs.shutdown()
        self._fits.shutdown()

    async def run(self, tool: Tool, arguments: Mapping[str, Any], access: Access, report: Report) -> Answer:
        """Run a tool.

        Args:
            tool: The tool.
            arguments: What the agent sent.
            access: Gives the verbs to the agent.
            report: Told how far a training is.

        Raises:
            WindrowError: What is wrong with the arguments, or what the verb raises.
        """
        try:
            if tool.verb == "fit":
                return await self._fit(tool, arguments, access, report)
            return await self._verb(tool, arguments, access)
        except WindrowError as error:
            raise access.told(error, tool.endpoint) from error

    async def _verb(self, tool: Tool, arguments: Mapping[str, Any], access: Access) -> Answer:
        is_wanted = threading.Event()
        is_wanted.set()

        def work() -> Answer:
            request = tool.read(arguments, self.allowed, access.limits)
            more = {"is_connected": is_wanted.is_set} if tool.endpoint.cancellable else {}
            with access.verbs(tool.endpoint, request) as operations:
                reply = getattr(operations, tool.verb)(request, **more)
            return _answer(tool, request, reply)

        try:
            return await _in_thread(self._verbs, work)
        except asyncio.CancelledError:
            is_wanted.clear()
            raise

    async def _fit(self, tool: Tool, arguments: Mapping[str, Any], access: Access, report: Report) -> Answer:
        updates: asyncio.Queue[Job | None] = asyncio.Queue()
        loop = asyncio.get_running_loop()

        def tell(job: Job | None) -> None:
            with suppress(RuntimeError):  # the loop is closed, so nobody waits
                loop.call_soon_threadsafe(updates.put_nowait, job)

        training = _Training(tell)

        def work() -> Answer:
            try:
                request = tool.read(arguments, self.allowed, access.limits)
                with access.verbs(tool.endpoint, request) as operations:
                    return _answer(tool, request, training.run(operations, request))
            finally:
                tell(None)

        result = asyncio.ensure_future(_in_thread(self._fits, work))
        try:
            await _report_all(updates, report)
            return await result
        except asyncio.CancelledError:
            result.cancel()
            with suppress(RuntimeError):  # the process ends, and its trainings with it
                self._verbs.submit(training.cancel)
            raise


class _Training:
    """A training that is followed in one thread, and may be cancelled from another.

    Args:
        tell: Called with the job whenever something about it changed.
    """

    def __init__(self, tell: Callable[[Job], object]) -> None:
        self._tell = tell
        self._lock = threading.Lock()
        self._is_cancelled = False
        self._cancel: Callable[[], object] | None = None

    def run(self, operations: Operations, request: FitRequest) -> FitResult:
        """Train, and return what was trained.

        Args:
            operations: The verbs.
            request: What to train.

        Raises:
            WindrowError: What ``Operations.fit`` raises.
        """
        with self._lock:
            if self._is_cancelled:
                raise ClientClosedRequest("The call was cancelled, so nothing was trained. Call the tool again.")
        job = operations.start_fit(request)
        with self._lock:
            # For the same caller, though in another thread.
            self._cancel = partial(contextvars.copy_context().run, operations.cancel_job, JobRequest(job.id))
            is_cancelled = self._is_cancelled
        if is_cancelled:
            self.cancel()
        for update in operations.follow_job(JobRequest(job.id)):
            job = update
            self._tell(job)
        return fit_result(job, operations.show(trained_model(job)))

    def cancel(self) -> None:
        """Cancel it, or let it not begin."""
        with self._lock:
            self._is_cancelled = True
            cancel = self._cancel
        if cancel is not None:
            with suppress(WindrowError):  # such as that it has just ended
                cancel()


async def _in_thread(pool: ThreadPoolExecutor, work: Callable[[], R]) -> R:
    """Do some work in a thread, for the same caller."""
    return await asyncio.get_running_loop().run_in_executor(pool, contextvars.copy_context().run, work)


async def _report_all(updates: "asyncio.Queue[Job | None]", report: Report) -> None:
    """Report how far a training is, until it has ended; what is reported only grows."""
    last = -1.0
    while (job := await updates.get()) is not None:
        done, told = progress_of(job)
        if done > last:
            await report(done, float(len(_STAGES)), told)
            last = done


def progress_of(job: Job) -> tuple[float, str]:
    """Return how many of a training's five stages are done, and that in words.

    Args:
        job: The training.
    """
    if job.state == "queued":
        return 0.0, f"waiting for {job.ahead} other trainings" if job.ahead else "waiting for its turn"
    if job.is_finished:
        return float(len(_STAGES)), job.state
    progress = job.progress
    if progress is None or progress.stage not in _STAGES:
        return 0.0, "beginning"
    share = progress.step / progress.num_steps if progress.num_steps else 0.0
    steps = f", step {progress.step} of {progress.num_steps}" if progress.num_steps else ""
    left = "" if progress.seconds_left is None else f", about {progress.seconds_left:.0f} s left"
    return _STAGES.index(progress.stage) + min(share, 1.0), f"{progress.stage}{steps}{left}"


def _answer(tool: Tool, request: object, reply: object) -> Answer:
    text = write_reply(tool.verb, request, reply).decode()
    return Answer(json.loads(text), text)


def problem_of(error: WindrowError, told: str) -> dict[str, Any]:
    """Return an error as a program reads it: its code, what to do next, and its facts.

    Args:
        error: The error.
        told: Its sentences.
    """
    facts = {name: value for name, value in error.facts.items() if _is_plain(value)}
    return {**facts, "code": error.code, "detail": told}


def _is_plain(value: object) -> bool:
    try:
        json.dumps(value)
    except (TypeError, ValueError):
        return False
    return True
