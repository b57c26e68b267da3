"""Predictions: from names and texts to answers."""

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import replace

from windrow.domain.errors import InvalidArtifact
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
        models = tuple(deps.models.known(name) or deps.models.find(name) for name in request.all_names)
        try:
            answer = deps.predictor.predict(models, _checked(models, request), is_connected)
            return _explained(deps, models[0], request, answer) if request.explain else answer
        except InvalidArtifact:
            # What was purged since it was found is not damaged; what is there now answers, or is not found.
            if tuple(map(deps.models.find, request.all_names)) == models:
                raise


def start_predict_in_memory(deps: Dependencies, request: PredictRequest, is_connected: IsConnected) -> Answers | None:
    """Classify texts without reading the disk. See ``LocalOperations.start_predict_in_memory``."""
    check_predict_request(request, deps.settings.predict_limits)
    if request.explain:
        return None
    models = []
    for name in request.all_names:
        if (model := deps.models.known(name)) is None:
            return None
        models.append(model)
    return deps.predictor.predict_loaded(models, _checked(models, request), is_connected)


def _checked(models: Sequence[ResolvedModel], request: PredictRequest) -> PredictRequest:
    """Return a request that asks for no more scores than there are."""
    if request.top_k is not None:
        check_range("top_k", request.top_k, (1, max(len(model.entry.record.labels) for model in models)))
    return request


def _explained(deps: Dependencies, model: ResolvedModel, request: PredictRequest, answer: Answers) -> Answers:
    """Wait for an answer and explain it."""
    (prediction,) = answer.result()
    rows = deps.store.training_rows(model.entry)
    explanation = explain(model, request.all_texts[0], None if rows is None else tuple(rows), deps.predictor)
    explained: Answers = Future()
    explained.set_result((replace(prediction, explanation=explanation),))
    return explained
