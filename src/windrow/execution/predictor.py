"""Predict labels of texts by committed revisions, with caches of classifiers and encoded texts."""

import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from windrow.arrays import Floats
from windrow.domain.caller import calling, current_caller
from windrow.domain.classifier import Record
from windrow.domain.errors import InvalidArtifact
from windrow.domain.prediction import IsConnected, Kind, Predicted, PredictRequest, always_connected
from windrow.domain.server_stats import ServerStats
from windrow.domain.values import recast
from windrow.encoders.adapters import Adapter, pack_adapter
from windrow.encoders.layout import feature_size
from windrow.encoders.onnx_encoder import TextEncoder, Tokens
from windrow.execution.batching import BatchQueue
from windrow.execution.cache import LoadingCache
from windrow.execution.encoder_registry import EncoderRegistry
from windrow.execution.prediction_plan import (
    EncodedText,
    LoadedClassifier,
    Plan,
    PredictionPlan,
    TextKey,
    text_digest,
)
from windrow.storage.artifact import ARTIFACT, Artifact, artifact_from_bytes
from windrow.storage.catalog import Catalog, ResolvedModel
from windrow.storage.revision import ClassifierState

Answers = TypeVar("Answers")
# The memory of a cached text beside its features.
_ENTRY_BYTES = 400
_WRONG_LABEL_COUNT = "{found} labels, not {expected}"


@dataclass(frozen=True, slots=True)
class CacheLimits:
    """The budgets of a predictor's caches.

    Args:
        classifier_cache_bytes: The budget for loaded classifiers.
        embedding_cache_bytes: The budget for encoded texts.
        pinned_classifiers: Names or aliases of classifiers that stay in memory beyond the budget.
    """

    classifier_cache_bytes: int
    embedding_cache_bytes: int
    pinned_classifiers: Collection[str] = ()


# The digest of the artifact, the id and digest of the base model, and the classifier's kind.
_ClassifierKey = tuple[str, str, str, Kind]


@dataclass(frozen=True, slots=True)
class _EncoderBatch:
    """Tokenized texts for one encoder."""

    encoder: TextEncoder
    keys: Sequence[TextKey]
    tokens: Sequence[Tokens]
    adapters: Sequence[Adapter | None]


class Predictor:
    """Predicts by any number of classifiers within memory budgets; thread-safe.

    Args:
        catalog: Reads artifacts.
        encoders: The loaded encoders.
        queue: Encodes texts.
        cache_limits: The caches' budgets.
    """

    def __init__(
        self, catalog: Catalog, encoders: EncoderRegistry, queue: BatchQueue, cache_limits: CacheLimits
    ) -> None:
        self._catalog = catalog
        self._encoders = encoders
        self._queue = queue
        self._pinned_classifiers = frozenset(cache_limits.pinned_classifiers)
        # By name; replaced and never mutated, so that it is read without a lock.
        self._pinned: Mapping[str, tuple[_ClassifierKey, LoadedClassifier]] = {}
        self._pinned_lock = threading.Lock()
        self._loaded: LoadingCache[_ClassifierKey, LoadedClassifier] = LoadingCache(
            cache_limits.classifier_cache_bytes, _classifier_bytes
        )
        self._encoded: LoadingCache[TextKey, EncodedText] = LoadingCache(
            cache_limits.embedding_cache_bytes, _text_bytes
        )

    def predict(
        self, revisions: Sequence[ResolvedModel], request: PredictRequest, is_connected: IsConnected
    ) -> "Future[Predicted]":
        """Start to classify each text by each revision, without explanations.

        Classifiers are loaded and texts tokenized in this call; encoding does not block it.

        Args:
            revisions: The revisions.
            request: The texts, and the options of the predictions; its names are ignored.
            is_connected: Called before texts are encoded.

        Returns:
            A future of the predictions, revision by revision and text by text. It fails with
            :class:`ClientClosedRequest` if ``is_connected`` returned false, and with :class:`ShuttingDown` if the
            server stops.

        Raises:
            InvalidArtifact: A saved artifact is damaged.
            BaseModelNotAllowed: An encoder's id is no longer on the allow-list.
            BaseModelUnavailable: The encoder that a classifier was trained on is not here.
            InvalidBaseModel: That encoder's files cannot be used.
            Overloaded: The queue is full.
            ShuttingDown: The server stops.
        """
        return self._start(revisions, [self.load(each) for each in revisions], request, is_connected)[1]

    def predict_loaded(
        self, revisions: Sequence[ResolvedModel], request: PredictRequest, is_connected: IsConnected
    ) -> "Future[Predicted] | None":
        """Do :meth:`predict` without reading anything; ``None`` where a classifier is not in memory."""
        classifiers = []
        for resolved in revisions:
            if (classifier := self.find_loaded(resolved)) is None:
                return None
            classifiers.append(classifier)
        return self._start(revisions, classifiers, request, is_connected)[1]

    def features(self, resolved: ResolvedModel, texts: Sequence[str]) -> Floats:
        """Return the features of texts for a classifier, from the cache or encoded now.

        Args:
            resolved: The revision.
            texts: At least one.

        Returns:
            Shape [texts, features], float32.

        Raises:
            WindrowError: As :meth:`predict`.
        """
        request = PredictRequest(texts=tuple(texts))
        plan, answer = self._start((resolved,), [self.load(resolved)], request, always_connected)
        answer.result()
        (classifier,) = plan.classifiers
        return np.array([plan.encoded[classifier.digest, text].features for text in plan.texts])

    def find_loaded(self, resolved: ResolvedModel) -> LoadedClassifier | None:
        """Return a revision's classifier, if it is in memory.

        Raises:
            InvalidArtifact: It does not fit its record.
        """
        key = _key(resolved.entry)
        classifier = self._find_pinned(key) or self._loaded.find(key)
        return None if classifier is None else self._checked(resolved, key, classifier)

    def is_loaded(self, entry: ClassifierState) -> bool:
        """Whether a revision is in memory."""
        key = _key(entry)
        return key in self._loaded or self._find_pinned(key) is not None

    def load(self, resolved: ResolvedModel) -> LoadedClassifier:
        """Return a revision's classifier, from memory or from the disk.

        Raises:
            InvalidArtifact: The saved artifact is damaged, or does not fit its record.
            BaseModelNotAllowed: Its encoder's id is no longer on the allow-list.
            BaseModelUnavailable: The encoder that it was trained on is not here.
            InvalidBaseModel: That encoder's files cannot be used.
        """
        key = _key(resolved.entry)
        classifier = self._find_pinned(key) or self._loaded.get(key, lambda: self._read(resolved.entry))
        return self._checked(resolved, key, classifier)

    def _find_pinned(self, key: _ClassifierKey) -> LoadedClassifier | None:
        return dict(self._pinned.values()).get(key) if self._pinned else None

    def _checked(self, resolved: ResolvedModel, key: _ClassifierKey, classifier: LoadedClassifier) -> LoadedClassifier:
        """Return a loaded classifier, if it fits its record, and keep it loaded where that is wanted."""
        entry = resolved.entry
        if (labels := len(classifier.head.bias)) != len(entry.record.labels):
            raise _misfit(entry.record, _WRONG_LABEL_COUNT, labels, len(entry.record.labels))
        if self._pinned_classifiers and resolved.target.revision is None:
            for name in self._pinned_classifiers.intersection((entry.record.name, resolved.alias)):
                with self._pinned_lock:
                    self._pinned = {**self._pinned, name: (key, classifier)}
        return classifier

    def unpin(self, name: str) -> None:
        """Let the pinned classifier of a name be evicted like any other."""
        with self._pinned_lock:
            self._pinned = {kept: self._pinned[kept] for kept in self._pinned if kept != name}

    def evict_encoder(self, digest: str) -> None:
        """Evict every classifier on an encoder, so that the encoder's memory can be freed.

        Args:
            digest: The base model's digest.
        """
        self._loaded.discard(lambda key: key[2] == digest)
        with self._pinned_lock:
            self._pinned = {name: kept for name, kept in self._pinned.items() if kept[0][2] != digest}

    def forget_texts(self) -> None:
        """Let go of every encoded text, so that none that is to be forgotten stays in memory."""
        self._encoded.discard(lambda _: True)

    def server_stats(self, running_fits: int, queued_fits: int) -> ServerStats:
        """Return the server's statistics.

        Args:
            running_fits: The number of running trainings.
            queued_fits: The number of waiting trainings.
        """
        return recast(
            ServerStats,
            self._queue.stats(),
            running_fits=running_fits,
            queued_fits=queued_fits,
            classifiers=self._loaded.stats(),
            texts=self._encoded.stats(),
        )

    def check_artifact_fits(self, record: Record, artifact: Artifact) -> tuple[TextEncoder, Adapter | None]:
        """Check that an artifact fits its record and encoder, and return the encoder and the packed adapter.

        Raises:
            InvalidArtifact: The artifact does not fit.
            BaseModelNotAllowed: The encoder's id is not on the allow-list.
            BaseModelUnavailable: The encoder that the record names is not here.
            InvalidBaseModel: That encoder's files cannot be used.
        """
        encoder = self._encoders.of_record(record)
        labels, width = artifact.head.weights.shape
        if width != feature_size(encoder.folder):
            raise _misfit(record, "{found} features, not {expected}", width, feature_size(encoder.folder))
        if labels != len(record.labels):
            raise _misfit(record, _WRONG_LABEL_COUNT, labels, len(record.labels))
        if artifact.scope is not None and artifact.scope.centroids.shape[1] != encoder.folder.hidden_size:
            raise _misfit(record, "a scope of {found} numbers a label", artifact.scope.centroids.shape[1])
        return encoder, None if artifact.adapter is None else pack_adapter(encoder.folder, artifact.adapter)

    def _start(
        self,
        revisions: Sequence[ResolvedModel],
        classifiers: Sequence[LoadedClassifier],
        request: PredictRequest,
        is_connected: IsConnected,
    ) -> "tuple[PredictionPlan, Future[Predicted]]":
        """Return the plan of a prediction, and the future of its results."""
        texts = request.all_texts
        plan = PredictionPlan(revisions, classifiers, [text_digest(text) for text in texts], request)
        return plan, self.follow(plan, dict(zip(plan.texts, texts, strict=True)), is_connected)

    def follow(self, plan: Plan[Answers], texts: Mapping[bytes, str], is_connected: IsConnected) -> "Future[Answers]":
        """Encode what a plan needs, as far as it is not in the cache, and let it answer.

        Args:
            plan: The plan.
            texts: The texts by their digests.
            is_connected: As in :meth:`predict`.

        Raises:
            Overloaded: The queue is full.
            ShuttingDown: The server stops.
        """
        missing = [key for key in plan.keys() if not self._read_cached(key, plan)]  # noqa: SIM118 - no dictionary
        answer: Future[Answers] = Future()
        answer.set_running_or_notify_cancel()  # from here on, only is_connected can stop it
        if missing:
            self._queue.check_capacity()  # before tokenizing texts that would be refused
            self._encode(plan, self._tokenize(plan, missing, texts), is_connected, answer)
        else:
            answer.set_result(plan.answers())
        return answer

    def num_new(self, keys: Iterable[TextKey]) -> int:
        """Return how many texts are not in the cache.

        Args:
            keys: Their keys.
        """
        return len(self.new_keys(keys))

    def new_keys(self, keys: Iterable[TextKey]) -> list[TextKey]:
        """Return the keys of texts that are not in the cache.

        Args:
            keys: The keys.
        """
        return [key for key in keys if key not in self._encoded]

    def _read(self, entry: ClassifierState) -> LoadedClassifier:
        record, blob = entry.record, entry.blobs[ARTIFACT]
        artifact = artifact_from_bytes(self._catalog.blobs.read(record.name, blob))
        encoder, adapter = self.check_artifact_fits(record, artifact)
        digest = record.base_model_digest if adapter is None else blob.sha256
        return LoadedClassifier(artifact.head, adapter, encoder, digest, artifact.scope, record.kind)

    def _read_cached(self, key: TextKey, plan: Plan[Any]) -> bool:
        """Copy an encoded text from the cache into the plan, if it is there."""
        kept = self._encoded.peek(key)
        if kept is not None:
            plan.encoded[key] = kept
        return kept is not None

    def _tokenize(self, plan: Plan[Any], missing: Sequence[TextKey], texts: Mapping[bytes, str]) -> list[_EncoderBatch]:
        """Return the texts to encode, by encoder; each text is tokenized once for all adapters."""
        by_digest = {classifier.digest: classifier for classifier in plan.classifiers}
        batches = []
        for encoder in {by_digest[digest].encoder: None for digest, _ in missing}:
            keys = [key for key in missing if by_digest[key[0]].encoder is encoder]
            distinct = list(dict.fromkeys(text for _, text in keys))
            tokens = dict(zip(distinct, encoder.tokenize([texts[text] for text in distinct]), strict=True))
            batches.append(
                _EncoderBatch(
                    encoder, keys, [tokens[text] for _, text in keys], [by_digest[digest].adapter for digest, _ in keys]
                )
            )
        return batches

    def _encode(
        self,
        plan: Plan[Answers],
        batches: Sequence[_EncoderBatch],
        is_connected: IsConnected,
        answer: "Future[Answers]",
        is_admitted: bool = False,
    ) -> None:
        """Encode texts, one encoder after the other, then set the answer."""
        (batch, *later), caller = batches, current_caller()

        def go_on(encoded: "Future[Floats]") -> None:
            try:
                self._cache_features(plan, batch, encoded.result())
                if later:
                    with calling(caller):
                        self._encode(plan, later, is_connected, answer, is_admitted=True)
                else:
                    answer.set_result(plan.answers())
            except BaseException as error:  # noqa: BLE001  every error belongs to the caller that waits for the answer
                answer.set_exception(error)

        encoded = self._queue.encode(batch.encoder, batch.tokens, batch.adapters, is_connected, is_admitted)
        encoded.add_done_callback(go_on)

    def _cache_features(self, plan: Plan[Any], batch: _EncoderBatch, features: Floats) -> None:
        for key, tokens, row in zip(batch.keys, batch.tokens, features, strict=True):
            # A copy, so that a cached text does not keep its whole batch in memory.
            plan.encoded[key] = EncodedText(row.copy(), tokens.truncated, len(tokens.ids))
            if np.isfinite(row).all():  # else a moment's fault would be kept
                self._encoded.put(key, plan.encoded[key])


def _key(entry: ClassifierState) -> _ClassifierKey:
    # By digest, never by name and revision: a folder may be replaced by another one with the same numbers.
    # The id belongs to it, since the allow-list is of ids: the same base model under another one is another question.
    record = entry.record
    return entry.blobs[ARTIFACT].sha256, record.base_model, record.base_model_digest, record.kind


def _misfit(record: Record, problem: str, found: int, expected: int | None = None) -> InvalidArtifact:
    return InvalidArtifact(
        f"The saved head of {{model_name}} does not fit its record: it has {problem}. "
        "Restore the classifier's folder from a backup, or train it again.",
        {"model_name": record.name, "found": found} | ({} if expected is None else {"expected": expected}),
    )


def _classifier_bytes(classifier: LoadedClassifier) -> int:
    adapter_bytes = 0 if classifier.adapter is None else classifier.adapter.size_bytes
    scope_bytes = 0 if classifier.scope is None else classifier.scope.centroids.nbytes
    return classifier.head.weights.nbytes + classifier.head.bias.nbytes + adapter_bytes + scope_bytes


def _text_bytes(text: EncodedText) -> int:
    return text.features.nbytes + _ENTRY_BYTES
