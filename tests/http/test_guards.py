"""What is refused before any endpoint is asked: unknown parameters, and pages of other sites."""

import httpx
import pytest

from tests.http.asking import ALIASES, API, MODEL, MODELS, check_problem, fit
from windrow.http.app import endpoint_routes

ENDPOINTS = [
    (method, route.path_format.replace("{", "").replace("}", ""))
    for route in endpoint_routes()
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
