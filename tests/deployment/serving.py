"""A deployment on a cluster as users make it, with the command; and clients that send it requests for a while."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import httpx
import psutil

from tests.clusters.ray_cluster import RayCluster, ray_cluster
from tests.object_stores.servers import moto
from tests.ports import HOST, free_port

# What does not come by then never does, also where others need the machine.
TIMEOUT_S = 240
# So many that Ray sets aside; nobody keeps a replica from taking more or less.
NODE_CPUS = 4
RETRY_DELAY_S = 0.2
RETRIED = (502, 503, 504)
LABELS = ("refund", "invoice", "login")
NAME = "tickets_v1"


@dataclass(frozen=True, slots=True)
class Serving:
    """A cluster, a store, and what is deployed on them."""

    cluster: RayCluster
    data_dir: str
    port: int
    cache: Path
    variables: Mapping[str, str]

    @property
    def url(self) -> str:
        """Where the proxies answer."""
        return f"http://{HOST}:{self.port}"

    def deploy(self, *options: object, **variables: str) -> "subprocess.CompletedProcess[str]":
        """Run ``windrow deploy ray`` with further options."""
        command = [sys.executable, "-m", "windrow", "deploy", "ray", *map(str, options)]
        environment = {**os.environ, **self.cluster.variables, **variables}
        return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=TIMEOUT_S * 2)

    def deploy_here(self, *options: object) -> str:
        """Deploy on the store, and return what the command says."""
        done = self.deploy("--data-dir", self.data_dir, "--port", self.port, *options)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def client(self) -> httpx.Client:
        """Return a client with connections of its own, so that it comes to any proxy."""
        return httpx.Client(base_url=self.url, timeout=TIMEOUT_S)

    def replicas(self) -> list[psutil.Process]:
        """Return the processes of the replicas of this cluster."""
        return [each for each in psutil.process_iter() if self._is_replica(each)]

    def _is_replica(self, process: psutil.Process) -> bool:
        try:
            titles = process.cmdline()
            return bool(
                titles
                and titles[0].startswith("ray::ServeReplica:windrow")
                and process.environ().get("WINDROW_CACHE_DIR") == str(self.cache)
            )
        except psutil.Error:
            return False

    def kill_replica(self) -> None:
        """End a replica as the kernel does that runs out of memory, and wait until it has ended."""
        victim = self.replicas()[0]
        victim.send_signal(signal.SIGKILL)
        victim.wait(TIMEOUT_S)

    def fit(self) -> None:
        """Train a classifier that says which of three words a text has, which every replica knows within a second."""
        rows = [{"text": f"{label} number {number}", "label": label} for label in LABELS for number in range(8)]
        with self.client() as client:
            reply = client.post(
                "/v1/classifier/fit", json={"model_name": NAME, "training_data": rows, "num_iterations": 0}
            )
        assert reply.status_code == 200, reply.text


@contextmanager
def serving(folder: Path) -> Iterator[Serving]:
    """Start a store and a cluster of two nodes, on which nothing is deployed yet."""
    cache = folder / "cache"
    with moto() as store:
        variables = {**store.variables(), "WINDROW_CACHE_DIR": str(cache)}
        with ray_cluster(NODE_CPUS, NODE_CPUS, log=folder / "nodes.log", has_clients=False, **variables) as cluster:
            yield Serving(cluster, store.new_data_dir(), free_port(), cache, variables)


@dataclass
class Load:
    """Clients that predict one text after the other inside a ``with`` block, and send what failed once more.

    Args:
        url: The server.
        clients: How many.
        pause_s: How long each client waits before its next request.
    """

    url: str
    clients: int = 4
    pause_s: float = 0.0
    num_requests: int = 0
    failed_at_first: Counter[str] = field(default_factory=Counter)
    failed_again: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    latencies_s: list[float] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _end: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._threads = [threading.Thread(target=self._ask, args=(number,)) for number in range(self.clients)]
        for each in self._threads:
            each.start()
        self.wait_for(self.clients)
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        for each in self._threads:
            each.join(TIMEOUT_S)

    def wait_for(self, more: int) -> None:
        """Wait until so many more requests are answered."""
        wanted, deadline = self.num_requests + more, time.monotonic() + TIMEOUT_S
        while self.num_requests < wanted:
            assert time.monotonic() < deadline, self
            time.sleep(0.02)

    def _ask(self, number: int) -> None:
        with httpx.Client(base_url=self.url, timeout=TIMEOUT_S) as client:
            count = 0
            while not self._end.is_set():
                label, count = LABELS[count % len(LABELS)], count + 1
                self._predict(client, label, f"{label} number {count % 50} of {number}")
                self._end.wait(self.pause_s)

    def _predict(self, client: httpx.Client, label: str, text: str) -> None:
        began = time.perf_counter()
        for failed in (self.failed_at_first, self.failed_again):
            problem = self._try(client, label, text)
            if not problem:
                break
            with self._lock:
                failed[problem] += 1
            time.sleep(RETRY_DELAY_S)
        with self._lock:
            self.num_requests += 1
            self.latencies_s.append(time.perf_counter() - began)

    def _try(self, client: httpx.Client, label: str, text: str) -> str:
        """Send a request, and return why it failed; empty where it did not."""
        try:
            reply = client.post("/v1/classifier/predict", json={"model_name": NAME, "text": text})
        except httpx.TransportError as error:
            return type(error).__name__
        if reply.status_code == 200:
            if reply.json()["label"] != label:
                self.wrong.append(f"{text}: {reply.text}")
            return ""
        return f"{reply.status_code} {reply.headers.get('content-type', '')}"
