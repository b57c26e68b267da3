"""A training done again: which verdict it gets, and what is told beside it."""

from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import UTC, datetime
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.encoders.adapters import changes_for
from tests.execution.examples import context_for
from tests.fakes.encoder import FakeEncoder
from tests.fakes.runner import InlineRunner
from windrow.arrays import Floats
from windrow.domain.classifier import Record
from windrow.domain.dataset import Dataset, Row
from windrow.domain.errors import InvalidArtifact, TrainingFailed
from windrow.domain.job import Progress
from windrow.domain.recipe import Recipe
from windrow.domain.reproduction import SCORE_TOLERANCE, EnvironmentChange, Reproduction
from windrow.domain.values import recast
from windrow.encoders.onnx_encoder import OnnxEncoder, TextEncoder
from windrow.execution import reproduction
from windrow.execution.control import TrainingControl
from windrow.execution.reproduction import choose_texts, reproduce
from windrow.execution.runner import ProcessRunner, Runner
from windrow.execution.trainer import Trained, train
from windrow.learning.head import LinearHead
from windrow.storage.artifact import Artifact, artifact_from_bytes, artifact_to_bytes

_RANDOM = np.random.default_rng(5)
_WORDS = ["reset", "my", "password", "was", "charged", "twice", "how", "do", "not", "here"]
ROWS = tuple(
    Row(" ".join(_RANDOM.choice(_WORDS, size=_RANDOM.integers(2, 9))) + f" {number}", f"label {number % 3}")
    for number in range(12)
)


def record_of(trained: Trained, encoder: TextEncoder, recipe: Recipe, rows: tuple[Row, ...] = ROWS) -> Record:
    dataset, base_model = Dataset(rows), encoder.folder.base_model
    return recast(
        Record,
        trained,
        **asdict(recipe) | {"base_model": base_model.id},
        name="tickets_v1",
        revision=3,
        labels=dataset.labels,
        rows_per_label=dataset.rows_per_label,
        num_examples=dataset.num_examples,
        label_thresholds={},
        base_model_digest=base_model.digest,
        training_data_sha256=dataset.sha256,
        created_at=datetime(2025, 9, 15, tzinfo=UTC),
        training_time_seconds=1.0,
    )


class StoredJob:
    """A revision that was trained once, as it lies on the disk."""

    def __init__(self, encoder: TextEncoder, recipe: Recipe = Recipe(), runner: Runner | None = None) -> None:
        trained = train(Dataset(ROWS), recipe, context_for(encoder, runner))
        self.encoder = encoder
        self.record = record_of(trained, encoder, recipe)
        self.artifact = artifact_from_bytes(trained.artifact)

    def again(self, artifact: Artifact | None = None, record: Record | None = None) -> Reproduction:
        data = artifact_to_bytes(artifact or self.artifact)
        return reproduce(record or self.record, data, Dataset(ROWS), context_for(self.encoder))

    def with_head(self, weights: Floats) -> Artifact:
        return replace(self.artifact, head=LinearHead(weights, self.artifact.head.bias))


@pytest.fixture(scope="module")
def tuned(tiny: OnnxEncoder) -> StoredJob:
    return StoredJob(tiny)


@pytest.fixture(scope="module")
def plain() -> StoredJob:
    return StoredJob(FakeEncoder(), Recipe(num_iterations=0))


def test_another_process_on_this_machine_trains_identical_weights(tiny: OnnxEncoder) -> None:
    runners = [ProcessRunner(processes=1) for _ in range(2)]
    for runner in runners:
        runner.start()
    kept = StoredJob(tiny, runner=runners[0])
    assert kept.artifact.adapter is not None
    told: list[Progress] = []
    data, context = artifact_to_bytes(kept.artifact), context_for(tiny, runners[1], TrainingControl(told.append))
    found = reproduce(kept.record, data, Dataset(ROWS), context)
    for runner in runners:
        runner.close()
    assert found.training_time_seconds > 0
    assert replace(found, training_time_seconds=0) == Reproduction(
        model_name="tickets_v1",
        revision=3,
        verdict="identical weights",
        largest_weight_difference=0.0,
        largest_score_difference=0.0,
        num_changed_labels=0,
        num_texts=12,
        changes=(),
        notes=(),
        training_time_seconds=0,
    )
    # Its folds may train beside it, and then count too.
    steps = [(each.step, each.num_steps) for each in told if each.stage == "training" and each.step]
    assert steps == [(step, len(steps)) for step in range(1, len(steps) + 1)]
    assert len(steps) >= 3


def test_a_head_that_differs_in_its_last_bits_predicts_the_same(tuned: StoredJob) -> None:
    found = tuned.again(tuned.with_head(np.nextafter(tuned.artifact.head.weights, np.float32(9))))
    assert found.verdict == "identical predictions"
    assert found.largest_weight_difference is not None
    assert 0 < found.largest_weight_difference < 1e-5
    assert found.largest_score_difference <= SCORE_TOLERANCE
    assert found.num_changed_labels == 0


def test_factors_of_other_signs_are_other_weights_that_change_nothing(tuned: StoredJob) -> None:
    """A singular value decomposition leaves one sign of both factors free."""
    assert tuned.artifact.adapter is not None
    turned = {name: -tensor for name, tensor in tuned.artifact.adapter.items()}
    found = tuned.again(replace(tuned.artifact, adapter=turned))
    assert (found.verdict, found.largest_weight_difference) == ("identical predictions", 0.0)


def test_scores_that_differ_with_equal_labels_are_different(plain: StoredJob) -> None:
    found = plain.again(plain.with_head(plain.artifact.head.weights * np.float32(1.01)))
    assert (found.verdict, found.num_changed_labels) == ("different", 0)
    assert SCORE_TOLERANCE < found.largest_score_difference < 0.1


def test_another_artifact_is_different_in_numbers(plain: StoredJob) -> None:
    head = plain.artifact.head
    found = plain.again(Artifact(LinearHead(np.roll(head.weights, 1, axis=0), np.roll(head.bias, 1))))
    assert (found.verdict, found.num_changed_labels, found.num_texts) == ("different", 12, 12)
    differences = head.weights - np.roll(head.weights, 1, axis=0), head.bias - np.roll(head.bias, 1)
    assert found.largest_weight_difference == pytest.approx(max(np.abs(each).max() for each in differences))
    assert 0.1 < found.largest_score_difference <= 1


def test_weight_changes_are_compared_projection_by_projection(tuned: StoredJob) -> None:
    assert tuned.artifact.adapter is not None
    name = "layers.3.contract"
    doubled = {**tuned.artifact.adapter, f"{name}.up": tuned.artifact.adapter[f"{name}.up"] * np.float16(2)}
    found = tuned.again(replace(tuned.artifact, adapter=doubled))
    down, up = (tuned.artifact.adapter[f"{name}.{side}"].astype(np.float64) for side in ("down", "up"))
    assert found.largest_weight_difference == pytest.approx(np.abs(down @ up).max())
    assert found.verdict == "different"


@pytest.mark.parametrize("num_iterations", [0, 20])
def test_an_adapter_on_one_side_only_has_no_weights_to_compare(num_iterations: int, tuned: StoredJob) -> None:
    artifact = tuned.artifact if num_iterations == 0 else replace(tuned.artifact, adapter=None)
    found = tuned.again(artifact, replace(tuned.record, num_iterations=num_iterations))
    assert (found.verdict, found.largest_weight_difference) == ("different", None)
    assert found.largest_score_difference > SCORE_TOLERANCE


def test_changes_of_the_environment_are_listed(plain: StoredJob) -> None:
    now = dict(plain.record.versions)
    then = {**now, "torch": "1.0", "cpu": "another"}
    del then["python"]
    found = plain.again(record=replace(plain.record, versions=then))
    assert found.changes == (
        EnvironmentChange("torch", "1.0", now["torch"]),
        EnvironmentChange("cpu", "another", now["cpu"]),
        EnvironmentChange("python", None, now["python"]),
    )
    assert found.verdict == "identical weights"


def test_a_note_says_that_time_ended_the_first_training(tuned: StoredJob) -> None:
    report = tuned.record.adapter
    assert report is not None
    cut_short = replace(report, steps=2, ended_by="max_seconds")
    (note,) = tuned.again(record=replace(tuned.record, adapter=cut_short)).notes
    assert note.startswith("The time limit ended the first training after 2 of 3 steps. How many steps fit depends on")


def test_a_note_says_that_time_ended_the_new_training(tuned: StoredJob) -> None:
    found = tuned.again(record=replace(tuned.record, max_seconds=0.001))
    (note,) = found.notes
    assert note.startswith("The time limit ended the new training after 0 of 3 steps.")
    assert (found.verdict, found.largest_weight_difference) == ("different", None)


def test_a_text_is_compared_once_and_of_many_some(plain: StoredJob, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = (*ROWS, *ROWS[:4])
    record = replace(plain.record, training_data_sha256=Dataset(rows).sha256)
    data, context = artifact_to_bytes(plain.artifact), context_for(plain.encoder)
    assert reproduce(record, data, Dataset(rows), context).num_texts == 12
    monkeypatch.setattr(reproduction, "MAX_COMPARED_TEXTS", 5)
    assert reproduce(record, data, Dataset(rows), context).num_texts == 5


@given(st.integers(1, 60), st.integers(1, 20))
@settings(deadline=None)
def test_texts_are_taken_evenly_from_first_to_last(count: int, limit: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reproduction, "MAX_COMPARED_TEXTS", limit)
        taken = [int(text) for text in choose_texts([str(number) for number in range(count)])]
    assert len(taken) == min(count, limit)
    gaps = {after - before for before, after in pairwise([*taken, count])}
    assert taken[0] == 0
    assert 0 < min(gaps) <= max(gaps) <= min(gaps) + 1


def other_adapter(kept: StoredJob) -> Artifact:
    changes = changes_for(kept.encoder.folder, rank=2)
    return replace(kept.artifact, adapter={name.replace("layers.3", "layers.9"): changes[name] for name in changes})


def narrow_head(kept: StoredJob) -> Artifact:
    # Without the scope, which would not fit this head, so that the file is no artifact at all.
    return replace(kept.with_head(kept.artifact.head.weights[:, :7]), scope=None)


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (narrow_head, r"head has shape \(3, 7\), not \(3, 96\)"),
        (lambda kept: Artifact(LinearHead(np.eye(2, 96, dtype=np.float32), np.zeros(2, np.float32))), r"\(2, 96\), no"),
        (other_adapter, "does not fit the base model"),
    ],
)
def test_an_artifact_from_elsewhere_is_refused_before_anything_is_trained(
    spoil: Callable[[StoredJob], Artifact], problem: str, tuned: StoredJob
) -> None:
    context = context_for(tuned.encoder, InlineRunner(TrainingFailed("This must not be reached.")))
    with pytest.raises(InvalidArtifact, match=problem):
        reproduce(tuned.record, artifact_to_bytes(spoil(tuned)), Dataset(ROWS), context)


def test_rows_from_elsewhere_are_refused_before_anything_is_trained(plain: StoredJob) -> None:
    context = context_for(plain.encoder, InlineRunner(TrainingFailed("This must not be reached.")))
    with pytest.raises(InvalidArtifact, match=r"its training rows have another digest\. Restore .* train it again"):
        reproduce(plain.record, artifact_to_bytes(plain.artifact), Dataset(ROWS[1:]), context)
