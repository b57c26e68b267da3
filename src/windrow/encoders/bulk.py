"""Encoding any number of texts: cut into batches of similar length, put together again in their order.

Owns the size and order of batches; knows nothing of sessions, nor of who else wants to compute.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from windrow.encoders.adapters import Adapter
from windrow.encoders.layout import Floats, feature_size
from windrow.encoders.packing import cut, token_indices
from windrow.encoders.session import TextEncoder, Width, token_counts

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
    return Encoded(features, np.array([each.truncated for each in tokens], np.bool_))


def encode_states(encoder: TextEncoder, texts: Sequence[str], compute: Compute = one_by_one) -> States:
    """Return what no adapter can change, so that it is computed once: the states below the top layers."""
    tokens = encoder.tokenize(texts)
    lengths = token_counts(tokens)
    chunks = list(cut(lengths, MAX_CELLS))
    batches = [partial(encoder.states, [tokens[text] for text in chunk]) for chunk in chunks]
    places = [token_indices(lengths, chunk) for chunk in chunks]
    packed = _put_together(compute(batches), places, (int(lengths.sum()), encoder.folder.hidden_size))
    return States(packed, lengths, np.array([each.truncated for each in tokens], np.bool_))


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


def _put_together(parts: Sequence[Floats], places: Sequence[npt.NDArray[np.int64]], shape: tuple[int, int]) -> Floats:
    whole = np.empty(shape, np.float32)
    for place, part in zip(places, parts, strict=True):
        whole[place] = part
    return whole
