"""Predictions: from names and texts to answers."""

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import replace

from windrow.domain.caller import current_caller
from windrow.domain.errors import InvalidArtifact
from windrow.domain.names import read_reference
from windrow.domain.prediction import (
    IsConnected,
    Predicted,
    Prediction,
    PredictRequest,
    always_connected,
    check_predict_request,
)
from windrow.domain.recipe import check_range
from windrow.execution.explaining import explain
from windrow.service.dependencies import Dependencies
from windrow.storage.catalog import ResolvedModel

# To come; their callbacks run in another thread.
Answers = Future[Predicted]


def predict(
    deps: Dependencies, request: PredictRequest, is_connected: IsConnected = always_connected
) -> tuple[Prediction, ...]:
    """Classify texts. See ``Operations.predict``."""
    return start_predict(deps, request, is_connected).result()


def start_predict(deps: Dependencies, request: PredictRequest, is_connected: IsConnected) -> Answers:
    """Classify texts without waiting for the encoder. See ``LocalOperations.start_predict``."""
    check_predict_request(request, deps.settings.predict_limits)
    deps.quotas.check_texts(len(request.all_texts))
    while True:
        models = _find(deps, request)
        try:
            answer = deps.predictor.predict(models, _checked(models, request), is_connected)
            _count(deps, models, request)
            return _explained(deps, models[0], request, answer) if request.explain else answer
        except InvalidArtifact:
            # What was purged since it was found is not damaged; what is there now answers, or is not found.
            if _find(deps, request, in_memory=False) == models:
                raise


def start_predict_in_memory(deps: Dependencies, request: PredictRequest, is_connected: IsConnected) -> Answers | None:
    """Classify texts without reading the disk. See ``LocalOperations.start_predict_in_memory``."""
    check_predict_request(request, deps.settings.predict_limits)
    deps.quotas.check_texts(len(request.all_texts))
    if request.explain or _is_own_latest(request):
        return None
    models = []
    for name in request.all_names:
        if (model := deps.models.known(name)) is None:
            return None
        models.append(model)
    answer = deps.predictor.predict_loaded(models, _checked(models, request), is_connected)
    if answer is not None:
        _count(deps, models, request)
    return answer


def _is_own_latest(request: PredictRequest) -> bool:
    """Whether a name means to this caller, of a task's versions that it knows, maybe another one than to others."""
    return bool(current_caller().only) and any(read_reference(name).is_latest for name in request.all_names)


def _find(deps: Dependencies, request: PredictRequest, *, in_memory: bool = True) -> tuple[ResolvedModel, ...]:
    """Return the classifiers of a request, as they are known in memory or else on the disk."""
    if _is_own_latest(request):
        return tuple(map(deps.store.find, request.all_names))
    names = request.all_names
    return tuple((in_memory and deps.models.known(name)) or deps.models.find(name) for name in names)


def _count(deps: Dependencies, models: Sequence[ResolvedModel], request: PredictRequest) -> None:
    """Count a prediction that has begun: for its classifiers, and for the caller's key."""
    texts = len(request.all_texts)
    deps.counters.count_predictions((model.entry.record.name for model in models), texts)
    deps.quotas.count_texts(texts)


def _checked(models: Sequence[ResolvedModel], request: PredictRequest) -> PredictRequest:
    """Return a request that asks for no more scores than there are."""
    if request.top_k is not None:
        check_range("top_k", request.top_k, (1, max(len(model.entry.record.labels) for model in models)))
    return request


def _explained(deps: Dependencies, model: ResolvedModel, request: PredictRequest, answer: Answers) -> Answers:
    """Wait for an answer and explain it."""
    (prediction,) = predicted = answer.result()
    kept = deps.store.training_rows(model.entry) if current_caller().may("rows") else None
    rows = None if kept is None else tuple(kept)
    explanation = explain(model, request.all_texts[0], prediction.given, rows, deps.predictor)
    explained: Answers = Future()
    explained.set_result(Predicted([replace(prediction, explanation=explanation)], predicted.num_tokens))
    return explained
