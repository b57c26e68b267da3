"""Evaluates, compares and cross-validates on labelled rows, and suggests which texts to label next."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Final

import numpy as np

from windrow.arrays import Bools
from windrow.domain.caller import current_caller
from windrow.domain.classifier import Record
from windrow.domain.clock import utc_now
from windrow.domain.comparison import CompareRequest, Comparison, ModelResult, check_compare_request, recommend
from windrow.domain.cross_validation import FOLDS_RANGE, CrossValidateRequest, CrossValidation
from windrow.domain.dataset import Dataset, DataWarning, check_rows, check_test_rows
from windrow.domain.errors import ConcurrentChange, NotFound, StorageFailed, StorageFull, StorageUncertain
from windrow.domain.figures import counted, percent
from windrow.domain.interval import wilson_interval
from windrow.domain.prediction import IsConnected, always_connected
from windrow.domain.quality_warnings import warn_of_few_rows, warn_of_majority, warn_of_truncated
from windrow.domain.recipe import Recipe, check_range, check_training_parameters
from windrow.domain.report import (
    ClassificationMetrics,
    EvaluateRequest,
    MajorityBaseline,
    Report,
    check_evaluate_request,
)
from windrow.domain.suggestion import Suggestion, Suggestions, SuggestRequest, check_suggest_request
from windrow.domain.threshold import ProposedThreshold
from windrow.domain.values import recast
from windrow.execution import cross_validation
from windrow.execution.batch_prediction import ClassifierOutputs, predict_batch
from windrow.execution.control import cancel_on_disconnect
from windrow.learning.active_learning import Choice, choose
from windrow.learning.compare import compare_pair, find_disagreements
from windrow.learning.coverage import compute_coverage
from windrow.learning.evaluate import (
    choose_threshold,
    compute_metrics,
    find_misclassified,
    majority_baseline,
)
from windrow.service.dependencies import Dependencies, Store
from windrow.service.evaluation_rows import (
    check_known_labels,
    find_seen_rows,
    find_unseen_rows,
    find_warnings,
)
from windrow.storage.catalog import ResolvedModel

# By how much the lower end of a precision's interval may miss the target without a warning.
_NEAR_TARGET: Final = 0.05


def evaluate(deps: Dependencies, request: EvaluateRequest) -> Report:
    """Evaluate a classifier on labelled rows. See ``Operations.evaluate``."""
    check_evaluate_request(request)
    return measure(deps, request)[0]


def measure(deps: Dependencies, request: EvaluateRequest) -> tuple[Report, ResolvedModel]:
    """Evaluate a classifier by a request that was checked, and keep the score if that is wanted.

    Returns:
        The report, and the revision that answered.
    """
    dataset = check_test_rows("test_data", request.test_data, deps.settings.limits)
    model = deps.store.find(request.model_name)
    deps.quotas.take_texts(len(dataset.rows))
    (answers,) = _predict_rows(deps, (model,), dataset)
    report = _report(deps.store, model, dataset, answers, request)
    if not report.saved:
        return report, model
    try:
        deps.store.catalog.record_evaluation(model.entry, report.score)
    except StorageUncertain as error:
        report = _with_warning(report, "save_not_confirmed", f"The score is kept, and may be lost. {error.detail}")
    except (NotFound, ConcurrentChange, StorageFailed, StorageFull) as error:  # minutes of work are still worth reading
        report = _with_warning(replace(report, saved=False), "not_saved", f"The score was not kept. {error.detail}")
    return report, model


def compare(deps: Dependencies, request: CompareRequest) -> Comparison:
    """Compare several classifiers on the same rows. See ``Operations.compare``."""
    check_compare_request(request)
    dataset = check_test_rows("test_data", request.test_data, deps.settings.limits)
    models = tuple(deps.store.find(name) for name in request.model_names)
    deps.quotas.take_texts(len(dataset.rows))
    answered = dict(zip(request.model_names, _predict_rows(deps, models, dataset), strict=True))
    results = tuple(
        recast(ModelResult, _metrics(answers, dataset), reference=name, **_identity(model))
        for (name, answers), model in zip(answered.items(), models, strict=True)
    )
    seen = find_seen_rows(deps.store, models, dataset)
    unseen = find_unseen_rows(seen, dataset)
    right = {name: _is_correct(answers, dataset)[unseen] for name, answers in answered.items()}
    pairs = tuple(compare_pair(pair, right[pair[0]], right[pair[1]]) for pair in combinations(answered, 2))
    warnings = [*find_warnings(seen, dataset), *_left_out_warnings(unseen)]
    for model, answers in zip(models, answered.values(), strict=True):
        warnings += _abstention_warnings(model, answers)
    warnings += _truncation_warnings(answered.values())
    widest = max(results, key=lambda result: result.accuracy_interval.high - result.accuracy_interval.low)
    warnings += warn_of_few_rows(widest.total, widest.accuracy_interval, of=widest.reference)
    return Comparison(
        models=results,
        pairs=pairs,
        disagreements=find_disagreements(dataset.rows, {name: answers.predicted for name, answers in answered.items()}),
        recommendation=recommend(results, pairs),
        majority_baseline=majority_baseline(_true_labels(dataset)),
        warnings=tuple(warnings),
        test_data_sha256=dataset.sha256,
    )


def cross_validate(
    deps: Dependencies, request: CrossValidateRequest, is_connected: IsConnected = always_connected
) -> CrossValidation:
    """Cross-validate a recipe on labelled rows. See ``Operations.cross_validate``."""
    check_training_parameters(request)
    check_range("folds", request.folds, FOLDS_RANGE)
    dataset = check_rows(request.training_data, deps.settings.limits)
    encoder = deps.encoders.get(request.base_model)
    with cancel_on_disconnect(is_connected=is_connected) as control, deps.slots.enqueue().acquire(control):
        context = deps.training_context(encoder, control)
        return cross_validation.cross_validate(dataset, request.folds, recast(Recipe, request), context)


def suggest(deps: Dependencies, request: SuggestRequest) -> Suggestions:
    """Choose what to label next. See ``Operations.suggest``."""
    check_suggest_request(request, deps.settings.limits)
    model = deps.store.find(request.model_name)
    record = model.entry.record
    index = {text: number for number, text in reversed(list(enumerate(request.texts)))}
    known = {row.text for row in deps.store.training_rows(model.entry) or ()}
    texts = [text for text in dict.fromkeys(request.texts) if text not in known]
    if not texts:
        return Suggestions(record.name, record.revision, (), 0)
    deps.quotas.take_texts(len(texts))
    (answers,) = predict_batch((model,), texts, deps.predictor, deps.queue.compute, keep_features=True)
    assert answers.features is not None
    chosen = choose(answers.features, answers.scores, answers.in_scope, request.n)
    suggestions = tuple(_suggestion(choice, texts[choice.position], index, answers) for choice in chosen)
    return Suggestions(record.name, record.revision, suggestions, len(texts))


def _suggestion(choice: Choice, text: str, index: dict[str, int], answers: ClassifierOutputs) -> Suggestion:
    scores = answers.scores[choice.position]
    best, next_best = np.argsort(-scores, kind="stable")[:2]
    return recast(
        Suggestion,
        choice,
        index=index[text],
        text=text,
        label=answers.labels[best],
        score=float(scores[best]),
        runner_up=answers.labels[next_best],
        in_scope=None if answers.in_scope is None else float(answers.in_scope[choice.position]),
    )


def _predict_rows(
    deps: Dependencies, models: Sequence[ResolvedModel], dataset: Dataset
) -> tuple[ClassifierOutputs, ...]:
    """Return the outputs of classifiers for test rows, of which at least one label must be known."""
    records = [model.entry.record for model in models]
    known = sorted({label for record in records for label in record.labels})
    check_known_labels("test_data", dataset, [record.name for record in records], known)
    return predict_batch(models, dataset.texts, deps.predictor, deps.queue.compute)


def _report(
    store: Store, model: ResolvedModel, dataset: Dataset, answers: ClassifierOutputs, request: EvaluateRequest
) -> Report:
    record, outcome = model.entry.record, _metrics(answers, dataset)
    best, is_right = answers.scores.max(axis=1), _is_correct(answers, dataset)
    chosen = None if request.target_precision is None else choose_threshold(best, is_right, request.target_precision)
    knows_it = current_caller().knows(record.name)
    baseline = majority_baseline(_true_labels(dataset))
    warnings = [
        *find_warnings(find_seen_rows(store, (model,), dataset), dataset),
        *_abstention_warnings(model, answers),
        *_truncation_warnings((answers,)),
        *_accuracy_warnings(outcome, baseline, record.base_model),
    ]
    report = recast(
        Report,
        outcome,
        **_identity(model),
        alias=model.alias,
        majority_baseline=baseline,
        coverage=compute_coverage(best, is_right, _known_thresholds(record, chosen)),
        misclassified=find_misclassified(answers.scores, dataset.rows, answers.labels),
        warnings=tuple(warnings),
        test_data_sha256=dataset.sha256,
        measured_at=utc_now(),
        saved=request.save and knows_it and store.catalog.current(record.name).record.revision == record.revision,
        proposed_threshold=None,
    )
    if request.save and not report.saved:
        why = f"only the revision of {record.name} that answers keeps one."
        if not knows_it:
            why = "this API key knows the classifier by its alias alone, and changes it by its own name alone."
        what = f"The score was not kept: {why}"
        report = _with_warning(report, "not_saved", what)
    if request.target_precision is not None:
        return _with_proposal(report, chosen, request.target_precision)
    return report


def _known_thresholds(record: Record, chosen: tuple[float, int, int] | None) -> list[float]:
    """Return the thresholds that somebody looks for: the one in force, and the one that is proposed."""
    in_force = [] if record.threshold is None else [record.threshold.abstain_below]
    return in_force if chosen is None else [*in_force, chosen[0]]


def _identity(model: ResolvedModel) -> dict[str, object]:
    return {"model_name": model.entry.record.name, "revision": model.entry.record.revision}


def _with_warning(report: Report, code: str, message: str) -> Report:
    return replace(report, warnings=(*report.warnings, DataWarning(code, message)))


def _accuracy_warnings(
    outcome: ClassificationMetrics, baseline: MajorityBaseline, base_model: str
) -> Iterator[DataWarning]:
    """Yield one warning where an accuracy says little."""
    interval = outcome.accuracy_interval
    by_majority = tuple(warn_of_majority(outcome.total, interval, baseline, base_model))
    yield from by_majority or warn_of_few_rows(outcome.total, interval)


def _left_out_warnings(unseen: Bools) -> Iterator[DataWarning]:
    if not unseen.all():
        left_out = np.flatnonzero(~unseen).tolist()
        message = (
            f"{counted(len(left_out), 'row is', 'rows are')} left out of pairs and recommendation, since one of the "
            "classifiers was trained on such a text, or nearly so."
        )
        yield DataWarning("seen_rows_left_out", message, tuple(left_out))


def _true_labels(dataset: Dataset) -> list[str]:
    return [row.label for row in dataset.rows]


def _metrics(answers: ClassifierOutputs, dataset: Dataset) -> ClassificationMetrics:
    return compute_metrics(answers.scores, _true_labels(dataset), answers.labels)


def _is_correct(answers: ClassifierOutputs, dataset: Dataset) -> Bools:
    return np.array(
        [given == label for given, label in zip(answers.predicted, _true_labels(dataset), strict=True)], np.bool_
    )


def _with_proposal(report: Report, chosen: tuple[float, int, int] | None, target: float) -> Report:
    """Return a report with the threshold that reaches a precision, or with a warning that none does."""
    if chosen is None:
        message = (
            f"No score has {percent(target)} right answers above it on these rows, so no threshold is "
            "proposed. Ask for less, or train with more rows."
        )
        return _with_warning(report, "precision_not_reached", message)
    abstain_below, correct, answered = chosen
    threshold = recast(
        ProposedThreshold,
        report,
        abstain_below=abstain_below,
        target_precision=target,
        correct=correct,
        answered=answered,
    )
    return replace(report, proposed_threshold=threshold, warnings=(*report.warnings, *_threshold_warnings(threshold)))


def _threshold_warnings(threshold: ProposedThreshold) -> Iterator[DataWarning]:
    """Yield warnings about a threshold that few rows support."""
    interval = wilson_interval(threshold.correct, threshold.answered)
    if interval.low < threshold.target_precision - _NEAR_TARGET:
        message = (
            f"The threshold was chosen by {counted(threshold.answered, 'answered row')} alone: its precision on new "
            f"texts lies anywhere between {percent(interval.low)} and {percent(interval.high)}. Use a few hundred test "
            "rows."
        )
        yield DataWarning("uncertain_threshold", message)
    if threshold.answered < threshold.total / 2:
        unanswered = threshold.total - threshold.answered
        message = f"With this threshold, {unanswered} of {threshold.total} test rows get no label. Ask for less."
        yield DataWarning("most_abstained", message)


def _truncation_warnings(outputs: Iterable[ClassifierOutputs]) -> Iterator[DataWarning]:
    """Yield a warning where test rows are longer than the encoder of one of the classifiers reads."""
    truncated = np.any([each.truncated for each in outputs], axis=0)
    return warn_of_truncated(int(truncated.sum()), len(truncated), np.flatnonzero(truncated).tolist())


def _abstention_warnings(model: ResolvedModel, answers: ClassifierOutputs) -> Iterator[DataWarning]:
    """Yield a warning where a stored threshold keeps some of the labels back that are judged."""
    threshold = model.entry.record.threshold
    if threshold is not None and (count := _count_below(answers, threshold.abstain_below)):
        message = (
            f"{model.entry.record.name} has a threshold of {threshold.abstain_below:.3g}, below which {count} of "
            f"{len(answers.scores)} rows get no label; these figures are of the best label, given or not."
        )
        yield DataWarning("threshold_in_force", message)


def _count_below(answers: ClassifierOutputs, threshold: float) -> int:
    # As float64, like predictions: as float32, 0.7 is not below 0.7, though the score in the reply is.
    return int((answers.scores.max(axis=1).astype(np.float64) < threshold).sum())
