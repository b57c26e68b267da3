"""Service: Operations on this machine.

Owns the order of the steps of each verb, and is the only one that publishes; knows nothing of HTTP or of a terminal.
"""

import logging
import time
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime

from windrow.domain.classifier import FitRequest, Record
from windrow.domain.dataset import Dataset, check_rows, data_sha256, find_data_warnings
from windrow.domain.errors import Overloaded, WindrowError
from windrow.domain.listing import DEFAULT_PAGE_SIZE, Listing, Page, check_page
from windrow.domain.names import check_name
from windrow.domain.prediction import IsWanted, Prediction, PredictRequest, always, check_predict_request
from windrow.domain.recipe import DEFAULT_BASE_MODEL, check_range, check_recipe
from windrow.domain.vitals import Vitals
from windrow.execution.batching import BatchQueue
from windrow.execution.predictor import Predictor
from windrow.execution.residents import ResidentEncoders
from windrow.execution.runner import Runner, ignore_steps
from windrow.execution.trainer import Means, Trained, train
from windrow.execution.turns import Turns
from windrow.operations import OnStep
from windrow.settings import Settings
from windrow.storage.artifact import ARTIFACT, ROWS, Entry, rows_to_blob
from windrow.storage.catalog import Catalog

_log = logging.getLogger("windrow.service")


@dataclass(frozen=True, slots=True)
class Service:
    """Does the verbs here. Made by ``bootstrap.open_service``.

    Args:
        catalog: The saved classifiers.
        encoders: The encoders in memory.
        runner: Where trainings run.
        predictor: Answers from saved classifiers.
        queue: Shares the cores between predictions and trainings.
        settings: Limits and what is kept.
        turns: One for each training that may run at the same time; waiting ones hold nothing but their rows.
    """

    catalog: Catalog
    encoders: ResidentEncoders
    runner: Runner
    predictor: Predictor
    queue: BatchQueue
    settings: Settings
    turns: Turns

    def start(self) -> None:
        """Load what is to be kept loaded and start the training processes, so that the first request does not wait."""
        self.runner.start()
        if DEFAULT_BASE_MODEL in self.settings.allowed_base_models:
            self.encoders.get(DEFAULT_BASE_MODEL)
        for name in self.settings.keep_loaded:
            try:
                self.predictor.load(self.catalog.current(name))
            except WindrowError as error:  # the others answer all the same, and this one once it is put right
                _log.warning("The classifier %r is not kept loaded. %s", name, error.detail)

    def close(self) -> None:
        """Stop the training processes and the encoder's threads; running trainings and waiting predictions fail."""
        self.runner.close()
        self.queue.close()

    def fit(self, request: FitRequest, on_step: OnStep = ignore_steps) -> Record:
        """Train a classifier, save it, and return its record once it answers. See ``Operations.fit``."""
        started = time.perf_counter()
        name = check_name(request.model_name)
        recipe = check_recipe(request.recipe)
        dataset = check_rows(request.rows, self.settings.limits)
        self.catalog.check_name_free(name)
        encoder = self.encoders.get(request.base_model)
        with self.turns:
            trained = train(dataset, recipe, Means(encoder, self.queue.compute, self.runner), on_step)
        record = Record(
            name=name,
            revision=0,  # the catalog numbers it when it commits
            labels=dataset.labels,
            rows_per_label=dataset.rows_per_label,
            base_model=encoder.folder.base_model,
            recipe=recipe,
            data_sha256=data_sha256(dataset.rows),
            created_at=datetime.now(UTC).replace(microsecond=0),
            training_time_s=round(time.perf_counter() - started, 3),
            summary=trained.summary,
            warnings=find_data_warnings(dataset) + trained.warnings,
        )
        entry = self.catalog.publish(record, self._blobs(trained, dataset))
        self._ask_once(entry, dataset.rows[0].text)
        return entry.record

    def predict(self, request: PredictRequest, is_wanted: IsWanted = always) -> tuple[Prediction, ...]:
        """Classify texts. See ``Operations.predict``."""
        return self.start_predict(request, is_wanted).result()

    def start_predict(self, request: PredictRequest, is_wanted: IsWanted) -> "Future[tuple[Prediction, ...]]":
        """Classify texts without waiting for the encoder. See ``LocalOperations.start_predict``."""
        check_predict_request(request, self.settings.predict_limits)
        entries = tuple(self.catalog.current(name) for name in request.model_names)
        if request.top_k is not None:
            check_range("top_k", request.top_k, (1, max(len(entry.record.labels) for entry in entries)))
        return self.predictor.predict(entries, request.texts, request.top_k, is_wanted)

    def starts_at_once(self, request: PredictRequest) -> bool:
        """Whether :meth:`start_predict` takes no time. See ``LocalOperations.starts_at_once``."""
        if len(request.model_names) != 1 or len(request.texts) != 1:
            return False
        entry = self.catalog.remembered(request.model_names[0])
        return entry is not None and self.predictor.is_loaded(entry)

    def list_classifiers(self, page: Page = Page()) -> Listing:
        """Return the newest record of every classifier. See ``Operations.list_classifiers``."""
        check_page(page)
        if page.is_whole_list:
            return Listing(tuple(entry.record for entry in self.catalog.live()))
        entries, next_after = self.catalog.page(page.limit or DEFAULT_PAGE_SIZE, page.after)
        return Listing(tuple(entry.record for entry in entries), next_after)

    def delete(self, model_name: str) -> None:
        """Delete a classifier. See ``Operations.delete``."""
        self.catalog.delete(check_name(model_name))

    def vitals(self) -> Vitals:
        """Return what goes on here, and what has been done since the start."""
        return self.predictor.vitals(self.turns.running, self.turns.waiting)

    def _ask_once(self, entry: Entry, text: str) -> None:
        """Read a classifier's file back, check its digest, and have it answer: "trained" is said only of what does."""
        try:
            self.predictor.predict((entry,), (text,), None, always).result()
        except Overloaded:  # which is no reason to call a saved classifier a failure
            self.predictor.load(entry)

    def _blobs(self, trained: Trained, dataset: Dataset) -> dict[str, bytes]:
        blobs = {ARTIFACT: trained.artifact}
        if self.settings.keep_training_rows:
            blobs[ROWS] = rows_to_blob(dataset.rows)
        return blobs
