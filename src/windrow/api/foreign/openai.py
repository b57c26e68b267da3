"""Decisions as OpenAI's client sends and reads them: ``POST /v1/decisions``."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from windrow.api.foreign.form import Dialect, ForeignEndpoint, ForeignReply, Received
from windrow.api.foreign.questions import (
    CLIENT_ERROR,
    DECIDE,
    ERROR_TYPES,
    answered_by,
    answered_headers,
    model_that_answered,
    read_model,
    read_zero_shot_options,
    text_of,
)
from windrow.api.foreign.reading import (
    SERVER_STATUS,
    Place,
    a_list,
    a_string,
    an_object,
    needed,
    parameter_of,
    refused,
)
from windrow.codec.strict import kind_of
from windrow.domain.decision import (
    DecideRequest,
    Decision,
    Decisions,
    Option,
    Question,
    choice_confidence,
    expected_level,
    score_confidence,
)

_CODES: Final[Mapping[str, str]] = {"classifier_not_found": "model_not_found", "unauthorized": "invalid_api_key"}
_NO_IMAGES: Final = "an image cannot be read, since Windrow classifies text. Send what it shows as text."
# Kinds of parts, and the member that holds their text.
_TEXT_PARTS: Final = {"input_text": "text", "output_text": "text", "text": "text", "refusal": "refusal"}
_ROLES: Final = ("user", "developer", "system", "assistant")


def write_error(problem: Mapping[str, Any]) -> tuple[int, object]:
    """Return an error as OpenAI writes it."""
    status, code = problem["status"], problem.get("code", "")
    kind = ERROR_TYPES.get(status, CLIENT_ERROR if status < SERVER_STATUS else "server_error")
    error = {
        "message": problem.get("detail", "The request failed."),
        "type": kind,
        "param": parameter_of(problem),
        "code": _CODES.get(code, code) or None,
    }
    return status, {"error": error}


OPENAI: Final = Dialect(
    "openai", "OpenAI's decisions and list of models, as its client sends and reads them.", write_error
)


def _read(received: Received) -> DecideRequest:
    body = an_object(received.document, ())
    model = read_model(body)
    questions = a_list(needed(body, "questions", ()), ("questions",))
    return DecideRequest(
        text=_input_text(needed(body, "input", ())),
        questions=tuple(_question(each, ("questions", number)) for number, each in enumerate(questions)),
        model_name=model,
        zero_shot_options=read_zero_shot_options(body),
    )


def _input_text(value: object) -> str:
    place: Place = ("input",)
    if isinstance(value, str):
        return value
    items = [_item_text(each, (*place, number)) for number, each in enumerate(a_list(value, place))]
    return "\n".join(filter(None, items))


def _item_text(value: object, place: Place) -> str:
    """Return the text of a message, or of a call of a tool or its output."""
    item = an_object(value, place)
    kind = item.get("type", "message")
    if kind == "message":
        if item.get("role") not in _ROLES:
            raise refused((*place, "role"), f"one of {', '.join(_ROLES)} is expected.")
        return _content(needed(item, "content", place), (*place, "content"))
    if kind in ("function_call_output", "custom_tool_call_output"):
        return _content(needed(item, "output", place), (*place, "output"))
    if kind == "function_call":
        return f"{_named(item, place)}: {a_string(needed(item, 'arguments', place), (*place, 'arguments'))}"
    if kind == "custom_tool_call":
        return f"{_named(item, place)}: {a_string(needed(item, 'input', place), (*place, 'input'))}"
    raise refused((*place, "type"), "a message, a call of a tool, or the output of one is expected.")


def _named(item: Mapping[str, Any], place: Place) -> str:
    return a_string(needed(item, "name", place), (*place, "name"))


def _content(value: object, place: Place) -> str:
    """Return the text of a string or of a list of parts."""
    if isinstance(value, str):
        return value
    return "\n".join(_part(each, (*place, number)) for number, each in enumerate(a_list(value, place)))


def _part(value: object, place: Place) -> str:
    part = an_object(value, place)
    kind = needed(part, "type", place)
    if kind == "input_image":
        raise refused(place, _NO_IMAGES)
    if kind == "input_json":
        return text_of(needed(part, "data", place), (*place, "data"))
    if not isinstance(kind, str) or kind not in _TEXT_PARTS:
        raise refused((*place, "type"), "text or JSON is expected, since Windrow classifies text.")
    member = _TEXT_PARTS[kind]
    return a_string(needed(part, member, place), (*place, member))


def _question(value: object, place: Place) -> Question:
    item = an_object(value, place)
    kind, name = needed(item, "type", place), item.get("name")
    if name is not None:
        name = a_string(name, (*place, "name"))
    instructions = _content(needed(item, "instructions", place), (*place, "instructions"))
    if kind == "predicate":
        return Question(kind=kind, name=name, instructions=instructions)
    if kind == "choice":
        options = [_choice(each, at) for each, at in _members(item, "choices", place)]
        _check_distinct(item["choices"], (*place, "choices"))
        return Question(kind=kind, name=name, instructions=instructions, options=tuple(options))
    if kind == "score":
        levels = [_level(each, at) for each, at in _members(item, "levels", place)]
        return Question(kind=kind, name=name, instructions=instructions, options=tuple(levels))
    raise refused((*place, "type"), "predicate, choice or score is expected.")


def _members(item: Mapping[str, Any], name: str, place: Place) -> list[tuple[object, Place]]:
    at = (*place, name)
    return [(each, (*at, number)) for number, each in enumerate(a_list(needed(item, name, place), at))]


def _choice(value: object, place: Place) -> Option:
    item = an_object(value, place)
    chosen = needed(item, "value", place)
    if not isinstance(chosen, str | bool):
        raise refused((*place, "value"), f"a string, true or false is expected, not {kind_of(chosen)}.")
    label = chosen if isinstance(chosen, str) else str(chosen).lower()
    return Option(label, _description(item, place))


def _check_distinct(choices: Sequence[Mapping[str, Any]], place: Place) -> None:
    """Refuse a value that is there twice; true and the string "true" are two values."""
    seen: set[tuple[type, object]] = set()
    for number, value in enumerate(each["value"] for each in choices):
        if (type(value), value) in seen:
            raise refused((*place, number, "value"), "it is there twice. Name each value once.")
        seen.add((type(value), value))


def _level(value: object, place: Place) -> Option:
    item = an_object(value, place)
    return Option(a_string(needed(item, "label", place), (*place, "label")), _description(item, place))


def _description(item: Mapping[str, Any], place: Place) -> str:
    told = item.get("description")
    return "" if told is None else a_string(told, (*place, "description"))


def _write(received: Received, request: DecideRequest, decisions: Decisions) -> ForeignReply:
    asked: Sequence[Mapping[str, Any]] = received.document["questions"]
    triples = zip(asked, request.questions, decisions.decisions, strict=True)
    document = {
        "object": "decision",
        "model": model_that_answered(request, decisions),
        "answers": [_answer(item, question, decision) for item, question, decision in triples],
        "usage": {
            "input_tokens": decisions.input_tokens,
            "input_tokens_details": {"cached_tokens": decisions.cached_tokens, "cache_write_tokens": 0},
            "output_tokens": 0,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": decisions.input_tokens,
        },
        "x_truncated": decisions.truncated,
    }
    return ForeignReply(document, answered_headers(decisions))


def _answer(item: Mapping[str, Any], question: Question, decision: Decision) -> Mapping[str, object]:
    shared = {"name": question.name, "x_answered_by": answered_by(decision)}
    if decision.abstained:
        return {"type": "refusal", **shared}
    shares = decision.probabilities
    if question.kind == "predicate":
        return {"type": "predicate", **shared, "probability": shares[0]}
    if question.kind == "choice":
        values = [each["value"] for each in item["choices"]]
        return {
            "type": "choice",
            **shared,
            "choice": values[shares.index(max(shares))],
            "confidence": choice_confidence(shares),
            "probabilities": [
                {"value": value, "probability": share} for value, share in zip(values, shares, strict=True)
            ],
        }
    levels = [
        {"value": number, "label": option.label, "probability": share}
        for number, (option, share) in enumerate(zip(question.options, shares, strict=True))
    ]
    return {
        "type": "score",
        **shared,
        "score": expected_level(shares),
        "confidence": score_confidence(shares),
        "probabilities": levels,
    }


ROWS: Final = (
    ForeignEndpoint(
        dialect=OPENAI,
        method="POST",
        path="/v1/decisions",
        verb=DECIDE,
        read=_read,
        write=_write,
        summary="Answer questions about a text, as OpenAI's decisions",
    ),
)
