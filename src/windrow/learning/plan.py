"""The plan of a contrastive training: which texts meet in which step, and how far each step goes."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from windrow.arrays import Ids, Pooling
from windrow.domain.recipe import Recipe

# Up to this many texts, one step sees them all, so that each pass compares every pair. Source: docs/adr/0009.
FULL_STEP_TEXTS = 256
# Texts of one label that go into a step together where not all fit, so that each finds partners there.
GROUP_TEXTS = 4
# The step budget: what all steps together encode, at most. About two minutes on two cores, and 250 MB of states.
MAX_PLANNED_TEXTS = 8_192
MAX_PLANNED_TOKENS = 160_000
# What is kept of a token to differentiate six of MiniLM's layers takes about 140 kB, so a part of a step, which is
# differentiated at once, takes about 600 MB.
MAX_PART_TOKENS = 4_096


@dataclass(frozen=True, slots=True)
class Manner:
    """How steps are taken; one for few texts, one for many. Source: docs/adr/0009, measured.

    Args:
        iterations_a_pass: ``num_iterations`` that make one pass over the texts.
        peak_rate: Learning rate after the warm-up, at most.
        movement: Sum of the learning rates of all steps, at most; further passes then follow the loss more closely
            instead of going further.
        temperature: Of the loss; small where only the nearest of many labels matter.
        layers: Layers that are trained, counted from the last one.
        rank: Of each map's change; with fewer layers there is room for a higher one.
    """

    iterations_a_pass: int
    peak_rate: float
    movement: float
    temperature: float
    layers: int
    rank: int


FEW = Manner(iterations_a_pass=7, peak_rate=5e-4, movement=1e-3, temperature=0.2, layers=6, rank=8)
MANY = Manner(iterations_a_pass=4, peak_rate=3e-4, movement=math.inf, temperature=0.05, layers=3, rank=12)


@dataclass(frozen=True, slots=True)
class LayerPlan:
    """Which layers of an encoder are trained, and how they compute.

    Args:
        layers: Their numbers from 0, in order.
        heads: Attention heads.
        layer_norm_epsilon: Added to variances.
        pooling: How token states become one state a text.
    """

    layers: tuple[int, ...]
    heads: int
    layer_norm_epsilon: float
    pooling: Pooling


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps of one training, fixed before the first. Made by :func:`plan_steps`.

    Args:
        steps: The texts of each step.
        rates: The learning rate of each step.
        manner: How the steps are taken.
        passes: How often each text is met, were there no budget.
        wanted_steps: Steps that this would take.
    """

    steps: tuple[Ids, ...]
    rates: tuple[float, ...]
    manner: Manner
    passes: int
    wanted_steps: int


def plan_steps(label_ids: Ids, lengths: Ids, recipe: Recipe, stands_for: int | None = None) -> Plan:
    """Lay out a training: all texts in one step while they are few, otherwise steps with several texts a label.

    More ``num_iterations`` never give fewer passes, and a larger ``batch_size`` never smaller steps.

    Args:
        label_ids: Each text's label, shape [n].
        lengths: Each text's tokens, shape [n].
        recipe: ``num_iterations``, ``batch_size`` and the seed that shuffles.
        stands_for: The texts of the training that this one, with fewer, is to tell about: it takes steps of the same
            size in the same manner. ``None`` where it is that training itself.
    """
    in_a_step = max(recipe.batch_size, FULL_STEP_TEXTS)
    manner = FEW if (stands_for or len(label_ids)) <= in_a_step else MANY
    if stands_for is not None and manner is MANY:
        in_a_step = math.ceil(stands_for / math.ceil(stands_for / in_a_step))
    passes = math.ceil(recipe.num_iterations / manner.iterations_a_pass)
    generator = np.random.default_rng(recipe.seed)
    wanted = (step for _ in range(passes) for step in _one_pass(label_ids, in_a_step, generator))
    steps = tuple(_within_budget(wanted, lengths))
    wanted_steps = passes * math.ceil(len(label_ids) / in_a_step)
    return Plan(steps, tuple(_rates(len(steps), manner)), manner, passes, wanted_steps)


def sample_rows(label_ids: Ids, lengths: Ids, seed: int) -> Ids:
    """Return the rows that contrastive training looks at: all, or as many of each label as the step budget allows.

    Args:
        label_ids: Shape [n].
        lengths: About how many tokens each row has, shape [n].
        seed: Chooses among a label's rows.

    Returns:
        Row numbers in ascending order, within the step budget but one of each label at least.
    """
    if len(label_ids) <= MAX_PLANNED_TEXTS and lengths.sum() <= MAX_PLANNED_TOKENS:
        return np.arange(len(label_ids))
    rows, turns = _label_by_label(label_ids, np.random.default_rng(seed))
    # Taking first turns first fills small labels before large ones.
    rows = rows[np.argsort(turns, kind="stable")]
    fitting = int(np.searchsorted(np.cumsum(lengths[rows]), MAX_PLANNED_TOKENS, side="right"))
    labels = len(np.unique(label_ids))
    return np.sort(rows[: max(labels, min(fitting, MAX_PLANNED_TEXTS))])


def _within_budget(steps: Iterable[Ids], lengths: Ids) -> Iterator[Ids]:
    texts = tokens = 0
    for step in steps:
        texts += len(step)
        tokens += int(lengths[step].sum())
        # Always one step: a text set beyond the budget is still trained on a share of it.
        if texts > len(step) and (texts > MAX_PLANNED_TEXTS or tokens > MAX_PLANNED_TOKENS):
            return
        yield step


def _one_pass(label_ids: Ids, in_a_step: int, generator: np.random.Generator) -> Iterator[Ids]:
    """Yield steps of nearly the same size that together hold every text once."""
    if len(label_ids) <= in_a_step:
        yield np.arange(len(label_ids))
        return
    rows, turns = _label_by_label(label_ids, generator)
    group = np.cumsum(turns % GROUP_TEXTS == 0) - 1
    place = generator.permutation(int(group[-1]) + 1)
    texts = rows[np.argsort(place[group], kind="stable")]
    yield from np.array_split(texts, math.ceil(len(texts) / in_a_step))


def _label_by_label(label_ids: Ids, generator: np.random.Generator) -> tuple[Ids, Ids]:
    """Return the rows label by label, shuffled within each, and each one's turn among its label's, from 0."""
    order = generator.permutation(len(label_ids))
    rows = order[np.argsort(label_ids[order], kind="stable")]
    counts = np.bincount(label_ids)
    return rows, np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)


def _rates(steps: int, manner: Manner) -> Iterator[float]:
    """Yield a short warm-up, then a straight line down to nearly nothing."""
    warm_up = max(1, steps // 10)
    shares = [min(step / warm_up, (steps - step + 1) / (steps - warm_up + 1)) for step in range(1, steps + 1)]
    peak = min(manner.peak_rate, manner.movement / sum(shares)) if shares else 0.0
    yield from (peak * share for share in shares)
