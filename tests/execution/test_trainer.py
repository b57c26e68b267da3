"""A training from checked rows to a finished artifact: what epochs from step to step, and what is told of it."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from tests.execution.examples import InstantRunner, RecordingRunner, context_for, dataset, easy, multi_label_dataset
from tests.fakes.encoder import FakeEncoder
from windrow.arrays import Floats
from windrow.domain.dataset import DataLimits, Dataset, Row, check_rows
from windrow.domain.job import OnProgress, Progress, ignore_progress
from windrow.domain.labelled_rows import LabelledDataset
from windrow.domain.multi_label import MultiLabelDataset, MultiLabelRow, check_multi_label_rows
from windrow.domain.recipe import Recipe
from windrow.domain.training_report import AdapterReport
from windrow.encoders.adapters import Adapter, pack_adapter
from windrow.encoders.bulk import encode
from windrow.encoders.onnx_encoder import OnnxEncoder, Parallelism, Tokens
from windrow.execution import selection as selection_module
from windrow.execution import trainer as trainer_module
from windrow.execution import training_set as training_set_module
from windrow.execution.control import TrainingControl
from windrow.execution.runner import Runner
from windrow.execution.selection import select_rows
from windrow.execution.trainer import Trained, train
from windrow.execution.training_cost import measure_workload
from windrow.learning import plan
from windrow.learning.calibrate import ADAPTED_PRIOR, HEAD_PRIOR
from windrow.learning.head import sigmoid
from windrow.learning.multi_label_thresholds import PRIOR_THRESHOLD
from windrow.storage.artifact import artifact_from_bytes

Fit = Callable[..., Trained]


@pytest.fixture
def fit(tiny: OnnxEncoder) -> Fit:
    def fit(
        data: LabelledDataset,
        recipe: Recipe = Recipe(),
        on_progress: OnProgress = ignore_progress,
        runner: Runner | None = None,
        threads: int = 2,
    ) -> Trained:
        return train(data, recipe, context_for(tiny, runner, TrainingControl(on_progress), threads))

    return fit


def fit_head_only(
    data: LabelledDataset, recipe: Recipe = Recipe(num_iterations=0), runner: Runner | None = None
) -> Trained:
    return train(data, recipe, context_for(FakeEncoder(), runner))


def report_of(trained: Trained) -> AdapterReport:
    assert trained.adapter is not None
    return trained.adapter


def codes(trained: Trained) -> set[str]:
    return {warning.code for warning in trained.warnings}


def scale_is(monkeypatch: pytest.MonkeyPatch, value: float) -> None:
    monkeypatch.setattr(
        training_set_module, "choose_adapter_scale", lambda *_, **__: AdapterReport(value, "The test says so.", ())
    )


def test_no_iterations_train_the_head_alone(fit: Fit) -> None:
    runner = RecordingRunner()
    trained = fit(dataset(), Recipe(num_iterations=0), runner=runner)
    assert trained.adapter is None
    assert trained.head.cv_folds > 0
    assert artifact_from_bytes(trained.artifact).adapter is None
    assert len(runner.fit_tasks) == len(runner.tasks) == 1


class CountingEncoder:
    """Counts the texts that it reads, and those that go through the layers that no adapter changes."""

    def __init__(self, encoder: OnnxEncoder) -> None:
        self.encoder = encoder
        self.folder = encoder.folder
        self.features = encoder.features
        self.read: list[str] = []
        self.encoded = 0

    def tokenize(self, texts: Sequence[str]) -> list[Tokens]:
        self.read.extend(texts)
        return self.encoder.tokenize(texts)

    def states(self, batch: Sequence[Tokens]) -> Floats:
        self.encoded += len(batch)
        return self.encoder.states(batch)

    def encode(self, batch: Sequence[Tokens], adapters: Sequence[Adapter | None], parallelism: Parallelism) -> Floats:
        self.encoded += len(batch)
        return self.encoder.encode(batch, adapters, parallelism)


@pytest.mark.parametrize("num_iterations", [0, 20])
def test_each_distinct_text_and_each_label_name_is_read_and_encoded_once(
    num_iterations: int, tiny: OnnxEncoder
) -> None:
    """With the trainings that judge the adapter, and with the estimate before."""
    data, encoder = dataset(), CountingEncoder(tiny)
    repeated = Dataset((*data.rows, *data.rows[:5], Row(data.rows[0].text, "label 1")))
    recipe = Recipe(num_iterations=num_iterations)
    selection = measure_workload(repeated, recipe, encoder, 1).selection
    trained = train(repeated, recipe, context_for(encoder, InstantRunner(tiny.folder)), selection)
    assert encoder.read == [*data.texts, "label 0", "label 1", "label 2"]
    assert encoder.encoded == 15
    assert (artifact_from_bytes(trained.artifact).adapter is not None) is (num_iterations > 0)


@pytest.mark.parametrize("threads", [1, 2])
def test_an_adapter_is_trained_cross_validated_and_reported(threads: int, fit: Fit) -> None:
    told: list[Progress] = []
    runner = RecordingRunner()
    trained = fit(dataset(), Recipe(num_iterations=20), told.append, runner, threads)
    report = report_of(trained)
    assert artifact_from_bytes(trained.artifact).adapter is not None
    assert (report.epochs, report.planned_steps, report.steps, report.ended_by) == (3, 3, 3, "plan")
    steps = [each for each in told if each.stage == "training" and each.step]
    # Three folds of three steps, and the evaluation of each; on several cores they train beside the training itself.
    trained_steps, judged_steps = (3, 12) if threads == 1 else (12, 3)
    assert [(each.step, each.num_steps) for each in steps] == [(n, trained_steps) for n in range(1, trained_steps + 1)]
    assert {report.first_loss, report.last_loss} <= {each.loss for each in steps}
    judged = [(each.step, each.num_steps) for each in told if each.stage == "validating"]
    assert judged == [(0, 0), *((step, judged_steps) for step in range(1, judged_steps + 1))]
    assert list(dict.fromkeys(each.stage for each in told)) == ["encoding", "training", "validating", "finishing"]
    assert (len(runner.adapter_tasks), len(runner.holdout_tasks), len(runner.fit_tasks)) == (4, 3, 1)
    assert codes(trained) <= {"not_better_than_majority"}  # so few rows show no more


def test_the_head_fits_the_features_that_the_saved_adapter_gives(fit: Fit, tiny: OnnxEncoder) -> None:
    data = dataset()
    artifact = artifact_from_bytes(fit(data, Recipe(cross_validate=False)).artifact)
    assert artifact.adapter is not None
    scores = artifact.head.scores(encode(tiny, data.texts, pack_adapter(tiny.folder, artifact.adapter)).features)
    assert (scores.argmax(axis=1) == data.label_ids).all()


def test_an_estimate_is_of_all_rows_and_calibrates_the_scores(fit: Fit, tiny: OnnxEncoder) -> None:
    runner = InstantRunner(tiny.folder)
    trained = fit(dataset(), runner=runner)
    estimate, scores = trained.report.estimate, trained.scores
    assert estimate is not None
    assert (estimate.total, estimate.folds) == (12, 3)
    (task,) = runner.fit_tasks
    assert task.held_out is not None
    assert estimate.correct == int((task.held_out.logits.argmax(axis=1) == task.held_out.label_ids).sum())
    assert scores.source == "out_of_fold"
    assert scores.similarity == pytest.approx(float(task.held_out.similarities.mean()))
    assert artifact_from_bytes(trained.artifact).scope is not None


def test_a_head_alone_is_estimated_by_its_own_folds() -> None:
    trained = fit_head_only(easy(10))
    estimate = trained.report.estimate
    assert estimate is not None
    assert (estimate.correct, estimate.total, estimate.folds) == (30, 30, 5)
    assert trained.scores.source == "out_of_fold"
    assert codes(trained) <= {"not_better_than_majority"}  # so few rows show no more


def test_without_cross_validation_no_fold_is_trained_and_no_warning_is_given(fit: Fit, tiny: OnnxEncoder) -> None:
    runner = InstantRunner(tiny.folder)
    trained = fit(dataset(), Recipe(cross_validate=False), runner=runner)
    assert (len(runner.adapter_tasks), len(runner.holdout_tasks)) == (1, 0)
    assert trained.report.estimate is None
    assert (trained.scores.source, trained.scores.temperature) == ("prior", ADAPTED_PRIOR.temperature)
    assert trained.scores.similarity is None
    assert artifact_from_bytes(trained.artifact).scope is None
    assert codes(trained) <= {"not_better_than_majority"}  # so few rows show no more


def test_a_head_alone_is_always_estimated() -> None:
    """It costs nothing: its scale is chosen by the same folds."""
    without, with_it = (
        fit_head_only(easy(4), Recipe(num_iterations=0, cross_validate=wanted)) for wanted in (False, True)
    )
    assert without.artifact == with_it.artifact
    assert without.report == with_it.report
    assert without.report.estimate is not None


def test_where_no_row_can_be_held_out_a_warning_says_that_nothing_is_estimated() -> None:
    trained = fit_head_only(easy(1))
    assert codes(trained) == {"no_estimate", "small_classes"}
    assert trained.warnings[-1].message.endswith("by what is usual: no label has two different texts.")
    assert trained.report.estimate is None
    scores = trained.scores
    assert (scores.source, scores.temperature) == ("prior", HEAD_PRIOR.temperature)
    assert "no_estimate" not in codes(fit_head_only(easy(1), Recipe(num_iterations=0, cross_validate=False)))


@pytest.mark.parametrize("torn", [(), (Row("word0 0", "label 1"),)])
def test_a_limit_of_time_is_not_blamed_where_no_row_can_be_held_out(torn: tuple[Row, ...]) -> None:
    """Nor where a label's second text stands under another label too, so that it goes where that one goes."""
    data = Dataset((*easy(1).rows, *torn))
    trained = fit_head_only(data, Recipe(num_iterations=0, max_seconds=3_600))
    assert trained.warnings[-1].message.endswith(": no label has two different texts.")


def test_where_no_time_is_left_for_folds_a_warning_says_so(fit: Fit, tiny: OnnxEncoder) -> None:
    trained = fit(dataset(), Recipe(max_seconds=0.001), runner=InstantRunner(tiny.folder))
    assert codes(trained) == {"no_estimate"}
    assert trained.warnings[-1].message == (
        "Its accuracy could not be estimated, and its scores are calibrated by what is usual: "
        "the time limit left no time for it."
    )
    assert artifact_from_bytes(trained.artifact).adapter is not None
    assert trained.scores.source == "prior"


def test_counts_of_the_rows_are_reported() -> None:
    rows = [*easy(4).rows, Row("word0 0", "label 0"), Row("word0 0", "label 1"), Row("word " * 400, "rare")]
    trained = fit_head_only(Dataset(tuple(rows)))
    report = trained.report
    assert (report.duplicate_rows, report.contradicting_rows, report.truncated_rows) == (1, 3, 1)
    assert report.small_classes == ("rare",)
    assert report.majority_accuracy == 5 / 15
    assert codes(trained) == {"duplicate_rows", "contradicting_rows", "small_classes", "truncated_rows"}


def test_an_estimate_that_reaches_the_majority_is_told() -> None:
    rows = [Row(f"{number} of no use", f"label {number % 3}") for number in range(24)]
    trained = fit_head_only(Dataset(tuple(rows)))
    estimate = trained.report.estimate
    assert estimate is not None
    assert estimate.interval.low <= trained.report.majority_accuracy
    (message,) = (each.message for each in trained.warnings if each.code == "not_better_than_majority")
    assert "always saying 'label 0', which is right for 33.3 %" in message
    assert "not_better_than_majority" not in codes(fit_head_only(easy(12)))


def test_an_encoder_that_needs_no_change_gets_none(fit: Fit, monkeypatch: pytest.MonkeyPatch) -> None:
    scale_is(monkeypatch, 0.0)
    trained = fit(dataset())
    report = report_of(trained)
    assert (report.scale, report.reason, report.steps, report.first_loss) == (0.0, "The test says so.", 0, None)
    assert artifact_from_bytes(trained.artifact).adapter is None
    monkeypatch.undo()
    assert trained.artifact == fit(dataset(), Recipe(num_iterations=0)).artifact


@pytest.mark.parametrize("budget", [40, 260])
def test_rows_beyond_the_step_budget_still_teach_the_head(
    budget: int, fit: Fit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "MAX_PLANNED_TEXTS", budget)
    data = dataset(100)
    trained = fit(data, Recipe(cross_validate=False))
    report = report_of(trained)
    assert report.ended_by == "step_budget"
    assert report.texts == min(budget, 300)
    assert codes(trained) == {"step_budget"}
    assert trained.warnings[0].message.startswith(f"Contrastive training took {report.steps} steps over {report.texts}")
    # The head knows rows that contrastive training never saw.
    assert artifact_from_bytes(trained.artifact).head.weights.shape == (3, 96)


def with_copies(data: Dataset) -> Dataset:
    """Return rows of which each comes twice, and some with another label, too."""
    others = [Row(row.text, "label 0") for row in data.rows[::9]]
    return check_rows((*data.rows, *data.rows, *others), DataLimits())


@pytest.mark.parametrize("data", [dataset(60), with_copies(dataset(60)), multi_label_dataset(180)])
def test_rows_that_no_sample_had_judge_its_adapter_beside_the_head_alone(
    data: LabelledDataset, tiny: OnnxEncoder, fit: Fit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "MAX_PLANNED_TEXTS", 40)
    monkeypatch.setattr(selection_module, "ENOUGH_HELD_OUT_ROWS", 18)
    held_out = select_rows(data, Recipe(), tiny).held_out
    assert 15 <= len(held_out) <= 25
    runner = InstantRunner(tiny.folder)
    trained = fit(data, runner=runner)
    # No fold is trained: the rows that judge were left out of the training itself.
    assert len(runner.adapter_tasks) == 1
    alone, adapted = runner.holdout_tasks
    assert (alone.is_adapted, adapted.is_adapted) == (False, True)
    for task in (alone, adapted):
        assert len(task.holdout_features) == len(held_out)
        texts = np.array(data.text_ids)
        assert len(task.examples.groups) == (~np.isin(texts, texts[held_out])).sum()
        assert not set(texts[held_out].tolist()) & set(task.examples.groups.tolist())
    assert np.abs(alone.holdout_features - adapted.holdout_features).max() > 0.01
    report = report_of(trained)
    assert f"of {len(held_out)} held-out rows" in report.reason


@pytest.mark.parametrize("is_better", [True, False])
def test_the_head_alone_is_used_where_all_rows_are_worth_more_than_the_adapter_of_a_sample(
    is_better: bool, tiny: OnnxEncoder, fit: Fit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "MAX_PLANNED_TEXTS", 40)
    monkeypatch.setattr(selection_module, "ENOUGH_HELD_OUT_ROWS", 18)
    scale = 1.0 if is_better else 0.0
    monkeypatch.setattr(
        trainer_module, "choose_by_held_out_rows", lambda report, *_, **__: replace(report, scale=scale)
    )
    data, runner = dataset(60), InstantRunner(tiny.folder)
    trained = fit(data, runner=runner)
    assert (artifact_from_bytes(trained.artifact).adapter is not None) == is_better
    (last,) = runner.fit_tasks
    assert (last.held_out is not None) == is_better
    assert trained.report.estimate is not None
    if is_better:
        assert trained.report.estimate.total == len(select_rows(data, Recipe(), tiny).held_out)
    else:
        assert trained.artifact == fit(data, Recipe(num_iterations=0)).artifact


def test_a_sample_without_an_adapter_still_fits_the_head_on_every_row(
    fit: Fit, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = fit(dataset(40), Recipe(num_iterations=0))
    monkeypatch.setattr(plan, "MAX_PLANNED_TEXTS", 30)
    assert fit(dataset(40), Recipe(num_iterations=0)).artifact == whole.artifact


def test_time_that_is_up_before_the_first_step_leaves_the_head(fit: Fit) -> None:
    trained = fit(dataset(), Recipe(max_seconds=0.001))
    report = report_of(trained)
    assert (report.scale, report.steps, report.planned_steps, report.ended_by) == (0.0, 0, 3, "max_seconds")
    assert (report.first_loss, report.last_loss) == (None, None)
    assert codes(trained) == {"ended_by_max_seconds"}
    assert artifact_from_bytes(trained.artifact).adapter is None
    assert trained.artifact == fit(dataset(), Recipe(num_iterations=0)).artifact


def test_time_enough_changes_nothing(fit: Fit) -> None:
    """On one core; on several, small trainings share them otherwise, which may round sums differently."""
    limited = fit(dataset(), Recipe(max_seconds=3_600), threads=1)
    assert limited.artifact == fit(dataset(), threads=1).artifact


@pytest.mark.parametrize(("scale", "max_seconds", "tunes"), [(0.0, None, 0), (1.0, 0.001, 1)])
def test_without_an_adapter_no_fold_is_trained(
    scale: float, max_seconds: float | None, tunes: int, fit: Fit, monkeypatch: pytest.MonkeyPatch
) -> None:
    scale_is(monkeypatch, scale)
    runner = RecordingRunner()
    trained = fit(dataset(), Recipe(max_seconds=max_seconds), runner=runner)
    assert (len(runner.adapter_tasks), len(runner.holdout_tasks), len(runner.fit_tasks)) == (tunes, 0, 1)
    assert runner.fit_tasks[0].held_out is None
    # The head tells by its own folds, at no cost.
    assert trained.report.estimate is not None
    assert trained.report.estimate.total == 12


def test_calibration_changes_confidence_but_not_the_order_of_labels(fit: Fit, tiny: OnnxEncoder) -> None:
    data = dataset()
    judged, usual = (
        fit(data, Recipe(cross_validate=wanted), runner=InstantRunner(tiny.folder)) for wanted in (True, False)
    )
    temperatures = [trained.scores.temperature for trained in (judged, usual)]
    assert abs(temperatures[0] / temperatures[1] - 1) > 0.01
    heads = [artifact_from_bytes(trained.artifact).head for trained in (judged, usual)]
    adapter = artifact_from_bytes(judged.artifact).adapter
    assert adapter is not None
    features = encode(tiny, ["reset my password", "charged twice", *data.texts], pack_adapter(tiny.folder, adapter))
    logits = [head.logits(features.features) for head in heads]
    np.testing.assert_allclose(logits[0] * temperatures[0], logits[1] * temperatures[1], rtol=1e-4, atol=1e-5)
    scores = [head.scores(features.features) for head in heads]
    assert (scores[0].argsort(axis=1) == scores[1].argsort(axis=1)).all()
    bolder = int(temperatures[0] > temperatures[1])
    assert (scores[bolder].max(axis=1) > scores[1 - bolder].max(axis=1)).all()


def test_labels_without_a_second_text_get_no_adapter(fit: Fit) -> None:
    data = Dataset((Row("reset my password", "0"), Row("charged twice", "1")))
    trained = fit(data)
    assert report_of(trained).reason == "No label has two texts that could come closer."
    assert artifact_from_bytes(trained.artifact).adapter is None


def test_label_names_are_no_examples_to_the_head(fit: Fit, monkeypatch: pytest.MonkeyPatch) -> None:
    """With one row a label, held-out names would make a cross-validation."""
    monkeypatch.setattr(training_set_module, "label_names_are_informative", lambda *_: True)
    trained = fit(dataset(1), Recipe(num_iterations=0))
    assert (trained.head.cv_accuracy, trained.head.cv_folds) == (None, 0)


def test_a_label_name_may_be_one_of_the_texts(fit: Fit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_set_module, "label_names_are_informative", lambda *_: True)
    data = dataset()
    rows = (*data.rows, Row("label 0", "label 0"), Row("label 1", "label 0"))
    assert artifact_from_bytes(fit(replace(data, rows=rows)).artifact).head.weights.shape == (3, 96)


def test_duplicate_rows_take_part_once(fit: Fit) -> None:
    data = dataset()
    assert report_of(fit(replace(data, rows=(*data.rows, *data.rows[:5])))).texts == 12


def test_truncated_rows_are_counted_with_and_without_an_adapter(fit: Fit) -> None:
    data = dataset()
    rows = (*data.rows, Row("word " * 400, "label 0"))
    for num_iterations in (0, 5):
        warnings = fit(replace(data, rows=rows), Recipe(num_iterations=num_iterations)).warnings
        (warning,) = (each for each in warnings if each.code == "truncated_rows")
        assert warning.rows == (12,)
        assert "1 of 13 rows (7.7 %) is longer than the encoder reads, 200 tokens" in warning.message


@pytest.mark.parametrize("rows_per_label", [4, 100])
def test_the_same_request_gives_the_same_bytes(rows_per_label: int, fit: Fit) -> None:
    data, recipe = dataset(rows_per_label), Recipe(num_iterations=4)
    first = fit(data, recipe)
    assert fit(data, recipe).artifact == first.artifact
    if rows_per_label == 100:  # fewer rows all meet in every step, so there is nothing to draw
        assert fit(data, replace(recipe, seed=1)).artifact != first.artifact


def given_sets(trained: Trained, data: MultiLabelDataset, encoder: OnnxEncoder | FakeEncoder) -> list[tuple[int, ...]]:
    """Return the positions of the labels that a training gives to its own rows."""
    artifact = artifact_from_bytes(trained.artifact)
    adapter = None if artifact.adapter is None else pack_adapter(encoder.folder, artifact.adapter)
    features = encode(encoder, data.texts, adapter).features
    assert trained.label_thresholds is not None
    given = sigmoid(artifact.head.logits(features)) >= np.array(trained.label_thresholds)
    return [tuple(np.flatnonzero(row).tolist()) for row in given]


def test_rows_of_several_labels_train_the_head_alone() -> None:
    data = multi_label_dataset(60)
    trained = fit_head_only(data)
    assert trained.kind == "multi_label"
    assert trained.label_thresholds is not None and len(trained.label_thresholds) == 3
    assert all(0 < threshold < 1 for threshold in trained.label_thresholds)
    estimate = trained.report.estimate
    assert estimate is not None and estimate.micro_f1 is not None and estimate.macro_f1 is not None
    assert estimate.total == 60
    assert estimate.micro_f1 > 0.8
    assert trained.head.cv_folds == 5 and trained.head.cv_accuracy is not None
    artifact = artifact_from_bytes(trained.artifact)
    assert artifact.head.bias.shape == (3,)
    # The labels' centroids, and that of rows without labels.
    assert artifact.scope is not None and len(artifact.scope.centroids) == 4
    given = given_sets(trained, data, FakeEncoder())
    assert np.mean([own == right for own, right in zip(given, data.label_sets, strict=True)]) > 0.8


def test_rows_of_several_labels_train_an_adapter_with_its_folds_in_one_reproducible_way(fit: Fit) -> None:
    data, runner, told = multi_label_dataset(30), RecordingRunner(), list[Progress]()
    first, second = fit(data, on_progress=told.append, runner=runner), fit(data)
    assert first.artifact == second.artifact
    assert first.kind == "multi_label"
    assert report_of(first).steps > 0
    assert len(report_of(first).candidates) == 2
    assert [task.label_ids.dtype for task in runner.adapter_tasks] == [np.dtype(bool)] * 4
    assert {progress.stage for progress in told} == {"encoding", "training", "validating", "finishing"}
    estimate = first.report.estimate
    assert estimate is not None and (estimate.total, estimate.folds) == (30, 3)
    assert first.scores.source == "out_of_fold"


def test_rows_that_each_have_a_label_of_their_own_have_no_estimate_and_the_usual_thresholds() -> None:
    rows = [MultiLabelRow(f"word{number}", (f"label {number}",)) for number in range(3)]
    trained = fit_head_only(check_multi_label_rows(rows, DataLimits()))
    assert trained.report.estimate is None
    assert trained.label_thresholds == (PRIOR_THRESHOLD,) * 3
    assert trained.scores.source == "prior"
    assert "no_estimate" in codes(trained)


def test_labels_that_no_text_tells_are_warned_of_and_those_that_texts_tell_are_not() -> None:
    random = np.random.default_rng(4)
    rows = [
        MultiLabelRow(f"word {number}", tuple(f"label {label}" for label in range(3) if random.random() < 0.4))
        for number in range(40)
    ]
    by_chance = fit_head_only(check_multi_label_rows(rows, DataLimits()))
    assert "not_better_than_majority" in codes(by_chance)
    assert "not_better_than_majority" not in codes(fit_head_only(multi_label_dataset(60)))


def test_one_label_that_some_rows_have_can_be_trained() -> None:
    rows = [MultiLabelRow(f"word{number % 2} {number}", ("yes",) if number % 2 else ()) for number in range(20)]
    data = check_multi_label_rows(rows, DataLimits())
    trained = fit_head_only(data)
    assert given_sets(trained, data, FakeEncoder()) == list(data.label_sets)
    assert trained.report.estimate is not None and trained.report.estimate.accuracy > 0.9


def test_a_sample_of_too_many_rows_of_several_labels_is_trained(fit: Fit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "MAX_PLANNED_TEXTS", 20)
    data = multi_label_dataset(60)
    trained = fit(data, Recipe(num_iterations=1))
    assert report_of(trained).texts == 20
    assert trained.label_thresholds is not None and len(trained.label_thresholds) == 3


def test_one_label_a_text_has_no_thresholds() -> None:
    trained = fit_head_only(easy(4))
    assert (trained.kind, trained.label_thresholds) == ("single_label", None)
    assert trained.report.estimate is not None and trained.report.estimate.micro_f1 is None
