"""The first look: which rows take part, that each text is encoded once, and whether label names take part."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from tests.encoders.adapters import changes_for
from tests.execution.examples import dataset, easy, means_of
from tests.fakes.encoder import FakeEncoder
from windrow.domain.dataset import Dataset, Row
from windrow.domain.recipe import Recipe
from windrow.encoders.adapters import pack_adapter
from windrow.encoders.bulk import encode
from windrow.encoders.onnx_encoder import OnnxEncoder, Tokens
from windrow.execution import look as look_module
from windrow.execution.look import FirstLook, look_first
from windrow.learning import plan


class ReadingEncoder(FakeEncoder):
    """Remembers the texts that it reads."""

    def __init__(self) -> None:
        super().__init__()
        self.read: list[str] = []

    def tokenize(self, texts: Sequence[str]) -> list[Tokens]:
        self.read.extend(texts)
        return super().tokenize(texts)


def look_at(data: Dataset, encoder: FakeEncoder | OnnxEncoder | None = None, seed: int = 0) -> FirstLook:
    return look_first(data, Recipe(seed=seed), means_of(encoder or FakeEncoder()))


def test_each_text_and_each_label_name_is_encoded_once() -> None:
    data = dataset()
    rows = (*data.rows, *data.rows[:5], Row(data.rows[0].text, "label 1"))
    encoder = ReadingEncoder()
    look = look_at(replace(data, rows=rows), encoder)
    assert encoder.read == [*data.texts, "label 0", "label 1", "label 2"]
    assert len(look.features) == len(look.states.lengths) == 15


def test_duplicate_rows_take_part_once_and_keep_the_number_of_the_first() -> None:
    rows = (Row("a", "x"), Row("a", "x"), Row("b", "y"), Row("a", "y"), Row("b", "y"), Row("c", "x"))
    look = look_at(Dataset(rows))
    assert look.numbers.tolist() == [0, 2, 3, 5]
    assert look.text_ids.tolist() == [0, 1, 0, 2]
    assert look.label_ids.tolist() == [0, 1, 1, 0]
    assert look.share == 1


def test_features_are_those_that_serve_with_an_adapter_and_without(tiny: OnnxEncoder) -> None:
    data, changes = dataset(), changes_for(tiny.folder, rank=2)
    look = look_at(data, tiny)
    np.testing.assert_allclose(look.row_features, encode(tiny, data.texts).features, atol=1e-5)
    assert look.hidden == tiny.folder.hidden_size
    adapted = look.seen_through(changes, means_of(tiny))
    np.testing.assert_allclose(
        adapted.row_features, encode(tiny, data.texts, pack_adapter(tiny.folder, changes)).features, atol=1e-5
    )
    assert np.abs(adapted.features - look.features).max() > 0.01


@pytest.mark.parametrize("helps", [True, False])
def test_label_names_take_part_only_where_they_mean_something(helps: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(look_module, "label_names_are_informative", lambda *_: helps)
    data = dataset()
    look = look_at(data)
    texts, label_ids = look.lesson()
    assert look.names == (3 if helps else 0)
    assert len(texts.lengths) == len(label_ids) == 12 + look.names
    assert label_ids.tolist() == [*data.label_ids, *range(look.names)]
    if helps:
        names = encode(FakeEncoder(), ["label 0", "label 1", "label 2"]).features
        np.testing.assert_allclose(look.features[look.name_ids], names, atol=1e-6)


def test_names_that_say_what_the_texts_say_take_part_and_others_do_not() -> None:
    data = easy(4)
    told = replace(data, rows=tuple(Row(row.text, row.text.split()[0]) for row in data.rows))
    assert look_at(told).names == 3
    swapped = {"word0": "word1", "word1": "word2", "word2": "word0"}
    assert look_at(replace(told, rows=tuple(Row(row.text, swapped[row.label]) for row in told.rows))).names == 0


def test_a_part_of_the_rows_has_only_these_and_every_text_for_those_who_are_asked() -> None:
    data = easy(4)
    rows = tuple(Row(row.text, row.text.split()[0]) for row in data.rows)
    look = look_at(replace(data, rows=rows))
    chosen = np.array([0, 1, 2, 7, 9])
    part = look.only(chosen)
    assert part.numbers.tolist() == chosen.tolist()
    assert part.label_ids.tolist() == look.label_ids[chosen].tolist()
    assert part.row_features.tobytes() == look.row_features[chosen].tobytes()
    assert part.features.tobytes() == look.features.tobytes()
    texts, label_ids = part.lesson()
    assert len(texts.lengths) == len(label_ids) == 5 + 3
    assert part.name_ids.tolist() == look.name_ids.tolist() == [12, 13, 14]


def test_whether_names_mean_something_is_asked_anew_of_a_part(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def judge(features: np.ndarray, label_ids: np.ndarray, names: np.ndarray) -> bool:
        asked.append((len(features), len(label_ids), len(names)))
        return len(features) > 5

    monkeypatch.setattr(look_module, "label_names_are_informative", judge)
    look = look_at(dataset())
    assert (look.names, look.only(np.arange(5)).names) == (3, 0)
    assert asked == [(12, 12, 3), (5, 5, 3)]


def test_of_too_many_rows_a_sample_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "MAX_PLANNED_TEXTS", 30)
    data = dataset(40)
    look, other = look_at(data), look_at(data, seed=1)
    assert len(look.numbers) == 30
    assert look.share == 0.25
    assert set(look.label_ids.tolist()) == {0, 1, 2}
    for row, label_id in zip(look.numbers, look.label_ids, strict=True):
        assert data.rows[row].label == f"label {label_id}"
    assert look.numbers.tolist() != other.numbers.tolist()
