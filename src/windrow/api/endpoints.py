"""The endpoints: where each verb of ``Operations`` stands in HTTP, and how it is treated.

Server, client, OpenAPI document and reference pages are derived from this table. A field of a request stands in the
path where the path names it, else in the query of a request without a JSON body, else in the body.
"""

import string
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, is_dataclass
from functools import cached_property
from types import UnionType
from typing import Any, Final, Generic, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from windrow.codec.types import types_of
from windrow.domain.access import Scope
from windrow.domain.archive import Export
from windrow.domain.dataset import Row
from windrow.domain.file_reply import FileReply
from windrow.operations import Operations

R = TypeVar("R")
# Threads of their own, so that what takes long holds up nothing that does not: looking something up; changing the data
# directory, which may wait for others; reading much of it; files; encoding many texts; predictions by what is in
# memory; those that must read the disk, which may hang; trainings; large bodies of any verb; what needs no data
# directory.
Pool = Literal["light", "write", "scan", "transfer", "bulk", "predict", "load", "fit", "parse", "monitor"]
Body = Literal["none", "required", "optional", "file"]
ReplyForm = Literal["json", "file", "events"]

# The largest body of a verb that takes neither rows nor texts.
MAX_SMALL_BODY_BYTES: Final = 1_000_000
ROOT: Final = "/v1/classifier"
# Above it stands what needs no classifier.
VERSION_ROOT: Final = "/v1"
# Of a file that is sent: an exported classifier.
FILE_TYPES: Final = Export.media_types
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
JOBS: Final = Tag("jobs", "Trainings and predictions of files that wait, run or have ended.")
EVALUATION: Final = Tag("evaluation", "How good classifiers and trainings are, and what to label next.")
CLASSIFIERS: Final = Tag("classifiers", "The classifiers that exist.")
FILES: Final = Tag("export and import", "Classifiers as files.")
ALIASES: Final = Tag("aliases", "Second names that point at classifiers, and questions that they answer.")
MAINTENANCE: Final = Tag("maintenance", "What takes the room, and whether it is sound.")
ACCESS: Final = Tag("access", "Who may do what.")
SERVER: Final = Tag("server", "For whoever watches the server.")
TAGS: Final = (TRAIN, JOBS, EVALUATION, CLASSIFIERS, FILES, ALIASES, MAINTENANCE, ACCESS, SERVER)


@dataclass(frozen=True)
class Endpoint(Generic[R]):
    """One verb's place in HTTP. What the verb takes and returns, its own annotations say, which are read when asked."""

    operation: Callable[..., R]
    """The verb: a method of ``Operations``."""
    method: str
    """``GET``, ``POST`` …"""
    below_root: str
    """The path below ``root``; what stands in braces is a field of the request."""
    tag: Tag
    """The group that it belongs to."""
    pool: Pool
    """The threads that do it."""
    scope: Scope | None
    """What an API key must be allowed to do; ``None`` where any valid key will do."""
    root: str = field(default=ROOT, kw_only=True)
    """The path above."""
    or_scope: Scope | None = field(default=None, kw_only=True)
    """A scope that does as well."""
    scope_if: Mapping[str, Scope] = field(default_factory=dict, kw_only=True)
    """The scope that it needs instead where a field of the request is true."""
    status: int = field(default=200, kw_only=True)
    """The status of success."""
    optional_body: bool = field(default=False, kw_only=True)
    """Whether it may come without its JSON body: all that the request needs stands in the path."""
    idempotent_post: bool = field(default=False, kw_only=True)
    """Whether it is idempotent, though it is a POST."""
    long_running: bool = field(default=False, kw_only=True)
    """Whether it may take minutes."""
    any_file: bool = field(default=False, kw_only=True)
    """Whether a body that is a file may be of any media type; otherwise it is an exported classifier."""
    chosen_by: Mapping[str, str] = field(default_factory=dict, kw_only=True)
    """The query that chooses it among verbs of the same method and path."""

    @cached_property
    def verb(self) -> str:
        """Its name in ``Operations``, and the operation id."""
        return self.operation.__name__

    @cached_property
    def path(self) -> str:
        """The whole path; what stands in braces is a field of the request."""
        return self.root + self.below_root

    @cached_property
    def path_fields(self) -> tuple[str, ...]:
        """The fields of the request that stand in the path."""
        return tuple(name for _, name, _, _ in string.Formatter().parse(self.path) if name is not None)

    @cached_property
    def request(self) -> Any:
        """The class of the request."""
        return self._hints.get("request", NoRequest)

    @cached_property
    def reply(self) -> Any:
        """The class of the reply, the first of several forms; of each value of it where it is a stream or a tuple."""
        returned = self._hints["return"]
        return next(iter(get_args(returned)), returned)

    @cached_property
    def reply_type(self) -> Any:
        """The type of the reply, with all of its forms where it has several; ``reply`` is the first of them."""
        returned = self._hints["return"]
        return returned if get_origin(returned) in (Union, UnionType) else self.reply

    @cached_property
    def body(self) -> Body:
        """What the request carries."""
        if self.method in ("GET", "DELETE"):
            return "none"
        if "file" in self._hints:
            return "file"
        return "optional" if self.optional_body else "required"

    @cached_property
    def reply_form(self) -> ReplyForm:
        """What the reply carries."""
        if isinstance(self.reply, type) and issubclass(self.reply, FileReply):
            return "file"
        return "events" if get_origin(self._hints["return"]) is Iterator else "json"

    @cached_property
    def cancellable(self) -> bool:
        """Whether the operation is cancelled when the client disconnects."""
        return "is_connected" in self._hints

    @property
    def idempotent(self) -> bool:
        """Whether a client may send it again where a connection breaks."""
        return self.method == "GET" or self.idempotent_post

    @property
    def takes_json(self) -> bool:
        """Whether all other fields stand in a JSON body; otherwise they stand in the query."""
        return self.body in ("required", "optional")

    @cached_property
    def takes_many(self) -> bool:
        """Whether its JSON body may hold many rows or texts; another one has ``MAX_SMALL_BODY_BYTES`` at most."""
        return self.takes_json and _holds_many(self.request)

    @cached_property
    def possible_scopes(self) -> frozenset[Scope]:
        """The scopes of which a key needs one, whatever the request says; none where any key will do."""
        return frozenset(filter(None, (self.scope, self.or_scope, *self.scope_if.values())))

    def needed_scope(self, request: object) -> Scope | None:
        """Return the scope that a request needs; ``None`` where any key will do.

        Args:
            request: The request.
        """
        switch = self.scope_switch(request)
        return self.scope if switch is None else self.scope_if[switch]

    def scope_switch(self, request: object) -> str | None:
        """Return the field by which a request needs another scope than the rest; ``None`` where it needs the same.

        Args:
            request: The request.
        """
        return next((name for name in self.scope_if if getattr(request, name)), None)

    @cached_property
    def _hints(self) -> Mapping[str, Any]:
        return get_type_hints(self.operation)


def _holds_many(kind: Any) -> bool:
    return any(
        name == "texts" or each.item is Row or (is_dataclass(each.kind) and _holds_many(each.kind))
        for name, each in types_of(kind).items()
    )


FIT: Final = Endpoint(Operations.fit, "POST", "/fit", TRAIN, "fit", "train", long_running=True)
START_FIT: Final = Endpoint(
    Operations.start_fit, "POST", "/fit", TRAIN, "fit", "train", status=202, chosen_by={"wait": "false"}
)
ESTIMATE_FIT: Final = Endpoint(
    Operations.estimate_fit,
    "POST",
    "/fit",
    TRAIN,
    "fit",
    "train",
    idempotent_post=True,
    long_running=True,
    chosen_by={"dry_run": "true"},
)
# It reads and writes places beside the data directory, and works for hours: more than ``predict`` is for. Keys with
# ``train`` see and cancel the jobs that they started.
START_PREDICT_FILES: Final = Endpoint(
    Operations.start_predict_files, "POST", "/predict-files", TRAIN, "scan", "train", status=202
)
PREDICT: Final = Endpoint(Operations.predict, "POST", "/predict", TRAIN, "predict", "predict", idempotent_post=True)
CLASSIFY: Final = Endpoint(
    Operations.classify, "POST", "/classify", TRAIN, "predict", "predict", root=VERSION_ROOT, idempotent_post=True
)
# What is read is the caller's own, and nothing is done with it.
INSPECT: Final = Endpoint(Operations.inspect, "POST", "/inspect", TRAIN, "parse", None, any_file=True)
# With ``train`` alone, a key sees the jobs that it started.
LIST_JOBS: Final = Endpoint(Operations.list_jobs, "GET", "/jobs", JOBS, "light", "read", or_scope="train")
JOB: Final = Endpoint(Operations.job, "GET", "/jobs/{job_id}", JOBS, "light", "read", or_scope="train")
FOLLOW_JOB: Final = Endpoint(
    Operations.follow_job, "GET", "/jobs/{job_id}/events", JOBS, "light", "read", or_scope="train", long_running=True
)
CANCEL_JOB: Final = Endpoint(
    Operations.cancel_job, "POST", "/jobs/{job_id}/cancel", JOBS, "write", "train", optional_body=True, or_scope="admin"
)
EVALUATE: Final = Endpoint(
    Operations.evaluate, "POST", "/evaluate", EVALUATION, "bulk", "read", long_running=True, scope_if={"save": "train"}
)
COMPARE: Final = Endpoint(
    Operations.compare, "POST", "/compare", EVALUATION, "bulk", "read", idempotent_post=True, long_running=True
)
CROSS_VALIDATE: Final = Endpoint(
    Operations.cross_validate, "POST", "/cross-validate", EVALUATION, "fit", "read", long_running=True
)
SUGGEST: Final = Endpoint(
    Operations.suggest, "POST", "/suggest", EVALUATION, "bulk", "read", idempotent_post=True, long_running=True
)
REPORT: Final = Endpoint(
    Operations.report, "POST", "/report", EVALUATION, "bulk", "read", long_running=True, scope_if={"save": "train"}
)
LIST_CLASSIFIERS: Final = Endpoint(Operations.list_classifiers, "GET", "/models", CLASSIFIERS, "light", "read")
DELETE_ALL: Final = Endpoint(
    Operations.delete_all,
    "DELETE",
    "/models",
    CLASSIFIERS,
    "scan",
    "train",
    long_running=True,
    scope_if={"purge": "admin"},
)
IMPORT: Final = Endpoint(
    Operations.import_classifier, "POST", "/models/import", FILES, "transfer", "train", long_running=True
)
EXPORT: Final = Endpoint(
    Operations.export,
    "GET",
    "/models/{model_name}/export",
    FILES,
    "transfer",
    "read",
    long_running=True,
    scope_if={"include_training_data": "rows"},
)
SHOW: Final = Endpoint(Operations.show, "GET", "/models/{model_name}", CLASSIFIERS, "light", "read")
DESCRIBE: Final = Endpoint(Operations.describe, "PATCH", "/models/{model_name}", CLASSIFIERS, "write", "train")
SET_THRESHOLD: Final = Endpoint(
    Operations.set_threshold, "PUT", "/models/{model_name}/threshold", CLASSIFIERS, "write", "train"
)
DELETE: Final = Endpoint(
    Operations.delete, "DELETE", "/models/{model_name}", CLASSIFIERS, "write", "train", scope_if={"purge": "admin"}
)
RESTORE: Final = Endpoint(
    Operations.restore, "POST", "/models/{model_name}/restore", CLASSIFIERS, "write", "train", optional_body=True
)
COPY: Final = Endpoint(Operations.copy, "POST", "/models/{model_name}/copy", CLASSIFIERS, "transfer", "train")
REPRODUCE: Final = Endpoint(
    Operations.reproduce,
    "POST",
    "/models/{model_name}/reproduce",
    CLASSIFIERS,
    "fit",
    "train",
    optional_body=True,
    long_running=True,
)
LIST_ALIASES: Final = Endpoint(Operations.list_aliases, "GET", "/aliases", ALIASES, "light", "read")
PROMOTE: Final = Endpoint(Operations.promote, "PUT", "/aliases/{alias}", ALIASES, "write", "promote", long_running=True)
REMOVE_ALIAS: Final = Endpoint(Operations.remove_alias, "DELETE", "/aliases/{alias}", ALIASES, "write", "promote")
ALIAS_HISTORY: Final = Endpoint(Operations.alias_history, "GET", "/aliases/{alias}/history", ALIASES, "light", "read")
ROLLBACK: Final = Endpoint(
    Operations.rollback, "POST", "/aliases/{alias}/rollback", ALIASES, "write", "promote", optional_body=True
)
BIND: Final = Endpoint(Operations.bind, "PUT", "/bindings", ALIASES, "write", "promote")
LIST_BINDINGS: Final = Endpoint(Operations.list_bindings, "GET", "/bindings", ALIASES, "light", "read")
LIST_BASE_MODELS: Final = Endpoint(
    Operations.base_models, "GET", "/base-models", MAINTENANCE, "scan", "read", long_running=True
)
REMOVE_BASE_MODEL: Final = Endpoint(
    Operations.remove_base_model, "DELETE", "/base-models/{base_model}", MAINTENANCE, "scan", "admin", long_running=True
)
USAGE: Final = Endpoint(Operations.usage, "GET", "/usage", MAINTENANCE, "scan", "read", long_running=True)
FSCK: Final = Endpoint(
    Operations.fsck, "POST", "/fsck", MAINTENANCE, "scan", "admin", optional_body=True, long_running=True
)
FORGET: Final = Endpoint(Operations.forget, "POST", "/forget", MAINTENANCE, "scan", "admin", long_running=True)
CREATE_KEY: Final = Endpoint(Operations.create_key, "POST", "/keys", ACCESS, "write", "admin", status=201)
LIST_KEYS: Final = Endpoint(Operations.list_keys, "GET", "/keys", ACCESS, "light", "admin")
LIMIT_KEY: Final = Endpoint(Operations.limit_key, "PUT", "/keys/{name}/limits", ACCESS, "write", "admin")
REVOKE_KEY: Final = Endpoint(Operations.revoke_key, "DELETE", "/keys/{name}", ACCESS, "write", "admin")
AUDIT: Final = Endpoint(Operations.audit, "GET", "/audit", ACCESS, "scan", "admin", long_running=True)

ENDPOINTS: Final[tuple[Endpoint[Any], ...]] = tuple(
    each for each in tuple(globals().values()) if isinstance(each, Endpoint)
)
BY_VERB: Final[Mapping[str, Endpoint[Any]]] = {each.verb: each for each in ENDPOINTS}
