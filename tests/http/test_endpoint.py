"""Which endpoint a path means."""

import httpx
import pytest

from tests.http.asking import ALIASES, MODELS, check_problem, fit


def test_the_end_of_a_path_is_no_part_of_a_name(client: httpx.Client) -> None:
    fit(client, "a")
    assert client.get(f"{MODELS}/a/export").headers["content-type"] == "application/zip"
    assert check_problem(client.get(f"{MODELS}/a/b/export"), 422, "invalid_name")["name"] == "a/b"
    assert check_problem(client.get(f"{MODELS}/a/exports"), 422, "invalid_name")["name"] == "a/exports"
    assert check_problem(client.post(f"{MODELS}/a/b/restore"), 422, "invalid_name")["name"] == "a/b"
    assert check_problem(client.get(f"{ALIASES}/a/b/history"), 422, "invalid_name")["name"] == "a/b"


def test_an_empty_body_says_nothing_beside_the_query(client: httpx.Client) -> None:
    fit(client, "a", "b")
    assert client.request("GET", MODELS, headers={"Content-Length": "0"}).status_code == 200
    assert client.request("GET", f"{MODELS}/a/export", content=iter([b""])).headers["content-type"] == "application/zip"
    assert client.request("DELETE", f"{MODELS}/a", content=b"").json()["purged"] is False
    assert client.request("DELETE", f"{MODELS}/b?purge=true", content=iter([b""])).json()["purged"] is True


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v1/classifier/fit", "POST"),
        ("POST", MODELS, "DELETE, GET, HEAD"),
        ("POST", f"{MODELS}/a", "DELETE, GET, HEAD, PATCH"),
        ("PUT", f"{MODELS}/import", "DELETE, GET, HEAD, PATCH, POST"),
        ("POST", f"{MODELS}/a/export", "GET, HEAD"),
        ("GET", f"{MODELS}/a/restore", "POST"),
        ("GET", f"{ALIASES}/a", "DELETE, PUT"),
        ("DELETE", f"{ALIASES}/a/rollback", "POST"),
        ("PUT", "/v1/classifier/base-models/a/b", "DELETE"),
        ("POST", "/health", "GET, HEAD"),
    ],
)
def test_a_wrong_method_is_told_every_right_one(client: httpx.Client, method: str, path: str, allowed: str) -> None:
    reply = client.request(method, path, json={})
    document = check_problem(reply, 405, "method_not_allowed")
    assert reply.headers["allow"] == allowed
    assert document["allowed"] == allowed.split(", ")


def test_what_can_be_read_can_be_asked_about(client: httpx.Client) -> None:
    fit(client, "a")
    for path in (
        MODELS,
        f"{MODELS}/a",
        ALIASES,
        f"{MODELS}/a/export",
        "/",
        "/docs",
        "/openapi.json",
        "/favicon.ico",
        "/metrics",
    ):
        asked, read = client.head(path), client.get(path)
        assert (asked.status_code, asked.content) == (200, b"")
        assert asked.headers["content-type"] == read.headers["content-type"]
        if path != "/metrics":  # whose figures go on
            assert asked.headers["content-length"] == read.headers["content-length"]
    assert client.head(f"{MODELS}/b").status_code == 404
