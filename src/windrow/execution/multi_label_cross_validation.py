"""Cross-validate a multi-label recipe: metrics, doubted labels, a learning curve and advice."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from windrow.arrays import Bools, Floats
from windrow.domain.cross_validation import LabelAdvice
from windrow.domain.multi_label import MultiLabelDataset, MultiLabelRow
from windrow.domain.multi_label_cross_validation import DoubtedLabel, MultiLabelCrossValidation, MultiLabelCurvePoint
from windrow.domain.quality_warnings import warn_of_majority
from windrow.domain.recipe import Recipe
from windrow.domain.values import recast
from windrow.execution.training_set import EncodedTrainingSet, TrainingContext, encode_training_set
from windrow.execution.validation_folds import (
    CURVE_FRACTIONS,
    OutOfFold,
    evaluate_out_of_fold,
    truncation_warnings,
    validation_warnings,
)
from windrow.learning.advise import TOO_FEW_ROWS, advise, find_doubted_labels, is_half, recommend_iterations
from windrow.learning.calibrate import Prior, widened
from windrow.learning.head import sigmoid
from windrow.learning.label_sets import as_sets
from windrow.learning.multi_label_calibrate import fit_set_calibration, given_by_others
from windrow.learning.multi_label_compare import compare_multi_label
from windrow.learning.multi_label_evaluate import Decisions, compute_multi_label_metrics, most_frequent_set
from windrow.learning.zero_shot import multi_label_threshold

MAX_DOUBTED_LABELS = 100
_HEAD, _TRAINING = "the head alone", "the training that was asked for"


@dataclass(frozen=True, eq=False)
class _HeldOutSets:
    """The held-out rows of a cross-validation, with what is decided about them.

    Args:
        dataset: All rows.
        training_set: The rows that take part.
        evaluated: The outputs for the held-out ones.
    """

    dataset: MultiLabelDataset
    training_set: EncodedTrainingSet
    evaluated: OutOfFold

    @cached_property
    def rows(self) -> tuple[MultiLabelRow, ...]:
        """The held-out rows."""
        return tuple(self.dataset.rows[number] for number in self.numbers)

    @cached_property
    def numbers(self) -> list[int]:
        """Their numbers in the data."""
        numbers: list[int] = self.training_set.numbers[self.evaluated.curve.rows].tolist()
        return numbers

    @cached_property
    def sets(self) -> Bools:
        """Their label sets; shape [m, labels]."""
        return as_sets(self.training_set.label_ids)[self.evaluated.curve.rows]

    def decide(self, logits: Floats, prior: Prior) -> Decisions:
        """Return what trainings decide: by scores that all rows calibrate, and thresholds that other rows choose.

        Args:
            logits: Their logits for the held-out rows; shape [m, labels], float32.
            prior: What is usual for them.
        """
        scores = sigmoid(fit_set_calibration(logits, self.sets, prior).apply(logits))
        labels = self.dataset.labels
        usual_threshold = multi_label_threshold(len(labels)) if self.evaluated.is_described else None
        given = given_by_others(logits, self.sets, prior, usual_threshold)
        return Decisions(labels, len(labels), self.sets, given, scores)


def cross_validate_sets(
    dataset: MultiLabelDataset,
    folds: int,
    recipe: Recipe,
    context: TrainingContext,
    descriptions: Mapping[str, str] | None = None,
) -> MultiLabelCrossValidation:
    """Cross-validate a recipe on rows with label sets.

    The learning curve, and so the advice, is that of the head on the frozen encoder, as for rows of one label each.

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
    evaluated = evaluate_out_of_fold(training_set, folds, recipe, context)
    return _conclude(_HeldOutSets(dataset, training_set, evaluated), folds, recipe, context)


def _conclude(
    held_out: _HeldOutSets, requested: int, recipe: Recipe, context: TrainingContext
) -> MultiLabelCrossValidation:
    evaluated, dataset = held_out.evaluated, held_out.dataset
    by_fraction = [held_out.decide(logits, evaluated.head_prior) for logits in evaluated.curve.logits]
    decided = held_out.decide(evaluated.logits, evaluated.prior) if evaluated.is_adapted else by_fraction[-1]
    outcome, head = compute_multi_label_metrics(decided), by_fraction[-1]
    everything = np.ones(len(held_out.rows), np.bool_)
    (pair,) = compare_multi_label({_HEAD: head, _TRAINING: decided}, everything)
    head_f1 = outcome.micro_f1 - pair.micro_f1_difference
    wins = evaluated.is_adapted and pair.micro_f1_difference > 0
    advice, advice_text = _advise(held_out, by_fraction)
    interval, baseline = widened(outcome.correct, outcome.total), most_frequent_set(held_out.rows)
    folds, right = evaluated.folds, decided.is_right
    numbers = np.array(held_out.numbers)
    return recast(
        MultiLabelCrossValidation,
        outcome,
        accuracy_interval=interval,
        folds=len(np.unique(folds)),
        fold_accuracies=tuple(float(right[folds == fold].mean()) for fold in np.unique(folds)),
        majority_baseline=baseline,
        probable_label_errors=tuple(_doubted(held_out, decided)),
        learning_curve=tuple(_curve(held_out, by_fraction)),
        advice=advice,
        advice_text=advice_text,
        head_only_accuracy=float(head.is_right.mean()),
        head_only_micro_f1=head_f1,
        head_only_interval=pair.micro_f1_interval,
        recommended_num_iterations=recipe.num_iterations if wins else 0,
        recommendation=evaluated.head_recommendation
        if recipe.num_iterations > 0 and not evaluated.is_adapted
        else recommend_iterations(
            recipe.num_iterations,
            outcome.micro_f1,
            head_f1,
            is_significant=not pair.micro_f1_interval.low <= 0 <= pair.micro_f1_interval.high,
            measure="a micro F1 of ",
        ),
        warnings=(
            *validation_warnings(dataset, numbers, folds, requested, held_out.training_set),
            *truncation_warnings(dataset, held_out.training_set, context.encoder.folder.max_tokens),
            *warn_of_majority(outcome.total, interval, baseline, recipe.base_model),
        ),
    )


def _advise(held_out: _HeldOutSets, by_fraction: list[Decisions]) -> tuple[tuple[LabelAdvice, ...], str]:
    half, full = CURVE_FRACTIONS.index(0.5), len(CURVE_FRACTIONS) - 1
    if not is_half(held_out.evaluated.curve.trained_rows[half], held_out.evaluated.curve.trained_rows[full]):
        return (), TOO_FEW_ROWS
    totals = dict(zip(held_out.dataset.labels, held_out.sets.sum(axis=0).tolist(), strict=True))
    rows = {label: total for label, total in totals.items() if total}
    return advise(_recalls(by_fraction[half]), _recalls(by_fraction[full]), rows)


def _recalls(decided: Decisions) -> dict[str, float]:
    """Return the recall of each label that held-out rows have."""
    found, totals = (decided.truth & decided.given).sum(axis=0), decided.truth.sum(axis=0)
    return {decided.names[at]: float(found[at] / totals[at]) for at in np.flatnonzero(totals)}


def _doubted(held_out: _HeldOutSets, decided: Decisions) -> Iterator[DoubtedLabel]:
    for position, label in find_doubted_labels(decided.scores, held_out.sets)[:MAX_DOUBTED_LABELS]:
        row = held_out.rows[position]
        yield DoubtedLabel(
            row=held_out.numbers[position],
            text=row.text,
            labels=tuple(sorted(row.labels)),
            label=decided.names[label],
            is_missing=not held_out.sets[position, label],
            score=float(decided.scores[position, label]),
        )


def _curve(held_out: _HeldOutSets, by_fraction: list[Decisions]) -> Iterator[MultiLabelCurvePoint]:
    trained_rows = held_out.evaluated.curve.trained_rows
    for fraction, rows, decided in zip(CURVE_FRACTIONS, trained_rows, by_fraction, strict=True):
        right = int((decided.truth & decided.given).sum())
        stated = int(decided.truth.sum() + decided.given.sum())
        yield MultiLabelCurvePoint(
            share=fraction,
            rows=round(float(rows), 2),
            accuracy=float(decided.is_right.mean()),
            recall=_recalls(decided),
            micro_f1=2 * right / stated,
        )
