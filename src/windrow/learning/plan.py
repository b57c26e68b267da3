"""Plan a contrastive training: the texts and the learning rate of each step."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from windrow.arrays import Ids, Labels, Pooling, Precision
from windrow.domain.recipe import Recipe
from windrow.learning.label_sets import count_labels, strata

# Up to this many texts, each step takes all of them, and so compares every pair. Source: docs/adr/0009.
FULL_BATCH_TEXTS = 256
# Up to this many labels, six layers and a wide temperature tell them apart better; above, the nearest of them matter
# most. Source: docs/adr/0009: measured with up to 40 labels, and with 77 and more.
MAX_FEW_LABELS = 40
# Texts of one label that go into a mini-batch together, so that each has positives there.
GROUP_TEXTS = 4
# The step budget: what all steps together encode, at most. About two minutes on two cores, and 250 MB of states.
MAX_PLANNED_TEXTS = 8_192
MAX_PLANNED_TOKENS = 160_000
# The activations of a token in six of MiniLM's layers take about 140 kB, so those of a micro-batch take about 600 MB.
MAX_MICRO_BATCH_TOKENS = 4_096
# Trainings at the same time each have their own copies of the weights, so they get by with smaller steps: two of them
# take no more memory than a large one, for an encoder of MiniLM's size. Larger ones use two threads well by themselves.
MAX_AT_ONCE = 2
# The parts of a step that are computed at the same time. It decides the order of the sums, and so how they are rounded:
# another number gives other weights.
STEP_PARTS = 2
MAX_JOINT_TOKENS = 2_560
MAX_JOINT_WEIGHTS = 22_000_000


@dataclass(frozen=True, slots=True)
class ScheduleConfig:
    """The hyperparameters of a training. Source: docs/adr/0009, measured.

    Args:
        iterations_per_epoch: ``num_iterations`` that make one epoch.
        peak_learning_rate: The maximum learning rate after the warm-up.
        max_lr_sum: The maximum sum of all steps' learning rates; beyond it, more epochs take smaller steps.
        temperature: The loss's; small where only the nearest of many labels matter.
        layers: The number of trained layers, counted from the last one.
        rank: The rank of each projection's change; fewer layers leave room for a higher one.
    """

    iterations_per_epoch: int
    peak_learning_rate: float
    max_lr_sum: float
    temperature: float
    layers: int
    rank: int


FULL_BATCH = ScheduleConfig(
    iterations_per_epoch=7, peak_learning_rate=5e-4, max_lr_sum=1e-3, temperature=0.2, layers=6, rank=8
)
MINI_BATCH = replace(FULL_BATCH, max_lr_sum=math.inf)
MANY_LABELS = ScheduleConfig(
    iterations_per_epoch=4, peak_learning_rate=3e-4, max_lr_sum=math.inf, temperature=0.05, layers=3, rank=12
)


@dataclass(frozen=True, slots=True)
class LayerConfig:
    """The encoder layers that training computes, and their architecture.

    Args:
        layers: The numbers of the layers from 0, in order.
        heads: Attention heads.
        layer_norm_epsilon: Added to variances.
        pooling: How token states become one state per text.
        precision: The type of the operands of the projections' matrix products; everything else is float32.
    """

    layers: tuple[int, ...]
    heads: int
    layer_norm_epsilon: float
    pooling: Pooling
    precision: Precision = "float32"


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps of one training. Made by :func:`plan_steps`.

    Args:
        steps: The texts of each step.
        learning_rates: The learning rate of each step.
        schedule: The hyperparameters.
        epochs: The number of epochs without the step budget.
        requested_steps: The number of steps without the step budget.
    """

    steps: tuple[Ids, ...]
    learning_rates: tuple[float, ...]
    schedule: ScheduleConfig
    epochs: int
    requested_steps: int


def plan_steps(labels: Labels, lengths: Ids, recipe: Recipe, full_size: int | None = None) -> Plan:
    """Plan a training: full-batch steps for few texts, otherwise mini-batches with several texts of a label.

    More ``num_iterations`` never give fewer epochs, and a larger ``batch_size`` never smaller steps.

    Args:
        labels: Each text's label, shape [n], or its label set. Each label has a text, also in a fold.
        lengths: Each text's number of tokens, shape [n].
        recipe: ``num_iterations``, ``batch_size`` and the seed that shuffles.
        full_size: For a fold of a cross-validation, the number of texts of the training that it evaluates, so that both
            have the same schedule and batch size; ``None`` for that training itself.
    """
    label_ids, batch_size = strata(labels), max(recipe.batch_size, FULL_BATCH_TEXTS)
    schedule = FULL_BATCH
    if (full_size or len(label_ids)) > batch_size:
        schedule = MINI_BATCH if count_labels(labels) <= MAX_FEW_LABELS else MANY_LABELS
    if full_size is not None and schedule is not FULL_BATCH:
        batch_size = math.ceil(full_size / math.ceil(full_size / batch_size))
    epochs = math.ceil(recipe.num_iterations / schedule.iterations_per_epoch)
    generator = np.random.default_rng(recipe.seed)
    requested = (step for _ in range(epochs) for step in _one_epoch(label_ids, batch_size, generator))
    steps = tuple(_within_budget(requested, lengths))
    requested_steps = epochs * math.ceil(len(label_ids) / batch_size)
    return Plan(steps, tuple(_learning_rates(len(steps), schedule)), schedule, epochs, requested_steps)


def num_at_once(trainings: int, tokens: int, weights: int, cores: int) -> int:
    """Return how many of several trainings to do at the same time, at least 1.

    Args:
        trainings: How many there are.
        tokens: The number of tokens of the largest one.
        weights: The number of weights that each one trains.
        cores: The cores that they share.
    """
    fitting = min(MAX_JOINT_TOKENS // max(1, tokens), MAX_JOINT_WEIGHTS // max(1, weights))
    return max(1, min(trainings, cores, MAX_AT_ONCE, fitting))


def sample_rows(label_ids: Ids, lengths: Ids, seed: int) -> Ids:
    """Return the rows for contrastive training: all, or a balanced sample within the step budget.

    Args:
        label_ids: Shape [n].
        lengths: The approximate number of tokens of each row, shape [n].
        seed: Chooses among a label's rows.

    Returns:
        Row numbers in ascending order, within the step budget but at least one of each label.
    """
    if len(label_ids) <= MAX_PLANNED_TEXTS and lengths.sum() <= MAX_PLANNED_TOKENS:
        return np.arange(len(label_ids))
    rows, ranks = _label_by_label(label_ids, np.random.default_rng(seed))
    # Taking each label's first rows first samples small labels in full before large ones.
    rows = rows[np.argsort(ranks, kind="stable")]
    fitting = int(np.searchsorted(np.cumsum(lengths[rows]), MAX_PLANNED_TOKENS, side="right"))
    labels = len(np.unique(label_ids))
    return np.sort(rows[: max(labels, min(fitting, MAX_PLANNED_TEXTS))])


def _within_budget(steps: Iterable[Ids], lengths: Ids) -> Iterator[Ids]:
    texts = tokens = 0
    for step in steps:
        texts += len(step)
        tokens += int(lengths[step].sum())
        # Always one step: a set of texts beyond the budget is still trained on a part of it.
        if texts > len(step) and (texts > MAX_PLANNED_TEXTS or tokens > MAX_PLANNED_TOKENS):
            return
        yield step


def _one_epoch(label_ids: Ids, batch_size: int, generator: np.random.Generator) -> Iterator[Ids]:
    """Yield batches of nearly the same size that together hold every text once."""
    if len(label_ids) <= batch_size:
        yield np.arange(len(label_ids))
        return
    rows, ranks = _label_by_label(label_ids, generator)
    group = np.cumsum(ranks % GROUP_TEXTS == 0) - 1
    position = generator.permutation(int(group[-1]) + 1)
    texts = rows[np.argsort(position[group], kind="stable")]
    yield from np.array_split(texts, math.ceil(len(texts) / batch_size))


def _label_by_label(label_ids: Ids, generator: np.random.Generator) -> tuple[Ids, Ids]:
    """Return the rows label by label, shuffled within each, and each row's rank within its label, from 0."""
    order = generator.permutation(len(label_ids))
    rows = order[np.argsort(label_ids[order], kind="stable")]
    counts = np.bincount(label_ids)
    return rows, np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)


def _learning_rates(steps: int, schedule: ScheduleConfig) -> Iterator[float]:
    """Yield a short linear warm-up, then a linear decay to nearly zero."""
    warm_up = max(1, steps // 10)
    fractions = [min(step / warm_up, (steps - step + 1) / (steps - warm_up + 1)) for step in range(1, steps + 1)]
    peak = min(schedule.peak_learning_rate, schedule.max_lr_sum / sum(fractions)) if fractions else 0.0
    yield from (peak * fraction for fraction in fractions)
