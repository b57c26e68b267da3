"""Advice on rows: which labels are in doubt, and of which labels more rows would help."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from windrow.arrays import Floats, Ids
from windrow.domain.cross_validation import LabelAdvice

# So many standard errors make a gain clear. With one, chance alone would do for a label in six; with two, for one in
# forty, and a person who is told to label more rows pays for each false promise.
CLEAR_GAIN_ERRORS = 2.0
# One row more is no trend, however few there are.
MIN_GAINED_ROWS = 2
# Of fewer judged rows a label, no gain is no news.
FEW_JUDGED_ROWS = 8
_NAMED_LABELS = 3


def doubtful_rows(scores: Floats, label_ids: Ids) -> Ids:
    """Return the rows whose label the others contradict with confidence, the most confident first.

    A row is in doubt where another label's score is the highest and at least as high as it is, on average, for rows
    that do bear that label.

    Args:
        scores: Of trainings that did not see the row; shape [rows, labels], float32.
        label_ids: Shape [rows], int64.

    Source: Northcutt, Jiang and Chuang 2021, "Confident Learning".
    """
    rows, labels = scores.shape
    usual = np.full(labels, np.inf)
    for label_id in np.unique(label_ids):
        usual[label_id] = scores[label_ids == label_id, label_id].mean()
    best = scores.argmax(axis=1)
    confidence = scores[np.arange(rows), best]
    doubted = np.flatnonzero((best != label_ids) & (confidence >= usual[best]))
    return doubted[np.argsort(-confidence[doubted], kind="stable")]


def advise(
    half: Mapping[str, float], whole: Mapping[str, float], rows: Mapping[str, int]
) -> tuple[tuple[LabelAdvice, ...], str]:
    """Say of which labels more rows would help, by what the last doubling of the rows brought.

    A gain counts where it exceeds ``CLEAR_GAIN_ERRORS`` standard errors of a recall measured on so many rows, is more
    than one row, and leaves something to gain.

    Args:
        half: Recall of each label with half of the rows, in [0, 1].
        whole: The same with all of them; the same labels.
        rows: How many rows of each label were judged, at least 1.

    Returns:
        Each label, that which gained most first, and the same in words.
    """
    advice = []
    for label, recall in whole.items():
        gain = recall - half[label]
        error = math.sqrt(max(recall * (1 - recall), 0.25 / (rows[label] + 1)) / rows[label])
        is_clear = gain > CLEAR_GAIN_ERRORS * error and round(gain * rows[label]) >= MIN_GAINED_ROWS
        advice.append(LabelAdvice(label, gain, is_clear and recall < 1))
    advice.sort(key=lambda each: (-each.gain, each.label))
    words = _in_words(advice, half, whole)
    if min(rows.values()) < FEW_JUDGED_ROWS:
        words += f" With fewer than {FEW_JUDGED_ROWS} rows of a label that says little about it."
    return tuple(advice), words


def percent(share: float) -> str:
    """Return a share in [0, 1] for people."""
    return f"{100 * share:.1f} %"


def _in_words(advice: Sequence[LabelAdvice], half: Mapping[str, float], whole: Mapping[str, float]) -> str:
    helped = [each.label for each in advice if each.helps]
    others = [each.label for each in advice if not each.helps]
    if not helped:
        return "The last doubling of the rows brought no label a clear gain."
    first = helped[0]
    risen = f"its recall rose from {percent(half[first])} with half of the rows to {percent(whole[first])} with all"
    words = [f"More {first!r} rows would help most: {risen}."]
    if helped[1:]:
        words.append(f"Then {_listed(helped[1:])}.")
    if others:
        words.append(f"For {_listed(others)} the last doubling of the rows brought no clear gain.")
    return " ".join(words)


def _listed(labels: Sequence[str]) -> str:
    named = ", ".join(map(repr, labels[:_NAMED_LABELS]))
    return f"{named} and {len(labels) - _NAMED_LABELS} more" if len(labels) > _NAMED_LABELS else named
