"""A server below a path prefix, behind a proxy that strips it and behind one that does not: every link works."""

import json
import re
from collections.abc import Iterator

import httpx
import pytest

from tests.client.serving import serving
from tests.http.asking import FIT, FIT_PATH, JOBS, MODELS, PREDICT_PATH, check_problem
from tests.toy import Toy
from windrow.client.remote import RemoteOperations
from windrow.domain.access import CreateKeyRequest
from windrow.domain.job import JobRequest
from windrow.http.console import read_console
from windrow.settings import Settings

PREFIX = "/ai/windrow"


@pytest.fixture
def toy() -> Iterator[Toy]:
    toy = Toy()
    yield toy
    toy.close()


@pytest.fixture
def url(toy: Toy) -> Iterator[str]:
    with serving(toy, Settings(root_path=PREFIX)) as url:
        yield url


@pytest.fixture
def client(url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=url, timeout=60) as client:
        yield client


CONSOLE_FILE = f"/console/{read_console().digest}/js/main.js"
BOTH = pytest.mark.parametrize("sent", [PREFIX, ""], ids=["kept", "stripped"])


@BOTH
def test_the_server_answers_whether_the_proxy_strips_the_prefix_or_not(client: httpx.Client, sent: str) -> None:
    for path in ("/", "/docs", "/openapi.json", "/health", "/health/ready", "/metrics", MODELS):
        assert client.get(sent + path).status_code == 200, path
    assert client.get(f"{sent}/health", headers={"Host": "any.example"}).status_code == 200
    assert client.get(sent or "/").status_code == 200


@pytest.mark.parametrize("path", [f"{PREFIX}{PREFIX}/health", f"{PREFIX}health", "/ai/health", "/other/health"])
def test_another_prefix_is_no_path_of_the_server(client: httpx.Client, path: str) -> None:
    assert client.get(path).status_code == 404


@BOTH
def test_every_link_of_a_page_has_the_prefix_and_works(client: httpx.Client, sent: str) -> None:
    for page in ("/", "/docs"):
        links = re.findall(r'(?:href|src)="([^"]+)"', client.get(sent + page).text)
        assert links
        for link in links:
            assert link.startswith(f"{PREFIX}/"), link
            assert client.get(link).status_code == client.get(link.removeprefix(PREFIX)).status_code == 200, link


@BOTH
def test_the_document_says_where_clients_reach_the_server(client: httpx.Client, sent: str) -> None:
    assert client.get(f"{sent}/openapi.json").json()["servers"][0]["url"] == PREFIX


@BOTH
def test_the_location_of_a_job_has_the_prefix_and_leads_to_it_and_its_events(client: httpx.Client, sent: str) -> None:
    begun = client.post(f"{sent}{FIT_PATH}?wait=false", json=FIT)
    location = begun.headers["Location"]
    assert location == f"{PREFIX}{JOBS}/{begun.json()['id']}"
    assert client.get(location).json()["id"] == begun.json()["id"]
    assert '"succeeded"' in client.get(f"{location}/events").text


@BOTH
def test_a_refusal_names_paths_as_clients_write_them(client: httpx.Client, sent: str) -> None:
    told = check_problem(client.get(f"{sent}/v1/classifier/model"), 404, "not_found")
    assert told["near"] == [f"{PREFIX}{MODELS}"]
    assert f"{PREFIX}/docs shows" in str(told["detail"])
    told = check_problem(client.post(f"{sent}{MODELS}/import", content=b"x"), 415, "unsupported_media_type")
    assert f"{PREFIX}{MODELS}/import" in str(told["detail"])
    told = check_problem(client.post(sent + PREDICT_PATH, json={"texts": 1}), 422, "invalid_request")
    assert f"{PREFIX}/docs shows" in json.dumps(told)


@BOTH
def test_what_needs_no_key_needs_none_below_the_prefix_and_the_rest_does(
    toy: Toy, client: httpx.Client, sent: str
) -> None:
    key = toy.create_key(CreateKeyRequest(name="a", scopes=("read",))).key
    for path in ("/", "/docs", "/openapi.json", "/health", "/docs/files/swagger_start.js", CONSOLE_FILE):
        assert client.get(sent + path).status_code == 200, path
    check_problem(client.get(sent + MODELS), 401, "unauthorized")
    check_problem(client.get(f"{sent}{MODELS}/docs"), 401, "unauthorized")
    assert client.get(sent + MODELS, headers={"Authorization": f"Bearer {key}"}).status_code == 200


def test_a_client_reaches_the_server_below_the_prefix(url: str, client: httpx.Client) -> None:
    begun = client.post(f"{FIT_PATH}?wait=false", json=FIT).json()["id"]
    remote = RemoteOperations(url + PREFIX)
    assert [each.state for each in remote.follow_job(JobRequest(begun))][-1] == "succeeded"
    remote.close()
