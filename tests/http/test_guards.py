"""What is refused before any endpoint is asked: unknown parameters, and pages of other sites."""

import socket

import httpx
import pytest

from tests.http.asking import ALIASES, API, MODEL, MODELS, check_problem, fit
from windrow.api.endpoints import ENDPOINTS as OWN_ENDPOINTS
from windrow.api.foreign.table import FOREIGN_ENDPOINTS
from windrow.http.app import endpoint_routes

# Another server's format takes what it takes.
FOREIGN = {row.path for row in FOREIGN_ENDPOINTS} - {each.path for each in OWN_ENDPOINTS}
ENDPOINTS = [
    (method, route.path_format.replace("{", "").replace("}", ""))
    for route in endpoint_routes()
    if route.path_format not in FOREIGN
    for method in route.methods or ()
    if method != "HEAD"
]
BODILESS = [f"{MODEL}/restore", f"{MODEL}/reproduce", f"{ALIASES}/live/rollback", f"{API}/fsck"]


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
def test_every_endpoint_refuses_a_parameter_that_it_does_not_take(client: httpx.Client, method: str, path: str) -> None:
    document = check_problem(client.request(method, path, params={"colour": "red"}), 422, "invalid_request")
    assert str(document["detail"]).startswith("colour is no parameter of this request; ")
    assert document["parameter"] == "colour"


@pytest.mark.parametrize(
    ("method", "path", "query", "said"),
    [
        ("GET", MODELS, "lmit=3", "did you mean limit?"),
        ("GET", MODELS, "tags=a", "did you mean tag?"),
        ("GET", MODELS, "Limit=3", "did you mean limit?"),
        ("DELETE", MODEL, "purged=true", "did you mean purge?"),
        ("DELETE", MODEL, "dry_run=true", "known are force, purge"),
        ("DELETE", MODELS, "prefx=cv_", "did you mean prefix?"),
        ("GET", "/health", "a", "it takes none"),
        ("GET", MODELS, "limit=1&limit=2", "limit stands twice"),
        ("GET", MODELS, "limit=1&%6Cimit=1", "limit stands twice"),
    ],
)
def test_what_was_probably_meant_is_named(client: httpx.Client, method: str, path: str, query: str, said: str) -> None:
    fit(client)
    document = check_problem(client.request(method, f"{path}?{query}"), 422, "invalid_request")
    assert said in str(document["detail"])
    assert client.get(MODEL).status_code == 200


def test_a_parameter_as_long_as_a_text_is_cut_short_in_the_reply(client: httpx.Client) -> None:
    document = check_problem(client.get(MODELS, params={"My card was billed " * 9: "1"}), 422, "invalid_request")
    assert document["parameter"] == "My card was billed My card was billed My…"


@pytest.mark.parametrize("path", BODILESS)
@pytest.mark.parametrize("origin", ["https://evil.example", "http://127.0.0.1:1", "null", "http://"])
@pytest.mark.parametrize(
    "media_type", ["", "text/plain", "Multipart/Form-Data; boundary=a", "text/plain;application/json"]
)
def test_a_page_of_another_site_can_start_nothing(
    client: httpx.Client, path: str, origin: str, media_type: str
) -> None:
    headers = {"Origin": origin, **({"Content-Type": media_type} if media_type else {})}
    document = check_problem(client.post(path, headers=headers), 403, "cross_site_request")
    assert document["origin"] == origin
    assert "'Content-Type: application/json'" in str(document["detail"])


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "{own}"},
        {"Origin": "https://evil.example", "Content-Type": "application/json"},
        {"Origin": "https://windrow.example", "Sec-Fetch-Site": "same-origin"},
    ],
)
def test_a_page_of_this_server_and_whoever_declares_json_is_answered(
    client: httpx.Client, headers: dict[str, str]
) -> None:
    own = f"http://{client.base_url.host}:{client.base_url.port}"
    sent = {name: value.replace("{own}", own) for name, value in headers.items()}
    assert client.post(f"{API}/fsck", headers=sent).status_code == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none"])
def test_a_browser_that_calls_a_page_foreign_is_believed(client: httpx.Client, site: str) -> None:
    headers = {"Origin": "https://evil.example", "Sec-Fetch-Site": site}
    check_problem(client.post(f"{API}/fsck", headers=headers), 403, "cross_site_request")


@pytest.mark.parametrize("path", [f"{API}/fsck", f"{MODELS}/import", MODEL])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_browser_that_asks_whether_a_page_may_send_more_is_not_told_yes(
    client: httpx.Client, path: str, method: str
) -> None:
    headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": method}
    reply = client.options(path, headers=headers)
    assert reply.status_code == 405
    assert not [name for name in reply.headers if name.startswith("access-control-")]


def _ask(client: httpx.Client, lines: bytes, target: str = MODELS, version: str = "1.1") -> bytes:
    with socket.create_connection((client.base_url.host, client.base_url.port or 80), timeout=30) as connection:
        head = f"GET {target} HTTP/{version}\r\n".encode()
        connection.sendall(head + lines + b"Connection: close\r\n\r\n")
        received = b""
        while chunk := connection.recv(65_536):
            received += chunk
    return received


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "PUT", "PATCH"])
@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:14345", "127.0.0.1.evil.example", "a.localhost.b", "2130706433"]
)
def test_a_page_whose_name_leads_to_this_server_learns_and_changes_nothing(
    client: httpx.Client, method: str, host: str
) -> None:
    fit(client)
    for path in (
        MODEL,
        f"{MODEL}/export?include_training_data=true",
        f"{API}/fsck",
        "/docs",
        "/",
        "/openapi.json",
        "/metrics",
    ):
        reply = client.request(method, path, headers={"Host": host, "Origin": f"http://{host}"})
        document = check_problem(reply, 421, "misdirected_request")
        assert document["setting"] == "WINDROW_ALLOWED_HOSTS"
        assert document["host"] == host.partition(":")[0]
        assert "set WINDROW_ALLOWED_HOSTS to it" in str(document["detail"])
    assert client.get(MODEL).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST:14345",
        "localhost.",
        "a.localhost",
        "127.0.0.1",
        "192.0.2.7:80",
        "[::1]",
        "[2001:db8::1]:80",
    ],
)
def test_addresses_and_names_of_this_machine_are_answered(client: httpx.Client, host: str) -> None:
    assert client.get(MODELS, headers={"Host": host}).status_code == 200


def test_what_only_looks_like_an_address_is_named_in_the_refusal(client: httpx.Client) -> None:
    received = _ask(client, b"Host: [1:2]\r\n", MODELS)
    assert received.startswith(b"HTTP/1.1 421 ")
    assert b'"host": "1:2"' in received


def test_a_name_that_was_refused_stays_so_however_often_it_comes_among_others(client: httpx.Client) -> None:
    hosts = ["evil.example", "localhost", *(f"{number}.evil.example" for number in range(70)), "evil.example"]
    statuses = [client.get(MODELS, headers={"Host": host}).status_code for host in (*hosts, "localhost")]
    assert statuses == [421, 200, *[421] * 71, 200]
    assert client.get("/health", headers={"Host": "evil.example"}).status_code == 200


def test_a_probe_is_answered_by_any_name(client: httpx.Client) -> None:
    assert client.get("/health", headers={"Host": "windrow.example"}).status_code == 200


@pytest.mark.parametrize("target", [MODELS, "/health", "/nothing"])
@pytest.mark.parametrize(
    "lines",
    [
        b"",
        b"Host: localhost\r\nHost: localhost\r\n",
        b"Host: local host\r\n",
        b"Host: a@localhost\r\n",
        b"Host: [::1\r\n",
    ],
    ids=["none", "two", "a blank", "a user", "half an address"],
)
def test_a_request_without_one_host_is_refused(client: httpx.Client, target: str, lines: bytes) -> None:
    received = _ask(client, lines, target)
    assert received.startswith(b"HTTP/1.1 400 Bad Request")
    assert b'"code": "request_refused"' in received


def test_a_request_of_http_1_0_needs_no_host(client: httpx.Client) -> None:
    assert b" 200 OK\r\n" in _ask(client, b"", version="1.0")
