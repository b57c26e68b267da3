"""Folds: no training sees a held-out text, and all follow the policy of the full training."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from tests.execution.examples import InstantRunner, RecordingRunner, context_for, dataset
from windrow.arrays import Floats, Ids, TokenStates
from windrow.domain.dataset import Dataset, Row
from windrow.domain.errors import ShuttingDown
from windrow.domain.job import OnStep
from windrow.domain.recipe import Recipe
from windrow.domain.training_report import AdapterReport
from windrow.encoders.onnx_encoder import OnnxEncoder
from windrow.execution import holdout as holdout_module
from windrow.execution import training_set as training_set_module
from windrow.execution.adapter_training import train_adapter
from windrow.execution.control import TrainingControl
from windrow.execution.holdout import (
    FEW_FOLDS,
    assign_eval_folds,
    cross_validate_adapter,
    evaluate_folds,
    train_folds,
    train_with_folds,
)
from windrow.execution.runner import Outcome, ignore_steps
from windrow.execution.selection import ENOUGH_HELD_OUT_ROWS
from windrow.execution.tasks import (
    CrossValidateHeadTask,
    HoldoutsTask,
    HoldoutTask,
    Task,
    TrainAdaptersTask,
    TrainAdapterTask,
)
from windrow.execution.training_set import EncodedTrainingSet, TrainingContext, encode_training_set
from windrow.learning.calibrate import HeldOut
from windrow.learning.folds import assign_folds, splits
from windrow.learning.head import fit_adapted_head
from windrow.learning.head_fitting import cross_validate_head, search_head
from windrow.learning.scope import label_centroids, similarity_to_nearest


def encoded(data: Dataset, tiny: OnnxEncoder) -> EncodedTrainingSet:
    return encode_training_set(data, Recipe(), context_for(tiny))


def texts_of(states: TokenStates) -> list[bytes]:
    """Return what tells the texts apart."""
    return [part.tobytes() for part in np.split(states.packed, np.cumsum(states.lengths)[:-1])]


def evaluated_folds(
    training_set: EncodedTrainingSet, folds: Ids, context: TrainingContext
) -> Iterator[tuple[Ids, HeldOut]]:
    """Train and evaluate each fold."""
    return evaluate_folds(training_set, folds, Recipe(), context, train_folds(training_set, folds, Recipe(), context))


def with_repeats(data: Dataset) -> Dataset:
    """Return rows of which some texts stand under two labels, and some rows twice."""
    torn = [Row(data.rows[number].text, data.rows[number + 1].label) for number in (0, 3)]
    return replace(data, rows=(*data.rows, *torn, *data.rows[:4]))


def test_few_rows_take_three_trainings_that_hold_out_each_row_once(tiny: OnnxEncoder) -> None:
    runner = InstantRunner(tiny.folder)
    training_set = encoded(dataset(), tiny)
    held_out = cross_validate_adapter(training_set, Recipe(), context_for(tiny, runner))
    assert held_out is not None
    assert (len(runner.adapter_tasks), held_out.adapted.folds) == (FEW_FOLDS, 3)
    assert [task.is_adapted for task in runner.holdout_tasks] == [True] * FEW_FOLDS
    part = held_out.adapted
    assert len(part.logits) == len(part.label_ids) == len(part.similarities) == len(held_out.head_logits) == 12
    assert sorted(part.label_ids.tolist()) == sorted(training_set.label_ids.tolist())


def test_the_head_alone_is_cross_validated_on_the_same_rows(tiny: OnnxEncoder) -> None:
    runner = InstantRunner(tiny.folder)
    training_set = encoded(with_repeats(dataset(6)), tiny)
    held_out = cross_validate_adapter(training_set, Recipe(), context_for(tiny, runner))
    assert held_out is not None
    folds = assign_eval_folds(training_set.label_ids, training_set.text_ids, 0)
    expected = cross_validate_head(training_set.examples(), folds, FEW_FOLDS)
    assert held_out.head_logits.tobytes() == expected.tobytes()
    rows = np.concatenate([held for _, held in splits(folds)])
    assert held_out.adapted.label_ids.tolist() == training_set.label_ids[rows].tolist()


def test_a_search_of_the_head_on_the_same_folds_is_not_done_again(
    tiny: OnnxEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With many rows both are assigned to five folds, of which one or two are enough."""
    monkeypatch.setattr(holdout_module, "MANY_ROWS", 30)
    monkeypatch.setattr(holdout_module, "ENOUGH_HELD_OUT_ROWS", 10)
    runner = InstantRunner(tiny.folder)
    context = context_for(tiny, runner)
    training_set = encoded(dataset(12), tiny)
    without = cross_validate_adapter(training_set, Recipe(), context)
    searched = replace(training_set, head_search=search_head(training_set.examples(), 0))
    with_search = cross_validate_adapter(searched, Recipe(), context)
    assert without is not None
    assert with_search is not None
    assert without.head_logits.tobytes() == with_search.head_logits.tobytes()
    assert 10 <= len(with_search.head_logits) < 36
    assert sum(isinstance(task, CrossValidateHeadTask) for task in runner.tasks) == 1


@pytest.mark.parametrize("threads", [1, 2])
def test_small_trainings_run_at_the_same_time_and_learn_the_same(threads: int, tiny: OnnxEncoder) -> None:
    runner = RecordingRunner()
    training_set, recipe = encoded(dataset(), tiny), Recipe(num_iterations=4)
    context = context_for(tiny, runner, threads=threads)
    steps: list[tuple[int, int]] = []
    adapter, of_folds = train_with_folds(training_set, recipe, context, lambda step, of, _: steps.append((step, of)))
    joint = [task for task in runner.tasks if isinstance(task, TrainAdaptersTask)]
    assert [(len(task.trainings), task.at_once) for task in joint] == [(4, 2)] * (threads - 1)
    assert len(of_folds.adapters) == (3 if threads == 2 else 0)
    assert (of_folds.head_logits is not None) == (threads == 2)
    assert steps == [(step, len(steps)) for step in range(1, len(steps) + 1)]
    alone = train_adapter(training_set, recipe, context_for(tiny, threads=threads), ignore_steps)
    # Another number of threads may round sums differently, and so may what is learned of them.
    assert adapter.report is not None
    assert alone.report is not None
    assert adapter.report.last_loss == pytest.approx(alone.report.last_loss, rel=1e-3)
    assert replace(adapter.report, last_loss=None) == replace(alone.report, last_loss=None)
    assert adapter.adapter is not None
    given = cross_validate_adapter(training_set, recipe, context, of_folds)
    own = cross_validate_adapter(training_set, recipe, context_for(tiny, threads=threads))
    assert given is not None
    assert own is not None
    assert given.adapted.logits.tobytes() == own.adapted.logits.tobytes()
    assert given.adapted.similarities.tobytes() == own.adapted.similarities.tobytes()
    assert given.head_logits.tobytes() == own.head_logits.tobytes()
    kinds = [type(task) for task in runner.tasks]
    if threads == 2:
        assert kinds == [TrainAdaptersTask, HoldoutsTask]


@pytest.mark.parametrize("recipe", [Recipe(max_seconds=600), Recipe(cross_validate=False)])
def test_where_time_is_limited_or_no_fold_is_wanted_the_training_runs_by_itself(
    recipe: Recipe, tiny: OnnxEncoder
) -> None:
    runner = InstantRunner(tiny.folder)
    _, of_folds = train_with_folds(encoded(dataset(), tiny), recipe, context_for(tiny, runner), ignore_steps)
    assert of_folds.adapters == ()
    assert of_folds.head_logits is None
    assert [type(task) for task in runner.tasks] == [TrainAdapterTask]


@pytest.mark.parametrize(("rows_per_label", "trainings"), [(66, 3), (67, 3), (100, 2), (200, 1)])
def test_trainings_end_once_200_rows_are_held_out(rows_per_label: int, trainings: int, tiny: OnnxEncoder) -> None:
    """Of three labels and three folds, so that a training judges as many rows as a label has."""
    runner = InstantRunner(tiny.folder)
    held_out = cross_validate_adapter(encoded(dataset(rows_per_label), tiny), Recipe(), context_for(tiny, runner))
    assert held_out is not None
    assert (len(runner.adapter_tasks), held_out.adapted.folds) == (trainings, trainings)
    assert len(held_out.adapted.label_ids) == len(held_out.head_logits) == trainings * rows_per_label
    assert ENOUGH_HELD_OUT_ROWS == 200


def test_many_rows_are_assigned_to_five_folds(tiny: OnnxEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holdout_module, "MANY_ROWS", 30)
    for rows_per_label, trainings in ((9, 3), (10, 5)):
        runner = InstantRunner(tiny.folder)
        cross_validate_adapter(encoded(dataset(rows_per_label), tiny), Recipe(), context_for(tiny, runner))
        assert len(runner.adapter_tasks) == trainings


def test_a_recipe_that_does_not_want_it_takes_no_training(tiny: OnnxEncoder) -> None:
    runner = InstantRunner(tiny.folder)
    assert (
        cross_validate_adapter(encoded(dataset(), tiny), Recipe(cross_validate=False), context_for(tiny, runner))
        is None
    )
    assert runner.tasks == []


def test_where_no_row_can_be_held_out_there_is_no_training(tiny: OnnxEncoder) -> None:
    runner = InstantRunner(tiny.folder)
    assert cross_validate_adapter(encoded(dataset(1), tiny), Recipe(), context_for(tiny, runner)) is None
    assert runner.tasks == []


@pytest.mark.parametrize("names", [True, False])
def test_no_training_sees_the_text_of_a_held_out_row(
    names: bool, tiny: OnnxEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training_set_module, "label_names_are_informative", lambda *_: names)
    runner = InstantRunner(tiny.folder)
    training_set = encoded(with_repeats(dataset(6)), tiny)
    texts = texts_of(training_set.states)
    assert len(set(texts)) == len(texts)
    assigned = assign_folds(training_set.label_ids, training_set.text_ids, 0, 3)
    evaluated = list(evaluated_folds(training_set, assigned, context_for(tiny, runner)))
    assert len(evaluated) == len(runner.adapter_tasks) == len(runner.holdout_tasks) == 3
    for (held_out, part), tuned, asked in zip(evaluated, runner.adapter_tasks, runner.holdout_tasks, strict=True):
        unseen = {texts[text_id] for text_id in training_set.text_ids[held_out]}
        assert len(unseen) > 3
        assert not unseen & set(texts_of(tuned.texts))
        assert not set(training_set.text_ids[held_out].tolist()) & set(asked.examples.groups.tolist())
        # Nor does the head see what the encoder makes of them.
        assert not {row.tobytes() for row in asked.holdout_features} & {
            row.tobytes() for row in asked.examples.features
        }
        assert len(asked.holdout_features) == len(held_out) == len(part.label_ids)
        assert part.label_ids.tolist() == training_set.label_ids[held_out].tolist()
        # What is left is all there: no row is kept back for nothing.
        assert len(asked.examples.groups) + len(held_out) == len(training_set.label_ids)
        assert asked.examples.num_train_only_rows == (3 if names else 0)
        assert set(asked.examples.label_ids.tolist()) == {0, 1, 2}


def test_the_label_of_a_held_out_row_never_changes_its_outputs(
    tiny: OnnxEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The labels of one fold's held-out rows are changed, with the folds and the policy left as they are."""
    monkeypatch.setattr(
        training_set_module, "choose_adapter_scale", lambda *_, **__: AdapterReport(1.0, "The test says so.", ())
    )
    training_set = encoded(dataset(6), tiny)
    assigned = assign_folds(training_set.label_ids, training_set.text_ids, 0, 3)
    torn = training_set.label_ids.copy()
    torn[assigned == 1] = (torn[assigned == 1] + 1) % 3
    outputs = []
    for label_ids in (training_set.label_ids, torn):
        strange = replace(training_set, label_ids=label_ids)
        outputs.append(
            [part for _, part in evaluated_folds(strange, assigned, context_for(tiny, InstantRunner(tiny.folder)))]
        )
    before, after = outputs
    assert before[1].logits.tobytes() == after[1].logits.tobytes()
    assert before[1].similarities.tobytes() == after[1].similarities.tobytes()
    assert before[0].logits.tobytes() != after[0].logits.tobytes()


def test_outputs_are_those_of_a_head_on_the_adapted_features_of_the_other_rows(
    tiny: OnnxEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training_set_module, "label_names_are_informative", lambda *_: False)
    monkeypatch.setattr(
        training_set_module, "choose_adapter_scale", lambda *_, **__: AdapterReport(1.0, "The test says so.", ())
    )
    runner, context = InstantRunner(tiny.folder), context_for(tiny)
    training_set = encoded(dataset(6), tiny)
    assigned = assign_folds(training_set.label_ids, training_set.text_ids, 0, 3)
    evaluated = list(evaluated_folds(training_set, assigned, context_for(tiny, runner)))
    tasks = list(runner.adapter_tasks)
    for (held_out, part), (train, held), task in zip(evaluated, splits(assigned), tasks, strict=True):
        np.testing.assert_array_equal(held_out, held)
        changes = runner.run(task).adapter
        features = training_set.with_adapter(changes, context).row_features
        head, _ = fit_adapted_head(features[train], training_set.label_ids[train])
        np.testing.assert_allclose(part.logits, head.logits(features[held]), atol=1e-3)
        centroids = label_centroids(features[train], training_set.label_ids[train], training_set.hidden_size)
        np.testing.assert_allclose(part.similarities, similarity_to_nearest(features[held], centroids), atol=1e-3)


def test_each_training_is_of_the_kind_of_one_on_all_rows(tiny: OnnxEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    """However the rows of a fold look by themselves."""
    asked: list[int] = []

    def choose(features: Floats, label_ids: np.ndarray, head: object, **_: object) -> AdapterReport:
        asked.append(len(label_ids))
        return AdapterReport(0.5, "The test says so.", ())

    monkeypatch.setattr(training_set_module, "choose_adapter_scale", choose)
    training_set, runner = encoded(dataset(), tiny), InstantRunner(tiny.folder)
    cross_validate_adapter(training_set, Recipe(), context_for(tiny, runner))
    assert asked == [12]
    assert [task.full_size for task in runner.adapter_tasks] == [12 + training_set.num_label_names] * 3


def test_folds_without_an_adapter_use_the_frozen_encoder(tiny: OnnxEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        training_set_module, "choose_adapter_scale", lambda *_, **__: AdapterReport(0.0, "The test says so.", ())
    )
    training_set, runner = encoded(dataset(), tiny), InstantRunner(tiny.folder)
    held_out = cross_validate_adapter(training_set, Recipe(), context_for(tiny, runner))
    assert held_out is not None
    assert (len(runner.adapter_tasks), [task.is_adapted for task in runner.holdout_tasks]) == (0, [False] * 3)
    known = {row.tobytes() for row in training_set.row_features}
    assert all(row.tobytes() in known for task in runner.holdout_tasks for row in task.holdout_features)


def test_real_trainings_give_the_same_held_out_outputs_twice(tiny: OnnxEncoder) -> None:
    training_set = encoded(dataset(), tiny)
    first, second = (
        cross_validate_adapter(training_set, Recipe(num_iterations=4), context_for(tiny)) for _ in range(2)
    )
    assert first is not None
    assert second is not None
    assert first.adapted.logits.tobytes() == second.adapted.logits.tobytes()
    assert first.adapted.similarities.tobytes() == second.adapted.similarities.tobytes()


class Clock:
    """Stands still unless it is moved."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        return self.now


class SlowRunner(InstantRunner):
    """Takes 40 seconds for each fold."""

    def __init__(self, tiny: OnnxEncoder, clock: Clock) -> None:
        super().__init__(tiny.folder)
        self.clock = clock

    def run(
        self, task: Task[Outcome], on_step: OnStep = ignore_steps, control: TrainingControl | None = None
    ) -> Outcome:
        self.clock.now += 10 if isinstance(task, HoldoutTask) else 30
        return super().run(task, on_step, control)


@pytest.mark.parametrize(
    ("max_seconds", "trainings"),
    [
        (None, 3),
        (24, 0),  # 10 s are gone, and a fold may take half as long again as what was done in them
        (25, 1),
        (109, 1),  # 50 s are gone, and another fold may take 60
        (110, 2),
        (149, 2),
        (150, 3),
    ],
)
def test_a_fold_is_begun_only_if_time_is_left_for_one_half_as_long_again_as_the_last(
    max_seconds: float | None, trainings: int, tiny: OnnxEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(holdout_module, "time", clock)
    runner = SlowRunner(tiny, clock)
    training_set = replace(encoded(dataset(), tiny), began_s=990.0)
    held_out = cross_validate_adapter(training_set, Recipe(max_seconds=max_seconds), context_for(tiny, runner))
    assert len(runner.adapter_tasks) == trainings
    assert (0 if held_out is None else held_out.adapted.folds) == trainings
    assert [task.deadline_s for task in runner.adapter_tasks] == [None] * trainings


def test_a_failed_training_is_heard_of(tiny: OnnxEncoder) -> None:
    runner = RecordingRunner()
    runner.close()
    training_set = encoded(dataset(), tiny)
    with pytest.raises(ShuttingDown):
        cross_validate_adapter(training_set, Recipe(), context_for(tiny, runner))
