"""How many rows of a file a Ray cluster of two workers classifies, against the local command on the same cores.

Run with ``PYTHONPATH=. python bench/ray_files.py``. Each side is the real command, in a process of its own, on a file
of made-up short rows: into one file, into a folder, and into a folder by a cluster of two nodes with one processor
each. It prints the rows in a second by the clock, start-up included, and between the first and the last shard; and
whether the results are the same, byte by byte. A busy machine disturbs all sides, so they take turns, and each side's
best counts.
"""

import argparse
import csv
import json
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.clusters.ray_cluster import ray_cluster

WINDROW = (sys.executable, "-m", "windrow")
LABELS = {"refund": "money back please return paid", "invoice": "receipt bill odd tax copy", "login": "password reset"}
FILLERS = ("the my a for since order yesterday again", "still not please can you we have with of it is was")


def made_up(rng: random.Random) -> tuple[str, str]:
    """Return a short text and its label."""
    label = rng.choice(list(LABELS))
    words = [*rng.choices(LABELS[label].split(), k=3), *rng.choices(" ".join(FILLERS).split(), k=rng.randint(3, 14))]
    rng.shuffle(words)
    return f"{' '.join(words)} {rng.randint(1, 99_999)}", label


def write(path: Path, rows: int, rng: random.Random) -> None:
    """Write a CSV file of made-up rows, with labels."""
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *(made_up(rng) for _ in range(rows))])


class Watch:
    """Notes when each part of a folder appears.

    Args:
        folder: The folder.
    """

    def __init__(self, folder: Path) -> None:
        self.times_s: dict[str, float] = {}
        self._folder = folder
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        while not self._is_over.wait(0.02):
            with suppress(OSError):
                for path in self._folder.glob("part-*"):
                    self.times_s.setdefault(path.name, time.perf_counter())

    def steady(self, shard_rows: int) -> float:
        """Return the rows in a second between the first and the last whole part."""
        self._is_over.set()
        self._thread.join()
        times = sorted(self.times_s.values())
        return (len(times) - 1) * shard_rows / max(times[-1] - times[0], 1e-9) if len(times) > 1 else 0.0


def run(out: Path, arguments: Sequence[object], variables: Mapping[str, str], shard_rows: int) -> tuple[float, float]:
    """Run the command, and return its seconds, and the rows in a second between its first and last part."""
    for path in out.glob("*"):
        path.unlink()  # parts of another round would be taken for new ones
    watch, started = Watch(out), time.perf_counter()
    command = [*WINDROW, "predict", "tickets", *map(str, arguments), "--out", f"{out}", "--overwrite", "--quiet"]
    subprocess.run(command, env={**os.environ, **variables}, check=True)
    seconds = time.perf_counter() - started
    return seconds, watch.steady(shard_rows)


def main() -> None:
    """Measure, and print a line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--shard-rows", type=int, default=5_000)
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    rng = random.Random(1)
    with TemporaryDirectory() as folder, ray_cluster(1, 1) as cluster:
        place = Path(folder)
        write(place / "train.csv", 60, rng)
        write(place / "mails.csv", options.rows, rng)
        base = {"WINDROW_DATA_DIR": str(place / "data"), "WINDROW_OFFLINE": "1"}
        fit = [*WINDROW, "fit", "tickets", str(place / "train.csv"), "--num-iterations", "0"]
        subprocess.run(fit, env={**os.environ, **base}, check=True, stdout=subprocess.DEVNULL)
        shards = ("--shard-rows", options.shard_rows)
        sides = {
            "one file": (place / "one.csv", (), base),
            "local": (place / "local", shards, base),
            "ray": (place / "ray", (*shards, "--runner", "ray", "--workers", 2), {**base, **cluster.variables}),
        }
        for name in ("local", "ray"):
            (place / name).mkdir()
        figures: dict[str, list[tuple[float, float]]] = {name: [] for name in sides}
        for _ in range(options.rounds):
            for name, (out, more, variables) in sides.items():
                figures[name].append(run(out, (place / "mails.csv", *more), variables, options.shard_rows))
        local, ray = ({p.name: p.read_bytes() for p in (place / n).glob("part-*")} for n in ("local", "ray"))
        same = local == ray
    rate = {name: max(options.rows / seconds for seconds, _ in each) for name, each in figures.items()}
    steady = {name: max(each) for name in ("local", "ray") if (each := [value for _, value in figures[name]])}
    told = {
        "rows": options.rows,
        "rows_per_s": {name: round(value) for name, value in rate.items()},
        "steady_rows_per_s": {name: round(value) for name, value in steady.items()},
        "ray_to_local": round(rate["ray"] / rate["local"], 2),
        "ray_to_local_steady": round(steady["ray"] / steady["local"], 2),
        "same": same,
        "load": os.getloadavg(),
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
