"""Explain a prediction by the nearest training rows and the effects of the text's words."""

from collections.abc import Sequence

from windrow.domain.explanation import MAX_COMPARED_ROWS, Explanation, LabelExplanation, NearRow
from windrow.domain.labelled_rows import LabelledRow
from windrow.execution.predictor import Predictor
from windrow.learning.attribution import nearest, split_words, without_words, word_effects
from windrow.storage.catalog import ResolvedModel


def explain(
    resolved: ResolvedModel,
    text: str,
    given: Sequence[str],
    rows: Sequence[LabelledRow] | None,
    predictor: Predictor,
) -> Explanation:
    """Explain a classifier's prediction for a text.

    Encoded rows stay in the cache, so a second explanation by the same classifier is fast.

    Args:
        resolved: The classifier.
        text: The text.
        given: The labels that it was given, the one with the highest score first; none where it was given no label,
            and then the label with the highest score is explained.
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
    scores = predictor.load(resolved).scores(features)
    near: tuple[NearRow, ...] | None = None if rows is None else ()
    if rows:
        count = min(len(rows), MAX_COMPARED_ROWS)
        numbers = [number * len(rows) // count for number in range(count)]
        compared = [rows[number] for number in numbers]
        near = nearest(features[0], predictor.features(resolved, [row.text for row in compared]), compared, numbers)
    labels = resolved.entry.record.labels
    effects = {}
    for label in given or (labels[int(scores[0].argmax())],):
        of_label = scores[:, labels.index(label)]
        effects[label] = word_effects(words, float(of_label[0]), of_label[1:])
    (label, of_words), *further = effects.items()
    return Explanation(label, near, of_words, tuple(LabelExplanation(*each) for each in further))
