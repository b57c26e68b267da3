"""Evaluates, compares and cross-validates on labelled rows, and suggests which texts to label next."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from windrow.arrays import Floats
from windrow.domain.caller import current_caller
from windrow.domain.classifier import Record
from windrow.domain.clock import utc_now
from windrow.domain.comparison import CompareRequest, Comparison, check_compare_request
from windrow.domain.cross_validation import FOLDS_RANGE, CrossValidateRequest, CrossValidation
from windrow.domain.dataset import DataWarning
from windrow.domain.errors import ConcurrentChange, NotFound, StorageFailed, StorageFull, StorageUncertain
from windrow.domain.label_descriptions import check_described_labels, check_label_descriptions
from windrow.domain.labelled_rows import LabelledDataset, check_evaluation_rows, check_training_rows
from windrow.domain.multi_label import MultiLabelDataset
from windrow.domain.multi_label_comparison import MultiLabelComparison
from windrow.domain.multi_label_cross_validation import MultiLabelCrossValidation
from windrow.domain.multi_label_report import MultiLabelReport
from windrow.domain.prediction import IsConnected, always_connected
from windrow.domain.recipe import Recipe, check_range, check_training_parameters
from windrow.domain.report import EvaluateRequest, Measurement, Report, check_evaluate_request, check_target_kind
from windrow.domain.suggestion import Suggestion, Suggestions, SuggestRequest, check_suggest_request
from windrow.domain.values import recast
from windrow.execution import cross_validation
from windrow.execution.batch_prediction import ClassifierOutputs, predict_batch
from windrow.execution.control import cancel_on_disconnect
from windrow.execution.multi_label_cross_validation import cross_validate_sets
from windrow.learning.active_learning import Choice, choose, margins_of_best, threshold_margins
from windrow.service.dependencies import Dependencies, Store
from windrow.service.evaluation_rows import (
    check_form,
    check_known_labels,
    check_same_kind,
    find_seen_rows,
    find_warnings,
)
from windrow.service.evaluation_warnings import abstention_warnings, truncation_warnings
from windrow.service.model_comparison import (
    AnsweredModel,
    compare_multi_label_models,
    compare_single_label_models,
)
from windrow.service.multi_label_report import multi_label_report
from windrow.service.single_label_report import single_label_report
from windrow.storage.catalog import ResolvedModel


def evaluate(deps: Dependencies, request: EvaluateRequest) -> Report | MultiLabelReport:
    """Evaluate a classifier on labelled rows. See ``Operations.evaluate``."""
    check_evaluate_request(request)
    return measure(deps, request)[0]


def measure(deps: Dependencies, request: EvaluateRequest) -> tuple[Report | MultiLabelReport, ResolvedModel]:
    """Evaluate a classifier by a request that was checked, and keep the score if that is wanted.

    Returns:
        The report, and the revision that answered.
    """
    dataset = check_evaluation_rows("test_data", request.test_data, deps.settings.limits)
    model = deps.store.find(request.model_name)
    check_form("test_data", dataset.rows, model)
    check_target_kind(request, model.entry.record.kind)
    deps.quotas.take_texts(len(dataset.rows))
    (answers,) = _predict_rows(deps, (model,), dataset)
    measurement, record = _measurement(deps.store, model, dataset, answers, request), model.entry.record
    report: Report | MultiLabelReport
    if isinstance(dataset, MultiLabelDataset):
        report = multi_label_report(measurement, record, dataset, answers, request)
    else:
        report = single_label_report(measurement, record, dataset, answers, request.target_precision)
    if request.save and not report.saved:
        why = f"only the revision of {record.name} that answers keeps one."
        if not current_caller().knows(record.name):
            why = "this API key knows the classifier by its alias alone, and changes it by its own name alone."
        report = _with_warning(report, "not_saved", f"The score was not kept: {why}")
    if not report.saved:
        return report, model
    try:
        deps.store.catalog.record_evaluation(model.entry, report.score)
    except StorageUncertain as error:
        report = _with_warning(report, "save_not_confirmed", f"The score is kept, and may be lost. {error.detail}")
    except (NotFound, ConcurrentChange, StorageFailed, StorageFull) as error:  # minutes of work are still worth reading
        report = _with_warning(replace(report, saved=False), "not_saved", f"The score was not kept. {error.detail}")
    return report, model


def compare(deps: Dependencies, request: CompareRequest) -> Comparison | MultiLabelComparison:
    """Compare several classifiers on the same rows. See ``Operations.compare``."""
    check_compare_request(request)
    dataset = check_evaluation_rows("test_data", request.test_data, deps.settings.limits)
    models = tuple(deps.store.find(name) for name in request.model_names)
    check_same_kind(request.model_names, models)
    check_form("test_data", dataset.rows, models[0])
    deps.quotas.take_texts(len(dataset.rows))
    answers = _predict_rows(deps, models, dataset)
    answered = {
        name: AnsweredModel(model, own) for name, model, own in zip(request.model_names, models, answers, strict=True)
    }
    seen = find_seen_rows(deps.store, models, dataset)
    if isinstance(dataset, MultiLabelDataset):
        return compare_multi_label_models(answered, dataset, seen)
    return compare_single_label_models(answered, dataset, seen)


def cross_validate(
    deps: Dependencies, request: CrossValidateRequest, is_connected: IsConnected = always_connected
) -> CrossValidation | MultiLabelCrossValidation:
    """Cross-validate a recipe on labelled rows. See ``Operations.cross_validate``."""
    check_training_parameters(request)
    check_range("folds", request.folds, FOLDS_RANGE)
    given = request.label_descriptions or {}
    check_label_descriptions(given, deps.settings.limits)
    dataset = check_training_rows(request.training_data, deps.settings.limits)
    check_described_labels(given, dataset.labels)
    encoder, recipe = deps.encoders.get(request.base_model), recast(Recipe, request)
    with cancel_on_disconnect(is_connected=is_connected) as control, deps.slots.enqueue().acquire(control):
        context = deps.training_context(encoder, control)
        if isinstance(dataset, MultiLabelDataset):
            return cross_validate_sets(dataset, request.folds, recipe, context, given)
        return cross_validation.cross_validate(dataset, request.folds, recipe, context, given)


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
    by_label = _threshold_margins(record, answers)
    margins = margins_of_best(answers.scores) if by_label is None else by_label.min(axis=1)
    suggestions = []
    for choice in choose(answers.features, margins, answers.in_scope, request.n):
        shown = _best_labels(choice, answers) if by_label is None else _least_certain(choice, answers, by_label)
        text = texts[choice.position]
        in_scope = None if answers.in_scope is None else float(answers.in_scope[choice.position])
        suggestions.append(recast(Suggestion, choice, index=index[text], text=text, in_scope=in_scope, **shown))
    return Suggestions(record.name, record.revision, tuple(suggestions), len(texts))


def _threshold_margins(record: Record, answers: ClassifierOutputs) -> Floats | None:
    """Return how certain a multi-label classifier is of each label of each text; ``None`` of another one."""
    if answers.given is None:
        return None
    return threshold_margins(answers.scores, np.array(list(record.thresholds_by_label.values()), np.float32))


def _best_labels(choice: Choice, answers: ClassifierOutputs) -> dict[str, object]:
    scores = answers.scores[choice.position]
    best, next_best = np.argsort(-scores, kind="stable")[:2]
    return {
        "label": answers.labels[best],
        "score": float(scores[best]),
        "runner_up": answers.labels[next_best],
    }


def _least_certain(choice: Choice, answers: ClassifierOutputs, margins: Floats) -> dict[str, object]:
    """Return a multi-label classifier's least certain label of a text, and the labels that it would give."""
    assert answers.given is not None
    scores, given = answers.scores[choice.position], answers.given[choice.position]
    least = int(margins[choice.position].argmin())
    order = np.argsort(-scores, kind="stable")
    return {
        "label": answers.labels[least],
        "score": float(scores[least]),
        "runner_up": None,
        "labels": tuple(answers.labels[at] for at in order if given[at]),
    }


def _predict_rows(
    deps: Dependencies, models: Sequence[ResolvedModel], dataset: LabelledDataset
) -> tuple[ClassifierOutputs, ...]:
    """Return the outputs of classifiers for test rows, of which at least one label must be known."""
    records = [model.entry.record for model in models]
    known = sorted({label for record in records for label in record.labels})
    check_known_labels("test_data", dataset, [record.name for record in records], known)
    return predict_batch(models, dataset.texts, deps.predictor, deps.queue.compute)


def _measurement(
    store: Store,
    model: ResolvedModel,
    dataset: LabelledDataset,
    answers: ClassifierOutputs,
    request: EvaluateRequest,
) -> Measurement:
    """Return what was measured, with the warnings about the rows, and whether the score is to be kept."""
    record, knows_it = model.entry.record, current_caller().knows(model.entry.record.name)
    warnings = [
        *find_warnings(find_seen_rows(store, (model,), dataset), dataset),
        *abstention_warnings(model, answers),
        *truncation_warnings((answers,)),
    ]
    is_current = store.catalog.current(record.name).record.revision == record.revision
    return Measurement(
        model_name=record.name,
        revision=record.revision,
        alias=model.alias,
        warnings=tuple(warnings),
        test_data_sha256=dataset.sha256,
        measured_at=utc_now(),
        saved=request.save and knows_it and is_current,
    )


def _with_warning(report: Report | MultiLabelReport, code: str, message: str) -> Report | MultiLabelReport:
    return replace(report, warnings=(*report.warnings, DataWarning(code, message)))
