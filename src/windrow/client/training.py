"""Training over HTTP: fits, their jobs, and watching them.

Owns how a job's news reach the caller; knows nothing of how anything is trained.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime

from windrow.client.asking import CHANGE, LONG_CHANGE, LONG_LOOK
from windrow.client.errors import ConnectionLost, ServerTimedOut, UnexpectedReply
from windrow.client.events import read_events
from windrow.client.leaving import cancel_begun, cancel_within, now
from windrow.client.paths import JOBS, ROOT, job_path, model_path, with_query
from windrow.client.verbs import Verbs
from windrow.domain.classifier import FitRequest, FitResult
from windrow.domain.cross_validation import CrossValidateRequest, CrossValidation
from windrow.domain.errors import JobFinished, Unavailable, WindrowError
from windrow.domain.job import DEFAULT_JOBS, Forecast, Job, OnProgress, Progress, ignore_progress
from windrow.domain.prediction import IsWanted, always
from windrow.domain.reproduction import Reproduction
from windrow.wire.classifier import ModelDetails
from windrow.wire.cross_validation import CrossValidateBody, CrossValidateReply
from windrow.wire.job import ForecastReply, JobEntry, JobList
from windrow.wire.reproduction import ReproduceReply
from windrow.wire.training import FitBody

_FIT = f"{ROOT}/fit"
_EVENTS_TIMEOUT_S = 45.0
_log = logging.getLogger("windrow.client")


class Training(Verbs):
    """The verbs for trainings."""

    __slots__ = ()

    def fit(self, request: FitRequest, on_progress: OnProgress = ignore_progress) -> FitResult:
        """Train a classifier. See ``Operations.fit``.

        The training is begun and its job followed, so that it outlives a broken connection, and Ctrl-C ends it.
        """
        since, begun = now(), None
        try:
            job = begun = self.start_fit(request)
            for news in self._follow(job.id):
                if news.progress is not None and news.progress != job.progress:
                    _tell(on_progress, news.progress)
                job = news
        except KeyboardInterrupt:
            self._leave(request, since, begun)
            raise
        if job.problem is not None:
            raise job.problem.as_error()
        if job.revision is None:
            raise UnexpectedReply(
                f"The training {job.id} ended without a result and without a reason. Look at its job."
            )
        return self._result(job.model_name, job.revision, job.next_name)

    def start_fit(self, request: FitRequest) -> Job:
        """Begin a training. See ``Operations.start_fit``."""
        path = with_query(_FIT, wait="false")
        return self.asking.post(path, FitBody.of(request), JobEntry, CHANGE).to_domain()

    def forecast(self, request: FitRequest) -> Forecast:
        """Say what a training will take. See ``Operations.forecast``."""
        path = with_query(_FIT, dry_run=True)
        return self.asking.post(path, FitBody.of(request), ForecastReply, LONG_LOOK).to_domain()

    def list_jobs(self, limit: int = DEFAULT_JOBS) -> tuple[Job, ...]:
        """Return the newest jobs. See ``Operations.list_jobs``."""
        return self.asking.get(with_query(JOBS, limit=limit), JobList).to_domain()

    def job(self, job_id: str) -> Job:
        """Return a job. See ``Operations.job``."""
        return self.asking.get(job_path(job_id), JobEntry).to_domain()

    def follow_job(self, job_id: str) -> Iterator[Job]:
        """Yield a job whenever something about it changed. See ``Operations.follow_job``.

        Where the connection breaks, a new one is made; where that brings nothing new, the error is raised.
        """
        # An unknown id is told at once, and not with the first job; no connection is left open for who takes none.
        with _may_go_on(job_id):
            self.job(job_id)
        return self._follow(job_id)

    def cancel_job(self, job_id: str) -> Job:
        """Stop a training. See ``Operations.cancel_job``."""
        return self.asking.post(f"{job_path(job_id)}/cancel", None, JobEntry, CHANGE).to_domain()

    def cross_validate(
        self,
        request: CrossValidateRequest,
        is_wanted: IsWanted = always,  # noqa: ARG002
    ) -> CrossValidation:
        """Judge a training by trainings on parts of its rows. See ``Operations.cross_validate``.

        The server ends them when the connection does; ``is_wanted`` is not asked.
        """
        body = CrossValidateBody.of(request)
        return self.asking.post(f"{ROOT}/cross-validate", body, CrossValidateReply, LONG_CHANGE).to_domain()

    def reproduce(
        self,
        model_name: str,
        on_progress: OnProgress = ignore_progress,  # noqa: ARG002
        is_wanted: IsWanted = always,  # noqa: ARG002
    ) -> Reproduction:
        """Train a classifier again and compare the two. See ``Operations.reproduce``.

        Over HTTP ``on_progress`` is never told anything. The server ends the training when the connection does;
        ``is_wanted`` is not asked.
        """
        return self.asking.post(f"{model_path(model_name)}/reproduce", None, ReproduceReply, LONG_CHANGE).to_domain()

    def _result(self, model_name: str, revision: int, next_name: str | None) -> FitResult:
        details = self.asking.get(model_path(f"{model_name}@{revision}"), ModelDetails).to_domain()
        return FitResult(details.classifier, next_name)

    def _leave(self, request: FitRequest, since: datetime, begun: Job | None) -> None:
        """Cancel a training after Ctrl-C, which nothing that goes wrong here takes the place of."""
        try:
            if begun is not None:
                with suppress(JobFinished):
                    cancel_within(self, begun.id)
            elif (job := cancel_begun(self, request, since)) is None:
                _log.warning("The training may have begun; see the jobs.")
            elif job.revision is not None:
                _log.warning("%s was saved already, as revision %d.", job.model_name, job.revision)
        except WindrowError as error:
            _log.warning("The training could not be cancelled: %s", error.detail)

    def _follow(self, job_id: str) -> Iterator[Job]:
        with _may_go_on(job_id):
            yield from self._news(job_id)

    def _news(self, job_id: str) -> Iterator[Job]:
        last: Job | None = None
        brought_news = True
        while True:
            try:
                for job in self._events(job_id):
                    if job != last:
                        yield job
                        last, brought_news = job, True
                    if job.is_finished:
                        return
                problem: ConnectionLost | ServerTimedOut = self._ended()
            except (ConnectionLost, ServerTimedOut) as error:
                problem = error
            if not brought_news:
                raise problem
            brought_news = False

    def _events(self, job_id: str) -> Iterator[Job]:
        transport = self.asking.transport
        call = self.asking.call("GET", f"{job_path(job_id)}/events", CHANGE)
        # However impatient the client is otherwise: a server gives a sign of life only every 15 seconds.
        patient = replace(call, timeout_s=max(_EVENTS_TIMEOUT_S, self.asking.timeout_s))
        pieces = transport.pieces(transport.open(patient))
        try:
            for data in read_events(pieces):
                yield self.asking.read(data, JobEntry).to_domain()
        except ValueError as error:
            raise UnexpectedReply(f"What {transport.url} sends are no events of a job. Check the URL.") from error
        finally:
            pieces.close()

    def _ended(self) -> ConnectionLost:
        return ConnectionLost(
            f"The server at {self.asking.transport.url} stopped telling about a training before its end. Look whether "
            "the server still runs."
        )


@contextmanager
def _may_go_on(job_id: str) -> Iterator[None]:
    """Name the job in what goes wrong between here and the server, since the training does not end with it.

    Raises:
        Unavailable: What was raised inside, with the job.
    """
    try:
        yield
    except Unavailable as error:
        words = f"{error.detail} The training is the job {job_id} and may still run: ask for it again, or cancel it."
        raise type(error)(words, {**error.facts, "job": job_id}) from error


def _tell(on_progress: OnProgress, progress: Progress) -> None:
    try:
        on_progress(progress)
    except Exception:  # noqa: BLE001  who listens does not end a training on this machine either
        _log.exception("A listener of a training failed.")
