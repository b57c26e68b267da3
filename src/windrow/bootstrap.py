"""The only place that picks implementations and wires them together."""

from datetime import timedelta
from functools import partial

from windrow.encoders.cores import usable_cores
from windrow.encoders.folder import find_encoder_folder
from windrow.encoders.inventory import Inventory
from windrow.encoders.onnx_encoder import TextEncoder, load_encoder
from windrow.execution.batching import BatchQueue
from windrow.execution.encoder_registry import EncoderRegistry
from windrow.execution.isolation import default_memory_limit
from windrow.execution.job_queue import JobQueue
from windrow.execution.periodic_task import PeriodicTask
from windrow.execution.predictor import CacheLimits, Predictor
from windrow.execution.runner import ProcessRunner
from windrow.execution.slots import TrainingSlots
from windrow.execution.training_cost import CostCalibration
from windrow.service.dependencies import Dependencies, Store
from windrow.service.service import Service
from windrow.service.training import find_published_revision
from windrow.settings import Settings
from windrow.storage.alias_store import Aliases
from windrow.storage.catalog import Catalog
from windrow.storage.files import LocalFiles
from windrow.storage.fsck import check_own_folders
from windrow.storage.job_files import JobFiles
from windrow.storage.lock import DirectoryLock
from windrow.storage.namespace import Namespace
from windrow.storage.retention import Retention

# Expiry is counted in days, so an hour more or less makes no difference.
SWEEP_EVERY_S = 3_600.0


def open_store(settings: Settings) -> Store:
    """Return what is saved in ``settings.data_dir``, with nothing that trains or predicts.

    Raises:
        StorageFailed: One of the data directory's folders is a link.
    """
    check_own_folders(settings.data_dir)
    names = Namespace(LocalFiles(settings.data_dir), DirectoryLock(settings.data_dir))
    inventory = Inventory(settings.data_dir, settings.allowed_base_models)
    return Store(names, Catalog(names), Aliases(names), inventory)


def open_service(settings: Settings) -> Service:
    """Return a service on ``settings.data_dir``; nothing is loaded or started yet.

    Raises:
        StorageFailed: The data directory cannot be made or written.
    """
    return Service(open_dependencies(settings, open_store(settings), EncoderRegistry(partial(_load, settings))))


def open_dependencies(settings: Settings, store: Store, encoders: EncoderRegistry) -> Dependencies:
    """Return what a service works with.

    Args:
        settings: Its settings.
        store: What is saved.
        encoders: Load base models.
    """
    retention = Retention(settings.data_dir, store.catalog.purging, timedelta(days=settings.retention_days))
    queue = BatchQueue(
        settings.encoder_threads or usable_cores(), settings.max_queued_requests, settings.max_queued_tokens
    )
    slots = TrainingSlots(settings.max_concurrent_fits, settings.max_queued_fits)
    cache_limits = CacheLimits(
        settings.classifier_cache_bytes, settings.embedding_cache_bytes, settings.pinned_classifiers
    )
    job_files = JobFiles(settings.data_dir, store.names.files)
    memory_bytes = settings.max_fit_memory_bytes or default_memory_limit(settings.max_concurrent_fits)
    return Dependencies(
        store=store,
        encoders=encoders,
        runner=ProcessRunner(settings.max_concurrent_fits, memory_bytes=memory_bytes),
        predictor=Predictor(store.catalog, encoders, queue, cache_limits),
        queue=queue,
        settings=settings,
        slots=slots,
        jobs=JobQueue(job_files, slots, partial(find_published_revision, store.catalog)),
        cost_calibration=CostCalibration(),
        purge_task=PeriodicTask(retention.purge_expired, SWEEP_EVERY_S),
    )


def _load(settings: Settings, base_model_id: str) -> TextEncoder:
    folder = find_encoder_folder(
        base_model_id,
        data_dir=settings.data_dir,
        allowed=settings.allowed_base_models,
        offline=settings.offline,
    )
    return load_encoder(folder, settings.data_dir, settings.encoder_threads)
