"""Predictions as Text Embeddings Inference serves them: ``POST /predict``.

That server has one model, so its requests name none: the path, the query or a member of the body does.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from windrow.api.endpoints import PREDICT
from windrow.api.foreign.form import Dialect, ForeignEndpoint, ForeignReply, Received
from windrow.api.foreign.reading import SERVER_STATUS, a_string, an_object, needed, refused
from windrow.api.foreign.vllm import texts_of
from windrow.domain.prediction import Prediction, PredictRequest

_OVERLOADED: Final = 429


def write_error(problem: Mapping[str, Any]) -> tuple[int, object]:
    """Return an error as Text Embeddings Inference writes it."""
    status = problem["status"]
    usual = "validation" if status < SERVER_STATUS else "backend"
    kind = "overloaded" if status == _OVERLOADED else usual
    return status, {"error": problem.get("detail", "The request failed."), "error_type": kind}


TEI: Final = Dialect("tei", "Predictions as Text Embeddings Inference (TEI) serves them.", write_error)


def _read(received: Received) -> PredictRequest:
    body = an_object(received.document, ())
    if body.get("raw_scores"):
        raise refused(("raw_scores",), "scores are calibrated here, and there are no raw ones. Leave it out.")
    return PredictRequest(model_name=_model(received, body), texts=texts_of(_inputs(body), "inputs"))


def _model(received: Received, body: Mapping[str, Any]) -> str:
    if "model" in received.path:
        return received.path["model"]
    if "model" in received.query:
        return received.query["model"]
    if "model" in body:
        return a_string(body["model"], ("model",))
    raise refused(
        ("model",), "it is missing. Name the classifier by the address /tei/NAME, by ?model=NAME, or in the body."
    )


def _inputs(body: Mapping[str, Any]) -> object:
    """Return the texts; a list in a list may hold one text, but not two that are to be compared."""
    inputs = needed(body, "inputs", ())
    if not isinstance(inputs, list):
        return inputs
    for number, each in enumerate(inputs):
        if isinstance(each, list) and len(each) != 1:
            raise refused(("inputs", number), "two texts cannot be compared. Send one text in the place of both.")
    return [each[0] if isinstance(each, list) else each for each in inputs]


def _write(received: Received, _request: PredictRequest, reply: Sequence[Prediction]) -> ForeignReply:
    best_first = [_ranked(each) for each in reply]
    is_single = isinstance(received.document["inputs"], str)
    return ForeignReply(best_first[0] if is_single else best_first)


def _ranked(prediction: Prediction) -> list[Mapping[str, object]]:
    ranked = sorted(prediction.scores.items(), key=lambda pair: -pair[1])
    return [{"label": label, "score": score} for label, score in ranked]


ROWS: Final = tuple(
    ForeignEndpoint(
        dialect=TEI,
        method="POST",
        path=path,
        verb=PREDICT,
        read=_read,
        write=_write,
        summary="Classify texts, as Text Embeddings Inference does",
    )
    for path in ("/predict", "/tei/{model}/predict")
)
