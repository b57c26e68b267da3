"""``RemoteOperations`` implements ``Operations`` over HTTP."""

import logging
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import wraps
from typing import BinaryIO, Concatenate, ParamSpec, TypeVar, cast

from windrow.api.endpoints import (
    BY_VERB,
    EXPORT,
    FOLLOW_JOB,
    IMPORT,
    PREDICT,
    Endpoint,
    NoRequest,
)
from windrow.client.calls import call_of, prepared
from windrow.client.cancellation import cancel_orphaned_fit, cancel_within, now
from windrow.client.errors import UnexpectedReply
from windrow.client.following import events_of, follow, naming_job
from windrow.client.replies import read_predict_reply, read_reply
from windrow.client.retrying import check_timeout
from windrow.client.transport import Transport
from windrow.domain.archive import Export, ExportRequest, Imported, ImportRequest
from windrow.domain.classifier import ClassifierDetails, FitRequest, FitResult, ModelRequest
from windrow.domain.errors import ClientClosedRequest, JobFinished, WindrowError
from windrow.domain.job import Job, JobRequest, OnProgress, Progress, ignore_progress
from windrow.domain.prediction import IsConnected, Prediction, PredictRequest, always_connected
from windrow.domain.values import recast
from windrow.operations import Operations

P = ParamSpec("P")
R = TypeVar("R")
# A server gives a sign of life every 15 seconds, however impatient the client is otherwise.
EVENTS_TIMEOUT_S = 45.0
_FILE_NAME = re.compile(r'filename="([^"/\\]+)"')
_log = logging.getLogger("windrow.client")


def _verb(verb: Callable[Concatenate[Operations, P], R]) -> "Callable[Concatenate[RemoteOperations, P], R]":
    """Return the method that does a verb of ``Operations`` by its endpoint alone; what is no request stays here."""
    endpoint = BY_VERB[verb.__name__]

    @wraps(verb)
    def method(self: "RemoteOperations", request: object = NoRequest(), *_: object, **__: object) -> R:
        reply: R = self._call(endpoint, request)
        return reply

    return cast("Callable[Concatenate[RemoteOperations, P], R]", method)


class RemoteOperations:
    """Every verb of ``Operations``, done by a server; from any number of threads.

    Errors are those of ``windrow.domain.errors`` that the server raised, and those of ``windrow.client.errors`` where
    something stood between. What is idempotent is sent again where the server is busy or the connection breaks; what
    changes something never is.

    Args:
        url: The server's address (``http://127.0.0.1:14345``), with ``user:password@`` where a proxy asks for them.
        timeout_s: Longest silence of the server, in seconds. What may take minutes (trainings, judging by many rows,
            checks of the whole disk) may take as long as it needs.
        retries: How often what is idempotent is sent again.

    Raises:
        InvalidParameter: The URL is none, or a number lies outside its range.
    """

    __slots__ = ("_timeout_s", "_transport")

    def __init__(self, url: str, timeout_s: float = 60.0, retries: int = 3) -> None:
        check_timeout(timeout_s)
        self._transport = Transport(url, retries)
        self._timeout_s = timeout_s

    @property
    def url(self) -> str:
        """The server's address, without user and password."""
        return self._transport.url

    def close(self) -> None:
        """Close the connections; the server goes on."""
        self._transport.close()

    start_fit = _verb(Operations.start_fit)
    estimate_fit = _verb(Operations.estimate_fit)
    list_jobs = _verb(Operations.list_jobs)
    job = _verb(Operations.job)
    cancel_job = _verb(Operations.cancel_job)
    evaluate = _verb(Operations.evaluate)
    compare = _verb(Operations.compare)
    cross_validate = _verb(Operations.cross_validate)
    suggest = _verb(Operations.suggest)
    show = _verb(Operations.show)
    describe = _verb(Operations.describe)
    set_threshold = _verb(Operations.set_threshold)
    copy = _verb(Operations.copy)
    delete = _verb(Operations.delete)
    delete_all = _verb(Operations.delete_all)
    restore = _verb(Operations.restore)
    reproduce = _verb(Operations.reproduce)
    list_aliases = _verb(Operations.list_aliases)
    promote = _verb(Operations.promote)
    rollback = _verb(Operations.rollback)
    alias_history = _verb(Operations.alias_history)
    base_models = _verb(Operations.base_models)
    remove_base_model = _verb(Operations.remove_base_model)
    usage = _verb(Operations.usage)
    fsck = _verb(Operations.fsck)
    list_classifiers = _verb(Operations.list_classifiers)
    remove_alias = _verb(Operations.remove_alias)

    def predict(self, request: PredictRequest, is_connected: IsConnected = always_connected) -> tuple[Prediction, ...]:
        """See ``Operations.predict``."""
        if not is_connected():
            raise ClientClosedRequest("The caller left, so nothing was computed. Ask again.")
        content = self._transport.fetch(call_of(PREDICT, request, self._timeout_s))
        return read_predict_reply(request, content, self.url)

    def export(self, request: ExportRequest) -> Export:
        """See ``Operations.export``. Its chunks come from the connection as they are taken."""
        response = self._transport.open(call_of(EXPORT, request, self._timeout_s))
        return export_of(request, response.headers, self._transport.iter_chunks(response))

    def import_classifier(self, file: BinaryIO, request: ImportRequest) -> Imported:
        """See ``Operations.import_classifier``."""
        return self._call(IMPORT, request, file)

    def follow_job(self, request: JobRequest) -> Iterator[Job]:
        """See ``Operations.follow_job``.

        Where the connection breaks, a new one is made; where that brings nothing new, the error is raised.
        """
        # An unknown id is told at once, and not with the first job; no connection is left open for who takes none.
        with naming_job(request.job_id):
            self.job(request)
        return self._follow(request)

    def fit(self, request: FitRequest, on_progress: OnProgress = ignore_progress) -> FitResult:
        """See ``Operations.fit``.

        The training is begun and its job followed, so that it outlives a broken connection, and Ctrl-C ends it.
        """
        since, started = now(), None
        try:
            job = started = self.start_fit(request)
            for update in self._follow(JobRequest(job.id)):
                if update.progress is not None and update.progress != job.progress:
                    report_progress(on_progress, update.progress)
                job = update
        except KeyboardInterrupt:
            self.cancel_after_interrupt(request, since, started)
            raise
        return fit_result(job, self.show(trained_model(job)))

    def _call(self, endpoint: Endpoint[R], request: object, file: BinaryIO | None = None) -> R:
        content = self._transport.fetch(call_of(endpoint, prepared(endpoint, request), self._timeout_s, file))
        reply: R = read_reply(endpoint.reply, content, self.url)
        return reply

    def _follow(self, request: JobRequest) -> Iterator[Job]:
        call = call_of(FOLLOW_JOB, request, self._timeout_s)
        # Not sent again below, since that is done here.
        once = replace(call, timeout_s=max(EVENTS_TIMEOUT_S, self._timeout_s), idempotent=False)
        with naming_job(request.job_id):
            yield from follow(lambda: events_of(self._transport, once))

    def cancel_after_interrupt(self, request: FitRequest, since: datetime, started: Job | None) -> None:
        """Cancel a training after Ctrl-C, which nothing that goes wrong here takes the place of."""
        try:
            if started is not None:
                with suppress(JobFinished):
                    cancel_within(self, started.id)
            elif (job := cancel_orphaned_fit(self, request, since)) is None:
                _log.warning("The training may have begun; see the jobs.")
            elif job.revision is not None:
                _log.warning("%s was saved already, as revision %d.", job.model_name, job.revision)
        except WindrowError as error:
            _log.warning("The training could not be cancelled: %s", error.detail)


def export_of(request: ExportRequest, headers: Mapping[str, str], chunks: Iterator[bytes]) -> Export:
    """Return an export as its reply has it.

    Args:
        request: What was asked for.
        headers: The reply's headers.
        chunks: Its body.
    """
    named = _FILE_NAME.search(headers.get("Content-Disposition", ""))
    file_name = f"{request.model_name.partition('@')[0]}.windrow" if named is None else named[1]
    return Export(file_name, int(headers.get("Content-Length", "0")), chunks)


def trained_model(job: Job) -> ModelRequest:
    """Return the request for what a job has trained.

    Raises:
        WindrowError: Why it did not succeed.
        UnexpectedReply: It says neither what it made nor why not.
    """
    if job.problem is not None:
        raise job.problem.as_error()
    if job.revision is None:
        raise UnexpectedReply(
            "The training {job_id} ended without a result and without a reason. Look at its job.", {"job_id": job.id}
        )
    return ModelRequest(f"{job.model_name}@{job.revision}")


def fit_result(job: Job, classifier: ClassifierDetails) -> FitResult:
    """Return what a job has trained as a fit returns it."""
    return recast(FitResult, classifier, model_name=classifier.name, next_name=job.next_name)


def report_progress(on_progress: OnProgress, progress: Progress) -> None:
    """Tell a listener how far a training is, which goes on where the listener fails."""
    try:
        on_progress(progress)
    except Exception:  # noqa: BLE001  who listens does not end a training on this machine either
        _log.exception("A listener of a training failed.")
