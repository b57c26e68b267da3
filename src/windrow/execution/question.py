"""A question: texts for classifiers, what is known of them, and the answers once every text is encoded.

Owns the way from features to predictions; knows nothing of disks, caches or queues.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from windrow.domain.prediction import Prediction
from windrow.encoders.adapters import Adapter
from windrow.encoders.layout import Floats
from windrow.encoders.session import TextEncoder
from windrow.learning.head import LinearHead, score_together
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
    """

    head: LinearHead
    adapter: Adapter | None
    encoder: TextEncoder
    digest: str


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
        top_k: How many scores to give, the best first; ``None`` gives all, in the order of the labels.
        encoded: The texts as the classifiers need them; filled as they are encoded.
    """

    asked: Sequence[Found]
    classifiers: Sequence[LoadedClassifier]
    texts: Sequence[bytes]
    top_k: int | None
    encoded: dict[TextKey, EncodedText] = field(default_factory=dict)

    def keys(self) -> list[TextKey]:
        """Return what must be encoded, each thing once."""
        ways = dict.fromkeys(classifier.digest for classifier in self.classifiers)
        return [(way, text) for way in ways for text in dict.fromkeys(self.texts)]

    def answers(self) -> tuple[Prediction, ...]:
        """Return the answers, classifier by classifier and text by text."""
        scores = self._scores()
        return tuple(
            self._answer(found, scores[number][row], self.encoded[self.classifiers[number].digest, text])
            for number, found in enumerate(self.asked)
            for row, text in enumerate(self.texts)
        )

    def _scores(self) -> dict[int, list[list[float]]]:
        """Return each label's score for each text, by the classifier's number."""
        alike: dict[str, list[int]] = {}
        for number, classifier in enumerate(self.classifiers):
            alike.setdefault(classifier.digest, []).append(number)
        scores: dict[int, list[list[float]]] = {}
        for digest, numbers in alike.items():
            features = np.array([self.encoded[digest, text].features for text in self.texts])
            for start in range(0, len(numbers), MAX_HEADS_TOGETHER):
                some = numbers[start : start + MAX_HEADS_TOGETHER]
                together = score_together([self.classifiers[number].head for number in some], features)
                scores |= {number: own.tolist() for number, own in zip(some, together, strict=True)}
        return scores

    def _answer(self, found: Found, scores: list[float], text: EncodedText) -> Prediction:
        record = found.entry.record
        labels = record.labels
        shown = list(zip(labels, scores, strict=True))
        if self.top_k is not None:
            shown = sorted(shown, key=lambda pair: -pair[1])[: self.top_k]
        return Prediction(
            label=labels[scores.index(max(scores))],
            scores=dict(shown),
            model_name=record.name,
            revision=record.revision,
            truncated=text.truncated,
            alias=found.alias,
        )
