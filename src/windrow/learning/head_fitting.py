"""Fit a head, choose its regularisation by cross-validation, and compute learning curves."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from windrow.arrays import Floats, Ids, Labels
from windrow.domain.training_report import HeadReport
from windrow.learning.candidates import ScoredCandidates, lowest, score_candidates
from windrow.learning.folds import assign_folds, splits
from windrow.learning.head import LinearHead, rotate, solve
from windrow.learning.label_sets import count_labels, strata

CANDIDATE_CS = (1.0, 4.0, 16.0, 64.0)
DEFAULT_C = 16.0
# Rows x width x labels up to which C is chosen by cross-validation; twenty fits of that size take about ten seconds.
MAX_CV_WORK = 100_000_000
# Beyond, so many rows choose it, unless there are so many labels that these are too much work, too. There the default
# is as good as any: with many labels the accuracy hardly depends on C.
MAX_CV_ROWS = 5_000
# Of more rows, counting those that are held out, each fold's head at a C begins as the one at the smaller C, which
# saves a third of the steps. For fewer rows the search takes little, and equal requests give what they gave before.
MAX_COLD_ROWS = 500


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
    nested = _score(examples, fold_splits, CANDIDATE_CS).nested_logits(lowest)
    return nested[: sum(len(held) for _, held in fold_splits[:needed])]


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
    scored = _score(examples, fold_splits, CANDIDATE_CS if _can_cross_validate_c(examples) else (DEFAULT_C,))
    c, _ = scored.choose(lowest)
    permutation, count = np.random.default_rng(seed).permutation(len(folds)), len(folds)
    row_strata = strata(examples.label_ids[:count])
    logits, sizes = [], []
    for fraction in fractions[:-1]:
        fewer = [(fraction_of(train, row_strata, permutation, fraction), held) for train, held in fold_splits]
        logits.append(_out_of_fold_logits(examples, fewer, c))
        sizes.append(np.mean([(train < count).sum() for train, _ in fewer]))
    logits.append(scored.nested_logits(lowest))
    sizes.append(np.mean([(train < count).sum() for train, _ in fold_splits]))
    return LearningCurve(scored.rows, np.array(logits), np.array(sizes, np.float32))


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
    scored = _score(examples, fold_splits, CANDIDATE_CS)
    c, accuracy = scored.choose(lowest)
    logits = scored.nested_logits(lowest)
    return HeadSearch(
        HeadReport(c, accuracy, len(fold_splits)), OutOfFoldLogits(scored.rows, folds[scored.rows], logits)
    )


def _can_cross_validate_c(examples: Examples) -> bool:
    return examples.features.size * count_labels(examples.label_ids) <= MAX_CV_WORK


def _score(examples: Examples, fold_splits: Sequence[tuple[Ids, Ids]], cs: Sequence[float]) -> ScoredCandidates:
    is_continued = len(examples.features) > MAX_COLD_ROWS
    return score_candidates(
        cs,
        lambda c, before: _fit_folds(examples, fold_splits, c, before if is_continued else None),
        lambda heads: _held_out_logits(examples, fold_splits, heads),
        fold_splits,
        examples.label_ids,
    )


def _out_of_fold_logits(examples: Examples, fold_splits: Sequence[tuple[Ids, Ids]], c: float) -> Floats:
    """Return the out-of-fold logits at one C; shape [held out, labels], float32."""
    return _held_out_logits(examples, fold_splits, _fit_folds(examples, fold_splits, c))


def _fit_folds(
    examples: Examples, fold_splits: Sequence[tuple[Ids, Ids]], c: float, starts: Sequence[LinearHead] | None = None
) -> list[LinearHead]:
    """Fit each fold's head at one C, from those at another one or from none."""
    begun: Sequence[LinearHead | None] = starts or [None] * len(fold_splits)
    return [
        solve(examples.features[train], examples.label_ids[train], c, start)
        for (train, _), start in zip(fold_splits, begun, strict=True)
    ]


def _held_out_logits(examples: Examples, fold_splits: Sequence[tuple[Ids, Ids]], heads: Sequence[LinearHead]) -> Floats:
    """Return the logits of held-out rows, each fold's by its own head; shape [held out, labels], float32."""
    return np.concatenate(
        [head.logits(examples.features[held_out]) for (_, held_out), head in zip(fold_splits, heads, strict=True)]
    )


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
