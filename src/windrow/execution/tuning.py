"""Tuning: training an adapter on what a first look saw, and saying how it came about."""

from dataclasses import dataclass, replace

import numpy as np

from windrow.domain.job import OnStep
from windrow.domain.recipe import Recipe
from windrow.domain.training_report import AdapterReport
from windrow.domain.values import recast
from windrow.execution.look import FirstLook, Means, Terms
from windrow.execution.tasks import AdapterTensors, TuneOutcome, TuneTask
from windrow.learning.low_rank import scale_adapter

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
    report = (terms or look.terms).choice
    if report.strength == 0:
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
    task = TuneTask(folder.path, folder.base_model, texts, label_ids, recast(Recipe, recipe), deadline_s, stands_for)
    outcome = means.run(task, on_step)
    adapter = scale_adapter(outcome.adapter, report.strength) if outcome.losses else None
    return Tuned(adapter, _with_outcome(report, outcome, look))


def _with_outcome(report: AdapterReport, outcome: TuneOutcome, look: FirstLook) -> AdapterReport:
    steps = len(outcome.losses)
    ended_by = "step_budget" if outcome.planned_steps < outcome.requested_steps or look.share < 1 else "plan"
    if not steps:
        report = replace(report, strength=0.0, reason="The time limit left no time for a step of contrastive training.")
    return recast(
        AdapterReport,
        outcome,
        report,
        steps=steps,
        ended_by="max_seconds" if steps < outcome.planned_steps else ended_by,
        texts=len(look.text_ids),
        used_label_names=look.names > 0,
        first_loss=outcome.losses[0] if steps else None,
        last_loss=outcome.losses[-1] if steps else None,
    )
