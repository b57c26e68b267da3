"""A simulation of equal replicas behind a balancer: arrivals, queues, batches.

Owns the model; the measured times that it works with stand here with their source. Knows nothing of tables and prices.
"""

import heapq
import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Balancer = Literal["least connections", "round robin"]

# Milliseconds of a batch by its tokens. Source: bench/RESULTS.md, bench-predict, "batches of", texts of 12 tokens:
# "2 callers, 1 thread each" makes 352, 598, 609, 619 and 612 texts/s of both cores, "1 caller, 2 threads that spin"
# 226, 455, 534, 558 and 517.
_TEXTS: Final = np.array((1, 8, 16, 32, 64))
TOKENS: Final = 12.0 * _TEXTS
ONE_CORE_MS: Final = 2_000 * _TEXTS / np.array((352, 598, 609, 619, 612))
ALL_CORES_MS: Final = 1_000 * _TEXTS / np.array((226, 455, 534, 558, 517))
# What the server's own code takes of a core for a text: 3.83 ms instead of the encoder's 3.25 (same page).
TEXT_MS: Final = 0.58
BATCH_TOKENS: Final = 128
MAX_QUEUED_REQUESTS: Final = 256
CORES: Final = 2
# Half of the measured texts of mixed lengths have up to 15 tokens, some 256. The spread is chosen so that one server
# takes the measured 259 texts/s of them.
MEDIAN_TOKENS: Final = 15
MAX_TOKENS: Final = 256
SPREAD: Final = 1.05
# A burst brings so many times the mean rate; bursts take this share of the time, and last so long on average, as long
# as chance has it (exponentially distributed, like the pauses).
BURST_TIMES: Final = 3.0
BURST_SHARE: Final = 0.2
BURST_MS: Final = 500.0

# Returns the milliseconds of a batch with so many tokens and texts, on one core or on all of them.
ServiceMs = Callable[[float, int, bool], float]


@dataclass(frozen=True, slots=True)
class Traffic:
    """Requests of one text each that arrive during a time.

    Args:
        at_ms: When each arrives, ascending.
        tokens: How many tokens each has.
    """

    at_ms: Floats
    tokens: Floats


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the requests.

    Args:
        offered: How many came.
        refused: How many of them found a full queue.
        took_ms: What the others took from arrival to answer.
        until_ms: When the last one was answered.
    """

    offered: int
    refused: int
    took_ms: Floats
    until_ms: float

    def percentile(self, share: float) -> float:
        """Return the milliseconds within which a share of the answered requests were answered."""
        return float(np.percentile(self.took_ms, share)) if len(self.took_ms) else math.nan

    @property
    def refused_share(self) -> float:
        """The share of the requests that were refused."""
        return self.refused / self.offered


def service_ms(tokens: float, texts: int, on_all_cores: bool) -> float:
    """Return the measured milliseconds of a batch, between and beyond the measured sizes on straight lines."""
    curve = ALL_CORES_MS if on_all_cores else ONE_CORE_MS
    # The line through the first two sizes holds below, too: a batch has a fixed cost.
    if tokens < TOKENS[0]:
        slope = (curve[1] - curve[0]) / (TOKENS[1] - TOKENS[0])
        encoding_ms = curve[0] - slope * (TOKENS[0] - tokens)
    else:
        encoding_ms = np.interp(tokens, TOKENS, curve)
    return float(encoding_ms) + TEXT_MS * texts


@dataclass(frozen=True, slots=True)
class Fleet:
    """Equal replicas behind a balancer.

    Args:
        replicas: How many.
        balancer: How it chooses one for a request.
        cores: Of each.
        batch_tokens: What a batch may have, but for a text that is longer.
        max_queued: The requests that may wait at each; further ones are refused.
        service: What a batch takes.
    """

    replicas: int
    balancer: Balancer = "least connections"
    cores: int = CORES
    batch_tokens: float = BATCH_TOKENS
    max_queued: int = MAX_QUEUED_REQUESTS
    service: ServiceMs = service_ms


@dataclass(slots=True)
class _Replica:
    """One server: its queue, and its free cores."""

    free: int
    waiting: deque[int] = field(default_factory=deque)


def mixed_tokens(chance: np.random.Generator, count: int, spread: float = SPREAD) -> Floats:
    """Return lengths of texts as measured ones have them: half up to 15 tokens, a few 256."""
    return np.clip(np.rint(chance.lognormal(math.log(MEDIAN_TOKENS), spread, count)), 3, MAX_TOKENS)


def poisson(rate: float, count: int, seed: int, tokens: float | None = None) -> Traffic:
    """Return requests that come independently of each other.

    Args:
        rate: Requests a second.
        count: How many.
        seed: Of chance.
        tokens: Of each text; ``None`` for mixed lengths.
    """
    chance = np.random.default_rng(seed)
    at_ms = np.cumsum(chance.exponential(1_000 / rate, count))
    return Traffic(at_ms, _tokens(chance, count, tokens))


def even(rate: float, count: int, seed: int, tokens: float | None = None) -> Traffic:
    """Return requests that come at even distances, as the load generator of the measurements sends them."""
    return Traffic(np.arange(count) * 1_000 / rate, _tokens(np.random.default_rng(seed), count, tokens))


def bursts(rate: float, count: int, seed: int) -> Traffic:
    """Return requests of whom all clients send more at the same time, now and then.

    Args:
        rate: Requests a second, on average.
        count: How many.
        seed: Of chance.
    """
    chance = np.random.default_rng(seed)
    duration_ms = count * 1_000 / rate
    quiet = (1 - BURST_TIMES * BURST_SHARE) / (1 - BURST_SHARE)
    cycles = max(1, round(duration_ms * BURST_SHARE / BURST_MS))
    spans_ms, factors = np.empty((cycles, 2)), np.tile((quiet, BURST_TIMES), cycles)
    for column, share in enumerate((1 - BURST_SHARE, BURST_SHARE)):
        drawn = chance.exponential(1, cycles)
        # So that also a few bursts take just their share of the time.
        spans_ms[:, column] = drawn / drawn.sum() * share * duration_ms
    # What comes late, by chance, comes at the mean rate.
    lengths_ms, factors = np.append(spans_ms.ravel(), duration_ms), np.append(factors, 1.0)
    return _warped(chance, count, rate, np.cumsum(lengths_ms), np.cumsum(lengths_ms * factors))


def day(rate: float, count: int, seed: int, swing: float = 0.6) -> Traffic:
    """Return the requests of a day in fast motion: the rate follows a sine, from 1 - swing to 1 + swing of its mean."""
    chance = np.random.default_rng(seed)
    at = np.linspace(0, 1.2, 2_401)
    amounts = at - swing * np.sin(2 * np.pi * at) / (2 * np.pi)
    # From the night on: 1 - swing * cos.
    duration_ms = count * 1_000 / rate
    return _warped(chance, count, rate, at[1:] * duration_ms, amounts[1:] * duration_ms)


def simulate(traffic: Traffic, fleet: Fleet) -> Outcome:
    """Let replicas answer requests, and return what became of these.

    A batch starts as soon as a core is free, with what waits, in order, up to the tokens that it may have; on all cores
    where these are free and nothing else waits.
    """
    at_ms, tokens = traffic.at_ms.tolist(), traffic.tokens.tolist()
    replicas = [_Replica(fleet.cores) for _ in range(fleet.replicas)]
    outstanding = [0] * fleet.replicas
    done: list[tuple[float, int, int, tuple[int, ...]]] = []
    took: list[float] = []
    refused, until = 0, 0.0

    def dispatch(number: int, now: float) -> None:
        replica = replicas[number]
        while replica.free and replica.waiting:
            batch = [replica.waiting.popleft()]
            total = tokens[batch[0]]
            while replica.waiting and total + tokens[replica.waiting[0]] <= fleet.batch_tokens:
                batch.append(replica.waiting.popleft())
                total += tokens[batch[-1]]
            used = fleet.cores if replica.free == fleet.cores and not replica.waiting else 1
            replica.free -= used
            heapq.heappush(done, (now + fleet.service(total, len(batch), used > 1), number, used, tuple(batch)))

    def finish() -> float:
        now, number, used, batch = heapq.heappop(done)
        replicas[number].free += used
        outstanding[number] -= len(batch)
        took.extend(now - at_ms[request] for request in batch)
        dispatch(number, now)
        return now

    for request, now in enumerate(at_ms):
        while done and done[0][0] <= now:
            finish()
        number = outstanding.index(min(outstanding))
        if fleet.balancer == "round robin":
            number = request % fleet.replicas
        if len(replicas[number].waiting) >= fleet.max_queued:
            refused += 1
            continue
        outstanding[number] += 1
        replicas[number].waiting.append(request)
        dispatch(number, now)
    while done:
        until = finish()
    return Outcome(len(at_ms), refused, np.array(took), until)


def _tokens(chance: np.random.Generator, count: int, tokens: float | None) -> Floats:
    return mixed_tokens(chance, count) if tokens is None else np.full(count, tokens)


def _warped(chance: np.random.Generator, count: int, rate: float, at_ms: Floats, amounts_ms: Floats) -> Traffic:
    """Return arrivals of a rate that changes: evenly random on the axis of amounts, and mapped back to time."""
    on_axis = np.cumsum(chance.exponential(1_000 / rate, count))
    arrivals = np.interp(on_axis, np.concatenate(([0], amounts_ms)), np.concatenate(([0], at_ms)))
    return Traffic(arrivals, mixed_tokens(chance, count))
