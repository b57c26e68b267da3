"""Folds: judging a kind of training by rows that it did not see, training by training."""

import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import accumulate

from windrow.arrays import Ids
from windrow.domain.recipe import Recipe
from windrow.execution.look import FirstLook, Means
from windrow.execution.runner import ignore_steps
from windrow.execution.tasks import JudgeTask
from windrow.execution.tuning import tune
from windrow.learning.calibrate import HeldOut, join
from windrow.learning.folds import assign_folds, splits

# Each fold costs a training. Three of few rows, each on two thirds, cost twice what the training itself did; so many
# judged rows are enough for a temperature and an interval, so that with many rows one or two folds do.
# Source: docs/adr/0016, measured.
FEW_FOLDS = 3
MANY_FOLDS = 5
MANY_ROWS = 1_000
ENOUGH_JUDGED_ROWS = 200
# What time a fold of the same size takes more than the one before, at worst.
_MARGIN = 1.5


def judge_tuning(look: FirstLook, recipe: Recipe, means: Means) -> HeldOut | None:
    """Judge contrastive training on these rows by training on parts of them.

    Args:
        look: The rows.
        recipe: The training parameters; ``max_seconds`` counts from the first look.
        means: Where to work.

    Returns:
        What was said of the rows that were held out; ``None`` where the recipe does not want it, no row can be held
        out, or no time is left.

    Raises:
        TrainingFailed: A task failed.
        ShuttingDown: The runner was closed.
    """
    if not recipe.cross_validate:
        return None
    folds = deal_judging(look.label_ids, look.text_ids, recipe.seed)
    needed = folds_needed(folds)
    judged: list[HeldOut] = []
    means.watch.tell("judging", 0, needed)
    for _, part in judge_folds(look, folds, recipe, means):
        judged.append(part)
        means.watch.tell("judging", len(judged), needed)
        if len(judged) == needed:
            break
    return join(judged) if judged else None


def deal_judging(label_ids: Ids, text_ids: Ids, seed: int) -> Ids:
    """Return the fold of each distinct row, -1 where it is never held out.

    Args:
        label_ids: The label of each, shape [n].
        text_ids: The text of each, shape [n].
        seed: Deals them.
    """
    return assign_folds(label_ids, text_ids, seed, MANY_FOLDS if len(label_ids) >= MANY_ROWS else FEW_FOLDS)


def folds_needed(folds: Ids) -> int:
    """Return how many folds, in their order, hold enough rows to be judged by."""
    sizes = [len(held_out) for _, held_out in splits(folds)]
    judged = list(accumulate(sizes))
    return next((count for count, rows in enumerate(judged, start=1) if rows >= ENOUGH_JUDGED_ROWS), len(judged))


def judge_folds(look: FirstLook, folds: Ids, recipe: Recipe, means: Means) -> Iterator[tuple[Ids, HeldOut]]:
    """Train once for each fold on the rows of the others, and yield what each says of those that it did not see.

    Each training is of the kind of one on all rows: how much of the adapter is used, and in which manner it is trained,
    are decided by all of them. Otherwise an adapter would be judged that nobody trains.

    Args:
        look: The rows.
        folds: The fold of each distinct row; -1 is never held out.
        recipe: The training parameters. Where time is short, it ends before a fold that would take too long.
        means: Where to work.

    Yields:
        The numbers of the distinct rows that were held out, and what was said of them.
    """
    longest_s = (time.monotonic() - look.began_s) if recipe.max_seconds is not None else 0.0
    for train, held_out in splits(folds):
        started = time.monotonic()
        if recipe.max_seconds is not None and started + _MARGIN * longest_s > look.began_s + recipe.max_seconds:
            return
        part = look.only(train)
        tuned = tune(part, replace(recipe, max_seconds=None), means, ignore_steps, look.terms)
        part = part.seen_through(tuned.adapter, means)
        asked, is_tuned = part.features[look.text_ids[held_out]], tuned.adapter is not None
        said = means.run(JudgeTask(part.examples(), look.hidden, recipe.seed, is_tuned, asked))
        yield held_out, HeldOut(said.logits, look.label_ids[held_out], said.similarities, folds=1)
        longest_s = time.monotonic() - started
