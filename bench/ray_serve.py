"""Measure servers on Ray Serve: what 60 s of load lose with a replica killed and an upgrade, and what a predict takes.

A cluster of two nodes and moto's store run on this machine, beside the clients, so all share its cores. The latencies
are beside those of a plain server on the same store; its turns alternate with those of the cluster.

Run: make bench-ray, or PYTHONPATH=. python bench/ray_serve.py for this part alone
"""

import argparse
import statistics
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
from server import running_server

from tests.deployment.serving import LABELS, NAME, Load, Serving, serving

PREDICT = "/v1/classifier/predict"
REPLICAS = ("--min-replicas", 2, "--max-replicas", 2)


def main() -> None:
    """Run the measures and print what they found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="of load [60]")
    parser.add_argument("--clients", type=int, default=4, help="at the same time [4]")
    parser.add_argument("--rounds", type=int, default=5, help="turns of the lone predicts [5]")
    parser.add_argument("--texts", type=int, default=100, help="predicts in a turn [100]")
    options = parser.parse_args()
    with TemporaryDirectory() as folder, serving(Path(folder)) as cluster:
        cluster.deploy_here(*REPLICAS)
        cluster.fit()
        lone(cluster, Path(folder), options.rounds, options.texts)
        loaded(cluster, options.seconds, options.clients)


def lone(cluster: Serving, folder: Path, rounds: int, num_texts: int) -> None:
    """Compare predicts one after the other on the cluster with those on a plain server."""
    found: dict[str, list[float]] = {"windrow serve": [], "Ray Serve": []}
    variables = {**cluster.variables, "WINDROW_CACHE_DIR": str(folder / "plain"), "WINDROW_ENCODER_THREADS": "1"}
    with running_server(cluster.data_dir, folder, variables) as (_, url, _):
        for number in range(rounds + 1):
            for name, base in (("windrow serve", url), ("Ray Serve", cluster.url)):
                times = predicts(base, number, num_texts)
                if number:  # the first turn warms up
                    found[name] += times
    print("| one client | p50 | p99 |\n|---|---|---|")
    for name, times in found.items():
        print(f"| {name} | {statistics.median(times) * 1e3:.1f} ms | {quantile(times, 0.99) * 1e3:.1f} ms |")


def predicts(url: str, number: int, num_texts: int) -> list[float]:
    """Return how long each of some predicts takes, in seconds."""
    times = []
    with httpx.Client(base_url=url, timeout=60) as client:
        for each in range(num_texts):
            body = {"model_name": NAME, "text": f"{LABELS[each % 3]} {number} {each}"}
            start = time.perf_counter()
            reply = client.post(PREDICT, json=body)
            times.append(time.perf_counter() - start)
            if number:
                reply.raise_for_status()
    return times


def loaded(cluster: Serving, seconds: int, clients: int) -> None:
    """Count what fails under load, with a replica killed after a sixth of the time and an upgrade after a third."""
    began = time.monotonic()
    with Load(cluster.url, clients) as load:
        wait(began + seconds / 6)
        cluster.kill_replica()
        print(f"after {time.monotonic() - began:.0f} s: a replica is killed")
        wait(began + seconds / 3)
        upgrade = time.monotonic()
        cluster.deploy_here(*REPLICAS)
        print(f"after {upgrade - began:.0f} s: an upgrade, which takes {time.monotonic() - upgrade:.0f} s")
        wait(began + seconds)
    tell(load, time.monotonic() - began)


def tell(load: Load, seconds: float) -> None:
    """Print what a load met."""
    times = load.latencies_s
    print(f"{load.num_requests} requests in {seconds:.0f} s by {load.clients} clients")
    print(f"failed at first: {shown(load.failed_at_first)}; again after one retry: {shown(load.failed_again)}")
    print(f"wrong answers: {len(load.wrong)}")
    p50_ms, p99_ms = statistics.median(times) * 1e3, quantile(times, 0.99) * 1e3
    print(f"p50 {p50_ms:.1f} ms, p99 {p99_ms:.1f} ms, longest {max(times):.2f} s")


def shown(failures: Counter[str]) -> str:
    """Return how many failures there were of each kind."""
    kinds = ", ".join(f"{count} {kind}" for kind, count in failures.items())
    return f"{failures.total()} ({kinds})" if kinds else "0"


def quantile(times: list[float], share: float) -> float:
    """Return the time below which a share of some times lies."""
    return sorted(times)[int(share * (len(times) - 1))]


def wait(moment: float) -> None:
    """Wait until a moment of the monotonic clock."""
    time.sleep(max(0.0, moment - time.monotonic()))


if __name__ == "__main__":
    main()
