"""An explanation: what in the training rows and in a text made a classifier answer as it did."""

from dataclasses import dataclass, field

from windrow.domain.values import Value

# Encoding more, for one answer, would take seconds.
MAX_EXPLAINED_WORDS = 60
MAX_COMPARED_ROWS = 2_000
NEAREST_ROWS = 5


@dataclass(frozen=True, slots=True)
class NearRow(Value):
    """A training row that is like the text."""

    row: int
    """Its number in the training data, from 0."""
    text: str
    """Its text."""
    label: str | None
    """Its label; ``None`` where rows have any number of labels."""
    labels: tuple[str, ...] | None = field(default=None, kw_only=True)
    """Its labels where rows have any number of them; otherwise ``None``."""
    similarity: float
    """Cosine of the two, by the encoder with the classifier's adapter, in [-1, 1]."""

    @property
    def all_labels(self) -> tuple[str, ...]:
        """Its labels, however many they are."""
        return self.labels or () if self.label is None else (self.label,)


@dataclass(frozen=True, slots=True)
class WordEffect(Value):
    """What one word does for the answer."""

    word: str
    """The word as it stands in the text."""
    start: int
    """Where it starts in the text, in characters (code points) from 0."""
    effect: float
    """By how much the label's score would fall without it; negative where it would rise."""


@dataclass(frozen=True, slots=True)
class LabelExplanation(Value):
    """What the words do for one of several labels."""

    label: str
    """The label."""
    words: tuple[WordEffect, ...]
    """As those of an :class:`Explanation`."""


@dataclass(frozen=True, slots=True)
class Explanation(Value):
    """Why a classifier answered as it did."""

    label: str
    """The label with the highest score, which is explained, also where a multi-label classifier gives no label."""
    nearest_rows: tuple[NearRow, ...] | None
    """The training rows most like the text, the nearest first; ``None`` where rows were not kept, or where the API key
    lacks the scope ``rows``.
    """
    words: tuple[WordEffect, ...]
    """The words in the order of the text, at most ``MAX_EXPLAINED_WORDS``; none for a single word."""
    further_labels: tuple[LabelExplanation, ...] = ()
    """The same words for each further label that a multi-label classifier gives, in the order of its answer."""
