"""Training an adapter: when it is trained, how, and what is reported."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.encoders.tiny import nest
from tests.execution.examples import InstantRunner, RecordingRunner, context_for, dataset, easy
from tests.fakes.encoder import FakeEncoder
from windrow.domain.dataset import Dataset, Row
from windrow.domain.errors import TrainingFailed
from windrow.domain.job import OnStep
from windrow.domain.recipe import Recipe
from windrow.domain.training_report import AdapterReport
from windrow.encoders.folder import read_encoder_folder
from windrow.encoders.layout import adapted_projections
from windrow.encoders.onnx_encoder import OnnxEncoder, load_encoder
from windrow.execution import training_set as training_set_module
from windrow.execution.adapter_training import TrainedAdapter, train_adapter
from windrow.execution.runner import ignore_steps
from windrow.execution.tasks import AdapterTensors
from windrow.execution.training_set import AdapterPolicy, TrainingContext, encode_training_set
from windrow.learning import plan
from windrow.learning.plan import FULL_BATCH, MANY_LABELS, MINI_BATCH

Tune = Callable[..., TrainedAdapter]


@pytest.fixture
def tuned(tiny: OnnxEncoder) -> Tune:
    def tuned(data: Dataset, recipe: Recipe = Recipe(), on_step: OnStep = ignore_steps) -> TrainedAdapter:
        context = context_for(tiny)
        return train_adapter(encode_training_set(data, recipe, context), recipe, context, on_step)

    return tuned


def report_of(tuned: TrainedAdapter) -> AdapterReport:
    assert tuned.report is not None
    return tuned.report


def adapter_of(tuned: TrainedAdapter) -> AdapterTensors:
    assert tuned.adapter is not None
    return tuned.adapter


def scale_is(monkeypatch: pytest.MonkeyPatch, value: float) -> None:
    monkeypatch.setattr(
        training_set_module, "choose_adapter_scale", lambda *_, **__: AdapterReport(value, "The test says so.", ())
    )


def unused(data: Dataset, recipe: Recipe = Recipe()) -> TrainedAdapter:
    """Return what comes of it where no training may be started."""
    runner = RecordingRunner()
    runner.failure = TrainingFailed("This must not be reached.")
    context = context_for(FakeEncoder(), runner)
    return train_adapter(encode_training_set(data, recipe, context), recipe, context, ignore_steps)


def test_an_adapter_is_trained_and_reported(tuned: Tune, tiny: OnnxEncoder) -> None:
    reported: list[tuple[int, int, float]] = []
    trained = tuned(dataset(), Recipe(num_iterations=20), lambda *step: reported.append(step))
    report, adapter = report_of(trained), adapter_of(trained)
    assert adapter.keys() == {
        f"{name}.{side}" for name, _ in adapted_projections(tiny.folder) for side in ("down", "up")
    }
    assert (report.layers, report.rank, report.epochs) == (4, FULL_BATCH.rank, 3)
    assert (report.planned_steps, report.steps, report.ended_by, report.texts) == (3, 3, "plan", 12)
    assert [(step, of) for step, of, _ in reported] == [(1, 3), (2, 3), (3, 3)]
    assert (report.first_loss, report.last_loss) == (reported[0][2], reported[-1][2])


def test_an_encoder_whose_transformer_lies_in_a_folder_of_its_own_is_trained_alike(
    tuned: Tune, tiny: OnnxEncoder, tmp_path: Path
) -> None:
    folder = read_encoder_folder(nest(tiny.folder.root, tmp_path / "older"), tiny.folder.base_model.id)
    context = context_for(load_encoder(folder, tmp_path, threads=1))
    nested = train_adapter(encode_training_set(dataset(), Recipe(), context), Recipe(), context, ignore_steps)
    alike = adapter_of(tuned(dataset()))
    assert adapter_of(nested).keys() == alike.keys()
    assert all(np.array_equal(tensor, alike[name]) for name, tensor in adapter_of(nested).items())


def test_without_iterations_nothing_is_trained_or_reported() -> None:
    assert unused(dataset(), Recipe(num_iterations=0)) == TrainedAdapter(None, None)


def test_an_encoder_that_needs_no_change_gets_none(monkeypatch: pytest.MonkeyPatch) -> None:
    scale_is(monkeypatch, 0.0)
    nothing = unused(dataset())
    report = report_of(nothing)
    assert nothing.adapter is None
    assert (report.scale, report.reason, report.steps, report.first_loss) == (0.0, "The test says so.", 0, None)


def test_an_encoder_that_errs_on_no_row_needs_no_change() -> None:
    assert report_of(unused(easy(10))).reason.startswith(
        "No adapter is needed: the frozen encoder misclassifies 0 of 30"
    )


def test_labels_without_a_second_text_get_no_adapter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_set_module, "label_names_are_informative", lambda *_: False)  # a name is a second text
    nothing = unused(Dataset((Row("reset my password", "0"), Row("charged twice", "1"))))
    assert nothing.adapter is None
    assert report_of(nothing).reason == "No label has two texts that could come closer."
    assert report_of(nothing).scale == 0


def change_of(adapter: AdapterTensors) -> float:
    down, up = (adapter[f"layers.3.query.{side}"].astype(np.float32) for side in ("down", "up"))
    return float(np.linalg.norm(down @ up))


def test_a_partial_scale_is_applied_to_the_adapter(tuned: Tune, monkeypatch: pytest.MonkeyPatch) -> None:
    changes = []
    for value in (1.0, 0.5):
        scale_is(monkeypatch, value)
        trained = tuned(dataset())
        assert report_of(trained).scale == value
        changes.append(change_of(adapter_of(trained)))
    assert changes[1] == pytest.approx(changes[0] / 2, rel=0.01)


def test_many_rows_are_trained_with_the_mini_batch_schedule(tuned: Tune) -> None:
    report = report_of(tuned(dataset(100), Recipe(num_iterations=7)))
    assert (report.layers, report.rank, report.epochs, report.planned_steps) == (4, MINI_BATCH.rank, 1, 2)


def test_many_rows_of_many_labels_change_the_last_layers(tuned: Tune, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "MAX_FEW_LABELS", 2)
    trained = tuned(dataset(100), Recipe(num_iterations=4))
    report = report_of(trained)
    assert (report.layers, report.rank, report.epochs, report.planned_steps) == (
        MANY_LABELS.layers,
        MANY_LABELS.rank,
        1,
        2,
    )
    assert {name.split(".")[1] for name in adapter_of(trained)} == {"1", "2", "3"}


def test_a_larger_batch_size_trains_more_rows_in_one_step(tuned: Tune) -> None:
    report = report_of(tuned(dataset(100), Recipe(num_iterations=5, batch_size=512)))
    assert (report.layers, report.rank, report.planned_steps) == (4, FULL_BATCH.rank, 1)


@pytest.mark.parametrize("helps", [True, False])
def test_label_names_take_part_as_texts_and_are_not_counted_as_rows(
    helps: bool, tiny: OnnxEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training_set_module, "label_names_are_informative", lambda *_: helps)
    runner = InstantRunner(tiny.folder)
    context = context_for(tiny, runner)
    report = report_of(
        train_adapter(encode_training_set(dataset(), Recipe(), context), Recipe(), context, ignore_steps)
    )
    assert report.used_label_names is helps
    assert report.texts == 12
    (task,) = runner.adapter_tasks
    assert len(task.label_ids) == len(task.texts.lengths) == (15 if helps else 12)


def test_a_plan_that_the_budget_cuts_short_is_reported(tuned: Tune, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pass over 300 rows takes two steps of 150 texts."""
    assert report_of(tuned(dataset(100), Recipe(num_iterations=7))).ended_by == "plan"
    monkeypatch.setattr(plan, "MAX_PLANNED_TEXTS", 310)
    report = report_of(tuned(dataset(100), Recipe(num_iterations=14)))
    assert (report.epochs, report.planned_steps, report.steps, report.ended_by) == (2, 2, 2, "step_budget")


def test_a_sample_of_the_rows_is_reported_as_a_budget_that_ended(tuned: Tune, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "MAX_PLANNED_TEXTS", 40)
    report = report_of(tuned(dataset(100), Recipe(num_iterations=5)))
    assert (report.ended_by, report.texts, report.steps, report.planned_steps) == ("step_budget", 40, 1, 1)


def test_time_that_is_up_before_the_first_step_leaves_no_adapter(tuned: Tune) -> None:
    trained = tuned(dataset(), Recipe(max_seconds=0.001))
    report = report_of(trained)
    assert trained.adapter is None
    assert (report.scale, report.steps, report.planned_steps, report.ended_by) == (0.0, 0, 3, "max_seconds")
    assert report.reason == "The time limit left no time for a step of contrastive training."
    assert (report.first_loss, report.last_loss) == (None, None)


def deadline_of(tiny: OnnxEncoder, recipe: Recipe, share: float = 1.0) -> float | None:
    """Return when a training must end that began at 1,000 s, with a first look of 4 s at a share of the rows."""
    runner = InstantRunner(tiny.folder)
    context: TrainingContext = context_for(tiny, runner)
    training_set = encode_training_set(dataset(), recipe, context)
    train_adapter(replace(training_set, began_s=1_000.0, took_s=4.0, fraction=share), recipe, context, ignore_steps)
    (task,) = runner.adapter_tasks
    return task.deadline_s


def test_training_ends_so_early_that_all_rows_can_still_be_encoded_and_the_head_be_fitted(tiny: OnnxEncoder) -> None:
    assert deadline_of(tiny, Recipe()) is None
    assert deadline_of(tiny, Recipe(max_seconds=60)) == 1_000 + 60 - 2.5 * 4
    assert deadline_of(tiny, Recipe(max_seconds=60), share=0.5) == 1_000 + 60 - 2.5 * 8


def test_a_fold_follows_the_policy_of_the_training_on_all_rows(tiny: OnnxEncoder) -> None:
    """A part of the rows is trained as all of them are: the same share of the adapter, in the same manner."""
    runner = InstantRunner(tiny.folder)
    context = context_for(tiny, runner)
    training_set = encode_training_set(dataset(), Recipe(), context)
    part = training_set.subset(np.arange(6))
    policy = AdapterPolicy(AdapterReport(0.25, "All rows say so.", ()), 300)
    report = report_of(train_adapter(part, Recipe(), context, ignore_steps, policy))
    assert (report.scale, report.reason, report.texts) == (0.25, "All rows say so.", 6)
    train_adapter(part, Recipe(), context, ignore_steps)
    assert [task.full_size for task in runner.adapter_tasks] == [300, None]
    assert training_set.policy.texts == 12 + training_set.num_label_names


def test_the_same_training_gives_the_same_bits_and_where_there_is_a_choice_another_seed_other_ones(tuned: Tune) -> None:
    few = [adapter_of(tuned(dataset(), Recipe(num_iterations=4))) for _ in range(2)]
    many = [adapter_of(tuned(dataset(100), Recipe(num_iterations=4, seed=seed))) for seed in (0, 0, 1)]
    for one, other in (few, many[:2]):
        assert all(one[name].tobytes() == other[name].tobytes() for name in one)
    assert any(many[0][name].tobytes() != many[2][name].tobytes() for name in many[0])
