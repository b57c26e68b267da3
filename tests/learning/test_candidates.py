"""Candidates are chosen by rows that their heads have not seen, and each row by the choice of the other folds."""

from dataclasses import replace

import numpy as np

from windrow.arrays import Floats
from windrow.learning.candidates import (
    ScoredCandidates,
    are_right,
    is_past_lowest,
    log_losses,
    lowest,
    score_candidates,
    smallest_within_one_error,
)

FOLDS = [(np.array([2, 3]), np.array([0, 1])), (np.array([0, 1]), np.array([2, 3]))]
LABELS = np.array([0, 0, 1, 1])


def logits_of(scores: list[float]) -> Floats:
    """Return logits of two labels, of which the second is ahead by a score."""
    return np.array([[0, score] for score in scores], np.float32)


def test_candidates_are_scored_up_to_the_first_that_is_of_no_use() -> None:
    asked: list[tuple[float, float | None]] = []

    def fit(c: float, before: float | None) -> float:
        asked.append((c, before))
        return c

    def logits(c: float) -> Floats:
        return logits_of([-c, -c, c, c] if c < 5 else [9, 9, 9, -9])

    scored = score_candidates((1.0, 4.0, 16.0, 64.0), fit, logits, FOLDS, LABELS)
    assert (tuple(scored.cs), asked) == ((1.0, 4.0, 16.0), [(1.0, None), (4.0, 1.0), (16.0, 4.0)])
    assert (scored.rows.tolist(), scored.folds.tolist()) == ([0, 1, 2, 3], [0, 0, 1, 1])
    assert (scored.logits.shape, scored.losses.shape) == ((3, 4, 2), (3, 4))
    assert scored.choose(lowest) == (4.0, 1.0)
    assert scored.choose(lambda losses: 2) == (16.0, 0.25)
    np.testing.assert_array_equal(scored.nested_logits(lowest), scored.logits[1])


def test_each_fold_uses_the_c_that_the_other_folds_choose() -> None:
    """Its own rows speak for the first C, all others for the last."""
    folds = np.array([0, 0, 1, 1, 2, 2])
    losses = np.where(folds == 1, [[0.0], [9.0]], [[2.0], [1.0]])
    logits = np.array([np.full((6, 2), number, np.float32) for number in range(2)])
    scored = ScoredCandidates((1.0, 4.0), np.arange(6), folds, np.zeros(6, np.int64), logits, losses)
    picked = scored.nested_logits(lowest)
    assert picked[:, 0].tolist() == [0, 0, 1, 1, 0, 0]
    of_one_fold = replace(scored, folds=np.zeros(6, np.int64)).nested_logits(lowest)
    assert of_one_fold[:, 0].tolist() == [0] * 6


def test_the_search_goes_on_where_all_rows_prefer_the_last_c() -> None:
    folds = np.arange(3)
    # Whichever fold is left out, another earlier candidate is best; of all rows the last one is.
    losses = np.array([[0.0, 3.0, 3.0], [3.0, 0.0, 3.0], [3.0, 3.0, 0.0], [1.9, 1.9, 1.9]])
    assert not is_past_lowest(losses, folds)
    assert is_past_lowest(losses + np.array([[0], [0], [0], [0.2]]), folds)
    assert not is_past_lowest(losses[:1], folds)


def test_the_smallest_candidate_within_one_standard_error_is_chosen() -> None:
    losses = np.array([[1.0, 1.2, 0.8, 1.0], [0.9, 1.1, 0.9, 1.1], [0.2, 0.2, 0.2, 0.2], [0.21, 0.19, 0.2, 0.2]])
    assert smallest_within_one_error(losses) == 2
    # The second is better by 0.05 +- 0.14: no reason to leave the first.
    noisy = np.array([[1.0, 1.0, 1.0, 1.0], [1.3, 0.6, 1.1, 0.8]])
    assert smallest_within_one_error(noisy) == 0
    assert smallest_within_one_error(np.array([[2.0], [1.0]])) == 0


def test_the_log_loss_of_a_label_set_is_that_of_all_its_decisions() -> None:
    logits = np.array([[2, -1, 0], [-50, 60, -70]], np.float32)
    truth = np.array([[1, 0, 1], [0, 1, 0]], bool)
    probabilities = 1 / (1 + np.exp(-np.array([2, 1, 0])))
    np.testing.assert_allclose(log_losses(logits, truth), [-np.log(probabilities).sum(), 0], atol=1e-6)
    assert are_right(logits, truth).tolist() == [True, True]
    assert are_right(logits, ~truth).tolist() == [False, False]
    assert are_right(logits, np.array([0, 2])).tolist() == [True, False]
