"""Service: Operations on this machine.

Owns the order of the steps of each verb, and is the only one that publishes; knows nothing of HTTP or of a terminal.
"""

import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from windrow.domain.classifier import FitRequest, Record
from windrow.domain.dataset import Dataset, check_rows, check_text, data_sha256, find_data_warnings
from windrow.domain.names import check_name
from windrow.domain.prediction import Prediction
from windrow.domain.recipe import DEFAULT_BASE_MODEL, check_recipe
from windrow.execution.predictor import Predictor
from windrow.execution.residents import ResidentEncoders
from windrow.execution.runner import Runner, ignore_steps
from windrow.execution.trainer import Trained, train
from windrow.operations import OnStep
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
        turns: One for each training that may run at the same time; waiting ones hold nothing but their rows.
    """

    catalog: Catalog
    encoders: ResidentEncoders
    runner: Runner
    predictor: Predictor
    settings: Settings
    turns: threading.Semaphore

    def start(self) -> None:
        """Load the default encoder and start the training processes, so that the first request does not wait."""
        self.runner.start()
        if DEFAULT_BASE_MODEL in self.settings.allowed_base_models:
            self.encoders.get(DEFAULT_BASE_MODEL)

    def close(self) -> None:
        """Stop the training processes; running trainings fail."""
        self.runner.close()

    def fit(self, request: FitRequest, on_step: OnStep = ignore_steps) -> Record:
        """Train a classifier, save it, and return its record once it answers. See ``Operations.fit``."""
        started = time.perf_counter()
        name = check_name(request.model_name)
        recipe = check_recipe(request.recipe)
        dataset = check_rows(request.rows, self.settings.limits)
        self.catalog.check_name_free(name)
        encoder = self.encoders.get(request.base_model)
        with self.turns:
            trained = train(dataset, recipe, encoder, self.runner, on_step)
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
            summary=trained.summary,
            warnings=find_data_warnings(dataset) + trained.warnings,
        )
        entry = self.catalog.publish(record, self._blobs(trained, dataset))
        # "Trained" is said only of what answers: this reads the file back, checks its digest and loads it.
        self.predictor.predict(entry, dataset.rows[0].text)
        return entry.record

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

    def _blobs(self, trained: Trained, dataset: Dataset) -> dict[str, bytes]:
        blobs = {ARTIFACT: trained.artifact}
        if self.settings.keep_training_rows:
            blobs[ROWS] = rows_to_blob(dataset.rows)
        return blobs
