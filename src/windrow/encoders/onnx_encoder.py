"""Run an encoder's graphs on ONNX Runtime: tokenize texts and compute their features."""

import threading
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from windrow.arrays import Floats, Ids, Packing, pack, pooling_matrix
from windrow.domain.errors import InvalidBaseModel
from windrow.encoders.adapters import Adapter, pack_adapter, stack_adapters
from windrow.encoders.cores import ThreadAffinity, choose_affinity, usable_cores
from windrow.encoders.folder import EncoderFolder
from windrow.encoders.graph_cache import find_graph_problem, find_or_build_graphs
from windrow.encoders.layout import ADAPTED_TOP_FILE, TOP_FILE, TRUNK_FILE, top_layers
from windrow.settings import set_unless_set

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from tokenizers import Tokenizer

SPIN_US = 200


class Parallelism(Enum):
    """The number of cores that one computation uses.

    Measured on two cores, texts of 20 tokens on average: two computations on one core each reach 6,800 tokens/s in
    batches of 32 tokens and 7,800 in batches of 128; one on both cores 4,500 and 6,700, but a lone short text is
    answered in 3.0 ms instead of 4.5.
    """

    ONE_CORE = "one core"
    ALL_CORES = "all cores"


@dataclass(frozen=True, slots=True, eq=False)
class Tokens:
    """A tokenized text.

    Args:
        ids: Shape [n], int64, n at least 1.
        truncated: Whether the text was longer than the encoder's maximum.
    """

    ids: Ids
    truncated: bool


def token_counts(batch: Sequence[Tokens]) -> npt.NDArray[np.int32]:
    """Return the number of tokens of each text; shape [n]."""
    return np.array([len(tokens.ids) for tokens in batch], np.int32)


class TextEncoder(Protocol):
    """One loaded base model; thread-safe. ``encode``, ``states`` and ``features`` compute one batch each."""

    @property
    def folder(self) -> EncoderFolder:
        """The base model's sizes and files."""
        ...

    def tokenize(self, texts: Sequence[str]) -> list[Tokens]:
        """Return the tokens of each text, with the base model's prompt before it."""
        ...

    def encode(self, batch: Sequence[Tokens], adapters: Sequence[Adapter | None], parallelism: Parallelism) -> Floats:
        """Return the features of texts, each with its own adapter.

        Args:
            batch: At least one text.
            adapters: One per text; ``None`` for the unchanged encoder. Equal ones should be the same object.
            parallelism: The number of cores to use. It changes results by rounding at most.

        Returns:
            Shape [n, feature_size], float32; each third (one layer) of a row has length 1. A row depends on its text
            and adapter alone, not on the rest of the batch.
        """
        ...

    def states(self, batch: Sequence[Tokens]) -> Floats:
        """Return the states below the top layers, which no adapter changes, on one core.

        Args:
            batch: At least one text.

        Returns:
            One state per token, text after text; shape [T, hidden], float32.
        """
        ...

    def features(self, states: Floats, lengths: npt.NDArray[np.int32], adapter: Adapter | None = None) -> Floats:
        """Return the features of :meth:`encode` from precomputed states, on one core.

        Args:
            states: Shape [T, hidden], float32.
            lengths: The number of tokens of each text, at least one text; shape [n].
            adapter: The adapter for all of them.

        Returns:
            Shape [n, feature_size], float32.
        """
        ...


class OnnxEncoder:
    """A :class:`TextEncoder` on ONNX Runtime. Made by :func:`load_encoder`.

    Each ONNX session holds its own reordered copy of the weights, so there are few. Batches without any adapter have
    sessions of their own, since the 100 nodes that adapters need cost a batch 4 %, and a single short text on all cores
    more; those for adapters are opened on first use.
    """

    def __init__(self, folder: EncoderFolder, graphs: Path, tokenizer: "Tokenizer", threads: int) -> None:
        self._folder = folder
        self._graphs = graphs
        self._tokenizer = tokenizer
        self._threads = threads
        self._affinity = choose_affinity(threads)
        self._no_change = pack_adapter(folder, {})
        self._sessions: dict[tuple[str, int], InferenceSession] = {}
        self._opening_lock = threading.Lock()
        # What is opened later may have been damaged since the graphs were checked.
        self._is_loaded = False
        # Without layers below the top, the trunk only looks up embeddings, and more threads cost time.
        self._trunk_parallelism = Parallelism.ALL_CORES if top_layers(folder).start else Parallelism.ONE_CORE
        self._session(TRUNK_FILE, self._trunk_parallelism)
        self._session(TOP_FILE, Parallelism.ALL_CORES)
        self._session(TOP_FILE, Parallelism.ONE_CORE)
        self._is_loaded = True

    @property
    def folder(self) -> EncoderFolder:
        """The base model's sizes and files."""
        return self._folder

    def tokenize(self, texts: Sequence[str]) -> list[Tokens]:
        """See :meth:`TextEncoder.tokenize`."""
        prompted = [self._folder.prompt + text for text in texts] if self._folder.prompt else list(texts)
        if len(prompted) == 1:  # a batch would wake idle threads for nothing
            encodings = [self._tokenizer.encode(prompted[0])]
        else:
            encodings = self._tokenizer.encode_batch_fast(prompted)
        return [Tokens(np.array(each.ids, np.int64), bool(each.overflowing)) for each in encodings]

    def encode(self, batch: Sequence[Tokens], adapters: Sequence[Adapter | None], parallelism: Parallelism) -> Floats:
        """See :meth:`TextEncoder.encode`."""
        packing = pack(token_counts(batch))
        return self._run_top(self._run_trunk(batch, packing, parallelism), packing, adapters, parallelism)

    def states(self, batch: Sequence[Tokens]) -> Floats:
        """See :meth:`TextEncoder.states`."""
        packing = pack(token_counts(batch))
        return self._run_trunk(batch, packing, Parallelism.ONE_CORE)

    def features(self, states: Floats, lengths: npt.NDArray[np.int32], adapter: Adapter | None = None) -> Floats:
        """See :meth:`TextEncoder.features`."""
        return self._run_top(states, pack(lengths), [adapter] * len(lengths), Parallelism.ONE_CORE)

    def _run_trunk(self, batch: Sequence[Tokens], packing: Packing, parallelism: Parallelism) -> Floats:
        ids = np.concatenate([tokens.ids for tokens in batch])
        if self._trunk_parallelism is Parallelism.ONE_CORE:
            parallelism = Parallelism.ONE_CORE
        return self._run(
            TRUNK_FILE, parallelism, _indices(packing) | {"token_ids": ids, "positions": packing.positions}
        )

    def _run_top(
        self, states: Floats, packing: Packing, adapters: Sequence[Adapter | None], parallelism: Parallelism
    ) -> Floats:
        pooling = pooling_matrix(packing.lengths, self._folder.pooling)
        inputs = _indices(packing) | {"states": states, "pooling": pooling}
        if not any(adapters):
            return self._run(TOP_FILE, parallelism, inputs)
        down, up, mask = stack_adapters([adapter or self._no_change for adapter in adapters], packing.lengths)
        return self._run(ADAPTED_TOP_FILE, parallelism, inputs | {"down": down, "up": up, "rank_mask": mask})

    def _run(self, file: str, parallelism: Parallelism, inputs: Mapping[str, npt.NDArray[Any]]) -> Floats:
        session = self._session(file, parallelism)
        with self._pinned(parallelism):
            output: Floats = session.run(None, inputs)[0]
        return output

    def _pinned(self, parallelism: Parallelism) -> AbstractContextManager[None]:
        if parallelism is Parallelism.ONE_CORE or self._affinity is None:
            return nullcontext()
        return self._affinity.pin_caller()

    def _session(self, file: str, parallelism: Parallelism) -> "InferenceSession":
        threads = self._threads if parallelism is Parallelism.ALL_CORES else 1
        if (file, threads) in self._sessions:
            return self._sessions[file, threads]
        with self._opening_lock:
            if (file, threads) not in self._sessions:
                if self._is_loaded and (problem := find_graph_problem(self._graphs)) is not None:
                    raise _graph_unusable(self._graphs / file, problem)
                affinity = self._affinity if threads > 1 else None
                self._sessions[file, threads] = _open_session(self._graphs / file, threads, affinity)
            return self._sessions[file, threads]


def load_encoder(folder: EncoderFolder, data_dir: Path, threads: int = 0) -> OnnxEncoder:
    """Open a base model for encoding, building its graphs on first use.

    Args:
        folder: The base model.
        data_dir: The data directory, where built graphs are stored.
        threads: The number of computing threads; 0 for one per physical core that this process may use.

    Raises:
        InvalidBaseModel: Its weights, tokenizer or graphs cannot be used.
        StorageFull: The disk is full.
        StorageFailed: The data directory cannot be written.
    """
    graphs = find_or_build_graphs(folder, data_dir)
    return OnnxEncoder(folder, graphs, open_tokenizer(folder), threads or usable_cores())


def _indices(packing: Packing) -> dict[str, npt.NDArray[Any]]:
    return {name: getattr(packing, name) for name in ("padded_index", "packed_index", "lengths")}


def _open_session(path: Path, threads: int, affinity: ThreadAffinity | None) -> "InferenceSession":
    # Since 1.32 it would write down an id of this machine, and look for a host of its makers to send figures to. The
    # variable is read when it is imported.
    set_unless_set("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime
    from onnxruntime.capi import onnxruntime_pybind11_state as failures

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 4
    # Threads that wait for each other inside a run spin for a moment, which saves a short text's time on idle cores; by
    # default they would go on after the run, and take the cores from the web server and from trainings. Measured on two
    # cores, one short text, every 3 ms / in a closed loop / processor time / texts a second in 8 threads: 200 us 2.9,
    # 2.6, 6.3, 413; none 3.6, 3.0, 5.7, 421; default 2.7, 2.5, 8.6, 393.
    options.add_session_config_entry("session.intra_op.spin_duration_us", str(SPIN_US))
    if affinity is not None:
        options.add_session_config_entry("session.intra_op_thread_affinities", affinity.worker_processors)
    # Every batch has other shapes, so a cached memory plan rarely fits: without it 11 MB less, and no slower.
    options.enable_mem_pattern = False
    try:
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except (
        failures.Fail,
        failures.InvalidArgument,
        failures.InvalidGraph,
        failures.InvalidProtobuf,
        failures.NoSuchFile,
        failures.RuntimeException,
    ) as error:
        raise _graph_unusable(path, str(error)) from error


def _graph_unusable(path: Path, why: str) -> InvalidBaseModel:
    return InvalidBaseModel(
        "The graph {file} cannot be opened ({why}). Delete the folder {folder}; it is built anew.",
        {"folder": str(path.parent), "file": str(path), "why": why.rstrip(".")},
    )


def open_tokenizer(folder: EncoderFolder) -> "Tokenizer":
    """Open a base model's tokenizer, which truncates texts to its most tokens and pads none.

    Raises:
        InvalidBaseModel: It cannot be used.
    """
    from tokenizers import Tokenizer, normalizers

    try:
        tokenizer = Tokenizer.from_file(str(folder.tokenizer_path))
    except Exception as error:  # tokenizers raises nothing narrower
        raise _tokenizer_invalid(folder, f"cannot be read ({error})") from error
    if not tokenizer.encode("").ids:
        raise _tokenizer_invalid(folder, "adds no special tokens, so that some texts would have no token at all")
    if tokenizer.get_vocab_size() > folder.vocabulary:
        raise _tokenizer_invalid(folder, f"knows more tokens than the model ({folder.vocabulary})")
    tokenizer.no_padding()
    tokenizer.enable_truncation(folder.max_tokens)
    if folder.lowercase:
        after = [tokenizer.normalizer] if tokenizer.normalizer else []
        tokenizer.normalizer = normalizers.Sequence([normalizers.Lowercase(), *after])
    return tokenizer


def _tokenizer_invalid(folder: EncoderFolder, problem: str) -> InvalidBaseModel:
    return InvalidBaseModel(
        "The tokenizer {file} {why}. Copy the model again.", {"file": str(folder.tokenizer_path), "why": problem}
    )
