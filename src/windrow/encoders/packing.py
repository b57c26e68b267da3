"""Packing: texts of different lengths laid end to end, and where attention finds them again.

Owns the index arrays that the graphs take and the cutting of work into chunks; knows nothing of tokenizers or sessions.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.integer[Any]]
Pooling = Literal["mean", "cls"]


@dataclass(frozen=True, slots=True)
class Packing:
    """How B texts with T tokens in all lie one behind the other. Made by :func:`pack`.

    Args:
        lengths: Tokens of each text; shape [B], int32.
        rows: The text of each token; shape [T], int64.
        positions: The place of each token in its text, from 0; shape [T], int64.
        padded_index: The token for each cell of the padded grid, any token where the grid is padding; shape
            [B, longest], int64.
        packed_index: The cell of the flattened grid for each token; shape [T], int64.
    """

    lengths: npt.NDArray[np.int32]
    rows: npt.NDArray[np.int64]
    positions: npt.NDArray[np.int64]
    padded_index: npt.NDArray[np.int64]
    packed_index: npt.NDArray[np.int64]

    def pooling(self, mode: Pooling) -> Floats:
        """Return the matrix that takes token states to one state a text.

        Returns:
            Shape [B, T], float32. A row averages its text's tokens ("mean") or takes the first one ("cls").
        """
        texts, tokens = len(self.lengths), len(self.rows)
        matrix = np.zeros((texts, tokens), np.float32)
        if mode == "mean":
            matrix[self.rows, np.arange(tokens)] = (1.0 / self.lengths)[self.rows]
        else:
            matrix[np.arange(texts), first_tokens(self.lengths)] = 1.0
        return matrix


def first_tokens(lengths: Integers) -> npt.NDArray[np.int64]:
    """Return where each text's first token lies among the packed ones.

    Args:
        lengths: Tokens of each text; shape [B].

    Returns:
        Shape [B], int64.
    """
    ends = np.cumsum(lengths, dtype=np.int64)
    return ends - lengths


def pack(lengths: Integers) -> Packing:
    """Lay texts end to end.

    Args:
        lengths: Tokens of each text, each at least 1; shape [B], B at least 1.
    """
    texts, longest = len(lengths), int(lengths.max())
    if texts == 1:  # the most frequent case, and it needs no index arithmetic
        tokens = np.arange(longest)
        return Packing(lengths.astype(np.int32), np.zeros(longest, np.int64), tokens, tokens[None], tokens)
    firsts = first_tokens(lengths)
    rows = np.repeat(np.arange(texts), lengths)
    tokens = np.arange(len(rows))
    positions = tokens - firsts[rows]
    padded_index = np.minimum(firsts[:, None] + np.arange(longest), len(rows) - 1)
    return Packing(lengths.astype(np.int32), rows, positions, padded_index, rows * longest + positions)


def cut(lengths: Integers, max_cells: int) -> Iterator[npt.NDArray[np.int64]]:
    """Cut texts into chunks of similar length, shortest first, so that little of a chunk is padding.

    Args:
        lengths: Tokens of each text; shape [n].
        max_cells: Most cells, texts times longest text, in one chunk; a longer text gets a chunk of its own.

    Yields:
        Positions in ``lengths``; together they name every text once.
    """
    order = np.argsort(lengths, kind="stable")
    start = 0
    for end in range(1, len(order) + 1):
        if end == len(order) or (end + 1 - start) * int(lengths[order[end]]) > max_cells:
            yield order[start:end]
            start = end


def token_indices(lengths: Integers, chosen: Integers) -> npt.NDArray[np.int64]:
    """Return where the tokens of the ``chosen`` texts lie, text by text, among all packed tokens."""
    counts = lengths[chosen]
    starts = first_tokens(lengths)[chosen]
    rows = np.repeat(np.arange(len(chosen)), counts)
    return starts[rows] + np.arange(len(rows)) - first_tokens(counts)[rows]
