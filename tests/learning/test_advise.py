"""Label errors, the labels that more rows would help, and the summary in words."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.learning.examples import around_centres
from windrow.learning.advise import (
    CLEAR_GAIN_ERRORS,
    advise,
    find_doubted_labels,
    find_label_errors,
    is_half,
    recommend_iterations,
)
from windrow.learning.head import softmax
from windrow.learning.head_fitting import Examples, fit_head


def test_a_flipped_label_is_found_by_trainings_that_did_not_see_it() -> None:
    features, label_ids = around_centres(20, 3, spread=0.8)
    flipped = [4, 27, 51]
    label_ids[flipped] = (label_ids[flipped] + 1) % 3
    _, _, judged = fit_head(Examples(features, label_ids, np.arange(60)), seed=0)
    assert judged is not None
    found = judged.rows[find_label_errors(softmax(judged.logits), label_ids[judged.rows])]
    assert sorted(found.tolist()) == flipped


def test_correctly_classified_rows_are_no_label_errors() -> None:
    scores = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]], np.float32)
    assert find_label_errors(scores, np.array([0, 0, 1])).tolist() == []


def test_a_misclassified_row_is_a_label_error_only_above_the_mean_score_of_the_other_label() -> None:
    own = [[0.9, 0.1], [0.7, 0.3]]  # on average 0.8
    label_ids = np.array([0, 0, 1, 1, 1])
    scores = np.array([*own, [0.75, 0.25], [0.85, 0.15], [0.1, 0.9]], np.float32)
    assert find_label_errors(scores, label_ids).tolist() == [3]


def test_the_most_confident_label_error_comes_first_and_of_equals_the_first_row() -> None:
    scores = np.array([[0.5, 0.5], [0.7, 0.3], [0.9, 0.1], [0.7, 0.3], [0.2, 0.8]], np.float32)
    assert find_label_errors(scores, np.array([0, 1, 1, 1, 1])).tolist() == [2, 1, 3]


def test_a_label_without_rows_makes_no_label_errors() -> None:
    scores = np.array([[0.1, 0.2, 0.7], [0.8, 0.1, 0.1]], np.float32)
    assert find_label_errors(scores, np.array([0, 0])).tolist() == []


def test_the_label_that_gained_most_comes_first_and_in_words() -> None:
    half_recalls = {"a": 0.50, "b": 0.20, "c": 0.90}
    full_recalls = {"a": 0.75, "b": 0.80, "c": 0.90}
    advice, words = advise(half_recalls, full_recalls, dict.fromkeys("abc", 100))
    assert [(each.label, each.gain, each.helps) for each in advice] == [
        ("b", pytest.approx(0.6), True),
        ("a", 0.25, True),
        ("c", 0.0, False),
    ]
    assert words == (
        "More 'b' rows would help most: its recall rose from 20.0 % with half of the rows to 80.0 % with all. "
        "Then 'a'. For 'c' the last doubling of the rows brought no clear gain."
    )


def test_where_no_label_gained_the_words_say_so() -> None:
    advice, words = advise({"b": 0.8, "a": 0.8}, {"b": 0.8, "a": 0.8}, {"b": 9, "a": 9})
    assert [(each.label, each.gain, each.helps) for each in advice] == [("a", 0.0, False), ("b", 0.0, False)]
    assert words.startswith("The last doubling of the rows brought no label a clear gain.")


def test_where_the_labels_gained_only_together_the_words_say_so_as_the_curve_shows_it() -> None:
    labels = list("abcdefgh")
    advice, words = advise(dict.fromkeys(labels, 0.5), dict.fromkeys(labels, 0.7), dict.fromkeys(labels, 8))
    assert not any(each.helps for each in advice)
    assert words.startswith(
        "The last doubling of the rows brought no label a clear gain. Together they gained: over all labels, recall "
        "rose from 50.0 % with half of the rows to 70.0 % with all, so more rows of each would help."
    )


def test_at_most_three_labels_are_named_and_the_others_counted() -> None:
    labels = list("abcdefghijkl")
    half_recalls = {label: 0.1 if number < 6 else 0.9 for number, label in enumerate(labels)}
    advice, words = advise(half_recalls, dict.fromkeys(labels, 0.9), dict.fromkeys(labels, 50))
    assert len(advice) == 12
    assert "Then 'b', 'c', 'd' and 2 more." in words
    assert "For 'g', 'h', 'i' and 3 more the last doubling of the rows brought no clear gain." in words


@given(st.integers(1, 500), st.floats(0, 1), st.floats(0, 1))
def test_a_gain_counts_only_beyond_two_standard_errors(rows: int, half_recalls: float, full_recalls: float) -> None:
    (advice,), _ = advise({"a": half_recalls}, {"a": full_recalls}, {"a": rows})
    leaves_more_to_gain = full_recalls < 1 and round((full_recalls - half_recalls) * rows) >= 2
    if full_recalls * (1 - full_recalls) * (rows + 1) > 0.25:
        error = math.sqrt(full_recalls * (1 - full_recalls) / rows)
        assert advice.helps is (leaves_more_to_gain and full_recalls - half_recalls > 2 * error)
    else:  # a recall of 0 or 1 on a few rows has an error too
        assert advice.helps is (leaves_more_to_gain and full_recalls - half_recalls > 1 / math.sqrt(rows * (rows + 1)))
    assert CLEAR_GAIN_ERRORS == 2


@pytest.mark.parametrize(("rows", "helps"), [(20, False), (100, True)])
def test_the_same_gain_is_clear_on_many_rows_and_not_on_few(rows: int, helps: bool) -> None:
    """From 0.6 to 0.75: one standard error and a half of 20 rows, three and a half of 100."""
    (advice,), words = advise({"a": 0.6}, {"a": 0.75}, {"a": rows})
    assert advice.helps is helps
    assert ("'a'" in words) is helps


def test_one_row_more_and_a_label_that_is_always_right_are_no_gain() -> None:
    (one_row,), words = advise({"a": 0.0}, {"a": 0.2}, {"a": 5})
    assert not one_row.helps
    assert words.endswith("With fewer than 8 rows of a label that says little about it.")
    (always_right,), _ = advise({"a": 0.5}, {"a": 1.0}, {"a": 40})
    assert not always_right.helps


def test_a_loss_never_counts_as_a_gain() -> None:
    (advice,), words = advise({"a": 0.9}, {"a": 0.2}, {"a": 1_000})
    assert not advice.helps
    assert advice.gain == pytest.approx(-0.7)
    assert "no label a clear gain" in words


def test_a_label_is_doubted_where_its_score_says_the_opposite_as_surely_as_for_rows_of_which_that_is_true() -> None:
    sets = np.array([[True, False], [True, False], [True, True], [False, True], [False, False], [False, False]])
    scores = np.array([[0.9, 0.1], [0.8, 0.6], [0.05, 0.7], [0.95, 0.8], [0.1, 0.2], [0.55, 0.3]], np.float32)
    # Rows with a have 0.58 on average, and those without it are at 0.47 from 1; rows with b have 0.75.
    assert find_doubted_labels(scores, sets) == [(2, 0), (3, 0)]


def test_nothing_is_doubted_of_a_label_that_each_row_has_or_none() -> None:
    sets = np.array([[True, False], [True, False]])
    assert find_doubted_labels(np.array([[0.1, 0.9], [0.2, 0.8]], np.float32), sets) == []


@pytest.mark.parametrize(("half", "full", "is_about_half"), [(4, 8, True), (6, 8, True), (7, 8, False), (2, 2, False)])
def test_a_rounded_half_may_be_no_half(half: float, full: float, is_about_half: bool) -> None:
    assert is_half(half, full) == is_about_half


def test_a_head_that_does_as_well_is_said_to_be_faster() -> None:
    words = recommend_iterations(1, 0.8, 0.8, is_significant=False)
    assert words == "The head alone does as well and is faster: 80.0 % with 1 iteration, 80.0 % with the head alone."


def test_a_head_that_is_clearly_better_is_said_to_be() -> None:
    assert recommend_iterations(20, 0.92, 0.98, is_significant=True) == (
        "The head alone is 6.0 points better: 92.0 % with 20 iterations, 98.0 % with the head alone. Use 0 iterations."
    )


@pytest.mark.parametrize("is_significant", [True, False])
@pytest.mark.parametrize(
    ("measure", "begins"), [("", "90.0 %"), ("a micro F1 of ", "a micro F1 of 90.0 %")], ids=["accuracy", "micro F1"]
)
def test_a_better_adapter_is_recommended_with_any_doubt(is_significant: bool, measure: str, begins: str) -> None:
    words = recommend_iterations(12, 0.9, 0.8, is_significant=is_significant, measure=measure)
    facts = f"{begins} with 12 iterations, 80.0 % with the head alone"
    doubt = "chance may make such a difference on so few rows, but on most sets the encoder's training helps"
    better = f"The encoder's training makes it 10.0 points better: {facts}."
    assert words == (better if is_significant else f"{facts[0].upper()}{facts[1:]}: {doubt}.")


def test_where_only_the_head_was_judged_more_iterations_are_recommended_to_be_tried() -> None:
    assert recommend_iterations(0, 0.5, 0.5, is_significant=False, measure="a micro F1 of ") == (
        "Only the head was judged (a micro F1 of 50.0 %). Cross-validate with 20 iterations to see if that is better."
    )
