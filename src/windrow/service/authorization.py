"""What a caller may see and change: a rule for each verb, by the names that its API key knows, and by its scopes.

A key that is limited to names by patterns does not know any other name, be it there or not:

- What asks for such a name is told, in the same words, that there is none. What would give something such a name is
  refused. What counts is the name in the request: an alias that the key knows leads to what it points to, and says in
  every reply what that is or was, since somebody who may promote made it so.
- Lists, counts, hints and ``task@latest`` leave out what the key does not know.
- What protects others does not: a classifier that an unknown alias points to is in use, and a name that differs from
  an unknown one only in case is taken. Both are told without the name.

A key without the scope ``rows`` sees no training row and no row that an alias keeps, but for those that it sends
itself. Whether it has the scope of a verb, ``windrow.http`` checks by the table of endpoints.
"""

import functools
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

from windrow.domain.alias import Alias, AliasList
from windrow.domain.binding import BindingList
from windrow.domain.caller import Caller, calling, current_caller, insufficient_scope
from windrow.domain.classifier import BulkDeletion, ClassifierDetails, Record
from windrow.domain.errors import NameNotAllowed, NameTaken
from windrow.domain.gate import FailedRow, FailedSet, GateReport
from windrow.domain.job import Job, JobList, Problem
from windrow.domain.labelled_rows import LabelledRow, row_key
from windrow.domain.listing import Listing
from windrow.domain.names import check_name, read_reference
from windrow.domain.usage import Usage
from windrow.execution.job_queue import job_not_found
from windrow.service.dependencies import Dependencies
from windrow.storage.catalog import ResolvedModel
from windrow.storage.namespace import name_taken

P = ParamSpec("P")
R = TypeVar("R")
AnyRecord = TypeVar("AnyRecord", bound=Record)
AnyAlias = TypeVar("AnyAlias", bound=Alias)
# Refuses a request that a caller may not make.
Check = Callable[[Dependencies, Caller, Any], None]
# Leaves out of a reply what a caller may not see.
Shown = Callable[[Caller, Any], Any]


@dataclass(frozen=True, slots=True)
class Rule:
    """What holds for one verb."""

    checks: tuple[Check, ...] = ()
    """What a request must pass that comes by a key which is limited to names."""
    shown: Shown | None = None
    """What is left of its reply for a caller that may not see everything; ``None`` where nothing needs to go."""
    is_for_all: bool = False
    """Whether each request must pass its checks, by whatever key it comes."""
    position: int = 0
    """Which argument of the verb is the request."""

    def check(self, deps: Dependencies, caller: Caller, args: tuple[Any, ...], arguments: Mapping[str, Any]) -> None:
        """Refuse what a caller may not ask.

        Args:
            deps: What the verbs work with.
            caller: Who asks.
            args: The verb's arguments, as they were passed by position.
            arguments: As they were passed by name.
        """
        request = args[self.position] if len(args) > self.position else arguments.get("request")
        for check in self.checks:
            check(deps, caller, request)


def authorized(function: Callable[Concatenate[Dependencies, P], R]) -> Callable[Concatenate[Dependencies, P], R]:
    """Return a verb that holds to its rule of :data:`RULES`; without one, it is for keys alone that know every name."""
    rule = RULES.get(function.__name__, FOR_ADMINS)
    if rule is FREE:
        return function
    shown, is_for_all = rule.shown, rule.is_for_all

    @functools.wraps(function)
    def verb(deps: Dependencies, /, *args: P.args, **kwargs: P.kwargs) -> R:
        caller = current_caller()
        if caller.only or is_for_all:
            rule.check(deps, caller, args, kwargs)
        reply = function(deps, *args, **kwargs)
        if shown is None or caller.sees_everything:
            return reply
        rest: R = shown(caller, reply)
        return rest

    return verb


def check_new_name(name: str) -> None:
    """Refuse a name that the caller's key may not give to anything.

    Raises:
        InvalidName: It breaks the grammar.
        NameNotAllowed: The key is limited to other names.
    """
    caller = current_caller()
    if not caller.knows(check_name(name)):
        raise NameNotAllowed(
            "The API key {key} may only give names like {only:joined}, and {name} is none. Choose such a name.",
            {"key": caller.key_name, "name": name, "only": list(caller.only)},
        )


def check_target(deps: Dependencies, model: ResolvedModel) -> None:
    """Refuse to point an alias at what the caller's key knows only by another alias.

    Raises:
        ClassifierNotFound: It does not know the classifier itself.
    """
    if not current_caller().knows(model.entry.record.name):
        raise deps.store.names.not_found(model.alias or model.entry.record.name)


def sees_job(caller: Caller, job: Job) -> bool:
    """Whether a job is there for a caller; without the scope ``read``, those alone are that its key started."""
    return caller.knows(job.model_name) and (caller.may("read") or job.key_name == caller.key_name)


def without_unknown_sources(record: AnyRecord) -> AnyRecord:
    """Return a record that names neither where it comes from nor what it extends, if the caller does not know it."""
    if record.origin is not None and not current_caller().knows(record.origin.name):
        record = replace(record, origin=None)
    return record if _knows_extended(current_caller(), record) else replace(record, extends=None)


def _knows_extended(caller: Caller, training: Record | Job) -> bool:
    return training.extends is None or caller.knows(read_reference(training.extends).name)


def without_kept_rows(report: GateReport, sent: Collection[LabelledRow]) -> GateReport:
    """Return the results of a promotion's conditions without texts that the caller may not see.

    Args:
        report: The results.
        sent: The rows of the request, which the caller knows.
    """
    if current_caller().may("rows"):
        return report
    known = {row_key(row) for row in sent}
    failed = (each if _row_of(each) in known else replace(each, text="") for each in report.failed_rows)
    return replace(report, failed_rows=tuple(failed))


def _row_of(failed: FailedRow | FailedSet) -> tuple[str, frozenset[str]]:
    """Return the text and the labels of a row that failed."""
    return failed.text, frozenset((failed.label,) if isinstance(failed, FailedRow) else failed.labels)


def _asks_for(field: str) -> Check:
    """Return a check of classifiers or aliases to ask or to change, of which a field holds one or several."""

    def check(deps: Dependencies, caller: Caller, request: Any) -> None:
        value = getattr(request, field)
        for name in (value,) if isinstance(value, str) else value or ():
            reference = read_reference(name)
            # Of a task, the versions that the caller knows count.
            if not reference.is_latest and not caller.knows(reference.name):
                raise deps.store.names.unknown(reference.name)

    return check


def _gives(field: str) -> Check:
    """Return a check of a name that something is to get, where the request names it."""

    def check(_deps: Dependencies, _caller: Caller, request: Any) -> None:
        if (name := getattr(request, field)) is not None:
            check_new_name(name)

    return check


def _knows_alias(deps: Dependencies, caller: Caller, request: Any) -> None:
    if not caller.knows(check_name(request.alias)):
        raise deps.store.names.alias_not_found(request.alias)


def _knows_question(_deps: Dependencies, caller: Caller, request: Any) -> None:
    if not caller.knows(request.question):
        raise NameNotAllowed(
            "The API key {key} may only bind questions with names like {only:joined}. Name such a one.",
            {"key": caller.key_name, "only": list(caller.only)},
        )


def _shown_bindings(caller: Caller, found: BindingList) -> BindingList:
    return BindingList(tuple(each for each in found if caller.knows(each.question)))


def _sees_job(deps: Dependencies, caller: Caller, request: Any) -> None:
    if not sees_job(caller, deps.jobs.get(request.job_id)):
        raise job_not_found(request.job_id)


def _may_cancel(deps: Dependencies, caller: Caller, request: Any) -> None:
    job = deps.jobs.get(request.job_id)
    if caller.may("admin") and caller.knows(job.model_name):
        return
    if not sees_job(caller, job):
        raise job_not_found(request.job_id)
    if job.key_name != caller.key_name:
        raise insufficient_scope("admin")


def _knows_everything(_deps: Dependencies, caller: Caller, _request: Any) -> None:
    """Refuse a key that is limited to names; none that is has the scope ``admin``, so that others refuse it before."""
    if caller.only:
        raise insufficient_scope("admin")


def _shown_record(_: Caller, record: Record) -> Record:
    return without_unknown_sources(record)


def _shown_details(caller: Caller, details: ClassifierDetails) -> ClassifierDetails:
    return replace(without_unknown_sources(details), aliases=tuple(filter(caller.knows, details.aliases)))


def _shown_listing(_: Caller, listing: Listing) -> Listing:
    return replace(listing, models=tuple(map(without_unknown_sources, listing.models)))


def _shown_deletion(caller: Caller, deletion: BulkDeletion) -> BulkDeletion:
    return replace(deletion, aliases=tuple(filter(caller.knows, deletion.aliases)))


def _shown_usage(caller: Caller, usage: Usage) -> Usage:
    return replace(usage, classifiers=tuple(each for each in usage.classifiers if caller.knows(each.name)))


def _shown_alias(caller: Caller, alias: AnyAlias) -> AnyAlias:
    return alias if caller.may("rows") else replace(alias, must_pass=())


def _shown_aliases(caller: Caller, found: AliasList) -> AliasList:
    return AliasList(tuple(_shown_alias(caller, each) for each in found))


def _shown_job(caller: Caller, job: Job) -> Job:
    """Return a job without names that its training came across, and that the caller does not know."""
    if job.next_name is not None and not caller.knows(job.next_name):
        job = replace(job, next_name=None)
    if not _knows_extended(caller, job):
        job = replace(job, extends=None)
    problem = job.problem
    if problem is not None and problem.code == NameTaken.code and "existing_name" in problem.facts:
        with calling(caller):  # who is no more the current one when the next change is taken
            error = name_taken(*(problem.facts[each] for each in ("name", "existing_name", "kind")))
        job = replace(job, problem=Problem(error.code, error.template, error.facts))
    return job


def _shown_jobs(caller: Caller, found: JobList) -> JobList:
    return JobList(tuple(_shown_job(caller, each) for each in found))


def _shown_changes(caller: Caller, jobs: Iterator[Job]) -> Iterator[Job]:
    return (_shown_job(caller, each) for each in jobs)


# Needs no rule: it names nothing, or the verb itself leaves out what the caller does not know.
FREE: Final = Rule()
FOR_ADMINS: Final = Rule((_knows_everything,))
_TRAINS: Final = Rule((_gives("model_name"), _asks_for("extends")))
_ASKS: Final = Rule((_asks_for("model_name"),))
_ASKS_EACH: Final = Rule((_asks_for("model_name"), _asks_for("model_names")))
_CHANGES: Final = Rule((_asks_for("model_name"),), _shown_record)
RULES: Final[Mapping[str, Rule]] = {
    "fit": _TRAINS,
    "start_fit": _TRAINS,
    "begin_fit": _TRAINS,
    "estimate_fit": _TRAINS,
    "reproduce": _ASKS,
    "list_jobs": Rule(shown=_shown_jobs),
    "job": Rule((_sees_job,), _shown_job, is_for_all=True),
    "follow_job": Rule((_sees_job,), _shown_changes, is_for_all=True),
    "cancel_job": Rule((_may_cancel,), _shown_job, is_for_all=True),
    "start_predict_files": _ASKS,
    "predict": _ASKS_EACH,
    "start_predict": _ASKS_EACH,
    "start_predict_in_memory": _ASKS_EACH,
    "classify": FREE,
    "start_classify": FREE,
    "start_classify_in_memory": FREE,
    "start_decide": _ASKS,
    "start_decide_in_memory": _ASKS,
    "inspect": FREE,
    "evaluate": _ASKS,
    "report": _ASKS,
    "compare": Rule((_asks_for("model_names"),)),
    "cross_validate": FREE,
    "suggest": _ASKS,
    "list_classifiers": Rule(shown=_shown_listing),
    "show": Rule((_asks_for("model_name"),), _shown_details),
    "describe": _CHANGES,
    "set_threshold": _ASKS,
    "delete": _ASKS,
    "delete_all": Rule(shown=_shown_deletion),
    "restore": _CHANGES,
    "promote": Rule((_gives("alias"), _asks_for("model_name")), _shown_alias),
    "rollback": Rule((_knows_alias,), _shown_alias),
    "remove_alias": Rule((_knows_alias,)),
    "list_aliases": Rule(shown=_shown_aliases),
    "alias_history": Rule((_knows_alias,)),
    "bind": Rule((_knows_question, _asks_for("model_name"))),
    "list_bindings": Rule(shown=_shown_bindings),
    "copy": Rule((_asks_for("model_name"), _gives("new_name")), _shown_record),
    "export": _ASKS,
    # The name that a file brings along is checked by the verb.
    "import_classifier": Rule((_gives("model_name"),), _shown_record, position=1),
    "base_models": FREE,
    "usage": Rule(shown=_shown_usage),
    "remove_base_model": FOR_ADMINS,
    "fsck": FOR_ADMINS,
    "create_key": FOR_ADMINS,
    "forget": FOR_ADMINS,
    "list_keys": FOR_ADMINS,
    "limit_key": FOR_ADMINS,
    "revoke_key": FOR_ADMINS,
    "audit": FOR_ADMINS,
}
