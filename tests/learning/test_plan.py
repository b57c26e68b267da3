"""What num_iterations and batch_size mean: epochs, steps, learning rates, the step budget, and the sampled rows."""

import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windrow.arrays import Ids
from windrow.domain.recipe import Recipe
from windrow.learning import plan
from windrow.learning.plan import (
    FULL_BATCH,
    FULL_BATCH_TEXTS,
    GROUP_TEXTS,
    MANY_LABELS,
    MAX_FEW_LABELS,
    MAX_PLANNED_TEXTS,
    MAX_PLANNED_TOKENS,
    MINI_BATCH,
    Plan,
    ScheduleConfig,
    num_at_once,
)

any_recipe = st.builds(
    Recipe, num_iterations=st.integers(0, 60), batch_size=st.integers(2, 1_024), seed=st.integers(0, 9)
)
sizes = st.lists(st.integers(1, 150), min_size=2, max_size=8)


# Short enough that the budget of texts is the one that counts, unless a test says otherwise.
TOKENS = MAX_PLANNED_TOKENS // MAX_PLANNED_TEXTS


def plan_steps(label_ids: Ids, recipe: Recipe) -> Plan:
    return plan.plan_steps(label_ids, np.full(len(label_ids), TOKENS), recipe)


def sample_rows(label_ids: Ids, seed: int) -> Ids:
    return plan.sample_rows(label_ids, np.full(len(label_ids), TOKENS), seed)


def labels_of(counts: list[int]) -> Ids:
    return np.random.default_rng(len(counts)).permutation(np.repeat(np.arange(len(counts)), counts))


@given(sizes, any_recipe)
@settings(deadline=None)
def test_every_epoch_holds_each_text_once(counts: list[int], recipe: Recipe) -> None:
    label_ids = labels_of(counts)
    planned = plan_steps(label_ids, recipe)
    in_an_epoch = math.ceil(len(label_ids) / max(recipe.batch_size, FULL_BATCH_TEXTS))
    assert planned.requested_steps == planned.epochs * in_an_epoch
    for first in range(0, len(planned.steps) - in_an_epoch + 1, in_an_epoch):
        met = np.concatenate(planned.steps[first : first + in_an_epoch])
        assert sorted(met.tolist()) == list(range(len(label_ids)))


@given(sizes, any_recipe, st.integers(0, 60))
@settings(deadline=None)
def test_more_iterations_never_give_fewer_epochs_or_steps(counts: list[int], recipe: Recipe, more: int) -> None:
    label_ids = labels_of(counts)
    less = plan_steps(label_ids, recipe)
    grown = plan_steps(label_ids, replace(recipe, num_iterations=recipe.num_iterations + more))
    assert grown.epochs >= less.epochs
    assert len(grown.steps) >= len(less.steps)
    assert grown.requested_steps >= less.requested_steps


@given(sizes, any_recipe, st.integers(2, 1_024))
@settings(deadline=None)
def test_a_larger_batch_never_gives_smaller_steps(counts: list[int], recipe: Recipe, other: int) -> None:
    label_ids = labels_of(counts)
    small, large = sorted([recipe.batch_size, other])
    steps = [plan_steps(label_ids, Recipe(num_iterations=20, batch_size=size)).steps for size in (small, large)]
    assert min(map(len, steps[1])) >= min(map(len, steps[0]))


@pytest.mark.parametrize("counts", [[3, 4], [400, 500]])
def test_no_iterations_give_no_step(counts: list[int]) -> None:
    planned = plan_steps(labels_of(counts), Recipe(num_iterations=0))
    assert (planned.steps, planned.learning_rates, planned.epochs, planned.requested_steps) == ((), (), 0, 0)


def test_few_texts_all_meet_in_every_step() -> None:
    planned = plan_steps(labels_of([100, 156]), Recipe(num_iterations=20))
    assert planned.schedule == FULL_BATCH
    assert [len(step) for step in planned.steps] == [256] * math.ceil(20 / FULL_BATCH.iterations_per_epoch)
    assert plan_steps(labels_of([100, 157]), Recipe(num_iterations=20)).schedule == MINI_BATCH
    assert plan_steps(labels_of([100, 157]), Recipe(num_iterations=20, batch_size=300)).schedule == FULL_BATCH


@pytest.mark.parametrize(("labels", "schedule"), [(MAX_FEW_LABELS, MINI_BATCH), (MAX_FEW_LABELS + 1, MANY_LABELS)])
def test_the_number_of_labels_decides_how_many_texts_are_trained(labels: int, schedule: ScheduleConfig) -> None:
    assert plan_steps(labels_of([7] * labels), Recipe()).schedule is schedule
    assert plan_steps(labels_of([2] * labels), Recipe()).schedule is FULL_BATCH


@pytest.mark.parametrize(("labels", "schedule"), [(MAX_FEW_LABELS, MINI_BATCH), (MAX_FEW_LABELS + 1, MANY_LABELS)])
def test_labels_are_counted_and_not_their_sets(labels: int, schedule: ScheduleConfig) -> None:
    sets = np.random.default_rng(0).random((300, labels)) < 0.5
    assert len(np.unique(sets, axis=0)) > MAX_FEW_LABELS
    assert plan.plan_steps(sets, np.full(300, TOKENS), Recipe()).schedule is schedule


def test_the_budget_bounds_the_texts_of_all_steps_and_the_plan_says_what_it_cut() -> None:
    planned = plan_steps(labels_of([3_000, 1_000]), Recipe(num_iterations=20))
    assert sum(map(len, planned.steps)) <= MAX_PLANNED_TEXTS
    assert sum(map(len, planned.steps)) + len(planned.steps[-1]) > MAX_PLANNED_TEXTS
    assert (planned.epochs, planned.requested_steps) == (3, 3 * 16)
    assert len(planned.learning_rates) == len(planned.steps) == 32


def test_texts_beyond_the_budget_still_get_one_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "MAX_PLANNED_TEXTS", 10)
    for counts in ([20, 20], [500, 500]):
        planned = plan_steps(labels_of(counts), Recipe())
        assert len(planned.steps) == 1
        assert planned.requested_steps > 1


@given(sizes, st.integers(1, 1_000))
@settings(deadline=None)
def test_rates_warm_up_and_fall_and_stay_within_peak_and_movement(counts: list[int], num_iterations: int) -> None:
    planned = plan_steps(labels_of(counts), Recipe(num_iterations=num_iterations))
    learning_rates = np.array(planned.learning_rates)
    top = int(learning_rates.argmax())
    assert (learning_rates > 0).all()
    assert (np.diff(learning_rates[: top + 1]) >= 0).all()
    assert (np.diff(learning_rates[top:]) <= 0).all()
    assert top <= max(1, len(learning_rates) // 10)
    assert learning_rates.max() <= planned.schedule.peak_learning_rate * (1 + 1e-9)
    assert learning_rates.sum() <= planned.schedule.max_lr_sum * (1 + 1e-9)
    if len(learning_rates) > 10:
        assert learning_rates[-1] < learning_rates.max() / 5


def test_more_epochs_over_few_texts_do_not_raise_the_sum_of_learning_rates() -> None:
    plans = [plan_steps(labels_of([8, 8]), Recipe(num_iterations=iterations)) for iterations in (20, 50, 100)]
    sums = [sum(plan.learning_rates) for plan in plans]
    assert sums == pytest.approx([FULL_BATCH.max_lr_sum] * 3)


def test_a_label_finds_partners_in_its_step() -> None:
    label_ids = labels_of([GROUP_TEXTS * 5] * 100)
    for step in plan_steps(label_ids, Recipe(num_iterations=4)).steps:
        assert len(step) == 250
        # Only the groups that a border between steps cuts may be smaller.
        alone = [count for count in Counter(label_ids[step].tolist()).values() if count < GROUP_TEXTS]
        assert len(alone) <= 2


@pytest.mark.parametrize("counts", [[300, 20], [4, 4]])
def test_the_seed_alone_decides_the_steps(counts: list[int]) -> None:
    label_ids = labels_of(counts)
    first, again, other = (plan_steps(label_ids, Recipe(seed=seed)) for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(first.steps, again.steps, strict=True))
    if len(label_ids) > FULL_BATCH_TEXTS:
        assert not all(np.array_equal(a, b) for a, b in zip(first.steps, other.steps, strict=True))


@pytest.mark.parametrize(
    ("trainings", "tokens", "weights", "cores", "at_once"),
    [
        (4, 600, 10_616_832, 2, 2),
        (4, 600, 10_616_832, 8, 2),
        (4, 600, 10_616_832, 1, 1),  # one core gains nothing
        (1, 600, 10_616_832, 2, 1),
        (4, 1_280, 10_616_832, 2, 2),
        (4, 1_281, 10_616_832, 2, 1),  # memory for the steps of both
        (4, 100_000, 10_616_832, 2, 1),
        (4, 600, 42_000_000, 2, 1),  # memory for the weights of both
        (4, 600, 420_000_000, 2, 1),
    ],
)
def test_small_trainings_run_at_the_same_time(
    trainings: int, tokens: int, weights: int, cores: int, at_once: int
) -> None:
    assert num_at_once(trainings, tokens, weights, cores) == at_once


def test_all_rows_take_part_while_they_fit_the_budget() -> None:
    assert sample_rows(labels_of([MAX_PLANNED_TEXTS // 2] * 2), seed=0).tolist() == list(range(MAX_PLANNED_TEXTS))


@given(st.lists(st.integers(1, 40), min_size=2, max_size=12), st.integers(0, 9))
@settings(deadline=None)
def test_a_sample_fills_small_labels_first_and_loses_none(counts: list[int], seed: int) -> None:
    label_ids = labels_of(counts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan, "MAX_PLANNED_TEXTS", 30)
        rows = sample_rows(label_ids, seed)
        assert rows.tolist() == sample_rows(label_ids, seed).tolist()
    assert len(rows) == min(30, len(label_ids))
    assert (np.diff(rows) > 0).all()
    taken = np.bincount(label_ids[rows], minlength=len(counts))
    most = taken.max()
    for count, own in zip(counts, taken, strict=True):
        assert own >= 1
        assert own == count or own >= most - 1  # whoever lacks rows has as many as the largest, but for the last turn


def test_a_sample_depends_on_the_seed() -> None:
    label_ids = labels_of([MAX_PLANNED_TEXTS] * 2)
    assert sample_rows(label_ids, 0).tolist() != sample_rows(label_ids, 1).tolist()


def test_long_texts_use_the_budget_up_sooner() -> None:
    label_ids = labels_of([1_000, 1_000])
    lengths = np.full(len(label_ids), 250)
    planned = plan.plan_steps(label_ids, lengths, Recipe(num_iterations=20))
    taken = sum(int(lengths[step].sum()) for step in planned.steps)
    assert MAX_PLANNED_TOKENS // 2 < taken <= MAX_PLANNED_TOKENS
    assert len(planned.steps) < planned.requested_steps
    rows = plan.sample_rows(label_ids, lengths, seed=0)
    assert lengths[rows].sum() <= MAX_PLANNED_TOKENS
    assert set(label_ids[rows]) == {0, 1}


def test_a_row_of_every_label_is_sampled_though_they_exceed_the_budget() -> None:
    label_ids = labels_of([2] * 1_000)
    rows = plan.sample_rows(label_ids, np.full(2_000, 256), seed=0)
    assert set(label_ids[rows]) == set(range(1_000))


def standing_for(texts: int, all_of_them: int, recipe: Recipe = Recipe(num_iterations=8)) -> Plan:
    """Return the plan of a training on a part of some texts, with which it is to be like."""
    label_ids = np.arange(texts) % 3
    return plan.plan_steps(label_ids, np.full(texts, TOKENS), recipe, all_of_them)


@given(st.integers(3, 700), st.integers(0, 300))
@settings(deadline=None)
def test_a_fold_is_trained_with_the_schedule_of_all_texts(part: int, others: int) -> None:
    whole = plan_steps(np.arange(part + others) % 3, Recipe(num_iterations=8))
    planned = standing_for(part, part + others)
    assert (planned.schedule, planned.epochs) == (whole.schedule, whole.epochs)
    assert max(map(len, planned.steps)) <= max(map(len, whole.steps))
    assert len(planned.steps) <= len(whole.steps)


@pytest.mark.parametrize(
    ("part", "all_of_them", "schedule", "sizes_of_an_epoch"),
    [
        (171, 256, FULL_BATCH, [171]),
        (171, 257, MINI_BATCH, [86, 85]),  # all take two steps of 129 at most, and so do these
        (349, 523, MINI_BATCH, [175, 174]),  # all take three of 175 at most
        (800, 1_000, MINI_BATCH, [200, 200, 200, 200]),
    ],
)
def test_a_part_of_some_texts_takes_steps_as_large_as_all_of_them_do(
    part: int, all_of_them: int, schedule: ScheduleConfig, sizes_of_an_epoch: list[int]
) -> None:
    planned = standing_for(part, all_of_them)
    assert planned.schedule is schedule
    assert [len(step) for step in planned.steps] == sizes_of_an_epoch * planned.epochs
    assert planned.requested_steps == len(planned.steps)


def test_all_of_some_texts_stand_for_themselves() -> None:
    for texts in (200, 300, 600):
        alone, standing = plan_steps(np.arange(texts) % 3, Recipe(num_iterations=8)), standing_for(texts, texts)
        assert [step.tolist() for step in alone.steps] == [step.tolist() for step in standing.steps]
        assert alone.learning_rates == standing.learning_rates
