"""The head: its scores, alone and stacked with others, and its fit to features of an adapted encoder."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.learning.examples import around_centres
from windrow.learning.head import (
    ADAPTED_C,
    ADAPTED_LAYER_WEIGHTS,
    LinearHead,
    fit_adapted_head,
    rotate,
    score_heads,
    scores_of_logits,
    sigmoid,
    solve,
)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_scores_lie_in_0_to_1_and_sum_to_1(seed: int) -> None:
    generator = np.random.default_rng(seed)
    head = LinearHead(
        (100 * generator.normal(size=(4, 6))).astype(np.float32), generator.normal(size=4).astype(np.float32)
    )
    scores = head.scores(generator.normal(size=(5, 6)).astype(np.float32))
    assert ((scores >= 0) & (scores <= 1)).all()
    np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-6)


@given(st.lists(st.integers(1, 9), min_size=1, max_size=20), st.integers(1, 4), st.integers(0, 2**32 - 1))
@settings(deadline=None)
def test_heads_score_together_as_they_do_alone(labels: list[int], rows: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    heads = [
        LinearHead(
            random.normal(scale=20, size=(count, 8)).astype(np.float32), random.normal(size=count).astype(np.float32)
        )
        for count in labels
    ]
    features = random.normal(size=(rows, 8)).astype(np.float32)
    for head, scores in zip(heads, score_heads(heads, features), strict=True):
        np.testing.assert_allclose(scores, head.scores(features), atol=1e-5)


@given(st.lists(st.integers(1, 9), min_size=1, max_size=20), st.integers(1, 4), st.integers(0, 2**32 - 1))
@settings(deadline=None)
def test_heads_of_several_labels_score_together_as_they_do_alone(labels: list[int], rows: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    heads = [
        LinearHead(random.normal(size=(count, 8)).astype(np.float32), random.normal(size=count).astype(np.float32))
        for count in labels
    ]
    features = random.normal(size=(rows, 8)).astype(np.float32)
    for head, scores in zip(heads, score_heads(heads, features, "multi_label"), strict=True):
        np.testing.assert_allclose(scores, scores_of_logits(head.logits(features), "multi_label"), atol=1e-5)


def test_a_score_of_its_own_is_the_sigmoid_also_of_logits_that_exp_cannot_take() -> None:
    from scipy.special import expit  # takes a moment, which collecting tests should not

    logits = np.array([[-1e30, -100, -20, -0.5, 0, 0.5, 20, 100, 1e30]], np.float32)
    np.testing.assert_allclose(sigmoid(logits), expit(logits), rtol=1e-5, atol=1e-40)  # some round denormals to 0


@pytest.mark.parametrize("logit", [np.nan, np.inf, -np.inf])
def test_no_score_follows_from_a_logit_that_is_not_finite(logit: float) -> None:
    scores = sigmoid(np.array([[0, logit]], np.float32))
    assert scores[0, 0] == 0.5
    assert np.isnan(scores[0, 1])


@pytest.mark.parametrize(("rows_per_label", "width"), [(4, 64), (60, 64), (16, 32)])
def test_rotated_features_keep_every_product_and_lead_back(rows_per_label: int, width: int) -> None:
    features, _ = around_centres(rows_per_label, 2, spread=1.0, width=width)
    narrow, back = rotate(features)
    assert narrow.shape == (2 * rows_per_label, min(2 * rows_per_label, width))
    np.testing.assert_allclose(narrow @ narrow.T, features @ features.T, atol=1e-5)
    np.testing.assert_allclose(narrow @ back, features, atol=1e-5)


def test_columns_of_many_rotated_rows_do_not_correlate() -> None:
    features, _ = around_centres(300, 2, spread=1.0, width=64)
    narrow, back = rotate(features)
    assert narrow.shape == features.shape
    products = narrow.T.astype(float) @ narrow
    np.testing.assert_allclose(products, np.diag(np.diag(products)), atol=1e-3)
    np.testing.assert_allclose(narrow @ back, features, atol=1e-5)


@pytest.mark.parametrize("labels", [2, 5])
def test_an_adapted_head_is_scikit_learns_on_weighted_layers(labels: int) -> None:
    from sklearn.linear_model import LogisticRegression  # takes a second, which collecting tests should not

    features, label_ids = around_centres(6, labels, spread=1.5, width=48)
    head, report = fit_adapted_head(features, label_ids)
    weighted = features.astype(float) * np.repeat(ADAPTED_LAYER_WEIGHTS, 16)
    reference = LogisticRegression(C=ADAPTED_C, max_iter=5_000, tol=1e-8).fit(weighted, label_ids)
    np.testing.assert_allclose(head.scores(features), reference.predict_proba(weighted), atol=5e-3)
    assert (report.c, report.cv_accuracy, report.cv_folds) == (ADAPTED_C, None, 0)


def test_a_stronger_head_is_surer_of_its_rows() -> None:
    features, label_ids = around_centres(6, 3, spread=0.5)
    scores = [solve(features, label_ids, c).scores(features).max(axis=1).mean() for c in (0.1, 1.0, 10.0)]
    assert scores == sorted(scores)
    assert scores[0] < 0.5 < scores[-1]
