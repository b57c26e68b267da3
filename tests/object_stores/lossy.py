"""A proxy in a process of its own that by chance loses replies, refuses for a moment, and is slow.

Run: python -m tests.object_stores.lossy PORT-OF-THE-STORE SEED
"""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

from tests.object_stores.proxy import Answer, Drop, Fate, LoseReply, Pass, Request, Rule, proxy
from tests.source_tree import ROOT

# How often each happens.
LOST, REFUSED, DROPPED, SLOW = 0.05, 0.03, 0.02, 0.05
SLOW_S = 0.05


@contextmanager
def lossy(upstream_port: int, seed: int) -> Iterator[str]:
    """Run the proxy until the block ends; yield its endpoint."""
    command = [sys.executable, "-m", "tests.object_stores.lossy", str(upstream_port), str(seed)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()


def by_chance(seed: int) -> Rule:
    """Return a rule that draws what becomes of each request."""
    random, lock = Random(seed), threading.Lock()

    def rule(_: Request) -> Fate | None:
        with lock:
            draw = random.random()
        for share, fate in ((LOST, LoseReply()), (REFUSED, Answer(503)), (DROPPED, Drop()), (SLOW, Pass(SLOW_S))):
            if draw < share:
                return fate
            draw -= share
        return None

    return rule


def main() -> None:
    """Serve until the process is ended."""
    with proxy(int(sys.argv[1]), by_chance(int(sys.argv[2]))) as running:
        print(running.endpoint, flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
