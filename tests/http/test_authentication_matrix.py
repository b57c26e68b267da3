"""Each endpoint with each kind of key over a real server: who is refused, how, and that no reply or log line has a key.

The endpoints and what they need are read from the table of endpoints, so that a new one takes part by itself.
"""

import io
import json
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
import structlog

from tests.client.serving import serving
from tests.http.asking import ROWS
from tests.http.conftest import SETTINGS
from tests.toy import Toy
from windrow.api.endpoints import ENDPOINTS, INSPECT, ROOT, Endpoint
from windrow.api.foreign.table import FOREIGN_ENDPOINTS
from windrow.client.calls import build_call
from windrow.domain.access import SCOPES, CreateKeyRequest, KeyRequest
from windrow.domain.alias import PromoteRequest
from windrow.domain.classifier import FitRequest
from windrow.domain.dataset import Row
from windrow.domain.job import JobListRequest
from windrow.domain.values import has_default
from windrow.http.app import endpoint_routes

# Nothing that the key knows is like the last two, so that hints to both are alike.
KNOWN, SECRET, MISSING = "tickets_v1", "zz_private", "zz_privets"
# A root of files that is not there, which a job tells.
NOWHERE: Final = Path("/nowhere/at/all")
ROW_VALUES: Final = tuple(Row(row["text"], row["label"]) for row in ROWS)
# A key of the right form that nobody created.
WRONG: Final = "wdr_" + "A" * 43
# What a restricted key may be told in the place of an answer, by what its request does with the name.
HIDDEN: Final = {(404, "classifier_not_found"), (404, "alias_not_found"), (403, "name_not_allowed")}


@dataclass(frozen=True)
class Running:
    """A server with a key of each kind.

    Args:
        url: Its address.
        keys: The keys by what they are.
        job_ids: A finished job of each classifier.
        log: Each log line.
    """

    url: str
    keys: Mapping[str, str]
    job_ids: Mapping[str, str]
    log: list[str]


class Lines:
    """A logger that keeps its lines."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines

    def msg(self, line: str) -> None:
        self._lines.append(line)

    debug = info = warning = error = critical = exception = msg


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    toy = Toy(replace(SETTINGS, file_roots=(NOWHERE,)))
    for name in (KNOWN, SECRET):
        toy.fit(FitRequest(name, ROW_VALUES, num_iterations=0))
    toy.promote(PromoteRequest("live", KNOWN))
    toy.promote(PromoteRequest("hidden", KNOWN))
    jobs = {job.model_name: job.id for job in toy.list_jobs(JobListRequest())}
    keys: dict[str, str] = {
        scope: toy.create_key(CreateKeyRequest(name=scope, scopes=(scope,))).key for scope in SCOPES
    }
    most = tuple(scope for scope in SCOPES if scope != "admin")
    keys["only"] = toy.create_key(CreateKeyRequest(name="only", scopes=most, only=("tickets_*", "live"))).key
    names = toy.dependencies.store.names
    now, names.now = names.now, lambda: now() - timedelta(days=2)
    keys["expired"] = toy.create_key(CreateKeyRequest(name="expired", scopes=SCOPES, expires_in_days=1)).key
    names.now = now
    keys["revoked"] = toy.create_key(CreateKeyRequest(name="revoked", scopes=SCOPES)).key
    toy.revoke_key(KeyRequest("revoked"))
    log: list[str] = []
    # Not by what structlog is configured to: a logger that was used before may have kept what it was then.
    logger = structlog.wrap_logger(Lines(log), processors=[structlog.processors.JSONRenderer()])
    with pytest.MonkeyPatch.context() as patch, serving(toy, SETTINGS) as url:
        patch.setattr("windrow.http.logs._log", logger)
        yield Running(url, {**keys, "wrong": WRONG}, jobs, log)
    toy.close()


@pytest.fixture(scope="module")
def client(running: Running) -> Iterator[httpx.Client]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    with httpx.Client(base_url=running.url, timeout=60, verify=context) as http:
        yield http


def request_of(endpoint: Endpoint[Any], name: str, job_id: str, **more: object) -> Any:
    """Return a request that would be answered, if it may be made.

    Args:
        endpoint: The verb.
        name: What its classifiers and aliases are called.
        job_id: Its job.
        more: Other fields.
    """
    known = {
        "model_name": name,
        "model_names": (KNOWN, name) if name != KNOWN else (KNOWN, "live"),
        "new_name": name,
        "alias": name if name != KNOWN else "live",
        "job_id": job_id,
        "base_model": "owner/name",
        "name": "nobody",
        "question": "nobody?",
        "scopes": ("read",),
        "training_data": ROW_VALUES,
        "test_data": ROW_VALUES[:2],
        "texts": ("a text",),
        "labels": ("a label", "another"),
        "abstain_below": 0.5,
        "input": f"{NOWHERE}/*.csv",
        "output": f"{NOWHERE}/labelled",
        **({"text": "a text"} if endpoint.verb in ("predict", "classify") else {}),
        **({"prefix": "nothing_"} if endpoint.verb == "delete_all" else {}),
    }
    kind: Any = endpoint.request
    wanted = {
        each.name
        for each in fields(kind)
        if not has_default(each) or (endpoint.verb, each.name) in GIVEN or each.name in more
    }
    return kind(**{each: {**known, **more}[each] for each in wanted})


GIVEN: Final = {
    ("predict", "model_name"),
    ("predict", "text"),
    ("classify", "text"),
    ("delete_all", "prefix"),
    ("import_classifier", "model_name"),
}


def send(client: httpx.Client, endpoint: Endpoint[Any], request: Any, key: str | None) -> httpx.Response:
    """Send a request with a key, or without one."""
    call = build_call(endpoint, request, 60, io.BytesIO(b"no archive") if endpoint.body == "file" else None)
    headers = {"Content-Type": call.content_type} if call.body is not None else {}
    body = call.body if isinstance(call.body, bytes | None) else call.body.read()
    if key is not None:
        headers["Authorization"] = f"Bearer {key}"
    return client.request(call.method, call.path, content=body, headers=headers)


def check_secrecy(running: Running, reply: httpx.Response) -> None:
    """Check that nothing that was sent back or logged holds a key, nor the part of one that is random."""
    assert running.log
    told = reply.text + str(reply.headers) + "".join(running.log)
    for key in running.keys.values():
        assert key not in told
        assert key[-20:] not in told


# Each endpoint, and each of its fields that asks for another scope.
VARIANTS: Final = [(each, field) for each in ENDPOINTS for field in (None, *each.scope_if)]


@pytest.mark.parametrize(("endpoint", "field"), VARIANTS, ids=lambda each: getattr(each, "verb", each) or "plain")
def test_an_endpoint_answers_to_keys_of_its_scope_alone(
    endpoint: Endpoint[Any], field: str | None, running: Running, client: httpx.Client
) -> None:
    more = {} if field is None else {field: True}
    # A name that nothing has, so that nothing is deleted.
    name = "tickets_v99" if endpoint.method == "DELETE" else KNOWN
    request = request_of(endpoint, name, running.job_ids[KNOWN], **more)
    for kind in (None, "wrong", "expired", "revoked"):
        reply = send(client, endpoint, request, kind and running.keys[kind])
        assert (reply.status_code, reply.json()["code"]) == (401, "unauthorized")
        assert reply.headers["www-authenticate"] == 'Bearer realm="windrow"'
        check_secrecy(running, reply)
    needed = endpoint.needed_scope(request)
    for scope in SCOPES:
        reply = send(client, endpoint, request, running.keys[scope])
        check_secrecy(running, reply)
        if needed is None or scope in (needed, endpoint.or_scope):
            assert reply.status_code not in (401, 403), reply.text
            assert reply.status_code < 500, reply.text
            continue
        assert (reply.status_code, reply.json()["code"]) == (403, "insufficient_scope"), reply.text
        assert reply.json()["scope"] in {needed, endpoint.scope}
        # A key that may do the rest is told so, and no other one.
        may_do_rest = field is not None and scope == endpoint.scope
        assert (f"with {field}=false, the scope {scope} is enough" in reply.json()["detail"]) == may_do_rest


def test_a_key_with_train_alone_sees_the_jobs_that_it_started_and_no_others(
    running: Running, client: httpx.Client
) -> None:
    headers = {"Authorization": f"Bearer {running.keys['train']}"}
    fit = {"model_name": "trained_v1", "training_data": ROWS, "num_iterations": 0}
    begun = client.post(f"{ROOT}/fit?wait=false", json=fit, headers=headers)
    assert begun.status_code == 202, begun.text
    own = f"{ROOT}/jobs/{begun.json()['id']}"
    with client.stream("GET", f"{own}/events", headers=headers) as events:
        assert events.status_code == 200
        assert "event: succeeded" in "".join(events.iter_text())
    shown = client.get(own, headers=headers).json()
    assert (shown["state"], shown["key_name"], shown["model_name"]) == ("succeeded", "train", "trained_v1")
    listed = client.get(f"{ROOT}/jobs", headers=headers).json()["jobs"]
    assert [job["key_name"] for job in listed] == ["train"] * len(listed)
    assert begun.json()["id"] in [job["id"] for job in listed]
    # A job of others, and one that is not there, look the same.
    told = []
    for job_id in (running.job_ids[KNOWN], "000000000000-000000"):
        path = f"{ROOT}/jobs/{job_id}"
        for method, below in (("GET", ""), ("GET", "/events"), ("POST", "/cancel")):
            reply = client.request(method, path + below, headers=headers)
            assert (reply.status_code, reply.json()["code"]) == (404, "job_not_found")
            told.append(reply.json()["detail"].replace(job_id, "JOB"))
    assert len(set(told)) == 1
    for scope in ("predict", "rows", "promote", "admin"):
        reply = client.get(own, headers={"Authorization": f"Bearer {running.keys[scope]}"})
        assert (reply.status_code, reply.json()["scope"]) == (403, "read")
    everything = client.get(f"{ROOT}/jobs", headers={"Authorization": f"Bearer {running.keys['read']}"}).json()["jobs"]
    assert {job["key_name"] for job in everything} == {None, "train"}


NAMES: Final = frozenset({"model_name", "model_names", "new_name", "alias", "job_id"})
NAMING: Final = [each for each in ENDPOINTS if NAMES & {field.name for field in fields(each.request)}]


@pytest.mark.parametrize("endpoint", NAMING, ids=lambda each: each.verb)
def test_an_endpoint_tells_a_limited_key_the_same_of_what_is_there_and_what_is_not(
    endpoint: Endpoint[Any], running: Running, client: httpx.Client
) -> None:
    takes_job = "job_id" in {each.name for each in fields(endpoint.request)}
    told = []
    for name, job_id in ((SECRET, running.job_ids[SECRET]), (MISSING, "000000000000-000000")):
        reply = send(client, endpoint, request_of(endpoint, name, job_id), running.keys["only"])
        check_secrecy(running, reply)
        document = reply.json()
        assert document.pop("request_id") == reply.headers["x-request-id"]
        told.append((reply.status_code, json.dumps(document).replace(name, "NAME").replace(job_id, "JOB")))
        expected = {(404, "job_not_found")} if takes_job else HIDDEN
        assert (reply.status_code, document["code"]) in expected
    assert told[0] == told[1]


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda each: each.verb)
def test_an_endpoint_that_answers_a_limited_key_names_nothing_that_it_does_not_know(
    endpoint: Endpoint[Any], running: Running, client: httpx.Client
) -> None:
    name = "tickets_v99" if endpoint.method == "DELETE" else KNOWN
    reply = send(client, endpoint, request_of(endpoint, name, running.job_ids[KNOWN]), running.keys["only"])
    assert SECRET not in reply.text
    assert "hidden" not in reply.text


def test_every_endpoint_has_a_scope() -> None:
    for endpoint in ENDPOINTS:
        # What it reads is the caller's own, and it tells nothing else.
        anybodys = {None} if endpoint is INSPECT else set()
        assert {endpoint.scope, *endpoint.scope_if.values()} <= {*SCOPES, *anybodys}
        assert endpoint.scope_if.keys() <= {each.name for each in fields(endpoint.request)}


def test_what_is_no_endpoint_answers_without_a_key_or_to_an_admin(running: Running, client: httpx.Client) -> None:
    below = {each.path for each in ENDPOINTS} | {row.path for row in FOREIGN_ENDPOINTS}
    pages = {route.path_format for route in endpoint_routes()} - below
    assert pages == {"/health", "/health/live", "/health/ready", "/metrics"}
    for path in ("/", "/docs", "/openapi.json", "/health", "/health/live", "/health/ready", "/favicon.ico"):
        assert client.get(path).status_code == 200
        assert client.get(path, headers={"X-API-Key": WRONG}).status_code == 200
    assert client.get("/metrics").status_code == 401
    statuses = {
        scope: client.get("/metrics", headers={"X-API-Key": running.keys[scope]}).status_code for scope in SCOPES
    }
    assert statuses == {**dict.fromkeys(SCOPES, 403), "admin": 200}
    for path in ("/nothing", "/v1", "/docs/files/../../v1/classifier/models", "/health/"):
        assert client.get(path).status_code in (401, 404)
    assert client.get("/v1/classifier/nothing").json()["code"] == "unauthorized"


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer not-a-key"},
        {"Authorization": "Bearer {key} {key}"},
        {"Authorization": "Bearer {key},{key}"},
        {"Authorization": "{key}"},
        {"Authorization": "Basic {key}"},
        {"X-API-Key": "{key}x"},
        {"X-API-Key": "{key}\t{key}"},
        {"X-API-Key": ""},
        {"X-API-Key": "{key}", "Authorization": "Bearer {key}"},
        {"X-API-Key": "{key}", "Authorization": "bearer x"},
        {"Cookie": "key={key}"},
    ],
)
def test_a_request_without_one_whole_key_is_refused_and_the_key_is_not_told(
    headers: dict[str, str], running: Running, client: httpx.Client
) -> None:
    key = running.keys["read"]
    sent = {name: value.format(key=key) for name, value in headers.items()}
    reply = client.get("/v1/classifier/models", headers=sent)
    assert (reply.status_code, reply.json()["code"]) == (401, "unauthorized")
    check_secrecy(running, reply)


def test_a_key_sent_twice_is_refused(running: Running, client: httpx.Client) -> None:
    headers = [("X-API-Key", running.keys["read"])] * 2
    assert client.get("/v1/classifier/models", headers=headers).status_code == 401


@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", "BEARER   "])
def test_a_key_is_taken_from_either_header(scheme: str, running: Running, client: httpx.Client) -> None:
    key = running.keys["read"]
    for headers in ({"Authorization": f"{scheme}{key}"}, {"x-api-key": key}):
        assert client.get("/v1/classifier/models", headers=headers).status_code == 200


def test_another_scheme_is_a_proxys_and_the_key_stands_beside_it(running: Running, client: httpx.Client) -> None:
    headers = {"Authorization": "Basic dXNlcjpwYXNz", "X-API-Key": running.keys["read"]}
    assert client.get("/v1/classifier/models", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "address", ["?api_key={key}", "?limit=1&cursor={key}", "?{key}", "?a={key}&b=1", "?a=w%64r_{rest}", "/{key}/export"]
)
def test_a_key_in_an_address_is_refused_although_there_is_one_in_the_header(
    address: str, running: Running, client: httpx.Client
) -> None:
    key = running.keys["read"]
    place = address.format(key=key, rest=key.removeprefix("wdr_"))
    reply = client.get(f"/v1/classifier/models{place}", headers={"X-API-Key": key})
    assert (reply.status_code, reply.json()["code"]) == (401, "unauthorized")
    assert "Revoke that key" in reply.json()["detail"]
    check_secrecy(running, reply)
