"""Scales leave the minimum where it is, and lead there in fewer steps."""

from typing import Any

import numpy as np
import pytest

from windrow.arrays import Floats
from windrow.learning import preconditioning, softmax_head
from windrow.learning.head import softmax
from windrow.learning.preconditioning import MAX_UNSCALED_ROWS, Exact, minimize_scaled, parameter_scales
from windrow.learning.softmax_head import solve_labels


def some_rows(rows: int) -> Exact:
    """Return rows whose columns vary by 1 to a thousandth, and do not correlate."""
    return np.random.default_rng(2).normal(size=(rows, 10)) * np.geomspace(1, 1e-3, 10)


def bowl(curvatures: Exact, minimum: Exact, calls: list[Exact]) -> preconditioning.Objective:
    def objective(table: Exact) -> tuple[float, Exact]:
        calls.append(table.copy())
        return float((curvatures * (table - minimum) ** 2).sum() / 2), curvatures * (table - minimum)

    return objective


def test_a_bowl_that_is_steep_one_way_is_round_in_its_scales() -> None:
    curvatures, minimum = np.geomspace(1e-4, 1e2, 12).reshape(2, 6), np.arange(12.0).reshape(2, 6)
    calls: dict[bool, list[Exact]] = {True: [], False: []}
    for is_scaled, own in calls.items():
        scales = 1 / np.sqrt(curvatures) if is_scaled else np.ones(6)
        found = minimize_scaled(
            bowl(curvatures, minimum, own), np.zeros((2, 6)), scales, tolerance=1e-8, max_steps=1_000
        )
        np.testing.assert_allclose(found, minimum, atol=1e-3)
    assert len(calls[True]) <= 5
    assert len(calls[False]) > 20


def test_the_search_begins_where_it_is_told_to() -> None:
    calls: list[Exact] = []
    start, scales = np.full((1, 3), 4.0), np.array([0.5, 2.0, 3.0])
    found = minimize_scaled(
        bowl(np.ones((1, 3)), np.full((1, 3), 4.0), calls), start, scales, tolerance=1e-6, max_steps=9
    )
    assert len(calls) == 1
    assert found.tolist() == start.tolist()


def test_no_more_steps_are_taken_than_allowed() -> None:
    calls: list[Exact] = []
    curvatures = np.geomspace(1e-4, 1e2, 12).reshape(2, 6)
    objective = bowl(curvatures, np.ones((2, 6)), calls)
    minimize_scaled(objective, np.zeros((2, 6)), np.ones(6), tolerance=0.0, max_steps=3)
    assert 3 <= len(calls) <= 6


def test_a_few_rows_have_no_scales() -> None:
    assert parameter_scales(some_rows(MAX_UNSCALED_ROWS), 1e-3).tolist() == [1] * 11


def test_a_column_of_many_rows_that_varies_less_has_a_larger_scale_up_to_what_the_penalty_allows() -> None:
    scales = parameter_scales(some_rows(MAX_UNSCALED_ROWS + 1).astype(np.float32), 1e-6)
    assert scales.shape == (11,)
    assert (np.diff(scales[:-1]) > 0).all()
    assert scales[0] == pytest.approx(scales[-1], rel=0.1)
    assert scales[:-1].max() < 1 / np.sqrt(1e-6)


def test_constant_columns_and_rows_have_finite_scales() -> None:
    scales = parameter_scales(np.zeros((MAX_UNSCALED_ROWS + 1, 4)), 1e-3)
    assert np.isfinite(scales).all()


def test_scales_save_most_steps_of_a_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(3)
    features = random.normal(size=(600, 100)) * np.geomspace(1, 0.01, 100)
    label_ids = (random.normal(size=(600, 4)) + 0.3 * features @ random.normal(size=(100, 4))).argmax(axis=1)
    steps: list[int] = []

    def counting(objective: preconditioning.Objective, start: Exact, scales: Exact, **options: Any) -> Exact:
        def counted(table: Exact) -> tuple[float, Exact]:
            steps[-1] += 1
            return objective(table)

        steps.append(0)
        return minimize_scaled(counted, start, scales, **options)

    monkeypatch.setattr(softmax_head, "minimize_scaled", counting)
    logits: list[Floats] = []
    for limit in (500, 600):
        monkeypatch.setattr(preconditioning, "MAX_UNSCALED_ROWS", limit)
        weights, biases = solve_labels(features, label_ids, 64.0, 1_000)
        logits.append((features @ weights.T + biases).astype(np.float32))
    scaled, unscaled = steps
    assert 2 * scaled < unscaled
    np.testing.assert_allclose(softmax(logits[0]), softmax(logits[1]), atol=0.05)
