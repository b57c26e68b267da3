"""Array types of encoders and learning, token states, and packing of texts of different lengths."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Halves = npt.NDArray[np.float16]
Ids = npt.NDArray[np.int64]
Integers = npt.NDArray[np.integer[Any]]
Bools = npt.NDArray[np.bool_]
# The labels of rows: each row's label id, shape [rows], or each row's label set, shape [rows, labels].
Labels = Ids | Bools
# How token states become one state per text: their mean, or the first.
Pooling = Literal["mean", "cls"]
# The type of the operands of a matrix product.
Precision = Literal["float32", "bfloat16"]
# The six matrices of an encoder's layer that training may change.
PROJECTIONS = ("query", "key", "value", "attention_out", "expand", "contract")


@dataclass(frozen=True, slots=True)
class TokenStates:
    """States of texts below the adapted layers, computed by the serving graph.

    Args:
        packed: One state for each token, text after text; shape [T, hidden], float32.
        lengths: Tokens of each text, each at least 1; shape [n], int32.
    """

    packed: Floats
    lengths: npt.NDArray[np.int32]

    def select(self, chosen: Ids) -> "TokenStates":
        """Return some of the texts, in the order of ``chosen``, shape [m]."""
        if len(chosen) <= len(self.lengths) and np.array_equal(chosen, np.arange(len(chosen))):
            # A view for a prefix of the texts, since states of many long texts take gigabytes.
            tokens = int(self.lengths[: len(chosen)].sum(dtype=np.int64))
            return TokenStates(self.packed[:tokens], self.lengths[: len(chosen)])
        return TokenStates(self.packed[token_indices(self.lengths, chosen)], self.lengths[chosen])


@dataclass(frozen=True, slots=True)
class Packing:
    """The layout of B texts with T tokens in all, laid end to end. Made by :func:`pack`.

    Args:
        lengths: Tokens of each text; shape [B], int32.
        positions: The position of each token in its text, from 0; shape [T], int64.
        padded_index: The token for each cell of the padded grid, any token where the grid is padding; shape
            [B, longest], int64.
        packed_index: The cell of the flattened grid for each token; shape [T], int64.
    """

    lengths: npt.NDArray[np.int32]
    positions: Ids
    padded_index: Ids
    packed_index: Ids


def pack(lengths: Integers) -> Packing:
    """Lay texts end to end.

    Args:
        lengths: Tokens of each text, each at least 1; shape [B], B at least 1.
    """
    texts, longest = len(lengths), int(lengths.max())
    if texts == 1:  # the most frequent case, and it needs no index arithmetic
        tokens = np.arange(longest)
        return Packing(lengths.astype(np.int32), tokens, tokens[None], tokens)
    firsts = first_tokens(lengths)
    rows = np.repeat(np.arange(texts), lengths)
    positions = np.arange(len(rows)) - firsts[rows]
    padded_index = np.minimum(firsts[:, None] + np.arange(longest), len(rows) - 1)
    return Packing(lengths.astype(np.int32), positions, padded_index, rows * longest + positions)


def pooling_matrix(lengths: Integers, pooling: Pooling) -> Floats:
    """Return the matrix that pools token states into one state per text.

    Args:
        lengths: Tokens of each text, each at least 1; shape [B].
        pooling: Whether a row averages its text's tokens or takes the first one.

    Returns:
        Shape [B, T], float32.
    """
    texts, tokens = np.arange(len(lengths)), int(lengths.sum())
    matrix = np.zeros((len(lengths), tokens), np.float32)
    if pooling == "mean":
        rows = np.repeat(texts, lengths)
        matrix[rows, np.arange(tokens)] = (1.0 / lengths)[rows]
    else:
        matrix[texts, first_tokens(lengths)] = 1.0
    return matrix


def first_tokens(lengths: Integers) -> Ids:
    """Return the index of each text's first token among the packed ones.

    Args:
        lengths: Tokens of each text; shape [B].

    Returns:
        Shape [B], int64.
    """
    ends = np.cumsum(lengths, dtype=np.int64)
    return ends - lengths


def token_indices(lengths: Integers, chosen: Integers) -> Ids:
    """Return the indices of the tokens of the ``chosen`` texts, text by text, among all packed tokens."""
    counts = lengths[chosen]
    starts = first_tokens(lengths)[chosen]
    rows = np.repeat(np.arange(len(chosen)), counts)
    return starts[rows] + np.arange(len(rows)) - first_tokens(counts)[rows]


def batch_by_length(lengths: Integers, max_cells: int) -> Iterator[Ids]:
    """Split texts into batches of similar length, shortest first, so that little of a batch is padding.

    Args:
        lengths: Tokens of each text; shape [n].
        max_cells: The maximum number of cells, texts times longest text, of one batch; a longer text gets its own.

    Yields:
        Indices into ``lengths``; every text once.
    """
    order = np.argsort(lengths, kind="stable")
    start = 0
    for end in range(1, len(order) + 1):
        if end == len(order) or (end + 1 - start) * int(lengths[order[end]]) > max_cells:
            yield order[start:end]
            start = end
