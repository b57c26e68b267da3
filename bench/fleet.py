"""Measure one server that answers for thousands of classifiers: start, lists, memory, first answers, mixed traffic.

The classifiers are made up (fleet_data.py); the server, the disk and the network are real. What is compared is measured
in turns, so that a drift of the machine's speed hits both.

Run: make bench-fleet
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPConnection
from itertools import cycle, islice
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
from fleet_data import open_fleet
from load import Result, closed_loop
from predict_texts import MIXED, Supply, supplies
from report import markdown
from server import running_server

TEXT = "I was charged twice for my subscription this month"
PAGE, COLD, FAN_OUT, CLIENTS = 100, 50, 100, 64
ADAPTED, DISTINCT_ADAPTERS = 200, 32
PAIRS, REPEATS = 60, 20
SETTLED_S = 2.5  # until the server trusts that a new folder does not change any more
MOST_PER_S = 2_000  # no server here is faster, so that bodies do not run out

Figure = tuple[str, str, str]  # the measure, what it came to, what is wanted


@dataclass(frozen=True, slots=True)
class Server:
    """A running server, seen by one client. What is in milliseconds is from the request to the whole reply.

    Args:
        process: Its process.
        url: Its address.
        connection: The client's.
    """

    process: psutil.Process
    url: str
    connection: HTTPConnection

    def ask(self, path: str, body: dict[str, object] | None = None) -> tuple[float, Any]:
        """Return the milliseconds that a verb took, and its reply."""
        content = None if body is None else json.dumps(body)
        started = time.perf_counter()
        self.connection.request(
            "POST" if content else "GET", f"/v1/classifier/{path}", content, {"Content-Type": "application/json"}
        )
        reply = self.connection.getresponse()
        raw = reply.read()
        took_ms = (time.perf_counter() - started) * 1000
        if reply.status != 200:
            raise RuntimeError(raw.decode())
        return took_ms, json.loads(raw)

    def predict(self, names: str | Sequence[str], text: str = TEXT) -> float:
        """Return the milliseconds that one text took, for one name or for many."""
        key = "model_name" if isinstance(names, str) else "model_names"
        return self.ask("predict", {key: names, "text": text})[0]


def main() -> None:
    """Write the classifiers, measure, print two tables."""
    options = parse_options()
    texts = supplies(options.data)[MIXED]
    names = [f"classifier_{number:05d}" for number in range(options.classifiers)]
    adapted = [f"adapted_{number:05d}" for number in range(ADAPTED)]
    with tempfile.TemporaryDirectory() as folder:
        data_dir = Path(folder)
        with running_server(data_dir):
            pass  # the first start ever exports the graph
        write_classifiers(data_dir, names, adapted)
        with running_server(data_dir) as (process, url, ready_s):
            figures = [(f"ready with {len(names) + ADAPTED:,} classifiers", f"{ready_s:.2f} s", "< 5 s")]
            server = Server(process, url, HTTPConnection(urlsplit(url).netloc))
            some = islice(names, PAGE + 1, None)  # what the first page does not show
            figures += measure_first_answers(server, list(islice(some, COLD)))
            figures += measure_memory(server, list(islice(some, PAGE)), list(islice(some, len(names) // 5)))
            figures += measure_fan_out(server, list(islice(some, FAN_OUT)), texts)
            figures += measure_lists(server)
            print(markdown(("measure", "measured", "wanted"), figures), flush=True)
            sides = {
                "one classifier": names[-1:],
                f"spread over {(spread := min(1_000, len(names) // 5)):,}": names[-spread:],
                "one adapter": adapted[:1],
                f"{DISTINCT_ADAPTERS} adapters under {ADAPTED} names": adapted,
            }
            load = Load(server, Path(folder, "bodies.jsonl"), texts, options.seconds)
            print("\n" + compare_traffic(load, sides, options.rounds))


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Measure thousands of classifiers on one server (bench/README.md).")
    parser.add_argument("--data", type=Path, help="folder of sets whose texts are asked about [words drawn by chance]")
    parser.add_argument("--classifiers", type=int, default=10_000, help="with a head alone, at least 1,000 [10000]")
    parser.add_argument("--rounds", type=int, default=5, help="blocks of traffic for each side [5]")
    parser.add_argument("--seconds", type=float, default=10, help="of each block [10]")
    options = parser.parse_args()
    if options.classifiers < 1_000:
        parser.error("--classifiers must be at least 1000")
    return options


def write_classifiers(data_dir: Path, names: Sequence[str], adapted: Sequence[str]) -> None:
    """Write all classifiers, and wait until their folders are old enough to be trusted."""
    fleet = open_fleet(data_dir)
    fleet.write(names)
    fleet.write_adapted(adapted, DISTINCT_ADAPTERS)
    time.sleep(SETTLED_S)


def measure_first_answers(server: Server, names: Sequence[str]) -> Iterator[Figure]:
    """Compare the first answer of a classifier that is not in memory with its second."""
    server.predict("classifier_00000")  # the text is encoded from here on
    pairs = [(server.predict(name), server.predict(name)) for name in names]
    cold_ms, warm_ms = (statistics.median(times) for times in zip(*pairs, strict=True))
    beyond_ms = sorted(cold - warm for cold, warm in pairs)
    yield "first predict of a cold classifier", f"{cold_ms:.2f} ms", ""
    yield "second predict, same text", f"{warm_ms:.2f} ms", ""
    yield "cold beyond warm, median", f"{statistics.median(beyond_ms):.2f} ms", "< 20 ms"
    yield f"cold beyond warm, worst of {len(names)}", f"{beyond_ms[-1]:.2f} ms", ""


def measure_memory(server: Server, before: Sequence[str], names: Sequence[str]) -> Iterator[Figure]:
    """Measure what the server grows by with each classifier that it loads.

    Args:
        server: The server.
        before: Cold classifiers that grow its pools first.
        names: Cold classifiers that count. All get the same text, so that only classifiers take memory.
    """
    for name in before:
        server.predict(name)
    rss_bytes = server.process.memory_info().rss
    for name in names:
        server.predict(name)
    grown_bytes = (server.process.memory_info().rss - rss_bytes) / len(names)
    yield f"memory of one more loaded classifier, mean of {len(names):,}", f"{grown_bytes / 1000:.1f} kB", "<= 24 kB"


def measure_fan_out(server: Server, names: Sequence[str], texts: Supply) -> Iterator[Figure]:
    """Compare a new text for many classifiers with a new text, of the same words, for one."""
    server.predict(names)
    pairs = []
    for text in take(texts, PAIRS):
        other = " ".join(reversed(text.split()))
        pairs.append((server.predict(names, text), server.predict(names[0], other)))
    many_ms, one_ms = (statistics.median(times) for times in zip(*pairs, strict=True))
    yield "one new text, one classifier, median", f"{one_ms:.2f} ms", ""
    yield f"one new text, {len(names)} classifiers, median", f"{many_ms:.2f} ms", ""
    yield "ratio of the two", f"{many_ms / one_ms:.2f}", "<= 1.5"


def measure_lists(server: Server) -> Iterator[Figure]:
    """Measure the list of classifiers: a page, and all of it."""
    for what, path, wanted in (
        (f"list, page of {PAGE}", f"models?limit={PAGE}", "< 50 ms"),
        ("whole list", "models", ""),
    ):
        first_ms, _ = server.ask(path)
        again_ms = statistics.median(server.ask(path)[0] for _ in range(REPEATS))
        yield f"{what}, first", f"{first_ms:.1f} ms", wanted
        yield f"{what}, again, median", f"{again_ms:.1f} ms", wanted


@dataclass(frozen=True, slots=True)
class Load:
    """Many clients at once. No text comes twice.

    Args:
        server: Whom they ask.
        bodies: File for what they ask.
        texts: What they ask about.
        seconds: How long a block of it lasts.
    """

    server: Server
    bodies: Path
    texts: Supply
    seconds: float

    def warm_up(self, names: Sequence[str]) -> None:
        """Let every classifier answer once."""
        self._write(names, [TEXT] * len(names))
        self._run(60)

    def block(self, names: Sequence[str]) -> float:
        """Return the requests a second of traffic that goes to the names in turn."""
        self._write(names, self.texts.peek(round(self.seconds * MOST_PER_S)))
        result = self._run(self.seconds)
        self.texts.use(round(result.requests_per_s * (self.seconds + 1)) + CLIENTS)  # at least those that were sent
        return result.requests_per_s

    def _write(self, names: Sequence[str], texts: Sequence[str]) -> None:
        pairs = zip(cycle(names), texts, strict=False)
        lines = [json.dumps({"model_name": name, "text": text}) + "\n" for name, text in pairs]
        self.bodies.write_text("".join(lines))

    def _run(self, seconds: float) -> Result:
        result = closed_loop(f"{self.server.url}/v1/classifier/predict", self.bodies, CLIENTS, seconds)
        if result.failed:
            raise RuntimeError(f"{result.failed} requests failed")
        return result


def compare_traffic(load: Load, sides: Mapping[str, Sequence[str]], rounds: int) -> str:
    """Return a table of the throughput of each side; many names are compared with the one name before them."""
    rates: dict[str, list[float]] = {side: [] for side in sides}
    for names in sides.values():
        load.warm_up(names)
        load.block(names)
    for turn in range(rounds):
        for side in list(sides)[:: -1 if turn % 2 else 1]:  # a drift within a round must not always hit the same side
            rates[side].append(load.block(sides[side]))
    table = []
    alone_per_s = 0.0
    for side, names in sides.items():
        median_per_s = statistics.median(rates[side])
        alone_per_s = median_per_s if len(names) == 1 else alone_per_s
        ratio = "" if len(names) == 1 else f"{median_per_s / alone_per_s:.2f}"
        table.append((side, f"{median_per_s:.0f}", f"{min(rates[side]):.0f}-{max(rates[side]):.0f}", ratio))
    return markdown((f"{CLIENTS} clients", "requests/s, median", "range", "of one's"), table)


def take(texts: Supply, count: int) -> list[str]:
    """Return texts that nobody gets again."""
    taken = texts.peek(count)
    texts.use(count)
    return taken


if __name__ == "__main__":
    main()
