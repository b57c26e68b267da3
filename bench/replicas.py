"""Measure servers on an object store: what a predict costs beside a folder, how soon others see a change, requests.

The store is moto's server on this machine, one request at a time; it says nothing of how long a real store takes. The
servers' predicts take turns, so that a drift of the machine's speed hits both.

Run: make bench-replicas
"""

import argparse
import re
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
from draws import tickets
from server import post, running_server

ROOT = Path(__file__).parent.parent
LOG_LINE = re.compile(r"([A-Z]+) (/\S*) HTTP")  # which may be in colour
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}  # moto takes any
POLL_S = 0.01
IDLE_S = 20


@contextmanager
def moto(folder: Path) -> Iterator[tuple[str, Path]]:
    """Start a store with one bucket; yield its address and the file with a line for each request."""
    log = folder / "store.log"
    with log.open("wb") as out:
        command = [sys.executable, "-m", "tests.object_stores.moto_server", "0"]
        process = subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=subprocess.STDOUT)
        try:
            while (found := re.search(r"http://127\.0\.0\.1:\d+", log.read_text())) is None:
                time.sleep(0.05)
            httpx.put(f"{found[0]}/bucket").raise_for_status()
            yield found[0], log
        finally:
            process.terminate()
            process.wait(10)


def requests_in(log: Path, start: int) -> Counter[str]:
    """Return how many requests of each kind the store has logged since a byte of its log."""
    found = Counter[str]()
    for method, target in LOG_LINE.findall(log.read_text()[start:]):
        found["LIST" if method == "GET" and "list-type" in target else method] += 1
    return found


def median_ms(client: httpx.Client, name: str, texts: list[str]) -> float:
    """Return the median time of predicts, one after the other."""
    times = []
    for text in texts:
        start = time.perf_counter()
        post(client, "predict", {"model_name": name, "text": text})
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1000


def main() -> None:
    """Run the measures and print tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10, help="turns of the predicts, and changes of each kind [10]")
    parser.add_argument("--texts", type=int, default=100, help="predicts in a turn [100]")
    options = parser.parse_args()
    rows = list(tickets())
    with TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        (folder / "data").mkdir()
        store, log = stack.enter_context(moto(folder))
        variables = {"AWS_ENDPOINT_URL": store, "AWS_ALLOW_HTTP": "true", "AWS_REGION": "us-east-1", **CREDENTIALS}
        _, local_url, _ = stack.enter_context(running_server(folder / "data"))
        urls = [local_url]
        for cache in ("cache_a", "cache_b"):  # as on two machines
            own = {**variables, "WINDROW_CACHE_DIR": str(folder / cache)}
            urls.append(stack.enter_context(running_server("s3://bucket/bench", folder, own))[1])
        here, one, other = (stack.enter_context(httpx.Client(base_url=url, timeout=60)) for url in urls)
        for client in (here, one):
            post(client, "fit", {"model_name": "t_v1", "training_data": rows, "num_iterations": 0})
            post(client, "fit", {"model_name": "t_v2", "training_data": rows, "num_iterations": 0})
        predicts(options.rounds, options.texts, here, other)
        sights(options.rounds, one, other, rows)
        counted(log)


def predicts(rounds: int, num_texts: int, here: httpx.Client, there: httpx.Client) -> None:
    """Compare a server on a folder with a replica on the store."""
    locals_ms, remotes_ms = [], []
    for number in range(rounds + 1):
        texts = [f"My invoice {number} {each} was charged twice, please help" for each in range(num_texts)]
        local_ms, remote_ms = median_ms(here, "t_v1", texts), median_ms(there, "t_v1", texts)
        if number:  # the first turn warms up
            locals_ms.append(local_ms)
            remotes_ms.append(remote_ms)
    local_ms, remote_ms = statistics.median(locals_ms), statistics.median(remotes_ms)
    pairs = sorted(remote / local for local, remote in zip(locals_ms, remotes_ms, strict=True))
    print(f"predict p50: folder {local_ms:.2f} ms, object store {remote_ms:.2f} ms: {remote_ms / local_ms:.3f} times")
    print(f"of pairs of turns: {statistics.median(pairs):.3f} ({pairs[0]:.3f} to {pairs[-1]:.3f})")


def sights(rounds: int, one: httpx.Client, other: httpx.Client, rows: list[dict[str, str]]) -> None:
    """Measure how soon a replica answers by what was changed on another one."""
    found: dict[str, list[float]] = {"promote": [], "refit": [], "delete": [], "restore": []}
    one.put("/v1/classifier/aliases/t", json={"model_name": "t_v1"}).raise_for_status()
    for number in range(rounds):
        target = f"t_v{2 - number % 2}"
        fit = {"model_name": "t_v3", "training_data": rows, "num_iterations": 0}
        for change, request, is_seen in (
            ("promote", ("PUT", "aliases/t", {"model_name": target}), _has("t", "model_name", target)),
            ("refit", ("POST", "fit", fit), _has("t_v3", "revision", 3 * number + 1)),
            ("delete", ("DELETE", "models/t_v3", None), _has("t_v3", "code", "classifier_not_found")),
            ("restore", ("POST", "models/t_v3/restore", {}), _has("t_v3", "revision", 3 * number + 1)),
        ):
            method, path, body = request
            one.request(method, f"/v1/classifier/{path}", json=body).raise_for_status()
            start = time.perf_counter()
            while not is_seen(other):
                time.sleep(POLL_S)
            found[change].append(time.perf_counter() - start)
    found["revoke"] = revocations(rounds, one, other)
    print("| change | median | longest |\n|---|---|---|")
    for change, seconds in found.items():
        print(f"| {change} | {statistics.median(seconds):.2f} s | {max(seconds):.2f} s |")


def revocations(rounds: int, one: httpx.Client, other: httpx.Client) -> list[float]:
    """Return after how many seconds each a replica refuses a key that was revoked on another one."""
    created = post_key(one, "admin", "admin")
    one.headers["Authorization"] = f"Bearer {created}"
    found = []
    for number in range(rounds):
        other.headers["Authorization"] = f"Bearer {post_key(one, f'reader{number}', 'read')}"
        while other.get("/v1/classifier/models").status_code != httpx.codes.OK:
            time.sleep(POLL_S)
        one.delete(f"/v1/classifier/keys/reader{number}").raise_for_status()
        start = time.perf_counter()
        while other.get("/v1/classifier/models").status_code == httpx.codes.OK:
            time.sleep(POLL_S)
        found.append(time.perf_counter() - start)
    return found


def post_key(client: httpx.Client, name: str, scope: str) -> str:
    """Create an API key, and return it."""
    return str(post(client, "keys", {"name": name, "scopes": [scope]})["key"])


def _has(name: str, field: str, value: object) -> Callable[[httpx.Client], bool]:
    """Return what tells whether a predict's answer by a name has a value in a field."""
    body = {"model_name": name, "text": "charged"}
    return lambda client: client.post("/v1/classifier/predict", json=body).json().get(field) == value


def counted(log: Path) -> None:
    """Count what two idle replicas ask the store."""
    start = len(log.read_text())
    time.sleep(IDLE_S)
    idle = requests_in(log, start)
    print(f"two idle replicas, {IDLE_S} s: {dict(idle)}, {sum(idle.values()) / 2 / IDLE_S:.2f} requests a second each")


if __name__ == "__main__":
    main()
