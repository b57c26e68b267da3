"""The endpoints: where each verb of ``Operations`` stands in HTTP, what it takes and gives, and how it is treated.

Server, client, OpenAPI document and reference pages are derived from this table. A field of a request stands in the
path where the path names it, else in the query of a request without a JSON body, else in the body.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Generic, Literal, TypeVar

from windrow.domain.alias import (
    AliasChangeRequest,
    AliasHistory,
    AliasList,
    AliasRemoval,
    AliasRequest,
    PromoteRequest,
    Promotion,
    Rollback,
)
from windrow.domain.archive import Export, ExportRequest, Imported, ImportRequest
from windrow.domain.base_models import BaseModelList, BaseModelRemoval, BaseModelRequest
from windrow.domain.checkup import CheckRequest, Checkup
from windrow.domain.classifier import (
    BulkDeletion,
    Classifier,
    ClassifierDetails,
    DeleteRequest,
    Deletion,
    DescribeRequest,
    FitRequest,
    FitResult,
    ModelRequest,
    Restored,
    RestoreRequest,
)
from windrow.domain.comparison import CompareRequest, Comparison
from windrow.domain.cross_validation import CrossValidateRequest, CrossValidation
from windrow.domain.job import Forecast, Job, JobList, JobListRequest, JobRequest
from windrow.domain.listing import DeleteAllRequest, Listing, ListRequest
from windrow.domain.prediction import Prediction, PredictRequest
from windrow.domain.report import EvaluateRequest, Report
from windrow.domain.reproduction import Reproduction
from windrow.domain.suggestion import Suggestions, SuggestRequest
from windrow.domain.usage import Usage

Q = TypeVar("Q")
R = TypeVar("R")
# Threads of their own, so that what takes long holds up nothing that does not: looking something up; changing the data
# directory, which may wait for others; reading much of it; files; encoding many texts; predictions; trainings.
Pool = Literal["light", "write", "scan", "transfer", "bulk", "predict", "fit"]
# ``optional``: a request whose fields all have defaults may come without a body.
Body = Literal["none", "required", "optional", "file"]
ReplyForm = Literal["json", "file", "events"]

ROOT: Final = "/v1/classifier"


@dataclass(frozen=True, slots=True)
class NoRequest:
    """A request that says nothing."""


@dataclass(frozen=True, slots=True)
class Tag:
    """A group of endpoints."""

    name: str
    """What it is called."""
    description: str
    """What its endpoints are for, in a sentence."""


TRAIN: Final = Tag("train and predict", "Train classifiers and ask them.")
JOBS: Final = Tag("jobs", "Trainings that wait, run or have ended.")
JUDGE: Final = Tag("judge", "How good classifiers and trainings are, and what to label next.")
CLASSIFIERS: Final = Tag("classifiers", "The classifiers that exist.")
FILES: Final = Tag("export and import", "Classifiers as files.")
ALIASES: Final = Tag("aliases", "Second names that point at classifiers.")
DISK: Final = Tag("base models and disk", "What takes the room, and whether it is sound.")
SERVER: Final = Tag("server", "For whoever watches the server.")
TAGS: Final = (TRAIN, JOBS, JUDGE, CLASSIFIERS, FILES, ALIASES, DISK, SERVER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint(Generic[Q, R]):
    """One verb's place in HTTP."""

    verb: str
    """Its name in ``Operations``, and the operation id."""
    method: str
    """``GET``, ``POST`` …"""
    path: str
    """The path; what stands in braces is a field of the request."""
    request: Callable[..., Q]
    """The class of the request."""
    reply: Callable[..., R]
    """The class of the reply; of each value of it where the reply is a stream or a tuple."""
    tag: Tag
    """The group that it belongs to."""
    pool: Pool
    """The threads that do it."""
    body: Body = "none"
    """What the request carries."""
    reply_form: ReplyForm = "json"
    """What the reply carries."""
    status: int = 200
    """The status of success."""
    idempotent: bool = False
    """Whether doing it twice is doing it once, so that a client may send it again where a connection breaks."""
    patient: bool = False
    """Whether it may take minutes."""
    cancellable: bool = False
    """Whether the verb takes ``is_wanted``, and ends where the client has left."""
    chosen_by: Mapping[str, str] = field(default_factory=dict)
    """The query that chooses it among verbs of the same method and path."""


_MODELS, _MODEL = f"{ROOT}/models", f"{ROOT}/models/{{model_name}}"
_JOBS, _JOB = f"{ROOT}/jobs", f"{ROOT}/jobs/{{job_id}}"
_ALIASES, _ALIAS = f"{ROOT}/aliases", f"{ROOT}/aliases/{{alias}}"
_BASE_MODELS = f"{ROOT}/base-models"

FIT: Final = Endpoint(
    verb="fit",
    method="POST",
    path=f"{ROOT}/fit",
    request=FitRequest,
    reply=FitResult,
    tag=TRAIN,
    pool="fit",
    body="required",
    patient=True,
)
START_FIT: Final = Endpoint(
    verb="start_fit",
    method="POST",
    path=f"{ROOT}/fit",
    request=FitRequest,
    reply=Job,
    tag=TRAIN,
    pool="fit",
    body="required",
    status=202,
    chosen_by={"wait": "false"},
)
FORECAST: Final = Endpoint(
    verb="forecast",
    method="POST",
    path=f"{ROOT}/fit",
    request=FitRequest,
    reply=Forecast,
    tag=TRAIN,
    pool="fit",
    body="required",
    idempotent=True,
    patient=True,
    chosen_by={"dry_run": "true"},
)
PREDICT: Final = Endpoint(
    verb="predict",
    method="POST",
    path=f"{ROOT}/predict",
    request=PredictRequest,
    reply=Prediction,
    tag=TRAIN,
    pool="predict",
    body="required",
    idempotent=True,
    cancellable=True,
)
LIST_JOBS: Final = Endpoint(
    verb="list_jobs",
    method="GET",
    path=_JOBS,
    request=JobListRequest,
    reply=JobList,
    tag=JOBS,
    pool="light",
    idempotent=True,
)
JOB: Final = Endpoint(
    verb="job", method="GET", path=_JOB, request=JobRequest, reply=Job, tag=JOBS, pool="light", idempotent=True
)
FOLLOW_JOB: Final = Endpoint(
    verb="follow_job",
    method="GET",
    path=f"{_JOB}/events",
    request=JobRequest,
    reply=Job,
    tag=JOBS,
    pool="light",
    reply_form="events",
    idempotent=True,
    patient=True,
)
CANCEL_JOB: Final = Endpoint(
    verb="cancel_job",
    method="POST",
    path=f"{_JOB}/cancel",
    request=JobRequest,
    reply=Job,
    tag=JOBS,
    pool="write",
    body="optional",
)
EVALUATE: Final = Endpoint(
    verb="evaluate",
    method="POST",
    path=f"{ROOT}/evaluate",
    request=EvaluateRequest,
    reply=Report,
    tag=JUDGE,
    pool="bulk",
    body="required",
    patient=True,
)
COMPARE: Final = Endpoint(
    verb="compare",
    method="POST",
    path=f"{ROOT}/compare",
    request=CompareRequest,
    reply=Comparison,
    tag=JUDGE,
    pool="bulk",
    body="required",
    idempotent=True,
    patient=True,
)
CROSS_VALIDATE: Final = Endpoint(
    verb="cross_validate",
    method="POST",
    path=f"{ROOT}/cross-validate",
    request=CrossValidateRequest,
    reply=CrossValidation,
    tag=JUDGE,
    pool="fit",
    body="required",
    patient=True,
    cancellable=True,
)
SUGGEST: Final = Endpoint(
    verb="suggest",
    method="POST",
    path=f"{ROOT}/suggest",
    request=SuggestRequest,
    reply=Suggestions,
    tag=JUDGE,
    pool="bulk",
    body="required",
    idempotent=True,
    patient=True,
)
LIST_CLASSIFIERS: Final = Endpoint(
    verb="list_classifiers",
    method="GET",
    path=_MODELS,
    request=ListRequest,
    reply=Listing,
    tag=CLASSIFIERS,
    pool="light",
    idempotent=True,
)
DELETE_ALL: Final = Endpoint(
    verb="delete_all",
    method="DELETE",
    path=_MODELS,
    request=DeleteAllRequest,
    reply=BulkDeletion,
    tag=CLASSIFIERS,
    pool="scan",
    patient=True,
)
IMPORT: Final = Endpoint(
    verb="import_classifier",
    method="POST",
    path=f"{_MODELS}/import",
    request=ImportRequest,
    reply=Imported,
    tag=FILES,
    pool="transfer",
    body="file",
    patient=True,
)
EXPORT: Final = Endpoint(
    verb="export",
    method="GET",
    path=f"{_MODEL}/export",
    request=ExportRequest,
    reply=Export,
    tag=FILES,
    pool="transfer",
    reply_form="file",
    idempotent=True,
    patient=True,
)
SHOW: Final = Endpoint(
    verb="show",
    method="GET",
    path=_MODEL,
    request=ModelRequest,
    reply=ClassifierDetails,
    tag=CLASSIFIERS,
    pool="light",
    idempotent=True,
)
DESCRIBE: Final = Endpoint(
    verb="describe",
    method="PATCH",
    path=_MODEL,
    request=DescribeRequest,
    reply=Classifier,
    tag=CLASSIFIERS,
    pool="write",
    body="required",
)
DELETE: Final = Endpoint(
    verb="delete", method="DELETE", path=_MODEL, request=DeleteRequest, reply=Deletion, tag=CLASSIFIERS, pool="write"
)
RESTORE: Final = Endpoint(
    verb="restore",
    method="POST",
    path=f"{_MODEL}/restore",
    request=RestoreRequest,
    reply=Restored,
    tag=CLASSIFIERS,
    pool="write",
    body="optional",
)
REPRODUCE: Final = Endpoint(
    verb="reproduce",
    method="POST",
    path=f"{_MODEL}/reproduce",
    request=ModelRequest,
    reply=Reproduction,
    tag=CLASSIFIERS,
    pool="fit",
    body="optional",
    patient=True,
    cancellable=True,
)
LIST_ALIASES: Final = Endpoint(
    verb="list_aliases",
    method="GET",
    path=_ALIASES,
    request=NoRequest,
    reply=AliasList,
    tag=ALIASES,
    pool="light",
    idempotent=True,
)
PROMOTE: Final = Endpoint(
    verb="promote",
    method="PUT",
    path=_ALIAS,
    request=PromoteRequest,
    reply=Promotion,
    tag=ALIASES,
    pool="write",
    body="required",
    patient=True,
)
REMOVE_ALIAS: Final = Endpoint(
    verb="remove_alias",
    method="DELETE",
    path=_ALIAS,
    request=AliasChangeRequest,
    reply=AliasRemoval,
    tag=ALIASES,
    pool="write",
)
ALIAS_HISTORY: Final = Endpoint(
    verb="alias_history",
    method="GET",
    path=f"{_ALIAS}/history",
    request=AliasRequest,
    reply=AliasHistory,
    tag=ALIASES,
    pool="light",
    idempotent=True,
)
ROLLBACK: Final = Endpoint(
    verb="rollback",
    method="POST",
    path=f"{_ALIAS}/rollback",
    request=AliasChangeRequest,
    reply=Rollback,
    tag=ALIASES,
    pool="write",
    body="optional",
)
LIST_BASE_MODELS: Final = Endpoint(
    verb="base_models",
    method="GET",
    path=_BASE_MODELS,
    request=NoRequest,
    reply=BaseModelList,
    tag=DISK,
    pool="scan",
    idempotent=True,
    patient=True,
)
REMOVE_BASE_MODEL: Final = Endpoint(
    verb="remove_base_model",
    method="DELETE",
    path=f"{_BASE_MODELS}/{{base_model}}",
    request=BaseModelRequest,
    reply=BaseModelRemoval,
    tag=DISK,
    pool="scan",
    patient=True,
)
USAGE: Final = Endpoint(
    verb="usage",
    method="GET",
    path=f"{ROOT}/usage",
    request=NoRequest,
    reply=Usage,
    tag=DISK,
    pool="scan",
    idempotent=True,
    patient=True,
)
FSCK: Final = Endpoint(
    verb="fsck",
    method="POST",
    path=f"{ROOT}/fsck",
    request=CheckRequest,
    reply=Checkup,
    tag=DISK,
    pool="scan",
    body="optional",
    patient=True,
)

# The longest path first where several fit: what ends in /export is no classifier whose name has a slash.
ENDPOINTS: Final[tuple[Endpoint[Any, Any], ...]] = (
    FIT,
    START_FIT,
    FORECAST,
    PREDICT,
    LIST_JOBS,
    JOB,
    FOLLOW_JOB,
    CANCEL_JOB,
    EVALUATE,
    COMPARE,
    CROSS_VALIDATE,
    SUGGEST,
    LIST_CLASSIFIERS,
    DELETE_ALL,
    IMPORT,
    EXPORT,
    SHOW,
    DESCRIBE,
    DELETE,
    RESTORE,
    REPRODUCE,
    LIST_ALIASES,
    PROMOTE,
    REMOVE_ALIAS,
    ALIAS_HISTORY,
    ROLLBACK,
    LIST_BASE_MODELS,
    REMOVE_BASE_MODEL,
    USAGE,
    FSCK,
)
BY_VERB: Final[Mapping[str, Endpoint[Any, Any]]] = {each.verb: each for each in ENDPOINTS}
