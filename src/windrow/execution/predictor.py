"""The predictor: from a committed revision and a text to an answer.

Owns which classifiers are in memory; knows nothing of names that come and go, which are the catalog's.
"""

from dataclasses import dataclass

from windrow.domain.errors import ArtifactInvalid
from windrow.domain.prediction import Prediction
from windrow.encoders.layout import feature_size
from windrow.encoders.session import Adapter
from windrow.execution.cache import LoadingCache
from windrow.execution.residents import ResidentEncoders
from windrow.learning.adapter import widen
from windrow.learning.head import LinearHead
from windrow.storage.artifact import ARTIFACT, Entry, artifact_from_bytes
from windrow.storage.catalog import Catalog


@dataclass(frozen=True, slots=True)
class LoadedClassifier:
    """An artifact that is ready to answer."""

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
        # By digest, never by name and revision: a folder may be replaced by another one with the same numbers.
        self._loaded: LoadingCache[str, LoadedClassifier] = LoadingCache(max_loaded_bytes, _size_bytes)

    def predict(self, entry: Entry, text: str) -> Prediction:
        """Classify one text with one revision.

        Raises:
            ArtifactInvalid: The saved artifact is damaged.
            BaseModelNotAllowed: Its encoder's id is no longer on the allow-list.
            BaseModelUnavailable: The encoder that it was trained on is not here.
            BaseModelInvalid: That encoder's files cannot be used.
        """
        record = entry.record
        encoder = self._encoders.of_record(record)
        classifier = self._loaded.get(entry.blobs[ARTIFACT].sha256, lambda: self._load(entry))
        if classifier.head.weights.shape != (len(record.labels), feature_size(encoder.folder)):
            labels, width = classifier.head.weights.shape
            raise ArtifactInvalid(
                f"The saved head of {record.name} does not fit its record: {labels} labels on {width} features. "
                "Restore the classifier's folder from a backup, or train it again."
            )
        encoded = encoder.encode([text], classifier.adapter)
        scores = classifier.head.scores(encoded.features)[0]
        return Prediction(
            label=record.labels[int(scores.argmax())],
            scores=dict(zip(record.labels, scores.tolist(), strict=True)),
            model_name=record.name,
            truncated=bool(encoded.truncated[0]),
        )

    def _load(self, entry: Entry) -> LoadedClassifier:
        artifact = artifact_from_bytes(self._catalog.read_blob(entry.record.name, entry.blobs[ARTIFACT]))
        return LoadedClassifier(artifact.head, None if artifact.adapter is None else widen(artifact.adapter))


def _size_bytes(classifier: LoadedClassifier) -> int:
    tensors = (classifier.adapter or {}).values()
    return classifier.head.weights.nbytes + classifier.head.bias.nbytes + sum(tensor.nbytes for tensor in tensors)
