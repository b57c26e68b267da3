"""The verbs on this machine: fit, predict, list, delete, and what a failure leaves behind."""

import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fakes.encoder import FakeEncoder
from tests.fakes.files import MemoryFiles
from tests.fakes.runner import InlineRunner
from windrow.domain.classifier import FitRequest
from windrow.domain.dataset import Row
from windrow.domain.errors import (
    BaseModelNotAllowed,
    ClassifierNotFound,
    InvalidName,
    InvalidParameter,
    InvalidText,
    InvalidTrainingData,
    LimitExceeded,
    NameTaken,
    StorageFull,
    TrainingFailed,
    WindrowError,
)
from windrow.domain.recipe import Recipe
from windrow.encoders.session import TextEncoder
from windrow.execution.predictor import Predictor
from windrow.execution.residents import ResidentEncoders
from windrow.service import Service
from windrow.settings import Settings
from windrow.storage.artifact import rows_from_blob
from windrow.storage.catalog import Catalog
from windrow.storage.files import Files, LocalFiles

ROWS = tuple(
    Row(f"{text} {number}", label)
    for label, text in (("billing", "charged twice invoice"), ("bug", "crash error screen"))
    for number in range(4)
)
REQUEST = FitRequest("tickets_v1", ROWS, FakeEncoder().base_model.id, Recipe(num_iterations=0))


def service_on(files: Files, settings: Settings | None = None) -> Service:
    settings = settings or Settings()

    def load(base_model_id: str) -> TextEncoder:
        if base_model_id != REQUEST.base_model:
            raise BaseModelNotAllowed(base_model_id)
        return FakeEncoder()

    catalog, encoders = Catalog(files), ResidentEncoders(load)
    predictor = Predictor(catalog, encoders, settings.max_loaded_bytes)
    return Service(catalog, encoders, InlineRunner(), predictor, settings, threading.Semaphore())


@pytest.fixture
def service() -> Iterator[Service]:
    service = service_on(MemoryFiles())
    yield service
    service.close()


def test_a_fitted_classifier_answers_with_scores_that_sum_to_1(service: Service) -> None:
    service.fit(REQUEST)
    answer = service.predict("tickets_v1", "I was charged twice")
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
    assert record.base_model == FakeEncoder().base_model
    assert record.training_time_s > 0
    assert record.created_at.microsecond == 0


def test_refitting_adds_a_revision_that_answers_at_once(service: Service) -> None:
    service.fit(REQUEST)
    renamed = tuple(Row(row.text, row.label.upper()) for row in ROWS)
    assert service.fit(replace(REQUEST, rows=renamed)).revision == 2
    assert service.predict("tickets_v1", "I was charged twice").label == "BILLING"
    assert [record.revision for record in service.list_classifiers()] == [2]


def test_another_service_on_the_same_directory_sees_the_work(tmp_path: Path) -> None:
    first, second = (service_on(LocalFiles(tmp_path)) for _ in range(2))
    first.fit(REQUEST)
    assert second.predict("tickets_v1", "error on screen").label == "bug"
    second.fit(replace(REQUEST, rows=tuple(Row(row.text, row.label.upper()) for row in ROWS)))
    assert first.predict("tickets_v1", "error on screen").label == "BUG"
    first.delete("tickets_v1")
    with pytest.raises(ClassifierNotFound):
        second.predict("tickets_v1", "error on screen")


def test_a_deleted_classifier_is_gone_from_every_verb(service: Service) -> None:
    service.fit(REQUEST)
    service.delete("tickets_v1")
    assert service.list_classifiers() == ()
    with pytest.raises(ClassifierNotFound):
        service.predict("tickets_v1", "x")
    with pytest.raises(ClassifierNotFound):
        service.delete("tickets_v1")


def test_a_name_used_again_after_deletion_answers_from_the_new_rows(service: Service) -> None:
    service.fit(REQUEST)
    service.predict("tickets_v1", "warm the cache")
    service.delete("tickets_v1")
    service.fit(replace(REQUEST, rows=tuple(Row(row.text, row.label.upper()) for row in ROWS)))
    assert service.predict("tickets_v1", "error").label == "BUG"


def test_an_unknown_name_lists_near_ones(service: Service) -> None:
    service.fit(REQUEST)
    with pytest.raises(ClassifierNotFound) as caught:
        service.predict("tickets_v2", "x")
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
    assert [(record.name, record.revision) for record in service.list_classifiers()] == [("tickets_v1", 1)]
    assert service.predict("tickets_v1", "error").label == "bug"


@pytest.mark.parametrize("text", ["", "  ", "\ud800"])
def test_a_text_that_cannot_be_read_is_refused(service: Service, text: str) -> None:
    service.fit(REQUEST)
    with pytest.raises(InvalidText):
        service.predict("tickets_v1", text)


def test_a_name_that_differs_in_case_is_refused_before_training(service: Service) -> None:
    service.fit(REQUEST)
    failing = replace(service, runner=InlineRunner(TrainingFailed("trained all the same")))
    with pytest.raises(NameTaken):
        failing.fit(replace(REQUEST, model_name="Tickets_v1"))


def test_a_failed_training_leaves_the_old_revision(service: Service) -> None:
    service.fit(REQUEST)
    with pytest.raises(TrainingFailed):
        replace(service, runner=InlineRunner(TrainingFailed("it died"))).fit(REQUEST)
    assert [record.revision for record in service.list_classifiers()] == [1]
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
    assert service_on(files).list_classifiers() == ()


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
