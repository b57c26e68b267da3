"""Forecasts: how long a training will take and how much memory, and, while it runs, how long it still takes."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import get_args

import numpy as np

from windrow.arrays import Ids
from windrow.domain.dataset import Dataset
from windrow.domain.job import ForecastPart, Progress, Stage
from windrow.domain.recipe import Recipe
from windrow.encoders.folder import EncoderFolder
from windrow.encoders.layout import feature_size, top_layers
from windrow.encoders.onnx_encoder import TextEncoder, token_counts
from windrow.execution.folds import deal_judging, folds_needed
from windrow.execution.selection import Selection, select_rows
from windrow.learning.head_fitting import MAX_CV_WORK
from windrow.learning.plan import MAX_MICRO_BATCH_TOKENS, Plan, plan_steps

STAGES: tuple[Stage, ...] = get_args(Stage)
# So many texts are counted token by token; of more, the others are taken to be like them.
COUNTED_TEXTS = 2_000
# Until this machine has taught better, on two cores. Source: bench/forecast.py.
ENCODE_FLOPS = 60e9
TRAIN_FLOPS = 60e9
_SECONDS_A_CUT = 5e-10  # of a trained layer's changes to a low rank, times the cube of the width
# Of a head: times a power of rows x labels x the features that they span, for small ones are mostly overhead.
_SECONDS_A_FIT = 3e-5
_FIT_GROWTH = 0.6
_FITS_TO_CHOOSE = 20  # of a head alone: five folds, four strengths
_FITS_OF_MANY = 2  # where there is too much to choose by
_SECONDS_AT_LEAST: Mapping[Stage, float] = {
    "encoding": 0.01,
    "training": 0.1,
    "judging": 0.1,
    "finishing": 0.1,
    "saving": 0.02,
}
# Of what a training took against what was said.
_NEWEST_WEIGHT = 0.5
# One odd training (the machine slept) must not spoil all later forecasts.
_MOST_CHANGE = 4.0
# What a training process takes once it has had its first task.
_PROCESS_BYTES = 200_000_000
_FLOAT_BYTES = 4
# What is kept of a token in each layer to differentiate it, in multiples of the width.
_KEPT_WIDTHS = 15


@dataclass(frozen=True, slots=True, eq=False)
class Size:
    """How large a training is.

    Args:
        folder: Of the encoder.
        dataset: The rows.
        selection: Those that contrastive training may see.
        tokens: Of the distinct texts.
        selected_tokens: Of the distinct rows that contrastive training may see.
        plan: The steps of contrastive training; ``None`` where none is asked for.
        step_tokens: Of each of its steps.
        folds: Trainings that judge it; 0 for none.
    """

    folder: EncoderFolder
    dataset: Dataset
    selection: Selection
    tokens: int
    selected_tokens: int
    plan: Plan | None = None
    step_tokens: tuple[int, ...] = ()
    folds: int = 0

    @property
    def kind(self) -> str:
        """What it has in common with others that take as long for the same work: its encoder, and what is trained."""
        return f"{self.folder.base_model.digest} {'head' if self.plan is None else 'adapter'}"

    @property
    def trained_layers(self) -> int:
        """How many layers contrastive training changes."""
        return 0 if self.plan is None else min(self.plan.schedule.layers, self.folder.layers)


class Pace:
    """What this machine taught about how long stages take; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._factors: dict[tuple[str, Stage], float] = {}

    def factor(self, kind: str, stage: Stage) -> float:
        """Return by what the arithmetic's seconds are to be multiplied."""
        return self._factors.get((kind, stage), 1.0)

    def learn(self, kind: str, stage: Stage, said_s: float, took_s: float) -> None:
        """Take to heart how long a stage took.

        Args:
            kind: Of the training.
            stage: The stage.
            said_s: What was said of it, in seconds.
            took_s: What it took, in seconds.
        """
        change = min(_MOST_CHANGE, max(1 / _MOST_CHANGE, took_s / said_s))
        with self._lock:
            factor = self.factor(kind, stage)
            self._factors[kind, stage] = factor * change**_NEWEST_WEIGHT


def measure_size(dataset: Dataset, recipe: Recipe, encoder: TextEncoder) -> Size:
    """Return how large a training is. Reads texts and trains nothing.

    Args:
        dataset: Checked rows.
        recipe: Checked parameters.
        encoder: Its tokenizer counts.
    """
    selection = select_rows(dataset, recipe, encoder, COUNTED_TEXTS)
    lengths, left_out_tokens = _token_counts(dataset, selection, encoder)
    row_lengths = lengths[selection.text_ids]
    size = Size(encoder.folder, dataset, selection, int(lengths.sum()) + left_out_tokens, int(row_lengths.sum()))
    if recipe.num_iterations == 0:
        return size
    names = token_counts(selection.name_tokens)
    step_lengths = np.concatenate([row_lengths, names])
    plan = plan_steps(np.concatenate([selection.label_ids, np.arange(len(names))]), step_lengths, recipe)
    step_tokens = tuple(int(step_lengths[step].sum()) for step in plan.steps)
    folds = 0
    if recipe.cross_validate:
        folds = folds_needed(deal_judging(selection.label_ids, selection.text_ids, recipe.seed))
    return replace(size, plan=plan, step_tokens=step_tokens, folds=folds)


def forecast_parts(size: Size, recipe: Recipe, pace: Pace) -> tuple[ForecastPart, ...]:
    """Return what each stage takes, in their order.

    Args:
        size: How large the training is.
        recipe: Its ``max_seconds`` cuts what is long.
        pace: What this machine taught.
    """
    left_s = recipe.max_seconds
    parts: list[ForecastPart] = []
    for part in _parts(size):
        seconds = part.seconds * pace.factor(size.kind, part.stage)
        if left_s is not None and part.stage in ("training", "judging"):
            seconds = max(0.0, min(seconds, left_s - sum(each.seconds for each in parts)))
        parts.append(replace(part, seconds=round(seconds, 2)))
    return tuple(parts)


def forecast_memory(size: Size) -> tuple[int, str]:
    """Return what a training needs at its peak, in bytes beside what the server has, and why."""
    folder, rows = size.folder, len(size.dataset.rows)
    # Features of all texts, in the server and in the training process, and their states before the adapted layers.
    features = 3 * rows * feature_size(folder) * _FLOAT_BYTES
    states = 2 * size.selected_tokens * folder.hidden_size * _FLOAT_BYTES
    weights = size.trained_layers * 12 * folder.hidden_size**2 * _FLOAT_BYTES * 4  # with gradients and two moments
    kept = min(max(size.step_tokens, default=0), MAX_MICRO_BATCH_TOKENS) * size.trained_layers * _KEPT_WIDTHS
    step = kept * folder.hidden_size * _FLOAT_BYTES
    trained = "the trained layers, and what a step of contrastive training keeps of them"
    largest = max(
        (features, f"the features of {rows} rows"),
        (
            states + weights + step,
            f"the states of {size.selected_tokens} tokens" if size.plan is None else trained,
        ),
    )
    total = _PROCESS_BYTES + features + states + weights + step
    return total, f"{_PROCESS_BYTES // 10**6} MB for the training process itself; most of the rest is {largest[1]}."


class Countdown:
    """Tells how long a training still takes, while it goes on, and teaches the pace when it has ended.

    Args:
        pace: What this machine taught.
        clock: Seconds, monotonic.
    """

    def __init__(self, pace: Pace, clock: Callable[[], float] = time.monotonic) -> None:
        self._pace = pace
        self._clock = clock
        self._kind = ""
        self._seconds: dict[Stage, float] = {}
        self._began: list[tuple[Stage, float]] = []

    def begin(self, kind: str, parts: Sequence[ForecastPart]) -> None:
        """Take the forecast of a training that begins now.

        Args:
            kind: Of the training.
            parts: What each stage takes.
        """
        self._kind = kind
        self._seconds = {part.stage: part.seconds for part in parts}

    def left(self, progress: Progress) -> float | None:
        """Return the seconds that are left, in the light of how far it is; ``None`` without a forecast."""
        now = self._clock()
        if not self._began or self._began[-1][0] != progress.stage:
            self._began.append((progress.stage, now))
        if not self._seconds:
            return None
        took_s = now - self._began[-1][1]
        stage_s = self._seconds.get(progress.stage, 0.0)
        if progress.step and progress.of:
            own = took_s / progress.step * (progress.of - progress.step)
        else:
            own = max(0.0, stage_s - took_s)
        later = STAGES[STAGES.index(progress.stage) + 1 :]
        return own + sum(self._seconds.get(stage, 0.0) for stage in later)

    def end(self) -> None:
        """Teach the pace how long each stage took."""
        ends = [began for _, began in self._began[1:]] + [self._clock()]
        for (stage, began), ended in zip(self._began, ends, strict=True):
            said_s = self._seconds.get(stage, 0.0)
            if said_s > 0:
                self._pace.learn(self._kind, stage, said_s, ended - began)


def _parts(size: Size) -> Iterator[ForecastPart]:
    """Yield each stage with what the arithmetic says of it."""
    folder, plan = size.folder, size.plan
    rows, labels, is_sample = len(size.dataset.rows), len(size.dataset.labels), size.selection.share < 1
    work = rows * labels * min(rows, feature_size(folder))
    head = _SECONDS_A_FIT * work**_FIT_GROWTH
    if plan is None:
        head *= _FITS_TO_CHOOSE if work <= MAX_CV_WORK else _FITS_OF_MANY
    selected = f"{len(size.selection.numbers)} distinct rows ({size.selected_tokens} tokens)"
    yield _part(
        "encoding",
        _flops(folder, size.selected_tokens, folder.layers) / ENCODE_FLOPS,
        f"{selected} go through {folder.layers} layers once.",
    )
    if plan is not None:
        layers, step_tokens = size.trained_layers, sum(size.step_tokens)
        training = 3 * _flops(folder, step_tokens, layers) / TRAIN_FLOPS
        training += _SECONDS_A_CUT * layers * folder.hidden_size**3
        count, largest = len(plan.steps), max(map(len, plan.steps), default=0)
        why = f"{count} steps, each over up to {largest} texts, in {layers} layers"
        yield _part("training", training, f"{why}: {step_tokens} tokens forwards and backwards.")
        if size.folds:
            encode = _flops(folder, size.selected_tokens, layers) / ENCODE_FLOPS
            seconds = size.folds * (training * 0.8 + encode + head)
            why = f"The training is done {size.folds} times more without a part of the rows, to judge it by that part"
            yield _part("judging", seconds, f"{why}; without cross-validation that is left out.")
    fitted = f"the head is fitted to {rows} rows of {labels} labels."
    if plan is not None or is_sample:
        layers = folder.layers if is_sample else len(top_layers(folder))
        head += _flops(folder, size.tokens, layers) / ENCODE_FLOPS
        texts = len(size.dataset.distinct_texts)
        fitted = f"{texts} texts ({size.tokens} tokens) are encoded as they will be served, and {fitted}"
    yield _part("finishing", head, fitted.capitalize())
    yield _part("saving", 0.0, "The classifier is written, read back and asked once.")


def _part(stage: Stage, seconds: float, reason: str) -> ForecastPart:
    return ForecastPart(stage, _SECONDS_AT_LEAST[stage] + seconds, reason)


def _flops(folder: EncoderFolder, tokens: int, layers: int) -> float:
    """Return what so many tokens take through so many layers: two for each weight of the six maps."""
    weights = 4 * folder.hidden_size**2 + 2 * folder.hidden_size * folder.intermediate_size
    return 2.0 * tokens * layers * weights


def _token_counts(dataset: Dataset, selection: Selection, encoder: TextEncoder) -> tuple[Ids, int]:
    """Return how many tokens each selected text has, and all others have together.

    Texts that were not read are taken to be like those that were.
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
