"""Predict on this machine: names of every kind, several at once, and what a damaged classifier does to the others."""

import os
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import replace

import pytest

from tests.fakes.encoder import FakeEncoder
from tests.service.examples import REQUEST, ROWS, SHOUTING, Open, alter, ask, blob_of, fit, listed
from windrow.arrays import Floats
from windrow.domain.alias import PromoteRequest
from windrow.domain.classifier import DeleteRequest, RestoreRequest
from windrow.domain.dataset import Row
from windrow.domain.errors import (
    BaseModelUnavailable,
    ClassifierNotFound,
    ClientClosedRequest,
    InvalidArtifact,
    InvalidName,
    InvalidParameter,
    InvalidRequest,
    InvalidText,
    LimitExceeded,
    NotFound,
    Overloaded,
    RevisionNotFound,
    WindrowError,
)
from windrow.domain.prediction import Predicted, PredictRequest, always_connected
from windrow.domain.recipe import DEFAULT_BASE_MODEL
from windrow.encoders.adapters import Adapter
from windrow.encoders.onnx_encoder import Parallelism, TextEncoder, Tokens
from windrow.service.service import Service


def test_an_alias_a_revision_and_the_latest_version_answer_and_say_who_they_are(service: Service) -> None:
    fit(service, "tickets_v2")
    fit(service, "tickets_v10")
    fit(service, "tickets_v10", rows=SHOUTING)
    service.promote(PromoteRequest("tickets", "tickets_v2"))
    service.promote(PromoteRequest("pinned", "tickets_v10@1"))
    expected = {
        "tickets_v10": ("BUG", "tickets_v10", 2, None),
        "tickets_v10@1": ("bug", "tickets_v10", 1, None),
        "tickets_v10@2": ("BUG", "tickets_v10", 2, None),
        "tickets@latest": ("BUG", "tickets_v10", 2, None),
        "tickets": ("bug", "tickets_v2", 1, "tickets"),
        "pinned": ("bug", "tickets_v10", 1, "pinned"),
    }
    answers = service.predict(PredictRequest(model_names=tuple(expected), text="error on screen"))
    told = [(answer.label, answer.model_name, answer.revision, answer.alias) for answer in answers]
    assert told == list(expected.values())


def test_an_alias_of_a_name_follows_its_newest_revision_and_one_of_a_revision_stays(service: Service) -> None:
    fit(service)
    service.promote(PromoteRequest("follows", "tickets_v1"))
    service.promote(PromoteRequest("stays", "tickets_v1@1"))
    fit(service, rows=SHOUTING)
    assert (ask(service, "follows", "error").revision, ask(service, "stays", "error").revision) == (2, 1)


ONE = PredictRequest(model_name="tickets_v1", text="x")


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        (replace(ONE, model_name="!"), InvalidName),
        (replace(ONE, model_name="tickets_v1@0"), InvalidName),
        (replace(ONE, model_name=None), InvalidRequest),
        (replace(ONE, model_name=None, model_names=()), InvalidParameter),
        (replace(ONE, text=None, texts=()), InvalidParameter),
        (PredictRequest(model_names=("tickets_v1", "tickets_v1"), texts=("x", "y")), InvalidRequest),
        (replace(ONE, text=""), InvalidText),
        (replace(ONE, text="  "), InvalidText),
        (replace(ONE, text="\ud800"), InvalidText),
        (replace(ONE, text=None, texts=("x",) * 1_001), LimitExceeded),
        (replace(ONE, model_name="elsewhere"), ClassifierNotFound),
        (replace(ONE, model_name="tickets_v1@2"), RevisionNotFound),
        (replace(ONE, model_name="elsewhere@1"), ClassifierNotFound),
        (replace(ONE, model_name="elsewhere@latest"), ClassifierNotFound),
    ],
)
def test_what_cannot_be_asked_is_refused(service: Service, request_: PredictRequest, error: type[WindrowError]) -> None:
    fit(service)
    with pytest.raises(error):
        service.predict(request_)


def test_an_unknown_name_lists_near_ones(service: Service) -> None:
    fit(service)
    service.promote(PromoteRequest("tickets", "tickets_v1"))
    with pytest.raises(ClassifierNotFound) as caught:
        ask(service, "ticket_v1", "x")
    assert caught.value.facts["near_names"] == ["tickets_v1", "tickets"]


def test_an_alias_whose_classifier_was_deleted_by_force_says_so(service: Service) -> None:
    fit(service)
    service.promote(PromoteRequest("tickets", "tickets_v1"))
    service.delete(DeleteRequest("tickets_v1", force=True))
    with pytest.raises(
        ClassifierNotFound, match="The alias tickets points to tickets_v1, which does not answer"
    ) as caught:
        ask(service, "tickets", "x")
    assert caught.value.facts["alias"] == "tickets"
    service.restore(RestoreRequest("tickets_v1"))
    assert ask(service, "tickets", "error").label == "bug"


def test_many_texts_are_answered_in_their_order_each_as_it_would_be_alone(service: Service) -> None:
    fit(service)
    texts = ("charged twice", "error on screen", "charged twice", "invoice")
    answers = service.predict(PredictRequest(model_name="tickets_v1", texts=texts))
    assert [answer.label for answer in answers] == ["billing", "bug", "billing", "billing"]
    for answer, text in zip(answers, texts, strict=True):
        assert answer.scores == pytest.approx(ask(service, "tickets_v1", text).scores)


def test_many_classifiers_answer_one_text_in_the_order_of_their_names(service: Service) -> None:
    fit(service)
    fit(service, "other", rows=SHOUTING)
    names = ("other", "tickets_v1", "other")
    answers = service.predict(PredictRequest(model_names=names, text="error on screen"))
    assert [(answer.model_name, answer.label) for answer in answers] == list(
        zip(names, ("BUG", "bug", "BUG"), strict=True)
    )


def test_one_unknown_name_among_many_is_named_and_nothing_is_computed(service: Service) -> None:
    fit(service)
    before = service.server_stats()
    with pytest.raises(ClassifierNotFound, match="elsewhere") as caught:
        service.predict(PredictRequest(model_names=("tickets_v1", "elsewhere"), text="a text that is new"))
    assert caught.value.facts["model_name"] == "elsewhere"
    assert service.server_stats() == before


@pytest.mark.parametrize("top_k", [-1, 0, 4])
def test_a_top_k_beyond_the_labels_of_every_named_classifier_is_refused_with_the_range(
    service: Service, top_k: int
) -> None:
    fit(service)
    third = Row("where is my parcel", "delivery")
    fit(service, "three_labels", rows=(*ROWS, third, third))
    names = ("tickets_v1", "three_labels")
    with pytest.raises(InvalidParameter) as caught:
        service.predict(PredictRequest(model_names=names, text="x", top_k=top_k))
    assert caught.value.facts == {"parameter": "top_k", "value": top_k, "minimum": 1, "maximum": 3}
    sizes = [len(answer.scores) for answer in service.predict(PredictRequest(model_names=names, text="x", top_k=3))]
    assert sizes == [2, 3]


def test_top_k_gives_the_best_scores_with_the_best_first(service: Service) -> None:
    fit(service)
    every = ask(service, "tickets_v1", "error on screen").scores
    (answer,) = service.predict(PredictRequest(model_name="tickets_v1", text="error on screen", top_k=1))
    assert answer.scores == pytest.approx({"bug": every["bug"]})


def test_more_names_or_texts_than_the_settings_allow_are_refused(opened: Open) -> None:
    service = opened(max_texts=2, max_model_names=1, max_text_chars=3)
    for request in (
        replace(ONE, text=None, texts=("x",) * 3),
        replace(ONE, model_name=None, model_names=("a", "b")),
        replace(ONE, text="long"),
    ):
        with pytest.raises(LimitExceeded):
            service.predict(request)


def test_an_answer_that_nobody_wants_any_more_is_not_computed(service: Service) -> None:
    fit(service)
    before = service.server_stats()
    with pytest.raises(ClientClosedRequest):
        service.predict(PredictRequest(model_name="tickets_v1", text="a text that is new"), lambda: False)
    after = service.server_stats()
    assert (after.batches, after.client_closed) == (before.batches, before.client_closed + 1)


class BlockedEncoder(FakeEncoder):
    """Waits until it may go on."""

    def __init__(self) -> None:
        super().__init__()
        self.began, self.may_go_on = threading.Event(), threading.Event()

    def encode(self, batch: Sequence[Tokens], adapters: Sequence[Adapter | None], parallelism: Parallelism) -> Floats:
        self.began.set()
        assert self.may_go_on.wait(30)
        return super().encode(batch, adapters, parallelism)


def test_a_text_is_refused_while_too_many_wait_and_a_known_one_is_answered(opened: Open) -> None:
    first = opened()
    fit(first)
    encoder = BlockedEncoder()
    service = opened(encoders={DEFAULT_BASE_MODEL: encoder}, encoder_threads=1, max_queued_requests=1)

    def start(text: str) -> "Future[Predicted]":
        return service.start_predict(PredictRequest(model_name="tickets_v1", text=text), always_connected)

    answers = [start("a text that is encoded")]
    assert encoder.began.wait(30)
    answers.append(start("a text that waits"))
    with pytest.raises(Overloaded):
        start("a text too many")
    encoder.may_go_on.set()
    assert [len(answer.result(30)) for answer in answers] == [1, 1]
    assert start("a text that waits").result(30)[0].model_name == "tickets_v1"


def test_a_prediction_starts_in_memory_only_where_the_disk_is_not_needed(opened: Open) -> None:
    other = opened()
    fit(other)
    fit(other, "tickets_v2", rows=ROWS[1:])
    other.promote(PromoteRequest("tickets", "tickets_v1"))
    service = opened()
    service.dependencies.models.update()

    def start(**asked: object) -> "Future[Predicted] | None":
        return service.start_predict_in_memory(PredictRequest(**asked), always_connected)  # type: ignore[arg-type]

    for name in ("tickets", "tickets_v1", "elsewhere"):
        assert start(model_name=name, text="x") is None
    for name in ("tickets", "tickets_v1", "tickets_v1@1"):
        ask(service, name, "x")
        begun = start(model_name=name, text="x")
        assert begun is not None
        assert begun.result(30)[0].model_name == "tickets_v1"
    assert start(model_name="tickets", texts=("x", "y")) is not None
    assert start(model_names=("tickets", "tickets_v1"), text="x") is not None
    assert start(model_names=("tickets", "tickets_v2"), text="x") is None
    assert start(model_name="tickets", text="x", explain=True) is None
    other.promote(PromoteRequest("tickets", "tickets_v2"))
    service.dependencies.models.update()
    assert start(model_name="tickets", text="x") is None
    assert ask(service, "tickets", "x").model_name == "tickets_v2"


def test_a_prediction_that_starts_in_memory_asks_the_disk_nothing_and_is_refused_like_any_other(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.dependencies.models.update()
    fit(service)
    ask(service, "tickets_v1", "x")
    asked = PredictRequest(model_name="tickets_v1", text="x")
    with monkeypatch.context() as patch:
        for call in ("open", "stat", "listdir", "scandir"):
            patch.delattr(os, call)
        begun = service.start_predict_in_memory(asked, always_connected)
        assert begun is not None
        begun.result(30)
    for wrong, error in (
        (replace(asked, text=" "), InvalidText),
        (replace(asked, top_k=3), InvalidParameter),
    ):
        with pytest.raises(error):
            service.start_predict_in_memory(wrong, always_connected)
    with pytest.raises(InvalidName):
        service.predict(replace(asked, model_name="!"))


def test_a_base_model_that_is_gone_or_another_one_is_told_and_the_others_answer(opened: Open) -> None:
    encoders: dict[str, TextEncoder] = {DEFAULT_BASE_MODEL: FakeEncoder(), "other/one": FakeEncoder("other/one")}
    fit(opened(encoders=encoders))
    fit(opened(encoders=encoders), "other_v1", base_model="other/one")
    encoders["other/one"] = FakeEncoder("other/one", digest="0" * 64)
    service = opened(encoders=encoders)
    with pytest.raises(BaseModelUnavailable, match="trained on other/one"):
        ask(service, "other_v1", "error")
    del encoders["other/one"]
    with pytest.raises(BaseModelUnavailable):
        ask(opened(encoders=encoders), "other_v1", "error")
    assert ask(service, "tickets_v1", "error").label == "bug"


def damage_record(service: Service) -> None:
    (service.dependencies.settings.local_dir / "classifiers" / "broken" / "000001.json").write_text("{")


def damage_artifact(service: Service) -> None:
    alter(blob_of(service, "broken"))


def lose_artifact(service: Service) -> None:
    blob_of(service, "broken").unlink()


@pytest.mark.parametrize("damage", [damage_record, damage_artifact, lose_artifact])
def test_a_damaged_classifier_says_so_in_every_way_of_asking_while_the_others_answer(
    damage: object, opened: Open
) -> None:
    before = opened()
    fit(before)
    fit(before, "broken", rows=ROWS[1:])
    before.promote(PromoteRequest("alias", "broken"))
    assert callable(damage)
    damage(before)
    service = opened()
    for name in ("broken", "broken@1", "alias"):
        with pytest.raises(InvalidArtifact):
            ask(service, name, "error")
        with pytest.raises(InvalidArtifact):
            service.predict(PredictRequest(model_names=("tickets_v1", name), text="error"))
    assert ask(service, "tickets_v1", "error").label == "bug"
    assert service.fit(REQUEST).revision == 2
    fit(service, "broken", rows=SHOUTING)
    assert ask(service, "alias", "error").label == "BUG"


def test_a_damaged_file_that_is_put_back_answers_again_without_a_restart(service: Service) -> None:
    fit(service)
    path = service.dependencies.settings.local_dir / "classifiers" / "tickets_v1" / "000001.json"
    whole = path.read_bytes()
    path.write_bytes(b"{")
    service.dependencies.store.names.classifiers._index.clear()  # as in a server that was started after the damage
    with pytest.raises(InvalidArtifact):
        ask(service, "tickets_v1", "error")
    path.write_bytes(whole)
    assert ask(service, "tickets_v1", "error").label == "bug"


def test_a_purge_that_was_cut_off_answers_no_more_and_hinders_nobody(opened: Open) -> None:
    service = opened()
    fit(service)
    fit(service, "half_gone")
    folder = service.dependencies.settings.local_dir / "classifiers" / "half_gone"
    (folder / "000002.json").write_text('{"format": 1, "kind": "purged", "at": "2025-09-23T08:00:00Z"}')
    blob_of(opened(), "tickets_v1")
    for left in (folder / "000001.json", *folder.glob("blobs/*.safetensors")):
        fresh = opened()
        for name in ("half_gone", "half_gone@1"):
            with pytest.raises(NotFound):
                ask(fresh, name, "error")
        assert ask(fresh, "tickets_v1", "error").label == "bug"
        assert [entry.name for entry in listed(fresh)] == ["tickets_v1"]
        left.unlink()
    assert fit(service, "half_gone", rows=SHOUTING) == 1
    assert ask(service, "half_gone", "error").label == "BUG"
