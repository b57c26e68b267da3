"""Compute an encoder's top layers in torch, as the serving graph does, so that they can be trained."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from windrow.arrays import Ids, Pooling, TokenStates, pooling_matrix
from windrow.learning.plan import LayerConfig

# Attention pads texts of similar lengths to the longest: as many as waste at most a third, or a few cells.
_MOST_PADDING = 1.35
_FREE_PADDING_CELLS = 64


@dataclass(frozen=True, slots=True)
class Bucket:
    """Texts next to each other whose attention is computed together.

    Args:
        tokens: Where their tokens lie among the packed ones.
        texts: How many they are.
        longest: Tokens of the longest.
        grid: The token (counted from the bucket's first) for each cell of the padded grid, shape [texts * longest].
        cells: The grid's cell for each token, shape [tokens].
        mask: 0 where a key is a token and -inf where it is padding, shape [texts, 1, 1, longest]; ``None`` without
            padding.
    """

    tokens: slice
    texts: int
    longest: int
    grid: Tensor
    cells: Tensor
    mask: Tensor | None


@dataclass(frozen=True, slots=True)
class PackedTexts:
    """Texts end to end, shortest first. Made by :func:`pack_texts`.

    Args:
        states: One state for each token, shape [T, hidden].
        order: The text (in the caller's numbering) that each packed one is, shape [texts].
        pooling: Takes token states to one state a text, shape [texts, T].
        buckets: The attention's groups.
    """

    states: Tensor
    order: Ids
    pooling: Tensor
    buckets: tuple[Bucket, ...]


def pack_texts(texts: TokenStates, chosen: Ids, pooling: Pooling) -> PackedTexts:
    """Lay the chosen texts end to end.

    Args:
        texts: States of all texts.
        chosen: Which of them, shape [n], n at least 1.
        pooling: ``mean`` or ``cls``.
    """
    order = chosen[np.argsort(texts.lengths[chosen], kind="stable")]
    own = texts.select(order)
    matrix = pooling_matrix(own.lengths, pooling)
    buckets = tuple(_buckets(own.lengths.astype(np.int64)))
    return PackedTexts(torch.from_numpy(own.packed), order, torch.from_numpy(matrix), buckets)


def pooled(packed: PackedTexts, weights: Mapping[str, Tensor], plan: LayerConfig) -> Tensor:
    """Return the pooled output of the last layer at unit length, in the packed order.

    Args:
        packed: The texts.
        weights: Tensors by canonical name (``layers.0.query.weight`` [in, out] …).
        plan: Which layers, and how they compute.

    Returns:
        Shape [texts, hidden].
    """
    return functional.normalize(packed.pooling @ token_states(packed, weights, plan), dim=1)


def token_states(packed: PackedTexts, weights: Mapping[str, Tensor], plan: LayerConfig) -> Tensor:
    """Return each token's state after the last layer, shape [T, hidden], in the packed order."""
    states = packed.states
    for layer in plan.layers:
        states = _layer(states, packed.buckets, weights, plan, f"layers.{layer}")
    return states


def _layer(
    states: Tensor, buckets: Sequence[Bucket], weights: Mapping[str, Tensor], plan: LayerConfig, name: str
) -> Tensor:
    def linear(values: Tensor, part: str) -> Tensor:
        bias, weight = weights[f"{name}.{part}.bias"], weights[f"{name}.{part}.weight"]
        if plan.precision == "bfloat16":
            return torch.mm(values.bfloat16(), weight.bfloat16()).float() + bias
        return torch.addmm(bias, values, weight)

    def norm(values: Tensor, part: str) -> Tensor:
        scale, shift = weights[f"{name}.{part}.weight"], weights[f"{name}.{part}.bias"]
        return functional.layer_norm(values, scale.shape, scale, shift, plan.layer_norm_epsilon)

    projections = [linear(states, part) for part in ("query", "key", "value")]
    bias = weights.get("bias_by_distance")
    attended = torch.cat([_attend(projections, bucket, plan.heads, bias) for bucket in buckets])
    states = norm(states + linear(attended, "attention_out"), "attention_norm")
    expanded = functional.gelu(linear(states, "expand"))
    return norm(states + linear(expanded, "contract"), "output_norm")


def _attend(projections: Sequence[Tensor], bucket: Bucket, heads: int, bias_by_distance: Tensor | None) -> Tensor:
    hidden = projections[0].shape[1]

    def grid(values: Tensor) -> Tensor:
        own = values[bucket.tokens]
        laid = own if bucket.mask is None else own.index_select(0, bucket.grid)
        return laid.view(bucket.texts, bucket.longest, heads, hidden // heads).transpose(1, 2)

    bias = bucket.mask
    if bias_by_distance is not None:
        positions = torch.arange(bucket.longest)
        middle = bias_by_distance.shape[1] // 2
        distances = bias_by_distance[:, positions[None, :] - positions[:, None] + middle]
        bias = distances[None] if bias is None else distances[None] + bias
    query, key, value = (grid(values) for values in projections)
    attended = functional.scaled_dot_product_attention(query, key, value, attn_mask=bias)
    cells = attended.transpose(1, 2).reshape(-1, hidden)
    return cells if bucket.mask is None else cells.index_select(0, bucket.cells)


def _buckets(lengths: Ids) -> Iterator[Bucket]:
    """Cut texts, sorted by length, into groups with little padding."""
    first = tokens = start = 0
    for text, length in enumerate(lengths.tolist()):
        grown = tokens + length
        if (text + 1 - first) * length > max(_MOST_PADDING * grown, grown + _FREE_PADDING_CELLS):
            yield _bucket(lengths[first:text], start)
            start += tokens
            first, grown = text, length
        tokens = grown
    yield _bucket(lengths[first:], start)


def _bucket(lengths: Ids, start: int) -> Bucket:
    longest = int(lengths[-1])
    firsts = np.cumsum(lengths) - lengths
    positions = np.arange(longest)
    is_token = positions < lengths[:, None]
    grid = np.where(is_token, firsts[:, None] + positions, firsts[:, None])
    mask = np.where(is_token, np.float32(0), np.float32(-np.inf))[:, None, None, :]
    return Bucket(
        tokens=slice(start, start + int(lengths.sum())),
        texts=len(lengths),
        longest=longest,
        grid=torch.from_numpy(grid.reshape(-1)),
        cells=torch.from_numpy(np.flatnonzero(is_token)),
        mask=None if is_token.all() else torch.from_numpy(mask),
    )
