"""The only place that picks implementations and wires them together."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

from windrow.domain.archive import ImportRequest
from windrow.domain.integrity import FsckRequest, IntegrityReport
from windrow.domain.job import Job
from windrow.domain.store_url import StoreUrl
from windrow.domain.usage import Usage
from windrow.encoders.cores import usable_cores
from windrow.encoders.folder import find_encoder_folder
from windrow.encoders.inventory import Inventory
from windrow.encoders.onnx_encoder import TextEncoder, load_encoder
from windrow.execution.audit_writer import AuditWriter
from windrow.execution.batching import BatchQueue
from windrow.execution.encoder_registry import EncoderRegistry
from windrow.execution.exported_classifier import ExportedClassifier
from windrow.execution.isolation import default_memory_limit
from windrow.execution.job_log import JobLog
from windrow.execution.job_queue import JobQueue
from windrow.execution.key_watch import KeyWatch
from windrow.execution.model_watch import WATCH_INTERVAL_S, ModelWatch
from windrow.execution.periodic_task import PeriodicTask
from windrow.execution.predictor import CacheLimits, Predictor
from windrow.execution.question_watch import QuestionWatch
from windrow.execution.quotas import Quotas
from windrow.execution.runner import ProcessRunner, Runner
from windrow.execution.slots import FILE_PREDICTIONS, TrainingSlots
from windrow.execution.storage_meter import MEASURE_INTERVAL_S, STORE_MEASURE_INTERVAL_S, StorageMeter
from windrow.execution.task_log import TaskLog
from windrow.execution.training_cost import CostCalibration
from windrow.execution.use_counters import FLUSH_INTERVAL_S, UseCounters
from windrow.service.audit_rules import note_expired, note_job, note_repair
from windrow.service.dependencies import Dependencies, Store
from windrow.service.service import Service
from windrow.service.training import find_published_revision
from windrow.settings import FEW_EMBEDDINGS_BYTES, LOCAL_RUNNER, Settings, read_settings
from windrow.storage.alias_store import Aliases
from windrow.storage.audit_log import AuditLog
from windrow.storage.binding_store import BindingStore
from windrow.storage.catalog import Catalog
from windrow.storage.data_directory import DataDirectory, Directory, GuardedFiles, guarded_lock
from windrow.storage.files import Files, LocalFiles
from windrow.storage.free_space import FreeSpace
from windrow.storage.fsck import check_own_folders
from windrow.storage.job_files import MAX_FINISHED, JobFiles, Owners
from windrow.storage.key_holdings import KeyHoldings
from windrow.storage.key_store import KeyStore
from windrow.storage.local_owners import LocalOwners, NoProgressBoard
from windrow.storage.lock import DirectoryLock, Lock
from windrow.storage.maintenance import LocalMaintenance, Maintenance
from windrow.storage.namespace import Namespace
from windrow.storage.object_store.bucket import Bucket
from windrow.storage.object_store.commit_log import COMMITS
from windrow.storage.object_store.content_cache import ContentCache
from windrow.storage.object_store.loose_objects import LOOSE
from windrow.storage.object_store.object_files import ObjectFiles
from windrow.storage.object_store.store_directory import StoreDirectory
from windrow.storage.retention import Retention
from windrow.storage.use_store import UseStore

# Expiry is counted in days, so an hour more or less makes no difference.
SWEEP_EVERY_S = 3_600.0
# Each look at an object store is a request, which costs money; what others change is still seen within a second.
STORE_WATCH_INTERVAL_S = 0.7


@dataclass(frozen=True, slots=True)
class OpenedFiles:
    """The files of a data directory. Made by :func:`open_files`.

    Args:
        files: The files.
        lock: Lets one writer at a time change them.
        directory: Tells whether they are there.
        bucket: Where they are in an object store; ``None`` for a folder.
    """

    files: Files
    lock: Lock
    directory: Directory
    bucket: Bucket | None = None


def open_files(settings: Settings) -> OpenedFiles:
    """Return the files of ``settings.data_dir``.

    Raises:
        StorageFailed: They cannot be read, one of the folders is a link, or the object store cannot be used.
    """
    if isinstance(settings.data_dir, StoreUrl):
        return _open_object_store(settings.data_dir, settings)
    check_own_folders(settings.data_dir)
    directory = DataDirectory(settings.data_dir)
    directory.check()
    files = GuardedFiles(LocalFiles(settings.data_dir), directory)
    return OpenedFiles(files, guarded_lock(DirectoryLock(settings.data_dir), directory), directory)


def _open_object_store(url: StoreUrl, settings: Settings) -> OpenedFiles:
    # What only a store needs is loaded only where there is one: each command on a folder would wait for it.
    from windrow.storage.object_store.obstore_bucket import ObstoreBucket
    from windrow.storage.object_store.self_test import check_store

    bucket = ObstoreBucket(url)
    check_store(bucket, url)
    files = ObjectFiles(bucket, ContentCache(settings.local_dir / "contents", settings.cache_bytes))
    files.open()
    directory = StoreDirectory(files)
    # What would wait for half a minute for a store that does not answer is refused at once.
    return OpenedFiles(files, guarded_lock(files.transaction, directory), directory, bucket)


def is_in_use(url: StoreUrl) -> bool:
    """Whether there is a data directory at a place in an object store: a server or a command has changed something.

    Raises:
        StorageFailed: The store refuses to tell.
        DataDirectoryUnavailable: It does not answer.
    """
    from windrow.storage.object_store.obstore_bucket import ObstoreBucket

    bucket = ObstoreBucket(url)
    return any(True for prefix in (COMMITS, LOOSE) for _ in bucket.objects(prefix))


def open_store(settings: Settings) -> Store:
    """Return what is saved in ``settings.data_dir``, with nothing that trains or predicts.

    Raises:
        StorageFailed: The data directory cannot be read, or one of its folders is a link.
    """
    return store_of(open_files(settings), settings)


def store_of(opened: OpenedFiles, settings: Settings) -> Store:
    """Return what is saved in some files.

    Args:
        opened: The files.
        settings: Where base models are, and which ones are allowed.
    """
    names = Namespace(opened.files, opened.lock)
    if isinstance(opened.files, ObjectFiles):
        opened.files.subscribe(names.tell)
    inventory = Inventory(settings.local_dir, settings.allowed_base_models)
    return Store(
        names,
        Catalog(names),
        Aliases(names),
        BindingStore(names),
        inventory,
        opened.directory,
        KeyStore(names),
        AuditLog(opened.files),
        _maintenance_of(opened, settings),
        opened.bucket,
    )


def _maintenance_of(opened: OpenedFiles, settings: Settings) -> Maintenance:
    if isinstance(opened.files, ObjectFiles) and opened.bucket is not None:
        from windrow.storage.object_store.store_maintenance import StoreMaintenance

        return StoreMaintenance(opened.files, opened.bucket, settings.local_dir)
    return LocalMaintenance(settings.local_dir, settings.min_free_bytes)


def check_integrity(settings: Settings, request: FsckRequest) -> IntegrityReport:
    """Check a data directory without a service, as ``Operations.fsck`` does."""
    store = open_store(settings)
    report = store.maintenance.check(store.names, repair=request.repair)
    if request.repair:
        note_repair(_audit_writer(settings, store))
    return report


def open_service(settings: Settings) -> Service:
    """Return a service on ``settings.data_dir``; nothing is loaded or started yet.

    Raises:
        StorageFailed: The data directory cannot be made or written.
    """
    store = open_store(settings)
    return Service(open_dependencies(settings, store, EncoderRegistry(partial(_load, settings, store.directory))))


@contextmanager
def open_exported(exported: ExportedClassifier) -> Iterator[Service]:
    """Give a service on nothing but an exported classifier, in a folder that is gone at the end of the block.

    Args:
        exported: The classifier.

    Raises:
        InvalidArchive: It is no whole export.
        BaseModelUnavailable: Its base model is not here.
    """
    with TemporaryDirectory(prefix="windrow-", ignore_cleanup_errors=True) as folder:
        if exported.base_model_folder is not None:
            link = Path(folder, "base_models", exported.base_model.replace("/", "--"))
            link.parent.mkdir()
            link.symlink_to(exported.base_model_folder, target_is_directory=True)
        settings = replace(
            read_settings(),
            data_dir=Path(folder),
            allowed_base_models=("*",),
            audit_days=0,
            embedding_cache_bytes=FEW_EMBEDDINGS_BYTES,
            encoder_threads=exported.threads,
            max_text_chars=exported.max_text_chars,
            min_free_bytes=0,
            offline=True,
        )
        service = open_service(settings)
        try:
            service.import_classifier(BytesIO(exported.archive), ImportRequest())
            yield service
        finally:
            service.close()


def open_dependencies(settings: Settings, store: Store, encoders: EncoderRegistry) -> Dependencies:
    """Return what a service works with.

    Args:
        settings: Its settings.
        store: What is saved.
        encoders: Load base models.
    """
    retention = Retention(
        store.maintenance.last_check(), store.catalog.purging, timedelta(days=settings.retention_days)
    )
    audit = _audit_writer(settings, store)
    queue = BatchQueue(
        settings.encoder_threads or usable_cores(), settings.max_queued_requests, settings.max_queued_tokens
    )
    slots = TrainingSlots(settings.max_concurrent_fits, settings.max_queued_fits)
    cache_limits = CacheLimits(
        settings.classifier_cache_bytes, settings.embedding_cache_bytes, settings.pinned_classifiers
    )
    job_log, task_log = JobLog(), TaskLog()
    jobs = JobQueue(
        _job_files(settings, store),
        slots,
        partial(find_published_revision, store.catalog),
        partial(_note_job, job_log, audit, store),
    )
    # An object store does not tell how much room it has, and what is on this machine's disk beside it can be missed.
    min_free_bytes = settings.min_free_bytes if store.bucket is None else 0
    free_space = FreeSpace(settings.local_dir, min_free_bytes)
    keys = KeyWatch(store.keys, settings.key_limits, audit)
    counters = UseCounters(UseStore(store.names.files), store.names.lock)
    watch_interval_s = WATCH_INTERVAL_S if store.bucket is None else STORE_WATCH_INTERVAL_S
    models = ModelWatch(store.catalog, store.names, store.directory, jobs.save_ended)
    questions = QuestionWatch(store.names, store.bindings)
    return Dependencies(
        store=store,
        encoders=encoders,
        runner=_open_runner(settings, task_log),
        predictor=Predictor(store.catalog, encoders, queue, cache_limits),
        queue=queue,
        settings=settings,
        slots=slots,
        file_slots=TrainingSlots(
            settings.max_concurrent_file_predictions, settings.max_queued_file_predictions, FILE_PREDICTIONS
        ),
        jobs=jobs,
        cost_calibration=CostCalibration(),
        purge_task=PeriodicTask(
            lambda: _tidy(store, retention, counters, audit, settings.audit_days), SWEEP_EVERY_S, "purge"
        ),
        models=models,
        questions=questions,
        watch_task=PeriodicTask(
            partial(_watch, store.directory, models, questions, keys, free_space),
            watch_interval_s,
            "watch-data-directory",
        ),
        free_space=free_space,
        keys=keys,
        counters=counters,
        count_task=PeriodicTask(counters.update, FLUSH_INTERVAL_S, "count-use"),
        quotas=Quotas(counters),
        holdings=KeyHoldings(store.names),
        audit=audit,
        storage_meter=StorageMeter(
            partial(_measure, store), MEASURE_INTERVAL_S if store.bucket is None else STORE_MEASURE_INTERVAL_S
        ),
        task_log=task_log,
        job_log=job_log,
    )


def _open_runner(settings: Settings, task_log: TaskLog) -> Runner:
    if settings.runner == LOCAL_RUNNER:
        memory_bytes = settings.max_fit_memory_bytes or default_memory_limit(settings.max_concurrent_fits)
        return ProcessRunner(settings.max_concurrent_fits, memory_bytes=memory_bytes, task_log=task_log)
    from windrow.execution.ray_cluster import RayOptions, check_runner
    from windrow.execution.ray_runner import RayRunner

    check_runner(settings)
    threads = settings.fit_threads or usable_cores()
    options = RayOptions(settings.runner, threads, settings.max_fit_memory_bytes)
    return RayRunner(options, settings.max_concurrent_fits, task_log)


def _job_files(settings: Settings, store: Store) -> JobFiles:
    if store.bucket is None:
        owners: Owners = LocalOwners(settings.local_dir, store.directory.prepare)
        return JobFiles(store.names.files, owners, NoProgressBoard(), settings.local_dir)
    from windrow.storage.object_store.store_owners import StoreOwners
    from windrow.storage.object_store.store_progress import StoreProgressBoard

    board = StoreProgressBoard(store.bucket)
    return JobFiles(store.names.files, StoreOwners(store.bucket), board, settings.local_dir, MAX_FINISHED)


def _note_job(job_log: JobLog, audit: AuditWriter, store: Store, job: Job) -> None:
    job_log.note(job)
    note_job(audit, store.names, job)


def _measure(store: Store) -> Usage:
    store.directory.check()
    return store.maintenance.measure(store.names, store.inventory)


def _audit_writer(settings: Settings, store: Store) -> AuditWriter:
    return AuditWriter(store.audit if settings.audit_days else None)


def _watch(
    directory: Directory, models: ModelWatch, questions: QuestionWatch, keys: KeyWatch, free_space: FreeSpace
) -> None:
    directory.look()
    models.update()
    questions.update()
    keys.update()
    free_space.update()


def _tidy(store: Store, retention: Retention, counters: UseCounters, audit: AuditWriter, audit_days: int) -> None:
    store.directory.check()  # else the time of the last look would be noted in whatever is in its place
    if (now := retention.look()) is not None:
        note_expired(audit, retention.purge(now))
        if audit_days:
            store.audit.tidy(now, audit_days)
        counters.tidy()  # by this machine's clock, which has just been found right


def _load(settings: Settings, directory: Directory, base_model_id: str) -> TextEncoder:
    directory.prepare()  # its graphs are built there
    folder = find_encoder_folder(
        base_model_id,
        data_dir=settings.local_dir,
        allowed=settings.allowed_base_models,
        offline=settings.offline,
    )
    return load_encoder(folder, settings.local_dir, settings.encoder_threads)
