"""Classifications as Cohere served them: ``POST /v1/classify``, by a classifier, or by examples in the request."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from windrow.api.endpoints import PREDICT
from windrow.api.foreign.form import Dialect, ForeignEndpoint, ForeignReply, Received
from windrow.api.foreign.questions import DECIDE
from windrow.api.foreign.reading import Place, a_list, a_string, an_object, needed, refused
from windrow.api.foreign.vllm import texts_of
from windrow.domain.decision import DecideRequest, Decisions, Option, Question
from windrow.domain.prediction import Prediction, PredictRequest, always_connected
from windrow.local_operations import LocalOperations

# As many as that server took.
MAX_INPUTS: Final = 96
_LEAST_EXAMPLES: Final = 2


def write_error(problem: Mapping[str, Any]) -> tuple[int, object]:
    """Return an error as Cohere writes it."""
    return problem["status"], {"message": problem.get("detail", "The request failed.")}


COHERE: Final = Dialect("cohere", "Classifications as Cohere served them.", write_error)


def _inputs(body: Mapping[str, Any]) -> tuple[str, ...]:
    inputs = texts_of(a_list(needed(body, "inputs", ()), ("inputs",)), "inputs")
    if len(inputs) > MAX_INPUTS:
        raise refused(("inputs",), f"it has {len(inputs)} texts, and may have {MAX_INPUTS}. Send them in parts.")
    return inputs


def _read(received: Received) -> PredictRequest:
    body = an_object(received.document, ())
    if body.get("model") is None:
        raise refused(("model",), "it is missing. Name a classifier, or send examples.")
    return PredictRequest(model_name=a_string(body["model"], ("model",)), texts=_inputs(body))


def _write(_received: Received, request: PredictRequest, reply: Sequence[Prediction]) -> ForeignReply:
    pairs = zip(request.all_texts, reply, strict=True)
    return _reply(
        [_entry(number, text, each.given, each.scores, each.kind) for number, (text, each) in enumerate(pairs)]
    )


def _read_examples(received: Received) -> tuple[DecideRequest, ...]:
    body = an_object(received.document, ())
    inputs, by_label = _inputs(body), _examples(body)
    options = tuple(Option(label, examples=tuple(texts)) for label, texts in by_label.items())
    question = Question(kind="choice", options=options)
    return tuple(DecideRequest(text=text, questions=(question,)) for text in inputs)


def _examples(body: Mapping[str, Any]) -> Mapping[str, list[str]]:
    """Return the texts of the examples by label."""
    place: Place = ("examples",)
    by_label: dict[str, list[str]] = {}
    for number, each in enumerate(a_list(body["examples"], place)):
        at = (*place, number)
        example = an_object(each, at)
        text, label = (a_string(needed(example, name, at), (*at, name)) for name in ("text", "label"))
        by_label.setdefault(label, []).append(text)
    few = [label for label, texts in by_label.items() if len(texts) < _LEAST_EXAMPLES]
    if few or len(by_label) < _LEAST_EXAMPLES:
        raise refused(place, f"at least {_LEAST_EXAMPLES} labels are needed, each with {_LEAST_EXAMPLES} examples.")
    return by_label


def _decide(operations: LocalOperations, requests: Sequence[DecideRequest]) -> list[Decisions]:
    # All are begun before the first is waited for, so that they share batches of the encoder.
    begun = [operations.start_decide(each, always_connected) for each in requests]
    return [each.result()() for each in begun]


def _write_compared(_received: Received, requests: Sequence[DecideRequest], reply: Sequence[Decisions]) -> ForeignReply:
    labels = [option.label for option in requests[0].questions[0].options]
    entries = []
    for number, (request, decided) in enumerate(zip(requests, reply, strict=True)):
        scores = dict(zip(labels, decided.decisions[0].probabilities, strict=True))
        best = max(labels, key=lambda label: scores[label])
        entries.append(_entry(number, request.text, (best,), scores, "single_label"))
    return _reply(entries)


def _reply(entries: Sequence[Mapping[str, object]]) -> ForeignReply:
    return ForeignReply({"id": "windrow", "classifications": entries, "meta": {"api_version": {"version": "1"}}})


def _entry(
    number: int, text: str, given: Sequence[str], scores: Mapping[str, float], kind: str
) -> Mapping[str, object]:
    is_single = kind == "single_label"
    return {
        "id": str(number),
        "input": text,
        "prediction": given[0] if is_single and given else None,
        "predictions": list(given),
        "confidence": scores[given[0]] if is_single and given else None,
        "confidences": [scores[label] for label in given],
        "labels": {label: {"confidence": score} for label, score in scores.items()},
        "classification_type": "single-label" if is_single else "multi-label",
    }


ROWS: Final = (
    ForeignEndpoint(
        dialect=COHERE,
        method="POST",
        path="/v1/classify",
        # It waits for the encoder in its thread.
        verb=replace(DECIDE, pool="load"),
        read=_read_examples,
        write=_write_compared,
        act=_decide,
        summary="Classify texts by examples, as Cohere did",
        keys=frozenset(("inputs", "examples")),
    ),
    ForeignEndpoint(
        dialect=COHERE,
        method="POST",
        path="/v1/classify",
        verb=PREDICT,
        read=_read,
        write=_write,
        summary="Classify texts by a classifier, as Cohere did",
        keys=frozenset(("inputs",)),
    ),
)
