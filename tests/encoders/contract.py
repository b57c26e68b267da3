"""What every TextEncoder does: an implementation's test subclasses the suite and brings an ``encoder`` fixture."""

import threading
from collections.abc import Callable, Sequence

import numpy as np

from windrow.arrays import Floats
from windrow.encoders.adapters import Adapter
from windrow.encoders.bulk import compute_trunk_states, encode, features_from_states
from windrow.encoders.layout import feature_size
from windrow.encoders.onnx_encoder import Parallelism, TextEncoder

LONG = "word " * 600
TEXTS = ["reset my password", "I was charged twice", "a", LONG, "Ünïcödé 漢字 🦄", "reset my password", "two words"]


class TextEncoderContract:
    """The promises of the seam."""

    def test_each_third_of_a_row_has_length_1(self, encoder: TextEncoder) -> None:
        features = encode(encoder, TEXTS).features
        assert features.shape == (len(TEXTS), feature_size(encoder.folder))
        assert features.dtype == np.float32
        thirds = features.reshape(len(TEXTS), 3, -1)
        np.testing.assert_allclose(np.linalg.norm(thirds, axis=2), 1.0, atol=1e-5)

    def test_no_texts_give_no_rows(self, encoder: TextEncoder) -> None:
        encoded = encode(encoder, [])
        assert encoded.features.shape == (0, feature_size(encoder.folder))
        assert encoded.truncated.shape == (0,)
        assert features_from_states(encoder, compute_trunk_states(encoder, encoder.tokenize([]))).shape == (
            0,
            feature_size(encoder.folder),
        )

    def test_a_text_has_the_same_features_alone_and_in_any_batch(self, encoder: TextEncoder) -> None:
        together = encode(encoder, TEXTS).features
        alone = np.concatenate([encode(encoder, [text]).features for text in TEXTS])
        backwards = encode(encoder, TEXTS[::-1]).features[::-1]
        np.testing.assert_allclose(together, alone, atol=1e-5)
        np.testing.assert_allclose(together, backwards, atol=1e-5)

    def test_different_texts_have_different_features(self, encoder: TextEncoder) -> None:
        features = encode(encoder, TEXTS).features
        same = features @ features.T > 3 - 1e-4
        assert same.tolist() == [[a == b for b in TEXTS] for a in TEXTS]

    def test_only_texts_that_lost_their_end_are_called_truncated(self, encoder: TextEncoder) -> None:
        expected = [text == LONG for text in TEXTS]
        assert encode(encoder, TEXTS).truncated.tolist() == expected
        assert compute_trunk_states(encoder, encoder.tokenize(TEXTS)).truncated.tolist() == expected

    def test_states_lead_to_the_features_of_the_texts(self, encoder: TextEncoder) -> None:
        states = compute_trunk_states(encoder, encoder.tokenize(TEXTS))
        assert states.packed.dtype == np.float32
        assert states.packed.shape[0] == states.lengths.sum()
        assert len(states.lengths) == len(TEXTS)
        np.testing.assert_allclose(features_from_states(encoder, states), encode(encoder, TEXTS).features, atol=1e-5)

    def test_the_number_of_cores_does_not_matter(self, encoder: TextEncoder) -> None:
        batch = encoder.tokenize(TEXTS)
        plain: list[Adapter | None] = [None] * len(batch)
        one, every = (encoder.encode(batch, plain, width) for width in (Parallelism.ONE_CORE, Parallelism.ALL_CORES))
        np.testing.assert_allclose(one, every, atol=1e-5)

    def test_batches_may_be_computed_in_any_order(self, encoder: TextEncoder) -> None:
        counts: list[int] = []

        def last_first(batches: Sequence[Callable[[], Floats]]) -> list[Floats]:
            counts.append(len(batches))
            return [batch() for batch in reversed(batches)][::-1]

        states = compute_trunk_states(encoder, encoder.tokenize(TEXTS), last_first)
        np.testing.assert_array_equal(states.packed, compute_trunk_states(encoder, encoder.tokenize(TEXTS)).packed)
        features = features_from_states(encoder, states, compute=last_first)
        np.testing.assert_array_equal(features, features_from_states(encoder, states))
        np.testing.assert_array_equal(
            encode(encoder, TEXTS, compute=last_first).features, encode(encoder, TEXTS).features
        )
        assert len(counts) == 3
        assert min(counts) > 1

    def test_threads_may_share_an_encoder(self, encoder: TextEncoder) -> None:
        expected = encode(encoder, TEXTS).features
        answers: list[bool] = []

        def work() -> None:
            answers.extend(np.allclose(encode(encoder, TEXTS).features, expected, atol=1e-5) for _ in range(3))

        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert answers == [True] * 9

    def test_the_base_model_is_pinned(self, encoder: TextEncoder) -> None:
        assert len(encoder.folder.base_model.digest) == 64
        assert encoder.folder.base_model.id.count("/") == 1
