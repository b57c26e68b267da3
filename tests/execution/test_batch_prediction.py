"""Batch predictions are those of single texts, with each distinct text encoded once."""

from collections.abc import Sequence

import numpy as np
import pytest

from tests.encoders.adapters import changes_for
from tests.execution.predictors import FailingEncoder, PredictorSetup, encoded_by, found
from tests.records import multi_label_record
from windrow.arrays import Floats
from windrow.domain.errors import InvalidBaseModel
from windrow.encoders.bulk import run_in_order
from windrow.encoders.onnx_encoder import OnnxEncoder
from windrow.execution import batch_prediction
from windrow.execution.batch_prediction import ClassifierOutputs, predict_batch
from windrow.learning.scope import Scope
from windrow.storage.revision import ClassifierState

TEXTS = ["reset my password", "charged twice", "reset my password", "not here", "word " * 300]


def answers_of(
    setup: PredictorSetup, entries: Sequence[ClassifierState], texts: Sequence[str] = TEXTS
) -> tuple[ClassifierOutputs, ...]:
    return predict_batch([found(entry) for entry in entries], texts, setup.predictor, run_in_order, keep_features=True)


def _bytes(features: Floats | None) -> bytes:
    assert features is not None
    return features.tobytes()


def scope() -> Scope:
    return Scope.of(np.eye(2, 64, dtype=np.float16), np.array([0.0, 0.1, 0.2], np.float32))


def test_each_distinct_text_is_encoded_once_for_all_heads_on_an_encoder() -> None:
    setup = PredictorSetup()
    entries = [setup.publish(f"c{number}", seed=number) for number in range(5)]
    answers = answers_of(setup, entries)
    assert encoded_by(setup) == 4
    assert len({each.scores.tobytes() for each in answers}) == 5
    assert len({_bytes(each.features) for each in answers}) == 1


def test_classifiers_with_adapters_see_texts_each_in_its_own_way(tiny: OnnxEncoder) -> None:
    setup = PredictorSetup(encoder=tiny)
    plain = [setup.publish(name, seed) for seed, name in enumerate("ab")]
    adapted = [setup.publish(f"t{seed}", adapter=changes_for(tiny.folder, 2, seed)) for seed in (1, 2)]
    answers = answers_of(setup, [plain[0], adapted[0], plain[1], adapted[1], adapted[0]])
    ways = [_bytes(each.features) for each in answers]
    assert ways[0] == ways[2]
    assert ways[1] == ways[4]
    assert len(set(ways)) == 3


def test_outputs_are_those_of_a_prediction_text_by_text() -> None:
    setup = PredictorSetup()
    entries = [setup.publish("a", 1, scope=scope()), setup.publish("b", 2)]
    answers = answers_of(setup, entries)
    for each, entry in zip(answers, entries, strict=True):
        predicted = setup.ask([entry], TEXTS)
        assert each.labels == entry.record.labels
        assert each.predicted == [answer.label for answer in predicted]
        assert each.truncated.tolist() == [answer.truncated for answer in predicted] == [False] * 4 + [True]
        for row, answer in zip(each.scores, predicted, strict=True):
            assert row.tolist() == pytest.approx(list(answer.scores.values()), abs=1e-5)
        told = [None] * 5 if each.in_scope is None else each.in_scope.tolist()
        assert told == [
            None if answer.in_scope is None else pytest.approx(answer.in_scope, abs=1e-5) for answer in predicted
        ]
    assert [each.in_scope is None for each in answers] == [False, True]


def test_a_multi_label_classifier_gives_the_labels_whose_scores_reach_their_thresholds() -> None:
    setup = PredictorSetup()
    several = setup.publish("a", 1, trained=multi_label_record(label_thresholds={"billing": 0.5, "bug": 0.45}))
    answers, one_label = answers_of(setup, [several, setup.publish("b", 2)])
    assert one_label.given is None
    assert answers.given is not None
    predicted = setup.ask([several], TEXTS)
    for row, given, answer in zip(answers.scores, answers.given, predicted, strict=True):
        assert row.tolist() == pytest.approx(list(answer.scores.values()), abs=1e-5)
        assert {answers.labels[at] for at in np.flatnonzero(given)} == set(answer.labels or ())
    assert [answer.labels for answer in predicted] == [("bug",), ("billing",), ("bug",), (), ("billing", "bug")]


def test_many_texts_are_predicted_in_chunks_with_the_same_outputs(monkeypatch: pytest.MonkeyPatch) -> None:
    setup = PredictorSetup()
    entry = setup.publish("a", scope=scope())
    (whole,) = answers_of(setup, [entry])
    monkeypatch.setattr(batch_prediction, "CHUNK_TEXTS", 3)
    (parts,) = answers_of(setup, [entry])
    assert whole.in_scope is not None and parts.in_scope is not None
    np.testing.assert_allclose(parts.scores, whole.scores, atol=1e-6)
    np.testing.assert_allclose(parts.in_scope, whole.in_scope, atol=1e-6)
    assert parts.truncated.tolist() == whole.truncated.tolist()
    assert _bytes(parts.features) == _bytes(whole.features)


def test_features_are_returned_only_on_request() -> None:
    setup = PredictorSetup()
    (answers,) = predict_batch([found(setup.publish("a"))], TEXTS, setup.predictor, run_in_order)
    assert answers.features is None


def test_a_repeated_text_has_the_same_outputs_at_each_position() -> None:
    setup = PredictorSetup()
    (answers,) = answers_of(setup, [setup.publish("a")])
    assert answers.scores.shape == (5, 2)
    assert answers.scores[0].tobytes() == answers.scores[2].tobytes()
    np.testing.assert_allclose(answers.scores.sum(axis=1), 1, atol=1e-6)


def test_a_batch_prediction_neither_fills_nor_needs_the_cache_of_texts() -> None:
    setup = PredictorSetup()
    answers_of(setup, [setup.publish("a")])
    assert setup.predictor.server_stats(0, 0).texts.entries == 0


def test_scores_that_are_no_numbers_are_no_output() -> None:
    setup = PredictorSetup(encoder=FailingEncoder())
    with pytest.raises(InvalidBaseModel, match="no numbers"):
        answers_of(setup, [setup.publish("a", scope=scope())])
