"""Predict many texts by several classifiers, as arrays; texts are encoded once per base model and adapter."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from windrow.arrays import Bools, Floats, Ids
from windrow.domain.classifier import Record
from windrow.encoders.bulk import Compute, Encoded, encode
from windrow.execution.prediction_plan import LoadedClassifier, check_finite
from windrow.execution.predictor import Predictor
from windrow.storage.catalog import ResolvedModel

# Features of this many texts are in memory at the same time: 19 MB with MiniLM.
CHUNK_TEXTS = 4_096


@dataclass(frozen=True, slots=True, eq=False)
class ClassifierOutputs:
    """One classifier's outputs for several texts.

    Args:
        labels: The classifier's labels, sorted.
        scores: Each label's score; shape [texts, labels], float32; each row of a single-label classifier sums to 1.
        in_scope: The fraction of in-scope texts less similar to the training data, in [0, 1]; shape [texts], float32;
            ``None`` if the classifier has no scope.
        truncated: Whether each text was truncated; shape [texts], bool.
        features: The texts' features; shape [texts, features], float32; ``None`` unless requested.
        given: Whether each label's score reaches the label's threshold in force; shape [texts, labels]; ``None`` of a
            single-label classifier.
    """

    labels: tuple[str, ...]
    scores: Floats
    in_scope: Floats | None
    truncated: Bools
    features: Floats | None = None
    given: Bools | None = None

    @property
    def predicted(self) -> list[str]:
        """The label with the highest score, for each text."""
        return [self.labels[position] for position in self.scores.argmax(axis=1)]


def predict_batch(
    revisions: Sequence[ResolvedModel],
    texts: Sequence[str],
    predictor: Predictor,
    compute: Compute,
    *,
    keep_features: bool = False,
) -> tuple[ClassifierOutputs, ...]:
    """Predict the same texts by several classifiers.

    Args:
        revisions: The classifiers' revisions.
        texts: At least one text.
        predictor: Loads the classifiers.
        compute: Computes batches, beside predictions.
        keep_features: Whether to return features. They take 4.6 kB per text and classifier with MiniLM.

    Raises:
        InvalidArtifact: A saved artifact is damaged.
        InvalidBaseModel: A base model computes what is no number.
        BaseModelUnavailable: A classifier's encoder is not on this machine.
        ShuttingDown: The server stops.
    """
    number = {text: position for position, text in enumerate(dict.fromkeys(texts))}
    distinct, positions = list(number), np.array([number[text] for text in texts])
    classifiers = [predictor.load(resolved) for resolved in revisions]
    parts: list[list[ClassifierOutputs]] = [[] for _ in revisions]
    for start in range(0, len(distinct), CHUNK_TEXTS):
        encoded: dict[str, Encoded] = {}
        for resolved, classifier, own in zip(revisions, classifiers, parts, strict=True):
            if classifier.digest not in encoded:
                chunk = distinct[start : start + CHUNK_TEXTS]
                encoded[classifier.digest] = encode(classifier.encoder, chunk, classifier.adapter, compute)
            own.append(_compute_outputs(resolved, classifier, encoded[classifier.digest], keep_features=keep_features))
    return tuple(_gather(own, positions) for own in parts)


def _compute_outputs(
    resolved: ResolvedModel, classifier: LoadedClassifier, encoded: Encoded, *, keep_features: bool
) -> ClassifierOutputs:
    record = resolved.entry.record
    scores = classifier.scores(encoded.features)
    in_scope = None if classifier.scope is None else classifier.scope.in_scope(encoded.features)
    check_finite(record, classifier, float(scores.sum() + (0.0 if in_scope is None else in_scope.sum())))
    return ClassifierOutputs(
        labels=record.labels,
        scores=scores,
        in_scope=in_scope,
        truncated=encoded.truncated,
        features=encoded.features if keep_features else None,
        given=_reached(scores, record) if record.kind == "multi_label" else None,
    )


def _reached(scores: Floats, record: Record) -> Bools:
    # As float64, like predictions: as float32, 0.7 is not below 0.7, though the score in the reply is.
    reached: Bools = scores.astype(np.float64) >= np.array(list(record.thresholds_by_label.values()))
    return reached


def _gather(parts: Sequence[ClassifierOutputs], positions: Ids) -> ClassifierOutputs:
    """Return the outputs of all texts from those of chunks of distinct texts."""
    scopes = [part.in_scope for part in parts if part.in_scope is not None]
    features = [part.features for part in parts if part.features is not None]
    given = [part.given for part in parts if part.given is not None]
    return ClassifierOutputs(
        labels=parts[0].labels,
        scores=np.concatenate([part.scores for part in parts])[positions],
        in_scope=np.concatenate(scopes)[positions] if scopes else None,
        truncated=np.concatenate([part.truncated for part in parts])[positions],
        features=np.concatenate(features)[positions] if features else None,
        given=np.concatenate(given)[positions] if given else None,
    )
