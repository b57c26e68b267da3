"""Tuning: training an adapter on what a first look saw, and saying how it came about.

Owns whether one is trained at all, and how much of it is used; knows nothing of heads.
"""

from dataclasses import dataclass, replace

import numpy as np

from windrow.domain.classifier import AdapterReport
from windrow.domain.job import OnStep
from windrow.domain.recipe import Recipe
from windrow.execution.look import FirstLook, Means
from windrow.execution.tasks import AdapterTensors, TuneOutcome, TuneTask
from windrow.learning.adapter import scale
from windrow.learning.choice import Strength, choose_strength

# What is left to do after contrastive training takes about so many times what encoding all texts takes.
_ENCODINGS_TO_FINISH = 2.5


@dataclass(frozen=True, slots=True)
class Tuned:
    """What contrastive training gave.

    Args:
        adapter: The change, at the strength that is used; ``None`` for none.
        report: How it came about; ``None`` where none was asked for.
    """

    adapter: AdapterTensors | None
    report: AdapterReport | None


@dataclass(frozen=True, slots=True)
class Terms:
    """What decides the kind of a training, so that one on fewer rows may be of the same kind.

    Args:
        strength: How much of the adapter is used.
        texts: How many texts take part: few are trained in another manner than many.
    """

    strength: Strength
    texts: int


def terms_of(look: FirstLook) -> Terms:
    """Return the terms of a training on all rows of a look."""
    return Terms(choose_strength(look.row_features, look.label_ids), len(look.text_ids) + look.names)


def tune(look: FirstLook, recipe: Recipe, means: Means, on_step: OnStep, terms: Terms | None = None) -> Tuned:
    """Train an adapter, unless none was asked for or the encoder as it is leaves nothing to gain.

    Args:
        look: What to train on.
        recipe: The training parameters.
        means: Where to work.
        on_step: Called with step, number of steps and loss.
        terms: Those of the training that this one, with fewer rows, is to tell about; ``None`` for its own.

    Raises:
        TrainingFailed: The training failed.
        ShuttingDown: The runner was closed.
    """
    if recipe.num_iterations == 0:
        return Tuned(None, None)
    strength = (terms or terms_of(look)).strength
    report = AdapterReport(strength.value, strength.reason, strength.candidates)
    if strength.value == 0:
        return Tuned(None, report)
    texts, label_ids = look.lesson()
    if len(np.unique(label_ids)) == len(label_ids):
        return Tuned(None, replace(report, strength=0.0, reason="No label has two texts that could come closer."))
    deadline_s = None
    if recipe.max_seconds is not None:
        deadline_s = look.began_s + recipe.max_seconds - _ENCODINGS_TO_FINISH * look.took_s / look.share
    if terms is None:  # the others are told fold by fold
        means.watch.tell("training")
    folder = means.encoder.folder
    stands_for = None if terms is None else terms.texts
    task = TuneTask(folder.path, folder.base_model, texts, label_ids, recipe, deadline_s, stands_for)
    outcome = means.run(task, on_step)
    report = _with_outcome(report, outcome, look)
    return Tuned(scale(dict(outcome.adapter), strength.value) if outcome.losses else None, report)


def _with_outcome(report: AdapterReport, outcome: TuneOutcome, look: FirstLook) -> AdapterReport:
    steps = len(outcome.losses)
    ended_by = "step_budget" if outcome.planned_steps < outcome.wanted_steps or look.share < 1 else "plan"
    if not outcome.losses:
        report = replace(report, strength=0.0, reason="max_seconds left no time for a step of contrastive training.")
    return replace(
        report,
        layers=outcome.layers,
        rank=outcome.rank,
        passes=outcome.passes,
        planned_steps=outcome.planned_steps,
        steps=steps,
        ended_by="max_seconds" if steps < outcome.planned_steps else ended_by,
        texts=len(look.text_ids),
        used_label_names=look.names > 0,
        first_loss=outcome.losses[0] if steps else None,
        last_loss=outcome.losses[-1] if steps else None,
    )
