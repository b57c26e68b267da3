"""Predictions of files as jobs of a server."""

import hashlib
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from windrow.domain.archive import Export, ExportRequest
from windrow.domain.caller import Caller, calling, current_caller
from windrow.domain.classifier import ClassifierDetails, ModelRequest
from windrow.domain.clock import utc_now
from windrow.domain.file_prediction import (
    FileProgress,
    PredictFilesReport,
    PredictFilesRequest,
    StartPredictFilesRequest,
    check_predict_files_request,
)
from windrow.domain.job import FilePrediction, Job, Progress, ignore_progress
from windrow.domain.names import read_reference
from windrow.domain.prediction import IsConnected, Prediction, PredictRequest, always_connected
from windrow.domain.recipe import Recipe
from windrow.domain.values import recast
from windrow.execution.control import TrainingControl
from windrow.execution.file_prediction import predict_files
from windrow.execution.job_queue import JobSpec
from windrow.execution.rows_eta import RowsEta
from windrow.operations import Operations
from windrow.service import classifiers, import_export, prediction
from windrow.service.dependencies import Dependencies
from windrow.service.file_places import check_places
from windrow.storage.catalog import ResolvedModel


def start_predict_files(deps: Dependencies, request: StartPredictFilesRequest) -> Job:
    """Begin to classify files. See ``Operations.start_predict_files``."""
    return begin_predict_files(deps, request)[0]


def begin_predict_files(
    deps: Dependencies, request: StartPredictFilesRequest
) -> "tuple[Job, Future[PredictFilesReport]]":
    """Begin to classify files, and return the job and a future of its report."""
    whole = recast(PredictFilesRequest, request, runner=deps.settings.runner)
    check_predict_files_request(whole)
    model = deps.store.find(request.model_name)
    check_places(request, deps.settings)
    deps.quotas.check_texts(1)
    caller = current_caller()
    spec = JobSpec(
        job=_job_of(request, model, caller),
        key=hashlib.sha256(f"{caller.key_name!r}{whole!r}".encode()).hexdigest(),
        prepare=None,
        work=lambda control: _predict(deps, whole, model, caller, control),
        told=_told,
        eta=RowsEta(),
        slots=deps.file_slots,
    )
    return deps.jobs.begin(spec, ignore_progress)


def _job_of(request: StartPredictFilesRequest, model: ResolvedModel, caller: Caller) -> Job:
    """Return the job of a request; its name is the one that the caller knows, be it an alias."""
    record, reference = model.entry.record, read_reference(request.model_name)
    return recast(
        Job,
        recast(Recipe, record),
        id="",
        kind="predict_files",
        state="queued",
        model_name=record.name if reference.is_latest else reference.name,
        num_examples=record.num_examples,
        training_data_sha256=record.training_data_sha256,
        created_at=utc_now(),
        key_name=caller.key_name,
        files=FilePrediction(input=request.input, output=request.output),
    )


def _told(job: Job, report: PredictFilesReport) -> Job:
    assert job.files is not None, "it was made with them"
    # How many rows have each label, a record does not keep.
    return replace(job, revision=report.revision, files=replace(job.files, report=recast(PredictFilesReport, report)))


def _predict(
    deps: Dependencies, request: PredictFilesRequest, model: ResolvedModel, caller: Caller, control: TrainingControl
) -> PredictFilesReport:
    """Classify files whose turn it is."""
    check_places(request, deps.settings)  # it may have waited for hours, and links may have changed
    count = RowCount(deps, model, caller) if request.runner != "local" else None

    def show(progress: FileProgress) -> None:
        if count is not None:
            count.update(progress)
        control.show(Progress.of_files(progress))

    return predict_files(cast(Operations, JobVerbs(deps, caller)), request, show, control)


@dataclass(slots=True)
class RowCount:
    """Counts rows that a cluster classifies, for the classifier and for the limits of the API key that asked.

    What this process classifies itself, the verb ``predict`` counts.

    Args:
        deps: Who counts.
        model: What classifies them.
        caller: Who asked for it.
        counted: Rows that are counted, or that an earlier run has left; ``None`` before any is known.
    """

    deps: Dependencies
    model: ResolvedModel
    caller: Caller
    counted: int | None = None

    def update(self, progress: FileProgress) -> None:
        """Count the rows that are new.

        Raises:
            RateLimited: They are more than the key may send today; what is done stays.
        """
        if progress.stage != "predicting":
            return
        more = 0 if self.counted is None else progress.rows - self.counted
        self.counted = progress.rows
        if more > 0:
            self.deps.counters.count_predictions((self.model.entry.record.name,), more)
            with calling(self.caller):
                self.deps.quotas.take_texts(more)


@dataclass(frozen=True, slots=True)
class JobVerbs:
    """The verbs that a prediction of files needs, for whoever asked for it, in whatever thread.

    What the API key may do was checked when it asked, by the name that it knows: a revision that an alias leads to need
    not be known to it.

    Args:
        deps: What they work with.
        caller: Who asked for it.
    """

    deps: Dependencies
    caller: Caller

    @property
    def local_dir(self) -> Path:
        """The folder of this machine that base models are in."""
        return self.deps.settings.local_dir

    def predict(self, request: PredictRequest, is_connected: IsConnected = always_connected) -> tuple[Prediction, ...]:
        """See ``Operations.predict``."""
        with calling(self.caller):
            return prediction.predict(self.deps, request, is_connected)

    def show(self, request: ModelRequest) -> ClassifierDetails:
        """See ``Operations.show``."""
        with calling(self.caller):
            return classifiers.show(self.deps, request)

    def export(self, request: ExportRequest) -> Export:
        """See ``Operations.export``."""
        with calling(self.caller):
            return import_export.export(self.deps, request)
