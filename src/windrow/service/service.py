"""Service: ``LocalOperations``, each verb with what it works with."""

import functools
import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from windrow.disk import disk_error, is_open_to_others
from windrow.domain.base_models import allowed_ids
from windrow.domain.caller import current_caller
from windrow.domain.errors import DataDirectoryUnavailable, KeysUnavailable, WindrowError
from windrow.domain.recipe import DEFAULT_BASE_MODEL
from windrow.domain.server_stats import ServerStats
from windrow.execution.key_watch import KeyWatch
from windrow.execution.quotas import Quotas
from windrow.service import (
    aliases,
    bindings,
    classification,
    classifiers,
    decision,
    erasure,
    evaluation,
    file_prediction,
    import_export,
    inspection,
    maintenance,
    prediction,
    reporting,
    training,
)
from windrow.service import audit as audit_verbs
from windrow.service import keys as key_verbs
from windrow.service.audit_rules import CHANGES, audited
from windrow.service.authorization import authorized
from windrow.service.dependencies import Dependencies

P = ParamSpec("P")
R = TypeVar("R")

# Classifiers of which a monitor is told how much they are used: it keeps each of them for long.
MOST_USED = 100
_log = logging.getLogger("windrow.service")


def _verb(function: Callable[Concatenate[Dependencies, P], R]) -> Callable[Concatenate["Service", P], R]:
    """Return a function over dependencies as a method of the service that has them; it holds to the verb's rule."""
    act = audited(_with_disk_errors(authorized(function)))
    if function.__name__ in CHANGES:
        act = _with_changes_looked_up(act)

    def verb(self: "Service", /, *args: P.args, **kwargs: P.kwargs) -> R:
        return act(self.dependencies, *args, **kwargs)

    functools.update_wrapper(verb, function)
    return verb


def _with_changes_looked_up(
    function: Callable[Concatenate[Dependencies, P], R],
) -> Callable[Concatenate[Dependencies, P], R]:
    """Return a verb that looks up what the names mean that it changed, before the caller is told of the change."""

    @functools.wraps(function)
    def verb(deps: Dependencies, /, *args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(deps, *args, **kwargs)
        finally:
            deps.models.look_up_changed()

    return verb


def _with_disk_errors(
    function: Callable[Concatenate[Dependencies, P], R],
) -> Callable[Concatenate[Dependencies, P], R]:
    """Return a verb that tells what the system refused as an error of ours."""

    @functools.wraps(function)
    def verb(deps: Dependencies, /, *args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(deps, *args, **kwargs)
        except OSError as error:  # where no module below had better words
            raise disk_error(
                error,
                "The system refused what Windrow needs for this ({why}). Check the disk of the data directory and the "
                "limits of the process, then try again.",
                "There is no room on a disk that Windrow needs for this ({why}). Free some, then try again.",
            ) from error

    return verb


class Service:
    """Does the verbs here. Made by ``bootstrap.open_service``.

    Args:
        dependencies: What they work with.
    """

    def __init__(self, dependencies: Dependencies) -> None:
        self.dependencies = dependencies

    @property
    def local_dir(self) -> Path:
        """The folder of this machine that base models are in."""
        return self.dependencies.settings.local_dir

    fit = _verb(training.fit)
    start_fit = _verb(training.start_fit)
    begin_fit = _verb(training.begin_fit)
    estimate_fit = _verb(training.estimate_fit)
    reproduce = _verb(training.reproduce)
    list_jobs = _verb(training.list_jobs)
    job = _verb(training.job)
    follow_job = _verb(training.follow_job)
    cancel_job = _verb(training.cancel_job)
    start_predict_files = _verb(file_prediction.start_predict_files)
    predict = _verb(prediction.predict)
    start_predict = _verb(prediction.start_predict)
    start_predict_in_memory = _verb(prediction.start_predict_in_memory)
    classify = _verb(classification.classify)
    start_classify = _verb(classification.start_classify)
    start_classify_in_memory = _verb(classification.start_classify_in_memory)
    start_decide = _verb(decision.start_decide)
    start_decide_in_memory = _verb(decision.start_decide_in_memory)
    inspect = _verb(inspection.inspect)
    evaluate = _verb(evaluation.evaluate)
    report = _verb(reporting.report)
    compare = _verb(evaluation.compare)
    cross_validate = _verb(evaluation.cross_validate)
    suggest = _verb(evaluation.suggest)
    list_classifiers = _verb(classifiers.list_classifiers)
    show = _verb(classifiers.show)
    describe = _verb(classifiers.describe)
    set_threshold = _verb(classifiers.set_threshold)
    delete = _verb(classifiers.delete)
    delete_all = _verb(classifiers.delete_all)
    restore = _verb(classifiers.restore)
    promote = _verb(aliases.promote)
    rollback = _verb(aliases.rollback)
    remove_alias = _verb(aliases.remove_alias)
    list_aliases = _verb(aliases.list_aliases)
    alias_history = _verb(aliases.alias_history)
    bind = _verb(bindings.bind)
    list_bindings = _verb(bindings.list_bindings)
    copy = _verb(import_export.copy)
    export = _verb(import_export.export)
    import_classifier = _verb(import_export.import_classifier)
    base_models = _verb(maintenance.base_models)
    remove_base_model = _verb(maintenance.remove_base_model)
    usage = _verb(maintenance.usage)
    fsck = _verb(maintenance.fsck)
    forget = _verb(erasure.forget)
    create_key = _verb(key_verbs.create_key)
    list_keys = _verb(key_verbs.list_keys)
    limit_key = _verb(key_verbs.limit_key)
    revoke_key = _verb(key_verbs.revoke_key)
    audit = _verb(audit_verbs.audit)

    def start(self) -> None:
        """Load what is to be kept loaded and start the training processes, so that the first request does not wait."""
        deps = self.dependencies
        if is_open_to_others(deps.settings.local_dir):
            _log.warning(
                "Other users of this machine can reach the data directory %s, and with it training rows, and can keep "
                "Windrow from changing anything. Close it to them: chmod go-rwx %s",
                *[deps.settings.local_dir] * 2,
            )
        deps.store.directory.prepare()
        deps.keys.update()  # before the first request
        deps.counters.read_keys()
        deps.watch_task.start()
        deps.count_task.start()
        deps.runner.start()
        if DEFAULT_BASE_MODEL in allowed_ids(deps.settings.allowed_base_models):
            deps.encoders.get(DEFAULT_BASE_MODEL)
        for name in deps.settings.pinned_classifiers:
            try:
                deps.predictor.load(deps.models.find(name))
            except WindrowError as error:  # the others answer all the same, and this one once it is put right
                _log.warning("The classifier %r is not kept loaded. %s", name, error.detail)
        deps.purge_task.start()
        deps.jobs.reconcile_orphaned()

    def wait_for_jobs(self, timeout_s: float) -> None:
        """Wait until every job of this process has ended, or the time is over."""
        self.dependencies.jobs.wait(timeout_s)

    def close(self) -> None:
        """Stop the training processes and the encoder's threads; jobs are interrupted, waiting predictions fail."""
        deps = self.dependencies
        deps.purge_task.stop()
        deps.watch_task.stop()
        deps.jobs.close()
        deps.runner.close()
        deps.queue.close()
        deps.count_task.stop()
        deps.counters.close()
        deps.audit.close()

    def check_ready(self) -> None:
        """Check that the data directory was there half a second ago. See ``LocalOperations.check_ready``."""
        self.dependencies.models.check_ready()
        self.dependencies.keys.check_readable()

    @property
    def keys(self) -> KeyWatch:
        """The API keys, in memory."""
        return self.dependencies.keys

    @property
    def quotas(self) -> Quotas:
        """What API keys may still send."""
        return self.dependencies.quotas

    def server_stats(self) -> ServerStats:
        """Return what goes on here, and what has been done since the start."""
        deps = self.dependencies
        stats = deps.predictor.server_stats(deps.slots.running, deps.slots.waiting)
        bucket = deps.store.bucket
        return replace(
            stats,
            running_file_predictions=deps.file_slots.running,
            queued_file_predictions=deps.file_slots.waiting,
            encoders=len(deps.encoders),
            is_ready=self._is_ready,
            free_bytes=deps.free_space.last_bytes,
            min_free_bytes=0 if bucket else deps.settings.min_free_bytes,
            store_requests={} if bucket is None else dict(bucket.requests),
            tasks=deps.task_log.stats(),
            jobs=deps.job_log.stats(),
            refused_keys=deps.keys.refused,
            classifier_texts=deps.counters.most_used(MOST_USED, current_caller().knows),
            storage=deps.storage_meter.stats(),
        )

    @property
    def _is_ready(self) -> bool:
        try:
            self.check_ready()
        except (DataDirectoryUnavailable, KeysUnavailable):
            return False
        return True
