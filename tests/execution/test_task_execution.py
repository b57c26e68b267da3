"""Tasks in a training process: the head, its calibration, its scope and its estimate."""

from dataclasses import replace

import numpy as np
import pytest

from tests.execution.examples import ADAPTER
from tests.learning.examples import around_centres
from windrow.execution.task_execution import evaluate_holdout, fit
from windrow.execution.tasks import FitTask, HoldoutTask
from windrow.learning.calibrate import ADAPTED_PRIOR, HEAD_PRIOR, HeldOut, estimate_accuracy, fit_temperature
from windrow.learning.head import ADAPTED_C, ADAPTED_CS_OF_SETS, LinearHead, fit_adapted_head
from windrow.learning.head_fitting import Examples, fit_head
from windrow.learning.scope import label_centroids, similarity_to_nearest
from windrow.storage.artifact import artifact_from_bytes

HIDDEN = 16


def examples(rows_per_label: int = 8, num_train_only_rows: int = 0) -> Examples:
    """Return rows of three labels and so many anchors, which lie elsewhere."""
    features, label_ids = around_centres(rows_per_label, 3, spread=1.0, width=3 * HIDDEN)
    names, name_ids = around_centres(1, 3, spread=0.0, seed=9, width=3 * HIDDEN)
    return Examples(
        np.concatenate([features, names[:num_train_only_rows]]),
        np.concatenate([label_ids, name_ids[:num_train_only_rows]]),
        np.arange(len(label_ids)),
        num_train_only_rows,
    )


def held_out(rows: int, factor: float = 1.0) -> HeldOut:
    """Return rows that were judged, two thirds of them rightly."""
    random = np.random.default_rng(1)
    label_ids = np.arange(rows, dtype=np.int64) % 3
    logits = random.normal(size=(rows, 3)) + 2 * np.eye(3)[np.where(np.arange(rows) % 6 < 4, label_ids, 0)]
    return HeldOut(
        np.float32(factor) * logits.astype(np.float32), label_ids, np.linspace(0.2, 0.8, rows, dtype=np.float32), 3
    )


def assert_cooled(found: LinearHead, head: LinearHead, temperature: float) -> None:
    np.testing.assert_allclose(found.weights * temperature, head.weights, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found.bias * temperature, head.bias, rtol=1e-5, atol=1e-6)


def test_a_head_alone_is_calibrated_by_its_own_folds() -> None:
    task = FitTask(examples(), HIDDEN, seed=4)
    outcome, (head, report, judged) = fit(task), fit_head(task.examples, 4)
    assert judged is not None
    artifact = artifact_from_bytes(outcome.artifact)
    labels = task.examples.label_ids[judged.rows].astype(np.int64)
    temperature = fit_temperature(judged.logits, labels, HEAD_PRIOR)
    assert outcome.head == report
    assert (outcome.scores.temperature, outcome.scores.source) == (temperature, "out_of_fold")
    assert_cooled(artifact.head, head, temperature)
    assert outcome.estimate is not None
    assert (outcome.estimate.total, outcome.estimate.folds) == (24, 5)
    assert outcome.estimate.correct == int((judged.logits.argmax(axis=1) == labels).sum())


def test_its_scope_is_measured_by_rows_that_the_centers_were_made_without() -> None:
    task = FitTask(examples(num_train_only_rows=3), HIDDEN, seed=4)
    rows = replace(task.examples, features=task.examples.features[:24], label_ids=task.examples.label_ids[:24])
    _, _, judged = fit_head(task.examples, 4)
    assert judged is not None
    own = []
    for row, fold in zip(judged.rows, judged.folds, strict=True):
        others = np.setdiff1d(np.arange(24), judged.rows[judged.folds == fold])
        centroids = label_centroids(rows.features[others], rows.label_ids[others], HIDDEN)
        own.append(float(similarity_to_nearest(rows.features[[row]], centroids)[0]))
    scope = artifact_from_bytes(fit(task).artifact).scope
    assert scope is not None
    # Anchors are no examples: what lies near a label's name is not in scope for that.
    np.testing.assert_array_equal(scope.centroids, label_centroids(rows.features, rows.label_ids, HIDDEN))
    assert scope.similarities == pytest.approx(sorted(own), abs=1e-6)


def test_an_adapted_head_is_calibrated_with_the_held_out_rows_of_its_folds() -> None:
    said = held_out(60, factor=4.0)
    task = FitTask(examples(), HIDDEN, 4, ADAPTER, said)
    outcome, (head, report) = fit(task), fit_adapted_head(task.examples.features, task.examples.label_ids)
    artifact = artifact_from_bytes(outcome.artifact)
    temperature = fit_temperature(said.logits, said.label_ids.astype(np.int64), ADAPTED_PRIOR)
    assert temperature > 1.2
    assert (outcome.head, outcome.estimate) == (report, estimate_accuracy(said))
    assert (outcome.scores.temperature, outcome.scores.source) == (temperature, "out_of_fold")
    assert outcome.scores.similarity == pytest.approx(0.5)
    assert outcome.scores.similarity_std == pytest.approx(float(said.similarities.std(ddof=1)))
    assert_cooled(artifact.head, head, temperature)
    assert artifact.scope is not None
    assert artifact.scope.similarities == tuple(said.similarities.tolist())
    assert artifact.adapter is not None
    assert artifact.adapter.keys() == ADAPTER.keys()


def test_where_nothing_was_held_out_scores_are_calibrated_by_what_is_usual_and_scope_is_unknown() -> None:
    tuned = FitTask(examples(), HIDDEN, 4, ADAPTER, None)
    for task, prior in ((tuned, ADAPTED_PRIOR), (FitTask(examples(1), HIDDEN, 4), HEAD_PRIOR)):
        outcome = fit(task)
        scores = outcome.scores
        assert outcome.estimate is None
        assert (scores.temperature, scores.source) == (prior.temperature, "prior")
        assert (scores.similarity, scores.similarity_std) == (None, None)
        assert artifact_from_bytes(outcome.artifact).scope is None


def test_a_single_held_out_row_estimates_but_measures_no_scope() -> None:
    outcome = fit(FitTask(examples(), HIDDEN, 4, ADAPTER, held_out(1)))
    assert outcome.estimate is not None
    assert outcome.estimate.total == 1
    assert outcome.scores.source == "out_of_fold"
    assert outcome.scores.similarity is None
    assert artifact_from_bytes(outcome.artifact).scope is None


@pytest.mark.parametrize("is_adapted", [True, False])
@pytest.mark.parametrize("num_train_only_rows", [0, 3])
def test_a_holdout_task_returns_the_logits_of_an_uncalibrated_head(is_adapted: bool, num_train_only_rows: int) -> None:
    part, holdout_features = examples(num_train_only_rows=num_train_only_rows), examples(3).features
    outcome = evaluate_holdout(HoldoutTask(part, HIDDEN, 4, is_adapted, holdout_features))
    head = fit_adapted_head(part.features, part.label_ids)[0] if is_adapted else fit_head(part, 4)[0]
    assert outcome.logits.tobytes() == head.logits(holdout_features).tobytes()
    centroids = label_centroids(part.features[:24], part.label_ids[:24], HIDDEN)
    assert outcome.similarities.tobytes() == similarity_to_nearest(holdout_features, centroids).tobytes()


def test_with_label_sets_an_adapted_head_is_fitted_at_the_c_that_held_out_rows_chose() -> None:
    rows = examples()
    sets = np.eye(3, dtype=bool)[rows.label_ids]
    given = replace(rows, label_ids=sets)
    outcome = evaluate_holdout(HoldoutTask(given, HIDDEN, 0, True, rows.features))
    assert outcome.by_c is not None
    assert outcome.by_c.shape == (len(ADAPTED_CS_OF_SETS), len(sets), 3)
    for c, logits in zip(ADAPTED_CS_OF_SETS, outcome.by_c, strict=True):
        np.testing.assert_array_equal(logits, fit_adapted_head(rows.features, sets, c)[0].logits(rows.features))
    held_out = HeldOut(outcome.logits, sets, outcome.similarities, folds=3, c=2.0)
    assert fit(FitTask(given, HIDDEN, 0, {}, held_out)).head.c == 2.0
    assert fit(FitTask(given, HIDDEN, 0, {})).head.c == ADAPTED_C


def test_duplicate_rows_count_once() -> None:
    once = examples()
    count = len(once.groups)
    often = Examples(
        np.tile(once.features, (5, 1)), np.tile(once.label_ids, 5).astype(np.int64), np.tile(once.groups, 5)
    )
    estimates = [fit(FitTask(each, HIDDEN, 0)).estimate for each in (once, often)]
    assert [estimate.total for estimate in estimates if estimate is not None] == [count, count]
