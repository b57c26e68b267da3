"""Plan which texts to encode for an answer without a classifier, and compute the answer from the features."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from windrow.arrays import Floats
from windrow.domain.classification import GIVEN_ABOVE, Classification, ClassifyRequest, warn_of_truncated_labels
from windrow.domain.dataset import DataWarning
from windrow.domain.errors import InvalidBaseModel
from windrow.domain.recipe import DEFAULT_BASE_MODEL
from windrow.encoders.onnx_encoder import TextEncoder
from windrow.execution.prediction_plan import EncodedText, TextKey, text_digest
from windrow.learning.head import scores_of_logits
from windrow.learning.zero_shot import (
    BACKGROUND_TOPICS,
    cosine_scale,
    label_texts,
    label_vectors,
    multi_label_logits,
    zero_shot_logits,
)

# Computes the answers, once all texts are encoded: of many texts and labels, that is no work for the encoder's threads.
Answer = Callable[[], tuple[Classification, ...]]


@dataclass(frozen=True, slots=True)
class FrozenEncoder:
    """An encoder as it is, without an adapter.

    Args:
        encoder: The encoder.
    """

    encoder: TextEncoder

    @property
    def adapter(self) -> None:
        """No adapter."""
        return

    @property
    def digest(self) -> str:
        """The base model's digest, so that classifiers without an adapter share its encoded texts."""
        return self.encoder.folder.base_model.digest


@dataclass(frozen=True)
class ZeroShotPlan:
    """The answer to a request without a classifier.

    Args:
        request: The checked request.
        encoder: The encoder that answers.
        warnings: What a person should know, as far as it is known before.
        encoded: The encoded texts; filled as they are encoded.
    """

    request: ClassifyRequest
    encoder: TextEncoder
    warnings: tuple[DataWarning, ...] = ()
    encoded: dict[TextKey, EncodedText] = field(default_factory=dict)

    @property
    def classifiers(self) -> Sequence[FrozenEncoder]:
        """What encodes the texts."""
        return (FrozenEncoder(self.encoder),)

    @cached_property
    def label_texts(self) -> list[list[str]]:
        """The texts of each label; a description is the last one."""
        request = self.request
        descriptions = {label: text for label, text in (request.label_descriptions or {}).items() if text}
        return label_texts(request.labels, descriptions, request.own_template)

    @cached_property
    def texts(self) -> Mapping[bytes, str]:
        """All texts to encode, by their digests."""
        of_labels = (text for own in self.label_texts for text in own)
        return {text_digest(text): text for text in (*self.request.all_texts, *of_labels, *self._topics)}

    def keys(self) -> list[TextKey]:
        """Return the keys of all texts to encode, each once."""
        return [(self._digest, digest) for digest in self.texts]

    def label_keys(self) -> set[TextKey]:
        """Return the keys of the labels' texts."""
        return {(self._digest, text_digest(text)) for own in self.label_texts for text in own}

    def answers(self) -> Answer:
        """Return what computes the answers, text by text; it raises as :meth:`classifications`."""
        return self.classifications

    def classifications(self) -> tuple[Classification, ...]:
        """Return the answers, text by text.

        Raises:
            InvalidBaseModel: Scores are no numbers.
        """
        request = self.request
        scores = self._scores()
        if not np.isfinite(scores).all():
            raise InvalidBaseModel(
                "The base model {base_model} computed scores that are no numbers, so there is no answer. Check the "
                "data directory with windrow fsck and restart the server, which builds its graphs anew where they are "
                "damaged.",
                {"base_model": self._model},
            )
        warnings = (*self.warnings, *self._warn_of_truncated())
        return tuple(
            self._classification(dict(zip(request.labels, row, strict=True)), text, warnings)
            for text, row in zip(request.all_texts, scores.tolist(), strict=True)
        )

    @property
    def _topics(self) -> Sequence[str]:
        """The topics, where they matter: beside labels of which several may apply, or for the scale of the cosines."""
        is_usual = self._model == DEFAULT_BASE_MODEL and not self.request.multi_label
        return () if is_usual else BACKGROUND_TOPICS

    @property
    def _digest(self) -> str:
        return self.encoder.folder.base_model.digest

    @property
    def _model(self) -> str:
        return self.encoder.folder.base_model.id

    def _scores(self) -> Floats:
        """Return each label's score for each text; shape [texts, labels], float32."""
        described = self.request.label_descriptions or {}
        vectors = self._vectors(self.label_texts, [bool(described.get(label)) for label in self.request.labels])
        topics = self._vectors([[topic] for topic in self._topics]) if self._topics else None
        features = self._last_layer(self.request.all_texts)
        if self.request.multi_label:
            assert topics is not None
            return scores_of_logits(multi_label_logits(features, vectors, topics), "multi_label")
        scale = 1.0 if topics is None else cosine_scale(topics)
        return scores_of_logits(zero_shot_logits(features, vectors, scale), "single_label")

    def _vectors(self, texts: Sequence[Sequence[str]], described: Sequence[bool] = ()) -> Floats:
        return label_vectors(list(map(self._last_layer, texts)), self.encoder.folder.hidden_size, described)

    def _last_layer(self, texts: Sequence[str]) -> Floats:
        """Return the features that count; shape [texts, hidden], float32."""
        hidden = self.encoder.folder.hidden_size
        return np.array([self._encoded(text).features[-hidden:] for text in texts])

    def _encoded(self, text: str) -> EncodedText:
        return self.encoded[self._digest, text_digest(text)]

    def _classification(
        self, scores: Mapping[str, float], text: str, warnings: tuple[DataWarning, ...]
    ) -> Classification:
        best_first = sorted(scores, key=lambda label: -scores[label])
        several = self.request.multi_label
        return Classification(
            label=None if several else best_first[0],
            labels=tuple(label for label in best_first if scores[label] > GIVEN_ABOVE) if several else None,
            scores=scores,
            truncated=self._encoded(text).truncated,
            model=self._model,
            multi_label=several,
            warnings=warnings,
        )

    def _warn_of_truncated(self) -> tuple[DataWarning, ...]:
        pairs = zip(self.request.labels, self.label_texts, strict=True)
        cut = [label for label, own in pairs if any(self._encoded(text).truncated for text in own)]
        return (warn_of_truncated_labels(cut, self.encoder.folder.max_tokens),) if cut else ()
