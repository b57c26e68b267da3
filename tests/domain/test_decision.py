"""Decisions: the rules of questions, and how sure answers are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windrow.domain.decision import (
    DecideRequest,
    Decision,
    Decisions,
    Option,
    Question,
    check_decide_request,
    choice_confidence,
    expected_level,
    score_confidence,
)
from windrow.domain.errors import InvalidParameter, InvalidText, LimitExceeded, WindrowError
from windrow.domain.prediction import PredictLimits

LIMITS = PredictLimits(max_text_chars=100)
ASKED = Question(kind="predicate", instructions="Is it true?")


def options(count: int) -> tuple[Option, ...]:
    return tuple(Option(f"option {number}") for number in range(count))


def choice(count: int) -> Question:
    return Question(kind="choice", options=options(count))


def score(count: int) -> Question:
    return Question(kind="score", options=options(count))


@pytest.mark.parametrize("question", [ASKED, choice(2), choice(255), score(2), score(10)])
def test_a_question_within_the_rules_passes(question: Question) -> None:
    check_decide_request(DecideRequest(text="a", questions=(question,)), LIMITS)
    check_decide_request(DecideRequest(text="a", questions=(question,) * 400), LIMITS)


@pytest.mark.parametrize(
    ("question", "error"),
    [
        (choice(1), InvalidParameter),
        (choice(256), InvalidParameter),
        (score(1), InvalidParameter),
        (score(11), InvalidParameter),
        (Question(kind="predicate"), InvalidParameter),
        (Question(kind="predicate", options=(Option(""), Option(""))), InvalidParameter),
        (Question(kind="predicate", instructions=" "), InvalidParameter),
        (Question(kind="choice", options=(Option("a"), Option(""))), InvalidParameter),
        (Question(kind="choice", options=(Option("a"), Option("\ud800"))), InvalidParameter),
        (Question(kind="choice", options=(Option("a"), Option("b" * 2_001))), LimitExceeded),
        (Question(kind="predicate", instructions="b" * 20_001), LimitExceeded),
    ],
)
def test_a_question_beyond_the_rules_is_refused(question: Question, error: type[WindrowError]) -> None:
    with pytest.raises(error) as refused:
        check_decide_request(DecideRequest(text="a", questions=(ASKED, question)), LIMITS)
    assert refused.value.facts["index"] == 1


@pytest.mark.parametrize(("text", "error"), [("", InvalidText), (" ", InvalidText), ("a" * 101, LimitExceeded)])
def test_a_text_beyond_the_rules_is_refused(text: str, error: type[WindrowError]) -> None:
    with pytest.raises(error):
        check_decide_request(DecideRequest(text=text, questions=(ASKED,)), LIMITS)


def test_there_are_1_to_400_questions() -> None:
    with pytest.raises(InvalidParameter):
        check_decide_request(DecideRequest(text="a", questions=()), LIMITS)
    with pytest.raises(LimitExceeded):
        check_decide_request(DecideRequest(text="a", questions=(ASKED,) * 401), LIMITS)


@pytest.mark.parametrize(
    ("shares", "of_choice", "of_score", "level"),
    [
        ((1.0, 0.0, 0.0), 1, 1, 0),
        ((1 / 3, 1 / 3, 1 / 3), 0, 0, 1),
        ((0.0, 0.0, 1.0), 1, 1, 2),
        ((0.8, 0.1, 0.1), 0.7, 0.55, 0.3),
        ((0.5, 0.0, 0.5), 0.25, 0, 1),
    ],
)
def test_how_sure_an_answer_is(shares: tuple[float, ...], of_choice: float, of_score: float, level: float) -> None:
    assert choice_confidence(shares) == pytest.approx(of_choice)
    assert score_confidence(shares) == pytest.approx(of_score)
    assert expected_level(shares) == pytest.approx(level)


@given(st.lists(st.floats(0.001, 1), min_size=2, max_size=10))
def test_confidence_lies_between_0_and_1(weights: list[float]) -> None:
    shares = [each / sum(weights) for each in weights]
    assert 0 <= choice_confidence(shares) <= 1
    assert 0 <= score_confidence(shares) <= 1


def test_what_answered_is_named_once() -> None:
    both = [Decision(probabilities=(1, 0), answered_by="classifier", answerer=name) for name in ("a@1", "b@1", "a@1")]
    decided = Decisions(decisions=tuple(both), input_tokens=1, cached_tokens=0, truncated=False)
    assert decided.answerers == ("a@1", "b@1")
