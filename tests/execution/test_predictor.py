"""The predictor: what it reads from the disk, what it encodes, and what it keeps in memory."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from tests.encoders.adapters import changes_for
from tests.execution.place import Place, encoded_by, found
from windrow.domain.errors import ArtifactInvalid
from windrow.domain.names import Reference
from windrow.domain.prediction import PredictRequest
from windrow.encoders.bulk import encode
from windrow.encoders.onnx_encoder import OnnxEncoder
from windrow.execution.predictor import Memory
from windrow.learning.scope import Scope
from windrow.storage.catalog import Found


def test_texts_are_answered_in_their_order_and_as_alone() -> None:
    place = Place(memory=Memory(10**8, 0))
    entry = place.publish("a")
    texts = ["reset my password", "charged twice", "reset my password", "?"]
    together = place.ask([entry], texts)
    alone = [place.ask([entry], [text])[0] for text in texts]
    assert [answer.label for answer in together] == [answer.label for answer in alone]
    for one, other in zip(together, alone, strict=True):
        assert one.scores == pytest.approx(other.scores, abs=1e-5)


def test_a_text_for_many_classifiers_is_encoded_once() -> None:
    place = Place()
    entries = [place.publish(f"c{number}", seed=number) for number in range(20)]
    answers = place.ask(entries, ["charged twice"])
    assert [answer.model_name for answer in answers] == [f"c{number}" for number in range(20)]
    assert len({answer.scores["billing"] for answer in answers}) == 20
    assert encoded_by(place) == 1


def test_a_text_that_occurs_twice_is_encoded_once() -> None:
    place = Place(memory=Memory(10**8, 0))
    place.ask([place.publish("a")], ["charged twice"] * 5)
    assert encoded_by(place) == 1


def test_encoded_texts_are_kept_for_every_classifier_of_a_base_model() -> None:
    place = Place()
    first, second = place.publish("a", seed=1), place.publish("b", seed=2)
    before = place.ask([first], ["charged twice"])
    place.ask([second], ["charged twice"])
    assert place.ask([first], ["charged twice"]) == before
    assert encoded_by(place) == 1
    vitals = place.predictor.vitals(0, 0)
    assert (vitals.texts.entries, vitals.texts.hits, vitals.texts.misses) == (1, 2, 1)


def test_the_memory_for_texts_has_a_limit() -> None:
    place = Place(memory=Memory(10**8, 10_000))
    entry = place.publish("a")
    for number in range(100):
        place.ask([entry], [f"text {number}"])
    vitals = place.predictor.vitals(0, 0)
    assert 0 < vitals.texts.entries < 100
    assert vitals.texts.size_bytes <= 10_000


def test_no_memory_for_texts_keeps_none() -> None:
    place = Place(memory=Memory(10**8, 0))
    entry = place.publish("a")
    place.ask([entry], ["charged twice"])
    place.ask([entry], ["charged twice"])
    assert encoded_by(place) == 2
    assert place.predictor.vitals(0, 0).texts.entries == 0


def test_texts_are_kept_apart_for_each_adapter(tiny: OnnxEncoder) -> None:
    place = Place(encoder=tiny)
    plain = place.publish("plain")
    adapted = [place.publish(f"a{seed}", adapter=changes_for(tiny.folder, 2, seed)) for seed in (1, 2)]
    texts = ["reset my password"]
    together = place.ask([plain, *adapted], texts)
    assert len({round(answer.scores["billing"], 4) for answer in together}) == 3
    assert place.predictor.vitals(0, 0).texts.entries == 3
    fresh = Place(encoder=tiny, files=place.files)
    for entry, answer in zip([plain, *adapted], together, strict=True):
        (alone,) = fresh.ask([entry], texts)
        assert alone.scores == pytest.approx(answer.scores, abs=1e-5)


@pytest.mark.parametrize("top_k", [1, 2])
def test_top_k_gives_the_best_scores_best_first(top_k: int) -> None:
    place = Place()
    entry = place.publish("a")
    (whole,) = place.ask([entry], ["charged twice"])
    (best,) = place.ask([entry], ["charged twice"], top_k)
    assert best.label == whole.label
    assert list(best.scores.values()) == sorted(whole.scores.values(), reverse=True)[:top_k]
    assert next(iter(best.scores)) == whole.label


def test_a_hundred_first_requests_read_the_disk_once() -> None:
    place = Place()
    entry = place.publish("a")
    start = threading.Barrier(100)
    before = place.blob_reads()

    def ask(_: int) -> str | None:
        start.wait()
        return place.ask([entry], ["charged twice"])[0].label

    with ThreadPoolExecutor(100) as threads:
        assert len(set(threads.map(ask, range(100)))) == 1
    assert place.blob_reads() == before + 1


def test_the_least_recently_used_classifier_leaves_first_and_comes_back() -> None:
    one_bytes = 2 * 192 * 4 + 2 * 4
    place = Place(memory=Memory(2 * one_bytes, 10**6))
    first, second, third = (place.publish(name, seed) for seed, name in enumerate("abc"))
    for entry in (first, second, first, third):
        place.ask([entry], ["charged twice"])
    reads = place.blob_reads()
    place.ask([first], ["charged twice"])
    assert place.blob_reads() == reads
    place.ask([second], ["charged twice"])
    assert place.blob_reads() == reads + 1
    assert place.predictor.vitals(0, 0).classifiers.size_bytes <= 2 * one_bytes


def test_a_classifier_that_is_to_stay_loaded_is_read_once() -> None:
    place = Place(memory=Memory(0, 10**6, keep_loaded=["a"]))
    kept, other = place.publish("a", 1), place.publish("b", 2)
    place.predictor.load(found(kept))
    reads = place.blob_reads()
    for entry in (kept, other, kept, other):
        place.ask([entry], ["charged twice"])
    assert place.blob_reads() == reads + 2
    retrained = place.publish("a", 3)
    assert place.ask([retrained], ["charged twice"]) != place.ask([kept], ["charged twice"])


def test_what_an_alias_points_to_stays_loaded_for_it_until_it_points_elsewhere() -> None:
    place = Place(memory=Memory(0, 10**6, keep_loaded=["tickets"]))
    first, second = place.publish("a", 1), place.publish("b", 2)
    place.predictor.load(found(first, alias="tickets"))
    assert place.predictor.is_loaded(first)
    place.predictor.load(found(second, alias="tickets"))
    assert place.predictor.is_loaded(second)
    assert not place.predictor.is_loaded(first)


def test_what_stays_loaded_for_two_names_stays_until_both_are_forgotten() -> None:
    place = Place(memory=Memory(0, 10**6, keep_loaded=["a", "tickets"]))
    entry = place.publish("a")
    place.predictor.load(found(entry, alias="tickets"))
    place.predictor.forget("tickets")
    assert place.predictor.is_loaded(entry)
    place.predictor.forget("a")
    assert not place.predictor.is_loaded(entry)
    place.predictor.forget("a")


def test_a_revision_that_is_asked_by_its_number_does_not_take_the_place_of_what_stays_loaded() -> None:
    place = Place(memory=Memory(0, 10**6, keep_loaded=["a"]))
    older, newer = place.publish("a", 1), place.publish("a", 2)
    place.predictor.load(found(newer))
    place.predictor.load(Found(older, Reference("a", 1)))
    assert place.predictor.is_loaded(newer)
    assert not place.predictor.is_loaded(older)


def test_answers_say_which_classifier_gave_them_and_by_which_alias_it_was_asked() -> None:
    place = Place()
    entry = place.publish("a")
    asked = [found(entry), found(entry, alias="tickets")]
    answers = place.predictor.predict(asked, PredictRequest(text="charged twice"), lambda: True).result(30)
    assert [(answer.model_name, answer.revision, answer.alias) for answer in answers] == [
        ("a", 1, None),
        ("a", 1, "tickets"),
    ]


def test_a_head_of_another_width_is_refused_with_what_to_do() -> None:
    place = Place()
    entry = place.publish("a", width=7)
    with pytest.raises(ArtifactInvalid, match=r"7 features, not 192\. Restore .* from a backup, or train it again"):
        place.ask([entry], ["charged twice"])


def test_a_head_of_other_labels_is_refused_with_what_to_do() -> None:
    place = Place()
    entry = place.publish("a")
    grown = replace(
        entry, record=replace(entry.record, labels=("a", "b", "c"), rows_per_label={"a": 1, "b": 1, "c": 1})
    )
    with pytest.raises(ArtifactInvalid, match="2 labels, not 3"):
        place.ask([grown], ["charged twice"])


def scope_of(width: int, seed: int = 0) -> Scope:
    """Return a scope of two centers."""
    centers = np.random.default_rng(seed).standard_normal((2, width)) / width**0.5
    return Scope.of((centers * 0.9).astype(np.float16), np.array([0.25, 0.5, 0.75], np.float32))


def test_a_scope_of_another_width_is_refused_with_what_to_do() -> None:
    place = Place()
    entry = place.publish("a", scope=scope_of(7))
    with pytest.raises(ArtifactInvalid, match=r"a scope of 7 numbers a label\. Restore .* or train it again"):
        place.ask([entry], ["charged twice"])


def test_each_answer_says_how_like_its_own_training_data_the_text_is() -> None:
    place = Place()
    width = place.encoder.folder.hidden_size
    scopes = [scope_of(width, 1), None, scope_of(width, 2)]
    entries = [place.publish(name, scope=scope) for name, scope in zip("abc", scopes, strict=True)]
    for text in ("charged twice", "reset my password"):
        features = place.predictor.features(found(entries[0]), [text])
        expected = [None if scope is None else float(scope.in_scope(features)[0]) for scope in scopes]
        told = [answer.in_scope for answer in place.ask(entries, [text])]
        assert told[1] is None
        assert told == [None if each is None else pytest.approx(each, abs=1e-6) for each in expected]
        assert told[0] != told[2]


def test_a_loaded_classifier_takes_the_memory_of_its_head_and_its_scope() -> None:
    place = Place()
    place.predictor.load(found(place.publish("a")))
    without = place.predictor.vitals(0, 0).classifiers.size_bytes
    place.predictor.load(found(place.publish("b", scope=scope_of(64))))
    assert place.predictor.vitals(0, 0).classifiers.size_bytes == 2 * without + 2 * 64 * 2


def test_features_are_what_the_encoder_gives_in_the_order_of_the_texts_each_encoded_once() -> None:
    place = Place()
    entry = place.publish("a")
    texts = ["reset my password", "charged twice", "reset my password"]
    features = place.predictor.features(found(entry), texts)
    np.testing.assert_allclose(features, encode(place.encoder, texts).features, atol=1e-6)
    before = encoded_by(place)
    assert place.predictor.features(found(entry), texts).tobytes() == features.tobytes()
    assert encoded_by(place) == before
