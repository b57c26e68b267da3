"""Texts as contrastive training sees them: token states below the adapted layers.

Owns the values that cross into ``learning``; knows nothing of encoders, torch or files.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Pooling = Literal["mean", "cls"]


@dataclass(frozen=True, slots=True)
class TokenStates:
    """States of texts below the adapted layers, as the serving graph computed them.

    Args:
        packed: One state for each token, text after text; shape [T, hidden], float32.
        lengths: Tokens of each text, each at least 1; shape [n], int32.
    """

    packed: npt.NDArray[np.float32]
    lengths: npt.NDArray[np.integer[Any]]

    def select(self, chosen: npt.NDArray[np.int64]) -> "TokenStates":
        """Return some of the texts, in the order of ``chosen``, shape [m]."""
        ends = np.cumsum(self.lengths, dtype=np.int64)
        if 0 < len(chosen) <= len(ends) and np.array_equal(chosen, np.arange(len(chosen))):
            # The first texts as they are: a view. States of many long texts take gigabytes.
            return TokenStates(self.packed[: ends[len(chosen) - 1]], self.lengths[: len(chosen)])
        spans = [self.packed[ends[text] - self.lengths[text] : ends[text]] for text in chosen]
        packed = np.concatenate(spans) if spans else self.packed[:0]
        return TokenStates(packed, self.lengths[chosen])


@dataclass(frozen=True, slots=True)
class LayerPlan:
    """Which layers of an encoder are trained, and how they compute.

    Args:
        layers: Their numbers from 0, in order.
        heads: Attention heads.
        layer_norm_epsilon: Added to variances.
        pooling: How token states become one state a text.
    """

    layers: tuple[int, ...]
    heads: int
    layer_norm_epsilon: float
    pooling: Pooling
