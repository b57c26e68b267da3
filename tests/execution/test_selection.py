"""A sample of too many rows leaves out rows that judge it, and only where that costs it nothing."""

from dataclasses import replace

import numpy as np
import pytest

from tests.execution.examples import dataset, multi_label_dataset
from tests.fakes.encoder import FakeEncoder
from windrow.domain.dataset import DataLimits, Row, check_rows
from windrow.domain.labelled_rows import LabelledDataset
from windrow.domain.recipe import Recipe
from windrow.execution import selection
from windrow.execution.selection import Selection, select_rows
from windrow.learning import plan


@pytest.fixture(autouse=True)
def little_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let 30 texts be all that is trained, and ten rows enough to hold out."""
    monkeypatch.setattr(plan, "MAX_PLANNED_TEXTS", 30)
    monkeypatch.setattr(selection, "ENOUGH_HELD_OUT_ROWS", 10)


def select(data: LabelledDataset, recipe: Recipe = Recipe()) -> Selection:
    return select_rows(data, recipe, FakeEncoder())


def test_where_all_rows_take_part_none_is_left_out() -> None:
    chosen = select(dataset(10))
    assert (len(chosen.numbers), chosen.fraction, len(chosen.held_out)) == (30, 1, 0)


@pytest.mark.parametrize("data", [dataset(100), multi_label_dataset(300)])
def test_a_sample_has_no_text_of_the_held_out_rows(data: LabelledDataset) -> None:
    chosen = select(data)
    assert len(chosen.numbers) == 30
    assert len(chosen.held_out) == pytest.approx(30, abs=3)
    texts = np.array(data.text_ids)
    assert not set(texts[chosen.held_out].tolist()) & set(texts[chosen.numbers].tolist())
    assert chosen.held_out.tolist() != select(data, Recipe(seed=1)).held_out.tolist()


def test_the_held_out_rows_have_labels_in_proportion_and_the_sample_has_all() -> None:
    rows = [Row(f"text {number}", "rare" if number % 20 == 0 else f"label {number % 2}") for number in range(400)]
    data = check_rows(rows, DataLimits())
    chosen = select(data)
    labels = [data.rows[number].label for number in chosen.held_out]
    assert labels.count("rare") == 2
    assert len(labels) == 40
    assert {data.rows[number].label for number in chosen.numbers} == {"rare", "label 0", "label 1"}


def test_equal_rows_are_held_out_once_and_their_texts_are_in_no_sample() -> None:
    rows = [Row(f"text {number % 100}", f"label {number % 2}") for number in range(400)]
    data = check_rows(rows, DataLimits())
    chosen = select(data)
    held_out = [data.rows[number].text for number in chosen.held_out]
    assert len(held_out) == len(set(held_out)) == 10
    assert not set(held_out) & {data.rows[number].text for number in chosen.numbers}


def test_where_few_rows_differ_folds_judge() -> None:
    rows = [Row(f"text {number % 40}", f"label {number % 2}") for number in range(400)]
    chosen = select(check_rows(rows, DataLimits()))
    assert (len(chosen.numbers), len(chosen.held_out)) == (30, 0)
    assert chosen.fraction == 0.75


def test_where_labels_have_two_texts_no_half_of_all_rows_is_left_out() -> None:
    rows = [Row(f"text {number}", f"label {number // 2}") for number in range(200)]
    assert len(select(check_rows(rows, DataLimits())).held_out) == 0


def test_copies_of_few_rows_are_no_sample() -> None:
    rows = [Row(f"text {number % 30}", f"label {number % 2}") for number in range(400)]
    chosen = select(check_rows(rows, DataLimits()))
    assert (len(chosen.numbers), chosen.fraction) == (30, 1)


@pytest.mark.parametrize(
    "recipe", [Recipe(num_iterations=0), Recipe(cross_validate=False), Recipe(max_seconds=60)], ids=str
)
def test_nothing_is_left_out_where_no_adapter_is_cross_validated_or_time_is_limited(recipe: Recipe) -> None:
    chosen = select(dataset(100), recipe)
    assert (len(chosen.numbers), len(chosen.held_out)) == (30, 0)


@pytest.mark.parametrize(("rows_per_label", "is_held_out"), [(11, False), (17, True)])
def test_a_sample_is_no_smaller_for_what_is_left_out(rows_per_label: int, is_held_out: bool) -> None:
    chosen = select(dataset(rows_per_label))
    assert len(chosen.numbers) == 30
    assert (len(chosen.held_out) > 0) == is_held_out


def test_too_few_rows_to_hold_out_are_left_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection, "ENOUGH_HELD_OUT_ROWS", 61)
    assert len(select(dataset(40)).held_out) == 0


def test_the_same_request_leaves_out_the_same_rows() -> None:
    first, again = (select(dataset(100), replace(Recipe(), seed=4)) for _ in range(2))
    assert first.held_out.tolist() == again.held_out.tolist()
    assert first.numbers.tolist() == again.numbers.tolist()
