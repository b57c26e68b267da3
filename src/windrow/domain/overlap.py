"""Overlap: test rows that a classifier has seen in training, to the letter or nearly so."""

import re
from collections.abc import Iterable, Iterator, Sequence

# In shorter texts one word is too much of the meaning.
MIN_WORDS_FOR_ONE_TO_DIFFER = 6
# Of more test texts, only those of the same words are found: a key for each word of each would take gigabytes.
MAX_TESTS_FOR_ONE_TO_DIFFER = 10_000
# Longer texts are compared by so many words: what begins with as many equal words is no coincidence.
MAX_WORDS = 100

_WORD = re.compile(r"\w+")
_DIGITS = re.compile(r"\d+")


def find_overlap(tests: Sequence[str], training: Iterable[str]) -> tuple[list[int], list[int]]:
    """Return which test texts stand in the training data, and which nearly do, by number from 0.

    Nearly the same are texts of the same words apart from case, punctuation and numbers; in texts of
    ``MIN_WORDS_FOR_ONE_TO_DIFFER`` words or more, one word may also be missing, added or replaced, unless there are
    more than ``MAX_TESTS_FOR_ONE_TO_DIFFER`` test texts.

    Args:
        tests: The test texts.
        training: The training texts; read once.
    """
    same: dict[str, list[int]] = {}
    near: dict[int, list[int]] = {}
    one_may_differ = len(tests) <= MAX_TESTS_FOR_ONE_TO_DIFFER
    for number, text in enumerate(tests):
        same.setdefault(text, []).append(number)
        for key in set(_keys(text, one_may_differ=one_may_differ)):
            near.setdefault(key, []).append(number)
    found: set[int] = set()
    nearly: set[int] = set()
    for text in training:
        found.update(same.get(text, ()))
        for key in _keys(text, one_may_differ=one_may_differ):
            nearly.update(near.get(key, ()))
    return sorted(found), sorted(nearly - found)


def _keys(text: str, *, one_may_differ: bool) -> Iterator[int]:
    """Yield what nearly equal texts have in common: digests of their words, and of these without each one of them."""
    words = tuple(_WORD.findall(_DIGITS.sub("0", text.casefold()))[:MAX_WORDS])
    if not words:
        return
    yield hash(words)
    if one_may_differ and len(words) >= MIN_WORDS_FOR_ONE_TO_DIFFER:
        for left_out in range(len(words)):
            yield hash((*words[:left_out], *words[left_out + 1 :]))
