"""Doing a task: what happens inside a training process, from a task's frame to an outcome's."""

import time
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from statistics import fmean

import numpy as np

from windrow.arrays import Floats
from windrow.domain.errors import BaseModelUnavailable
from windrow.domain.job import OnStep
from windrow.domain.recipe import BaseModel
from windrow.domain.training_report import ScoreReport
from windrow.domain.values import recast
from windrow.encoders.folder import EncoderFolder, read_encoder_folder
from windrow.encoders.layout import top_layers
from windrow.encoders.weights import load_weights
from windrow.execution.environment import describe_environment
from windrow.execution.frames import Frame, flatten, restore
from windrow.execution.tasks import (
    AdapterTensors,
    FitOutcome,
    FitTask,
    JudgeOutcome,
    JudgeTask,
    StudyTask,
    TuneOutcome,
    TuneTask,
)
from windrow.learning.calibrate import (
    ADAPTED_PRIOR,
    HEAD_PRIOR,
    HeldOut,
    apply_temperature,
    estimate_accuracy,
    fit_temperature,
)
from windrow.learning.head import fit_adapted_head
from windrow.learning.head_fitting import Examples, LearningCurve, OutOfFoldLogits, compute_learning_curve, fit_head
from windrow.learning.low_rank import truncate_to_rank
from windrow.learning.plan import LayerConfig, plan_steps
from windrow.learning.scope import label_centroids, measure_scope, similarity_to_nearest
from windrow.storage.artifact import Artifact, artifact_to_bytes


def perform(frame: Frame, on_step: OnStep) -> Frame:
    """Do the task that a frame carries, and return the frame with its outcome.

    Args:
        frame: A task's.
        on_step: Called with step, number of steps and loss as a training goes on.
    """
    if frame.kind == TuneTask.__name__:
        return flatten("done", tune(restore(TuneTask, frame), on_step))
    if frame.kind == JudgeTask.__name__:
        return flatten("done", judge(restore(JudgeTask, frame)))
    if frame.kind == StudyTask.__name__:
        return flatten("done", study(restore(StudyTask, frame)))
    return flatten("done", fit(restore(FitTask, frame)))


def tune(task: TuneTask, on_step: OnStep) -> TuneOutcome:
    """Train an adapter; the same task on the same machine yields the same tensors, unless a deadline cuts it short.

    Raises:
        BaseModelUnavailable: The encoder's files are not those that the task was made with.
    """
    # Only contrastive training needs torch, and only a training process ever does that.
    from windrow.learning.contrastive import ContrastiveInputs, train_layers

    folder, weights = _encoder(task.folder, task.base_model)
    layers = LayerConfig(tuple(top_layers(folder)), folder.heads, folder.layer_norm_epsilon, folder.pooling)
    plan = plan_steps(task.label_ids, task.texts.lengths.astype(np.int64), task.recipe, task.stands_for)
    left_s = None if task.deadline_s is None else task.deadline_s - time.monotonic()
    losses: tuple[float, ...] = ()
    adapter: AdapterTensors = {}
    if left_s is None or left_s > 0:
        tuned = train_layers(ContrastiveInputs(task.texts, task.label_ids, weights, layers, plan), on_step, left_s)
        losses, adapter = tuned.losses, truncate_to_rank(tuned.changes, plan.schedule.rank)
    return recast(
        TuneOutcome,
        plan,
        plan.schedule,
        adapter=adapter,
        layers=min(plan.schedule.layers, len(layers.layers)),
        planned_steps=len(plan.steps),
        losses=losses,
    )


def fit(task: FitTask) -> FitOutcome:
    """Fit the head and finish the artifact; the same task on the same machine yields the same bytes."""
    examples, held_out = task.examples, task.held_out
    if task.adapter is None:
        head, head_report, judged = fit_head(examples, task.seed)
        held_out = None if judged is None else _held_out(examples, judged, task.hidden)
    else:
        head, head_report = fit_adapted_head(examples.features, examples.label_ids)
    prior = HEAD_PRIOR if task.adapter is None else ADAPTED_PRIOR
    temperature = prior.temperature
    if held_out is not None:
        temperature = fit_temperature(held_out.logits, held_out.label_ids, prior)
    rows = slice(len(examples.groups))
    centroids = label_centroids(examples.features[rows], examples.label_ids[rows], task.hidden)
    scope = None if held_out is None else measure_scope(centroids, held_out.similarities)
    scores = ScoreReport(
        temperature=temperature,
        source="prior" if held_out is None else "out_of_fold",
        likeness=None if scope is None else fmean(scope.similarities),
        likeness_deviation=None if scope is None else scope.deviation,
    )
    return FitOutcome(
        artifact=artifact_to_bytes(Artifact(apply_temperature(head, temperature), task.adapter, scope)),
        head=head_report,
        scores=scores,
        estimate=None if held_out is None else estimate_accuracy(held_out),
        versions=describe_environment(),
    )


def judge(task: JudgeTask) -> JudgeOutcome:
    """Fit a head as :func:`fit` would on a part of the rows, and ask it about others."""
    examples, rows = task.examples, slice(len(task.examples.groups))
    if task.is_tuned:
        head, _ = fit_adapted_head(examples.features, examples.label_ids)
    else:
        head, _, _ = fit_head(examples, task.seed)
    centroids = label_centroids(examples.features[rows], examples.label_ids[rows], task.hidden)
    return JudgeOutcome(head.logits(task.asked), similarity_to_nearest(task.asked, centroids))


def study(task: StudyTask) -> LearningCurve:
    """Draw a learning curve of the head."""
    return compute_learning_curve(task.examples, task.folds, task.shares, task.seed)


def _held_out(examples: Examples, judged: OutOfFoldLogits, hidden: int) -> HeldOut:
    """Return what heads said of rows, and how like the rows are to the centers of all that each head may have seen."""
    count = len(examples.groups)
    features, label_ids = examples.features[:count], examples.label_ids[:count]
    # Equal rows are one witness, however often they were sent.
    witnesses = np.stack([examples.groups[judged.rows], label_ids[judged.rows]])
    first = np.sort(np.unique(witnesses, axis=1, return_index=True)[1])
    rows, folds = judged.rows[first], judged.folds[first]
    likeness = np.empty(len(rows), np.float32)
    for fold in np.unique(folds):
        held = rows[folds == fold]
        others = np.flatnonzero(~np.isin(examples.groups, examples.groups[held]))
        centroids = label_centroids(features[others], label_ids[others], hidden)
        likeness[folds == fold] = similarity_to_nearest(features[held], centroids)
    return HeldOut(judged.logits[first], label_ids[rows], likeness, len(np.unique(folds)))


@lru_cache(maxsize=1)
def _encoder(path: Path, base_model: BaseModel) -> tuple[EncoderFolder, Mapping[str, Floats]]:
    folder = read_encoder_folder(path, base_model.id, base_model.revision)
    if folder.base_model.digest != base_model.digest:
        raise BaseModelUnavailable(
            "The files of {base_model} in {folder} changed while the server ran. Restart the server and train again.",
            {"base_model": base_model.id, "folder": str(path)},
        )
    weights = load_weights(folder)
    adapted = tuple(f"layers.{layer}." for layer in top_layers(folder))
    return folder, {name: weights[name] for name in weights if name.startswith(adapted) or name == "bias_by_distance"}
