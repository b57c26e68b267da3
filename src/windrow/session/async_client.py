"""AsyncClient: every verb of a session, over a server, as coroutines."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self, Unpack, cast, overload

from windrow.client.async_remote import AsyncRemoteOperations
from windrow.domain.access import CreateKeyRequest, KeyList, KeyRequest
from windrow.domain.alias import AliasChangeRequest, AliasHistory, AliasList, AliasRequest, PromoteRequest
from windrow.domain.archive import ExportForm, ExportRequest, Imported, ImportRequest
from windrow.domain.audit import AuditRequest
from windrow.domain.base_models import BaseModelList, BaseModelRequest
from windrow.domain.batches import renumbered
from windrow.domain.binding import BindingList, BindRequest
from windrow.domain.classification import Classification, Classifications
from windrow.domain.classifier import (
    CopyRequest,
    DeleteRequest,
    DescribeRequest,
    FitRequest,
    ModelRequest,
    RestoreRequest,
)
from windrow.domain.comparison import CompareRequest
from windrow.domain.cross_validation import CrossValidateRequest
from windrow.domain.erasure import ForgetRequest
from windrow.domain.errors import InvalidText, LimitExceeded
from windrow.domain.file_fit import FileFit
from windrow.domain.file_prediction import StartPredictFilesRequest
from windrow.domain.inspection import Inspection
from windrow.domain.integrity import FsckRequest
from windrow.domain.job import DEFAULT_JOBS, Job, JobList, JobListRequest, JobRequest
from windrow.domain.key_limits import LimitKeyRequest
from windrow.domain.listing import DeleteAllRequest, ListRequest
from windrow.domain.prediction import Prediction, Predictions, PredictRequest
from windrow.domain.read_options import Split
from windrow.domain.report import EvaluateRequest
from windrow.domain.report_page import ReportRequest
from windrow.domain.suggestion import SuggestRequest
from windrow.domain.threshold import SetThresholdRequest
from windrow.domain.usage import Usage
from windrow.operations import Operations
from windrow.session import signatures
from windrow.session.archive_files import open_archive, write_file
from windrow.session.arguments import request_of
from windrow.session.classifying import (
    ClassifyOptions,
    batch_request,
    classify_request_of,
    shows_classify_options,
    warned,
)
from windrow.session.columns import read_texts
from windrow.session.credentials import client_key, warn_if_exposed
from windrow.session.fitting_files import file_training_of
from windrow.session.inspecting import (
    AnyFile,
    InspectOptions,
    inspect_request_of,
    open_rows_file,
    shows_inspect_options,
)
from windrow.session.keywords import async_columns, async_file_columns, async_keywords
from windrow.session.predicting import (
    BATCH_TEXTS,
    PredictOptions,
    predict_request_of,
    read_text,
    shows_options,
    text_batches,
)
from windrow.session.reply_warnings import warn_of
from windrow.session.session import DEFAULT_RETRIES, DEFAULT_TIMEOUT_S, ClosedOperations


class AsyncClient:
    """The methods of ``Session`` over a server, as coroutines; an ``async with`` statement closes it.

    They take the same arguments, and return, warn and raise the same. One is missing: ``predict_files`` reads and
    writes files of this machine for hours, and so belongs into a thread, with a ``Client`` of its own.

    The client belongs to the event loop in which it is used first. It needs httpx (``pip install 'windrow[async]'``).

    Args:
        url: The server's address, such as ``http://127.0.0.1:14345``.
        timeout_s: Longest silence of the server, in seconds, more than 0; trainings, and what else may take minutes,
            take as long as they need.
        retries: How often what changes nothing is sent again where the server is busy or the connection breaks.
        api_key: The API key, where the server needs one; ``None`` for that of the variable ``WINDROW_API_KEY``, or of
            the file that ``WINDROW_API_KEY_FILE`` names.

    Raises:
        InvalidParameter: The address is none, a number lies outside its range, or the key is none.
        ImportError: httpx is not installed.
    """

    def __init__(
        self,
        url: str,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        retries: int = DEFAULT_RETRIES,
        api_key: str | None = None,
    ) -> None:
        self._operations = AsyncRemoteOperations(url, timeout_s, retries, client_key(api_key))
        warn_if_exposed(self._operations.url, exposes_key=self._operations.exposes_key)
        # What is shown may be kept in a notebook, so not the password in the address.
        self._shown = f"windrow.AsyncClient({self._operations.url!r})"

    @property
    def operations(self) -> AsyncRemoteOperations:
        """The verbs as the product has them: requests in, values out."""
        return self._operations

    async def close(self) -> None:
        """Close the connections. A second time does nothing."""
        operations, self._operations = self._operations, cast(AsyncRemoteOperations, ClosedOperations())
        if not isinstance(operations, ClosedOperations):
            await operations.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return self._shown

    fit = async_columns(Operations.fit, FitRequest, signatures.TrainingWithProgress)
    start_fit = async_columns(Operations.start_fit, FitRequest, signatures.Training)
    estimate_fit = async_columns(Operations.estimate_fit, FitRequest, signatures.Training)
    start_predict_files = async_keywords(Operations.start_predict_files, StartPredictFilesRequest)
    job = async_keywords(Operations.job, JobRequest)
    cancel_job = async_keywords(Operations.cancel_job, JobRequest)
    evaluate = async_columns(Operations.evaluate, EvaluateRequest, signatures.Evaluating)
    report = async_file_columns(Operations.report, ReportRequest, signatures.Reporting)
    compare = async_columns(Operations.compare, CompareRequest, signatures.Comparing)
    cross_validate = async_columns(Operations.cross_validate, CrossValidateRequest, signatures.CrossValidating)
    reproduce = async_columns(Operations.reproduce, ModelRequest, signatures.Reproducing)
    suggest = async_columns(Operations.suggest, SuggestRequest, signatures.Suggesting)
    models = async_keywords(Operations.list_classifiers, ListRequest)
    show = async_keywords(Operations.show, ModelRequest)
    describe = async_columns(Operations.describe, DescribeRequest, signatures.Describing)
    set_threshold = async_keywords(Operations.set_threshold, SetThresholdRequest)
    copy = async_keywords(Operations.copy, CopyRequest)
    delete = async_keywords(Operations.delete, DeleteRequest)
    delete_all = async_keywords(Operations.delete_all, DeleteAllRequest)
    restore = async_keywords(Operations.restore, RestoreRequest)
    promote = async_columns(Operations.promote, PromoteRequest, signatures.Promoting)
    rollback = async_keywords(Operations.rollback, AliasChangeRequest)
    remove_alias = async_keywords(Operations.remove_alias, AliasChangeRequest)
    bind = async_keywords(Operations.bind, BindRequest)
    remove_base_model = async_keywords(Operations.remove_base_model, BaseModelRequest)
    fsck = async_keywords(Operations.fsck, FsckRequest)
    forget = async_keywords(Operations.forget, ForgetRequest)
    create_key = async_keywords(Operations.create_key, CreateKeyRequest)
    limit_key = async_keywords(Operations.limit_key, LimitKeyRequest)
    revoke_key = async_keywords(Operations.revoke_key, KeyRequest)
    audit = async_keywords(Operations.audit, AuditRequest)

    async def jobs(self, limit: int = DEFAULT_JOBS) -> JobList:
        """Return the newest jobs, as ``Session.jobs`` does.

        Args:
            limit: The most jobs, 1 to 1,000.

        Raises:
            InvalidParameter: The limit lies outside its range.
        """
        found: JobList = await self._operations.call("list_jobs", request_of(JobListRequest, {"limit": limit}))
        return found

    async def aliases(self) -> AliasList:
        """Return every alias, sorted by name."""
        found: AliasList = await self._operations.call("list_aliases")
        return found

    async def history(self, alias: str) -> AliasHistory:
        """Return each change of an alias, as ``Session.history`` does.

        Args:
            alias: The alias.

        Raises:
            AliasNotFound: There never was such an alias.
        """
        found: AliasHistory = await self._operations.call("alias_history", request_of(AliasRequest, {"alias": alias}))
        return found

    async def bindings(self) -> BindingList:
        """Return which classifiers answer which questions, as ``Session.bindings`` does."""
        found: BindingList = await self._operations.call("list_bindings")
        return found

    async def base_models(self) -> BaseModelList:
        """Return the base models on that machine, and how many classifiers use each."""
        found: BaseModelList = await self._operations.call("base_models")
        return found

    async def keys(self) -> KeyList:
        """Return every API key, as ``Session.keys`` does."""
        found: KeyList = await self._operations.call("list_keys")
        return found

    async def usage(self) -> Usage:
        """Return what the data directory holds, in bytes."""
        found: Usage = await self._operations.call("usage")
        return found

    async def follow_job(self, job_id: str) -> AsyncGenerator[Job]:
        """Yield a job as it is now, then whenever something about it changed, until it is finished.

        Args:
            job_id: The job's id.

        Raises:
            JobNotFound: There is no such job.
        """
        request = request_of(JobRequest, {"job_id": job_id})
        async with aclosing(self._operations.follow_job(request)) as jobs:
            async for job in jobs:
                yield job

    @overload
    async def predict(  # noqa: D418
        self, model_name: str, texts: str, batch_size: int = ..., **options: Unpack[PredictOptions]
    ) -> Prediction:
        """Classify one text."""

    @overload
    async def predict(  # type: ignore[overload-overlap]  # noqa: D418 - an iterator is answered as one
        self, model_name: str, texts: Iterator[Any], batch_size: int = ..., **options: Unpack[PredictOptions]
    ) -> AsyncIterator[Prediction]:
        """Classify texts as they come."""

    @overload
    async def predict(  # noqa: D418
        self, model_name: str, texts: Iterable[Any], batch_size: int = ..., **options: Unpack[PredictOptions]
    ) -> Predictions:
        """Classify a column of texts."""

    @shows_options
    async def predict(
        self,
        model_name: str,
        texts: str | Iterable[Any],
        batch_size: int = BATCH_TEXTS,
        **options: Unpack[PredictOptions],
    ) -> Prediction | Predictions | AsyncIterator[Prediction]:
        """Classify texts, as ``Session.predict`` does.

        Args:
            model_name: A classifier, an alias, a revision (``tickets_v2@3``) or a task's highest version
                (``tickets@latest``).
            texts: A string; a column of strings; or an iterator, such as a generator or an open file.
            batch_size: The most texts in one request, at least 1; at most what the server takes.
            **options: ``top_k``, ``abstain_below`` and ``min_in_scope``, as :class:`PredictRequest` has them.

        Returns:
            For a string its answer; for a column a list of answers, in its order; for an iterator an asynchronous
            iterator of answers.

        Raises:
            InvalidInput: The name, a text or an option breaks a rule; ``facts["index"]`` counts all texts from 0.
            NotFound: The name means nothing.
            InvalidArtifact: The saved classifier is damaged.
            Overloaded: Too many requests wait already.
        """
        request = predict_request_of("predict", options, model_name=model_name)
        if isinstance(texts, str):
            return (await self._operations.predict(replace(request, text=read_text(texts))))[0]
        found = self._predictions(request, text_batches(texts, batch_size))
        return found if isinstance(texts, Iterator) else Predictions([each async for each in found])

    @overload
    async def classify(  # noqa: D418
        self, texts: str, labels: Iterable[str], batch_size: int = ..., **options: Unpack[ClassifyOptions]
    ) -> Classification:
        """Classify one text without a classifier."""

    @overload
    async def classify(  # noqa: D418
        self, texts: Iterable[Any], labels: Iterable[str], batch_size: int = ..., **options: Unpack[ClassifyOptions]
    ) -> Classifications:
        """Classify a column of texts without a classifier."""

    @shows_classify_options
    async def classify(
        self,
        texts: str | Iterable[Any],
        labels: Iterable[str],
        batch_size: int = BATCH_TEXTS,
        **options: Unpack[ClassifyOptions],
    ) -> Classification | Classifications:
        """Classify texts without a classifier, as ``Session.classify`` does.

        Args:
            texts: A string, or a column of strings of any length, which is cut into batches.
            labels: The labels to choose from.
            batch_size: The most texts in one request, at least 1; at most what the server takes.
            **options: As for ``Session.classify``.

        Raises:
            InvalidInput: A text, a label or an option breaks a rule; ``facts["index"]`` counts all texts from 0.
            Overloaded: The queue of requests is full.
        """
        request = classify_request_of(labels, options)
        if isinstance(texts, str):
            return warn_of((await self._operations.classify(replace(request, text=read_text(texts))))[0])
        found: list[Classification] = []
        for batch in text_batches(texts, batch_size):
            own = batch_request(request, batch, len(found))
            try:
                found += await self._operations.classify(own)
            except (InvalidText, LimitExceeded) as error:
                raise renumbered(error, len(found)) from None
        return warned(found)

    @shows_options
    async def explain(self, model_name: str, text: str, **options: Unpack[PredictOptions]) -> Prediction:
        """Classify a text and say why, as ``Session.explain`` does.

        Args:
            model_name: As in :meth:`predict`.
            text: The text.
            **options: As in :meth:`predict`.
        """
        request = predict_request_of("explain", options, model_name=model_name, text=read_text(text), explain=True)
        return (await self._operations.predict(request))[0]

    @shows_options
    async def predict_with(
        self, model_names: Iterable[str], text: str, **options: Unpack[PredictOptions]
    ) -> dict[str, Prediction]:
        """Classify one text by several classifiers, as ``Session.predict_with`` does.

        Args:
            model_names: The classifiers, as in :meth:`predict`.
            text: The text.
            **options: As in :meth:`predict`.
        """
        request = predict_request_of("predict_with", options, model_names=model_names, text=read_text(text))
        return dict(zip(request.all_names, await self._operations.predict(request), strict=True))

    async def fit_file(
        self,
        model_name: str,
        file: AnyFile,
        *,
        splits: Iterable[Split] = (),
        skip_bad_rows: bool = False,
        **options: Any,
    ) -> FileFit:
        """Train on a file, and evaluate on the rows that it has for testing, as ``Session.fit_file`` does.

        Args:
            model_name: The classifier's name.
            file: What ``windrow.read_examples`` takes: its path, its bytes, or the file itself.
            splits: The parts of the data to train on, where the file has some: ``train``, ``validation`` or ``test``.
                Left out, those are train and validation, and ``evaluation`` is that on test.
            skip_bad_rows: Whether rows that are wrong are left out, as ``windrow.read_examples`` has it.
            **options: How to read the file, as ``windrow.read_examples`` has them, and the arguments of :meth:`fit`
                besides its rows. Without a ``description``, it is what the file says that it is for.

        Returns:
            What :meth:`fit` returns, with ``evaluation``; rows that are left out are among its ``warnings``.

        Raises:
            TypeError: An option is unknown.
            InvalidFile: It is not clear what the file is, or a row is wrong; the message names its line.
            InvalidInput: The name, an option or the rows break a rule.
        """
        training = await asyncio.to_thread(
            file_training_of, model_name, file, splits, options, skip_bad_rows=skip_bad_rows
        )
        result = await self._operations.fit(training.request)
        asked = training.evaluation_of(result)
        evaluation = None if asked is None else await self._operations.call("evaluate", asked)
        return warn_of(training.reply(result, evaluation))

    @shows_inspect_options
    async def inspect(self, file: AnyFile, **options: Unpack[InspectOptions]) -> Inspection:
        """Read a file of rows, and say what it is, what each row says, and what is wrong, as ``Session.inspect`` does.

        Args:
            file: Its path, its bytes, or the file itself, open for reading bytes. It is CSV, TSV, JSON, JSONL or plain
                text, also as gzip.
            **options: How to read it, and what to tell of it, as :class:`InspectRequest` has them: ``format``,
                ``text_column`` (one, or several that are joined), ``label_column``, ``labels_column``,
                ``label_separator``, ``indicator_columns``, ``annotators``, ``header``, ``quoting``, ``encoding``,
                ``filename``, ``include_values`` and ``labelled``.

        Raises:
            InvalidParameter: There is no such file to read, or an option does not exist.
            InvalidFile: It is no table of text, it is damaged or in another encoding, or a named column is not in it.
            LimitExceeded: It is larger, or has more rows, than a training may have.
        """
        request = inspect_request_of(file, options)
        if not isinstance(file, str | Path | bytes):
            return warn_of(await self._operations.inspect(file, request))
        with await asyncio.to_thread(open_rows_file, file) as opened:
            return warn_of(await self._operations.inspect(opened, request))

    async def export(
        self,
        model_name: str,
        path: str | Path = ".",
        *,
        include_training_data: bool = False,
        to: ExportForm = "windrow",
    ) -> Path:
        """Write a classifier into one file, as ``Session.export`` does.

        Args:
            model_name: The classifier, or one of its revisions (``tickets_v2@3``).
            path: The file, which is replaced if it exists, or a folder to put it in.
            include_training_data: Whether the training texts go along; otherwise none of them is in the file.
            to: ``windrow`` for :meth:`import_file`, ``onnx`` for a zip that answers without Windrow.
        """
        request = request_of(
            ExportRequest, {"model_name": model_name, "include_training_data": include_training_data, "to": to}
        )
        return await asyncio.to_thread(write_file, await self._operations.export(request), path)

    async def import_file(
        self,
        file: str | Path | BinaryIO,
        model_name: str | None = None,
        *,
        overwrite: bool = False,
        dry_run: bool = False,
    ) -> Imported:
        """Take in a classifier that was exported, as ``Session.import_file`` does.

        Args:
            file: Its path, or the file itself, open for reading bytes at any place.
            model_name: Its name there; ``None`` keeps the one that it had.
            overwrite: Whether it may become the next revision of an existing name.
            dry_run: Check everything, and save nothing.
        """
        given = {"model_name": model_name, "overwrite": overwrite, "dry_run": dry_run}
        request = request_of(ImportRequest, given)
        if not isinstance(file, str | Path):
            return warn_of(await self._operations.import_classifier(file, request))
        with await asyncio.to_thread(open_archive, file) as opened:
            return warn_of(await self._operations.import_classifier(opened, request))

    async def _predictions(self, request: PredictRequest, batches: Iterator[list[Any]]) -> AsyncGenerator[Prediction]:
        first = 0
        for batch in batches:
            texts = read_texts(batch, first)
            try:
                found = await self._operations.predict(replace(request, texts=tuple(texts)))
            except (InvalidText, LimitExceeded) as error:
                raise renumbered(error, first) from None
            for each in found:
                yield each
            first += len(texts)
