"""Examining: what classifiers answer for many texts, as arrays; texts are encoded once for all that see them alike."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from windrow.arrays import Bools, Floats, Ids
from windrow.encoders.bulk import Compute, Encoded, encode
from windrow.execution.predictor import Predictor
from windrow.execution.question import LoadedClassifier
from windrow.storage.catalog import Found

# Features of so many texts are in memory at the same time: 19 MB with MiniLM.
CHUNK_TEXTS = 4_096


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What one classifier answers.

    Args:
        labels: Its labels, sorted.
        scores: Each label's score; shape [texts, labels], float32, each row sums to 1.
        in_scope: How like the training data each text is, in [0, 1]; shape [texts], float32; ``None`` where it cannot
            tell.
        truncated: Whether each text's end was left out; shape [texts], bool.
        features: Of the texts, as it sees them; shape [texts, features], float32; ``None`` unless they are kept.
    """

    labels: tuple[str, ...]
    scores: Floats
    in_scope: Floats | None
    truncated: Bools
    features: Floats | None = None

    @property
    def predicted(self) -> list[str]:
        """The label with the highest score, for each text."""
        return [self.labels[position] for position in self.scores.argmax(axis=1)]


def examine(
    asked: Sequence[Found],
    texts: Sequence[str],
    predictor: Predictor,
    compute: Compute,
    *,
    keep_features: bool = False,
) -> tuple[Answers, ...]:
    """Have classifiers answer for the same texts. Each distinct text is encoded once by base model and adapter.

    Args:
        asked: The revisions.
        texts: At least one.
        predictor: Loads them.
        compute: Computes batches, beside predictions.
        keep_features: Whether features are part of the answers. They take 4.6 kB a text and classifier with MiniLM.

    Raises:
        ArtifactInvalid: A saved artifact is damaged.
        BaseModelUnavailable: The encoder that a classifier was trained on is not here.
        ShuttingDown: The server stops.
    """
    number = {text: position for position, text in enumerate(dict.fromkeys(texts))}
    distinct, places = list(number), np.array([number[text] for text in texts])
    classifiers = [predictor.load(found) for found in asked]
    parts: list[list[Answers]] = [[] for _ in asked]
    for start in range(0, len(distinct), CHUNK_TEXTS):
        encoded: dict[str, Encoded] = {}
        for found, classifier, own in zip(asked, classifiers, parts, strict=True):
            if classifier.digest not in encoded:
                chunk = distinct[start : start + CHUNK_TEXTS]
                encoded[classifier.digest] = encode(classifier.encoder, chunk, classifier.adapter, compute)
            own.append(_answer(found, classifier, encoded[classifier.digest], keep_features=keep_features))
    return tuple(_put_together(own, places) for own in parts)


def _answer(found: Found, classifier: LoadedClassifier, seen: Encoded, *, keep_features: bool) -> Answers:
    return Answers(
        labels=found.entry.record.labels,
        scores=classifier.head.scores(seen.features),
        in_scope=None if classifier.scope is None else classifier.scope.in_scope(seen.features),
        truncated=seen.truncated,
        features=seen.features if keep_features else None,
    )


def _put_together(parts: Sequence[Answers], places: Ids) -> Answers:
    """Return the answers of chunks of distinct texts as those of all texts, by their places among the distinct ones."""
    scopes = [part.in_scope for part in parts if part.in_scope is not None]
    features = [part.features for part in parts if part.features is not None]
    return Answers(
        labels=parts[0].labels,
        scores=np.concatenate([part.scores for part in parts])[places],
        in_scope=np.concatenate(scopes)[places] if scopes else None,
        truncated=np.concatenate([part.truncated for part in parts])[places],
        features=np.concatenate(features)[places] if features else None,
    )
