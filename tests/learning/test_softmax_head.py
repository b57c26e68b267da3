"""The solution is scikit-learn's, for two labels and for more."""

import numpy as np
import pytest

from windrow.arrays import Floats, Ids
from windrow.learning import head, softmax_head
from windrow.learning.head import rotate, solve
from windrow.learning.softmax_head import solve_labels


def some_rows(labels: int, rows: int = 60, width: int = 12) -> tuple[Floats, Ids]:
    random = np.random.default_rng(4)
    features = random.normal(size=(rows, width)).astype(np.float32)
    directions = random.normal(size=(labels, width))
    label_ids = (features @ directions.T + random.normal(size=(rows, labels))).argmax(axis=1)
    label_ids[:labels] = np.arange(labels)
    return features, label_ids


@pytest.mark.parametrize("labels", [2, 3, 7])
@pytest.mark.parametrize("c", [1.0, 64.0])
def test_it_finds_what_scikit_learn_finds(labels: int, c: float) -> None:
    from sklearn.linear_model import LogisticRegression  # takes a second, which collecting tests should not

    features, label_ids = some_rows(labels)
    weights, biases = solve_labels(features.astype(np.float64), label_ids, c, 1_000)
    found = LogisticRegression(C=c, max_iter=1_000).fit(features.astype(np.float64), label_ids)
    assert weights.shape == found.coef_.shape == (labels if labels > 2 else 1, 12)
    np.testing.assert_allclose(weights, found.coef_, atol=1e-6)
    np.testing.assert_allclose(biases, found.intercept_, atol=1e-6)


@pytest.mark.parametrize("labels", [2, 3])
@pytest.mark.parametrize("rows", [60, 600])
def test_it_begins_where_it_is_told_and_finds_the_same(labels: int, rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    features, label_ids = some_rows(labels, rows)
    smaller, whole = (solve(features, label_ids, c) for c in (1.0, 4.0))
    begun = solve(features, label_ids, 4.0, smaller)
    np.testing.assert_allclose(begun.scores(features), whole.scores(features), atol=5e-3)
    monkeypatch.setattr(softmax_head, "minimize_scaled", lambda objective, start, *_, **__: start)
    at_once = solve(features, label_ids, 4.0, smaller)
    np.testing.assert_allclose(at_once.scores(features), smaller.scores(features), atol=1e-6)


@pytest.mark.parametrize("labels", [2, 3])
def test_little_work_and_much_are_fitted_alike(labels: int, monkeypatch: pytest.MonkeyPatch) -> None:
    features, label_ids = some_rows(labels, rows=600)
    exact = solve(features, label_ids, 4.0)
    monkeypatch.setattr(head, "MAX_EXACT_WORK", features.size * labels - 1)
    single = solve(features, label_ids, 4.0)
    assert exact.weights.shape == single.weights.shape == (labels, 12)
    assert exact.weights.tobytes() != single.weights.tobytes()
    np.testing.assert_allclose(exact.scores(features), single.scores(features), atol=2e-3)


@pytest.mark.parametrize("labels", [2, 3])
def test_many_rows_along_one_direction_are_fitted_as_scikit_learn_fits_them(labels: int) -> None:
    from sklearn.linear_model import LogisticRegression  # takes a second, which collecting tests should not

    features, label_ids = some_rows(labels, rows=600)
    narrow, back = rotate(features * np.geomspace(1, 0.01, 12, dtype=np.float32))
    weights, biases = solve_labels(narrow.astype(np.float64), label_ids, 64.0, 1_000)
    found = LogisticRegression(C=64.0, tol=1e-9, max_iter=5_000).fit(narrow.astype(np.float64), label_ids)
    np.testing.assert_allclose(weights @ back, found.coef_ @ back, atol=2e-2)
    np.testing.assert_allclose(biases, found.intercept_, atol=2e-2)


def test_rows_that_are_all_alike_leave_the_share_of_each_label() -> None:
    weights, biases = solve_labels(np.zeros((6, 4)), np.array([0, 0, 0, 1, 1, 2]), 1.0, 1_000)
    assert not weights.any()
    shares = np.exp(biases) / np.exp(biases).sum()
    np.testing.assert_allclose(shares, [1 / 2, 1 / 3, 1 / 6], atol=1e-3)


def test_logits_that_overflow_give_finite_numbers() -> None:
    features, label_ids = some_rows(3)
    weights, biases = solve_labels(1e6 * features.astype(np.float64), label_ids, 1e6, 50)
    assert np.isfinite(weights).all() and np.isfinite(biases).all()


@pytest.mark.parametrize("spoilt", [np.nan, np.inf])
@pytest.mark.parametrize("rows", [8, 60, 600])
def test_features_that_are_no_finite_numbers_are_refused(spoilt: float, rows: int) -> None:
    features, label_ids = some_rows(3, rows)
    features[7, 2] = spoilt
    with pytest.raises(ValueError, match="finite"):
        solve(features, label_ids, 4.0)
    with pytest.raises(ValueError, match="finite"):
        rotate(features)


def test_a_single_label_is_refused() -> None:
    with pytest.raises(ValueError, match="two labels"):
        solve(np.eye(4, dtype=np.float32), np.zeros(4, np.int64), 4.0)
