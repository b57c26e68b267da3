"""The predictor: from committed revisions and texts to answers.

Owns which classifiers and which encoded texts are in memory; knows nothing of names that come and go, which are the
catalog's.
"""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from windrow.domain.errors import ArtifactInvalid
from windrow.domain.prediction import IsWanted, Prediction
from windrow.domain.vitals import Vitals
from windrow.encoders.adapters import Adapter, join_changes
from windrow.encoders.layout import Floats, feature_size
from windrow.encoders.session import TextEncoder
from windrow.execution.batching import BatchQueue
from windrow.execution.cache import LoadingCache
from windrow.execution.residents import ResidentEncoders
from windrow.learning.head import LinearHead, score_together
from windrow.storage.artifact import ARTIFACT, Entry, artifact_from_bytes
from windrow.storage.catalog import Catalog

_DIGEST_BYTES = 16
# Their weights are copied side by side, so there is a limit; with 16, a head costs 2 us instead of 12.
MAX_HEADS_TOGETHER = 16
# What a kept text takes beside its features.
_ENTRY_BYTES = 400


@dataclass(frozen=True, slots=True)
class Memory:
    """What a predictor may keep.

    Args:
        max_loaded_bytes: Budget for loaded classifiers.
        max_encoded_bytes: Budget for encoded texts.
        keep_loaded: Names of classifiers that stay in memory beyond the budget.
    """

    max_loaded_bytes: int
    max_encoded_bytes: int
    keep_loaded: Collection[str] = ()


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


_ClassifierKey = tuple[str, str]
_TextKey = tuple[str, bytes]


class Predictor:
    """Answers from any number of classifiers within budgets of memory; thread-safe.

    Args:
        catalog: Where artifacts are read from.
        encoders: The encoders in memory.
        queue: Shares the cores.
        memory: What may be kept.
    """

    def __init__(self, catalog: Catalog, encoders: ResidentEncoders, queue: BatchQueue, memory: Memory) -> None:
        self._catalog = catalog
        self._encoders = encoders
        self._queue = queue
        self._keep_loaded = frozenset(memory.keep_loaded)
        self._kept: dict[str, tuple[_ClassifierKey, LoadedClassifier]] = {}
        self._loaded: LoadingCache[_ClassifierKey, LoadedClassifier] = LoadingCache(
            memory.max_loaded_bytes, _classifier_bytes
        )
        self._encoded: LoadingCache[_TextKey, EncodedText] = LoadingCache(memory.max_encoded_bytes, _text_bytes)

    def predict(
        self, entries: Sequence[Entry], texts: Sequence[str], top_k: int | None, is_wanted: IsWanted
    ) -> tuple[Prediction, ...]:
        """Classify each text with each revision, revision by revision.

        Args:
            entries: The revisions.
            texts: Any number.
            top_k: How many scores to give, the best first; ``None`` gives all, in the order of the labels.
            is_wanted: Asked before texts are encoded.

        Raises:
            ArtifactInvalid: A saved artifact is damaged.
            BaseModelNotAllowed: An encoder's id is no longer on the allow-list.
            BaseModelUnavailable: The encoder that a classifier was trained on is not here.
            BaseModelInvalid: That encoder's files cannot be used.
            Overloaded: Too many requests wait already.
            Abandoned: ``is_wanted`` said no.
        """
        classifiers = [self.load(entry) for entry in entries]
        digests = [_digest(text) for text in texts]
        encoded = self._encode(classifiers, dict(zip(digests, texts, strict=True)), is_wanted)
        scores = _score(classifiers, encoded, digests)
        return tuple(
            _answer(entry, own, encoded[classifier.digest, digest], top_k)
            for entry, classifier, rows in zip(entries, classifiers, scores, strict=True)
            for digest, own in zip(digests, rows, strict=True)
        )

    def load(self, entry: Entry) -> LoadedClassifier:
        """Return a revision ready to answer, from memory or from the disk.

        Raises:
            ArtifactInvalid: The saved artifact is damaged, or does not fit its record.
            BaseModelNotAllowed: Its encoder's id is no longer on the allow-list.
            BaseModelUnavailable: The encoder that it was trained on is not here.
            BaseModelInvalid: That encoder's files cannot be used.
        """
        record = entry.record
        # By digest, never by name and revision: a folder may be replaced by another one with the same numbers.
        key = entry.blobs[ARTIFACT].sha256, record.base_model.digest
        if (kept := self._kept.get(record.name)) is not None and kept[0] == key:
            return kept[1]
        classifier = self._loaded.get(key, lambda: self._read(entry))
        if len(classifier.head.bias) != len(record.labels):
            raise _misfit(entry, f"{len(classifier.head.bias)} labels, not {len(record.labels)}")
        if record.name in self._keep_loaded:
            self._kept[record.name] = key, classifier
        return classifier

    def vitals(self, fits_running: int, fits_waiting: int) -> Vitals:
        """Return what goes on.

        Args:
            fits_running: Trainings that run.
            fits_waiting: Trainings that wait for their turn.
        """
        return Vitals(
            **asdict(self._queue.vitals()),
            fits_running=fits_running,
            fits_waiting=fits_waiting,
            classifiers=self._loaded.vitals(),
            texts=self._encoded.vitals(),
        )

    def _read(self, entry: Entry) -> LoadedClassifier:
        record, blob = entry.record, entry.blobs[ARTIFACT]
        encoder = self._encoders.of_record(record)
        artifact = artifact_from_bytes(self._catalog.read_blob(record.name, blob))
        width = artifact.head.weights.shape[1]
        if width != feature_size(encoder.folder):
            raise _misfit(entry, f"{width} features, not {feature_size(encoder.folder)}")
        if artifact.adapter is None:
            return LoadedClassifier(artifact.head, None, encoder, record.base_model.digest)
        return LoadedClassifier(artifact.head, join_changes(encoder.folder, artifact.adapter), encoder, blob.sha256)

    def _encode(
        self, classifiers: Sequence[LoadedClassifier], texts: Mapping[bytes, str], is_wanted: IsWanted
    ) -> dict[_TextKey, EncodedText]:
        """Return each text as each classifier needs it, computing what is not kept."""
        ways = {classifier.digest: classifier for classifier in classifiers}
        keys = [(way, text) for way in ways for text in texts]
        found = {key: kept for key in keys if (kept := self._encoded.peek(key)) is not None}
        missing = [key for key in keys if key not in found]
        for encoder in {ways[way].encoder for way, _ in missing}:
            own = [key for key in missing if ways[key[0]].encoder is encoder]
            distinct = list({text: None for _, text in own})
            tokens = dict(zip(distinct, encoder.tokenize([texts[text] for text in distinct]), strict=True))
            adapters = [ways[way].adapter for way, _ in own]
            features = self._queue.encode(encoder, [tokens[text] for _, text in own], adapters, is_wanted)
            for key, row in zip(own, features, strict=True):
                # A copy, so that one kept text does not keep all that it was encoded with.
                found[key] = EncodedText(row.copy(), tokens[key[1]].truncated)
                self._encoded.put(key, found[key])
        return found


def _score(
    classifiers: Sequence[LoadedClassifier], encoded: Mapping[_TextKey, EncodedText], texts: Sequence[bytes]
) -> list[list[list[float]]]:
    """Return each label's score, for each classifier and text."""
    alike: dict[str, list[int]] = {}
    for number, classifier in enumerate(classifiers):
        alike.setdefault(classifier.digest, []).append(number)
    scores: dict[int, list[list[float]]] = {}
    for digest, numbers in alike.items():
        features = np.stack([encoded[digest, text].features for text in texts])
        for start in range(0, len(numbers), MAX_HEADS_TOGETHER):
            some = numbers[start : start + MAX_HEADS_TOGETHER]
            together = score_together([classifiers[number].head for number in some], features)
            scores |= {number: own.tolist() for number, own in zip(some, together, strict=True)}
    return [scores[number] for number in range(len(classifiers))]


def _answer(entry: Entry, scores: Sequence[float], text: EncodedText, top_k: int | None) -> Prediction:
    labels = entry.record.labels
    ranking = range(len(labels)) if top_k is None else sorted(range(len(labels)), key=lambda i: -scores[i])[:top_k]
    return Prediction(
        label=max(zip(scores, labels, strict=True), key=lambda pair: pair[0])[1],
        scores={labels[position]: scores[position] for position in ranking},
        model_name=entry.record.name,
        truncated=text.truncated,
    )


def _misfit(entry: Entry, problem: str) -> ArtifactInvalid:
    return ArtifactInvalid(
        f"The saved head of {entry.record.name} does not fit its record: it has {problem}. "
        "Restore the classifier's folder from a backup, or train it again."
    )


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=_DIGEST_BYTES).digest()


def _classifier_bytes(classifier: LoadedClassifier) -> int:
    adapter_bytes = 0 if classifier.adapter is None else classifier.adapter.size_bytes
    return classifier.head.weights.nbytes + classifier.head.bias.nbytes + adapter_bytes


def _text_bytes(text: EncodedText) -> int:
    return text.features.nbytes + _ENTRY_BYTES
