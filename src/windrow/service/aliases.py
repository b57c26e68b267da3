"""Promotes and rolls back aliases: a classifier meets its conditions and is in memory before an alias points to it."""

from dataclasses import replace

from windrow.domain.alias import (
    AliasChangeRequest,
    AliasHistory,
    AliasList,
    AliasRemoval,
    AliasRequest,
    PromoteRequest,
    Promotion,
    Rollback,
    check_note,
    check_promote_request,
)
from windrow.domain.errors import (
    BaseModelNotAllowed,
    BaseModelUnavailable,
    ConcurrentChange,
    InvalidArtifact,
    InvalidBaseModel,
    InvalidParameter,
    InvalidTestData,
    NotFound,
)
from windrow.domain.gate import NOTHING_CHECKED, NOTHING_REQUIRED, GateReport, Requirement
from windrow.domain.labelled_rows import distinct_rows
from windrow.domain.values import recast
from windrow.execution.batch_prediction import ClassifierOutputs, predict_batch
from windrow.service.authorization import check_target, without_kept_rows
from windrow.service.dependencies import Dependencies, Store
from windrow.service.evaluation_rows import check_form
from windrow.service.gate import EvaluatedModel, check_conditions, check_measured_labels, conditions_of, refusal
from windrow.storage.alias_store import AliasState, PromotionPreconditions
from windrow.storage.catalog import ResolvedModel

# Others would have to promote as often while the rows are answered.
_MAX_GATE_CHECKS = 5


def promote(deps: Dependencies, request: PromoteRequest) -> Promotion:
    """Point an alias at a classifier. See ``Operations.promote``."""
    check_promote_request(request, deps.settings.limits)
    check_measured_labels(request.require or NOTHING_REQUIRED)
    model, num_checks = deps.store.find(request.model_name), 0
    check_target(deps, model)
    aliases = deps.store.aliases
    while True:
        # Outside the lock, since it may take minutes; inside, it is checked whether the result still holds.
        state = aliases.state(request.alias)
        report = _check_gate(deps, request, model, state)
        num_checks += 1
        deps.predictor.load(model)
        kept = None if request.must_pass is None else distinct_rows(request.must_pass)
        preconditions = PromotionPreconditions(kept, state.number if report.checks else None)
        try:
            return recast(Promotion, aliases.promote(request.alias, model.target, request, preconditions), gate=report)
        except ConcurrentChange:
            if num_checks == _MAX_GATE_CHECKS or aliases.state(request.alias) == state:
                raise


def rollback(deps: Dependencies, request: AliasChangeRequest) -> Rollback:
    """Point an alias back. See ``Operations.rollback``."""
    check_note(request)
    aliases = deps.store.aliases
    target = aliases.rollback_target(request.alias)
    deps.predictor.load(deps.store.catalog.find(target.target))
    return recast(Rollback, aliases.roll_back(request.alias, target, request))


def remove_alias(deps: Dependencies, request: AliasChangeRequest) -> AliasRemoval:
    """Take an alias away. See ``Operations.remove_alias``."""
    check_note(request)
    deps.store.aliases.remove(request.alias, request)
    deps.predictor.unpin(request.alias)
    return AliasRemoval(request.alias)


def list_aliases(deps: Dependencies) -> AliasList:
    """Return every alias. See ``Operations.list_aliases``."""
    return AliasList(deps.store.aliases.list())


def alias_history(deps: Dependencies, request: AliasRequest) -> AliasHistory:
    """Return each change of an alias. See ``Operations.alias_history``."""
    return AliasHistory(request.alias, deps.store.aliases.history(request.alias))


def _check_gate(deps: Dependencies, request: PromoteRequest, model: ResolvedModel, state: AliasState) -> GateReport:
    require = request.require or NOTHING_REQUIRED
    conditions = conditions_of(require, state.must_pass if request.must_pass is None else request.must_pass)
    if not conditions.texts:
        return NOTHING_CHECKED
    check_form("require.test_data", require.test_data, model)
    check_form("require.must_pass", require.must_pass, model)
    _check_kept_form(request, state, model)
    current = _current_target(deps, request.alias, state) if require.test_data else ""
    if isinstance(current, ResolvedModel) and current.entry.record.kind != model.entry.record.kind:
        current = _other_kind(require, current, model)
    models = (model,) if isinstance(current, str) else (model, current)
    answers = predict_batch(models, conditions.texts, deps.predictor, deps.queue.compute)
    texts = [row.text for row in require.test_data]
    evaluated = [_evaluate(deps.store, each, answer, texts) for each, answer in zip(models, answers, strict=True)]
    report = check_conditions(conditions, evaluated[0], current if isinstance(current, str) else evaluated[1])
    report = without_kept_rows(report, {*require.must_pass, *(request.must_pass or ())})
    if not report.passed:
        raise refusal(request.alias, str(model.target), report)
    return report


def _check_kept_form(request: PromoteRequest, state: AliasState, model: ResolvedModel) -> None:
    """Refuse rows to keep with an alias, or that it keeps, that have another form than a classifier's answers."""
    if request.must_pass is not None:
        check_form("must_pass", request.must_pass, model)
        return
    try:
        check_form("must_pass", state.must_pass, model)
    except InvalidTestData as error:
        raise InvalidTestData(
            "The alias {alias} keeps rows that must pass, whose form is not that of the answers of {model_name}: it "
            "needs {expected} in each row. {Send} other rows as {arg:must_pass}, or {no_rows} to keep none.",
            {"alias": request.alias, **error.facts},
        ) from error


def _other_kind(require: Requirement, current: ResolvedModel, model: ResolvedModel) -> str:
    """Return why a classifier of the other kind cannot be compared with.

    Raises:
        InvalidParameter: It should be.
    """
    if require.not_worse:
        raise InvalidParameter(
            "{arg:{parameter}} compares classifiers of one kind; {current} is {current_kind}, and {model_name} is "
            "{kind}. Leave it out, and require {arg:require.min_f1} of the labels instead.",
            {
                "parameter": "require.not_worse",
                "current": str(current.target),
                "current_kind": current.entry.record.kind,
                "model_name": str(model.target),
                "kind": model.entry.record.kind,
            },
        )
    return f"{current.target} is of the other kind, so there is nothing to compare with."


def _evaluate(store: Store, model: ResolvedModel, answers: ClassifierOutputs, texts: list[str]) -> EvaluatedModel:
    threshold = model.entry.record.threshold
    seen = (texts and store.find_seen(model.entry, texts)) or ((), ())
    evaluated = EvaluatedModel(str(model.target), answers, seen=sum(map(len, seen)))
    return evaluated if threshold is None else replace(evaluated, abstain_below=threshold.abstain_below)


def _current_target(deps: Dependencies, alias: str, state: AliasState) -> ResolvedModel | str:
    """Return what an alias points to, ready to answer; or why that cannot be compared with."""
    if state.target is None:
        return f"The alias {alias} points nowhere yet, so there is nothing to be worse than."
    try:
        model = ResolvedModel(deps.store.names.answering(state.target), state.target)
        deps.predictor.load(model)
    except (NotFound, InvalidArtifact, InvalidBaseModel, BaseModelNotAllowed, BaseModelUnavailable) as error:
        return (
            f"{state.target}, to which the alias {alias} points, does not answer, so there is nothing to be "
            f"worse than. {error.detail}"
        )
    return model
