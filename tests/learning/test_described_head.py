"""The head that begins as the zero-shot head: near it with few rows, away from it where rows contradict it."""

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from windrow.arrays import Floats, Ids
from windrow.learning import described_head
from windrow.learning.described_head import (
    CANDIDATE_CS,
    CAUTIOUS_C,
    compute_described_learning_curve,
    cross_validate_described_head,
    fit_described_head,
    search_described_head,
)
from windrow.learning.folds import assign_folds
from windrow.learning.head import LinearHead
from windrow.learning.head_fitting import DEFAULT_C, Examples

WIDTH, LABELS = 24, 3


def unit(vectors: npt.NDArray[np.floating[Any]]) -> Floats:
    units: Floats = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return units


def meanings() -> Floats:
    return unit(np.random.default_rng(1).standard_normal((LABELS, WIDTH)).astype(np.float32))


def rows_around(centres: Floats, each: int, seed: int = 0, spread: float = 0.3) -> tuple[Floats, Ids]:
    label_ids = np.repeat(np.arange(len(centres)), each)
    noise = np.random.default_rng(seed).standard_normal((len(label_ids), WIDTH)) * spread
    return unit(centres[label_ids] + noise), label_ids


def examples(each: int, prior: Floats, seed: int = 0, train_only: int = 0) -> Examples:
    features, label_ids = rows_around(meanings(), each, seed)
    names = np.arange(train_only)
    return Examples(
        np.concatenate([features, meanings()[:train_only]]),
        np.concatenate([label_ids, names]),
        np.arange(len(label_ids)),
        num_train_only_rows=train_only,
        prior_weights=prior,
    )


def accuracy(head: LinearHead, seed: int = 99) -> float:
    features, label_ids = rows_around(meanings(), 100, seed)
    return float((head.logits(features).argmax(axis=1) == label_ids).mean())


def test_with_one_row_a_label_it_stays_near_the_zero_shot_head() -> None:
    prior = meanings() * np.float32(8)
    head, report, out_of_fold = fit_described_head(examples(1, prior), seed=0)
    assert (report.c, report.cv_accuracy, report.cv_folds, out_of_fold) == (CAUTIOUS_C, None, 0, None)
    change = np.linalg.norm(head.weights - prior)
    assert 0 < change < 0.05 * np.linalg.norm(prior)
    assert {head.weights.dtype.name, head.bias.dtype.name} == {"float32"}


def test_many_rows_overrule_wrong_descriptions() -> None:
    wrong = np.roll(meanings(), 1, axis=0) * np.float32(8)
    assert accuracy(LinearHead(wrong, np.zeros(LABELS, np.float32))) < 0.2
    head, report, _ = fit_described_head(examples(16, wrong), seed=0)
    assert report.c > CAUTIOUS_C
    assert accuracy(head) > 0.9


def test_where_rows_say_nothing_new_the_smallest_c_is_chosen() -> None:
    certain = meanings() * np.float32(60)
    features, label_ids = rows_around(meanings(), 8, spread=0.05)
    rows = Examples(features, label_ids, np.arange(len(label_ids)), prior_weights=certain)
    assert search_described_head(rows, seed=0).report.c == CANDIDATE_CS[0]


def test_the_head_is_the_solution_of_its_logistic_regression() -> None:
    """The gradient is zero where c times that of the loss cancels the distance from the prior."""
    given = examples(4, meanings() * np.float32(3))
    head, report, _ = fit_described_head(given, seed=0)
    assert given.prior_weights is not None
    logits = head.logits(given.features).astype(np.float64)
    scores = np.exp(logits - logits.max(axis=1, keepdims=True))
    scores /= scores.sum(axis=1, keepdims=True)
    scores[np.arange(len(scores)), given.label_ids] -= 1
    of_weights = report.c * scores.T @ given.features + (head.weights - given.prior_weights)
    of_bias = report.c * scores.sum(axis=0) + head.bias
    assert np.abs(of_weights).max() < 0.02 * report.c
    assert np.abs(of_bias).max() < 0.02 * report.c


def sets_of(given: Examples, bias: float = -1.0) -> Examples:
    """Return the same rows with label sets: each row's label, and of every third row the next one, too."""
    sets = np.eye(LABELS, dtype=bool)[given.label_ids]
    sets[::3] |= np.roll(sets[::3], 1, axis=1)
    return replace(given, label_ids=sets, prior_bias=bias)


def test_of_label_sets_the_head_is_the_solution_of_a_regression_for_each_label() -> None:
    given = sets_of(examples(4, meanings() * np.float32(3)))
    head, report, out_of_fold = fit_described_head(given, seed=0)
    assert given.prior_weights is not None
    assert out_of_fold is not None
    assert out_of_fold.logits.shape == (len(given.features), LABELS)
    residuals = 1 / (1 + np.exp(-head.logits(given.features).astype(np.float64))) - given.label_ids
    of_weights = report.c * residuals.T @ given.features + (head.weights - given.prior_weights)
    of_bias = report.c * residuals.sum(axis=0) + head.bias - given.prior_bias
    assert np.abs(of_weights).max() < 0.02 * report.c
    assert np.abs(of_bias).max() < 0.02 * report.c


def test_of_label_sets_without_a_row_to_hold_out_it_stays_near_the_zero_shot_head() -> None:
    given = replace(examples(1, meanings() * np.float32(8)), label_ids=np.eye(LABELS, dtype=bool), prior_bias=-2.0)
    head, report, out_of_fold = fit_described_head(given, seed=0)
    assert (report.c, out_of_fold) == (CAUTIOUS_C, None)
    assert np.abs(head.bias + 2).max() < 0.1


def test_of_label_sets_given_folds_are_cross_validated() -> None:
    given = sets_of(examples(6, meanings() * np.float32(8)))
    folds = assign_folds(given.label_ids, given.groups, 5, 3)
    logits = cross_validate_described_head(given, folds, 2)
    assert logits.shape == (int((folds == 0).sum() + (folds == 1).sum()), LABELS)


def test_many_rows_are_fitted_in_half_the_memory_to_nearly_the_same_head(monkeypatch: pytest.MonkeyPatch) -> None:
    given, types = examples(20, meanings() * np.float32(8)), []
    real = described_head._solve  # what is kept of the rows is seen nowhere else

    def solve(rows: Any, *arguments: Any) -> Any:
        types.append((rows.features.dtype, rows.prior_logits.dtype))
        return real(rows, *arguments)

    monkeypatch.setattr(described_head, "_solve", solve)
    exact, _, _ = fit_described_head(given, seed=0)
    assert set(types) == {(np.dtype(np.float64),) * 2}
    types.clear()
    monkeypatch.setattr(described_head, "MAX_EXACT_WORK", 10)
    lean, _, _ = fit_described_head(given, seed=0)
    assert set(types) == {(np.dtype(np.float32),) * 2}
    np.testing.assert_allclose(lean.weights, exact.weights, atol=0.02)


def test_a_c_is_not_tried_once_a_smaller_one_is_better_whatever_fold_is_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given, tried = examples(20, meanings() * np.float32(0.1)), []
    given = replace(given, label_ids=np.random.default_rng(1).permutation(given.label_ids))
    real = described_head._solve  # which heads are tried is seen nowhere else

    def solve(rows: Any, c: float, start: Any = None) -> Any:
        tried.append(c)
        return real(rows, c, start)

    monkeypatch.setattr(described_head, "_solve", solve)
    report = search_described_head(given, seed=0).report
    assert report.c == min(tried) == CANDIDATE_CS[0]
    assert max(tried) < max(CANDIDATE_CS)


def test_train_only_rows_do_not_count_again() -> None:
    prior = meanings() * np.float32(8)
    plain, with_names = (fit_described_head(examples(4, prior, train_only=count), seed=0)[0] for count in (0, LABELS))
    np.testing.assert_array_equal(plain.weights, with_names.weights)


def test_the_same_rows_give_the_same_bytes() -> None:
    first, again = (fit_described_head(examples(4, meanings() * np.float32(8)), seed=3)[0] for _ in range(2))
    assert first.weights.tobytes() == again.weights.tobytes()
    assert first.bias.tobytes() == again.bias.tobytes()


def test_a_search_that_is_known_is_not_done_again() -> None:
    given = examples(4, meanings() * np.float32(8))
    search = search_described_head(given, seed=0)
    fresh, _, _ = fit_described_head(given, seed=0)
    known, report, out_of_fold = fit_described_head(given, 0, search)
    assert (report, out_of_fold) == (search.report, search.out_of_fold)
    np.testing.assert_array_equal(fresh.weights, known.weights)


def test_each_row_is_held_out_once_with_the_logits_of_a_head_that_did_not_see_it() -> None:
    given = examples(6, meanings() * np.float32(8))
    out_of_fold = search_described_head(given, seed=0).out_of_fold
    assert out_of_fold is not None
    assert sorted(out_of_fold.rows.tolist()) == list(range(18))
    assert out_of_fold.logits.shape == (18, LABELS)
    in_sample = fit_described_head(given, seed=0)[0].logits(given.features[out_of_fold.rows])
    assert np.abs(in_sample - out_of_fold.logits).max() > 0


@pytest.mark.parametrize("needed", [1, 2])
def test_given_folds_are_cross_validated_in_their_order(needed: int) -> None:
    given = examples(6, meanings() * np.float32(8))
    folds = assign_folds(given.label_ids, given.groups, 5, 3)
    logits = cross_validate_described_head(given, folds, needed)
    assert logits.shape == (int((folds < needed).sum()), LABELS)
    whole = cross_validate_described_head(given, folds, 3)
    np.testing.assert_array_equal(logits, whole[: len(logits)])


def test_each_point_of_a_learning_curve_begins_with_the_descriptions_and_the_last_one_has_all_rows() -> None:
    prior = meanings() * np.float32(8)
    for given in (examples(8, prior), sets_of(examples(8, prior))):
        folds = assign_folds(given.label_ids, given.groups, 5, 3)
        curve = compute_described_learning_curve(given, folds, (0.25, 1.0), seed=0)
        np.testing.assert_array_equal(curve.logits[-1], cross_validate_described_head(given, folds, 3))
        assert curve.logits.shape == (2, len(curve.rows), LABELS)
        assert curve.trained_rows[0] < curve.trained_rows[1] == pytest.approx(len(given.groups) * 2 / 3)
        zero_shot = given.features[curve.rows] @ prior.T + np.float32(given.prior_bias)
        of_few, of_all = (float(np.abs(logits - zero_shot).mean()) for logits in curve.logits)
        assert 0 < of_few != of_all > 0


def test_the_learning_curve_of_very_many_rows_has_the_usual_c(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("windrow.learning.described_head.MAX_CV_WORK", 10)
    given = examples(6, meanings() * np.float32(8))
    folds = assign_folds(given.label_ids, given.groups, 0, 3)
    curve = compute_described_learning_curve(given, folds, (0.5, 1.0), seed=0)
    np.testing.assert_array_equal(curve.logits[-1], cross_validate_described_head(given, folds, 3))


def test_very_many_rows_are_not_cross_validated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("windrow.learning.described_head.MAX_CV_WORK", 10)
    given = examples(6, meanings() * np.float32(8))
    search = search_described_head(given, seed=0)
    assert (search.report.c, search.report.cv_folds) == (DEFAULT_C, 0)
    assert search.out_of_fold is not None
    assert 0 < len(search.out_of_fold.rows) < 18
    folds = assign_folds(given.label_ids, given.groups, 0, 3)
    assert cross_validate_described_head(given, folds, 2).shape == (int((folds < 2).sum()), LABELS)
