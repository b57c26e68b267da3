"""Declare the tasks of training processes, and their outcomes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from windrow.arrays import Floats, Ids, Labels, Precision, TokenStates
from windrow.domain.prediction import Kind
from windrow.domain.recipe import BaseModel, Recipe
from windrow.domain.training_report import Estimate, HeadReport, ScoreReport
from windrow.learning.calibrate import HeldOut
from windrow.learning.head_fitting import Examples, HeadSearch, LearningCurve

# Arguments of a training process: whether it loads torch before a task needs it.
WITH_TORCH = "with-torch"
WITHOUT_TORCH = "without-torch"
# The kind of a frame that only says that the training process lives.
HEARTBEAT = "heartbeat"
# The exit status of a training process that has no memory to say so in a frame.
OUT_OF_MEMORY_STATUS = 77
OUT_OF_MEMORY = (
    "The training ran out of memory. {Send} fewer rows or shorter texts, or give the server's machine more memory."
)
OVER_MEMORY_LIMIT = (
    "The training needed more than the {limit_bytes} bytes of memory that it may use. {Send} fewer rows or shorter "
    "texts, or raise {setting} if the machine has more. Nothing was saved; an earlier revision, if there is one, still "
    "answers."
)

Outcome_co = TypeVar("Outcome_co", covariant=True)
AdapterTensors = Mapping[str, npt.NDArray[np.float16]]


class Task(Protocol[Outcome_co]):
    """A unit of work of a training process: a dataclass that a frame carries (``execution.frames``)."""

    @property
    def outcome(self) -> type[Outcome_co]:
        """The class of its outcome."""
        ...


@dataclass(frozen=True, slots=True)
class TrainAdapterOutcome:
    """The outcome of a contrastive training.

    Args:
        adapter: The low-rank change at full scale, float16; empty where time allowed no step.
        layers: The number of trained layers, counted from the last one.
        rank: The rank of each projection's change.
        epochs: The number of epochs that ``num_iterations`` asks for.
        requested_steps: The number of their steps.
        planned_steps: The number of steps within the step budget.
        losses: The loss of each completed step.
    """

    adapter: AdapterTensors
    layers: int
    rank: int
    epochs: int
    requested_steps: int
    planned_steps: int
    losses: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class TrainAdapterTask:
    """A contrastive training.

    Args:
        folder: The folder of the encoder's weights.
        base_model: The base model that the folder must hold.
        texts: The texts' states below the adapted layers.
        label_ids: Each text's label, shape [n], int64; or its label set, shape [n, labels], bool.
        recipe: The training parameters.
        deadline_s: The latest end, on this machine's monotonic clock; ``None`` for no limit.
        full_size: For a fold of a cross-validation, the number of texts of the training that it evaluates; ``None`` for
            that training itself.
        precision: The type of the operands of matrix products.
        threads: The threads that compute, which decide how sums are rounded: the server's, wherever the task runs.
    """

    outcome: ClassVar[type[TrainAdapterOutcome]] = TrainAdapterOutcome

    folder: Path
    base_model: BaseModel
    texts: TokenStates
    label_ids: Labels
    recipe: Recipe
    deadline_s: float | None
    full_size: int | None = None
    precision: Precision = "float32"
    threads: int = 1


@dataclass(frozen=True, slots=True)
class CrossValidateHeadOutcome:
    """The outputs of heads for held-out rows.

    Args:
        logits: Fold by fold; shape [m, labels], float32.
    """

    logits: Floats


@dataclass(frozen=True, slots=True)
class CrossValidateHeadTask:
    """Cross-validate the head alone, on the frozen encoder's features, on given folds.

    Args:
        examples: The rows; label names are train-only rows.
        folds: The fold of each row; -1 is never held out; shape [rows], int64.
        needed: The number of folds whose rows are wanted, counted from the first one.
    """

    outcome: ClassVar[type[CrossValidateHeadOutcome]] = CrossValidateHeadOutcome

    examples: Examples
    folds: Ids
    needed: int


@dataclass(frozen=True, slots=True)
class TrainAdaptersOutcome:
    """The outcomes of several contrastive trainings.

    Args:
        outcomes: One for each, in their order.
        head: That of the head's cross-validation; ``None`` where none was asked for.
    """

    outcomes: tuple[TrainAdapterOutcome, ...]
    head: CrossValidateHeadOutcome | None = None


@dataclass(frozen=True, slots=True)
class TrainAdaptersTask:
    """Small contrastive trainings at the same time, each with a part of the cores.

    The matrices of a small training keep one core busy, but not several.

    Args:
        trainings: At least one.
        at_once: How many run at the same time.
        head: A cross-validation of the head alone, which is done where a core would be idle; ``None`` for none.
    """

    outcome: ClassVar[type[TrainAdaptersOutcome]] = TrainAdaptersOutcome

    trainings: tuple[TrainAdapterTask, ...]
    at_once: int
    head: CrossValidateHeadTask | None = None


@dataclass(frozen=True, slots=True)
class FitOutcome:
    """The outcome of a training: the artifact, and values for the record.

    Args:
        artifact: The finished file, as ``storage.artifact`` writes it.
        head: How the head was chosen.
        estimate: The accuracy estimated from held-out rows; ``None`` without such rows.
        scores: How the scores were calibrated.
        label_thresholds: For label sets, the probability from which on a text is given each label, in the order of the
            labels; ``None`` for one label a text.
        versions: The environment that decides rounding, by name.
    """

    artifact: bytes
    head: HeadReport
    estimate: Estimate | None
    scores: ScoreReport
    label_thresholds: tuple[float, ...] | None
    versions: Mapping[str, str]

    @property
    def kind(self) -> Kind:
        """Whether the classifier gives each text one label, or any number of them."""
        return "single_label" if self.label_thresholds is None else "multi_label"


@dataclass(frozen=True, slots=True)
class FitTask:
    """The end of a training: fit and calibrate the head on the features that are served.

    Args:
        examples: The encoded rows, with the adapter if there is one; label names are train-only rows.
        hidden_size: The width of a layer, and so of the last layer's part of the features.
        seed: Seeds the assignment of rows to folds.
        adapter: The encoder's adapter; ``None`` for none.
        held_out: With an adapter, the held-out rows of its cross-validation, ``None`` if there was none; without an
            adapter ``None``, since the task cross-validates the head itself.
        search: Without an adapter, the outcome of a :class:`SearchHeadTask` for the same examples; ``None`` to search.
        threads: The threads of the training, for the record.
        precision: The type of the operands of its matrix products, for the record.
    """

    outcome: ClassVar[type[FitOutcome]] = FitOutcome

    examples: Examples
    hidden_size: int
    seed: int
    adapter: AdapterTensors | None = None
    held_out: HeldOut | None = None
    search: HeadSearch | None = None
    threads: int = 1
    precision: Precision = "float32"


@dataclass(frozen=True, slots=True)
class SearchHeadTask:
    """Choose the C of the head alone, on the frozen encoder's features, by cross-validation.

    Args:
        examples: The rows; label names are train-only rows.
        seed: Seeds the assignment of rows to folds.
    """

    outcome: ClassVar[type[HeadSearch]] = HeadSearch

    examples: Examples
    seed: int


@dataclass(frozen=True, slots=True)
class HoldoutOutcome:
    """A head's output for held-out rows.

    Args:
        logits: Shape [m, labels], float32.
        similarities: The rows' similarities to the centroids of the head's training rows; shape [m], float32.
        by_c: As of ``learning.calibrate.HeldOut``.
    """

    logits: Floats
    similarities: Floats
    by_c: Floats | None = None


@dataclass(frozen=True, slots=True)
class HoldoutTask:
    """Fit a head to one part of the rows, and evaluate it on the held-out part.

    Args:
        examples: The encoded training rows.
        hidden_size: The width of a layer.
        seed: Seeds the assignment of rows to folds.
        is_adapted: Whether an adapter was trained on these rows.
        holdout_features: Features of the held-out rows; shape [m, features], float32.
    """

    outcome: ClassVar[type[HoldoutOutcome]] = HoldoutOutcome

    examples: Examples
    hidden_size: int
    seed: int
    is_adapted: bool
    holdout_features: Floats


@dataclass(frozen=True, slots=True)
class HoldoutsOutcome:
    """The outcomes of several evaluations of held-out rows.

    Args:
        outcomes: One for each, in their order.
    """

    outcomes: tuple[HoldoutOutcome, ...]


@dataclass(frozen=True, slots=True)
class HoldoutsTask:
    """Evaluate several parts, as a :class:`HoldoutTask` does one.

    Args:
        holdouts: At least one.
    """

    outcome: ClassVar[type[HoldoutsOutcome]] = HoldoutsOutcome

    holdouts: tuple[HoldoutTask, ...]


@dataclass(frozen=True, slots=True)
class LearningCurveTask:
    """Compute a learning curve of the head by cross-validation.

    Args:
        examples: The rows, encoded by the frozen encoder; label names are train-only rows.
        folds: The fold of each row; -1 is never held out; shape [rows], int64.
        fractions: Fractions of each label's rows in the other folds, in (0, 1], ascending, the last one 1.
        seed: Chooses the rows of a fraction.
    """

    outcome: ClassVar[type[LearningCurve]] = LearningCurve

    examples: Examples
    folds: Ids
    fractions: tuple[float, ...]
    seed: int


@dataclass(frozen=True, slots=True)
class StepProgress:
    """A completed step of a contrastive training.

    Args:
        number: The step's number, from 1.
        of: The number of steps.
        loss: The step's loss.
    """

    number: int
    of: int
    loss: float


@dataclass(frozen=True, slots=True)
class TaskFailure:
    """The error of a failed task.

    Args:
        template: The sentence, with placeholders for facts.
        facts: JSON-ready values.
    """

    template: str
    facts: Mapping[str, Any] = field(default_factory=dict)


def out_of_memory(limit_bytes: int) -> tuple[str, Mapping[str, Any]]:
    """Return the template and the facts of the error of a training that ran out of memory.

    Args:
        limit_bytes: The memory that its process may use; 0 for no limit.
    """
    if not limit_bytes:
        return OUT_OF_MEMORY, {}
    return OVER_MEMORY_LIMIT, {"limit_bytes": limit_bytes, "setting": "WINDROW_MAX_FIT_MEMORY_BYTES"}
