"""Measure how fast rows are read from CSV beside Python's `csv.reader` on the same file, and what memory that takes.

Both take turns in processes of their own. Shown is the time of the processor, since others may use the machine too, and
by how much resident memory rose while the second half of the rows was read.

Run: make bench-read ARGS="--rows 1000000 --rounds 5"
"""

import argparse
import csv
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import psutil

LABELS = ("billing", "technical", "account")
SHAPES: dict[str, Callable[[int], tuple[str, ...]]] = {
    "text and label": lambda row: (f"Ticket {row} says the invoice of last month is wrong", LABELS[row % 3]),
    "id, quoted text, label": lambda row: (
        str(row),
        f"Ticket {row}: the invoice of last month, sent by mail, shows a wrong amount",
        LABELS[row % 3],
    ),
    "id, German text, label": lambda row: (
        str(row),
        f"Die Rechnung {row} für März, die per Post kam, enthält einen falschen Betrag",
        LABELS[row % 3],
    ),
}
HEADERS = {2: ("text", "label"), 3: ("id", "text", "label")}
MIB = 1 << 20


def write_rows(path: Path, shape: str, rows: int) -> None:
    """Write a file."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(HEADERS[len(SHAPES[shape](0))])
        writer.writerows(map(SHAPES[shape], range(rows)))


def measured(rows: Iterable[object], half: int) -> dict[str, float]:
    """Take all rows, and return how long that took and by how much memory rose in its second half."""
    process = psutil.Process()
    begun, middle, count = time.process_time(), 0, 0
    for count, _ in enumerate(rows, 1):
        if count == half:
            middle = process.memory_info().rss
    taken = time.process_time() - begun
    return {"rows": count, "seconds": taken, "risen_mib": (process.memory_info().rss - middle) / MIB}


def read_one(side: str, path: Path, half: int) -> None:
    """Read a file in this process, and print what that took."""
    if side == "windrow":
        from windrow.files.reading import read_rows

        result = measured(read_rows(path, labelled=True), half)
    else:
        with path.open(newline="", encoding="utf-8") as file:
            result = measured(csv.reader(file), half)
    print(json.dumps(result))


def run(side: str, path: Path, half: int) -> dict[str, float]:
    """Read a file in a process of its own."""
    command = [sys.executable, __file__, "--side", side, "--file", str(path), "--rows", str(half * 2)]
    return dict(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))


def main() -> None:
    """Measure every shape, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--side", choices=("csv", "windrow"))
    parser.add_argument("--file", type=Path)
    given = parser.parse_args()
    if given.side:
        read_one(given.side, given.file, given.rows // 2)
        return
    print(f"| {given.rows:,} rows | csv.reader | Windrow | share of its speed | memory risen in the second half |")
    print("|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for shape in SHAPES:
            path = Path(folder, "rows.csv")
            write_rows(path, shape, given.rows)
            runs = [[run(side, path, given.rows // 2) for side in ("csv", "windrow")] for _ in range(given.rounds)]
            plain, own = (statistics.median(each[side]["seconds"] for each in runs) for side in (0, 1))
            risen = max(each[1]["risen_mib"] for each in runs)
            share = statistics.median(each[0]["seconds"] / each[1]["seconds"] for each in runs)
            print(f"| {shape} | {plain:.2f} s | {own:.2f} s | {share:.0%} | {risen:.1f} MiB |", flush=True)


if __name__ == "__main__":
    main()
