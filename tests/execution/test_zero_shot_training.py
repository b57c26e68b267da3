"""Classifiers of names and descriptions alone: made without a training process, and honest about what they know."""

import numpy as np
import pytest

from tests.execution.examples import context_for
from tests.fakes.encoder import FakeEncoder
from windrow.domain.label_descriptions import LabelsAlone, labels_alone
from windrow.encoders.bulk import encode
from windrow.execution.label_encoding import encode_labels
from windrow.execution.trainer import Trained
from windrow.execution.zero_shot_training import estimate_zero_shot, train_zero_shot, zero_shot_warnings
from windrow.learning.head import sigmoid
from windrow.learning.zero_shot import TEMPERATURE
from windrow.storage.artifact import artifact_from_bytes

DESCRIPTIONS = {"billing": "money invoice refund", "bug": "crash error broken", "question": ""}


def made(descriptions: dict[str, str] = DESCRIPTIONS) -> tuple[LabelsAlone, Trained]:
    dataset = labels_alone(descriptions)
    return dataset, train_zero_shot(dataset, context_for(FakeEncoder()))


def test_its_head_is_that_of_the_labels_vectors_over_the_temperature() -> None:
    dataset, trained = made()
    head = artifact_from_bytes(trained.artifact).head
    vectors = encode_labels(dataset.labels, DESCRIPTIONS, FakeEncoder())
    np.testing.assert_allclose(head.weights, vectors / TEMPERATURE, rtol=1e-6)
    assert not head.bias.any()
    answers = head.scores(encode(FakeEncoder(), ["my invoice and a refund", "an error and a crash"]).features)
    assert [dataset.labels[best] for best in answers.argmax(axis=1)] == ["billing", "bug"]


def test_of_any_number_of_labels_each_is_scored_by_itself() -> None:
    dataset = labels_alone(DESCRIPTIONS, multi_label=True)
    trained = train_zero_shot(dataset, context_for(FakeEncoder()))
    assert (dataset.kind, trained.kind) == ("multi_label", "multi_label")
    assert trained.label_thresholds == (0.42,) * 3
    head = artifact_from_bytes(trained.artifact).head
    scores = sigmoid(head.logits(encode(FakeEncoder(), ["my invoice and a refund", "an error and a crash"]).features))
    assert [dataset.labels[best] for best in scores.argmax(axis=1)] == ["billing", "bug"]
    assert trained.report.majority_accuracy == 0
    (warning,) = trained.warnings
    assert "Each label is given from a score of 0.42 on" in warning.message


def test_it_says_that_it_has_seen_no_row() -> None:
    _, trained = made()
    assert (trained.estimate, trained.adapter, trained.report.estimate) == (None, None, None)
    assert (trained.head.c, trained.head.cv_accuracy, trained.head.cv_folds) == (0, None, 0)
    assert (trained.scores.source, trained.scores.similarity, trained.scores.temperature) == (
        "prior",
        None,
        TEMPERATURE,
    )
    assert trained.report.majority_accuracy == pytest.approx(1 / 3)
    assert artifact_from_bytes(trained.artifact).scope is None
    assert [warning.code for warning in trained.warnings] == ["zero_shot"]


def test_names_of_which_two_look_alike_are_warned_of() -> None:
    dataset = labels_alone({"Bug": "", "bug": "", "other": ""})
    assert [warning.code for warning in zero_shot_warnings(dataset)] == ["zero_shot", "labels_alike"]


def test_a_description_that_is_longer_than_the_encoder_reads_is_warned_of() -> None:
    _, trained = made({"long": "word " * 300, "short": "a few words"})
    (warning,) = [each for each in trained.warnings if each.code == "truncated_labels"]
    assert "'long'" in warning.message
    assert "'short'" not in warning.message


def test_the_same_descriptions_give_the_same_bytes_whatever_their_order() -> None:
    again = dict(reversed(DESCRIPTIONS.items()))
    assert made()[1].artifact == made(again)[1].artifact


def test_its_environment_names_what_encodes_and_no_library_that_trains() -> None:
    versions = made()[1].versions
    assert {"windrow", "numpy", "onnxruntime", "python", "platform", "cpu"} <= versions.keys()
    assert not versions.keys() & {"torch", "scikit-learn"}


def test_an_estimate_has_the_two_stages_that_there_are() -> None:
    stages, memory_bytes, _ = estimate_zero_shot(labels_alone(DESCRIPTIONS))
    assert [stage.stage for stage in stages] == ["encoding", "saving"]
    assert memory_bytes > 0
