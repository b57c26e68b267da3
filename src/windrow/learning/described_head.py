"""Fit a head that begins as the zero-shot head of names and descriptions, and leaves it as far as rows ask for.

It is a logistic regression whose weights have the zero-shot head's as the mean of their prior: the fewer rows there
are, and the less they contradict the descriptions, the more the head is theirs.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from windrow.arrays import Floats, Ids, Labels
from windrow.domain.training_report import HeadReport
from windrow.learning.candidates import ScoredCandidates, score_candidates, smallest_within_one_error
from windrow.learning.folds import assign_folds, splits
from windrow.learning.head import MAX_EXACT_WORK, LinearHead, rotate
from windrow.learning.head_fitting import (
    DEFAULT_C,
    MAX_CV_WORK,
    Examples,
    HeadSearch,
    LearningCurve,
    OutOfFoldLogits,
    fraction_of,
)
from windrow.learning.label_sets import strata
from windrow.learning.linear_loss import LinearLoss
from windrow.learning.preconditioning import MAX_UNSCALED_ROWS, AnyFloats, Exact, minimize_scaled, parameter_scales

# From a head that is all but the zero-shot head to one that hardly knows it.
CANDIDATE_CS = (1 / 64, 1 / 16, 1 / 4, 1.0, 4.0, 16.0, 64.0)
# Where no row can be held out. Source: bench/few_rows.py, measured: with one row a label, no set loses by it.
CAUTIOUS_C = 1 / 64
_MAX_SOLVER_STEPS = 200
# The largest component of the gradient of the mean loss. Of a few rows, whose coordinates are not scaled, 1e-4 leaves
# scores 0.003 from the minimum; of many, 1e-5 takes four times as long.
_TOLERANCE = 1e-4
_TOLERANCE_OF_FEW_ROWS = 1e-5


def fit_described_head(
    examples: Examples, seed: int, search: HeadSearch | None = None
) -> tuple[LinearHead, HeadReport, OutOfFoldLogits | None]:
    """Fit a head whose distance from the zero-shot head, as the C of its prior, is chosen by cross-validation.

    The smallest C is chosen whose log loss on held-out rows is no higher than the lowest one by more than one standard
    error of their difference: few rows say little against descriptions.

    Args:
        examples: The rows, with the zero-shot head as ``prior_weights``; train-only rows are what that is made of, and
            do not count again.
        seed: Seeds the assignment of rows to folds.
        search: What :func:`search_described_head` found for the same rows and seed; ``None`` to search here.

    Returns:
        The head on all rows; how C was chosen; and the out-of-fold logits, ``None`` where no row could be held out.

    Source: bench/few_rows.py; the rule of one standard error: Breiman et al. 1984, "Classification and regression
    trees".
    """
    rows, back = _rotated(examples)
    search = search or _choose_c(rows, assign_folds(rows.label_ids, examples.groups, seed))
    table = _solve(rows, search.report.c)
    assert examples.prior_weights is not None
    weights = examples.prior_weights + (table[:, :-1] @ back).astype(np.float32)
    return (
        LinearHead(weights, (table[:, -1] + examples.prior_bias).astype(np.float32)),
        search.report,
        search.out_of_fold,
    )


def search_described_head(examples: Examples, seed: int) -> HeadSearch:
    """Choose C by stratified cross-validation.

    Args:
        examples: As for :func:`fit_described_head`.
        seed: Seeds the assignment of rows to folds.
    """
    rows, _ = _rotated(examples)
    return _choose_c(rows, assign_folds(rows.label_ids, examples.groups, seed))


def cross_validate_described_head(examples: Examples, folds: Ids, needed: int) -> Floats:
    """Cross-validate the head on given folds, each row at the C that the other folds choose.

    Args:
        examples: As for :func:`fit_described_head`.
        folds: The fold of each row, as ``learning.folds.assign_folds`` returns them; at least one is held out.
        needed: The number of folds to return, counted from the first one; at least 1.

    Returns:
        The logits of the held-out rows, fold by fold and in ascending order within each; shape [m, labels], float32.
    """
    rows, _ = _rotated(examples)
    fold_splits = list(splits(folds))
    scored = _score(rows, fold_splits if _can_choose(rows) else fold_splits[:needed])
    return scored.nested_logits(smallest_within_one_error)[: sum(len(held) for _, held in fold_splits[:needed])]


def compute_described_learning_curve(
    examples: Examples, folds: Ids, fractions: Sequence[float], seed: int
) -> LearningCurve:
    """Compute a learning curve of the head, as ``learning.head_fitting.compute_learning_curve`` does of another one.

    Args:
        examples: As for :func:`fit_described_head`.
        folds: As for :func:`cross_validate_described_head`.
        fractions: Fractions of each label's rows in the other folds, in (0, 1], ascending, the last one 1.
        seed: Chooses the rows of a fraction.
    """
    rows, _ = _rotated(examples)
    fold_splits = list(splits(folds))
    scored = _score(rows, fold_splits)
    c, _ = scored.choose(smallest_within_one_error)
    permutation, row_strata = np.random.default_rng(seed).permutation(len(folds)), strata(rows.label_ids)
    logits, sizes = [], []
    for fraction in fractions[:-1]:
        fewer = [(fraction_of(train, row_strata, permutation, fraction), held) for train, held in fold_splits]
        logits.append(_held_out_logits(rows, fewer, _fit_folds(rows, fewer, c)))
        sizes.append(np.mean([len(train) for train, _ in fewer]))
    logits.append(scored.nested_logits(smallest_within_one_error))
    sizes.append(np.mean([len(train) for train, _ in fold_splits]))
    return LearningCurve(scored.rows, np.array(logits), np.array(sizes, np.float32))


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """Rows with the logits of the zero-shot head for them: float64, or float32 of many rows."""

    features: AnyFloats
    label_ids: Labels
    prior_logits: AnyFloats

    def part(self, rows: Ids) -> "_Rows":
        return replace(
            self,
            features=self.features[rows],
            label_ids=self.label_ids[rows],
            prior_logits=self.prior_logits[rows],
        )


def _rotated(examples: Examples) -> tuple[_Rows, Exact]:
    """Return the rows without the train-only ones, in coordinates of their row space, and the matrix back."""
    assert examples.prior_weights is not None
    count = len(examples.groups)
    features = examples.features[:count]
    narrow, back = rotate(features)
    is_exact = narrow.size * len(examples.prior_weights) <= MAX_EXACT_WORK
    dtype: type[np.floating[Any]] = np.float64 if is_exact else np.float32
    prior_logits = (features @ examples.prior_weights.T + np.float32(examples.prior_bias)).astype(dtype, copy=False)
    rows = _Rows(narrow.astype(dtype, copy=False), examples.label_ids[:count], prior_logits)
    return rows, back.astype(np.float64)


def _can_choose(rows: _Rows) -> bool:
    return bool(rows.features.size * rows.prior_logits.shape[1] <= MAX_CV_WORK)


def _choose_c(rows: _Rows, folds: Ids) -> HeadSearch:
    fold_splits = list(splits(folds))
    if not fold_splits:
        return HeadSearch(HeadReport(CAUTIOUS_C, None, 0), None)
    is_choice = _can_choose(rows)
    scored = _score(rows, fold_splits if is_choice else fold_splits[:1])
    logits = scored.nested_logits(smallest_within_one_error)
    out_of_fold = OutOfFoldLogits(scored.rows, folds[scored.rows], logits)
    if not is_choice:
        return HeadSearch(HeadReport(DEFAULT_C, None, 0), out_of_fold)
    c, accuracy = scored.choose(smallest_within_one_error)
    return HeadSearch(HeadReport(c, accuracy, len(fold_splits)), out_of_fold)


def _score(rows: _Rows, fold_splits: Sequence[tuple[Ids, Ids]]) -> ScoredCandidates:
    """Score the candidates for C; of very many rows the usual one alone."""
    return score_candidates(
        CANDIDATE_CS if _can_choose(rows) else (DEFAULT_C,),
        lambda c, before: _fit_folds(rows, fold_splits, c, before),
        lambda tables: _held_out_logits(rows, fold_splits, tables),
        fold_splits,
        rows.label_ids,
    )


def _fit_folds(
    rows: _Rows, fold_splits: Sequence[tuple[Ids, Ids]], c: float, starts: Sequence[Exact] | None = None
) -> list[Exact]:
    """Return what :func:`_solve` does for each fold at one C, from the solutions at another one or from no change."""
    begun: Sequence[Exact | None] = starts or [None] * len(fold_splits)
    return [_solve(rows.part(train), c, start) for (train, _), start in zip(fold_splits, begun, strict=True)]


def _held_out_logits(rows: _Rows, fold_splits: Sequence[tuple[Ids, Ids]], tables: Sequence[Exact]) -> Floats:
    """Return the logits of held-out rows, each fold's by its own head; shape [held out, labels], float32."""
    own = [
        rows.prior_logits[held] + rows.features[held] @ table[:, :-1].T + table[:, -1]
        for (_, held), table in zip(fold_splits, tables, strict=True)
    ]
    return np.concatenate(own).astype(np.float32)


def _solve(rows: _Rows, c: float, start: Exact | None = None) -> Exact:
    """Return the change of the zero-shot head's weights and bias with the highest posterior density.

    The bias is regularised as the weights are, as that of a feature that is 1 in each row: where one row of a label
    stands beside one of another, they say nothing of how frequent the labels are.

    Args:
        rows: The rows.
        c: Inverse regularisation.
        start: Where the solver begins; ``None`` for no change.

    Returns:
        The change of the weights, and that of the biases as the last column; shape [labels, features + 1].
    """
    features, penalty = rows.features, 1 / (c * len(rows.features))
    loss = LinearLoss(features, rows.label_ids, penalty, rows.prior_logits, is_bias_penalised=True)
    begin = np.zeros((rows.prior_logits.shape[1], features.shape[1] + 1)) if start is None else start
    scales = parameter_scales(features, penalty)
    tolerance = _TOLERANCE_OF_FEW_ROWS if len(features) <= MAX_UNSCALED_ROWS else _TOLERANCE
    return minimize_scaled(loss.value_and_gradient, begin, scales, tolerance, _MAX_SOLVER_STEPS)
