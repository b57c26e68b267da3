"""The adapter scale and the use of label names, chosen from the frozen encoder alone."""

import inspect

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.learning.examples import around_centres, unit
from windrow.arrays import Bools, Floats, Ids
from windrow.domain.training_report import AdapterReport
from windrow.learning.calibrate import HeldOut
from windrow.learning.head import ADAPTED_CS_OF_SETS
from windrow.learning.head_fitting import OutOfFoldLogits
from windrow.learning.model_selection import (
    choose_adapted_c,
    choose_adapter_scale,
    choose_by_held_out_rows,
    label_name_texts,
    label_names_are_informative,
    leave_one_out_errors,
)


def by_loop(features: Floats, label_ids: Ids) -> tuple[int, int]:
    """Judge each row by the means of all other rows, one after the other."""
    errors = judged = 0
    for row, label_id in enumerate(label_ids):
        rest = np.arange(len(label_ids)) != row
        if label_id not in label_ids[rest]:
            continue
        similarities = {}
        for other in np.unique(label_ids):
            mean = features[rest & (label_ids == other)].astype(np.float64).sum(axis=0)
            similarities[other] = features[row] @ mean / np.linalg.norm(mean)
        judged += 1
        errors += max(similarities, key=similarities.__getitem__) != label_id
    return errors, judged


@given(st.lists(st.integers(1, 9), min_size=2, max_size=6), st.floats(0.2, 4), st.integers(0, 999))
@settings(max_examples=60, deadline=None)
def test_each_row_is_left_out_of_its_own_evaluation(counts: list[int], spread: float, seed: int) -> None:
    features, _ = around_centres(1, sum(counts), spread, seed, width=12)
    label_ids = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    assert leave_one_out_errors(features, label_ids) == by_loop(features, label_ids)


def test_labels_that_the_encoder_separates_need_no_adapter() -> None:
    features, label_ids = around_centres(20, 4, spread=0.1)
    chosen = choose_adapter_scale(features, label_ids)
    assert chosen.scale == 0
    assert chosen.reason == (
        "No adapter is needed: the frozen encoder misclassifies 0 of 80 rows, each left out of its own label's mean."
    )
    assert [(one.scale, one.estimated_accuracy) for one in chosen.candidates] == [(0.0, 1.0)]


@pytest.mark.parametrize("seed", range(5))
def test_labels_that_the_encoder_confuses_get_the_full_adapter(seed: int) -> None:
    features, label_ids = around_centres(8, 4, spread=0.1)
    chosen = choose_adapter_scale(features, np.random.default_rng(seed).permutation(label_ids))
    assert chosen.scale == 1
    assert chosen.reason.startswith("The adapter is used in full: the frozen encoder misclassifies ")
    assert [one.scale for one in chosen.candidates] == [0.0, 1.0]
    assert chosen.candidates[1].estimated_accuracy is None


def test_more_errors_never_give_a_smaller_scale() -> None:
    features, label_ids = around_centres(50, 2, spread=0.1)
    values = []
    for wrong in range(0, 30, 2):
        torn = label_ids.copy()
        torn[:wrong] = 1
        assert leave_one_out_errors(features, torn) == (wrong, 100)
        values.append(choose_adapter_scale(features, torn).scale)
    assert values == sorted(values)
    assert values[0] == 0
    assert values[-1] == 1
    between = [value for value in values if 0 < value < 1]
    assert len(set(between)) >= 3


def test_a_handful_of_rows_without_an_error_is_no_proof() -> None:
    features, label_ids = around_centres(2, 3, spread=0.0)
    assert leave_one_out_errors(features, label_ids) == (0, 6)
    assert choose_adapter_scale(features, label_ids).scale == 1


def test_labels_of_one_row_each_leave_nothing_to_estimate() -> None:
    features, label_ids = around_centres(1, 5, spread=0.1)
    chosen = choose_adapter_scale(features, label_ids)
    assert (chosen.scale, chosen.candidates) == (1.0, ())
    assert "nothing could be estimated" in chosen.reason


def test_the_choice_sees_frozen_features_and_labels_only() -> None:
    """What never meets an adapter cannot be misled by the rows that it learnt by heart."""
    assert list(inspect.signature(choose_adapter_scale).parameters) == ["features", "labels", "head", "is_described"]


def head_outputs(label_ids: Ids, errors: int) -> OutOfFoldLogits:
    """Return held-out rows of two labels, in descending order, of which so many are misclassified."""
    rows = np.arange(len(label_ids))[::-1]
    given = np.where(np.arange(len(rows)) < errors, 1 - label_ids[rows], label_ids[rows])
    return OutOfFoldLogits(rows, rows % 5, np.eye(2, dtype=np.float32)[given])


def test_the_better_of_means_and_head_decides_before_anything_is_trained() -> None:
    features, label_ids = around_centres(50, 2, spread=0.1)
    torn = label_ids.copy()
    torn[:30] = 1
    assert choose_adapter_scale(features, torn).scale == 1
    by_head = choose_adapter_scale(features, torn, head_outputs(torn, errors=1))
    assert by_head.scale == 0
    assert by_head.reason == (
        "No adapter is needed: on the frozen encoder, the head misclassifies 1 of 100 held-out rows."
    )
    assert [(one.scale, one.estimated_accuracy) for one in by_head.candidates] == [(0.0, 0.99)]
    assert choose_adapter_scale(features, torn, head_outputs(torn, errors=40)) == choose_adapter_scale(features, torn)


def outputs(rows: int, right: int, margin: float = 1.5) -> HeldOut:
    """Return held-out rows of two labels, of which ``right`` are classified correctly."""
    label_ids = np.arange(rows) % 2
    own = np.where(np.arange(rows) < right, margin, -margin).astype(np.float32)
    logits = np.zeros((rows, 2), np.float32)
    logits[np.arange(rows), label_ids] = own
    return HeldOut(logits, label_ids, np.zeros(rows, np.float32), folds=3)


CHOSEN = AdapterReport(1.0, "The adapter is used in full: a test says so.", (), steps=3)


def test_an_adapter_that_does_worse_on_many_held_out_rows_is_dropped() -> None:
    report = choose_by_held_out_rows(CHOSEN, head_logits=outputs(200, 196).logits, adapted=outputs(200, 170))
    assert (report.scale, report.steps) == (0.0, 3)
    assert [(one.scale, one.estimated_accuracy) for one in report.candidates] == [(0.0, 0.98), (1.0, 0.85)]
    assert report.reason.startswith(
        "The head alone is used: of 200 held-out rows the adapter gets 170 right and the head alone 196, and the "
    )


def test_an_adapter_that_does_better_is_kept_and_both_estimates_are_reported() -> None:
    report = choose_by_held_out_rows(CHOSEN, head_logits=outputs(200, 170).logits, adapted=outputs(200, 196))
    assert report.scale == 1.0
    assert [one.estimated_accuracy for one in report.candidates] == [0.85, 0.98]
    assert report.reason.startswith(
        "The adapter is used in full: a test says so; of 200 held-out rows the adapter gets 196 right and the head "
        "alone 170, its log loss is "
    )


def test_a_row_or_two_of_a_handful_do_not_drop_an_adapter() -> None:
    """Tuning wins on most sets of that size, and so few rows say less than that."""
    assert choose_by_held_out_rows(CHOSEN, head_logits=outputs(16, 13).logits, adapted=outputs(16, 12)).scale == 1.0
    assert choose_by_held_out_rows(CHOSEN, head_logits=outputs(1, 1).logits, adapted=outputs(1, 0)).scale == 1.0


def test_beside_a_head_that_begins_with_descriptions_rows_have_to_speak_for_an_adapter() -> None:
    alone, alike = outputs(16, 13).logits, outputs(16, 13)
    assert choose_by_held_out_rows(CHOSEN, alone, alike).scale == 1.0
    assert choose_by_held_out_rows(CHOSEN, alone, alike, is_described=True).scale == 0.0
    many = choose_by_held_out_rows(CHOSEN, outputs(200, 170).logits, outputs(200, 196), is_described=True)
    assert many.scale == 1.0


def test_where_labels_are_described_fewer_than_three_rows_a_label_train_no_adapter() -> None:
    for labels, scale in ((np.array([0, 0, 1, 1, 1]), 0.0), (np.array([0, 1, 1, 1, 1, 1]), 1.0)):
        features = np.random.default_rng(0).standard_normal((len(labels), 8)).astype(np.float32)
        for each in (labels, np.eye(2, dtype=bool)[labels]):
            assert choose_adapter_scale(features, each).scale == 1
            report = choose_adapter_scale(features, each, is_described=True)
            assert report.scale == scale
            assert ("Fewer than 3 rows a label" in report.reason) is (scale == 0)


@given(st.integers(1, 300), st.data())
@settings(max_examples=60, deadline=None)
def test_an_adapter_that_gets_more_rows_right_is_never_dropped(rows: int, data: st.DataObject) -> None:
    head = data.draw(st.integers(0, rows - 1))
    adapted = data.draw(st.integers(head + 1, rows))
    assert choose_by_held_out_rows(CHOSEN, outputs(rows, head).logits, outputs(rows, adapted)).scale == 1.0


def outputs_of_sets(rows: int, right: int, margin: float = 1.5) -> HeldOut:
    """Return held-out rows of three labels, of whose sets ``right`` are given whole, and the others in reverse."""
    sets = np.eye(3, dtype=bool)[np.arange(rows) % 3]
    sets[::4] = False
    sets[1::4, 2] = True
    given = np.where(np.arange(rows)[:, None] < right, sets, ~sets)
    logits = np.where(given, margin, -margin).astype(np.float32)
    return HeldOut(logits, sets, np.zeros(rows, np.float32), folds=3)


def test_with_label_sets_the_adapter_is_trained_and_held_out_rows_decide() -> None:
    features, label_ids = around_centres(50, 2, spread=0.1)
    assert choose_adapter_scale(features, label_ids).scale == 0
    chosen = choose_adapter_scale(features, np.eye(2, dtype=bool)[label_ids])
    assert (chosen.scale, chosen.candidates) == (1.0, ())
    worse = choose_by_held_out_rows(CHOSEN, outputs_of_sets(200, 196).logits, outputs_of_sets(200, 150))
    assert worse.scale == 0.0
    assert [one.estimated_accuracy for one in worse.candidates] == [0.98, 0.75]
    better = choose_by_held_out_rows(CHOSEN, outputs_of_sets(200, 150).logits, outputs_of_sets(200, 196))
    assert better.scale == 1.0
    few = choose_by_held_out_rows(CHOSEN, outputs_of_sets(4, 4).logits, outputs_of_sets(4, 3))
    assert few.scale == 1.0


def test_equal_rows_are_evaluated_without_a_crash() -> None:
    features = unit(np.ones((6, 8)))
    chosen = choose_adapter_scale(features, np.array([0, 1, 2, 0, 1, 2]))
    assert chosen.scale == 1


def test_labels_are_encoded_as_a_person_would_say_them() -> None:
    assert label_name_texts(["card_not_working", "e-mail", "Billing", "_", "-"]) == [
        "card not working",
        "e mail",
        "Billing",
        "_",
        "-",
    ]


@pytest.mark.parametrize("seed", range(8))
def test_names_near_their_rows_are_informative(seed: int) -> None:
    features, label_ids = around_centres(8, 6, spread=1.0, seed=seed)
    centres, _ = around_centres(1, 6, spread=0.0, seed=seed)
    noise = np.random.default_rng(seed).normal(size=centres.shape) / 8
    assert label_names_are_informative(features, label_ids, unit(centres + noise))


def test_names_that_say_nothing_are_rejected_five_times_in_six() -> None:
    """One standard error is the border, so chance alone passes it about once in six times."""
    accepted = 0
    for seed in range(200):
        features, label_ids = around_centres(8, 6, spread=1.0, seed=seed)
        names, _ = around_centres(1, 6, spread=0.0, seed=seed + 1_000)
        accepted += label_names_are_informative(features, label_ids, names)
    assert accepted < 200 / 4


@pytest.mark.parametrize("seed", range(8))
def test_names_of_other_labels_are_rejected(seed: int) -> None:
    features, label_ids = around_centres(8, 6, spread=1.0, seed=seed)
    centres, _ = around_centres(1, 6, spread=0.0, seed=seed)
    assert not label_names_are_informative(features, label_ids, np.roll(centres, 1, axis=0))


def test_a_name_that_lies_near_every_text_does_not_hide_the_others() -> None:
    features, label_ids = around_centres(8, 4, spread=0.5)
    centres, _ = around_centres(1, 4, spread=0.0)
    shared = unit(features.mean(axis=0, keepdims=True) * 50)
    features, names = unit(features + shared), unit(centres + np.array([[0], [3], [0], [0]]) * shared)
    assert label_names_are_informative(features, label_ids, names)


@pytest.mark.parametrize("label_ids", [[0, 1], [0, 0, 0, 1]])
def test_names_are_evaluated_however_few_rows_there_are(label_ids: list[int]) -> None:
    own = np.array(label_ids)
    names, _ = around_centres(1, 2, spread=0.0)
    assert label_names_are_informative(names[own], own, names)
    assert not label_names_are_informative(names[own], own, names[::-1])


def test_a_large_label_does_not_outvote_the_small_ones() -> None:
    """Always answering with the large label's name finds 96 of 100 rows and tells nothing."""
    names, _ = around_centres(1, 5, spread=0.0)
    label_ids = np.array([0] * 96 + [1, 2, 3, 4])
    features = unit(names[0] + 0.01 * np.random.default_rng(0).normal(size=(100, 64)))
    assert not label_names_are_informative(features, label_ids, names)


def sets_around_centres(spread: float, seed: int) -> tuple[Floats, Bools, Floats]:
    """Return rows near the sum of their labels' centres, their label sets, and the centres."""
    random = np.random.default_rng(seed)
    centres = unit(random.normal(size=(5, 64)))
    sets = random.random((60, 5)) < 0.3
    return unit(sets @ centres + spread * random.normal(size=(60, 64))), sets, centres


@pytest.mark.parametrize("seed", range(8))
def test_names_near_the_rows_of_their_label_are_informative_of_label_sets(seed: int) -> None:
    features, sets, centres = sets_around_centres(0.3, seed)
    assert label_names_are_informative(features, sets, centres)


def test_names_that_say_nothing_of_label_sets_are_rejected_five_times_in_six() -> None:
    accepted = 0
    for seed in range(200):
        features, sets, _ = sets_around_centres(0.3, seed)
        accepted += label_names_are_informative(features, sets, sets_around_centres(0.3, seed + 1_000)[2])
    assert accepted < 200 / 4


def test_label_sets_without_contrast_say_nothing_of_names() -> None:
    features, sets, centres = sets_around_centres(0.3, 0)
    assert not label_names_are_informative(features, np.ones_like(sets), centres)
    assert not label_names_are_informative(features, np.zeros_like(sets), centres)


def test_held_out_rows_with_label_sets_choose_the_c_of_the_adapted_head() -> None:
    generator = np.random.default_rng(0)
    sets = generator.random((200, 3)) < 0.3
    signal = np.where(sets, 2.0, -2.0)
    noise = generator.standard_normal((len(ADAPTED_CS_OF_SETS), 200, 3))
    spread = np.array([3.0, 0.5, 3.0, 3.0])[:, None, None]
    by_c = (signal + spread * noise).astype(np.float32)
    held_out = HeldOut(by_c[-1], sets, np.zeros(200, np.float32), folds=3, by_c=by_c)
    chosen = choose_adapted_c(held_out)
    assert (chosen.c, chosen.by_c, chosen.folds) == (ADAPTED_CS_OF_SETS[1], None, 3)
    np.testing.assert_array_equal(chosen.logits, by_c[1])


def test_of_single_labels_no_c_is_chosen() -> None:
    held_out = HeldOut(np.eye(2, dtype=np.float32), np.arange(2), np.zeros(2, np.float32), folds=2)
    assert choose_adapted_c(held_out) is held_out
