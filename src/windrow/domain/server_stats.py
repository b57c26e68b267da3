"""How busy the service is and what it has done since it started: the figures that a monitor watches.

Owns the values alone; knows nothing of who counts them or of how they are shown.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CacheStats:
    """One cache."""

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
    """What the encoder's queue does; counts run from the start of the process."""

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
    """What an operator watches: the queue, and all around it."""

    running_fits: int
    """Trainings that run now."""
    queued_fits: int
    """Trainings that wait for their turn now."""
    classifiers: CacheStats
    """Loaded classifiers."""
    texts: CacheStats
    """Encoded texts."""
