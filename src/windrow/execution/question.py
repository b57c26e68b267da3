"""A question: texts for classifiers, what is known of them, and the answers once every text is encoded."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from windrow.arrays import Floats
from windrow.domain.prediction import Prediction, PredictRequest
from windrow.encoders.adapters import Adapter
from windrow.encoders.onnx_encoder import TextEncoder
from windrow.learning.head import LinearHead, score_heads
from windrow.learning.scope import Scope, score_scopes
from windrow.storage.catalog import Found

# Their weights are copied side by side, so there is a limit; with 16, a head costs 2 us instead of 12.
MAX_HEADS_TOGETHER = 16


@dataclass(frozen=True, slots=True, eq=False)
class LoadedClassifier:
    """An artifact that is ready to answer.

    Args:
        head: Its head.
        adapter: Its change of the encoder; ``None`` for none.
        encoder: The encoder that it was trained on.
        digest: Of what its features depend on beside the text: the artifact with an adapter, else the base model.
        scope: Where its training data lie; ``None`` where it cannot tell.
    """

    head: LinearHead
    adapter: Adapter | None
    encoder: TextEncoder
    digest: str
    scope: Scope | None


@dataclass(frozen=True, slots=True, eq=False)
class EncodedText:
    """A text's features, and whether its end was left out."""

    features: Floats
    truncated: bool


# A classifier's digest and a text's: what features depend on.
TextKey = tuple[str, bytes]


@dataclass(frozen=True, slots=True)
class Question:
    """Each text for each classifier.

    Args:
        asked: The revisions that are asked, and how they were named.
        classifiers: The same, loaded.
        texts: Digests of the texts.
        request: What is wanted of the answers.
        encoded: The texts as the classifiers need them; filled as they are encoded.
    """

    asked: Sequence[Found]
    classifiers: Sequence[LoadedClassifier]
    texts: Sequence[bytes]
    request: PredictRequest
    encoded: dict[TextKey, EncodedText] = field(default_factory=dict)

    def keys(self) -> list[TextKey]:
        """Return what must be encoded, each thing once."""
        ways = dict.fromkeys(classifier.digest for classifier in self.classifiers)
        return [(way, text) for way in ways for text in dict.fromkeys(self.texts)]

    def answers(self) -> tuple[Prediction, ...]:
        """Return the answers, classifier by classifier and text by text."""
        scores, in_scope = self._scores()
        return tuple(
            self._answer(found, scores[number][row], in_scope[number][row], self._encoded(number, text).truncated)
            for number, found in enumerate(self.asked)
            for row, text in enumerate(self.texts)
        )

    def _encoded(self, number: int, text: bytes) -> EncodedText:
        return self.encoded[self.classifiers[number].digest, text]

    def _scores(self) -> tuple[dict[int, list[list[float]]], dict[int, list[float | None]]]:
        """Return each label's score for each text, and whether it is in scope, by the classifier's number."""
        alike: dict[str, list[int]] = {}
        for number, classifier in enumerate(self.classifiers):
            alike.setdefault(classifier.digest, []).append(number)
        scores: dict[int, list[list[float]]] = {}
        in_scope: dict[int, list[float | None]] = {}
        for numbers in alike.values():
            features = np.array([self._encoded(numbers[0], text).features for text in self.texts])
            for start in range(0, len(numbers), MAX_HEADS_TOGETHER):
                some = numbers[start : start + MAX_HEADS_TOGETHER]
                together = score_heads([self.classifiers[number].head for number in some], features)
                scores |= {number: own.tolist() for number, own in zip(some, together, strict=True)}
                scopes = score_scopes([self.classifiers[number].scope for number in some], features)
                in_scope |= dict(zip(some, scopes, strict=True))
        return scores, in_scope

    def _answer(self, found: Found, scores: list[float], in_scope: float | None, truncated: bool) -> Prediction:
        record, best = found.entry.record, max(scores)
        shown = list(zip(record.labels, scores, strict=True))
        if self.request.top_k is not None:
            shown = sorted(shown, key=lambda pair: -pair[1])[: self.request.top_k]
        return Prediction(
            label=None if self._abstains(found, best, in_scope) else record.labels[scores.index(best)],
            scores=dict(shown),
            model_name=record.name,
            revision=record.revision,
            truncated=truncated,
            alias=found.alias,
            in_scope=in_scope,
        )

    def _abstains(self, found: Found, best: float, in_scope: float | None) -> bool:
        """Whether an answer falls below a bound; where a bound on scope is asked for, what cannot be told does."""
        asked, stored = self.request.abstain_below, found.entry.record.threshold
        least = asked if asked is not None or stored is None else stored.abstain_below
        if least is not None and best < least:
            return True
        lowest = self.request.min_in_scope
        return lowest is not None and (in_scope is None or in_scope < lowest)
