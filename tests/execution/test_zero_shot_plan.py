"""The plan of an answer without a classifier: what is encoded, and what is made of it."""

import numpy as np
import pytest

from tests.execution.predictors import CountingEncoder, FailingEncoder, PredictorSetup
from windrow.domain.classification import ClassifyRequest
from windrow.domain.errors import InvalidBaseModel
from windrow.domain.prediction import always_connected
from windrow.execution.prediction_plan import text_digest
from windrow.execution.zero_shot_plan import FrozenEncoder, ZeroShotPlan
from windrow.learning.zero_shot import BACKGROUND_TOPICS

ONE = ClassifyRequest(text="charged twice", labels=("charged_twice", "app crashes"))


def test_each_text_is_encoded_once_whether_it_is_one_of_a_label_a_topic_or_to_be_classified() -> None:
    topic = BACKGROUND_TOPICS[0]
    request = ClassifyRequest(
        texts=("charged twice", topic, "charged twice"),
        labels=("charged_twice", topic),
        label_descriptions={topic: "charged twice"},
    )
    plan = ZeroShotPlan(request, CountingEncoder())

    digests = [text for _, text in plan.keys()]  # noqa: SIM118 - no dictionary

    assert len(digests) == len(set(digests)) == 1 + len(BACKGROUND_TOPICS)
    assert set(plan.texts) == set(digests)
    assert plan.label_keys() == {("f" * 64, text_digest(text)) for text in ("charged twice", topic)}


def test_an_empty_description_is_no_text_of_its_label() -> None:
    request = ClassifyRequest(text="a", labels=("b", "c"), label_descriptions={"b": "", "c": "d"})
    assert ZeroShotPlan(request, CountingEncoder()).label_texts == [["b"], ["c", "d"]]


def test_the_encoder_is_known_by_its_base_model_so_that_classifiers_share_its_texts() -> None:
    encoder = CountingEncoder(digest="a" * 64)
    frozen = FrozenEncoder(encoder)
    assert (frozen.encoder, frozen.adapter, frozen.digest) == (encoder, None, "a" * 64)


def test_a_predictor_follows_a_plan_and_says_which_of_its_texts_are_new() -> None:
    setup = PredictorSetup()
    plan = ZeroShotPlan(ONE, setup.encoder)
    assert setup.predictor.num_new(plan.label_keys()) == 2

    (answer,) = setup.predictor.follow(plan, plan.texts, always_connected).result()()

    assert answer.label == "charged_twice"
    assert setup.predictor.num_new(plan.label_keys()) == 0
    (again,) = setup.predictor.follow(ZeroShotPlan(ONE, setup.encoder), plan.texts, always_connected).result()()
    assert again == answer


def test_scores_that_are_no_numbers_are_the_base_models_fault() -> None:
    encoder = FailingEncoder("some/encoder", "b" * 64)
    setup = PredictorSetup(encoder=encoder)
    for multi_label in (False, True):
        plan = ZeroShotPlan(ClassifyRequest(text="a", labels=("b", "c"), multi_label=multi_label), encoder)
        with np.errstate(invalid="ignore"), pytest.raises(InvalidBaseModel) as caught:
            setup.predictor.follow(plan, plan.texts, always_connected).result()()
        assert caught.value.facts == {"base_model": "some/encoder"}
    encoder.is_mended = True
    plan = ZeroShotPlan(ONE, encoder)
    assert setup.predictor.follow(plan, plan.texts, always_connected).result()()[0].label == "charged_twice"
