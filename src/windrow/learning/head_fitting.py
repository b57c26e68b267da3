"""Fit a head, choose its regularisation by cross-validation, and compute learning curves."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from windrow.arrays import Bools, Floats, Ids, Labels
from windrow.domain.training_report import HeadReport
from windrow.learning.folds import assign_folds, splits
from windrow.learning.head import LinearHead, rotate, solve
from windrow.learning.label_sets import are_label_ids, as_sets, count_labels, strata

CANDIDATE_CS = (1.0, 4.0, 16.0, 64.0)
DEFAULT_C = 16.0
# Rows x width x labels up to which C is chosen by cross-validation; twenty fits of that size take about ten seconds.
MAX_CV_WORK = 100_000_000
# Beyond, so many rows choose it, unless there are so many labels that these are too much work, too. There the default
# is as good as any: with many labels the accuracy hardly depends on C.
MAX_CV_ROWS = 5_000

# From the losses of candidates on the same rows, shape [candidates, rows], to the candidate that these choose.
Choose = Callable[[npt.NDArray[np.float64]], int]


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    """The features and labels that a head is fitted to.

    Args:
        features: Shape [rows, features], float32.
        label_ids: Each row's label, every id from 0 to its maximum at least once, at least two of them; or its label
            set.
        groups: Rows of one group are never held out from each other (:func:`assign_folds`); shape
            [rows - num_train_only_rows].
        num_train_only_rows: The number of rows at the end that train but are never held out, such as label names.
        prior_weights: The weights of the zero-shot head of described labels (``learning.described_head``); shape
            [labels, features], float32; ``None`` where none is described.
        prior_bias: The bias of that head, the same for each label.
    """

    features: Floats
    label_ids: Labels
    groups: Ids
    num_train_only_rows: int = 0
    prior_weights: Floats | None = None
    prior_bias: float = 0.0

    def beginning_as(self, head: LinearHead | None) -> "Examples":
        """Return the same examples for a head that begins as another one; ``None`` for one that does not."""
        return self if head is None else replace(self, prior_weights=head.weights, prior_bias=float(head.bias[0]))


@dataclass(frozen=True, slots=True, eq=False)
class OutOfFoldLogits:
    """Logits of held-out rows, from heads that did not see them.

    Args:
        rows: The indices of the rows; shape [m], int64.
        folds: The fold of each row; shape [m], int64.
        logits: Shape [m, labels], float32.
    """

    rows: Ids
    folds: Ids
    logits: Floats


@dataclass(frozen=True, slots=True, eq=False)
class HeadSearch:
    """How the head's C was chosen by cross-validation, and the held-out rows that came of it.

    Args:
        report: The chosen C.
        out_of_fold: The held-out rows' logits; ``None`` where no row could be held out.
    """

    report: HeadReport
    out_of_fold: OutOfFoldLogits | None


@dataclass(frozen=True, slots=True, eq=False)
class LearningCurve:
    """A learning curve: logits of the same held-out rows, from heads on growing fractions of the other rows.

    Args:
        rows: The indices of the held-out rows; shape [m], int64.
        logits: Shape [fractions, m, labels], float32.
        trained_rows: Training rows at each fraction, averaged over the folds; shape [fractions], float32.
    """

    rows: Ids
    logits: Floats
    trained_rows: Floats


def fit_head(
    examples: Examples, seed: int, search: HeadSearch | None = None
) -> tuple[LinearHead, HeadReport, OutOfFoldLogits | None]:
    """Fit a logistic regression whose C is chosen by stratified cross-validation.

    C is chosen by the log loss on held-out rows, which a handful of rows mislead less than they do accuracy.

    Args:
        examples: The rows.
        seed: Seeds the assignment of rows to folds.
        search: What :func:`search_head` found for the same rows and seed; ``None`` to search here.

    Returns:
        The head on all rows; how C was chosen; and the out-of-fold logits, ``None`` where no row could be held out.

    Source: docs/adr/0003.
    """
    narrow, back = rotate(examples.features)
    search = search or _choose_c(replace(examples, features=narrow), seed)
    head = solve(narrow, examples.label_ids, search.report.c)
    return LinearHead(np.ascontiguousarray(head.weights @ back), head.bias), search.report, search.out_of_fold


def search_head(examples: Examples, seed: int) -> HeadSearch:
    """Choose C by stratified cross-validation.

    Args:
        examples: The rows.
        seed: Seeds the assignment of rows to folds.
    """
    return _choose_c(replace(examples, features=rotate(examples.features)[0]), seed)


def cross_validate_head(examples: Examples, folds: Ids, needed: int) -> Floats:
    """Cross-validate the head on given folds, each row at the C that the other folds choose.

    Args:
        examples: The rows; train-only rows take part in each training.
        folds: The fold of each row but the train-only ones, as ``learning.folds.assign_folds`` returns them.
        needed: The number of folds to return, counted from the first one; at least 1.

    Returns:
        The logits of the held-out rows, fold by fold and in ascending order within each; shape [m, labels], float32.
    """
    narrow, _ = rotate(examples.features)
    examples = replace(examples, features=narrow)
    fold_splits = list(splits(np.concatenate([folds, np.full(examples.num_train_only_rows, -1)])))
    if not _can_cross_validate_c(examples):
        return _out_of_fold_logits(examples, fold_splits[:needed], DEFAULT_C)
    logits, losses = _cross_validate_c(examples, fold_splits, CANDIDATE_CS)
    held_out = np.concatenate([held for _, held in fold_splits])
    return nested_logits(logits, losses, folds[held_out], lowest)[: sum(len(held) for _, held in fold_splits[:needed])]


def compute_learning_curve(examples: Examples, folds: Ids, fractions: Sequence[float], seed: int) -> LearningCurve:
    """Compute a learning curve of the head.

    Args:
        examples: The rows; train-only rows take part in each training.
        folds: The fold of each row but the train-only ones, as ``learning.folds.assign_folds`` returns them; at least
            one row is held out.
        fractions: Fractions of each label's rows in the other folds, in (0, 1], ascending, the last one 1. Each takes
            at least one row of a label, and holds the rows of the smaller fractions.
        seed: Chooses the rows of a fraction.
    """
    narrow, _ = rotate(examples.features)
    examples = replace(examples, features=narrow)
    fold_splits = list(splits(np.concatenate([folds, np.full(examples.num_train_only_rows, -1)])))
    held_out = np.concatenate([held for _, held in fold_splits])
    candidates = CANDIDATE_CS if _can_cross_validate_c(examples) else (DEFAULT_C,)
    by_c, losses = _cross_validate_c(examples, fold_splits, candidates)
    c = candidates[lowest(losses)]
    permutation, count = np.random.default_rng(seed).permutation(len(folds)), len(folds)
    row_strata = strata(examples.label_ids[:count])
    logits, sizes = [], []
    for fraction in fractions[:-1]:
        fewer = [(fraction_of(train, row_strata, permutation, fraction), held) for train, held in fold_splits]
        logits.append(_out_of_fold_logits(examples, fewer, c))
        sizes.append(np.mean([(train < count).sum() for train, _ in fewer]))
    logits.append(nested_logits(by_c, losses, folds[held_out], lowest))
    sizes.append(np.mean([(train < count).sum() for train, _ in fold_splits]))
    return LearningCurve(held_out, np.array(logits), np.array(sizes, np.float32))


def fraction_of(train: Ids, label_ids: Ids, permutation: Ids, fraction: float) -> Ids:
    """Return a fraction of each label's training rows, rounded up, and all train-only rows, in ascending order.

    Args:
        train: The training rows of a fold; shape [n], int64.
        label_ids: The label of each row but the train-only ones, or its stratum; shape [rows], int64.
        permutation: Orders these rows, so that a larger fraction holds a smaller one.
        fraction: In (0, 1].
    """
    ranked = permutation[np.isin(permutation, train)]
    chosen = [train[train >= len(label_ids)]]
    for label_id in np.unique(label_ids[ranked]):
        own = ranked[label_ids[ranked] == label_id]
        chosen.append(own[: max(1, int(np.ceil(fraction * len(own))))])
    return np.sort(np.concatenate(chosen))


def _choose_c(examples: Examples, seed: int) -> HeadSearch:
    """Choose C by cross-validation; for very many rows by that of a sample of those that are not held out."""
    count = len(examples.groups)
    assigned = assign_folds(examples.label_ids[:count], examples.groups, seed)
    folds = np.concatenate([assigned, np.full(examples.num_train_only_rows, -1)])
    fold_splits = list(splits(folds))
    if not fold_splits:
        return HeadSearch(HeadReport(DEFAULT_C, None, 0), None)
    if not _can_cross_validate_c(examples):
        train, held_out = fold_splits[0]
        sample = _sample(examples, train, seed)
        report = HeadReport(DEFAULT_C, None, 0)
        if _can_cross_validate_c(sample):
            report = _choose_c(sample, seed).report
        logits = _out_of_fold_logits(examples, fold_splits[:1], report.c)
        return HeadSearch(report, OutOfFoldLogits(held_out, folds[held_out], logits))
    held_out = np.concatenate([held for _, held in fold_splits])
    by_c, losses = _cross_validate_c(examples, fold_splits, CANDIDATE_CS)
    chosen = lowest(losses)
    accuracy = float(are_right(by_c[chosen], examples.label_ids[held_out]).mean())
    logits = nested_logits(by_c, losses, folds[held_out], lowest)
    report = HeadReport(CANDIDATE_CS[chosen], accuracy, len(fold_splits))
    return HeadSearch(report, OutOfFoldLogits(held_out, folds[held_out], logits))


def _can_cross_validate_c(examples: Examples) -> bool:
    return examples.features.size * count_labels(examples.label_ids) <= MAX_CV_WORK


def _cross_validate_c(
    examples: Examples, fold_splits: Sequence[tuple[Ids, Ids]], candidates: Sequence[float]
) -> tuple[Floats, npt.NDArray[np.float64]]:
    """Return the out-of-fold logits and log losses for the candidates of C, up to the first that is of no use.

    Args:
        examples: The rows.
        fold_splits: Which rows train and which are held out, by fold.
        candidates: In ascending order.

    Returns:
        Logits, shape [candidates, held out, labels], float32; log losses, shape [candidates, held out], float64.
    """
    held_out = np.concatenate([held for _, held in fold_splits])
    folds = np.repeat(np.arange(len(fold_splits)), [len(held) for _, held in fold_splits])
    truth = examples.label_ids[held_out]
    logits, losses = [], []
    for c in candidates:
        logits.append(_out_of_fold_logits(examples, fold_splits, c))
        losses.append(log_losses(logits[-1], truth))
        if is_past_lowest(np.array(losses), folds):
            break
    return np.array(logits), np.array(losses)


def _out_of_fold_logits(examples: Examples, fold_splits: Sequence[tuple[Ids, Ids]], c: float) -> Floats:
    """Return the out-of-fold logits at one C; shape [held out, labels], float32."""
    return np.concatenate(
        [
            solve(examples.features[train], examples.label_ids[train], c).logits(examples.features[held_out])
            for train, held_out in fold_splits
        ]
    )


def nested_logits(logits: Floats, losses: npt.NDArray[np.float64], folds: Ids, choose: Choose) -> Floats:
    """Return each row's logits at the C that the other folds choose (nested cross-validation).

    The C chosen by the same rows would make their estimate too good.

    Args:
        logits: Shape [candidates, rows, labels].
        losses: Shape [candidates, rows].
        folds: The rows' folds; of a single one, its own rows choose.
        choose: Returns the candidate that the losses of some rows choose.
    """
    _, places = np.unique(folds, return_inverse=True)
    picked: Floats = logits[_choices_without_each_fold(losses, folds, choose)[places], np.arange(len(folds))]
    return picked


def _choices_without_each_fold(losses: npt.NDArray[np.float64], folds: Ids, choose: Choose) -> Ids:
    """Return the candidate that the rows of all other folds choose, for each fold in ascending order."""
    numbers = np.unique(folds)
    return np.array([choose(losses[:, folds != fold] if len(numbers) > 1 else losses) for fold in numbers])


def lowest(losses: npt.NDArray[np.float64]) -> int:
    """Return the candidate with the lowest mean loss; losses of shape [candidates, rows]."""
    return int(losses.mean(axis=1).argmin())


def is_past_lowest(losses: npt.NDArray[np.float64], folds: Ids) -> bool:
    """Return whether the last candidate of C is worse than an earlier one by all rows, and whichever fold is left out.

    The loss falls with C and then rises, so no larger C is of use, and the largest ones take the longest.

    Args:
        losses: Shape [candidates, rows].
        folds: The rows' folds.
    """
    last = len(losses) - 1
    return bool(lowest(losses) < last and _choices_without_each_fold(losses, folds, lowest).max() < last)


def are_right(logits: Floats, truth: Labels) -> Bools:
    """Return whether each row's label has the highest logit, or its whole set the probabilities of 0.5 and more.

    Args:
        logits: Shape [rows, labels].
        truth: The rows' labels or label sets.
    """
    if are_label_ids(truth):
        right: Bools = logits.argmax(axis=1) == truth
        return right
    whole: Bools = ((logits >= 0) == as_sets(truth)).all(axis=1)
    return whole


def log_losses(logits: Floats, truth: Labels) -> npt.NDArray[np.float64]:
    """Return the log loss of each row, in nats; for label sets, the sum of the log losses of all labels.

    Args:
        logits: Shape [rows, labels].
        truth: The rows' labels or label sets.
    """
    if not are_label_ids(truth):
        signed = np.where(as_sets(truth), -logits, logits)
        own_sets: npt.NDArray[np.float64] = np.logaddexp(0, signed).sum(axis=1, dtype=np.float64)
        return own_sets
    peak = logits.max(axis=1, keepdims=True)
    spread = np.log(np.exp(logits - peak).sum(axis=1, dtype=np.float64)) + peak[:, 0]
    own: npt.NDArray[np.float64] = spread - logits[np.arange(len(truth)), truth]
    return own


def smallest_within_one_error(losses: npt.NDArray[np.float64]) -> int:
    """Return the first candidate whose mean loss exceeds the lowest one by one standard error of it at most.

    Args:
        losses: Each candidate's losses on the same rows; shape [candidates, rows], float64.
    """
    excess = losses - losses[losses.mean(axis=1).argmin()]
    rows = losses.shape[1]
    errors = excess.std(axis=1, ddof=1) / math.sqrt(rows) if rows > 1 else np.full(len(losses), np.inf)
    return int((excess.mean(axis=1) <= errors).argmax())


def _sample(examples: Examples, rows: Ids, seed: int) -> Examples:
    """Return about ``MAX_CV_ROWS`` rows at most, with at least one of each label, and all train-only rows.

    Args:
        examples: All rows.
        rows: The rows to draw from, in ascending order, the train-only ones among them; shape [n], int64.
        seed: Of the draw.
    """
    count = len(examples.groups)
    own, train_only = rows[rows < count], rows[rows >= count]
    permutation = np.random.default_rng(seed).permutation(own)
    _, first_of_label = np.unique(strata(examples.label_ids[permutation]), return_index=True)
    drawn = np.union1d(permutation[:MAX_CV_ROWS], permutation[first_of_label])
    chosen = np.concatenate([drawn, train_only])
    return Examples(
        examples.features[chosen], examples.label_ids[chosen], examples.groups[drawn], examples.num_train_only_rows
    )
