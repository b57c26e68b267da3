"""Processor time of a predict: what the server's process takes for a text, beside the bare encoder or another checkout.

Time on a clock counts what other programs take of the cores; a process's own time does not, so this tells small
differences on a machine that is not idle. All sides run at the same time and are asked in alternating blocks. Shown are
medians over the blocks, and for another checkout the median of the paired ratios with its interval of 95 %.

The clock of another process is Linux's.

Run: make bench-processor OTHER=/path/to/another/checkout
"""

import argparse
import json
import random
import re
import selectors
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import cycle, islice
from pathlib import Path

import psutil
from predict_sides import BARE_TWO, BARES, BareProcess
from predict_texts import EQUAL, Supply, supplies
from versus import HERE, NAME, running, show, train

CLIENTS = 64
BARE_BATCH = 32
PAUSE_S = 0.05
LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)
Block = Callable[[], float]
Send = Callable[[str, Sequence[str]], None]


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("other", type=Path, nargs="?", help="another checkout")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--only", default="", help="measures whose names hold this")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        checkouts = [HERE, *([asked.other] if asked.other else [])]
        data_dir = Path(folder) / "data"
        with running(checkouts[-1], data_dir) as (url, _, _):
            train(url)
        servers = []
        for number, checkout in enumerate(checkouts):
            shutil.copytree(data_dir, own := Path(folder) / str(number))
            servers.append(stack.enter_context(running(checkout, own))[:2])
        supply = supplies(None)[EQUAL]
        for name, count, send in MEASURES:
            if asked.only in name:
                blocks = [server_block(*server, texts_of(name, supply, count), send) for server in servers]
                report(name, in_turns(asked.rounds, blocks))
        if asked.only in BARE_TWO:
            bare = stack.enter_context(bare_process())
            report(
                f"bare encoder, two callers, batches of {BARE_BATCH}",
                in_turns(asked.rounds, [bare_block(*bare, supply)]),
            )


def texts_of(name: str, supply: Supply, count: int) -> Callable[[], list[str]]:
    """Return what gives the texts of a block: new ones each time, or the same few."""
    known = supply.peek(CLIENTS)

    def texts() -> list[str]:
        if name.startswith("known"):
            return list(islice(cycle(known), count))
        new = supply.peek(count)
        supply.use(count)
        return new

    return texts


def server_block(url: str, server: psutil.Process, texts: Callable[[], list[str]], send: Send) -> Block:
    """Return what measures the microseconds of the server's process that a text takes."""

    def block() -> float:
        batch = texts()
        before = processor_s(server)
        send(url, batch)
        return (processor_s(server) - before) * 1e6 / len(batch)

    return block


def bare_block(bare: BareProcess, process: psutil.Process, supply: Supply) -> Block:
    """Return what measures the same of the bare encoder."""
    bare.batch_size = BARE_BATCH

    def block() -> float:
        count = CLIENTS * 10
        texts = supply.peek(count)
        supply.use(count)
        before = processor_s(process)
        bare.closed_loop(texts, CLIENTS, seconds=60)
        return (processor_s(process) - before) * 1e6 / count

    return block


@contextmanager
def bare_process() -> Iterator[tuple[BareProcess, psutil.Process]]:
    """Run the bare encoder in a process of its own."""
    program = [sys.executable, str(Path(__file__).with_name("bare.py"))]
    process = psutil.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        print(json.dumps(BARES[BARE_TWO]), file=process.stdin, flush=True)
        bare = BareProcess(process)
        bare.warm_up()
        yield bare, process
    finally:
        process.kill()
        process.wait()


def processor_s(process: psutil.Process) -> float:
    """Return the user and system time of a process so far, to the nanosecond (``clock_getcpuclockid`` of glibc)."""
    return time.clock_gettime((~process.pid << 3) | 2)


def one_by_one(url: str, texts: Sequence[str]) -> None:
    """Ask from one client, one text after the other."""
    ask(url, texts, 1)


def with_pauses(url: str, texts: Sequence[str]) -> None:
    """Ask from one client 20 times a second, so that the caches have forgotten the server in between."""
    ask(url, texts, 1, PAUSE_S)


def at_once(url: str, texts: Sequence[str]) -> None:
    """Ask from 64 clients, each the next text as soon as it has its answer."""
    ask(url, texts, CLIENTS)


def ask(url: str, texts: Sequence[str], clients: int, pause_s: float = 0.0) -> None:
    """Send each text once, in order, and read all answers."""
    host, _, port = url.partition(":")
    waiting = iter(texts)
    with selectors.DefaultSelector() as selector, ExitStack() as stack:
        for text in islice(waiting, clients):
            opened = stack.enter_context(socket.create_connection((host, int(port))))
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            selector.register(opened, selectors.EVENT_READ)
            opened.sendall(request(url, text))
        while selector.get_map():
            for key, _ in selector.select():
                connection = key.fileobj
                assert isinstance(connection, socket.socket)
                read_answer(connection)
                time.sleep(pause_s)
                if (following := next(waiting, None)) is None:
                    selector.unregister(connection)
                else:
                    connection.sendall(request(url, following))


def request(url: str, text: str) -> bytes:
    """Return the bytes of a predict; the texts have letters and blanks only."""
    body = b'{"model_name": "%s", "text": "%s"}' % (NAME.encode(), text.encode())
    head = b"POST /v1/classifier/predict HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\n" % url.encode()
    return head + b"Content-Length: %d\r\n\r\n" % len(body) + body


def read_answer(connection: socket.socket) -> None:
    """Read a whole answer, which has status 200.

    Raises:
        ConnectionError: The server closed the connection before the end.
    """
    answer = received(connection)
    while b"\r\n\r\n" not in answer:
        answer += received(connection)
    assert answer.startswith(b"HTTP/1.1 200"), answer
    head, _, body = answer.partition(b"\r\n\r\n")
    length = LENGTH.search(head)
    assert length is not None, head
    missing = int(length[1]) - len(body)
    while missing > 0:
        missing -= len(received(connection))


def received(connection: socket.socket) -> bytes:
    """Return what came next, at least one byte."""
    if not (data := connection.recv(65_536)):
        raise ConnectionError("The server closed the connection within an answer.")
    return data


MEASURES: tuple[tuple[str, int, Send], ...] = (
    ("known text, one client", 2_000, one_by_one),
    ("known text, 64 clients", 4_000, at_once),
    ("new text, one client, 20 a second", 60, with_pauses),
    ("new text, one client", 200, one_by_one),
    ("new text, 64 clients", CLIENTS * 10, at_once),
)


def in_turns(rounds: int, blocks: Sequence[Block]) -> list[tuple[float, ...]]:
    """Measure the sides in turns, the first one changing from round to round; a round before does not count."""
    for block in blocks:
        block()
    found = []
    for number in range(rounds):
        order = list(range(len(blocks)))
        random.Random(number).shuffle(order)
        taken = {side: blocks[side]() for side in order}
        found.append(tuple(taken[side] for side in range(len(blocks))))
    return found


def report(name: str, measured: list[tuple[float, ...]]) -> None:
    """Print the medians, and the ratio where there are two sides."""
    if len(measured[0]) == 2:
        show(name, [(mine, other) for mine, other in measured], "us")
    else:
        print(f"{name:<28} {statistics.median(each[0] for each in measured):8.1f} us", flush=True)


if __name__ == "__main__":
    main()
