"""The fraction of in-scope texts below a text, for one classifier and for many at once."""

from bisect import bisect, bisect_left
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.learning.examples import around_centres, unit
from windrow.arrays import Floats
from windrow.learning.scope import (
    MAX_QUANTILES,
    MIN_DEVIATION,
    Scope,
    label_centroids,
    measure_scope,
    score_scopes,
    similarity_to_nearest,
)

HIDDEN = 32
some_likeness = st.lists(st.floats(-1, 1, width=32), min_size=2, max_size=MAX_QUANTILES)


def of(*similarities: float) -> Scope:
    """Return the scope of one center, along the first axis."""
    return Scope.of(np.eye(1, HIDDEN, dtype=np.float16), np.sort(np.array(similarities, np.float32)))


def scopes(seed: int, labels: list[int]) -> list[Scope]:
    """Return scopes of so many labels each."""
    random = np.random.default_rng(seed)
    return [
        Scope.of(
            unit(random.normal(size=(count, HIDDEN))).astype(np.float16),
            np.sort(random.uniform(-0.2, 0.6, 3 + count)).astype(np.float32),
        )
        for count in labels
    ]


def at_angle(cosine: float) -> Floats:
    """Return a text with this likeness to the first axis."""
    text = np.zeros((1, HIDDEN), np.float32)
    text[0, :2] = cosine, (1 - cosine**2) ** 0.5
    return text


def test_at_a_held_out_row_it_is_the_fraction_of_rows_up_to_it() -> None:
    scope = of(0.25, 0.5, 0.75)
    assert [scope.fraction_below(similarities) for similarities in (0.25, 0.5, 0.75)] == [0.25, 0.5, 0.75]
    assert scope.fraction_below(0.375) == 0.375


def test_beyond_the_rows_it_falls_and_rises_by_a_factor_of_e_in_each_deviation() -> None:
    scope = of(0.25, 0.5, 0.75)
    assert scope.deviation == 0.25
    assert scope.fraction_below(0.0) == pytest.approx(0.25 / np.e)
    assert scope.fraction_below(-0.25) == pytest.approx(0.25 / np.e**2)
    assert scope.fraction_below(1.0) == pytest.approx(1 - 0.25 / np.e)


@given(some_likeness, st.floats(-1, 1), st.floats(-1, 1))
@settings(deadline=None)
def test_a_less_similar_text_never_has_the_larger_fraction(similarities: list[float], one: float, two: float) -> None:
    scope, (less, more) = of(*similarities), sorted((one, two))
    low, high = scope.fraction_below(less), scope.fraction_below(more)
    assert 0 <= low <= high <= 1


@given(some_likeness)
@settings(deadline=None)
def test_it_leaps_only_where_several_rows_are_equally_like_the_data(similarities: list[float]) -> None:
    scope = of(*similarities)
    for step in set(scope.similarities):
        equals = scope.similarities.count(step)
        leap = scope.fraction_below(step) - scope.fraction_below(float(np.nextafter(step, -2)))
        assert leap == pytest.approx((equals - 1) / (len(similarities) + 1), abs=1e-6)


@given(st.integers(2, MAX_QUANTILES), st.integers(0, 99))
@settings(deadline=None)
def test_in_scope_texts_fall_below_a_fraction_as_often_as_it_says(rows: int, seed: int) -> None:
    held_out = np.random.default_rng(seed).normal(0.5, 0.1, rows).astype(np.float32)
    scope = of(*held_out.tolist())
    fractions = np.array([scope.fraction_below(similarities) for similarities in held_out.tolist()])
    for bound in (0.05, 0.25, 0.5, 0.9):
        assert (fractions <= bound + 1e-9).sum() == pytest.approx(bound * (rows + 1), abs=1)


def test_it_falls_with_the_distance_from_the_nearest_center() -> None:
    scope = of(0.7, 0.8, 0.9)
    fractions = [float(scope.in_scope(at_angle(cosine))[0]) for cosine in (1.0, 0.95, 0.85, 0.75, 0.5, 0.0, -1.0)]
    assert all(nearer > farther for nearer, farther in pairwise(fractions))
    assert fractions[0] > 0.8
    assert fractions[-1] < 1e-6


def test_only_the_last_layer_counts() -> None:
    scope, text = of(0.7, 0.8, 0.9), at_angle(0.85)
    layers = np.concatenate([np.full((1, HIDDEN), 0.3, np.float32), -text, text], axis=1)
    assert scope.in_scope(layers) == scope.in_scope(text)


@pytest.mark.parametrize("similarities", [(0.5, 0.5), (0.5, 0.500001, 0.500002)])
def test_rows_that_happen_to_lie_together_do_not_put_all_else_out_of_scope(similarities: tuple[float, ...]) -> None:
    scope = of(*similarities)
    assert scope.deviation == MIN_DEVIATION
    assert scope.fraction_below(0.49) == pytest.approx(np.exp(-0.5) / (len(similarities) + 1), rel=1e-3)


@given(st.integers(0, 99), st.lists(st.integers(1, 5), min_size=1, max_size=6), st.integers(0, 5), st.integers(0, 4))
@settings(deadline=None)
def test_many_are_told_together_what_each_is_told_alone(
    seed: int, labels: list[int], without: int, num_texts: int
) -> None:
    asked: list[Scope | None] = [*scopes(seed, labels)]
    asked.insert(min(without, len(asked)), None)
    texts = unit(np.random.default_rng(seed).normal(size=(num_texts, 3 * HIDDEN)))
    for scope, told in zip(asked, score_scopes(asked, texts), strict=True):
        alone = [None] * num_texts if scope is None else scope.in_scope(texts).tolist()
        assert len(told) == num_texts
        assert told == (alone if scope is None else pytest.approx(alone, abs=1e-5))


def test_classifiers_that_cannot_tell_tell_nothing_of_any_text() -> None:
    assert score_scopes([None, None], np.ones((3, HIDDEN), np.float32)) == [[None] * 3] * 2
    assert score_scopes([], np.ones((3, HIDDEN), np.float32)) == []


def test_a_center_is_the_mean_direction_of_its_labels_last_layer() -> None:
    features, label_ids = around_centres(6, 4, spread=0.8, width=96)
    shuffled = np.random.default_rng(0).permutation(24)
    centroids = label_centroids(features[shuffled], label_ids[shuffled], HIDDEN)
    assert centroids.dtype == np.float16
    for label_id, center in enumerate(centroids):
        mean = features[label_ids == label_id, -HIDDEN:].mean(axis=0)
        np.testing.assert_allclose(center, mean / np.linalg.norm(mean), atol=1e-3)


def test_rows_that_cancel_out_have_no_direction_and_no_center_that_cannot_be_saved() -> None:
    row = np.eye(1, HIDDEN, dtype=np.float32)
    centroids = label_centroids(np.concatenate([row, -row]), np.zeros(2, np.int64), HIDDEN)
    assert not centroids.any()


def test_with_label_sets_each_labels_rows_have_a_centroid_and_those_without_labels_one_more() -> None:
    rows = unit(np.random.default_rng(5).normal(size=(5, HIDDEN)))
    sets = np.array([[1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 0, 0], [0, 0, 0]], bool)
    expected = unit(np.stack([rows[:2].sum(axis=0), rows[1:3].sum(axis=0), rows[3:].sum(axis=0)]))
    centroids = label_centroids(rows, sets, HIDDEN)
    assert centroids.dtype == np.float16
    np.testing.assert_allclose(centroids[[0, 1, 3]], expected, atol=2e-3)
    assert not centroids[2].any()  # the label that no row has
    assert len(label_centroids(rows[:3], sets[:3], HIDDEN)) == 3


def test_similarity_is_the_cosine_to_the_nearest_centroid() -> None:
    features, label_ids = around_centres(6, 4, spread=0.8, width=HIDDEN)
    centroids = label_centroids(features, label_ids, HIDDEN)
    expected = [max(float(row @ center) for center in centroids.astype(np.float32)) for row in features]
    assert similarity_to_nearest(features, centroids) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("rows", [0, 1])
def test_fewer_than_two_held_out_rows_are_no_measure(rows: int) -> None:
    assert measure_scope(np.eye(1, HIDDEN, dtype=np.float16), np.full(rows, 0.5, np.float32)) is None


def measured(similarities: Floats) -> Scope:
    centroids: npt.NDArray[np.float16] = np.eye(1, HIDDEN, dtype=np.float16)
    scope = measure_scope(centroids, similarities)
    assert scope is not None
    assert scope.centroids is centroids
    return scope


@given(st.integers(2, MAX_QUANTILES), st.integers(0, 99))
@settings(deadline=None)
def test_each_of_a_few_held_out_rows_is_a_step(rows: int, seed: int) -> None:
    held_out = np.random.default_rng(seed).normal(0.5, 0.1, rows).astype(np.float32)
    assert measured(held_out).similarities == tuple(sorted(held_out.tolist()))


@given(st.integers(MAX_QUANTILES + 1, 2_000), st.integers(0, 99))
@settings(deadline=None)
def test_many_held_out_rows_are_stepped_through_evenly(rows: int, seed: int) -> None:
    held_out = np.random.default_rng(seed).normal(0.5, 0.1, rows).astype(np.float32)
    scope = measured(held_out)
    assert len(scope.similarities) == MAX_QUANTILES
    ranked = np.sort(held_out).tolist()
    for number, step in enumerate(scope.similarities, start=1):
        # Rows may be equally like their label.
        below, not_above = bisect_left(ranked, step), bisect(ranked, step)
        assert below - 1.01 <= rows * number / (MAX_QUANTILES + 1) <= not_above + 1.01
