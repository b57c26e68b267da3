"""The encoded training set: states, features, label names, subsets and samples."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from tests.encoders.adapters import changes_for
from tests.execution.examples import context_for, dataset, easy
from tests.fakes.encoder import FakeEncoder
from windrow.domain.dataset import Dataset, Row
from windrow.domain.recipe import Recipe
from windrow.encoders.adapters import pack_adapter
from windrow.encoders.bulk import encode
from windrow.encoders.onnx_encoder import OnnxEncoder, Tokens
from windrow.execution import training_set as training_set_module
from windrow.execution.training_set import EncodedTrainingSet, encode_training_set
from windrow.learning import plan


class ReadingEncoder(FakeEncoder):
    """Remembers the texts that it reads."""

    def __init__(self) -> None:
        super().__init__()
        self.read: list[str] = []

    def tokenize(self, texts: Sequence[str]) -> list[Tokens]:
        self.read.extend(texts)
        return super().tokenize(texts)


def look_at(data: Dataset, encoder: FakeEncoder | OnnxEncoder | None = None, seed: int = 0) -> EncodedTrainingSet:
    return encode_training_set(data, Recipe(seed=seed), context_for(encoder or FakeEncoder()))


def test_each_text_and_each_label_name_is_encoded_once() -> None:
    data = dataset()
    rows = (*data.rows, *data.rows[:5], Row(data.rows[0].text, "label 1"))
    encoder = ReadingEncoder()
    training_set = look_at(replace(data, rows=rows), encoder)
    assert encoder.read == [*data.texts, "label 0", "label 1", "label 2"]
    assert len(training_set.features) == len(training_set.states.lengths) == 15


def test_duplicate_rows_take_part_once_and_keep_the_number_of_the_first() -> None:
    rows = (Row("a", "x"), Row("a", "x"), Row("b", "y"), Row("a", "y"), Row("b", "y"), Row("c", "x"))
    training_set = look_at(Dataset(rows))
    assert training_set.numbers.tolist() == [0, 2, 3, 5]
    assert training_set.text_ids.tolist() == [0, 1, 0, 2]
    assert training_set.label_ids.tolist() == [0, 1, 1, 0]
    assert training_set.fraction == 1


def test_features_are_those_that_serve_with_an_adapter_and_without(tiny: OnnxEncoder) -> None:
    data, changes = dataset(), changes_for(tiny.folder, rank=2)
    training_set = look_at(data, tiny)
    np.testing.assert_allclose(training_set.row_features, encode(tiny, data.texts).features, atol=1e-5)
    assert training_set.hidden_size == tiny.folder.hidden_size
    adapted = training_set.with_adapter(changes, context_for(tiny))
    np.testing.assert_allclose(
        adapted.row_features, encode(tiny, data.texts, pack_adapter(tiny.folder, changes)).features, atol=1e-5
    )
    assert np.abs(adapted.features - training_set.features).max() > 0.01


@pytest.mark.parametrize("helps", [True, False])
def test_label_names_take_part_only_where_they_mean_something(helps: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_set_module, "label_names_are_informative", lambda *_: helps)
    data = dataset()
    training_set = look_at(data)
    texts, label_ids = training_set.contrastive_inputs()
    assert training_set.num_label_names == (3 if helps else 0)
    assert len(texts.lengths) == len(label_ids) == 12 + training_set.num_label_names
    assert label_ids.tolist() == [*data.label_ids, *range(training_set.num_label_names)]
    if helps:
        names = encode(FakeEncoder(), ["label 0", "label 1", "label 2"]).features
        np.testing.assert_allclose(training_set.features[training_set.name_ids], names, atol=1e-6)


def test_names_that_say_what_the_texts_say_take_part_and_others_do_not() -> None:
    data = easy(4)
    told = replace(data, rows=tuple(Row(row.text, row.text.split()[0]) for row in data.rows))
    assert look_at(told).num_label_names == 3
    swapped = {"word0": "word1", "word1": "word2", "word2": "word0"}
    assert (
        look_at(replace(told, rows=tuple(Row(row.text, swapped[row.label]) for row in told.rows))).num_label_names == 0
    )


def test_a_subset_has_its_rows_and_the_features_of_every_text() -> None:
    data = easy(4)
    rows = tuple(Row(row.text, row.text.split()[0]) for row in data.rows)
    training_set = look_at(replace(data, rows=rows))
    chosen = np.array([0, 1, 2, 7, 9])
    part = training_set.subset(chosen)
    assert part.numbers.tolist() == chosen.tolist()
    assert part.label_ids.tolist() == training_set.label_ids[chosen].tolist()
    assert part.row_features.tobytes() == training_set.row_features[chosen].tobytes()
    assert part.features.tobytes() == training_set.features.tobytes()
    texts, label_ids = part.contrastive_inputs()
    assert len(texts.lengths) == len(label_ids) == 5 + 3
    assert part.name_ids.tolist() == training_set.name_ids.tolist() == [12, 13, 14]


def test_a_subset_decides_anew_whether_label_names_are_informative(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def judge(features: np.ndarray, label_ids: np.ndarray, names: np.ndarray) -> bool:
        asked.append((len(features), len(label_ids), len(names)))
        return len(features) > 5

    monkeypatch.setattr(training_set_module, "label_names_are_informative", judge)
    training_set = look_at(dataset())
    assert (training_set.num_label_names, training_set.subset(np.arange(5)).num_label_names) == (3, 0)
    assert asked == [(12, 12, 3), (5, 5, 3)]


def test_of_too_many_rows_a_sample_is_encoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "MAX_PLANNED_TEXTS", 30)
    data = dataset(40)
    training_set, other = look_at(data), look_at(data, seed=1)
    assert len(training_set.numbers) == 30
    assert training_set.fraction == 0.25
    assert set(training_set.label_ids.tolist()) == {0, 1, 2}
    for row, label_id in zip(training_set.numbers, training_set.label_ids, strict=True):
        assert data.rows[row].label == f"label {label_id}"
    assert training_set.numbers.tolist() != other.numbers.tolist()
