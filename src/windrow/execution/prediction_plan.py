"""Plan which texts to encode for which classifiers, and compute the predictions from the features."""

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import numpy as np

from windrow.arrays import Floats
from windrow.domain.classifier import Record
from windrow.domain.errors import InvalidArtifact, InvalidBaseModel
from windrow.domain.prediction import Kind, Predicted, Prediction, PredictRequest
from windrow.encoders.adapters import Adapter
from windrow.encoders.onnx_encoder import TextEncoder
from windrow.learning.head import LinearHead, score_heads, scores_of_logits
from windrow.learning.scope import Scope, score_scopes
from windrow.storage.catalog import ResolvedModel

Answers_co = TypeVar("Answers_co", covariant=True)
# Heads whose weights are copied into one matrix product; with 16, a head costs 2 us instead of 12.
MAX_STACKED_HEADS = 16


@dataclass(frozen=True, slots=True, eq=False)
class LoadedClassifier:
    """A classifier in memory.

    Args:
        head: The classifier's head.
        adapter: The encoder's adapter; ``None`` for none.
        encoder: The encoder that the classifier was trained on.
        digest: Identifies the encoder with its adapter: the artifact's digest with an adapter, else the base model's.
        scope: Detects out-of-scope texts; ``None`` if the classifier has none.
        kind: Whether it gives one label, or any number of them.
    """

    head: LinearHead
    adapter: Adapter | None
    encoder: TextEncoder
    digest: str
    scope: Scope | None
    kind: Kind = "single_label"

    def scores(self, features: Floats) -> Floats:
        """Return each label's score for each text.

        Args:
            features: Shape [texts, features], float32.

        Returns:
            Shape [texts, labels], float32, in [0, 1]; the rows of a single-label classifier sum to 1.
        """
        return scores_of_logits(self.head.logits(features), self.kind)


def check_finite(record: Record, classifier: LoadedClassifier, total: float) -> None:
    """Refuse scores that are not finite, from which no label follows.

    Args:
        record: The record of the classifier that computed them.
        classifier: The classifier.
        total: The sum of the scores, and of how like the training data the texts are.

    Raises:
        InvalidArtifact: They are not, and the classifier's own numbers took part in its texts' features.
        InvalidBaseModel: They are not, and the features are those of the base model alone.
    """
    if math.isfinite(total):
        return
    facts = {"model_name": record.name, "base_model": record.base_model}
    what = "{model_name} computed scores that are no numbers, so there is no answer."
    if classifier.adapter is not None:
        raise InvalidArtifact(f"{what} Restore it from a backup, or train it again.", facts)
    raise InvalidBaseModel(
        f"{what} Check the data directory with windrow fsck and restart the server, which builds the graphs of "
        "{base_model} anew where they are damaged; if that does not help, train the classifier again.",
        facts,
    )


@dataclass(frozen=True, slots=True, eq=False)
class EncodedText:
    """A text's features, whether the text was truncated, and how many tokens of it were encoded."""

    features: Floats
    truncated: bool
    num_tokens: int = 0


# The digests of a classifier's encoder and of a text, which decide the features.
TextKey = tuple[str, bytes]
_DIGEST_BYTES = 16


def text_digest(text: str) -> bytes:
    """Return what identifies a text."""
    return hashlib.blake2b(text.encode(), digest_size=_DIGEST_BYTES).digest()


class AsEncoder(Protocol):
    """An encoder, maybe with an adapter, and what identifies it."""

    @property
    def encoder(self) -> TextEncoder:
        """The encoder."""
        ...

    @property
    def adapter(self) -> Adapter | None:
        """The adapter; ``None`` for none."""
        ...

    @property
    def digest(self) -> str:
        """What identifies both: texts that are encoded by it are the same whoever needs them."""
        ...


class Plan(Protocol[Answers_co]):
    """What is to be encoded, and what is made of it."""

    @property
    def classifiers(self) -> Sequence[AsEncoder]:
        """What encodes the texts."""
        ...

    @property
    def encoded(self) -> dict[TextKey, EncodedText]:
        """The encoded texts; filled as they are encoded."""
        ...

    def keys(self) -> list[TextKey]:
        """Return the keys of all texts to encode, each once."""
        ...

    def answers(self) -> Answers_co:
        """Return what is made of them, once all are encoded."""
        ...


@dataclass(frozen=True, slots=True)
class PredictionPlan:
    """The prediction of each text by each classifier.

    Args:
        revisions: The revisions, and how they were named.
        classifiers: The loaded classifiers of the revisions.
        texts: The digests of the texts.
        request: The options of the predictions.
        encoded: The encoded texts; filled as they are encoded.
    """

    revisions: Sequence[ResolvedModel]
    classifiers: Sequence[LoadedClassifier]
    texts: Sequence[bytes]
    request: PredictRequest
    encoded: dict[TextKey, EncodedText] = field(default_factory=dict)

    def keys(self) -> list[TextKey]:
        """Return the keys of all texts to encode, each once."""
        digests = dict.fromkeys(classifier.digest for classifier in self.classifiers)
        return [(digest, text) for digest in digests for text in dict.fromkeys(self.texts)]

    def answers(self) -> Predicted:
        """Return the predictions, classifier by classifier and text by text.

        Raises:
            InvalidArtifact: As :func:`check_finite`.
            InvalidBaseModel: As :func:`check_finite`.
        """
        scores, in_scope = self._scores()
        thresholds = [resolved.entry.record.thresholds_by_label for resolved in self.revisions]
        encoded = [[self._encoded(number, text) for text in self.texts] for number in range(len(self.revisions))]
        predictions = [
            self._answer(number, thresholds[number], scores[number][row], in_scope[number][row], text.truncated)
            for number, own in enumerate(encoded)
            for row, text in enumerate(own)
        ]
        return Predicted(predictions, sum(text.num_tokens for own in encoded for text in own))

    def _encoded(self, number: int, text: bytes) -> EncodedText:
        return self.encoded[self.classifiers[number].digest, text]

    def _scores(self) -> tuple[dict[int, list[list[float]]], dict[int, list[float | None]]]:
        """Return each label's score for each text, and each text's scope, by the classifier's number."""
        alike: dict[tuple[str, Kind], list[int]] = {}
        for number, classifier in enumerate(self.classifiers):
            alike.setdefault((classifier.digest, classifier.kind), []).append(number)
        scores: dict[int, list[list[float]]] = {}
        in_scope: dict[int, list[float | None]] = {}
        for (_, kind), numbers in alike.items():
            features = np.array([self._encoded(numbers[0], text).features for text in self.texts])
            for start in range(0, len(numbers), MAX_STACKED_HEADS):
                chunk = numbers[start : start + MAX_STACKED_HEADS]
                stacked = score_heads([self.classifiers[number].head for number in chunk], features, kind)
                scores |= {number: own.tolist() for number, own in zip(chunk, stacked, strict=True)}
                scopes = score_scopes([self.classifiers[number].scope for number in chunk], features)
                in_scope |= dict(zip(chunk, scopes, strict=True))
        return scores, in_scope

    def _answer(
        self,
        number: int,
        thresholds: Mapping[str, float],
        scores: list[float],
        in_scope: float | None,
        truncated: bool,
    ) -> Prediction:
        resolved = self.revisions[number]
        record, best = resolved.entry.record, max(scores)
        check_finite(record, self.classifiers[number], sum(scores) + (in_scope or 0.0))
        shown = list(zip(record.labels, scores, strict=True))
        if self.request.top_k is not None:
            shown = sorted(shown, key=lambda pair: -pair[1])[: self.request.top_k]
        label = labels = None
        if record.kind == "multi_label":
            labels = self._labels(resolved, thresholds, scores, in_scope)
        elif not (self._is_out_of_scope(in_scope) or best < self._least_score(resolved)):
            label = record.labels[scores.index(best)]
        return Prediction(
            label=label,
            labels=labels,
            scores=dict(shown),
            kind=record.kind,
            model_name=record.name,
            revision=record.revision,
            truncated=truncated,
            alias=resolved.alias,
            in_scope=in_scope,
        )

    def _labels(
        self,
        resolved: ResolvedModel,
        thresholds: Mapping[str, float],
        scores: Sequence[float],
        in_scope: float | None,
    ) -> tuple[str, ...] | None:
        """Return the labels that a multi-label classifier gives; ``None`` where it abstains."""
        reached = [
            (score, label)
            for score, (label, threshold) in zip(scores, thresholds.items(), strict=True)
            if score >= threshold
        ]
        sure = [pair for pair in reached if pair[0] >= self._least_score(resolved)]
        if self._is_out_of_scope(in_scope) or (reached and not sure):
            return None
        return tuple(label for _, label in sorted(sure, key=lambda pair: -pair[0]))

    def _least_score(self, resolved: ResolvedModel) -> float:
        """Return the score below which no label is given: that of the request, or else the stored one."""
        if self.request.abstain_below is not None:
            return self.request.abstain_below
        stored = resolved.entry.record.threshold
        return 0.0 if stored is None else stored.abstain_below

    def _is_out_of_scope(self, in_scope: float | None) -> bool:
        """Whether a text is too unlike the training data; without a scope, it is so for any scope threshold."""
        lowest = self.request.min_in_scope
        return lowest is not None and (in_scope is None or in_scope < lowest)
