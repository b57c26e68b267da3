"""Classify over a real socket without a classifier: both forms, what is cached, and that nothing else waits."""

import threading

import httpx
import pytest

from tests.http.asking import check_problem, wait_until
from tests.toy import Toy
from windrow.domain.recipe import DEFAULT_BASE_MODEL

PATH = "/v1/classify"
ONE = {"text": "charged twice again", "labels": ["charged twice", "page crashes"]}


def test_one_text_is_answered_by_a_flat_document(client: httpx.Client) -> None:
    reply = client.post(PATH, json=ONE)
    assert reply.status_code == 200
    document = reply.json()
    assert list(document) == ["label", "labels", "scores", "truncated", "model", "multi_label", "warnings"]
    assert (document["label"], document["labels"], document["multi_label"]) == ("charged twice", None, False)
    assert list(document["scores"]) == ONE["labels"]
    assert (document["model"], document["warnings"]) == (DEFAULT_BASE_MODEL, [])


def test_many_texts_are_answered_in_their_order_and_what_they_share_stands_once(client: httpx.Client) -> None:
    texts = ["the page crashes", "charged twice"]
    request = {"texts": texts, "labels": ONE["labels"], "model": "facebook/bart-large-mnli"}
    document = client.post(PATH, json=request).json()
    assert list(document) == ["classifications", "model", "multi_label", "warnings"]
    assert [warning["code"] for warning in document["warnings"]] == ["other_model"]
    assert [each["label"] for each in document["classifications"]] == ["page crashes", "charged twice"]
    assert list(document["classifications"][0]) == ["label", "labels", "scores", "truncated"]


def test_several_labels_may_apply(client: httpx.Client) -> None:
    document = client.post(PATH, json={**ONE, "multi_label": True}).json()
    assert (document["label"], document["labels"]) == (None, ["charged twice"])
    assert document["scores"]["charged twice"] > 0.5 > document["scores"]["page crashes"]


def test_it_stands_above_the_classifiers_and_no_other_method_or_path_is_known(client: httpx.Client) -> None:
    assert check_problem(client.post("/v1/classifier/classify", json=ONE), 404, "not_found")
    assert check_problem(client.get(PATH), 405, "method_not_allowed")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"labels": ["a"]}, "invalid_parameter"),
        ({"labels": ["a", "a"]}, "invalid_parameter"),
        ({"labels": ["a", " "]}, "invalid_parameter"),
        ({"labels": ["a", "b", "c", "d", "e"]}, "limit_exceeded"),
        ({"labels": "a,b"}, "invalid_request"),
        ({"labels": None}, "invalid_request"),
        ({"text": " "}, "invalid_text"),
        ({"text": "a" * 601}, "limit_exceeded"),
        ({"texts": ["a"]}, "invalid_request"),
        ({"hypothesis_template": "so"}, "invalid_parameter"),
        ({"multi_label": "yes"}, "invalid_request"),
        ({"label_descriptions": {"c": "d"}}, "invalid_parameter"),
        ({"label_descriptions": {"charged twice": 1}}, "invalid_request"),
        ({"candidate_labels": ["a", "b"]}, "invalid_request"),
        ({"model_name": "tickets_v1"}, "invalid_request"),
    ],
)
def test_a_request_that_breaks_a_rule_is_refused(client: httpx.Client, changes: dict[str, object], code: str) -> None:
    check_problem(client.post(PATH, json={**ONE, **changes}), 422, code)


def test_while_a_base_model_is_read_from_the_disk_those_in_memory_answer(client: httpx.Client, operations: Toy) -> None:
    client.post(PATH, json=ONE)
    may_go_on, entered = threading.Event(), threading.Event()

    def look(model_id: str) -> bool:
        entered.set()
        assert may_go_on.wait(30)
        return False

    operations.dependencies.store.inventory.holds = look  # type: ignore[method-assign]
    replies: list[httpx.Response] = []
    asking = threading.Thread(
        target=lambda: replies.append(client.post(PATH, json={**ONE, "model": "BAAI/bge-small-en-v1.5"}))
    )
    asking.start()
    wait_until(entered.is_set)
    assert client.post(PATH, json=ONE).status_code == 200
    may_go_on.set()
    asking.join()
    assert [warning["code"] for warning in replies[0].json()["warnings"]] == ["other_model"]
