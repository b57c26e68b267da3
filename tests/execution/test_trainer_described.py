"""Trainings whose labels are described: what takes part, what the head begins with, and what is warned of."""

from dataclasses import replace

import numpy as np
import pytest

from tests.execution.examples import RecordingRunner, context_for, dataset, easy, multi_label_dataset
from tests.fakes.encoder import FakeEncoder
from windrow.domain.dataset import Dataset, Row
from windrow.domain.multi_label import MultiLabelDataset, MultiLabelRow
from windrow.domain.recipe import Recipe
from windrow.encoders.bulk import encode
from windrow.encoders.onnx_encoder import OnnxEncoder
from windrow.execution.label_encoding import encode_labels
from windrow.execution.tasks import CrossValidateHeadTask, FitTask, SearchHeadTask
from windrow.execution.trainer import train
from windrow.execution.training_cost import measure_workload
from windrow.execution.training_set import encode_training_set
from windrow.learning import plan
from windrow.learning.zero_shot import TEMPERATURE, multi_label_threshold, multi_label_zero_shot_head
from windrow.storage.artifact import artifact_from_bytes

HEAD_ALONE = Recipe(num_iterations=0)
MEANINGS = {"label 0": "word0 alone", "label 2": "word2 alone", "label 1": ""}


def test_names_and_descriptions_are_texts_of_their_labels() -> None:
    data = easy(4)
    training_set = encode_training_set(data, HEAD_ALONE, context_for(FakeEncoder()), descriptions=MEANINGS)
    assert training_set.num_label_names == 5
    assert training_set.name_labels.tolist() == [0, 1, 2, 0, 2]
    _, label_ids = training_set.contrastive_inputs()
    assert label_ids.tolist() == [*data.label_ids, 0, 1, 2, 0, 2]
    texts = ["label 0", "label 1", "label 2", "word0 alone", "word2 alone"]
    np.testing.assert_allclose(
        training_set.features[training_set.name_ids], encode(FakeEncoder(), texts).features, atol=1e-6
    )


def test_descriptions_that_say_something_else_are_no_texts_of_their_labels() -> None:
    swapped = {"label 0": "word1", "label 1": "word2", "label 2": "word0"}
    training_set = encode_training_set(easy(4), HEAD_ALONE, context_for(FakeEncoder()), descriptions=swapped)
    assert training_set.num_label_names == 0
    assert training_set.prior_head is not None


def test_the_prior_is_the_zero_shot_head_of_the_labels() -> None:
    data = easy(2)
    training_set = encode_training_set(data, HEAD_ALONE, context_for(FakeEncoder()), descriptions=MEANINGS)
    vectors = encode_labels(data.labels, MEANINGS, FakeEncoder())
    assert training_set.prior_head is not None
    np.testing.assert_allclose(training_set.prior_head.weights, vectors / TEMPERATURE, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("descriptions", [None, {}, {"label 0": "", "label 1": ""}])
def test_without_a_description_nothing_is_different(descriptions: dict[str, str] | None) -> None:
    data = easy(4)
    training_set = encode_training_set(data, HEAD_ALONE, context_for(FakeEncoder()), descriptions=descriptions)
    assert training_set.prior_head is None
    plain, described = (
        train(data, HEAD_ALONE, context_for(FakeEncoder()), descriptions=each) for each in (None, descriptions)
    )
    assert plain.artifact == described.artifact


def test_rows_of_several_labels_begin_with_the_head_that_scores_each_label_by_itself() -> None:
    data = multi_label_dataset()
    training_set = encode_training_set(data, HEAD_ALONE, context_for(FakeEncoder()), descriptions=MEANINGS)
    vectors = encode_labels(data.labels, MEANINGS, FakeEncoder())
    assert training_set.prior_head is not None
    np.testing.assert_allclose(training_set.prior_head.weights, multi_label_zero_shot_head(vectors).weights, atol=1e-4)
    assert training_set.examples().prior_bias == training_set.prior_head.bias[0] < 0
    assert len(training_set.name_labels) in {0, 5}
    assert train(data, HEAD_ALONE, context_for(FakeEncoder()), descriptions=MEANINGS).label_thresholds is not None


def test_with_one_row_a_label_the_head_answers_for_words_that_no_row_has() -> None:
    data = Dataset((Row("a b c", "label 0"), Row("d e f", "label 1")))
    meanings = {"label 0": "billing money invoice", "label 1": "crash error broken"}
    trained = train(data, HEAD_ALONE, context_for(FakeEncoder()), descriptions=meanings)
    head = artifact_from_bytes(trained.artifact).head
    asked = encode(FakeEncoder(), ["money and an invoice", "it is broken by an error"]).features
    assert head.logits(asked).argmax(axis=1).tolist() == [0, 1]
    assert (trained.scores.temperature, trained.scores.source) == (1.0, "prior")


def test_the_search_and_the_cross_validation_of_the_head_begin_with_the_descriptions_too(tiny: OnnxEncoder) -> None:
    runner = RecordingRunner()
    data = dataset()
    train(data, Recipe(), context_for(tiny, runner), descriptions=MEANINGS)
    tasks = [task for task in runner.tasks if isinstance(task, SearchHeadTask | CrossValidateHeadTask | FitTask)]
    assert {SearchHeadTask, FitTask} <= {type(task) for task in tasks}
    for task in tasks:
        assert task.examples.prior_weights is not None


def test_without_three_rows_a_label_no_adapter_is_trained(tiny: OnnxEncoder) -> None:
    for rows in (1, 2):
        trained = train(dataset(rows), Recipe(), context_for(tiny), descriptions=MEANINGS)
        assert trained.adapter is not None
        assert (trained.adapter.scale, trained.adapter.steps) == (0, 0)
        assert trained.adapter.reason.startswith("Fewer than 3 rows a label say too little for an adapter")


def test_of_several_labels_few_rows_stay_near_the_thresholds_and_scores_without_rows(tiny: OnnxEncoder) -> None:
    texts = {("label 0",): "reset my password", ("label 0", "label 1"): "charged twice", ("label 2",): "how do words"}
    rows = tuple(MultiLabelRow(text, labels) for labels, text in texts.items())
    trained = train(MultiLabelDataset(rows), Recipe(), context_for(tiny), descriptions=MEANINGS)
    assert trained.adapter is not None
    assert trained.adapter.scale == 0
    usual = multi_label_threshold(3)
    assert trained.label_thresholds is not None
    assert max(abs(each - usual) for each in trained.label_thresholds) < 0.05
    assert trained.scores.temperature == pytest.approx(1, abs=0.1)


def test_of_several_labels_an_adapter_that_nothing_could_be_held_out_from_has_the_usual_thresholds(
    tiny: OnnxEncoder,
) -> None:
    recipe = Recipe(cross_validate=False)
    trained = train(multi_label_dataset(), recipe, context_for(tiny), descriptions=MEANINGS)
    assert trained.label_thresholds == (multi_label_threshold(3),) * 3


def test_of_a_sample_too_the_names_and_descriptions_are_where_they_belong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "MAX_PLANNED_TEXTS", 30)
    data = easy(40)
    runner = RecordingRunner()
    train(data, HEAD_ALONE, context_for(FakeEncoder(), runner), descriptions=MEANINGS)
    (task,) = [task for task in runner.tasks if isinstance(task, FitTask)]
    names = task.examples.features[len(data.rows) :]
    texts = ["label 0", "label 1", "label 2", "word0 alone", "word2 alone"]
    np.testing.assert_allclose(names, encode(FakeEncoder(), texts).features, atol=1e-6)


def test_a_description_that_is_longer_than_the_encoder_reads_is_warned_of() -> None:
    meanings = {**MEANINGS, "label 2": "word " * 300}
    trained = train(easy(4), HEAD_ALONE, context_for(FakeEncoder()), descriptions=meanings)
    (warning,) = [each for each in trained.warnings if each.code == "truncated_labels"]
    assert "'label 2'" in warning.message


def test_the_forecast_knows_that_few_described_rows_train_no_adapter(tiny: OnnxEncoder) -> None:
    for data, rows in ((dataset(2), 2), (dataset(3), 3), (multi_label_dataset(4), 1), (multi_label_dataset(30), 10)):
        workload = measure_workload(data, Recipe(), tiny, 1, MEANINGS)
        assert (workload.plan is None, workload.folds == 0) == ((rows < 3,) * 2)
        assert measure_workload(data, Recipe(), tiny, 1).plan is not None


def test_the_forecast_counts_the_texts_of_descriptions(tiny: OnnxEncoder) -> None:
    plain, described = (
        measure_workload(dataset(), replace(Recipe(), cross_validate=False), tiny, 1, each) for each in (None, MEANINGS)
    )
    assert plain.plan is not None
    assert described.plan is not None
    assert max(map(len, described.plan.steps)) == max(map(len, plain.plan.steps)) + 2
