"""What to label next: the texts of a pile that would teach a classifier most.

Owns the values and the rules for what is asked; knows nothing of how texts are chosen.
"""

from dataclasses import dataclass
from typing import Literal

from windrow.domain.dataset import DataLimits, check_texts
from windrow.domain.errors import InvalidParameter, LimitExceeded
from windrow.domain.names import read_reference
from windrow.domain.recipe import check_range

DEFAULT_SUGGESTIONS = 10
SUGGESTIONS_RANGE = (1, 1_000)

Why = Literal["new", "uncertain"]


@dataclass(frozen=True, slots=True)
class SuggestRequest:
    """Texts without labels, of which some are to be labelled.

    Args:
        model_name: The classifier that is to learn from them.
        texts: The pile.
        n: How many to suggest.
    """

    model_name: str
    texts: tuple[str, ...]
    n: int = DEFAULT_SUGGESTIONS


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A text worth labelling.

    Args:
        index: Its number in the pile, from 0.
        text: The text.
        why: ``new`` where it is unlike the training data, so perhaps of a new class; ``uncertain`` where the
            classifier hesitates between labels.
        alike: Texts of the pile that are much like it, itself included: what labelling it speaks for.
        label: What the classifier would answer.
        score: That label's score.
        runner_up: The label with the next score.
        in_scope: How like the training data it is, in [0, 1]; ``None`` where the classifier cannot tell.
    """

    index: int
    text: str
    why: Why
    alike: int
    label: str
    score: float
    runner_up: str
    in_scope: float | None


@dataclass(frozen=True, slots=True)
class Suggestions:
    """The texts that are worth labelling.

    Args:
        model_name: The classifier that was asked.
        revision: Its revision that was asked.
        suggestions: The most useful first; fewer than asked for where the pile has fewer different texts.
        total: Different texts in the pile that the classifier was not trained on.
    """

    model_name: str
    revision: int
    suggestions: tuple[Suggestion, ...]
    total: int


def check_suggest_request(request: SuggestRequest, limits: DataLimits) -> SuggestRequest:
    """Return ``request`` unchanged if it follows every rule that needs no look at a classifier.

    Raises:
        InvalidName: The name breaks the grammar.
        InvalidText: A text is empty, blank or no valid Unicode; ``facts["index"]`` counts from 0.
        InvalidParameter: There is no text, or ``n`` lies outside its range.
        LimitExceeded: There are too many texts, or one is too long.
    """
    read_reference(request.model_name)
    check_range("n", request.n, SUGGESTIONS_RANGE)
    if not request.texts:
        raise InvalidParameter("texts is empty. Send the texts to choose from.", {"parameter": "texts"})
    if len(request.texts) > limits.max_rows:
        raise LimitExceeded(
            f"texts has {len(request.texts)} entries; this server takes at most {limits.max_rows}. Send fewer, or "
            "raise WINDROW_MAX_ROWS.",
            {"limit": limits.max_rows, "setting": "WINDROW_MAX_ROWS"},
        )
    check_texts(request.texts, limits.max_text_chars)
    return request
