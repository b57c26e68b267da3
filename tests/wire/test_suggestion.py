"""The JSON shapes of a suggestion, to and from the domain."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.wire.strategies import any_suggest, any_suggestions, there_and_back
from windrow.domain.suggestion import Suggestion, Suggestions, SuggestRequest
from windrow.wire.suggestion import SuggestBody, SuggestReply


@settings(deadline=None)
@given(st.text(), st.lists(st.text(), max_size=5), st.integers())
def test_a_body_keeps_every_value_on_its_way_to_the_domain(name: str, texts: list[str], n: int) -> None:
    body = SuggestBody.model_validate({"model_name": name, "texts": texts, "n": n})
    assert body.to_domain() == SuggestRequest(name, tuple(texts), n)


@settings(deadline=None)
@given(any_suggest)
def test_a_request_survives_the_way_there(request: SuggestRequest) -> None:
    assert there_and_back(SuggestBody, request) == request


def test_a_body_that_says_nothing_else_asks_for_ten() -> None:
    assert SuggestBody.model_validate({"model_name": "a", "texts": ["b"]}).to_domain().n == 10


@pytest.mark.parametrize(
    "wrong",
    [{"texts": "abc"}, {"texts": None}, {"texts": ["a", 1]}, {"n": "3"}, {"n": 1.5}, {"n": True}, {"n": None}],
)
def test_no_value_is_converted(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        SuggestBody.model_validate({"model_name": "a", "texts": ["b"], **wrong})


def test_of_very_many_wrong_texts_only_the_first_is_described() -> None:
    with pytest.raises(ValidationError) as caught:
        SuggestBody.model_validate({"model_name": "a", "texts": ["a", *range(100_000)]})
    assert [error["loc"] for error in caught.value.errors()] == [("texts", 1)]


@settings(deadline=None)
@given(any_suggestions)
def test_suggestions_survive_the_way_out_and_back(found: Suggestions) -> None:
    assert there_and_back(SuggestReply, found) == found


def test_a_reply_shows_each_suggestion_in_its_order() -> None:
    first = Suggestion(7, "Ship to Norway?", "new", 3, "account", 0.4, "billing", 0.01)
    second = Suggestion(0, "Is my bill wrong?", "uncertain", 1, "billing", 0.5, "account", None)
    assert SuggestReply.of(Suggestions("tickets", 2, (first, second), 9)).model_dump() == {
        "model_name": "tickets",
        "revision": 2,
        "suggestions": [
            {
                "index": 7,
                "text": "Ship to Norway?",
                "why": "new",
                "alike": 3,
                "label": "account",
                "score": 0.4,
                "runner_up": "billing",
                "in_scope": 0.01,
            },
            {
                "index": 0,
                "text": "Is my bill wrong?",
                "why": "uncertain",
                "alike": 1,
                "label": "billing",
                "score": 0.5,
                "runner_up": "account",
                "in_scope": None,
            },
        ],
        "total": 9,
    }
