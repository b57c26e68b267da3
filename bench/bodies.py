"""Measure what a large body takes from its bytes to a request, and how long it holds up other threads.

A second thread wakes every millisecond meanwhile: its longest sleep is what a prediction beside it would wait at most.
With OTHER, the same body is read by another checkout's own way, in turns, each in a process of its own.

Run: make bench-bodies ARGS="--other /path/to/another/checkout"
"""

import argparse
import gc
import json
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parents[1]
NUM_ROWS, NUM_TEXTS = 100_000, 100_000
# How a checkout before the declarations read rows.
_BEFORE = """
from windrow.domain.dataset import DataLimits
from windrow.http.bodies import read_document
from windrow.wire.suggestion import SuggestBody
from windrow.wire.training import FitBody
fit = lambda body: read_document(body, FitBody, lambda document: FitBody.read(document, DataLimits())).to_domain()
suggest = lambda body: read_document(body, SuggestBody).to_domain()
"""
_NOW = """
from windrow.codec.request_parsing import read_request
from windrow.domain.classifier import FitRequest
from windrow.domain.dataset import DataLimits
from windrow.domain.suggestion import SuggestRequest
fit = lambda body: read_request(FitRequest, body, limits=DataLimits())
suggest = lambda body: read_request(SuggestRequest, body, limits=DataLimits())
"""


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--other", type=Path, help="another checkout")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--side", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.side is not None:
        print(json.dumps(measure(_BEFORE if asked.side == "before" else _NOW)))
        return
    sides = {"here": ("now", HERE), **({"other": (way_of(asked.other), asked.other)} if asked.other else {})}
    found: dict[str, list[dict[str, list[float]]]] = {side: [] for side in sides}
    for _ in range(asked.rounds):
        for side, (way, checkout) in sides.items():
            found[side].append(run(way, checkout))
    print(f"{'':<32}{'':<8}{'seconds':>9}  {'longest wait of another thread':>32}")
    for what in found["here"][0]:
        for side, rounds in found.items():
            seconds, wait_ms = (statistics.median(each[what][part] for each in rounds) for part in (0, 1))
            print(f"{what:<32}{side:<8}{seconds:>8.3f}s {wait_ms:>30.1f} ms")


def way_of(checkout: Path) -> str:
    """Return how a checkout reads bodies."""
    return "now" if (checkout / "src/windrow/codec/request_parsing.py").exists() else "before"


def run(way: str, checkout: Path) -> dict[str, list[float]]:
    """Measure a checkout in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(checkout / "src")}
    command = [sys.executable, __file__, "--side", way]
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    measured: dict[str, list[float]] = json.loads(done.stdout)
    return measured


def measure(source: str) -> dict[str, list[float]]:
    """Return for each kind of body the seconds that it takes, and the longest wait of another thread in ms."""
    ways: dict[str, Callable[[bytes], object]] = {}
    exec(source, ways)
    rows = [{"text": f"I was charged twice this month {n}", "label": f"label {n % 20}"} for n in range(NUM_ROWS)]
    several = [
        {"text": each["text"], "labels": [f"label {place}" for place in range(number % 4)]}
        for number, each in enumerate(rows)
    ]
    last_is_wrong = [*rows[:-1], {"text": 1}]
    texts = [f"I was charged twice this month {number}" for number in range(NUM_TEXTS)]
    bodies = {
        f"{NUM_ROWS:,} rows": ("fit", {"model_name": "a", "training_data": rows}),
        f"{NUM_ROWS:,} rows of several labels": ("fit", {"model_name": "a", "training_data": several}),
        f"{NUM_ROWS:,} rows, the last wrong": ("fit", {"model_name": "a", "training_data": last_is_wrong}),
        f"{NUM_TEXTS:,} texts": ("suggest", {"model_name": "a", "texts": texts}),
        "32 MB that are no request": ("fit", {"model_name": list(range(4_000_000))}),
    }
    bodies_sent = {what: (ways[way], json.dumps(document).encode()) for what, (way, document) in bodies.items()}
    del rows, several, last_is_wrong, texts, bodies
    gc.collect()
    gc.freeze()  # as the server does
    return {what: timed(read, body) for what, (read, body) in bodies_sent.items()}


def timed(read: Callable[[bytes], object], body: bytes) -> list[float]:
    """Read a body once to warm up and once in earnest, beside a thread that wakes every millisecond."""
    attempt(read, body)
    waits: list[float] = []
    done = threading.Event()

    def tick() -> None:
        before = time.perf_counter()
        while not done.is_set():
            time.sleep(0.001)
            now = time.perf_counter()
            waits.append(now - before)
            before = now

    ticker = threading.Thread(target=tick)
    ticker.start()
    began = time.perf_counter()
    attempt(read, body)
    seconds = time.perf_counter() - began
    done.set()
    ticker.join()
    return [seconds, max(waits) * 1e3]


def attempt(read: Callable[[bytes], object], body: bytes) -> None:
    """Read a body, which may be wrong."""
    try:
        read(body)
    except Exception as error:
        if not hasattr(error, "code"):
            raise


if __name__ == "__main__":
    main()
