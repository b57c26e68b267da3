"""Examining: what classifiers answer for many texts, as arrays.

Owns that texts are encoded once for all classifiers that see them alike; knows nothing of labels that are expected, or
of what is concluded.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from windrow.encoders.bulk import Compute, Encoded, encode
from windrow.encoders.layout import Floats
from windrow.execution.predictor import Predictor
from windrow.execution.question import LoadedClassifier
from windrow.storage.catalog import Found


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What one classifier answers.

    Args:
        labels: Its labels, sorted.
        features: Of the texts, as it sees them; shape [texts, features], float32.
        scores: Each label's score; shape [texts, labels], float32, each row sums to 1.
        in_scope: How like the training data each text is, in [0, 1]; shape [texts], float32; ``None`` where it cannot
            tell.
        truncated: Whether each text's end was left out; shape [texts], bool.
    """

    labels: tuple[str, ...]
    features: Floats
    scores: Floats
    in_scope: Floats | None
    truncated: npt.NDArray[np.bool_]

    @property
    def predicted(self) -> list[str]:
        """The label with the highest score, for each text."""
        return [self.labels[position] for position in self.scores.argmax(axis=1)]


def examine(
    asked: Sequence[Found], texts: Sequence[str], predictor: Predictor, compute: Compute
) -> tuple[Answers, ...]:
    """Have classifiers answer for the same texts. Each distinct text is encoded once by base model and adapter.

    Args:
        asked: The revisions.
        texts: At least one.
        predictor: Loads them.
        compute: Computes batches, beside predictions.

    Raises:
        ArtifactInvalid: A saved artifact is damaged.
        BaseModelUnavailable: The encoder that a classifier was trained on is not here.
        ShuttingDown: The server stops.
    """
    distinct = {text: position for position, text in enumerate(dict.fromkeys(texts))}
    places = np.array([distinct[text] for text in texts])
    encoded: dict[str, Encoded] = {}
    answers = []
    for found in asked:
        classifier = predictor.load(found)
        if classifier.digest not in encoded:
            encoded[classifier.digest] = encode(classifier.encoder, list(distinct), classifier.adapter, compute)
        seen = encoded[classifier.digest]
        answers.append(_answers(found, classifier, Encoded(seen.features[places], seen.truncated[places])))
    return tuple(answers)


def _answers(found: Found, classifier: LoadedClassifier, seen: Encoded) -> Answers:
    return Answers(
        labels=found.entry.record.labels,
        features=seen.features,
        scores=classifier.head.scores(seen.features),
        in_scope=None if classifier.scope is None else classifier.scope.in_scope(seen.features),
        truncated=seen.truncated,
    )
