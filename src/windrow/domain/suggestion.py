"""Suggestions for labelling: the texts of a pool that would improve a classifier most."""

from dataclasses import dataclass
from typing import Annotated, Literal

from windrow.domain.dataset import DataLimits, Text, check_texts, too_many
from windrow.domain.errors import InvalidParameter
from windrow.domain.names import ModelReference, read_reference
from windrow.domain.recipe import check_range
from windrow.domain.values import ListValue, Schema, Value

DEFAULT_SUGGESTIONS = 10
SUGGESTIONS_RANGE = (1, 1_000)

SuggestionReason = Literal["new", "uncertain"]


@dataclass(frozen=True, slots=True)
class SuggestRequest:
    """Texts without labels, of which some are to be labelled."""

    model_name: ModelReference
    """The classifier that is to learn from them: its name, an alias, a revision (name@3) or task@latest, its highest
    version.
    """
    texts: Annotated[tuple[Text, ...], Schema(minItems=1)]
    """The pool, as many texts as a training may have rows; one that comes again counts once."""
    n: Annotated[int, Schema(minimum=SUGGESTIONS_RANGE[0], maximum=SUGGESTIONS_RANGE[1])] = DEFAULT_SUGGESTIONS
    """How many to suggest, 1 to 1,000."""


@dataclass(frozen=True, slots=True)
class Suggestion(Value):
    """A text worth labelling."""

    index: int
    """Its number in the pool, from 0."""
    text: str
    """The text."""
    reason: SuggestionReason
    """``new`` where it is unlike the training data, so perhaps of a new class; ``uncertain`` where the classifier
    hesitates between labels, or a multi-label classifier whether to give one of them.
    """
    num_similar: int
    """Similar texts in the pool, itself included: the texts that its label would stand for."""
    label: str
    """The label with the highest score; of a multi-label classifier, the one that is nearest to its threshold."""
    score: float
    """That label's score."""
    runner_up: str | None
    """The label with the next score; ``None`` of a multi-label classifier."""
    in_scope: float | None
    """How like the training data it is, in [0, 1]; ``None`` where the classifier cannot tell."""
    labels: tuple[str, ...] | None = None
    """Of a multi-label classifier, the labels that it would give, the highest score first; ``None`` of a single-label
    classifier.
    """


@dataclass(frozen=True, slots=True)
class Suggestions(ListValue[Suggestion]):
    """The texts that are worth labelling."""

    _items = "suggestions"

    model_name: str
    """The classifier that scored the texts."""
    revision: int
    """The revision that scored the texts."""
    suggestions: tuple[Suggestion, ...]
    """The most useful first; fewer than requested if the pool has fewer distinct texts."""
    total: int
    """Different texts in the pool that the classifier was not trained on."""


def check_suggest_request(request: SuggestRequest, limits: DataLimits) -> None:
    """Refuse a request that breaks a rule for which no classifier need be looked at.

    Raises:
        InvalidName: The name breaks the grammar.
        InvalidText: A text is empty, blank or no valid Unicode; ``facts["index"]`` counts from 0.
        InvalidParameter: There is no text, or ``n`` lies outside its range.
        LimitExceeded: There are too many texts, or one is too long.
    """
    read_reference(request.model_name)
    check_range("n", request.n, SUGGESTIONS_RANGE)
    if not request.texts:
        raise InvalidParameter("{arg:texts} is empty. {Send} the texts to choose from.", {"parameter": "texts"})
    if len(request.texts) > limits.max_rows:
        raise too_many("texts", len(request.texts), "entries", limits.max_rows, "WINDROW_MAX_ROWS")
    check_texts(request.texts, limits.max_text_chars)
