"""The predictor: from a committed revision and a text to an answer.

Owns which classifiers are in memory; knows nothing of names that come and go, which are the catalog's.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from windrow.domain.classifier import Record
from windrow.domain.errors import ArtifactInvalid
from windrow.domain.prediction import Prediction
from windrow.encoders.session import Adapter
from windrow.execution.cache import LoadingCache
from windrow.execution.residents import ResidentEncoders
from windrow.learning.head import Floats, LinearHead
from windrow.storage.artifact import ARTIFACT, Entry, artifact_from_bytes
from windrow.storage.catalog import Catalog


@dataclass(frozen=True, slots=True)
class LoadedClassifier:
    """A revision that is ready to answer."""

    record: Record
    head: LinearHead
    adapter: Adapter | None


class Predictor:
    """Answers from any number of classifiers within a budget of memory.

    Args:
        catalog: Where artifacts are read from.
        encoders: The encoders in memory.
        max_loaded_bytes: Budget for loaded classifiers.
    """

    def __init__(self, catalog: Catalog, encoders: ResidentEncoders, max_loaded_bytes: int) -> None:
        self._catalog = catalog
        self._encoders = encoders
        self._loaded: LoadingCache[tuple[str, int], LoadedClassifier] = LoadingCache(max_loaded_bytes, _size_bytes)

    def predict(self, entry: Entry, text: str) -> Prediction:
        """Classify one text with one revision.

        Raises:
            ArtifactInvalid: The saved artifact is damaged.
            BaseModelUnavailable: The encoder that it was trained on is not here.
        """
        classifier = self._loaded.get((entry.record.name, entry.record.revision), lambda: self._load(entry))
        record = classifier.record
        encoded = self._encoders.of_record(record).encode([text], classifier.adapter)
        scores = classifier.head.scores(encoded.features)[0]
        return Prediction(
            label=record.labels[int(scores.argmax())],
            scores=dict(zip(record.labels, scores.tolist(), strict=True)),
            model_name=record.name,
            truncated=bool(encoded.truncated[0]),
        )

    def _load(self, entry: Entry) -> LoadedClassifier:
        data = self._catalog.read_blob(entry.record.name, entry.blobs[ARTIFACT])
        artifact = artifact_from_bytes(data)
        labels, width = artifact.head.weights.shape
        if labels != len(entry.record.labels) or width > self._encoders.of_record(entry.record).feature_size:
            raise ArtifactInvalid(
                f"The saved head of {entry.record.name} does not fit its record: {labels} labels on {width} features. "
                "Restore the classifier's folder from a backup, or train it again."
            )
        adapter = None if artifact.adapter is None else _widen(artifact.adapter)
        return LoadedClassifier(entry.record, artifact.head, adapter)


def _widen(adapter: Mapping[str, npt.NDArray[np.float16] | Floats]) -> Adapter:
    """Return an adapter in the precision that the encoder computes in."""
    return {name: tensor.astype(np.float32) for name, tensor in adapter.items()}


def _size_bytes(classifier: LoadedClassifier) -> int:
    tensors = (classifier.adapter or {}).values()
    return classifier.head.weights.nbytes + classifier.head.bias.nbytes + sum(tensor.nbytes for tensor in tensors)
