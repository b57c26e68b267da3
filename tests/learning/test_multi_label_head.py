"""The joint solution is that of a logistic regression a label, and labels without contrast fall back to their share."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from windrow.arrays import Bools, Floats
from windrow.learning import linear_loss, multi_label_head
from windrow.learning.head import fit_adapted_head, sigmoid, solve
from windrow.learning.multi_label_head import solve_sets


def some_rows(rows: int = 80, labels: int = 5, width: int = 12) -> tuple[Floats, Bools]:
    random = np.random.default_rng(4)
    directions = random.normal(size=(labels, width))
    features = random.normal(size=(rows, width)).astype(np.float32)
    return features, features @ directions.T + random.normal(size=(rows, labels)) > np.linspace(1, 6, labels)


@pytest.mark.parametrize("rows", [80, 600])
def test_each_label_has_the_logistic_regression_that_scikit_learn_finds_for_it_alone(rows: int) -> None:
    features, sets = some_rows(rows)
    weights, biases = solve_sets(features.astype(np.float64), sets, 4.0)
    assert (weights.shape, biases.shape) == ((5, 12), (5,))
    assert weights.dtype == biases.dtype == np.float32
    for label in range(5):
        alone = LogisticRegression(C=4.0, tol=1e-8, max_iter=5_000).fit(features.astype(np.float64), sets[:, label])
        np.testing.assert_allclose(weights[label], alone.coef_[0], atol=5e-3)
        np.testing.assert_allclose(biases[label], alone.intercept_[0], atol=5e-3)


def test_rows_in_chunks_give_the_same_solution(monkeypatch: pytest.MonkeyPatch) -> None:
    features, sets = some_rows()
    whole = solve_sets(features, sets, 4.0)
    monkeypatch.setattr(linear_loss, "_MAX_CELLS", 5 * 7)
    for chunked, at_once in zip(solve_sets(features, sets, 4.0), whole, strict=True):
        np.testing.assert_allclose(chunked, at_once, atol=5e-3)


@pytest.mark.parametrize("rows", [80, 600])
def test_it_begins_where_it_is_told_and_finds_the_same(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    features, sets = some_rows(rows)
    sets[:, 2] = False
    smaller, whole = (solve(features, sets, c) for c in (1.0, 4.0))
    begun = solve(features, sets, 4.0, smaller)
    np.testing.assert_allclose(begun.weights, whole.weights, atol=1e-2)
    np.testing.assert_allclose(begun.bias, whole.bias, atol=1e-2)
    monkeypatch.setattr(multi_label_head, "minimize_scaled", lambda objective, start, *_, **__: start)
    at_once = solve(features, sets, 4.0, smaller)
    np.testing.assert_allclose(at_once.weights, smaller.weights)
    np.testing.assert_allclose(at_once.bias, smaller.bias)


@pytest.mark.parametrize(("value", "share"), [(False, 0.5 / 81), (True, 80.5 / 81)])
def test_a_label_of_no_row_or_of_every_row_has_its_smoothed_share_and_no_weights(value: bool, share: float) -> None:
    features, sets = some_rows()
    sets[:, 2] = value
    head = solve(features, sets, 16.0)
    assert not head.weights[2].any()
    assert head.weights[[0, 1, 3, 4]].any(axis=1).all()
    np.testing.assert_allclose(sigmoid(head.logits(features))[:, 2], share, rtol=1e-4)


def test_rows_that_all_have_the_same_set_can_be_fitted() -> None:
    features, _ = some_rows()
    head = solve(features, np.tile([True, False], (80, 1)), 16.0)
    assert not head.weights.any()
    assert head.bias.tolist() == pytest.approx([np.log(80.5 / 0.5), np.log(0.5 / 80.5)])


def test_an_adapted_head_of_label_sets_is_fitted_as_one_of_labels() -> None:
    features, sets = some_rows(width=12)
    head, report = fit_adapted_head(features, sets)
    assert (report.c, report.cv_accuracy) == (30.0, None)
    assert ((sigmoid(head.logits(features)) >= 0.5) == sets).mean() > 0.9


def test_probabilities_of_extreme_logits_neither_overflow_nor_leave_their_range() -> None:
    probabilities = sigmoid(np.array([[-1e4, -2.0, 0.0, 2.0, 1e4]], np.float32))
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities, [[0, 0.1192029, 0.5, 0.8807971, 1]], rtol=1e-5)
