"""Train an adapter on an encoded training set, and report how it was trained."""

from dataclasses import dataclass, replace

import numpy as np

from windrow.domain.job import OnStep
from windrow.domain.recipe import Recipe
from windrow.domain.training_report import AdapterReport
from windrow.domain.values import recast
from windrow.execution.environment import choose_precision
from windrow.execution.tasks import AdapterTensors, TrainAdapterOutcome, TrainAdapterTask
from windrow.execution.training_set import AdapterPolicy, EncodedTrainingSet, TrainingContext
from windrow.learning.low_rank import scale_adapter

# The time to finish after contrastive training, as a multiple of the time to encode all texts.
_ENCODINGS_TO_FINISH = 2.5


@dataclass(frozen=True, slots=True)
class TrainedAdapter:
    """The result of adapter training.

    Args:
        adapter: The adapter at the scale that is used; ``None`` for none.
        report: How it was trained; ``None`` if none was requested.
    """

    adapter: AdapterTensors | None
    report: AdapterReport | None


def train_adapter(
    training_set: EncodedTrainingSet,
    recipe: Recipe,
    context: TrainingContext,
    on_step: OnStep,
    policy: AdapterPolicy | None = None,
) -> TrainedAdapter:
    """Train an adapter, unless none was requested or the frozen encoder leaves nothing to gain.

    Args:
        training_set: The rows.
        recipe: The training parameters.
        context: The training's resources.
        on_step: Called after each step with its number, the number of steps, and the loss.
        policy: For a fold, the policy of the training on all rows; ``None`` for the training set's own.

    Raises:
        TrainingFailed: The training failed.
        ShuttingDown: The runner was closed.
    """
    if recipe.num_iterations == 0:
        return TrainedAdapter(None, None)
    report = (policy or training_set.policy).choice
    if report.scale == 0:
        return TrainedAdapter(None, report)
    texts, label_ids = training_set.contrastive_inputs()
    if len(np.unique(label_ids)) == len(label_ids):
        return TrainedAdapter(None, replace(report, scale=0.0, reason="No label has two texts that could come closer."))
    deadline_s = None
    if recipe.max_seconds is not None:
        deadline_s = (
            training_set.began_s
            + recipe.max_seconds
            - _ENCODINGS_TO_FINISH * training_set.took_s / training_set.fraction
        )
    if policy is None:  # folds report their progress one by one
        context.control.report_progress("training")
    folder = context.encoder.folder
    full_size = None if policy is None else policy.texts
    task = TrainAdapterTask(
        folder.path,
        folder.base_model,
        texts,
        label_ids,
        recast(Recipe, recipe),
        deadline_s,
        full_size,
        choose_precision(),
    )
    outcome = context.run(task, on_step)
    adapter = scale_adapter(outcome.adapter, report.scale) if outcome.losses else None
    return TrainedAdapter(adapter, _with_outcome(report, outcome, training_set))


def _with_outcome(
    report: AdapterReport, outcome: TrainAdapterOutcome, training_set: EncodedTrainingSet
) -> AdapterReport:
    steps = len(outcome.losses)
    ended_by = "step_budget" if outcome.planned_steps < outcome.requested_steps or training_set.fraction < 1 else "plan"
    if not steps:
        report = replace(report, scale=0.0, reason="The time limit left no time for a step of contrastive training.")
    return recast(
        AdapterReport,
        outcome,
        report,
        steps=steps,
        ended_by="max_seconds" if steps < outcome.planned_steps else ended_by,
        texts=len(training_set.text_ids),
        used_label_names=training_set.num_label_names > 0,
        first_loss=outcome.losses[0] if steps else None,
        last_loss=outcome.losses[-1] if steps else None,
    )
