"""The encoder at work: texts in, features out, on ONNX Runtime."""

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
from windrow.domain.errors import BaseModelInvalid
from windrow.encoders.adapters import Adapter, join_changes, mix
from windrow.encoders.cores import Placement, place, usable_cores
from windrow.encoders.folder import EncoderFolder
from windrow.encoders.graph_files import find_or_build_graphs
from windrow.encoders.layout import ADAPTED_TOP_FILE, TOP_FILE, TRUNK_FILE, top_layers

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from tokenizers import Tokenizer

SPIN_US = 200


class Width(Enum):
    """How many cores one computation takes.

    Measured on two cores, texts of 20 tokens on average: two computations on one core each reach 6,800 tokens/s in
    batches of 32 tokens and 7,800 in batches of 128; one on both cores 4,500 and 6,700, but a lone short text is
    answered in 3.0 ms instead of 4.5.
    """

    ONE_CORE = "one core"
    ALL_CORES = "all cores"


@dataclass(frozen=True, slots=True, eq=False)
class Tokens:
    """A text as the encoder reads it.

    Args:
        ids: Shape [n], int64, n at least 1.
        truncated: Whether the text was longer than the encoder reads.
    """

    ids: Ids
    truncated: bool


def token_counts(batch: Sequence[Tokens]) -> npt.NDArray[np.int32]:
    """Return the number of tokens of each text; shape [n]."""
    return np.array([len(tokens.ids) for tokens in batch], np.int32)


class TextEncoder(Protocol):
    """One base model, ready to encode; safe to share between threads. Each method but the first two is one batch."""

    @property
    def folder(self) -> EncoderFolder:
        """Its sizes, and where its files lie."""
        ...

    def tokenize(self, texts: Sequence[str]) -> list[Tokens]:
        """Return the tokens of each text."""
        ...

    def encode(self, batch: Sequence[Tokens], adapters: Sequence[Adapter | None], width: Width) -> Floats:
        """Return the features of texts, each with an adapter of its own.

        Args:
            batch: At least one text.
            adapters: One a text; ``None`` leaves the encoder as it is. Equal ones should be the same object.
            width: How many cores to take. It does not matter to the result beyond rounding.

        Returns:
            Shape [n, feature_size], float32; each third (one layer) of a row has length 1. A row depends on its text
            and adapter alone, not on what else is in the batch.
        """
        ...

    def states(self, batch: Sequence[Tokens]) -> Floats:
        """Return what no adapter can change, on one core: the states below the top layers.

        Args:
            batch: At least one text.

        Returns:
            One state a token, text after text; shape [T, hidden], float32.
        """
        ...

    def features(self, states: Floats, lengths: npt.NDArray[np.int32], adapter: Adapter | None = None) -> Floats:
        """Return what :meth:`encode` would, on one core, for the texts behind ``states``.

        Args:
            states: Shape [T, hidden], float32.
            lengths: Tokens of each text, at least one of them; shape [n].
            adapter: For all of them.

        Returns:
            Shape [n, feature_size], float32.
        """
        ...


class OnnxEncoder:
    """A :class:`TextEncoder` on ONNX Runtime. Made by :func:`load_encoder`.

    A session holds a copy of its weights in the order in which the processor wants them, so there are few. The one for
    one core takes adapters, and none: 100 nodes more do not matter to a batch. The one for all cores answers lone short
    texts, where they do; so adapters have another, opened when the first of them comes.
    """

    def __init__(self, folder: EncoderFolder, graphs: Path, tokenizer: "Tokenizer", threads: int) -> None:
        self._folder = folder
        self._graphs = graphs
        self._tokenizer = tokenizer
        self._threads = threads
        self._placement = place(threads)
        self._no_change = join_changes(folder, {})
        self._sessions: dict[tuple[str, int], InferenceSession] = {}
        self._opening = threading.Lock()
        # Without layers below the top, looking up embeddings is all that is left, and more threads only cost time.
        self._trunk_width = Width.ALL_CORES if top_layers(folder).start else Width.ONE_CORE
        self._session(TRUNK_FILE, self._trunk_width)
        self._session(TOP_FILE, Width.ALL_CORES)
        self._session(ADAPTED_TOP_FILE, Width.ONE_CORE)

    @property
    def folder(self) -> EncoderFolder:
        """Its sizes, and where its files lie."""
        return self._folder

    def tokenize(self, texts: Sequence[str]) -> list[Tokens]:
        """See :meth:`TextEncoder.tokenize`."""
        if len(texts) == 1:  # a batch would wake threads that have nothing to do
            encodings = [self._tokenizer.encode(texts[0])]
        else:
            encodings = self._tokenizer.encode_batch_fast(list(texts))
        return [Tokens(np.array(each.ids, np.int64), bool(each.overflowing)) for each in encodings]

    def encode(self, batch: Sequence[Tokens], adapters: Sequence[Adapter | None], width: Width) -> Floats:
        """See :meth:`TextEncoder.encode`."""
        packing = pack(token_counts(batch))
        return self._run_top(self._run_trunk(batch, packing, width), packing, adapters, width)

    def states(self, batch: Sequence[Tokens]) -> Floats:
        """See :meth:`TextEncoder.states`."""
        packing = pack(token_counts(batch))
        return self._run_trunk(batch, packing, Width.ONE_CORE)

    def features(self, states: Floats, lengths: npt.NDArray[np.int32], adapter: Adapter | None = None) -> Floats:
        """See :meth:`TextEncoder.features`."""
        return self._run_top(states, pack(lengths), [adapter] * len(lengths), Width.ONE_CORE)

    def _run_trunk(self, batch: Sequence[Tokens], packing: Packing, width: Width) -> Floats:
        ids = np.concatenate([tokens.ids for tokens in batch])
        if self._trunk_width is Width.ONE_CORE:
            width = Width.ONE_CORE
        return self._run(TRUNK_FILE, width, _indices(packing) | {"token_ids": ids, "positions": packing.positions})

    def _run_top(self, states: Floats, packing: Packing, adapters: Sequence[Adapter | None], width: Width) -> Floats:
        pooling = pooling_matrix(packing.lengths, self._folder.pooling)
        inputs = _indices(packing) | {"states": states, "pooling": pooling}
        if width is Width.ALL_CORES and not any(adapters):
            return self._run(TOP_FILE, width, inputs)
        down, up, mask = mix([adapter or self._no_change for adapter in adapters], packing.lengths)
        return self._run(ADAPTED_TOP_FILE, width, inputs | {"down": down, "up": up, "rank_mask": mask})

    def _run(self, file: str, width: Width, inputs: Mapping[str, npt.NDArray[Any]]) -> Floats:
        session = self._session(file, width)
        with self._place(width):
            output: Floats = session.run(None, inputs)[0]
        return output

    def _place(self, width: Width) -> AbstractContextManager[None]:
        if width is Width.ONE_CORE or self._placement is None:
            return nullcontext()
        return self._placement.caller()

    def _session(self, file: str, width: Width) -> "InferenceSession":
        threads = self._threads if width is Width.ALL_CORES else 1
        if (file, threads) in self._sessions:
            return self._sessions[file, threads]
        with self._opening:
            if (file, threads) not in self._sessions:
                placement = self._placement if threads > 1 else None
                self._sessions[file, threads] = _open_session(self._graphs / file, threads, placement)
            return self._sessions[file, threads]


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
    return {name: getattr(packing, name) for name in ("padded_index", "packed_index", "lengths")}


def _open_session(path: Path, threads: int, placement: Placement | None) -> "InferenceSession":
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
    if placement is not None:
        options.add_session_config_entry("session.intra_op_thread_affinities", placement.others)
    # Every batch has other shapes, so a remembered memory plan is seldom right: without it 11 MB less, and no slower.
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
            "The graph {file} cannot be opened ({why}). Delete the folder {folder}; it is built anew.",
            {"folder": str(path.parent), "file": str(path), "why": str(error)},
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
        "The tokenizer {file} {why}. Copy the model again.", {"file": str(folder.tokenizer_path), "why": problem}
    )
