"""Which pages of other sites a browser lets ask this server: those of origins that a setting names, and no others."""

from collections.abc import Iterator

import httpx
import pytest

from tests.client.serving import serving
from tests.http.asking import ALIASES, MODELS, PREDICT_PATH
from tests.toy import Toy
from windrow.domain.access import CreateKeyRequest
from windrow.settings import Settings

ORIGIN, OTHER = "https://app.example", "https://evil.example"


@pytest.fixture
def toy() -> Iterator[Toy]:
    toy = Toy()
    yield toy
    toy.close()


@pytest.fixture
def key(toy: Toy) -> str:
    return toy.create_key(CreateKeyRequest(name="page", scopes=("read", "promote"))).key


@pytest.fixture
def client(toy: Toy) -> Iterator[httpx.Client]:
    with serving(toy, Settings(cors_origins=(ORIGIN,))) as url, httpx.Client(base_url=url, timeout=60) as client:
        yield client


def preflight(client: httpx.Client, origin: str, **headers: str) -> httpx.Response:
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST", **headers}
    return client.options(PREDICT_PATH, headers=asked)


def test_a_browser_is_told_what_a_page_of_a_named_origin_may_send_without_a_key(client: httpx.Client, key: str) -> None:
    wanted = "authorization, x-api-key, content-type"
    reply = preflight(client, ORIGIN, **{"Access-Control-Request-Headers": wanted})
    assert reply.status_code == 200
    assert reply.headers["access-control-allow-origin"] == ORIGIN
    allowed = {each.strip().lower() for each in reply.headers["access-control-allow-headers"].split(",")}
    assert set(wanted.split(", ")) <= allowed
    assert {"POST", "PUT", "PATCH", "DELETE"} <= set(reply.headers["access-control-allow-methods"].split(", "))
    assert "access-control-allow-credentials" not in reply.headers


def test_a_page_of_a_named_origin_reads_answers_and_refusals_with_their_headers(client: httpx.Client, key: str) -> None:
    for headers, status in (({"X-API-Key": key}, 200), ({}, 401)):
        reply = client.get(MODELS, headers={"Origin": ORIGIN, **headers})
        assert reply.status_code == status
        assert reply.headers["access-control-allow-origin"] == ORIGIN
        assert "Origin" in reply.headers["vary"]
        shown = {each.strip().lower() for each in reply.headers["access-control-expose-headers"].split(",")}
        assert {"x-request-id", "retry-after", "ratelimit", "ratelimit-policy", "location"} <= shown


@pytest.mark.parametrize("origin", [OTHER, "null", "http://app.example", f"{ORIGIN}.evil.example", f"{ORIGIN}:8443"])
def test_a_page_of_another_origin_is_allowed_nothing(client: httpx.Client, key: str, origin: str) -> None:
    refused, read = preflight(client, origin), client.get(MODELS, headers={"Origin": origin, "X-API-Key": key})
    assert refused.status_code == 401
    for reply in (refused, read):
        assert not [name for name in reply.headers if name.startswith("access-control-")]


def test_each_answer_says_once_that_it_depends_on_the_origin(client: httpx.Client, key: str) -> None:
    for path, status in ((MODELS, 200), ("/health", 200), ("/nowhere", 404)):
        for headers in ({"Origin": ORIGIN}, {"Origin": OTHER}, {}):
            reply = client.get(path, headers={"X-API-Key": key, **headers})
            assert (reply.status_code, reply.headers["vary"].split(", ").count("Origin")) == (status, 1)
    for origin in (ORIGIN, OTHER):
        assert preflight(client, origin).headers["vary"].split(", ").count("Origin") == 1


@pytest.mark.parametrize(("origin", "status"), [(ORIGIN, 404), (OTHER, 403)])
def test_what_a_browser_sends_unasked_is_done_for_a_named_origin_alone(
    client: httpx.Client, key: str, origin: str, status: int
) -> None:
    headers = {"Origin": origin, "Authorization": f"Bearer {key}"}
    assert client.post(f"{ALIASES}/live/rollback", headers=headers).status_code == status


def test_without_origins_the_server_allows_no_page_of_another_site(toy: Toy) -> None:
    with serving(toy, Settings()) as url, httpx.Client(base_url=url, timeout=60) as client:
        assert preflight(client, ORIGIN).status_code == 405
        reply = client.get(MODELS, headers={"Origin": ORIGIN})
        assert not {"access-control-allow-origin", "vary"} & reply.headers.keys()
