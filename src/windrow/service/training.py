"""Training: fit, forecast and reproduce on this machine.

Owns the order of the steps of a training, and is the only one that publishes what was trained.
"""

import hashlib
import json
import logging
import time
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import replace
from functools import partial

from windrow.domain.classifier import FitRequest, FitResult, Notes, Record
from windrow.domain.dataset import Dataset, check_rows, data_sha256
from windrow.domain.errors import ConcurrentChange, Overloaded, ShuttingDown, WindrowError
from windrow.domain.job import Forecast, Job, OnProgress, ignore_progress
from windrow.domain.names import Reference, check_name
from windrow.domain.prediction import IsWanted, PredictRequest, always
from windrow.domain.recipe import check_recipe
from windrow.domain.reproduction import Reproduction
from windrow.encoders.folder import check_allowed
from windrow.execution.forecast import Countdown, forecast_memory, forecast_parts, measure_size
from windrow.execution.jobs import Order
from windrow.execution.reproduction import reproduce
from windrow.execution.trainer import Trained, train
from windrow.execution.watch import Watch, watching
from windrow.service.parts import Parts
from windrow.storage.artifact import ARTIFACT, ROWS, rows_from_blob, rows_to_blob
from windrow.storage.catalog import Draft, Found
from windrow.storage.namespace import utc_now
from windrow.storage.revision import Entry
from windrow.storage.strict_json import to_plain

# Each waits a minute for whoever else changes the data directory.
PUBLISH_ATTEMPTS = 15

_log = logging.getLogger("windrow.service")


class Training(Parts):
    """The verbs that train."""

    __slots__ = ()

    def fit(self, request: FitRequest, on_progress: OnProgress = ignore_progress) -> FitResult:
        """Train a classifier, save it, and return it once it answers. See ``Operations.fit``."""
        job, result = self.begin_fit(request, on_progress)
        try:
            return result.result()
        except KeyboardInterrupt:
            with suppress(WindrowError):  # such as that it has just ended
                self.jobs.cancel(job.id)
            raise

    def start_fit(self, request: FitRequest) -> Job:
        """Begin a training. See ``Operations.start_fit``."""
        return self.begin_fit(request)[0]

    def begin_fit(
        self, request: FitRequest, on_progress: OnProgress = ignore_progress
    ) -> "tuple[Job, Future[FitResult]]":
        """Begin a training. See ``LocalOperations.begin_fit``."""
        dataset = self._check_fit(request)
        digest, countdown = data_sha256(dataset.rows), Countdown(self.pace)
        order = Order(
            job=Job(
                id="",
                state="queued",
                model_name=request.model_name,
                num_examples=len(dataset.rows),
                data_sha256=digest,
                created_at=utc_now(),
                base_model=request.base_model,
                recipe=request.recipe,
            ),
            key=_key_of(request, digest),
            # A base model may have to be downloaded.
            prepare=None if request.base_model in self.encoders else partial(self.encoders.get, request.base_model),
            work=lambda watch: self._train(request, dataset, digest, watch, countdown),
            countdown=countdown,
        )
        return self.jobs.begin(order, on_progress)

    def forecast(self, request: FitRequest) -> Forecast:
        """Say what a training will take. See ``Operations.forecast``."""
        dataset = self._check_fit(request)
        size = measure_size(dataset, request.recipe, self.encoders.get(request.base_model))
        parts = forecast_parts(size, request.recipe, self.pace)
        memory_bytes, memory_reason = forecast_memory(size)
        return Forecast(
            model_name=request.model_name,
            num_examples=len(dataset.rows),
            labels=dataset.labels,
            tokens=size.tokens,
            seconds=round(sum(part.seconds for part in parts), 2),
            wait_seconds=round(self.turns.wait_s, 1),
            memory_bytes=memory_bytes,
            parts=parts,
            memory_reason=memory_reason,
        )

    def reproduce(
        self, model_name: str, on_progress: OnProgress = ignore_progress, is_wanted: IsWanted = always
    ) -> Reproduction:
        """Train a classifier again and compare. See ``Operations.reproduce``."""
        entry = self.find(model_name).entry
        # An imported classifier's rows were never checked against this server's limits.
        rows = check_rows(rows_from_blob(self.read_blob(entry, ROWS)), self.settings.limits).rows
        artifact = self.read_blob(entry, ARTIFACT)
        encoder = self.encoders.of_record(entry.record)
        with watching(on_progress, is_wanted) as watch, self.turns.join().turn(watch):
            return reproduce(entry.record, artifact, rows, self.means(encoder, watch))

    def _check_fit(self, request: FitRequest) -> Dataset:
        """Return a request's rows, if it follows every rule that can be checked at once."""
        name = check_name(request.model_name)
        check_recipe(request.recipe)
        request.notes.of(Notes())
        dataset = check_rows(request.rows, self.settings.limits)
        check_allowed(request.base_model, self.settings.allowed_base_models)
        self.store.catalog.check_name_free(name, overwrite=request.overwrite)
        return dataset

    def _train(
        self, request: FitRequest, dataset: Dataset, digest: str, watch: Watch, countdown: Countdown
    ) -> FitResult:
        """Do a training whose turn it is, and publish it."""
        started = time.perf_counter()  # the time that it waited is not the training's
        encoder = self.encoders.get(request.base_model)
        size = measure_size(dataset, request.recipe, encoder)
        countdown.begin(size.kind, forecast_parts(size, request.recipe, self.pace))
        trained = train(dataset, request.recipe, self.means(encoder, watch))
        record = Record(
            name=request.model_name,
            revision=0,  # the catalog numbers it when it commits
            labels=dataset.labels,
            rows_per_label=dataset.rows_per_label,
            base_model=encoder.folder.base_model,
            recipe=request.recipe,
            data_sha256=digest,
            created_at=utc_now(),
            training_time_s=round(time.perf_counter() - started, 3),
            summary=trained.summary,
            data=trained.data,
            warnings=trained.warnings,
        )
        watch.tell("saving")
        draft = Draft(record, self._blobs(trained, dataset), request.notes, overwrite=request.overwrite)
        entry = self._publish(draft, watch)  # from here on nothing stops it
        self._ask_once(Found(entry, Reference(record.name)), dataset.rows[0].text)
        return FitResult(entry.shown(), self.store.catalog.next_name(record.name))

    def _publish(self, draft: Draft, watch: Watch) -> Entry:
        """Save a training, with much patience: giving up would throw minutes of work away."""
        for _ in range(PUBLISH_ATTEMPTS - 1):
            try:
                return self.store.catalog.publish(draft)
            except ConcurrentChange as error:
                _log.warning("%s waits to be saved. %s", draft.record.name, error.detail)
                watch.check()
        return self.store.catalog.publish(draft)

    def _ask_once(self, found: Found, text: str) -> None:
        """Read a classifier's file back, check its digest, and have it answer: "trained" is said only of what does."""
        try:
            self.predictor.predict((found,), PredictRequest((found.entry.record.name,), (text,)), always).result()
        except Overloaded:  # which is no reason to call a saved classifier a failure
            self.predictor.load(found)
        except ShuttingDown:  # nor is this: it answers once somebody serves it again
            _log.info("%s is saved, and was not asked, since the server stops.", found.entry.record.name)

    def _blobs(self, trained: Trained, dataset: Dataset) -> dict[str, bytes]:
        blobs = {ARTIFACT: trained.artifact}
        if self.settings.keep_training_rows:
            blobs[ROWS] = rows_to_blob(dataset.rows)
        return blobs


def _key_of(request: FitRequest, digest: str) -> str:
    """Return what is equal for equal requests, and takes no room."""
    plain = to_plain(replace(request, rows=()))
    return hashlib.sha256(f"{json.dumps(plain)}{digest}".encode()).hexdigest()
