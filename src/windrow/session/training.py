"""Training from a notebook: fits, their jobs, and judging a training before it is done.

Owns the plain arguments of these verbs; knows nothing of how they are done (``Operations`` says what each does).
"""

from collections.abc import Iterable, Iterator
from typing import Any, Unpack

from windrow.domain.classifier import FitRequest, FitResult
from windrow.domain.cross_validation import DEFAULT_FOLDS, CrossValidateRequest, CrossValidation
from windrow.domain.errors import InvalidTrainingData
from windrow.domain.job import DEFAULT_JOBS, Forecast, Job, OnProgress, ignore_progress
from windrow.domain.reproduction import Reproduction
from windrow.session.columns import Given, read_name, read_rows
from windrow.session.options import (
    FitOptions,
    TrainingOptions,
    base_model_of,
    check_known,
    fit_request,
    recipe_of,
    whole,
)
from windrow.session.parts import Parts

_TRAINING_DATA = Given("training_data", InvalidTrainingData)


class Training(Parts):
    """The verbs that train."""

    __slots__ = ()

    def fit(
        self,
        model_name: str,
        texts: Iterable[Any],
        labels: Iterable[Any] | None = None,
        on_progress: OnProgress = ignore_progress,
        **options: Unpack[FitOptions],
    ) -> FitResult:
        """Train a classifier and return it once it is saved and answers.

        Args:
            model_name: Its name; an existing one gets a new revision.
            texts: A column of n strings: a list, an array, a column of pandas or polars. Without ``labels``, n rows:
                pairs ``(text, label)``, mappings with ``text`` and ``label``, or a table with columns of these names.
            labels: A column of n strings, at least 2 different ones.
            on_progress: Called now and then with how far the training is, from any thread.
            **options: How to train, and what to note: :class:`FitOptions`.

        Raises:
            InvalidInput: A name, a row or an option breaks a rule; ``facts["row"]`` counts rows from 0.
            Conflict: The name is taken, or exists and is not to be overwritten, or somebody cancelled the training.
            Unavailable: The base model is not here, or too many trainings wait.
            Failure: The training or the disk failed; an earlier revision still answers.
        """
        return self._operations.fit(_request(model_name, texts, labels, options), on_progress)

    def start_fit(
        self,
        model_name: str,
        texts: Iterable[Any],
        labels: Iterable[Any] | None = None,
        **options: Unpack[FitOptions],
    ) -> Job:
        """Begin a training and return its job at once; :meth:`follow_job` watches it.

        Args:
            model_name: As in :meth:`fit`.
            texts: As in :meth:`fit`.
            labels: As in :meth:`fit`.
            **options: As in :meth:`fit`.

        Raises:
            InvalidInput: A name, a row or an option breaks a rule.
            Conflict: The name is taken, or exists and is not to be overwritten.
            Unavailable: Too many trainings wait.
        """
        return self._operations.start_fit(_request(model_name, texts, labels, options))

    def forecast(
        self,
        model_name: str,
        texts: Iterable[Any],
        labels: Iterable[Any] | None = None,
        **options: Unpack[FitOptions],
    ) -> Forecast:
        """Say how long a training will take, how much memory, and why, and begin nothing.

        Args:
            model_name: As in :meth:`fit`.
            texts: As in :meth:`fit`.
            labels: As in :meth:`fit`.
            **options: As in :meth:`fit`.

        Raises:
            InvalidInput: A name, a row or an option breaks a rule.
            Conflict: The name is taken, or exists and is not to be overwritten.
            Unavailable: The base model is not here.
        """
        return self._operations.forecast(_request(model_name, texts, labels, options))

    def jobs(self, limit: int = DEFAULT_JOBS) -> tuple[Job, ...]:
        """Return the newest trainings, the newest one first, blocking ones too.

        Args:
            limit: The most jobs, 1 to 1,000.

        Raises:
            InvalidParameter: The limit lies outside its range.
        """
        return self._operations.list_jobs(whole("limit", limit))

    def job(self, job_id: str) -> Job:
        """Return a job as it is now.

        Args:
            job_id: Its ``id``.

        Raises:
            JobNotFound: There is no such job.
        """
        return self._operations.job(job_id)

    def follow_job(self, job_id: str) -> Iterator[Job]:
        """Yield a job as it is now, then whenever something about it changed, until it is finished.

        Args:
            job_id: Its ``id``.

        Raises:
            JobNotFound: There is no such job.
        """
        return self._operations.follow_job(job_id)

    def cancel_job(self, job_id: str) -> Job:
        """Stop a training that waits or runs, and return its job once it has stopped; nothing of it is left behind.

        Args:
            job_id: Its ``id``.

        Raises:
            JobNotFound: There is no such job.
            JobFinished: It ended already.
        """
        return self._operations.cancel_job(job_id)

    def cross_validate(
        self,
        texts: Iterable[Any],
        labels: Iterable[Any] | None = None,
        folds: int = DEFAULT_FOLDS,
        **options: Unpack[TrainingOptions],
    ) -> CrossValidation:
        """Judge a training on rows by trainings on parts of them. Nothing is kept.

        Args:
            texts: As in :meth:`fit`.
            labels: As in :meth:`fit`.
            folds: Parts that the rows are dealt to, 2 to 20.
            **options: How to train: :class:`TrainingOptions`.

        Raises:
            InvalidInput: A row or an option breaks a rule, or no label has two different texts.
            BaseModelUnavailable: The base model is not on that machine and cannot be downloaded.
            TrainingFailed: A training process failed.
        """
        check_known("cross_validate", options, TrainingOptions)
        rows = read_rows(_TRAINING_DATA, texts, labels)
        request = CrossValidateRequest(rows, whole("folds", folds), base_model_of(options), recipe_of(options))
        return self._operations.cross_validate(request)

    def reproduce(self, model_name: str, on_progress: OnProgress = ignore_progress) -> Reproduction:
        """Train a classifier again from its kept rows and its record, compare the two, and save nothing.

        Args:
            model_name: The classifier, or one of its revisions (``tickets_v2@3``).
            on_progress: Called now and then with how far the training is, from any thread.

        Raises:
            NotFound: The name means nothing.
            RowsNotKept: The training rows were not kept.
            BaseModelUnavailable: The base model is not there, or is another one than at the training.
            Failure: The classifier is damaged, or the training process failed.
        """
        return self._operations.reproduce(read_name(model_name), on_progress)


def _request(model_name: str, texts: Iterable[Any], labels: Iterable[Any] | None, options: FitOptions) -> FitRequest:
    return fit_request(model_name, read_rows(_TRAINING_DATA, texts, labels), options)
