"""Measure whether a server holds out: mixed load for an hour, with its memory and descriptors all along.

Run: make soak ARGS="--minutes 60"
"""

import argparse
import math
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from report import markdown
from scipy import stats
from server import running_server
from soak_load import Log, final_check, prepare, running_users

SAMPLE_EVERY_S = 2.0
# Samples of neighbouring seconds say the same, so a slope is fitted to the medians of so many stretches of time.
STRETCHES = 20
# A rise by less than that share over what was measured is no leak that anybody would find.
MOST_GROWTH = 0.05
# Small enough that caches are full, and classifiers dropped and loaded again, before the measurement begins.
CACHES = {"WINDROW_EMBEDDING_CACHE_BYTES": "4000000", "WINDROW_CLASSIFIER_CACHE_BYTES": "2000000"}


@dataclass(frozen=True, slots=True)
class Sample:
    """What the server took at one time.

    Args:
        at_s: Seconds since the load began.
        rss_bytes: Its resident memory.
        children_bytes: That of its training processes.
        descriptors: Its open file descriptors.
        threads: Its threads.
    """

    at_s: float
    rss_bytes: int
    children_bytes: int
    descriptors: int
    threads: int


@dataclass(frozen=True, slots=True)
class Slope:
    """How much something rises in an hour, with an interval of 95 %.

    Args:
        per_hour: The rise.
        low: The least that is likely.
        high: The most.
    """

    per_hour: float
    low: float
    high: float


def main() -> None:
    """Let the users live, print tables; the exit status says whether all was well."""
    parser = argparse.ArgumentParser(description="Measure whether a server holds out (bench/README.md).")
    parser.add_argument("--minutes", type=float, default=60, help="of load [60]")
    parser.add_argument("--warm-up", type=float, help="minutes that count for nothing [a sixth, at most 10]")
    parser.add_argument("--classifiers", type=int, default=60, help="that stay [60]")
    options = parser.parse_args()
    warm_up_s = 60 * (min(10.0, options.minutes / 6) if options.warm_up is None else options.warm_up)
    os.environ.update(CACHES)
    log = Log()
    with tempfile.TemporaryDirectory() as folder, running_server(Path(folder)) as (process, url, _):
        prepare(url, log, options.classifiers)
        with sampling(process) as samples, running_users(url, log, options.classifiers):
            time.sleep(60 * options.minutes)
        report = final_check(url)
    warm = [sample for sample in samples if sample.at_s >= warm_up_s]
    print(f"{tables(log, warm)}\n\n{course(samples)}")
    faults = verdicts(log, warm, sound=report["sound"])
    print("\n" + "\n".join(faults or ["No error, fsck finds everything sound, memory and descriptors are level."]))
    sys.exit(1 if faults else 0)


@contextmanager
def sampling(process: psutil.Process) -> Iterator[list[Sample]]:
    """Sample a server until the block ends."""
    samples: list[Sample] = []
    done, began = threading.Event(), time.monotonic()

    def work() -> None:
        while not done.wait(SAMPLE_EVERY_S):
            samples.append(sample(process, time.monotonic() - began))

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield samples
    finally:
        done.set()
        thread.join()


def sample(process: psutil.Process, at_s: float) -> Sample:
    """Return what a server takes now."""
    children = 0
    for child in process.children(recursive=True):
        try:
            children += child.memory_info().rss
        except psutil.NoSuchProcess:  # it has just been replaced
            continue
    return Sample(at_s, process.memory_info().rss, children, process.num_fds(), process.num_threads())


def slope(times_s: Sequence[float], values: Sequence[float]) -> Slope:
    """Return the slope of a least-squares line through the medians of :data:`STRETCHES` stretches of time.

    Args:
        times_s: Seconds, ascending.
        values: As many.
    """
    size = max(1, len(times_s) // STRETCHES)
    starts = range(0, len(times_s) - size + 1, size)
    hours = [statistics.median(times_s[start : start + size]) / 3_600 for start in starts]
    medians = [statistics.median(values[start : start + size]) for start in starts]
    if len(hours) < 3:
        return Slope(math.nan, -math.inf, math.inf)
    line = stats.linregress(hours, medians)
    margin = float(stats.t.ppf(0.975, len(hours) - 2) * line.stderr)
    return Slope(float(line.slope), float(line.slope) - margin, float(line.slope) + margin)


def series(samples: Sequence[Sample]) -> Mapping[str, list[float]]:
    """Return what is to be level, by its name."""
    return {
        "resident memory, MiB": [each.rss_bytes / 2**20 for each in samples],
        "descriptors": [float(each.descriptors) for each in samples],
        "threads": [float(each.threads) for each in samples],
    }


def tables(log: Log, samples: Sequence[Sample]) -> str:
    """Return the latencies of each kind of request, and what the server took."""
    header = ("request", "number", "p50", "p99", "longest")
    rows = [
        (kind, str(len(each)), *(f"{value:.1f} ms" for value in (*percentiles(each), max(each))))
        for kind, each in sorted(log.latencies_ms.items())
    ]
    times = [each.at_s for each in samples]
    taken = []
    for name, values in series(samples).items():
        found = slope(times, values)
        shown = f"{found.per_hour:+.2f} ({found.low:+.2f} to {found.high:+.2f})"
        taken.append((name, f"{values[0]:.1f}", f"{values[-1]:.1f}", f"{max(values):.1f}", shown))
    measured = ("what", "after the warm-up", "at the end", "most", "rise in an hour")
    return f"{markdown(header, rows)}\n\n{markdown(measured, taken)}"


def course(samples: Sequence[Sample]) -> str:
    """Return what the server took along the way, the warm-up included."""
    shown = samples[:: max(1, len(samples) // 12)]
    rows = [
        (
            f"{each.at_s / 60:.1f}",
            f"{each.rss_bytes / 2**20:.1f}",
            f"{each.children_bytes / 2**20:.1f}",
            *map(str, (each.descriptors, each.threads)),
        )
        for each in shown
    ]
    return markdown(("minute", "server, MiB", "training process, MiB", "descriptors", "threads"), rows)


def percentiles(values: Sequence[float]) -> tuple[float, float]:
    """Return the median and the 99th percentile."""
    ordered = sorted(values)
    return statistics.median(ordered), ordered[min(len(ordered) - 1, math.ceil(0.99 * len(ordered)) - 1)]


def verdicts(log: Log, samples: Sequence[Sample], *, sound: bool) -> list[str]:
    """Return what went wrong, in sentences."""
    faults = [f"ERROR {each}" for each in log.errors]
    if not sound:
        faults.append("fsck finds damage.")
    if len(samples) < STRETCHES:
        return [*faults, "Too few samples to say whether anything rises."]
    times = [each.at_s for each in samples]
    hours = (times[-1] - times[0]) / 3_600
    for name, values in series(samples).items():
        found = slope(times, values)
        if found.low > 0 and found.per_hour * hours > MOST_GROWTH * values[0]:
            faults.append(f"NOT level: {name} rises by {found.per_hour:.2f} in an hour.")
    return faults


if __name__ == "__main__":
    main()
