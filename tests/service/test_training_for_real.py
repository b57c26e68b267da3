"""Trainings from the request to an answering classifier: a real encoder in real processes, and the hard cases."""

import threading
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.fakes.runner import InlineRunner
from tests.learning.serving import layers_of, tensors, weights_of
from tests.service.examples import fake_service, show
from windrow.arrays import Floats, TokenStates
from windrow.domain.classifier import FitRequest, FitResult, ModelRequest, Trained
from windrow.domain.dataset import Row
from windrow.domain.job import Progress
from windrow.domain.prediction import Prediction, PredictRequest
from windrow.domain.recipe import DEFAULT_BASE_MODEL, Recipe
from windrow.domain.values import recast
from windrow.encoders.adapters import LowRankChanges
from windrow.encoders.bulk import compute_trunk_states
from windrow.encoders.layout import FEATURE_LAYERS
from windrow.encoders.onnx_encoder import OnnxEncoder
from windrow.execution.runner import ProcessRunner, Runner
from windrow.learning import plan
from windrow.learning.layers import pack_texts, pooled
from windrow.service.service import Service
from windrow.storage.artifact import ARTIFACT, Artifact, artifact_from_bytes

pytestmark = pytest.mark.slow

TICKETS = {
    "billing": (
        "You took the money for May two times",
        "Please send the receipt for order 1180",
        "My card was refused although there is money on it",
        "Can I pay every three months instead?",
    ),
    "bug": (
        "The window stays white after the update",
        "Saving a file of more than 2 GB ends with error 17",
        "Since yesterday the search finds nothing at all",
        "It stops as soon as I turn the phone",
    ),
    "account": (
        "How do I change the address that you write to?",
        "A colleague has left, please close her access",
        "I have forgotten which name I signed up with",
        "Let two of us share one login",
    ),
}
ROWS = tuple(Row(text, label) for label, texts in TICKETS.items() for text in texts)
REQUEST = FitRequest("tickets", ROWS)
QUESTIONS = ["Why was I charged again?", "error on the screen " * 30, "?", "Please delete my profile"]


def service_with(encoder: OnnxEncoder, data_dir: Path, runner: Runner) -> Service:
    return fake_service(data_dir, {DEFAULT_BASE_MODEL: encoder, encoder.folder.base_model.id: encoder}, runner)


def ask(service: Service, name: str, *texts: str) -> tuple[Prediction, ...]:
    """Return one classifier's answers."""
    return service.predict(PredictRequest(model_name=name, texts=texts))


def artifact_of(service: Service, name: str) -> tuple[str, int, Artifact]:
    """Return digest, size in bytes and content of a classifier's artifact."""
    catalog = service.dependencies.store.catalog
    blob = catalog.current(name).blobs[ARTIFACT]
    return blob.sha256, blob.size_bytes, artifact_from_bytes(catalog.blobs.read(name, blob))


@pytest.fixture(scope="module")
def service(bundled: OnnxEncoder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    service = service_with(bundled, tmp_path_factory.mktemp("service"), ProcessRunner(1))
    service.start()
    service.fit(REQUEST)
    yield service
    service.close()


def test_a_tuned_classifier_takes_less_than_a_megabyte(service: Service) -> None:
    _, size_bytes, artifact = artifact_of(service, "tickets")
    assert artifact.adapter
    assert size_bytes < 1_000_000


def test_it_answers_what_training_computed(service: Service, bundled: OnnxEncoder) -> None:
    _, _, artifact = artifact_of(service, "tickets")
    assert artifact.adapter is not None
    texts = [*QUESTIONS, *(row.text for row in ROWS)]
    expected = artifact.head.scores(features_as_trained(bundled, texts, artifact.adapter))
    answers = [list(answer.scores.values()) for answer in ask(service, "tickets", *texts)]
    np.testing.assert_allclose(answers, expected, atol=1e-4)
    found = [answer.label for answer in ask(service, "tickets", *(row.text for row in ROWS))]
    assert found == [row.label for row in ROWS]


def test_the_same_request_gives_the_same_bytes_after_a_restart_and_whatever_else_goes_on(
    service: Service, bundled: OnnxEncoder, tmp_path: Path
) -> None:
    """Another process trains, while the encoder answers others between its batches."""
    stop = threading.Event()
    answered = 0

    def predict() -> None:
        nonlocal answered
        # Without a pause, the training would take many times as long: it has the time that predictions leave.
        while not stop.wait(0.02):
            ask(service, "tickets", QUESTIONS[0])
            answered += 1

    asking = threading.Thread(target=predict)
    fresh = service_with(bundled, tmp_path, ProcessRunner(1))
    asking.start()
    try:
        fresh.fit(REQUEST)
    finally:
        stop.set()
        asking.join()
        fresh.close()
    assert answered > 1
    assert artifact_of(fresh, "tickets")[0] == artifact_of(service, "tickets")[0]


def test_a_training_done_again_on_this_machine_gives_identical_weights(service: Service) -> None:
    told: list[Progress] = []
    found = service.reproduce(ModelRequest("tickets"), told.append)
    assert (found.verdict, found.largest_weight_difference, found.num_changed_labels) == ("identical weights", 0.0, 0)
    assert (found.num_texts, found.changes, found.notes) == (len(ROWS), (), ())
    steps = [each for each in told if each.stage == "training" and each.step]
    assert steps[-1].step == steps[-1].num_steps == len(steps)


def test_the_record_says_what_was_asked_and_what_was_done(service: Service) -> None:
    recipe = Recipe(num_iterations=5, batch_size=32, seed=3, max_seconds=600)
    record = service.fit(replace(REQUEST, model_name="recorded", **asdict(recipe)))
    listed = show(service, "recorded")
    assert recast(Trained, listed) == recast(Trained, record)
    assert recast(Recipe, listed) == recipe
    report = listed.adapter
    assert report is not None
    assert (report.epochs, report.planned_steps, report.steps, report.ended_by) == (1, 1, 1, "plan")
    assert "torch" in listed.versions


def features_as_trained(encoder: OnnxEncoder, texts: list[str], adapter: LowRankChanges) -> Floats:
    """Return what training makes of texts: the last three layers in torch, side by side."""
    states, folder = compute_trunk_states(encoder, encoder.tokenize(texts)), encoder.folder
    packed = pack_texts(TokenStates(states.packed, states.lengths), np.arange(len(texts)), folder.pooling)
    weights, layers = tensors(weights_of(folder, adapter)), layers_of(folder)
    reached = [
        pooled(packed, weights, replace(layers, layers=layers.layers[: len(layers.layers) - left]))
        for left in reversed(range(FEATURE_LAYERS))
    ]
    features = np.empty((len(texts), FEATURE_LAYERS * folder.hidden_size), np.float32)
    features[packed.order] = torch.cat(reached, dim=1).numpy()
    return features


def numbered(count: int, label: str) -> tuple[Row, ...]:
    return tuple(Row(f"{label} word {number} here", label) for number in range(count))


HARD_CASES = {
    "one row in a class": ((*numbered(8, "a"), Row("twice", "b")), {"small_classes"}),
    "two rows in all": ((Row("reset", "a"), Row("twice", "b")), {"small_classes", "no_estimate"}),
    "99 to 1": ((*numbered(99, "a"), Row("twice", "b")), {"small_classes"}),
    "all texts alike": (
        (Row("word", "a"), Row("word", "b")) * 4,
        {"duplicate_rows", "contradicting_rows", "no_estimate"},
    ),
    "one text under two labels": (
        (*numbered(4, "a"), *numbered(4, "b"), Row("a word 0 here", "b")),
        {"contradicting_rows"},
    ),
    "one word and 400 words": (
        tuple(Row("word " * words, label) for words, label in ((1, "a"), (400, "a"), (2, "b"), (399, "b"))),
        {"small_classes", "truncated_rows"},
    ),
    "duplicates": ((*numbered(4, "a"), *numbered(4, "b")) * 2, {"duplicate_rows"}),
    "labels without a meaning": (
        tuple(Row(row.text, str(number % 2)) for number, row in enumerate(numbered(12, "word"))),
        {"number_labels"},
    ),
    "a thousand labels": (
        tuple(Row(f"{word} {number}", f"label {number}") for number in range(1_000) for word in ("reset", "twice")),
        {"small_classes"},
    ),
}


@pytest.fixture
def tiny_service(tiny: OnnxEncoder, tmp_path: Path) -> Iterator[Service]:
    service = service_with(tiny, tmp_path, InlineRunner())
    yield service
    service.close()


def odd(record: FitResult) -> set[str]:
    """Return the codes of what is told, but for what the random encoder makes of so few rows."""
    return {warning.code for warning in record.warnings} - {"not_better_than_majority"}


def assert_usable(service: Service, record: FitResult) -> None:
    for answer in ask(service, record.model_name, "reset my password", "?", "word " * 400):
        assert tuple(answer.scores) == record.labels
        assert all(0 <= score <= 1 for score in answer.scores.values())
        assert sum(answer.scores.values()) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("num_iterations", [0, 5])
@pytest.mark.parametrize("case", HARD_CASES)
def test_every_hard_case_ends_in_a_usable_classifier_and_says_what_was_odd(
    case: str, num_iterations: int, tiny_service: Service
) -> None:
    rows, expected = HARD_CASES[case]
    record = tiny_service.fit(FitRequest("hard", rows, num_iterations=num_iterations))
    assert odd(record) == expected
    assert (record.adapter is None) is (num_iterations == 0)
    assert_usable(tiny_service, record)


def test_more_rows_than_the_step_budget_end_in_a_usable_classifier(
    tiny_service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "MAX_PLANNED_TEXTS", 50)
    record = tiny_service.fit(FitRequest("large", (*numbered(200, "a"), *numbered(100, "b"))))
    assert odd(record) == {"step_budget"}
    assert record.adapter is not None
    assert record.adapter.texts == 50
    assert_usable(tiny_service, record)


def test_a_fit_without_time_ends_in_a_usable_classifier(tiny_service: Service) -> None:
    rows = (*numbered(4, "a"), *numbered(4, "b"))
    record = tiny_service.fit(FitRequest("hurried", rows, max_seconds=0.001))
    assert [warning.code for warning in record.warnings] == ["ended_by_max_seconds"]
    assert artifact_of(tiny_service, "hurried")[2].adapter is None
    assert_usable(tiny_service, record)
