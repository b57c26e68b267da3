"""Tasks: what travels to a training process, and what comes back.

Owns the border between processes and the domain, both ways; knows nothing of pipes or of how training is done.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from windrow.domain.classifier import AdapterReport, TrainingSummary
from windrow.domain.errors import TrainingFailed
from windrow.domain.recipe import BaseModel, Recipe
from windrow.execution.frames import Array, Frame
from windrow.learning.head import Floats, Ids
from windrow.learning.texts import TokenStates
from windrow.storage.strict_json import from_plain, to_plain

Outcome_co = TypeVar("Outcome_co", covariant=True)
AdapterTensors = Mapping[str, npt.NDArray[np.float16]]
_ADAPTER = "adapter."


class Task(Protocol[Outcome_co]):
    """Something that a training process does."""

    def to_frame(self) -> Frame:
        """Return the frame that carries the task there."""
        ...

    @staticmethod
    def outcome(frame: Frame) -> Outcome_co:
        """Return the outcome that a frame carries back."""
        ...


@dataclass(frozen=True, slots=True)
class TuneOutcome:
    """What contrastive training yields.

    Args:
        adapter: The whole change at a low rank, float16; empty where time allowed no step.
        layers: Trained layers, counted from the last one.
        rank: Of each map's change.
        passes: Passes that ``num_iterations`` asks for.
        wanted_steps: Steps that they take.
        planned_steps: Steps within the step budget.
        losses: The loss of each step that was done.
    """

    adapter: AdapterTensors
    layers: int
    rank: int
    passes: int
    wanted_steps: int
    planned_steps: int
    losses: tuple[float, ...]

    def to_frame(self) -> Frame:
        """Return the frame that carries the outcome."""
        fields = {
            "layers": self.layers,
            "rank": self.rank,
            "passes": self.passes,
            "wanted_steps": self.wanted_steps,
            "planned_steps": self.planned_steps,
            "losses": list(self.losses),
        }
        return Frame("done", fields, dict(self.adapter))


@dataclass(frozen=True, slots=True)
class TuneTask:
    """A contrastive training.

    Args:
        folder: Where the encoder's weights lie.
        base_model: Which encoder that must be.
        texts: The texts' states below the adapted layers.
        label_ids: Each text's label, shape [n], int64.
        recipe: The training parameters.
        deadline_s: When to end at the latest, on this machine's monotonic clock; ``None`` for never.
    """

    folder: Path
    base_model: BaseModel
    texts: TokenStates
    label_ids: Ids
    recipe: Recipe
    deadline_s: float | None

    def to_frame(self) -> Frame:
        """Return the frame that carries the task."""
        fields = {
            "folder": str(self.folder),
            "base_model": to_plain(self.base_model),
            "recipe": to_plain(self.recipe),
            "deadline_s": self.deadline_s,
        }
        tensors = {"packed": self.texts.packed, "lengths": self.texts.lengths, "label_ids": self.label_ids}
        return Frame("tune", fields, tensors)

    @classmethod
    def from_frame(cls, frame: Frame) -> "TuneTask":
        """Return the task that a frame carries."""
        fields: Mapping[str, Any] = frame.fields
        return cls(
            folder=Path(fields["folder"]),
            base_model=from_plain(BaseModel, fields["base_model"]),
            texts=TokenStates(frame.tensors["packed"], frame.tensors["lengths"]),
            label_ids=frame.tensors["label_ids"],
            recipe=from_plain(Recipe, fields["recipe"]),
            deadline_s=fields["deadline_s"],
        )

    @staticmethod
    def outcome(frame: Frame) -> TuneOutcome:
        """Return the outcome that a frame carries."""
        fields: dict[str, Any] = dict(frame.fields)
        losses = tuple(fields.pop("losses"))
        return TuneOutcome(adapter=frame.tensors, losses=losses, **fields)


@dataclass(frozen=True, slots=True)
class FitOutcome:
    """What a training yields in the end.

    Args:
        artifact: The finished file, as ``storage.artifact`` writes it.
        summary: What the record will say of the training.
    """

    artifact: bytes
    summary: TrainingSummary

    def to_frame(self) -> Frame:
        """Return the frame that carries the outcome."""
        return Frame("done", {"summary": to_plain(self.summary)}, blob=self.artifact)


@dataclass(frozen=True, slots=True)
class FitTask:
    """The end of a training: the head on features that are as they will be served.

    Args:
        features: The encoder's features, with the adapter if there is one; shape [rows, features], float32.
        label_ids: Each row's label, shape [rows], int64.
        recipe: The training parameters.
        anchors: So many rows at the end are label names, no examples.
        adapter: What the encoder was changed by; ``None`` for nothing.
        report: How the adapter came about; ``None`` where none was asked for.
    """

    features: Floats
    label_ids: Ids
    recipe: Recipe
    anchors: int = 0
    adapter: AdapterTensors | None = None
    report: AdapterReport | None = None

    def to_frame(self) -> Frame:
        """Return the frame that carries the task."""
        tensors: dict[str, Array] = {"features": self.features, "label_ids": self.label_ids}
        tensors |= {_ADAPTER + name: tensor for name, tensor in (self.adapter or {}).items()}
        report = None if self.report is None else to_plain(self.report)
        return Frame("fit", {"recipe": to_plain(self.recipe), "anchors": self.anchors, "report": report}, tensors)

    @classmethod
    def from_frame(cls, frame: Frame) -> "FitTask":
        """Return the task that a frame carries."""
        fields: Mapping[str, Any] = frame.fields
        adapter = {name[len(_ADAPTER) :]: frame.tensors[name] for name in frame.tensors if name.startswith(_ADAPTER)}
        return cls(
            features=frame.tensors["features"],
            label_ids=frame.tensors["label_ids"],
            recipe=from_plain(Recipe, fields["recipe"]),
            anchors=fields["anchors"],
            adapter=adapter or None,
            report=None if fields["report"] is None else from_plain(AdapterReport, fields["report"]),
        )

    @staticmethod
    def outcome(frame: Frame) -> FitOutcome:
        """Return the outcome that a frame carries."""
        return FitOutcome(frame.blob, from_plain(TrainingSummary, frame.fields["summary"]))


def step_to_frame(step: int, of: int, loss: float) -> Frame:
    """Return the frame that says how far a training is."""
    return Frame("progress", {"step": step, "of": of, "loss": loss})


def step_of(frame: Frame) -> tuple[int, int, float]:
    """Return step, number of steps and loss from such a frame."""
    fields: Mapping[str, Any] = frame.fields
    return fields["step"], fields["of"], fields["loss"]


def check_done(frame: Frame) -> Frame:
    """Return a frame that carries an outcome.

    Raises:
        TrainingFailed: It says that the task failed.
    """
    if frame.kind != "done":
        raise TrainingFailed(str(frame.fields["detail"]))
    return frame
