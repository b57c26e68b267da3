"""The encoder at work: texts in, features out, on ONNX Runtime.

Owns sessions, tokenizing and the order of work; knows nothing of classifiers, and its graphs come ready-made.
"""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from windrow.domain.errors import ArtifactInvalid, BaseModelInvalid
from windrow.domain.recipe import BaseModel
from windrow.encoders.cores import usable_cores
from windrow.encoders.folder import EncoderFolder
from windrow.encoders.graph_files import find_or_build_graphs
from windrow.encoders.layout import ADAPTED_TOP_FILE, TOP_FILE, TRUNK_FILE, Floats, adapted_maps, feature_size
from windrow.encoders.packing import Packing, cut, pack, token_indices

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from tokenizers import Tokenizer

Adapter = Mapping[str, Floats]

# Cells (texts x longest text) in one run. Measured on MiniLM, one core, mixed lengths: 256 and 512 give 4,000 tokens/s,
# 1024 3,600, 2048 3,500, 4096 3,200, for what no longer fits the caches; and 512 keeps the arena 50 MB below 1024.
MAX_CELLS = 512
SPIN_US = 200


@dataclass(frozen=True, slots=True)
class Encoded:
    """Features of texts.

    Args:
        features: Shape [n, feature_size], float32; each third (one layer) of a row has length 1.
        truncated: Whether a text was longer than the encoder reads; shape [n], bool.
    """

    features: Floats
    truncated: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class States:
    """What the frozen trunk makes of texts: the adapted layers start from here.

    Args:
        packed: One state for each token, text after text; shape [T, hidden], float32.
        lengths: Tokens of each text; shape [n], int32.
        truncated: Whether a text was longer than the encoder reads; shape [n], bool.
    """

    packed: Floats
    lengths: npt.NDArray[np.int32]
    truncated: npt.NDArray[np.bool_]


class TextEncoder(Protocol):
    """One base model, ready to encode; safe to share between threads."""

    @property
    def base_model(self) -> BaseModel:
        """The base model, pinned."""
        ...

    @property
    def folder(self) -> EncoderFolder:
        """Its sizes, and where its files lie."""
        ...

    def encode(self, texts: Sequence[str], adapter: Adapter | None = None) -> Encoded:
        """Return the features of texts, in their order and whatever else is among them.

        Args:
            texts: Any number, none included.
            adapter: Low-rank changes of the top layers: ``layers.{i}.{map}.down`` [in, r] and ``.up`` [r, out] for
                any of the maps (:func:`windrow.encoders.layout.adapted_maps`), float32; a map without them, and every
                one with ``None``, stays as it is.

        Raises:
            ArtifactInvalid: The adapter's names or shapes are not this encoder's.
        """
        ...

    def encode_states(self, texts: Sequence[str]) -> States:
        """Return what no adapter can change, so that it is computed once: the states below the top layers."""
        ...

    def features(self, states: States, adapter: Adapter | None = None) -> Floats:
        """Return what :meth:`encode` would for the texts behind ``states``.

        Returns:
            Shape [n, feature_size], float32.

        Raises:
            ArtifactInvalid: The adapter's names or shapes are not this encoder's.
        """
        ...


class OnnxEncoder:
    """A :class:`TextEncoder` on ONNX Runtime. Made by :func:`load_encoder`."""

    def __init__(self, folder: EncoderFolder, graphs: Path, tokenizer: "Tokenizer", threads: int) -> None:
        self._folder = folder
        self._graphs = graphs
        self._tokenizer = tokenizer
        self._threads = threads
        self._trunk = _open_session(graphs / TRUNK_FILE, threads)
        self._top = _open_session(graphs / TOP_FILE, threads)
        self._adapted_top: InferenceSession | None = None
        self._opening = threading.Lock()

    @property
    def base_model(self) -> BaseModel:
        """The base model, pinned."""
        return self._folder.base_model

    @property
    def folder(self) -> EncoderFolder:
        """Its sizes, and where its files lie."""
        return self._folder

    def encode(self, texts: Sequence[str], adapter: Adapter | None = None) -> Encoded:
        """See :meth:`TextEncoder.encode`."""
        ids, lengths, truncated = self._tokenize(texts)
        features = np.empty((len(texts), feature_size(self._folder)), np.float32)
        rank = self._check(adapter)
        for chosen in cut(lengths, MAX_CELLS):
            packing = pack(lengths[chosen])
            states = self._run_trunk([ids[row] for row in chosen], packing)
            features[chosen] = self._run_top(states, packing, adapter, rank)
        return Encoded(features, truncated)

    def encode_states(self, texts: Sequence[str]) -> States:
        """See :meth:`TextEncoder.encode_states`."""
        ids, lengths, truncated = self._tokenize(texts)
        packed = np.empty((int(lengths.sum()), self._folder.hidden_size), np.float32)
        for chosen in cut(lengths, MAX_CELLS):
            packing = pack(lengths[chosen])
            packed[token_indices(lengths, chosen)] = self._run_trunk([ids[row] for row in chosen], packing)
        return States(packed, lengths, truncated)

    def features(self, states: States, adapter: Adapter | None = None) -> Floats:
        """See :meth:`TextEncoder.features`."""
        features = np.empty((len(states.lengths), feature_size(self._folder)), np.float32)
        rank = self._check(adapter)
        for chosen in cut(states.lengths, MAX_CELLS):
            chunk = states.packed[token_indices(states.lengths, chosen)]
            features[chosen] = self._run_top(chunk, pack(states.lengths[chosen]), adapter, rank)
        return features

    def _tokenize(self, texts: Sequence[str]) -> tuple[list[list[int]], npt.NDArray[np.int32], npt.NDArray[np.bool_]]:
        encodings = self._tokenizer.encode_batch_fast(list(texts))
        ids = [encoding.ids for encoding in encodings]
        truncated = np.array([bool(encoding.overflowing) for encoding in encodings], np.bool_)
        return ids, np.array([len(row) for row in ids], np.int32), truncated

    def _run_trunk(self, ids: Sequence[Sequence[int]], packing: Packing) -> Floats:
        token_ids = np.concatenate(ids).astype(np.int64)
        return _run(self._trunk, _indices(packing) | {"token_ids": token_ids, "positions": packing.positions})

    def _run_top(self, states: Floats, packing: Packing, adapter: Adapter | None, rank: int) -> Floats:
        inputs = _indices(packing) | {"states": states, "pooling": packing.pooling(self._folder.pooling)}
        if adapter is None:
            return _run(self._top, inputs)
        inputs["rank_mask"] = np.ones((len(states), rank), np.float32)
        return _run(self._open_adapted_top(), {**inputs, **self._unchanged(adapter, rank), **adapter})

    def _open_adapted_top(self) -> "InferenceSession":
        # Opened on first use: a server whose classifiers have no adapters saves its memory.
        with self._opening:
            if self._adapted_top is None:
                self._adapted_top = _open_session(self._graphs / ADAPTED_TOP_FILE, self._threads)
            return self._adapted_top

    def _check(self, adapter: Adapter | None) -> int:
        """Return the adapter's rank, after comparing its names and shapes with the top layers."""
        if adapter is None:
            return 0
        wanted = dict(adapted_maps(self._folder))
        if odd := sorted(adapter.keys() - {f"{name}.{side}" for name in wanted for side in ("down", "up")}):
            raise _adapter_invalid(f"has {odd[0]}", self.base_model)
        rank = next((int(tensor.shape[-1]) for name, tensor in adapter.items() if name.endswith(".down")), 0)
        for name in {name.rpartition(".")[0] for name in adapter}:
            rows, columns = wanted[name]
            for side, shape in (("down", (rows, rank)), ("up", (rank, columns))):
                tensor = adapter.get(f"{name}.{side}")
                if tensor is None:
                    raise _adapter_invalid(f"lacks {name}.{side}", self.base_model)
                if tensor.shape != shape or tensor.dtype != np.float32:
                    problem = f"has {name}.{side} as {tensor.dtype} {tensor.shape}, not float32 {shape}"
                    raise _adapter_invalid(problem, self.base_model)
        return rank

    def _unchanged(self, adapter: Adapter, rank: int) -> Adapter:
        """Return tensors that change nothing, for the maps that an adapter leaves alone."""
        return {
            f"{name}.{side}": np.zeros(shape, np.float32)
            for name, (rows, columns) in adapted_maps(self._folder)
            for side, shape in (("down", (rows, rank)), ("up", (rank, columns)))
            if f"{name}.{side}" not in adapter
        }


def load_encoder(folder: EncoderFolder, data_dir: Path, threads: int = 0) -> OnnxEncoder:
    """Open a base model for encoding, building its graphs on first use.

    Args:
        folder: Which one.
        data_dir: Where derived graphs are kept.
        threads: Threads that compute; 0 takes one for each physical core that this process may use.

    Raises:
        BaseModelInvalid: Its weights, tokenizer or graphs cannot be used.
        StorageFull: The disk is full.
        StorageFailed: The data directory cannot be written.
    """
    graphs = find_or_build_graphs(folder, data_dir)
    return OnnxEncoder(folder, graphs, _open_tokenizer(folder), threads or usable_cores())


def _indices(packing: Packing) -> dict[str, npt.NDArray[Any]]:
    return {
        "padded_index": packing.padded_index,
        "packed_index": packing.packed_index,
        "lengths": packing.lengths,
    }


def _run(session: "InferenceSession", inputs: Mapping[str, npt.NDArray[Any]]) -> Floats:
    output: Floats = session.run(None, inputs)[0]
    return output


def _open_session(path: Path, threads: int) -> "InferenceSession":
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
    # Every chunk has other shapes, so a remembered memory plan is seldom right: without it 11 MB less, and no slower.
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
        raise BaseModelInvalid(
            f"The graph {path} cannot be opened ({error}). Delete the folder {path.parent}; it is built anew.",
            {"folder": str(path.parent)},
        ) from error


def _open_tokenizer(folder: EncoderFolder) -> "Tokenizer":
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


def _tokenizer_invalid(folder: EncoderFolder, problem: str) -> BaseModelInvalid:
    return BaseModelInvalid(
        f"The tokenizer {folder.tokenizer_path} {problem}. Copy the model again.", {"file": str(folder.tokenizer_path)}
    )


def _adapter_invalid(problem: str, base_model: BaseModel) -> ArtifactInvalid:
    return ArtifactInvalid(
        f"The adapter {problem}, which does not fit the base model {base_model.id}. Train the classifier again.",
        {"base_model": base_model.id},
    )
