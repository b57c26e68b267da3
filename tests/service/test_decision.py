"""Decide on this machine: which classifier answers a question, what its labels stand for, and what is encoded."""

from dataclasses import replace

import pytest

from tests.execution.predictors import CountingEncoder
from tests.service.examples import ROWS, Open, fit
from windrow.domain.alias import PromoteRequest
from windrow.domain.binding import BindRequest
from windrow.domain.caller import Caller, calling
from windrow.domain.classifier import DeleteRequest, FitRequest
from windrow.domain.dataset import Row
from windrow.domain.decision import DecideRequest, Decision, Decisions, Option, Question
from windrow.domain.errors import ClassifierNotFound, InvalidParameter, NameNotAllowed, RateLimited
from windrow.domain.key_limits import KeyLimits
from windrow.domain.prediction import PredictRequest, always_connected
from windrow.domain.recipe import DEFAULT_BASE_MODEL
from windrow.domain.threshold import SetThresholdRequest
from windrow.service.service import Service

TEXT = "charged twice invoice"
BILLING_OR_BUG = Question(kind="choice", name="kind of ticket?", options=(Option("billing"), Option("bug")))
IS_BILLING = Question(kind="predicate", name="money", instructions="Is it about an invoice?")
OTHERS = (
    Question(kind="choice", name="colour", options=(Option("red"), Option("blue", "like the sky"))),
    Question(kind="score", name="anger", options=(Option("calm"), Option("annoyed"), Option("furious"))),
    IS_BILLING,
)


def decide(service: Service, *questions: Question, **more: object) -> Decisions:
    """Return the answers to some questions."""
    request = replace(DecideRequest(text=TEXT, questions=questions), **more)  # type: ignore[arg-type]
    return service.start_decide(request, always_connected).result()()


def decision(service: Service, question: Question, **more: object) -> Decision:
    (one,) = decide(service, question, **more).decisions
    return one


def train(service: Service, name: str, *labels: str) -> None:
    """Train a classifier on the texts of the example under other labels."""
    known = dict(zip(("billing", "bug"), labels, strict=True))
    service.fit(FitRequest(name, tuple(Row(row.text, known[row.label]) for row in ROWS), num_iterations=0))


@pytest.fixture
def encoder() -> CountingEncoder:
    return CountingEncoder(DEFAULT_BASE_MODEL, "e" * 64)


@pytest.fixture
def service(opened: Open, encoder: CountingEncoder) -> Service:
    service = opened(encoders={DEFAULT_BASE_MODEL: encoder})
    fit(service)
    return service


def test_the_classifier_of_the_request_answers_what_it_has_labels_for(service: Service) -> None:
    answer = decision(service, BILLING_OR_BUG, model_name="tickets_v1")
    (prediction,) = service.predict(PredictRequest(model_name="tickets_v1", text=TEXT))
    assert answer.probabilities == pytest.approx(tuple(prediction.scores.values()))
    assert (answer.answered_by, answer.answerer, answer.abstained) == ("classifier", "tickets_v1@1", False)


def test_some_of_the_labels_share_what_the_others_would_have(service: Service) -> None:
    service.fit(FitRequest("wide_v1", (*ROWS, Row("a third thing", "other"), Row("third", "other")), num_iterations=0))
    (prediction,) = service.predict(PredictRequest(model_name="wide_v1", text=TEXT))
    scores = [prediction.scores[label] for label in ("bug", "billing")]
    asked = replace(BILLING_OR_BUG, options=BILLING_OR_BUG.options[::-1])
    shares = decision(service, asked, model_name="wide_v1").probabilities
    assert shares == pytest.approx([score / sum(scores) for score in scores])


def test_options_without_a_label_are_refused_by_name_unless_the_request_lets_them_be_compared(service: Service) -> None:
    wider = replace(BILLING_OR_BUG, options=(*BILLING_OR_BUG.options, Option("weather", "rain or sun")))
    with pytest.raises(InvalidParameter, match="'weather'") as refused:
        decision(service, wider, model_name="tickets_v1")
    assert refused.value.facts["options"] == ["weather"]
    answer = decision(service, wider, model_name="tickets_v1", zero_shot_options=True)
    assert answer.answered_by == "classifier_and_zero_shot"
    assert sum(answer.probabilities) == pytest.approx(1, abs=1e-5)
    assert all(share > 0 for share in answer.probabilities)
    known = decision(service, BILLING_OR_BUG, model_name="tickets_v1").probabilities
    assert answer.probabilities[0] / answer.probabilities[1] == pytest.approx(known[0] / known[1], rel=1e-4)


def test_beside_other_questions_the_classifier_of_the_request_leaves_those_of_which_it_knows_nothing(
    service: Service,
) -> None:
    decided = decide(service, BILLING_OR_BUG, *OTHERS, model_name="tickets_v1").decisions
    assert [each.answered_by for each in decided] == ["classifier", "zero_shot", "zero_shot", "zero_shot"]
    partly = replace(BILLING_OR_BUG, options=(Option("billing"), Option("weather")))
    with pytest.raises(InvalidParameter, match="'weather'"):
        decide(service, partly, *OTHERS, model_name="tickets_v1")
    for each in OTHERS:
        with pytest.raises(InvalidParameter):
            decide(service, each, model_name="tickets_v1")
        alone = decision(service, each, model_name="tickets_v1", zero_shot_options=True)
        assert alone == decision(service, each)


def test_a_question_finds_a_classifier_or_an_alias_by_its_name(service: Service) -> None:
    service.promote(PromoteRequest("team", "tickets_v1"))
    for name in ("tickets_v1", "team"):
        assert decision(service, replace(BILLING_OR_BUG, name=name)).answerer == "tickets_v1@1"
    assert decision(service, BILLING_OR_BUG).answered_by == "zero_shot"
    service.delete(DeleteRequest("tickets_v1", force=True))
    assert decision(service, replace(BILLING_OR_BUG, name="tickets_v1")).answered_by == "zero_shot"


def test_a_binding_comes_before_a_name_and_is_read_by_every_service(
    service: Service, opened: Open, encoder: CountingEncoder
) -> None:
    train(service, "other_v1", "bug", "billing")
    service.bind(BindRequest("tickets_v1", "other_v1"))
    service.bind(BindRequest("kind of ticket?", "tickets_v1"))
    other = opened(encoders={DEFAULT_BASE_MODEL: encoder})
    other.dependencies.questions.update()
    for each in (service, other):
        assert decision(each, replace(BILLING_OR_BUG, name="tickets_v1")).answerer == "other_v1@1"
        assert decision(each, BILLING_OR_BUG).answerer == "tickets_v1@1"
    service.bind(BindRequest("kind of ticket?"))
    assert decision(service, BILLING_OR_BUG).answered_by == "zero_shot"


def test_what_a_question_is_bound_to_must_answer(service: Service) -> None:
    service.bind(BindRequest("kind of ticket?", "tickets_v1"))
    service.delete(DeleteRequest("tickets_v1"))
    with pytest.raises(ClassifierNotFound):
        decision(service, BILLING_OR_BUG)


def test_the_classifier_of_the_request_must_exist(service: Service) -> None:
    with pytest.raises(ClassifierNotFound):
        decision(service, BILLING_OR_BUG, model_name="none")


@pytest.mark.parametrize(
    ("labels", "is_first"),
    [
        (("yes", "no"), True),
        (("False", "True"), False),
        (("invoice", "not invoice"), True),
        (("non-invoice", "Invoice"), False),
        (("negative", "invoice"), False),
    ],
)
def test_a_predicate_reads_the_label_that_says_true(service: Service, labels: tuple[str, str], is_first: bool) -> None:
    train(service, "flag", *labels)
    answer = decision(service, IS_BILLING, model_name="flag")
    assert (answer.probabilities[0] > 0.5) is is_first
    assert sum(answer.probabilities) == pytest.approx(1)


def test_a_predicate_whose_label_is_not_known_is_refused_until_it_is_bound(service: Service) -> None:
    with pytest.raises(InvalidParameter, match="positive_label"):
        decision(service, IS_BILLING, model_name="tickets_v1")
    service.bind(BindRequest("money", "tickets_v1", "billing"))
    assert decision(service, IS_BILLING, model_name="tickets_v1").probabilities[0] > 0.5
    service.bind(BindRequest("money", "tickets_v1", "bug"))
    assert decision(service, IS_BILLING).probabilities[0] < 0.5


@pytest.mark.parametrize("labels", [("calm", "furious"), ("2", "10")])
def test_a_score_reads_labels_by_name_or_by_number(service: Service, labels: tuple[str, str]) -> None:
    train(service, "mood", *labels)
    scale = Question(kind="score", options=(Option("calm"), Option("furious")))
    assert decision(service, scale, model_name="mood").probabilities[0] > 0.5


def test_a_score_reads_the_levels_that_are_bound(service: Service) -> None:
    service.bind(BindRequest("severity", "tickets_v1", levels=("bug", "billing")))
    scale = Question(kind="score", name="severity", options=(Option("low"), Option("high")))
    assert decision(service, scale).probabilities[1] > 0.5


def test_no_other_question_no_order_and_no_name_changes_an_answer(service: Service) -> None:
    questions = (replace(BILLING_OR_BUG, name="tickets_v1"), *OTHERS)
    alone = [decision(service, each) for each in questions]
    assert list(decide(service, *questions).decisions) == alone
    assert list(decide(service, *questions[::-1]).decisions) == alone[::-1]
    renamed = [replace(each, name=f"{each.name}?!") for each in OTHERS]
    assert list(decide(service, *renamed).decisions) == alone[1:]
    with_model = [decision(service, each, model_name="tickets_v1") for each in questions[:1]]
    assert list(decide(service, *questions[:1] * 3, model_name="tickets_v1").decisions) == with_model * 3


def test_the_text_is_encoded_once_for_400_questions(service: Service, encoder: CountingEncoder) -> None:
    questions = [replace(OTHERS[number % 3], name=str(number)) for number in range(399)]
    questions.append(replace(BILLING_OR_BUG, name="tickets_v1"))
    first = decide(service, *questions, text="another text")
    assert first.cached_tokens == 0 < first.input_tokens
    before = encoder.encoded
    decided = decide(service, *questions)
    assert (len(decided.decisions), encoder.encoded - before) == (400, 1)
    again = decide(service, *questions)
    assert again.cached_tokens == again.input_tokens > decided.cached_tokens > 0


def test_statements_are_compared_by_what_is_said_of_them(service: Service) -> None:
    def probability(**criteria: str) -> float:
        told = tuple(Option("", criteria.get(each, "")) for each in ("yes", "no"))
        return decision(service, Question(kind="predicate", instructions="", options=told)).probabilities[0]

    assert probability(yes=TEXT, no="crash error screen") > 0.5 > probability(yes="crash error screen", no=TEXT)
    assert probability(yes=TEXT) == pytest.approx(1 - probability(no=TEXT))
    asked = Question(kind="predicate", instructions=TEXT)
    yes_or_no = (Option("yes"), Option("no"))
    choice = Question(kind="choice", instructions=TEXT, options=yes_or_no)
    assert decision(service, choice).probabilities == decision(service, asked).probabilities
    turned = replace(choice, options=yes_or_no[::-1])
    assert decision(service, turned).probabilities == decision(service, asked).probabilities[::-1]


def test_a_classifier_below_its_threshold_abstains(service: Service) -> None:
    service.set_threshold(SetThresholdRequest("tickets_v1", 1.0))
    assert decision(service, BILLING_OR_BUG, model_name="tickets_v1").abstained


def test_what_is_in_memory_needs_no_disk_and_all_else_does(
    service: Service, opened: Open, encoder: CountingEncoder
) -> None:
    bound = DecideRequest(text=TEXT, questions=(BILLING_OR_BUG,), model_name="tickets_v1")
    compared = DecideRequest(text=TEXT, questions=OTHERS)
    other = opened(encoders={DEFAULT_BASE_MODEL: encoder})
    other.dependencies.questions.update()
    other.dependencies.models.update()
    assert other.start_decide_in_memory(bound, always_connected) is None
    for each in (bound, compared):
        there = other.start_decide(each, always_connected).result()()
        answer = other.start_decide_in_memory(each, always_connected)
        assert answer is not None
        assert answer.result()().decisions == there.decisions


def test_a_key_knows_the_questions_and_classifiers_of_its_names_alone(service: Service) -> None:
    service.bind(BindRequest("kind of ticket?", "tickets_v1"))
    with calling(Caller(key_name="shop", scopes=frozenset(("predict", "promote", "read")), only=("team*",))):
        with pytest.raises(ClassifierNotFound):
            decision(service, BILLING_OR_BUG, model_name="tickets_v1")
        assert decision(service, BILLING_OR_BUG).answered_by == "zero_shot"
        assert decision(service, replace(BILLING_OR_BUG, name="tickets_v1")).answered_by == "zero_shot"
        assert list(service.list_bindings()) == []
        with pytest.raises(NameNotAllowed):
            service.bind(BindRequest("kind of ticket?"))


def test_the_text_and_the_new_options_count_for_the_key(service: Service) -> None:
    caller = Caller(key_name="shop", scopes=frozenset(("predict",)), limits=KeyLimits(texts_per_day=4))
    with calling(caller):
        decide(service, OTHERS[0])  # the text, two labels and a description
        with pytest.raises(RateLimited):
            decide(service, OTHERS[0])
