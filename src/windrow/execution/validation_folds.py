"""What cross-validations of both kinds share: trainings on folds, how many can be made, and what to warn of."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from windrow.arrays import Floats, Ids
from windrow.domain.data_warnings import find_data_warnings
from windrow.domain.dataset import DataWarning
from windrow.domain.errors import InvalidTrainingData
from windrow.domain.figures import listed
from windrow.domain.labelled_rows import LabelledDataset, LabelledRow, labels_of
from windrow.domain.quality_warnings import warn_of_truncated
from windrow.domain.recipe import Recipe
from windrow.execution.holdout import evaluate_folds, train_folds
from windrow.execution.tasks import LearningCurveTask
from windrow.execution.training_set import EncodedTrainingSet, TrainingContext
from windrow.learning.calibrate import Prior, join, temperature_prior
from windrow.learning.folds import assign_folds
from windrow.learning.head_fitting import LearningCurve
from windrow.learning.label_sets import as_sets
from windrow.learning.model_selection import choose_adapted_c

# The fractions of the learning curve, each twice the one before; the advice compares half of the rows with all.
CURVE_FRACTIONS = (0.25, 0.5, 1.0)
_NAMED_ROWS = 5


@dataclass(frozen=True, slots=True, eq=False)
class OutOfFold:
    """The outputs of trainings for rows that they did not see.

    Args:
        curve: The learning curve of the head alone; its rows are the held-out ones.
        folds: The fold of each held-out row; shape [m], int64.
        logits: The logits of the requested trainings; shape [m, labels], float32.
        is_adapted: Whether these train an adapter.
        adapter_reason: Why they do or do not, as a training on these rows says it; empty where none was requested.
        is_described: Whether the head alone begins as the zero-shot head of described labels.
    """

    curve: LearningCurve
    folds: Ids
    logits: Floats
    is_adapted: bool
    adapter_reason: str
    is_described: bool

    @property
    def head_prior(self) -> Prior:
        """The prior of the temperature for the head alone."""
        return temperature_prior(is_adapted=False, is_described=self.is_described)

    @property
    def prior(self) -> Prior:
        """The prior of the temperature for the requested trainings."""
        return temperature_prior(is_adapted=self.is_adapted, is_described=self.is_described)

    @property
    def head_recommendation(self) -> str:
        """What to say where an adapter was asked for, and none is trained."""
        return f"{self.adapter_reason} Any number of iterations does as the head alone."


def evaluate_out_of_fold(
    training_set: EncodedTrainingSet, folds: int, recipe: Recipe, context: TrainingContext
) -> OutOfFold:
    """Evaluate the trainings of each fold, and the head alone on growing fractions of their rows.

    Args:
        training_set: The rows.
        folds: The most folds, at least 2.
        recipe: The training parameters, without ``max_seconds``.
        context: The training's resources.

    Raises:
        InvalidTrainingData: No label has two distinct texts, so that no row with a label can be held out.
        TrainingFailed: A task failed.
        ShuttingDown: The runner was closed.
    """
    max_folds = count_possible_folds(training_set, folds)
    fold_ids = assign_folds(training_set.label_ids, training_set.text_ids, recipe.seed, max_folds)
    # Rows without labels can be held out all the same, but there would be nothing to find in them.
    if not as_sets(training_set.label_ids)[fold_ids >= 0].any():
        raise InvalidTrainingData(
            "No label has two different texts, so no row with a label can be held out. Add rows: at least two of each "
            "label."
        )
    curve = context.run(LearningCurveTask(training_set.examples(), fold_ids, CURVE_FRACTIONS, recipe.seed))
    logits, is_adapted, adapter_reason = curve.logits[-1], False, ""
    if recipe.num_iterations > 0:
        choice = training_set.policy.choice
        is_adapted, adapter_reason = choice.scale > 0, choice.reason
    if is_adapted:
        adapters = train_folds(training_set, fold_ids, recipe, context)
        evaluated = evaluate_folds(training_set, fold_ids, recipe, context, adapters)
        logits = choose_adapted_c(join([part for _, part in evaluated])).logits
    is_described = training_set.prior_head is not None
    return OutOfFold(curve, fold_ids[curve.rows], logits, is_adapted, adapter_reason, is_described)


def count_possible_folds(training_set: EncodedTrainingSet, folds: int) -> int:
    """Return the number of folds that can each hold out a row of every label with two or more texts.

    Args:
        training_set: The rows.
        folds: The most folds.
    """
    sets = as_sets(training_set.label_ids)
    texts = np.zeros((int(training_set.text_ids.max()) + 1, sets.shape[1]), np.bool_)
    np.logical_or.at(texts, training_set.text_ids, sets)
    counts = texts.sum(axis=0)
    return min(folds, int(counts[counts > 1].min(initial=folds)))


def validation_warnings(
    dataset: LabelledDataset, numbers: Ids, folds: Ids, requested: int, training_set: EncodedTrainingSet
) -> Iterator[DataWarning]:
    """Yield warnings about the rows and the folds of a cross-validation.

    Args:
        dataset: All rows.
        numbers: The number of each held-out row in the data; shape [m].
        folds: The fold of each; shape [m].
        requested: How many folds were requested.
        training_set: The rows that take part.
    """
    yield from find_data_warnings(dataset)
    done = len(np.unique(folds))
    if done < requested:
        message = (
            f"{done} folds were made in place of {requested}, since the smallest class has no more different texts. "
            "Each training had fewer rows for it, so the figures are rather too low; add rows to that class."
        )
        yield DataWarning("fewer_folds", message)
    rows: tuple[LabelledRow, ...] = dataset.rows
    left_out = np.setdiff1d(training_set.numbers, numbers)
    if len(left_out):
        held_out = {label for number in numbers for label in labels_of(rows[number])}
        labels = sorted({label for number in left_out for label in labels_of(rows[number])} - held_out)
        message = (
            f"The figures do not cover {listed(map(repr, labels))}: with a "
            "single text, a label cannot be held out. Add rows to it."
        )
        yield DataWarning("never_held_out", message, tuple(map(int, left_out[:_NAMED_ROWS])))
    if training_set.fraction < 1:
        used, total = len(training_set.numbers), len(rows)
        message = f"{used} of {total} rows were used, as many as one training may use."
        yield DataWarning("sampled_rows", message)


def truncation_warnings(
    dataset: LabelledDataset, training_set: EncodedTrainingSet, max_tokens: int
) -> Iterator[DataWarning]:
    """Yield a warning where distinct rows, and one where descriptions, are longer than the encoder reads.

    Args:
        dataset: All rows.
        training_set: The rows that take part, and the descriptions.
        max_tokens: The most tokens of a text that the encoder reads.
    """
    truncated: list[int] = training_set.numbers[training_set.states.truncated[training_set.text_ids]].tolist()
    yield from warn_of_truncated(len(truncated), len(training_set.numbers), truncated, max_tokens)
    yield from training_set.warn_of_long_descriptions(dataset.labels, max_tokens)
