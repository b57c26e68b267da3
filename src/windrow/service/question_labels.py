"""Which labels of a classifier stand for the options of a question."""

from typing import Final

from windrow.domain.binding import Binding
from windrow.domain.classifier import Record
from windrow.domain.decision import Question
from windrow.domain.errors import InvalidParameter
from windrow.execution.decision_plan import NO_WORDS, YES_WORDS

_TWO: Final = 2
_SHOWN: Final = 10
# What a label begins with that says the opposite of another one.
_NEGATIONS: Final = ("not ", "no ", "non ", "not_", "no_", "non_", "not-", "no-", "non-")


def labels_of(record: Record, question: Question, binding: Binding | None = None) -> tuple[str | None, ...]:
    """Return for each option the label that stands for it, or ``None``; of a predicate, the label for true alone.

    Args:
        record: The classifier's.
        question: The question.
        binding: What is bound to the question's name, whose labels count as far as the classifier has them.
    """
    known = set(record.labels)
    if question.kind == "predicate":
        bound = None if binding is None else binding.positive_label
        return (bound if bound in known else positive_label(record),)
    found = tuple(each.label if each.label in known else None for each in question.options)
    if question.kind == "score" and None in found:
        bound_levels = () if binding is None else binding.levels
        for order in (bound_levels, _numeric_order(record)):
            if len(order) == len(found) and known.issuperset(order):
                return order
    return found


def positive_label(record: Record) -> str | None:
    """Return the label of two that stands for true by its word; ``None`` where none does, or both may.

    Args:
        record: The classifier's.
    """
    if len(record.labels) != _TWO:
        return None
    first, second = record.labels
    pairs = ((first, second), (second, first))
    return next((label for label, other in pairs if _is_opposite(label.lower(), other.lower())), None)


def _is_opposite(label: str, other: str) -> bool:
    """Whether a label stands for true, since it says so, or since the other one says the opposite of it."""
    if label in YES_WORDS and other not in YES_WORDS:
        return True
    return (other in NO_WORDS and label not in NO_WORDS) or other in {f"{each}{label}" for each in _NEGATIONS}


def _numeric_order(record: Record) -> tuple[str, ...]:
    """Return labels that are whole numbers, the lowest first; nothing where one is none."""
    try:
        return tuple(sorted(record.labels, key=int))
    except ValueError:
        return ()


def no_label_for(number: int, question: Question, record: Record, labels: tuple[str | None, ...]) -> InvalidParameter:
    """Return the error for a question that a classifier has no labels for.

    Args:
        number: Of the question, from 0.
        question: The question.
        record: The classifier's.
        labels: Its labels for the options, of which at least one is ``None``.
    """
    facts = {
        "parameter": "questions",
        "index": number,
        "model_name": record.name,
        "labels": list(record.labels[:_SHOWN]),
    }
    if question.kind == "predicate":
        return InvalidParameter(
            "Question {index} (from 0) asks whether something is true, and it is not known which of the labels of "
            "{model_name} stands for that: {labels:quoted}. Bind the question's name to {model_name} with "
            "{arg:positive_label}.",
            facts,
        )
    pairs = zip(question.options, labels, strict=True)
    unknown = [each.label or each.description for each, label in pairs if label is None]
    more = f" and {len(unknown) - _SHOWN} more" if len(unknown) > _SHOWN else ""
    return InvalidParameter(
        f"Question {{index}} (from 0) offers what {{model_name}} has no label for: {{options:quoted}}{more}. "
        "Its labels are {labels:quoted}. {Send} some of these; or turn on x_zero_shot_options, so that the others are "
        "answered without a classifier.",
        {**facts, "options": unknown[:_SHOWN]},
    )
