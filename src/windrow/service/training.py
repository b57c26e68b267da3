"""Training: fit and reproduce on this machine.

Owns the order of the steps of a training, and is the only one that publishes what was trained.
"""

import logging
import time

from windrow.domain.classifier import FitRequest, FitResult, Notes, Record
from windrow.domain.dataset import Dataset, check_rows, data_sha256
from windrow.domain.errors import ConcurrentChange, Overloaded
from windrow.domain.names import Reference, check_name
from windrow.domain.prediction import PredictRequest, always
from windrow.domain.recipe import check_recipe
from windrow.domain.reproduction import Reproduction
from windrow.execution.look import Means
from windrow.execution.reproduction import reproduce
from windrow.execution.runner import ignore_steps
from windrow.execution.trainer import Trained, train
from windrow.operations import OnStep
from windrow.service.parts import Parts
from windrow.storage.artifact import ARTIFACT, ROWS, rows_from_blob, rows_to_blob
from windrow.storage.catalog import Draft, Found
from windrow.storage.namespace import utc_now
from windrow.storage.revision import Entry

# Each waits a minute for whoever else changes the data directory.
PUBLISH_ATTEMPTS = 15

_log = logging.getLogger("windrow.service")


class Training(Parts):
    """The verbs that train."""

    __slots__ = ()

    def fit(self, request: FitRequest, on_step: OnStep = ignore_steps) -> FitResult:
        """Train a classifier, save it, and return it once it answers. See ``Operations.fit``."""
        name = check_name(request.model_name)
        recipe = check_recipe(request.recipe)
        request.notes.of(Notes())
        dataset = check_rows(request.rows, self.settings.limits)
        self.store.catalog.check_name_free(name, overwrite=request.overwrite)
        encoder = self.encoders.get(request.base_model)
        with self.turns:
            started = time.perf_counter()  # the time that it waits is not the training's
            trained = train(dataset, recipe, Means(encoder, self.queue.compute, self.runner), on_step)
        record = Record(
            name=name,
            revision=0,  # the catalog numbers it when it commits
            labels=dataset.labels,
            rows_per_label=dataset.rows_per_label,
            base_model=encoder.folder.base_model,
            recipe=recipe,
            data_sha256=data_sha256(dataset.rows),
            created_at=utc_now(),
            training_time_s=round(time.perf_counter() - started, 3),
            summary=trained.summary,
            data=trained.data,
            warnings=trained.warnings,
        )
        draft = Draft(record, self._blobs(trained, dataset), request.notes, overwrite=request.overwrite)
        entry = self._publish(draft)
        self._ask_once(Found(entry, Reference(name)), dataset.rows[0].text)
        return FitResult(entry.shown(), self.store.catalog.next_name(name))

    def reproduce(self, model_name: str, on_step: OnStep = ignore_steps) -> Reproduction:
        """Train a classifier again and compare. See ``Operations.reproduce``."""
        entry = self.find(model_name).entry
        # An imported classifier's rows were never checked against this server's limits.
        rows = check_rows(rows_from_blob(self.read_blob(entry, ROWS)), self.settings.limits).rows
        artifact = self.read_blob(entry, ARTIFACT)
        means = Means(self.encoders.of_record(entry.record), self.queue.compute, self.runner)
        with self.turns:
            return reproduce(entry.record, artifact, rows, means, on_step)

    def _publish(self, draft: Draft) -> Entry:
        """Save a training, with much patience: giving up would throw minutes of work away."""
        for _ in range(PUBLISH_ATTEMPTS - 1):
            try:
                return self.store.catalog.publish(draft)
            except ConcurrentChange as error:
                _log.warning("%s waits to be saved. %s", draft.record.name, error.detail)
        return self.store.catalog.publish(draft)

    def _ask_once(self, found: Found, text: str) -> None:
        """Read a classifier's file back, check its digest, and have it answer: "trained" is said only of what does."""
        try:
            self.predictor.predict((found,), PredictRequest((found.entry.record.name,), (text,)), always).result()
        except Overloaded:  # which is no reason to call a saved classifier a failure
            self.predictor.load(found)

    def _blobs(self, trained: Trained, dataset: Dataset) -> dict[str, bytes]:
        blobs = {ARTIFACT: trained.artifact}
        if self.settings.keep_training_rows:
            blobs[ROWS] = rows_to_blob(dataset.rows)
        return blobs
