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
class Vitals:
    """The whole service. What has happened is counted from the start of the process.

    Args:
        waiting_requests: Requests that wait for an encoder.
        waiting_texts: Texts that these still need encoded.
        running_batches: Batches that are being encoded.
        batches: Batches that were encoded.
        tokens: Tokens in them.
        refused: Requests that were refused because too many waited.
        abandoned: Requests whose callers left before the answer.
        fits_running: Trainings that run.
        fits_waiting: Trainings that wait for their turn.
        classifiers: The cache of loaded classifiers.
        texts: The cache of encoded texts.
    """

    waiting_requests: int
    waiting_texts: int
    running_batches: int
    batches: int
    tokens: int
    refused: int
    abandoned: int
    fits_running: int
    fits_waiting: int
    classifiers: CacheVitals
    texts: CacheVitals
