"""An explanation's arithmetic: the words of a text, what each does for the answer, and the nearest training rows."""

import re
import unicodedata
from collections.abc import Sequence

import numpy as np

from windrow.arrays import Floats, Ids
from windrow.domain.dataset import Row
from windrow.domain.explanation import MAX_EXPLAINED_WORDS, NEAREST_ROWS, NearRow, WordEffect

# A longer run says nothing about its parts (an address, a blob of base64), so it is cut.
MAX_WORD_CHARS = 40
# Letters of one piece where a script puts no spaces between words: a Chinese word has about two, a Thai one about four.
UNSPACED_PIECE = 4

# Apostrophes, hyphens, and the two joiners of Persian and Hindi: inside a word, but not at its ends.
_JOINERS = frozenset("'-\u2019\u2010\u2011\u200c\u200d")
# Thai and Lao, Myanmar, Khmer; kana, then Han, in the first plane and in the next ones.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U0001b000-\U0003ffff]"
)
# In the alphabet of _kind. The standard library's \w leaves out marks, and so would tear Hindi and Thai words apart.
_WORDS = re.compile(f"(?:um*){{1,{UNSPACED_PIECE}}}|[wm]+(?:j[wm]+)*")

Word = tuple[str, int]


def split_words(text: str) -> list[Word]:
    """Return the words of a text, and where each starts.

    A word is a run of letters, their marks, digits and underscores, with apostrophes and hyphens inside. Where a script
    puts no spaces between words, a word is a piece of ``UNSPACED_PIECE`` letters, so that the effect of a part can be
    seen at all. None has more than ``MAX_WORD_CHARS`` characters.

    Args:
        text: Any text.

    Returns:
        Each word as it stands in the text, and the number of its first character (code point), ascending.
    """
    kinds = "".join(map(_kind, text))
    return [
        (text[start : min(start + MAX_WORD_CHARS, found.end())], start)
        for found in _WORDS.finditer(kinds)
        for start in range(found.start(), found.end(), MAX_WORD_CHARS)
    ]


def without_words(text: str, words: Sequence[Word]) -> list[str]:
    """Return the text with one word left out, for each word; a space that is left over goes with it.

    Args:
        text: The text.
        words: What :func:`split_words` made of it. Those behind the first ``MAX_EXPLAINED_WORDS`` are passed over.

    Returns:
        A text for each word that was not passed over, none of them blank; nothing at all for a single word, since
        without it there is nothing to ask about.
    """
    if len(words) < 2:
        return []
    return [_without(text, start, start + len(word)) for word, start in words[:MAX_EXPLAINED_WORDS]]


def word_effects(words: Sequence[Word], scores: Floats, shortened: Floats) -> tuple[WordEffect, ...]:
    """Return what each word does for the label with the highest score.

    Args:
        words: What :func:`split_words` made of the text.
        scores: Of the whole text; shape [labels], float32.
        shortened: Of what :func:`without_words` made of it; shape [k, labels], float32, with ``k`` at most the number
            of words. The words behind the first ``k`` have no effect to tell of.
    """
    best = int(scores.argmax())
    return tuple(
        WordEffect(word, start, float(scores[best]) - float(without[best]))
        for (word, start), without in zip(words, shortened, strict=False)
    )


def nearest(text: Floats, features: Floats, rows: Sequence[Row], numbers: Sequence[int]) -> tuple[NearRow, ...]:
    """Return the rows most like a text, the nearest first, and of equally near ones the first.

    Args:
        text: Features of the text; shape [width], float32, the last third is the last layer's.
        features: Features of rows; shape [n, width], float32; ``n`` may be 0.
        rows: The rows, ``n`` of them.
        numbers: Their numbers in the training data.

    Returns:
        At most ``NEAREST_ROWS``.
    """
    if not rows:
        return ()
    # A rounded product of two vectors of length 1 may lie a hair beyond 1.
    likeness = (last_layer(features) @ last_layer(text[np.newaxis])[0]).clip(-1, 1)
    order: Ids = np.lexsort((np.array(numbers), -likeness))
    return tuple(
        NearRow(numbers[place], rows[place].text, rows[place].label, float(likeness[place]))
        for place in order[:NEAREST_ROWS].tolist()
    )


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
    """Name what a character does in a word: letter, letter of an unspaced script, mark, joiner, or none of these."""
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
