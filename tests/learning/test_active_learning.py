"""Which texts of a pool are worth labelling: missing classes first, then uncertain texts."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.learning.examples import unit
from windrow.arrays import Floats
from windrow.learning import active_learning
from windrow.learning.active_learning import MIN_SIMILARITY, NEW_BELOW, choose, margins_of_best, threshold_margins

WIDTH = 96


def features_of(last: Floats, seed: int = 0) -> Floats:
    """Return features whose first two thirds are noise."""
    noise = np.random.default_rng(seed).normal(size=(2, *last.shape))
    return np.concatenate([unit(noise[0]), unit(noise[1]), last], axis=1)


def apart(count: int, seed: int = 1) -> Floats:
    """Return points that are unlike each other."""
    embeddings = unit(np.random.default_rng(seed).normal(size=(count, WIDTH)))
    assert np.triu(embeddings @ embeddings.T, 1).max() < MIN_SIMILARITY
    return embeddings


def group(count: int, seed: int, spread: float = 0.03) -> Floats:
    """Return points that are much like each other."""
    generator = np.random.default_rng(seed)
    return unit(generator.normal(size=WIDTH) + spread * generator.normal(size=(count, WIDTH)))


def scores_of(margins: Floats) -> Floats:
    """Return scores of two labels with these margins."""
    return np.stack([(1 + margins) / 2, (1 - margins) / 2], axis=1).astype(np.float32)


class Pool:
    """Texts that the classifier knows and is sure of, to which others are added."""

    def __init__(self, known: int) -> None:
        self.points = apart(known) if known else np.empty((0, WIDTH), np.float32)
        self.in_scope = np.full(known, 0.5, np.float32)
        self.margins = np.full(known, 0.9, np.float32)

    def add(self, embeddings: Floats, in_scope: float = 0.5, margin: float = 0.9) -> list[int]:
        """Add texts, and return their positions."""
        first = len(self.points)
        self.points = np.concatenate([self.points, embeddings])
        self.in_scope = np.append(self.in_scope, np.full(len(embeddings), in_scope, np.float32))
        self.margins = np.append(self.margins, np.full(len(embeddings), margin, np.float32))
        return list(range(first, len(self.points)))

    def choose(self, n: int) -> list[active_learning.Choice]:
        return choose(features_of(self.points), margins_of_best(scores_of(self.margins)), self.in_scope, n)


def test_one_text_of_each_planted_new_class_comes_first_the_largest_class_first() -> None:
    pool = Pool(200)
    small, large = pool.add(group(5, seed=11), in_scope=0.01), pool.add(group(20, seed=12), in_scope=0.04)
    odd = pool.add(apart(8, seed=13), in_scope=0.0)
    chosen = pool.choose(6)
    assert chosen[0].position in large
    assert chosen[1].position in small
    assert [one.num_similar for one in chosen[:2]] == [20, 5]
    assert [one.position for one in chosen[2:4]] == odd[:2]
    assert [one.reason for one in chosen] == ["new"] * 4 + ["uncertain"] * 2


def test_groups_may_take_all_of_a_request_and_other_new_texts_half_of_it_at_most() -> None:
    pool = Pool(50)
    odd = pool.add(apart(30, seed=3), in_scope=0.0)
    assert [one.reason for one in pool.choose(10)] == ["new"] * 5 + ["uncertain"] * 5
    assert [one.reason for one in pool.choose(1)] == ["uncertain"]
    groups = [pool.add(group(3, seed), in_scope=0.04) for seed in range(100, 112)]
    chosen = [one.position for one in pool.choose(10)]
    assert not set(chosen) & set(odd)
    assert len({next(number for number, each in enumerate(groups) if index in each) for index in chosen}) == 10


def test_the_rarest_of_equally_many_come_in_the_order_of_their_scope() -> None:
    pool = Pool(20)
    first, second = pool.add(apart(1, seed=3), in_scope=0.04), pool.add(apart(1, seed=4), in_scope=0.01)
    assert [one.position for one in pool.choose(4)][:2] == [*second, *first]


def test_a_text_that_is_as_like_the_training_data_as_the_border_is_not_new() -> None:
    pool = Pool(10)
    pool.add(group(9, seed=5), in_scope=NEW_BELOW)
    assert {one.reason for one in pool.choose(19)} == {"uncertain"}


def test_texts_with_the_smallest_margin_come_first_where_nothing_is_new() -> None:
    pool = Pool(0)
    generator = np.random.default_rng(0)
    pool.add(np.eye(30, WIDTH, dtype=np.float32))
    pool.margins = (generator.permutation(30) / 30).astype(np.float32)
    assert [one.position for one in pool.choose(30)] == np.argsort(pool.margins).tolist()


def test_near_duplicates_are_not_both_suggested_as_long_as_there_is_anything_else() -> None:
    pool = Pool(40)
    twins = [pool.add(group(2, seed, spread=0.001), margin=0.05) for seed in range(50, 55)]
    chosen = [one.position for one in pool.choose(10)]
    assert all(len(set(pair) & set(chosen)) == 1 for pair in twins)


def test_an_uncertain_text_like_a_chosen_new_one_waits() -> None:
    pool = Pool(20)
    new = pool.add(group(5, seed=7), in_scope=0.01)
    beside = pool.add(group(5, seed=7), in_scope=0.2, margin=0.0)
    chosen = [one.position for one in pool.choose(10)]
    assert chosen[0] in new
    assert not set(chosen[1:]) & set(beside)


def test_without_a_scope_nothing_is_new() -> None:
    embeddings = features_of(apart(20))
    chosen = choose(embeddings, np.linspace(0, 1, 20, dtype=np.float32), None, 5)
    assert [one.reason for one in chosen] == ["uncertain"] * 5
    assert chosen[0].position == 0


def test_alike_counts_the_similar_texts_of_the_pool_including_the_text_itself() -> None:
    pool = Pool(2_000)
    pool.add(group(7, seed=9), in_scope=0.01)
    pool.add(group(7, seed=9), in_scope=0.9)
    pool.add(np.zeros((1, WIDTH), np.float32), margin=0.0)
    chosen = pool.choose(2)
    assert [one.num_similar for one in chosen] == [14, 1]


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 40), st.integers(0, 3), st.integers(1, 50), st.integers(0, 999), st.booleans())
def test_so_many_different_texts_are_chosen_or_all_and_every_time_the_same(
    count: int, copies: int, n: int, seed: int, has_scope: bool
) -> None:
    generator = np.random.default_rng(seed)
    embeddings = np.concatenate([unit(generator.normal(size=(count, WIDTH)))] * (copies + 1))
    features, scores = features_of(embeddings), generator.dirichlet([1, 1, 1], len(embeddings)).astype(np.float32)
    in_scope = generator.choice([0.0, 0.01, 0.3, 1.0], len(embeddings)).astype(np.float32) if has_scope else None
    chosen = choose(features, margins_of_best(scores), in_scope, n)
    positions = [one.position for one in chosen]
    assert len(set(positions)) == len(positions) == min(n, len(embeddings))
    assert all(0 <= position < len(embeddings) for position in positions)
    assert all(one.num_similar > copies for one in chosen)
    assert all((one.reason == "new") == (in_scope is not None and in_scope[one.position] < NEW_BELOW) for one in chosen)
    assert choose(features, margins_of_best(scores), in_scope, n) == chosen


def test_a_pool_of_one_text_is_chosen_in_full() -> None:
    pool = Pool(0)
    pool.add(apart(1), in_scope=0.0)
    assert [(one.position, one.reason, one.num_similar) for one in pool.choose(10)] == [(0, "new", 1)]


def test_an_empty_pool_gives_no_choices() -> None:
    nothing = np.empty((0, WIDTH * 3), np.float32)
    assert choose(nothing, np.empty(0, np.float32), np.empty(0, np.float32), 3) == []


def test_a_class_at_the_end_of_a_large_pool_is_found_though_only_a_part_is_compared(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(active_learning, "MAX_NEW_CANDIDATES", 100)
    pool = Pool(0)
    pool.add(group(900, seed=1), in_scope=0.0)
    late = pool.add(group(100, seed=2), in_scope=0.0)
    chosen = pool.choose(2)
    assert chosen[1].position in late
    assert [one.num_similar for one in chosen] == [900, 100]


def test_the_memory_does_not_grow_with_the_square_of_the_pool() -> None:
    generator = np.random.default_rng(0)
    features = features_of(unit(generator.normal(size=(30_000, 8))))
    scores, in_scope = scores_of(generator.random(30_000, np.float32)), np.linspace(0, 0.1, 30_000, dtype=np.float32)
    tracemalloc.start()
    try:
        assert len(choose(features, margins_of_best(scores), in_scope, 20)) == 20
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak_bytes < 30_000**2 / 10


def test_a_label_is_certain_by_how_far_its_score_is_from_its_threshold() -> None:
    scores = np.array([[0.5, 0.2], [0.75, 0.0], [1.0, 0.6], [0.25, 0.1]], np.float32)
    margins = threshold_margins(scores, np.array([0.5, 0.2], np.float32))
    expected = [[0, 0], [0.5, 1], [1, 0.5], [0.5, 0.5]]
    assert margins.tolist() == [pytest.approx(row, abs=1e-6) for row in expected]
