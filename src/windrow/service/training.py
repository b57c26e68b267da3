"""Trainings: fit, estimate and reproduce, and the jobs in which trainings wait and run."""

import hashlib
import logging
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import asdict, replace
from functools import partial

from windrow.domain.caller import current_caller
from windrow.domain.classifier import FitRequest, FitResult, ModelRequest, Record, check_notes
from windrow.domain.clock import utc_now
from windrow.domain.data_warnings import find_data_warnings
from windrow.domain.dataset import DataWarning
from windrow.domain.errors import (
    ConcurrentChange,
    DataDirectoryUnavailable,
    InvalidArtifact,
    NotFound,
    Overloaded,
    ShuttingDown,
    StorageFailed,
    StorageUncertain,
    WindrowError,
)
from windrow.domain.extension import FitRows
from windrow.domain.job import (
    JOBS_RANGE,
    FitEstimate,
    Job,
    JobList,
    JobListRequest,
    JobRequest,
    OnProgress,
    ignore_progress,
)
from windrow.domain.label_descriptions import LabelsAlone, labels_alone
from windrow.domain.labelled_rows import LabelledDataset, check_training_rows
from windrow.domain.names import Reference, check_name
from windrow.domain.prediction import IsConnected, PredictRequest, always_connected
from windrow.domain.quality_warnings import warn_of_other_kind
from windrow.domain.recipe import Recipe, check_range, check_recipe
from windrow.domain.reproduction import Reproduction
from windrow.domain.values import recast
from windrow.encoders.folder import check_allowed
from windrow.encoders.onnx_encoder import TextEncoder
from windrow.execution import reproduction
from windrow.execution.control import TrainingControl, cancel_on_disconnect
from windrow.execution.job_queue import JobSpec
from windrow.execution.predictor import Predictor
from windrow.execution.trainer import train
from windrow.execution.training_cost import EtaEstimator, estimate_memory, estimate_stages, measure_workload
from windrow.execution.zero_shot_training import (
    count_tokens,
    estimate_zero_shot,
    train_zero_shot,
    warn_of_long_descriptions,
    zero_shot_warnings,
)
from windrow.service.authorization import sees_job
from windrow.service.dependencies import Dependencies
from windrow.service.extending import read_fit_rows
from windrow.storage.artifact import ARTIFACT, ROWS, rows_from_blob, rows_to_blob
from windrow.storage.catalog import Catalog, NewRevision, ResolvedModel
from windrow.storage.data_directory import Directory
from windrow.storage.revision import ClassifierState

# Each attempt waits a minute for another writer of the data directory.
PUBLISH_ATTEMPTS = 15
# So long a training that is done waits for a data directory that is gone, such as a volume that is mounted again.
RETURN_TIMEOUT_S = 900
_RETURN_POLL_S = 1.0

_log = logging.getLogger("windrow.service")


def fit(deps: Dependencies, request: FitRequest, on_progress: OnProgress = ignore_progress) -> FitResult:
    """Train a classifier, save it, and return it once it answers. See ``Operations.fit``."""
    job, result = begin_fit(deps, request, on_progress)
    try:
        return result.result()
    except KeyboardInterrupt:
        with suppress(WindrowError):  # such as that it has just ended
            deps.jobs.cancel(job.id)
        raise


def start_fit(deps: Dependencies, request: FitRequest) -> Job:
    """Begin a training. See ``Operations.start_fit``."""
    return begin_fit(deps, request)[0]


def begin_fit(
    deps: Dependencies, request: FitRequest, on_progress: OnProgress = ignore_progress
) -> "tuple[Job, Future[FitResult]]":
    """Begin a training. See ``LocalOperations.begin_fit``."""
    rows, eta = _check_fit(deps, request), EtaEstimator(deps.cost_calibration)
    deps.check_room()
    spec = JobSpec(
        job=recast(
            Job,
            rows,
            request,
            id="",
            state="queued",
            num_examples=rows.dataset.num_examples,
            training_data_sha256=rows.dataset.sha256,
            created_at=utc_now(),
            key_name=current_caller().key_name,
        ),
        key=_deduplication_key(request, rows),
        # A base model may have to be downloaded.
        prepare=None if request.base_model in deps.encoders else partial(deps.encoders.get, request.base_model),
        work=lambda control: _train(deps, request, rows, control, eta),
        told=lambda job, fitted: replace(job, revision=fitted.revision, next_name=fitted.next_name),
        eta=eta,
        rows=rows.dataset.rows,
    )
    # On a server it runs already; elsewhere it loads its libraries while this process loads the base model.
    if not isinstance(rows.dataset, LabelsAlone):
        deps.runner.start(trains_adapters=request.num_iterations > 0)
    return deps.jobs.begin(spec, on_progress)


def estimate_fit(deps: Dependencies, request: FitRequest) -> FitEstimate:
    """Say what a training will take. See ``Operations.estimate_fit``."""
    rows, encoder = _check_fit(deps, request), deps.encoders.get(request.base_model)
    if isinstance(rows.dataset, LabelsAlone):
        return _estimate_without_rows(deps, request, rows, rows.dataset, encoder)
    workload = measure_workload(rows.dataset, request, encoder, deps.fit_threads, rows.label_descriptions)
    stages = estimate_stages(workload, request, deps.cost_calibration)
    memory_bytes, memory_reason = estimate_memory(workload)
    return recast(
        FitEstimate,
        rows,
        request,
        rows.dataset,
        workload,
        num_examples=len(rows.dataset.rows),
        seconds=round(sum(part.seconds for part in stages), 2),
        wait_seconds=round(deps.slots.wait_s, 1),
        memory_bytes=memory_bytes,
        stages=stages,
        memory_reason=memory_reason,
        warnings=(*rows.warnings, *find_data_warnings(rows.dataset)),
    )


def _estimate_without_rows(
    deps: Dependencies, request: FitRequest, rows: FitRows, dataset: LabelsAlone, encoder: TextEncoder
) -> FitEstimate:
    stages, memory_bytes, memory_reason = estimate_zero_shot(dataset)
    return recast(
        FitEstimate,
        rows,
        request,
        dataset,
        tokens=count_tokens(dataset, encoder),
        seconds=round(sum(part.seconds for part in stages), 2),
        wait_seconds=round(deps.slots.wait_s, 1),
        memory_bytes=memory_bytes,
        stages=stages,
        memory_reason=memory_reason,
        warnings=(
            *rows.warnings,
            *zero_shot_warnings(dataset),
            *warn_of_long_descriptions(dataset.descriptions, encoder),
        ),
    )


def reproduce(
    deps: Dependencies,
    request: ModelRequest,
    on_progress: OnProgress = ignore_progress,
    is_connected: IsConnected = always_connected,
) -> Reproduction:
    """Train a classifier again and compare. See ``Operations.reproduce``."""
    entry = deps.store.find(request.model_name).entry
    deps.store.check_whole(entry)
    # An imported classifier's rows were never checked against this server's limits.
    dataset = _kept_dataset(deps, entry)
    artifact = deps.store.read_blob(entry, ARTIFACT)
    encoder = deps.encoders.of_record(entry.record)
    with cancel_on_disconnect(on_progress, is_connected) as control, deps.slots.enqueue().acquire(control):
        return reproduction.reproduce(entry.record, artifact, dataset, deps.training_context(encoder, control))


def _kept_dataset(deps: Dependencies, entry: ClassifierState) -> LabelledDataset:
    """Return the kept rows of a revision; of one without rows, its labels."""
    if not entry.record.learned_from_rows:
        return labels_alone(entry.record.label_descriptions, multi_label=entry.record.kind == "multi_label")
    return check_training_rows(rows_from_blob(deps.store.read_blob(entry, ROWS)), deps.settings.limits)


def list_jobs(deps: Dependencies, request: JobListRequest) -> JobList:
    """Return the newest jobs. See ``Operations.list_jobs``."""
    check_range("limit", request.limit, JOBS_RANGE)
    caller = current_caller()
    return JobList(deps.jobs.newest(request.limit, lambda job: sees_job(caller, job)))


def job(deps: Dependencies, request: JobRequest) -> Job:
    """Return a job. See ``Operations.job``."""
    return deps.jobs.get(request.job_id)


def follow_job(deps: Dependencies, request: JobRequest) -> Iterator[Job]:
    """Yield a job whenever it changed. See ``Operations.follow_job``."""
    # Read the job once here, so that an unknown id raises at once and not at the first iteration.
    deps.jobs.get(request.job_id)
    return deps.jobs.follow(request.job_id)


def cancel_job(deps: Dependencies, request: JobRequest) -> Job:
    """Stop a training. See ``Operations.cancel_job``."""
    return deps.jobs.cancel(request.job_id)


def find_published_revision(catalog: Catalog, job: Job) -> int | None:
    """Return the revision that an interrupted job made, where its process ended between saving it and saying so.

    Raises:
        StorageFailed: The disk cannot be read, so it is unknown.
    """
    if job.started_at is None:
        return None
    try:
        record = catalog.find(Reference(job.model_name)).entry.record
    except (NotFound, InvalidArtifact):
        return None
    is_same = _training_inputs(record) == _training_inputs(job) and record.created_at >= job.started_at
    return record.revision if is_same else None


def _training_inputs(training: Record | Job) -> tuple[str, dict[str, str], Recipe]:
    """Return what determines the result of a training."""
    return training.training_data_sha256, dict(training.label_descriptions), recast(Recipe, training)


def _check_fit(deps: Dependencies, request: FitRequest) -> FitRows:
    """Return a request's rows, if it follows every rule that can be checked at once."""
    check_name(request.model_name)
    check_recipe(request)
    check_notes(request.description or "", request.tags or ())
    rows = read_fit_rows(deps, request)
    check_allowed(request.base_model, deps.settings.allowed_base_models)
    deps.store.catalog.check_name_free(request.model_name, overwrite=request.overwrite)
    return replace(rows, warnings=(*rows.warnings, *_warn_of_other_kind(deps, request.model_name, rows)))


def _warn_of_other_kind(deps: Dependencies, name: str, rows: FitRows) -> Iterator[DataWarning]:
    """Yield a warning where a name would give answers of another form than it did until now."""
    try:
        record = deps.store.catalog.find(Reference(name)).entry.record
    except (NotFound, InvalidArtifact):
        return
    if record.kind != rows.dataset.kind:
        yield warn_of_other_kind(name, rows.dataset.kind)


def _train(
    deps: Dependencies, request: FitRequest, rows: FitRows, control: TrainingControl, eta: EtaEstimator
) -> FitResult:
    """Do a training whose turn it is, and publish it."""
    started, dataset = time.perf_counter(), rows.dataset  # the time that it waited is not the training's
    recipe, encoder = recast(Recipe, request), deps.encoders.get(request.base_model)
    context = deps.training_context(encoder, control)
    if isinstance(dataset, LabelsAlone):
        trained = train_zero_shot(dataset, context)
    else:
        workload = measure_workload(dataset, recipe, encoder, deps.fit_threads, rows.label_descriptions)
        eta.begin(workload.kind, estimate_stages(workload, recipe, deps.cost_calibration))
        trained = train(dataset, recipe, context, workload.selection, rows.label_descriptions)
    base_model = encoder.folder.base_model
    record = recast(
        Record,
        trained,
        rows,
        dataset,
        **asdict(recipe),
        name=request.model_name,
        revision=0,  # the catalog numbers it when it commits
        base_model_digest=base_model.digest,
        base_model_revision=base_model.revision,
        training_data_sha256=dataset.sha256,
        created_at=utc_now(),
        training_time_seconds=round(time.perf_counter() - started, 3),
        source="zero_shot" if isinstance(dataset, LabelsAlone) else "examples",
        warnings=(*rows.warnings, *trained.warnings),
        label_thresholds=dict(zip(dataset.labels, trained.label_thresholds or (), strict=False)),
    )
    control.report_progress("saving")
    blobs = {ARTIFACT: trained.artifact}
    if deps.settings.keep_training_data and record.learned_from_rows:
        blobs[ROWS] = rows_to_blob(dataset.jsonl)
    # From here on nothing stops it.
    entry = _publish(deps, recast(NewRevision, request, record=record, blobs=blobs), control)
    _verify_saved(deps.predictor, ResolvedModel(entry, Reference(record.name)), _any_text(dataset))
    with suppress(WindrowError):  # others may have deleted it, or the data directory may be gone just now
        deps.models.find(record.name)
    deps.models.look_up_changed()  # aliases of it
    next_name = _next_name(deps.store.catalog, record.name)
    return recast(FitResult, entry.record, model_name=record.name, next_name=next_name)


def _any_text(dataset: LabelledDataset) -> str:
    """Return a text that a classifier must be able to answer: its first row's, or without rows a label."""
    return dataset.rows[0].text if dataset.rows else dataset.labels[0]


def _next_name(catalog: Catalog, name: str) -> str | None:
    """Return the free name that a fit proposes; none where the caller may not give it.

    None where the disk fails, which is no reason to call it a failure.
    """
    try:
        found = catalog.next_name(name)
    except StorageFailed:
        return None
    return found if found is not None and current_caller().knows(found) else None


def _publish(deps: Dependencies, new_revision: NewRevision, control: TrainingControl) -> ClassifierState:
    """Save a training, with many attempts: giving up would throw minutes of work away."""
    for _ in range(PUBLISH_ATTEMPTS - 1):
        try:
            return deps.store.catalog.publish(new_revision)
        except ConcurrentChange as error:
            _log.warning("%s waits to be saved. %s", new_revision.record.name, error.detail)
            control.raise_if_cancelled()
        except DataDirectoryUnavailable as error:
            _log.warning("%s waits to be saved. %s", new_revision.record.name, error.detail)
            _wait_for_return(deps.store.directory, control)
    return deps.store.catalog.publish(new_revision)


def _wait_for_return(directory: Directory, control: TrainingControl) -> None:
    """Wait until the data directory is back.

    Raises:
        DataDirectoryUnavailable: It stayed away.
        WindrowError: The training was cancelled meanwhile.
    """
    deadline_s = time.monotonic() + RETURN_TIMEOUT_S
    while True:
        directory.look()
        try:
            return directory.check()
        except DataDirectoryUnavailable:
            if time.monotonic() > deadline_s:
                raise
        time.sleep(_RETURN_POLL_S)
        control.raise_if_cancelled()


def _verify_saved(predictor: Predictor, model: ResolvedModel, text: str) -> None:
    """Read a classifier's file back, check its digest, and have it answer: "trained" is said only of what does."""
    name = model.entry.record.name
    try:
        predictor.predict((model,), PredictRequest(model_name=name, text=text), always_connected).result()
    except Overloaded:  # which is no reason to call a saved classifier a failure
        predictor.load(model)
    except StorageFailed as error:
        raise StorageUncertain(
            f"{{model_name}} is saved as revision {{revision}}, but could not be read back. {error.template}",
            {**error.facts, "model_name": name, "revision": model.entry.record.revision},
        ) from error
    except ShuttingDown:  # nor is this: the classifier answers after the next start
        _log.info("%s is saved, and was not asked, since the server stops.", name)


def _deduplication_key(request: FitRequest, rows: FitRows) -> str:
    """Return a digest that is equal for equal requests of one caller: no other one may cancel what it waits for.

    Of what it extends, the revision counts that was meant, however it was called.
    """
    extension = (rows.extends, rows.taken_over_rows, rows.replaced_rows)
    rest = replace(request, training_data=(), extends=None, label_descriptions=None)
    described = sorted(rows.label_descriptions.items())
    asked = f"{current_caller().key_name!r}{rest!r}{extension!r}{described!r}{rows.dataset.sha256}"
    return hashlib.sha256(asked.encode()).hexdigest()
