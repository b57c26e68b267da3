"""Cross-validation: how trainings on a part of some rows do on the rest of them.

Owns the values and the rules for what is asked; knows nothing of how a figure is computed.
"""

import statistics
from collections.abc import Mapping
from dataclasses import dataclass

from windrow.domain.dataset import DataWarning, Row
from windrow.domain.interval import Interval
from windrow.domain.recipe import DEFAULT_BASE_MODEL, Recipe
from windrow.domain.report import Majority, Misread, Outcome

DEFAULT_FOLDS = 5
FOLDS_RANGE = (2, 20)


@dataclass(frozen=True, slots=True)
class CrossValidateRequest:
    """Rows to judge a training by.

    Args:
        rows: Labelled examples, at least 2 labels.
        folds: Parts that the rows are dealt to; each is judged by a training on the others.
        base_model: Id of the encoder to build on.
        recipe: The training parameters.
    """

    rows: tuple[Row, ...]
    folds: int = DEFAULT_FOLDS
    base_model: str = DEFAULT_BASE_MODEL
    recipe: Recipe = Recipe()


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """A point of the learning curve: trainings on a share of the rows, judged by the same held-out rows.

    Args:
        share: Of each label's training rows, in (0, 1].
        rows: Training rows, on average over the folds.
        accuracy: Share of the held-out rows that were placed right.
        recall: The same for each label.
    """

    share: float
    rows: float
    accuracy: float
    recall: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class LabelAdvice:
    """Whether more rows of a label would help, as far as the learning curve shows.

    Args:
        label: The label.
        gain: By how much its recall rose from half of the rows to all of them.
        helps: Whether that is more than chance makes.
    """

    label: str
    gain: float
    helps: bool


@dataclass(frozen=True, slots=True)
class CrossValidation:
    """How trainings like the one that was asked for do.

    Args:
        folds: Parts that the rows were dealt to, where a label had too few rows fewer than asked for.
        outcome: What became of the rows that were held out, all folds together; equal rows count once.
        fold_accuracies: Of each fold, at least one.
        majority: The baseline beside it.
        contradicted: Rows whose label the others contradict with confidence: perhaps a wrong label; the most confident
            first.
        curve: The learning curve, the smallest share first.
        advice: For each label, that which gains most first; none where rows are too few to tell.
        advice_text: The same in words.
        head_only_accuracy: What ``num_iterations=0`` reaches on the same folds.
        head_only_interval: Of the difference, the asked-for training less the head alone.
        recommended_num_iterations: The one asked for, or 0 where the head alone did as well.
        recommendation: Why, in a sentence.
        warnings: What makes the figures worth less.
    """

    folds: int
    outcome: Outcome
    fold_accuracies: tuple[float, ...]
    majority: Majority
    contradicted: tuple[Misread, ...]
    curve: tuple[CurvePoint, ...]
    advice: tuple[LabelAdvice, ...]
    advice_text: str
    head_only_accuracy: float
    head_only_interval: Interval
    recommended_num_iterations: int
    recommendation: str
    warnings: tuple[DataWarning, ...]

    @property
    def mean_accuracy(self) -> float:
        """The mean of the folds' accuracies, each fold counting alike."""
        return statistics.fmean(self.fold_accuracies)

    @property
    def accuracy_spread(self) -> float:
        """The standard deviation of the folds' accuracies; 0 for a single one."""
        return statistics.stdev(self.fold_accuracies) if len(self.fold_accuracies) > 1 else 0.0
