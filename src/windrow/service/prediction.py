"""Predictions: from names and texts to answers."""

from concurrent.futures import Future
from contextlib import suppress
from dataclasses import replace

from windrow.domain.errors import InvalidArtifact, WindrowError
from windrow.domain.prediction import IsConnected, Prediction, PredictRequest, always_connected, check_predict_request
from windrow.domain.recipe import check_range
from windrow.execution.explaining import explain
from windrow.service.dependencies import Dependencies
from windrow.storage.catalog import ResolvedModel

# To come; their callbacks run in another thread.
Answers = Future[tuple[Prediction, ...]]


def predict(
    deps: Dependencies, request: PredictRequest, is_connected: IsConnected = always_connected
) -> tuple[Prediction, ...]:
    """Classify texts. See ``Operations.predict``."""
    return start_predict(deps, request, is_connected).result()


def start_predict(deps: Dependencies, request: PredictRequest, is_connected: IsConnected) -> Answers:
    """Classify texts without waiting for the encoder. See ``LocalOperations.start_predict``."""
    check_predict_request(request, deps.settings.predict_limits)
    while True:
        models = _find_all(deps, request)
        try:
            return _start(deps, models, request, is_connected)
        except InvalidArtifact:
            # What was purged since it was found is not damaged; what is there now answers, or is not found.
            if _find_all(deps, request) == models:
                raise


def start_predict_at_once(deps: Dependencies, request: PredictRequest, is_connected: IsConnected) -> Answers | None:
    """Classify a text if that takes no time. See ``LocalOperations.start_predict_at_once``."""
    if len(request.all_names) != 1 or len(request.all_texts) != 1 or request.explain:
        return None
    check_predict_request(request, deps.settings.predict_limits)
    # Not from memory: another server may just have promoted or trained what is to be loaded first.
    try:
        model = deps.store.find(request.all_names[0])
    except WindrowError:  # the words for it may take a look at every name
        return None
    if deps.predictor.is_loaded(model.entry):
        with suppress(InvalidArtifact):  # it left memory just now, and was purged
            return _start(deps, (model,), request, is_connected)
    return None


def _find_all(deps: Dependencies, request: PredictRequest) -> tuple[ResolvedModel, ...]:
    return tuple(deps.store.find(name) for name in request.all_names)


def _start(
    deps: Dependencies, models: tuple[ResolvedModel, ...], request: PredictRequest, is_connected: IsConnected
) -> Answers:
    if request.top_k is not None:
        check_range("top_k", request.top_k, (1, max(len(model.entry.record.labels) for model in models)))
    answer = deps.predictor.predict(models, request, is_connected)
    return _explained(deps, models[0], request, answer) if request.explain else answer


def _explained(deps: Dependencies, model: ResolvedModel, request: PredictRequest, answer: Answers) -> Answers:
    """Wait for an answer and explain it."""
    (prediction,) = answer.result()
    rows = deps.store.training_rows(model.entry)
    explanation = explain(model, request.all_texts[0], None if rows is None else tuple(rows), deps.predictor)
    explained: Answers = Future()
    explained.set_result((replace(prediction, explanation=explanation),))
    return explained
