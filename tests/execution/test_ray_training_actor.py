"""What an actor makes of a task that comes from another machine."""

from pathlib import Path

import numpy as np
import pytest

from windrow.arrays import TokenStates
from windrow.domain.recipe import BaseModel, Recipe
from windrow.execution.frames import flatten, restore
from windrow.execution.ray_training_actor import frame_bytes, frame_of, localized
from windrow.execution.tasks import HoldoutTask, TrainAdaptersTask, TrainAdapterTask
from windrow.learning.head_fitting import Examples

TEXTS = TokenStates(np.ones((3, 2), np.float32), np.array([1, 2], np.int32))
TRAINING = TrainAdapterTask(
    Path("/there"), BaseModel("a/b", "0" * 64), TEXTS, np.arange(2), Recipe(), 1e9, precision="bfloat16", threads=3
)


def test_a_task_names_this_machines_folder_and_clock_and_is_the_same_otherwise() -> None:
    frame = frame_of(frame_bytes(flatten("TrainAdapterTask", TRAINING)))
    here = restore(TrainAdapterTask, localized(frame, Path("/here"), 5.0))
    assert (here.folder, here.deadline_s, here.threads, here.precision) == (Path("/here"), 5.0, 3, "bfloat16")
    assert (here.base_model, here.recipe) == (TRAINING.base_model, TRAINING.recipe)
    assert here.texts.packed.tobytes() == TEXTS.packed.tobytes()


def test_each_of_several_trainings_does() -> None:
    both = flatten("TrainAdaptersTask", TrainAdaptersTask((TRAINING, TRAINING), at_once=2))
    here = restore(TrainAdaptersTask, localized(frame_of(frame_bytes(both)), Path("/here"), None))
    assert [(each.folder, each.deadline_s) for each in here.trainings] == [(Path("/here"), None)] * 2
    assert here.at_once == 2


def test_a_task_without_a_base_model_stays_as_it_is() -> None:
    task = HoldoutTask(
        Examples(np.eye(2, dtype=np.float32), np.arange(2), np.arange(2)), 2, 0, False, np.eye(2, dtype=np.float32)
    )
    frame = flatten("HoldoutTask", task)
    assert localized(frame, None, None) is frame


def test_a_frame_that_is_cut_short_is_refused() -> None:
    with pytest.raises(ValueError, match="cut short"):
        frame_of(frame_bytes(flatten("TrainAdapterTask", TRAINING))[:-1])
