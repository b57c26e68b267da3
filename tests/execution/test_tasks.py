"""Tasks and outcomes survive the border between processes, each of them whole."""

import io
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest

from tests.execution.examples import ADAPTER
from windrow.arrays import TokenStates
from windrow.domain.interval import Interval
from windrow.domain.recipe import BaseModel, Recipe
from windrow.domain.training_report import Estimate, HeadReport, ScoreReport
from windrow.execution.frames import flatten, read_frame, restore, write_frame
from windrow.execution.tasks import (
    CrossValidateHeadOutcome,
    CrossValidateHeadTask,
    FitOutcome,
    FitTask,
    HoldoutOutcome,
    HoldoutsOutcome,
    HoldoutsTask,
    HoldoutTask,
    LearningCurveTask,
    SearchHeadTask,
    StepProgress,
    TaskFailure,
    TrainAdapterOutcome,
    TrainAdaptersOutcome,
    TrainAdaptersTask,
    TrainAdapterTask,
)
from windrow.learning.calibrate import HeldOut
from windrow.learning.head_fitting import Examples, HeadSearch, LearningCurve, OutOfFoldLogits

V = TypeVar("V")

STATES = TokenStates(np.arange(12, dtype=np.float32).reshape(4, 3), np.array([1, 3], dtype=np.int32))
HELD_OUT = HeldOut(
    np.linspace(-4, 4, 6, dtype=np.float32).reshape(3, 2), np.array([0, 1, 0]), np.array([0.5, 0.25, 1], np.float32), 2
)
HEAD = HeadReport(4.0, None, 3)
PRIOR = ScoreReport(1.125, "prior", None, None)
BASE_MODEL = BaseModel("some/model", "a" * 64, "main")
RECIPE = Recipe(num_iterations=7, batch_size=8, seed=9, max_seconds=2.5, cross_validate=False)


def through_a_pipe(kind: type[V], value: object) -> V:
    stream = io.BytesIO()
    write_frame(stream, flatten("done", value))
    stream.seek(0)
    read = read_frame(stream)
    assert read is not None
    return restore(kind, read)


def assert_same(found: Any, expected: Any) -> None:
    """Compare values all the way down, arrays with their types and shapes."""
    assert type(found) is type(expected)
    if is_dataclass(expected):
        for each in fields(expected):
            assert_same(getattr(found, each.name), getattr(expected, each.name))
    elif isinstance(expected, dict):
        assert found.keys() == expected.keys()
        for name in expected:
            assert_same(found[name], expected[name])
    elif isinstance(expected, tuple):
        for own, wanted in zip(found, expected, strict=True):
            assert_same(own, wanted)
    elif isinstance(expected, np.ndarray):
        np.testing.assert_array_equal(found, expected, strict=True)
    else:
        assert found == expected


def examples(num_train_only_rows: int = 0) -> Examples:
    """Return five rows and so many anchors."""
    rows = 5 + num_train_only_rows
    features = np.linspace(-1, 1, 3 * rows, dtype=np.float32).reshape(rows, 3)
    return Examples(features, np.arange(rows) % 2, np.array([7, 8, 8, -9, 7]), num_train_only_rows)


NO_STEPS = TrainAdapterOutcome({}, layers=6, rank=8, epochs=4, requested_steps=4, planned_steps=2, losses=())
OUT_OF_FOLD = OutOfFoldLogits(np.array([4, 0]), np.array([0, 1]), np.array([[1, 2], [3, 4]], np.float32))


def tuning(deadline_s: float | None, full_size: int | None) -> TrainAdapterTask:
    folder = Path("a") / "folder"
    return TrainAdapterTask(folder, BASE_MODEL, STATES, np.array([0, 1]), RECIPE, deadline_s, full_size)


@pytest.mark.parametrize(
    "value",
    [
        tuning(None, None),
        tuning(12.5, None),
        tuning(None, 300),
        replace(tuning(None, None), label_ids=np.array([[True, False], [False, False]])),
        FitTask(replace(examples(), label_ids=np.arange(15).reshape(5, 3) % 2 == 0), 3, 9),
        TrainAdaptersTask((tuning(None, None), tuning(None, 300)), at_once=2),
        TrainAdaptersTask((tuning(None, None),), 1, CrossValidateHeadTask(examples(), np.array([0, 1, 1, -1, 0]), 2)),
        FitTask(examples(), 3, 9),
        FitTask(examples(), 3, 9, search=HeadSearch(HEAD, None)),
        FitTask(examples(), 3, 9, search=HeadSearch(HEAD, OUT_OF_FOLD)),
        SearchHeadTask(examples(1), 7),
        CrossValidateHeadTask(examples(), np.array([0, 1, 1, -1, 0]), 2),
        FitTask(examples(), 3, 9, held_out=HELD_OUT),
        FitTask(examples(1), 3, 9, dict(ADAPTER)),
        FitTask(examples(1), 3, 9, dict(ADAPTER), HELD_OUT),
        HoldoutTask(examples(2), 3, 5, is_adapted=True, holdout_features=np.ones((4, 3), np.float32)),
        HoldoutTask(examples(), 3, 5, is_adapted=False, holdout_features=np.ones((0, 3), np.float32)),
        HoldoutsTask((HoldoutTask(examples(2), 3, 5, is_adapted=True, holdout_features=np.ones((4, 3), np.float32)),)),
        LearningCurveTask(examples(), np.array([0, 1, 1, -1, 0]), (0.25, 0.5, 1.0), 5),
        TrainAdapterOutcome(
            dict(ADAPTER), layers=6, rank=8, epochs=4, requested_steps=4, planned_steps=2, losses=(2.5, 1.25)
        ),
        NO_STEPS,
        TrainAdaptersOutcome((NO_STEPS, NO_STEPS)),
        TrainAdaptersOutcome((NO_STEPS,), CrossValidateHeadOutcome(HELD_OUT.logits)),
        HeadSearch(HEAD, OUT_OF_FOLD),
        CrossValidateHeadOutcome(HELD_OUT.logits),
        FitOutcome(b"artifact", HEAD, None, PRIOR, None, {"numpy": "2"}),
        FitOutcome(b"artifact", HEAD, None, PRIOR, (0.25, 0.5), {}),
        FitOutcome(
            b"", HEAD, Estimate(3, 4, 2, Interval(0.25, 1.0)), ScoreReport(0.75, "out_of_fold", 0.625, 0.125), None, {}
        ),
        HoldoutOutcome(HELD_OUT.logits, HELD_OUT.similarities),
        HoldoutsOutcome((HoldoutOutcome(HELD_OUT.logits, HELD_OUT.similarities),)),
        LearningCurve(
            np.array([0, 4]), np.arange(12, dtype=np.float32).reshape(3, 2, 2), np.array([1, 2, 3], np.float32)
        ),
        StepProgress(3, 8, 0.125),
        TaskFailure("{files} is gone.", {"files": ["a", "b"], "left": None}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_it_arrives_as_it_was_sent(value: object) -> None:
    assert_same(through_a_pipe(type(value), value), value)


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [(lambda fields: fields | {"seeds": 1}, "seeds"), (lambda fields: {"seed": fields["seed"]}, "missing")],
)
def test_what_has_other_fields_is_no_task(spoil: Callable[[dict[str, Any]], dict[str, Any]], problem: str) -> None:
    frame = flatten("FitTask", FitTask(examples(), 3, 9))
    with pytest.raises((TypeError, KeyError), match=problem):
        restore(FitTask, type(frame)(frame.kind, spoil(dict(frame.fields)), frame.tensors))


@pytest.mark.parametrize(
    "kind",
    [
        TrainAdapterTask,
        TrainAdaptersTask,
        FitTask,
        HoldoutTask,
        HoldoutsTask,
        LearningCurveTask,
        SearchHeadTask,
        CrossValidateHeadTask,
    ],
)
def test_each_task_names_the_class_of_its_outcome(kind: Any) -> None:
    values = {"LearningCurveTask": "LearningCurve", "SearchHeadTask": "HeadSearch"}
    assert kind.outcome.__name__ == values.get(kind.__name__, kind.__name__.replace("Task", "Outcome"))
