"""The endpoints: where each verb of ``Operations`` stands in HTTP, what it takes and gives, and how it is treated.

Server, client, OpenAPI document and reference pages are derived from this table. A field of a request stands in the
path where the path names it, else in the query of a request without a JSON body, else in the body.
"""

import string
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
    Copied,
    CopyRequest,
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
# Of an exported classifier: what it is, and what may be said of any file.
FILE_TYPES: Final = ("application/zip", "application/octet-stream")
EVENTS_TYPE: Final = "text/event-stream"
PROBLEM_TYPE: Final = "application/problem+json"


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


@dataclass(frozen=True, slots=True)
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
    reply_form: ReplyForm = field(default="json", kw_only=True)
    """What the reply carries."""
    status: int = field(default=200, kw_only=True)
    """The status of success."""
    repeatable: bool = field(default=False, kw_only=True)
    """Whether doing it twice is doing it once, though it is no GET."""
    patient: bool = field(default=False, kw_only=True)
    """Whether it may take minutes."""
    cancellable: bool = field(default=False, kw_only=True)
    """Whether the verb takes ``is_wanted``, and ends where the client has left."""
    chosen_by: Mapping[str, str] = field(default_factory=dict, kw_only=True)
    """The query that chooses it among verbs of the same method and path."""

    @property
    def idempotent(self) -> bool:
        """Whether doing it twice is doing it once, so that a client may send it again where a connection breaks."""
        return self.method == "GET" or self.repeatable

    @property
    def path_fields(self) -> tuple[str, ...]:
        """The fields of the request that stand in the path."""
        return tuple(name for _, name, _, _ in string.Formatter().parse(self.path) if name is not None)

    @property
    def takes_json(self) -> bool:
        """Whether all other fields stand in a JSON body; otherwise they stand in the query."""
        return self.body in ("required", "optional")


_MODELS, _MODEL = f"{ROOT}/models", f"{ROOT}/models/{{model_name}}"
_JOBS, _JOB = f"{ROOT}/jobs", f"{ROOT}/jobs/{{job_id}}"
_ALIASES, _ALIAS = f"{ROOT}/aliases", f"{ROOT}/aliases/{{alias}}"
_BASE_MODELS = f"{ROOT}/base-models"

FIT: Final = Endpoint("fit", "POST", f"{ROOT}/fit", FitRequest, FitResult, TRAIN, "fit", "required", patient=True)
START_FIT: Final = Endpoint(
    "start_fit",
    "POST",
    f"{ROOT}/fit",
    FitRequest,
    Job,
    TRAIN,
    "fit",
    "required",
    status=202,
    chosen_by={"wait": "false"},
)
FORECAST: Final = Endpoint(
    "forecast",
    "POST",
    f"{ROOT}/fit",
    FitRequest,
    Forecast,
    TRAIN,
    "fit",
    "required",
    repeatable=True,
    patient=True,
    chosen_by={"dry_run": "true"},
)
PREDICT: Final = Endpoint(
    "predict",
    "POST",
    f"{ROOT}/predict",
    PredictRequest,
    Prediction,
    TRAIN,
    "predict",
    "required",
    repeatable=True,
    cancellable=True,
)
LIST_JOBS: Final = Endpoint("list_jobs", "GET", _JOBS, JobListRequest, JobList, JOBS, "light")
JOB: Final = Endpoint("job", "GET", _JOB, JobRequest, Job, JOBS, "light")
FOLLOW_JOB: Final = Endpoint(
    "follow_job", "GET", f"{_JOB}/events", JobRequest, Job, JOBS, "light", reply_form="events", patient=True
)
CANCEL_JOB: Final = Endpoint("cancel_job", "POST", f"{_JOB}/cancel", JobRequest, Job, JOBS, "write", "optional")
EVALUATE: Final = Endpoint(
    "evaluate", "POST", f"{ROOT}/evaluate", EvaluateRequest, Report, JUDGE, "bulk", "required", patient=True
)
COMPARE: Final = Endpoint(
    "compare",
    "POST",
    f"{ROOT}/compare",
    CompareRequest,
    Comparison,
    JUDGE,
    "bulk",
    "required",
    repeatable=True,
    patient=True,
)
CROSS_VALIDATE: Final = Endpoint(
    "cross_validate",
    "POST",
    f"{ROOT}/cross-validate",
    CrossValidateRequest,
    CrossValidation,
    JUDGE,
    "fit",
    "required",
    patient=True,
    cancellable=True,
)
SUGGEST: Final = Endpoint(
    "suggest",
    "POST",
    f"{ROOT}/suggest",
    SuggestRequest,
    Suggestions,
    JUDGE,
    "bulk",
    "required",
    repeatable=True,
    patient=True,
)
LIST_CLASSIFIERS: Final = Endpoint("list_classifiers", "GET", _MODELS, ListRequest, Listing, CLASSIFIERS, "light")
DELETE_ALL: Final = Endpoint(
    "delete_all", "DELETE", _MODELS, DeleteAllRequest, BulkDeletion, CLASSIFIERS, "scan", patient=True
)
IMPORT: Final = Endpoint(
    "import_classifier", "POST", f"{_MODELS}/import", ImportRequest, Imported, FILES, "transfer", "file", patient=True
)
EXPORT: Final = Endpoint(
    "export", "GET", f"{_MODEL}/export", ExportRequest, Export, FILES, "transfer", reply_form="file", patient=True
)
SHOW: Final = Endpoint("show", "GET", _MODEL, ModelRequest, ClassifierDetails, CLASSIFIERS, "light")
DESCRIBE: Final = Endpoint("describe", "PATCH", _MODEL, DescribeRequest, Classifier, CLASSIFIERS, "write", "required")
DELETE: Final = Endpoint("delete", "DELETE", _MODEL, DeleteRequest, Deletion, CLASSIFIERS, "write")
RESTORE: Final = Endpoint(
    "restore", "POST", f"{_MODEL}/restore", RestoreRequest, Restored, CLASSIFIERS, "write", "optional"
)
COPY: Final = Endpoint("copy", "POST", f"{_MODEL}/copy", CopyRequest, Copied, CLASSIFIERS, "transfer", "required")
REPRODUCE: Final = Endpoint(
    "reproduce",
    "POST",
    f"{_MODEL}/reproduce",
    ModelRequest,
    Reproduction,
    CLASSIFIERS,
    "fit",
    "optional",
    patient=True,
    cancellable=True,
)
LIST_ALIASES: Final = Endpoint("list_aliases", "GET", _ALIASES, NoRequest, AliasList, ALIASES, "light")
PROMOTE: Final = Endpoint(
    "promote", "PUT", _ALIAS, PromoteRequest, Promotion, ALIASES, "write", "required", patient=True
)
REMOVE_ALIAS: Final = Endpoint("remove_alias", "DELETE", _ALIAS, AliasChangeRequest, AliasRemoval, ALIASES, "write")
ALIAS_HISTORY: Final = Endpoint(
    "alias_history", "GET", f"{_ALIAS}/history", AliasRequest, AliasHistory, ALIASES, "light"
)
ROLLBACK: Final = Endpoint(
    "rollback", "POST", f"{_ALIAS}/rollback", AliasChangeRequest, Rollback, ALIASES, "write", "optional"
)
LIST_BASE_MODELS: Final = Endpoint(
    "base_models", "GET", _BASE_MODELS, NoRequest, BaseModelList, DISK, "scan", patient=True
)
REMOVE_BASE_MODEL: Final = Endpoint(
    "remove_base_model",
    "DELETE",
    f"{_BASE_MODELS}/{{base_model}}",
    BaseModelRequest,
    BaseModelRemoval,
    DISK,
    "scan",
    patient=True,
)
USAGE: Final = Endpoint("usage", "GET", f"{ROOT}/usage", NoRequest, Usage, DISK, "scan", patient=True)
FSCK: Final = Endpoint("fsck", "POST", f"{ROOT}/fsck", CheckRequest, Checkup, DISK, "scan", "optional", patient=True)


ENDPOINTS: Final[tuple[Endpoint[Any, Any], ...]] = tuple(
    each for each in tuple(globals().values()) if isinstance(each, Endpoint)
)
BY_VERB: Final[Mapping[str, Endpoint[Any, Any]]] = {each.verb: each for each in ENDPOINTS}
