"""Encoding any number of texts: cut into batches of similar length, put together again in their order.

Owns the size and order of batches; knows nothing of sessions, nor of who else wants to compute.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from windrow.encoders.adapters import Adapter
from windrow.encoders.layout import Floats, feature_size
from windrow.encoders.packing import cut, token_indices
from windrow.encoders.session import TextEncoder, Tokens, Width

# Entered for each batch: it may wait for others before it lets one compute.
Turn = Callable[[], AbstractContextManager[object]]

# Cells (texts x longest text) in one batch. Measured on MiniLM, one core, mixed lengths: 256 and 512 give 4,000
# tokens/s, 1024 3,600, 2048 3,500, 4096 3,200, for what no longer fits the caches; and a prediction that comes
# meanwhile waits half as long for 256.
MAX_CELLS = 256


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
    encoder: TextEncoder, texts: Sequence[str], adapter: Adapter | None = None, turn: Turn = nullcontext
) -> Encoded:
    """Return the features of texts, in their order.

    Args:
        encoder: The encoder.
        texts: Any number, none included.
        adapter: For all of them.
        turn: Entered for each batch.
    """
    tokens = encoder.tokenize(texts)
    lengths = _lengths(tokens)
    features = np.empty((len(texts), feature_size(encoder.folder)), np.float32)
    for chosen in cut(lengths, MAX_CELLS):
        batch = [tokens[text] for text in chosen]
        with turn():
            features[chosen] = encoder.encode(batch, [adapter] * len(batch), Width.ALL_CORES)
    return Encoded(features, _truncated(tokens))


def encode_states(encoder: TextEncoder, texts: Sequence[str], turn: Turn = nullcontext) -> States:
    """Return what no adapter can change, so that it is computed once: the states below the top layers."""
    tokens = encoder.tokenize(texts)
    lengths = _lengths(tokens)
    packed = np.empty((int(lengths.sum()), encoder.folder.hidden_size), np.float32)
    for chosen in cut(lengths, MAX_CELLS):
        with turn():
            packed[token_indices(lengths, chosen)] = encoder.states([tokens[text] for text in chosen])
    return States(packed, lengths, _truncated(tokens))


def features_of(
    encoder: TextEncoder, states: States, adapter: Adapter | None = None, turn: Turn = nullcontext
) -> Floats:
    """Return what :func:`encode` would for the texts behind ``states``; shape [n, feature_size], float32."""
    features = np.empty((len(states.lengths), feature_size(encoder.folder)), np.float32)
    for chosen in cut(states.lengths, MAX_CELLS):
        chunk = states.packed[token_indices(states.lengths, chosen)]
        with turn():
            features[chosen] = encoder.features(chunk, states.lengths[chosen], adapter)
    return features


def _lengths(tokens: Sequence[Tokens]) -> npt.NDArray[np.int32]:
    return np.array([len(each.ids) for each in tokens], np.int32)


def _truncated(tokens: Sequence[Tokens]) -> npt.NDArray[np.bool_]:
    return np.array([each.truncated for each in tokens], np.bool_)
