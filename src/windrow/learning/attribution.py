"""Attribute a prediction to the words of its text, by leaving each out, and to the nearest training rows."""

import re
import unicodedata
from collections.abc import Sequence

import numpy as np

from windrow.arrays import Floats, Ids
from windrow.domain.explanation import MAX_EXPLAINED_WORDS, NEAREST_ROWS, NearRow, WordEffect
from windrow.domain.labelled_rows import LabelledRow
from windrow.domain.multi_label import MultiLabelRow

# Longer runs (an address, a blob of base64) are cut, so that the effect of a part is visible.
MAX_WORD_CHARS = 40
# Letters that count as a word where a script puts no spaces between words: a Chinese word has about two, a Thai one
# four.
UNSPACED_WORD_CHARS = 4

# Apostrophes, hyphens, and the two joiners of Persian and Hindi: inside a word, but not at its ends.
_JOINERS = frozenset("'-\u2019\u2010\u2011\u200c\u200d")
# Thai and Lao, Myanmar, Khmer; kana, then Han, in the first plane and in the next ones.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U0001b000-\U0003ffff]"
)
# In the alphabet of _kind. The standard library's \w leaves out marks, and so would tear Hindi and Thai words apart.
_WORDS = re.compile(f"(?:um*){{1,{UNSPACED_WORD_CHARS}}}|[wm]+(?:j[wm]+)*")

Word = tuple[str, int]


def split_words(text: str) -> list[Word]:
    """Return the words of a text, and where each starts.

    A word is a run of letters, their marks, digits and underscores, with apostrophes and hyphens inside. Where a script
    puts no spaces between words, ``UNSPACED_WORD_CHARS`` letters count as a word. No word has more than
    ``MAX_WORD_CHARS`` characters.

    Args:
        text: Any text.

    Returns:
        Each word as it stands in the text, and the number of its first character (code point), ascending.
    """
    kinds = "".join(map(_kind, text))
    return [
        (text[start : min(start + MAX_WORD_CHARS, match.end())], start)
        for match in _WORDS.finditer(kinds)
        for start in range(match.start(), match.end(), MAX_WORD_CHARS)
    ]


def without_words(text: str, words: Sequence[Word]) -> list[str]:
    """Return the text without each of its words in turn, and without the space that the word leaves over.

    Args:
        text: The text.
        words: What :func:`split_words` returns for it; only the first ``MAX_EXPLAINED_WORDS`` are used.

    Returns:
        One text for each of these words, none of them blank; an empty list for a single word, since without it no text
        is left.
    """
    if len(words) < 2:
        return []
    return [_without(text, start, start + len(word)) for word, start in words[:MAX_EXPLAINED_WORDS]]


def word_effects(words: Sequence[Word], score: float, shortened: Floats) -> tuple[WordEffect, ...]:
    """Return how much each word adds to the score of a label.

    Args:
        words: What :func:`split_words` returns for the text.
        score: The label's score for the full text.
        shortened: Its scores for the texts of :func:`without_words`; shape [k], float32, with ``k`` at most the number
            of words. Only the first ``k`` words are returned.
    """
    return tuple(
        WordEffect(word, start, score - without)
        for (word, start), without in zip(words, shortened.tolist(), strict=False)
    )


def nearest(text: Floats, features: Floats, rows: Sequence[LabelledRow], numbers: Sequence[int]) -> tuple[NearRow, ...]:
    """Return the rows most similar to a text, the most similar first, and of equals the first.

    Args:
        text: The text's features; shape [width], float32, the last third is the last layer's.
        features: The rows' features; shape [n, width], float32; ``n`` may be 0.
        rows: The rows, ``n`` of them.
        numbers: Their numbers in the training data.

    Returns:
        At most ``NEAREST_ROWS``.
    """
    if not rows:
        return ()
    # A rounded product of two vectors of length 1 may lie slightly beyond 1.
    similarities = (last_layer(features) @ last_layer(text[np.newaxis])[0]).clip(-1, 1)
    order: Ids = np.lexsort((np.array(numbers), -similarities))
    return tuple(
        _near_row(numbers[index], rows[index], float(similarities[index])) for index in order[:NEAREST_ROWS].tolist()
    )


def _near_row(number: int, row: LabelledRow, similarity: float) -> NearRow:
    if isinstance(row, MultiLabelRow):
        return NearRow(number, row.text, None, similarity, labels=row.labels)
    return NearRow(number, row.text, row.label, similarity)


def last_layer(features: Floats) -> Floats:
    """Return the last third of each row at length 1, so that products are cosines.

    Args:
        features: Shape [n, width], float32.

    Returns:
        Shape [n, a third of width, at least 1], float32.
    """
    # A copy, since rows a third as long are read much faster where they lie together.
    part = features[:, -max(1, features.shape[1] // 3) :].copy()
    part /= np.maximum(np.linalg.norm(part, axis=1, keepdims=True), 1e-9)
    return part


def _kind(char: str) -> str:
    """Return a character's class: letter (w), letter of an unspaced script (u), mark (m), joiner (j), or none ( )."""
    category = unicodedata.category(char)
    if category[0] == "M":
        return "m"
    if char in _JOINERS:
        return "j"
    if category[0] not in "LN" and char != "_":
        return " "
    return "u" if _UNSPACED.match(char) else "w"


def _without(text: str, start: int, end: int) -> str:
    before, after = text[:start], text[end:]
    if not before or before[-1].isspace():
        after = after.lstrip()
    return before + after if after else before.rstrip()
