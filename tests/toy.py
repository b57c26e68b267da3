"""The product itself, in milliseconds: real verbs and real files, with a toy encoder and trainings in this process.

A word's features are drawn by its hash, so texts that share words lie close. What is left out is the learning of the
encoder: an adapter is trained in two steps, always with the same losses, and changes nothing.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any, cast
from weakref import WeakSet, finalize

import numpy as np

from tests.fakes.encoder import FakeEncoder
from tests.fakes.runner import RememberingRunner
from windrow.arrays import Floats
from windrow.bootstrap import OpenedFiles, open_dependencies, open_store, store_of
from windrow.domain.base_models import StoredBaseModel
from windrow.domain.classifier import FitRequest, FitResult, ModelRequest
from windrow.domain.cross_validation import CrossValidateRequest, CrossValidation
from windrow.domain.errors import BaseModelUnavailable
from windrow.domain.integrity import FsckRequest, IntegrityReport
from windrow.domain.job import Job, OnProgress, OnStep, Progress, ignore_progress
from windrow.domain.multi_label_cross_validation import MultiLabelCrossValidation
from windrow.domain.prediction import IsConnected, Predicted, Prediction, PredictRequest, always_connected
from windrow.domain.recipe import DEFAULT_BASE_MODEL
from windrow.domain.reproduction import Reproduction
from windrow.domain.server_stats import CacheStats, DurationStats, JobStats, ServerStats, StorageStats, TaskStats
from windrow.encoders.adapters import Adapter
from windrow.encoders.inventory import Inventory, _Copy
from windrow.encoders.layout import adapted_projections
from windrow.encoders.onnx_encoder import Parallelism, TextEncoder
from windrow.execution.control import TrainingControl
from windrow.execution.encoder_registry import EncoderRegistry
from windrow.execution.runner import Outcome, ignore_steps
from windrow.execution.tasks import (
    FitTask,
    Task,
    TrainAdapterOutcome,
    TrainAdaptersOutcome,
    TrainAdaptersTask,
    TrainAdapterTask,
)
from windrow.service.service import Service
from windrow.settings import Settings

LOSSES = (1.5, 1.25)
DIGEST = "fa" * 32
INSTALLED = StoredBaseModel(DEFAULT_BASE_MODEL, DIGEST, location="installed", size_bytes=90, graph_bytes=0)
DOWNLOADED = StoredBaseModel(
    "BAAI/bge-small-en-v1.5", "1" * 64, "5c38ec7", location="data_directory", size_bytes=130, graph_bytes=0
)
STATS = ServerStats(
    queued_requests=1,
    queued_texts=2,
    running_batches=3,
    batches=4,
    tokens=5,
    refused=6,
    client_closed=7,
    running_fits=8,
    queued_fits=9,
    classifiers=CacheStats(entries=10, size_bytes=11, max_bytes=12, hits=13, misses=14),
    texts=CacheStats(entries=15, size_bytes=16, max_bytes=17, hits=18, misses=19),
    free_bytes=20,
    store_requests={"create": 21, "get": 22},
    tasks=(TaskStats("fit", "local", "done", count=23, seconds=24.5, attempts=25),),
    encode_seconds=26.5,
    waits=DurationStats((0.5, 1.0), (27, 28), 29, 30.5),
    running_file_predictions=31,
    queued_file_predictions=32,
    encoders=33,
    min_free_bytes=34,
    jobs=(JobStats("fit", "failed", DurationStats((60.0,), (35,), 36, 37.5), DurationStats((60.0,), (36,), 36, 1.5)),),
    refused_keys={"unauthorized": 38},
    classifier_texts={"tickets_v1": 39},
    storage=StorageStats(datetime(2026, 1, 1, tzinfo=UTC), 40, 41, 42, {"base_models": 43, "other": 44}),
)


def do_nothing(*_: object) -> None:
    """What a hook does that nobody has set."""


class Toy(Service):
    """A service whose verbs can be paused, watched and broken.

    ``before_fit`` and ``at_step`` may block for ever, or raise: they run in a thread of their own, which is left behind
    where the training is to end. Everything else runs where it always does.

    Args:
        settings: Limits; where their data directory is not the default, it is used, and kept.
        before_fit: Called once in each training, when its texts are encoded.
        at_step: Called after each step of contrastive training, and before the head is fitted.
        before_predict: Called with ``is_connected`` at the beginning of each predict.
        before_fsck: Called at the beginning of each fsck.
        is_instant: Whether a predict may begin in an event loop while ``before_predict`` is set.
        shown: The stats; ``None`` shows the real ones.
        opened: Where everything is saved; ``None`` for the settings' data directory.
    """

    def __init__(
        self,
        settings: Settings = Settings(),
        *,
        before_fit: Callable[[], object] = do_nothing,
        at_step: Callable[[Progress], object] = do_nothing,
        before_predict: Callable[[IsConnected], object] = do_nothing,
        before_fsck: Callable[[], object] = do_nothing,
        is_instant: bool = False,
        shown: ServerStats | None = None,
        opened: OpenedFiles | None = None,
    ) -> None:
        self.before_fit = before_fit
        self.at_step = at_step
        self.before_predict = before_predict
        self.before_fsck = before_fsck
        self.is_instant = is_instant
        self.shown = shown
        self.wanted: list[IsConnected] = []
        self.started, self.closed = threading.Event(), threading.Event()
        self.num_joined = 0
        self._job_ids: set[str] = set()
        if settings.data_dir == Settings().data_dir:
            folder = Path(mkdtemp(prefix="windrow-toy-"))
            settings = replace(settings, data_dir=folder)
            finalize(self, rmtree, folder, ignore_errors=True)
        store = open_store(settings) if opened is None else store_of(opened, settings)
        store = replace(store, inventory=ToyInventory(settings.local_dir))
        dependencies = open_dependencies(settings, store, EncoderRegistry(_load))
        super().__init__(replace(dependencies, runner=ToyRunner(self)))

    @property
    def settings(self) -> Settings:
        """Limits and what is kept."""
        return self.dependencies.settings

    @property
    def keeps_rows(self) -> bool:
        """Whether training rows are kept; may be changed between trainings."""
        return self.settings.keep_training_data

    @keeps_rows.setter
    def keeps_rows(self, keeps: bool) -> None:
        self.dependencies = replace(self.dependencies, settings=replace(self.settings, keep_training_data=keeps))

    def start(self) -> None:
        """Start the service."""
        super().start()
        self.started.set()

    def close(self) -> None:
        """Close the service; its temporary directory goes when it is forgotten."""
        super().close()
        self.closed.set()

    def server_stats(self) -> ServerStats:
        """Return the stats that are to be shown."""
        return self.shown or super().server_stats()

    def begin_fit(
        self, request: FitRequest, on_progress: OnProgress = ignore_progress
    ) -> "tuple[Job, Future[FitResult]]":
        """Begin a training, and count those that joined another one."""
        job, result = super().begin_fit(request, on_progress)
        self.num_joined += job.id in self._job_ids
        self._job_ids.add(job.id)
        return job, result

    def start_fit(self, request: FitRequest) -> Job:
        """Begin a training."""
        return self.begin_fit(request)[0]

    def predict(self, request: PredictRequest, is_connected: IsConnected = always_connected) -> tuple[Prediction, ...]:
        """Predict, after the hook."""
        return self.start_predict(request, is_connected).result()

    def start_predict(self, request: PredictRequest, is_connected: IsConnected) -> "Future[Predicted]":
        """Begin a predict, after the hook."""
        self.before_predict(is_connected)
        return super().start_predict(request, is_connected)

    def start_predict_in_memory(self, request: PredictRequest, is_connected: IsConnected) -> "Future[Predicted] | None":
        """Begin a predict if all is in memory, which a hook is not unless it is said to be instant."""
        if self.before_predict is not do_nothing:
            return self.start_predict(request, is_connected) if self.is_instant else None
        return super().start_predict_in_memory(request, is_connected)

    def cross_validate(
        self, request: CrossValidateRequest, is_connected: IsConnected = always_connected
    ) -> CrossValidation | MultiLabelCrossValidation:
        """Cross-validate, and remember who is asked whether it is wanted."""
        self.wanted.append(is_connected)
        return super().cross_validate(request, is_connected)

    def reproduce(
        self,
        request: ModelRequest,
        on_progress: OnProgress = ignore_progress,
        is_connected: IsConnected = always_connected,
    ) -> Reproduction:
        """Train again, and remember who is asked whether it is wanted."""
        self.wanted.append(is_connected)
        return super().reproduce(request, on_progress, is_connected)

    def fsck(self, request: FsckRequest) -> IntegrityReport:
        """Check the data directory, after the hook."""
        self.before_fsck()
        return super().fsck(request)


class ToyEncoder(FakeEncoder):
    """Takes an adapter, which changes nothing."""

    def encode(self, batch: Any, adapters: Any, parallelism: Parallelism) -> Floats:
        """Return the features of texts."""
        return super().encode(batch, [None] * len(adapters), parallelism)

    def features(self, states: Floats, lengths: Any, adapter: Adapter | None = None) -> Floats:
        """Return the features of texts whose states are known."""
        return super().features(states, lengths)


class ToyInventory(Inventory):
    """Has :data:`INSTALLED` and :data:`DOWNLOADED`, of which the latter can be removed.

    Args:
        data_dir: The data directory.
    """

    def __init__(self, data_dir: Path) -> None:
        super().__init__(data_dir, ("*",))
        self._downloaded = data_dir / "base_models" / DOWNLOADED.id.replace("/", "--")
        self._downloaded.mkdir(parents=True, exist_ok=True)
        (self._downloaded / "model.safetensors").write_bytes(bytes(DOWNLOADED.size_bytes))

    def _copies(self) -> list[_Copy]:
        there = {INSTALLED: None, DOWNLOADED: self._downloaded}
        return [
            _Copy(model, folder)
            for model, folder in sorted(there.items(), key=lambda each: each[0].id)
            if folder is None or folder.is_dir()
        ]


class ToyRunner(RememberingRunner):
    """Does each task once, in the calling thread, and calls the hooks of a toy.

    Args:
        toy: Has the hooks.
    """

    def __init__(self, toy: Toy) -> None:
        super().__init__()
        self._toy = toy
        self._begun: WeakSet[TrainingControl] = WeakSet()

    def run(
        self, task: Task[Outcome], on_step: OnStep = ignore_steps, control: TrainingControl | None = None
    ) -> Outcome:
        """Do a task."""
        control, toy = control or TrainingControl(), self._toy
        if control not in self._begun:
            self._begun.add(control)
            _call(toy.before_fit, control)
        if isinstance(task, TrainAdapterTask):
            return cast(Outcome, self._tune(task, on_step, control))
        if isinstance(task, TrainAdaptersTask):
            first = self._tune(task.trainings[0], on_step, control)
            return cast(Outcome, TrainAdaptersOutcome((first,) * len(task.trainings)))
        if isinstance(task, FitTask):
            _call(toy.at_step, control, Progress("finishing"))
        return super().run(task, on_step, control)

    def _tune(self, task: TrainAdapterTask, on_step: OnStep, control: TrainingControl) -> TrainAdapterOutcome:
        folder = ToyEncoder().folder
        adapter = {}
        for name, (inputs, outputs) in adapted_projections(folder):
            adapter[f"{name}.down"] = np.full((inputs, 1), 0.5, np.float16)
            adapter[f"{name}.up"] = np.zeros((1, outputs), np.float16)
        for number, loss in enumerate(LOSSES, start=1):
            on_step(number, len(LOSSES), loss)
            _call(self._toy.at_step, control, Progress("training", number, len(LOSSES), loss))
        return TrainAdapterOutcome(
            adapter=adapter,
            layers=folder.layers,
            rank=1,
            epochs=1,
            requested_steps=len(LOSSES),
            planned_steps=len(LOSSES),
            losses=LOSSES,
        )


def _load(base_model: str) -> TextEncoder:
    if base_model != DEFAULT_BASE_MODEL:
        raise BaseModelUnavailable(
            "The base model {base_model} is not on this machine. Choose another one.", {"base_model": base_model}
        )
    return ToyEncoder(digest=DIGEST)


def _call(hook: Callable[..., object], control: TrainingControl, *values: object) -> None:
    """Call a hook, and leave it to itself where the training is to end meanwhile."""
    if hook is do_nothing:
        return
    is_over, failed = threading.Event(), list[BaseException]()

    def work() -> None:
        try:
            hook(*values)
        except BaseException as error:  # noqa: BLE001  the training must hear of it
            failed.append(error)
        is_over.set()

    with control.on_cancel(is_over.set):
        threading.Thread(target=work, name=threading.current_thread().name, daemon=True).start()
        is_over.wait()
    control.raise_if_cancelled()
    if failed:
        raise failed[0]
