"""Find probable label errors, the labels that would gain from more rows, and the iterations to recommend."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from windrow.arrays import Bools, Floats, Ids
from windrow.domain.cross_validation import LabelAdvice
from windrow.domain.figures import counted, listed, percent

# A gain is clear from this many standard errors on. With one, chance alone passes for a label in six; with two, for one
# in forty, and each false alarm costs a person the labelling of rows.
CLEAR_GAIN_ERRORS = 2.0
# A single additional correct row is no trend, however few rows there are.
MIN_GAINED_ROWS = 2
# With fewer evaluated rows of a label, the absence of a gain says little.
FEW_EVALUATED_ROWS = 8
TOO_FEW_ROWS = "There are too few rows to see whether more of them would help; about 8 rows a label work well."
# Above this fraction of the rows, the rounded half of them is no half.
_MAX_HALF_FRACTION = 0.75
_NAMED_LABELS = 3


def find_label_errors(scores: Floats, label_ids: Ids) -> Ids:
    """Return the rows that probably have a wrong label, the most confident first.

    A row counts where another label has the highest score, and that score is at least the mean score of that label over
    the rows that have it.

    Args:
        scores: Out-of-fold scores; shape [rows, labels], float32.
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


def find_doubted_labels(scores: Floats, sets: Bools) -> list[tuple[int, int]]:
    """Return the decisions about labels that are probably wrong in the rows, the most confident first.

    A decision counts where its score says the opposite, and at least as confidently as the scores of the label say that
    on average for the rows of which it is true.

    Args:
        scores: Out-of-fold scores; shape [rows, labels], float32, in [0, 1].
        sets: The rows' label sets; shape [rows, labels].

    Returns:
        Rows and labels, each from 0.

    Source: Northcutt, Jiang and Chuang 2021, "Confident Learning"; applied to each label and its absence.
    """
    confidence = np.where(sets, 1 - scores, scores).astype(np.float64)  # that the row is wrong about the label
    has_rows, lacks_rows = sets.sum(axis=0), (~sets).sum(axis=0)
    usual_given = (scores * sets).sum(axis=0) / np.maximum(1, has_rows)
    usual_left = ((1 - scores) * ~sets).sum(axis=0) / np.maximum(1, lacks_rows)
    # Where no row has a label, or each, nothing says how sure its scores are of that.
    usual = np.where(sets, np.where(lacks_rows, usual_left, np.inf), np.where(has_rows, usual_given, np.inf))
    rows, labels = np.nonzero((confidence > 0.5) & (confidence >= usual))
    order = np.argsort(-confidence[rows, labels], kind="stable")
    return list(zip(rows[order].tolist(), labels[order].tolist(), strict=True))


def is_half(half: float, full: float) -> bool:
    """Return whether the rounded half of some rows is about half of them.

    A fraction is rounded up to a row of each label: half of two rows is one, but half of one is one too.

    Args:
        half: Rows that were trained on as the half.
        full: All rows that were trained on.
    """
    return half <= _MAX_HALF_FRACTION * full


def advise(
    half_recalls: Mapping[str, float], full_recalls: Mapping[str, float], rows: Mapping[str, int]
) -> tuple[tuple[LabelAdvice, ...], str]:
    """Return the labels that more rows would help, judged by the gain in recall from the last doubling of the rows.

    A gain counts where it exceeds ``CLEAR_GAIN_ERRORS`` standard errors of the recall, is worth at least
    ``MIN_GAINED_ROWS`` rows, and the recall is still below 1.

    Args:
        half_recalls: Recall of each label with half of the rows, in [0, 1].
        full_recalls: The same with all of them; the same labels.
        rows: The number of evaluated rows of each label, at least 1.

    Returns:
        The advice for each label, the largest gain first; and a summary in words.
    """
    advice = []
    for label, recall in full_recalls.items():
        gain = recall - half_recalls[label]
        error = math.sqrt(max(recall * (1 - recall), 0.25 / (rows[label] + 1)) / rows[label])
        is_clear = gain > CLEAR_GAIN_ERRORS * error and round(gain * rows[label]) >= MIN_GAINED_ROWS
        advice.append(LabelAdvice(label, gain, is_clear and recall < 1))
    advice.sort(key=lambda each: (-each.gain, each.label))
    words = _in_words(advice, half_recalls, full_recalls)
    if not any(each.helps for each in advice):
        words += _of_all_in_words(half_recalls, full_recalls, rows)
    if min(rows.values()) < FEW_EVALUATED_ROWS:
        words += f" With fewer than {FEW_EVALUATED_ROWS} rows of a label that says little about it."
    return tuple(advice), words


def _of_all_in_words(
    half_recalls: Mapping[str, float], full_recalls: Mapping[str, float], rows: Mapping[str, int]
) -> str:
    """Return what is to be said of all labels together, where none gained clearly by itself; empty for nothing."""
    total = sum(rows[label] for label in full_recalls)
    before, after = (
        sum(recall * rows[label] for label, recall in recalls.items()) / total
        for recalls in (half_recalls, full_recalls)
    )
    gain, error = after - before, math.sqrt(max(after * (1 - after), 0.25 / (total + 1)) / total)
    if gain <= CLEAR_GAIN_ERRORS * error or round(gain * total) < MIN_GAINED_ROWS:
        return ""
    rise = f"over all labels, recall rose from {percent(before)} with half of the rows to {percent(after)} with all"
    return f" Together they gained: {rise}, so more rows of each would help."


def _in_words(
    advice: Sequence[LabelAdvice], half_recalls: Mapping[str, float], full_recalls: Mapping[str, float]
) -> str:
    helped = [each.label for each in advice if each.helps]
    others = [each.label for each in advice if not each.helps]
    if not helped:
        return "The last doubling of the rows brought no label a clear gain."
    first = helped[0]
    before, after = percent(half_recalls[first]), percent(full_recalls[first])
    rise = f"its recall rose from {before} with half of the rows to {after} with all"
    words = [f"More {first!r} rows would help most: {rise}."]
    if helped[1:]:
        words.append(f"Then {listed(map(repr, helped[1:]), _NAMED_LABELS)}.")
    if others:
        words.append(
            f"For {listed(map(repr, others), _NAMED_LABELS)} the last doubling of the rows brought no clear gain."
        )
    return " ".join(words)


def recommend_iterations(
    requested: int, score: float, head_score: float, *, is_significant: bool, measure: str = ""
) -> str:
    """Return in words what held-out rows say of a training with an adapter beside the head alone.

    Args:
        requested: The number of iterations that was asked for; 0 asked for the head alone.
        score: What such a training reaches, in [0, 1].
        head_score: What the head alone reaches.
        is_significant: Whether their difference is more than chance.
        measure: What the scores are, such as "a micro F1 of "; empty for accuracies.
    """
    if requested == 0:
        head = f"Only the head was judged ({measure}{percent(head_score)})"
        return f"{head}. Cross-validate with 20 iterations to see if that is better."
    iterations = counted(requested, "iteration")
    facts = f"{measure}{percent(score)} with {iterations}, {percent(head_score)} with the head alone"
    points = f"{100 * abs(score - head_score):.1f} points"
    if score <= head_score and is_significant:
        return f"The head alone is {points} better: {facts}. Use 0 iterations."
    if score <= head_score:
        return f"The head alone does as well and is faster: {facts}."
    if is_significant:
        return f"The encoder's training makes it {points} better: {facts}."
    facts = facts[0].upper() + facts[1:]
    return f"{facts}: chance may make such a difference on so few rows, but on most sets the encoder's training helps."
