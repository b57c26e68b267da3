"""Measure whether memory grows: resident memory after 5 fits and after 100, of the server and its training process.

Run: make bench-memory
"""

import argparse
import tempfile
from pathlib import Path

import httpx
import psutil
from draws import tickets
from report import markdown
from server import post, running_server

LOOKS = (1, 5, 20, 40, 60, 80, 99, 100)
BASELINE = 5
MOST_GROWTH = 0.05


def main() -> None:
    """Fit the tickets again and again, and print a table."""
    parser = argparse.ArgumentParser(description="Measure whether memory grows (bench/README.md).")
    parser.add_argument("--iterations", type=int, default=20, help="num_iterations [20]")
    parser.add_argument("--looks", help="fits after which to look, with commas between [1,5,20,40,60,80,99,100]")
    options = parser.parse_args()
    looks = [int(look) for look in options.looks.split(",")] if options.looks else list(LOOKS)
    with tempfile.TemporaryDirectory() as folder, running_server(Path(folder)) as (process, url, _):
        seen = measure(process, url, options.iterations, looks)
    print(markdown(("after fits", "server", "its training process"), [row(fits, *seen[fits]) for fits in looks]))
    if BASELINE in seen:
        print("\n" + verdict(max(looks), seen))


def measure(process: psutil.Process, url: str, num_iterations: int, looks: list[int]) -> dict[int, tuple[int, int]]:
    """Return resident bytes of the server and of its training process, by the number of fits before."""
    seen = {}
    with httpx.Client(base_url=url, timeout=600) as client:
        for done in range(1, max(looks) + 1):
            name = f"ticket_classifier_v{done}"
            post(client, "fit", {"model_name": name, "training_data": tickets(), "num_iterations": num_iterations})
            post(client, "predict", {"model_name": name, "text": tickets()[0]["text"]})
            if done in looks:
                children = sum(child.memory_info().rss for child in process.children(recursive=True))
                seen[done] = process.memory_info().rss, children
    return seen


def row(fits: int, server_bytes: int, training_bytes: int) -> tuple[str, str, str]:
    """Return one line of the table."""
    return str(fits), f"{server_bytes / 2**20:.1f} MiB", f"{training_bytes / 2**20:.1f} MiB"


def verdict(fits: int, seen: dict[int, tuple[int, int]]) -> str:
    """Say how much the server grew since the baseline, and whether that is little enough."""
    growth = seen[fits][0] / seen[BASELINE][0] - 1
    judged = "within" if growth <= MOST_GROWTH else "NOT within"
    return f"The server after {fits} fits against {BASELINE}: {growth:+.1%}, {judged} {MOST_GROWTH:.0%}."


if __name__ == "__main__":
    main()
