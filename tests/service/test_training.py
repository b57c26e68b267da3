"""Fit and reproduce on this machine: what is saved, what is told, and what a refusal or a failure leaves behind."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fakes.encoder import FakeEncoder
from tests.fakes.runner import InlineRunner
from tests.service.examples import (
    REQUEST,
    ROWS,
    SHOUTING,
    Open,
    alter,
    altered,
    ask,
    blob_of,
    fit,
    listed,
    revisions,
    show,
)
from windrow.domain.alias import PromoteRequest
from windrow.domain.classifier import Classifier, DeleteRequest, ModelRequest, Trained
from windrow.domain.dataset import Row
from windrow.domain.errors import (
    BaseModelNotAllowed,
    BaseModelUnavailable,
    ClassifierExists,
    ClassifierNotFound,
    ConcurrentChange,
    InvalidArtifact,
    InvalidName,
    InvalidParameter,
    InvalidTrainingData,
    LimitExceeded,
    NameTaken,
    Overloaded,
    TrainingDataNotKept,
    TrainingFailed,
    WindrowError,
)
from windrow.domain.prediction import IsConnected, Predicted, PredictRequest
from windrow.domain.recipe import DEFAULT_BASE_MODEL, Recipe
from windrow.domain.values import recast
from windrow.encoders.onnx_encoder import TextEncoder
from windrow.execution.prediction_plan import LoadedClassifier
from windrow.execution.predictor import CacheLimits, Predictor
from windrow.service.service import Service
from windrow.storage.artifact import rows_from_blob
from windrow.storage.catalog import Catalog, NewRevision, ResolvedModel
from windrow.storage.lock import DirectoryLock
from windrow.storage.namespace import Namespace
from windrow.storage.revision import ClassifierState


def test_a_fitted_classifier_answers_with_scores_that_sum_to_1(service: Service) -> None:
    fit(service)
    answer = ask(service, "tickets_v1", "I was charged twice")
    assert answer.label == "billing"
    assert list(answer.scores) == ["billing", "bug"]
    assert sum(answer.scores.values()) == pytest.approx(1)
    assert answer.label == max(answer.scores, key=lambda label: answer.scores[label])
    assert (answer.model_name, answer.revision, answer.truncated, answer.alias) == ("tickets_v1", 1, False, None)


def test_a_training_is_saved_though_others_change_the_directory_for_minutes(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish, refusals = (
        service.dependencies.store.catalog.publish,
        [ConcurrentChange("Others are at it. Try again.")] * 3,
    )

    def busy(new_revision: NewRevision) -> ClassifierState:
        if refusals:
            raise refusals.pop()
        return publish(new_revision)

    monkeypatch.setattr(service.dependencies.store.catalog, "publish", busy)
    fit(service)
    assert not refusals
    assert ask(service, "tickets_v1", "I was charged twice").label == "billing"


def test_the_record_says_how_it_was_trained(service: Service) -> None:
    made, record = service.fit(REQUEST), show(service)
    assert (record.name, record.revision, record.labels) == ("tickets_v1", 1, ("billing", "bug"))
    assert record.num_examples == 8
    assert recast(Recipe, record) == recast(Recipe, REQUEST)
    assert record.pinned == FakeEncoder().folder.base_model
    assert record.training_time_seconds > 0
    assert record.created_at.microsecond == 0
    assert listed(service) == (recast(Classifier, record),)
    assert recast(Trained, record) == recast(Trained, made)


def test_refitting_adds_a_revision_that_answers_at_once_and_the_older_one_can_still_be_asked(service: Service) -> None:
    fit(service)
    assert fit(service, rows=SHOUTING) == 2
    assert ask(service, "tickets_v1", "I was charged twice").label == "BILLING"
    assert revisions(service) == [("tickets_v1", 2)]
    assert ask(service, "tickets_v1@1", "I was charged twice").label == "billing"


def test_the_reply_proposes_the_next_free_name(service: Service) -> None:
    assert service.fit(REQUEST).next_name == "tickets_v2"
    assert service.fit(replace(REQUEST, model_name="tickets_v9")).next_name == "tickets_v10"
    assert service.fit(REQUEST).next_name == "tickets_v10"
    assert service.fit(replace(REQUEST, model_name="n" * 128)).next_name is None


def test_notes_are_saved_and_what_a_refit_leaves_out_stays(service: Service) -> None:
    first = service.fit(replace(REQUEST, description="Without the new intents", tags=("nightly", "eu", "eu")))
    assert (first.description, first.tags) == ("Without the new intents", ("eu", "nightly"))
    again = service.fit(replace(REQUEST, tags=("weekly",)))
    assert (again.description, again.tags) == ("Without the new intents", ("weekly",))


def test_without_overwrite_an_existing_name_is_refused_before_training_and_a_free_one_is_not(opened: Open) -> None:
    service = opened()
    cautious = replace(REQUEST, overwrite=False)
    assert service.fit(cautious).revision == 1
    failing = altered(service, runner=InlineRunner(TrainingFailed("trained all the same")))
    with pytest.raises(ClassifierExists, match="overwrite=True"):
        failing.fit(cautious)
    service.delete(DeleteRequest("tickets_v1"))
    assert service.fit(cautious).revision == 3


def test_a_name_that_somebody_else_trains_meanwhile_is_not_overwritten(opened: Open) -> None:
    other = opened()

    class SlowRunner(InlineRunner):
        """Somebody else is faster."""

        def start(self, *, trains_adapters: bool = True) -> None: ...

        def run(self, *arguments: object, **more: object) -> object:  # type: ignore[override]
            if revisions(other) == []:
                fit(other, rows=SHOUTING)
            return super().run(*arguments, **more)  # type: ignore[arg-type]

    with pytest.raises(ClassifierExists):
        opened(runner=SlowRunner()).fit(replace(REQUEST, overwrite=False))
    assert ask(other, "tickets_v1", "error on screen").label == "BUG"


def test_another_service_on_the_same_directory_sees_the_work(opened: Open) -> None:
    first, second = opened(), opened()
    fit(first)
    assert ask(second, "tickets_v1", "error on screen").label == "bug"
    fit(second, rows=SHOUTING)
    assert ask(first, "tickets_v1", "error on screen").label == "BUG"
    first.delete(DeleteRequest("tickets_v1"))
    with pytest.raises(ClassifierNotFound):
        ask(second, "tickets_v1", "error on screen")


def test_a_name_used_again_after_deletion_answers_from_the_new_rows(service: Service) -> None:
    fit(service)
    ask(service, "tickets_v1", "warm the cache")
    service.delete(DeleteRequest("tickets_v1"))
    fit(service, rows=SHOUTING)
    assert ask(service, "tickets_v1", "error").label == "BUG"


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"model_name": "!"}, InvalidName),
        ({"model_name": "tickets_v1@2"}, InvalidName),
        ({"training_data": ROWS[:1]}, InvalidTrainingData),
        ({"training_data": (*ROWS, Row(" ", "bug"))}, InvalidTrainingData),
        ({"training_data": (*ROWS, Row("x" * 20_001, "bug"))}, LimitExceeded),
        ({"num_iterations": 1_001}, InvalidParameter),
        ({"batch_size": 1}, InvalidParameter),
        ({"tags": (" ",)}, InvalidParameter),
        ({"base_model": "not/allowed"}, BaseModelNotAllowed),
        ({"base_model": "not/here"}, BaseModelUnavailable),
    ],
)
def test_bad_input_is_refused_and_the_old_revision_still_answers(
    service: Service, change: Mapping[str, object], error: type[WindrowError]
) -> None:
    fit(service)
    with pytest.raises(error):
        service.fit(replace(REQUEST, **change))  # type: ignore[arg-type]
    assert revisions(service) == [("tickets_v1", 1)]
    assert ask(service, "tickets_v1", "error").label == "bug"


@pytest.mark.parametrize("name", ["Tickets_v1", "tickets", "TICKETS"])
def test_a_name_that_is_an_alias_or_differs_only_in_case_is_refused_before_training(
    service: Service, name: str
) -> None:
    fit(service)
    service.promote(PromoteRequest("tickets", "tickets_v1"))
    failing = altered(service, runner=InlineRunner(TrainingFailed("trained all the same")))
    with pytest.raises(NameTaken):
        fit(failing, name)


def test_a_failed_training_leaves_the_old_revision(service: Service) -> None:
    fit(service)
    with pytest.raises(TrainingFailed):
        fit(altered(service, runner=InlineRunner(TrainingFailed("it died"))))
    assert revisions(service) == [("tickets_v1", 1)]
    assert fit(service) == 2


def test_a_directory_that_others_keep_locked_is_told_as_a_concurrent_change(service: Service, tmp_path: Path) -> None:
    folder = service.dependencies.settings.local_dir
    names = Namespace(service.dependencies.store.names.files, DirectoryLock(folder, timeout_s=0.01))
    impatient = altered(service, names=names, catalog=Catalog(names))
    with service.dependencies.store.names.lock(), pytest.raises(ConcurrentChange):
        fit(impatient)
    assert revisions(service) == []


def test_a_training_is_saved_once_others_free_the_directory_however_long_that_takes(service: Service) -> None:
    folder, refusals = service.dependencies.settings.data_dir, 3

    class BusyCatalog(Catalog):
        """Others keep the directory locked for a while."""

        refused = 0

        def publish(self, new_revision: NewRevision) -> ClassifierState:
            if self.refused < refusals:
                self.refused += 1
                raise ConcurrentChange(f"Others keep {folder} locked. Try again.")
            return super().publish(new_revision)

    catalog = BusyCatalog(service.dependencies.store.names)
    assert fit(altered(service, catalog=catalog)) == 1
    assert catalog.refused == refusals


@pytest.mark.parametrize("keep", [True, False])
def test_rows_are_kept_unless_switched_off(keep: bool, opened: Open) -> None:
    service = opened(keep_training_data=keep)
    fit(service)
    entry = service.dependencies.store.catalog.current("tickets_v1")
    assert ("rows" in entry.blobs) is show(service, "tickets_v1").keeps_training_data is keep
    if keep:
        assert rows_from_blob(blob_of(service, "tickets_v1", "rows").read_bytes()) == ROWS


def test_odd_rows_are_reported_in_the_warnings(service: Service) -> None:
    record = service.fit(replace(REQUEST, training_data=(*ROWS, ROWS[0])))
    assert "duplicate_rows" in {warning.code for warning in record.warnings}


class FullPredictor(Predictor):
    """Has no place for another request."""

    loaded: int = 0

    def predict(
        self, asked: Sequence[ResolvedModel], request: PredictRequest, is_connected: IsConnected
    ) -> "Future[Predicted]":
        """Refuse."""
        raise Overloaded("Too many wait. Try again in 1 s.", {"retry_after_s": 1})

    def load(self, found: ResolvedModel) -> LoadedClassifier:
        """Count."""
        self.loaded += 1
        return super().load(found)


def test_a_fit_succeeds_though_too_many_predictions_wait_to_ask_it_anything(service: Service) -> None:
    memory = CacheLimits(classifier_cache_bytes=1_000_000, embedding_cache_bytes=0)
    full = FullPredictor(
        service.dependencies.store.catalog, service.dependencies.encoders, service.dependencies.queue, memory
    )
    assert fit(altered(service, predictor=full)) == 1
    assert full.loaded == 1


def test_a_training_done_again_gives_identical_weights_and_saves_nothing(opened: Open) -> None:
    service = opened(runner=InlineRunner())
    fit(service)
    fit(service, rows=SHOUTING)
    before = show(service, "tickets_v1")
    for name, revision in (("tickets_v1", 2), ("tickets_v1@1", 1), ("tickets@latest", 2)):
        found = service.reproduce(ModelRequest(name))
        assert (found.model_name, found.revision, found.verdict) == ("tickets_v1", revision, "identical weights")
        assert (found.num_texts, found.changes, found.notes) == (8, (), ())
    assert show(service, "tickets_v1") == before


def test_what_cannot_be_reproduced_says_why(opened: Open) -> None:
    encoders: dict[str, TextEncoder] = {DEFAULT_BASE_MODEL: FakeEncoder()}
    service = opened(encoders=encoders)
    fit(service)
    for name, error in (("!", InvalidName), ("elsewhere", ClassifierNotFound)):
        with pytest.raises(error):
            service.reproduce(ModelRequest(name))
    with pytest.raises(TrainingFailed):
        altered(service, runner=InlineRunner(TrainingFailed("it died"))).reproduce(ModelRequest("tickets_v1"))
    encoders[DEFAULT_BASE_MODEL] = FakeEncoder(digest="0" * 64)
    service.dependencies.encoders.evict(DEFAULT_BASE_MODEL)
    with pytest.raises(BaseModelUnavailable, match="0000"):
        service.reproduce(ModelRequest("tickets_v1"))
    alter(blob_of(service, "tickets_v1", "rows"))
    with pytest.raises(InvalidArtifact, match="altered"):
        service.reproduce(ModelRequest("tickets_v1"))


def test_without_rows_nothing_is_reproduced_and_the_way_out_is_told(opened: Open) -> None:
    service = opened(keep_training_data=False)
    fit(service)
    with pytest.raises(TrainingDataNotKept, match="your own copy") as caught:
        service.reproduce(ModelRequest("tickets_v1"))
    assert caught.value.facts["training_data_sha256"] == show(service, "tickets_v1").training_data_sha256


def test_more_rows_than_this_server_trains_on_are_not_reproduced(opened: Open) -> None:
    fit(opened())
    with pytest.raises(LimitExceeded):
        opened(max_rows=len(ROWS) - 1).reproduce(ModelRequest("tickets_v1"))
