"""The objects that every verb works with, and what several verbs share."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from windrow.domain.caller import current_caller
from windrow.domain.classifier import Classifier
from windrow.domain.errors import InvalidArtifact, InvalidName, StorageFailed, TrainingDataNotKept
from windrow.domain.labelled_rows import LabelledRow
from windrow.domain.names import Reference, read_reference
from windrow.domain.overlap import find_overlap
from windrow.encoders.cores import usable_cores
from windrow.encoders.inventory import Inventory
from windrow.encoders.onnx_encoder import TextEncoder
from windrow.execution.audit_writer import AuditWriter
from windrow.execution.batching import BatchQueue
from windrow.execution.control import TrainingControl
from windrow.execution.encoder_registry import EncoderRegistry
from windrow.execution.job_log import JobLog
from windrow.execution.job_queue import JobQueue
from windrow.execution.key_watch import KeyWatch
from windrow.execution.model_watch import ModelWatch
from windrow.execution.periodic_task import PeriodicTask
from windrow.execution.predictor import Predictor
from windrow.execution.question_watch import QuestionWatch
from windrow.execution.quotas import Quotas
from windrow.execution.runner import Runner
from windrow.execution.slots import TrainingSlots
from windrow.execution.storage_meter import StorageMeter
from windrow.execution.task_log import TaskLog
from windrow.execution.training_cost import CostCalibration
from windrow.execution.training_set import TrainingContext
from windrow.execution.use_counters import UseCounters
from windrow.settings import Settings
from windrow.storage.alias_store import Aliases
from windrow.storage.artifact import ROWS, each_row
from windrow.storage.audit_log import AuditLog
from windrow.storage.binding_store import BindingStore
from windrow.storage.catalog import Catalog, ResolvedModel
from windrow.storage.data_directory import Directory
from windrow.storage.free_space import FreeSpace
from windrow.storage.key_holdings import KeyHoldings
from windrow.storage.key_store import KeyStore
from windrow.storage.maintenance import Maintenance
from windrow.storage.namespace import Namespace
from windrow.storage.object_store.bucket import Bucket
from windrow.storage.revision import ClassifierState

_NOT_KEPT: Final = (
    "The training rows of {model_name} were not kept, so nothing can be done with them. Train it again with "
    "WINDROW_KEEP_TRAINING_DATA on, from your own copy of the rows."
)
_ERASED: Final = (
    "Some training rows of {model_name} were erased, so the others are not what it was trained on. Train it again from "
    "your own copy of the rows; an export without them is possible."
)
_NOT_IMPORTED: Final = (
    "The training rows of {model_name} are not kept here: it came without them. Export it with its training rows where "
    "it was trained and import that, or train it again from your own copy of the rows."
)


@dataclass(frozen=True, slots=True)
class Store:
    """What is saved. Made by ``bootstrap.open_store``.

    Args:
        names: The space of names.
        catalog: The saved classifiers.
        aliases: Where aliases point.
        bindings: What questions are bound to.
        inventory: The base models on this machine.
        directory: The data directory that all is in.
        keys: The API keys.
        audit: The audit trail.
        maintenance: Checks and measures it.
        bucket: The object store that it is in; ``None`` for a folder.
    """

    names: Namespace
    catalog: Catalog
    aliases: Aliases
    bindings: BindingStore
    inventory: Inventory
    directory: Directory
    keys: KeyStore
    audit: AuditLog
    maintenance: Maintenance
    bucket: Bucket | None = None

    def find(self, model_name: str) -> ResolvedModel:
        """Return what a name, alias, revision or task means now; of a task, the versions count that the caller knows.

        Raises:
            InvalidName: It breaks the grammar.
            NotFound: It means nothing.
            InvalidArtifact: Its newest file is damaged.
        """
        reference = read_reference(model_name)
        if reference.is_latest:
            entry = self.names.latest(reference.name, current_caller().knows)
            return ResolvedModel(entry, Reference(entry.record.name))
        return self.catalog.find(reference)

    def read_blob(self, entry: ClassifierState, role: str) -> bytes:
        """Return a blob of a revision, checked.

        Raises:
            TrainingDataNotKept: It has no such blob, which only training rows can lack.
            InvalidArtifact: It is missing or damaged.
        """
        record = entry.record
        if role not in entry.blobs:
            facts = {"model_name": record.name, "training_data_sha256": record.training_data_sha256}
            raise TrainingDataNotKept(_NOT_KEPT if record.origin is None else _NOT_IMPORTED, facts)
        return self.catalog.blobs.read(record.name, entry.blobs[role])

    def check_whole(self, entry: ClassifierState) -> None:
        """Refuse a revision from whose training rows some were erased.

        Raises:
            TrainingDataNotKept: Some were.
        """
        if entry.has_erased_rows:
            record = entry.record
            facts = {"model_name": record.name, "training_data_sha256": record.training_data_sha256}
            raise TrainingDataNotKept(_ERASED, facts)

    def training_rows(self, entry: ClassifierState) -> Iterator[LabelledRow] | None:
        """Return the training rows of a revision, one by one; ``None`` where they were not kept.

        A classifier that learned from no row has none, which is known.

        Raises:
            InvalidArtifact: They are missing or damaged; damage inside raises when iteration reaches that row.
        """
        if not entry.record.learned_from_rows:
            return iter(())
        return each_row(self.read_blob(entry, ROWS)) if ROWS in entry.blobs else None

    def find_seen(self, entry: ClassifierState, texts: Sequence[str]) -> tuple[list[int], list[int]] | None:
        """Return which texts a revision was trained on, and on which nearly so, by number from 0.

        Returns:
            ``None`` if unknown, since its training rows were not kept or are damaged.
        """
        try:
            rows = self.training_rows(entry)
            return None if rows is None else find_overlap(texts, (row.text for row in rows))
        except InvalidArtifact:  # which fsck tells; it is no reason to judge nothing
            return None


@dataclass(frozen=True, slots=True)
class Dependencies:
    """What the verbs work with. Made by ``bootstrap.open_dependencies``.

    Args:
        store: What is saved.
        encoders: The encoders in memory.
        runner: Where trainings run.
        predictor: Answers from saved classifiers.
        queue: Shares the cores between predictions and trainings.
        settings: Limits and what is kept.
        slots: One for each training that may run at the same time; waiting ones hold nothing but their rows.
        file_slots: One for each prediction of files that may run at the same time.
        jobs: The trainings to be saved, and the predictions of files.
        cost_calibration: What this machine taught about how long trainings take.
        purge_task: Purges what was deleted long ago.
        models: What names mean, in memory.
        questions: What questions are bound to, and which names there are, in memory.
        watch_task: Keeps that in step with the disk.
        free_space: What is left on the disk.
        keys: The API keys, in memory.
        counters: How much classifiers and keys are used.
        count_task: Keeps that on the disk.
        quotas: What keys may still send.
        holdings: What they keep on the disk.
        audit: Writes the audit trail.
        storage_meter: Measures what is saved, for monitors.
        task_log: Counts the tasks of trainings.
        job_log: Counts the jobs.
    """

    store: Store
    encoders: EncoderRegistry
    runner: Runner
    predictor: Predictor
    queue: BatchQueue
    settings: Settings
    slots: TrainingSlots
    file_slots: TrainingSlots
    jobs: JobQueue
    cost_calibration: CostCalibration
    purge_task: PeriodicTask
    models: ModelWatch
    questions: QuestionWatch
    watch_task: PeriodicTask
    free_space: FreeSpace
    keys: KeyWatch
    counters: UseCounters
    count_task: PeriodicTask
    quotas: Quotas
    holdings: KeyHoldings
    audit: AuditWriter
    storage_meter: StorageMeter
    task_log: TaskLog = field(default_factory=TaskLog)
    job_log: JobLog = field(default_factory=JobLog)

    def with_use(self, classifier: Classifier) -> Classifier:
        """Return a classifier with how much its name was used; nothing of that where the disk does not say."""
        return self.with_uses((classifier,))[0]

    def with_uses(self, classifiers: Sequence[Classifier]) -> tuple[Classifier, ...]:
        """Return classifiers with how much their names were used, as :meth:`with_use` does."""
        try:
            uses = self.counters.recent()
        except StorageFailed:
            return tuple(classifiers)
        return tuple(
            each
            if (use := uses.get(each.name)) is None
            else replace(each, last_used_at=use.last_used_at, recent_predictions=use.predictions)
            for each in classifiers
        )

    def check_room(self) -> None:
        """Refuse one more revision where there is no room for it, on the disk or for the caller's key.

        Raises:
            StorageFull: Less is free than trainings leave.
            RateLimited: The key keeps as much as it may.
        """
        self.free_space.check()
        self.check_key_room()

    def check_key_room(self) -> None:
        """Refuse one more revision of the caller's key, if that keeps as much as it may.

        Raises:
            RateLimited: It does.
        """
        caller = current_caller()
        if caller.key_name is not None:
            self.holdings.check(caller.key_name, caller.limits)

    def training_context(self, encoder: TextEncoder, control: TrainingControl) -> TrainingContext:
        """Return what a training works with that is watched."""
        return TrainingContext(encoder, control.cancellable(self.queue.compute), self.runner, control, self.fit_threads)

    @property
    def fit_threads(self) -> int:
        """The threads with which an adapter is trained."""
        return self.settings.fit_threads or usable_cores()


def parse_immutable_reference(model_name: str) -> Reference:
    """Return the classifier or revision that is named for good, for verbs that change something.

    Raises:
        InvalidName: The name breaks the grammar, or stands for whatever is the latest.
    """
    reference = read_reference(model_name)
    if reference.is_latest:
        raise InvalidName(
            "{name} means another classifier tomorrow, so nothing is changed by that name. Name the version itself.",
            {"name": model_name},
        )
    return reference
