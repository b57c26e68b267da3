"""Classify on this machine without a classifier: which base model answers, what is encoded, and what counts."""

from dataclasses import replace

import pytest

from tests.execution.predictors import CountingEncoder
from tests.fakes.encoder import FakeEncoder
from tests.service.examples import Open, fit
from windrow.domain.caller import Caller, calling
from windrow.domain.classification import Classification, ClassifyRequest
from windrow.domain.errors import (
    BaseModelNotAllowed,
    BaseModelUnavailable,
    ClientClosedRequest,
    InvalidParameter,
    LimitExceeded,
    RateLimited,
)
from windrow.domain.key_limits import KeyLimits
from windrow.domain.prediction import always_connected
from windrow.domain.recipe import DEFAULT_BASE_MODEL
from windrow.learning.zero_shot import BACKGROUND_TOPICS
from windrow.service.service import Service

OTHER = "some/encoder"
ONE = ClassifyRequest(text="charged twice again", labels=("charged_twice", "app-crashes", "password"))
KEY = Caller(key_name="shop", scopes=frozenset(("predict",)))


def classify(service: Service, request: ClassifyRequest = ONE, **changes: object) -> Classification:
    """Return the answer for one text."""
    (answer,) = service.classify(replace(request, **changes))  # type: ignore[arg-type]
    return answer


@pytest.fixture
def encoder() -> CountingEncoder:
    return CountingEncoder(DEFAULT_BASE_MODEL, "e" * 64)


@pytest.fixture
def counting(opened: Open, encoder: CountingEncoder) -> Service:
    """A service whose encoder counts what it encodes."""
    return opened(encoders={DEFAULT_BASE_MODEL: encoder})


def test_a_text_gets_the_label_whose_words_it_shares(service: Service) -> None:
    answer = classify(service)
    assert (answer.label, answer.labels, answer.multi_label) == ("charged_twice", None, False)
    assert list(answer.scores) == list(ONE.labels)
    assert sum(answer.scores.values()) == pytest.approx(1, abs=1e-5)
    assert (answer.model, answer.warnings, answer.truncated) == (DEFAULT_BASE_MODEL, (), False)


def test_the_order_of_the_labels_changes_no_score(service: Service) -> None:
    there = classify(service, labels=ONE.labels[::-1])
    assert dict(there.scores) == pytest.approx(dict(classify(service).scores), abs=1e-6)
    assert there.label == "charged_twice"


def test_where_several_labels_may_apply_those_above_a_half_are_given_the_highest_first(service: Service) -> None:
    labels = ("password", "charged twice", "charged again")
    answer = classify(service, labels=labels, multi_label=True)
    assert answer.label is None
    above = [label for label in labels if answer.scores[label] > 0.5]
    assert answer.labels == tuple(sorted(above, key=lambda label: -answer.scores[label]))
    assert len(above) == 2
    assert classify(service, text="nothing of it", labels=labels, multi_label=True).labels == ()


def test_a_description_and_an_own_template_take_part_and_the_default_template_does_not(service: Service) -> None:
    plain = classify(service, text="money")
    described = classify(service, text="money", label_descriptions={"password": "money"})
    assert described.scores["password"] > plain.scores["password"]
    assert classify(service, text="money", label_descriptions={"password": ""}).scores == plain.scores
    own = classify(service, text="money", hypothesis_template="money {}")
    assert dict(own.scores) != pytest.approx(dict(plain.scores), abs=1e-3)
    assert classify(service, text="money", hypothesis_template="This text is about {}").scores == plain.scores


def test_each_of_many_texts_is_answered_as_it_is_alone(service: Service) -> None:
    texts = ("charged twice", "password", "a " * 300)
    answers = service.classify(replace(ONE, text=None, texts=texts))
    for text, answer in zip(texts, answers, strict=True):
        alone = classify(service, text=text)
        assert (answer.label, answer.truncated) == (alone.label, alone.truncated)
        assert dict(answer.scores) == pytest.approx(dict(alone.scores), abs=1e-5)
    assert [answer.truncated for answer in answers] == [False, False, True]


def test_the_texts_of_labels_are_encoded_once_and_a_second_request_encodes_its_text_alone(
    counting: Service, encoder: CountingEncoder
) -> None:
    classify(counting)
    classify(counting, text="another text")
    assert encoder.encoded == 2 + len(ONE.labels)
    for text in ("another text", "a third text"):
        classify(counting, text=text, multi_label=True)
    assert encoder.encoded == 3 + len(ONE.labels) + len(BACKGROUND_TOPICS)


def test_a_classifier_without_an_adapter_and_classify_share_encoded_texts(
    counting: Service, encoder: CountingEncoder
) -> None:
    fit(counting)
    classify(counting)
    before = encoder.encoded
    counting.classify(replace(ONE, text=ONE.labels[2]))
    assert encoder.encoded == before  # the label's name was encoded as a label


@pytest.mark.parametrize("asked", ["facebook/bart-large-mnli", "no model's id", "gpt", OTHER])
def test_in_the_place_of_a_model_that_is_not_here_the_default_one_answers_and_says_so(
    service: Service, asked: str
) -> None:
    answer = classify(service, model=asked)
    assert (answer.model, answer.label) == (DEFAULT_BASE_MODEL, "charged_twice")
    assert [warning.code for warning in answer.warnings] == ["other_model"]
    assert repr(asked) in answer.warnings[0].message


def test_another_base_model_of_this_server_answers_where_it_is_asked_for(opened: Open) -> None:
    encoders = {DEFAULT_BASE_MODEL: FakeEncoder(), OTHER: FakeEncoder(OTHER, "b" * 64)}
    service = opened(encoders=encoders)
    for _ in range(2):  # from the disk, and then from memory
        answer = classify(service, model=OTHER)
        assert (answer.model, answer.warnings) == (OTHER, ())
    assert classify(service, model=DEFAULT_BASE_MODEL).warnings == ()


def test_a_base_model_that_is_not_allowed_does_not_answer_though_it_is_here(opened: Open) -> None:
    encoders = {DEFAULT_BASE_MODEL: FakeEncoder(), OTHER: FakeEncoder(OTHER, "b" * 64)}
    service = opened(encoders=encoders, allowed_base_models=(DEFAULT_BASE_MODEL,))
    assert classify(service, model=OTHER).model == DEFAULT_BASE_MODEL


def test_where_the_default_base_model_is_not_allowed_the_first_allowed_one_answers(opened: Open) -> None:
    encoders = {DEFAULT_BASE_MODEL: FakeEncoder(), OTHER: FakeEncoder(OTHER, "b" * 64)}
    service = opened(encoders=encoders, allowed_base_models=(f"{OTHER}@{'0' * 40}",))
    assert (classify(service).model, classify(service).warnings) == (OTHER, ())
    assert classify(service, model=DEFAULT_BASE_MODEL).model == OTHER


def test_the_error_of_a_base_model_that_cannot_answer_is_told(opened: Open) -> None:
    with pytest.raises(BaseModelUnavailable):
        classify(opened(encoders={}))
    with pytest.raises(BaseModelNotAllowed):
        classify(opened(allowed_base_models=("not/allowed",)))


def test_in_memory_nothing_is_answered_that_needs_the_disk(opened: Open) -> None:
    encoders = {DEFAULT_BASE_MODEL: FakeEncoder(), OTHER: FakeEncoder(OTHER, "b" * 64)}
    service = opened(encoders=encoders)
    assert service.start_classify_in_memory(ONE, always_connected) is None  # its encoder is not loaded
    classify(service)
    started = service.start_classify_in_memory(ONE, always_connected)
    assert started is not None
    assert started.result()() == service.classify(ONE)
    assert service.start_classify_in_memory(replace(ONE, model=OTHER), always_connected) is None
    other = service.start_classify_in_memory(replace(ONE, model="not a model's id"), always_connected)
    assert other is not None
    assert [warning.code for warning in other.result()()[0].warnings] == ["other_model"]


def test_a_description_longer_than_the_encoder_reads_is_warned_of(service: Service) -> None:
    long = {"password": "word " * 300, "app-crashes": "It crashes"}
    (warning,) = classify(service, label_descriptions=long).warnings
    assert (warning.code, warning.message.endswith("left out: 'password'.")) == ("truncated_labels", True)


def test_a_caller_that_has_left_gets_nothing(service: Service) -> None:
    with pytest.raises(ClientClosedRequest):
        service.classify(ONE, lambda: False)


def test_the_limits_of_the_settings_hold(opened: Open) -> None:
    service = opened(max_texts=2, max_labels=3, max_text_chars=20)
    classify(service)
    for changes in ({"labels": tuple("abcd")}, {"text": None, "texts": ("a",) * 3}, {"text": "a" * 21}):
        with pytest.raises(LimitExceeded):
            service.classify(replace(ONE, **changes))
    with pytest.raises(InvalidParameter):
        classify(service, labels=("a", "a"))


def test_texts_and_new_texts_of_labels_count_for_a_key_and_known_ones_do_not(service: Service) -> None:
    with calling(replace(KEY, limits=KeyLimits(texts_per_day=6))):
        classify(service)  # a text and three labels
        classify(service, text="another text")
        with pytest.raises(RateLimited):
            service.classify(replace(ONE, text=None, texts=("a", "b")))
        with pytest.raises(RateLimited):
            classify(service, labels=("new label", "password"))
        classify(service, text="the sixth")
        with pytest.raises(RateLimited):
            classify(service)


def test_a_key_that_is_limited_to_names_classifies_as_any_other_does(service: Service) -> None:
    with calling(replace(KEY, only=("tickets_*",))):
        assert classify(service).label == "charged_twice"
