"""Limits of a key over HTTP: 429 with the time to come again, and headers that say what is left."""

from collections.abc import Iterator

import httpx
import pytest

from tests.client.serving import serving
from tests.http.asking import FIT, FIT_PATH, MODELS, PREDICT, PREDICT_PATH, check_problem, fit
from tests.toy import Toy
from windrow.domain.access import CreateKeyRequest
from windrow.domain.key_limits import BURST_S, LimitKeyRequest, Quota
from windrow.domain.values import recast
from windrow.http.rate_limits import quota_headers
from windrow.settings import Settings

SCOPES = ("read", "predict", "train")


class Shop:
    """A server with a key that has limits."""

    def __init__(self, service: Toy, url: str) -> None:
        self.service, self.url = service, url

    def client(self, name: str, **limits: int) -> httpx.Client:
        created = self.service.create_key(recast(CreateKeyRequest, name=name, scopes=SCOPES, **limits))
        return httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {created.key}"}, timeout=60)


@pytest.fixture
def shop() -> Iterator[Shop]:
    service = Toy(Settings(key_requests_per_day=1_000))
    with serving(service, service.settings) as url:
        yield Shop(service, url)


def test_requests_beyond_the_rate_are_refused_with_the_time_to_come_again(shop: Shop) -> None:
    with shop.client("shop", requests_per_second=1) as client:
        replies = [client.get(MODELS) for _ in range(BURST_S + 20)]
    assert [reply.status_code for reply in replies[:BURST_S]] == [200] * BURST_S
    (refused, *_) = [reply for reply in replies if reply.status_code != 200]
    document = check_problem(refused, 429, "rate_limited")
    assert (document["name"], document["quota"], document["limit"]) == ("shop", "requests_per_second", 1)
    assert refused.headers["retry-after"] == str(document["retry_after_s"]) == "1"
    assert '"requests_per_second";r=0;t=' in refused.headers["ratelimit"]


def test_replies_to_a_limited_key_say_what_is_left(shop: Shop) -> None:
    with shop.client("shop", requests_per_second=10, requests_per_day=100, texts_per_day=20) as client:
        fit(client)
        reply = client.post(PREDICT_PATH, json={**PREDICT, "text": None, "texts": ["a b", "c d"]})
    policies = (
        '"requests_per_second";q=50;w=5, "requests_per_day";q=100;w=86400, "texts_per_day";q=20;w=86400;qu="texts"'
    )
    assert reply.headers["ratelimit-policy"] == policies
    assert '"requests_per_day";r=98;t=' in reply.headers["ratelimit"]
    assert '"texts_per_day";r=18;t=' in reply.headers["ratelimit"]


def test_a_key_without_limits_of_its_own_has_those_of_the_settings_and_0_is_none(shop: Shop) -> None:
    with shop.client("default") as client:
        assert client.get(MODELS).headers["ratelimit-policy"] == '"requests_per_day";q=1000;w=86400'
    with shop.client("free", requests_per_day=0) as client:
        assert "ratelimit-policy" not in client.get(MODELS).headers
    assert "ratelimit" not in httpx.get(f"{shop.url}/health").headers


def test_limits_that_are_set_later_hold_at_once(shop: Shop) -> None:
    with shop.client("shop") as client:
        assert client.get(MODELS).status_code == 200
        shop.service.limit_key(LimitKeyRequest(name="shop", requests_per_day=2))
        assert [client.get(MODELS).status_code for _ in range(2)] == [200, 429]
        shop.service.limit_key(LimitKeyRequest(name="shop"))
        assert client.get(MODELS).status_code == 200


@pytest.mark.parametrize("path", [PREDICT_PATH, "/v1/classifier/evaluate", "/v1/classifier/suggest"])
def test_texts_beyond_the_days_limit_are_refused(shop: Shop, path: str) -> None:
    with shop.client("shop", texts_per_day=2) as client:
        fit(client)
        rows = [{"text": f"text {number}", "label": "billing"} for number in range(3)]
        texts = {"texts": [row["text"] for row in rows]}
        body = {"model_name": PREDICT["model_name"], **({"test_data": rows} if path.endswith("evaluate") else texts)}
        check_problem(client.post(path, json=body), 429, "rate_limited")
        two = {name: value[:2] if isinstance(value, list) else value for name, value in body.items()}
        assert client.post(path, json=two).status_code == 200
        check_problem(client.post(path, json=two), 429, "rate_limited")


def test_no_quota_needs_no_header() -> None:
    assert quota_headers(()) == []
    assert quota_headers((Quota("texts_per_day", 5, 60, 4, 3),)) == [
        (b"ratelimit-policy", b'"texts_per_day";q=5;w=60;qu="texts"'),
        (b"ratelimit", b'"texts_per_day";r=4;t=3'),
    ]


def test_a_key_that_has_made_as_many_revisions_as_it_may_makes_no_more_in_any_way(shop: Shop) -> None:
    with shop.client("shop", max_revisions=1) as client:
        fit(client, "a")
        file = client.get(f"{MODELS}/a/export").content
        refused = [
            client.post(FIT_PATH, json={**FIT, "model_name": "b"}),
            client.post(f"{MODELS}/a/copy", json={"new_name": "b"}),
            client.post(f"{MODELS}/import?model_name=b", content=file, headers={"Content-Type": "application/zip"}),
        ]
        for reply in refused:
            assert check_problem(reply, 429, "rate_limited")["quota"] == "max_revisions"
            assert "retry-after" not in reply.headers
        assert [each["name"] for each in client.get(MODELS).json()["models"]] == ["a"]
