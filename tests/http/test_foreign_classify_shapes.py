"""Classifications in the shapes of other servers: vLLM, SGLang, Text Embeddings Inference, and Cohere's own client."""

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, cast

import cohere
import httpx
import pytest
import uvicorn
from cohere.errors import NotFoundError, UnprocessableEntityError

from tests.http.asking import FIT, FIT_PATH, ROWS
from tests.http.conftest import SETTINGS
from tests.toy import Toy
from windrow.http.app import create_app
from windrow.http.server import listen, uvicorn_config
from windrow.local_operations import LocalOperations

NAME = str(FIT["model_name"])
LABELS = sorted({row["label"] for row in ROWS})
TEXTS = [row["text"] for row in ROWS[:2]]
EXAMPLES = [("charged twice", "money"), ("refund me", "money"), ("page crashes", "bug"), ("error screen", "bug")]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A running server that answers all formats, with one classifier."""
    toy, settings = Toy(SETTINGS), replace(SETTINGS, dialects=("cohere", "vllm"))
    (listener,) = listen("127.0.0.1", 0)
    app = create_app(cast(LocalOperations, toy), settings)
    server = uvicorn.Server(uvicorn_config(app, settings))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    assert httpx.post(f"{address}{FIT_PATH}", json=FIT, timeout=60).status_code == 200
    yield address
    server.should_exit = True
    thread.join()
    app.state.context.close()
    listener.close()
    toy.close()


@pytest.fixture
def http(url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=url, timeout=60) as client:
        yield client


@pytest.fixture
def scores(http: httpx.Client) -> list[dict[str, float]]:
    """What Windrow's own endpoint says of the texts."""
    reply = http.post("/v1/classifier/predict", json={"model_name": NAME, "texts": TEXTS}).json()
    return [each["scores"] for each in reply["predictions"]]


@pytest.mark.parametrize("path", ["/classify", "/v1/classify"])
def test_vllm(http: httpx.Client, scores: list[dict[str, float]], path: str) -> None:
    reply = http.post(path, json={"model": NAME, "input": TEXTS, "truncate_prompt_tokens": -1}).json()
    assert (reply["object"], reply["model"]) == ("list", NAME)
    for entry, expected in zip(reply["data"], scores, strict=True):
        assert entry["probs"] == pytest.approx([expected[label] for label in LABELS], abs=1e-5)
    assert [each["label"] for each in reply["data"]] == [max(each, key=lambda label: each[label]) for each in scores]
    assert [(each["index"], each["num_classes"]) for each in reply["data"]] == [(0, len(LABELS)), (1, len(LABELS))]
    alone = http.post(path, json={"model": NAME, "input": TEXTS[0]}).json()
    assert len(alone["data"]) == 1
    more = http.post(path, json={"model": NAME, "input": [TEXTS[0], *TEXTS]}).json()
    one, two, three = (each["usage"]["prompt_tokens"] for each in (alone, reply, more))
    # Each text counts, also one that is there twice.
    assert 0 < one < two == three - one
    assert reply["usage"] == {
        "prompt_tokens": two,
        "total_tokens": two,
        "completion_tokens": 0,
        "prompt_tokens_details": None,
    }


@pytest.mark.parametrize(
    ("path", "more"),
    [("/predict?model=" + NAME, {}), (f"/tei/{NAME}/predict", {}), ("/predict", {"model": NAME, "truncate": True})],
)
def test_text_embeddings_inference(
    http: httpx.Client, scores: list[dict[str, float]], path: str, more: dict[str, Any]
) -> None:
    batch = http.post(path, json={"inputs": [TEXTS[0], [TEXTS[1]]], **more}).json()
    for ranked, expected in zip(batch, scores, strict=True):
        assert {each["label"]: each["score"] for each in ranked} == pytest.approx(expected, abs=1e-5)
    assert all(ranked == sorted(ranked, key=lambda each: -each["score"]) for ranked in batch)
    alone = http.post(path, json={"inputs": TEXTS[0], **more}).json()
    assert [each["label"] for each in alone] == [each["label"] for each in batch[0]]


def check(reply: cohere.ClassifyResponse, scores: list[dict[str, float]]) -> None:
    assert [each.input for each in reply.classifications] == TEXTS
    for each, expected in zip(reply.classifications, scores, strict=True):
        best = max(expected, key=lambda label: expected[label])
        assert (each.prediction, each.predictions, each.classification_type) == (best, [best], "single-label")
        assert each.confidences == [each.confidence] == pytest.approx([expected[best]], abs=1e-5)
        assert {label: value.confidence for label, value in each.labels.items()} == pytest.approx(expected, abs=1e-5)


@pytest.mark.slow
def test_coheres_client_reads_what_a_classifier_says(url: str, scores: list[dict[str, float]]) -> None:
    with httpx.Client(timeout=60) as http:
        client = cohere.Client("none", base_url=url, httpx_client=http)
        check(client.classify(inputs=TEXTS, model=NAME), scores)


@pytest.mark.slow
def test_coheres_client_reads_it_in_coroutines(url: str, scores: list[dict[str, float]]) -> None:
    async def ask() -> cohere.ClassifyResponse:
        async with httpx.AsyncClient(timeout=60) as http:
            client = cohere.AsyncClient("none", base_url=url, httpx_client=http)
            return await client.classify(inputs=TEXTS, model=NAME)

    check(asyncio.run(ask()), scores)


@pytest.mark.slow
def test_coheres_client_gives_examples(url: str) -> None:
    examples = [cohere.ClassifyExample(text=text, label=label) for text, label in EXAMPLES]
    with httpx.Client(timeout=60) as http:
        client = cohere.Client("none", base_url=url, httpx_client=http)
        reply = client.classify(inputs=["charged twice", "the page crashes"], examples=examples)
        assert [each.prediction for each in reply.classifications] == ["money", "bug"]
        assert sum(value.confidence or 0 for value in reply.classifications[0].labels.values()) == pytest.approx(1)
        with pytest.raises(UnprocessableEntityError):
            client.classify(inputs=["a"], examples=examples[:3])
        with pytest.raises(NotFoundError):
            client.classify(inputs=["a"], model="nothing")
        with pytest.raises(UnprocessableEntityError):
            client.classify(inputs=["a"])


def test_windrows_own_form_answers_at_the_same_path(http: httpx.Client) -> None:
    reply = http.post("/v1/classify", json={"text": "charged twice", "labels": ["charged twice", "page crashes"]})
    assert reply.json()["label"] == "charged twice"
    assert http.post("/v1/classify", json={"text": "a"}).json()["code"] == "invalid_request"


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/classify", {"input": "a"}, 422),
        ("/classify", {"model": NAME}, 422),
        ("/classify", {"model": NAME, "input": []}, 422),
        ("/classify", {"model": NAME, "input": [[101, 102]]}, 422),
        ("/classify", {"model": NAME, "input": [""]}, 422),
        ("/classify", {"model": "nothing", "input": "a"}, 404),
        ("/v1/classify", {"input": ["a"] * 20, "model": NAME}, 422),
        ("/v1/classify", {"input": "a", "model": 1}, 422),
    ],
)
def test_vllms_errors_have_its_form(http: httpx.Client, path: str, body: dict[str, Any], status: int) -> None:
    reply = http.post(path, json=body)
    error = reply.json()["error"]
    assert (reply.status_code, error["code"]) == (status, status)
    assert error["message"].endswith((".", "?"))
    assert error["type"] in ("BadRequestError", "NotFoundError")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"inputs": "a"}, 422),
        ({"model": NAME}, 422),
        ({"model": NAME, "inputs": [["a", "b"]]}, 422),
        ({"model": NAME, "inputs": []}, 422),
        ({"model": NAME, "inputs": "a", "raw_scores": True}, 422),
        ({"model": "nothing", "inputs": "a"}, 404),
    ],
)
def test_errors_of_text_embeddings_inference_have_its_form(
    http: httpx.Client, body: dict[str, Any], status: int
) -> None:
    reply = http.post("/predict", json=body)
    assert reply.status_code == status
    assert reply.json().keys() == {"error", "error_type"}
    assert reply.json()["error_type"] == "validation"


@pytest.mark.parametrize(
    "body",
    [
        {"inputs": "a"},
        {"inputs": []},
        {"inputs": ["a"] * 97, "model": NAME},
        {"inputs": ["a"], "model": None},
        {"inputs": ["a"], "examples": []},
        {"inputs": ["a"], "examples": [{"text": "a"}]},
        {"inputs": ["a"], "examples": [{"text": "", "label": label} for label in "aabb"]},
        {"inputs": ["a"], "examples": [{"text": "a", "label": label} for label in "aabb"] * 700},
    ],
)
def test_coheres_errors_have_its_form(http: httpx.Client, body: dict[str, Any]) -> None:
    reply = http.post("/v1/classify", json=body)
    assert reply.status_code in (413, 422)
    assert reply.json().keys() == {"message"}
