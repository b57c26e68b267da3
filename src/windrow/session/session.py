"""Session: every verb with plain arguments, over a server or straight on a data directory."""

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields, replace
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, NoReturn, Self, Unpack, cast, overload

from windrow.display.notebook import present
from windrow.domain.access import CreateKeyRequest, KeyList, KeyRequest
from windrow.domain.alias import AliasChangeRequest, AliasHistory, AliasList, AliasRequest, PromoteRequest
from windrow.domain.archive import ExportForm, ExportRequest, Imported, ImportRequest
from windrow.domain.audit import AuditRequest
from windrow.domain.base_models import BaseModelList, BaseModelRequest
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
from windrow.domain.errors import InvalidParameter, ShuttingDown
from windrow.domain.file_fit import FileFit
from windrow.domain.file_prediction import PredictFilesRequest, StartPredictFilesRequest
from windrow.domain.inspection import Inspection
from windrow.domain.integrity import FsckRequest
from windrow.domain.job import DEFAULT_JOBS, JobList, JobListRequest, JobRequest
from windrow.domain.key_limits import LimitKeyRequest
from windrow.domain.listing import DeleteAllRequest, ListRequest
from windrow.domain.prediction import Prediction, Predictions
from windrow.domain.read_options import Split
from windrow.domain.report import EvaluateRequest
from windrow.domain.report_page import ReportRequest
from windrow.domain.store_url import without_secrets
from windrow.domain.suggestion import SuggestRequest
from windrow.domain.threshold import SetThresholdRequest
from windrow.domain.usage import Usage
from windrow.operations import Operations
from windrow.session import signatures
from windrow.session.archive_files import import_path, write_file
from windrow.session.arguments import check_known, request_of
from windrow.session.classifying import (
    ClassifyOptions,
    classify_column,
    classify_request_of,
    shows_classify_options,
)
from windrow.session.fitting_files import file_training_of
from windrow.session.inspecting import (
    AnyFile,
    InspectOptions,
    inspect_request_of,
    open_rows_file,
    shows_inspect_options,
)
from windrow.session.keywords import columns, file_columns, keywords, own_columns
from windrow.session.predicting import (
    BATCH_TEXTS,
    PredictOptions,
    predict_column,
    predict_request_of,
    read_text,
    shows_options,
)
from windrow.session.predicting_files import PredictingFiles, predict_files
from windrow.session.reply_warnings import warn_of
from windrow.settings import Settings, read_settings

DEFAULT_TIMEOUT_S = 60.0
DEFAULT_RETRIES = 3

# Whatever hands out values lets them show themselves.
present()


def do_nothing() -> None:
    """Do nothing: what there is to do where nothing is to be closed."""


class ClosedOperations:
    """The operations of a closed session; each raises ``ShuttingDown``."""

    def __getattr__(self, verb: str) -> NoReturn:
        raise ShuttingDown("This session is closed. Open a new one.")


class Session:
    """Every verb of Windrow. Made by ``windrow.open`` or ``windrow.Client``; a ``with`` statement closes it.

    The ``warnings`` of what a method returns are shown as Python's own too, each a ``windrow.WindrowWarning``.

    Args:
        operations: The verbs.
        close: What closing does.
        description: What ``repr`` returns.
    """

    __slots__ = ("_close", "_description", "_operations")

    def __init__(self, operations: Operations, close: Callable[[], None] = do_nothing, description: str = "") -> None:
        self._operations = operations
        self._close = close
        self._description = description or f"windrow.session over {type(operations).__name__}"

    @property
    def operations(self) -> Operations:
        """The verbs as the product has them: requests in, values out."""
        return self._operations

    def close(self) -> None:
        """Give back what the session holds: processes and threads, or connections. A second time does nothing."""
        close, self._close = self._close, do_nothing
        self._operations = cast(Operations, ClosedOperations())
        close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return self._description

    fit = columns(Operations.fit, FitRequest, signatures.TrainingWithProgress)
    start_fit = columns(Operations.start_fit, FitRequest, signatures.Training)
    estimate_fit = columns(Operations.estimate_fit, FitRequest, signatures.Training)
    predict_files = own_columns(predict_files, PredictFilesRequest, PredictingFiles)
    start_predict_files = keywords(Operations.start_predict_files, StartPredictFilesRequest)
    job = keywords(Operations.job, JobRequest)
    follow_job = keywords(Operations.follow_job, JobRequest)
    cancel_job = keywords(Operations.cancel_job, JobRequest)
    evaluate = columns(Operations.evaluate, EvaluateRequest, signatures.Evaluating)
    report = file_columns(Operations.report, ReportRequest, signatures.Reporting)
    compare = columns(Operations.compare, CompareRequest, signatures.Comparing)
    cross_validate = columns(Operations.cross_validate, CrossValidateRequest, signatures.CrossValidating)
    reproduce = columns(Operations.reproduce, ModelRequest, signatures.Reproducing)
    suggest = columns(Operations.suggest, SuggestRequest, signatures.Suggesting)
    models = keywords(Operations.list_classifiers, ListRequest)
    show = keywords(Operations.show, ModelRequest)
    describe = columns(Operations.describe, DescribeRequest, signatures.Describing)
    set_threshold = keywords(Operations.set_threshold, SetThresholdRequest)
    copy = keywords(Operations.copy, CopyRequest)
    delete = keywords(Operations.delete, DeleteRequest)
    delete_all = keywords(Operations.delete_all, DeleteAllRequest)
    restore = keywords(Operations.restore, RestoreRequest)
    promote = columns(Operations.promote, PromoteRequest, signatures.Promoting)
    rollback = keywords(Operations.rollback, AliasChangeRequest)
    remove_alias = keywords(Operations.remove_alias, AliasChangeRequest)
    bind = keywords(Operations.bind, BindRequest)
    remove_base_model = keywords(Operations.remove_base_model, BaseModelRequest)
    fsck = keywords(Operations.fsck, FsckRequest)
    forget = keywords(Operations.forget, ForgetRequest)
    create_key = keywords(Operations.create_key, CreateKeyRequest)
    limit_key = keywords(Operations.limit_key, LimitKeyRequest)
    revoke_key = keywords(Operations.revoke_key, KeyRequest)
    audit = keywords(Operations.audit, AuditRequest)

    def jobs(self, limit: int = DEFAULT_JOBS) -> JobList:
        """Return the newest jobs of every process on the data directory, the newest one first.

        Args:
            limit: The most jobs, 1 to 1,000.

        Raises:
            InvalidParameter: The limit lies outside its range.
        """
        return self._operations.list_jobs(request_of(JobListRequest, {"limit": limit}))

    def aliases(self) -> AliasList:
        """Return every alias, sorted by name."""
        return self._operations.list_aliases()

    def history(self, alias: str) -> AliasHistory:
        """Return each change of an alias, the first one first, also of one that was taken away.

        Args:
            alias: The alias.

        Raises:
            AliasNotFound: There never was such an alias.
        """
        return self._operations.alias_history(request_of(AliasRequest, {"alias": alias}))

    def bindings(self) -> BindingList:
        """Return which classifiers answer which questions, sorted by question."""
        return self._operations.list_bindings()

    def base_models(self) -> BaseModelList:
        """Return the base models on that machine, and how many classifiers use each."""
        return self._operations.base_models()

    def keys(self) -> KeyList:
        """Return every API key, sorted by name, also those that are no longer valid; without the keys themselves."""
        return self._operations.list_keys()

    def usage(self) -> Usage:
        """Return what the data directory holds, in bytes."""
        return self._operations.usage()

    # The house wants a docstring everywhere, and editors show that of the form that is used.
    @overload
    def predict(  # noqa: D418
        self, model_name: str, texts: str, batch_size: int = ..., **options: Unpack[PredictOptions]
    ) -> Prediction:
        """Classify one text."""

    @overload
    def predict(  # type: ignore[overload-overlap]  # noqa: D418 - an iterator is answered as one
        self, model_name: str, texts: Iterator[Any], batch_size: int = ..., **options: Unpack[PredictOptions]
    ) -> Iterator[Prediction]:
        """Classify texts as they come."""

    @overload
    def predict(  # noqa: D418
        self, model_name: str, texts: Iterable[Any], batch_size: int = ..., **options: Unpack[PredictOptions]
    ) -> Predictions:
        """Classify a column of texts."""

    @shows_options
    def predict(
        self,
        model_name: str,
        texts: str | Iterable[Any],
        batch_size: int = BATCH_TEXTS,
        **options: Unpack[PredictOptions],
    ) -> Prediction | Predictions | Iterator[Prediction]:
        """Classify texts: one, all of a column, or one after the other as they come.

        A column and an iterator may have any length: they are cut into batches, each of which is answered by one
        revision. From an iterator, texts are taken batch by batch as answers are asked for, so memory does not grow.

        Args:
            model_name: A classifier, an alias, a revision (``tickets_v2@3``) or a task's highest version
                (``tickets@latest``).
            texts: A string; or a column of strings (a list, an array, a column of pandas or polars); or an iterator,
                such as a generator or an open file.
            batch_size: The most texts in one request, at least 1; at most what the server takes.
            **options: ``top_k``, ``abstain_below`` and ``min_in_scope``, as :class:`PredictRequest` has them.

        Returns:
            For a string its answer; for a column a list of answers, in its order; for an iterator an iterator of
            answers.

        Raises:
            InvalidInput: The name, a text or an option breaks a rule; ``facts["index"]`` counts all texts from 0. For
                an iterator, when the answer is asked for.
            NotFound: The name means nothing.
            InvalidArtifact: The saved classifier is damaged.
            Overloaded: Too many requests wait already.
        """
        # Made without texts here, so that a wrong option is refused now and not when the first answer is asked for.
        request = predict_request_of("predict", options, model_name=model_name)
        if isinstance(texts, str):
            return self._operations.predict(replace(request, text=read_text(texts)))[0]
        return predict_column(self._operations, request, texts, batch_size)

    @overload
    def classify(  # noqa: D418
        self, texts: str, labels: Iterable[str], batch_size: int = ..., **options: Unpack[ClassifyOptions]
    ) -> Classification:
        """Classify one text without a classifier."""

    @overload
    def classify(  # noqa: D418
        self, texts: Iterable[Any], labels: Iterable[str], batch_size: int = ..., **options: Unpack[ClassifyOptions]
    ) -> Classifications:
        """Classify a column of texts without a classifier."""

    @shows_classify_options
    def classify(
        self,
        texts: str | Iterable[Any],
        labels: Iterable[str],
        batch_size: int = BATCH_TEXTS,
        **options: Unpack[ClassifyOptions],
    ) -> Classification | Classifications:
        """Classify texts without a classifier: by how similar they are to the names and descriptions of labels.

        Args:
            texts: A string, or a column of strings of any length, which is cut into batches.
            labels: The labels to choose from: words that say what a text with that label is about.
            batch_size: The most texts in one request, at least 1; at most what the server takes.
            **options: ``multi_label``, ``hypothesis_template``, ``model`` and ``label_descriptions``, as
                :class:`ClassifyRequest` has them.

        Returns:
            For a string its answer; for a column a list of answers, in its order.

        Raises:
            InvalidInput: A text, a label or an option breaks a rule; ``facts["index"]`` counts all texts from 0.
            Overloaded: The queue of requests is full.
        """
        request = classify_request_of(labels, options)
        if isinstance(texts, str):
            return warn_of(self._operations.classify(replace(request, text=read_text(texts)))[0])
        return classify_column(self._operations, request, texts, batch_size)

    @shows_options
    def explain(self, model_name: str, text: str, **options: Unpack[PredictOptions]) -> Prediction:
        """Classify a text and say why: the words that count, and the training rows most like it.

        Args:
            model_name: As in :meth:`predict`.
            text: The text.
            **options: As in :meth:`predict`.

        Returns:
            The answer; its ``explanation`` is never ``None``.

        Raises:
            InvalidInput: The name, the text or an option breaks a rule.
            NotFound: The name means nothing.
            InvalidArtifact: The saved classifier is damaged.
        """
        request = predict_request_of("explain", options, model_name=model_name, text=read_text(text), explain=True)
        return self._operations.predict(request)[0]

    @shows_options
    def predict_with(
        self, model_names: Iterable[str], text: str, **options: Unpack[PredictOptions]
    ) -> dict[str, Prediction]:
        """Classify one text by several classifiers.

        Args:
            model_names: The classifiers, as in :meth:`predict`.
            text: The text.
            **options: As in :meth:`predict`.

        Returns:
            Each one's answer, by the name by which it was asked, in their order.

        Raises:
            InvalidInput: A name, the text or an option breaks a rule.
            NotFound: One of the names means nothing.
            InvalidArtifact: A saved classifier is damaged.
        """
        request = predict_request_of("predict_with", options, model_names=model_names, text=read_text(text))
        return dict(zip(request.all_names, self._operations.predict(request), strict=True))

    def fit_file(
        self,
        model_name: str,
        file: AnyFile,
        *,
        splits: Iterable[Split] = (),
        skip_bad_rows: bool = False,
        **options: Any,
    ) -> FileFit:
        """Train a classifier on a file, and evaluate it on the rows that the file has for testing.

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
        training = file_training_of(model_name, file, splits, options, skip_bad_rows=skip_bad_rows)
        result = self._operations.fit(training.request)
        asked = training.evaluation_of(result)
        return warn_of(training.reply(result, None if asked is None else self._operations.evaluate(asked)))

    @shows_inspect_options
    def inspect(self, file: AnyFile, **options: Unpack[InspectOptions]) -> Inspection:
        """Read a file of rows, and say what it is, what each row says, and what is wrong.

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
            return warn_of(self._operations.inspect(file, request))
        with open_rows_file(file) as opened:
            return warn_of(self._operations.inspect(opened, request))

    def export(
        self,
        model_name: str,
        path: str | Path = ".",
        *,
        include_training_data: bool = False,
        to: ExportForm = "windrow",
    ) -> Path:
        """Write a classifier into one file: for :meth:`import_file`, or to answer without Windrow.

        Args:
            model_name: The classifier, or one of its revisions (``tickets_v2@3``).
            path: The file, which is replaced if it exists, or a folder to put it in.
            include_training_data: Whether the training texts go along; otherwise none of them is in the file.
            to: ``windrow`` for :meth:`import_file`, ``onnx`` for a zip that answers without Windrow.

        Returns:
            The file.

        Raises:
            NotFound: The name means nothing.
            TrainingDataNotKept: The training rows were not kept.
            InvalidArtifact: The classifier is damaged.
            BaseModelUnavailable: Without Windrow, it needs its base model, which is not there.
            StorageFailed: The file cannot be written; what stood there is untouched.
        """
        request = request_of(
            ExportRequest, {"model_name": model_name, "include_training_data": include_training_data, "to": to}
        )
        return write_file(self._operations.export(request), path)

    def import_file(
        self,
        file: str | Path | BinaryIO,
        model_name: str | None = None,
        *,
        overwrite: bool = False,
        dry_run: bool = False,
    ) -> Imported:
        """Take in a classifier that was exported. Everything is checked before anything is saved.

        Args:
            file: Its path, or the file itself, open for reading bytes at any place.
            model_name: Its name here; ``None`` keeps the one that it had.
            overwrite: Whether it may become the next revision of an existing name.
            dry_run: Check everything, and save nothing.

        Raises:
            InvalidParameter: There is no such file to read.
            InvalidArchive: The file is no whole export, or holds something else.
            Conflict: The name is taken, or exists and is not to be overwritten.
        """
        given = {"model_name": model_name, "overwrite": overwrite, "dry_run": dry_run}
        request = request_of(ImportRequest, given)
        if isinstance(file, str | Path):
            return warn_of(import_path(self._operations, file, request))
        return warn_of(self._operations.import_classifier(file, request))


class Client(Session):
    """A session over a server.

    Args:
        url: The server's address, such as ``http://127.0.0.1:14345``.
        timeout_s: Longest silence of the server, in seconds, more than 0; trainings, and what else may take minutes,
            take as long as they need.
        retries: How often what changes nothing is sent again where the server is busy or the connection breaks.
        api_key: The API key, where the server needs one; ``None`` for that of the variable ``WINDROW_API_KEY``, or of
            the file that ``WINDROW_API_KEY_FILE`` names.

    Raises:
        InvalidParameter: The address is none, a number lies outside its range, or the key is none.
    """

    __slots__ = ()

    def __init__(
        self,
        url: str,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        retries: int = DEFAULT_RETRIES,
        api_key: str | None = None,
    ) -> None:
        from windrow.client.remote import RemoteOperations
        from windrow.session.credentials import client_key, warn_if_exposed

        remote = RemoteOperations(url, timeout_s, retries, client_key(api_key))
        warn_if_exposed(remote.url, exposes_key=remote.exposes_key)
        # What is shown may be kept in a notebook, so not the password in the address.
        super().__init__(remote, remote.close, f"windrow.Client({remote.url!r})")


def open_session(data_dir: str | os.PathLike[str], **settings: Any) -> Session:
    """Return a session straight on a data directory, for which no server is needed, though one may run beside it.

    Nothing is loaded before it is needed. Other sessions and servers may use the directory at the same time.

    Args:
        data_dir: The directory, made where it is missing; or a place in an object store (``s3://BUCKET/PREFIX``).
        **settings: Settings by their names in docs/reference/settings.md, in small letters without ``WINDROW_``
            (``max_concurrent_fits=2``); the others are those of the environment.

    Raises:
        InvalidParameter: A setting's value cannot be used.
        TypeError: A setting is unknown.
        StorageFailed: The directory cannot be made or written.
    """
    known = {each.name: each for each in fields(Settings)}
    check_known("open", settings, known)
    values = {name: _value(name, known[name].metadata, value) for name, value in settings.items()}
    values["data_dir"] = _value("data_dir", known["data_dir"].metadata, os.fspath(data_dir))
    chosen = replace(read_settings(), **values)

    from windrow.bootstrap import open_service

    service = open_service(chosen)
    return Session(service, service.close, f"windrow.open({str(chosen.data_dir)!r})")


def _value(name: str, metadata: Any, value: object) -> Any:
    """Return a setting's value as its own rules have it, which read text."""
    text = ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    try:
        return metadata["parse"](text)
    except ValueError as error:
        shown = repr(without_secrets(value) if isinstance(value, str) else value)
        raise InvalidParameter(
            "{parameter}={value} cannot be used: {problem}. {meaning}",
            {"parameter": name, "value": shown[:200], "problem": str(error), "meaning": metadata["doc"]},
        ) from error
