"""A training from checked rows to a finished artifact: what is trained, what is left out, and what the report says."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from tests.fakes.runner import InlineRunner
from windrow.domain.classifier import AdapterReport
from windrow.domain.dataset import DataLimits, Dataset, Row, check_rows
from windrow.domain.recipe import Recipe
from windrow.encoders.adapters import join_changes
from windrow.encoders.bulk import encode, one_by_one
from windrow.encoders.layout import adapted_maps
from windrow.encoders.session import OnnxEncoder
from windrow.execution import trainer
from windrow.execution.runner import ignore_steps
from windrow.execution.trainer import Means, Trained, train
from windrow.learning import plan
from windrow.learning.choice import Strength
from windrow.learning.plan import FEW, MANY
from windrow.storage.artifact import Artifact, artifact_from_bytes

WORDS = ["reset", "my", "password", "was", "charged", "twice", "words", "how", "do", "and", "of", "not", "here"]


def dataset(rows_per_label: int = 4, labels: int = 3) -> Dataset:
    """Return texts of random words, so that a random encoder has something to learn."""
    random = np.random.default_rng(rows_per_label)
    rows = tuple(
        Row(" ".join(random.choice(WORDS, size=random.integers(2, 9))) + f" {number}", f"label {number % labels}")
        for number in range(rows_per_label * labels)
    )
    return check_rows(rows, DataLimits())


@pytest.fixture
def fit(tiny: OnnxEncoder) -> Callable[..., Trained]:
    def fit(data: Dataset, recipe: Recipe = Recipe(), on_step: Callable[..., None] = ignore_steps) -> Trained:
        return train(data, recipe, Means(tiny, one_by_one, InlineRunner()), on_step)

    return fit


def report_of(trained: Trained) -> AdapterReport:
    assert trained.summary.adapter is not None
    return trained.summary.adapter


def codes(trained: Trained) -> set[str]:
    return {warning.code for warning in trained.warnings}


def strength_is(monkeypatch: pytest.MonkeyPatch, value: float) -> None:
    monkeypatch.setattr(trainer, "choose_strength", lambda *_: Strength(value, "The test says so.", ()))


def change_of(artifact: Artifact) -> float:
    assert artifact.adapter is not None
    return float(np.linalg.norm(artifact.adapter["layers.3.query.down"] @ artifact.adapter["layers.3.query.up"]))


def test_no_iterations_train_the_head_alone(fit: Callable[..., Trained]) -> None:
    trained = fit(dataset(), Recipe(num_iterations=0))
    assert trained.summary.adapter is None
    assert trained.summary.head.cv_folds > 0
    assert artifact_from_bytes(trained.artifact).adapter is None


def test_an_adapter_is_trained_and_reported(fit: Callable[..., Trained], tiny: OnnxEncoder) -> None:
    told: list[tuple[int, int, float]] = []
    trained = fit(dataset(), Recipe(num_iterations=20), lambda *step: told.append(step))
    report, adapter = report_of(trained), artifact_from_bytes(trained.artifact).adapter
    assert adapter is not None
    assert adapter.keys() == {f"{name}.{side}" for name, _ in adapted_maps(tiny.folder) for side in ("down", "up")}
    assert (report.layers, report.rank, report.passes) == (4, FEW.rank, 3)
    assert (report.planned_steps, report.steps, report.ended_by, report.texts) == (3, 3, "plan", 12)
    assert [(step, of) for step, of, _ in told] == [(1, 3), (2, 3), (3, 3)]
    assert (report.first_loss, report.last_loss) == (told[0][2], told[-1][2])
    assert trained.warnings == ()


def test_the_head_fits_the_features_that_the_saved_adapter_gives(
    fit: Callable[..., Trained], tiny: OnnxEncoder
) -> None:
    data = dataset()
    artifact = artifact_from_bytes(fit(data).artifact)
    assert artifact.adapter is not None
    scores = artifact.head.scores(encode(tiny, data.texts, join_changes(tiny.folder, artifact.adapter)).features)
    assert (scores.argmax(axis=1) == data.label_ids()).all()


def test_an_encoder_that_needs_no_change_gets_none(
    fit: Callable[..., Trained], monkeypatch: pytest.MonkeyPatch
) -> None:
    strength_is(monkeypatch, 0.0)
    trained = fit(dataset())
    report = report_of(trained)
    assert (report.strength, report.reason, report.steps, report.first_loss) == (0.0, "The test says so.", 0, None)
    assert artifact_from_bytes(trained.artifact).adapter is None
    monkeypatch.undo()
    assert trained.artifact == fit(dataset(), Recipe(num_iterations=0)).artifact


def test_a_share_of_the_change_is_saved_as_such(fit: Callable[..., Trained], monkeypatch: pytest.MonkeyPatch) -> None:
    changes = []
    for value in (1.0, 0.5):
        strength_is(monkeypatch, value)
        trained = fit(dataset())
        assert report_of(trained).strength == value
        changes.append(change_of(artifact_from_bytes(trained.artifact)))
    assert changes[1] == pytest.approx(changes[0] / 2, rel=0.01)


def test_many_rows_are_trained_in_the_other_manner(fit: Callable[..., Trained]) -> None:
    trained = fit(dataset(100), Recipe(num_iterations=4))
    report = report_of(trained)
    assert (report.layers, report.rank, report.passes, report.planned_steps) == (MANY.layers, MANY.rank, 1, 2)
    adapter = artifact_from_bytes(trained.artifact).adapter
    assert adapter is not None
    assert {name.split(".")[1] for name in adapter} == {"1", "2", "3"}


def test_a_larger_batch_lets_more_rows_meet_in_one_step(fit: Callable[..., Trained]) -> None:
    report = report_of(fit(dataset(100), Recipe(num_iterations=5, batch_size=512)))
    assert (report.layers, report.rank, report.planned_steps) == (4, FEW.rank, 1)


@pytest.mark.parametrize("budget", [40, 260])
def test_rows_beyond_the_step_budget_still_teach_the_head(
    budget: int, fit: Callable[..., Trained], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "MAX_PLANNED_TEXTS", budget)
    data = dataset(100)
    trained = fit(data)
    report = report_of(trained)
    assert report.ended_by == "step_budget"
    assert report.texts == min(budget, 300)
    assert codes(trained) == {"step_budget"}
    assert trained.warnings[0].message.startswith(f"Contrastive training took {report.steps} steps over {report.texts}")
    # The head knows rows that contrastive training never saw.
    assert artifact_from_bytes(trained.artifact).head.weights.shape == (3, 96)


def test_a_sample_without_an_adapter_still_fits_the_head_on_every_row(
    fit: Callable[..., Trained], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = fit(dataset(40), Recipe(num_iterations=0))
    monkeypatch.setattr(plan, "MAX_PLANNED_TEXTS", 30)
    assert fit(dataset(40), Recipe(num_iterations=0)).artifact == whole.artifact


def test_time_that_is_up_before_the_first_step_leaves_the_head(fit: Callable[..., Trained]) -> None:
    trained = fit(dataset(), Recipe(max_seconds=0.001))
    report = report_of(trained)
    assert (report.strength, report.steps, report.planned_steps, report.ended_by) == (0.0, 0, 3, "max_seconds")
    assert (report.first_loss, report.last_loss) == (None, None)
    assert codes(trained) == {"ended_by_max_seconds"}
    assert artifact_from_bytes(trained.artifact).adapter is None
    assert trained.artifact == fit(dataset(), Recipe(num_iterations=0)).artifact


def test_time_enough_changes_nothing(fit: Callable[..., Trained]) -> None:
    assert fit(dataset(), Recipe(max_seconds=3_600)).artifact == fit(dataset()).artifact


def test_labels_without_a_second_text_get_no_adapter(fit: Callable[..., Trained]) -> None:
    data = Dataset((Row("reset my password", "0"), Row("charged twice", "1")))
    trained = fit(data)
    assert report_of(trained).reason == "No label has two texts that could come closer."
    assert artifact_from_bytes(trained.artifact).adapter is None


@pytest.mark.parametrize("helps", [True, False])
def test_label_names_take_part_only_where_they_mean_something(
    helps: bool, fit: Callable[..., Trained], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainer, "names_mean_something", lambda *_: helps)
    report = report_of(fit(dataset()))
    assert report.used_label_names is helps
    assert report.texts == 12


def test_label_names_are_no_examples_to_the_head(fit: Callable[..., Trained], monkeypatch: pytest.MonkeyPatch) -> None:
    """With one row a label, held-out names would make a cross-validation."""
    monkeypatch.setattr(trainer, "names_mean_something", lambda *_: True)
    trained = fit(dataset(1), Recipe(num_iterations=0))
    assert (trained.summary.head.cv_accuracy, trained.summary.head.cv_folds) == (None, 0)


def test_a_label_name_may_be_one_of_the_texts(fit: Callable[..., Trained], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainer, "names_mean_something", lambda *_: True)
    data = dataset()
    rows = (*data.rows, Row("label 0", "label 0"), Row("label 1", "label 0"))
    assert artifact_from_bytes(fit(replace(data, rows=rows)).artifact).head.weights.shape == (3, 96)


def test_duplicate_rows_take_part_once(fit: Callable[..., Trained]) -> None:
    data = dataset()
    assert report_of(fit(replace(data, rows=(*data.rows, *data.rows[:5])))).texts == 12


def test_truncated_rows_are_counted_with_and_without_an_adapter(fit: Callable[..., Trained]) -> None:
    data = dataset()
    rows = (*data.rows, Row("word " * 400, "label 0"))
    for num_iterations in (0, 5):
        (warning,) = fit(replace(data, rows=rows), Recipe(num_iterations)).warnings
        assert (warning.code, warning.rows) == ("truncated_rows", (12,))


@pytest.mark.parametrize("rows_per_label", [4, 100])
def test_the_same_request_gives_the_same_bytes(rows_per_label: int, fit: Callable[..., Trained]) -> None:
    data, recipe = dataset(rows_per_label), Recipe(num_iterations=4)
    first = fit(data, recipe)
    assert fit(data, recipe).artifact == first.artifact
    if rows_per_label == 100:  # fewer rows all meet in every step, so there is nothing to draw
        assert fit(data, replace(recipe, seed=1)).artifact != first.artifact
