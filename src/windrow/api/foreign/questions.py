"""What the formats that ask questions share: the verb that answers, texts of structured values, and what answered."""

from collections.abc import Mapping
from typing import Any, Final

from windrow.api.endpoints import TRAIN, Endpoint
from windrow.api.foreign.reading import Place, a_string, refused
from windrow.domain.decision import ANY_MODEL, DecideRequest, Decision, Decisions
from windrow.local_operations import QuestionOperations

# The path is none: the rows of the formats have their own.
DECIDE: Final = Endpoint(QuestionOperations.start_decide, "POST", "", TRAIN, "predict", "predict", idempotent_post=True)
# Beyond the formats: a request that lets options be answered that its classifier has no label for.
ZERO_SHOT_OPTIONS: Final = "x_zero_shot_options"
# What OpenAI, and TypeSafe after it, calls the errors of these statuses.
ERROR_TYPES: Final[Mapping[int, str]] = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
}
CLIENT_ERROR: Final = "invalid_request_error"
ANSWERED_BY_HEADER: Final = "X-Windrow-Answered-By"
_SHOWN_ANSWERERS: Final = 20
_MAX_DEPTH: Final = 32


def read_model(body: Mapping[str, Any]) -> str | None:
    """Return the classifier that a request names; ``None`` where it leaves each question to find its own.

    Raises:
        InvalidRequest: The model is missing, or no string.
    """
    if "model" not in body:
        raise refused(("model",), f"it is missing. Send a classifier's name, or {ANY_MODEL[0]} for none in particular.")
    model = a_string(body["model"], ("model",))
    return None if model in ANY_MODEL else model


def read_zero_shot_options(body: Mapping[str, Any]) -> bool:
    """Return whether options without a label are answered without a classifier.

    Raises:
        InvalidRequest: The setting is neither true nor false.
    """
    allowed = body.get(ZERO_SHOT_OPTIONS, False)
    if not isinstance(allowed, bool):
        raise refused((ZERO_SHOT_OPTIONS,), "true or false is expected.")
    return allowed


def text_of(value: object, place: Place) -> str:
    """Return a string as it is, and an object or a list as text: a line for each value, after the keys that lead to it.

    Args:
        value: A JSON value.
        place: Where it stands.

    Raises:
        InvalidRequest: It is nested too deeply.
    """
    if isinstance(value, str):
        return value
    return "\n".join(_lines(value, "", place, 0))


def _lines(value: object, key: str, place: Place, depth: int) -> list[str]:
    if depth > _MAX_DEPTH:
        raise refused(place, f"it is nested more than {_MAX_DEPTH} levels deep. Send something flatter.")
    if isinstance(value, dict):
        inner = ((f"{key}.{name}" if key else name, each) for name, each in value.items())
        return [line for name, each in inner for line in _lines(each, name, place, depth + 1)]
    if isinstance(value, list):
        return [line for each in value for line in _lines(each, key, place, depth + 1)]
    if value is None:
        return []
    shown = str(value).lower() if isinstance(value, bool) else str(value)
    return [f"{key}: {shown}" if key else shown]


def answered_by(decision: Decision) -> str:
    """Return what answered a question, in words: ``classifier tickets_v2@3`` or ``zero_shot owner/model``."""
    return f"{decision.answered_by} {decision.answerer}"


def answered_headers(decisions: Decisions) -> Mapping[str, str]:
    """Return the header that says what answered, each once, in the order of the questions."""
    distinct = list(dict.fromkeys(map(answered_by, decisions.decisions)))
    more = [f"{len(distinct) - _SHOWN_ANSWERERS} more"] if len(distinct) > _SHOWN_ANSWERERS else []
    return {ANSWERED_BY_HEADER: ", ".join([*distinct[:_SHOWN_ANSWERERS], *more])}


def model_that_answered(request: DecideRequest, decisions: Decisions) -> str:
    """Return the classifier's revision or the base model that answered all questions, or what the request asked for."""
    one = decisions.answerers
    return one[0] if len(one) == 1 else request.model_name or ANY_MODEL[0]
