"""The head: what it computes, how it is fitted, and how folds are dealt."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from windrow.learning.head import (
    MAX_FOLDS,
    STRENGTHS,
    Floats,
    Ids,
    LinearHead,
    deal_folds,
    fit_head,
    score_together,
    splits,
)


def clusters(rows_per_label: int, labels: int, width: int = 64, spread: float = 0.3) -> tuple[Floats, Ids]:
    """Return rows around one random centre a label."""
    generator = np.random.default_rng(7)
    centres = generator.normal(size=(labels, width))
    label_ids = np.repeat(np.arange(labels), rows_per_label).astype(np.int64)
    rows = centres[label_ids] + spread * generator.normal(size=(len(label_ids), width))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32), label_ids


@pytest.mark.parametrize("labels", [2, 3, 7])
def test_a_fitted_head_separates_separable_labels(labels: int) -> None:
    features, label_ids = clusters(8, labels)
    head, report = fit_head(features, label_ids, seed=0)
    assert (head.scores(features).argmax(axis=1) == label_ids).all()
    assert report.cv_accuracy == 1.0
    assert report.cv_folds == MAX_FOLDS
    assert report.strength in STRENGTHS


@pytest.mark.parametrize("labels", [2, 5])
@pytest.mark.parametrize("rows_per_label", [4, 60])
def test_scores_are_those_of_scikit_learn_on_the_unrotated_features(labels: int, rows_per_label: int) -> None:
    features, label_ids = clusters(rows_per_label, labels, spread=1.5)
    head, report = fit_head(features, label_ids, seed=0)
    reference = LogisticRegression(C=report.strength, max_iter=5_000, tol=1e-8).fit(features.astype(float), label_ids)
    np.testing.assert_allclose(head.scores(features), reference.predict_proba(features.astype(float)), atol=5e-3)


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


def test_the_same_rows_give_the_same_bits() -> None:
    features, label_ids = clusters(8, 3)
    first, second = (fit_head(features, label_ids, seed=3)[0] for _ in range(2))
    assert first.weights.tobytes() == second.weights.tobytes()
    assert first.bias.tobytes() == second.bias.tobytes()


def test_one_row_a_label_is_fitted_without_cross_validation() -> None:
    features, label_ids = clusters(1, 4)
    head, report = fit_head(features, label_ids, seed=0)
    assert (head.scores(features).argmax(axis=1) == label_ids).all()
    assert (report.cv_accuracy, report.cv_folds) == (None, 0)


def test_texts_that_are_all_alike_give_a_head_that_knows_the_frequencies() -> None:
    features = np.ones((4, 8), dtype=np.float32)
    head, _ = fit_head(features, np.array([0, 0, 0, 1]), seed=0)
    assert head.scores(features)[0, 0] > 0.5


def test_more_rows_than_the_cross_validation_samples_are_fitted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("windrow.learning.head.MAX_CV_ROWS", 20)
    features, label_ids = clusters(30, 3, width=16)
    head, report = fit_head(features, label_ids, seed=0)
    assert report.cv_folds == MAX_FOLDS
    assert (head.scores(features).argmax(axis=1) == label_ids).mean() > 0.95


@given(st.lists(st.integers(1, 12), min_size=2, max_size=6), st.integers(0, 99))
def test_each_label_is_always_left_in_training_and_spread_evenly(counts: list[int], seed: int) -> None:
    label_ids = np.repeat(np.arange(len(counts)), counts)
    folds = deal_folds(label_ids, seed)
    for train, held_out in splits(folds):
        assert set(label_ids[train]) == set(range(len(counts)))
        assert len(np.intersect1d(train, held_out)) == 0
    for label_id, count in enumerate(counts):
        own = folds[label_ids == label_id]
        if count == 1:
            assert own.tolist() == [-1]
        else:
            sizes = np.bincount(own, minlength=min(MAX_FOLDS, max(counts)))
            assert sizes.max() - sizes.min() <= 1


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
    for head, scores in zip(heads, score_together(heads, features), strict=True):
        np.testing.assert_allclose(scores, head.scores(features), atol=1e-5)
