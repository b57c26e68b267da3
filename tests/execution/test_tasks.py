"""Tasks and outcomes survive the border between processes."""

import io
from pathlib import Path

import numpy as np
import pytest

from tests.storage.examples import ADAPTER_REPORT
from windrow.domain.classifier import AdapterReport, HeadReport, TrainingSummary
from windrow.domain.errors import TrainingFailed
from windrow.domain.recipe import BaseModel, Recipe
from windrow.execution.frames import Frame, read_frame, write_frame
from windrow.execution.tasks import (
    AdapterTensors,
    FitOutcome,
    FitTask,
    TuneOutcome,
    TuneTask,
    check_done,
    step_of,
    step_to_frame,
)
from windrow.learning.texts import TokenStates

ADAPTER: AdapterTensors = {
    "layers.0.query.down": np.linspace(-1, 1, 6, dtype=np.float16).reshape(3, 2),
    "layers.0.query.up": np.ones((2, 3), dtype=np.float16),
}
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


@pytest.mark.parametrize(
    ("anchors", "adapter", "report"), [(0, None, None), (1, ADAPTER, ADAPTER_REPORT), (0, None, ADAPTER_REPORT)]
)
def test_a_fit_arrives_as_it_was_sent(
    anchors: int, adapter: AdapterTensors | None, report: AdapterReport | None
) -> None:
    task = FitTask(np.eye(3, dtype=np.float32), np.array([0, 1, 1]), Recipe(5, 8, 9, 2.5), anchors, adapter, report)
    arrived = FitTask.from_frame(through_a_pipe(task.to_frame()))
    np.testing.assert_array_equal(arrived.features, task.features, strict=True)
    np.testing.assert_array_equal(arrived.label_ids, task.label_ids, strict=True)
    assert (arrived.recipe, arrived.anchors, arrived.report) == (task.recipe, anchors, report)
    assert_same(arrived.adapter, adapter)


@pytest.mark.parametrize("deadline_s", [None, 12.5])
def test_a_contrastive_training_arrives_as_it_was_sent(deadline_s: float | None) -> None:
    base_model = BaseModel("some/model", "a" * 64, "main")
    task = TuneTask(Path("a") / "folder", base_model, STATES, np.array([0, 1]), Recipe(7), deadline_s)
    arrived = TuneTask.from_frame(through_a_pipe(task.to_frame()))
    np.testing.assert_array_equal(arrived.texts.packed, STATES.packed, strict=True)
    np.testing.assert_array_equal(arrived.texts.lengths, STATES.lengths, strict=True)
    np.testing.assert_array_equal(arrived.label_ids, task.label_ids, strict=True)
    assert (arrived.folder, arrived.base_model, arrived.recipe) == (task.folder, base_model, task.recipe)
    assert arrived.deadline_s == deadline_s


@pytest.mark.parametrize(("adapter", "losses"), [(ADAPTER, (2.5, 1.25)), ({}, ())])
def test_an_adapter_arrives_as_it_was_trained(adapter: AdapterTensors, losses: tuple[float, ...]) -> None:
    outcome = TuneOutcome(adapter, layers=6, rank=8, passes=4, wanted_steps=4, planned_steps=2, losses=losses)
    arrived = TuneTask.outcome(through_a_pipe(outcome.to_frame()))
    assert_same(arrived.adapter, adapter)
    assert (arrived.layers, arrived.rank, arrived.passes) == (6, 8, 4)
    assert (arrived.wanted_steps, arrived.planned_steps, arrived.losses) == (4, 2, losses)


@pytest.mark.parametrize("report", [None, ADAPTER_REPORT])
@pytest.mark.parametrize("accuracy", [None, 0.5])
def test_a_finished_artifact_arrives_as_it_was_made(accuracy: float | None, report: AdapterReport | None) -> None:
    outcome = FitOutcome(b"artifact", TrainingSummary(HeadReport(4.0, accuracy, 3), report, {"numpy": "2"}))
    assert FitTask.outcome(through_a_pipe(outcome.to_frame())) == outcome


def test_progress_arrives_as_it_was_told() -> None:
    assert step_of(through_a_pipe(step_to_frame(3, 8, 0.125))) == (3, 8, 0.125)


def test_a_failure_arrives_as_an_error() -> None:
    with pytest.raises(TrainingFailed, match="no memory"):
        check_done(through_a_pipe(Frame("failed", {"detail": "no memory"})))
