"""How busy the service is and what it has done since it started: the figures that a monitor watches.

Owns the values alone; knows nothing of who counts them or of how they are shown.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CacheVitals:
    """One cache.

    Args:
        entries: Values that it holds.
        size_bytes: What they take.
        max_bytes: What they may take.
        hits: Times that a value was there.
        misses: Times that it was not.
    """

    entries: int
    size_bytes: int
    max_bytes: int
    hits: int
    misses: int


@dataclass(frozen=True, slots=True)
class QueueVitals:
    """What the encoder's queue does; counts run from the start of the process.

    Args:
        waiting_requests: Requests that wait for the encoder now.
        waiting_texts: Their texts.
        running_batches: Batches that the encoder computes now.
        batches: Batches computed.
        tokens: Tokens computed.
        refused: Requests refused because too many waited.
        abandoned: Requests whose caller left before all was computed.
    """

    waiting_requests: int
    waiting_texts: int
    running_batches: int
    batches: int
    tokens: int
    refused: int
    abandoned: int


@dataclass(frozen=True, slots=True)
class Vitals(QueueVitals):
    """What an operator watches: the queue, and all around it.

    Args:
        fits_running: Trainings that run now.
        fits_waiting: Trainings that wait for their turn now.
        classifiers: Loaded classifiers.
        texts: Encoded texts.
    """

    fits_running: int
    fits_waiting: int
    classifiers: CacheVitals
    texts: CacheVitals
