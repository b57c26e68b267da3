"""Each encoder is loaded once, and never serves a classifier of another one."""

import gc
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from tests.fakes.encoder import FakeEncoder
from tests.records import record
from windrow.domain.errors import BaseModelNotAllowed, BaseModelUnavailable
from windrow.encoders.onnx_encoder import TextEncoder
from windrow.execution.encoder_registry import EncoderRegistry


def test_an_encoder_is_loaded_once_however_many_ask() -> None:
    loads: list[str] = []
    gate = threading.Barrier(20)

    def load(base_model_id: str) -> TextEncoder:
        loads.append(base_model_id)
        return FakeEncoder()

    residents = EncoderRegistry(load)

    def ask() -> TextEncoder:
        gate.wait()
        return residents.get("some/model")

    with ThreadPoolExecutor(20) as pool:
        encoders = {id(answer.result()) for answer in [pool.submit(ask) for _ in range(20)]}
    assert loads == ["some/model"]
    assert len(encoders) == 1


def test_a_failed_load_is_tried_again() -> None:
    answers: list[TextEncoder | BaseModelNotAllowed] = [BaseModelNotAllowed("not on the list"), FakeEncoder()]

    def load(_: str) -> TextEncoder:
        answer = answers.pop(0)
        if isinstance(answer, BaseModelNotAllowed):
            raise answer
        return answer

    residents = EncoderRegistry(load)
    with pytest.raises(BaseModelNotAllowed):
        residents.get("some/model")
    assert residents.get("some/model")


def test_a_forgotten_encoder_leaves_memory_and_is_loaded_anew() -> None:
    loads: list[str] = []

    def load(base_model_id: str) -> TextEncoder:
        loads.append(base_model_id)
        return FakeEncoder(base_model_id)

    residents = EncoderRegistry(load)
    gone, kept = weakref.ref(residents.get("some/model")), residents.get("other/model")
    residents.evict("some/model")
    residents.evict("never/loaded")
    gc.collect()
    assert gone() is None
    assert residents.get("other/model") is kept
    assert residents.get("some/model")
    assert loads == ["some/model", "other/model", "some/model"]


def test_a_classifier_never_answers_on_an_encoder_that_it_was_not_trained_on() -> None:
    encoder = FakeEncoder()
    residents = EncoderRegistry(lambda _: encoder)
    base_model = encoder.folder.base_model
    trained = record(base_model=base_model.id, base_model_digest=base_model.digest)
    assert residents.of_record(trained) is encoder
    altered = replace(trained, base_model_digest="0" * 64)
    with pytest.raises(BaseModelUnavailable, match="train the classifier again"):
        residents.of_record(altered)


def test_it_is_known_whether_an_encoder_is_loaded() -> None:
    residents = EncoderRegistry(lambda _: FakeEncoder())
    assert "some/model" not in residents
    residents.get("some/model")
    assert "some/model" in residents
    residents.evict("some/model")
    assert "some/model" not in residents
