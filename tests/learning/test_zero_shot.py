"""Answers without labelled rows, from the features of label names and descriptions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.learning.examples import unit
from windrow.arrays import Floats
from windrow.encoders.bulk import encode
from windrow.encoders.onnx_encoder import OnnxEncoder
from windrow.learning.head import softmax
from windrow.learning.zero_shot import (
    BACKGROUND_TOPICS,
    TEMPERATURE,
    cosine_scale,
    label_texts,
    label_vectors,
    multi_label_logits,
    multi_label_temperature,
    multi_label_threshold,
    multi_label_zero_shot_head,
    rival_margins,
    zero_shot_head,
    zero_shot_logits,
)

HIDDEN, WIDTH = 4, 12
TEXTS = (
    "The striker scored twice in the last minutes of the match",
    "The central bank raised interest rates again",
    "The band plays its new album on Saturday",
)
LABELS = ("sports", "money", "music")


def features_of(rows: int, seed: int) -> Floats:
    """Return features of three layers, each of length 1."""
    parts = np.random.default_rng(seed).normal(size=(rows, 3, HIDDEN)).astype(np.float32)
    parts /= np.linalg.norm(parts, axis=2, keepdims=True)
    return parts.reshape(rows, WIDTH)


def vectors_by(encoder: OnnxEncoder, labels: tuple[str, ...]) -> Floats:
    """Return the vectors of labels by their names."""
    features = [encode(encoder, texts).features for texts in label_texts(labels)]
    return label_vectors(features, encoder.folder.hidden_size)


def by_loop(own: Floats, to_topics: Floats, is_rival: np.ndarray) -> Floats:
    """Return each similarity less the mean of its three nearest rivals, one after the other."""
    margins = np.empty_like(own)
    for row, label in np.ndindex(*own.shape):
        rivals = [*np.delete(own[row], label), *to_topics[row][is_rival[label]]]
        margins[row, label] = own[row, label] - np.mean(sorted(rivals)[-3:])
    return margins


def test_a_labels_texts_are_its_name_as_words_its_name_in_the_template_and_its_description() -> None:
    texts = label_texts(["late_delivery", "other"], {"late_delivery": "Where is my parcel?"}, "This is {}.")

    assert texts == [["late delivery", "This is late delivery.", "Where is my parcel?"], ["other", "This is other."]]
    assert label_texts(["a-b"]) == [["a b"]]


def test_a_label_in_braces_is_put_into_the_template_as_it_is() -> None:
    assert label_texts(["{0}{}"], template="About {}") == [["{0}{}", "About {0}{}"]]


def test_a_labels_vector_has_length_1_and_only_the_last_layer_counts() -> None:
    vectors = label_vectors([features_of(1, 0), features_of(3, 1)], HIDDEN)

    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1, 1], abs=1e-6)
    assert not vectors[:, :-HIDDEN].any()
    assert vectors[0, -HIDDEN:] == pytest.approx(features_of(1, 0)[0, -HIDDEN:], abs=1e-6)


def test_a_description_counts_for_two_texts() -> None:
    name, description = features_of(1, 0), features_of(1, 1)
    own = np.concatenate([name, description])

    (vector,) = label_vectors([own], HIDDEN, [True])

    expected = unit(name[:, -HIDDEN:] + 2 * description[:, -HIDDEN:])[0]
    assert vector[-HIDDEN:] == pytest.approx(expected, abs=1e-6)
    assert vector[-HIDDEN:] != pytest.approx(label_vectors([own], HIDDEN)[0, -HIDDEN:], abs=1e-3)


@given(st.integers(1, 5), st.integers(1, 6), st.integers(0, 99))
def test_the_heads_logits_are_cosines_over_the_temperature(rows: int, labels: int, seed: int) -> None:
    features, vectors = features_of(rows, seed), label_vectors([features_of(1, n) for n in range(labels)], HIDDEN)

    logits = zero_shot_logits(features, vectors)

    cosines = unit(features[:, -HIDDEN:]) @ vectors[:, -HIDDEN:].T
    assert logits * TEMPERATURE == pytest.approx(cosines, abs=1e-5)
    assert zero_shot_head(vectors).logits(features) == pytest.approx(logits)
    assert zero_shot_logits(features, vectors, 2.0) == pytest.approx(logits / 2, abs=1e-4)


@given(st.integers(1, 4), st.integers(1, 7), st.integers(4, 9), st.integers(0, 99))
def test_a_margin_is_the_similarity_less_the_mean_of_the_three_nearest_rivals(
    rows: int, labels: int, topics: int, seed: int
) -> None:
    features = features_of(rows, seed)
    vectors = label_vectors([features_of(1, seed + n) for n in range(1, labels + 1)], HIDDEN)
    others = label_vectors([features_of(1, seed + n) for n in range(50, 50 + topics)], HIDDEN)
    between = (others @ others.T)[~np.eye(topics, dtype=bool)]
    is_rival = vectors @ others.T < between.mean() + 1.78 * between.std()

    margins = rival_margins(features, vectors, others)

    known = is_rival.sum(axis=1) + labels - 1 > 0
    expected = by_loop(features @ vectors.T, features @ others.T, is_rival)[:, known] / between.std()
    assert margins[:, known] == pytest.approx(expected, abs=1e-3)


def test_many_texts_have_the_margins_that_each_has_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("windrow.learning.zero_shot._MAX_COMPARISONS", 100)
    features, vectors = features_of(7, 0), label_vectors([features_of(1, n) for n in range(5)], HIDDEN)
    topics = label_vectors([features_of(1, n) for n in range(20, 29)], HIDDEN)

    together = rival_margins(features, vectors, topics)

    alone = np.concatenate([rival_margins(features[row : row + 1], vectors, topics) for row in range(7)])
    assert together == pytest.approx(alone, abs=1e-5)


def test_texts_get_the_label_that_they_are_about(bundled: OnnxEncoder) -> None:
    scores = softmax(zero_shot_logits(encode(bundled, TEXTS).features, vectors_by(bundled, LABELS)))

    assert scores.argmax(axis=1).tolist() == [0, 1, 2]
    assert scores.sum(axis=1) == pytest.approx([1, 1, 1], abs=1e-5)


def test_several_labels_apply_to_a_text_of_several_subjects_and_none_to_one_of_another(bundled: OnnxEncoder) -> None:
    texts = ["The football club's debts and the bank's loan to it", "Thank you, that was kind of you"]
    vectors, topics = vectors_by(bundled, ("football", "banks", "cooking")), vectors_by(bundled, BACKGROUND_TOPICS)

    logits = multi_label_logits(encode(bundled, texts).features, vectors, topics)

    assert (logits > 0).tolist() == [[True, True, False], [False, False, False]]


def test_the_linear_head_scores_a_label_by_how_much_more_similar_it_is_than_the_others_are() -> None:
    vectors = np.eye(4, 6, dtype=np.float32)
    head = multi_label_zero_shot_head(vectors)
    text = np.array([[0.6, 0.8, 0, 0, 0, 0], [0, 0, 0, 0, 0, 1]], np.float32)
    logits = head.logits(text)
    expected = (0.6 - 0.8 / 3) / multi_label_temperature() + head.bias[0]
    assert logits[0, 0] == pytest.approx(expected, rel=1e-5)
    # A text that is like none of them is given none, and one like two of them both.
    scores = 1 / (1 + np.exp(-logits))
    assert (scores >= multi_label_threshold(4)).tolist() == [[True, True, False, False], [False] * 4]
    wider = multi_label_zero_shot_head(vectors, 2.0)
    np.testing.assert_allclose(wider.weights, head.weights / 2)


@pytest.mark.parametrize(("labels", "threshold"), [(2, 0.42), (4, 0.42), (6, 0.29), (10, 0.25), (1000, 0.25)])
def test_the_threshold_without_rows_lies_above_the_score_of_a_text_that_is_like_no_label(
    labels: int, threshold: float
) -> None:
    assert multi_label_threshold(labels) == threshold


def test_one_label_alone_applies_or_not(bundled: OnnxEncoder) -> None:
    texts = ["The team won the cup final after extra time", *TEXTS[1:]]
    vectors, topics = vectors_by(bundled, ("sports",)), vectors_by(bundled, BACKGROUND_TOPICS)

    logits = multi_label_logits(encode(bundled, texts).features, vectors, topics)

    assert (logits > 0).tolist() == [[True], [False], [False]]


def test_of_more_labels_the_same_margin_counts_for_less() -> None:
    features, topics = features_of(3, 0), label_vectors([features_of(1, n) for n in range(20, 29)], HIDDEN)
    few, many = (label_vectors([features_of(1, n) for n in range(count)], HIDDEN) for count in (4, 16))

    for vectors, prior in ((few, 1.06 - 0.55 * np.log(4)), (many, 1.06 - 0.55 * np.log(16))):
        margins = rival_margins(features, vectors, topics)
        assert multi_label_logits(features, vectors, topics) == pytest.approx(1.41 * margins + prior, abs=1e-4)


def test_the_scale_of_the_default_base_model_is_1(bundled: OnnxEncoder) -> None:
    assert cosine_scale(vectors_by(bundled, BACKGROUND_TOPICS)) == pytest.approx(1, abs=0.01)
