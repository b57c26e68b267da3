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
    CLASSIFY,
    EXPORT,
    FOLLOW_JOB,
    IMPORT,
    INSPECT,
    PREDICT,
    REPORT,
    Endpoint,
    NoRequest,
)
from windrow.client.calls import build_call, complete_request
from windrow.client.cancellation import cancel_orphaned_fit, cancel_within
from windrow.client.errors import UnexpectedReply
from windrow.client.following import events_of, follow, naming_job, naming_result
from windrow.client.replies import read_classify_reply, read_predict_reply, read_reply
from windrow.client.retrying import check_timeout
from windrow.client.transport import StreamedBody, Transport
from windrow.domain.archive import Export, ExportRequest, Imported, ImportRequest
from windrow.domain.classification import Classification, ClassifyRequest
from windrow.domain.classifier import ClassifierDetails, FitRequest, FitResult, ModelRequest
from windrow.domain.clock import utc_now
from windrow.domain.errors import ClientClosedRequest, JobFinished, WindrowError
from windrow.domain.file_reply import FileReply
from windrow.domain.inspection import Inspection, InspectRequest
from windrow.domain.job import Job, JobRequest, OnProgress, Progress, ignore_progress
from windrow.domain.names import NAME_GRAMMAR
from windrow.domain.prediction import IsConnected, Prediction, PredictRequest, always_connected
from windrow.domain.report_page import ReportPage, ReportRequest
from windrow.domain.secret import Secret
from windrow.domain.values import recast
from windrow.operations import Operations

P = ParamSpec("P")
R = TypeVar("R")
AnyFile = TypeVar("AnyFile", bound=FileReply)
# The minimum read timeout of an event stream, in which the server sends a keep-alive every 15 seconds.
EVENTS_TIMEOUT_S = 45.0
# No other name is taken: a server must not choose which file of the working directory is replaced.
_FILE_NAME = re.compile(rf'filename="({NAME_GRAMMAR}(?:@[0-9]{{1,9}})?\.(?:windrow|onnx\.zip|html))"')
_log = logging.getLogger("windrow.client")


def _remote_method(verb: Callable[Concatenate[Operations, P], R]) -> "Callable[Concatenate[RemoteOperations, P], R]":
    """Return the method that calls the endpoint of an operation; arguments beside the request are not sent."""
    endpoint = BY_VERB[verb.__name__]

    @wraps(verb)
    def method(self: "RemoteOperations", request: object = NoRequest(), *_: object, **__: object) -> R:
        reply: R = self._call(endpoint, request)
        return reply

    return cast("Callable[Concatenate[RemoteOperations, P], R]", method)


class RemoteOperations:
    """Implements ``Operations`` by calls to a server; thread-safe.

    Errors are those of ``windrow.domain.errors`` that the server raised, and those of ``windrow.client.errors`` for
    the connection. What is idempotent is sent again where the server is busy or the connection breaks; what
    changes something never is.

    Args:
        url: The server's address (``http://127.0.0.1:14345``), with ``user:password@`` where a proxy asks for them.
        timeout_s: Longest silence of the server, in seconds. What may take minutes (trainings, judging by many rows,
            checks of the whole disk) may take as long as it needs.
        retries: How often what is idempotent is sent again.
        api_key: The API key that each request carries; ``None`` for none.

    Raises:
        InvalidParameter: The URL is none, or a number lies outside its range.
    """

    __slots__ = ("_timeout_s", "_transport")

    def __init__(self, url: str, timeout_s: float = 60.0, retries: int = 3, api_key: Secret | None = None) -> None:
        check_timeout(timeout_s)
        self._transport = Transport(url, retries, api_key=api_key)
        self._timeout_s = timeout_s

    @property
    def url(self) -> str:
        """The server's address, without user and password."""
        return self._transport.url

    @property
    def exposes_key(self) -> bool:
        """Whether the API key travels over a network unencrypted."""
        return self._transport.exposes_key

    def close(self) -> None:
        """Close the connections; the server goes on."""
        self._transport.close()

    start_fit = _remote_method(Operations.start_fit)
    estimate_fit = _remote_method(Operations.estimate_fit)
    start_predict_files = _remote_method(Operations.start_predict_files)
    list_jobs = _remote_method(Operations.list_jobs)
    job = _remote_method(Operations.job)
    cancel_job = _remote_method(Operations.cancel_job)
    evaluate = _remote_method(Operations.evaluate)
    compare = _remote_method(Operations.compare)
    cross_validate = _remote_method(Operations.cross_validate)
    suggest = _remote_method(Operations.suggest)
    show = _remote_method(Operations.show)
    describe = _remote_method(Operations.describe)
    set_threshold = _remote_method(Operations.set_threshold)
    copy = _remote_method(Operations.copy)
    delete = _remote_method(Operations.delete)
    delete_all = _remote_method(Operations.delete_all)
    restore = _remote_method(Operations.restore)
    reproduce = _remote_method(Operations.reproduce)
    list_aliases = _remote_method(Operations.list_aliases)
    promote = _remote_method(Operations.promote)
    rollback = _remote_method(Operations.rollback)
    alias_history = _remote_method(Operations.alias_history)
    bind = _remote_method(Operations.bind)
    list_bindings = _remote_method(Operations.list_bindings)
    base_models = _remote_method(Operations.base_models)
    remove_base_model = _remote_method(Operations.remove_base_model)
    usage = _remote_method(Operations.usage)
    fsck = _remote_method(Operations.fsck)
    forget = _remote_method(Operations.forget)
    create_key = _remote_method(Operations.create_key)
    list_keys = _remote_method(Operations.list_keys)
    limit_key = _remote_method(Operations.limit_key)
    revoke_key = _remote_method(Operations.revoke_key)
    audit = _remote_method(Operations.audit)
    list_classifiers = _remote_method(Operations.list_classifiers)
    remove_alias = _remote_method(Operations.remove_alias)

    def predict(self, request: PredictRequest, is_connected: IsConnected = always_connected) -> tuple[Prediction, ...]:
        """See ``Operations.predict``."""
        _check_connected(is_connected)
        content = self._transport.fetch(build_call(PREDICT, request, self._timeout_s))
        return read_predict_reply(request, content, self.url)

    def classify(
        self, request: ClassifyRequest, is_connected: IsConnected = always_connected
    ) -> tuple[Classification, ...]:
        """See ``Operations.classify``."""
        _check_connected(is_connected)
        content = self._transport.fetch(build_call(CLASSIFY, request, self._timeout_s))
        return read_classify_reply(request, content, self.url)

    def export(self, request: ExportRequest) -> Export:
        """See ``Operations.export``. Chunks are read from the connection lazily."""
        response = self._transport.open(build_call(EXPORT, request, self._timeout_s))
        body = StreamedBody(self._transport.iter_chunks(response), response.close)
        return parse_file(Export, request.model_name, request.suffix, response.headers, body)

    def report(self, request: ReportRequest) -> ReportPage:
        """See ``Operations.report``. Chunks are read from the connection lazily."""
        response = self._transport.open(build_call(REPORT, request, self._timeout_s))
        body = StreamedBody(self._transport.iter_chunks(response), response.close)
        return parse_file(ReportPage, request.model_name, ReportPage.suffix, response.headers, body)

    def import_classifier(self, file: BinaryIO, request: ImportRequest) -> Imported:
        """See ``Operations.import_classifier``."""
        return self._call(IMPORT, request, file)

    def inspect(self, file: BinaryIO, request: InspectRequest) -> Inspection:
        """See ``Operations.inspect``."""
        return self._call(INSPECT, request, file)

    def follow_job(self, request: JobRequest) -> Iterator[Job]:
        """See ``Operations.follow_job``.

        Where the connection breaks, a new one is made; where that brings nothing new, the error is raised.
        """
        # Raise for an unknown id at once, and not at the first iteration; an unused iterator opens no connection.
        with naming_job(request.job_id):
            self.job(request)
        return self._follow(request)

    def fit(self, request: FitRequest, on_progress: OnProgress = ignore_progress) -> FitResult:
        """See ``Operations.fit``.

        The training is begun and its job followed, so that it outlives a broken connection, and Ctrl-C ends it.
        """
        since, started = utc_now(), None
        try:
            job = started = self.start_fit(request)
            for update in self._follow(JobRequest(job.id)):
                if update.progress is not None and update.progress != job.progress:
                    report_progress(on_progress, update.progress)
                job = update
        except KeyboardInterrupt:
            self.cancel_after_interrupt(request, since, started)
            raise
        trained = trained_model(job)
        with naming_result(job):
            return fit_result(job, self.show(trained))

    def _call(self, endpoint: Endpoint[R], request: object, file: BinaryIO | None = None) -> R:
        content = self._transport.fetch(
            build_call(endpoint, complete_request(endpoint, request), self._timeout_s, file)
        )
        reply: R = read_reply(endpoint.reply_type, content, self.url)
        return reply

    def _follow(self, request: JobRequest) -> Iterator[Job]:
        call = build_call(FOLLOW_JOB, request, self._timeout_s)
        # Not sent again below, since that is done here.
        once = replace(call, timeout_s=max(EVENTS_TIMEOUT_S, self._timeout_s), idempotent=False)
        with naming_job(request.job_id):
            yield from follow(lambda: events_of(self._transport, once))

    def cancel_after_interrupt(self, request: FitRequest, since: datetime, started: Job | None) -> None:
        """Cancel a training after Ctrl-C; errors are logged, so that they do not replace ``KeyboardInterrupt``."""
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


def parse_file(
    kind: type[AnyFile], model_name: str, suffix: str, headers: Mapping[str, str], chunks: Iterator[bytes]
) -> AnyFile:
    """Return the file in a reply.

    Args:
        kind: What it is.
        model_name: The classifier in the request, after which it is called where its own name will not do.
        suffix: How its name ends.
        headers: The reply's headers.
        chunks: Its body.
    """
    named = _FILE_NAME.search(headers.get("Content-Disposition", ""))
    is_usable = named is not None and named[1].endswith(suffix)
    file_name = named[1] if named is not None and is_usable else f"{model_name.partition('@')[0]}{suffix}"
    return kind(file_name, int(headers.get("Content-Length", "0")), chunks)


def trained_model(job: Job) -> ModelRequest:
    """Return the request for what a job has trained.

    Raises:
        WindrowError: Why it did not succeed.
        UnexpectedReply: The job has neither a result nor an error.
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
    """Call a progress callback; an exception in it is logged and does not stop the training."""
    try:
        on_progress(progress)
    except Exception:  # noqa: BLE001  who listens does not end a training on this machine either
        _log.exception("A listener of a training failed.")


def _check_connected(is_connected: IsConnected) -> None:
    if not is_connected():
        raise ClientClosedRequest("The caller left, so nothing was computed. Ask again.")
