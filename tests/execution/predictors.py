"""A predictor on a catalog in memory, with classifiers of random heads, and an encoder that counts."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from tests.fakes.encoder import FakeEncoder
from tests.fakes.files import MemoryFiles
from tests.records import record
from tests.storage.examples import open_catalog
from windrow.arrays import Floats
from windrow.domain.classifier import Record
from windrow.domain.names import Reference
from windrow.domain.prediction import Prediction, PredictRequest
from windrow.encoders.adapters import Adapter, LowRankChanges
from windrow.encoders.layout import feature_size
from windrow.encoders.onnx_encoder import Parallelism, TextEncoder, Tokens
from windrow.execution.batching import BatchQueue
from windrow.execution.encoder_registry import EncoderRegistry
from windrow.execution.predictor import CacheLimits, Predictor
from windrow.learning.head import LinearHead
from windrow.learning.scope import Scope
from windrow.storage.artifact import ARTIFACT, Artifact, artifact_to_bytes
from windrow.storage.catalog import NewRevision, ResolvedModel
from windrow.storage.revision import ClassifierState


class CountingEncoder(FakeEncoder):
    """Counts the texts that it encodes."""

    def __init__(self, base_model_id: str = "fake/encoder", digest: str = "f" * 64) -> None:
        super().__init__(base_model_id, digest)
        self.encoded = 0

    def encode(self, batch: Sequence[Tokens], adapters: Sequence[Adapter | None], parallelism: Parallelism) -> Floats:
        self.encoded += len(batch)
        return super().encode(batch, adapters, parallelism)


class FailingEncoder(FakeEncoder):
    """Computes what is no number, as one with damaged graphs may, until it is mended."""

    is_mended = False

    def features(self, states: Floats, lengths: npt.NDArray[np.int32], adapter: Adapter | None = None) -> Floats:
        features = super().features(states, lengths, adapter)
        return features if self.is_mended else np.full_like(features, np.nan)


@dataclass
class PredictorSetup:
    """A predictor on a catalog in memory."""

    encoder: TextEncoder = field(default_factory=CountingEncoder)
    cache_limits: CacheLimits = field(default_factory=lambda: CacheLimits(10**8, 10**6))
    files: MemoryFiles = field(default_factory=MemoryFiles)

    def __post_init__(self) -> None:
        self.catalog = open_catalog(self.files)
        encoders = EncoderRegistry(lambda _: self.encoder)
        self.predictor = Predictor(
            self.catalog, encoders, BatchQueue(cores=2, max_queued_requests=100), self.cache_limits
        )

    def publish(
        self,
        name: str,
        seed: int = 0,
        adapter: LowRankChanges | None = None,
        width: int | None = None,
        *,
        scope: Scope | None = None,
        trained: Record | None = None,
    ) -> ClassifierState:
        random = np.random.default_rng(seed)
        width = width or feature_size(self.encoder.folder)
        weights = random.standard_normal((2, width)).astype(np.float32)
        artifact = artifact_to_bytes(Artifact(LinearHead(weights, np.zeros(2, np.float32)), adapter, scope))
        base_model = self.encoder.folder.base_model
        trained = replace(
            trained or record(name), name=name, base_model=base_model.id, base_model_digest=base_model.digest
        )
        return self.catalog.publish(NewRevision(trained, {ARTIFACT: artifact}))

    def ask(
        self, entries: Sequence[ClassifierState], texts: Sequence[str], top_k: int | None = None
    ) -> tuple[Prediction, ...]:
        revisions = [found(entry) for entry in entries]
        return self.predictor.predict(revisions, PredictRequest(texts=tuple(texts), top_k=top_k), lambda: True).result(
            30
        )

    def blob_reads(self) -> int:
        return self.files.calls["get"]


def found(entry: ClassifierState, alias: str | None = None) -> ResolvedModel:
    """Return what a classifier's name, or an alias of it, means."""
    return ResolvedModel(entry, Reference(entry.record.name), alias)


def encoded_by(setup: PredictorSetup) -> int:
    assert isinstance(setup.encoder, CountingEncoder)
    return setup.encoder.encoded
