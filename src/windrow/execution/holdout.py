"""Cross-validate an adapter: train on parts of the rows, and evaluate each training on its held-out rows."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from windrow.arrays import Floats, Ids, Labels
from windrow.domain.job import OnStep
from windrow.domain.recipe import Recipe
from windrow.execution.adapter_training import (
    TrainedAdapter,
    count_at_once,
    prepare_training,
    train_adapter,
    train_at_once,
)
from windrow.execution.control import TrainingControl
from windrow.execution.runner import ignore_steps
from windrow.execution.selection import ENOUGH_HELD_OUT_ROWS
from windrow.execution.tasks import CrossValidateHeadTask, HoldoutOutcome, HoldoutsTask, HoldoutTask
from windrow.execution.training_set import EncodedTrainingSet, TrainingContext
from windrow.learning.calibrate import HeldOut, join
from windrow.learning.folds import assign_folds, splits
from windrow.learning.head_fitting import Examples
from windrow.learning.model_selection import choose_adapted_c

# Each fold costs a training. With few rows, three folds, each on two thirds, cost twice the training itself; with many
# rows, one or two folds hold out enough rows for a temperature and an interval. Source: docs/adr/0016, measured.
FEW_FOLDS = 3
MANY_FOLDS = 5
MANY_ROWS = 1_000
# The maximum ratio between the durations of two folds of the same size.
_MARGIN = 1.5


@dataclass(frozen=True, slots=True, eq=False)
class PairedHeldOut:
    """The same held-out rows, with the outputs of trainings with an adapter and of the head alone.

    Args:
        adapted: With an adapter.
        head_logits: Those of the head alone, trained on the same rows with the frozen encoder's features; shape
            [m, labels], float32.
    """

    adapted: HeldOut
    head_logits: Floats


@dataclass(frozen=True, slots=True, eq=False)
class TrainedFolds:
    """What was trained of a cross-validation, beside the training that it evaluates.

    Args:
        adapters: Those of the folds, in order; none where they are still to be trained.
        head_logits: As of :class:`PairedHeldOut`; ``None`` where the head is still to be cross-validated.
    """

    adapters: tuple[TrainedAdapter, ...] = ()
    head_logits: Floats | None = None


def train_with_folds(
    training_set: EncodedTrainingSet, recipe: Recipe, context: TrainingContext, on_step: OnStep
) -> tuple[TrainedAdapter, TrainedFolds]:
    """Train an adapter, and those of its cross-validation at the same time where all of them are small.

    Args:
        training_set: The rows.
        recipe: The training parameters.
        context: The training's resources.
        on_step: Called after each step with its number, the number of steps, and the loss.

    Returns:
        The adapter, and what was trained of its cross-validation.

    Raises:
        TrainingFailed: The training failed.
        ShuttingDown: The runner was closed.
    """
    main = prepare_training(training_set, recipe, context)
    if main.task is None:
        return main.finish(), TrainedFolds()
    context.control.report_progress("training")
    folds = assign_eval_folds(training_set.label_ids, training_set.text_ids, recipe.seed)
    parts: list[EncodedTrainingSet] = []
    # The training comes first where time is limited. A sample that left out rows is judged by them.
    is_judged_by_folds = recipe.cross_validate and recipe.max_seconds is None and len(training_set.held_out) == 0
    if is_judged_by_folds and _is_small(training_set, context):
        parts = [training_set.subset(train) for train, _ in splits(_first_folds(folds))]
    if not parts:
        return main.finish(context.run(main.task, on_step)), TrainedFolds()
    of_folds = [prepare_training(part, recipe, context, training_set.policy) for part in parts]
    head = CrossValidateHeadTask(training_set.examples(), folds, len(parts))
    (adapter, *others), head_logits = train_at_once([main, *of_folds], context, on_step, head)
    return adapter, TrainedFolds(tuple(others), head_logits)


def cross_validate_adapter(
    training_set: EncodedTrainingSet,
    recipe: Recipe,
    context: TrainingContext,
    trained: TrainedFolds | None = None,
) -> PairedHeldOut | None:
    """Cross-validate contrastive training on these rows, beside the head alone.

    Args:
        training_set: The rows.
        recipe: The training parameters; ``max_seconds`` counts from the start of encoding.
        context: The training's resources.
        trained: What is trained already (:func:`train_with_folds`); ``None`` for nothing.

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
    needed = _first_folds(folds)
    progress = _FoldProgress(context.control, len(list(splits(needed))))
    if trained is not None and trained.adapters:
        adapted = _evaluate_at_once(training_set, needed, recipe, context, trained.adapters)
        for _ in adapted:
            progress.end_fold()
    else:
        adapted = []
        adapters = train_folds(training_set, needed, recipe, context, progress.end_step)
        for _, part in evaluate_folds(training_set, needed, recipe, context, adapters):
            adapted.append(part)
            progress.end_fold()
    if not adapted:
        return None
    head_logits = None if trained is None else trained.head_logits
    if head_logits is None:
        head_logits = _cross_validate_head(training_set, folds, len(adapted), context)
    return PairedHeldOut(choose_adapted_c(join(adapted)), head_logits)


def hold_out_rows(
    examples: Examples, training_set: EncodedTrainingSet, seed: int, context: TrainingContext, *, is_adapted: bool
) -> HeldOut:
    """Fit a head to all other rows than those that a sample was not to have, and return its output for these.

    Args:
        examples: All encoded rows, with the adapter that the sample has trained or with none.
        training_set: The sample; its ``held_out`` rows, and others with the same texts, train nothing.
        seed: Seeds the choice of the head's C.
        context: The training's resources.
        is_adapted: Whether they are encoded with the adapter.

    Returns:
        The m held-out rows with their logits, shape [m, labels], float32.

    Raises:
        TrainingFailed: The task failed.
        ShuttingDown: The runner was closed.
    """
    held_out = training_set.held_out
    others = np.flatnonzero(~np.isin(examples.groups, examples.groups[held_out]))
    train_only = np.arange(len(examples.groups), len(examples.label_ids))
    kept = np.concatenate([others, train_only])
    part = replace(
        examples,
        features=examples.features[kept],
        label_ids=examples.label_ids[kept],
        groups=examples.groups[others],
    )
    outcome = context.run(HoldoutTask(part, training_set.hidden_size, seed, is_adapted, examples.features[held_out]))
    label_ids = examples.label_ids[held_out]
    return choose_adapted_c(HeldOut(outcome.logits, label_ids, outcome.similarities, folds=1, by_c=outcome.by_c))


def assign_eval_folds(label_ids: Labels, text_ids: Ids, seed: int) -> Ids:
    """Return the fold of each distinct row, -1 where it is never held out.

    Args:
        label_ids: The label of each, or its label set.
        text_ids: The text of each, shape [n].
        seed: Seeds the assignment.
    """
    return assign_folds(label_ids, text_ids, seed, MANY_FOLDS if len(label_ids) >= MANY_ROWS else FEW_FOLDS)


def num_folds_needed(folds: Ids) -> int:
    """Return how many of the folds, in order, hold out enough rows."""
    return len(list(splits(_first_folds(folds))))


def train_folds(
    training_set: EncodedTrainingSet,
    folds: Ids,
    recipe: Recipe,
    context: TrainingContext,
    on_step: OnStep = ignore_steps,
) -> Iterator[TrainedAdapter]:
    """Train an adapter for each fold on the rows of the others: all at the same time if they are small, else in turn.

    All rows decide the adapter's scale and the schedule of each fold, so that each evaluates the same kind of training
    as the one on all rows.

    Args:
        training_set: The rows.
        folds: The fold of each distinct row; -1 is never held out.
        recipe: The training parameters; ``max_seconds`` ends no training of a fold.
        context: The training's resources.
        on_step: Called after each step of each training with its number, the number of steps, and the loss.
    """
    is_limited, recipe = recipe.max_seconds is not None, replace(recipe, max_seconds=None)
    parts = (training_set.subset(train) for train, _ in splits(folds))
    if not is_limited and _is_small(training_set, context):
        trainings = [prepare_training(part, recipe, context, training_set.policy) for part in parts]
        yield from train_at_once(trainings, context, on_step)[0]
        return
    for part in parts:
        yield train_adapter(part, recipe, context, on_step, training_set.policy)


def evaluate_folds(
    training_set: EncodedTrainingSet,
    folds: Ids,
    recipe: Recipe,
    context: TrainingContext,
    adapters: Iterator[TrainedAdapter],
) -> Iterator[tuple[Ids, HeldOut]]:
    """Evaluate the training of each fold, and yield the outputs for the held-out rows.

    Args:
        training_set: The rows.
        folds: The fold of each distinct row; -1 is never held out.
        recipe: The training parameters; ``max_seconds`` ends the iteration before a fold that would take too long.
        context: The training's resources.
        adapters: The adapter of each fold (:func:`train_folds`), which the iteration may train.

    Yields:
        The indices of the held-out distinct rows, and their outputs.
    """
    longest_s = (time.monotonic() - training_set.began_s) if recipe.max_seconds is not None else 0.0
    for train, held_out in splits(folds):
        started = time.monotonic()
        if recipe.max_seconds is not None and started + _MARGIN * longest_s > training_set.began_s + recipe.max_seconds:
            return
        adapter = next(adapters).adapter
        part = training_set.subset(train).with_adapter(adapter, context)
        task = _holdout_task(training_set, part, held_out, recipe, is_adapted=adapter is not None)
        yield held_out, _held_out(training_set, held_out, context.run(task))
        longest_s = time.monotonic() - started


def _evaluate_at_once(
    training_set: EncodedTrainingSet,
    folds: Ids,
    recipe: Recipe,
    context: TrainingContext,
    adapters: Sequence[TrainedAdapter],
) -> list[HeldOut]:
    """Evaluate the trained adapter of each fold, as :func:`evaluate_folds` does: all texts are encoded in one go."""
    changes = [each.adapter for each in adapters]
    features = iter(training_set.features_with([each for each in changes if each is not None], context))
    tasks: list[HoldoutTask] = []
    for (train, held_out), adapter in zip(splits(folds), changes, strict=True):
        part = training_set.subset(train)
        if adapter is not None:
            part = replace(part, features=next(features))
        tasks.append(_holdout_task(training_set, part, held_out, recipe, is_adapted=adapter is not None))
    outcomes = context.run(HoldoutsTask(tuple(tasks))).outcomes
    return [
        _held_out(training_set, held_out, outcome)
        for (_, held_out), outcome in zip(splits(folds), outcomes, strict=True)
    ]


def _holdout_task(
    training_set: EncodedTrainingSet, part: EncodedTrainingSet, held_out: Ids, recipe: Recipe, *, is_adapted: bool
) -> HoldoutTask:
    """Return the task that evaluates a fold: its part of the rows is encoded, and so are the rows that it holds out."""
    features = part.features[training_set.text_ids[held_out]]
    return HoldoutTask(part.examples(), training_set.hidden_size, recipe.seed, is_adapted, features)


def _held_out(training_set: EncodedTrainingSet, held_out: Ids, outcome: HoldoutOutcome) -> HeldOut:
    label_ids = training_set.label_ids[held_out]
    return HeldOut(outcome.logits, label_ids, outcome.similarities, folds=1, by_c=outcome.by_c)


def _first_folds(folds: Ids) -> Ids:
    """Return the folds that together hold out enough rows, in order; -1 for the rows of all others."""
    held_out_rows = 0
    needed: list[int] = []
    for fold in np.unique(folds[folds >= 0]):
        if held_out_rows < ENOUGH_HELD_OUT_ROWS:
            needed.append(int(fold))
        held_out_rows += int((folds == fold).sum())
    return np.where(np.isin(folds, needed), folds, -1)


def _is_small(training_set: EncodedTrainingSet, context: TrainingContext) -> bool:
    """Return whether several trainings on these rows run at the same time."""
    texts = np.concatenate([training_set.text_ids, training_set.name_ids])
    tokens = int(training_set.states.lengths[texts].sum())
    return count_at_once(2, tokens, context.encoder.folder, context.threads) > 1


def _cross_validate_head(training_set: EncodedTrainingSet, folds: Ids, needed: int, context: TrainingContext) -> Floats:
    """Return the logits of the head alone for the rows that the first folds hold out, fold by fold."""
    held_out = np.concatenate([rows for _, rows in splits(folds)][:needed])
    found = None if training_set.head_search is None else training_set.head_search.out_of_fold
    # From many rows on, the search for its C has used the same folds.
    if (
        found is not None
        and np.array_equal(found.rows[: len(held_out)], held_out)
        and np.array_equal(found.folds, folds[found.rows])
    ):
        return found.logits[: len(held_out)]
    return context.run(CrossValidateHeadTask(training_set.examples(), folds, needed)).logits


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
