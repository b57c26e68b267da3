"""A request of each verb, and operations at the other end that take note of what arrives."""

from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import Any

from windrow.api.endpoints import (
    ALIAS_HISTORY,
    AUDIT,
    BIND,
    BY_VERB,
    CANCEL_JOB,
    CLASSIFY,
    COMPARE,
    CREATE_KEY,
    CROSS_VALIDATE,
    DELETE,
    DELETE_ALL,
    DESCRIBE,
    ESTIMATE_FIT,
    EVALUATE,
    FORGET,
    FSCK,
    JOB,
    LIMIT_KEY,
    LIST_CLASSIFIERS,
    LIST_JOBS,
    LIST_KEYS,
    PREDICT,
    PROMOTE,
    REMOVE_ALIAS,
    REMOVE_BASE_MODEL,
    REPRODUCE,
    RESTORE,
    REVOKE_KEY,
    ROLLBACK,
    SET_THRESHOLD,
    SHOW,
    START_FIT,
    START_PREDICT_FILES,
    SUGGEST,
    Endpoint,
    NoRequest,
)
from windrow.api.examples import example_of
from windrow.domain.access import CreateKeyRequest, KeyRequest
from windrow.domain.alias import AliasChangeRequest, AliasRequest, PromoteRequest
from windrow.domain.audit import AuditRequest
from windrow.domain.base_models import BaseModelRequest
from windrow.domain.binding import BindRequest
from windrow.domain.classification import ClassifyRequest
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
from windrow.domain.dataset import Row
from windrow.domain.erasure import ForgetRequest
from windrow.domain.errors import WindrowError
from windrow.domain.file_prediction import StartPredictFilesRequest
from windrow.domain.gate import Requirement
from windrow.domain.integrity import FsckRequest
from windrow.domain.job import JobListRequest, JobRequest
from windrow.domain.key_limits import LimitKeyRequest
from windrow.domain.listing import DeleteAllRequest, ListRequest, to_cursor
from windrow.domain.prediction import PredictRequest
from windrow.domain.report import EvaluateRequest
from windrow.domain.suggestion import SuggestRequest
from windrow.domain.threshold import SetThresholdRequest

ROWS = (Row("größer\u2028", "b"), Row('c\\"\n', "d"))
ID = "20250915-103000-5f2b9c0d"
FIT_REQUEST = FitRequest(
    "tickets_v1", ROWS, "by hand", ("b", "a"), False, seed=7, max_seconds=2.5, cross_validate=False, base_model="a/b"
)
REQUESTS: list[tuple[Endpoint[Any], object]] = [
    (START_FIT, FIT_REQUEST),
    (ESTIMATE_FIT, FIT_REQUEST),
    (
        START_PREDICT_FILES,
        StartPredictFilesRequest(
            model_name="tickets_v1@3",
            input="/srv/größer/*.csv",
            output="s3://mails/labelled",
            text_column=("a", "b"),
            header=False,
            output_format="parquet",
            scores=True,
            top_k=2,
            min_in_scope=0.25,
            shard_rows=7,
            overwrite=True,
        ),
    ),
    (LIST_JOBS, JobListRequest(3)),
    (JOB, JobRequest(ID)),
    (CANCEL_JOB, JobRequest(ID)),
    (PREDICT, PredictRequest(model_name="tickets@latest", text="\u2028", top_k=2, abstain_below=0.5, explain=True)),
    (PREDICT, PredictRequest(model_name="tickets_v1@3", texts=("a", "b"), min_in_scope=0.25)),
    (PREDICT, PredictRequest(model_names=("a", "b"), text="c")),
    (CLASSIFY, ClassifyRequest(text="größer\u2028", labels=("a", "b {}"), hypothesis_template="{}?", model="a/b")),
    (CLASSIFY, ClassifyRequest(texts=("a", "b"), labels=("c",), multi_label=True, label_descriptions={"c": "ä"})),
    (EVALUATE, EvaluateRequest("tickets_v1", ROWS, save=False, target_precision=0.75)),
    (EVALUATE, EvaluateRequest("tickets_v1", ROWS, target_recall=0.75)),
    (COMPARE, CompareRequest(("a", "b@2"), ROWS)),
    (CROSS_VALIDATE, CrossValidateRequest(ROWS, 3, num_iterations=0)),
    (CROSS_VALIDATE, CrossValidateRequest(ROWS, label_descriptions={"b": "größer\u2028", "d": ""})),
    (SUGGEST, SuggestRequest("a", ("b", "c"), 1)),
    (
        LIST_CLASSIFIERS,
        ListRequest(task="t", prefix="p", tag="ä &", sort="-size_bytes", limit=3, cursor=to_cursor("a")),
    ),
    (DELETE_ALL, DeleteAllRequest(base_model="a/b", purge=True, force=True, dry_run=True)),
    (SHOW, ModelRequest("tickets_v1@3")),
    (DESCRIBE, DescribeRequest("tickets_v1", "", ())),
    (DESCRIBE, DescribeRequest("tickets_v1", tags=("x",))),
    (DELETE, DeleteRequest("tickets_v1@3", purge=True)),
    (RESTORE, RestoreRequest("tickets_v1")),
    (SET_THRESHOLD, SetThresholdRequest("tickets_v1@3", 0.5, reason="größer", author="b")),
    (SET_THRESHOLD, SetThresholdRequest("tickets_v1", None)),
    (SET_THRESHOLD, SetThresholdRequest("tickets_v1", None, label_thresholds={"größer": 0.25})),
    (BY_VERB["copy"], CopyRequest("tickets_v1@3", "tickets_v4", overwrite=False)),
    (REPRODUCE, ModelRequest("tickets_v1")),
    (BY_VERB["list_aliases"], NoRequest()),
    (BIND, BindRequest("größer?", "tickets_v1@3", "a", ("b", "c"))),
    (BIND, BindRequest("größer?")),
    (BY_VERB["list_bindings"], NoRequest()),
    (PROMOTE, PromoteRequest("tickets", "tickets_v1", reason="r", author="b")),
    (PROMOTE, PromoteRequest("tickets", "a", require=Requirement(ROWS, True, ROWS, {"b": 0.5}), must_pass=())),
    (REMOVE_ALIAS, AliasChangeRequest("tickets", reason="größer", author="&?")),
    (ALIAS_HISTORY, AliasRequest("tickets")),
    (ROLLBACK, AliasChangeRequest("tickets")),
    (BY_VERB["base_models"], NoRequest()),
    (REMOVE_BASE_MODEL, BaseModelRequest("a/b")),
    (BY_VERB["usage"], NoRequest()),
    (FSCK, FsckRequest(repair=True)),
    (FORGET, ForgetRequest(texts=("größer\u2028",), text_sha256=("0" * 64,), action="purge", force=True)),
    (CREATE_KEY, CreateKeyRequest(name="a", scopes=("read", "rows"), only=("t_*", "?"), expires_in_days=3)),
    (LIST_KEYS, NoRequest()),
    (LIMIT_KEY, LimitKeyRequest(name="a.b", requests_per_second=5, texts_per_day=0)),
    (REVOKE_KEY, KeyRequest("a.b")),
    (
        AUDIT,
        AuditRequest(
            since="2025-09-15", key_name="ä &", target="a@3", verb="fit", limit=7, cursor="0006400000000a-0a1b2c"
        ),
    ),
]


@dataclass
class Twin:
    """Operations that take note of what they are asked, and answer with what the test wants."""

    answer: Any = None
    asked: list[object] = field(default_factory=list)

    def __getattr__(self, verb: str) -> Any:
        if verb not in BY_VERB:
            raise AttributeError(verb)

        def do(*args: object, **_: object) -> Any:
            self.asked += args
            if isinstance(self.answer, WindrowError):
                raise self.answer
            return self.answer

        return do

    def server_stats(self) -> None:
        """Say nothing of what goes on."""

    def check_ready(self) -> None:
        """Say that all is there."""

    def start_predict_in_memory(self, request: PredictRequest, is_connected: object) -> None:
        """Leave it to a thread."""

    def start_classify_in_memory(self, request: ClassifyRequest, is_connected: object) -> None:
        """Leave it to a thread."""

    def start_classify(self, request: ClassifyRequest, is_connected: object) -> "Future[Any]":
        future: Future[Any] = Future()
        try:
            answers = self.classify(request)
            future.set_result(lambda: answers)
        except WindrowError as error:
            future.set_exception(error)
        return future

    def start_predict(self, request: PredictRequest, is_connected: object) -> "Future[Any]":
        future: Future[Any] = Future()
        try:
            future.set_result(self.predict(request))
        except WindrowError as error:
            future.set_exception(error)
        return future


@dataclass
class Chosen:
    """Passes everything on to the twin of the test that runs."""

    twin: Twin

    def __getattr__(self, name: str) -> Any:
        return getattr(self.twin, name)


def answer_to(endpoint: Endpoint[Any], request: Any) -> Any:
    """Return a reply as the verb gives it."""
    reply = example_of(endpoint.reply)
    if endpoint is CLASSIFY:
        return (reply,) * len(request.all_texts)
    if endpoint is not PREDICT:
        return reply
    one = replace(reply, alias="a", explanation=reply.explanation if request.explain else None)
    return tuple(
        replace(one, label=label) for _, label in zip(request.all_names * len(request.all_texts), "xy", strict=False)
    )
