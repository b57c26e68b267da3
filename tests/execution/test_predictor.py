"""The predictor: what it reads from the disk, what it encodes, and what it keeps in memory."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from tests.encoders.adapters import changes_for
from tests.execution.predictors import FailingEncoder, PredictorSetup, encoded_by, found
from windrow.domain.errors import InvalidArtifact, InvalidBaseModel
from windrow.domain.names import Reference
from windrow.domain.prediction import PredictRequest
from windrow.encoders.bulk import encode
from windrow.encoders.onnx_encoder import OnnxEncoder
from windrow.execution.predictor import CacheLimits
from windrow.learning.scope import Scope
from windrow.storage.catalog import ResolvedModel


def test_texts_are_answered_in_their_order_and_as_alone() -> None:
    setup = PredictorSetup(cache_limits=CacheLimits(10**8, 0))
    entry = setup.publish("a")
    texts = ["reset my password", "charged twice", "reset my password", "?"]
    together = setup.ask([entry], texts)
    alone = [setup.ask([entry], [text])[0] for text in texts]
    assert [answer.label for answer in together] == [answer.label for answer in alone]
    for one, other in zip(together, alone, strict=True):
        assert one.scores == pytest.approx(other.scores, abs=1e-5)


def test_a_text_for_many_classifiers_is_encoded_once() -> None:
    setup = PredictorSetup()
    entries = [setup.publish(f"c{number}", seed=number) for number in range(20)]
    answers = setup.ask(entries, ["charged twice"])
    assert [answer.model_name for answer in answers] == [f"c{number}" for number in range(20)]
    assert len({answer.scores["billing"] for answer in answers}) == 20
    assert encoded_by(setup) == 1


def test_a_text_that_occurs_twice_is_encoded_once() -> None:
    setup = PredictorSetup(cache_limits=CacheLimits(10**8, 0))
    setup.ask([setup.publish("a")], ["charged twice"] * 5)
    assert encoded_by(setup) == 1


def test_encoded_texts_are_kept_for_every_classifier_of_a_base_model() -> None:
    setup = PredictorSetup()
    first, second = setup.publish("a", seed=1), setup.publish("b", seed=2)
    before = setup.ask([first], ["charged twice"])
    setup.ask([second], ["charged twice"])
    assert setup.ask([first], ["charged twice"]) == before
    assert encoded_by(setup) == 1
    stats = setup.predictor.server_stats(0, 0)
    assert (stats.texts.entries, stats.texts.hits, stats.texts.misses) == (1, 2, 1)


def test_the_memory_for_texts_has_a_limit() -> None:
    setup = PredictorSetup(cache_limits=CacheLimits(10**8, 10_000))
    entry = setup.publish("a")
    for number in range(100):
        setup.ask([entry], [f"text {number}"])
    stats = setup.predictor.server_stats(0, 0)
    assert 0 < stats.texts.entries < 100
    assert stats.texts.size_bytes <= 10_000


def test_no_memory_for_texts_keeps_none() -> None:
    setup = PredictorSetup(cache_limits=CacheLimits(10**8, 0))
    entry = setup.publish("a")
    setup.ask([entry], ["charged twice"])
    setup.ask([entry], ["charged twice"])
    assert encoded_by(setup) == 2
    assert setup.predictor.server_stats(0, 0).texts.entries == 0


def test_texts_are_kept_apart_for_each_adapter(tiny: OnnxEncoder) -> None:
    setup = PredictorSetup(encoder=tiny)
    plain = setup.publish("plain")
    adapted = [setup.publish(f"a{seed}", adapter=changes_for(tiny.folder, 2, seed)) for seed in (1, 2)]
    texts = ["reset my password"]
    together = setup.ask([plain, *adapted], texts)
    assert len({round(answer.scores["billing"], 4) for answer in together}) == 3
    assert setup.predictor.server_stats(0, 0).texts.entries == 3
    fresh = PredictorSetup(encoder=tiny, files=setup.files)
    for entry, answer in zip([plain, *adapted], together, strict=True):
        (alone,) = fresh.ask([entry], texts)
        assert alone.scores == pytest.approx(answer.scores, abs=1e-5)


@pytest.mark.parametrize("top_k", [1, 2])
def test_top_k_gives_the_best_scores_best_first(top_k: int) -> None:
    setup = PredictorSetup()
    entry = setup.publish("a")
    (whole,) = setup.ask([entry], ["charged twice"])
    (best,) = setup.ask([entry], ["charged twice"], top_k)
    assert best.label == whole.label
    assert list(best.scores.values()) == sorted(whole.scores.values(), reverse=True)[:top_k]
    assert next(iter(best.scores)) == whole.label


def test_a_hundred_first_requests_read_the_disk_once() -> None:
    setup = PredictorSetup()
    entry = setup.publish("a")
    start = threading.Barrier(100)
    before = setup.blob_reads()

    def ask(_: int) -> str | None:
        start.wait()
        return setup.ask([entry], ["charged twice"])[0].label

    with ThreadPoolExecutor(100) as threads:
        assert len(set(threads.map(ask, range(100)))) == 1
    assert setup.blob_reads() == before + 1


def test_the_least_recently_used_classifier_leaves_first_and_comes_back() -> None:
    one_bytes = 2 * 192 * 4 + 2 * 4
    setup = PredictorSetup(cache_limits=CacheLimits(2 * one_bytes, 10**6))
    first, second, third = (setup.publish(name, seed) for seed, name in enumerate("abc"))
    for entry in (first, second, first, third):
        setup.ask([entry], ["charged twice"])
    reads = setup.blob_reads()
    setup.ask([first], ["charged twice"])
    assert setup.blob_reads() == reads
    setup.ask([second], ["charged twice"])
    assert setup.blob_reads() == reads + 1
    assert setup.predictor.server_stats(0, 0).classifiers.size_bytes <= 2 * one_bytes


def test_a_classifier_that_is_to_stay_loaded_is_read_once() -> None:
    setup = PredictorSetup(cache_limits=CacheLimits(0, 10**6, pinned_classifiers=["a"]))
    kept, other = setup.publish("a", 1), setup.publish("b", 2)
    setup.predictor.load(found(kept))
    reads = setup.blob_reads()
    for entry in (kept, other, kept, other):
        setup.ask([entry], ["charged twice"])
    assert setup.blob_reads() == reads + 2
    retrained = setup.publish("a", 3)
    assert setup.ask([retrained], ["charged twice"]) != setup.ask([kept], ["charged twice"])


def test_what_an_alias_points_to_stays_loaded_for_it_until_it_points_elsewhere() -> None:
    setup = PredictorSetup(cache_limits=CacheLimits(0, 10**6, pinned_classifiers=["tickets"]))
    first, second = setup.publish("a", 1), setup.publish("b", 2)
    setup.predictor.load(found(first, alias="tickets"))
    assert setup.predictor.is_loaded(first)
    setup.predictor.load(found(second, alias="tickets"))
    assert setup.predictor.is_loaded(second)
    assert not setup.predictor.is_loaded(first)


def test_what_stays_loaded_for_two_names_stays_until_both_are_forgotten() -> None:
    setup = PredictorSetup(cache_limits=CacheLimits(0, 10**6, pinned_classifiers=["a", "tickets"]))
    entry = setup.publish("a")
    setup.predictor.load(found(entry, alias="tickets"))
    setup.predictor.unpin("tickets")
    assert setup.predictor.is_loaded(entry)
    setup.predictor.unpin("a")
    assert not setup.predictor.is_loaded(entry)
    setup.predictor.unpin("a")


def test_a_revision_asked_by_its_number_does_not_replace_the_pinned_one() -> None:
    setup = PredictorSetup(cache_limits=CacheLimits(0, 10**6, pinned_classifiers=["a"]))
    older, newer = setup.publish("a", 1), setup.publish("a", 2)
    setup.predictor.load(found(newer))
    setup.predictor.load(ResolvedModel(older, Reference("a", 1)))
    assert setup.predictor.is_loaded(newer)
    assert not setup.predictor.is_loaded(older)


def test_answers_say_which_classifier_gave_them_and_by_which_alias_it_was_asked() -> None:
    setup = PredictorSetup()
    entry = setup.publish("a")
    revisions = [found(entry), found(entry, alias="tickets")]
    answers = setup.predictor.predict(revisions, PredictRequest(text="charged twice"), lambda: True).result(30)
    assert [(answer.model_name, answer.revision, answer.alias) for answer in answers] == [
        ("a", 1, None),
        ("a", 1, "tickets"),
    ]


def test_a_head_of_another_width_is_refused_with_what_to_do() -> None:
    setup = PredictorSetup()
    entry = setup.publish("a", width=7)
    with pytest.raises(InvalidArtifact, match=r"7 features, not 192\. Restore .* from a backup, or train it again"):
        setup.ask([entry], ["charged twice"])


def test_a_head_of_other_labels_is_refused_with_what_to_do() -> None:
    setup = PredictorSetup()
    entry = setup.publish("a")
    grown = replace(entry, record=replace(entry.record, labels=("a", "b", "c"), rows_per_label=dict.fromkeys("abc", 1)))
    with pytest.raises(InvalidArtifact, match="2 labels, not 3"):
        setup.ask([grown], ["charged twice"])


def scope_of(width: int, seed: int = 0) -> Scope:
    """Return a scope of two centers."""
    centers = np.random.default_rng(seed).standard_normal((2, width)) / width**0.5
    return Scope.of((centers * 0.9).astype(np.float16), np.array([0.25, 0.5, 0.75], np.float32))


def test_a_scope_of_another_width_is_refused_with_what_to_do() -> None:
    setup = PredictorSetup()
    entry = setup.publish("a", scope=scope_of(7))
    with pytest.raises(InvalidArtifact, match=r"a scope of 7 numbers a label\. Restore .* or train it again"):
        setup.ask([entry], ["charged twice"])


def test_each_prediction_has_the_scope_of_its_own_classifier() -> None:
    setup = PredictorSetup()
    width = setup.encoder.folder.hidden_size
    scopes = [scope_of(width, 1), None, scope_of(width, 2)]
    entries = [setup.publish(name, scope=scope) for name, scope in zip("abc", scopes, strict=True)]
    for text in ("charged twice", "reset my password"):
        features = setup.predictor.features(found(entries[0]), [text])
        expected = [None if scope is None else float(scope.in_scope(features)[0]) for scope in scopes]
        told = [answer.in_scope for answer in setup.ask(entries, [text])]
        assert told[1] is None
        assert told == [None if each is None else pytest.approx(each, abs=1e-6) for each in expected]
        assert told[0] != told[2]


def test_a_loaded_classifier_takes_the_memory_of_its_head_and_its_scope() -> None:
    setup = PredictorSetup()
    setup.predictor.load(found(setup.publish("a")))
    without = setup.predictor.server_stats(0, 0).classifiers.size_bytes
    setup.predictor.load(found(setup.publish("b", scope=scope_of(64))))
    assert setup.predictor.server_stats(0, 0).classifiers.size_bytes == 2 * without + 2 * 64 * 2


def test_features_are_what_the_encoder_gives_in_the_order_of_the_texts_each_encoded_once() -> None:
    setup = PredictorSetup()
    entry = setup.publish("a")
    texts = ["reset my password", "charged twice", "reset my password"]
    features = setup.predictor.features(found(entry), texts)
    np.testing.assert_allclose(features, encode(setup.encoder, texts).features, atol=1e-6)
    before = encoded_by(setup)
    assert setup.predictor.features(found(entry), texts).tobytes() == features.tobytes()
    assert encoded_by(setup) == before


def test_what_is_no_number_is_refused_and_not_kept() -> None:
    encoder = FailingEncoder()
    setup = PredictorSetup(encoder=encoder)
    entry = setup.publish("a")
    for ask in (lambda: setup.ask([entry], ["x"]), lambda: setup.predictor.features(found(entry), ["x"])):
        with pytest.raises(InvalidBaseModel, match="no numbers"):
            ask()
    encoder.is_mended = True
    (answer,) = setup.ask([entry], ["x"])
    assert sum(answer.scores.values()) == pytest.approx(1, abs=1e-5)


def test_a_classifier_in_memory_answers_under_the_id_of_its_base_model_alone() -> None:
    setup = PredictorSetup()
    entry = setup.publish("a")
    setup.ask([entry], ["x"])
    other = replace(entry, record=replace(entry.record, base_model="not/allowed"))
    assert setup.predictor.is_loaded(entry)
    assert not setup.predictor.is_loaded(other)
