"""Explain a prediction by the nearest training rows and the effects of the text's words."""

from collections.abc import Sequence

from windrow.domain.dataset import Row
from windrow.domain.explanation import MAX_COMPARED_ROWS, Explanation
from windrow.execution.predictor import Predictor
from windrow.learning.attribution import nearest, split_words, without_words, word_effects
from windrow.storage.catalog import ResolvedModel


def explain(resolved: ResolvedModel, text: str, rows: Sequence[Row] | None, predictor: Predictor) -> Explanation:
    """Explain a classifier's prediction for a text.

    Encoded rows stay in the cache, so a second explanation by the same classifier is fast.

    Args:
        resolved: The classifier.
        text: The text.
        rows: The training rows; of more than ``MAX_COMPARED_ROWS``, an even sample is compared. ``None`` where they
            were not kept.
        predictor: Encodes the texts.

    Raises:
        Overloaded: Too many requests wait already.
        InvalidArtifact: The saved artifact is damaged.
        ShuttingDown: The server stops.
    """
    words = split_words(text)
    features = predictor.features(resolved, [text, *without_words(text, words)])
    scores = predictor.load(resolved).head.scores(features)
    near = None
    if rows is not None:
        count = min(len(rows), MAX_COMPARED_ROWS)
        numbers = [number * len(rows) // count for number in range(count)]
        compared = [rows[number] for number in numbers]
        near = nearest(features[0], predictor.features(resolved, [row.text for row in compared]), compared, numbers)
    labels = resolved.entry.record.labels
    return Explanation(labels[int(scores[0].argmax())], near, word_effects(words, scores[0], scores[1:]))
