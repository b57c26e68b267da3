"""What `dry_run` says a training will take beside what it takes, in time and memory, by a server that has just started.

Prints Markdown for bench/RESULTS.md. Each size is trained twice: the second forecast knows of the first training.
"""

import random
import tempfile
import time
from pathlib import Path

import httpx
import psutil
from server import post, running_server, watch_memory

# Rows, labels, words of a text, num_iterations.
SIZES = (
    (24, 3, 6, 0),
    (24, 3, 6, 20),
    (60, 6, 10, 20),
    (200, 10, 10, 0),
    (200, 10, 10, 20),
    (100, 4, 60, 20),
    (2_000, 4, 10, 0),
    (600, 6, 12, 20),
)
WORDS = [
    "refund",
    "invoice",
    "login",
    "password",
    "card",
    "order",
    "late",
    "parcel",
    "broken",
    "screen",
    "app",
    "crash",
    "mail",
    "address",
    "account",
    "charged",
    "twice",
    "money",
    "please",
    "help",
    "my",
    "the",
    "is",
    "not",
    "work",
    "update",
    "delete",
    "cancel",
]


def rows(count: int, labels: int, words: int) -> list[dict[str, str]]:
    """Return rows of words drawn by chance, so that no encoder tells the labels apart without learning."""
    chance = random.Random(count)
    return [
        {"text": " ".join(chance.choices(WORDS, k=words)) + f" {number}", "label": f"label_{number % labels}"}
        for number in range(count)
    ]


def measure(client: httpx.Client, server: psutil.Process, size: tuple[int, int, int, int], seed: int) -> str:
    """FitEstimate a training, do it, and return a line of the table."""
    count, labels, words, num_iterations = size
    body = {
        "model_name": "tickets",
        "training_data": rows(count, labels, words),
        "num_iterations": num_iterations,
        "seed": seed,
    }
    said = post(client, "fit?dry_run=true", body)
    before = server.memory_info().rss + sum(child.memory_info().rss for child in server.children())
    with watch_memory(server) as peak:
        started = time.perf_counter()
        post(client, "fit", body)
        took_s = time.perf_counter() - started
    more = peak.own_bytes + peak.children_bytes - before
    said_s, said_bytes = float(said["seconds"]), int(said["memory_bytes"])
    return (
        f"| {count} rows of {words} words, {labels} labels, num_iterations={num_iterations} | {said_s:.2f} s | "
        f"{took_s:.2f} s | {said_s / took_s:.2f} | {said_bytes / 1e6:.0f} MB | {more / 1e6:.0f} MB |"
    )


def main() -> None:
    """Measure and print."""
    print("| training | said | took | said / took | memory said | memory more than before |")
    print("|---|---|---|---|---|---|")
    with (
        tempfile.TemporaryDirectory() as folder,
        running_server(Path(folder)) as (server, url, _),
        httpx.Client(base_url=url, timeout=900) as client,
    ):
        for size in SIZES:
            for seed in (0, 1):
                print(measure(client, server, size, seed), flush=True)


if __name__ == "__main__":
    main()
