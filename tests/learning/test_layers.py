"""The layers in torch compute what the serving graph computes."""

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.encoders.adapters import changes_for
from tests.encoders.tiny import KINDS, write_tiny_folder
from tests.learning.serving import layers_of, pooled_as_trained, tensors, weights_of
from windrow.arrays import TokenStates
from windrow.encoders.adapters import pack_adapter
from windrow.encoders.bulk import TrunkStates, compute_trunk_states, encode, features_from_states
from windrow.encoders.folder import EncoderFolder, read_encoder_folder
from windrow.encoders.onnx_encoder import OnnxEncoder, load_encoder
from windrow.learning.layers import pack_texts, pooled, token_states

pytestmark = pytest.mark.slow

# From a single token to as many as a tiny encoder reads, with neighbours that share a bucket and some that do not.
LENGTHS = np.array([7, 1, 200, 2, 30, 31, 1, 199, 33, 8, 8, 90, 2, 61], dtype=np.int32)
TEXTS = [
    "reset my password",
    "?",
    "word " * 300,
    "i was charged twice !",
    "word " * 60 + "here",
    "漢字 🦄",
    "word " * 400,
]


def some_states(folder: EncoderFolder) -> TrunkStates:
    packed = np.random.default_rng(5).standard_normal((int(LENGTHS.sum()), folder.hidden_size)).astype(np.float32)
    return TrunkStates(packed, LENGTHS, np.zeros(len(LENGTHS), np.bool_))


@pytest.mark.parametrize("kind", KINDS)
def test_every_family_trains_what_it_serves(kind: str, tmp_path: Path) -> None:
    folder = read_encoder_folder(write_tiny_folder(tmp_path / "model", kind), "tests/tiny")
    encoder = load_encoder(folder, tmp_path, threads=1)
    for states in (
        some_states(folder),
        compute_trunk_states(encoder, encoder.tokenize(["how do i reset my password ?", "word", "and " * 250])),
    ):
        for changes in (None, changes_for(folder, rank=4)):
            adapter = None if changes is None else pack_adapter(folder, changes)
            served = features_from_states(encoder, states, adapter)[:, -folder.hidden_size :]
            trained = pooled_as_trained(TokenStates(states.packed, states.lengths), folder, changes)
            np.testing.assert_allclose(trained, served, atol=1e-4)
    plain = features_from_states(encoder, states)
    assert np.abs(features_from_states(encoder, states, adapter) - plain).max() > 0.01, "the adapter changed nothing"


@pytest.mark.parametrize("adapted", [False, True])
def test_the_bundled_encoder_trains_what_it_serves(bundled: OnnxEncoder, adapted: bool) -> None:
    folder = bundled.folder
    changes = changes_for(folder, rank=8, size=0.035) if adapted else {}
    states = compute_trunk_states(bundled, bundled.tokenize(TEXTS))
    assert (states.lengths.min(), states.lengths.max()) == (3, folder.max_tokens)
    trained = pooled_as_trained(TokenStates(states.packed, states.lengths), folder, changes)
    served = encode(bundled, TEXTS, pack_adapter(folder, changes)).features
    np.testing.assert_allclose(trained, served[:, -folder.hidden_size :], atol=1e-4)


def test_a_text_has_the_same_state_alone_and_among_others(tiny_folder: EncoderFolder) -> None:
    states = some_states(tiny_folder)
    texts = TokenStates(states.packed, states.lengths)
    together = pooled_as_trained(texts, tiny_folder)
    for text in range(len(LENGTHS)):
        alone = pooled_as_trained(texts.select(np.array([text])), tiny_folder)
        np.testing.assert_allclose(alone[0], together[text], atol=1e-5)


def test_packing_keeps_each_text_whatever_is_chosen(tiny_folder: EncoderFolder) -> None:
    states = some_states(tiny_folder)
    texts, chosen = TokenStates(states.packed, states.lengths), np.array([4, 0, 13, 2])
    packed = pack_texts(texts, chosen, "mean")
    assert packed.order.tolist() == [0, 4, 13, 2]
    together = pooled(packed, tensors(weights_of(tiny_folder)), layers_of(tiny_folder)).numpy()
    np.testing.assert_allclose(together, pooled_as_trained(texts, tiny_folder)[packed.order], atol=1e-5)
    every_token = token_states(packed, tensors(weights_of(tiny_folder)), layers_of(tiny_folder))
    assert every_token.shape == (int(LENGTHS[chosen].sum()), 32)


def test_buckets_hold_every_token_once_and_waste_little() -> None:
    lengths = np.random.default_rng(1).integers(1, 200, 300).astype(np.int32)
    texts = TokenStates(np.zeros((int(lengths.sum()), 4), np.float32), lengths)
    packed = pack_texts(texts, np.arange(300), "mean")
    assert sum(bucket.texts for bucket in packed.buckets) == 300
    ends = [bucket.tokens.stop for bucket in packed.buckets]
    assert [bucket.tokens.start for bucket in packed.buckets] == [0, *ends[:-1]]
    assert ends[-1] == lengths.sum()
    assert sum(bucket.texts * bucket.longest for bucket in packed.buckets) < 1.4 * lengths.sum()
    torch.testing.assert_close(packed.pooling.sum(dim=1), torch.ones(300))
