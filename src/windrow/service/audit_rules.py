"""Which verbs change something, and what the audit trail says of each: to what it was done, and what was before."""

import functools
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, is_dataclass
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

from windrow.domain.access import KEY_PREFIX
from windrow.domain.base_models import is_model_id
from windrow.domain.binding import Binding
from windrow.domain.caller import current_caller
from windrow.domain.errors import AccessDenied, Failure, InvalidInput, WindrowError
from windrow.domain.job import Job
from windrow.domain.listing import DeleteAllRequest, ListRequest
from windrow.domain.names import check_name, read_reference
from windrow.domain.values import recast
from windrow.execution.audit_writer import AuditWriter, line_of
from windrow.service.dependencies import Dependencies
from windrow.storage.log import Logs
from windrow.storage.namespace import Namespace
from windrow.storage.revision import ClassifierState, Pointer

P = ParamSpec("P")
R = TypeVar("R")
# Fields of a line.
Facts = Mapping[str, Any]
# What is begun in a form of its own has the name of the verb.
_NAMES: Final = {"begin_fit": "start_fit"}
_REDACTED: Final = f"{KEY_PREFIX}…"
_log = logging.getLogger("windrow.audit")


@dataclass(frozen=True, slots=True)
class Rule:
    """What the audit trail says of a verb that changes something."""

    target: Callable[[Any], str]
    """Returns what a request wants to change; it may be no name at all."""
    changes: Callable[[Dependencies, Any, Any, Any], Iterable[Facts]]
    """Returns the facts of each change, of a request, its reply, and what was before; nothing where it made none."""
    before: Callable[[Dependencies, Any], Any] = lambda *_: None
    """Returns what is before the change."""
    is_change: Callable[[Any], bool] = lambda _: True
    """Whether a request wants to change something, so that its failure is worth a line."""


def audited(function: Callable[Concatenate[Dependencies, P], R]) -> Callable[Concatenate[Dependencies, P], R]:
    """Return a verb that leaves lines in the audit trail, if it changes something; its reply waits for them."""
    rule = CHANGES.get(function.__name__)
    if rule is None:
        return function

    @functools.wraps(function)
    def verb(deps: Dependencies, /, *args: P.args, **kwargs: P.kwargs) -> R:
        request = next((each for each in (*args, *kwargs.values()) if is_dataclass(each)), None)
        before = _looked_up(rule.before, deps, request)
        try:
            reply = function(deps, *args, **kwargs)
        except Exception as error:
            if rule.is_change(request):
                _note_failure(deps.audit, function.__name__, rule.target(request), error)
            raise
        changes = _looked_up(lambda: list(rule.changes(deps, request, reply, before)))
        facts = [{"target": rule.target(request)}] if changes is None else changes
        caller = current_caller()
        deps.audit.record(*(line_of(caller, function.__name__, **each) for each in facts))
        return reply

    return verb


def note_job(audit: AuditWriter, names: Namespace, job: Job) -> None:
    """Leave a line about a job that was asked for, or that has ended.

    Args:
        audit: Writes it.
        names: Where the classifier of a training is.
        job: The job.
    """
    facts: dict[str, Any] = {"target": job.model_name, "job_id": job.id}
    if job.files is not None:
        facts["points_to"] = job.files.output
    if not job.is_finished:
        audit.record(line_of(current_caller(), f"start_{job.kind}", **facts))
        return
    if job.revision is not None and job.kind == "fit":
        before = _looked_up(_revision_before, names, job.model_name, job.revision)
        facts |= {"revision_before": before, "revision_after": job.revision}
    if job.problem is not None:
        facts["outcome"] = job.problem.code
    audit.record(line_of(current_caller(), job.kind, **facts))


def note_expired(audit: AuditWriter, names: Iterable[str]) -> None:
    """Leave lines about deleted classifiers that were purged since nobody has restored them.

    Args:
        audit: Writes them.
        names: The classifiers.
    """
    audit.record(*(line_of(current_caller(), "purge_expired", target=name) for name in names))


def note_repair(audit: AuditWriter) -> None:
    """Leave a line about a repair that was done without a service."""
    audit.record(line_of(current_caller(), "fsck"))


def _note_failure(audit: AuditWriter, verb: str, target: str, error: BaseException) -> None:
    """Leave a line about a change that failed: one that may have been made in part, a line of its own."""
    if isinstance(error, AccessDenied):  # which is noted by whoever answers the request
        return
    outcome = error.code if isinstance(error, WindrowError) else "internal_error"
    line = line_of(current_caller(), _NAMES.get(verb, verb), target=_shown_target(target), outcome=outcome)
    if isinstance(error, WindrowError) and not isinstance(error, Failure):
        audit.count(line)
    else:
        audit.record(line)


def _shown_target(target: str) -> str:
    """Return what a failed request wanted to change; what is no name is left out, as it may be anything."""
    if target.startswith(KEY_PREFIX):
        return _REDACTED
    if is_model_id(target):
        return target
    with suppress(InvalidInput):
        return str(read_reference(target))
    return ""


def _looked_up(look: Callable[..., R], *args: Any) -> R | None:
    """Return what a look at the disk says; ``None`` where it fails, which is no reason to fail a change."""
    try:
        return look(*args)
    except WindrowError as error:
        _log.info("A line of the audit trail says less than it could. %s", error.detail)
    except Exception:  # noqa: BLE001 - the change is made, and no defect in telling of it may say otherwise
        _log.exception("A line of the audit trail says less than it should.")
    return None


@dataclass(frozen=True, slots=True)
class _LogState:
    """How a log is at one moment: its highest number, and what that says."""

    number: int
    value: object

    @property
    def revision(self) -> int | None:
        return self.value.record.revision if isinstance(self.value, ClassifierState) else None

    @property
    def points_to(self) -> str | None:
        return self.value.points_to if isinstance(self.value, Pointer) else None


def _log_state(logs: Logs[Any], name: str) -> _LogState:
    newest = logs.newest(name)
    return _LogState(newest.number, newest.value)


def _steps(logs: Logs[Any], name: str, before: _LogState | None) -> tuple[_LogState, _LogState] | None:
    """Return a log's state before the last change and after it; ``None`` where nothing has changed."""
    after = _log_state(logs, name)
    if before is not None and after.number == before.number:
        return None
    if before is None or after.number > before.number + 1:  # others have changed it meanwhile, too
        number = after.number - 1
        before = _LogState(number, logs.at(name, number) if number > 0 else None)
    return before, after


def _classifier_before(field: str) -> Callable[[Dependencies, Any], _LogState | None]:
    def before(deps: Dependencies, request: Any) -> _LogState | None:
        with suppress(InvalidInput):  # which the verb refuses
            return _log_state(deps.store.names.classifiers, read_reference(getattr(request, field)).name)
        return None

    return before


def _classifier_changes(field: str) -> Callable[[Dependencies, Any, Any, Any], Iterator[Facts]]:
    """Return what says how a classifier has changed; nothing where its log is as it was."""

    def changes(deps: Dependencies, request: Any, _: Any, before: _LogState | None) -> Iterator[Facts]:
        name = getattr(request, field)
        if (steps := _steps(deps.store.names.classifiers, read_reference(name).name, before)) is not None:
            was, after = steps
            yield {"target": name, "revision_before": was.revision, "revision_after": after.revision}

    return changes


def _revision_before(names: Namespace, name: str, revision: int) -> int | None:
    """Return the revision that answered before another one was trained, imported or copied."""
    value = names.classifiers.at(name, revision - 1) if revision > 1 else None
    return value.record.revision if isinstance(value, ClassifierState) else None


def _new_revision(deps: Dependencies, _request: Any, reply: Any, _before: Any) -> Iterator[Facts]:
    if reply.status != "dry_run":
        before = _looked_up(_revision_before, deps.store.names, reply.name, reply.revision)
        yield {"target": reply.name, "revision_before": before, "revision_after": reply.revision}


def _saved_evaluation(_deps: Dependencies, _request: Any, report: Any, _before: Any) -> Iterator[Facts]:
    if report.saved:
        yield {
            "target": report.model_name,
            "revision_before": report.revision,
            "revision_after": report.revision,
        }


def _saved_report(deps: Dependencies, request: Any, page: Any, before: Any) -> Iterator[Facts]:
    return _saved_evaluation(deps, request, page.report, before)


def _selected_before(deps: Dependencies, request: DeleteAllRequest) -> Mapping[str, int]:
    if request.dry_run or request.is_everything:
        return {}
    return {each.name: each.revision for each in deps.store.catalog.listing(recast(ListRequest, request)).models}


def _deletions(_deps: Dependencies, _request: Any, reply: Any, before: Mapping[str, int] | None) -> Iterator[Facts]:
    if reply.status != "dry_run":
        for name in reply.model_names:
            yield {"target": name, "revision_before": (before or {}).get(name)}


def _erasures(_deps: Dependencies, request: Any, erasure: Any, _before: Any) -> Iterator[Facts]:
    """Yield what rows were removed from, or what was purged; no text is named."""
    if request.action == "find":
        return
    changed = [each for each in erasure.revisions if each.status in ("rows_removed", "purged")]
    targets = [*(f"{each.model_name}@{each.revision}" for each in changed), *(each.alias for each in erasure.aliases)]
    yield from ({"target": target} for target in targets or [""])


def _alias_before(deps: Dependencies, request: Any) -> _LogState | None:
    with suppress(InvalidInput):
        check_name(request.alias)
        return _log_state(deps.store.names.aliases, request.alias)
    return None


def _alias_changes(deps: Dependencies, request: Any, _: Any, before: _LogState | None) -> Iterator[Facts]:
    if (steps := _steps(deps.store.names.aliases, request.alias, before)) is not None:
        was, after = steps
        yield {"target": request.alias, "points_from": was.points_to, "points_to": after.points_to}


def _key_log_before(deps: Dependencies, _request: Any) -> int:
    return deps.store.keys.known().number


def _key_changes(deps: Dependencies, request: Any, _reply: Any, before: int | None) -> Iterator[Facts]:
    """Yield the key; nothing where the log of all keys is as it was. One that another key moved on is worth a line."""
    if deps.store.keys.known().number != before:
        yield {"target": request.name}


def _binding_before(deps: Dependencies, request: Any) -> Binding | None:
    found = deps.store.bindings.known().bindings
    return next((each for each in found if each.question == request.question), None)


def _binding_changes(_deps: Dependencies, request: Any, reply: Any, before: Binding | None) -> Iterator[Facts]:
    if reply.binding != before:
        was, after = (None if each is None else each.model_name for each in (before, reply.binding))
        yield {"target": request.question, "points_from": was, "points_to": after}


def _always(target: Callable[[Any], str]) -> Rule:
    return Rule(target, lambda _deps, request, _reply, _before: [{"target": target(request)}])


def _on_classifier(field: str = "model_name") -> Rule:
    return Rule(_field(field), _classifier_changes(field), _classifier_before(field))


def _field(name: str) -> Callable[[Any], str]:
    return lambda request: getattr(request, name) or ""


# A job leaves its lines when it begins and ends, whoever waits for it.
_BY_ITS_JOB: Final = Rule(_field("model_name"), lambda *_: ())
_ON_ALIAS: Final = Rule(_field("alias"), _alias_changes, _alias_before)
_ON_KEY: Final = Rule(_field("name"), _key_changes, _key_log_before)
CHANGES: Final[Mapping[str, Rule]] = {
    "fit": Rule(_field("model_name"), lambda *_: (), is_change=lambda _: False),
    "start_fit": _BY_ITS_JOB,
    "begin_fit": _BY_ITS_JOB,
    "start_predict_files": _BY_ITS_JOB,
    "cancel_job": Rule(
        lambda _: "", lambda _deps, request, job, _before: [{"target": job.model_name, "job_id": request.job_id}]
    ),
    "evaluate": Rule(_field("model_name"), _saved_evaluation, is_change=lambda request: request.save),
    "report": Rule(_field("model_name"), _saved_report, is_change=lambda request: request.save),
    "describe": _on_classifier(),
    "set_threshold": _on_classifier(),
    "delete": _on_classifier(),
    "delete_all": Rule(lambda _: "", _deletions, _selected_before, lambda request: not request.dry_run),
    "restore": _on_classifier(),
    "copy": Rule(_field("new_name"), _new_revision),
    "import_classifier": Rule(_field("model_name"), _new_revision, is_change=lambda request: not request.dry_run),
    "promote": _ON_ALIAS,
    "rollback": _ON_ALIAS,
    "remove_alias": _ON_ALIAS,
    "bind": Rule(_field("question"), _binding_changes, _binding_before),
    "remove_base_model": _always(_field("base_model")),
    "fsck": Rule(
        lambda _: "",
        lambda _deps, request, _reply, _before: [{}] if request.repair else (),
        is_change=lambda request: request.repair,
    ),
    "forget": Rule(lambda _: "", _erasures, is_change=lambda request: request.action != "find"),
    "create_key": _always(_field("name")),
    "limit_key": _ON_KEY,
    "revoke_key": _ON_KEY,
}
# Those that change nothing; a failed one of them leaves no line.
READS: Final = frozenset(
    (
        *("estimate_fit", "reproduce", "list_jobs", "job", "follow_job"),
        *("predict", "start_predict", "start_predict_in_memory", "inspect"),
        *("classify", "start_classify", "start_classify_in_memory"),
        *("start_decide", "start_decide_in_memory"),
        *("compare", "cross_validate", "suggest", "list_classifiers", "show", "export"),
        *("list_aliases", "alias_history", "list_bindings", "base_models", "usage", "list_keys", "audit"),
    )
)
