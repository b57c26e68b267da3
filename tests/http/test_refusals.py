"""What a server refuses, it goes on refusing: a table of requests to a real server, over HTTP alone."""

import http.client
import json
import re
import traceback
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from tests.http.refusals import (
    ACCEPTED,
    ALIASES,
    API,
    IMPORT,
    JOBS,
    JSON,
    MODELS,
    PARTS,
    ROWS,
    SECRET,
    SETTINGS,
    ZIP,
    Refusal,
    as_json,
    refusals,
)
from tests.servers import Servers

pytestmark = pytest.mark.slow

LARGEST_ANSWER_BYTES = 20_000
SWAPPED = {"refund": "login", "login": "invoice", "invoice": "refund"}


@dataclass(frozen=True)
class Answer:
    """What came back.

    Args:
        status: HTTP status.
        headers: By name in small letters.
        content: The body.
    """

    status: int
    headers: Mapping[str, str]
    content: bytes

    def document(self) -> dict[str, Any]:
        """Return the body as JSON."""
        found: dict[str, Any] = json.loads(self.content)
        return found


@dataclass(frozen=True)
class Place:
    """A real server with some classifiers and aliases.

    Args:
        connection: Leads there.
        job: The id of a job that has ended.
        export: The file of an exported classifier.
        accepted: The status of each request that must be accepted, by its id.
        before: The state that each refusal must leave as it is.
    """

    connection: http.client.HTTPConnection
    job: str = ""
    export: bytes = b""
    accepted: Mapping[str, int] = field(default_factory=dict)
    before: tuple[dict[str, Any], ...] = ()

    def send(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None, is_chunked: bool) -> Answer:
        """Send exactly this: nothing of the path is resolved, and no header is added but those of the length.

        All goes over one connection for as long as the server keeps it, so that no answer may be longer than it says,
        and none may leave a part of its request unread.
        """
        is_new = self.connection.sock is None
        has_sent = False
        # A server may answer, and close the connection, before it has read the whole body.
        with suppress(BrokenPipeError, ConnectionResetError):
            content = iter([body or b""]) if is_chunked else body
            self.connection.request(method, path, content, dict(headers), encode_chunked=is_chunked)
            has_sent = True
        try:
            reply = self.connection.getresponse()
        except ConnectionResetError:  # RemoteDisconnected is one
            self.connection.close()
            if is_new:
                raise
            return self.send(method, path, headers, body, is_chunked)  # it had been idle for too long
        answer = Answer(reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read())
        if not has_sent or "Content-Length" in headers:  # where an entry says that itself, it sends less
            self.connection.close()
        return answer

    def ask(self, method: str, path: str, document: object = None) -> dict[str, Any]:
        """Send JSON, and return the answer, which must be no refusal."""
        answer = self.send(method, path, JSON, None if document is None else as_json(document), False)
        assert answer.status == 200, answer.content
        return answer.document()

    def refuse(self, entry: Refusal) -> Answer:
        """Send the request of an entry."""
        body = entry.body(self.export) if callable(entry.body) else entry.body
        return self.send(entry.method, entry.path.replace("{job}", self.job), entry.headers, body, entry.is_chunked)

    def state(self) -> tuple[dict[str, Any], ...]:
        """Return all that a refused request must leave as it is."""
        paths = (f"{MODELS}?full=true", f"{MODELS}?deleted=true", ALIASES, f"{ALIASES}/live/history")
        return tuple(self.ask("GET", path) for path in paths)


def _prepare(server: Place) -> Place:
    """Make what the table names: classifiers, aliases, a job that has ended and a file."""

    def train(name: str, rows: object = ROWS) -> None:
        document = {"model_name": name, "training_data": rows, "num_iterations": 0, "tags": ["tickets"]}
        server.ask("POST", f"{API}/fit", document)

    def promote(alias: str, name: str, **more: object) -> None:
        server.ask("PUT", f"{ALIASES}/{alias}", {"model_name": name, **more})

    train("tickets_v1")
    train("tickets_v1")
    train("tickets_v2", [{"text": row["text"], "label": SWAPPED[row["label"]]} for row in ROWS])
    train("gone_v1")
    train("lost_v1")
    export = server.send("GET", f"{MODELS}/tickets_v1/export", {}, None, False).content
    imported = server.send("POST", f"{IMPORT}?model_name=bare_v1", ZIP, export, False)
    assert imported.status == 200, imported.content
    promote("live", "tickets_v1")
    promote("strict", "tickets_v1", must_pass=ROWS[1:2])
    promote("spare", "tickets_v1")
    promote("orphan", "lost_v1")
    promote("orphan", "tickets_v1")
    promote("former", "tickets_v1")
    server.ask("DELETE", f"{ALIASES}/former")
    server.ask("DELETE", f"{MODELS}/gone_v1")
    server.ask("DELETE", f"{MODELS}/lost_v1")
    [job, *_] = server.ask("GET", JOBS)["jobs"]
    sent = {each.id: server.send(each.method, each.path, JSON, as_json(each.whole), False) for each in ACCEPTED}
    accepted = {name: answer.status for name, answer in sent.items()}
    return replace(server, job=job["id"], export=export, accepted=accepted, before=server.state())


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder: Path = tmp_path_factory.mktemp("refusals")
    servers = Servers(folder)
    try:
        url = servers.start(folder / "data", **SETTINGS).client.base_url
        with closing(http.client.HTTPConnection(url.host, url.port, timeout=60)) as connection:
            yield _prepare(Place(connection))
    finally:
        servers.stop()


def check_refusal(answer: Answer, entry: Refusal) -> dict[str, Any]:
    """Check that an answer is a problem with the status and the code that an entry expects, and return it."""
    document = answer.document()
    assert (answer.status, document["code"]) == (entry.status, entry.code), document
    assert document["status"] == entry.status
    assert document["type"] == f"urn:windrow:problem:{entry.code}"
    assert document["title"]
    assert document["request_id"] == answer.headers["x-request-id"]
    assert answer.headers["content-type"] == "application/problem+json"
    assert len(answer.content) < LARGEST_ANSWER_BYTES
    assert SECRET not in answer.content.decode()
    if entry.status == 405:
        assert answer.headers["allow"] == ", ".join(document["allowed"])
    return document


def check(place: Place, entry: Refusal) -> None:
    """Check that an entry's request is refused as the entry says."""
    answer = place.refuse(entry)
    if entry.method == "HEAD":
        assert (answer.status, answer.content) == (entry.status, b"")
        if entry.status == 405:
            assert answer.headers["allow"] == ", ".join(entry.facts["allowed"])
        return
    document = check_refusal(answer, entry)
    assert [words for words in entry.words if words not in document["detail"]] == [], document["detail"]
    assert {name: document.get(name) for name in entry.facts} == dict(entry.facts)


@pytest.mark.parametrize("part", PARTS)
def test_what_was_refused_is_refused_with_the_same_status_code_words_and_facts_and_changes_nothing(
    place: Place, part: str
) -> None:
    wrong = {}
    for entry in PARTS[part]():
        try:
            check(place, entry)
        except (AssertionError, LookupError, ValueError, OSError, http.client.HTTPException):
            wrong[entry.id] = traceback.format_exc(limit=-1)
    assert not wrong, "\n".join(f"{name}\n{why}" for name, why in wrong.items())
    assert place.state() == place.before


@pytest.mark.parametrize("name", [endpoint.id for endpoint in ACCEPTED])
def test_the_request_that_an_entry_spoils_is_accepted_as_it_is(place: Place, name: str) -> None:
    assert place.accepted[name] == (202 if name.startswith("predict-files") else 200)


def test_each_entry_has_an_id_of_its_own_and_the_status_of_a_refusal() -> None:
    entries = refusals()
    assert len(entries) > 3_900
    assert [entry.id for entry in entries if not 400 <= entry.status < 600] == []
    assert [name for name, count in Counter(entry.id for entry in entries).items() if count > 1] == []


@dataclass(frozen=True)
class Documented:
    """An endpoint as /openapi.json shows it, and the entries that are about it.

    Args:
        id: Method and path template.
        verb: What the document says of it.
        entries: What it refuses itself: neither its path nor its method is wrong.
    """

    id: str
    verb: Mapping[str, Any]
    entries: Sequence[Refusal]

    def lacks(self, *codes: str) -> list[str]:
        """Return those codes that no entry expects."""
        return [f"{self.id}: {code}" for code in codes if code not in {entry.code for entry in self.entries}]


def specificity(template: str) -> tuple[int, int]:
    """Return what sorts the templates that fit a path: that which says most of it comes first."""
    return template.count("{"), -len(template)


def _documented(document: Mapping[str, Any]) -> list[Documented]:
    patterns = {template: re.compile(re.sub(r"\\{\w+\\}", ".+", re.escape(template))) for template in document["paths"]}
    own: dict[tuple[str, str], list[Refusal]] = {}
    for entry in refusals():
        path = entry.path.partition("?")[0]
        fitting = [template for template in patterns if patterns[template].fullmatch(path)]
        if fitting and entry.code not in ("not_found", "method_not_allowed"):
            own.setdefault((entry.method, min(fitting, key=specificity)), []).append(entry)
    return [
        Documented(f"{method.upper()} {template}", verb, own.get((method.upper(), template), []))
        for template, verbs in document["paths"].items()
        for method, verb in verbs.items()
    ]


def _field_names(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names of all fields of a JSON Schema, also of those within."""
    for name, inner in schema.get("properties", {}).items():
        yield name
        yield from _field_names(inner, schemas)
    for inner in (*schema.get("anyOf", ()), *([schema["items"]] if "items" in schema else ())):
        yield from _field_names(inner, schemas)
    if "$ref" in schema:
        yield from _field_names(schemas[schema["$ref"].rpartition("/")[2]], schemas)


def test_each_endpoint_has_entries_for_all_that_it_reads(place: Place) -> None:
    document = place.ask("GET", "/openapi.json")
    lacking: list[str] = []
    for endpoint in _documented(document):
        lacking += endpoint.lacks("invalid_request")  # at least for a parameter that it does not take
        for parameter in endpoint.verb.get("parameters", ()):
            told = [entry for entry in endpoint.entries if entry.facts.get("parameter") == parameter["name"]]
            if parameter["in"] == "query" and not told:
                lacking.append(f"{endpoint.id}: the parameter {parameter['name']}")
        content = endpoint.verb.get("requestBody", {}).get("content", {})
        if content:
            lacking += endpoint.lacks("unsupported_media_type", "body_too_large")
        if "application/json" in content:
            lacking += endpoint.lacks("invalid_json")
            schemas = document["components"]["schemas"]
            for name in _field_names(content["application/json"]["schema"], schemas):
                words = [words for entry in endpoint.entries for words in entry.words if " must be " in words]
                if not any(re.search(rf"\b{name}\b", phrase) for phrase in words):
                    lacking.append(f"{endpoint.id}: a wrong type of {name}")
        if endpoint.id.startswith("POST "):
            lacking += endpoint.lacks("cross_site_request")
    assert lacking == []
