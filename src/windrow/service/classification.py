"""Answers without a classifier: from texts and labels to answers, by an encoder that is here anyway."""

from concurrent.futures import Future

from windrow.domain.base_models import allowed_ids, is_allowed, is_model_id
from windrow.domain.classification import (
    Classification,
    ClassifyRequest,
    check_classify_request,
    warn_of_other_model,
)
from windrow.domain.prediction import IsConnected, always_connected
from windrow.domain.recipe import DEFAULT_BASE_MODEL
from windrow.execution.zero_shot_plan import Answer, ZeroShotPlan
from windrow.service.dependencies import Dependencies


def classify(
    deps: Dependencies, request: ClassifyRequest, is_connected: IsConnected = always_connected
) -> tuple[Classification, ...]:
    """Classify texts without a classifier. See ``Operations.classify``."""
    return start_classify(deps, request, is_connected).result()()


def start_classify(deps: Dependencies, request: ClassifyRequest, is_connected: IsConnected) -> "Future[Answer]":
    """Classify texts without waiting for the encoder. See ``LocalOperations.start_classify``."""
    _check(deps, request)
    asked = request.model
    is_stored = (
        asked is not None
        and asked not in deps.encoders
        and _may_answer(deps, asked)
        and deps.store.inventory.holds(asked)
    )
    return _start(deps, request, _base_model(deps, request, is_stored=is_stored), is_connected)


def start_classify_in_memory(
    deps: Dependencies, request: ClassifyRequest, is_connected: IsConnected
) -> "Future[Answer] | None":
    """Classify texts without reading the disk. See ``LocalOperations.start_classify_in_memory``."""
    _check(deps, request)
    if request.model is not None and request.model not in deps.encoders and _may_answer(deps, request.model):
        return None
    base_model = _base_model(deps, request, is_stored=False)
    return _start(deps, request, base_model, is_connected) if base_model in deps.encoders else None


def _check(deps: Dependencies, request: ClassifyRequest) -> None:
    check_classify_request(request, deps.settings.predict_limits, deps.settings.limits)
    deps.quotas.check_texts(len(request.all_texts))


def _base_model(deps: Dependencies, request: ClassifyRequest, *, is_stored: bool) -> str:
    """Return the base model that answers: that of the request where it is here, otherwise the default one.

    Args:
        deps: What the verbs work with.
        request: The request.
        is_stored: Whether that of the request is on the disk, as far as it matters.
    """
    asked = request.model
    if asked is not None and _may_answer(deps, asked) and (is_stored or asked in deps.encoders):
        return asked
    return usual_base_model(deps)


def usual_base_model(deps: Dependencies) -> str:
    """Return the base model that answers without a classifier where none is asked for."""
    allowed = deps.settings.allowed_base_models
    named = [each for each in allowed_ids(allowed) if is_model_id(each)]
    return DEFAULT_BASE_MODEL if is_allowed(DEFAULT_BASE_MODEL, allowed) or not named else named[0]


def _may_answer(deps: Dependencies, model: str) -> bool:
    """Whether a model's name is that of a base model, and an allowed one."""
    return is_model_id(model) and is_allowed(model, deps.settings.allowed_base_models)


def _start(
    deps: Dependencies, request: ClassifyRequest, base_model: str, is_connected: IsConnected
) -> "Future[Answer]":
    """Start to classify texts by a base model, and count them, with those of labels that are to be encoded anew."""
    encoder = deps.encoders.get(base_model)
    asked = request.model
    warnings = () if asked in (None, base_model) else (warn_of_other_model(str(asked), base_model),)
    plan = ZeroShotPlan(request, encoder, warnings)
    texts = len(request.all_texts) + deps.predictor.num_new(plan.label_keys())
    deps.quotas.check_texts(texts)
    answer = deps.predictor.follow(plan, plan.texts, is_connected)
    deps.quotas.count_texts(texts)
    return answer
