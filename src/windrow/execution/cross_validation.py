"""Cross-validate a recipe on labelled rows, and report metrics, label errors, a learning curve and advice."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from windrow.arrays import Bools, Floats, Ids
from windrow.domain.cross_validation import CrossValidation, CurvePoint, LabelAdvice
from windrow.domain.dataset import Dataset, DataWarning
from windrow.domain.quality_warnings import warn_of_majority
from windrow.domain.recipe import Recipe
from windrow.domain.report import Misclassified
from windrow.domain.values import recast
from windrow.execution.training_set import TrainingContext, encode_training_set
from windrow.execution.validation_folds import (
    CURVE_FRACTIONS,
    evaluate_out_of_fold,
    truncation_warnings,
    validation_warnings,
)
from windrow.learning.advise import TOO_FEW_ROWS, advise, find_label_errors, is_half, recommend_iterations
from windrow.learning.calibrate import Prior, fit_temperature, widened
from windrow.learning.compare import compare_pair
from windrow.learning.evaluate import compute_metrics, majority_baseline
from windrow.learning.head import softmax
from windrow.learning.head_fitting import LearningCurve

MAX_LABEL_ERRORS = 100


@dataclass(frozen=True, eq=False)
class _HeldOutRows:
    """The held-out rows of a cross-validation, with the outputs for them.

    Args:
        dataset: All rows.
        numbers: The number of each held-out row in the data; shape [m].
        label_ids: The label of each; shape [m].
        folds: The fold of each; shape [m].
        curve: The learning curve of the head alone.
        logits: The logits of the requested trainings; shape [m, labels].
        is_adapted: Whether these train an adapter.
        head_recommendation: What to say where they were to, and none is trained.
        prior: The prior of the temperature for them.
    """

    dataset: Dataset
    numbers: Ids
    label_ids: Ids
    folds: Ids
    curve: LearningCurve
    logits: Floats
    is_adapted: bool
    head_recommendation: str
    prior: Prior

    @cached_property
    def truth(self) -> list[str]:
        """The label of each held-out row."""
        labels = self.dataset.labels
        return [labels[label_id] for label_id in self.label_ids]

    def is_right(self, logits: Floats) -> Bools:
        """Return whether each held-out row is classified correctly."""
        right: Bools = logits.argmax(axis=1) == self.label_ids
        return right

    def recalls(self, is_right: Bools) -> dict[str, float]:
        """Return the recall of each label that has held-out rows."""
        labels, totals = self.dataset.labels, np.bincount(self.label_ids)
        right = np.bincount(self.label_ids, is_right)
        return {labels[label_id]: float(right[label_id] / totals[label_id]) for label_id in np.flatnonzero(totals)}


def cross_validate(
    dataset: Dataset,
    folds: int,
    recipe: Recipe,
    context: TrainingContext,
    descriptions: Mapping[str, str] | None = None,
) -> CrossValidation:
    """Cross-validate a recipe on labelled rows.

    The learning curve, and so the advice, is that of the head on the frozen encoder: with adapters, it would take
    several times as many trainings.

    Args:
        dataset: Checked rows.
        folds: The number of folds, at least 2; reduced where a label has fewer distinct texts.
        recipe: The training parameters; ``max_seconds`` is ignored.
        context: The training's resources.
        descriptions: What labels mean, by label; not every label needs one.

    Raises:
        InvalidTrainingData: No label has two distinct texts, so that no row with a label can be held out.
        TrainingFailed: A task failed.
        ShuttingDown: The runner was closed.
    """
    # Without cross_validate no row is left out for a judgement beside the folds.
    recipe = replace(recipe, max_seconds=None, cross_validate=False)
    training_set = encode_training_set(dataset, recipe, context, descriptions=descriptions)
    training_set = training_set.with_head_search(recipe, context)
    evaluated = evaluate_out_of_fold(training_set, folds, recipe, context)
    held_out = _HeldOutRows(
        dataset,
        training_set.numbers[evaluated.curve.rows],
        np.array(dataset.label_ids)[training_set.numbers][evaluated.curve.rows],
        evaluated.folds,
        evaluated.curve,
        evaluated.logits,
        evaluated.is_adapted,
        evaluated.head_recommendation,
        evaluated.prior,
    )
    warnings = (
        *validation_warnings(dataset, held_out.numbers, held_out.folds, folds, training_set),
        *truncation_warnings(dataset, training_set, context.encoder.folder.max_tokens),
    )
    return _conclude(held_out, recipe, warnings)


def _conclude(held_out: _HeldOutRows, recipe: Recipe, warnings: tuple[DataWarning, ...]) -> CrossValidation:
    temperature = fit_temperature(held_out.logits, held_out.label_ids, held_out.prior)
    scores = softmax(held_out.logits / np.float32(temperature))
    by_fraction = [held_out.is_right(logits) for logits in held_out.curve.logits]
    recalls = [held_out.recalls(right) for right in by_fraction]
    advice, advice_text = _advise(held_out, recalls)
    right, by_head = held_out.is_right(held_out.logits), by_fraction[-1]
    pair = compare_pair(("the head alone", "the training that was asked for"), by_head, right)
    outcome = compute_metrics(scores, held_out.truth, held_out.dataset.labels)
    wins = held_out.is_adapted and pair.difference > 0
    recommendation = recommend_iterations(
        recipe.num_iterations, right.mean(), by_head.mean(), is_significant=pair.is_significant
    )
    if recipe.num_iterations > 0 and not held_out.is_adapted:
        recommendation = held_out.head_recommendation
    folds = np.unique(held_out.folds)
    interval, baseline = widened(outcome.correct, outcome.total), majority_baseline(held_out.truth)
    return recast(
        CrossValidation,
        outcome,
        folds=len(folds),
        accuracy_interval=interval,
        fold_accuracies=tuple(float(right[held_out.folds == fold].mean()) for fold in folds),
        majority_baseline=baseline,
        probable_label_errors=tuple(_label_errors(held_out, scores)),
        learning_curve=tuple(_curve(held_out.curve, by_fraction, recalls)),
        advice=advice,
        advice_text=advice_text,
        head_only_accuracy=float(by_head.mean()),
        head_only_interval=pair.difference_interval,
        recommended_num_iterations=recipe.num_iterations if wins else 0,
        recommendation=recommendation,
        warnings=(*warnings, *warn_of_majority(len(right), interval, baseline, recipe.base_model)),
    )


def _advise(held_out: _HeldOutRows, recalls: Sequence[Mapping[str, float]]) -> tuple[tuple[LabelAdvice, ...], str]:
    half, full = CURVE_FRACTIONS.index(0.5), len(CURVE_FRACTIONS) - 1
    trained = held_out.curve.trained_rows
    if not is_half(trained[half], trained[full]):
        return (), TOO_FEW_ROWS
    return advise(recalls[half], recalls[full], Counter(held_out.truth))


def _label_errors(held_out: _HeldOutRows, scores: Floats) -> Iterator[Misclassified]:
    labels = held_out.dataset.labels
    for position in find_label_errors(scores, held_out.label_ids)[:MAX_LABEL_ERRORS]:
        number = int(held_out.numbers[position])
        row, best = held_out.dataset.rows[number], int(scores[position].argmax())
        yield Misclassified(number, row.text, row.label, labels[best], float(scores[position, best]))


def _curve(
    curve: LearningCurve, by_fraction: Sequence[Bools], recalls: Sequence[Mapping[str, float]]
) -> Iterator[CurvePoint]:
    for fraction, rows, right, recall in zip(CURVE_FRACTIONS, curve.trained_rows, by_fraction, recalls, strict=True):
        yield CurvePoint(fraction, round(float(rows), 2), float(right.mean()), recall)
