"""Cross-validate rows with label sets, with the fake encoder and with one that trains."""

import statistics

import numpy as np
import pytest

from tests.execution.examples import context_for
from tests.fakes.encoder import FakeEncoder
from windrow.domain.dataset import DataLimits
from windrow.domain.errors import InvalidTrainingData
from windrow.domain.multi_label import MultiLabelDataset, MultiLabelRow, check_multi_label_rows
from windrow.domain.multi_label_cross_validation import MultiLabelCrossValidation
from windrow.domain.recipe import Recipe
from windrow.encoders.onnx_encoder import OnnxEncoder
from windrow.execution.multi_label_cross_validation import cross_validate_sets

HEAD_ONLY = Recipe(num_iterations=0)
WORDS = ("invoice", "crash", "hurry")
LABELS = ("billing", "bug", "urgent")


def easy(rows: int, seed: int = 0) -> MultiLabelDataset:
    """Return texts that hold the word of each of their labels, and a number."""
    sets = np.random.default_rng(seed).random((rows, 3)) < 0.45
    made = [
        MultiLabelRow(
            " ".join([*(WORDS[label] for label in np.flatnonzero(own)), f"nr{number}"]),
            tuple(LABELS[label] for label in np.flatnonzero(own)),
        )
        for number, own in enumerate(sets)
    ]
    return check_multi_label_rows(made, DataLimits())


def by_head(data: MultiLabelDataset, folds: int = 4) -> MultiLabelCrossValidation:
    return cross_validate_sets(data, folds, HEAD_ONLY, context_for(FakeEncoder()))


def test_each_row_is_held_out_once_and_the_figures_are_those_of_all() -> None:
    found = by_head(easy(60))
    assert (found.kind, found.folds, found.total) == ("multi_label", 4, 60)
    assert found.correct / 60 == found.accuracy
    assert found.micro_f1 > 0.9
    assert found.accuracy_interval.low < found.accuracy <= found.accuracy_interval.high
    assert len(found.fold_accuracies) == 4
    assert found.mean_accuracy == pytest.approx(statistics.fmean(found.fold_accuracies))
    assert [each.total for each in found.labels] == list(easy(60).rows_per_label.values())
    assert (found.head_only_accuracy, found.head_only_micro_f1) == (found.accuracy, found.micro_f1)
    assert (found.head_only_interval.low, found.head_only_interval.high) == (0, 0)
    assert found.recommended_num_iterations == 0
    assert "Only the head was judged" in found.recommendation


def test_the_learning_curve_ends_with_all_rows_and_its_figures() -> None:
    found = by_head(easy(60))
    assert [point.share for point in found.learning_curve] == [0.25, 0.5, 1.0]
    assert found.learning_curve[-1].rows == 45
    assert found.learning_curve[-1].micro_f1 == pytest.approx(found.micro_f1)
    assert found.learning_curve[-1].accuracy == pytest.approx(found.accuracy)
    recalls = {each.label: each.recall for each in found.labels}
    assert found.learning_curve[-1].recall == pytest.approx(recalls)
    assert {each.label for each in found.advice} == set(LABELS)


def test_a_label_that_a_row_has_or_lacks_by_mistake_is_doubted() -> None:
    rows = list(easy(80).rows)
    lacking = next(at for at, row in enumerate(rows) if "urgent" in row.labels)
    having = next(at for at, row in enumerate(rows) if "bug" not in row.labels and at != lacking)
    rows[lacking] = MultiLabelRow(rows[lacking].text, tuple(set(rows[lacking].labels) - {"urgent"}))
    rows[having] = MultiLabelRow(rows[having].text, (*rows[having].labels, "bug"))
    found = by_head(check_multi_label_rows(rows, DataLimits()))
    doubts = {(each.row, each.label): each for each in found.probable_label_errors}
    assert doubts[lacking, "urgent"].is_missing
    assert doubts[lacking, "urgent"].score > 0.5
    assert not doubts[having, "bug"].is_missing
    assert doubts[having, "bug"].score < 0.5
    assert "bug" in doubts[having, "bug"].labels
    assert len(doubts) < 10


def test_equal_rows_count_once() -> None:
    rows = easy(40).rows
    assert by_head(MultiLabelDataset((*rows, *rows))).total == 40


def test_fewer_folds_are_made_where_a_label_has_few_texts_and_that_is_warned_of() -> None:
    rows = [*easy(40).rows, MultiLabelRow("parcel one", ("rare",)), MultiLabelRow("parcel two", ("rare",))]
    found = by_head(check_multi_label_rows(rows, DataLimits()), folds=5)
    assert found.folds == 2
    assert {"fewer_folds", "small_classes"} <= {warning.code for warning in found.warnings}


def test_where_nothing_can_be_held_out_the_rows_are_refused() -> None:
    rows = (MultiLabelRow("one", ("a",)), MultiLabelRow("two", ("b",)))
    with pytest.raises(InvalidTrainingData, match="No label has two different texts"):
        by_head(MultiLabelDataset(rows))


@pytest.mark.parametrize("sets", [(("a",), (), (), ()), (("a",), ("b",), (), ())])
def test_where_only_rows_without_labels_can_be_held_out_the_rows_are_refused(sets: tuple[tuple[str, ...], ...]) -> None:
    rows = tuple(MultiLabelRow(f"text {number}", labels) for number, labels in enumerate(sets))
    with pytest.raises(InvalidTrainingData, match=r"No label has two different texts.*Add rows: at least two of each"):
        by_head(MultiLabelDataset(rows))


def test_labels_of_other_held_out_rows_are_not_said_to_be_left_out() -> None:
    rows = (*easy(40).rows, MultiLabelRow("invoice parcel", ("billing", "rare")))
    found = by_head(MultiLabelDataset(rows))
    (warning,) = (each for each in found.warnings if each.code == "never_held_out")
    assert warning.rows == (40,)
    assert warning.message.startswith("The figures do not cover 'rare': with a single text")


def test_a_training_of_the_encoder_is_compared_with_the_head_alone(tiny: OnnxEncoder) -> None:
    found = cross_validate_sets(easy(24), 2, Recipe(num_iterations=2), context_for(tiny))
    assert found.recommended_num_iterations in {0, 2}
    assert found.head_only_interval.low <= found.micro_f1 - found.head_only_micro_f1 <= found.head_only_interval.high
    assert found.recommendation


def test_of_described_labels_each_training_begins_with_what_they_mean() -> None:
    descriptions, data = dict(zip(LABELS, WORDS, strict=True)), easy(24)
    context = context_for(FakeEncoder())
    plain, described = (cross_validate_sets(data, 2, HEAD_ONLY, context, each) for each in (None, descriptions))
    assert described.learning_curve[0].micro_f1 > plain.learning_curve[0].micro_f1
    long = cross_validate_sets(data, 2, HEAD_ONLY, context, {"bug": "crash " * 400})
    assert "truncated_labels" in {warning.code for warning in long.warnings}


def test_of_few_described_rows_the_reason_why_no_adapter_is_trained_is_told(tiny: OnnxEncoder) -> None:
    descriptions = dict(zip(LABELS, WORDS, strict=True))
    found = cross_validate_sets(easy(4), 2, Recipe(num_iterations=2), context_for(tiny), descriptions)
    assert found.recommended_num_iterations == 0
    assert found.recommendation.startswith("Fewer than 3 rows a label say too little for an adapter")
