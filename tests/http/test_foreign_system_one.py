"""System One as TypeSafe's own client asks for it, by the suite that says whether a server speaks it, and bad input."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from typesafe_sdk import (
    AsyncTypeSafeClient,
    Choice,
    Noul,
    Score,
    SystemOneResponse,
    TypeSafeClient,
    TypeSafeNotFoundError,
    TypeSafeUnprocessableEntityError,
)

from tests.http.asking import FIT, FIT_PATH
from tests.http.conftest import RunningApp
from windrow.domain.decision import choice_confidence, score_confidence

STATE = {"subject": "charged twice again", "tickets": [1, None, True]}
QUESTIONS: dict[str, Any] = {
    "money?": Noul(instructions="charged twice", criteria={"true": {"what": ["charged", "twice"]}}),
    "🎯 place": Choice(instructions=["Where", "to?"], criteria={"charged twice": None, "crash": "the page crashes"}),
    "anger": Score(criteria=["calm", {"label": "charged twice"}, "furious"]),
}


@pytest.fixture
def url(client: httpx.Client, running_app: RunningApp) -> str:
    assert client.post(FIT_PATH, json=FIT).status_code == 200
    return f"http://127.0.0.1:{running_app.port}"


@pytest.fixture
def sync_client(url: str) -> Iterator[TypeSafeClient]:
    with TypeSafeClient(api_key="none", base_url=url) as client:
        yield client


def check(reply: SystemOneResponse) -> None:
    noul, choice, score = (reply.answers[name] for name in QUESTIONS)
    assert noul.type == "noul"
    assert 0 < noul.noul < 1
    assert choice.type == "choice"
    assert (choice.choice, list(choice.probabilities)) == ("charged twice", ["charged twice", "crash"])
    assert choice.confidence == pytest.approx(choice_confidence([*choice.probabilities.values()]))
    assert score.type == "score"
    assert score.legend == {0: "calm", 1: {"label": "charged twice"}, 2: "furious"}
    assert score.confidence == pytest.approx(score_confidence([*score.probabilities.values()]))
    assert score.score == pytest.approx(sum(level * share for level, share in score.probabilities.items()))
    assert (reply.usage.input_tokens or 0) > 0


def test_every_kind_of_answer_is_read(sync_client: TypeSafeClient) -> None:
    check(sync_client.system_one(state=STATE, questions=QUESTIONS))


def test_every_kind_of_answer_is_read_by_coroutines(url: str) -> None:
    async def ask() -> SystemOneResponse:
        async with AsyncTypeSafeClient(api_key="none", base_url=url) as there:
            return await there.system_one(state=STATE, questions=QUESTIONS)

    check(asyncio.run(ask()))


def test_a_question_finds_the_classifier_of_its_id(sync_client: TypeSafeClient) -> None:
    name = str(FIT["model_name"])
    asked = Choice(criteria={"billing": None, "technical": None})
    reply = sync_client.system_one(state="charged twice", questions={name: asked, "other": asked})
    assert reply.model == "windrow"
    document: Any = reply.raw_http_response.json()
    assert document["answers"][name]["x_answered_by"] == f"classifier {name}@1"
    assert document["answers"]["other"]["x_answered_by"].startswith("zero_shot ")


def test_the_list_of_models_is_read(sync_client: TypeSafeClient) -> None:
    assert [each.name for each in sync_client.models.list().models] == [FIT["model_name"], "windrow", "jev-latest"]


def test_the_client_raises_its_own_errors(sync_client: TypeSafeClient) -> None:
    with pytest.raises(TypeSafeNotFoundError, match="There is no classifier named"):
        sync_client.system_one(state="a", questions=QUESTIONS, model="nothing_v1")
    with pytest.raises(TypeSafeUnprocessableEntityError, match=r"422 questions\.a\.criteria: it has 1 entries"):
        sync_client.system_one(state="a", questions={"a": Choice(criteria={"b": None})})


@pytest.mark.slow
def test_the_suite_of_conformance_finds_nothing(url: str, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    suite = [sys.executable, "-m", "jevcompat.cli", "test", url, "--json", str(report)]
    ended = subprocess.run(suite, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout
    found = json.loads(report.read_text())["summary"]
    assert found["verdict"] == "conformant"
    assert [(found[level]["passed"], found[level]["failed"]) for level in ("MUST", "SHOULD")] == [(32, 0), (13, 0)]


NOUL = {"type": "noul", "instructions": "a"}
MANY = {f"option {number}": None for number in range(256)}


@pytest.mark.parametrize(
    ("changes", "place", "words"),
    [
        ({"state": ""}, ["state"], "no text"),
        ({"state": {"a": []}}, ["state"], "no text"),
        ({"state": None}, ["state"], "not null"),
        ({"state": 3}, ["state"], "not a number"),
        ({"questions": {}}, ["questions"], "no question"),
        ({"questions": []}, ["questions"], "an object is expected"),
        ({"questions": {"": NOUL}}, ["questions", ""], "id is empty"),
        ({"questions": {"q": {"type": "boolean"}}}, ["questions", "q", "type"], "noul, choice or score"),
        ({"questions": {"q": {"type": "box"}}}, ["questions", "q", "type"], "image"),
        ({"questions": {"q": {"type": "noul"}}}, ["questions", "q"], "neither instructions nor criteria"),
        ({"questions": {"q": {**NOUL, "criteria": "a"}}}, ["questions", "q", "criteria"], "an object"),
        ({"questions": {"q": {"type": "choice"}}}, ["questions", "q", "criteria"], "missing"),
        ({"questions": {"q": {"type": "choice", "criteria": MANY}}}, ["questions", "q", "criteria"], "2 to 255"),
        ({"questions": {"q": {"type": "choice", "criteria": {"": None, "a": None}}}}, None, "name is empty"),
        ({"questions": {"q": {"type": "score", "criteria": ["a"]}}}, ["questions", "q", "criteria"], "2 to 10"),
        ({"questions": {"q": {"type": "score", "criteria": {"0": "a"}}}}, ["questions", "q", "criteria"], "a list"),
        ({"questions": {"q": {"type": "score", "criteria": ["a", None]}}}, ["questions", "q", "criteria", 1], "null"),
        ({"assets": {"a": {"type": "image"}}}, ["assets"], "images cannot be read"),
        ({"model": None}, ["model"], "a string"),
    ],
)
def test_a_request_that_breaks_a_rule_is_refused_with_a_sentence(
    client: httpx.Client, changes: dict[str, Any], place: list[object] | None, words: str
) -> None:
    body = {"model": "jev-latest", "state": "a", "questions": {"q": NOUL}, **changes}
    reply = client.post("/v1/systemone", json=body)
    (detail,) = reply.json()["detail"]
    assert (reply.status_code, detail["loc"][0], detail["type"]) == (422, "body", "invalid_request")
    assert words in detail["msg"]
    assert place is None or detail["loc"] == ["body", *place]


def test_too_deep_a_state_is_refused(client: httpx.Client) -> None:
    state: object = "a"
    for _ in range(40):
        state = [state]
    reply = client.post("/v1/systemone", json={"model": "jev-latest", "state": state, "questions": {"q": NOUL}})
    assert reply.status_code == 422
    assert "levels deep" in reply.json()["detail"][0]["msg"]
