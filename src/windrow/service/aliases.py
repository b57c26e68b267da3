"""Aliases: a classifier has met its conditions, and is in memory, before an alias points to it."""

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
    NotFound,
)
from windrow.domain.gate import NOTHING_CHECKED, NOTHING_REQUIRED, GateReport
from windrow.domain.values import recast
from windrow.execution.batch_prediction import ClassifierOutputs, predict_batch
from windrow.service.dependencies import Dependencies, Store
from windrow.service.gate import Side, check_conditions, check_recalled_labels, conditions_of, refusal
from windrow.storage.aliases import Standing, Terms
from windrow.storage.catalog import Found

# Others would have to promote as often while the rows are answered.
_MOST_JUDGEMENTS = 5


def promote(deps: Dependencies, request: PromoteRequest) -> Promotion:
    """Point an alias at a classifier. See ``Operations.promote``."""
    check_promote_request(request, deps.settings.limits)
    check_recalled_labels(request.require or NOTHING_REQUIRED)
    found, judgements = deps.store.find(request.model_name), 0
    aliases = deps.store.aliases
    while True:
        # Outside the lock, for it may take minutes; whether it still holds is asked again inside.
        standing = aliases.standing(request.alias)
        report = _judge(deps, request, found, standing)
        judgements += 1
        deps.predictor.load(found)
        terms = Terms(request.must_pass, standing.number if report.checks else None)
        try:
            return recast(Promotion, aliases.promote(request.alias, found.target, request, terms), gate=report)
        except ConcurrentChange:
            if judgements == _MOST_JUDGEMENTS or aliases.standing(request.alias) == standing:
                raise


def rollback(deps: Dependencies, request: AliasChangeRequest) -> Rollback:
    """Point an alias back. See ``Operations.rollback``."""
    check_note(request)
    aliases = deps.store.aliases
    way = aliases.way_back(request.alias)
    deps.predictor.load(deps.store.catalog.find(way.target))
    return recast(Rollback, aliases.roll_back(request.alias, way, request))


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


def _judge(deps: Dependencies, request: PromoteRequest, found: Found, standing: Standing) -> GateReport:
    require = request.require or NOTHING_REQUIRED
    conditions = conditions_of(require, standing.must_pass if request.must_pass is None else request.must_pass)
    if not conditions.texts:
        return NOTHING_CHECKED
    current = _current(deps, request.alias, standing) if require.test_data else ""
    asked = (found,) if isinstance(current, str) else (found, current)
    answers = predict_batch(asked, conditions.texts, deps.predictor, deps.queue.compute)
    texts = [row.text for row in require.test_data]
    sides = [_side(deps.store, each, answer, texts) for each, answer in zip(asked, answers, strict=True)]
    report = check_conditions(conditions, sides[0], current if isinstance(current, str) else sides[1])
    if not report.passed:
        raise refusal(request.alias, str(found.target), report)
    return report


def _side(store: Store, found: Found, answers: ClassifierOutputs, texts: list[str]) -> Side:
    threshold = found.entry.record.threshold
    seen = (texts and store.find_seen(found.entry, texts)) or ((), ())
    side = Side(str(found.target), answers, seen=sum(map(len, seen)))
    return side if threshold is None else replace(side, abstain_below=threshold.abstain_below)


def _current(deps: Dependencies, alias: str, standing: Standing) -> Found | str:
    """Return what an alias points to, ready to answer; or why that cannot be compared with."""
    if standing.target is None:
        return f"The alias {alias} points nowhere yet, so there is nothing to be worse than."
    try:
        found = Found(deps.store.names.answering(standing.target), standing.target)
        deps.predictor.load(found)
    except (NotFound, InvalidArtifact, InvalidBaseModel, BaseModelNotAllowed, BaseModelUnavailable) as error:
        return (
            f"{standing.target}, to which the alias {alias} points, does not answer, so there is nothing to be "
            f"worse than. {error.detail}"
        )
    return found
