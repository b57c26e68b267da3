"""Tasks: what travels to a training process, and what comes back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from windrow.arrays import Floats, Ids, TokenStates
from windrow.domain.recipe import BaseModel, Recipe
from windrow.domain.training_report import Estimate, HeadReport, ScoreReport
from windrow.learning.calibrate import HeldOut
from windrow.learning.head_fitting import Examples, LearningCurve

Outcome_co = TypeVar("Outcome_co", covariant=True)
AdapterTensors = Mapping[str, npt.NDArray[np.float16]]


class Task(Protocol[Outcome_co]):
    """Something that a training process does: a dataclass that travels there in a frame (``execution.frames``)."""

    @property
    def outcome(self) -> type[Outcome_co]:
        """The class of what comes of it."""
        ...


@dataclass(frozen=True, slots=True)
class TuneOutcome:
    """What contrastive training yields.

    Args:
        adapter: The whole change at a low rank, float16; empty where time allowed no step.
        layers: Trained layers, counted from the last one.
        rank: Of each map's change.
        passes: Passes that ``num_iterations`` asks for.
        requested_steps: Steps that they take.
        planned_steps: Steps within the step budget.
        losses: The loss of each step that was done.
    """

    adapter: AdapterTensors
    layers: int
    rank: int
    passes: int
    requested_steps: int
    planned_steps: int
    losses: tuple[float, ...]


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

    outcome: ClassVar[type[TuneOutcome]] = TuneOutcome

    folder: Path
    base_model: BaseModel
    texts: TokenStates
    label_ids: Ids
    recipe: Recipe
    deadline_s: float | None
    stands_for: int | None = None


@dataclass(frozen=True, slots=True)
class FitOutcome:
    """What a training yields in the end; but for the artifact, as the record will say it.

    Args:
        artifact: The finished file, as ``storage.artifact`` writes it.
        head: How the head was chosen.
        estimate: What rows that were held out say of it; ``None`` where there were none.
        scores: How scores came to mean what they say.
        versions: What decides roundings, by name.
    """

    artifact: bytes
    head: HeadReport
    estimate: Estimate | None
    scores: ScoreReport
    versions: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class FitTask:
    """The end of a training: the head on features that are as they will be served, calibrated.

    Args:
        examples: The rows, encoded, with the adapter if there is one; label names come as anchors.
        hidden: Width of a layer: how much of the features comes from the last one.
        seed: Deals the rows to folds.
        adapter: What the encoder was changed by; ``None`` for nothing.
        held_out: What trainings like this one said of rows that they did not see; ``None`` where there is an adapter
            and none such was done, or where there is none and the head alone tells.
    """

    outcome: ClassVar[type[FitOutcome]] = FitOutcome

    examples: Examples
    hidden: int
    seed: int
    adapter: AdapterTensors | None = None
    held_out: HeldOut | None = None


@dataclass(frozen=True, slots=True)
class JudgeOutcome:
    """What a head says of rows that it did not see.

    Args:
        logits: Of each label; shape [m, labels], float32.
        similarities: To the centers of its own rows; shape [m], float32.
    """

    logits: Floats
    similarities: Floats


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

    outcome: ClassVar[type[JudgeOutcome]] = JudgeOutcome

    examples: Examples
    hidden: int
    seed: int
    is_tuned: bool
    asked: Floats


@dataclass(frozen=True, slots=True)
class StudyTask:
    """Heads on growing shares of the rows of all folds but one, asked about that one: a learning curve.

    Args:
        examples: The rows, encoded by the unchanged encoder; label names come as anchors.
        folds: The fold of each row; -1 is never held out; shape [rows], int64.
        shares: Of each label's rows in the other folds, in (0, 1], ascending, the last one 1.
        seed: Chooses the rows of a share.
    """

    outcome: ClassVar[type[LearningCurve]] = LearningCurve

    examples: Examples
    folds: Ids
    shares: tuple[float, ...]
    seed: int


@dataclass(frozen=True, slots=True)
class Step:
    """How far a contrastive training is.

    Args:
        number: Of the step that is done, from 1.
        of: Steps in all.
        loss: Of this step.
    """

    number: int
    of: int
    loss: float


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a task failed.

    Args:
        template: The sentence, with places for facts.
        facts: JSON-ready values.
    """

    template: str
    facts: Mapping[str, Any] = field(default_factory=dict)
