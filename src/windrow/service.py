"""Service: Operations on this machine.

Owns the order of the steps of each verb, and is the only one that publishes; knows nothing of HTTP or of a terminal.
"""

import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np

from windrow.domain.classifier import FitRequest, Record
from windrow.domain.dataset import Dataset, DataWarning, check_rows, check_text, data_sha256, find_data_warnings
from windrow.domain.names import check_name
from windrow.domain.prediction import Prediction
from windrow.domain.recipe import DEFAULT_BASE_MODEL, check_recipe
from windrow.encoders.session import Encoded, TextEncoder
from windrow.execution.predictor import Predictor
from windrow.execution.residents import ResidentEncoders
from windrow.execution.runner import Runner
from windrow.execution.tasks import FitOutcome, FitTask
from windrow.settings import Settings
from windrow.storage.artifact import ARTIFACT, ROWS, rows_to_blob
from windrow.storage.catalog import Catalog


@dataclass(frozen=True, slots=True)
class Service:
    """Does the verbs here. Made by ``bootstrap.open_service``.

    Args:
        catalog: The saved classifiers.
        encoders: The encoders in memory.
        runner: Where trainings run.
        predictor: Answers from saved classifiers.
        settings: Limits and what is kept.
    """

    catalog: Catalog
    encoders: ResidentEncoders
    runner: Runner
    predictor: Predictor
    settings: Settings

    def start(self) -> None:
        """Load the default encoder and start the training processes, so that the first request does not wait."""
        self.runner.start()
        if DEFAULT_BASE_MODEL in self.settings.allowed_base_models:
            self.encoders.get(DEFAULT_BASE_MODEL)

    def close(self) -> None:
        """Stop the training processes; running trainings fail."""
        self.runner.close()

    def fit(self, request: FitRequest) -> Record:
        """Train a classifier, save it, and return its record once it answers. See ``Operations.fit``."""
        started = time.perf_counter()
        name = check_name(request.model_name)
        recipe = check_recipe(request.recipe)
        dataset = check_rows(request.rows, self.settings.limits)
        self.catalog.check_name_free(name)
        encoder = self.encoders.get(request.base_model)
        encoded = _encode_rows(encoder, dataset)
        outcome = self.runner.run(FitTask(encoded.features, np.array(dataset.label_ids(), dtype=np.int64), recipe))
        record = Record(
            name=name,
            revision=0,  # the catalog numbers it when it commits
            labels=dataset.labels,
            rows_per_label=dataset.rows_per_label,
            base_model=encoder.base_model,
            recipe=recipe,
            data_sha256=data_sha256(dataset.rows),
            created_at=datetime.now(UTC).replace(microsecond=0),
            training_time_s=round(time.perf_counter() - started, 3),
            summary=outcome.summary,
            warnings=find_data_warnings(dataset) + _training_warnings(encoded, request),
        )
        published = self.catalog.publish(record, self._blobs(outcome, dataset))
        # "Trained" is said only of what answers: this reads the files back, checks their digests and loads them.
        self.predict(name, dataset.rows[0].text)
        return published

    def predict(self, model_name: str, text: str) -> Prediction:
        """Classify one text. See ``Operations.predict``."""
        check_name(model_name)
        check_text(text, self.settings.max_text_chars)
        return self.predictor.predict(self.catalog.current(model_name), text)

    def list_classifiers(self) -> tuple[Record, ...]:
        """Return the newest record of every classifier. See ``Operations.list_classifiers``."""
        return tuple(entry.record for entry in self.catalog.live())

    def delete(self, model_name: str) -> None:
        """Delete a classifier. See ``Operations.delete``."""
        self.catalog.delete(check_name(model_name))

    def _blobs(self, outcome: FitOutcome, dataset: Dataset) -> dict[str, bytes]:
        blobs = {ARTIFACT: outcome.artifact}
        if self.settings.keep_training_rows:
            blobs[ROWS] = rows_to_blob(dataset.rows)
        return blobs


def _encode_rows(encoder: TextEncoder, dataset: Dataset) -> Encoded:
    """Encode each distinct text once and hand its features to every row that has it."""
    position = {text: number for number, text in enumerate(dict.fromkeys(dataset.texts))}
    encoded = encoder.encode(list(position))
    rows = [position[text] for text in dataset.texts]
    return replace(encoded, features=encoded.features[rows], truncated=encoded.truncated[rows])


def _training_warnings(encoded: Encoded, request: FitRequest) -> tuple[DataWarning, ...]:
    warnings = []
    truncated = np.flatnonzero(encoded.truncated).tolist()
    if truncated:
        message = f"{len(truncated)} row(s) are longer than the encoder reads; their ends were left out."
        warnings.append(DataWarning("truncated_rows", message, tuple(truncated[:5])))
    if request.recipe.num_iterations > 0:
        message = (
            f"num_iterations={request.recipe.num_iterations} and batch_size={request.recipe.batch_size} were recorded, "
            "but no adapter was trained: this version of Windrow trains the head alone."
        )
        warnings.append(DataWarning("no_adapter", message))
    return tuple(warnings)
