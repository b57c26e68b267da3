"""Tasks and outcomes survive the border between processes."""

import io
from pathlib import Path

import numpy as np
import pytest

from tests.execution.examples import ADAPTER
from tests.storage.examples import ADAPTER_REPORT
from windrow.domain.classifier import AdapterReport, Estimate, HeadReport, ScoreReport, TrainingSummary
from windrow.domain.errors import TrainingFailed
from windrow.domain.interval import Interval
from windrow.domain.recipe import BaseModel, Recipe
from windrow.execution.frames import Frame, read_frame, write_frame
from windrow.execution.tasks import (
    AdapterTensors,
    FitOutcome,
    FitTask,
    JudgeOutcome,
    JudgeTask,
    StudyTask,
    TuneOutcome,
    TuneTask,
    check_done,
    step_of,
    step_to_frame,
    study_to_frame,
)
from windrow.learning.calibrate import HeldOut
from windrow.learning.fitting import Examples, Study
from windrow.learning.texts import TokenStates

STATES = TokenStates(np.arange(12, dtype=np.float32).reshape(4, 3), np.array([1, 3], dtype=np.int32))


def through_a_pipe(frame: Frame) -> Frame:
    stream = io.BytesIO()
    write_frame(stream, frame)
    stream.seek(0)
    read = read_frame(stream)
    assert read is not None
    return read


def assert_same(found: AdapterTensors | None, expected: AdapterTensors | None) -> None:
    if expected is None or found is None:
        assert found is expected
        return
    assert found.keys() == expected.keys()
    for name, tensor in expected.items():
        np.testing.assert_array_equal(found[name], tensor, strict=True)


def examples(anchors: int = 0) -> Examples:
    """Return five rows and so many anchors."""
    rows = 5 + anchors
    features = np.linspace(-1, 1, 3 * rows, dtype=np.float32).reshape(rows, 3)
    return Examples(features, np.arange(rows) % 2, np.array([7, 8, 8, -9, 7]), anchors)


def assert_same_examples(found: Examples, expected: Examples) -> None:
    for name in ("features", "label_ids", "groups"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name), strict=True)
    assert found.anchors == expected.anchors


HELD_OUT = HeldOut(
    np.linspace(-4, 4, 6, dtype=np.float32).reshape(3, 2), np.array([0, 1, 0]), np.array([0.5, 0.25, 1], np.float32), 2
)


@pytest.mark.parametrize("held_out", [None, HELD_OUT])
@pytest.mark.parametrize(
    ("anchors", "adapter", "report"), [(0, None, None), (1, ADAPTER, ADAPTER_REPORT), (0, None, ADAPTER_REPORT)]
)
def test_a_fit_arrives_as_it_was_sent(
    anchors: int, adapter: AdapterTensors | None, report: AdapterReport | None, held_out: HeldOut | None
) -> None:
    task = FitTask(examples(anchors), 3, 9, adapter, report, held_out)
    arrived = FitTask.from_frame(through_a_pipe(task.to_frame()))
    assert_same_examples(arrived.examples, task.examples)
    assert (arrived.hidden, arrived.seed, arrived.report) == (3, 9, report)
    assert_same(arrived.adapter, adapter)
    if held_out is None:
        assert arrived.held_out is None
        return
    assert arrived.held_out is not None
    for name in ("logits", "label_ids", "likeness"):
        np.testing.assert_array_equal(getattr(arrived.held_out, name), getattr(held_out, name), strict=True)
    assert arrived.held_out.folds == held_out.folds


@pytest.mark.parametrize("anchors", [0, 2])
@pytest.mark.parametrize("is_tuned", [True, False])
def test_a_judging_arrives_as_it_was_sent_and_so_does_what_came_of_it(anchors: int, is_tuned: bool) -> None:
    task = JudgeTask(examples(anchors), 3, 5, is_tuned, np.ones((4, 3), np.float32))
    arrived = JudgeTask.from_frame(through_a_pipe(task.to_frame()))
    assert_same_examples(arrived.examples, task.examples)
    np.testing.assert_array_equal(arrived.asked, task.asked, strict=True)
    assert (arrived.hidden, arrived.seed, arrived.is_tuned) == (3, 5, is_tuned)
    outcome = JudgeOutcome(HELD_OUT.logits, HELD_OUT.likeness)
    told = JudgeTask.outcome(through_a_pipe(outcome.to_frame()))
    np.testing.assert_array_equal(told.logits, outcome.logits, strict=True)
    np.testing.assert_array_equal(told.likeness, outcome.likeness, strict=True)


def test_a_learning_curve_arrives_as_it_was_sent_and_so_does_what_came_of_it() -> None:
    task = StudyTask(examples(), np.array([0, 1, 1, -1, 0]), (0.25, 0.5, 1.0), 5)
    arrived = StudyTask.from_frame(through_a_pipe(task.to_frame()))
    assert_same_examples(arrived.examples, task.examples)
    np.testing.assert_array_equal(arrived.folds, task.folds, strict=True)
    assert (arrived.shares, arrived.seed) == (task.shares, 5)
    study = Study(np.array([0, 4]), np.arange(12, dtype=np.float32).reshape(3, 2, 2), np.array([1, 2, 3], np.float32))
    told = StudyTask.outcome(through_a_pipe(study_to_frame(study)))
    for name in ("rows", "logits", "trained_rows"):
        np.testing.assert_array_equal(getattr(told, name), getattr(study, name), strict=True)


@pytest.mark.parametrize(("deadline_s", "stands_for"), [(None, None), (12.5, None), (None, 300)])
def test_a_contrastive_training_arrives_as_it_was_sent(deadline_s: float | None, stands_for: int | None) -> None:
    base_model, recipe = BaseModel("some/model", "a" * 64, "main"), Recipe(7, 8, 9, 2.5, cross_validate=False)
    task = TuneTask(Path("a") / "folder", base_model, STATES, np.array([0, 1]), recipe, deadline_s, stands_for)
    arrived = TuneTask.from_frame(through_a_pipe(task.to_frame()))
    np.testing.assert_array_equal(arrived.texts.packed, STATES.packed, strict=True)
    np.testing.assert_array_equal(arrived.texts.lengths, STATES.lengths, strict=True)
    np.testing.assert_array_equal(arrived.label_ids, task.label_ids, strict=True)
    assert (arrived.folder, arrived.base_model, arrived.recipe) == (task.folder, base_model, task.recipe)
    assert (arrived.deadline_s, arrived.stands_for) == (deadline_s, stands_for)


@pytest.mark.parametrize(("adapter", "losses"), [(ADAPTER, (2.5, 1.25)), ({}, ())])
def test_an_adapter_arrives_as_it_was_trained(adapter: AdapterTensors, losses: tuple[float, ...]) -> None:
    outcome = TuneOutcome(adapter, layers=6, rank=8, passes=4, wanted_steps=4, planned_steps=2, losses=losses)
    arrived = TuneTask.outcome(through_a_pipe(outcome.to_frame()))
    assert_same(arrived.adapter, adapter)
    assert (arrived.layers, arrived.rank, arrived.passes) == (6, 8, 4)
    assert (arrived.wanted_steps, arrived.planned_steps, arrived.losses) == (4, 2, losses)


@pytest.mark.parametrize("report", [None, ADAPTER_REPORT])
@pytest.mark.parametrize("accuracy", [None, 0.5])
@pytest.mark.parametrize(
    ("estimate", "scores"),
    [
        (None, ScoreReport(1.125, "prior", None, None)),
        (Estimate(3, 4, 2, Interval(0.25, 1.0)), ScoreReport(0.75, "out_of_fold", 0.625, 0.125)),
    ],
)
def test_a_finished_artifact_arrives_as_it_was_made(
    accuracy: float | None, report: AdapterReport | None, estimate: Estimate | None, scores: ScoreReport
) -> None:
    summary = TrainingSummary(HeadReport(4.0, accuracy, 3), report, estimate, scores, {"numpy": "2"})
    outcome = FitOutcome(b"artifact", summary)
    assert FitTask.outcome(through_a_pipe(outcome.to_frame())) == outcome


def test_progress_arrives_as_it_was_told() -> None:
    assert step_of(through_a_pipe(step_to_frame(3, 8, 0.125))) == (3, 8, 0.125)


def test_a_failure_arrives_as_an_error() -> None:
    with pytest.raises(TrainingFailed, match="no memory"):
        check_done(through_a_pipe(Frame("failed", {"detail": "no memory"})))
