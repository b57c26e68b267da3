"""Trainings on a Ray cluster beside the same ones in processes of this machine: weights, overhead, throughput.

Run with ``PYTHONPATH=. python bench/ray_trainings.py``. Both sides are runners as a server has them, with the base
model that comes with Windrow, on made-up states of texts. Sides take turns; a ratio is one of medians.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np

from tests.clusters.ray_cluster import ray_cluster
from windrow.arrays import TokenStates
from windrow.domain.recipe import Recipe
from windrow.encoders.folder import EncoderFolder, find_bundled, read_bundled
from windrow.execution.ray_cluster import RayOptions
from windrow.execution.ray_runner import RayRunner
from windrow.execution.runner import ProcessRunner, Runner
from windrow.execution.tasks import FitTask, TrainAdapterOutcome, TrainAdapterTask
from windrow.learning.head_fitting import Examples

LABELS = 3
TRAININGS = 16
WORKERS = 2


def training(folder: EncoderFolder, texts: int, threads: int, seed: int = 0) -> TrainAdapterTask:
    """Return a contrastive training of texts of 6 to 20 tokens."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(6, 21, texts).astype(np.int32)
    packed = rng.standard_normal((int(lengths.sum()), folder.hidden_size)).astype(np.float32)
    labels = np.arange(texts) % LABELS
    states = TokenStates(packed, lengths)
    recipe = Recipe(num_iterations=20)
    return TrainAdapterTask(folder.path, folder.base_model, states, labels, recipe, None, threads=threads)


def head(folder: EncoderFolder, rows: int) -> FitTask:
    """Return a fit of the head."""
    rng = np.random.default_rng(rows)
    labels = np.arange(rows) % LABELS
    features = (
        rng.standard_normal((rows, 2 * folder.hidden_size)).astype(np.float32)
        + 3 * np.eye(LABELS, 2 * folder.hidden_size, dtype=np.float32)[labels]
    )
    return FitTask(Examples(features, labels, np.arange(rows)), folder.hidden_size, seed=0)


def run(runner: Runner, task: FitTask | TrainAdapterTask) -> object:
    """Run a task of either kind, each with an outcome of its own class."""
    if isinstance(task, FitTask):
        return runner.run(task).artifact
    return runner.run(task).adapter


def seconds(work: Callable[[], object]) -> float:
    """Return how long something takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def bits(outcome: TrainAdapterOutcome) -> list[bytes]:
    """Return all that a training learned."""
    return [tensor.tobytes() for _, tensor in sorted(outcome.adapter.items())]


def compare_weights(folder: EncoderFolder, local: Runner, there: Runner) -> None:
    """Print whether both sides learn the same, by one thread and by two."""
    for threads in (1, 2):
        task = training(folder, 24, threads)
        print(
            f"weights by {threads} thread(s): {'equal' if bits(local.run(task)) == bits(there.run(task)) else 'OTHERS'}"
        )
    fit = head(folder, 24)
    print(f"artifact of a head: {'equal' if local.run(fit).artifact == there.run(fit).artifact else 'ANOTHER'}")


def measure_overhead(folder: EncoderFolder, local: Runner, there: Runner, rounds: int) -> None:
    """Print what a task takes on either side, warm."""
    tasks: dict[str, FitTask | TrainAdapterTask] = {
        "head, 24 rows": head(folder, 24),
        "head, 2,000 rows": head(folder, 2_000),
    }
    tasks |= {f"adapter, {texts} texts": training(folder, texts, 1) for texts in (24, 96)}
    for name, task in tasks.items():
        sides = (partial(run, local, task), partial(run, there, task))
        pairs = [tuple(map(seconds, sides)) for _ in range(rounds)]
        here_s, there_s = (statistics.median(side) for side in zip(*pairs, strict=True))
        more_s = statistics.median(b - a for a, b in pairs)
        print(f"{name}: {here_s:.3f} s here, {there_s:.3f} s on Ray; overhead {more_s:.3f} s (median of pairs)")


def measure_throughput(folder: EncoderFolder, local: Runner, there: Runner, rounds: int) -> None:
    """Print how soon many trainings are done on the cluster, and one after the other here on all cores."""
    alone = [training(folder, 48, WORKERS, seed) for seed in range(TRAININGS)]
    shared = [training(folder, 48, 1, seed) for seed in range(TRAININGS)]

    def in_turn() -> None:
        for task in alone:
            local.run(task)

    def at_once() -> None:
        with ThreadPoolExecutor(TRAININGS) as pool:
            list(pool.map(there.run, shared))

    at_once()  # each worker has loaded torch and the base model
    pairs = [(seconds(in_turn), seconds(at_once)) for _ in range(rounds)]
    in_turn_s, at_once_s = (statistics.median(side) for side in zip(*pairs, strict=True))
    ratio = in_turn_s / at_once_s
    print(
        f"{TRAININGS} trainings: {in_turn_s:.1f} s one after the other with {WORKERS} threads each, {at_once_s:.1f} s"
    )
    print(f"on {WORKERS} workers of Ray with a thread each; throughput {ratio:.2f} times")


def main() -> None:
    """Run every measurement."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="turns of the measurement of overhead")
    parser.add_argument("--batches", type=int, default=3, help="turns of the measurement of throughput")
    given = parser.parse_args()
    bundled = find_bundled()
    assert bundled is not None
    folder = read_bundled(bundled)
    local = ProcessRunner(1)
    with ray_cluster(1, 1) as cluster:
        os.environ.update(cluster.variables)
        there = RayRunner(RayOptions("ray", threads=1), WORKERS)
        for runner in (local, there):
            runner.start()
        compare_weights(folder, local, there)
        measure_overhead(folder, local, there, given.rounds)
        measure_throughput(folder, local, there, given.batches)
        for each in (local, there):
            each.close()


if __name__ == "__main__":
    main()
