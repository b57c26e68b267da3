"""The verbs on this machine: fit, predict, list, delete, and what a failure leaves behind."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fakes.encoder import FakeEncoder
from tests.fakes.files import MemoryFiles
from tests.fakes.runner import InlineRunner
from windrow.domain.classifier import FitRequest
from windrow.domain.dataset import Row
from windrow.domain.errors import (
    Abandoned,
    BaseModelNotAllowed,
    ClassifierNotFound,
    InvalidName,
    InvalidParameter,
    InvalidText,
    InvalidTrainingData,
    LimitExceeded,
    NameTaken,
    Overloaded,
    StorageFull,
    TrainingFailed,
    WindrowError,
)
from windrow.domain.listing import Listing, Page
from windrow.domain.prediction import IsWanted, Prediction, PredictRequest
from windrow.domain.recipe import Recipe
from windrow.encoders.session import TextEncoder
from windrow.execution.batching import BatchQueue
from windrow.execution.predictor import Memory, Predictor
from windrow.execution.question import LoadedClassifier
from windrow.execution.residents import ResidentEncoders
from windrow.execution.turns import Turns
from windrow.service import Service
from windrow.settings import Settings
from windrow.storage.artifact import Entry, rows_from_blob
from windrow.storage.catalog import Catalog
from windrow.storage.files import Files, LocalFiles

ROWS = tuple(
    Row(f"{text} {number}", label)
    for label, text in (("billing", "charged twice invoice"), ("bug", "crash error screen"))
    for number in range(4)
)
REQUEST = FitRequest("tickets_v1", ROWS, FakeEncoder().folder.base_model.id, Recipe(num_iterations=0))


def service_on(files: Files, settings: Settings | None = None) -> Service:
    settings = settings or Settings()

    def load(base_model_id: str) -> TextEncoder:
        if base_model_id != REQUEST.base_model:
            raise BaseModelNotAllowed(base_model_id)
        return FakeEncoder()

    catalog, encoders = Catalog(files), ResidentEncoders(load)
    queue = BatchQueue(2, settings.max_waiting)
    memory = Memory(settings.max_loaded_bytes, settings.max_encoded_bytes, settings.keep_loaded)
    predictor = Predictor(catalog, encoders, queue, memory)
    return Service(catalog, encoders, InlineRunner(), predictor, queue, settings, Turns(1))


def ask(service: Service, name: str, text: str) -> Prediction:
    """Return one classifier's answer for one text."""
    (answer,) = service.predict(PredictRequest((name,), (text,)))
    return answer


def revisions(service: Service) -> list[tuple[str, int]]:
    """Return what is listed."""
    return [(record.name, record.revision) for record in service.list_classifiers().records]


@pytest.fixture
def service() -> Iterator[Service]:
    service = service_on(MemoryFiles())
    yield service
    service.close()


def test_a_fitted_classifier_answers_with_scores_that_sum_to_1(service: Service) -> None:
    service.fit(REQUEST)
    answer = ask(service, "tickets_v1", "I was charged twice")
    assert answer.label == "billing"
    assert list(answer.scores) == ["billing", "bug"]
    assert sum(answer.scores.values()) == pytest.approx(1)
    assert answer.label == max(answer.scores, key=lambda label: answer.scores[label])
    assert (answer.model_name, answer.truncated) == ("tickets_v1", False)


def test_the_record_says_how_it_was_trained(service: Service) -> None:
    record = service.fit(REQUEST)
    assert (record.name, record.revision, record.labels) == ("tickets_v1", 1, ("billing", "bug"))
    assert record.num_examples == 8
    assert record.recipe == REQUEST.recipe
    assert record.base_model == FakeEncoder().folder.base_model
    assert record.training_time_s > 0
    assert record.created_at.microsecond == 0


def test_refitting_adds_a_revision_that_answers_at_once(service: Service) -> None:
    service.fit(REQUEST)
    renamed = tuple(Row(row.text, row.label.upper()) for row in ROWS)
    assert service.fit(replace(REQUEST, rows=renamed)).revision == 2
    assert ask(service, "tickets_v1", "I was charged twice").label == "BILLING"
    assert revisions(service) == [("tickets_v1", 2)]


def test_another_service_on_the_same_directory_sees_the_work(tmp_path: Path) -> None:
    first, second = (service_on(LocalFiles(tmp_path)) for _ in range(2))
    first.fit(REQUEST)
    assert ask(second, "tickets_v1", "error on screen").label == "bug"
    second.fit(replace(REQUEST, rows=tuple(Row(row.text, row.label.upper()) for row in ROWS)))
    assert ask(first, "tickets_v1", "error on screen").label == "BUG"
    first.delete("tickets_v1")
    with pytest.raises(ClassifierNotFound):
        ask(second, "tickets_v1", "error on screen")


def test_a_deleted_classifier_is_gone_from_every_verb(service: Service) -> None:
    service.fit(REQUEST)
    service.delete("tickets_v1")
    assert revisions(service) == []
    with pytest.raises(ClassifierNotFound):
        ask(service, "tickets_v1", "x")
    with pytest.raises(ClassifierNotFound):
        service.delete("tickets_v1")


def test_a_name_used_again_after_deletion_answers_from_the_new_rows(service: Service) -> None:
    service.fit(REQUEST)
    ask(service, "tickets_v1", "warm the cache")
    service.delete("tickets_v1")
    service.fit(replace(REQUEST, rows=tuple(Row(row.text, row.label.upper()) for row in ROWS)))
    assert ask(service, "tickets_v1", "error").label == "BUG"


def test_an_unknown_name_lists_near_ones(service: Service) -> None:
    service.fit(REQUEST)
    with pytest.raises(ClassifierNotFound) as caught:
        ask(service, "tickets_v2", "x")
    assert caught.value.facts["near_names"] == ["tickets_v1"]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"model_name": "!"}, InvalidName),
        ({"rows": ROWS[:1]}, InvalidTrainingData),
        ({"rows": (*ROWS, Row(" ", "bug"))}, InvalidTrainingData),
        ({"rows": (*ROWS, Row("x" * 20_001, "bug"))}, LimitExceeded),
        ({"recipe": Recipe(num_iterations=1_001)}, InvalidParameter),
        ({"recipe": Recipe(batch_size=1)}, InvalidParameter),
        ({"base_model": "not/allowed"}, BaseModelNotAllowed),
    ],
)
def test_bad_input_is_refused_and_the_old_revision_still_answers(
    service: Service, change: Mapping[str, object], error: type[WindrowError]
) -> None:
    service.fit(REQUEST)
    with pytest.raises(error):
        service.fit(replace(REQUEST, **change))  # type: ignore[arg-type]
    assert revisions(service) == [("tickets_v1", 1)]
    assert ask(service, "tickets_v1", "error").label == "bug"


@pytest.mark.parametrize("text", ["", "  ", "\ud800"])
def test_a_text_that_cannot_be_read_is_refused(service: Service, text: str) -> None:
    service.fit(REQUEST)
    with pytest.raises(InvalidText):
        ask(service, "tickets_v1", text)


def test_a_name_that_differs_in_case_is_refused_before_training(service: Service) -> None:
    service.fit(REQUEST)
    failing = replace(service, runner=InlineRunner(TrainingFailed("trained all the same")))
    with pytest.raises(NameTaken):
        failing.fit(replace(REQUEST, model_name="Tickets_v1"))


def test_a_failed_training_leaves_the_old_revision(service: Service) -> None:
    service.fit(REQUEST)
    with pytest.raises(TrainingFailed):
        replace(service, runner=InlineRunner(TrainingFailed("it died"))).fit(REQUEST)
    assert revisions(service) == [("tickets_v1", 1)]
    assert service.fit(REQUEST).revision == 2


class FullFiles(MemoryFiles):
    """A disk that is full from a certain write on."""

    def __init__(self, free_writes: int) -> None:
        super().__init__()
        self.free_writes = free_writes

    def put_new(self, key: str, data: bytes) -> None:
        """Store, while there is room."""
        if self.free_writes == 0:
            raise StorageFull("The disk is full.")
        self.free_writes -= 1
        super().put_new(key, data)


@pytest.mark.parametrize("free_writes", range(3))
def test_a_full_disk_never_leaves_a_half_written_classifier(free_writes: int) -> None:
    files = FullFiles(free_writes)
    service = service_on(files)
    with pytest.raises(StorageFull):
        service.fit(REQUEST)
    assert revisions(service_on(files)) == []


def test_training_rows_are_kept_unless_switched_off() -> None:
    for keep in (True, False):
        service = service_on(MemoryFiles(), Settings(keep_training_rows=keep))
        service.fit(REQUEST)
        entry = service.catalog.current("tickets_v1")
        assert ("rows" in entry.blobs) is keep
        if keep:
            assert rows_from_blob(service.catalog.read_blob("tickets_v1", entry.blobs["rows"])) == ROWS


def test_odd_rows_are_reported_in_the_warnings(service: Service) -> None:
    record = service.fit(replace(REQUEST, rows=(*ROWS, ROWS[0])))
    assert "duplicate_rows" in {warning.code for warning in record.warnings}


def test_many_texts_are_answered_in_their_order_each_as_it_would_be_alone(service: Service) -> None:
    service.fit(REQUEST)
    texts = ("charged twice", "error on screen", "charged twice", "invoice")
    answers = service.predict(PredictRequest(("tickets_v1",), texts))
    assert [answer.label for answer in answers] == ["billing", "bug", "billing", "billing"]
    for answer, text in zip(answers, texts, strict=True):
        assert answer.scores == pytest.approx(ask(service, "tickets_v1", text).scores)


def test_many_classifiers_answer_one_text_in_the_order_of_their_names(service: Service) -> None:
    service.fit(REQUEST)
    shouting = tuple(Row(row.text, row.label.upper()) for row in ROWS)
    service.fit(replace(REQUEST, model_name="other", rows=shouting))
    names = ("other", "tickets_v1", "other")
    answers = service.predict(PredictRequest(names, ("error on screen",)))
    assert [(answer.model_name, answer.label) for answer in answers] == list(
        zip(names, ("BUG", "bug", "BUG"), strict=True)
    )


def test_one_unknown_name_among_many_is_named_and_nothing_is_computed(service: Service) -> None:
    service.fit(REQUEST)
    before = service.vitals()
    with pytest.raises(ClassifierNotFound, match="elsewhere") as caught:
        service.predict(PredictRequest(("tickets_v1", "elsewhere"), ("a text that is new",)))
    assert caught.value.facts["name"] == "elsewhere"
    assert service.vitals() == before


@pytest.mark.parametrize("top_k", [-1, 0, 4])
def test_a_top_k_beyond_the_labels_of_every_named_classifier_is_refused_with_the_range(
    service: Service, top_k: int
) -> None:
    service.fit(REQUEST)
    third = Row("where is my parcel", "delivery")
    service.fit(replace(REQUEST, model_name="three_labels", rows=(*ROWS, third, third)))
    names = ("tickets_v1", "three_labels")
    with pytest.raises(InvalidParameter) as caught:
        service.predict(PredictRequest(names, ("x",), top_k))
    assert caught.value.facts == {"parameter": "top_k", "minimum": 1, "maximum": 3}
    sizes = [len(answer.scores) for answer in service.predict(PredictRequest(names, ("x",), 3))]
    assert sizes == [2, 3]


def test_top_k_gives_the_best_scores_with_the_best_first(service: Service) -> None:
    service.fit(REQUEST)
    every = ask(service, "tickets_v1", "error on screen").scores
    (answer,) = service.predict(PredictRequest(("tickets_v1",), ("error on screen",), top_k=1))
    assert answer.scores == pytest.approx({"bug": every["bug"]})


def test_more_names_or_texts_than_the_settings_allow_are_refused() -> None:
    service = service_on(MemoryFiles(), Settings(max_texts=2, max_model_names=1, max_text_chars=3))
    for names, texts in ((("a",), ("x",) * 3), (("a", "b"), ("x",)), (("a",), ("long",))):
        with pytest.raises(LimitExceeded):
            service.predict(PredictRequest(names, texts))


def test_an_answer_that_nobody_wants_any_more_is_not_computed(service: Service) -> None:
    service.fit(REQUEST)
    before = service.vitals()
    with pytest.raises(Abandoned):
        service.predict(PredictRequest(("tickets_v1",), ("a text that is new",)), lambda: False)
    after = service.vitals()
    assert (after.batches, after.abandoned) == (before.batches, before.abandoned + 1)


def test_the_list_comes_whole_or_in_pages(service: Service) -> None:
    for name in ("c", "a", "b"):
        service.fit(replace(REQUEST, model_name=name))
    assert [name for name, _ in revisions(service)] == ["a", "b", "c"]
    assert names_on(service.list_classifiers(Page(2))) == (["a", "b"], "b")
    assert names_on(service.list_classifiers(Page(2, "b"))) == (["c"], None)
    assert names_on(service.list_classifiers(Page(after="a"))) == (["b", "c"], None)
    with pytest.raises(InvalidParameter):
        service.list_classifiers(Page(0))


def names_on(listing: Listing) -> tuple[list[str], str | None]:
    return [record.name for record in listing.records], listing.next_after


def test_what_is_to_be_kept_loaded_is_loaded_at_the_start_and_what_is_not_there_is_only_a_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    files = MemoryFiles()
    service_on(files).fit(REQUEST)
    service = service_on(files, Settings(keep_loaded=("missing", "!", "tickets_v1"), max_loaded_bytes=0))
    service.start()
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 2
    assert "'missing'" in told[0]
    assert "'!'" in told[1]
    files.kept = {key: content for key, content in files.kept.items() if "/blobs/" not in key}
    assert ask(service, "tickets_v1", "error on screen").label == "bug"


class FullPredictor(Predictor):
    """Has no place for another request."""

    loaded: int = 0

    def predict(
        self, entries: Sequence[Entry], texts: Sequence[str], top_k: int | None, is_wanted: IsWanted
    ) -> "Future[tuple[Prediction, ...]]":
        """Refuse."""
        raise Overloaded("Too many wait. Try again in 1 s.", {"retry_after_s": 1})

    def load(self, entry: Entry) -> LoadedClassifier:
        """Count."""
        self.loaded += 1
        return super().load(entry)


def test_a_fit_succeeds_though_too_many_predictions_wait_to_ask_it_anything(service: Service) -> None:
    memory = Memory(max_loaded_bytes=1_000_000, max_encoded_bytes=0)
    full = FullPredictor(service.catalog, service.encoders, service.queue, memory)
    assert replace(service, predictor=full).fit(REQUEST).revision == 1
    assert full.loaded == 1


def test_the_vitals_say_how_many_trainings_run_and_wait(service: Service) -> None:
    with service.turns:
        assert (service.vitals().fits_running, service.vitals().fits_waiting) == (1, 0)
    assert service.vitals().fits_running == 0
