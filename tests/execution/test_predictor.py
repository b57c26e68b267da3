"""The predictor: what it reads from the disk, what it encodes, and what it keeps in memory."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from tests.encoders.adapters import changes_for
from tests.fakes.encoder import FakeEncoder
from tests.fakes.files import MemoryFiles
from tests.records import record
from tests.storage.examples import open_catalog
from windrow.domain.errors import ArtifactInvalid
from windrow.domain.names import Reference
from windrow.domain.prediction import Prediction
from windrow.encoders.adapters import Adapter, MapChanges
from windrow.encoders.layout import Floats, feature_size
from windrow.encoders.session import OnnxEncoder, TextEncoder, Tokens, Width
from windrow.execution.batching import BatchQueue
from windrow.execution.predictor import Memory, Predictor
from windrow.execution.residents import ResidentEncoders
from windrow.learning.head import LinearHead
from windrow.storage.artifact import ARTIFACT, Artifact, artifact_to_bytes
from windrow.storage.catalog import Draft, Found
from windrow.storage.revision import Entry


class CountingEncoder(FakeEncoder):
    """Counts the texts that it encodes."""

    def __init__(self, base_model_id: str = "fake/encoder", digest: str = "f" * 64) -> None:
        super().__init__(base_model_id, digest)
        self.encoded = 0

    def encode(self, batch: Sequence[Tokens], adapters: Sequence[Adapter | None], width: Width) -> Floats:
        self.encoded += len(batch)
        return super().encode(batch, adapters, width)


@dataclass
class Place:
    """A predictor on a catalog in memory."""

    encoder: TextEncoder = field(default_factory=CountingEncoder)
    memory: Memory = field(default_factory=lambda: Memory(10**8, 10**6))
    files: MemoryFiles = field(default_factory=MemoryFiles)

    def __post_init__(self) -> None:
        self.catalog = open_catalog(self.files)
        encoders = ResidentEncoders(lambda _: self.encoder)
        self.predictor = Predictor(self.catalog, encoders, BatchQueue(cores=2, max_waiting=100), self.memory)

    def publish(self, name: str, seed: int = 0, adapter: MapChanges | None = None, width: int | None = None) -> Entry:
        random = np.random.default_rng(seed)
        width = width or feature_size(self.encoder.folder)
        weights = random.standard_normal((2, width)).astype(np.float32)
        artifact = artifact_to_bytes(Artifact(LinearHead(weights, np.zeros(2, np.float32)), adapter))
        trained = replace(record(name), base_model=self.encoder.folder.base_model)
        return self.catalog.publish(Draft(trained, {ARTIFACT: artifact}))

    def ask(self, entries: Sequence[Entry], texts: Sequence[str], top_k: int | None = None) -> tuple[Prediction, ...]:
        asked = [found(entry) for entry in entries]
        return self.predictor.predict(asked, texts, top_k, lambda: True).result(30)

    def blob_reads(self) -> int:
        return self.files.calls["get"]


def found(entry: Entry, alias: str | None = None) -> Found:
    """Return what a classifier's name, or an alias of it, means."""
    return Found(entry, Reference(entry.record.name), alias)


def encoded_by(place: Place) -> int:
    assert isinstance(place.encoder, CountingEncoder)
    return place.encoder.encoded


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

    def ask(_: int) -> str:
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
    answers = place.predictor.predict(asked, ["charged twice"], None, lambda: True).result(30)
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
