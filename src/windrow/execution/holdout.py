"""Cross-validate an adapter: train on parts of the rows, and evaluate each training on its held-out rows."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import accumulate

import numpy as np

from windrow.arrays import Ids
from windrow.domain.job import OnStep
from windrow.domain.recipe import Recipe
from windrow.execution.adapter_training import train_adapter
from windrow.execution.control import TrainingControl
from windrow.execution.runner import ignore_steps
from windrow.execution.tasks import HoldoutTask
from windrow.execution.training_set import EncodedTrainingSet, TrainingContext
from windrow.learning.calibrate import HeldOut, join
from windrow.learning.folds import assign_folds, splits

# Each fold costs a training. With few rows, three folds, each on two thirds, cost twice the training itself; with many
# rows, one or two folds hold out enough rows for a temperature and an interval. Source: docs/adr/0016, measured.
FEW_FOLDS = 3
MANY_FOLDS = 5
MANY_ROWS = 1_000
ENOUGH_HELD_OUT_ROWS = 200
# The maximum ratio between the durations of two folds of the same size.
_MARGIN = 1.5


@dataclass(frozen=True, slots=True, eq=False)
class PairedHeldOut:
    """The same held-out rows, with the outputs of trainings with an adapter and of the head alone.

    Args:
        adapted: With an adapter.
        head: The head alone, fitted to the same rows on the frozen encoder.
    """

    adapted: HeldOut
    head: HeldOut


def cross_validate_adapter(
    training_set: EncodedTrainingSet, recipe: Recipe, context: TrainingContext
) -> PairedHeldOut | None:
    """Cross-validate contrastive training on these rows, beside the head alone.

    Args:
        training_set: The rows.
        recipe: The training parameters; ``max_seconds`` counts from the start of encoding.
        context: The training's resources.

    Returns:
        The held-out rows with the outputs of both; ``None`` if the recipe disables cross-validation, no row can be held
        out, or no time is left.

    Raises:
        TrainingFailed: A task failed.
        ShuttingDown: The runner was closed.
    """
    if not recipe.cross_validate:
        return None
    folds = assign_eval_folds(training_set.label_ids, training_set.text_ids, recipe.seed)
    needed = num_folds_needed(folds)
    adapted: list[HeldOut] = []
    head: list[HeldOut] = []
    progress = _FoldProgress(context.control, needed)
    for held_out, part in evaluate_folds(training_set, folds, recipe, context, progress.end_step):
        adapted.append(part)
        head.append(_Fold(training_set, held_out, recipe.seed, context).evaluate_head())
        progress.end_fold()
        if len(adapted) == needed:
            break
    return PairedHeldOut(join(adapted), join(head)) if adapted else None


def assign_eval_folds(label_ids: Ids, text_ids: Ids, seed: int) -> Ids:
    """Return the fold of each distinct row, -1 where it is never held out.

    Args:
        label_ids: The label of each, shape [n].
        text_ids: The text of each, shape [n].
        seed: Seeds the assignment.
    """
    return assign_folds(label_ids, text_ids, seed, MANY_FOLDS if len(label_ids) >= MANY_ROWS else FEW_FOLDS)


def num_folds_needed(folds: Ids) -> int:
    """Return how many of the folds, in order, hold out enough rows."""
    sizes = [len(held_out) for _, held_out in splits(folds)]
    held_out_parts = list(accumulate(sizes))
    return next(
        (count for count, rows in enumerate(held_out_parts, start=1) if rows >= ENOUGH_HELD_OUT_ROWS),
        len(held_out_parts),
    )


def evaluate_folds(
    training_set: EncodedTrainingSet,
    folds: Ids,
    recipe: Recipe,
    context: TrainingContext,
    on_step: OnStep = ignore_steps,
) -> Iterator[tuple[Ids, HeldOut]]:
    """Train once for each fold on the rows of the others, and yield the outputs for the held-out rows.

    All rows decide the adapter's scale and the schedule of each fold, so that each evaluates the same kind of training
    as the one on all rows.

    Args:
        training_set: The rows.
        folds: The fold of each distinct row; -1 is never held out.
        recipe: The training parameters; ``max_seconds`` ends the iteration before a fold that would take too long.
        context: The training's resources.
        on_step: Called after each step of each training with its number, the number of steps, and the loss.

    Yields:
        The indices of the held-out distinct rows, and their outputs.
    """
    longest_s = (time.monotonic() - training_set.began_s) if recipe.max_seconds is not None else 0.0
    for train, held_out in splits(folds):
        started = time.monotonic()
        if recipe.max_seconds is not None and started + _MARGIN * longest_s > training_set.began_s + recipe.max_seconds:
            return
        fold = _Fold(training_set, held_out, recipe.seed, context)
        part = training_set.subset(train)
        result = train_adapter(part, replace(recipe, max_seconds=None), context, on_step, training_set.policy)
        yield held_out, fold.evaluate(part.with_adapter(result.adapter, context), is_adapted=result.adapter is not None)
        longest_s = time.monotonic() - started


@dataclass(frozen=True, slots=True, eq=False)
class _Fold:
    """A fold of a cross-validation.

    Args:
        training_set: All rows.
        held_out: The indices of the held-out distinct rows.
        seed: Seeds the choice of a head's regularisation.
        context: The training's resources.
    """

    training_set: EncodedTrainingSet
    held_out: Ids
    seed: int
    context: TrainingContext

    def evaluate_head(self) -> HeldOut:
        """Fit the head alone to the other rows, and return its output for the held-out ones."""
        others = np.setdiff1d(np.arange(len(self.training_set.label_ids)), self.held_out)
        return self.evaluate(self.training_set.subset(others), is_adapted=False)

    def evaluate(self, part: EncodedTrainingSet, *, is_adapted: bool) -> HeldOut:
        """Fit a head to the other rows, in their encoding, and return its output for the held-out rows."""
        features = part.features[self.training_set.text_ids[self.held_out]]
        task = HoldoutTask(part.examples(), self.training_set.hidden_size, self.seed, is_adapted, features)
        outcome = self.context.run(task)
        return HeldOut(outcome.logits, self.training_set.label_ids[self.held_out], outcome.similarities, folds=1)


class _FoldProgress:
    """Reports the steps of all folds as those of one stage; the evaluation of a fold is one step more.

    Args:
        control: Receives the progress.
        folds: The number of folds.
    """

    def __init__(self, control: TrainingControl, folds: int) -> None:
        self._control = control
        self._folds_left = folds
        self._done = 0
        self._fold_steps = 1
        control.report_progress("validating")

    def end_step(self, step: int, of: int, loss: float) -> None:
        """Report a step of the current fold's training."""
        self._fold_steps = of + 1
        self._report(step, loss)

    def end_fold(self) -> None:
        """Report that a fold is evaluated."""
        self._done += self._fold_steps
        self._folds_left -= 1
        self._report(0)

    def _report(self, step: int, loss: float | None = None) -> None:
        # Folds differ by a row or two, and so by hardly a step.
        num_steps = self._done + self._folds_left * self._fold_steps
        self._control.report_progress("validating", self._done + step, num_steps, loss)
