"""The plan of questions about one text: what is encoded, and the answers, worked out by hand from the features."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.execution.predictors import CountingEncoder, PredictorSetup, found
from tests.fakes.encoder import HIDDEN_SIZE
from tests.storage.examples import THRESHOLD_CHANGE
from windrow.arrays import Floats
from windrow.domain.decision import Decision, Option, Question, choice_confidence, expected_level, score_confidence
from windrow.domain.errors import InvalidBaseModel
from windrow.domain.recipe import DEFAULT_BASE_MODEL
from windrow.domain.threshold import Threshold
from windrow.execution.decision_plan import DecisionPlan, PlannedQuestion, zero_shot_texts
from windrow.execution.prediction_plan import EncodedText, LoadedClassifier, text_digest
from windrow.learning.head import LinearHead
from windrow.learning.zero_shot import BACKGROUND_TOPICS
from windrow.storage.revision import ClassifierState

TEXT = "charged twice"
LABELS = ("billing", "bug", "urgent")
ENCODER = CountingEncoder(DEFAULT_BASE_MODEL, "e" * 64)
OTHER_ENCODER = CountingEncoder("other/encoder", "0" * 64)
# Its logits are the first three features of the text.
HEAD = LinearHead(np.eye(3, HIDDEN_SIZE, dtype=np.float32), np.zeros(3, np.float32))
CLASSIFIER = LoadedClassifier(HEAD, None, ENCODER, "a" * 64, None)
# What cosines are divided by for the usual base model.
TEMPERATURE = 0.055
# The topics are orthogonal here, so that their cosines do not spread: what is then divided by, and by how much less
# than for the usual base model.
DEVIATION = 1e-3
USUAL_DEVIATION = 0.0971
RED, GREEN, BLUE = Option("red"), Option("green"), Option("blue")


def axis(number: int) -> Floats:
    vector: Floats = np.eye(HIDDEN_SIZE, dtype=np.float32)[number]
    return vector


# Where each text points: the options along axes of their own, as the topics do.
AXES = {text: number for number, text in enumerate(("red", "green", "blue", "violet", "ultramarine", "billing"))}
AXES |= {topic: 10 + number for number, topic in enumerate(BACKGROUND_TOPICS)}


def pointing(cosines: Mapping[str, float]) -> Floats:
    """Return a vector of length 1 with these cosines to texts, and 0 to all others."""
    vector = np.zeros(HIDDEN_SIZE)
    for text, cosine in cosines.items():
        vector[AXES[text]] = cosine
    vector[-1] = math.sqrt(1 - (vector**2).sum())
    return vector.astype(np.float32)


def logarithms(*shares: float) -> tuple[float, ...]:
    """Return logits whose softmax these shares are, as far as they sum to 1."""
    return tuple(math.log(each) for each in shares)


def likeness(shares: Mapping[str, float], temperature: float = TEMPERATURE) -> Floats:
    """Return the features of a text that is compared with the same number of texts, whose shares are then these."""
    logits = logarithms(*shares.values())
    return pointing({text: temperature * each for text, each in zip(shares, logits, strict=True)})


@pytest.fixture(scope="module")
def entry() -> ClassifierState:
    published = PredictorSetup().publish("tickets_v1")
    record = replace(published.record, labels=LABELS, rows_per_label=dict.fromkeys(LABELS, 4))
    return replace(published, record=record)


def planned(
    *questions: PlannedQuestion,
    text: Floats | None = None,
    entry: ClassifierState | None = None,
    scores: Sequence[float] = (0.6, 0.3, 0.1),
    encoder: CountingEncoder = ENCODER,
) -> DecisionPlan:
    """Return a plan all of whose texts are encoded.

    Args:
        questions: The questions, and what answers them.
        text: The features of the text as the encoder without a classifier sees it.
        entry: The classifier, if there is one.
        scores: Its labels' scores.
        encoder: What answers without a classifier.
    """
    revisions, loaded = ([], []) if entry is None else ([found(entry)], [CLASSIFIER])
    plan = DecisionPlan(TEXT, questions, revisions, loaded, encoder)
    own = axis(HIDDEN_SIZE - 1) if text is None else text
    for key in plan.keys():  # noqa: SIM118 - no dictionary
        digest, of_text = key
        if digest == CLASSIFIER.digest:
            features = np.zeros(HIDDEN_SIZE, np.float32)
            features[:3] = logarithms(*scores)
        else:
            said = plan.texts[of_text]
            features = own if said == TEXT else axis(AXES[said])
        plan.encoded[key] = EncodedText(features, truncated=False, num_tokens=2)
    return plan


def answer(
    question: PlannedQuestion,
    text: Floats | None = None,
    entry: ClassifierState | None = None,
    scores: Sequence[float] = (0.6, 0.3, 0.1),
    encoder: CountingEncoder = ENCODER,
) -> Decision:
    (decision,) = planned(question, text=text, entry=entry, scores=scores, encoder=encoder).decisions().decisions
    return decision


def choice(*options: Option, instructions: str = "") -> Question:
    return Question(kind="choice", options=options, instructions=instructions)


def by_classifier(question: Question, *labels: str | None) -> PlannedQuestion:
    return PlannedQuestion(question, 0, labels)


@pytest.mark.parametrize(
    ("shares", "of_choice", "of_score", "level"),
    [
        # (0.8 - 1/3) / (2/3) = 0.7; 0.1 x 1 + 0.1 x 2 = 0.3 of (1 + 0 + 1) / 3 leaves 0.55
        ((0.8, 0.1, 0.1), 0.7, 0.55, 0.3),
        # (0.7 - 1/4) / (3/4) = 0.6; 0.1 + 0.1 + 0.2 = 0.4 of (1.5 + 0.5 + 0.5 + 1.5) / 4 leaves 0.6
        ((0.1, 0.7, 0.1, 0.1), 0.6, 0.6, 1.2),
        # (0.6 - 1/5) / (4/5) = 0.5; 0.2 + 0.1 + 0.1 + 0.2 = 0.6 of (2 + 1 + 0 + 1 + 2) / 5 leaves 0.5
        ((0.1, 0.1, 0.6, 0.1, 0.1), 0.5, 0.5, 2),
        # (0.75 - 1/2) / (1/2) = 0.5; 0.25 x 1 of (0.5 + 0.5) / 2 leaves 0.5
        ((0.25, 0.75), 0.5, 0.5, 0.75),
    ],
)
def test_options_share_by_the_softmax_of_their_cosines_and_say_how_sure_that_is(
    shares: tuple[float, ...], of_choice: float, of_score: float, level: float
) -> None:
    names = list(AXES)[: len(shares)]
    options = tuple(map(Option, names))
    text = likeness(dict(zip(names, shares, strict=True)))
    chosen = answer(PlannedQuestion(choice(*options)), text)
    scored = answer(PlannedQuestion(Question(kind="score", options=options)), text)
    assert chosen.probabilities == scored.probabilities == pytest.approx(shares, abs=1e-5)
    assert (chosen.answered_by, chosen.answerer, chosen.abstained) == ("zero_shot", DEFAULT_BASE_MODEL, False)
    assert choice_confidence(chosen.probabilities) == pytest.approx(of_choice, abs=1e-4)
    assert score_confidence(scored.probabilities) == pytest.approx(of_score, abs=1e-4)
    assert expected_level(scored.probabilities) == pytest.approx(level, abs=1e-4)


def test_another_base_model_has_its_cosines_on_its_own_scale() -> None:
    text = likeness({"red": 0.8, "green": 0.2}, TEMPERATURE * DEVIATION / USUAL_DEVIATION)
    decision = answer(PlannedQuestion(choice(RED, GREEN)), text, encoder=OTHER_ENCODER)
    assert decision.probabilities == pytest.approx((0.8, 0.2), abs=1e-3)
    assert decision.answerer == "other/encoder"


def test_a_description_counts_for_two_names_and_examples_stand_alone() -> None:
    text = pointing({"red": TEMPERATURE})  # the logit of what points as red does is 1
    # Along red for the description, and along green for the name: 2 of the length of (2, 1).
    described = answer(PlannedQuestion(choice(Option("green", "red"), BLUE)), text)
    assert described.probabilities[0] == pytest.approx(1 / (1 + math.exp(-2 / math.sqrt(5))), abs=1e-5)
    # Along both examples alike, and not along the name.
    exemplified = answer(PlannedQuestion(choice(Option("violet", "", ("red", "green")), BLUE)), text)
    assert exemplified.probabilities[0] == pytest.approx(1 / (1 + math.exp(-1 / math.sqrt(2))), abs=1e-5)


def test_a_statement_that_stands_alone_applies_as_far_as_it_is_nearer_than_topics() -> None:
    text = pointing({"red": DEVIATION / 2})  # half a deviation nearer than the topics, counted as one of four labels
    share = 1 / (1 + math.exp(-(1.41 * 0.5 + 1.06 - 0.55 * math.log(4))))
    predicate = Question(kind="predicate", instructions="red")
    assert answer(PlannedQuestion(predicate), text).probabilities == pytest.approx((share, 1 - share), abs=1e-4)
    described = replace(predicate, instructions="violet", options=(Option("", "red"), Option("")))
    assert answer(PlannedQuestion(described), text).probabilities == pytest.approx((share, 1 - share), abs=1e-4)
    only_false = replace(predicate, instructions="", options=(Option(""), Option("", "red")))
    assert answer(PlannedQuestion(only_false), text).probabilities == pytest.approx((1 - share, share), abs=1e-4)


def test_a_statement_whose_opposite_is_described_applies_by_both_topics_and_opposite() -> None:
    text = pointing({"red": DEVIATION / 2, "green": -DEVIATION})
    by_topics = 1.41 * 0.5 + 1.06 - 0.55 * math.log(4)
    share = 1 / (1 + math.exp(-(by_topics + 1.5 * DEVIATION / TEMPERATURE) / 2))
    predicate = Question(kind="predicate", instructions="red", options=(Option(""), Option("", "green")))
    assert answer(PlannedQuestion(predicate), text).probabilities == pytest.approx((share, 1 - share), abs=1e-4)
    yes_or_no = choice(Option("yes"), Option("no", "green"), instructions="red")
    assert answer(PlannedQuestion(yes_or_no), text).probabilities == pytest.approx((share, 1 - share), abs=1e-4)
    no_or_yes = choice(Option("no", "green"), Option("yes"), instructions="red")
    assert answer(PlannedQuestion(no_or_yes), text).probabilities == pytest.approx((1 - share, share), abs=1e-4)


def test_an_opposite_that_is_as_near_as_the_statement_leaves_it_to_the_topics() -> None:
    text = pointing({"red": 2 * DEVIATION, "green": 2 * DEVIATION})
    negated = Question(kind="predicate", instructions="red", options=(Option(""), Option("", "green")))
    assert answer(PlannedQuestion(negated), text).probabilities[0] > 0.75


@pytest.mark.parametrize(
    ("labels", "shares"),
    [
        (("billing", "bug", "urgent"), (0.6, 0.3, 0.1)),
        (("urgent", "billing", "bug"), (0.1, 0.6, 0.3)),
        (("billing", "bug"), (2 / 3, 1 / 3)),
        (("urgent", "bug"), (0.25, 0.75)),
    ],
)
def test_labels_that_are_options_share_what_a_classifier_gives(
    labels: tuple[str, ...], shares: tuple[float, ...], entry: ClassifierState
) -> None:
    for kind in ("choice", "score"):
        question = Question(kind=kind, options=tuple(map(Option, labels)))
        decision = answer(by_classifier(question, *labels), entry=entry)
        assert decision.probabilities == pytest.approx(shares, abs=1e-6)
        assert (decision.answered_by, decision.answerer) == ("classifier", "tickets_v1@1")


def test_labels_none_of_which_is_likely_at_all_share_alike(entry: ClassifierState) -> None:
    question = choice(Option("bug"), Option("urgent"))
    decision = answer(by_classifier(question, "bug", "urgent"), entry=entry, scores=(1, 1e-300, 1e-300))
    assert decision.probabilities == (0.5, 0.5)


def test_a_predicate_is_the_score_of_the_label_that_stands_for_true(entry: ClassifierState) -> None:
    question = Question(kind="predicate", instructions="Is it a bug?")
    assert answer(by_classifier(question, "bug"), entry=entry).probabilities == pytest.approx((0.3, 0.7), abs=1e-6)


def test_options_without_a_label_take_what_a_comparison_of_all_gives_them(entry: ClassifierState) -> None:
    question = choice(Option("red"), Option("green"), Option("blue"))
    text = likeness({"red": 0.25, "green": 0.5, "blue": 0.25})
    decision = answer(by_classifier(question, "billing", "bug", None), text, entry)
    # Compared, red and green have 0.75, of which billing takes 0.6 / 0.9 and bug 0.3 / 0.9.
    assert decision.probabilities == pytest.approx((0.5, 0.25, 0.25), abs=1e-5)
    assert (decision.answered_by, decision.answerer) == ("classifier_and_zero_shot", "tickets_v1@1")


@pytest.mark.parametrize(("least", "abstained"), [(0.59, False), (0.61, True)])
def test_a_classifier_below_its_threshold_abstains_and_its_shares_stay(
    least: float, abstained: bool, entry: ClassifierState
) -> None:
    changes = (replace(THRESHOLD_CHANGE, after=Threshold(least)),)
    changed = replace(entry, record=replace(entry.record, threshold_changes=changes))
    decision = answer(by_classifier(choice(Option("bug"), Option("urgent")), "bug", "urgent"), entry=changed)
    assert decision.abstained is abstained
    assert decision.probabilities == pytest.approx((0.75, 0.25), abs=1e-6)


ASKED = (
    PlannedQuestion(choice(RED, GREEN, BLUE)),
    PlannedQuestion(choice(BLUE, GREEN)),
    PlannedQuestion(Question(kind="score", options=(GREEN, RED, Option("violet", "ultramarine")))),
    PlannedQuestion(Question(kind="predicate", instructions="red")),
    PlannedQuestion(Question(kind="predicate", instructions="red", options=(Option(""), Option("", "blue")))),
    by_classifier(choice(Option("bug"), Option("billing")), "bug", "billing"),
    by_classifier(choice(RED, Option("billing")), None, "billing"),
    by_classifier(Question(kind="predicate", instructions="Is it urgent?"), "urgent"),
)
SEEN = pointing({"red": 0.03, "green": 0.02, "blue": -0.04, "violet": 0.01, "ultramarine": 0.05, "billing": 0.02})


@given(st.lists(st.integers(0, len(ASKED) - 1), min_size=1, max_size=12))
def test_neither_order_nor_number_nor_name_of_questions_changes_an_answer(
    entry: ClassifierState, numbers: list[int]
) -> None:
    alone = [answer(each, SEEN, entry) for each in ASKED]
    together = planned(*(_named(ASKED[number], place) for place, number in enumerate(numbers)), text=SEEN, entry=entry)
    assert together.decisions().decisions == tuple(alone[number] for number in numbers)


def _named(question: PlannedQuestion, place: int) -> PlannedQuestion:
    return replace(question, question=replace(question.question, name=f"question {place}"))


def test_the_order_of_options_moves_their_shares_and_changes_none() -> None:
    one = answer(PlannedQuestion(choice(RED, GREEN, BLUE)), SEEN).probabilities
    other = answer(PlannedQuestion(choice(BLUE, RED, GREEN)), SEEN).probabilities
    assert other == pytest.approx((one[2], one[0], one[1]), abs=1e-7)
    assert sum(one) == pytest.approx(1, abs=1e-6)


def test_each_text_is_encoded_once_for_each_encoder_however_many_questions_there_are(entry: ClassifierState) -> None:
    plan = planned(*ASKED * 50, entry=entry)
    own = text_digest(TEXT)
    assert plan.keys().count((CLASSIFIER.digest, own)) == plan.keys().count(("e" * 64, own)) == 1
    options = ("red", "green", "blue", "violet", "ultramarine", "billing")
    assert sorted(plan.texts.values()) == sorted((TEXT, *options, *BACKGROUND_TOPICS))
    assert len(plan.keys()) == len(plan.texts) + 1


def test_a_classifier_without_an_adapter_shares_the_text_with_what_answers_without_one(entry: ClassifierState) -> None:
    shared = replace(CLASSIFIER, digest="e" * 64)
    questions = (by_classifier(choice(RED, BLUE), "billing", "bug"), PlannedQuestion(choice(RED, BLUE)))
    plan = DecisionPlan(TEXT, questions, [found(entry)], [shared], ENCODER)
    assert plan.keys() == [("e" * 64, text_digest(text)) for text in (TEXT, "red", "blue")]


@pytest.mark.parametrize(
    ("question", "encoder", "are_needed"),
    [
        (PlannedQuestion(choice(RED, GREEN)), ENCODER, False),
        (PlannedQuestion(choice(RED, GREEN)), OTHER_ENCODER, True),
        (PlannedQuestion(Question(kind="predicate", instructions="red")), ENCODER, True),
        (by_classifier(Question(kind="predicate", instructions="red"), "bug"), OTHER_ENCODER, False),
    ],
)
def test_topics_are_encoded_where_they_are_compared_with(
    question: PlannedQuestion, encoder: CountingEncoder, are_needed: bool
) -> None:
    plan = DecisionPlan(TEXT, [question], [], [], encoder)
    assert plan.texts.keys().isdisjoint(map(text_digest, BACKGROUND_TOPICS)) is not are_needed


def test_tokens_are_those_of_all_texts_and_cached_what_was_not_new(entry: ClassifierState) -> None:
    plan = planned(PlannedQuestion(choice(RED, GREEN)), by_classifier(choice(RED, BLUE), "bug", "urgent"), entry=entry)
    own = text_digest(TEXT)
    plan.new.extend([("e" * 64, own), ("e" * 64, text_digest("red"))])
    answers = plan.answers()()
    # The text twice, since there are two encoders, red and green; two tokens each.
    assert (answers.input_tokens, answers.cached_tokens, answers.truncated) == (8, 4, False)
    assert answers.answerers == (DEFAULT_BASE_MODEL, "tickets_v1@1")


@pytest.mark.parametrize(("said", "truncated"), [(TEXT, True), ("red", False)])
def test_an_answer_is_marked_where_the_text_was_truncated_not_where_an_option_was(said: str, truncated: bool) -> None:
    plan = planned(PlannedQuestion(choice(RED, GREEN)))
    key = ("e" * 64, text_digest(said))
    plan.encoded[key] = replace(plan.encoded[key], truncated=True)
    assert plan.decisions().truncated is truncated


@pytest.mark.parametrize("question", [choice(RED, GREEN), Question(kind="predicate", instructions="red")])
def test_scores_that_are_no_numbers_are_the_base_models_fault(question: Question) -> None:
    damaged = np.full(HIDDEN_SIZE, np.nan, np.float32)
    with np.errstate(invalid="ignore"), pytest.raises(InvalidBaseModel) as caught:
        answer(PlannedQuestion(question), damaged, encoder=OTHER_ENCODER)
    assert caught.value.facts == {"base_model": "other/encoder"}


@pytest.mark.parametrize(
    ("question", "texts"),
    [
        (choice(Option("charged_twice"), Option("b", "c")), [["charged twice"], ["b", "c"]]),
        (choice(Option("a"), Option("b"), instructions="Which?"), [["a"], ["b"]]),
        (choice(Option("", "c"), Option("b", "d", ("e", "f"))), [["c"], ["e", "f"]]),
        (choice(Option("yes"), Option("no")), [["yes"], ["no"]]),
        (choice(Option("Yes"), Option("No"), instructions="It is"), [["It is"], []]),
        (choice(Option("false"), Option("true"), instructions="It is"), [[], ["It is"]]),
        (
            choice(Option("no", "It is not"), Option("yes", "So it is"), instructions="Is it?"),
            [["It is not"], ["So it is"]],
        ),
        (choice(Option("yes"), Option("true"), instructions="It is"), [["yes"], ["true"]]),
        (choice(Option("yes"), Option("no"), Option("maybe"), instructions="It is"), [["yes"], ["no"], ["maybe"]]),
        (Question(kind="predicate", instructions="It is"), [["It is"], []]),
        (Question(kind="predicate", options=(Option(""), Option("", "It is not"))), [[], ["It is not"]]),
        (
            Question(kind="predicate", instructions="Is it?", options=(Option("", "It is"), Option("", "It is not"))),
            [["It is"], ["It is not"]],
        ),
    ],
)
def test_what_stands_for_each_option_is_what_says_most_of_it(question: Question, texts: list[list[str]]) -> None:
    assert zero_shot_texts(question) == texts
