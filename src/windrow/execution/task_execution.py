"""Run tasks inside a training process, from a task's frame to its outcome's."""

import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from statistics import fmean

import numpy as np

from windrow.arrays import Floats
from windrow.domain.errors import BaseModelUnavailable
from windrow.domain.job import OnStep
from windrow.domain.recipe import BaseModel
from windrow.domain.training_report import HeadReport, ScoreReport
from windrow.domain.values import recast
from windrow.encoders.folder import EncoderFolder, read_encoder_folder
from windrow.encoders.layout import top_layers
from windrow.encoders.weights import load_weights
from windrow.execution.environment import describe_environment
from windrow.execution.frames import Frame, flatten, restore
from windrow.execution.tasks import (
    CrossValidateHeadOutcome,
    CrossValidateHeadTask,
    FitOutcome,
    FitTask,
    HoldoutOutcome,
    HoldoutsOutcome,
    HoldoutsTask,
    HoldoutTask,
    LearningCurveTask,
    SearchHeadTask,
    TrainAdapterOutcome,
    TrainAdaptersOutcome,
    TrainAdaptersTask,
    TrainAdapterTask,
)
from windrow.learning.calibrate import HeldOut, temperature_prior
from windrow.learning.calibrated_head import calibrate_head
from windrow.learning.described_head import (
    compute_described_learning_curve,
    cross_validate_described_head,
    fit_described_head,
    search_described_head,
)
from windrow.learning.head import ADAPTED_CS_OF_SETS, LinearHead, fit_adapted_head
from windrow.learning.head_fitting import (
    MAX_CV_WORK,
    Examples,
    HeadSearch,
    LearningCurve,
    OutOfFoldLogits,
    compute_learning_curve,
    cross_validate_head,
    fit_head,
    search_head,
)
from windrow.learning.label_sets import are_label_ids, count_labels, set_ids
from windrow.learning.low_rank import Adapter, truncate_to_rank
from windrow.learning.plan import MAX_AT_ONCE, STEP_PARTS, LayerConfig, Plan, plan_steps
from windrow.learning.scope import label_centroids, measure_scope, similarity_to_nearest
from windrow.learning.zero_shot import multi_label_threshold
from windrow.storage.artifact import Artifact, artifact_to_bytes


def run_task(frame: Frame, on_step: OnStep) -> Frame:
    """Run the task that a frame carries, and return the frame with its outcome.

    Args:
        frame: A task's frame.
        on_step: Called after each step of a training with its number, the number of steps, and the loss.
    """
    if frame.kind == TrainAdapterTask.__name__:
        training = restore(TrainAdapterTask, frame)
        _set_threads(training.threads)
        return flatten("done", train_adapter(training, on_step))
    if frame.kind == TrainAdaptersTask.__name__:
        trainings = restore(TrainAdaptersTask, frame)
        _set_threads(trainings.trainings[0].threads)
        return flatten("done", train_adapters(trainings, on_step))
    return flatten("done", _run_head_task(frame))


def _set_threads(threads: int) -> None:
    """Have torch compute with this many threads: by the task, not by the machine, since they decide how sums round."""
    import torch

    if torch.get_num_threads() != threads:
        torch.set_num_threads(threads)


def _run_head_task(frame: Frame) -> object:
    """Run a task that trains no adapter, and return its outcome."""
    if frame.kind == HoldoutTask.__name__:
        return evaluate_holdout(restore(HoldoutTask, frame))
    if frame.kind == HoldoutsTask.__name__:
        return HoldoutsOutcome(tuple(evaluate_holdout(each) for each in restore(HoldoutsTask, frame).holdouts))
    if frame.kind == SearchHeadTask.__name__:
        asked = restore(SearchHeadTask, frame)
        search = search_head if asked.examples.prior_weights is None else search_described_head
        return search(asked.examples, asked.seed)
    if frame.kind == CrossValidateHeadTask.__name__:
        return _cross_validate_head(restore(CrossValidateHeadTask, frame))
    if frame.kind == LearningCurveTask.__name__:
        return compute_curve(restore(LearningCurveTask, frame))
    return fit(restore(FitTask, frame))


def _cross_validate_head(task: CrossValidateHeadTask) -> CrossValidateHeadOutcome:
    cross_validate = cross_validate_head if task.examples.prior_weights is None else cross_validate_described_head
    return CrossValidateHeadOutcome(cross_validate(task.examples, task.folds, task.needed))


def train_adapter(task: TrainAdapterTask, on_step: OnStep) -> TrainAdapterOutcome:
    """Train an adapter; the same task on the same machine gives the same tensors, unless a deadline ends it.

    Raises:
        BaseModelUnavailable: The encoder's files have changed since the task was created.
    """
    trained = _train_layers(task, on_step)
    with ThreadPoolExecutor(min(MAX_AT_ONCE, task.threads)) as pool:
        return trained.outcome(trained.begin_cut(pool))


def train_adapters(task: TrainAdaptersTask, on_step: OnStep) -> TrainAdaptersOutcome:
    """Train several adapters at the same time; each as :func:`train_adapter` does.

    The steps of all are reported as those of one training.

    Raises:
        BaseModelUnavailable: The encoder's files have changed since the task was created.
    """
    from windrow.learning.contrastive import training_threads

    first, steps = task.trainings[0], _JointSteps(on_step, len(task.trainings))
    _encoder(first.folder, first.base_model)  # kept, so that the threads do not each read it
    with training_threads(task.at_once) as pool:
        trainings = [pool.submit(_train_layers, each, steps.end_step, num_parts=1) for each in task.trainings]
        head = None if task.head is None else pool.submit(_cross_validate_head, task.head)
        # Each training's cut waits behind the trainings that have not begun, so that it fills the time in which fewer
        # are left than there are threads.
        cuts = {training: training.result().begin_cut(pool) for training in as_completed(trainings)}
        return TrainAdaptersOutcome(
            tuple(each.result().outcome(cuts[each]) for each in trainings), None if head is None else head.result()
        )


@dataclass(frozen=True, slots=True, eq=False)
class _TrainedLayers:
    """Layers that were trained, before their changes are cut to a low rank.

    Args:
        plan: The steps.
        layers: The number of layers.
        losses: The loss of each step that was done.
        changes: What training added to each projection.
    """

    plan: Plan
    layers: int
    losses: tuple[float, ...]
    changes: Mapping[str, Floats]

    def begin_cut(self, pool: Executor) -> "list[Future[Adapter]]":
        """Begin to cut the changes to a low rank, in as many parts as threads may compute."""
        names = list(self.changes)
        parts = [{name: self.changes[name] for name in names[part::MAX_AT_ONCE]} for part in range(MAX_AT_ONCE)]
        return [pool.submit(truncate_to_rank, part, self.plan.schedule.rank) for part in parts]

    def outcome(self, cut: "Sequence[Future[Adapter]]") -> TrainAdapterOutcome:
        """Return the outcome of the training, once its changes are cut."""
        tensors = {name: tensor for part in cut for name, tensor in part.result().items()}
        return recast(
            TrainAdapterOutcome,
            self.plan,
            self.plan.schedule,
            adapter={f"{name}.{side}": tensors[f"{name}.{side}"] for name in self.changes for side in ("down", "up")},
            layers=self.layers,
            planned_steps=len(self.plan.steps),
            losses=self.losses,
        )


def _train_layers(task: TrainAdapterTask, on_step: OnStep, num_parts: int = STEP_PARTS) -> _TrainedLayers:
    # Only contrastive training needs torch, so only training processes import it.
    from windrow.learning.contrastive import ContrastiveInputs, train_layers

    folder, weights = _encoder(task.folder, task.base_model)
    layers = LayerConfig(
        tuple(top_layers(folder)), folder.heads, folder.layer_norm_epsilon, folder.pooling, task.precision
    )
    plan = plan_steps(task.label_ids, task.texts.lengths.astype(np.int64), task.recipe, task.full_size)
    left_s = None if task.deadline_s is None else task.deadline_s - time.monotonic()
    num_layers = min(plan.schedule.layers, len(layers.layers))
    if left_s is not None and left_s <= 0:
        return _TrainedLayers(plan, num_layers, (), {})
    inputs = ContrastiveInputs(task.texts, task.label_ids, weights, layers, plan)
    result = train_layers(inputs, on_step, left_s, num_parts)
    return _TrainedLayers(plan, num_layers, result.losses, result.changes)


@dataclass(slots=True)
class _JointSteps:
    """Reports the steps of several trainings as those of one; thread-safe.

    Args:
        on_step: Receives the steps.
        trainings: How many there are.
    """

    on_step: OnStep
    trainings: int
    lock: threading.Lock = field(default_factory=threading.Lock)
    done: int = 0

    def end_step(self, _: int, of: int, loss: float) -> None:
        """Report a step of one training."""
        with self.lock:
            self.done += 1
            # Trainings differ by a row or two, and so by hardly a step.
            self.on_step(self.done, max(self.done, of * self.trainings), loss)


def fit(task: FitTask) -> FitOutcome:
    """Fit and calibrate the head, and build the artifact; the same task on the same machine gives the same bytes."""
    examples, held_out = task.examples, task.held_out
    if task.adapter is None:
        head, head_report, out_of_fold = _fit_head(examples, task.seed, task.search)
        held_out = None if out_of_fold is None else _held_out(examples, out_of_fold, task.hidden_size)
    else:
        c = None if held_out is None else held_out.c
        head, head_report = fit_adapted_head(examples.features, examples.label_ids, c)
    prior = temperature_prior(is_adapted=task.adapter is not None, is_described=examples.prior_weights is not None)
    usual_threshold = None if examples.prior_weights is None else multi_label_threshold(len(examples.prior_weights))
    calibrated = calibrate_head(head, examples.label_ids, held_out, prior, usual_threshold)
    rows = slice(len(examples.groups))
    centroids = label_centroids(examples.features[rows], examples.label_ids[rows], task.hidden_size)
    scope = None if held_out is None else measure_scope(centroids, held_out.similarities)
    scores = ScoreReport(
        temperature=calibrated.temperature,
        source="prior" if held_out is None else "out_of_fold",
        similarity=None if scope is None else fmean(scope.similarities),
        similarity_std=None if scope is None else scope.deviation,
    )
    return FitOutcome(
        artifact=artifact_to_bytes(Artifact(calibrated.head, task.adapter, scope)),
        head=head_report,
        scores=scores,
        estimate=calibrated.estimate,
        label_thresholds=calibrated.label_thresholds,
        versions=describe_environment(task.threads, task.precision),
    )


def _fit_head(
    examples: Examples, seed: int, search: HeadSearch | None = None
) -> tuple[LinearHead, HeadReport, OutOfFoldLogits | None]:
    """Fit the head alone, from the zero-shot head where labels are described."""
    return (fit_head if examples.prior_weights is None else fit_described_head)(examples, seed, search)


def evaluate_holdout(task: HoldoutTask) -> HoldoutOutcome:
    """Fit a head as :func:`fit` does to a part of the rows, and return its output for the held-out rows."""
    examples, rows = task.examples, slice(len(task.examples.groups))
    by_c = None
    if task.is_adapted:
        head, _ = fit_adapted_head(examples.features, examples.label_ids)
        by_c = _logits_by_c(task)
    else:
        head, _, _ = _fit_head(examples, task.seed)
    centroids = label_centroids(examples.features[rows], examples.label_ids[rows], task.hidden_size)
    similarities = similarity_to_nearest(task.holdout_features, centroids)
    return HoldoutOutcome(head.logits(task.holdout_features), similarities, by_c)


def _logits_by_c(task: HoldoutTask) -> Floats | None:
    """Return the logits at each C from which one is to be chosen; ``None`` where there is no choice."""
    features, label_ids = task.examples.features, task.examples.label_ids
    # Four fits in place of the twenty that choose the C of a head alone.
    if are_label_ids(label_ids) or features.size * count_labels(label_ids) > 5 * MAX_CV_WORK:
        return None
    heads = (fit_adapted_head(features, label_ids, c)[0] for c in ADAPTED_CS_OF_SETS)
    return np.stack([head.logits(task.holdout_features) for head in heads])


def compute_curve(task: LearningCurveTask) -> LearningCurve:
    """Compute a learning curve of the head."""
    compute = compute_learning_curve if task.examples.prior_weights is None else compute_described_learning_curve
    return compute(task.examples, task.folds, task.fractions, task.seed)


def _held_out(examples: Examples, out_of_fold: OutOfFoldLogits, hidden_size: int) -> HeldOut:
    """Return held-out rows with their logits, and their similarities to the centroids of each head's training rows."""
    count = len(examples.groups)
    features, label_ids = examples.features[:count], examples.label_ids[:count]
    # Duplicates count once.
    witnesses = np.stack([examples.groups[out_of_fold.rows], set_ids(label_ids)[out_of_fold.rows]])
    first = np.sort(np.unique(witnesses, axis=1, return_index=True)[1])
    rows, folds = out_of_fold.rows[first], out_of_fold.folds[first]
    similarities = np.empty(len(rows), np.float32)
    for fold in np.unique(folds):
        held = rows[folds == fold]
        others = np.flatnonzero(~np.isin(examples.groups, examples.groups[held]))
        centroids = label_centroids(features[others], label_ids[others], hidden_size)
        similarities[folds == fold] = similarity_to_nearest(features[held], centroids)
    return HeldOut(out_of_fold.logits[first], label_ids[rows], similarities, len(np.unique(folds)))


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
    # Trainings take the tensors as they are, so those that are transposed views are laid out once here.
    return folder, {
        name: np.ascontiguousarray(weights[name])
        for name in weights
        if name.startswith(adapted) or name == "bias_by_distance"
    }
