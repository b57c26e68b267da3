"""Decisions as OpenAI's own client asks for them, and what it is told where something is wrong."""

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import openai
import pytest
from openai.types import Decision

from tests.http.asking import FIT, FIT_PATH, ROWS
from tests.http.conftest import RunningApp

# The client finds out on what machine it runs, by a process.
pytestmark = pytest.mark.slow

TICKET = "charged twice again"
QUESTIONS: list[Any] = [
    {"type": "predicate", "name": "money", "instructions": "charged twice"},
    {
        "type": "choice",
        "name": "place",
        "instructions": "Where does it belong?",
        "choices": [{"value": "charged twice"}, {"value": "page crashes", "description": "the page crashes"}],
    },
    {"type": "choice", "instructions": "charged twice", "choices": [{"value": False}, {"value": True}]},
    {"type": "score", "instructions": "How bad?", "levels": [{"label": "fine"}, {"label": "charged twice again"}]},
]
ONE: dict[str, Any] = {"model": "windrow", "input": TICKET, "questions": QUESTIONS}


@pytest.fixture
def sync_client(client: httpx.Client, running_app: RunningApp) -> Iterator[openai.OpenAI]:
    assert client.post(FIT_PATH, json=FIT).status_code == 200
    url = f"http://127.0.0.1:{running_app.port}/v1"
    with openai.OpenAI(api_key="none", base_url=url, max_retries=0) as there:
        yield there


def check(decision: Decision) -> None:
    predicate, choice, flag, score = decision.answers
    assert predicate.type == "predicate"
    assert (predicate.name, predicate.probability > 0.5) == ("money", True)
    assert choice.type == flag.type == "choice"
    assert (choice.choice, [each.value for each in choice.probabilities]) == (
        "charged twice",
        ["charged twice", "page crashes"],
    )
    assert (flag.choice, flag.name, [each.value for each in flag.probabilities]) == (True, None, [False, True])
    assert score.type == "score"
    assert [(each.value, each.label) for each in score.probabilities] == [(0, "fine"), (1, "charged twice again")]
    assert score.score > 0.5
    assert 0 < score.confidence <= 1
    assert decision.usage.total_tokens == decision.usage.input_tokens > 0


def test_every_kind_of_answer_is_read(sync_client: openai.OpenAI) -> None:
    reply = sync_client.decisions.with_raw_response.create(**ONE)
    check(reply.parse())
    assert reply.headers["x-windrow-answered-by"].startswith("zero_shot ")


def test_every_kind_of_answer_is_read_by_coroutines(sync_client: openai.OpenAI) -> None:
    async def ask() -> Decision:
        async with openai.AsyncOpenAI(api_key="none", base_url=sync_client.base_url, max_retries=0) as there:
            return await there.decisions.create(**ONE)

    check(asyncio.run(ask()))


def test_a_classifier_answers_and_says_so(sync_client: openai.OpenAI) -> None:
    name = str(FIT["model_name"])
    labels = sorted({row["label"] for row in ROWS})
    asked: Any = {"type": "choice", "instructions": "", "choices": [{"value": label} for label in labels]}
    reply = sync_client.decisions.with_raw_response.create(model=name, input=TICKET, questions=[asked])
    decision = reply.parse()
    assert decision.model == f"{name}@1"
    assert reply.headers["x-windrow-answered-by"] == f"classifier {name}@1"
    assert decision.answers[0].model_extra == {"x_answered_by": f"classifier {name}@1"}


def test_the_list_of_models_is_read(sync_client: openai.OpenAI) -> None:
    names = [model.id for model in sync_client.models.list()]
    assert names == [FIT["model_name"], "windrow", "jev-latest"]
    assert sync_client.models.retrieve(str(FIT["model_name"])).owned_by == "windrow"
    with pytest.raises(openai.NotFoundError):
        sync_client.models.retrieve("nothing")


def test_each_model_of_the_list_is_shown_as_the_list_shows_it(sync_client: openai.OpenAI, client: httpx.Client) -> None:
    assert client.put("/v1/classifier/aliases/live", json={"model_name": FIT["model_name"]}).status_code == 200
    listed = [*sync_client.models.list()]
    assert [each.id for each in listed] == [FIT["model_name"], "live", "windrow", "jev-latest"]
    assert [sync_client.models.retrieve(each.id) for each in listed] == listed


def test_a_string_and_a_boolean_of_the_same_text_are_two_choices(sync_client: openai.OpenAI) -> None:
    values = ["true", True, "page crashes"]
    asked: Any = {"type": "choice", "instructions": "", "choices": [{"value": value} for value in values]}
    (answer,) = sync_client.decisions.create(**{**ONE, "questions": [asked]}).answers
    assert answer.type == "choice"
    assert [each.value for each in answer.probabilities] == values


PART = {"type": "input_json", "data": {"a": [1]}}
REFUSAL = {"type": "refusal", "refusal": "no"}


def test_messages_are_read_as_text(sync_client: openai.OpenAI) -> None:
    messages: Any = [
        {"role": "system", "content": "Tickets of a shop."},
        {
            "role": "user",
            "content": [{"type": "input_text", "text": "charged"}, {"type": "input_json", "data": {"a": [1]}}],
        },
        {
            "role": "assistant",
            "content": [{"type": "output_text", "text": "twice"}, {"type": "refusal", "refusal": "no"}],
        },
        {"type": "function_call", "call_id": "1", "name": "look", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "1", "output": "charged twice"},
        {"type": "custom_tool_call", "call_id": "2", "name": "look", "input": "again"},
        {"type": "custom_tool_call_output", "call_id": "2", "output": [{"type": "input_text", "text": "again"}]},
    ]
    text = "Tickets of a shop.\ncharged\na: 1\ntwice\nno\nlook: {}\ncharged twice\nlook: again\nagain"
    asked: Any = {**ONE, "input": messages}
    plain: Any = {**ONE, "input": text}
    assert sync_client.decisions.create(**asked).answers == sync_client.decisions.create(**plain).answers


IMAGE = {"type": "input_image", "image_url": "https://example.com/a.png"}
PREDICATE = {"type": "predicate", "instructions": "a"}
CHOICE = {"type": "choice", "instructions": "a"}
CHOICES = [{"value": f"option {number}"} for number in range(256)]


@pytest.mark.parametrize(
    ("changes", "param", "words"),
    [
        ({"input": ""}, None, "is empty"),
        ({"input": None}, "input", "a list is expected, not null"),
        ({"input": [{"role": "user", "content": [IMAGE]}]}, "input[0].content[0]", "an image cannot be read"),
        ({"input": [{"role": "robot", "content": "a"}]}, "input[0].role", "one of user"),
        ({"input": [{"type": "reasoning"}]}, "input[0].type", "a message"),
        ({"questions": []}, "questions", "between 1 and 400"),
        ({"questions": [PREDICATE] * 401}, None, "at most 400"),
        ({"questions": [{"type": "guess", "instructions": "a"}]}, "questions[0].type", "predicate, choice or score"),
        ({"questions": [{"type": "predicate"}]}, "questions[0].instructions", "is missing"),
        ({"questions": [{**PREDICATE, "instructions": [IMAGE]}]}, "questions[0].instructions[0]", "an image"),
        ({"questions": [{**CHOICE, "choices": CHOICES}]}, "questions", "2 to 255"),
        ({"questions": [{**CHOICE, "choices": CHOICES[:1]}]}, "questions", "2 to 255"),
        (
            {"questions": [{**CHOICE, "choices": [{"value": 1}]}]},
            "questions[0].choices[0].value",
            "a",
        ),
        (
            {"questions": [{**CHOICE, "choices": [{"value": "a"}, {"value": "a", "description": "b"}]}]},
            "questions[0].choices[1].value",
            "is there twice",
        ),
        ({"questions": [{**PREDICATE, "type": "score", "levels": [{"label": "a"}]}]}, "questions", "2 to 10"),
        ({"questions": [{**PREDICATE, "name": 1}]}, "questions[0].name", "a string"),
        ({"questions": "?"}, "questions", "a list"),
        ({"model": 1}, "model", "a string"),
        ({"x_zero_shot_options": "yes"}, "x_zero_shot_options", "true or false"),
    ],
)
def test_a_request_that_breaks_a_rule_is_refused_with_a_sentence(
    client: httpx.Client, changes: dict[str, Any], param: str | None, words: str
) -> None:
    reply = client.post("/v1/decisions", json={**ONE, **changes})
    error = reply.json()["error"]
    assert (reply.status_code, error["type"], error["param"]) == (422, "invalid_request_error", param)
    assert words in error["message"]
    assert reply.headers["content-type"] == "application/json"


def test_the_client_raises_its_own_errors(sync_client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as missing:
        sync_client.decisions.create(**{**ONE, "model": "nothing_v1"})
    assert (missing.value.code, missing.value.type) == ("model_not_found", "not_found_error")
    with pytest.raises(openai.UnprocessableEntityError):
        sync_client.decisions.create(**{**ONE, "model": "gpt 6"})
    with pytest.raises(openai.UnprocessableEntityError, match="has no label for"):
        sync_client.decisions.create(**{**ONE, "model": FIT["model_name"], "questions": QUESTIONS[1:2]})


def test_nothing_is_answered_but_by_post(client: httpx.Client) -> None:
    reply = client.get("/v1/decisions")
    assert (reply.status_code, reply.json()["error"]["code"]) == (405, "method_not_allowed")
    assert client.post("/v1/decisions", content=b"{", headers={"Content-Type": "application/json"}).status_code == 400
