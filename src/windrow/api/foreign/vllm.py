"""Classifications as vLLM and SGLang serve them: ``POST /classify`` and ``POST /v1/classify``."""

import secrets
import time
from collections.abc import Mapping
from typing import Any, Final

from windrow.api.endpoints import PREDICT
from windrow.api.foreign.form import Dialect, ForeignEndpoint, ForeignReply, Received
from windrow.api.foreign.reading import SERVER_STATUS, a_list, a_string, an_object, needed, parameter_of, refused
from windrow.domain.prediction import Predicted, Prediction, PredictRequest

_TYPES: Final[Mapping[int, str]] = {
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFoundError",
    429: "TooManyRequests",
}


def write_error(problem: Mapping[str, Any]) -> tuple[int, object]:
    """Return an error as vLLM writes it."""
    status = problem["status"]
    usual = "BadRequestError" if status < SERVER_STATUS else "InternalServerError"
    return status, {
        "error": {
            "message": problem.get("detail", "The request failed."),
            "type": _TYPES.get(status, usual),
            "param": parameter_of(problem),
            "code": status,
        }
    }


VLLM: Final = Dialect("vllm", "Classifications as vLLM and SGLang serve them.", write_error)


def texts_of(value: object, name: str) -> tuple[str, ...]:
    """Return the texts of a string or of a list of strings.

    Args:
        value: The value.
        name: Of the member that it is.

    Raises:
        InvalidRequest: It is something else, such as tokens, or there is no text.
    """
    if isinstance(value, str):
        return (value,)
    texts = tuple(a_string(each, (name, number)) for number, each in enumerate(a_list(value, (name,))))
    if not texts:
        raise refused((name,), "it has no text. Send at least one.")
    return texts


def _read(received: Received) -> PredictRequest:
    body = an_object(received.document, ())
    model = a_string(needed(body, "model", ()), ("model",))
    return PredictRequest(model_name=model, texts=texts_of(needed(body, "input", ()), "input"))


def _write(_received: Received, request: PredictRequest, reply: Predicted) -> ForeignReply:
    document = {
        "id": f"classify-{secrets.token_hex(16)}",
        "object": "list",
        "created": int(time.time()),
        "model": request.model_name,
        "data": [_entry(index, each) for index, each in enumerate(reply)],
        "usage": {
            "prompt_tokens": reply.num_tokens,
            "total_tokens": reply.num_tokens,
            "completion_tokens": 0,
            "prompt_tokens_details": None,
        },
    }
    return ForeignReply(document)


def _entry(index: int, prediction: Prediction) -> Mapping[str, object]:
    scores = prediction.scores
    best = None if prediction.abstained else max(scores, key=lambda label: scores[label])
    return {"index": index, "label": best, "probs": list(scores.values()), "num_classes": len(scores)}


ROWS: Final = (
    ForeignEndpoint(
        dialect=VLLM,
        method="POST",
        path="/classify",
        verb=PREDICT,
        read=_read,
        write=_write,
        summary="Classify texts, as vLLM and SGLang do",
    ),
    ForeignEndpoint(
        dialect=VLLM,
        method="POST",
        path="/v1/classify",
        verb=PREDICT,
        read=_read,
        write=_write,
        summary="Classify texts, as vLLM and SGLang do",
        keys=frozenset(("input",)),
    ),
)
