"""Encode any number of texts in batches of similar length."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from windrow.arrays import Bools, Floats, Ids, TokenStates, batch_by_length, token_indices
from windrow.encoders.adapters import Adapter
from windrow.encoders.layout import feature_size
from windrow.encoders.onnx_encoder import Parallelism, TextEncoder, Tokens, token_counts

# Computes batches, in any order and in parallel, and returns their results in the order of the batches.
Compute = Callable[[Sequence[Callable[[], Floats]]], Sequence[Floats]]

# Cells (texts x longest text) in one batch. Measured on MiniLM: 128 is as fast as 256 and 512, and faster than sizes
# that exceed the processor's caches; and a prediction that arrives meanwhile waits less.
MAX_CELLS = 128


def run_in_order(batches: Sequence[Callable[[], Floats]]) -> list[Floats]:
    """Compute batches one after the other in this thread."""
    return [batch() for batch in batches]


@dataclass(frozen=True, slots=True)
class Encoded:
    """Features of texts.

    Args:
        features: Shape [n, feature_size], float32; each third (one layer) of a row has length 1.
        truncated: Whether each text was longer than the encoder's maximum; shape [n], bool.
    """

    features: Floats
    truncated: Bools


@dataclass(frozen=True, slots=True)
class TrunkStates(TokenStates):
    """The frozen trunk's outputs, which are the inputs of the adapted layers.

    Args:
        truncated: Whether each text was longer than the encoder's maximum; shape [n], bool.
    """

    truncated: Bools


def encode(
    encoder: TextEncoder, texts: Sequence[str], adapter: Adapter | None = None, compute: Compute = run_in_order
) -> Encoded:
    """Return the features of texts, in their order.

    Args:
        encoder: The encoder.
        texts: Any number, none included.
        adapter: The adapter for all of them.
        compute: Computes the batches.
    """
    tokens = encoder.tokenize(texts)
    chunks = list(batch_by_length(token_counts(tokens), MAX_CELLS))
    batches = [
        partial(encoder.encode, [tokens[text] for text in chunk], [adapter] * len(chunk), Parallelism.ONE_CORE)
        for chunk in chunks
    ]
    features = _scatter(compute(batches), chunks, (len(texts), feature_size(encoder.folder)))
    return Encoded(features, _truncated(tokens))


def compute_trunk_states(
    encoder: TextEncoder, tokens: Sequence[Tokens], compute: Compute = run_in_order
) -> TrunkStates:
    """Return the texts' states below the top layers, which no adapter changes."""
    lengths = token_counts(tokens)
    chunks = list(batch_by_length(lengths, MAX_CELLS))
    batches = [partial(encoder.states, [tokens[text] for text in chunk]) for chunk in chunks]
    positions = [token_indices(lengths, chunk) for chunk in chunks]
    packed = _scatter(compute(batches), positions, (int(lengths.sum()), encoder.folder.hidden_size))
    return TrunkStates(packed, lengths, _truncated(tokens))


def features_from_states(
    encoder: TextEncoder, states: TrunkStates, adapter: Adapter | None = None, compute: Compute = run_in_order
) -> Floats:
    """Return the features of :func:`encode` from precomputed states; shape [n, feature_size], float32."""
    return features_by_adapter(encoder, states, [adapter], compute)[0]


def features_by_adapter(
    encoder: TextEncoder, states: TrunkStates, adapters: Sequence[Adapter | None], compute: Compute = run_in_order
) -> list[Floats]:
    """Return the features of :func:`features_from_states` for each of several adapters, from one set of batches."""
    chunks = list(batch_by_length(states.lengths, MAX_CELLS))
    inputs = [(states.packed[token_indices(states.lengths, chunk)], states.lengths[chunk]) for chunk in chunks]
    parts = compute([partial(encoder.features, *each, adapter) for adapter in adapters for each in inputs])
    shape = len(states.lengths), feature_size(encoder.folder)
    return [
        _scatter(parts[number * len(chunks) : (number + 1) * len(chunks)], chunks, shape)
        for number in range(len(adapters))
    ]


def _truncated(tokens: Sequence[Tokens]) -> Bools:
    return np.array([each.truncated for each in tokens], np.bool_)


def _scatter(parts: Sequence[Floats], positions: Sequence[Ids], shape: tuple[int, int]) -> Floats:
    result = np.empty(shape, np.float32)
    for position, part in zip(positions, parts, strict=True):
        result[position] = part
    return result
