"""Health, and the documentation: what it shows can be executed, and its page needs nothing but this server."""

import json
import re
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.browsers import find_chromium
from tests.client.serving import serving
from tests.http.asking import API, FIT, MODEL, fit
from tests.toy import Toy
from windrow import __version__
from windrow.api.examples import EXAMPLE_ALIAS, EXAMPLE_JOB, EXAMPLE_NAME
from windrow.api.openapi import openapi_document
from windrow.settings import Settings

DOCUMENT: dict[str, Any] = json.loads(json.dumps(openapi_document()))
VERBS = {
    f"{method.upper()} {path}": verb for path, verbs in DOCUMENT["paths"].items() for method, verb in verbs.items()
}


def _promote(client: httpx.Client) -> None:
    for name in ("other", EXAMPLE_NAME):
        fit(client, name)
        assert client.put(f"{API}/aliases/{EXAMPLE_ALIAS}", json={"model_name": name}).status_code == 200


def _train_a_rival(client: httpx.Client) -> None:
    fit(client, "ticket_classifier_v2")


def _create_key(client: httpx.Client) -> None:
    assert client.post(f"{API}/keys", json={"name": "shop", "scopes": ["read"]}).status_code in (201, 409)


def _delete(client: httpx.Client) -> None:
    client.delete(MODEL)


# What must have happened before an example can succeed, beside the training of the example's classifier.
BEFORE: dict[str, Callable[[httpx.Client], object]] = {
    "compare": _train_a_rival,
    "restore": _delete,
    "import_classifier": _delete,
    "remove_alias": _promote,
    "alias_history": _promote,
    "rollback": _promote,
    "limit_key": _create_key,
    "revoke_key": _create_key,
}


def _requests(endpoint: str, file: bytes, job: str) -> Iterator[dict[str, Any]]:
    """Yield each request that the documentation of an endpoint shows."""
    method, path = endpoint.split()
    query = {}
    for parameter in VERBS[endpoint].get("parameters", ()):
        if parameter["in"] == "path":
            path = path.replace(f"{{{parameter['name']}}}", parameter["example"].replace(EXAMPLE_JOB, job))
        elif "example" in parameter:
            query[parameter["name"]] = parameter["example"]
    request = {"method": method, "url": path, "params": query}
    content = VERBS[endpoint].get("requestBody", {}).get("content")
    if content is None:
        yield request
    elif "application/json" in content:
        examples = content["application/json"]["examples"].values()
        yield from ({**request, "json": example["value"]} for example in examples)
    elif VERBS[endpoint]["operationId"] == "inspect":
        yield {**request, "content": b"subject,body,team\nCharged twice,See my bill,billing\n"}
    else:
        yield from ({**request, "content": file, "headers": {"Content-Type": media_type}} for media_type in content)


def test_health_names_the_version(client: httpx.Client) -> None:
    assert client.get("/health").json() == {"status": "ok", "version": __version__}


def test_the_document_is_served_as_it_is(client: httpx.Client) -> None:
    assert client.get("/openapi.json").json() == DOCUMENT


@pytest.mark.parametrize("endpoint", VERBS)
def test_the_examples_of_every_endpoint_can_be_executed_and_answer_as_they_show(
    client: httpx.Client, operations: Toy, endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fit(client)
    verb = VERBS[endpoint]
    # Only the answer is looked at, so no job touches a file.
    monkeypatch.setattr("windrow.service.file_prediction.predict_files", threading.Event)
    settings = replace(operations.settings, file_roots=(Path("/srv"),))
    monkeypatch.setattr(operations, "dependencies", replace(operations.dependencies, settings=settings))
    file = client.get(f"{MODEL}/export").content
    if verb["operationId"] == "cancel_job":
        operations.before_fit = lambda: threading.Event().wait(30)
        job = client.post(f"{API}/fit?wait=false", json=FIT).json()["id"]
    else:
        job = client.get(f"{API}/jobs").json()["jobs"][0]["id"]
    requests = list(_requests(endpoint, file, job))
    assert requests
    for request in requests:
        if verb["operationId"] in BEFORE:
            BEFORE[verb["operationId"]](client)
        reply = client.request(**request)
        assert reply.status_code in (200, 201, 202), reply.text
        content = verb["responses"][str(reply.status_code)]["content"]
        media_type = reply.headers["content-type"].partition(";")[0]
        assert media_type in content
        if media_type == "application/json":
            shown = [example["value"].keys() for example in content[media_type]["examples"].values()]
            assert reply.json().keys() in shown


def test_the_docs_page_names_no_other_server(client: httpx.Client) -> None:
    page = client.get("/docs").text
    assert re.findall(r"https?://[^\"' ]+", page) == []
    files = re.findall(r"(?:src|href)=\"(/[^\"]+)\"", page)
    assert len(files) == 4
    for path in files:
        assert client.get(path).status_code == client.head(path).status_code == 200, path
        assert client.get(f"{path}%0A").status_code == 404, path
    assert client.get(f"{files[-1].rpartition('/')[0]}/__init__.py").status_code == 404


@pytest.fixture
def plain(operations: Toy) -> Iterator[httpx.Client]:
    """A client of a server without the console."""
    with serving(operations, Settings(console=False)) as url, httpx.Client(base_url=url, timeout=60) as client:
        yield client


@pytest.mark.slow
def test_the_docs_page_shows_the_verbs_in_a_real_browser(client: httpx.Client, tmp_path: Any) -> None:
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
    url = str(client.base_url.join("/docs"))
    run = subprocess.run(
        [find_chromium(), *flags, f"--user-data-dir={tmp_path}", "--virtual-time-budget=20000", "--dump-dom", url],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert "opblock-summary-path" in run.stdout
    for path in {endpoint.split()[1] for endpoint in VERBS}:
        assert path.split("{")[0] in run.stdout.replace("\u200b", "")


def test_without_the_console_the_first_page_leads_to_everything_and_each_link_works(plain: httpx.Client) -> None:
    page = plain.get("/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert __version__ in page.text
    links = re.findall(r'href="([^"]+)"', page.text)
    assert {
        "/docs",
        "/openapi.json",
        "/health",
        "/health/ready",
        "/metrics",
        "/v1/classifier/models",
        "/favicon.ico",
    } == set(links)
    assert {plain.get(link).status_code for link in links} == {200}


def test_the_pages_for_a_browser_say_how_a_key_is_sent(plain: httpx.Client) -> None:
    assert "Authorization: Bearer KEY" in plain.get("/").text
    assert "Authorize" in plain.get("/openapi.json").json()["info"]["description"]


def test_there_is_an_icon(client: httpx.Client) -> None:
    icon = client.get("/favicon.ico")
    assert icon.headers["content-type"] == "image/svg+xml"
    assert icon.content.startswith(b"<svg")


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_a_page_can_be_framed_by_nobody_and_runs_only_what_this_server_sends(plain: httpx.Client, path: str) -> None:
    page = plain.get(path)
    policy = dict(each.strip().split(" ", 1) for each in page.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert "script-src" not in policy
    # What the policy would not let run.
    assert not re.search(r"<script(?![^>]*\bsrc=)|\son[a-z]+=|javascript:", page.text)
    for source in re.findall(r'(?:src|href)="([^"]+\.(?:js|css|ico))"', page.text):
        assert plain.get(source).status_code == 200, source


def test_the_script_of_the_documentation_finds_the_document_from_its_page(client: httpx.Client) -> None:
    script = client.get("/docs/files/swagger_start.js")
    assert script.headers["content-type"].startswith("text/javascript")
    url = re.search(r'url: "([^"]+)"', script.text)
    assert url is not None
    assert client.get(httpx.URL("/docs").join(url[1])).json()["openapi"]


@pytest.mark.parametrize(
    "path", ["/", "/docs", "/openapi.json", "/health", "/health/ready", "/metrics", "/nothing", f"{API}/models", MODEL]
)
def test_no_browser_takes_an_answer_for_another_type(client: httpx.Client, path: str) -> None:
    assert client.get(path).headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("console", [True, False])
def test_a_server_may_hide_its_documentation_and_then_names_it_nowhere(operations: Toy, console: bool) -> None:
    with (
        serving(operations, Settings(docs=False, console=console)) as url,
        httpx.Client(base_url=url, timeout=60) as client,
    ):
        for path in ("/docs", "/openapi.json", "/docs/files/swagger_start.js", "/docs/files/swagger_bundle.js"):
            assert client.get(path).status_code == 404, path
        page = client.get("/").text
        assert {client.get(client.base_url.join(link)).status_code for link in re.findall(r'href="([^"]+)"', page)} == {
            200
        }
        refusals = (client.get("/nothing"), client.post(f"{API}/predict", json={}), client.get(f"{API}/jobs?x=1"))
        for said in (page, *(each.text for each in refusals)):
            assert "/docs" not in said
            assert "openapi" not in said
