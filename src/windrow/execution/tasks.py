"""Tasks: what travels to a training process, and what comes back.

Owns the border between processes and the domain, both ways; knows nothing of pipes or of how training is done.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast

import numpy as np
import numpy.typing as npt

from windrow.domain.classifier import AdapterReport, TrainingSummary
from windrow.domain.errors import TrainingFailed
from windrow.domain.recipe import BaseModel, Recipe
from windrow.execution.frames import Array, Frame
from windrow.learning.calibrate import HeldOut
from windrow.learning.fitting import Examples, Study
from windrow.learning.head import Floats, Ids
from windrow.learning.texts import TokenStates
from windrow.storage.strict_json import from_plain, to_plain

Outcome_co = TypeVar("Outcome_co", covariant=True)
AdapterTensors = Mapping[str, npt.NDArray[np.float16]]
_ADAPTER = "adapter."
_HELD_OUT = "held_out."
_HELD_OUT_TENSORS = ("logits", "label_ids", "likeness")


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
        stands_for: The texts of the training that this one, with fewer, is to tell about; ``None`` for itself.
    """

    folder: Path
    base_model: BaseModel
    texts: TokenStates
    label_ids: Ids
    recipe: Recipe
    deadline_s: float | None
    stands_for: int | None = None

    def to_frame(self) -> Frame:
        """Return the frame that carries the task."""
        fields = {
            "folder": str(self.folder),
            "base_model": to_plain(self.base_model),
            "recipe": to_plain(self.recipe),
            "deadline_s": self.deadline_s,
            "stands_for": self.stands_for,
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
            stands_for=fields["stands_for"],
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
    """The end of a training: the head on features that are as they will be served, calibrated.

    Args:
        examples: The rows, encoded, with the adapter if there is one; label names come as anchors.
        hidden: Width of a layer: how much of the features comes from the last one.
        seed: Deals the rows to folds.
        adapter: What the encoder was changed by; ``None`` for nothing.
        report: How the adapter came about; ``None`` where none was asked for.
        held_out: What trainings like this one said of rows that they did not see; ``None`` where there is an adapter
            and none such was done, or where there is none and the head alone tells.
    """

    examples: Examples
    hidden: int
    seed: int
    adapter: AdapterTensors | None = None
    report: AdapterReport | None = None
    held_out: HeldOut | None = None

    def to_frame(self) -> Frame:
        """Return the frame that carries the task."""
        tensors = _examples_tensors(self.examples)
        tensors |= {_ADAPTER + name: tensor for name, tensor in (self.adapter or {}).items()}
        if self.held_out is not None:
            tensors |= {_HELD_OUT + name: getattr(self.held_out, name) for name in _HELD_OUT_TENSORS}
        fields = {
            "anchors": self.examples.anchors,
            "hidden": self.hidden,
            "seed": self.seed,
            "report": None if self.report is None else to_plain(self.report),
            "folds": None if self.held_out is None else self.held_out.folds,
        }
        return Frame("fit", fields, tensors)

    @classmethod
    def from_frame(cls, frame: Frame) -> "FitTask":
        """Return the task that a frame carries."""
        fields: Mapping[str, Any] = frame.fields
        adapter = {name[len(_ADAPTER) :]: frame.tensors[name] for name in frame.tensors if name.startswith(_ADAPTER)}
        held_out = None
        if fields["folds"] is not None:
            parts = {name: frame.tensors[_HELD_OUT + name] for name in _HELD_OUT_TENSORS}
            held_out = HeldOut(**parts, folds=fields["folds"])
        return cls(
            examples=_examples_of(frame),
            hidden=fields["hidden"],
            seed=fields["seed"],
            adapter=adapter or None,
            report=None if fields["report"] is None else from_plain(AdapterReport, fields["report"]),
            held_out=held_out,
        )

    @staticmethod
    def outcome(frame: Frame) -> FitOutcome:
        """Return the outcome that a frame carries."""
        return FitOutcome(frame.blob, from_plain(TrainingSummary, frame.fields["summary"]))


@dataclass(frozen=True, slots=True)
class JudgeOutcome:
    """What a head says of rows that it did not see.

    Args:
        logits: Of each label; shape [m, labels], float32.
        likeness: To the centers of its own rows; shape [m], float32.
    """

    logits: Floats
    likeness: Floats

    def to_frame(self) -> Frame:
        """Return the frame that carries the outcome."""
        return Frame("done", {}, {"logits": self.logits, "likeness": self.likeness})


@dataclass(frozen=True, slots=True)
class JudgeTask:
    """A head on a part of the rows, asked about others.

    Args:
        examples: The part, encoded.
        hidden: Width of a layer.
        seed: Deals the rows to folds.
        is_tuned: Whether the encoder was trained on this part.
        asked: Features of the others; shape [m, features], float32.
    """

    examples: Examples
    hidden: int
    seed: int
    is_tuned: bool
    asked: Floats

    def to_frame(self) -> Frame:
        """Return the frame that carries the task."""
        fields = {
            "anchors": self.examples.anchors,
            "hidden": self.hidden,
            "seed": self.seed,
            "is_tuned": self.is_tuned,
        }
        return Frame("judge", fields, {**_examples_tensors(self.examples), "asked": self.asked})

    @classmethod
    def from_frame(cls, frame: Frame) -> "JudgeTask":
        """Return the task that a frame carries."""
        fields: Mapping[str, Any] = frame.fields
        asked = frame.tensors["asked"]
        return cls(_examples_of(frame), fields["hidden"], fields["seed"], fields["is_tuned"], asked)

    @staticmethod
    def outcome(frame: Frame) -> JudgeOutcome:
        """Return the outcome that a frame carries."""
        return JudgeOutcome(frame.tensors["logits"], frame.tensors["likeness"])


@dataclass(frozen=True, slots=True)
class StudyTask:
    """Heads on growing shares of the rows of all folds but one, asked about that one: a learning curve.

    Args:
        examples: The rows, encoded by the unchanged encoder; label names come as anchors.
        folds: The fold of each row; -1 is never held out; shape [rows], int64.
        shares: Of each label's rows in the other folds, in (0, 1], ascending, the last one 1.
        seed: Chooses the rows of a share.
    """

    examples: Examples
    folds: Ids
    shares: tuple[float, ...]
    seed: int

    def to_frame(self) -> Frame:
        """Return the frame that carries the task."""
        fields = {"anchors": self.examples.anchors, "shares": list(self.shares), "seed": self.seed}
        return Frame("study", fields, {**_examples_tensors(self.examples), "folds": self.folds})

    @classmethod
    def from_frame(cls, frame: Frame) -> "StudyTask":
        """Return the task that a frame carries."""
        fields: Mapping[str, Any] = frame.fields
        return cls(_examples_of(frame), frame.tensors["folds"], tuple(fields["shares"]), fields["seed"])

    @staticmethod
    def outcome(frame: Frame) -> Study:
        """Return the outcome that a frame carries."""
        return Study(**frame.tensors)


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


def study_to_frame(study: Study) -> Frame:
    """Return the frame that carries a learning curve."""
    return Frame("done", {}, {name: getattr(study, name) for name in ("rows", "logits", "trained_rows")})


def _examples_tensors(examples: Examples) -> dict[str, Array]:
    return {"features": examples.features, "label_ids": examples.label_ids, "groups": examples.groups}


def _examples_of(frame: Frame) -> Examples:
    tensors, fields = frame.tensors, cast(Mapping[str, Any], frame.fields)
    return Examples(tensors["features"], tensors["label_ids"], tensors["groups"], fields["anchors"])
