"""The predictor: from committed revisions and texts to answers."""

import hashlib
import threading
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

import numpy as np

from windrow.arrays import Floats
from windrow.domain.classifier import Record
from windrow.domain.errors import ArtifactInvalid
from windrow.domain.prediction import IsWanted, Prediction, PredictRequest, always
from windrow.domain.values import recast
from windrow.domain.vitals import Vitals
from windrow.encoders.adapters import Adapter, pack_adapter
from windrow.encoders.layout import feature_size
from windrow.encoders.onnx_encoder import TextEncoder, Tokens
from windrow.execution.batching import BatchQueue
from windrow.execution.cache import LoadingCache
from windrow.execution.question import EncodedText, LoadedClassifier, Question, TextKey
from windrow.execution.residents import ResidentEncoders
from windrow.storage.artifact import ARTIFACT, Artifact, artifact_from_bytes
from windrow.storage.catalog import Catalog, Found
from windrow.storage.revision import Entry

_DIGEST_BYTES = 16
# What a kept text takes beside its features.
_ENTRY_BYTES = 400
_OTHER_LABELS = "{found} labels, not {expected}"


@dataclass(frozen=True, slots=True)
class Memory:
    """What a predictor may keep.

    Args:
        max_loaded_bytes: Budget for loaded classifiers.
        max_encoded_bytes: Budget for encoded texts.
        keep_loaded: Classifiers that stay in memory beyond the budget, by name or by alias.
    """

    max_loaded_bytes: int
    max_encoded_bytes: int
    keep_loaded: Collection[str] = ()


_ClassifierKey = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Work:
    """Texts for one encoder."""

    encoder: TextEncoder
    keys: Sequence[TextKey]
    tokens: Sequence[Tokens]
    adapters: Sequence[Adapter | None]


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
        # By name; never changed but replaced, so that it is read without a lock.
        self._kept: Mapping[str, tuple[_ClassifierKey, LoadedClassifier]] = {}
        self._keeping = threading.Lock()
        self._loaded: LoadingCache[_ClassifierKey, LoadedClassifier] = LoadingCache(
            memory.max_loaded_bytes, _classifier_bytes
        )
        self._encoded: LoadingCache[TextKey, EncodedText] = LoadingCache(memory.max_encoded_bytes, _text_bytes)

    def predict(
        self, asked: Sequence[Found], request: PredictRequest, is_wanted: IsWanted
    ) -> "Future[tuple[Prediction, ...]]":
        """Classify each text with each revision, revision by revision; nothing is explained.

        Classifiers that are not in memory are loaded first, and texts tokenized; nothing waits for the encoder.

        Args:
            asked: The revisions.
            request: The texts, and what is wanted of the answers; its names are not looked at.
            is_wanted: Asked before texts are encoded.

        Returns:
            The answers; or :class:`Abandoned` where ``is_wanted`` said no, :class:`ShuttingDown` where the server
            stops.

        Raises:
            ArtifactInvalid: A saved artifact is damaged.
            BaseModelNotAllowed: An encoder's id is no longer on the allow-list.
            BaseModelUnavailable: The encoder that a classifier was trained on is not here.
            BaseModelInvalid: That encoder's files cannot be used.
            Overloaded: Too many requests wait already.
            ShuttingDown: The server stops.
        """
        return self._ask(asked, request, is_wanted)[1]

    def features(self, found: Found, texts: Sequence[str]) -> Floats:
        """Return what a classifier sees of texts, from memory or encoded now.

        Args:
            found: The revision.
            texts: At least one.

        Returns:
            Shape [texts, features], float32.

        Raises:
            WindrowError: As :meth:`predict`.
        """
        question, answer = self._ask((found,), PredictRequest(texts=tuple(texts)), always)
        answer.result()
        (classifier,) = question.classifiers
        return np.array([question.encoded[classifier.digest, text].features for text in question.texts])

    def is_loaded(self, entry: Entry) -> bool:
        """Whether a revision would answer without a look at the disk."""
        key = _key(entry)
        return key in self._loaded or key in dict(self._kept.values())

    def load(self, found: Found) -> LoadedClassifier:
        """Return a revision ready to answer, from memory or from the disk.

        Raises:
            ArtifactInvalid: The saved artifact is damaged, or does not fit its record.
            BaseModelNotAllowed: Its encoder's id is no longer on the allow-list.
            BaseModelUnavailable: The encoder that it was trained on is not here.
            BaseModelInvalid: That encoder's files cannot be used.
        """
        entry = found.entry
        key = _key(entry)
        classifier = dict(self._kept.values()).get(key) or self._loaded.get(key, lambda: self._read(entry))
        if (labels := len(classifier.head.bias)) != len(entry.record.labels):
            raise _misfit(entry.record, _OTHER_LABELS, labels, len(entry.record.labels))
        if found.target.revision is None:
            for name in self._keep_loaded.intersection((entry.record.name, found.alias)):
                with self._keeping:
                    self._kept = {**self._kept, name: (key, classifier)}
        return classifier

    def forget(self, name: str) -> None:
        """Let what was kept in memory for a name go with the rest."""
        with self._keeping:
            self._kept = {kept: self._kept[kept] for kept in self._kept if kept != name}

    def forget_encoder(self, digest: str) -> None:
        """Let every classifier on an encoder leave memory, so that the encoder can.

        Args:
            digest: The base model's.
        """
        self._loaded.discard(lambda key: key[1] == digest)
        with self._keeping:
            self._kept = {name: kept for name, kept in self._kept.items() if kept[0][1] != digest}

    def vitals(self, fits_running: int, fits_waiting: int) -> Vitals:
        """Return what goes on.

        Args:
            fits_running: Trainings that run.
            fits_waiting: Trainings that wait for their turn.
        """
        return recast(
            Vitals,
            self._queue.vitals(),
            fits_running=fits_running,
            fits_waiting=fits_waiting,
            classifiers=self._loaded.vitals(),
            texts=self._encoded.vitals(),
        )

    def check_fit(self, record: Record, artifact: Artifact) -> tuple[TextEncoder, Adapter | None]:
        """Return the encoder of a record and an artifact's adapter for it, if the artifact fits them both.

        Raises:
            ArtifactInvalid: It does not.
            BaseModelNotAllowed: The encoder's id is not on the allow-list.
            BaseModelUnavailable: The encoder that the record names is not here.
            BaseModelInvalid: That encoder's files cannot be used.
        """
        encoder = self._encoders.of_record(record)
        labels, width = artifact.head.weights.shape
        if width != feature_size(encoder.folder):
            raise _misfit(record, "{found} features, not {expected}", width, feature_size(encoder.folder))
        if labels != len(record.labels):
            raise _misfit(record, _OTHER_LABELS, labels, len(record.labels))
        if artifact.scope is not None and artifact.scope.centroids.shape[1] != encoder.folder.hidden_size:
            raise _misfit(record, "a scope of {found} numbers a label", artifact.scope.centroids.shape[1])
        return encoder, None if artifact.adapter is None else pack_adapter(encoder.folder, artifact.adapter)

    def _ask(
        self, asked: Sequence[Found], request: PredictRequest, is_wanted: IsWanted
    ) -> "tuple[Question, Future[tuple[Prediction, ...]]]":
        """Return a question, and its answer to come."""
        texts = request.all_texts
        classifiers = [self.load(found) for found in asked]
        question = Question(asked, classifiers, [_digest(text) for text in texts], request)
        missing = [key for key in question.keys() if not self._recall(key, question)]  # noqa: SIM118 - no dictionary
        answer: Future[tuple[Prediction, ...]] = Future()
        answer.set_running_or_notify_cancel()  # from here on, only is_wanted can stop it
        if missing:
            self._queue.check_room()  # before the work of reading texts that will be refused
            works = self._tokenize(question, missing, dict(zip(question.texts, texts, strict=True)))
            self._encode(question, works, is_wanted, answer)
        else:
            answer.set_result(question.answers())
        return question, answer

    def _read(self, entry: Entry) -> LoadedClassifier:
        record, blob = entry.record, entry.blobs[ARTIFACT]
        artifact = artifact_from_bytes(self._catalog.blobs.read(record.name, blob))
        encoder, adapter = self.check_fit(record, artifact)
        digest = record.base_model_digest if adapter is None else blob.sha256
        return LoadedClassifier(artifact.head, adapter, encoder, digest, artifact.scope)

    def _recall(self, key: TextKey, question: Question) -> bool:
        """Take an encoded text from memory, if it is there."""
        kept = self._encoded.peek(key)
        if kept is not None:
            question.encoded[key] = kept
        return kept is not None

    def _tokenize(self, question: Question, missing: Sequence[TextKey], texts: Mapping[bytes, str]) -> list[_Work]:
        """Return what is to be encoded, by encoder; each text is tokenized once for all adapters."""
        ways = {classifier.digest: classifier for classifier in question.classifiers}
        works = []
        for encoder in {ways[way].encoder: None for way, _ in missing}:
            keys = [key for key in missing if ways[key[0]].encoder is encoder]
            distinct = list(dict.fromkeys(text for _, text in keys))
            tokens = dict(zip(distinct, encoder.tokenize([texts[text] for text in distinct]), strict=True))
            works.append(
                _Work(encoder, keys, [tokens[text] for _, text in keys], [ways[way].adapter for way, _ in keys])
            )
        return works

    def _encode(
        self,
        question: Question,
        works: Sequence[_Work],
        is_wanted: IsWanted,
        answer: "Future[tuple[Prediction, ...]]",
        is_admitted: bool = False,
    ) -> None:
        """Have texts encoded, encoder after encoder, and give the answer once all are."""
        work, *others = works

        def go_on(encoded: "Future[Floats]") -> None:
            try:
                self._keep(question, work, encoded.result())
                if others:
                    self._encode(question, others, is_wanted, answer, is_admitted=True)
                else:
                    answer.set_result(question.answers())
            except BaseException as error:  # noqa: BLE001  whatever it is, who waits for the answer must hear of it
                answer.set_exception(error)

        encoded = self._queue.encode(work.encoder, work.tokens, work.adapters, is_wanted, is_admitted)
        encoded.add_done_callback(go_on)

    def _keep(self, question: Question, work: _Work, features: Floats) -> None:
        for key, tokens, row in zip(work.keys, work.tokens, features, strict=True):
            # A copy, so that one kept text does not keep all that it was encoded with.
            question.encoded[key] = EncodedText(row.copy(), tokens.truncated)
            self._encoded.put(key, question.encoded[key])


def _key(entry: Entry) -> _ClassifierKey:
    # By digest, never by name and revision: a folder may be replaced by another one with the same numbers.
    return entry.blobs[ARTIFACT].sha256, entry.record.base_model_digest


def _misfit(record: Record, problem: str, found: int, expected: int | None = None) -> ArtifactInvalid:
    return ArtifactInvalid(
        f"The saved head of {{name}} does not fit its record: it has {problem}. "
        "Restore the classifier's folder from a backup, or train it again.",
        {"name": record.name, "found": found} | ({} if expected is None else {"expected": expected}),
    )


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=_DIGEST_BYTES).digest()


def _classifier_bytes(classifier: LoadedClassifier) -> int:
    adapter_bytes = 0 if classifier.adapter is None else classifier.adapter.size_bytes
    scope_bytes = 0 if classifier.scope is None else classifier.scope.centroids.nbytes
    return classifier.head.weights.nbytes + classifier.head.bias.nbytes + adapter_bytes + scope_bytes


def _text_bytes(text: EncodedText) -> int:
    return text.features.nbytes + _ENTRY_BYTES
