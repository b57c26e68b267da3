"""Tasks and outcomes survive the border between processes."""

import io

import numpy as np
import pytest

from windrow.domain.classifier import HeadReport, TrainingSummary
from windrow.domain.errors import TrainingFailed
from windrow.domain.recipe import Recipe
from windrow.execution.frames import Frame, read_frame, write_frame
from windrow.execution.tasks import (
    FitOutcome,
    FitTask,
    outcome_from_frame,
    outcome_to_frame,
    task_from_frame,
    task_to_frame,
)


def through_a_pipe(frame: Frame) -> Frame:
    stream = io.BytesIO()
    write_frame(stream, frame)
    stream.seek(0)
    read = read_frame(stream)
    assert read is not None
    return read


def test_a_task_arrives_as_it_was_sent() -> None:
    task = FitTask(np.eye(3, dtype=np.float32), np.array([0, 1, 1]), Recipe(5, 8, 9))
    arrived = task_from_frame(through_a_pipe(task_to_frame(task)))
    np.testing.assert_array_equal(arrived.features, task.features)
    np.testing.assert_array_equal(arrived.label_ids, task.label_ids)
    assert arrived.recipe == task.recipe


@pytest.mark.parametrize("accuracy", [None, 0.5])
def test_an_outcome_arrives_as_it_was_sent(accuracy: float | None) -> None:
    outcome = FitOutcome(b"artifact", TrainingSummary(HeadReport(4.0, accuracy, 3), {"numpy": "2"}))
    assert outcome_from_frame(through_a_pipe(outcome_to_frame(outcome))) == outcome


def test_a_failure_arrives_as_an_error() -> None:
    with pytest.raises(TrainingFailed, match="no memory"):
        outcome_from_frame(through_a_pipe(Frame("failed", {"detail": "no memory"})))
