"""Tasks: what travels to a training process, and what comes back.

Owns the border between processes and the domain, both ways; knows nothing of pipes or of how training is done.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from windrow.domain.classifier import HeadReport, TrainingSummary
from windrow.domain.errors import TrainingFailed
from windrow.domain.recipe import Recipe
from windrow.execution.frames import Frame
from windrow.learning.head import Floats, Ids


@dataclass(frozen=True, slots=True)
class FitTask:
    """One training, ready to run anywhere.

    Args:
        features: The encoder's features of the texts, shape [rows, features], float32.
        label_ids: Each row's label, shape [rows], int64.
        recipe: The training parameters.
    """

    features: Floats
    label_ids: Ids
    recipe: Recipe


@dataclass(frozen=True, slots=True)
class FitOutcome:
    """What a training yields.

    Args:
        artifact: The finished file, as ``storage.artifact`` writes it.
        summary: What the record will say of the training.
    """

    artifact: bytes
    summary: TrainingSummary


def task_to_frame(task: FitTask) -> Frame:
    """Return the frame that carries a task."""
    return Frame("fit", {"recipe": asdict(task.recipe)}, {"features": task.features, "label_ids": task.label_ids})


def task_from_frame(frame: Frame) -> FitTask:
    """Return the task that a frame carries."""
    fields: Mapping[str, Any] = frame.fields
    tensors: Mapping[str, Any] = frame.tensors
    return FitTask(tensors["features"], tensors["label_ids"], Recipe(**fields["recipe"]))


def outcome_to_frame(outcome: FitOutcome) -> Frame:
    """Return the frame that carries an outcome."""
    return Frame("done", {"summary": asdict(outcome.summary)}, blob=outcome.artifact)


def outcome_from_frame(frame: Frame) -> FitOutcome:
    """Return the outcome that a frame carries.

    Raises:
        TrainingFailed: The frame says that the training failed.
    """
    fields: Mapping[str, Any] = frame.fields
    if frame.kind != "done":
        raise TrainingFailed(fields["detail"])
    summary = fields["summary"]
    return FitOutcome(frame.blob, TrainingSummary(HeadReport(**summary["head"]), summary["versions"]))
