"""Measure what `windrow predict FILE` adds to the bare encoder, from start to end, and whether its memory is flat.

Each round has the same texts classified from a CSV file to a CSV file by a fresh `windrow predict --data-dir`, and
encoded by a bare session (bare.py) in padded batches, in turns on the same cores. No text comes twice in a file.

Run: make bench-stream ARGS="--rows 100000 --rounds 1"
"""

import argparse
import csv
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
from bare import open_tokenizer
from draws import tickets
from report import markdown
from server import post, running_server, watch_memory

NAME = "ticket_classifier_v1"
# Callers of the session, whether it spins, and texts in a batch: the best on the first texts stands for the encoder.
BARE_WAYS = [(callers, spinning, batch) for callers, spinning in ((1, True), (2, False)) for batch in (8, 16, 32, 64)]
TRIAL_TEXTS = 500


@dataclass(frozen=True)
class Took:
    """What one run of the command line took.

    Args:
        seconds: From its start to its end.
        peak_bytes: Its most resident memory.
    """

    seconds: float
    peak_bytes: int


def main() -> None:
    """Measure and print two tables."""
    parser = argparse.ArgumentParser(description="Measure predictions of a file (bench/README.md).")
    parser.add_argument("--rows", type=int, default=10_000, help="rows of the file [10000]")
    parser.add_argument("--rounds", type=int, default=3, help="[3]")
    parser.add_argument("--no-memory", action="store_true", help="leave out the run with four times as many rows")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        train(work)
        texts = made_up_texts(options.rows, seed=0)
        with bare_encoder(texts[:TRIAL_TEXTS]) as bare:
            print(throughput_table(work, texts, bare, options.rounds))
        if not options.no_memory:
            print(f"\n{memory_table(work, options.rows)}")


def train(work: Path) -> None:
    """Train the classifier that answers, with a head alone, and have the graph built."""
    with running_server(work) as (_, url, _), httpx.Client(base_url=url, timeout=600) as client:
        post(client, "fit", {"model_name": NAME, "training_data": tickets(), "num_iterations": 0})


def made_up_texts(count: int, seed: int) -> list[str]:
    """Return different texts of 5 to 9 words of the model's vocabulary, drawn by chance."""
    words = sorted(word for word in open_tokenizer().get_vocab() if word.isascii() and word.isalpha() and len(word) > 2)
    chance, texts = random.Random(seed), dict[str, None]()
    while len(texts) < count:
        texts[" ".join(chance.choices(words, k=chance.randint(5, 9)))] = None
    return list(texts)


def run_predict(work: Path, texts: Sequence[str]) -> Took:
    """Classify a file with a process of its own."""
    source, out = work / "rows.csv", work / "answered.csv"
    with source.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("id", "text"), *enumerate(texts)])
    command = [
        sys.executable,
        "-m",
        "windrow",
        "predict",
        NAME,
        str(source),
        "--out",
        str(out),
        "--overwrite",
        "--quiet",
    ]
    started = time.perf_counter()
    process = subprocess.Popen([*command, "--data-dir", str(work)])
    with watch_memory(psutil.Process(process.pid)) as peak:
        if process.wait():
            raise SystemExit(f"windrow predict ended with {process.returncode}.")
        seconds = time.perf_counter() - started
    with out.open(newline="", encoding="utf-8") as file:
        assert [row["text"] for row in csv.DictReader(file)] == list(texts)
    return Took(seconds, peak.own_bytes)


class BareEncoder:
    """The best of the bare sessions.

    Args:
        processes: A process of ``bare.py`` for each way to call it.
        trial: Texts to find the best way with.
    """

    def __init__(self, processes: "dict[tuple[int, bool], subprocess.Popen[str]]", trial: Sequence[str]) -> None:
        self._processes = processes
        for way in processes:
            self._ask(way, trial[:64], 8)  # what runs first is slower
        rates = {way: self._ask(way[:2], trial, way[2]) for way in BARE_WAYS}
        self.best = max(rates, key=lambda way: rates[way])

    @property
    def way(self) -> str:
        """The way that was best, in words."""
        callers, spinning, batch = self.best
        return f"{callers} caller(s){', spinning' if spinning else ''}, batches of {batch}"

    def texts_per_s(self, texts: Sequence[str]) -> float:
        """Encode all texts in the best way."""
        return self._ask(self.best[:2], texts, self.best[2])

    def _ask(self, way: tuple[int, bool], texts: Sequence[str], batch_size: int) -> float:
        process = self._processes[way]
        assert process.stdin is not None and process.stdout is not None
        question = {"texts": list(texts), "batch_size": batch_size, "seconds": 1e9}
        process.stdin.write(json.dumps(question) + "\n")
        process.stdin.flush()
        answer: float = json.loads(process.stdout.readline())
        return answer


@contextmanager
def bare_encoder(trial: Sequence[str]) -> Iterator[BareEncoder]:
    """Start the bare sessions; they sleep while nobody asks."""
    processes = {}
    try:
        for callers, spinning in dict.fromkeys(way[:2] for way in BARE_WAYS):
            command = [sys.executable, str(Path(__file__).with_name("bare.py"))]
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            processes[callers, spinning] = process
            assert process.stdin is not None
            process.stdin.write(json.dumps({"callers": callers, "spinning": spinning}) + "\n")
            process.stdin.flush()
        yield BareEncoder(processes, trial)
    finally:
        for process in processes.values():
            process.terminate()
            process.wait()


def throughput_table(work: Path, texts: Sequence[str], bare: BareEncoder, rounds: int) -> str:
    """Return rows a second of both sides, with the start of the process and without it, as medians of the rounds."""
    whole, started, encoded = [], [], []
    for _ in range(rounds):
        start_s = run_predict(work, texts[:1]).seconds
        took = run_predict(work, texts)
        whole.append(len(texts) / took.seconds)
        started.append((len(texts) - 1) / (took.seconds - start_s))
        encoded.append(bare.texts_per_s(texts))

    def line(name: str, rates: Sequence[float]) -> tuple[str, str, str]:
        ratio = statistics.median(rate / one for rate, one in zip(rates, encoded, strict=True))
        return name, f"{statistics.median(rates):,.0f}", f"{ratio:.3f}"

    rows = [
        line("windrow predict, from start to end", whole),
        line("the same without the time of a file with one row", started),
        line(f"bare encoder: {bare.way}", encoded),
    ]
    return f"{len(texts):,} rows, {rounds} round(s).\n\n" + markdown(("side", "rows/s", "of the bare encoder"), rows)


def memory_table(work: Path, rows: int) -> str:
    """Return the peak memory with some rows, and with four times as many."""
    peaks = {count: run_predict(work, made_up_texts(count, seed=1)).peak_bytes for count in (rows, 4 * rows)}
    lines = [(f"{count:,}", f"{peak / 2**20:.0f} MiB") for count, peak in peaks.items()]
    growth = peaks[4 * rows] / peaks[rows] - 1
    return f"{markdown(('rows', 'peak resident memory'), lines)}\n\nFour times the rows: {growth:+.1%}."


if __name__ == "__main__":
    main()
