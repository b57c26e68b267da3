"""Fitting a head: how strong it is, chosen by rows held out, and what those rows say of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from windrow.arrays import Floats, Ids
from windrow.domain.classifier import HeadReport
from windrow.learning.folds import deal_folds, splits
from windrow.learning.head import LinearHead, rotate, solve

STRENGTHS = (1.0, 4.0, 16.0, 64.0)
DEFAULT_STRENGTH = 16.0
MAX_CV_ROWS = 5_000
# Rows x width x labels up to which the strength is chosen by cross-validation; twenty fits of that size take about half
# a minute. Beyond, the default is as good as any: what many rows or labels say does not hang on it.
MAX_CV_WORK = 100_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    """What a head is fitted to.

    Args:
        features: Shape [rows, features], float32.
        label_ids: Shape [rows], int64, every id from 0 to its maximum at least once, at least two of them.
        groups: Rows of one group are never held out from each other (:func:`deal_folds`); shape [rows - anchors].
        anchors: So many rows at the end are no examples (label names, say): they train, but are never held out.
    """

    features: Floats
    label_ids: Ids
    groups: Ids
    anchors: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """What heads say of rows that they did not see.

    Args:
        rows: Which rows; shape [m], int64.
        folds: The fold of each, and so the head that judged it; shape [m], int64.
        logits: Of each label; shape [m, labels], float32.
    """

    rows: Ids
    folds: Ids
    logits: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """A learning curve: what heads on growing shares of the rows say of the same rows that they did not see.

    Args:
        rows: Which rows; shape [m], int64.
        logits: Of each label, by share; shape [shares, m, labels], float32.
        trained_rows: Rows that a head of each share was fitted to, on average over the folds; shape [shares], float32.
    """

    rows: Ids
    logits: Floats
    trained_rows: Floats


def fit_head(examples: Examples, seed: int) -> tuple[LinearHead, HeadReport, Judged | None]:
    """Fit a logistic regression whose strength is chosen by stratified cross-validation.

    Args:
        examples: The rows.
        seed: Deals the rows to the folds.

    Returns:
        The head on all rows; how its strength was chosen, the lowest log loss on held-out rows, which is less easily
        fooled by a handful of rows than accuracy is; and what heads said of rows that they did not see, ``None`` where
        no row could be held out.

    Source: docs/adr/0003.
    """
    # A few rows span a small subspace, and L2 regularisation is blind to rotation: solving in that subspace gives
    # the same head in a fraction of the time.
    narrow, back = rotate(examples.features)
    report, judged = _choose_strength(replace(examples, features=narrow), seed)
    head = solve(narrow, examples.label_ids, report.strength)
    return LinearHead(np.ascontiguousarray(head.weights @ back), head.bias), report, judged


def study_heads(examples: Examples, folds: Ids, shares: Sequence[float], seed: int) -> Study:
    """Draw a learning curve of the head.

    Args:
        examples: The rows; anchors take part in each training.
        folds: The fold of each row, anchors left out, as ``learning.folds.deal_folds`` returns them; at least one is
            held out.
        shares: Of each label's rows in the other folds, in (0, 1], ascending, the last one 1. Each takes one row of a
            label at least, and holds the rows of the shares below.
        seed: Chooses the rows of a share.
    """
    narrow, _ = rotate(examples.features)
    examples = replace(examples, features=narrow)
    fold_splits = list(splits(np.concatenate([folds, np.full(examples.anchors, -1)])))
    held_out = np.concatenate([held for _, held in fold_splits])
    strengths = STRENGTHS if _leaves_time_to_choose(examples) else (DEFAULT_STRENGTH,)
    by_strength, losses = _try_strengths(examples, fold_splits, strengths)
    strength = strengths[int(losses.mean(axis=1).argmin())]
    order, count = np.random.default_rng(seed).permutation(len(folds)), len(folds)
    logits, sizes = [], []
    for share in shares[:-1]:
        fewer = [(_share_of(train, examples.label_ids[:count], order, share), held) for train, held in fold_splits]
        logits.append(_judge(examples, fewer, strength))
        sizes.append(np.mean([(train < count).sum() for train, _ in fewer]))
    logits.append(_unbiased(by_strength, losses, folds[held_out]))
    sizes.append(np.mean([(train < count).sum() for train, _ in fold_splits]))
    return Study(held_out, np.array(logits), np.array(sizes, np.float32))


def _share_of(train: Ids, label_ids: Ids, order: Ids, share: float) -> Ids:
    """Return a share of each label's training rows, rounded up, and all anchors, in ascending order."""
    ranked = order[np.isin(order, train)]
    chosen = [train[train >= len(label_ids)]]
    for label_id in np.unique(label_ids[ranked]):
        own = ranked[label_ids[ranked] == label_id]
        chosen.append(own[: max(1, int(np.ceil(share * len(own))))])
    return np.sort(np.concatenate(chosen))


def _choose_strength(examples: Examples, seed: int) -> tuple[HeadReport, Judged | None]:
    """Choose by the rows that each fold holds out, and return what was said of them."""
    sampled, rows, folds = _folded(examples, seed)
    fold_splits = list(splits(folds))
    if not fold_splits:
        return HeadReport(DEFAULT_STRENGTH, None, 0), None
    is_choice = _leaves_time_to_choose(sampled)
    strengths = STRENGTHS if is_choice else (DEFAULT_STRENGTH,)
    if not is_choice:
        fold_splits = fold_splits[:1]
    held_out = np.concatenate([held for _, held in fold_splits])
    logits, losses = _try_strengths(sampled, fold_splits, strengths)
    judged = Judged(rows[held_out], folds[held_out], _unbiased(logits, losses, folds[held_out]))
    if not is_choice:
        return HeadReport(DEFAULT_STRENGTH, None, 0), judged
    chosen = int(losses.mean(axis=1).argmin())
    accuracy = float((logits[chosen].argmax(axis=1) == sampled.label_ids[held_out]).mean())
    return HeadReport(STRENGTHS[chosen], accuracy, len(fold_splits)), judged


def _leaves_time_to_choose(examples: Examples) -> bool:
    return examples.features.size * int(examples.label_ids.max() + 1) <= MAX_CV_WORK


def _try_strengths(
    examples: Examples, fold_splits: Sequence[tuple[Ids, Ids]], strengths: Sequence[float]
) -> tuple[Floats, npt.NDArray[np.float64]]:
    """Return what heads of each strength say of held-out rows, and their losses.

    Returns:
        Logits, shape [strengths, held out, labels], float32; log losses, shape [strengths, held out], float64.
    """
    truth = examples.label_ids[np.concatenate([held for _, held in fold_splits])]
    logits = np.array([_judge(examples, fold_splits, strength) for strength in strengths])
    return logits, np.array([_log_losses(own, truth) for own in logits])


def _folded(examples: Examples, seed: int) -> tuple[Examples, Ids, Ids]:
    """Return examples, if there are very many then fewer; which rows they are; and their folds, -1 for anchors."""
    count = len(examples.label_ids) - examples.anchors
    sampled = _sample(examples.label_ids[:count], seed)
    rows = np.concatenate([sampled, np.arange(count, len(examples.label_ids))])
    dealt = deal_folds(examples.label_ids[sampled], examples.groups[sampled], seed)
    chosen = Examples(
        examples.features[rows], examples.label_ids[rows], examples.groups[sampled], anchors=examples.anchors
    )
    return chosen, rows, np.concatenate([dealt, np.full(examples.anchors, -1)])


def _judge(examples: Examples, fold_splits: Sequence[tuple[Ids, Ids]], strength: float) -> Floats:
    """Return what heads say of the rows that they did not see; shape [held out, labels], float32."""
    return np.concatenate(
        [
            solve(examples.features[train], examples.label_ids[train], strength).logits(examples.features[held_out])
            for train, held_out in fold_splits
        ]
    )


def _unbiased(logits: Floats, losses: npt.NDArray[np.float64], folds: Ids) -> Floats:
    """Return logits of each row at the strength that the other folds' rows choose: the best of four flatters itself.

    Args:
        logits: By strength; shape [strengths, rows, labels].
        losses: Likewise, shape [strengths, rows].
        folds: Of the rows.
    """
    chosen = np.empty(len(folds), dtype=np.int64)
    for fold in np.unique(folds):
        others = losses[:, folds != fold] if (folds != fold).any() else losses
        chosen[folds == fold] = others.mean(axis=1).argmin()
    picked: Floats = logits[chosen, np.arange(len(folds))]
    return picked


def _log_losses(logits: Floats, truth: Ids) -> npt.NDArray[np.float64]:
    peak = logits.max(axis=1, keepdims=True)
    spread = np.log(np.exp(logits - peak).sum(axis=1, dtype=np.float64)) + peak[:, 0]
    own: npt.NDArray[np.float64] = spread - logits[np.arange(len(truth)), truth]
    return own


def _sample(label_ids: Ids, seed: int) -> Ids:
    """Return at most ``MAX_CV_ROWS`` rows, one of each label at least: enough to tell strengths apart."""
    if len(label_ids) <= MAX_CV_ROWS:
        return np.arange(len(label_ids))
    order = np.random.default_rng(seed).permutation(len(label_ids))
    _, first_of_label = np.unique(label_ids[order], return_index=True)
    return np.union1d(order[:MAX_CV_ROWS], order[first_of_label])
