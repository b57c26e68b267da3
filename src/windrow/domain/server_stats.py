"""The statistics of the service for monitoring: how busy it is, and what it has done since it started."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class CacheStats:
    """The statistics of a cache."""

    entries: int
    """Values that it holds."""
    size_bytes: int
    """What they take."""
    max_bytes: int
    """What they may take."""
    hits: int
    """Times that a value was there."""
    misses: int
    """Times that it was not."""


@dataclass(frozen=True, slots=True)
class DurationStats:
    """How long something took, each time since the start of the process: a histogram."""

    bounds_s: tuple[float, ...] = ()
    """Upper bounds of the buckets, ascending, in seconds."""
    counts: tuple[int, ...] = ()
    """Of each bound, how often it took at most so long."""
    count: int = 0
    """How often there was something to measure."""
    seconds: float = 0.0
    """What it took all times together, in seconds."""


@dataclass(frozen=True, slots=True)
class QueueStats:
    """The statistics of the encoder's queue; counts run from the start of the process."""

    queued_requests: int
    """Requests that wait for the encoder now."""
    queued_texts: int
    """Their texts."""
    running_batches: int
    """Batches that the encoder computes now."""
    batches: int
    """Batches computed."""
    tokens: int
    """Tokens computed."""
    refused: int
    """Requests refused because too many waited."""
    client_closed: int
    """Requests whose caller left before all was computed."""
    encode_seconds: float = 0.0
    """What the batches took, in seconds of one core."""
    waits: DurationStats = DurationStats()
    """How long requests waited for the first batch that held a text of theirs."""


@dataclass(frozen=True, slots=True)
class TaskStats:
    """The statistics of the tasks of trainings of one kind that ended alike on one node."""

    task: str
    """What they do: ``train_adapter``, ``fit`` …"""
    node: str
    """Where they ran: ``local``, a node of a Ray cluster, ``none`` if nowhere; ``other`` from many nodes on."""
    outcome: str
    """``done``, ``failed`` or ``cancelled``."""
    count: int
    """How many there were since the start of the process."""
    seconds: float
    """What they took together, from the server's view, in seconds."""
    attempts: int
    """How often they were begun; more than their number where a node or a process died."""


@dataclass(frozen=True, slots=True)
class JobStats:
    """The statistics of the jobs of this process of one kind that ended alike."""

    kind: str
    """What they did: ``fit`` or ``predict_files``."""
    outcome: str
    """``succeeded``, ``failed``, ``cancelled`` or ``interrupted``."""
    durations: DurationStats
    """How long they ran; 0 where they ended before their turn came."""
    waits: DurationStats
    """How long they waited for their turn, or for their end where it never came."""


@dataclass(frozen=True, slots=True)
class StorageStats:
    """What the data directory held when it was measured last."""

    measured_at: datetime
    """When that was, UTC."""
    classifiers: int
    """Classifiers that are not deleted."""
    deleted_classifiers: int
    """Deleted classifiers that are not purged."""
    revisions: int
    """Trainings of both that are still on the disk."""
    size_bytes: Mapping[str, int]
    """Bytes by kind: ``base_models``, ``classifiers``, ``deleted_classifiers``, ``other``."""


@dataclass(frozen=True, slots=True)
class ServerStats(QueueStats):
    """The statistics of the server: queue, trainings, caches, readiness, and what is saved."""

    running_fits: int = 0
    """Trainings that run now."""
    queued_fits: int = 0
    """Trainings that wait for their turn now."""
    running_file_predictions: int = 0
    """Predictions of files that run now."""
    queued_file_predictions: int = 0
    """Predictions of files that wait for their turn now."""
    encoders: int = 0
    """Base models in memory."""
    classifiers: CacheStats = CacheStats(0, 0, 0, 0, 0)
    """Loaded classifiers."""
    texts: CacheStats = CacheStats(0, 0, 0, 0, 0)
    """Encoded texts."""
    is_ready: bool = True
    """Whether the data directory is there and the API keys can be read."""
    free_bytes: int = 0
    """Room that was left on its disk half a second ago."""
    min_free_bytes: int = 0
    """Room below which trainings and imports are refused; 0 refuses none."""
    store_requests: Mapping[str, int] = field(default_factory=dict)
    """Requests to the object store since the start of the process, by kind; empty for a folder."""
    tasks: tuple[TaskStats, ...] = ()
    """The tasks of trainings."""
    jobs: tuple[JobStats, ...] = ()
    """The jobs of this process that ended."""
    refused_keys: Mapping[str, int] = field(default_factory=dict)
    """Requests whose API key was refused or not enough, since the start of the process, by the error's code."""
    classifier_texts: Mapping[str, int] = field(default_factory=dict)
    """Texts since the start of the process, by classifier: of the most used ones that the caller knows."""
    storage: StorageStats | None = None
    """What is saved; ``None`` until it is measured."""
