"""What labels are called and what describes them, as vectors."""

import numpy as np

from tests.fakes.encoder import HIDDEN_SIZE, FakeEncoder
from windrow.encoders.bulk import encode
from windrow.execution.label_encoding import encode_labels, measure_cosine_scale
from windrow.learning.zero_shot import DESCRIPTION_WEIGHT


def test_a_label_without_a_description_is_its_name_in_plain_words() -> None:
    vectors = encode_labels(("card_lost", "other"), {"other": ""}, FakeEncoder())
    own = encode(FakeEncoder(), ["card lost"]).features[0, -HIDDEN_SIZE:]
    np.testing.assert_allclose(vectors[0, -HIDDEN_SIZE:], own, atol=1e-6)
    assert not vectors[:, :-HIDDEN_SIZE].any()


def test_a_description_counts_beside_the_name_by_its_weight() -> None:
    vectors = encode_labels(("bug", "other"), {"bug": "crash error"}, FakeEncoder())
    name, description = encode(FakeEncoder(), ["bug", "crash error"]).features[:, -HIDDEN_SIZE:]
    both = name + DESCRIPTION_WEIGHT * description
    np.testing.assert_allclose(vectors[0, -HIDDEN_SIZE:], both / np.linalg.norm(both), atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


def test_cosines_of_the_default_base_model_need_no_measuring_and_others_are_compared_with_it() -> None:
    assert measure_cosine_scale(FakeEncoder()) == 1.0
    other = measure_cosine_scale(FakeEncoder("some/other-model"))
    assert other > 0
    assert other != 1.0
