"""``AsyncRemoteOperations``: the verbs over HTTP, as coroutines of an event loop."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Generator
from contextlib import aclosing, closing
from dataclasses import replace
from datetime import datetime
from typing import Any, BinaryIO

from windrow.api.endpoints import (
    BY_VERB,
    CLASSIFY,
    EXPORT,
    FOLLOW_JOB,
    IMPORT,
    INSPECT,
    JOB,
    PREDICT,
    REPORT,
    SHOW,
    START_FIT,
    Endpoint,
    NoRequest,
)
from windrow.client.async_transport import AsyncTransport
from windrow.client.calls import build_call, complete_request
from windrow.client.errors import ConnectionLost, ServerTimedOut
from windrow.client.event_stream import EventReader
from windrow.client.following import naming_job, naming_result, no_events, stopped_telling
from windrow.client.remote import (
    EVENTS_TIMEOUT_S,
    AnyFile,
    RemoteOperations,
    fit_result,
    parse_file,
    report_progress,
    trained_model,
)
from windrow.client.replies import read_classify_reply, read_predict_reply, read_reply
from windrow.client.retrying import check_timeout
from windrow.client.transport import Call, StreamedBody
from windrow.domain.archive import Export, ExportRequest, Imported, ImportRequest
from windrow.domain.classification import Classification, ClassifyRequest
from windrow.domain.classifier import FitRequest, FitResult
from windrow.domain.clock import utc_now
from windrow.domain.inspection import Inspection, InspectRequest
from windrow.domain.job import Job, JobRequest, OnProgress, ignore_progress
from windrow.domain.prediction import Prediction, PredictRequest
from windrow.domain.report_page import ReportPage, ReportRequest
from windrow.domain.secret import Secret


class AsyncRemoteOperations:
    """Every verb of ``Operations`` as a coroutine, done by a server; from any number of tasks of one event loop.

    It sends, repeats, waits and refuses as :class:`windrow.client.remote.RemoteOperations` does.

    Args:
        url: The server's address (``http://127.0.0.1:14345``), with ``user:password@`` where a proxy asks for them.
        timeout_s: Longest silence of the server, in seconds; what may take minutes may take as long as it needs.
        retries: How often what is idempotent is sent again.
        api_key: The API key that each request carries; ``None`` for none.

    Raises:
        InvalidParameter: The URL is none, or a number lies outside its range.
        ImportError: httpx is not installed.
    """

    def __init__(self, url: str, timeout_s: float = 60.0, retries: int = 3, api_key: Secret | None = None) -> None:
        check_timeout(timeout_s)
        self._transport = AsyncTransport(url, retries, api_key=api_key)
        self._url, self._api_key = url, api_key
        self._timeout_s = timeout_s

    @property
    def url(self) -> str:
        """The server's address, without user and password."""
        return self._transport.url

    @property
    def exposes_key(self) -> bool:
        """Whether the API key travels over a network unencrypted."""
        return self._transport.exposes_key

    async def close(self) -> None:
        """Close the connections; the server goes on."""
        await self._transport.close()

    async def call(self, verb: str, request: Any = None, **more: Any) -> Any:
        """Do a verb of ``Operations`` by its name, but for :meth:`follow_job` and the files.

        Args:
            verb: Its name.
            request: Its request; ``None`` where it has none.
            more: What it takes besides, which stays here.

        Raises:
            WindrowError: What the verb raises.
        """
        if verb == "fit":
            return await self.fit(request, **more)
        if verb == "predict":
            return await self.predict(request)
        if verb == "classify":
            return await self.classify(request)
        return await self._call(BY_VERB[verb], NoRequest() if request is None else request)

    async def predict(self, request: PredictRequest) -> tuple[Prediction, ...]:
        """See ``Operations.predict``."""
        content = await self._transport.fetch(build_call(PREDICT, request, self._timeout_s))
        return read_predict_reply(request, content, self.url)

    async def classify(self, request: ClassifyRequest) -> tuple[Classification, ...]:
        """See ``Operations.classify``."""
        content = await self._transport.fetch(build_call(CLASSIFY, request, self._timeout_s))
        return read_classify_reply(request, content, self.url)

    async def export(self, request: ExportRequest) -> Export:
        """See ``Operations.export``. Its chunks come from the connection, and are for another thread to take."""
        return await self._file(EXPORT, Export, request, request.suffix)

    async def report(self, request: ReportRequest) -> ReportPage:
        """See ``Operations.report``. Its chunks come from the connection, and are for another thread to take."""
        return await self._file(REPORT, ReportPage, request, ReportPage.suffix)

    async def _file(
        self, endpoint: Endpoint[AnyFile], kind: type[AnyFile], request: ExportRequest | ReportRequest, suffix: str
    ) -> AnyFile:
        response = await self._transport.open(build_call(endpoint, request, self._timeout_s))
        chunks, loop = self._transport.iter_chunks(response), asyncio.get_running_loop()

        async def release() -> None:
            await chunks.aclose()
            await response.aclose()

        body = StreamedBody(
            _for_a_thread(chunks, loop), lambda: asyncio.run_coroutine_threadsafe(release(), loop).result()
        )
        return parse_file(kind, request.model_name, suffix, response.headers, body)

    async def import_classifier(self, file: BinaryIO, request: ImportRequest) -> Imported:
        """See ``Operations.import_classifier``."""
        imported: Imported = await self._call(IMPORT, request, file)
        return imported

    async def inspect(self, file: BinaryIO, request: InspectRequest) -> Inspection:
        """See ``Operations.inspect``."""
        inspection: Inspection = await self._call(INSPECT, request, file)
        return inspection

    async def follow_job(self, request: JobRequest) -> AsyncGenerator[Job]:
        """See ``Operations.follow_job``.

        Where the connection breaks, a new one is made; where that brings nothing new, the error is raised.
        """
        with naming_job(request.job_id):
            await self._call(JOB, request)
        async with aclosing(self._follow(request)) as jobs:
            async for job in jobs:
                yield job

    async def fit(self, request: FitRequest, on_progress: OnProgress = ignore_progress) -> FitResult:
        """See ``Operations.fit``. Where the task is cancelled, so is the training."""
        since, started = utc_now(), None
        try:
            job = started = await self._call(START_FIT, request)
            async with aclosing(self._follow(JobRequest(job.id))) as updates:
                async for update in updates:
                    if update.progress is not None and update.progress != job.progress:
                        report_progress(on_progress, update.progress)
                    job = update
        except asyncio.CancelledError:
            # In a thread with connections of its own: those of this loop may end with it.
            await asyncio.shield(asyncio.to_thread(self._cancel_fit, request, since, started))
            raise
        trained = trained_model(job)
        with naming_result(job):
            return fit_result(job, await self._call(SHOW, trained))

    def _cancel_fit(self, request: FitRequest, since: datetime, started: Job | None) -> None:
        """Cancel the training of a cancelled task, from a thread, which goes on where the task is cancelled again."""
        with closing(RemoteOperations(self._url, self._timeout_s, 0, self._api_key)) as remote:
            remote.cancel_after_interrupt(request, since, started)

    async def _call(self, endpoint: Endpoint[Any], request: Any, file: BinaryIO | None = None) -> Any:
        call = build_call(endpoint, complete_request(endpoint, request), self._timeout_s, file)
        return read_reply(endpoint.reply_type, await self._transport.fetch(call), self.url)

    async def _follow(self, request: JobRequest) -> AsyncGenerator[Job]:
        call = build_call(FOLLOW_JOB, request, self._timeout_s)
        # Not sent again below, since that is done here.
        once = replace(call, timeout_s=max(EVENTS_TIMEOUT_S, self._timeout_s), idempotent=False)
        last, had_update = None, True
        with naming_job(request.job_id):
            while True:
                try:
                    async with aclosing(self._events(once)) as jobs:
                        async for job in jobs:
                            if job != last:
                                yield job
                                last, had_update = job, True
                            if job.is_finished:
                                return
                except (ConnectionLost, ServerTimedOut):
                    if not had_update:
                        raise
                had_update = False

    async def _events(self, call: Call) -> AsyncGenerator[Job]:
        reader = EventReader()
        try:
            async with aclosing(self._transport.iter_chunks(await self._transport.open(call))) as chunks:
                async for chunk in chunks:
                    for data in reader.feed(chunk):
                        yield read_reply(Job, data, self.url)
        except ValueError as error:
            raise no_events(self.url) from error
        raise stopped_telling(self.url)


def _for_a_thread(chunks: AsyncIterator[bytes], loop: asyncio.AbstractEventLoop) -> Generator[bytes]:
    """Yield chunks of an event loop to another thread, which waits for each of them."""

    async def following() -> bytes | None:
        return await anext(chunks, None)

    while (chunk := asyncio.run_coroutine_threadsafe(following(), loop).result()) is not None:
        yield chunk
