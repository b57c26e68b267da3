"""Estimate the time and memory of a training, and the remaining time while it runs."""

import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import get_args

import numpy as np

from windrow.arrays import Ids, Precision
from windrow.domain.job import Progress, Stage, StageEstimate
from windrow.domain.labelled_rows import LabelledDataset
from windrow.domain.recipe import Recipe
from windrow.encoders.folder import EncoderFolder
from windrow.encoders.layout import feature_size, top_layers
from windrow.encoders.onnx_encoder import TextEncoder, token_counts
from windrow.execution.adapter_training import count_at_once
from windrow.execution.environment import choose_precision
from windrow.execution.holdout import assign_eval_folds, num_folds_needed
from windrow.execution.selection import Selection, select_rows
from windrow.learning.head_fitting import MAX_CV_ROWS, MAX_CV_WORK
from windrow.learning.label_sets import append_label_texts, count_labels
from windrow.learning.model_selection import are_too_few_for_adapter
from windrow.learning.plan import MAX_MICRO_BATCH_TOKENS, Plan, plan_steps

STAGES: tuple[Stage, ...] = get_args(Stage)
# The maximum number of texts to tokenize; the token counts of further texts are extrapolated.
MAX_COUNTED_TEXTS = 2_000
# Initial speeds on two cores, until trainings calibrate them: between those of the slow and the fast machines that were
# measured. Source: bench/forecast.py.
ENCODE_FLOPS = 120e9
TRAIN_FLOPS: Mapping[Precision, float] = {"float32": 100e9, "bfloat16": 200e9}
_TRUNCATE_SECONDS = 5e-10  # to truncate one layer's weight change to a low rank by SVD, per width cubed
# One fit of the head takes _FIT_SECONDS x (rows x labels x rank of the features) ** _FIT_GROWTH seconds. Source:
# docs/adr/0003, with room for machines of half the speed.
_FIT_SECONDS = 1e-5
_FIT_GROWTH = 0.6
_FOLD_SHARE = 0.8  # the time of a fold's training, as a share of the training on all rows
_FITS_WITH_CV = 20  # fits of a head-only training: five folds times four candidates of C
_FITS_OF_MANY_ROWS = 2  # all rows, and all but a fold
_MIN_SECONDS: Mapping[Stage, float] = {
    "encoding": 0.01,
    "training": 0.1,
    "validating": 0.1,
    "finishing": 0.1,
    "saving": 0.02,
}
# The weight of the newest measurement in the calibration.
_NEWEST_WEIGHT = 0.5
# One outlier (the machine was suspended) must not spoil all later estimates.
_MAX_CHANGE = 4.0
# What takes longer than estimated still takes this share of the time that it took already, rather than none: only that
# time says how far the estimate was wrong.
_OVERDUE_SHARE = 0.25
# The resident memory of a training process, for a head alone and with torch. These and the next five were measured, see
# decision 4.
_PROCESS_BYTES = 200_000_000
_TORCH_PROCESS_BYTES = 520_000_000
_FLOAT_BYTES = 4
# The activations of a token that a layer keeps for the backward pass, in multiples of the width.
_ACTIVATION_WIDTHS = 18
# What each further micro-batch of a step leaves behind in the allocator, as a share of what one takes; at most as much
# again.
_FRAGMENTED_SHARE = 0.12
# A trained layer as it was, as it is (its change is computed in that place), the gradients of a step's two parts, and
# the optimizer's two moments.
_LAYER_COPIES = 6
# Features of texts and of rows in the server, in the frame that takes them to the training process, and there: of all
# rows, rotated, and without a fold. Of 50,000 rows that process takes 1.4 GB.
_FEATURE_COPIES = 6
# States in the server, in the frames that take them to the training process, and there.
_STATE_COPIES = 5


@dataclass(frozen=True, slots=True, eq=False)
class Workload:
    """The amount of work of a training.

    Args:
        folder: The encoder's folder.
        dataset: The rows.
        selection: The rows for contrastive training.
        tokens: The number of tokens of the distinct texts.
        selected_tokens: The number of tokens of the rows for contrastive training.
        plan: The steps of contrastive training; ``None`` for none.
        step_tokens: The number of tokens of each step.
        folds: The number of cross-validation folds; each fold repeats the training. 0 where rows that a sample
            was not to have judge it.
        at_once: How many of the training and its folds run at the same time.
        precision: The type of the operands of contrastive training's matrix products.
    """

    folder: EncoderFolder
    dataset: LabelledDataset
    selection: Selection
    tokens: int
    selected_tokens: int
    plan: Plan | None = None
    step_tokens: tuple[int, ...] = ()
    folds: int = 0
    at_once: int = 1
    precision: Precision = "float32"

    @property
    def kind(self) -> str:
        """The key of the calibration: the encoder, whether an adapter is trained, and whether its folds beside it."""
        trained = "adapter" if self.at_once == 1 else "adapters"
        return f"{self.folder.base_model.digest} {'head' if self.plan is None else trained}"

    @property
    def trained_layers(self) -> int:
        """The number of layers that contrastive training changes."""
        return 0 if self.plan is None else min(self.plan.schedule.layers, self.folder.layers)


class CostCalibration:
    """Ratios of measured to estimated durations on this machine; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._factors: dict[tuple[str, Stage], float] = {}

    def factor(self, kind: str, stage: Stage) -> float:
        """Return the factor by which to multiply the uncalibrated estimate."""
        return self._factors.get((kind, stage), 1.0)

    def update(self, kind: str, stage: Stage, estimated_s: float, took_s: float) -> None:
        """Update the factor of a stage by a measured duration.

        Args:
            kind: The training's kind (``Workload.kind``).
            stage: The stage.
            estimated_s: The estimated duration in seconds.
            took_s: The measured duration in seconds.
        """
        change = min(_MAX_CHANGE, max(1 / _MAX_CHANGE, took_s / estimated_s))
        with self._lock:
            factor = self.factor(kind, stage)
            self._factors[kind, stage] = factor * change**_NEWEST_WEIGHT


def measure_workload(
    dataset: LabelledDataset,
    recipe: Recipe,
    encoder: TextEncoder,
    threads: int,
    descriptions: Mapping[str, str] | None = None,
) -> Workload:
    """Measure the work of a training from its rows, without encoding or training.

    Args:
        dataset: Checked rows.
        recipe: Checked parameters.
        encoder: Tokenizes the texts.
        threads: The threads with which an adapter is trained.
        descriptions: What labels mean, by label; not every label needs one.
    """
    selection = select_rows(dataset, recipe, encoder, MAX_COUNTED_TEXTS, descriptions)
    lengths, left_out_tokens = _token_counts(dataset, selection, encoder)
    row_lengths = lengths[selection.text_ids]
    workload = Workload(
        encoder.folder, dataset, selection, int(lengths.sum()) + left_out_tokens, int(row_lengths.sum())
    )
    is_described = len(selection.described_ids) > 0
    if recipe.num_iterations == 0 or are_too_few_for_adapter(selection.label_ids, is_described=is_described):
        return workload
    names = token_counts(selection.name_tokens)
    step_lengths = np.concatenate([row_lengths, names])
    names_of = np.concatenate([np.arange(count_labels(selection.label_ids)), selection.described_ids])
    plan = plan_steps(append_label_texts(selection.label_ids, names_of), step_lengths, recipe)
    step_tokens = tuple(int(step_lengths[step].sum()) for step in plan.steps)
    workload = replace(workload, plan=plan, step_tokens=step_tokens, precision=choose_precision(threads))
    if not recipe.cross_validate or len(selection.held_out):
        return workload
    folds = num_folds_needed(assign_eval_folds(selection.label_ids, selection.text_ids, recipe.seed))
    at_once = 1
    if recipe.max_seconds is None:
        at_once = count_at_once(folds + 1, int(step_lengths.sum()), encoder.folder, threads)
    return replace(workload, folds=folds, at_once=at_once)


def estimate_stages(workload: Workload, recipe: Recipe, calibration: CostCalibration) -> tuple[StageEstimate, ...]:
    """Estimate the duration of each stage, in order.

    Args:
        workload: The training's work.
        recipe: Its ``max_seconds`` limits the stages.
        calibration: This machine's calibration.
    """
    left_s = recipe.max_seconds
    parts: list[StageEstimate] = []
    for part in _stage_costs(workload):
        seconds = part.seconds * calibration.factor(workload.kind, part.stage)
        if left_s is not None and part.stage in ("training", "validating"):
            seconds = max(0.0, min(seconds, left_s - sum(each.seconds for each in parts)))
        parts.append(replace(part, seconds=round(seconds, 2)))
    return tuple(parts)


def estimate_memory(workload: Workload) -> tuple[int, str]:
    """Return the peak resident memory of a training in bytes, beside the server's own, and the reason."""
    folder, rows = workload.folder, len(workload.dataset.rows)
    # Features of all texts, and their states before the adapted layers.
    copies = _FEATURE_COPIES + (len(workload.selection.held_out) > 0)  # with the adapter, and without it
    features = copies * rows * feature_size(folder) * _FLOAT_BYTES
    states = _STATE_COPIES * workload.selected_tokens * folder.hidden_size * _FLOAT_BYTES
    weights = workload.trained_layers * 12 * folder.hidden_size**2 * _FLOAT_BYTES * _LAYER_COPIES * workload.at_once
    process = _PROCESS_BYTES if workload.plan is None else _TORCH_PROCESS_BYTES
    step = _step_bytes(workload)
    trained = "the trained layers, and what a step of contrastive training keeps of them"
    largest = max(
        (features, f"the features of {rows} rows"),
        (
            states + weights + step,
            f"the states of {workload.selected_tokens} tokens" if workload.plan is None else trained,
        ),
    )
    total = process + features + states + weights + step
    return total, f"{process // 10**6} MB for the training process itself; most of the rest is {largest[1]}."


def _step_bytes(workload: Workload) -> int:
    """Return what a step keeps of the trained layers; 0 without steps."""
    tokens = max(workload.step_tokens, default=0) * workload.at_once
    widths = min(tokens, MAX_MICRO_BATCH_TOKENS) * workload.trained_layers * _ACTIVATION_WIDTHS
    further = max(0, -(-tokens // MAX_MICRO_BATCH_TOKENS) - 1)
    left_behind = min(1.0, _FRAGMENTED_SHARE * further)
    return int((1 + left_behind) * widths * workload.folder.hidden_size * _FLOAT_BYTES)


class EtaEstimator:
    """Estimates a running training's remaining time, and updates the calibration when it has ended; thread-safe.

    Args:
        calibration: This machine's calibration.
        clock: A monotonic clock in seconds.
    """

    def __init__(self, calibration: CostCalibration, clock: Callable[[], float] = time.monotonic) -> None:
        self._calibration = calibration
        self._clock = clock
        self._kind = ""
        self._seconds: dict[Stage, float] = {}
        self._began: list[tuple[Stage, float]] = []
        # The numbers of the stage's first and last completed step, and when these were.
        self._first = self._last = (0, 0.0)
        self._lock = threading.Lock()

    def begin(self, kind: str, parts: Sequence[StageEstimate]) -> None:
        """Set the estimates of a training that begins now.

        Args:
            kind: The training's kind (``Workload.kind``).
            parts: The estimate of each stage.
        """
        self._kind = kind
        self._seconds = {part.stage: part.seconds for part in parts}

    def seconds_left(self, progress: Progress) -> float | None:
        """Return the remaining seconds at this progress, which may be an old one; ``None`` without estimates."""
        now = self._clock()
        with self._lock:
            if not self._began or self._began[-1][0] != progress.stage:
                self._began.append((progress.stage, now))
                self._first = self._last = (0, now)
            if progress.step != self._last[0]:
                # The first step waits for libraries that are loaded.
                self._first = self._first if self._first[0] else (progress.step, now)
                self._last = (progress.step, now)
            began_s, (first, first_s), (step, completed_s) = self._began[-1][1], self._first, self._last
        if not self._seconds:
            return None
        if step and progress.num_steps:
            if step > first:
                step_s = (completed_s - first_s) / (step - first)
            else:
                estimated_s = self._seconds.get(progress.stage, math.inf) / progress.num_steps
                step_s = min((completed_s - began_s) / step, estimated_s)
            own = step_s * (progress.num_steps - step) - (now - completed_s)
        else:
            own = self._seconds.get(progress.stage, 0.0) - (now - began_s)
        own = max(own, _OVERDUE_SHARE * (now - completed_s))
        later = STAGES[STAGES.index(progress.stage) + 1 :]
        return own + sum(self._seconds.get(stage, 0.0) for stage in later)

    def end(self) -> None:
        """Update the calibration by the duration of each stage."""
        ends = [began for _, began in self._began[1:]] + [self._clock()]
        for (stage, began), ended in zip(self._began, ends, strict=True):
            estimated_s = self._seconds.get(stage, 0.0)
            if estimated_s > 0:
                self._calibration.update(self._kind, stage, estimated_s, ended - began)


def _stage_costs(workload: Workload) -> Iterator[StageEstimate]:
    """Yield the uncalibrated estimate of each stage."""
    folder, plan = workload.folder, workload.plan
    rows, labels, is_sample = len(workload.dataset.rows), len(workload.dataset.labels), workload.selection.fraction < 1
    head = (_head_seconds if plan is None else _fit_seconds)(rows, labels, folder)
    selected = f"{len(workload.selection.numbers)} distinct rows ({workload.selected_tokens} tokens)"
    yield _stage_cost(
        "encoding",
        _flops(folder, workload.selected_tokens, folder.layers) / ENCODE_FLOPS,
        f"{selected} go through {folder.layers} layers once.",
    )
    if plan is not None:
        layers, step_tokens = workload.trained_layers, sum(workload.step_tokens)
        training = 3 * _flops(folder, step_tokens, layers) / TRAIN_FLOPS[workload.precision]
        training += _TRUNCATE_SECONDS * layers * folder.hidden_size**3
        count, largest = len(plan.steps), max(map(len, plan.steps), default=0)
        why = f"{count} steps, each over up to {largest} texts, in {layers} layers"
        why = f"{why}: {step_tokens} tokens forwards and backwards"
        encode = _flops(folder, workload.selected_tokens, layers) / ENCODE_FLOPS
        again, judging = training * _FOLD_SHARE * workload.folds, workload.folds * (encode + head)
        parts = f"{workload.folds} times more without a part of the rows, to judge it by that part"
        if workload.at_once > 1:
            yield _stage_cost("training", training + again, f"{why}, and at the same time {parts}.")
            yield _stage_cost("validating", judging, "The parts are encoded by what was trained without them.")
        else:
            yield _stage_cost("training", training, f"{why}.")
        if workload.folds and workload.at_once == 1:
            why = f"The training is done {parts}; without cross-validation that is left out."
            yield _stage_cost("validating", again + judging, why)
    fitted = f"the head is fitted to {rows} rows of {labels} labels."
    encode_all = _flops(folder, workload.tokens, folder.layers if is_sample else len(top_layers(folder))) / ENCODE_FLOPS
    held_out, texts = len(workload.selection.held_out), len(workload.dataset.distinct_texts)
    encoded = f"{texts} texts ({workload.tokens} tokens) are encoded as they will be served"
    if held_out and plan is not None:
        why = f"{encoded}, with the adapter and without it, and {held_out} rows that trained neither judge."
        yield _stage_cost("validating", 2 * encode_all + _head_seconds(rows, labels, folder) + head, why)
    elif plan is not None or is_sample:
        head += encode_all
        fitted = f"{encoded}, and {fitted}"
    yield _stage_cost("finishing", head, fitted.capitalize())
    yield _stage_cost("saving", 0.0, "The classifier is written, read back and asked once.")


def _stage_cost(stage: Stage, seconds: float, reason: str) -> StageEstimate:
    return StageEstimate(stage, _MIN_SECONDS[stage] + seconds, reason)


def _fit_seconds(rows: int, labels: int, folder: EncoderFolder) -> float:
    """Return what one fit of the head takes."""
    seconds: float = _FIT_SECONDS * _fit_work(rows, labels, folder) ** _FIT_GROWTH
    return seconds


def _head_seconds(rows: int, labels: int, folder: EncoderFolder) -> float:
    """Return what the head alone takes, with the choice of its C by all rows or by a sample of them."""
    if _fit_work(rows, labels, folder) <= MAX_CV_WORK:
        return _FITS_WITH_CV * _fit_seconds(rows, labels, folder)
    seconds = _FITS_OF_MANY_ROWS * _fit_seconds(rows, labels, folder)
    # The fold that is held out has no say in the choice.
    drawn = min(MAX_CV_ROWS, rows * 4 // 5)
    if _fit_work(drawn, labels, folder) <= MAX_CV_WORK:
        seconds += _FITS_WITH_CV * _fit_seconds(drawn, labels, folder)
    return seconds


def _fit_work(rows: int, labels: int, folder: EncoderFolder) -> int:
    return rows * labels * min(rows, feature_size(folder))


def _flops(folder: EncoderFolder, tokens: int, layers: int) -> float:
    """Return the floating-point operations of a forward pass: two per token and weight of the six projections."""
    weights = 4 * folder.hidden_size**2 + 2 * folder.hidden_size * folder.intermediate_size
    return 2.0 * tokens * layers * weights


def _token_counts(dataset: LabelledDataset, selection: Selection, encoder: TextEncoder) -> tuple[Ids, int]:
    """Return the number of tokens of each selected text, shape (texts,), and the total of all other texts.

    Texts that were not tokenized are extrapolated from the others.
    """
    read = token_counts(selection.tokens).astype(np.int64)
    if len(read) == len(dataset.distinct_texts):
        return read, 0
    bytes_a_token = sum(len(text.encode()) for text in selection.texts[: len(read)]) / max(1, int(read.sum()))

    def guess(texts: Iterable[str]) -> list[int]:
        return [min(encoder.folder.max_tokens, round(len(text.encode()) / bytes_a_token)) for text in texts]

    lengths = np.concatenate([read, np.array(guess(selection.texts[len(read) :]), np.int64)])
    selected = set(selection.texts)
    return lengths, sum(guess(text for text in dataset.distinct_texts if text not in selected))
