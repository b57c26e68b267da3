"""Cross-validating rows: which trainings that takes, and what is concluded from what they say."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, ClassVar

import pytest

from tests.execution.examples import InstantRunner, RecordingRunner, context_for, dataset, easy
from tests.fakes.encoder import FakeEncoder
from windrow.domain.cross_validation import CrossValidation
from windrow.domain.dataset import Dataset, Row
from windrow.domain.errors import InvalidTrainingData
from windrow.domain.recipe import Recipe
from windrow.domain.training_report import AdapterReport
from windrow.encoders.onnx_encoder import OnnxEncoder, Tokens
from windrow.execution import cross_validation
from windrow.execution import training_set as training_set_module
from windrow.execution.cross_validation import cross_validate
from windrow.execution.runner import Runner
from windrow.execution.validation_folds import CURVE_FRACTIONS
from windrow.learning import plan

HEAD_ONLY = Recipe(num_iterations=0)


def by_head(data: Dataset, folds: int = 5, recipe: Recipe = HEAD_ONLY, runner: Runner | None = None) -> CrossValidation:
    return cross_validate(data, folds, recipe, context_for(FakeEncoder(), runner))


def codes(found: CrossValidation) -> set[str]:
    return {warning.code for warning in found.warnings}


def with_label(data: Dataset, number: int, label: str) -> Dataset:
    rows = list(data.rows)
    rows[number] = replace(rows[number], label=label)
    return Dataset(tuple(rows))


class CountingEncoder(FakeEncoder):
    """Counts the texts whose states it computes."""

    def __init__(self) -> None:
        super().__init__()
        self.texts = 0

    def states(self, batch: Sequence[Tokens]):  # type: ignore[no-untyped-def]
        self.texts += len(batch)
        return super().states(batch)


def test_the_head_alone_takes_one_learning_curve_and_no_training() -> None:
    runner = RecordingRunner()
    found = by_head(easy(10), runner=runner)
    assert (len(runner.curve_tasks), len(runner.tasks)) == (1, 1)
    assert (found.folds, found.correct, found.total) == (5, 30, 30)
    assert found.fold_accuracies == (1.0,) * 5
    assert found.mean_accuracy == found.head_only_accuracy == 1
    assert (found.majority_baseline.label, found.majority_baseline.accuracy) == ("label 0", 1 / 3)
    assert (found.probable_label_errors, found.warnings) == ((), ())
    assert (found.head_only_interval.low, found.head_only_interval.high) == (0, 0)


def test_figures_that_reach_the_majority_and_texts_that_are_not_read_whole_are_told() -> None:
    rows = [Row(f"{number} of no use", f"label {number % 3}") for number in range(24)]
    assert "not_better_than_majority" in codes(by_head(Dataset(tuple(rows))))
    long = (*easy(12).rows, Row("word0 " * 400, "label 0"), Row("word1 " * 400, "label 1"))
    found = by_head(Dataset(long))
    assert codes(found) == {"truncated_rows"}
    assert found.warnings[0].message.startswith("2 of 38 rows (5.3 %) are longer than the encoder reads, 256 tokens.")


@pytest.mark.parametrize("folds", [2, 5])
def test_an_adapter_takes_a_training_for_each_fold(folds: int, tiny: OnnxEncoder) -> None:
    runner = InstantRunner(tiny.folder)
    found = cross_validate(dataset(6), folds, Recipe(), context_for(tiny, runner))
    assert (len(runner.curve_tasks), len(runner.adapter_tasks), len(runner.holdout_tasks), len(runner.fit_tasks)) == (
        1,
        folds,
        folds,
        0,
    )
    assert (found.folds, len(found.fold_accuracies), found.total) == (folds, folds, 18)


def test_every_text_is_encoded_once() -> None:
    encoder = CountingEncoder()
    cross_validate(easy(10), 5, HEAD_ONLY, context_for(encoder))
    assert encoder.texts == 30 + 3  # and the labels' names


def test_of_described_labels_each_training_begins_with_what_they_mean(tiny: OnnxEncoder) -> None:
    descriptions = {"label 0": "word0", "label 2": "word2 " * 400}
    runner = RecordingRunner()
    found = cross_validate(easy(4), 2, HEAD_ONLY, context_for(FakeEncoder(), runner), descriptions)
    (task,) = runner.curve_tasks
    assert task.examples.prior_weights is not None
    assert codes(found) == {"truncated_labels"}
    adapted = InstantRunner(tiny.folder)
    cross_validate(dataset(6), 2, Recipe(), context_for(tiny, adapted), {"label 0": "words"})
    assert all(task.examples.prior_weights is not None for task in adapted.holdout_tasks)
    few = cross_validate(dataset(2), 2, Recipe(), context_for(tiny), {"label 0": "words"})
    assert few.recommendation.startswith("Fewer than 3 rows a label say too little for an adapter")


class CountedRows(tuple[Row, ...]):
    """Counts how often somebody goes through all rows."""

    passes = 0

    def __iter__(self) -> Iterator[Row]:
        self.passes += 1
        return super().__iter__()


def test_nobody_goes_through_all_rows_more_often_where_there_are_more_of_them() -> None:
    passes = []
    for rows_per_label in (4, 40):
        rows = CountedRows(easy(rows_per_label).rows)
        by_head(Dataset(rows))
        passes.append(rows.passes)
    assert passes[0] == passes[1] < 20


class WatchedDataset(Dataset):
    """Counts how often it is asked for what follows from all its rows."""

    asked: ClassVar[Counter[str]] = Counter()

    def __getattribute__(self, name: str) -> Any:
        if isinstance(getattr(Dataset, name, None), property | cached_property):
            WatchedDataset.asked[name] += 1
        return super().__getattribute__(name)


def test_more_rows_never_ask_more_often_for_what_follows_from_all_of_them() -> None:
    asked = []
    for rows_per_label in (10, 40):
        WatchedDataset.asked.clear()
        by_head(WatchedDataset(easy(rows_per_label).rows), folds=5)
        asked.append(dict(WatchedDataset.asked))
    assert asked[0] == asked[1]
    assert asked[0]["labels"] > 0


def test_neither_a_limit_of_time_nor_a_recipe_without_judging_takes_a_fold_away(tiny: OnnxEncoder) -> None:
    recipes = Recipe(), Recipe(max_seconds=0.001), Recipe(cross_validate=False)
    runners = [InstantRunner(tiny.folder) for _ in recipes]
    first, *others = (
        cross_validate(dataset(), 4, recipe, context_for(tiny, runner))
        for recipe, runner in zip(recipes, runners, strict=True)
    )
    assert [len(runner.adapter_tasks) for runner in runners] == [4] * 3
    assert others == [first] * 2


def test_the_same_request_has_the_same_answer_and_another_seed_other_folds(tiny: OnnxEncoder) -> None:
    recipe = Recipe(num_iterations=4)
    first, again, other = (
        cross_validate(dataset(8), 3, replace(recipe, seed=seed), context_for(tiny)) for seed in (0, 0, 1)
    )
    assert first == again
    assert first.calibration != other.calibration


def test_figures_are_of_the_rows_that_each_fold_holds_out_each_once() -> None:
    data = easy(10)
    found = by_head(replace(data, rows=(*data.rows, *data.rows[:7])))
    assert found.total == 30
    assert [label.total for label in found.labels] == [10] * 3
    assert codes(found) == {"duplicate_rows"}


def test_a_flipped_label_is_probable_label_errors_with_its_number_in_the_data() -> None:
    data = easy(10)
    flipped = with_label(data, 7, "label 2")
    # Two repeats in front, so that numbers in the data and among the distinct rows differ.
    rows = (data.rows[0], data.rows[0], *flipped.rows)
    (doubted,) = by_head(Dataset(rows)).probable_label_errors
    assert (doubted.row, doubted.text, doubted.label, doubted.predicted) == (9, "word1 7", "label 2", "label 1")
    assert 0.5 < doubted.score <= 1


def test_at_most_so_many_rows_are_doubted_the_most_confident_first(monkeypatch: pytest.MonkeyPatch) -> None:
    data = easy(20)
    for number in (4, 8, 12):
        data = with_label(data, number, f"label {(number + 1) % 3}")
    whole = by_head(data).probable_label_errors
    assert {each.row for each in whole} == {4, 8, 12}
    assert [each.score for each in whole] == sorted((each.score for each in whole), reverse=True)
    monkeypatch.setattr(cross_validation, "MAX_LABEL_ERRORS", 2)
    assert by_head(data).probable_label_errors == whole[:2]


def test_a_learning_curve_has_a_point_for_each_fraction_and_ends_with_the_head_alone() -> None:
    found = by_head(easy(20), folds=5)
    assert tuple(point.share for point in found.learning_curve) == CURVE_FRACTIONS
    assert [point.rows for point in found.learning_curve] == [12, 24, 48]
    assert found.learning_curve[-1].accuracy == found.head_only_accuracy
    assert all(point.recall.keys() == {"label 0", "label 1", "label 2"} for point in found.learning_curve)
    for point in found.learning_curve:
        assert point.accuracy == pytest.approx(sum(point.recall.values()) / 3)


def test_advice_is_on_every_label_by_what_the_last_doubling_brought() -> None:
    found = by_head(dataset(8))
    half, whole = found.learning_curve[1].recall, found.learning_curve[2].recall
    assert {each.label for each in found.advice} == {"label 0", "label 1", "label 2"}
    for each in found.advice:
        assert each.gain == whole[each.label] - half[each.label]
    gains = [each.gain for each in found.advice]
    assert gains == sorted(gains, reverse=True)
    assert found.advice_text


def test_where_half_of_the_rows_are_nearly_all_of_them_there_is_no_advice() -> None:
    found = by_head(easy(2), folds=2)
    assert found.learning_curve[1].rows == found.learning_curve[2].rows
    assert found.advice == ()
    assert found.advice_text.startswith("There are too few rows to see whether more of them would help")


def test_where_only_the_head_was_asked_for_the_advice_is_to_ask_for_more() -> None:
    found = by_head(easy(4))
    assert found.recommended_num_iterations == 0
    assert found.recommendation == (
        "Only the head was judged (100.0 %). Cross-validate with 20 iterations to see if that is better."
    )


def test_an_adapter_that_does_no_better_than_the_head_is_not_recommended(
    tiny: OnnxEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        training_set_module, "choose_adapter_scale", lambda *_, **__: AdapterReport(0.0, "The test says so.", ())
    )
    found = cross_validate(easy(6), 3, Recipe(num_iterations=12), context_for(tiny))
    assert found.mean_accuracy <= found.head_only_accuracy
    assert found.recommended_num_iterations == 0
    assert found.recommendation == "The test says so. Any number of iterations does as the head alone."
    assert found.accuracy == found.head_only_accuracy


def test_a_label_with_few_texts_allows_few_folds_and_a_warning_says_so() -> None:
    rows = (*easy(10).rows, *(Row(f"rare {number}", "rare") for number in range(3)))
    found = by_head(Dataset(rows), folds=5)
    assert found.folds == len(found.fold_accuracies) == 3
    assert codes(found) == {"fewer_folds", "small_classes"}
    (warning,) = (each for each in found.warnings if each.code == "fewer_folds")
    assert warning.message.startswith("3 folds were made in place of 5")


def test_a_label_with_a_single_text_is_never_held_out_takes_no_fold_away_and_is_warned_of() -> None:
    rows = (*easy(10).rows, *[Row("rare", "rare")] * 5)
    found = by_head(Dataset(rows), folds=5)
    assert (found.folds, found.total) == (5, 30)
    assert codes(found) == {"never_held_out", "duplicate_rows"}
    (warning,) = (each for each in found.warnings if each.code == "never_held_out")
    assert warning.rows == (30,)
    assert warning.message.startswith("The figures do not cover 'rare': with a single text, a label cannot be held out")
    assert {each.label for each in found.advice} == {"label 0", "label 1", "label 2"}


def test_where_nothing_can_be_held_out_it_is_refused_with_what_to_do() -> None:
    rows = (Row("a", "x"), Row("a", "x"), Row("b", "y"))
    with pytest.raises(InvalidTrainingData, match=r"No label has two different texts.*Add rows: at least two of each"):
        by_head(Dataset(rows))


def test_of_too_many_rows_a_sample_is_evaluated_and_a_warning_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "MAX_PLANNED_TEXTS", 30)
    found = by_head(easy(40))
    assert found.total == 30
    assert codes(found) == {"sampled_rows"}
    assert found.warnings[0].message.startswith("30 of 120 rows were used")
