"""Judging a kind of training by rows that it did not see: how many trainings that takes, and what each of them sees."""

from dataclasses import replace

import numpy as np
import pytest

from tests.execution.examples import AskedRunner, InstantRunner, dataset, means_of
from windrow.arrays import Floats, TokenStates
from windrow.domain.dataset import Dataset, Row
from windrow.domain.errors import ShuttingDown
from windrow.domain.job import OnStep
from windrow.domain.recipe import Recipe
from windrow.domain.training_report import AdapterReport
from windrow.encoders.onnx_encoder import OnnxEncoder
from windrow.execution import folds as folds_module
from windrow.execution import look as look_module
from windrow.execution.folds import ENOUGH_JUDGED_ROWS, FEW_FOLDS, judge_folds, judge_tuning
from windrow.execution.look import FirstLook, look_first
from windrow.execution.runner import Outcome, ignore_steps
from windrow.execution.tasks import JudgeTask, Task
from windrow.execution.watch import Watch
from windrow.learning.folds import assign_folds, splits
from windrow.learning.head import fit_adapted_head
from windrow.learning.scope import label_centroids, similarity_to_nearest


def look_at(data: Dataset, tiny: OnnxEncoder) -> FirstLook:
    return look_first(data, Recipe(), means_of(tiny))


def texts_of(states: TokenStates) -> list[bytes]:
    """Return what tells the texts apart."""
    return [part.tobytes() for part in np.split(states.packed, np.cumsum(states.lengths)[:-1])]


def with_repeats(data: Dataset) -> Dataset:
    """Return rows of which some texts stand under two labels, and some rows twice."""
    torn = [Row(data.rows[number].text, data.rows[number + 1].label) for number in (0, 3)]
    return replace(data, rows=(*data.rows, *torn, *data.rows[:4]))


def test_few_rows_take_three_trainings_that_judge_each_row_once(tiny: OnnxEncoder) -> None:
    runner = InstantRunner(tiny.folder)
    look = look_at(dataset(), tiny)
    held_out = judge_tuning(look, Recipe(), means_of(tiny, runner))
    assert held_out is not None
    assert (len(runner.tunes), len(runner.judges), held_out.folds) == (FEW_FOLDS, FEW_FOLDS, 3)
    assert len(held_out.logits) == len(held_out.label_ids) == len(held_out.similarities) == 12
    assert sorted(held_out.label_ids.tolist()) == sorted(look.label_ids.tolist())


@pytest.mark.parametrize(("rows_per_label", "trainings"), [(66, 3), (67, 3), (100, 2), (200, 1)])
def test_trainings_end_once_200_rows_are_judged(rows_per_label: int, trainings: int, tiny: OnnxEncoder) -> None:
    """Of three labels and three folds, so that a training judges as many rows as a label has."""
    runner = InstantRunner(tiny.folder)
    held_out = judge_tuning(look_at(dataset(rows_per_label), tiny), Recipe(), means_of(tiny, runner))
    assert held_out is not None
    assert (len(runner.tunes), held_out.folds) == (trainings, trainings)
    assert len(held_out.label_ids) == trainings * rows_per_label
    assert ENOUGH_JUDGED_ROWS == 200


def test_many_rows_are_dealt_to_five_folds(tiny: OnnxEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folds_module, "MANY_ROWS", 30)
    for rows_per_label, trainings in ((9, 3), (10, 5)):
        runner = InstantRunner(tiny.folder)
        judge_tuning(look_at(dataset(rows_per_label), tiny), Recipe(), means_of(tiny, runner))
        assert len(runner.tunes) == trainings


def test_a_recipe_that_does_not_want_it_takes_no_training(tiny: OnnxEncoder) -> None:
    runner = InstantRunner(tiny.folder)
    assert judge_tuning(look_at(dataset(), tiny), Recipe(cross_validate=False), means_of(tiny, runner)) is None
    assert runner.tasks == []


def test_where_no_row_can_be_held_out_there_is_no_training(tiny: OnnxEncoder) -> None:
    runner = InstantRunner(tiny.folder)
    assert judge_tuning(look_at(dataset(1), tiny), Recipe(), means_of(tiny, runner)) is None
    assert runner.tasks == []


@pytest.mark.parametrize("names", [True, False])
def test_no_row_is_judged_by_a_training_that_saw_its_text(
    names: bool, tiny: OnnxEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(look_module, "label_names_are_informative", lambda *_: names)
    runner = InstantRunner(tiny.folder)
    look = look_at(with_repeats(dataset(6)), tiny)
    texts = texts_of(look.states)
    assert len(set(texts)) == len(texts)
    dealt = assign_folds(look.label_ids, look.text_ids, 0, 3)
    judged = list(judge_folds(look, dealt, Recipe(), means_of(tiny, runner)))
    assert len(judged) == len(runner.tunes) == len(runner.judges) == 3
    for (held_out, part), tuned, asked in zip(judged, runner.tunes, runner.judges, strict=True):
        unseen = {texts[text_id] for text_id in look.text_ids[held_out]}
        assert len(unseen) > 3
        assert not unseen & set(texts_of(tuned.texts))
        assert not set(look.text_ids[held_out].tolist()) & set(asked.examples.groups.tolist())
        # Nor does the head see what the encoder makes of them.
        assert not {row.tobytes() for row in asked.asked} & {row.tobytes() for row in asked.examples.features}
        assert len(asked.asked) == len(held_out) == len(part.label_ids)
        assert part.label_ids.tolist() == look.label_ids[held_out].tolist()
        # What is left is all there: no row is kept back for nothing.
        assert len(asked.examples.groups) + len(held_out) == len(look.label_ids)
        assert asked.examples.num_train_only_rows == (3 if names else 0)
        assert set(asked.examples.label_ids.tolist()) == {0, 1, 2}


def test_the_label_of_a_row_never_changes_what_is_said_of_it(
    tiny: OnnxEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The labels of all that one fold holds out are torn, with the dealing and the terms left as they are."""
    monkeypatch.setattr(look_module, "choose_adapter_scale", lambda *_: AdapterReport(1.0, "The test says so.", ()))
    look = look_at(dataset(6), tiny)
    dealt = assign_folds(look.label_ids, look.text_ids, 0, 3)
    torn = look.label_ids.copy()
    torn[dealt == 1] = (torn[dealt == 1] + 1) % 3
    said = []
    for label_ids in (look.label_ids, torn):
        strange = replace(look, label_ids=label_ids)
        said.append(
            [part for _, part in judge_folds(strange, dealt, Recipe(), means_of(tiny, InstantRunner(tiny.folder)))]
        )
    before, after = said
    assert before[1].logits.tobytes() == after[1].logits.tobytes()
    assert before[1].similarities.tobytes() == after[1].similarities.tobytes()
    assert before[0].logits.tobytes() != after[0].logits.tobytes()


def test_what_is_said_is_what_a_head_on_the_adapted_features_of_the_other_rows_says(
    tiny: OnnxEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(look_module, "label_names_are_informative", lambda *_: False)
    monkeypatch.setattr(look_module, "choose_adapter_scale", lambda *_: AdapterReport(1.0, "The test says so.", ()))
    runner, means = InstantRunner(tiny.folder), means_of(tiny)
    look = look_at(dataset(6), tiny)
    dealt = assign_folds(look.label_ids, look.text_ids, 0, 3)
    judged = judge_folds(look, dealt, Recipe(), means_of(tiny, runner))
    for (held_out, part), (train, held) in zip(judged, splits(dealt), strict=True):
        np.testing.assert_array_equal(held_out, held)
        changes = runner.run(runner.tunes[-1]).adapter
        features = look.seen_through(changes, means).row_features
        head, _ = fit_adapted_head(features[train], look.label_ids[train])
        np.testing.assert_allclose(part.logits, head.logits(features[held]), atol=1e-3)
        centroids = label_centroids(features[train], look.label_ids[train], look.hidden)
        np.testing.assert_allclose(part.similarities, similarity_to_nearest(features[held], centroids), atol=1e-3)


def test_each_training_is_of_the_kind_of_one_on_all_rows(tiny: OnnxEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    """However the rows of a fold look by themselves."""
    asked: list[int] = []

    def choose(features: Floats, label_ids: np.ndarray) -> AdapterReport:
        asked.append(len(label_ids))
        return AdapterReport(0.5, "The test says so.", ())

    monkeypatch.setattr(look_module, "choose_adapter_scale", choose)
    look, runner = look_at(dataset(), tiny), InstantRunner(tiny.folder)
    judge_tuning(look, Recipe(), means_of(tiny, runner))
    assert asked == [12]
    assert [task.stands_for for task in runner.tunes] == [12 + look.names] * 3


def test_parts_that_need_no_adapter_are_judged_with_the_encoder_as_it_is(
    tiny: OnnxEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(look_module, "choose_adapter_scale", lambda *_: AdapterReport(0.0, "The test says so.", ()))
    look, runner = look_at(dataset(), tiny), InstantRunner(tiny.folder)
    held_out = judge_tuning(look, Recipe(), means_of(tiny, runner))
    assert held_out is not None
    assert (len(runner.tunes), [task.is_tuned for task in runner.judges]) == (0, [False] * 3)
    known = {row.tobytes() for row in look.row_features}
    assert all(row.tobytes() in known for task in runner.judges for row in task.asked)


def test_the_same_rows_are_judged_alike_by_real_trainings(tiny: OnnxEncoder) -> None:
    look = look_at(dataset(), tiny)
    first, second = (judge_tuning(look, Recipe(num_iterations=4), means_of(tiny)) for _ in range(2))
    assert first is not None
    assert second is not None
    assert first.logits.tobytes() == second.logits.tobytes()
    assert first.similarities.tobytes() == second.similarities.tobytes()


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

    def run(self, task: Task[Outcome], on_step: OnStep = ignore_steps, watch: Watch | None = None) -> Outcome:
        self.clock.now += 10 if isinstance(task, JudgeTask) else 30
        return super().run(task, on_step, watch)


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
    monkeypatch.setattr(folds_module, "time", clock)
    runner = SlowRunner(tiny, clock)
    look = replace(look_at(dataset(), tiny), began_s=990.0)
    held_out = judge_tuning(look, Recipe(max_seconds=max_seconds), means_of(tiny, runner))
    assert len(runner.tunes) == trainings
    assert (0 if held_out is None else held_out.folds) == trainings
    assert [task.deadline_s for task in runner.tunes] == [None] * trainings


def test_a_failed_training_is_heard_of(tiny: OnnxEncoder) -> None:
    runner = AskedRunner()
    runner.close()
    look = look_at(dataset(), tiny)
    with pytest.raises(ShuttingDown):
        judge_tuning(look, Recipe(), means_of(tiny, runner))
