"""Load from many clients at once, made by k6: a fixed number of clients, or a fixed rate whatever the server does.

Owns how k6 is started and its summary read (load.js runs inside it); knows nothing of what is asked.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from venvs import venv_bin

SCRIPT = Path(__file__).with_name("load.js")
Metrics = dict[str, dict[str, float]]  # by name, then by statistic


@dataclass(frozen=True, slots=True)
class Result:
    """What a load measured. Latencies run from the first byte sent to the last received, of every answer.

    Args:
        requests_per_s: Answers a second, from the first request to the last answer.
        p50_ms: Median latency.
        p90_ms: 90th percentile.
        p99_ms: 99th percentile.
        failed: Requests that were not answered with status 200, or never sent.
    """

    requests_per_s: float
    p50_ms: float
    p90_ms: float
    p99_ms: float
    failed: int


def closed_loop(url: str, bodies_file: Path, clients: int, seconds: float) -> Result:
    """Let clients ask, each the next question as soon as it has its answer.

    Args:
        url: Where to.
        bodies_file: One JSON body a line; each is sent once, in order. The load ends early when they are used up.
        clients: How many, each with a connection of its own.
        seconds: For how long; requests under way at the end are waited for.
    """
    bodies = count_lines(bodies_file)
    scenario = {
        "executor": "shared-iterations",
        "vus": min(clients, bodies),
        "iterations": bodies,
        "maxDuration": f"{round(seconds * 1000)}ms",
    }
    return result(run_k6(url, bodies_file, scenario))


def open_loop(url: str, bodies_file: Path, rate_per_s: float, seconds: float, clients: int) -> Result:
    """Send requests at even distances in time, without waiting for answers: what users do who know nothing of another.

    Args:
        url: Where to.
        bodies_file: One JSON body a line, at least ``rate_per_s * seconds`` of them; each is sent once, in order.
        rate_per_s: Requests a second.
        seconds: For how long; requests under way at the end are waited for.
        clients: Requests under way at once; one beyond them is not sent, and counts as failed. They take turns, each
            with a connection of its own: the fewer, the fewer are new.
    """
    if (bodies := count_lines(bodies_file)) < rate_per_s * seconds:
        raise ValueError(f"{bodies_file} has {bodies} lines; {rate_per_s * seconds:.0f} are needed")
    scenario = {
        "executor": "constant-arrival-rate",
        "rate": round(rate_per_s * 100),  # k6 takes whole numbers only
        "timeUnit": "100s",
        "duration": f"{round(seconds * 1000)}ms",
        "preAllocatedVUs": clients,
    }
    metrics = run_k6(url, bodies_file, scenario)
    return result(metrics, never_sent=metrics.get("dropped_iterations", {"count": 0})["count"])


def run_k6(url: str, bodies_file: Path, scenario: dict[str, Any]) -> Metrics:
    """Run one k6 scenario; the first failure, if any, is told on stderr."""
    environment = {
        **os.environ,
        "K6_NO_USAGE_REPORT": "true",
        "K6_AUTO_EXTENSION_RESOLUTION": "false",  # k6 must not ask the network for what the script never uses
        "URL": url,
        "BODIES": str(bodies_file.resolve()),
        "SCENARIO": json.dumps(scenario),
    }
    command = [str(venv_bin("predict") / "k6"), "run", "--quiet", "--address", "", str(SCRIPT)]
    k6 = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if k6.returncode != 0:
        raise RuntimeError(k6.stderr)
    failures = [line for line in k6.stderr.splitlines() if "level=error" in line]
    if failures:
        print(failures[0], file=sys.stderr)
    return {name: metric["values"] for name, metric in json.loads(k6.stdout)["metrics"].items()}


def result(metrics: Metrics, never_sent: float = 0) -> Result:
    """Return the result that the metrics of a run amount to."""
    latency = metrics["http_req_duration"]
    return Result(
        requests_per_s=metrics["http_reqs"]["rate"],
        p50_ms=latency["p(50)"],
        p90_ms=latency["p(90)"],
        p99_ms=latency["p(99)"],
        # Each request answers "have you failed?", and a yes is a pass.
        failed=int(metrics["http_req_failed"]["passes"]) + int(never_sent),
    )


def count_lines(path: Path) -> int:
    """Return how many lines a file has."""
    with path.open("rb") as file:
        return sum(1 for _ in file)
