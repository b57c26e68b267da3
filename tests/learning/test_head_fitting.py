"""Fitting a head: the choice of C, out-of-fold logits, and learning curves."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.learning.examples import around_centres, unit
from windrow.arrays import Floats, Ids
from windrow.learning import head_fitting
from windrow.learning.candidates import are_right, log_losses
from windrow.learning.folds import MAX_FOLDS, assign_folds, splits
from windrow.learning.head import LinearHead, solve
from windrow.learning.head_fitting import (
    CANDIDATE_CS,
    DEFAULT_C,
    Examples,
    OutOfFoldLogits,
    compute_learning_curve,
    cross_validate_head,
    fit_head,
    search_head,
)

SHARES = (0.25, 0.5, 0.75, 1.0)


def clusters(rows_per_label: int, labels: int, width: int = 64, spread: float = 0.3) -> Examples:
    """Return rows around one random centre a label, each text once."""
    features, label_ids = around_centres(rows_per_label, labels, spread, width=width)
    return Examples(features, label_ids, np.arange(len(label_ids)))


def judged_of(examples: Examples, seed: int = 0) -> OutOfFoldLogits:
    _, _, out_of_fold = fit_head(examples, seed)
    assert out_of_fold is not None
    return out_of_fold


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Floats, Ids, float]]:
    """What heads were fitted to, and how strong they are, in the order in which they were."""
    calls: list[tuple[Floats, Ids, float]] = []

    def remember(features: Floats, label_ids: Ids, c: float, start: LinearHead | None = None) -> LinearHead:
        calls.append((features, label_ids, c))
        return solve(features, label_ids, c, start)

    monkeypatch.setattr(head_fitting, "solve", remember)
    return calls


def rows_in(features: Floats, examples: Examples) -> list[int]:
    """Return which rows these are; no two may be alike, and there must be more of them than features."""
    number = {row.tobytes(): place for place, row in enumerate(examples.features)}
    return [number[row.tobytes()] for row in features]


def test_a_search_that_was_done_already_gives_the_same_head() -> None:
    examples = clusters(8, 3, spread=1.5)
    search = search_head(examples, seed=3)
    found, own = fit_head(examples, 3, search), fit_head(examples, 3)
    assert found[0].weights.tobytes() == own[0].weights.tobytes()
    assert found[1] == own[1] == search.report
    assert found[2] is search.out_of_fold


@pytest.mark.parametrize("max_work", [head_fitting.MAX_CV_WORK, 0])
def test_the_head_is_cross_validated_on_given_folds_by_heads_that_saw_no_held_out_row(
    max_work: int, trained: list[tuple[Floats, Ids, float]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(head_fitting, "MAX_CV_WORK", max_work)
    examples = clusters(30, 3, width=16, spread=1.5)
    folds = assign_folds(examples.label_ids, examples.groups, 0, 3)
    every, first = (cross_validate_head(examples, folds, needed) for needed in (3, 1))
    assert len(every) == 90
    assert first.tobytes() == every[:30].tobytes()
    cs = {c for _, _, c in trained}
    assert cs == (set(CANDIDATE_CS) if max_work else {DEFAULT_C})
    for features, _, _ in trained:
        assert len(set(folds[rows_in(features, examples)])) == 2
    right = (every.argmax(axis=1) == np.concatenate([examples.label_ids[folds == fold] for fold in range(3)])).mean()
    assert right > 0.5


@pytest.mark.parametrize("labels", [2, 3, 7])
def test_a_fitted_head_separates_separable_labels(labels: int) -> None:
    examples = clusters(8, labels)
    head, report, out_of_fold = fit_head(examples, seed=0)
    assert (head.scores(examples.features).argmax(axis=1) == examples.label_ids).all()
    assert report.cv_accuracy == 1.0
    assert report.cv_folds == MAX_FOLDS
    assert report.c in CANDIDATE_CS
    assert out_of_fold is not None
    assert (out_of_fold.logits.argmax(axis=1) == examples.label_ids[out_of_fold.rows]).all()


@pytest.mark.parametrize("labels", [2, 5])
@pytest.mark.parametrize("rows_per_label", [4, 60, 300])
def test_scores_are_those_of_scikit_learn_on_the_unrotated_features(labels: int, rows_per_label: int) -> None:
    from sklearn.linear_model import LogisticRegression  # takes a second, which collecting tests should not

    examples = clusters(rows_per_label, labels, spread=1.5)
    features, label_ids = examples.features.astype(float), examples.label_ids
    head, report, _ = fit_head(examples, seed=0)
    reference = LogisticRegression(C=report.c, max_iter=5_000, tol=1e-8).fit(features, label_ids)
    np.testing.assert_allclose(head.scores(examples.features), reference.predict_proba(features), atol=5e-3)


def test_a_c_is_not_tried_once_a_smaller_one_is_better_whatever_fold_is_left_out(
    trained: list[tuple[Floats, Ids, float]],
) -> None:
    examples = clusters(30, 3, width=16, spread=4.0)
    report = search_head(examples, seed=0).report
    assert [c for *_, c in trained] == [1.0] * MAX_FOLDS + [4.0] * MAX_FOLDS
    assert report.c == 1.0
    trained.clear()
    report = search_head(clusters(30, 3, width=16, spread=0.3), seed=0).report
    assert {c for *_, c in trained} == set(CANDIDATE_CS)
    assert report.c == 64.0


@pytest.mark.parametrize(("rows_per_label", "are_begun"), [(160, False), (200, True)])
def test_the_head_at_a_c_begins_as_that_of_the_smaller_one_where_rows_are_many(
    rows_per_label: int, are_begun: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[LinearHead | None] = []
    made: list[LinearHead] = []

    def remember(features: Floats, label_ids: Ids, c: float, start: LinearHead | None = None) -> LinearHead:
        given.append(start)
        made.append(solve(features, label_ids, c, start))
        return made[-1]

    monkeypatch.setattr(head_fitting, "solve", remember)
    search_head(clusters(rows_per_label, 3, width=16, spread=0.3), seed=0)
    assert given[:MAX_FOLDS] == [None] * MAX_FOLDS
    later = given[MAX_FOLDS:]
    assert len(later) == MAX_FOLDS * (len(CANDIDATE_CS) - 1)
    assert all(start is (head if are_begun else None) for start, head in zip(later, made, strict=False))


def test_a_head_moves_on_from_the_one_at_the_smaller_c_however_near_its_own_minimum_is() -> None:
    """Of so many easy rows the solver's tolerance alone would leave it where it begins."""
    rows = clusters(50_000, 2, width=4, spread=0.1)
    heads = [solve(rows.features, rows.label_ids, 1.0)]
    for c in (4.0, 16.0, 64.0):
        heads.append(solve(rows.features, rows.label_ids, c, heads[-1]))
    losses = [log_losses(head.logits(rows.features), rows.label_ids).mean() for head in heads]
    assert all(larger < 0.5 * smaller for smaller, larger in pairwise(losses))


def test_the_same_rows_give_the_same_bits() -> None:
    examples = clusters(8, 3)
    first, second = (fit_head(examples, seed=3) for _ in range(2))
    assert first[0].weights.tobytes() == second[0].weights.tobytes()
    assert first[0].bias.tobytes() == second[0].bias.tobytes()
    assert first[2] is not None
    assert second[2] is not None
    assert first[2].logits.tobytes() == second[2].logits.tobytes()


def test_one_row_a_label_is_fitted_without_cross_validation() -> None:
    examples = clusters(1, 4)
    head, report, out_of_fold = fit_head(examples, seed=0)
    assert (head.scores(examples.features).argmax(axis=1) == examples.label_ids).all()
    assert (report.c, report.cv_accuracy, report.cv_folds) == (DEFAULT_C, None, 0)
    assert out_of_fold is None


def test_one_text_a_label_however_often_is_fitted_without_cross_validation() -> None:
    examples = replace(clusters(4, 3), groups=np.repeat(np.arange(3), 4))
    _, report, out_of_fold = fit_head(examples, seed=0)
    assert (report.cv_accuracy, report.cv_folds, out_of_fold) == (None, 0, None)


def test_texts_that_are_all_alike_give_a_head_that_knows_the_frequencies() -> None:
    features = np.ones((4, 8), dtype=np.float32)
    head, _, _ = fit_head(Examples(features, np.array([0, 0, 0, 1]), np.arange(4)), seed=0)
    assert head.scores(features)[0, 0] > 0.5


def allow_a_sample_to_choose_c(monkeypatch: pytest.MonkeyPatch, examples: Examples, rows: int) -> None:
    """Let so many rows be what C is chosen by at the most."""
    labels = examples.label_ids.max() + 1 if examples.label_ids.ndim == 1 else examples.label_ids.shape[1]
    monkeypatch.setattr(head_fitting, "MAX_CV_ROWS", rows)
    monkeypatch.setattr(head_fitting, "MAX_CV_WORK", (rows + 2) * examples.features.shape[1] * labels)


def test_a_sample_of_very_many_rows_chooses_c_and_a_fold_of_all_is_held_out_from_the_rest(
    monkeypatch: pytest.MonkeyPatch, trained: list[tuple[Floats, Ids, float]]
) -> None:
    examples = clusters(30, 3, width=16)
    allow_a_sample_to_choose_c(monkeypatch, examples, 20)
    head, report, out_of_fold = fit_head(examples, seed=0)
    assert report.cv_folds == MAX_FOLDS
    assert (head.scores(examples.features).argmax(axis=1) == examples.label_ids).mean() > 0.95
    assert out_of_fold is not None
    folds = assign_folds(examples.label_ids, examples.groups, 0)
    assert out_of_fold.rows.tolist() == np.flatnonzero(folds == 0).tolist()
    assert (out_of_fold.logits.argmax(axis=1) == examples.label_ids[out_of_fold.rows]).mean() > 0.9
    *searched, (most, _, _), (whole, _, _) = [(rows_in(own, examples), ids, c) for own, ids, c in trained]
    assert {c for *_, c in searched} == set(CANDIDATE_CS)
    assert max(len(rows) for rows, *_ in searched) == 16
    assert sorted([*most, *out_of_fold.rows.tolist()]) == whole == list(range(90))
    # No held-out row has a say in the choice of what it judges.
    assert not {row for rows, *_ in searched for row in rows} & set(out_of_fold.rows.tolist())
    assert {c for *_, c in trained[-2:]} == {report.c}


def test_a_label_that_the_sample_would_miss_is_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    examples = clusters(30, 3, width=16)
    rare = np.concatenate([examples.label_ids, [3]])
    features = np.concatenate([examples.features, -examples.features[:1]])
    given = Examples(features, rare, np.arange(91))
    allow_a_sample_to_choose_c(monkeypatch, given, 10)
    for seed in range(5):
        _, report, out_of_fold = fit_head(given, seed)
        assert report.cv_folds >= 3
        assert out_of_fold is not None
        assert out_of_fold.logits.shape[1] == 4
        assert 90 not in out_of_fold.rows


def test_every_row_that_can_be_held_out_has_logits_of_its_own_fold() -> None:
    examples = clusters(7, 3)
    out_of_fold = judged_of(examples)
    assert sorted(out_of_fold.rows.tolist()) == list(range(21))
    folds = assign_folds(examples.label_ids, examples.groups, 0)
    np.testing.assert_array_equal(out_of_fold.folds, folds[out_of_fold.rows])
    assert out_of_fold.logits.shape == (21, 3)
    assert out_of_fold.logits.dtype == np.float32


def test_what_is_said_of_a_row_is_what_a_head_on_the_other_folds_says() -> None:
    """Fitted anew by scikit-learn itself, on the rows of the other folds and at each C."""
    from sklearn.linear_model import LogisticRegression  # as above

    examples = clusters(8, 3, spread=1.5)
    features, label_ids = examples.features.astype(float), examples.label_ids
    out_of_fold = judged_of(examples)
    for fold in np.unique(out_of_fold.folds):
        held = out_of_fold.rows[out_of_fold.folds == fold]
        others = np.setdiff1d(np.arange(len(label_ids)), held)
        said = out_of_fold.logits[out_of_fold.folds == fold]
        distances = []
        for c in CANDIDATE_CS:
            model = LogisticRegression(C=c, max_iter=5_000, tol=1e-8).fit(features[others], label_ids[others])
            distances.append(np.abs(model.decision_function(features[held]) - said).max())
        nearest, second, *_ = sorted(distances)
        assert nearest < 0.02
        assert second > 0.2


@given(st.integers(0, 38))
@settings(max_examples=20, deadline=None)
def test_neither_its_own_label_nor_those_of_its_fold_change_what_is_said_of_a_row(first: int) -> None:
    """Two neighbours of one fold swap labels, which leaves the dealing as it is. There are more rows than features."""
    features, label_ids = around_centres(20, 2, spread=1.5, width=8)
    permutation = np.arange(40).reshape(2, 20).T.ravel()  # neighbours have different labels
    examples = Examples(features[permutation], label_ids[permutation], np.arange(40))
    swapped = examples.label_ids.copy()
    swapped[[first, first + 1]] = swapped[[first + 1, first]]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(head_fitting, "CANDIDATE_CS", (4.0,))
        seed = next(
            seed
            for seed in range(100)
            if len(set(assign_folds(examples.label_ids, examples.groups, seed)[[first, first + 1]].tolist())) == 1
        )
        before, after = judged_of(examples, seed), judged_of(replace(examples, label_ids=swapped), seed)
    np.testing.assert_array_equal(after.folds, before.folds)
    fold = before.folds[before.rows == first]
    is_in_it = before.folds == fold
    assert after.logits[is_in_it].tobytes() == before.logits[is_in_it].tobytes()
    assert (after.logits[~is_in_it] != before.logits[~is_in_it]).any(axis=1).all()


def test_labels_by_chance_are_learnt_by_heart_and_not_found_on_held_out_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """With more features than rows, a strong head that saw a row knows its label; one that did not can only guess."""
    monkeypatch.setattr(head_fitting, "CANDIDATE_CS", (64.0,))
    random = np.random.default_rng(0)
    features = unit(random.normal(size=(200, 400)))
    examples = Examples(features, random.permutation(np.repeat(np.arange(2), 100)), np.arange(200))
    head, report, out_of_fold = fit_head(examples, seed=0)
    assert (head.logits(features).argmax(axis=1) == examples.label_ids).all()
    assert out_of_fold is not None
    right = (out_of_fold.logits.argmax(axis=1) == examples.label_ids[out_of_fold.rows]).mean()
    assert 0.35 < right < 0.65
    assert report.cv_accuracy is not None
    assert 0.35 < report.cv_accuracy < 0.65


def test_duplicates_of_a_held_out_text_never_train() -> None:
    """Each text stands twice, under a label by chance: where one could see the other, all would be right."""
    random = np.random.default_rng(1)
    features = np.repeat(unit(random.normal(size=(100, 400))), 2, axis=0)
    label_ids = np.repeat(random.permutation(np.repeat(np.arange(2), 50)), 2)
    right = {}
    for name, groups in (("kept together", np.repeat(np.arange(100), 2)), ("torn apart", np.arange(200))):
        out_of_fold = judged_of(Examples(features, label_ids, groups))
        right[name] = (out_of_fold.logits.argmax(axis=1) == label_ids[out_of_fold.rows]).mean()
    assert right["kept together"] < 0.65
    assert right["torn apart"] > 0.75


def test_the_c_with_the_lowest_log_loss_on_held_out_rows_is_chosen() -> None:
    easy, hard = clusters(12, 3, spread=0.05), clusters(12, 3, spread=100.0)
    assert fit_head(easy, seed=0)[1].c == max(CANDIDATE_CS)
    assert fit_head(hard, seed=0)[1].c == min(CANDIDATE_CS)


def test_train_only_rows_train_every_head_and_are_never_held_out(trained: list[tuple[Floats, Ids, float]]) -> None:
    examples = clusters(20, 2, width=8, spread=1.0)
    num_train_only_rows = np.stack([np.full(8, number + 2.0, np.float32) for number in range(2)])
    with_anchors = Examples(
        np.concatenate([examples.features, num_train_only_rows]),
        np.append(examples.label_ids, [0, 1]),
        examples.groups,
        num_train_only_rows=2,
    )
    out_of_fold = judged_of(with_anchors)
    assert out_of_fold.rows.max() < 40
    assert len(trained) == MAX_FOLDS * len(CANDIDATE_CS) + 1
    for features, label_ids, _ in trained:
        assert rows_in(features, with_anchors)[-2:] == [40, 41]
        assert label_ids[-2:].tolist() == [0, 1]


def test_too_much_work_for_a_choice_of_c_holds_out_one_fold_at_the_default(
    monkeypatch: pytest.MonkeyPatch, trained: list[tuple[Floats, Ids, float]]
) -> None:
    examples = clusters(20, 3, width=8, spread=1.0)
    monkeypatch.setattr(head_fitting, "MAX_CV_WORK", 48 * 8 * 3 - 1)
    head, report, out_of_fold = fit_head(examples, seed=0)
    assert (report.c, report.cv_accuracy, report.cv_folds) == (DEFAULT_C, None, 0)
    assert out_of_fold is not None
    assert set(out_of_fold.folds.tolist()) == {0}
    assert len(out_of_fold.rows) == 12
    assert [c for *_, c in trained] == [DEFAULT_C] * 2
    (seen, _, _), _ = trained
    assert sorted([*rows_in(seen, examples), *out_of_fold.rows.tolist()]) == list(range(60))
    whole = solve(examples.features, examples.label_ids, DEFAULT_C)
    assert head.scores(examples.features) == pytest.approx(whole.scores(examples.features), abs=1e-6)


def test_work_of_just_the_size_is_a_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    examples = clusters(20, 3, width=8, spread=1.0)
    monkeypatch.setattr(head_fitting, "MAX_CV_WORK", examples.features.size * 3)
    assert fit_head(examples, seed=0)[1].cv_folds == MAX_FOLDS


def test_the_fractions_of_a_learning_curve_are_nested_and_the_last_one_is_all_rows(
    trained: list[tuple[Floats, Ids, float]],
) -> None:
    examples = clusters(9, 3, width=8, spread=1.0)
    folds = assign_folds(examples.label_ids, examples.groups, 0, 3)
    study = compute_learning_curve(examples, folds, SHARES, seed=5)
    searched = len(trained) - 3 * 3
    starts = (searched, searched + 3, searched + 6)
    by_share = [[rows_in(features, examples) for features, *_ in trained[start:][:3]] for start in starts]
    assert searched % 3 == 0
    assert searched >= 3 * 2
    whole = [rows_in(features, examples) for features, *_ in trained[:3]]
    for fold in range(3):
        assert sorted(whole[fold]) == np.flatnonzero(folds != fold).tolist()
        nested = [set(rows[fold]) for rows in by_share] + [set(whole[fold])]
        assert all(less < more for less, more in pairwise(nested))
        # A quarter, a half and three quarters of six rows of each label, rounded up.
        for size, rows in zip((2, 3, 5), by_share, strict=True):
            assert np.bincount(examples.label_ids[rows[fold]]).tolist() == [size] * 3
    assert study.trained_rows.tolist() == [6, 9, 15, 18]


def test_a_learning_curve_ends_with_what_the_trainings_on_all_rows_say() -> None:
    examples = clusters(9, 3, spread=1.5)
    study = compute_learning_curve(examples, assign_folds(examples.label_ids, examples.groups, 2), (0.5, 1.0), seed=2)
    out_of_fold = judged_of(examples, seed=2)
    np.testing.assert_array_equal(study.rows, out_of_fold.rows)
    assert study.logits[-1].tobytes() == out_of_fold.logits.tobytes()
    assert study.logits.shape == (2, 27, 3)
    assert (study.logits[0] != study.logits[1]).any()


def test_a_fraction_takes_at_least_one_row_of_a_small_label() -> None:
    examples = clusters(12, 2)
    label_ids = np.append(examples.label_ids, [2, 2])
    features = np.concatenate([examples.features, -examples.features[:2]])
    small = Examples(features, label_ids, np.arange(26))
    study = compute_learning_curve(small, assign_folds(label_ids, small.groups, 0, 2), (0.01, 1.0), seed=0)
    assert study.trained_rows.tolist() == [3, 13]
    assert study.logits.shape == (2, 26, 3)


@pytest.mark.parametrize("make", [lambda: clusters(6, 2), lambda: clusters(30, 2, width=8)])
def test_the_same_learning_curve_has_the_same_bits_and_another_seed_other_ones(make: Callable[[], Examples]) -> None:
    examples = make()
    folds = assign_folds(examples.label_ids, examples.groups, 0)
    first, again, other = (compute_learning_curve(examples, folds, (0.5, 1.0), seed).logits for seed in (0, 0, 1))
    assert first.tobytes() == again.tobytes()
    assert first[-1].tobytes() == other[-1].tobytes()
    assert first[0].tobytes() != other[0].tobytes()


def test_anchors_take_part_in_each_training_of_a_learning_curve_and_count_as_no_rows() -> None:
    examples = clusters(8, 3)
    folds = assign_folds(examples.label_ids, examples.groups, 0)
    plain = compute_learning_curve(examples, folds, (0.5, 1.0), 0)
    anchored = Examples(
        np.concatenate([examples.features, examples.features[[9, 17, 1]]]),
        np.concatenate([examples.label_ids, np.arange(3)]),  # each under a name that is not its own
        examples.groups,
        num_train_only_rows=3,
    )
    misled = compute_learning_curve(anchored, folds, (0.5, 1.0), 0)
    assert misled.rows.tolist() == plain.rows.tolist()
    assert misled.trained_rows.tolist() == plain.trained_rows.tolist()
    assert not np.allclose(misled.logits[0], plain.logits[0])
    assert not np.allclose(misled.logits[-1], plain.logits[-1])


def test_a_learning_curve_that_would_take_too_long_is_computed_at_the_default_c(
    monkeypatch: pytest.MonkeyPatch, trained: list[tuple[Floats, Ids, float]]
) -> None:
    monkeypatch.setattr(head_fitting, "MAX_CV_WORK", 0)
    examples = clusters(8, 3)
    compute_learning_curve(examples, assign_folds(examples.label_ids, examples.groups, 0), (0.5, 1.0), 0)
    assert {c for _, _, c in trained} == {DEFAULT_C}
    assert len(trained) == 2 * 5


def label_sets(rows: int = 60, labels: int = 4, spread: float = 0.3) -> Examples:
    """Return rows near the sum of their labels' centres, some without labels; each text once."""
    random = np.random.default_rng(9)
    centres, sets = unit(random.normal(size=(labels, 64))), random.random((rows, labels)) < 0.35
    features = unit(sets @ centres + spread * unit(random.normal(size=(rows, 64))))
    return Examples(features, sets, np.arange(rows))


def test_c_is_chosen_for_label_sets_by_the_log_loss_of_all_decisions() -> None:
    examples = label_sets()
    search = search_head(examples, seed=3)
    assert search.out_of_fold is not None
    rows, folds = search.out_of_fold.rows, search.out_of_fold.folds
    assert sorted(rows.tolist()) == list(range(60))
    narrow = examples.features.astype(np.float64)
    losses = []
    for c in CANDIDATE_CS:
        logits = np.concatenate(
            [
                solve(narrow[train].astype(np.float32), examples.label_ids[train], c).logits(examples.features[held])
                for train, held in splits(assign_folds(examples.label_ids, examples.groups, 3))
            ]
        )
        losses.append(log_losses(logits, examples.label_ids[rows]).mean())
    assert search.report.c == CANDIDATE_CS[int(np.argmin(losses))]
    assert search.report.cv_folds == len(np.unique(folds)) == MAX_FOLDS
    right = are_right(search.out_of_fold.logits, examples.label_ids[rows]).mean()
    assert search.report.cv_accuracy == pytest.approx(right, abs=0.1)
    assert right > 0.6


def test_a_head_of_label_sets_tells_them_apart_and_is_cross_validated_on_given_folds() -> None:
    examples = label_sets()
    head, _, _ = fit_head(examples, seed=0)
    assert are_right(head.logits(examples.features), examples.label_ids).mean() > 0.8
    folds = assign_folds(examples.label_ids, examples.groups, 0, 3)
    logits = cross_validate_head(examples, folds, needed=2)
    held = np.concatenate([held for _, held in list(splits(folds))[:2]])
    assert logits.shape == (len(held), 4)
    assert are_right(logits, examples.label_ids[held]).mean() > 0.5


def test_a_learning_curve_of_label_sets_rises() -> None:
    examples = label_sets(rows=120)
    curve = compute_learning_curve(examples, assign_folds(examples.label_ids, examples.groups, 1), (0.1, 1.0), seed=1)
    few, all_rows = (log_losses(logits, examples.label_ids[curve.rows]).mean() for logits in curve.logits)
    assert all_rows < few
    assert curve.trained_rows[0] < curve.trained_rows[1] / 4


def test_of_too_many_rows_with_label_sets_a_sample_chooses_c(monkeypatch: pytest.MonkeyPatch) -> None:
    examples = label_sets(rows=100)
    allow_a_sample_to_choose_c(monkeypatch, examples, 40)
    _, report, out_of_fold = fit_head(examples, seed=0)
    assert report.cv_folds == MAX_FOLDS
    assert out_of_fold is not None
    assert 15 <= len(out_of_fold.rows) <= 25
