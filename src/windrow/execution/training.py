"""Doing a task: what happens inside a training process, from a task's frame to an outcome's.

Owns which function does which task; knows nothing of pipes, names or of what happens to an outcome.
"""

import time
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np

from windrow.domain.classifier import TrainingSummary
from windrow.domain.errors import BaseModelUnavailable
from windrow.domain.recipe import BaseModel
from windrow.encoders.folder import EncoderFolder, read_encoder_folder
from windrow.encoders.layout import top_layers
from windrow.encoders.weights import load_weights
from windrow.execution.environment import describe_environment
from windrow.execution.frames import Frame
from windrow.execution.tasks import AdapterTensors, FitOutcome, FitTask, TuneOutcome, TuneTask
from windrow.learning.adapter import cut_to_rank
from windrow.learning.head import Floats, fit_head, fit_tuned_head
from windrow.learning.plan import plan_steps
from windrow.learning.texts import LayerPlan
from windrow.operations import OnStep
from windrow.storage.artifact import Artifact, artifact_to_bytes


def perform(frame: Frame, on_step: OnStep) -> Frame:
    """Do the task that a frame carries, and return the frame with its outcome.

    Args:
        frame: A task's.
        on_step: Called with step, number of steps and loss as a training goes on.
    """
    if frame.kind == "tune":
        return tune(TuneTask.from_frame(frame), on_step).to_frame()
    return fit(FitTask.from_frame(frame)).to_frame()


def tune(task: TuneTask, on_step: OnStep) -> TuneOutcome:
    """Train an adapter; the same task on the same machine yields the same tensors, unless a deadline cuts it short.

    Raises:
        BaseModelUnavailable: The encoder's files are not those that the task was made with.
    """
    # Only contrastive training needs torch, and only a training process ever does that.
    from windrow.learning.contrastive import Lesson, train_layers

    folder, weights = _encoder(task.folder, task.base_model)
    layers = LayerPlan(tuple(top_layers(folder)), folder.heads, folder.layer_norm_epsilon, folder.pooling)
    plan = plan_steps(task.label_ids, task.texts.lengths.astype(np.int64), task.recipe)
    left_s = None if task.deadline_s is None else task.deadline_s - time.monotonic()
    losses: tuple[float, ...] = ()
    adapter: AdapterTensors = {}
    if left_s is None or left_s > 0:
        tuned = train_layers(Lesson(task.texts, task.label_ids, weights, layers, plan), on_step, left_s)
        losses, adapter = tuned.losses, cut_to_rank(tuned.changes, plan.manner.rank)
    return TuneOutcome(
        adapter=adapter,
        layers=min(plan.manner.layers, len(layers.layers)),
        rank=plan.manner.rank,
        passes=plan.passes,
        wanted_steps=plan.wanted_steps,
        planned_steps=len(plan.steps),
        losses=losses,
    )


def fit(task: FitTask) -> FitOutcome:
    """Fit the head and finish the artifact; the same task on the same machine yields the same bytes."""
    if task.adapter is None:
        head, head_report = fit_head(task.features, task.label_ids, task.recipe.seed, task.anchors)
    else:
        head, head_report = fit_tuned_head(task.features, task.label_ids)
    summary = TrainingSummary(head_report, task.report, describe_environment())
    return FitOutcome(artifact_to_bytes(Artifact(head, task.adapter)), summary)


@lru_cache(maxsize=1)
def _encoder(path: Path, base_model: BaseModel) -> tuple[EncoderFolder, Mapping[str, Floats]]:
    folder = read_encoder_folder(path, base_model.id, base_model.revision)
    if folder.base_model.digest != base_model.digest:
        raise BaseModelUnavailable(
            f"The files of {base_model.id} in {path} changed while the server ran. Restart the server and train again."
        )
    weights = load_weights(folder)
    adapted = tuple(f"layers.{layer}." for layer in top_layers(folder))
    return folder, {name: weights[name] for name in weights if name.startswith(adapted) or name == "bias_by_distance"}
