"""Labels, scores and abstention of predictions."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import numpy as np
import pytest

from tests.execution.predictors import CountingEncoder, PredictorSetup, found
from tests.storage.examples import THRESHOLD_CHANGE
from windrow.domain.errors import InvalidArtifact, InvalidBaseModel
from windrow.domain.prediction import Kind, Prediction, PredictRequest
from windrow.domain.threshold import Threshold
from windrow.encoders.adapters import Adapter
from windrow.execution.prediction_plan import (
    MAX_STACKED_HEADS,
    EncodedText,
    LoadedClassifier,
    PredictionPlan,
    check_finite,
)
from windrow.learning.head import LinearHead
from windrow.learning.scope import Scope
from windrow.storage.revision import ClassifierState

# The encoder is never asked: what it would say is given.
ENCODER = CountingEncoder()
# A text's first feature decides its scores, and its last two how like the training data it is.
HEAD = LinearHead(np.array([[1, 0, 0], [-1, 0, 0]], np.float32), np.zeros(2, np.float32))
SCOPE = Scope.of(np.array([[0, 1]], np.float16), np.array([0.25, 0.5, 0.75], np.float32))


@pytest.fixture(scope="module")
def entry() -> ClassifierState:
    return PredictorSetup().publish("a")


def ask(
    entry: ClassifierState, request: PredictRequest, text: tuple[float, float] = (0.5, 0.5), scope: Scope | None = SCOPE
) -> Prediction:
    """Ask about a text with this logit of half the difference, and this likeness to the training data."""
    classifier = LoadedClassifier(HEAD, None, ENCODER, "way", scope)
    plan = PredictionPlan([found(entry)], [classifier], [b"text"], request)
    features = np.array([text[0], 0, text[1]], np.float32)
    plan.encoded["way", b"text"] = EncodedText(features, truncated=False)
    (answer,) = plan.answers()
    return answer


def wanting(abstain_below: float | None = None, min_in_scope: float | None = None) -> PredictRequest:
    return PredictRequest(model_name="a", text="text", abstain_below=abstain_below, min_in_scope=min_in_scope)


BEST = float(HEAD.scores(np.array([[0.5, 0, 0.5]], np.float32)).max())


def test_without_a_bound_a_label_is_always_given(entry: ClassifierState) -> None:
    for text in ((0.5, 0.5), (0.001, -1.0), (-3.0, 0.0)):
        answer = ask(entry, wanting(), text)
        assert answer.label == ("billing" if text[0] > 0 else "bug")
        assert not answer.abstained


@pytest.mark.parametrize(
    ("requested", "stored", "is_given"),
    [
        (None, None, True),
        (BEST, None, True),
        (float(np.nextafter(BEST, 1)), None, False),
        (None, BEST, True),
        (None, float(np.nextafter(BEST, 1)), False),
        (0.0, 1.0, True),
        (0.5, 1.0, True),
        (1.0, 0.0, False),
    ],
)
def test_the_best_score_must_reach_the_bound_of_the_request_or_else_the_stored_one(
    requested: float | None, stored: float | None, is_given: bool, entry: ClassifierState
) -> None:
    changes = () if stored is None else (replace(THRESHOLD_CHANGE, after=Threshold(stored)),)
    entry = replace(entry, record=replace(entry.record, threshold_changes=changes))
    answer = ask(entry, wanting(requested))
    assert (answer.label == "billing") is is_given
    assert answer.abstained is not is_given


@pytest.mark.parametrize(
    ("likeness", "least", "is_given"),
    [(0.5, 0.5, True), (0.5, 0.501, False), (0.9, 0.75, True), (-1.0, 0.01, False), (-1.0, 0.0, True)],
)
def test_a_text_must_be_as_similar_to_the_training_data_as_the_request_says(
    likeness: float, least: float, is_given: bool, entry: ClassifierState
) -> None:
    answer = ask(entry, wanting(min_in_scope=least), (0.5, likeness))
    assert answer.abstained is not is_given
    assert answer.in_scope == pytest.approx(SCOPE.fraction_below(likeness))


@pytest.mark.parametrize(("least", "label"), [(None, "billing"), (0.0, None), (1.0, None)])
def test_a_classifier_that_cannot_tell_gives_no_label_where_a_text_must_be_in_scope(
    least: float | None, label: str | None, entry: ClassifierState
) -> None:
    answer = ask(entry, wanting(min_in_scope=least), scope=None)
    assert (answer.label, answer.in_scope) == (label, None)


def test_both_bounds_must_be_met(entry: ClassifierState) -> None:
    assert ask(entry, wanting(0.6, 0.4)).label == "billing"
    assert ask(entry, wanting(0.9, 0.4)).abstained
    assert ask(entry, wanting(0.6, 0.9)).abstained


@pytest.mark.parametrize("top_k", [None, 1, 2])
def test_scores_are_returned_with_or_without_a_label(top_k: int | None, entry: ClassifierState) -> None:
    request = replace(wanting(), top_k=top_k)
    given, abstained = ask(entry, request), ask(entry, replace(request, abstain_below=1.0))
    assert abstained == replace(given, label=None)
    assert len(given.scores) == (top_k or 2)


def answers_of(
    entry: ClassifierState, classifiers: Sequence[LoadedClassifier], texts: Sequence[bytes]
) -> tuple[Prediction, ...]:
    plan = PredictionPlan([found(entry)] * len(classifiers), classifiers, texts, wanting())
    for number, key in enumerate(plan.keys()):
        features = np.random.default_rng(number).normal(size=3).astype(np.float32)
        plan.encoded[key] = EncodedText(features, truncated=number % 2 == 1)
    return plan.answers()


def test_more_heads_than_fit_one_product_predict_as_alone(entry: ClassifierState) -> None:
    random = np.random.default_rng(5)
    classifiers = [
        LoadedClassifier(
            LinearHead(random.normal(size=(2, 3)).astype(np.float32), random.normal(size=2).astype(np.float32)),
            None,
            ENCODER,
            "way",
            SCOPE if number % 3 else None,
        )
        for number in range(2 * MAX_STACKED_HEADS + 3)
    ]
    together = answers_of(entry, classifiers, [b"one", b"two"])
    alone = [answer for classifier in classifiers for answer in answers_of(entry, [classifier], [b"one", b"two"])]
    assert len(together) == len(alone) == 2 * len(classifiers)
    for one, other in zip(together, alone, strict=True):
        assert one.label == other.label
        assert list(one.scores.values()) == pytest.approx(list(other.scores.values()), abs=1e-6)
        assert one.in_scope == (None if other.in_scope is None else pytest.approx(other.in_scope, abs=1e-6))


def test_what_must_be_encoded_is_each_text_once_for_each_way_of_seeing(entry: ClassifierState) -> None:
    classifiers = [LoadedClassifier(HEAD, None, ENCODER, digest, None) for digest in ("one", "other", "one")]
    plan = PredictionPlan([found(entry)] * 3, classifiers, [b"a", b"b", b"a"], wanting())
    assert plan.keys() == [("one", b"a"), ("one", b"b"), ("other", b"a"), ("other", b"b")]
    answers = answers_of(entry, classifiers, [b"a", b"b", b"a"])
    assert answers[0] == answers[2] == answers[6]
    assert [answer.truncated for answer in answers[:3]] == [False, True, False]


def test_scores_that_are_no_numbers_are_no_answer(entry: ClassifierState) -> None:
    with pytest.raises(InvalidBaseModel, match="no numbers"):
        ask(entry, wanting(), (np.nan, 0.5))


def test_scores_that_are_no_numbers_with_an_adapter_are_the_classifiers_fault(entry: ClassifierState) -> None:
    adapted = LoadedClassifier(HEAD, cast(Adapter, object()), ENCODER, "way", None)
    check_finite(entry.record, adapted, 1.0)
    with pytest.raises(InvalidArtifact, match="no numbers"):
        check_finite(entry.record, adapted, math.nan)


# Of three labels, whose scores are 0.5, 0.731 and 0.269 for a text with the logit 1.
SEVERAL = LinearHead(np.array([[0, 0, 0], [1, 0, 0], [-1, 0, 0]], np.float32), np.zeros(3, np.float32))
LABELS = ("billing", "bug", "urgent")


def several(entry: ClassifierState, *thresholds: float, stored: Threshold | None = None) -> ClassifierState:
    """Return a multi-label classifier with these thresholds of its labels."""
    changes = () if stored is None else (replace(THRESHOLD_CHANGE, after=stored),)
    changed = replace(
        entry.record,
        kind="multi_label",
        labels=LABELS,
        rows_per_label=dict.fromkeys(LABELS, 4),
        label_thresholds=dict(zip(LABELS, thresholds, strict=True)),
        threshold_changes=changes,
    )
    return replace(entry, record=changed)


def ask_several(
    entry: ClassifierState, request: PredictRequest | None = None, logit: float = 1.0, likeness: float = 0.5
) -> Prediction:
    classifier = LoadedClassifier(SEVERAL, None, ENCODER, "way", SCOPE, "multi_label")
    plan = PredictionPlan([found(entry)], [classifier], [b"text"], request or wanting())
    plan.encoded["way", b"text"] = EncodedText(np.array([logit, 0, likeness], np.float32), truncated=False)
    (answer,) = plan.answers()
    return answer


@pytest.mark.parametrize(
    ("thresholds", "logit", "labels"),
    [
        ((0.5, 0.5, 0.5), 1.0, ("bug", "billing")),
        ((0.5, 0.5, 0.25), 1.0, ("bug", "billing", "urgent")),
        ((0.51, 0.75, 0.3), 1.0, ()),
        ((0.5, 0.5, 0.5), -1.0, ("urgent", "billing")),
        ((0.5, 0.5, 0.5), 0.0, ("billing", "bug", "urgent")),
    ],
)
def test_a_label_is_given_from_its_own_threshold_on_the_highest_score_first(
    thresholds: tuple[float, ...], logit: float, labels: tuple[str, ...], entry: ClassifierState
) -> None:
    answer = ask_several(several(entry, *thresholds), logit=logit)
    assert (answer.kind, answer.label, answer.labels, answer.abstained) == ("multi_label", None, labels, False)
    expected = [1 / (1 + math.exp(-each)) for each in (0, logit, -logit)]
    assert dict(answer.scores) == pytest.approx(dict(zip(LABELS, expected, strict=True)))


@pytest.mark.parametrize(
    ("requested", "stored", "labels"),
    [
        (None, None, ("bug", "billing", "urgent")),
        (0.3, None, ("bug", "billing")),
        (0.6, None, ("bug",)),
        (0.8, None, None),
        (None, 0.6, ("bug",)),
        (None, 0.8, None),
        (0.0, 0.8, ("bug", "billing", "urgent")),
    ],
)
def test_labels_below_the_bound_are_not_given_and_where_none_is_left_the_classifier_abstains(
    requested: float | None, stored: float | None, labels: tuple[str, ...] | None, entry: ClassifierState
) -> None:
    changed = several(entry, 0.2, 0.2, 0.2, stored=None if stored is None else Threshold(stored))
    answer = ask_several(changed, wanting(requested))
    assert (answer.labels, answer.abstained) == (labels, labels is None)


def test_where_no_label_reaches_its_threshold_a_bound_takes_none_away(entry: ClassifierState) -> None:
    answer = ask_several(several(entry, 0.9, 0.9, 0.9), wanting(1.0))
    assert (answer.labels, answer.abstained) == ((), False)


def test_a_stored_threshold_of_a_label_takes_the_place_of_the_one_of_the_training(entry: ClassifierState) -> None:
    stored = Threshold(0.0, {"urgent": 0.25, "bug": 0.75})
    answer = ask_several(several(entry, 0.4, 0.4, 0.4, stored=stored))
    assert answer.labels == ("billing", "urgent")


@pytest.mark.parametrize("threshold", [0.2, 0.99])
def test_a_text_unlike_the_training_data_gets_no_labels_whether_any_fits(
    threshold: float, entry: ClassifierState
) -> None:
    changed = several(entry, threshold, threshold, threshold)
    assert ask_several(changed, wanting(min_in_scope=0.4), likeness=0.1).abstained
    assert not ask_several(changed, wanting(min_in_scope=0.4), likeness=0.6).abstained


def test_the_number_of_scores_changes_no_label(entry: ClassifierState) -> None:
    changed = several(entry, 0.2, 0.2, 0.2)
    for top_k, shown in ((1, ["bug"]), (2, ["bug", "billing"]), (3, ["bug", "billing", "urgent"])):
        answer = ask_several(changed, replace(wanting(), top_k=top_k))
        assert list(answer.scores) == shown
        assert answer.labels == ("bug", "billing", "urgent")


def test_classifiers_of_both_kinds_predict_together_as_alone(entry: ClassifierState) -> None:
    random = np.random.default_rng(7)
    entries, classifiers = [], []
    for number in range(2 * MAX_STACKED_HEADS):
        is_several = number % 3 == 0
        labels = 3 if is_several else 2
        head = LinearHead(random.normal(size=(labels, 3)).astype(np.float32), np.zeros(labels, np.float32))
        kind: Kind = "multi_label" if is_several else "single_label"
        entries.append(several(entry, 0.4, 0.5, 0.6) if is_several else entry)
        classifiers.append(LoadedClassifier(head, None, ENCODER, "way", SCOPE, kind))

    def asked(entries: Sequence[ClassifierState], classifiers: Sequence[LoadedClassifier]) -> tuple[Prediction, ...]:
        plan = PredictionPlan(list(map(found, entries)), classifiers, [b"text"], wanting())
        plan.encoded["way", b"text"] = EncodedText(np.array([0.3, -0.7, 0.2], np.float32), truncated=False)
        return plan.answers()

    together = asked(entries, classifiers)
    for one, own, classifier in zip(together, entries, classifiers, strict=True):
        (alone,) = asked([own], [classifier])
        assert (one.kind, one.label, one.labels) == (alone.kind, alone.label, alone.labels)
        assert one.kind == classifier.kind
        assert list(one.scores.values()) == pytest.approx(list(alone.scores.values()), abs=1e-6)


@pytest.mark.parametrize("logit", [np.nan, np.inf])
def test_scores_of_several_labels_that_are_no_numbers_are_no_answer(logit: float, entry: ClassifierState) -> None:
    with np.errstate(invalid="ignore"), pytest.raises(InvalidBaseModel, match="no numbers"):
        ask_several(several(entry, 0.5, 0.5, 0.5), logit=logit)
