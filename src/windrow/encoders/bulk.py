"""Encoding any number of texts: cut into batches of similar length, put together again in their order."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from windrow.arrays import Bools, Floats, Ids, TokenStates, cut, token_indices
from windrow.encoders.adapters import Adapter
from windrow.encoders.layout import feature_size
from windrow.encoders.session import TextEncoder, Tokens, Width, token_counts

# Computes batches, in any order and at the same time, and returns their results in the order of the batches.
Compute = Callable[[Sequence[Callable[[], Floats]]], Sequence[Floats]]

# Cells (texts x longest text) in one batch. Measured on MiniLM: 128 is as fast as 256 and 512, and faster than what no
# longer fits the caches; and a prediction that comes meanwhile waits the less.
MAX_CELLS = 128


def one_by_one(batches: Sequence[Callable[[], Floats]]) -> list[Floats]:
    """Compute batches here, one after the other."""
    return [batch() for batch in batches]


@dataclass(frozen=True, slots=True)
class Encoded:
    """Features of texts.

    Args:
        features: Shape [n, feature_size], float32; each third (one layer) of a row has length 1.
        truncated: Whether a text was longer than the encoder reads; shape [n], bool.
    """

    features: Floats
    truncated: Bools


@dataclass(frozen=True, slots=True)
class States(TokenStates):
    """What the frozen trunk makes of texts: the adapted layers start from here.

    Args:
        truncated: Whether a text was longer than the encoder reads; shape [n], bool.
    """

    truncated: Bools


def encode(
    encoder: TextEncoder, texts: Sequence[str], adapter: Adapter | None = None, compute: Compute = one_by_one
) -> Encoded:
    """Return the features of texts, in their order.

    Args:
        encoder: The encoder.
        texts: Any number, none included.
        adapter: For all of them.
        compute: Computes batches.
    """
    tokens = encoder.tokenize(texts)
    chunks = list(cut(token_counts(tokens), MAX_CELLS))
    batches = [
        partial(encoder.encode, [tokens[text] for text in chunk], [adapter] * len(chunk), Width.ONE_CORE)
        for chunk in chunks
    ]
    features = _put_together(compute(batches), chunks, (len(texts), feature_size(encoder.folder)))
    return Encoded(features, _truncated(tokens))


def encode_states(encoder: TextEncoder, tokens: Sequence[Tokens], compute: Compute = one_by_one) -> States:
    """Return what no adapter can change, so that it is computed once: the states of texts below the top layers."""
    lengths = token_counts(tokens)
    chunks = list(cut(lengths, MAX_CELLS))
    batches = [partial(encoder.states, [tokens[text] for text in chunk]) for chunk in chunks]
    places = [token_indices(lengths, chunk) for chunk in chunks]
    packed = _put_together(compute(batches), places, (int(lengths.sum()), encoder.folder.hidden_size))
    return States(packed, lengths, _truncated(tokens))


def features_of(
    encoder: TextEncoder, states: States, adapter: Adapter | None = None, compute: Compute = one_by_one
) -> Floats:
    """Return what :func:`encode` would for the texts behind ``states``; shape [n, feature_size], float32."""
    chunks = list(cut(states.lengths, MAX_CELLS))
    batches = [
        partial(encoder.features, states.packed[token_indices(states.lengths, chunk)], states.lengths[chunk], adapter)
        for chunk in chunks
    ]
    return _put_together(compute(batches), chunks, (len(states.lengths), feature_size(encoder.folder)))


def _truncated(tokens: Sequence[Tokens]) -> Bools:
    return np.array([each.truncated for each in tokens], np.bool_)


def _put_together(parts: Sequence[Floats], places: Sequence[Ids], shape: tuple[int, int]) -> Floats:
    whole = np.empty(shape, np.float32)
    for place, part in zip(places, parts, strict=True):
        whole[place] = part
    return whole
