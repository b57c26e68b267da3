"""Why a classifier answers as it does: by its own features, the rows that it was trained on, and word by word."""

import numpy as np
import pytest

from tests.encoders.adapters import changes_for
from tests.execution.predictors import PredictorSetup, encoded_by, found
from windrow.domain.dataset import Row
from windrow.domain.multi_label import MultiLabelRow
from windrow.encoders.onnx_encoder import OnnxEncoder
from windrow.execution import explaining
from windrow.execution.explaining import explain

TEXT = "charged twice today"
ROWS = (Row("reset my password", "bug"), Row("charged twice", "billing"), Row("charged twice today!", "billing"))


def test_it_explains_the_label_that_is_answered() -> None:
    setup = PredictorSetup()
    for seed in range(4):
        entry = setup.publish(f"c{seed}", seed)
        explanation = explain(found(entry), TEXT, (), ROWS, setup.predictor)
        assert explanation.label == setup.ask([entry], [TEXT])[0].label


def test_each_label_that_was_given_is_explained_in_the_order_of_the_answer() -> None:
    setup = PredictorSetup()
    entry = setup.publish("a")
    explanation = explain(found(entry), TEXT, ("bug", "billing"), None, setup.predictor)
    assert explanation.label == "bug"
    (further,) = explanation.further_labels
    assert further.label == "billing"
    # Of two labels whose scores sum to 1, one rises by as much as the other one falls.
    for one, other in zip(explanation.words, further.words, strict=True):
        assert (one.word, one.start) == (other.word, other.start)
        assert one.effect == pytest.approx(-other.effect, abs=1e-6)
    assert explain(found(entry), TEXT, ("bug",), None, setup.predictor).further_labels == ()


def test_rows_of_several_labels_are_near_with_all_their_labels() -> None:
    setup = PredictorSetup()
    rows = (MultiLabelRow("charged twice", ("billing", "bug")), MultiLabelRow("good morning", ()))
    near = explain(found(setup.publish("a")), "charged twice", (), rows, setup.predictor).nearest_rows
    assert near is not None
    assert [(each.label, each.labels) for each in near] == [(None, ("billing", "bug")), (None, ())]


def test_a_words_effect_is_by_how_much_the_score_falls_without_it() -> None:
    setup = PredictorSetup()
    entry = setup.publish("a")
    explanation = explain(found(entry), TEXT, (), None, setup.predictor)
    assert [(each.word, each.start) for each in explanation.words] == [("charged", 0), ("twice", 8), ("today", 14)]
    whole, *without = setup.ask([entry], [TEXT, "twice today", "charged today", "charged twice"])
    for each, answer in zip(explanation.words, without, strict=True):
        fall = whole.scores[explanation.label] - answer.scores[explanation.label]
        assert each.effect == pytest.approx(fall, abs=1e-5)


def test_the_nearest_rows_come_first_with_their_numbers() -> None:
    setup = PredictorSetup()
    nearest = explain(found(setup.publish("a")), "charged twice", (), ROWS, setup.predictor).nearest_rows
    assert nearest is not None
    assert [each.row for each in nearest] == [1, 2, 0]
    assert nearest[0].similarity == pytest.approx(1)
    assert (nearest[0].text, nearest[0].label) == ("charged twice", "billing")


def test_without_kept_rows_the_words_are_explained_all_the_same() -> None:
    setup = PredictorSetup()
    explanation = explain(found(setup.publish("a")), TEXT, (), None, setup.predictor)
    assert explanation.nearest_rows is None
    assert len(explanation.words) == 3


def test_a_second_text_does_not_encode_the_rows_again() -> None:
    setup = PredictorSetup()
    entry = found(setup.publish("a"))
    explain(entry, TEXT, (), ROWS, setup.predictor)
    assert encoded_by(setup) == 1 + 3 + 2  # "charged twice" is both a row and the text without its last word
    explain(entry, "not here", (), ROWS, setup.predictor)
    assert encoded_by(setup) == 6 + 3


def test_of_very_many_rows_some_are_compared_evenly_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explaining, "MAX_COMPARED_ROWS", 4)
    setup = PredictorSetup()
    rows = [Row(f"row {number}", "bug") for number in range(10)]
    nearest = explain(found(setup.publish("a")), "row 5", (), rows, setup.predictor).nearest_rows
    assert nearest is not None
    assert sorted(each.row for each in nearest) == [0, 2, 5, 7]
    assert (nearest[0].row, nearest[0].text) == (5, "row 5")


def test_rows_are_compared_as_the_classifiers_own_adapter_sees_them(tiny: OnnxEncoder) -> None:
    setup = PredictorSetup(encoder=tiny)
    similarities = []
    for changes in (None, changes_for(tiny.folder, 2, seed=1)):
        entry = found(setup.publish("a", adapter=changes))
        nearest = explain(entry, TEXT, (), ROWS[:1], setup.predictor).nearest_rows
        assert nearest is not None
        text, row = (
            features[-tiny.folder.hidden_size :] for features in setup.predictor.features(entry, [TEXT, ROWS[0].text])
        )
        assert nearest[0].similarity == pytest.approx(float(np.dot(text, row)), abs=1e-5)
        similarities.append(nearest[0].similarity)
    assert abs(similarities[0] - similarities[1]) > 1e-3
