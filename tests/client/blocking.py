"""The asynchronous client for who does not wait in an event loop: its verbs as plain functions."""

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from typing import Any, BinaryIO, TypeVar

from windrow.client.async_remote import AsyncRemoteOperations
from windrow.domain.archive import Export, ExportRequest, Imported, ImportRequest
from windrow.domain.classification import Classification, ClassifyRequest
from windrow.domain.errors import ClientClosedRequest
from windrow.domain.inspection import Inspection, InspectRequest
from windrow.domain.job import Job, JobRequest
from windrow.domain.prediction import IsConnected, Prediction, PredictRequest, always_connected
from windrow.domain.report_page import ReportPage, ReportRequest

R = TypeVar("R")


class BlockingOperations:
    """``Operations`` by an asynchronous client whose event loop runs in a thread of its own.

    Args:
        url: The server's address.
    """

    def __init__(self, url: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._remote = AsyncRemoteOperations(url)

    def __getattr__(self, verb: str) -> Any:
        return lambda *asked: self._wait(self._remote.call(verb, *asked[:1], **self._listener(verb, asked)))

    def predict(self, request: PredictRequest, is_connected: IsConnected = always_connected) -> tuple[Prediction, ...]:
        if not is_connected():  # a task that nobody waits for is cancelled
            raise ClientClosedRequest("The caller left.")
        return self._wait(self._remote.predict(request))

    def classify(
        self, request: ClassifyRequest, is_connected: IsConnected = always_connected
    ) -> tuple[Classification, ...]:
        if not is_connected():
            raise ClientClosedRequest("The caller left.")
        return self._wait(self._remote.classify(request))

    def export(self, request: ExportRequest) -> Export:
        return self._wait(self._remote.export(request))

    def report(self, request: ReportRequest) -> ReportPage:
        return self._wait(self._remote.report(request))

    def import_classifier(self, file: BinaryIO, request: ImportRequest) -> Imported:
        return self._wait(self._remote.import_classifier(file, request))

    def inspect(self, file: BinaryIO, request: InspectRequest) -> Inspection:
        return self._wait(self._remote.inspect(file, request))

    def follow_job(self, request: JobRequest) -> Iterator[Job]:
        jobs = self._remote.follow_job(request)

        async def following() -> Job | None:
            return await anext(jobs, None)

        while (job := self._wait(following())) is not None:
            yield job

    def close(self) -> None:
        self._wait(self._remote.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _wait(self, done: Coroutine[Any, Any, R]) -> R:
        return asyncio.run_coroutine_threadsafe(done, self._loop).result(60)

    @staticmethod
    def _listener(verb: str, asked: tuple[Any, ...]) -> dict[str, Any]:
        return {"on_progress": asked[1]} if verb == "fit" and len(asked) > 1 else {}
