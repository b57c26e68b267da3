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
