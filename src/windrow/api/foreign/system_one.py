"""System One as TypeSafe's client sends and reads it: ``POST /v1/systemone``."""

from collections.abc import Mapping
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
from windrow.api.foreign.reading import SERVER_STATUS, Place, a_list, an_object, needed, refused, written
from windrow.codec.strict import kind_of
from windrow.domain.dataset import MAX_LABEL_CHARS
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

_UNPROCESSABLE: Final = 422
# Statuses of bodies that cannot be read, which this format does not tell from those that break a rule.
_UNREADABLE: Final = (400, 415)


def write_error(problem: Mapping[str, Any]) -> tuple[int, object]:
    """Return an error as TypeSafe writes it: each problem of a body with its place, or else a type and a message."""
    status, told = problem["status"], problem.get("detail", "The request failed.")
    if status == _UNPROCESSABLE or status in _UNREADABLE:
        # Its client writes the place before the message.
        place = tuple(problem.get("loc", ()))
        told = told.removeprefix(f"{written(place)}: ")
        entry = {"loc": ["body", *place], "msg": told, "type": problem.get("code") or "value_error"}
        return _UNPROCESSABLE, {"detail": [entry]}
    usual = CLIENT_ERROR if status < SERVER_STATUS else "internal_server_error"
    return status, {"detail": {"error_type": ERROR_TYPES.get(status, usual), "message": told}}


TYPESAFE: Final = Dialect("typesafe", "TypeSafe's System One, as its client sends and reads it.", write_error)


def _read(received: Received) -> DecideRequest:
    body = an_object(received.document, ())
    model = read_model(body)
    if body.get("assets"):
        raise refused(
            ("assets",), "images cannot be read, since Windrow classifies text. Send what they show in the state."
        )
    questions = an_object(needed(body, "questions", ()), ("questions",))
    if not questions:
        raise refused(("questions",), "it has no question. Send at least one.")
    return DecideRequest(
        text=_structured(needed(body, "state", ()), ("state",)),
        questions=tuple(_question(name, each, ("questions", name)) for name, each in questions.items()),
        model_name=model,
        zero_shot_options=read_zero_shot_options(body),
    )


def _structured(value: object, place: Place) -> str:
    """Return the text of a string, an object or a list."""
    if not isinstance(value, str | dict | list):
        raise refused(place, f"a string, an object or a list is expected, not {kind_of(value)}.")
    text = text_of(value, place)
    if not text.strip():
        raise refused(place, "it has no text. Send at least one word.")
    return text


def _question(name: str, value: object, place: Place) -> Question:
    if not name:
        raise refused(place, "a question's id is empty. Give it one.")
    item = an_object(value, place)
    kind, told = needed(item, "type", place), item.get("instructions")
    instructions = "" if told is None else _structured(told, (*place, "instructions"))
    at = (*place, "criteria")
    if kind == "noul":
        outcomes = _noul_options(item.get("criteria"), at)
        if not instructions and not any(each.description for each in outcomes):
            raise refused(place, "it has neither instructions nor criteria. Send one of them.")
        return Question(kind="predicate", name=name, instructions=instructions, options=outcomes)
    if kind == "choice":
        criteria = an_object(needed(item, "criteria", place), at)
        choices = tuple(_choice(each, told, (*at, each)) for each, told in criteria.items())
        _check_count(len(choices), at, 2, 255)
        return Question(kind="choice", name=name, instructions=instructions, options=choices)
    if kind == "score":
        levels = a_list(needed(item, "criteria", place), at)
        _check_count(len(levels), at, 2, 10)
        options = tuple(_level(each, (*at, number)) for number, each in enumerate(levels))
        return Question(kind="score", name=name, instructions=instructions, options=options)
    if kind == "box":
        raise refused((*place, "type"), "a box is looked for in an image, and Windrow classifies text.")
    raise refused((*place, "type"), "noul, choice or score is expected.")


def _noul_options(criteria: object, place: Place) -> tuple[Option, Option]:
    told = {} if criteria is None else an_object(criteria, place)
    yes, no = ("" if told.get(each) is None else _structured(told[each], (*place, each)) for each in ("true", "false"))
    return Option("", yes), Option("", no)


def _choice(name: str, told: object, place: Place) -> Option:
    if not name.strip():
        raise refused(place, "an option's name is empty. Name it.")
    return Option(name, "" if told is None else _structured(told, place))


def _level(told: object, place: Place) -> Option:
    """Return a level: what describes it may be a label itself."""
    text = _structured(told, place)
    return Option(text) if isinstance(told, str) and len(text) <= MAX_LABEL_CHARS else Option("", text)


def _check_count(count: int, place: Place, least: int, most: int) -> None:
    if not least <= count <= most:
        raise refused(place, f"it has {count} entries, and may have {least} to {most}. Add or remove some.")


def _write(received: Received, request: DecideRequest, decisions: Decisions) -> ForeignReply:
    asked = received.document["questions"]
    pairs = zip(request.questions, decisions.decisions, strict=True)
    document = {
        "model": model_that_answered(request, decisions),
        "answers": {str(each.name): _answer(asked[each.name], each, decision) for each, decision in pairs},
        "usage": {"input_tokens": decisions.input_tokens, "output_tokens": 0},
        "x_truncated": decisions.truncated,
    }
    return ForeignReply(document, answered_headers(decisions))


def _answer(item: Mapping[str, Any], question: Question, decision: Decision) -> Mapping[str, object]:
    shares = decision.probabilities
    extra = {"x_answered_by": answered_by(decision)} | ({"x_abstained": True} if decision.abstained else {})
    if question.kind == "predicate":
        return {"type": "noul", "noul": shares[0], **extra}
    if question.kind == "choice":
        names = [each.label for each in question.options]
        return {
            "type": "choice",
            "choice": names[shares.index(max(shares))],
            "confidence": choice_confidence(shares),
            "probabilities": dict(zip(names, shares, strict=True)),
            **extra,
        }
    return {
        "type": "score",
        "score": expected_level(shares),
        "confidence": score_confidence(shares),
        "legend": {str(number): level for number, level in enumerate(item["criteria"])},
        "probabilities": {str(number): share for number, share in enumerate(shares)},
        **extra,
    }


ROWS: Final = (
    ForeignEndpoint(
        dialect=TYPESAFE,
        method="POST",
        path="/v1/systemone",
        verb=DECIDE,
        read=_read,
        write=_write,
        summary="Answer questions about a state, as TypeSafe's System One",
    ),
)
