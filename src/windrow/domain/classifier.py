"""The record of a classifier: what is remembered about the training of one revision.

Owns the value alone; ``storage`` writes it down and ``wire`` shows it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from windrow.domain.dataset import DataWarning, Row
from windrow.domain.recipe import (
    DEFAULT_BASE_MODEL,
    BaseModel,
    Recipe,
)


@dataclass(frozen=True, slots=True)
class FitRequest:
    """What a caller asks to be trained.

    Args:
        model_name: The classifier's name; an existing name gets a new revision.
        rows: Labelled examples, at least 2 labels.
        base_model: Id of the encoder to build on.
        recipe: The training parameters.
    """

    model_name: str
    rows: tuple[Row, ...]
    base_model: str = DEFAULT_BASE_MODEL
    recipe: Recipe = Recipe()


@dataclass(frozen=True, slots=True)
class HeadReport:
    """How the head was chosen.

    Args:
        strength: Inverse regularisation (scikit-learn's ``C``) that won the cross-validation.
        cv_accuracy: Its cross-validated accuracy in [0, 1]; ``None`` where no class has two rows.
        cv_folds: Folds of that cross-validation; 0 where there was none.
    """

    strength: float
    cv_accuracy: float | None
    cv_folds: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """One way of using an adapter that was weighed, and the estimate that spoke for or against it.

    Args:
        strength: Share of the adapter's change, from 0 (the encoder as it is) to 1.
        estimated_accuracy: in [0, 1], on rows that taught it nothing; ``None`` where there is none.
    """

    strength: float
    estimated_accuracy: float | None


@dataclass(frozen=True, slots=True)
class AdapterReport:
    """How an adapter was trained, and how much of it is used (docs/training.md).

    Args:
        strength: Share of its change that is used, from 0 (none; then nothing of it is saved) to 1.
        reason: Why that share, in one sentence.
        candidates: What was weighed.
        layers: Trained layers, counted from the last one.
        rank: Of each map's change.
        passes: How often the texts meet, as ``num_iterations`` asks.
        planned_steps: Steps that this takes.
        steps: Steps that were done.
        ended_by: What ended it: ``plan``, ``step_budget`` or ``max_seconds``.
        texts: Distinct rows that took part.
        used_label_names: Whether the labels' names took part as texts.
        first_loss: Loss of the first step; ``None`` where no step was done.
        last_loss: Loss of the last step.
    """

    strength: float
    reason: str
    candidates: tuple[Candidate, ...]
    layers: int = 0
    rank: int = 0
    passes: int = 0
    planned_steps: int = 0
    steps: int = 0
    ended_by: str = "plan"
    texts: int = 0
    used_label_names: bool = False
    first_loss: float | None = None
    last_loss: float | None = None


@dataclass(frozen=True, slots=True)
class TrainingSummary:
    """What a training reports beside the tensors.

    Args:
        head: How the head was chosen.
        adapter: How the adapter was trained; ``None`` where none was asked for.
        versions: Versions of the libraries that decide the result, by name.
    """

    head: HeadReport
    adapter: AdapterReport | None
    versions: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Record:
    """Everything that is remembered about one revision of a classifier.

    Args:
        name: The classifier's name.
        revision: Counts from 1; deletions and restorations count too, so numbers may skip.
        labels: Sorted by code point; the order of the head's rows.
        rows_per_label: In the order of ``labels``.
        base_model: The pinned encoder.
        recipe: The training parameters.
        data_sha256: Digest of the training rows (docs/format.md).
        created_at: When the training ended, UTC, whole seconds.
        training_time_s: Wall seconds from the request to the finished artifact.
        summary: What the training process reported.
        warnings: What was odd about the data.
    """

    name: str
    revision: int
    labels: tuple[str, ...]
    rows_per_label: Mapping[str, int]
    base_model: BaseModel
    recipe: Recipe
    data_sha256: str
    created_at: datetime
    training_time_s: float
    summary: TrainingSummary
    warnings: tuple[DataWarning, ...]

    @property
    def num_examples(self) -> int:
        """The number of training rows."""
        return sum(self.rows_per_label.values())
