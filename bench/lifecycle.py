"""Measure 10,000 classifiers with three revisions each: start, lists, promotions, deletions, fsck.

The classifiers are made up (fleet_data.py); the server, the disk and the network are real. Beside each promotion, a
file is written and synced on the same disk, so that what that takes can be told from what Windrow takes.

Run: make bench-lifecycle
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
from fleet_data import open_fleet
from report import markdown
from server import running_server

REVISIONS, PAGE, REPEATS = 3, 100, 30
SETTLED_S = 2.5  # until the server trusts that a new folder does not change any more

Figure = tuple[str, str, str]  # the measure, what it came to, what is wanted


def main() -> None:
    """Write the classifiers, measure, print a table."""
    parser = argparse.ArgumentParser(description="Measure versions, promotions and checks (bench/README.md).")
    parser.add_argument("--classifiers", type=int, default=10_000, help="each with three revisions [10000]")
    parser.add_argument("--parent", type=Path, help="where to put the data directory [the system's temporary one]")
    options = parser.parse_args()
    names = [f"task{number // 10:04d}_v{number % 10 + 1}" for number in range(options.classifiers)]
    with tempfile.TemporaryDirectory(dir=options.parent) as folder:
        data_dir = Path(folder)
        with running_server(data_dir):
            pass  # the first start ever exports the graph
        fleet = open_fleet(data_dir)
        for revision in range(REVISIONS):
            fleet.write(names, seed=revision)
        time.sleep(SETTLED_S)
        with running_server(data_dir) as (_, url, ready_s), httpx.Client(base_url=f"{url}/v1/classifier") as client:
            what = f"ready with {len(names):,} classifiers of {REVISIONS} revisions"
            figures = [(what, f"{ready_s:.2f} s", "< 5 s")]
            figures += measure_lists(client)
            figures += measure_changes(client, names, data_dir)
        figures += measure_fsck(data_dir)
        print(markdown(("measure", "measured", "wanted"), figures), flush=True)


def measure_lists(client: httpx.Client) -> Iterator[Figure]:
    """Measure pages of the list in several orders, each for the first time and again."""
    questions: dict[str, tuple[dict[str, str | int], str]] = {
        "page of the list": ({"limit": PAGE}, "< 50 ms"),
        "page of the list, versions of a task": ({"task": "task0042", "limit": PAGE}, "< 50 ms"),
        "page of the list, by prefix": ({"prefix": "task05", "limit": PAGE}, "< 50 ms"),
        "page of the list, newest first": ({"sort": "-created_at", "limit": PAGE}, ""),
        "page of the list, by a tag that none has": ({"tag": "nightly", "limit": PAGE}, ""),
    }
    for what, (parameters, wanted) in questions.items():
        first_ms, *again_ms = (timed(lambda: client.get("/models", params=parameters)) for _ in range(REPEATS))  # noqa: B023
        yield f"{what}, first / again", f"{first_ms:.1f} / {statistics.median(again_ms):.1f} ms", wanted
    record_ms = [timed(lambda: client.get("/models/task0007_v3")) for _ in range(REPEATS)]
    yield "a classifier's record", f"{statistics.median(record_ms):.1f} ms", ""
    latest_ms = [timed(lambda: client.get("/models/task0007@latest")) for _ in range(REPEATS)]
    yield "... of a task's highest version", f"{statistics.median(latest_ms):.1f} ms", ""


def measure_changes(client: httpx.Client, names: list[str], data_dir: Path) -> Iterator[Figure]:
    """Measure promotions, beside a bare write to the same disk, and other changes."""
    promoted_ms, bare_ms = [], []
    for number, name in enumerate(names[:REPEATS]):
        alias = f"production{number % 3}"
        body = {"model_name": name, "author": "bench"}
        promoted_ms.append(timed(lambda: client.put(f"/aliases/{alias}", json=body)))  # noqa: B023
        bare_ms.append(write_bare(data_dir / f"bare{number}"))
    yield f"promote, median of {REPEATS}", f"{statistics.median(promoted_ms):.1f} ms", "< 20 ms"
    yield f"promote, worst of {REPEATS}", f"{max(promoted_ms):.1f} ms", ""
    yield "a bare write with two syncs", f"{statistics.median(bare_ms):.1f} ms", ""
    changes: dict[str, Callable[[str], httpx.Response]] = {
        "describe": lambda name: client.patch(f"/models/{name}", json={"tags": ["bench"]}),
        "delete": lambda name: client.delete(f"/models/{name}"),
        "restore": lambda name: client.post(f"/models/{name}/restore"),
        "purge": lambda name: client.delete(f"/models/{name}", params={"purge": True}),
    }
    for verb, change in changes.items():
        took_ms = [timed(lambda: change(name)) for name in names[-REPEATS:]]  # noqa: B023
        yield f"{verb}, median of {REPEATS}", f"{statistics.median(took_ms):.1f} ms", ""
    yield "usage", f"{timed(lambda: client.get('/usage')):.0f} ms", ""


def measure_fsck(data_dir: Path) -> Iterator[Figure]:
    """Measure a check of the whole directory, in a process of its own."""
    started = time.perf_counter()
    command = [sys.executable, "-m", "windrow", "fsck", "--data-dir", str(data_dir)]
    checked = subprocess.run(command, capture_output=True, text=True, check=True)
    yield "fsck", f"{time.perf_counter() - started:.1f} s", "< 60 s"
    yield "fsck says", checked.stdout.strip().splitlines()[-1], ""


def timed(ask: Callable[[], httpx.Response]) -> float:
    """Return the milliseconds that a request took."""
    started = time.perf_counter()
    reply = ask()
    took_ms = (time.perf_counter() - started) * 1000
    if reply.is_error:
        raise RuntimeError(reply.text)
    return took_ms


def write_bare(path: Path) -> float:
    """Return the milliseconds that writing a record takes with nothing around it: the file, the folder, both synced."""
    started = time.perf_counter()
    with path.open("xb") as file:
        file.write(b"x" * 300)
        file.flush()
        os.fsync(file.fileno())
    descriptor = os.open(path.parent, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)
    took_ms = (time.perf_counter() - started) * 1000
    path.unlink()
    return took_ms


if __name__ == "__main__":
    main()
