"""Bindings: which classifier answers a question of a name, and which of its labels stand for what is asked."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final, Literal

from windrow.domain.dataset import MAX_LABEL_CHARS, Label, text_problem
from windrow.domain.decision import LEVEL_COUNTS
from windrow.domain.errors import InvalidParameter
from windrow.domain.names import ModelReference, read_reference
from windrow.domain.values import ListValue, Schema, Value

MAX_QUESTION_CHARS: Final = 256
QuestionName = Annotated[str, Schema(minLength=1, maxLength=MAX_QUESTION_CHARS, pattern=r"\S")]


@dataclass(frozen=True, slots=True)
class BindRequest:
    """Which classifier is to answer a question, or that none is to do so any more."""

    question: QuestionName
    """The name or id that requests give the question, at most 256 characters."""
    model_name: ModelReference | None = None
    """What answers it: a classifier's name, an alias, a revision (name@3) or task@latest, which stands for what it
    means whenever the question is asked. ``None`` takes the binding away.
    """
    positive_label: Label | None = None
    """Of a question whether something is true, the label that stands for that; ``None`` where the classifier has two
    labels of which one says it, as ``yes`` and ``no`` do.
    """
    levels: Annotated[tuple[Label, ...], Schema(maxItems=LEVEL_COUNTS[1], uniqueItems=True)] = ()
    """Of a question for a score, the labels that stand for its levels, the lowest first; empty where the levels are
    called like labels, or labels are whole numbers.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding(Value):
    """Which classifier answers a question."""

    _named_by = "question"

    question: str
    """The name or id that requests give the question."""
    model_name: str
    """What answers it, as it was named."""
    positive_label: str | None = None
    """Of a question whether something is true, the label that stands for that; ``None`` where the labels say it."""
    levels: tuple[str, ...] = ()
    """Of a question for a score, the labels that stand for its levels, the lowest first; empty where they say it."""
    bound_at: datetime
    """When it was bound, UTC."""
    key_name: str | None = None
    """The API key that bound it; ``None`` where none was needed."""


@dataclass(frozen=True, slots=True)
class BindingList(ListValue[Binding]):
    """Every binding."""

    _items = "bindings"

    bindings: tuple[Binding, ...]
    """Sorted by question."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BindingChange(Value):
    """A question that was bound, or is bound no more."""

    question: str
    """The name or id that requests give the question."""
    status: Literal["bound", "unbound"]
    """``bound``, or ``unbound`` where nothing answers it by its binding now."""
    binding: Binding | None
    """The binding; ``None`` where there is none."""


def check_bind_request(request: BindRequest) -> None:
    """Refuse a request that breaks a rule for which no classifier need be looked at.

    Raises:
        InvalidParameter: The question or a label is empty, blank, too long or no valid Unicode; there are labels but no
            classifier; there is one level alone, there are too many, or one is there twice.
        InvalidName: The name of the classifier breaks the grammar.
    """
    _check_text("question", request.question, MAX_QUESTION_CHARS)
    if request.model_name is not None:
        read_reference(request.model_name)
    elif request.positive_label is not None or request.levels:
        raise InvalidParameter(
            "{arg:{parameter}} is missing, though labels are there. {Send} the classifier that has them, or leave them "
            "out to take the binding away.",
            {"parameter": "model_name"},
        )
    if request.positive_label is not None:
        _check_text("positive_label", request.positive_label, MAX_LABEL_CHARS)
    for level in request.levels:
        _check_text("levels", level, MAX_LABEL_CHARS)
    least, most = LEVEL_COUNTS
    if request.levels and not (least <= len(request.levels) <= most and len({*request.levels}) == len(request.levels)):
        raise InvalidParameter(
            "{arg:{parameter}} must be {minimum} to {maximum} different labels, the lowest first. Correct it, or leave "
            "it out.",
            {"parameter": "levels", "minimum": least, "maximum": most},
        )


def _check_text(parameter: str, text: str, limit: int) -> None:
    problem = text_problem(text) or (f"has more than {limit} characters" if len(text) > limit else None)
    if problem is not None:
        raise InvalidParameter(f"{{arg:{{parameter}}}} {problem}. Correct it.", {"parameter": parameter})
