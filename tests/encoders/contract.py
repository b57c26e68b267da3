"""What every TextEncoder does: an implementation's test subclasses the suite and brings an ``encoder`` fixture."""

import threading

import numpy as np
import pytest

from windrow.domain.errors import ArtifactInvalid
from windrow.encoders.layout import feature_size
from windrow.encoders.session import TextEncoder

LONG = "word " * 600
TEXTS = ["reset my password", "I was charged twice", "a", LONG, "Ünïcödé 漢字 🦄", "reset my password", "two words"]


class TextEncoderContract:
    """The promises of the seam."""

    def test_each_third_of_a_row_has_length_1(self, encoder: TextEncoder) -> None:
        features = encoder.encode(TEXTS).features
        assert features.shape == (len(TEXTS), feature_size(encoder.folder))
        assert features.dtype == np.float32
        thirds = features.reshape(len(TEXTS), 3, -1)
        np.testing.assert_allclose(np.linalg.norm(thirds, axis=2), 1.0, atol=1e-5)

    def test_no_texts_give_no_rows(self, encoder: TextEncoder) -> None:
        encoded = encoder.encode([])
        assert encoded.features.shape == (0, feature_size(encoder.folder))
        assert encoded.truncated.shape == (0,)
        assert encoder.features(encoder.encode_states([])).shape == (0, feature_size(encoder.folder))

    def test_a_text_has_the_same_features_alone_and_in_any_mix(self, encoder: TextEncoder) -> None:
        together = encoder.encode(TEXTS).features
        alone = np.concatenate([encoder.encode([text]).features for text in TEXTS])
        backwards = encoder.encode(TEXTS[::-1]).features[::-1]
        np.testing.assert_allclose(together, alone, atol=1e-5)
        np.testing.assert_allclose(together, backwards, atol=1e-5)

    def test_different_texts_have_different_features(self, encoder: TextEncoder) -> None:
        features = encoder.encode(TEXTS).features
        same = features @ features.T > 3 - 1e-4
        assert same.tolist() == [[a == b for b in TEXTS] for a in TEXTS]

    def test_only_texts_that_lost_their_end_are_called_truncated(self, encoder: TextEncoder) -> None:
        expected = [text == LONG for text in TEXTS]
        assert encoder.encode(TEXTS).truncated.tolist() == expected
        assert encoder.encode_states(TEXTS).truncated.tolist() == expected

    def test_states_lead_to_the_features_of_the_texts(self, encoder: TextEncoder) -> None:
        states = encoder.encode_states(TEXTS)
        assert states.packed.dtype == np.float32
        assert states.packed.shape[0] == states.lengths.sum()
        assert len(states.lengths) == len(TEXTS)
        np.testing.assert_allclose(encoder.features(states), encoder.encode(TEXTS).features, atol=1e-5)

    def test_an_adapter_of_another_encoder_is_refused(self, encoder: TextEncoder) -> None:
        foreign = {"layers.99.query.down": np.zeros((1, 1), np.float32)}
        with pytest.raises(ArtifactInvalid, match="Train the classifier"):
            encoder.encode(["a"], foreign)
        with pytest.raises(ArtifactInvalid, match="Train the classifier"):
            encoder.features(encoder.encode_states(["a"]), foreign)

    def test_threads_may_share_an_encoder(self, encoder: TextEncoder) -> None:
        expected = encoder.encode(TEXTS).features
        answers: list[bool] = []

        def work() -> None:
            answers.extend(np.allclose(encoder.encode(TEXTS).features, expected, atol=1e-5) for _ in range(3))

        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert answers == [True] * 9

    def test_the_base_model_is_pinned(self, encoder: TextEncoder) -> None:
        assert len(encoder.base_model.digest) == 64
        assert encoder.base_model.id.count("/") == 1
