"""The statistics of the service for monitoring: how busy it is, and what it has done since it started."""

from collections.abc import Mapping
from dataclasses import dataclass, field


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
class ServerStats(QueueStats):
    """The statistics of the server: queue, trainings, caches and readiness."""

    running_fits: int
    """Trainings that run now."""
    queued_fits: int
    """Trainings that wait for their turn now."""
    classifiers: CacheStats
    """Loaded classifiers."""
    texts: CacheStats
    """Encoded texts."""
    is_ready: bool = True
    """Whether the data directory is there."""
    free_bytes: int = 0
    """Room that was left on its disk half a second ago."""
    store_requests: Mapping[str, int] = field(default_factory=dict)
    """Requests to the object store since the start of the process, by kind; empty for a folder."""
    tasks: tuple[TaskStats, ...] = ()
    """The tasks of trainings."""
