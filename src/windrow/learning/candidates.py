"""Choose among candidates by the log losses of held-out rows, above all for a head's C."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from windrow.arrays import Bools, Floats, Ids, Labels
from windrow.learning.label_sets import are_label_ids, as_sets

# From the losses of candidates on the same rows, shape [candidates, rows], to the candidate that these choose.
Choose = Callable[[npt.NDArray[np.float64]], int]
# The heads of all folds at one C.
Heads = TypeVar("Heads")


@dataclass(frozen=True, slots=True, eq=False)
class ScoredCandidates:
    """What the heads of some candidates for C say of the same held-out rows, each fold's by a head of its own.

    Args:
        cs: The candidates, in ascending order.
        rows: The rows that are held out, fold by fold; shape [rows], int64.
        folds: Their folds, counted from 0; shape [rows], int64.
        truth: Their labels or label sets.
        logits: Shape [candidates, rows, labels], float32.
        losses: Log losses; shape [candidates, rows], float64.
    """

    cs: Sequence[float]
    rows: Ids
    folds: Ids
    truth: Labels
    logits: Floats
    losses: npt.NDArray[np.float64]

    def choose(self, rule: Choose) -> tuple[float, float]:
        """Return the C that all rows choose by a rule, and the share of them that it is right on."""
        best = rule(self.losses)
        return self.cs[best], float(are_right(self.logits[best], self.truth).mean())

    def nested_logits(self, rule: Choose) -> Floats:
        """Return each row's logits at the C that the other folds choose (nested cross-validation).

        The C chosen by the same rows would make their estimate too good. Of a single fold, its own rows choose.
        """
        choices = _choices_without_each_fold(self.losses, self.folds, rule)
        picked: Floats = self.logits[choices[self.folds], np.arange(len(self.folds))]
        return picked


def score_candidates(
    cs: Sequence[float],
    fit: Callable[[float, Heads | None], Heads],
    logits_of: Callable[[Heads], Floats],
    fold_splits: Sequence[tuple[Ids, Ids]],
    labels: Labels,
) -> ScoredCandidates:
    """Score candidates for C on held-out rows, up to the first one that is of no use.

    Args:
        cs: The candidates, in ascending order; at least one.
        fit: Fits the folds' heads at one of them, and may begin as those of the one before; ``None`` at the first.
        logits_of: Returns what these say of the held-out rows, fold by fold; shape [held out, labels], float32.
        fold_splits: Which rows train and which are held out, by fold.
        labels: The labels or label sets of all rows.
    """
    rows = np.concatenate([held_out for _, held_out in fold_splits])
    folds = np.repeat(np.arange(len(fold_splits)), [len(held_out) for _, held_out in fold_splits])
    truth = labels[rows]
    logits: list[Floats] = []
    losses: list[npt.NDArray[np.float64]] = []
    heads: Heads | None = None
    for c in cs:
        heads = fit(c, heads)
        logits.append(logits_of(heads))
        losses.append(log_losses(logits[-1], truth))
        if is_past_lowest(np.array(losses), folds):
            break
    return ScoredCandidates(cs[: len(logits)], rows, folds, truth, np.array(logits), np.array(losses))


def is_past_lowest(losses: npt.NDArray[np.float64], folds: Ids) -> bool:
    """Return whether the last candidate of C is worse than an earlier one by all rows, and whichever fold is left out.

    The loss falls with C and then rises, so no larger C is of use, and the largest ones take the longest.

    Args:
        losses: Shape [candidates, rows].
        folds: The rows' folds.
    """
    last = len(losses) - 1
    return bool(lowest(losses) < last and _choices_without_each_fold(losses, folds, lowest).max() < last)


def _choices_without_each_fold(losses: npt.NDArray[np.float64], folds: Ids, choose: Choose) -> Ids:
    """Return the candidate that the rows of all other folds choose, for each fold in ascending order."""
    numbers = np.unique(folds)
    return np.array([choose(losses[:, folds != fold] if len(numbers) > 1 else losses) for fold in numbers])


def lowest(losses: npt.NDArray[np.float64]) -> int:
    """Return the candidate with the lowest mean loss; losses of shape [candidates, rows]."""
    return int(losses.mean(axis=1).argmin())


def smallest_within_one_error(losses: npt.NDArray[np.float64]) -> int:
    """Return the first candidate whose mean loss exceeds the lowest one by one standard error of it at most.

    Args:
        losses: Each candidate's losses on the same rows; shape [candidates, rows], float64.
    """
    excess = losses - losses[lowest(losses)]
    rows = losses.shape[1]
    errors = excess.std(axis=1, ddof=1) / math.sqrt(rows) if rows > 1 else np.full(len(losses), np.inf)
    return int((excess.mean(axis=1) <= errors).argmax())


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
