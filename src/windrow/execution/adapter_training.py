"""Train an adapter on an encoded training set, and report how it was trained."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from windrow.arrays import Floats
from windrow.domain.job import OnStep
from windrow.domain.recipe import Recipe
from windrow.domain.training_report import AdapterReport
from windrow.domain.values import recast
from windrow.encoders.folder import EncoderFolder
from windrow.encoders.layout import adapted_projections
from windrow.execution.environment import choose_precision
from windrow.execution.tasks import (
    AdapterTensors,
    CrossValidateHeadTask,
    TrainAdapterOutcome,
    TrainAdaptersTask,
    TrainAdapterTask,
)
from windrow.execution.training_set import AdapterPolicy, EncodedTrainingSet, TrainingContext
from windrow.learning.label_sets import share_labels
from windrow.learning.low_rank import scale_adapter
from windrow.learning.plan import num_at_once

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


@dataclass(frozen=True, slots=True, eq=False)
class AdapterTraining:
    """A training of an adapter that is ready to run. Made by :func:`prepare_training`.

    Args:
        training_set: The rows.
        report: How the adapter was chosen; ``None`` if none was requested.
        task: The contrastive training; ``None`` where there is none to do.
    """

    training_set: EncodedTrainingSet
    report: AdapterReport | None
    task: TrainAdapterTask | None

    def finish(self, outcome: TrainAdapterOutcome | None = None) -> TrainedAdapter:
        """Return the adapter at the scale that is used.

        Args:
            outcome: Of the task; ``None`` where there is none.
        """
        if self.report is None or outcome is None:
            return TrainedAdapter(None, self.report)
        adapter = scale_adapter(outcome.adapter, self.report.scale) if outcome.losses else None
        return TrainedAdapter(adapter, _with_outcome(self.report, outcome, self.training_set))


def prepare_training(
    training_set: EncodedTrainingSet, recipe: Recipe, context: TrainingContext, policy: AdapterPolicy | None = None
) -> AdapterTraining:
    """Prepare the training of an adapter, unless none was requested or the frozen encoder leaves nothing to gain.

    Args:
        training_set: The rows.
        recipe: The training parameters.
        context: The training's resources.
        policy: For a fold, the policy of the training on all rows; ``None`` for the training set's own.
    """
    if recipe.num_iterations == 0:
        return AdapterTraining(training_set, None, None)
    report = (policy or training_set.policy).choice
    if report.scale == 0:
        return AdapterTraining(training_set, report, None)
    texts, label_ids = training_set.contrastive_inputs()
    if not share_labels(label_ids):
        report = replace(report, scale=0.0, reason="No label has two texts that could come closer.")
        return AdapterTraining(training_set, report, None)
    deadline_s = None
    if recipe.max_seconds is not None:
        to_finish_s = _ENCODINGS_TO_FINISH * training_set.took_s / training_set.fraction
        deadline_s = training_set.began_s + recipe.max_seconds - to_finish_s
    folder = context.encoder.folder
    full_size = None if policy is None else policy.texts
    task = TrainAdapterTask(
        folder.root,
        folder.base_model,
        texts,
        label_ids,
        recast(Recipe, recipe),
        deadline_s,
        full_size,
        choose_precision(context.threads),
        context.threads,
    )
    return AdapterTraining(training_set, report, task)


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
    training = prepare_training(training_set, recipe, context, policy)
    if training.task is None:
        return training.finish()
    if policy is None:  # folds report their progress one by one
        context.control.report_progress("training")
    return training.finish(context.run(training.task, on_step))


def train_at_once(
    trainings: Sequence[AdapterTraining],
    context: TrainingContext,
    on_step: OnStep,
    head: CrossValidateHeadTask | None = None,
) -> tuple[list[TrainedAdapter], Floats | None]:
    """Train several adapters at the same time, as far as cores and memory allow.

    Args:
        trainings: None of them with a deadline.
        context: The trainings' resources.
        on_step: Called after each step of any with its number among all, the number of all steps, and its loss.
        head: A cross-validation of the head alone to do beside them; ``None`` for none.

    Returns:
        The adapters, and the logits of the head's held-out rows; ``None`` where it was not cross-validated.

    Raises:
        TrainingFailed: A training failed.
        ShuttingDown: The runner was closed.
    """
    tasks = [training.task for training in trainings if training.task is not None]
    if not tasks:
        return [training.finish() for training in trainings], None
    tokens = max(int(task.texts.lengths.sum()) for task in tasks)
    at_once = count_at_once(len(tasks), tokens, context.encoder.folder, context.threads)
    outcome = context.run(TrainAdaptersTask(tuple(tasks), at_once, head), on_step)
    outcomes = iter(outcome.outcomes)
    adapters = [training.finish(None if training.task is None else next(outcomes)) for training in trainings]
    return adapters, None if outcome.head is None else outcome.head.logits


def count_at_once(trainings: int, tokens: int, folder: EncoderFolder, threads: int) -> int:
    """Return how many of several trainings to do at the same time, at least 1.

    Args:
        trainings: How many there are.
        tokens: The number of tokens of the largest one.
        folder: The encoder's folder.
        threads: The threads that they share.
    """
    weights = sum(inputs * outputs for _, (inputs, outputs) in adapted_projections(folder))
    return num_at_once(trainings, tokens, weights, threads)


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
