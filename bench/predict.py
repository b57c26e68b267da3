"""Measure predictions: latency, throughput and the tail under load, beside a bare session and other servers.

Every side runs in processes of its own, on the same two cores, in blocks that take turns, so that a drift of the
machine's speed hits all of them. No text is asked about twice.

Run: make bench-predict DATA=/path/to/sets
"""

import argparse
import math
import os
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import cycle, islice
from pathlib import Path

import httpx
from bare import CORES, standard_graph
from draws import tickets
from predict_blocks import ALONE, BATCH_SIZE, FITTING, IDLE, REPEATED, SATURATION, THROUGHPUT, Block, append_block
from predict_sides import (
    BARE_STILL,
    BARE_TWO,
    EMPTY,
    PATIENCE_S,
    SIDES,
    WINDROW,
    BareProcess,
    Contestant,
    Server,
    started,
)
from predict_tables import tables
from predict_texts import EQUAL, MIXED, SHORT, Supply, supplies
from server import post

OUT = Path(__file__).parent / "out"
IDLE_CLIENTS = 4
TAIL_CLIENTS = 128
SATURATED = 0.7
BATCH_SIZES = (1, 8, 16, 32, 64)
SIZE_ROUNDS = 3
REPEATED_TEXTS = 64
MOST_TEXTS_PER_S = 2_000  # more than any side takes on two cores


@dataclass(frozen=True, slots=True)
class Bench:
    """What a measure has at hand.

    Args:
        contestants: Started, each waiting for its turn.
        texts: By name.
        options: Of the command line.
    """

    contestants: Sequence[Contestant]
    texts: dict[str, Supply]
    options: argparse.Namespace

    def rounds(self, without: Sequence[str]) -> Iterator[tuple[int, list[Contestant]]]:
        """Yield the number of each round and the contestants in their order, which turns round every time."""
        chosen = [contestant for contestant in self.contestants if contestant.name not in without]
        for number in range(self.options.rounds):
            yield number, chosen[:: 1 if number % 2 == 0 else -1]

    def most(self, supply: Supply) -> list[str]:
        """Return more texts than a side takes in a block."""
        return supply.peek(round(MOST_TEXTS_PER_S * self.options.seconds))

    def use(self, supply: Supply, texts_per_s: float) -> None:
        """Go on behind the texts that a side may have taken in a block, a second of grace included."""
        supply.use(math.ceil(texts_per_s * (self.options.seconds + 1)) + self.options.clients)


def main() -> None:
    """Measure, keep the raw lines, print tables."""
    options = read_options()
    if hasattr(os, "sched_setaffinity"):  # whatever is started from here on gets the same cores
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    standard_graph()
    raw = OUT / f"predict-{datetime.now(UTC):%Y%m%dT%H%M%S}.jsonl"
    blocks = []
    texts = supplies(options.data)
    with started(options.sides) as contestants:
        bench = Bench(contestants, texts, options)
        for measure in options.only:
            for block in MEASURES[measure](bench):
                print(block, file=sys.stderr, flush=True)
                append_block(raw, block)
                blocks.append(block)
    print(tables(blocks))


def read_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Measure predictions beside other servers (bench/README.md).")
    parser.add_argument("--data", type=Path, help="folder of sets, each with *.jsonl files [words drawn by chance]")
    parser.add_argument("--only", type=_one_of(MEASURES), default=list(MEASURES), help=f"[{','.join(MEASURES)}]")
    parser.add_argument("--sides", type=_one_of(SIDES), default=list(SIDES), help=f"[{','.join(SIDES)}]")
    parser.add_argument("--seconds", type=float, default=5, help="length of a block [5]")
    parser.add_argument("--rounds", type=int, default=5, help="blocks of each side [5]")
    parser.add_argument("--rate", type=float, default=20, help="texts a second that count as idle [20]")
    parser.add_argument("--clients", type=int, default=64, help="clients at once for the throughput [64]")
    return parser.parse_args()


def _one_of(known: Collection[str]) -> Callable[[str], list[str]]:
    def parse(text: str) -> list[str]:
        chosen = text.split(",")
        if unknown := set(chosen) - set(known):
            raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: known are {', '.join(known)}")
        return chosen

    return parse


def idle(bench: Bench) -> Iterator[Block]:
    """Ask about single texts at a rate that leaves the machine idle."""
    options = bench.options
    for name in (MIXED, SHORT):
        supply = bench.texts[name]
        for number, contestants in bench.rounds(without=[BARE_TWO]):
            texts = supply.peek(round(options.rate * options.seconds))
            for contestant in contestants:
                with contestant.turn() as side:
                    result = side.open_loop(texts, options.rate, IDLE_CLIENTS)
                yield Block(IDLE, name, contestant.name, number, result, rate_per_s=options.rate)
            supply.use(len(texts))


def throughput(bench: Bench) -> Iterator[Block]:
    """Ask about as many texts as each side takes."""
    options = bench.options
    for name in (EQUAL, MIXED):
        supply = bench.texts[name]
        yield from batch_sizes(bench, name)
        for number, contestants in bench.rounds(without=[BARE_STILL, EMPTY]):
            texts, fastest = bench.most(supply), 0.0
            for contestant in contestants:
                with contestant.turn() as side:
                    result = side.closed_loop(texts, options.clients, options.seconds)
                fastest = max(fastest, result.requests_per_s)
                size = side.batch_size if isinstance(side, BareProcess) else None
                yield Block(THROUGHPUT, name, contestant.name, number, result, batch_size=size)
            bench.use(supply, fastest)
    yield from repeated(bench)


def batch_sizes(bench: Bench, name: str) -> Iterator[Block]:
    """Find the best batch size of each bare side, and let it keep that."""
    texts, seconds = bench.most(bench.texts[name]), bench.options.seconds / 2  # no cache: they may come again
    for contestant in bench.contestants:
        side = contestant.side
        if isinstance(side, BareProcess) and contestant.name != BARE_STILL:
            rates = dict.fromkeys(BATCH_SIZES, 0.0)
            for number in range(SIZE_ROUNDS):
                for size in BATCH_SIZES:
                    side.batch_size = size
                    with contestant.turn():
                        result = side.closed_loop(texts, size, seconds)
                    # The best of several: what disturbs only ever slows down.
                    rates[size] = max(rates[size], result.requests_per_s)
                    yield Block(BATCH_SIZE, name, contestant.name, number, result, batch_size=size)
            side.batch_size = max(rates, key=rates.__getitem__)


def repeated(bench: Bench) -> Iterator[Block]:
    """Ask Windrow about the same few texts again and again: what a cache is for."""
    texts = list(islice(cycle(bench.texts[EQUAL].peek(REPEATED_TEXTS)), 100 * MOST_TEXTS_PER_S))
    bench.texts[EQUAL].use(REPEATED_TEXTS)
    for number, contestants in bench.rounds(without=[name for name in SIDES if name != WINDROW]):
        for contestant in contestants:
            with contestant.turn() as side:
                result = side.closed_loop(texts, bench.options.clients, bench.options.seconds)
            yield Block(REPEATED, EQUAL, contestant.name, number, result)


def tail(bench: Bench) -> Iterator[Block]:
    """Ask Windrow for a fixed share of what it takes, alone and while fits run."""
    options, supply = bench.options, bench.texts[MIXED]
    for number, contestants in bench.rounds(without=[name for name in SIDES if name != WINDROW]):
        for contestant in contestants:
            with contestant.turn() as side:
                assert isinstance(side, Server)
                fit(side.root)  # the first one also starts what trains
                result = side.closed_loop(bench.most(supply), options.clients, options.seconds)
                yield Block(SATURATION, MIXED, contestant.name, number, result)
                bench.use(supply, result.requests_per_s)
                rate = SATURATED * result.requests_per_s
                for measure, company in ((ALONE, no_fits), (FITTING, fits)):
                    texts = supply.peek(round(rate * options.seconds))
                    with company(side.root) as finished:
                        result = side.open_loop(texts, rate, TAIL_CLIENTS)
                        count = len(finished)
                    yield Block(measure, MIXED, contestant.name, number, result, rate_per_s=rate, fits=count)
                    supply.use(len(texts))


@contextmanager
def fits(root: str) -> Iterator[Sequence[float]]:
    """Fit one classifier after the other until the block ends; yield the seconds of those that are finished."""
    finished: list[float] = []
    stop = threading.Event()

    def run() -> None:
        while not stop.is_set():
            finished.append(fit(root))

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(run)
        try:
            yield finished
        finally:
            stop.set()
            running.result()


def no_fits(root: str) -> AbstractContextManager[Sequence[float]]:  # noqa: ARG001 - stands where fits stands
    """Leave the server alone."""
    return nullcontext(())


def fit(root: str) -> float:
    """Have an adapter trained on 48 rows; return the seconds that it took."""
    rows = [{**row, "text": hello + row["text"]} for hello in ("", "Hello! ") for row in tickets()]
    with httpx.Client(base_url=root, timeout=PATIENCE_S) as client:
        started_at = time.perf_counter()
        post(client, "fit", {"model_name": "fitted_meanwhile", "training_data": rows})
        return time.perf_counter() - started_at


MEASURES: dict[str, Callable[[Bench], Iterator[Block]]] = {"idle": idle, "throughput": throughput, "tail": tail}

if __name__ == "__main__":
    main()
